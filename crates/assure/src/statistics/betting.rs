//! Equivalence of bounded, independent units by betting: valid however often one looks.
//!
//! Each null hypothesis about the mean is a game that pays nothing on average while it holds.
//! Capital that ever grows to `1 / alpha` refutes it with chance of error at most `alpha`,
//! provided the null holds at each unit given those before: true of independent runs or scenes,
//! false of successive blocks of one run.
//! Invariant: a bet depends on earlier units only; capital falls as the tested mean rises, so
//! the interval and the tests always agree.
//! Cost: `O(n)` for each mean that is tried, about 60 for each end of an interval; memory `O(n)`.
//!
//! Not here: the t tests for a fixed number of units (see [`super::equivalence`]).

mod bets;
mod closed_form;
mod one_sided;
mod plan;
mod process;
mod sequence;

use tiepoint_model::{
    math::{exp, ln, ln_1p},
    verdict::{EquivalenceTest, Sides, TestKind},
};

use self::bets::{Bettor, Schedule, risk_bound};
pub use self::{
    closed_form::{empirical_bernstein_interval, hoeffding_interval},
    one_sided::{fixed_count_interval, mean_lower_bound},
    plan::{BettingPlan, betting_units_needed},
    process::{EProcess, EquivalenceMonitor, Look, Reading, Side},
    sequence::ConfidenceSequence,
};
use super::{StatisticsError, check_range, distributions::bisect, mean_and_sd};

/// Fewest units that can support a claim even if every difference is zero:
/// `log(1 / alpha) / log(1 + margin / bound)`, rounded up.
#[must_use]
pub fn unit_count_min(margin: f64, bound: f64, alpha: f64) -> Option<u64> {
    let count = (-ln(alpha) / ln_1p(margin / bound)).ceil();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked range")]
    (count.is_finite() && (1.0..1e15).contains(&count)).then_some(count as u64)
}

/// Two one-sided betting tests on paired differences of at most `bound` in size.
///
/// # Inputs
/// `differences`: in the order in which the units came, at least two, each in `[-bound, bound]`.
///
/// # Output
/// p-values that hold at any stopping time; the interval is a confidence sequence at
/// `1 - 2 alpha`, running intersection.
///
/// # Errors
/// Too few values, one that is not finite or beyond the bound, margin or alpha out of range.
///
/// # Source
/// Waudby-Smith and Ramdas, *Estimating means of bounded random variables by betting*, JRSS-B
/// 86(1), 2024: predictable plug-in bets (section 4.2), each side alone.
pub fn betting_equivalence(
    differences: &[f64],
    margin: f64,
    bound: f64,
    alpha: f64,
) -> Result<EquivalenceTest, StatisticsError> {
    check_range("margin", margin, margin.is_finite() && margin > 0.0, "finite and above 0")?;
    check_range("bound", bound, bound.is_finite() && bound > 0.0, "finite and above 0")?;
    check_range("alpha", alpha, alpha > 0.0 && alpha < 0.5, "between 0 and 0.5")?;
    let (estimate, sd) = mean_and_sd(differences)?;
    if let Some(value) = differences.iter().find(|value| value.abs() > bound) {
        check_range("difference", *value, false, "within the bound")?;
    }
    // Differences in [-bound, bound] become values in [0, 1].
    let to_unit = |difference: f64| ((difference + bound) / (2.0 * bound)).clamp(0.0, 1.0);
    let above = Game::new(differences.iter().map(|&value| to_unit(value)).collect(), alpha);
    let below = above.mirrored(alpha);
    let p_of = |log_capital: f64| exp(-log_capital).min(1.0);
    let mean_exceeds = |difference: f64| p_of(above.log_capital_max(to_unit(difference)));
    let mean_falls_short = |difference: f64| p_of(below.log_capital_max(1.0 - to_unit(difference)));
    let beyond_bound = margin >= bound; // then nothing can lie outside the margin
    let (p_lower, p_upper, p_outside) = if beyond_bound {
        (0.0, 0.0, 1.0)
    } else {
        // Either side may refute: twice the smaller of two.
        let outside = (2.0 * mean_exceeds(margin).min(mean_falls_short(-margin))).min(1.0);
        (mean_exceeds(-margin), mean_falls_short(margin), outside)
    };
    let threshold = -ln(alpha);
    let interval =
        [above.bound(threshold), 1.0 - below.bound(threshold)].map(|x| bound * (2.0 * x - 1.0));
    Ok(EquivalenceTest {
        kind: TestKind::Betting,
        sides: Sides::Both,
        estimate,
        sd,
        degrees_of_freedom: None,
        interval,
        margin,
        p_lower,
        p_upper,
        p_outside,
        smallest_passing_margin: interval[0].abs().max(interval[1].abs()),
    })
}

/// Confidence sequence for the mean of values in `[0, 1]` at confidence `1 - alpha`, both sides at
/// half of alpha; at the last value, running intersection.
///
/// # Errors
/// Fewer than two values, or one outside `[0, 1]`, or alpha outside `(0, 1)`;
/// [`StatisticsError::NotIdentified`] where every mean is refuted.
///
/// # Source
/// The hedged capital process of Waudby-Smith and Ramdas 2024; `hedged_cs` of the package
/// `confseq`, which widens by one step of its grid, here solved exactly.
pub fn hedged_interval(values: &[f64], alpha: f64) -> Result<[f64; 2], StatisticsError> {
    check_range("alpha", alpha, alpha > 0.0 && alpha < 1.0, "between 0 and 1")?;
    check_unit_values(values, 2)?;
    let above = Game::new(values.to_vec(), alpha / 2.0);
    let threshold = ln(2.0 / alpha);
    not_empty([above.bound(threshold), 1.0 - above.mirrored(alpha / 2.0).bound(threshold)])
}

/// Looks that refute every mean: the values do not keep one, or chance at most alpha has struck.
fn not_empty([low, high]: [f64; 2]) -> Result<[f64; 2], StatisticsError> {
    if low <= high {
        return Ok([low, high]);
    }
    let reason = "every mean is refuted by one look or another: the values do not keep one mean";
    Err(StatisticsError::NotIdentified { name: "mean", reason })
}

/// At least so many values, each in `[0, 1]`.
fn check_unit_values(values: &[f64], min: usize) -> Result<(), StatisticsError> {
    if values.len() < min {
        return Err(StatisticsError::TooFew { count: values.len(), min });
    }
    if let Some(index) = values.iter().position(|value| !value.is_finite()) {
        return Err(StatisticsError::NotFinite { index });
    }
    match values.iter().find(|value| !(0.0..=1.0).contains(*value)) {
        Some(value) => check_range("value", *value, false, "between 0 and 1"),
        None => Ok(()),
    }
}

/// A game against "the mean is at most m", for every m in `[0, 1]`.
struct Game {
    /// In `[0, 1]`.
    values: Vec<f64>,
    /// One per value, from the values before it.
    bets: Vec<f64>,
}

impl Game {
    fn new(values: Vec<f64>, alpha: f64) -> Self {
        let mut bettor = Bettor::new(alpha, Schedule::Anytime);
        let bets = values.iter().map(|&value| bettor.bet_then_see(value)).collect();
        Self { values, bets }
    }

    /// The game against "the mean is at least m", as a game about `1 - value`.
    fn mirrored(&self, alpha: f64) -> Self {
        Self::new(self.values.iter().map(|value| 1.0 - value).collect(), alpha)
    }

    /// Logarithm of the largest capital the game against `mean` ever reached; at least 0.
    ///
    /// Capital is a product, scaled by powers of two, so that its logarithm is taken once a stride:
    /// a factor lies between 1/2 and 10, and a stride of 64 of them within the range of a double.
    fn log_capital_max(&self, mean: f64) -> f64 {
        const STRIDE: usize = 64;
        const SCALE: f64 = (1_u128 << 100) as f64;
        let bet_max = risk_bound(mean);
        let (mut capital, mut scalings) = (1.0_f64, 0.0);
        let mut largest = 0.0_f64;
        for (values, bets) in self.values.chunks(STRIDE).zip(self.bets.chunks(STRIDE)) {
            let mut peak = 0.0_f64;
            for (value, bet) in values.iter().zip(bets) {
                capital *= 1.0 + bet.min(bet_max) * (value - mean);
                peak = peak.max(capital);
            }
            largest = largest.max(ln(peak) + scalings * ln(SCALE));
            if capital > SCALE {
                (capital, scalings) = (capital / SCALE, scalings + 1.0);
            } else if capital < 1.0 / SCALE {
                (capital, scalings) = (capital * SCALE, scalings - 1.0);
            }
        }
        largest
    }

    /// The largest mean that is refuted: the lower end of the interval.
    fn bound(&self, log_threshold: f64) -> f64 {
        if self.log_capital_max(0.0) < log_threshold {
            return 0.0;
        }
        bisect(0.0, 1.0, |mean| self.log_capital_max(mean) >= log_threshold)
    }
}

#[cfg(test)]
mod tests;
