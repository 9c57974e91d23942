//! Tables of numbers: CSV and Parquet, made into samples by a projection.
//!
//! Nothing in such a file says which column is the time, on which clock, or in which unit, so a
//! [`Projection`] says it, and without one the file is refused with a projection to start from.
//!
//! CSV streams through [`crate::Reader::of_csv`]: one line is held. Parquet has its
//! directory at its end, so [`ParquetReader`] takes a source of random access from the caller
//! and holds one batch of rows and the pages of one row group.
//!
//! Invariant: a cell is a number, or missing, or an error that names line and column. A missing
//! number is NaN in the sample and counted in a warning; a missing time is an error.

pub(crate) mod csv;
pub(crate) mod numbers;
pub(crate) mod parquet;
pub(crate) mod projection;
mod rows;
mod whole;
pub(crate) mod words;

pub use numbers::{Column, read_columns};
pub use parquet::ParquetReader;
pub use projection::{
    ChannelProjection, ProjectedClock, Projection, ProjectionError, TimeProjection, TimeUnit,
};
pub use words::{WordColumn, read_words};
