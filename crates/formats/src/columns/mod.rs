//! Samples and catalogue rows as Arrow batches, and back.
//!
//! Invariant: `from_batch(to_batch(x)) == x` to the bit, NaN and infinities included, with one
//! exception: tables hold rotations as unit quaternions, so a rotation comes back to about 1e-15,
//! and what is not orthonormal in a KITTI matrix is lost here (the original keeps it).
//!
//! Every column says its unit, its frame and what it means in the field's metadata; units are in
//! the names too. A frame of `frame_id` or `child_frame_id` is named by that column of the row.
//!
//! Not here: which recordings exist, digests of the columns, storage.

mod catalogue;
mod derivations;
mod files;
mod from_batch;
mod schema;
mod signals;
mod to_batch;

pub use catalogue::{
    channels_to_batch, findings_to_batch, recordings_from_batches, recordings_to_batch,
};
pub use derivations::{derivations_from_batch, derivations_to_batch};
pub use files::{files_from_batch, files_to_batch};
pub use from_batch::from_batch;
pub use schema::{
    channels_schema, derivations_schema, files_schema, findings_schema, recordings_schema, schema,
};
pub use to_batch::to_batch;

use tiepoint_model::ErrorKind;

/// Why samples and batches could not be turned into each other.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ColumnsError {
    /// The batch lacks a column.
    #[error("table `{table}` needs the column `{column}`, which the batch does not have")]
    MissingColumn {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
    },
    /// A column is of another type.
    #[error("column `{column}` of table `{table}` is {found}, not {expected}")]
    ColumnType {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// What the schema says.
        expected: String,
        /// What the batch has.
        found: String,
    },
    /// A value is missing where the schema allows none to be.
    #[error("column `{column}` of table `{table}` has no value in row {row}")]
    Null {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// Counts from 0.
        row: usize,
    },
    /// A value is not one that the column may have.
    #[error("column `{column}` of table `{table}`, row {row}: {problem}")]
    Value {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// Counts from 0.
        row: usize,
        /// What is wrong.
        problem: String,
    },
    /// The lists of one batch hold more items than 31 bits count.
    #[error("column `{column}` of table `{table}` holds {count} items; a batch holds 2^31 at most")]
    TooLarge {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// How many.
        count: usize,
    },
    /// Arrow refused the columns.
    #[error("the columns do not make a batch")]
    Arrow(#[from] arrow::error::ArrowError),
}

impl ColumnsError {
    /// What a program should do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::TooLarge { .. } => ErrorKind::InvalidInput,
            Self::Arrow(_) => ErrorKind::Internal,
            _ => ErrorKind::Corrupt,
        }
    }

    /// What a person should do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::TooLarge { .. } => "make batches of fewer rows".into(),
            Self::MissingColumn { .. } | Self::ColumnType { .. } => {
                "read every column of the table, as its schema lists them".into()
            }
            Self::Null { .. } | Self::Value { .. } => {
                "the table was written by something else; ingest the recording again".into()
            }
            Self::Arrow(_) => "this is a fault of the program; please report it".into(),
        }
    }
}

fn value_error<E: ToString>(
    table: &'static str,
    column: &'static str,
    row: usize,
) -> impl Fn(E) -> ColumnsError {
    move |error| ColumnsError::Value { table, column, row, problem: error.to_string() }
}
