//! A borrowed table of points: n rows of d coordinates, row by row.
//!
//! Invariant: at least one row, at least one column, every value finite and small enough that no
//! square of a difference overflows.
//! Units: the caller's; distances mix columns, so that they should have one unit or be scaled
//! first.
//!
//! Not here: names of columns and missing values.

use crate::{MeasureError, statistics::require_finite};

/// Larger coordinates are refused, so that sums of squares stay finite.
pub const COORDINATE_MAX: f64 = 1e150;

/// Points as a borrowed, row-major table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rows<'a> {
    values: &'a [f64],
    column_count: usize,
}

impl<'a> Rows<'a> {
    /// A table of `values.len() / column_count` rows.
    ///
    /// # Errors
    /// [`MeasureError::Empty`], [`MeasureError::NotFinite`], [`MeasureError::InvalidOption`] (no
    /// columns, a last row that is cut short, or a value above [`COORDINATE_MAX`] in size).
    pub fn new(values: &'a [f64], column_count: usize) -> Result<Self, MeasureError> {
        require_finite(values, "rows")?;
        if column_count == 0 || !values.len().is_multiple_of(column_count) {
            return Err(MeasureError::InvalidOption {
                name: "column_count",
                value: column_count as f64,
                requirement: "above zero and a divisor of the number of values",
            });
        }
        match values.iter().find(|value| value.abs() > COORDINATE_MAX) {
            Some(&value) => Err(MeasureError::InvalidOption {
                name: "coordinate",
                value,
                requirement: "at most 1e150 in size, so that squares stay finite",
            }),
            None => Ok(Self { values, column_count }),
        }
    }

    /// How many points; at least 1.
    #[must_use]
    pub fn count(&self) -> usize {
        self.values.len() / self.column_count
    }

    /// Coordinates of a point; at least 1.
    #[must_use]
    pub fn column_count(&self) -> usize {
        self.column_count
    }

    /// One point.
    ///
    /// # Panics
    /// If `index` is not below [`Self::count`].
    #[must_use]
    pub fn row(&self, index: usize) -> &'a [f64] {
        &self.values[index * self.column_count..][..self.column_count]
    }

    /// All points, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &'a [f64]> + use<'a> {
        self.values.chunks_exact(self.column_count)
    }

    /// One coordinate of every point.
    ///
    /// # Panics
    /// If `index` is not below [`Self::column_count`].
    #[must_use]
    pub fn column(&self, index: usize) -> Vec<f64> {
        assert!(index < self.column_count, "column {index} of {}", self.column_count);
        self.iter().map(|row| row[index]).collect()
    }

    /// All values, row by row.
    #[must_use]
    pub fn values(&self) -> &'a [f64] {
        self.values
    }

    /// Refuses two tables that differ in their number of columns.
    pub(super) fn same_columns(&self, other: &Self) -> Result<usize, MeasureError> {
        if self.column_count == other.column_count {
            return Ok(self.column_count);
        }
        Err(MeasureError::LengthMismatch {
            left: "columns of the left sample",
            left_count: self.column_count,
            right: "columns of the right sample",
            right_count: other.column_count,
        })
    }

    /// Refuses a table with fewer rows.
    pub(super) fn at_least(&self, min: usize, what: &'static str) -> Result<(), MeasureError> {
        let count = self.count();
        if count >= min { Ok(()) } else { Err(MeasureError::TooFew { what, count, min }) }
    }
}

/// Two samples one after the other.
pub(super) fn pooled(left: Rows, right: Rows) -> Vec<f64> {
    [left.values(), right.values()].concat()
}

/// Squared Euclidean distance, summed in the order of the columns.
pub(super) fn square_distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

/// A result that is not finite is an error, never a number.
pub(super) fn finite(value: f64, what: &'static str) -> Result<f64, MeasureError> {
    if value.is_finite() { Ok(value) } else { Err(MeasureError::NotFinite { what, index: 0 }) }
}
