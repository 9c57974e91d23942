//! Whole columns of numbers, for measures that need no recording.
//!
//! Invariant: every column has one value per row; a missing one is NaN and counted.

use arrow::{
    array::{Array, AsArray},
    compute::cast,
    datatypes::{DataType, Float64Type},
};

use super::{
    csv::Row,
    parquet::{is_numeric, malformed},
    whole::{self, Cells},
};
use crate::{Limits, ReadError, reader::Container};

/// One column of numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// As the header has it.
    pub name: String,
    /// One per row, in the file's unit; NaN where the cell is missing.
    pub values: Vec<f64>,
    /// How many cells are missing.
    pub null_count: u64,
}

/// Reads columns of a CSV (parted by commas, with a header) or a Parquet file that lies in memory.
///
/// The columns come in the order of `names`; no names means every column whose cells are all
/// numbers or missing, in the file's order.
///
/// Holds the numbers and one line or one row group.
///
/// # Errors
/// [`ReadError::Line`] for a cell of a named column that is no number and for a line with too
/// many or too few cells, [`ReadError::Projection`] for a name that is not in the header exactly
/// once, [`ReadError::Malformed`] for a damaged Parquet file, [`ReadError::Empty`] without a row,
/// [`ReadError::NotALog`] for any other container.
pub fn read_columns(
    container: Container,
    bytes: &[u8],
    names: &[&str],
    limits: Limits,
) -> Result<Vec<Column>, ReadError> {
    whole::read(container, bytes, names, limits)
}

impl Cells for Column {
    fn empty(name: &str) -> Self {
        Self { name: name.to_owned(), values: Vec::new(), null_count: 0 }
    }

    fn has_rows(&self) -> bool {
        !self.values.is_empty()
    }

    fn holds(kind: &DataType) -> bool {
        is_numeric(kind)
    }

    fn push(&mut self, row: &Row<'_>, index: usize) -> Result<(), ReadError> {
        let number = row.number(index, &[])?;
        self.null_count += u64::from(number.is_none());
        self.values.push(number.unwrap_or(f64::NAN));
        Ok(())
    }

    fn extend(&mut self, array: &dyn Array) -> Result<(), ReadError> {
        let array = cast(array, &DataType::Float64).map_err(malformed)?;
        let array = array.as_primitive::<Float64Type>();
        self.null_count += array.null_count() as u64;
        self.values.extend(array.iter().map(|value| value.unwrap_or(f64::NAN)));
        Ok(())
    }
}
