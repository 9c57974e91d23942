//! The two-sample Kolmogorov-Smirnov test: the statistic with where it is reached, and its p value.
//!
//! Invariant: distances are exact ratios of integers, rounded once; an exact p value is a sum of
//! positive terms, so that small ones keep their digits.
//! No units: probabilities and distances of distribution functions.
//!
//! Not here: equivalence. A large p value is not a test of sameness: with few values everything
//! passes and with many nothing does.

use serde::{Deserialize, Serialize};
use tiepoint_model::math;

use super::{
    ks_law::{kolmogorov_tail_at, smirnov_tail_two_samples},
    steps::{Steps, check, sorted_samples},
};
use crate::{MeasureError, Metric, registry};

/// The largest sample for which [`KsMode::Auto`] is exact (SciPy's rule).
pub const KS_EXACT_COUNT_MAX: usize = 10_000;

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
/// Cost: `O((n + m) log(n + m))` time, `O(n + m)` memory.
///
/// # Errors
/// [`MeasureError::Empty`], [`MeasureError::NotFinite`].
///
/// # Source
/// Statistic and location as SciPy 1.17.1. Its asymptotic p value uses the exact one-sample law at
/// `nm / (n + m)`, which is a little below the limit's: see [`KsMode::Asymptotic`].
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

/// What the test is against. It speaks of distribution functions, as SciPy's does: where `F` is the
/// larger one, the left sample is the *smaller* one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KsAlternative {
    /// `F` and `G` differ: `D = sup |F − G|`.
    TwoSided,
    /// `F` exceeds `G` somewhere: `D = sup (F − G)`.
    Greater,
    /// `F` lies below `G` somewhere: `D = sup (G − F)`.
    Less,
}

/// Which law gives the p value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KsMode {
    /// All orders of the pooled values are counted; time `O(nm D)` for the distance D,
    /// memory `O(min(n, m))`.
    Exact,
    /// SciPy's `asymp`: two-sided, the exact one-sample law at `nm / (n + m)` rounded; one-sided,
    /// Hodges' correction of the limit law.
    Asymptotic,
    /// Exact where the larger sample has at most [`KS_EXACT_COUNT_MAX`] values (SciPy's `auto`).
    Auto,
}

/// A Kolmogorov-Smirnov test.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct KsTest {
    /// The largest difference in the tested direction, in `[0, 1]`.
    pub distance: f64,
    /// The least value at which it is reached.
    pub location: f64,
    /// True where `F` is the larger one at `location`.
    pub left_is_smaller: bool,
    /// Probability of a distance at least this large if both samples are independent draws from one
    /// continuous distribution.
    pub p_value: f64,
    /// The law that was used: never [`KsMode::Auto`].
    pub mode: KsMode,
    /// True where a value stands in the pooled sample twice. The p value is then too large
    /// (conservative), also in exact mode.
    pub has_ties: bool,
}

impl KsTest {
    /// The metric of a test with these choices.
    #[must_use]
    pub fn metric(alternative: KsAlternative, mode: KsMode) -> Metric {
        let alternative = match alternative {
            KsAlternative::TwoSided => "two-sided",
            KsAlternative::Greater => "greater",
            KsAlternative::Less => "less",
        };
        let mode = match mode {
            KsMode::Exact => "exact",
            KsMode::Asymptotic => "asymp",
            KsMode::Auto => "auto",
        };
        Metric::new(registry::DIST_KS_P_VALUE).with("alternative", alternative).with("law", mode)
    }
}

/// The two-sample Kolmogorov-Smirnov test.
///
/// # Inputs
/// - `left`, `right`: independent samples in one unit, in any order.
///
/// # Output
/// See [`KsTest`]. With ties the p value is an upper bound, and `has_ties` says so.
///
/// # Errors
/// [`MeasureError::Empty`], [`MeasureError::NotFinite`], [`MeasureError::InvalidOption`] (exact
/// with more than 2^40 pairs).
///
/// # Invariants
/// `swapping_samples_swaps_the_one_sided_tests`, `exact_p_values_count_all_orders`,
/// `p_values_fall_as_distances_grow`.
///
/// # Source
/// `scipy.stats.ks_2samp` 1.17.1; Hodges, *The significance probability of the Smirnov two-sample
/// test*, 1958.
///
/// # Example
/// ```
/// use tiepoint_measure::distribution::{KsAlternative, KsMode, ks_test};
///
/// let test = ks_test(&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0], KsAlternative::TwoSided, KsMode::Exact)?;
/// assert!((test.p_value - 0.1).abs() < 1e-15); // 2 of 20 orders
/// # Ok::<(), tiepoint_measure::MeasureError>(())
/// ```
pub fn ks_test(
    left: &[f64],
    right: &[f64],
    alternative: KsAlternative,
    mode: KsMode,
) -> Result<KsTest, MeasureError> {
    let samples = sorted_samples(left, right)?;
    let mut best = (f64::NEG_INFINITY, samples[0][0], false);
    let mut distinct_count = 0;
    for (value, difference) in Steps::of(&samples) {
        distinct_count += 1;
        let height = match alternative {
            KsAlternative::TwoSided => difference.abs(),
            KsAlternative::Greater => difference,
            KsAlternative::Less => -difference,
        };
        if height > best.0 {
            best = (height, value, difference > 0.0);
        }
    }
    let distance = best.0.max(0.0);
    let counts = [left.len(), right.len()];
    let mode = match mode {
        KsMode::Auto if counts[0].max(counts[1]) <= KS_EXACT_COUNT_MAX => KsMode::Exact,
        KsMode::Auto => KsMode::Asymptotic,
        chosen => chosen,
    };
    let p_value = match mode {
        KsMode::Exact => smirnov_tail_two_samples(counts, distance, alternative)?,
        _ => asymptotic_p_value(counts, distance, alternative),
    };
    Ok(KsTest {
        distance,
        location: best.1,
        left_is_smaller: best.2,
        p_value,
        mode,
        has_ties: distinct_count < counts[0] + counts[1],
    })
}

/// SciPy's `asymp`.
fn asymptotic_p_value(counts: [usize; 2], distance: f64, alternative: KsAlternative) -> f64 {
    let m = counts[0].max(counts[1]) as f64;
    let n = counts[0].min(counts[1]) as f64;
    let effective = m * n / (m + n);
    if alternative == KsAlternative::TwoSided {
        return kolmogorov_tail_at(effective.round_ties_even().max(1.0), distance);
    }
    let z = effective.sqrt() * distance;
    let correction = 2.0 * z * (m + 2.0 * n) / (m * n * (m + n)).sqrt() / 3.0;
    math::exp(-2.0 * z * z - correction).clamp(0.0, 1.0)
}

/// The two-sample Cramer-von Mises statistic and the p value of its limit law.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CramerVonMises {
    /// `T = nm / (n + m)² Σ (F − G)²` over the pooled values, from mid-ranks.
    pub statistic: f64,
    /// Upper tail of the limit law at the statistic moved to mean 1/6 and variance 1/45.
    pub p_value_limit: f64,
}

impl CramerVonMises {
    /// The metric, with its law.
    #[must_use]
    pub fn metric() -> Metric {
        Metric::new(registry::DIST_CRAMER_VON_MISES).with("law", "limit").with("ties", "mid-ranks")
    }
}

/// The two-sample Cramer-von Mises test.
///
/// Cost: `O((n + m) log(n + m))` time, `O(n + m)` memory.
///
/// # Errors
/// [`MeasureError::Empty`], [`MeasureError::NotFinite`], [`MeasureError::TooFew`] (below 2).
///
/// # Source
/// Anderson, *On the distribution of the two-sample Cramer-von Mises criterion*, 1962;
/// `scipy.stats.cramervonmises_2samp` 1.17.1 with `method="asymptotic"`, which its `auto` is from
/// 21 values on.
pub fn cramer_von_mises(left: &[f64], right: &[f64]) -> Result<CramerVonMises, MeasureError> {
    check(left, right)?;
    for (what, sample) in [("left sample", left), ("right sample", right)] {
        if sample.len() < 2 {
            return Err(MeasureError::TooFew { what, count: sample.len(), min: 2 });
        }
    }
    let pooled: Vec<f64> = left.iter().chain(right).copied().collect();
    let ranks = super::ranks::mid_ranks(&pooled);
    let (n, m) = (left.len() as f64, right.len() as f64);
    let spread = |ranks: &[f64]| {
        let mut ranks = ranks.to_vec();
        ranks.sort_unstable_by(f64::total_cmp);
        let squares = ranks.iter().zip(1_u32..).map(|(rank, place)| {
            let difference = rank - f64::from(place);
            difference * difference
        });
        squares.sum::<f64>()
    };
    let (of_left, of_right) = ranks.split_at(left.len());
    let u = n * spread(of_left) + m * spread(of_right);
    let (product, total) = (n * m, n + m);
    let statistic = u / (product * total) - (4.0 * product - 1.0) / (6.0 * total);
    let mean = (1.0 + 1.0 / total) / 6.0;
    let variance = (total + 1.0) * (4.0 * product * total - 3.0 * (n * n + m * m) - 2.0 * product)
        / (45.0 * total * total * 4.0 * product);
    let standard = 1.0 / 6.0 + (statistic - mean) / (45.0 * variance).sqrt();
    let p_value_limit = if standard < 0.003 {
        1.0
    } else {
        (1.0 - super::ks_law::cramer_von_mises_limit(standard)).clamp(0.0, 1.0)
    };
    Ok(CramerVonMises { statistic, p_value_limit })
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
}
