//! The squared maximum mean discrepancy (MMD²) of two samples of points under a kernel, its
//! permutation test and its test of equivalence.
//!
//! Invariant: the biased form is never negative and zero for equal samples; the unbiased one has
//! mean MMD² and may be negative.
//! No units: a kernel takes 1 at distance 0; squared bandwidths have the square of the coordinates'
//! unit.
//! Cost: `O(N² d)` time, `O(N d)` memory; a permutation adds `O(N² / 8)` additions. The median
//! heuristic holds at most 4 million distances at a time.
//!
//! Not here: comparing values under different kernels, which means nothing.

use serde::{Deserialize, Serialize};
use tiepoint_model::math;

use super::{
    median::median_distance,
    pairs::{GroupSums, Groupings, Pool},
    permutation::{PermutationTest, Permutations},
    rows::{Rows, finite},
};
use crate::{MeasureError, Metric, registry, statistics::require_positive};

/// How the Gaussian kernel `exp(−γ |x−y|²)` gets its γ.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bandwidth {
    /// `γ = 1 / (2 h²)` with h the median distance of all pairs of the pooled sample.
    MedianHalf,
    /// `γ = 1 / h²`: the same words in other packages.
    Median,
    /// `γ = 1 / d` with d the number of columns, scikit-learn's default.
    Columns,
    /// γ itself. A margin for MMD has a meaning only with this one.
    Gamma(f64),
}

impl Bandwidth {
    /// The metric under this rule.
    #[must_use]
    pub fn metric(self, estimator: MmdEstimator) -> Metric {
        let metric = Metric::new(registry::DIST_MMD_SQUARED).with("estimator", estimator.name());
        match self {
            Self::MedianHalf => metric.with("kernel", "rbf").with("gamma", "1/(2 median^2)"),
            Self::Median => metric.with("kernel", "rbf").with("gamma", "1/median^2"),
            Self::Columns => metric.with("kernel", "rbf").with("gamma", "1/columns"),
            Self::Gamma(gamma) => metric.with("kernel", "rbf").with("gamma", gamma),
        }
    }

    /// γ for these samples, one over the square of the coordinates' unit.
    ///
    /// # Errors
    /// [`MeasureError::Constant`] where the median distance is 0 (more than half of all pairs
    /// coincide), [`MeasureError::TooFew`], [`MeasureError::InvalidOption`],
    /// [`MeasureError::LengthMismatch`].
    pub fn gamma(self, left: Rows, right: Rows) -> Result<f64, MeasureError> {
        left.same_columns(&right)?;
        let factor = match self {
            Self::MedianHalf => 2.0,
            Self::Median => 1.0,
            Self::Columns => return Ok(1.0 / left.column_count() as f64),
            Self::Gamma(gamma) => {
                require_positive(gamma, "gamma")?;
                return Ok(gamma);
            }
        };
        let median = median_distance(&Pool::of(left, right))?;
        let gamma = 1.0 / (factor * median * median);
        if median > 0.0 && gamma.is_finite() && gamma > 0.0 {
            return Ok(gamma);
        }
        Err(MeasureError::Constant { what: "distances of the pooled sample" })
    }
}

/// Which estimate of MMD² a test uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MmdEstimator {
    /// Means over all pairs, self pairs included (the V statistic).
    Biased,
    /// Means within a sample over pairs of different points (the U statistic).
    Unbiased,
}

impl MmdEstimator {
    fn name(self) -> &'static str {
        match self {
            Self::Biased => "biased",
            Self::Unbiased => "unbiased",
        }
    }
}

/// Both estimates of MMD², with the kernel that they belong to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mmd {
    /// Over all pairs, self pairs included; `>= 0`.
    pub squared_biased: f64,
    /// Over pairs of different points; may be negative.
    pub squared_unbiased: f64,
    /// γ of the kernel, one over the square of the coordinates' unit.
    pub gamma: f64,
}

/// MMD² under a Gaussian kernel.
///
/// # Inputs
/// - `left`, `right`: points with the same columns, at least 2 rows each.
///
/// # Errors
/// Those of [`Bandwidth::gamma`], and [`MeasureError::TooFew`].
///
/// # Invariants
/// `mmd_is_symmetric_and_zero_on_equal_samples`, `mmd_is_unchanged_by_rotation_and_shift`,
/// `median_bandwidth_removes_scale`.
///
/// # Source
/// Gretton et al., *A kernel two-sample test*, 2012, equations 3 and 5.
///
/// # Example
/// ```
/// use tiepoint_measure::distribution::{Bandwidth, Rows, mmd_squared};
///
/// let (real, synthetic) = ([0.0, 1.0, 2.0], [0.0, 1.0, 2.0]);
/// let mmd = mmd_squared(Rows::new(&real, 1)?, Rows::new(&synthetic, 1)?, Bandwidth::MedianHalf)?;
/// assert!(mmd.squared_biased < 1e-15 && mmd.squared_unbiased < 0.0);
/// # Ok::<(), tiepoint_measure::MeasureError>(())
/// ```
pub fn mmd_squared(left: Rows, right: Rows, bandwidth: Bandwidth) -> Result<Mmd, MeasureError> {
    let gamma = checked_gamma(left, right, bandwidth)?;
    let counts = [left.count(), right.count()];
    let sums = Pool::of(left, right).sums(&gaussian(gamma));
    Ok(Mmd {
        squared_biased: finite(biased(&sums, counts), "MMD")?,
        squared_unbiased: finite(unbiased(&sums, counts), "MMD")?,
        gamma,
    })
}

/// Permutation test of equal distributions by MMD² under a Gaussian kernel.
///
/// All permutations are one product of the kernel's matrix, which is never held, with a matrix of
/// zeros and ones. A bandwidth from the pooled sample is the same for every permutation.
///
/// # Errors
/// Those of [`mmd_squared`], and [`MeasureError::InvalidOption`].
///
/// # Invariants
/// `permutation_tests_keep_their_level`, `results_do_not_depend_on_the_number_of_threads`.
pub fn mmd_test(
    left: Rows,
    right: Rows,
    bandwidth: Bandwidth,
    estimator: MmdEstimator,
    permutations: &Permutations,
) -> Result<PermutationTest, MeasureError> {
    permutations.check()?;
    let gamma = checked_gamma(left, right, bandwidth)?;
    let pool = Pool::of(left, right);
    let groupings = Groupings::random(&pool, permutations.seed, permutations.count);
    Ok(test_of(&pool, &groupings, gamma, [left.count(), right.count()], estimator))
}

/// The same test with given first groups in place of drawn ones: to repeat another tool's draws.
///
/// # Errors
/// Those of [`mmd_squared`]; [`MeasureError::InvalidOption`] for a first group that is not
/// `left.count()` different points of the pooled sample, counted from 0.
pub fn mmd_test_with(
    left: Rows,
    right: Rows,
    bandwidth: Bandwidth,
    estimator: MmdEstimator,
    first_groups: &[Vec<u32>],
) -> Result<PermutationTest, MeasureError> {
    let gamma = checked_gamma(left, right, bandwidth)?;
    let pool = Pool::of(left, right);
    for (index, group) in first_groups.iter().enumerate() {
        let mut members = group.clone();
        members.sort_unstable();
        members.dedup();
        let is_inside = members.last().is_some_and(|&last| (last as usize) < pool.count());
        if group.len() != left.count() || members.len() != group.len() || !is_inside {
            return Err(MeasureError::InvalidOption {
                name: "first group",
                value: index as f64,
                requirement: "as many different points as the left sample has",
            });
        }
    }
    let groupings = Groupings::from_members(&pool, first_groups);
    Ok(test_of(&pool, &groupings, gamma, [left.count(), right.count()], estimator))
}

fn test_of(
    pool: &Pool,
    groupings: &Groupings,
    gamma: f64,
    counts: [usize; 2],
    estimator: MmdEstimator,
) -> PermutationTest {
    let sums = pool.sums_of_groupings(groupings, &gaussian(gamma));
    let of = match estimator {
        MmdEstimator::Biased => biased,
        MmdEstimator::Unbiased => unbiased,
    };
    let permuted = sums[1..].iter().map(|sums| of(sums, counts));
    PermutationTest::of(of(&sums[0], counts), permuted, 1.0)
}

/// The unbiased MMD² under the kernel `(x·y / d + 1)³`: the kernel inception distance on features.
///
/// Over all points once, without random subsets.
/// Cost: `O(N² d)` time, no memory of its own.
///
/// # Errors
/// [`MeasureError::LengthMismatch`], [`MeasureError::TooFew`], [`MeasureError::NotFinite`].
///
/// # Source
/// Binkowski et al., *Demystifying MMD GANs*, 2018. clean-fid and torch-fidelity average it over
/// unseeded subsets.
pub fn kernel_inception_distance(left: Rows, right: Rows) -> Result<f64, MeasureError> {
    let d = left.same_columns(&right)? as f64;
    left.at_least(2, "left sample")?;
    right.at_least(2, "right sample")?;
    let kernel = |a: &[f64], b: &[f64]| {
        let base = a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>() / d + 1.0;
        base * base * base
    };
    let within = |rows: Rows| {
        let mut sum = 0.0;
        for i in 1..rows.count() {
            sum += (0..i).map(|j| kernel(rows.row(i), rows.row(j))).sum::<f64>();
        }
        let n = rows.count() as f64;
        2.0 * sum / (n * (n - 1.0))
    };
    let mut between = 0.0;
    for a in left.iter() {
        between += right.iter().map(|b| kernel(a, b)).sum::<f64>();
    }
    let between = between / (left.count() as f64 * right.count() as f64);
    finite(within(left) + within(right) - 2.0 * between, "kernel inception distance")
}

/// The metric of [`kernel_inception_distance`].
#[must_use]
pub fn kernel_inception_metric() -> Metric {
    Metric::new(registry::DIST_KID)
        .with("kernel", "(x.y/d + 1)^3")
        .with("estimator", MmdEstimator::Unbiased.name())
        .with("subsets", "none")
}

fn checked_gamma(left: Rows, right: Rows, bandwidth: Bandwidth) -> Result<f64, MeasureError> {
    left.same_columns(&right)?;
    left.at_least(2, "left sample")?;
    right.at_least(2, "right sample")?;
    bandwidth.gamma(left, right)
}

/// Turns squared distances into the kernel's values.
pub(super) fn gaussian(gamma: f64) -> impl Fn(&mut [f64]) + Sync {
    move |row| row.iter_mut().for_each(|value| *value = math::exp(-gamma * *value))
}

/// All pairs, self pairs (whose kernel is 1) included.
pub(super) fn biased(sums: &GroupSums, counts: [usize; 2]) -> f64 {
    let [n, m] = counts.map(|count| count as f64);
    let first = (2.0 * sums.first + n) / (n * n);
    let second = (2.0 * sums.second + m) / (m * m);
    (first + second - 2.0 * sums.between / (n * m)).max(0.0)
}

/// Pairs of different points.
pub(super) fn unbiased(sums: &GroupSums, counts: [usize; 2]) -> f64 {
    let [n, m] = counts.map(|count| count as f64);
    let first = 2.0 * sums.first / (n * (n - 1.0));
    let second = 2.0 * sums.second / (m * (m - 1.0));
    first + second - 2.0 * sums.between / (n * m)
}
