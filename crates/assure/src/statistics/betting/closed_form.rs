//! Intervals for a bounded mean that need no search: Hoeffding's and the empirical Bernstein one.
//!
//! Wider than betting; one pass, and known to every reader.
//! Invariant: the interval covers the mean with the stated confidence for any law on `[0, 1]`.
//! Cost: `O(n)`.
//!
//! Not here: betting (see [`super::hedged_interval`]).

use tiepoint_model::math::{ln, ln_1p};

use super::{
    super::{StatisticsError, check_range},
    bets::{Bettor, Schedule},
    check_unit_values, not_empty,
};

/// Interval for the mean of a fixed number of values in `[0, 1]`, of width `sqrt(2 log(2/a) / n)`
/// or less: the best bound on the way counts, at the bet that is best at the end.
///
/// # Errors
/// No value, one outside `[0, 1]`, or alpha outside `(0, 1)`; [`StatisticsError::NotIdentified`]
/// where every mean is refuted on the way.
///
/// # Source
/// Hoeffding, Journal of the American Statistical Association 58, 1963, theorem 2; as a running
/// intersection `predmix_hoeffding_ci` of the package `confseq`.
pub fn hoeffding_interval(values: &[f64], alpha: f64) -> Result<[f64; 2], StatisticsError> {
    check_range("alpha", alpha, alpha > 0.0 && alpha < 1.0, "between 0 and 1")?;
    check_unit_values(values, 1)?;
    let log = ln(2.0 / alpha);
    let bet = (8.0 * log / values.len() as f64).sqrt();
    let (mut sum, mut low, mut high) = (0.0, 0.0_f64, 1.0_f64);
    for (index, value) in values.iter().enumerate() {
        sum += value;
        let count = (index + 1) as f64;
        let half_width = log / (bet * count) + bet / 8.0;
        low = low.max(sum / count - half_width);
        high = high.min(sum / count + half_width);
    }
    not_empty([low, high])
}

/// Interval for the mean of a fixed number of values in `[0, 1]` that shrinks with their variance.
///
/// # Errors
/// No value, one outside `[0, 1]`, or alpha outside `(0, 1)`.
///
/// # Source
/// Waudby-Smith and Ramdas, JRSS-B 86(1), 2024, theorem 2 with bets tuned for the number of values;
/// `predmix_empbern_ci` of the package `confseq`.
pub fn empirical_bernstein_interval(
    values: &[f64],
    alpha: f64,
) -> Result<[f64; 2], StatisticsError> {
    check_range("alpha", alpha, alpha > 0.0 && alpha < 1.0, "between 0 and 1")?;
    check_unit_values(values, 1)?;
    let low = lower_bound(values.iter().copied(), values.len(), alpha / 2.0);
    let high = 1.0 - lower_bound(values.iter().map(|v| 1.0 - v), values.len(), alpha / 2.0);
    Ok([low.max(0.0), high.min(1.0)])
}

fn lower_bound(values: impl Iterator<Item = f64>, count: usize, alpha: f64) -> f64 {
    /// Beyond it the logarithm below has no value.
    const BET_MAX: f64 = 0.5;
    let mut bettor = Bettor::new(alpha, Schedule::Fixed(count));
    let (mut mean, mut seen) = (0.0, 0.0);
    let (mut bet_sum, mut value_sum, mut price) = (0.0, 0.0, -ln(alpha));
    for value in values {
        let bet = bettor.bet_then_see(value).min(BET_MAX);
        let surprise = value - mean;
        price += surprise * surprise * (-ln_1p(-bet) - bet);
        bet_sum += bet;
        value_sum += bet * value;
        seen += 1.0;
        mean += surprise / seen;
    }
    (value_sum - price) / bet_sum
}
