//! Is MMD below a margin? A kernel test of equivalence.
//!
//! Invariant: the hypothesis to be refuted is `MMD >= margin`, so that few values can never show
//! equivalence; a bound grows as its error rate falls.
//! No units: margins are in units of MMD (not squared) under one fixed kernel.
//! Cost: `O(N² d)` time, `O(N d)` memory.
//!
//! Not here: choosing the margin, which is a claim about what matters, and dependent points.

use serde::{Deserialize, Serialize};
use tiepoint_model::math;

use super::{
    mmd::{biased, gaussian, unbiased},
    pairs::{GroupSums, Pool},
    rows::Rows,
};
use crate::{MeasureError, Metric, registry, statistics::require_positive};

/// Where the critical value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EquivalenceLaw {
    /// The unbiased MMD² is nearly normal where the true MMD is not zero, with the variance of its
    /// linear part. Large samples.
    Normal,
    /// Bounded differences of the biased MMD: holds for any sizes and any law, and is wide.
    Concentration,
}

/// An upper bound for MMD, and the test that it gives.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MmdEquivalence {
    /// The estimate of MMD² that the law uses: unbiased for the normal one, else biased.
    pub squared: f64,
    /// MMD is below this with confidence `1 - error_rate`; at least 0.
    pub upper_bound: f64,
    /// The least error rate at which `MMD < margin` could be said, in `[0, 1]`.
    pub p_value: f64,
    /// The margin, in units of MMD.
    pub margin: f64,
    /// The error rate of `upper_bound`.
    pub error_rate: f64,
    /// Where the critical value comes from.
    pub law: EquivalenceLaw,
}

impl MmdEquivalence {
    /// The metric under this kernel and law.
    #[must_use]
    pub fn metric(gamma: f64, law: EquivalenceLaw) -> Metric {
        let law = match law {
            EquivalenceLaw::Normal => "normal",
            EquivalenceLaw::Concentration => "concentration",
        };
        Metric::new(registry::DIST_MMD_UPPER_BOUND).with("gamma", gamma).with("law", law)
    }
}

/// Tests `MMD >= margin` against `MMD < margin` under the kernel `exp(−γ |x−y|²)`.
///
/// # Inputs
/// - `left`, `right`: independent points with the same columns; at least 2 rows each.
/// - `gamma`: fixed before the data were seen: a margin means something for one kernel only.
/// - `margin`: in units of MMD, above 0. MMD is at most `sqrt(2)`.
/// - `error_rate`: in `(0, 0.5]`.
///
/// # Errors
/// [`MeasureError::LengthMismatch`], [`MeasureError::TooFew`], [`MeasureError::InvalidOption`].
///
/// # Invariants
/// `equivalence_keeps_its_level_at_the_margin`, `few_points_never_show_equivalence`,
/// `equivalence_is_monotone_in_margin_and_error_rate`.
///
/// # Source
/// The hypothesis is that of kernel tests of equivalence (arXiv 2603.10886); variance: Gretton et
/// al. 2012, section 6, for two samples of different sizes; concentration: its theorem 7, with the
/// triangle inequality in place of its second half, so that the bound is one-sided.
pub fn mmd_equivalence(
    left: Rows,
    right: Rows,
    gamma: f64,
    [margin, error_rate]: [f64; 2],
    law: EquivalenceLaw,
) -> Result<MmdEquivalence, MeasureError> {
    left.same_columns(&right)?;
    left.at_least(2, "left sample")?;
    right.at_least(2, "right sample")?;
    require_positive(gamma, "gamma")?;
    require_positive(margin, "margin")?;
    if !(error_rate > 0.0 && error_rate <= 0.5) {
        return Err(MeasureError::InvalidOption {
            name: "error_rate",
            value: error_rate,
            requirement: "above 0 and at most 0.5",
        });
    }
    let counts = [left.count(), right.count()];
    let means = KernelMeans::of(left, right, gamma);
    let (squared, upper_bound, p_value) = match law {
        EquivalenceLaw::Normal => {
            let squared = unbiased(&means.sums, counts);
            let error = means.witness_variance().sqrt();
            let bound = squared + normal_upper_quantile(error_rate) * error;
            let z = (margin * margin - squared) / error;
            let p_value = if error > 0.0 {
                0.5 * math::erfc(z / std::f64::consts::SQRT_2)
            } else {
                f64::from(u8::from(squared >= margin * margin))
            };
            (squared, bound.max(0.0).sqrt(), p_value)
        }
        EquivalenceLaw::Concentration => {
            let squared = biased(&means.sums, counts);
            let [n, m] = counts.map(|count| count as f64);
            let mean_error = (1.0 / n).sqrt() + (1.0 / m).sqrt();
            let spread = 2.0 * (n + m) / (n * m);
            let bound = squared.sqrt() + mean_error + (-spread * math::ln(error_rate)).sqrt();
            let slack = margin - squared.sqrt() - mean_error;
            let p_value = if slack > 0.0 { math::exp(-slack * slack / spread) } else { 1.0 };
            (squared, bound, p_value)
        }
    };
    Ok(MmdEquivalence { squared, upper_bound, p_value, margin, error_rate, law })
}

/// Sums of the kernel, for each point over each sample.
struct KernelMeans {
    sums: GroupSums,
    /// For each pooled point: its mean kernel with the left sample minus that with the right one,
    /// itself left out.
    witness: Vec<f64>,
    left_count: usize,
}

impl KernelMeans {
    fn of(left: Rows, right: Rows, gamma: f64) -> Self {
        let pool = Pool::of(left, right);
        let (n, count) = (left.count(), pool.count());
        let kernel = gaussian(gamma);
        let sums = pool.sums(&kernel);
        let of_rows = pool.chunks(|rows| {
            let (mut row, mut to_left, mut to_right) = (Vec::new(), Vec::new(), Vec::new());
            for i in rows {
                pool.square_distances_from(i, &mut row);
                kernel(&mut row);
                row[i] = 0.0;
                to_left.push(row[..n].iter().sum::<f64>());
                to_right.push(row[n..].iter().sum::<f64>());
            }
            (to_left, to_right)
        });
        let m = count - n;
        let witness = of_rows
            .into_iter()
            .flat_map(|(to_left, to_right)| to_left.into_iter().zip(to_right))
            .enumerate()
            .map(|(i, (to_left, to_right))| {
                let own = usize::from(i < n);
                to_left / (n - own) as f64 - to_right / (m - (1 - own)) as f64
            })
            .collect();
        Self { sums, witness, left_count: n }
    }

    /// Variance of the unbiased MMD²'s linear part: `4 (var_x w / n + var_y w / m)`.
    fn witness_variance(&self) -> f64 {
        let (left, right) = self.witness.split_at(self.left_count);
        let of = |values: &[f64]| {
            let count = values.len() as f64;
            let mean = values.iter().sum::<f64>() / count;
            let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
            squares / (count - 1.0) / count
        };
        4.0 * (of(left) + of(right))
    }
}

/// The z with `P(Z > z) = probability`, by bisection on the exact tail; probability in `(0, 0.5]`.
fn normal_upper_quantile(probability: f64) -> f64 {
    let (mut low, mut high) = (0.0, 40.0);
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if 0.5 * math::erfc(middle / std::f64::consts::SQRT_2) > probability {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}
