//! Laws of content digests.

use std::sync::Arc;

use arrow::{
    array::{
        Array, ArrayRef, Float32Array, Float64Array, Int64Array, LargeStringArray, ListArray,
        RecordBatch, StringArray, StructArray,
    },
    buffer::{NullBuffer, OffsetBuffer},
    compute::take_record_batch,
    datatypes::{DataType, Field, Float32Type, Schema},
};
use tiepoint_model::{Digest, Seed};
use tiepoint_store::{ContentHasher, StoreError, content::ROWS_PER_LEAF, recording_root};

use crate::rows::{filled, head_of, joined, lake, rows};

fn digest_of(batches: &[RecordBatch]) -> Digest {
    let mut hasher = ContentHasher::of_channel(&batches[0].schema()).unwrap();
    batches.iter().for_each(|batch| hasher.update(batch).unwrap());
    hasher.finish()
}

fn one_column(name: &str, column: ArrayRef) -> RecordBatch {
    let field = Field::new(name, column.data_type().clone(), true);
    RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![column]).unwrap()
}

/// Random splits; the seed is in the loop and in the message.
#[test]
fn the_digest_is_the_same_for_any_split_into_batches() {
    let whole = rows("rec-a", "/scan", 0, 2000);
    let expected = digest_of(std::slice::from_ref(&whole));
    for seed in 0..40 {
        let mut draws = Seed(seed).draws(0, 0);
        let mut batches = Vec::new();
        let mut from = 0;
        while from < whole.num_rows() {
            let count = (draws.below(300)).min(whole.num_rows() - from);
            batches.push(whole.slice(from, count));
            from += count;
        }
        assert_eq!(digest_of(&batches), expected, "seed {seed}");
    }
}

#[tokio::test]
async fn the_digest_is_the_same_after_rows_are_stored_and_read_back() {
    let whole = rows("rec-a", "/scan", 0, 1500);
    let expected = digest_of(std::slice::from_ref(&whole));
    let lake = lake();
    // Stored in three fragments, the last rows first.
    let batches = [whole.slice(900, 600), whole.slice(0, 500), whole.slice(500, 400)];
    let version = filled(&lake.store, &batches).await;
    let found = lake.store.read_table(&head_of(1, "scans", version), "scans", &[]).await.unwrap();
    assert_eq!(digest_of(&found), expected);
}

#[test]
fn the_digest_does_not_depend_on_which_recording_or_topic_the_rows_are_filed_under() {
    let (one, other) = (rows("rec-a", "/scan", 0, 90), rows("rec-b", "/front", 0, 90));
    assert_eq!(digest_of(&[one]), digest_of(&[other]));
}

/// Chunks of 65,536 rows: a batch boundary there, before and after must not show.
#[test]
fn leaves_end_at_the_same_rows_whatever_the_batches() {
    let count = i64::try_from(2 * ROWS_PER_LEAF).unwrap() + 5;
    let whole = one_column("log_time_ns", Arc::new(Int64Array::from_iter_values(0..count)));
    let expected = digest_of(std::slice::from_ref(&whole));
    for first in [1, 65_535, 65_536, 65_537, 131_072] {
        let split = [whole.slice(0, first), whole.slice(first, whole.num_rows() - first)];
        assert_eq!(digest_of(&split), expected, "{first}");
    }
    let exact = whole.slice(0, 131_072);
    assert_ne!(digest_of(&[exact]), expected);
}

/// The whole definition once more, by hand, for one small channel.
#[test]
fn the_digest_is_the_documented_bytes() {
    use sha2::{Digest as _, Sha256};
    let mut field = Field::new("range_m", DataType::Float64, true);
    field.set_metadata([("unit".to_owned(), "m".to_owned())].into());
    let schema = Arc::new(Schema::new(vec![field, Field::new("name", DataType::Utf8, true)]));
    let ranges: ArrayRef = Arc::new(Float64Array::from(vec![Some(1.5), None]));
    let names: ArrayRef = Arc::new(StringArray::from(vec![None, Some("é")]));
    let batch = RecordBatch::try_new(schema, vec![ranges, names]).unwrap();

    let mut leaf = vec![0_u8]; // RFC 6962: a leaf begins with 0.
    let text = |leaf: &mut Vec<u8>, text: &str| {
        leaf.extend(u32::try_from(text.len()).unwrap().to_le_bytes());
        leaf.extend(text.as_bytes());
    };
    leaf.extend(2_u32.to_le_bytes());
    for part in ["range_m", "float64", "m", "", "name", "utf8", "", ""] {
        text(&mut leaf, part);
    }
    leaf.push(1);
    leaf.extend(1.5_f64.to_le_bytes());
    leaf.push(0);
    leaf.push(0);
    leaf.push(1);
    text(&mut leaf, "é");
    assert_eq!(digest_of(&[batch]), Digest(Sha256::digest(&leaf).into()));
}

#[test]
fn every_nan_is_the_same_and_minus_zero_is_not_zero() {
    let of = |values: [f32; 2]| {
        digest_of(&[one_column("x", Arc::new(Float32Array::from(values.to_vec())))])
    };
    let payload = f32::from_bits(0xffc0_1234);
    assert_eq!(of([f32::NAN, 1.0]), of([payload, 1.0]));
    assert_ne!(of([0.0, 1.0]), of([-0.0, 1.0]));
    let in_list = |value: f32| {
        let list =
            ListArray::from_iter_primitive::<Float32Type, _, _>([Some([Some(value), Some(2.0)])]);
        digest_of(&[one_column("x", Arc::new(list))])
    };
    assert_eq!(in_list(f32::NAN), in_list(payload));
    assert_ne!(in_list(0.0), in_list(-0.0));
}

/// What lies under a null, Arrow's offsets, and the width of its offsets are not content.
#[test]
fn the_digest_is_of_values_and_not_of_their_layout() {
    let item = || Arc::new(Field::new("item", DataType::Float32, true));
    let list = |offsets: Vec<i32>, values: Vec<f32>| {
        let presence = NullBuffer::from(vec![true, false, true]);
        let values = Arc::new(Float32Array::from(values));
        ListArray::new(item(), OffsetBuffer::new(offsets.into()), values, Some(presence))
    };
    let tidy = list(vec![0, 2, 2, 3], vec![1.0, 2.0, 3.0]);
    let untidy = list(vec![0, 2, 4, 5], vec![1.0, 2.0, 7.0, 8.0, 3.0]);
    assert_eq!(
        digest_of(&[one_column("x", Arc::new(tidy))]),
        digest_of(&[one_column("x", Arc::new(untidy))])
    );
    let narrow = StringArray::from(vec!["skipped", "a", "bc"]).slice(1, 2);
    let wide = LargeStringArray::from(vec!["a", "bc"]);
    assert_eq!(
        digest_of(&[one_column("x", Arc::new(narrow))]),
        digest_of(&[one_column("x", Arc::new(wide))])
    );
}

/// Changing any one value, name, unit or frame changes the digest.
#[test]
fn different_rows_have_different_digests() {
    let texts = |values: Vec<Option<&str>>| {
        digest_of(&[one_column("x", Arc::new(StringArray::from(values)))])
    };
    let digests = [
        texts(vec![Some("ab"), Some("c")]),
        texts(vec![Some("a"), Some("bc")]),
        texts(vec![Some("abc"), Some("")]),
        texts(vec![Some("abc"), None]),
        texts(vec![None, Some("abc")]),
        texts(vec![Some("ab"), Some("c"), None]),
        digest_of(&[one_column("y", Arc::new(StringArray::from(vec!["ab", "c"])))]),
        digest_of(&[one_column("x", Arc::new(StringArray::from(Vec::<&str>::new())))]),
        digest_of(&[one_column("x", Arc::new(Int64Array::from(Vec::<i64>::new())))]),
        digest_of(&[one_column("x", Arc::new(Float64Array::from(vec![1.0])))]),
        digest_of(&[one_column("x", Arc::new(Int64Array::from(vec![1])))]),
    ];
    let distinct: std::collections::BTreeSet<_> = digests.iter().collect();
    assert_eq!(distinct.len(), digests.len());
    let base = rows("rec-a", "/scan", 0, 40);
    let tagged = |key: &str, value: &str| {
        let mut fields: Vec<Field> =
            base.schema().fields().iter().map(|f| f.as_ref().clone()).collect();
        fields[4].set_metadata([(key.to_owned(), value.to_owned())].into());
        let schema = Arc::new(Schema::new(fields));
        digest_of(&[RecordBatch::try_new(schema, base.columns().to_vec()).unwrap()])
    };
    let tags = [tagged("unit", "rad"), tagged("unit", "deg"), tagged("frame", "rad")];
    assert!(tags[0] != tags[1] && tags[1] != tags[2] && tags[0] != tags[2]);
    assert_eq!(tagged("description", "one"), tagged("description", "two"));
    let nested = |name: &str, unit: &str| {
        let inner = Field::new(name, DataType::Int64, true);
        let inner = inner.with_metadata([("unit".to_owned(), unit.to_owned())].into());
        let column: ArrayRef = Arc::new(Int64Array::from(vec![1]));
        digest_of(&[one_column("x", Arc::new(StructArray::from(vec![(Arc::new(inner), column)])))])
    };
    assert_ne!(nested("a", "m"), nested("b", "m"));
    assert_ne!(nested("a", "m"), nested("a", "ft"));
}

#[test]
fn rows_out_of_order_and_odd_columns_are_refused() {
    let batch = rows("rec-a", "/scan", 0, 10);
    let order = arrow::array::UInt32Array::from(vec![0, 2, 1]);
    let swapped = take_record_batch(&batch, &order).unwrap();
    let mut hasher = ContentHasher::of_channel(&batch.schema()).unwrap();
    let refused = hasher.update(&swapped).unwrap_err();
    assert!(matches!(refused, StoreError::RowsOutOfOrder { row_index: 2 }), "{refused}");

    let mut hasher = ContentHasher::of_channel(&batch.schema()).unwrap();
    hasher.update(&batch).unwrap();
    let early = hasher.update(&batch).unwrap_err();
    assert!(matches!(early, StoreError::RowsOutOfOrder { row_index: 10 }), "{early}");

    let mut hasher = ContentHasher::of_channel(&batch.schema()).unwrap();
    let narrow = batch.project(&[0, 1, 2]).unwrap();
    assert!(matches!(hasher.update(&narrow), Err(StoreError::MissingColumn { .. })));
    let null = Schema::new(vec![Field::new("x", DataType::Null, true)]);
    let refused = ContentHasher::of_channel(&null).unwrap_err();
    assert!(matches!(refused, StoreError::UnsupportedColumn { .. }), "{refused}");
}

#[test]
fn the_recording_root_is_over_channels_by_topic_and_originals_in_order() {
    let digest = |byte: u8| Digest([byte; 32]);
    let channel = |topic: &str, byte: u8| (topic.to_owned(), digest(byte));
    let (scan, odometry) = (channel("/scan", 1), channel("/odom", 2));
    let root = |channels: &[_], originals: &[_]| recording_root(channels, originals).unwrap();
    let expected = root(&[scan.clone(), odometry.clone()], &[digest(8), digest(9)]);
    assert_eq!(root(&[odometry.clone(), scan.clone()], &[digest(8), digest(9)]), expected);
    assert_ne!(root(&[scan.clone(), odometry.clone()], &[digest(9), digest(8)]), expected);
    assert_ne!(root(std::slice::from_ref(&scan), &[digest(8), digest(9)]), expected);
    let swapped = [channel("/scan", 2), channel("/odom", 1)];
    assert_ne!(root(&swapped, &[digest(8), digest(9)]), expected);
}

/// The stored whole equals the joined whole; guards the helper that the tests above rest on.
#[test]
fn joining_batches_does_not_change_the_digest() {
    let parts = [rows("rec-a", "/scan", 0, 30), rows("rec-a", "/scan", 30, 70)];
    assert_eq!(digest_of(&parts), digest_of(&[joined(&parts)]));
    assert!(parts[0].column(5).null_count() > 0);
}
