//! Equivalence within a margin by two one-sided t tests, paired or between two groups.
//!
//! Null hypothesis: not equivalent. Support needs both tests; absence of a difference is none.
//! Invariant: both tests reject at `alpha` exactly when the interval at `1 - 2 alpha` lies strictly
//! inside the margin, up to rounding.
//! All values, the margin included, share one unit.
//! Cost: `O(n)`.
//!
//! Not here: tests valid under peeking (see [`super::betting`]).

use tiepoint_model::verdict::{EquivalenceTest, Sides, TestKind};

use super::{
    StatisticsError, check_range,
    distributions::{student_t_cdf, student_t_quantile, student_t_survival},
    mean_and_sd,
};

/// Two one-sided t tests on paired differences.
///
/// # Inputs
/// `differences`: one per independent unit, at least two, finite. `margin` above 0. `alpha` of each
/// of the two tests.
///
/// # Output
/// Where the differences do not vary at all, p is 0 or 1 by the side on which they lie.
///
/// # Errors
/// [`StatisticsError`] for fewer than two values, NaN, or a margin or alpha out of range.
///
/// # Source
/// Schuirmann, Journal of Pharmacokinetics and Biopharmaceutics 15(6), 1987.
pub fn paired_equivalence(
    differences: &[f64],
    margin: f64,
    alpha: f64,
) -> Result<EquivalenceTest, StatisticsError> {
    check_margin_and_alpha(margin, alpha)?;
    let (estimate, sd) = mean_and_sd(differences)?;
    let count = differences.len() as f64;
    let t = Location { estimate, standard_error: sd / count.sqrt(), df: count - 1.0 };
    Ok(t.test(TestKind::PairedT, sd, margin, alpha))
}

/// Two one-sided Welch tests: mean of `a` minus mean of `b`, groups of unequal variance.
///
/// # Errors
/// As [`paired_equivalence`].
///
/// # Source
/// Welch, Biometrika 34, 1947, for the degrees of freedom.
pub fn welch_equivalence(
    a: &[f64],
    b: &[f64],
    margin: f64,
    alpha: f64,
) -> Result<EquivalenceTest, StatisticsError> {
    check_margin_and_alpha(margin, alpha)?;
    let ((mean_a, sd_a), (mean_b, sd_b)) = (mean_and_sd(a)?, mean_and_sd(b)?);
    let (count_a, count_b) = (a.len() as f64, b.len() as f64);
    let (part_a, part_b) = (sd_a * sd_a / count_a, sd_b * sd_b / count_b);
    let variance = part_a + part_b;
    let spread = part_a * part_a / (count_a - 1.0) + part_b * part_b / (count_b - 1.0);
    let df = if spread > 0.0 { variance * variance / spread } else { count_a + count_b - 2.0 };
    let standard_error = variance.sqrt();
    let sd = standard_error * ((count_a + count_b) / 2.0).sqrt();
    let t = Location { estimate: mean_a - mean_b, standard_error, df };
    Ok(t.test(TestKind::WelchT, sd, margin, alpha))
}

/// Units for 80 % chance of support, if the true difference is `estimate` and the units vary by
/// `sd`; `None` if no number would do (estimate at or outside the margin) or none below 10^9.
///
/// The power is that of two central t tests shifted by the difference, which reproduces the exact
/// numbers of units for zero difference.
#[must_use]
pub fn units_needed(estimate: f64, sd: f64, margin: f64, alpha: f64) -> Option<u64> {
    const POWER: f64 = 0.8;
    const UNITS_MAX: u64 = 1_000_000_000;
    let room = margin - estimate.abs();
    if !(room > 0.0 && sd.is_finite() && sd >= 0.0 && alpha > 0.0 && alpha < 0.5) {
        return None;
    }
    let enough = |count: u64| {
        let count = count as f64;
        let (standard_error, df) = (sd / count.sqrt(), count - 1.0);
        if standard_error <= 0.0 {
            return true;
        }
        let critical = student_t_quantile(1.0 - alpha, df);
        let near = student_t_cdf(room / standard_error - critical, df);
        let far = student_t_cdf((margin + estimate.abs()) / standard_error - critical, df);
        near + far - 1.0 >= POWER
    };
    let mut high = 2;
    while !enough(high) {
        high *= 2;
        if high > UNITS_MAX {
            return None;
        }
    }
    let mut low = high / 2;
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if middle >= 2 && enough(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    Some(high)
}

fn check_margin_and_alpha(margin: f64, alpha: f64) -> Result<(), StatisticsError> {
    check_range("margin", margin, margin.is_finite() && margin > 0.0, "finite and above 0")?;
    check_range("alpha", alpha, alpha > 0.0 && alpha < 0.5, "between 0 and 0.5")
}

/// An estimate with its standard error and degrees of freedom.
struct Location {
    estimate: f64,
    standard_error: f64,
    df: f64,
}

impl Location {
    fn test(&self, kind: TestKind, sd: f64, margin: f64, alpha: f64) -> EquivalenceTest {
        let half_width = student_t_quantile(1.0 - alpha, self.df) * self.standard_error;
        let interval = [self.estimate - half_width, self.estimate + half_width];
        EquivalenceTest {
            kind,
            sides: Sides::Both,
            estimate: self.estimate,
            sd,
            degrees_of_freedom: Some(self.df),
            interval,
            margin,
            p_lower: self.survival_of(self.estimate + margin),
            p_upper: self.survival_of(margin - self.estimate),
            p_outside: self.survival_of(self.estimate.abs() - margin),
            smallest_passing_margin: interval[0].abs().max(interval[1].abs()),
        }
    }

    /// Chance of an excess at least as large as this one, if there is none.
    fn survival_of(&self, excess: f64) -> f64 {
        if self.standard_error > 0.0 {
            student_t_survival(excess / self.standard_error, self.df)
        } else if excess > 0.0 {
            0.0
        } else {
            1.0
        }
    }
}

#[cfg(test)]
mod tests;
