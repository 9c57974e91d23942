//! Shares of successes: exact intervals and tests for one share, pairs, and two groups.
//!
//! Invariant: what is exact covers, or errs, as it promises for every true share and every count.
//!
//! Not here: which of them a claim needs (see [`super::choice`]).

pub mod approximate;
pub mod equivalence;
pub mod paired;
pub mod two_groups;

use super::{StatisticsError, check_range, distributions::beta_quantile};

/// Clopper and Pearson's exact interval for a share, at confidence `1 - alpha`, two-sided.
///
/// # Errors
/// No trials, more successes than trials, or `alpha` outside `(0, 1)`.
///
/// # Source
/// Clopper and Pearson, Biometrika 26(4), 1934: the bounds are beta quantiles.
pub fn clopper_pearson(
    successes: u64,
    trials: u64,
    alpha: f64,
) -> Result<[f64; 2], StatisticsError> {
    if trials == 0 {
        return Err(StatisticsError::TooFew { count: 0, min: 1 });
    }
    check_range("successes", successes as f64, successes <= trials, "at most the trials")?;
    check_range("alpha", alpha, alpha > 0.0 && alpha < 1.0, "between 0 and 1")?;
    let (low, high) =
        (share_low(successes, trials, alpha / 2.0), share_high(successes, trials, alpha / 2.0));
    Ok([low, high])
}

/// Clopper and Pearson's lower end alone, wrong with chance `error`.
fn share_low(successes: u64, trials: u64, error: f64) -> f64 {
    let (hits, misses) = (successes as f64, (trials - successes) as f64);
    if successes == 0 { 0.0 } else { beta_quantile(error, hits, misses + 1.0) }
}

/// Clopper and Pearson's upper end alone.
fn share_high(successes: u64, trials: u64, error: f64) -> f64 {
    let (hits, misses) = (successes as f64, (trials - successes) as f64);
    if successes == trials { 1.0 } else { beta_quantile(1.0 - error, hits + 1.0, misses) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// statsmodels 0.15.0, `proportion_confint(..., method="beta")`; both sides solve to 1e-12.
    #[test]
    fn clopper_pearson_agrees_with_statsmodels() {
        let golden = [
            (0, [0.0, 0.071_121_736_464_197_67]),
            (3, [0.012_548_587_835_334_06, 0.165_481_946_603_772_88]),
            (45, [0.781_864_633_565_797_7, 0.966_724_906_410_977_5]),
            (50, [0.928_878_263_535_802_4, 1.0]),
        ];
        for (successes, expected) in golden {
            let interval = clopper_pearson(successes, 50, 0.05).unwrap();
            for (ours, theirs) in interval.iter().zip(expected) {
                assert!((ours - theirs).abs() < 1e-11, "{successes}: {ours} {theirs}");
            }
        }
        assert!(clopper_pearson(1, 0, 0.05).is_err());
        assert!(clopper_pearson(3, 2, 0.05).is_err());
    }

    /// "No failure in 59 trials" bounds the failure rate by 5 % at one-sided 95 %.
    #[test]
    fn no_failure_in_59_trials_bounds_the_rate_by_five_per_cent() {
        assert!(clopper_pearson(0, 59, 0.10).unwrap()[1] < 0.05);
        assert!(clopper_pearson(0, 58, 0.10).unwrap()[1] > 0.05);
    }
}
