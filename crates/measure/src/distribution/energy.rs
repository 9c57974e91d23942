//! The energy distance of two samples of points, in its three named forms, and its permutation
//! test.
//!
//! Invariant: the V form and its root are zero for equal samples and never negative; the U form is
//! unbiased and may be negative.
//! Units: that of the coordinates for the V and U forms, its square root for the root form.
//! Cost: `O(N² d)` time and `O(N d)` memory; with one column `O(N log N)` time.
//!
//! Not here: scaling of the columns, which decides what is near.

use serde::{Deserialize, Serialize};

use super::{
    pairs::{GroupSums, Groupings, Pool},
    permutation::{PermutationTest, Permutations},
    rows::{Rows, finite},
    steps::{Steps, sorted_samples},
};
use crate::{MeasureError, Metric, registry};

/// Which of the numbers that are all called energy distance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnergyForm {
    /// `sqrt(2 E|X−Y| − E|X−X'| − E|Y−Y'|)` with means over all pairs, self pairs included. With
    /// one column this is `scipy.stats.energy_distance`.
    Root,
    /// The square of [`Self::Root`], as in the multivariate literature.
    V,
    /// Means within a sample over pairs of different points only: unbiased, may be negative.
    U,
    /// `hyppo.ksample.Energy(bias=False).statistic` of 0.5.2: the unbiased distance covariance of
    /// points and labels, rescaled.
    HyppoUnbiased,
    /// `hyppo.ksample.Energy(bias=True).statistic` of 0.5.2: a root that grows with the sizes.
    HyppoBiased,
}

impl EnergyForm {
    /// The metric with its form.
    #[must_use]
    pub fn metric(self) -> Metric {
        let metric = Metric::new(registry::DIST_ENERGY);
        match self {
            Self::Root => metric.with("form", "root"),
            Self::V => metric.with("form", "v"),
            Self::U => metric.with("form", "u"),
            Self::HyppoUnbiased => {
                metric.with("form", "dcov unbiased").with("mode", "compat:hyppo==0.5.2")
            }
            Self::HyppoBiased => {
                metric.with("form", "dcov biased").with("mode", "compat:hyppo==0.5.2")
            }
        }
    }

    fn rows_min(self) -> usize {
        match self {
            Self::Root | Self::V => 1,
            Self::U | Self::HyppoUnbiased | Self::HyppoBiased => 2,
        }
    }

    fn of(self, sums: &GroupSums, counts: [usize; 2]) -> f64 {
        let [n, m] = counts.map(|count| count as f64);
        let between = 2.0 * sums.between / (n * m);
        let v = || between - 2.0 * sums.first / (n * n) - 2.0 * sums.second / (m * m);
        match self {
            Self::Root => v().max(0.0).sqrt(),
            Self::V => v().max(0.0),
            Self::U => {
                between - 2.0 * sums.first / (n * (n - 1.0)) - 2.0 * sums.second / (m * (m - 1.0))
            }
            Self::HyppoUnbiased | Self::HyppoBiased => self.of_labels(sums, [n, m]),
        }
    }

    /// The distance covariance of points with labels 0 and 1, rescaled.
    fn of_labels(self, sums: &GroupSums, [n, m]: [f64; 2]) -> f64 {
        let total = n + m;
        let product = 2.0 * sums.between;
        let margins =
            m * (2.0 * sums.first + sums.between) + n * (2.0 * sums.second + sums.between);
        let grand = 2.0 * (sums.first + sums.second + sums.between) * 2.0 * n * m;
        let scale = total * total * total * total / (2.0 * n * n * m * m);
        if self == Self::HyppoBiased {
            let sum = product - 2.0 / total * margins + grand / (total * total);
            return sum.max(0.0).sqrt() / total * scale;
        }
        let sum = product - 2.0 / (total - 2.0) * margins + grand / ((total - 1.0) * (total - 2.0));
        sum / (total * (total - 3.0)) * scale
    }
}

/// The energy distance of two samples of points.
///
/// # Inputs
/// - `left`, `right`: points with the same columns.
///
/// # Output
/// See [`EnergyForm`].
///
/// # Errors
/// [`MeasureError::LengthMismatch`] (columns), [`MeasureError::TooFew`] (the unbiased forms need 2
/// rows of each).
///
/// # Invariants
/// `energy_is_symmetric_and_zero_on_equal_samples`, `energy_is_unchanged_by_rotation_and_shift`,
/// `energy_scales_with_length`, `one_column_and_many_agree`.
///
/// # Source
/// Szekely and Rizzo, *Energy statistics*, 2013; SciPy 1.17.1 and hyppo 0.5.2 for their forms.
///
/// # Example
/// ```
/// use tiepoint_measure::distribution::{EnergyForm, Rows, energy_distance};
///
/// let (real, synthetic) = ([0.0, 0.0], [3.0, 4.0]);
/// let rows = |values| Rows::new(values, 2);
/// assert_eq!(energy_distance(rows(&real)?, rows(&synthetic)?, EnergyForm::V)?, 10.0);
/// # Ok::<(), tiepoint_measure::MeasureError>(())
/// ```
pub fn energy_distance(left: Rows, right: Rows, form: EnergyForm) -> Result<f64, MeasureError> {
    check(left, right, form)?;
    let counts = [left.count(), right.count()];
    let sums = if left.column_count() == 1 {
        sums_on_a_line(left.values(), right.values())?
    } else {
        Pool::of(left, right).sums(&to_distances)
    };
    finite(form.of(&sums, counts), "energy distance")
}

/// Permutation test of equal distributions by the energy distance.
///
/// All permutations are one pass over the pairs. The p value needs exchangeable points.
///
/// # Errors
/// Those of [`energy_distance`], and [`MeasureError::InvalidOption`].
///
/// # Invariants
/// `permutation_tests_keep_their_level`, `results_do_not_depend_on_the_number_of_threads`.
pub fn energy_test(
    left: Rows,
    right: Rows,
    form: EnergyForm,
    permutations: &Permutations,
) -> Result<PermutationTest, MeasureError> {
    check(left, right, form)?;
    permutations.check()?;
    let counts = [left.count(), right.count()];
    let pool = Pool::of(left, right);
    let groupings = Groupings::random(&pool, permutations.seed, permutations.count);
    let sums = pool.sums_of_groupings(&groupings, &to_distances);
    let pair_count = pool.count() as f64 * pool.count() as f64;
    let scale = 2.0 * (sums[0].first + sums[0].second + sums[0].between) / pair_count;
    let statistic = finite(form.of(&sums[0], counts), "energy distance")?;
    // A root near zero is mostly rounding: its square orders the permutations.
    let ordering = if form == EnergyForm::Root { EnergyForm::V } else { form };
    let permuted = sums[1..].iter().map(|sums| ordering.of(sums, counts));
    let test = PermutationTest::of(ordering.of(&sums[0], counts), permuted, scale);
    Ok(PermutationTest { statistic, ..test })
}

fn check(left: Rows, right: Rows, form: EnergyForm) -> Result<(), MeasureError> {
    left.same_columns(&right)?;
    left.at_least(form.rows_min(), "left sample")?;
    right.at_least(form.rows_min(), "right sample")
}

fn to_distances(row: &mut [f64]) {
    row.iter_mut().for_each(|value| *value = value.sqrt());
}

/// Sums of absolute differences by sorting: between two neighbours of the pooled sample, each pair
/// that lies on both sides of the gap adds its width once.
fn sums_on_a_line(left: &[f64], right: &[f64]) -> Result<GroupSums, MeasureError> {
    let samples = sorted_samples(left, right)?;
    let [n, m] = [0, 1].map(|side| samples[side].len() as f64);
    let mut sums = GroupSums::default();
    let mut previous: Option<(f64, [f64; 2])> = None;
    let mut steps = Steps::of(&samples);
    while let Some((value, _)) = steps.next() {
        if let Some((from, [a, b])) = previous {
            let gap = value - from;
            sums.first += gap * (a * (n - a));
            sums.second += gap * (b * (m - b));
            sums.between += gap * (a * (m - b) + b * (n - a));
        }
        previous = Some((value, steps.below().map(|count| count as f64)));
    }
    Ok(sums)
}
