//! Distances of two one-dimensional samples from one pass over their distribution functions, with
//! bootstrap intervals.
//!
//! Invariant: each distance is symmetric, zero for equal samples, and independent of the order
//! within a sample.
//! Units: Kolmogorov-Smirnov has none, Wasserstein-1 has the unit of the values, the energy
//! distance its square root.
//! Cost: `O((n + m) log(n + m))` time; each resample `O(n + m)`.
//!
//! Not here: tests and p values (see [`super::ks`]), and several columns at once.

use serde::{Deserialize, Serialize};

use super::{
    rows::finite,
    steps::{Pooled, Steps, sorted_samples},
};
use crate::{Bootstrap, Interval, MeasureError, Metric, MetricId, registry};

/// Which distance between two samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DistributionDistance {
    /// `sup |F − G|`, in `[0, 1]`.
    KolmogorovSmirnov,
    /// `∫ |F − G| dx`, unit of the values.
    Wasserstein1,
    /// `sqrt(2 ∫ (F − G)² dx)`, square root of the unit of the values. This is
    /// `scipy.stats.energy_distance`;
    /// the multivariate literature calls its square the energy distance.
    EnergySqrt,
}

impl DistributionDistance {
    /// The metric, with the form named where packages differ.
    #[must_use]
    pub fn metric(self) -> Metric {
        match self {
            Self::KolmogorovSmirnov => {
                Metric::new(registry::DIST_KS).with("alternative", "two-sided")
            }
            Self::Wasserstein1 => Metric::new(registry::DIST_WASSERSTEIN_1),
            Self::EnergySqrt => {
                Metric::new(registry::DIST_ENERGY_SQRT).with("form", "sqrt(2 cramer)")
            }
        }
    }

    /// The id in the registry.
    #[must_use]
    pub fn metric_id(self) -> MetricId {
        self.metric().id()
    }
}

/// The distance between two samples.
///
/// With `F` and `G` the empirical distribution functions: see [`DistributionDistance`].
///
/// # Inputs
/// - `left`, `right`: two samples in one unit, of any lengths above zero, in any order; ties are
///   allowed.
///
/// # Output
/// `>= 0`; 0 if and only if the two empirical distributions are equal.
///
/// # Errors
/// [`MeasureError::Empty`], [`MeasureError::NotFinite`].
///
/// # Invariants
/// `distances_are_symmetric_and_zero_on_equal_samples`, `distances_ignore_order`,
/// `distances_scale_and_shift_as_documented`,
/// `wasserstein_obeys_the_triangle_inequality`.
///
/// # Source
/// `scipy.stats.ks_2samp`, `wasserstein_distance` and `energy_distance` of SciPy 1.17.1, to 1e-12
/// relative.
///
/// # Example
/// ```
/// use tiepoint_measure::distribution::{DistributionDistance, distribution_distance};
///
/// let real = [1.0, 2.0, 3.0];
/// let synthetic = [2.0, 3.0, 4.0];
/// let distance = distribution_distance(DistributionDistance::Wasserstein1, &real, &synthetic)?;
/// assert!((distance - 1.0).abs() < 1e-12);
/// # Ok::<(), tiepoint_measure::MeasureError>(())
/// ```
pub fn distribution_distance(
    which: DistributionDistance,
    left: &[f64],
    right: &[f64],
) -> Result<f64, MeasureError> {
    let samples = sorted_samples(left, right)?;
    finite(distance_over(which, Steps::of(&samples)), "distance")
}

/// Percentile interval of a distance: both samples are resampled, independently, in blocks.
///
/// Resampled distances lie above the true one where that is near zero: the lower end is then no
/// proof of a difference.
///
/// # Errors
/// [`MeasureError::Empty`], [`MeasureError::NotFinite`], [`MeasureError::InvalidOption`].
///
/// # Invariants
/// `distance_intervals_are_the_same_on_any_number_of_threads`,
/// `the_interval_of_far_samples_holds_their_distance`.
pub fn distribution_distance_interval(
    which: DistributionDistance,
    left: &[f64],
    right: &[f64],
    bootstrap: &Bootstrap,
) -> Result<Interval, MeasureError> {
    let pooled = Pooled::of(left, right)?;
    bootstrap.interval_of_two([left.len(), right.len()], |left_indices, right_indices| {
        let counts = [pooled.counts(0, left_indices), pooled.counts(1, right_indices)];
        distance_over(which, pooled.steps(&counts))
    })
}

/// A distance from the steps of `F − G`.
fn distance_over(which: DistributionDistance, steps: impl Iterator<Item = (f64, f64)>) -> f64 {
    let (mut largest, mut area, mut square_area) = (0.0_f64, 0.0, 0.0);
    let mut previous: Option<(f64, f64)> = None;
    for (value, difference) in steps {
        if let Some((from, height)) = previous {
            let gap = value - from;
            area += height.abs() * gap;
            square_area += height * height * gap;
        }
        largest = largest.max(difference.abs());
        previous = Some((value, difference));
    }
    match which {
        DistributionDistance::KolmogorovSmirnov => largest,
        DistributionDistance::Wasserstein1 => area,
        DistributionDistance::EnergySqrt => (2.0 * square_area).sqrt(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn degenerate_samples_are_refused_by_name() {
        let which = DistributionDistance::Wasserstein1;
        assert_eq!(
            distribution_distance(which, &[], &[1.0]),
            Err(MeasureError::Empty { what: "left sample" })
        );
        assert_eq!(
            distribution_distance(which, &[1.0], &[1.0, f64::INFINITY]),
            Err(MeasureError::NotFinite { what: "right sample", index: 1 })
        );
        assert_eq!(distribution_distance(which, &[1.0], &[-1.0]), Ok(2.0));
        assert_eq!(distribution_distance(which, &[0.0], &[-0.0]), Ok(0.0));
    }
}
