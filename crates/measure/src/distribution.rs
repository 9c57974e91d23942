//! Distances between two one-dimensional samples: Kolmogorov-Smirnov, Wasserstein-1, energy; and
//! histograms.
//!
//! Invariant: each distance is symmetric, zero for equal samples, and independent of the order
//! within a sample.
//! Units: Kolmogorov-Smirnov has none, Wasserstein-1 has the unit of the values, the energy
//! distance its square root.
//!
//! Not here: dependence between columns (all three are blind to it), and equivalence: a small
//! distance is not a test, and neither is a large p value.

use serde::{Deserialize, Serialize};
use tiepoint_model::math;

use crate::{
    Bootstrap, Interval, MeasureError, Metric, MetricId, registry,
    statistics::{require_finite, require_positive},
};

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
    Ok(distance_over(which, Steps::of(&samples)))
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

/// The two-sample Kolmogorov-Smirnov statistic with where it is reached.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct KolmogorovSmirnov {
    /// `sup |F − G|`, in `[0, 1]`.
    pub distance: f64,
    /// The least value at which the distance is reached.
    pub location: f64,
    /// True where the left sample's distribution function is the larger one at `location`: the left
    /// sample is smaller there.
    pub left_is_smaller: bool,
    /// p value of Kolmogorov's limit distribution at `D · sqrt(nm / (n + m))`: independent values,
    /// no ties, large samples.
    pub p_value_limit: f64,
}

/// The two-sample Kolmogorov-Smirnov statistic.
///
/// # Errors
/// [`MeasureError::Empty`], [`MeasureError::NotFinite`].
///
/// # Source
/// Statistic and location as SciPy 1.17.1. Its asymptotic p value uses the exact one-sample law at
/// `nm / (n + m)`, which is a little below the limit's.
pub fn kolmogorov_smirnov(left: &[f64], right: &[f64]) -> Result<KolmogorovSmirnov, MeasureError> {
    let samples = sorted_samples(left, right)?;
    let mut best = (0.0, samples[0][0].min(samples[1][0]), false);
    for (value, difference) in Steps::of(&samples) {
        if difference.abs() > best.0 {
            best = (difference.abs(), value, difference > 0.0);
        }
    }
    let (n, m) = (left.len() as f64, right.len() as f64);
    Ok(KolmogorovSmirnov {
        distance: best.0,
        location: best.1,
        left_is_smaller: best.2,
        p_value_limit: kolmogorov_upper_tail(best.0 * (n * m / (n + m)).sqrt()),
    })
}

/// `P(K > x)` of Kolmogorov's distribution.
///
/// # Source
/// Kolmogorov 1933; the theta function's other series is used below 1, where the alternating one
/// converges slowly.
#[must_use]
pub fn kolmogorov_upper_tail(x: f64) -> f64 {
    use std::f64::consts::PI;
    if x.is_nan() || x <= 0.0 {
        return 1.0;
    }
    if x < 1.0 {
        let factor = (2.0 * PI).sqrt() / x;
        let sum: f64 = (0..8)
            .map(|k| {
                let odd = f64::from(2 * k + 1) * PI;
                math::exp(-odd * odd / (8.0 * x * x))
            })
            .sum();
        return (1.0 - factor * sum).clamp(0.0, 1.0);
    }
    let sum: f64 = (1..=20)
        .map(|k| {
            let sign = if k % 2 == 1 { 1.0 } else { -1.0 };
            let k = f64::from(k);
            sign * math::exp(-2.0 * k * k * x * x)
        })
        .sum();
    (2.0 * sum).clamp(0.0, 1.0)
}

/// Refuses empty samples, NaN, infinity, and lengths whose product does not fit 62 bits.
fn check(left: &[f64], right: &[f64]) -> Result<(), MeasureError> {
    require_finite(left, "left sample")?;
    require_finite(right, "right sample")?;
    let count = left.len().max(right.len());
    if count < 1 << 31 {
        return Ok(());
    }
    Err(MeasureError::InvalidOption {
        name: "sample length",
        value: count as f64,
        requirement: "below 2^31",
    })
}

/// Both samples, checked and ascending.
fn sorted_samples(left: &[f64], right: &[f64]) -> Result<[Vec<f64>; 2], MeasureError> {
    check(left, right)?;
    Ok([left, right].map(|sample| {
        let mut sorted = sample.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        sorted
    }))
}

/// `F − G` from how many values of each sample lie at or below a place: exact integers, rounded
/// once.
fn difference(below: [usize; 2], counts: [usize; 2]) -> f64 {
    let [n, m] = counts.map(|count| count as i64);
    let [left, right] = below.map(|count| count as i64);
    (left * m - right * n) as f64 / (n * m) as f64
}

/// The distinct values of two ascending samples with `F − G` from each on.
struct Steps<'a> {
    samples: &'a [Vec<f64>; 2],
    below: [usize; 2],
}

impl<'a> Steps<'a> {
    fn of(samples: &'a [Vec<f64>; 2]) -> Self {
        Self { samples, below: [0, 0] }
    }
}

impl Iterator for Steps<'_> {
    type Item = (f64, f64);

    fn next(&mut self) -> Option<(f64, f64)> {
        let [left, right] = [0, 1].map(|side| self.samples[side].get(self.below[side]));
        let value = match (left, right) {
            (Some(left), Some(right)) => left.min(*right),
            (left, right) => *left.or(right)?,
        };
        for side in 0..2 {
            let sample = &self.samples[side];
            // By <=, so that -0.0 and 0.0 are one value.
            while sample.get(self.below[side]).is_some_and(|&other| other <= value) {
                self.below[side] += 1;
            }
        }
        Some((value, difference(self.below, [0, 1].map(|side| self.samples[side].len()))))
    }
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

/// Both samples on their common support, so that a resample costs a count and one pass, not a sort.
struct Pooled {
    /// Distinct values, ascending.
    values: Vec<f64>,
    /// Position of each element of each sample in `values`.
    positions: [Vec<u32>; 2],
}

impl Pooled {
    fn of(left: &[f64], right: &[f64]) -> Result<Self, MeasureError> {
        check(left, right)?;
        let count = left.len() + right.len();
        let mut ranked: Vec<(f64, usize)> =
            left.iter().chain(right).copied().zip(0..count).collect();
        ranked.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let mut values: Vec<f64> = Vec::with_capacity(count);
        let mut positions = [vec![0; left.len()], vec![0; right.len()]];
        for (value, index) in ranked {
            if values.last().is_none_or(|&last| last < value) {
                values.push(value);
            }
            #[expect(clippy::cast_possible_truncation, reason = "two lengths below 2^31")]
            let position = (values.len() - 1) as u32;
            match index.checked_sub(left.len()) {
                None => positions[0][index] = position,
                Some(index) => positions[1][index] = position,
            }
        }
        Ok(Self { values, positions })
    }

    /// How often each value occurs in the resample of these indices into the left (0) or right (1)
    /// sample.
    fn counts(&self, side: usize, indices: &[u32]) -> Vec<u32> {
        let mut counts = vec![0; self.values.len()];
        for &index in indices {
            counts[self.positions[side][index as usize] as usize] += 1;
        }
        counts
    }

    /// Each value with `F − G` from it on.
    fn steps(&self, counts: &[Vec<u32>; 2]) -> impl Iterator<Item = (f64, f64)> {
        let totals = [0, 1].map(|side| self.positions[side].len());
        let mut below = [0, 0];
        self.values.iter().zip(counts[0].iter().zip(&counts[1])).map(
            move |(&value, (&left, &right))| {
                below[0] += left as usize;
                below[1] += right as usize;
                (value, difference(below, totals))
            },
        )
    }
}

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

    /// Critical values of the limit distribution: Smirnov, *Table for estimating the goodness of
    /// fit*, 1948.
    #[test]
    fn kolmogorov_tail_gives_the_tabulated_critical_values() {
        for (x, p) in [(1.223_85, 0.10), (1.358_10, 0.05), (1.627_62, 0.01), (0.827_57, 0.5)] {
            assert!((kolmogorov_upper_tail(x) - p).abs() < 2e-5, "{x}");
        }
        assert_eq!(kolmogorov_upper_tail(0.0), 1.0);
        assert_eq!(kolmogorov_upper_tail(f64::NAN), 1.0);
        let (below, above) = (kolmogorov_upper_tail(1.0 - 1e-9), kolmogorov_upper_tail(1.0));
        assert!((below - above).abs() < 1e-8, "the two series meet: {below} {above}");
    }

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
