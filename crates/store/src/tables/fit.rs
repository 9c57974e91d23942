//! Whether batches fit their table.
//!
//! Invariant: nothing is converted, reordered or filled in: a column in feet never lands in a
//! column in metres.

use arrow::datatypes::{Field, Schema};

use crate::StoreError;

/// Batches must have the table's columns, in its order, with the same types, units and frames.
pub(super) fn check_fit(table: &str, expected: &Schema, found: &Schema) -> Result<(), StoreError> {
    let refuse = |difference: String| {
        Err(StoreError::SchemaMismatch { table: table.to_owned(), difference })
    };
    let (expected, found) = (expected.fields(), found.fields());
    for (have, want) in found.iter().zip(expected) {
        if have.name() != want.name() {
            return refuse(format!("found column `{}` for `{}`", have.name(), want.name()));
        }
        if have.data_type() != want.data_type() {
            let (have_type, want_type) = (have.data_type(), want.data_type());
            return refuse(format!("column `{}` is {have_type}, not {want_type}", have.name()));
        }
        for key in ["unit", "frame"] {
            let of = |field: &Field| field.metadata().get(key).cloned().unwrap_or_default();
            if of(have) != of(want) {
                let (have_text, want_text) = (of(have), of(want));
                return refuse(format!(
                    "column `{}` has {key} `{have_text}`, not `{want_text}`",
                    have.name()
                ));
            }
        }
    }
    if expected.len() != found.len() {
        return refuse(format!("found {} columns for {}", found.len(), expected.len()));
    }
    Ok(())
}
