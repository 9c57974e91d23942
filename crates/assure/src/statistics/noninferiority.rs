//! One-sided non-inferiority: the synthetic side is not below the real one by the margin or more.
//!
//! Null hypothesis: it is. The caller chooses the sign so that a larger difference is the safe one
//! (for a failure rate: synthetic minus real, for the twin must not hide failures).
//! Invariant: p is at or below alpha exactly when the bound lies above minus the margin, up to
//! rounding.
//! Cost: `O(n)`.
//!
//! Not here: shares of outcomes (see [`super::binomial`]), two-sided tests.

use super::{
    StatisticsError,
    betting::{EProcess, Side, mean_lower_bound},
    check_range,
    distributions::{student_t_quantile, student_t_survival},
    mean_and_sd,
};

/// Which one-sided test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OneSidedKind {
    /// t test on paired differences, fixed number of units.
    PairedT,
    /// Betting on bounded paired differences, valid at any time.
    Betting,
    /// Exact test of paired outcomes.
    ExactPairs,
}

/// One test against minus the margin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OneSidedTest {
    /// Which.
    pub kind: OneSidedKind,
    /// Mean difference, synthetic minus real.
    pub estimate: f64,
    /// Lower bound of the difference at confidence `1 - alpha`.
    pub bound_low: f64,
    /// The margin, above 0.
    pub margin: f64,
    /// Of "the difference is at or below minus the margin".
    pub p: f64,
    /// The smallest margin that would have passed, 0 where none is needed.
    pub smallest_passing_margin: f64,
}

/// One-sided t test on paired differences.
///
/// # Errors
/// Fewer than two values, one that is not finite, margin or alpha out of range.
///
/// # Source
/// Student's t test of one mean, shifted by the margin.
pub fn paired_noninferiority(
    differences: &[f64],
    margin: f64,
    alpha: f64,
) -> Result<OneSidedTest, StatisticsError> {
    check_margin_and_alpha(margin, alpha)?;
    let (estimate, sd) = mean_and_sd(differences)?;
    let count = differences.len() as f64;
    let standard_error = sd / count.sqrt();
    let excess = estimate + margin;
    let p = if standard_error > 0.0 {
        student_t_survival(excess / standard_error, count - 1.0)
    } else {
        f64::from(u8::from(excess <= 0.0))
    };
    let bound_low = estimate - student_t_quantile(1.0 - alpha, count - 1.0) * standard_error;
    Ok(OneSidedTest {
        kind: OneSidedKind::PairedT,
        estimate,
        bound_low,
        margin,
        p,
        smallest_passing_margin: (-bound_low).max(0.0),
    })
}

/// One-sided betting test on paired differences of at most `bound` in size, valid at any stopping
/// time.
///
/// # Errors
/// Fewer than two values, one that is not finite or beyond the bound, a margin not inside it, alpha
/// out of range.
///
/// # Source
/// As [`super::betting::betting_equivalence`], one side.
pub fn betting_noninferiority(
    differences: &[f64],
    margin: f64,
    bound: f64,
    alpha: f64,
) -> Result<OneSidedTest, StatisticsError> {
    check_margin_and_alpha(margin, alpha)?;
    check_range("bound", bound, bound.is_finite() && bound > margin, "above the margin")?;
    let (estimate, _) = mean_and_sd(differences)?;
    if let Some(value) = differences.iter().find(|value| value.abs() > bound) {
        check_range("difference", *value, false, "within the bound")?;
    }
    let to_unit = |difference: f64| ((difference + bound) / (2.0 * bound)).clamp(0.0, 1.0);
    let values: Vec<f64> = differences.iter().map(|&value| to_unit(value)).collect();
    let mut process = EProcess::new(Side::AtMost, to_unit(-margin), alpha)?;
    for &value in &values {
        process.push(value)?;
    }
    let bound_low = bound * (2.0 * mean_lower_bound(&values, alpha)? - 1.0);
    Ok(OneSidedTest {
        kind: OneSidedKind::Betting,
        estimate,
        bound_low,
        margin,
        p: process.p_value(),
        smallest_passing_margin: (-bound_low).max(0.0),
    })
}

fn check_margin_and_alpha(margin: f64, alpha: f64) -> Result<(), StatisticsError> {
    check_range("margin", margin, margin.is_finite() && margin > 0.0, "finite and above 0")?;
    check_range("alpha", alpha, alpha > 0.0 && alpha < 0.5, "between 0 and 0.5")
}

#[cfg(test)]
mod tests {
    use tiepoint_model::Seed;

    use super::*;
    use crate::statistics::{betting::betting_equivalence, equivalence::paired_equivalence};

    fn differences(mean: f64, count: usize, seed: u64) -> Vec<f64> {
        let mut draws = Seed(seed).draws(0, 0);
        (0..count).map(|_| (mean + 0.15 * draws.normal()).clamp(-1.0, 1.0)).collect()
    }

    /// One side of the two-sided test, to the last bit of rounding.
    #[test]
    fn it_is_the_lower_side_of_the_equivalence_tests() {
        for seed in 0..20 {
            let d = differences(0.02, 120, seed);
            let (one, two) = (
                paired_noninferiority(&d, 0.05, 0.05).unwrap(),
                paired_equivalence(&d, 0.05, 0.05).unwrap(),
            );
            assert!((one.p - two.p_lower).abs() < 1e-14 && one.bound_low == two.interval[0]);
            let (one, two) = (
                betting_noninferiority(&d, 0.05, 1.0, 0.05).unwrap(),
                betting_equivalence(&d, 0.05, 1.0, 0.05).unwrap(),
            );
            assert!((one.p / two.p_lower - 1.0).abs() < 1e-10, "{} {}", one.p, two.p_lower);
            assert!((one.bound_low - two.interval[0]).abs() < 1e-12);
        }
    }

    #[test]
    fn p_and_bound_agree() {
        let d = differences(0.0, 200, 3);
        for step in 1..40 {
            let margin = f64::from(step) * 0.005;
            for test in [
                paired_noninferiority(&d, margin, 0.05).unwrap(),
                betting_noninferiority(&d, margin, 1.0, 0.05).unwrap(),
            ] {
                assert_eq!(test.p <= 0.05, test.bound_low > -margin, "{test:?}");
            }
        }
    }

    /// A difference on the safe side never fails, however large.
    #[test]
    fn the_safe_side_has_no_margin() {
        let d = differences(0.5, 200, 4);
        assert!(paired_noninferiority(&d, 0.05, 0.05).unwrap().p < 1e-9);
        let test = betting_noninferiority(&d, 0.05, 1.0, 0.05).unwrap();
        assert!(test.p < 0.05 && test.smallest_passing_margin == 0.0);
    }

    #[test]
    fn bad_input_is_named() {
        for bad in [&[][..], &[0.1], &[0.1, f64::NAN], &[f64::INFINITY, 0.0]] {
            assert!(paired_noninferiority(bad, 0.1, 0.05).is_err());
            assert!(betting_noninferiority(bad, 0.1, 1.0, 0.05).is_err());
        }
        assert!(betting_noninferiority(&[0.0, 2.0], 0.1, 1.0, 0.05).is_err());
        assert!(betting_noninferiority(&[0.0, 0.0], 1.0, 1.0, 0.05).is_err());
        assert_eq!(paired_noninferiority(&[-0.1; 3], 0.1, 0.05).unwrap().p, 1.0);
    }
}
