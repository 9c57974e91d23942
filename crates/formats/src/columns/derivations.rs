//! The table `derivations` as batches and back: which rows came from which rows.
//!
//! Invariant: what goes in comes out, in the same order. Times are measured times in nanoseconds.
//!
//! Not here: what the edges mean, and walks along them.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, Int64Array, RecordBatch, StringArray},
    datatypes::DataType,
};
use tiepoint_model::{Excerpt, LineageEdge, Timestamp};

use super::{ColumnsError, from_batch::Columns, schema::derivations_schema};

const DERIVATIONS: &str = "derivations";

/// One row per edge, in the order given.
///
/// # Errors
/// None for any edges; the schema is fixed.
pub fn derivations_to_batch(edges: &[LineageEdge]) -> Result<RecordBatch, ColumnsError> {
    let text = |of: &dyn Fn(&LineageEdge) -> Option<&str>| -> ArrayRef {
        Arc::new(StringArray::from_iter(edges.iter().map(of)))
    };
    let time = |of: &dyn Fn(&LineageEdge) -> Option<Timestamp>| -> ArrayRef {
        Arc::new(Int64Array::from_iter(edges.iter().map(|edge| of(edge).map(|time| time.0))))
    };
    let columns = vec![
        text(&|edge| Some(edge.kind.as_str())),
        text(&|edge| Some(&edge.child.id)),
        text(&|edge| edge.child.part.as_deref()),
        time(&|edge| edge.child.start_time_ns),
        time(&|edge| edge.child.end_time_ns),
        text(&|edge| Some(&edge.parent.id)),
        text(&|edge| edge.parent.part.as_deref()),
        time(&|edge| edge.parent.start_time_ns),
        time(&|edge| edge.parent.end_time_ns),
    ];
    Ok(RecordBatch::try_new(derivations_schema(), columns)?)
}

/// The edges of a batch, in the order of its rows.
///
/// # Errors
/// [`ColumnsError`], if the batch is not of the table's schema or has a kind that is none.
pub fn derivations_from_batch(batch: &RecordBatch) -> Result<Vec<LineageEdge>, ColumnsError> {
    let columns = Columns { table: DERIVATIONS, batch };
    let kinds = columns.texts("kind")?;
    let excerpts = |names: [&'static str; 4]| -> Result<_, ColumnsError> {
        let ids = columns.texts(names[0])?;
        let parts = columns.optional::<StringArray>(names[1], &DataType::Utf8)?;
        let starts = columns.optional::<Int64Array>(names[2], &DataType::Int64)?;
        let ends = columns.optional::<Int64Array>(names[3], &DataType::Int64)?;
        let time = |times: &Int64Array, row: usize| {
            times.is_valid(row).then(|| Timestamp(times.value(row)))
        };
        Ok(move |row: usize| Excerpt {
            id: ids.value(row).to_owned(),
            part: parts.is_valid(row).then(|| parts.value(row).to_owned()),
            start_time_ns: time(starts, row),
            end_time_ns: time(ends, row),
        })
    };
    let child_at =
        excerpts(["child_id", "child_part", "child_start_time_ns", "child_end_time_ns"])?;
    let parent_at =
        excerpts(["parent_id", "parent_part", "parent_start_time_ns", "parent_end_time_ns"])?;
    let edge = |row: usize| {
        let kind = kinds.value(row).parse().map_err(|problem| ColumnsError::Value {
            table: DERIVATIONS,
            column: "kind",
            row,
            problem: format!("{problem}"),
        });
        Ok(LineageEdge { child: child_at(row), kind: kind?, parent: parent_at(row) })
    };
    (0..batch.num_rows()).map(edge).collect()
}
