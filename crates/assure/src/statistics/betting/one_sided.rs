//! One-sided bounds, and intervals tuned for a fixed number of values.
//!
//! Invariant: values lie in `[0, 1]`; a bound of "the mean is at least" is never above the mean
//! more often than alpha.
//! Cost: as [`super`].
//!
//! Not here: two-sided equivalence (see [`super::betting_equivalence`]).

use tiepoint_model::math::ln;

use super::{
    super::{StatisticsError, check_range, distributions::bisect},
    Game,
    bets::{Bettor, Schedule},
    check_unit_values, not_empty,
};

/// Lower bound of the mean at confidence `1 - alpha`, valid at any stopping time.
///
/// # Errors
/// No value, one outside `[0, 1]`, or alpha outside `(0, 1)`.
///
/// # Source
/// As [`super::hedged_interval`], one side.
pub fn mean_lower_bound(values: &[f64], alpha: f64) -> Result<f64, StatisticsError> {
    check_range("alpha", alpha, alpha > 0.0 && alpha < 1.0, "between 0 and 1")?;
    check_unit_values(values, 1)?;
    Ok(Game::new(values.to_vec(), alpha).bound(-ln(alpha)))
}

/// Interval for the mean of a number of values that was fixed beforehand, both sides at half of
/// alpha: narrower than a sequence, and wrong if the number was chosen by looking.
///
/// # Errors
/// No value, one outside `[0, 1]`, or alpha outside `(0, 1)`; [`StatisticsError::NotIdentified`]
/// where every mean is refuted on the way.
///
/// # Source
/// Waudby-Smith and Ramdas 2024, remark 3; `betting_ci` of the package `confseq`, whose bets stop
/// at 1 whatever the mean, and whose ends are those of its grid.
pub fn fixed_count_interval(values: &[f64], alpha: f64) -> Result<[f64; 2], StatisticsError> {
    check_range("alpha", alpha, alpha > 0.0 && alpha < 1.0, "between 0 and 1")?;
    check_unit_values(values, 1)?;
    let mirrored: Vec<f64> = values.iter().map(|value| 1.0 - value).collect();
    let low = fixed_lower_bound(values, alpha / 2.0);
    not_empty([low, 1.0 - fixed_lower_bound(&mirrored, alpha / 2.0)])
}

fn fixed_lower_bound(values: &[f64], alpha: f64) -> f64 {
    const BET_MAX: f64 = 1.0;
    let mut bettor = Bettor::new(alpha, Schedule::Fixed(values.len()));
    let bets: Vec<f64> = values.iter().map(|&v| bettor.bet_then_see(v).min(BET_MAX)).collect();
    let refutes = |mean: f64| {
        let mut capital = 1.0;
        values.iter().zip(&bets).any(|(value, bet)| {
            capital *= 1.0 + bet * (value - mean);
            capital >= 1.0 / alpha
        })
    };
    if refutes(0.0) { bisect(0.0, 1.0, refutes) } else { 0.0 }
}
