//! Rows to store: a table of scans with every kind of column the lake uses.

use std::{collections::HashMap, sync::Arc};

use arrow::{
    array::{
        ArrayRef, BinaryArray, BooleanArray, Float32Array, Float64Array, Int64Array, ListArray,
        RecordBatch, StringArray, StructArray, UInt32Array,
    },
    buffer::{NullBuffer, OffsetBuffer},
    compute::concat_batches,
    datatypes::{DataType, Field, Fields, Schema, SchemaRef},
};
use tempfile::TempDir;
use tiepoint_model::Seed;
use tiepoint_store::{Head, Store, WriteSeam};

/// A lake in a folder that goes away with it. The name has what paths may have.
pub(crate) struct Lake {
    pub(crate) store: Store,
    pub(crate) folder: TempDir,
}

pub(crate) fn lake() -> Lake {
    lake_with(WriteSeam::default())
}

pub(crate) fn lake_with(seam: WriteSeam) -> Lake {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(&folder.path().join("a lake, größer 100%"), seam).unwrap();
    Lake { store, folder }
}

pub(crate) fn head_of(position: u64, table: &str, version: u64) -> Head {
    Head { position, versions: [(table.to_owned(), version)].into() }
}

fn with_unit(name: &str, data_type: DataType, unit: &str) -> Field {
    let metadata = HashMap::from([("unit".to_owned(), unit.to_owned())]);
    Field::new(name, data_type, true).with_metadata(metadata)
}

pub(crate) fn schema() -> SchemaRef {
    let item = || Arc::new(Field::new("item", DataType::Float32, true));
    Arc::new(Schema::new(vec![
        Field::new("recording_id", DataType::Utf8, false),
        Field::new("topic", DataType::Utf8, false),
        with_unit("log_time_ns", DataType::Int64, "ns"),
        Field::new("sequence", DataType::UInt32, false),
        with_unit("angle_rad", DataType::Float64, "rad"),
        with_unit("ranges_m", DataType::List(item()), "m"),
        Field::new("payload", DataType::Binary, true),
        Field::new("is_valid", DataType::Boolean, true),
        Field::new("label", DataType::Utf8, true),
        Field::new("position", DataType::Struct(position_fields()), false),
    ]))
}

fn position_fields() -> Fields {
    vec![Field::new("x_m", DataType::Float64, true), Field::new("y_m", DataType::Float64, true)]
        .into()
}

/// Rows `from..to` of a recording: nulls, NaN, infinities, empty lists and empty texts included.
pub(crate) fn rows(recording: &str, topic: &str, from: u32, to: u32) -> RecordBatch {
    let indices: Vec<u32> = (from..to).collect();
    let draw = |row: u32| Seed(11).draws(1, u64::from(row));
    let mut offsets = vec![0_i32];
    let mut ranges = Vec::new();
    for &row in &indices {
        let mut draws = draw(row);
        for item in 0..draws.below(7) {
            ranges.push(match draws.below(9) {
                0 => None,
                1 => Some(f32::NAN),
                2 => Some(f32::INFINITY),
                3 => Some(-0.0),
                _ => Some(row as f32 + item as f32 * 0.25),
            });
        }
        offsets.push(i32::try_from(ranges.len()).unwrap());
    }
    let item = Arc::new(Field::new("item", DataType::Float32, true));
    let presence = NullBuffer::from_iter(indices.iter().map(|row| row % 11 != 3));
    let ranges = ListArray::new(
        item,
        OffsetBuffer::new(offsets.into()),
        Arc::new(Float32Array::from(ranges)),
        Some(presence),
    );
    let angles = indices.iter().map(|&row| match row % 13 {
        0 => None,
        1 => Some(f64::NAN),
        _ => Some(f64::from(row) * 0.1),
    });
    let payload: BinaryArray = indices
        .iter()
        .map(|&row| (row % 5 != 0).then(|| row.to_le_bytes()[..2].to_vec()))
        .collect();
    let labels: StringArray = indices
        .iter()
        .map(|&row| match row % 3 {
            0 => None,
            1 => Some("open"),
            _ => Some("partner"),
        })
        .collect();
    let x: Float64Array = indices.iter().map(|&row| (row % 4 != 0).then_some(1.5)).collect();
    let y: Float64Array = indices.iter().map(|&row| Some(f64::from(row))).collect();
    let position =
        StructArray::new(position_fields(), vec![Arc::new(x) as ArrayRef, Arc::new(y)], None);
    let count = indices.len();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(std::iter::repeat_n(recording, count))),
        Arc::new(StringArray::from_iter_values(std::iter::repeat_n(topic, count))),
        Arc::new(Int64Array::from_iter_values(indices.iter().map(|&row| i64::from(row / 2) * 50))),
        Arc::new(UInt32Array::from(indices.clone())),
        Arc::new(angles.collect::<Float64Array>()),
        Arc::new(ranges),
        Arc::new(payload),
        Arc::new(indices.iter().map(|&row| Some(row % 2 == 0)).collect::<BooleanArray>()),
        Arc::new(labels),
        Arc::new(position),
    ];
    RecordBatch::try_new(schema(), columns).unwrap()
}

/// One batch of many, so that splits do not matter when batches are compared.
pub(crate) fn joined(batches: &[RecordBatch]) -> RecordBatch {
    concat_batches(&batches[0].schema(), batches).unwrap()
}

/// Equal by the bytes of every value; Arrow's `==` says NaN differs from NaN.
#[track_caller]
pub(crate) fn assert_same_rows(found: &[RecordBatch], expected: &RecordBatch) {
    let found = joined(found);
    assert_eq!(found.schema().fields(), expected.schema().fields());
    assert_eq!(found.num_rows(), expected.num_rows());
    for (index, field) in expected.schema().fields().iter().enumerate() {
        let (left, right) = (found.column(index), expected.column(index));
        assert_eq!(format!("{left:?}"), format!("{right:?}"), "column {}", field.name());
        let text = |array: &ArrayRef| {
            let options = arrow::util::display::FormatOptions::default().with_null("(null)");
            let shown = arrow::util::display::ArrayFormatter::try_new(array, &options).unwrap();
            (0..array.len()).map(|row| shown.value(row).to_string()).collect::<Vec<_>>()
        };
        assert_eq!(text(left), text(right), "column {}", field.name());
    }
}

/// Makes the table and appends batches one version after the other; answers with the last.
pub(crate) async fn filled(store: &Store, batches: &[RecordBatch]) -> u64 {
    let mut version = store.tables.ensure("scans", &schema()).await.unwrap();
    for batch in batches {
        let pending =
            store.tables.write_batches("scans", version, vec![batch.clone()]).await.unwrap();
        version = store.tables.commit(&pending, version).await.unwrap();
    }
    version
}
