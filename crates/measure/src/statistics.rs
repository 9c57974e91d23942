//! Summary statistics of a list of numbers, quantiles, and shares.
//!
//! Invariant: sums run in the order of the input; the standard deviation is the population's
//! (divides by n), as the reference tools have it.
//! Units: those of the values; the sum of squares has their square.

use serde::{Deserialize, Serialize};

use crate::MeasureError;

/// What is usually said about a list of errors.
///
/// `rmse² = mean² + std²` up to rounding, and `sse = n · rmse²`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Statistics {
    /// Root of the mean square.
    pub rmse: f64,
    /// Arithmetic mean.
    pub mean: f64,
    /// Middle value; the mean of the two middle ones for an even count.
    pub median: f64,
    /// Population standard deviation (divides by n).
    pub std: f64,
    /// Least value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// Sum of squares.
    pub sse: f64,
    /// How many values.
    pub n: usize,
}

impl Statistics {
    /// The statistics of `values`; `what` names them in errors.
    ///
    /// # Errors
    /// [`MeasureError::Empty`], [`MeasureError::NotFinite`].
    pub fn of(values: &[f64], what: &'static str) -> Result<Self, MeasureError> {
        require_finite(values, what)?;
        let n = values.len();
        let count = n as f64;
        let mut sum = 0.0;
        let mut sse = 0.0;
        let (mut min, mut max) = (f64::INFINITY, f64::NEG_INFINITY);
        for &value in values {
            sum += value;
            sse += value * value;
            min = min.min(value);
            max = max.max(value);
        }
        let mean = sum / count;
        let square_sum: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
        Ok(Self {
            rmse: (sse / count).sqrt(),
            mean,
            median: median_of(values),
            std: (square_sum / count).sqrt(),
            min,
            max,
            sse,
            n,
        })
    }
}

/// The middle of a non-empty list, without sorting it whole.
fn median_of(values: &[f64]) -> f64 {
    let mut scratch = values.to_vec();
    let middle = scratch.len() / 2;
    let (below, &mut upper, _) = scratch.select_nth_unstable_by(middle, f64::total_cmp);
    if values.len() % 2 == 1 {
        return upper;
    }
    let lower = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    0.5 * (lower + upper)
}

/// Quantile of ascending values by linear interpolation between order statistics (Hyndman and Fan's
/// type 7, NumPy's default).
///
/// `None` for an empty list or a probability outside `[0, 1]`.
#[must_use]
pub fn quantile_of_sorted(sorted: &[f64], probability: f64) -> Option<f64> {
    if sorted.is_empty() || !(0.0..=1.0).contains(&probability) {
        return None;
    }
    let position = probability * (sorted.len() - 1) as f64;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a floored position in 0..len is an index"
    )]
    let index = (position.floor() as usize).min(sorted.len() - 1);
    let next = (index + 1).min(sorted.len() - 1);
    let weight = position - index as f64;
    Some(sorted[index] + weight * (sorted[next] - sorted[index]))
}

/// Refuses an empty list, NaN and infinity.
pub(crate) fn require_finite(values: &[f64], what: &'static str) -> Result<(), MeasureError> {
    if values.is_empty() {
        return Err(MeasureError::Empty { what });
    }
    match values.iter().position(|value| !value.is_finite()) {
        Some(index) => Err(MeasureError::NotFinite { what, index }),
        None => Ok(()),
    }
}

/// Refuses an option that is not a finite number above zero.
pub(crate) fn require_positive(value: f64, name: &'static str) -> Result<(), MeasureError> {
    if value.is_finite() && value > 0.0 {
        return Ok(());
    }
    Err(MeasureError::InvalidOption { name, value, requirement: "a finite number above zero" })
}

/// Refuses an option that is not a finite number, zero or above.
pub(crate) fn require_not_below_zero(value: f64, name: &'static str) -> Result<(), MeasureError> {
    if value.is_finite() && value >= 0.0 {
        return Ok(());
    }
    Err(MeasureError::InvalidOption { name, value, requirement: "a finite number, at least zero" })
}

/// How many of how many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// Those that have the property.
    pub hit_count: u64,
    /// All that were counted.
    pub count: u64,
}

impl Share {
    /// In `[0, 1]`; `None` if nothing was counted.
    #[must_use]
    pub fn value(self) -> Option<f64> {
        (self.count > 0).then(|| self.hit_count as f64 / self.count as f64)
    }

    /// Counts one more.
    pub fn count(&mut self, is_hit: bool) {
        self.count += 1;
        self.hit_count += u64::from(is_hit);
    }

    /// Both counts together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { hit_count: self.hit_count + other.hit_count, count: self.count + other.count }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_interpolate_between_order_statistics() {
        let sorted = [1.0, 2.0, 4.0];
        assert_eq!(quantile_of_sorted(&sorted, 0.0), Some(1.0));
        assert_eq!(quantile_of_sorted(&sorted, 0.5), Some(2.0));
        assert_eq!(quantile_of_sorted(&sorted, 0.75), Some(3.0));
        assert_eq!(quantile_of_sorted(&sorted, 1.0), Some(4.0));
        assert_eq!(quantile_of_sorted(&[], 0.5), None);
        assert_eq!(quantile_of_sorted(&sorted, 1.1), None);
        assert_eq!(quantile_of_sorted(&sorted, f64::NAN), None);
    }

    #[test]
    fn degenerate_lists_are_refused_by_name() {
        assert_eq!(Statistics::of(&[], "errors"), Err(MeasureError::Empty { what: "errors" }));
        assert_eq!(
            Statistics::of(&[0.0, f64::NAN], "errors"),
            Err(MeasureError::NotFinite { what: "errors", index: 1 })
        );
    }

    #[test]
    fn one_value_is_its_own_summary() {
        let one = Statistics::of(&[-3.0], "errors").unwrap();
        assert_eq!((one.mean, one.median, one.min, one.max), (-3.0, -3.0, -3.0, -3.0));
        assert_eq!((one.rmse, one.std, one.sse, one.n), (3.0, 0.0, 9.0, 1));
    }
}
