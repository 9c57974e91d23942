//! Counts in bins of equal width.
//!
//! Invariant: every value is in exactly one bin, or counted as below or above.
//! Cost: `O(n)`.
//!
//! Not here: how bins are chosen to compare two samples (see [`super::drift`]).

use serde::{Deserialize, Serialize};

use crate::{
    MeasureError,
    statistics::{require_finite, require_positive},
};

/// Counts in bins of equal width.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Histogram {
    /// Lower edge of the first bin, unit of the values.
    pub low: f64,
    /// Width of a bin, unit of the values.
    pub width: f64,
    /// Values per bin. A bin holds its lower edge; the last one holds its upper edge too.
    pub counts: Vec<u64>,
    /// Values below the first bin.
    pub below_count: u64,
    /// Values above the last bin.
    pub above_count: u64,
}

impl Histogram {
    /// Counts of `values` in `bin_count` bins from `low` to `high`; nothing is dropped without a
    /// count.
    ///
    /// # Errors
    /// [`MeasureError::NotFinite`], [`MeasureError::InvalidOption`]. An empty list gives empty
    /// bins.
    pub fn of(values: &[f64], low: f64, high: f64, bin_count: usize) -> Result<Self, MeasureError> {
        require_positive(bin_count as f64, "bin_count")?;
        require_positive(high - low, "high - low")?;
        if !values.is_empty() {
            require_finite(values, "values")?;
        }
        let width = (high - low) / bin_count as f64;
        let mut histogram =
            Self { low, width, counts: vec![0; bin_count], below_count: 0, above_count: 0 };
        for &value in values {
            if value < low {
                histogram.below_count += 1;
            } else if value > high {
                histogram.above_count += 1;
            } else {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "the value is not below the lower edge"
                )]
                let bin = ((value - low) / width) as usize;
                histogram.counts[bin.min(bin_count - 1)] += 1;
            }
        }
        Ok(histogram)
    }

    /// All values that were given.
    #[must_use]
    pub fn total_count(&self) -> u64 {
        self.counts.iter().sum::<u64>() + self.below_count + self.above_count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_in_exactly_one_bin() {
        let values = [-1.0, 0.0, 0.5, 1.0, 1.999, 2.0, 2.1];
        let histogram = Histogram::of(&values, 0.0, 2.0, 2).unwrap();
        assert_eq!(histogram.counts, [2, 3]);
        assert_eq!((histogram.below_count, histogram.above_count), (1, 1));
        assert_eq!(histogram.total_count(), 7);
        assert!(Histogram::of(&values, 2.0, 2.0, 2).is_err());
        assert!(Histogram::of(&values, 0.0, 2.0, 0).is_err());
        assert!(Histogram::of(&[f64::NAN], 0.0, 2.0, 2).is_err());
        assert_eq!(Histogram::of(&[], 0.0, 2.0, 2).unwrap().total_count(), 0);
    }
}
