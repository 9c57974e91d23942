//! How many units betting needs, before any is measured.
//!
//! Invariant: never fewer than the least number that could suffice without any difference.
//! Differences, margin and bound share one unit.
//!
//! Not here: the least number itself (see [`super::unit_count_min`]).

use tiepoint_model::math::{ln, ln_1p};

use super::{
    super::{StatisticsError, check_range, distributions::normal_cdf},
    bets::risk_bound,
};

/// What a claim expects of its units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BettingPlan {
    /// True mean difference, as far as it is known.
    pub estimate: f64,
    /// Standard deviation of the differences, 0 or more.
    pub sd: f64,
    /// The margin, above 0 and below the bound.
    pub margin: f64,
    /// Largest possible absolute difference.
    pub bound: f64,
    /// Error of each one-sided test, between 0 and 0.5.
    pub alpha: f64,
    /// Wanted chance of support, between 0 and 1.
    pub power: f64,
}

/// Units with which betting supports the claim with the wanted chance; `None` if the estimate lies
/// at or outside the margin, or ten million do not suffice.
///
/// Adds up the mean and the variance of the log capital, bet by bet, for both sides.
/// Beyond a thousand units the count is exact to a thousandth; ten million cost ten thousand steps.
///
/// # Errors
/// A number out of range.
///
/// # Source
/// Second-order expansion of the log capital at the bets that are made; its power is checked by
/// simulation in `tests/error_rates`.
pub fn betting_units_needed(plan: &BettingPlan) -> Result<Option<u64>, StatisticsError> {
    const COUNT_MAX: u64 = 10_000_000;
    // Bets change so slowly that a thousandth of the units so far shares one.
    const STRIDE_SHARE: u64 = 1000;
    let BettingPlan { estimate, sd, margin, bound, alpha, power } = *plan;
    check_range("bound", bound, bound.is_finite() && bound > 0.0, "finite and above 0")?;
    let inside = margin > 0.0 && margin < bound;
    check_range("margin", margin, inside, "above 0 and below the bound")?;
    check_range("estimate", estimate, estimate.is_finite(), "finite")?;
    check_range("sd", sd, (0.0..=bound).contains(&sd), "between 0 and the bound")?;
    check_range("alpha", alpha, alpha > 0.0 && alpha < 0.5, "between 0 and 0.5")?;
    check_range("power", power, power > 0.0 && power < 1.0, "between 0 and 1")?;
    if estimate.abs() >= margin {
        return Ok(None);
    }
    let threshold = -ln(alpha);
    let spread = sd / (2.0 * bound);
    let bet_max = risk_bound((bound - margin) / (2.0 * bound));
    let mut sides = [-1.0, 1.0].map(|sign| Growth {
        edge: (margin + sign * estimate.abs()) / (2.0 * bound),
        mean: 0.0,
        variance: 0.0,
    });
    let mut count = 0;
    while count < COUNT_MAX {
        let stride = (count / STRIDE_SHARE).max(1);
        count += stride;
        let t = count as f64;
        // As the bettor will estimate it, with its imagined value.
        let variance = (0.25 + (t - 1.0) * spread * spread) / t;
        let bet = (2.0 * threshold / (t * ln_1p(t) * variance)).sqrt().min(bet_max);
        for side in &mut sides {
            side.step(bet, spread, stride as f64);
        }
        let [near, far] = sides.map(|side| side.chance_above(threshold));
        if near + far - 1.0 >= power {
            return Ok(Some(count));
        }
    }
    Ok(None)
}

/// Mean and variance of the log capital of one side.
#[derive(Clone, Copy)]
struct Growth {
    /// Mean of a value less the mean that is refuted.
    edge: f64,
    mean: f64,
    variance: f64,
}

impl Growth {
    fn step(&mut self, bet: f64, spread: f64, unit_count: f64) {
        let stake = bet * spread / (1.0 + bet * self.edge);
        self.mean += unit_count * (ln_1p(bet * self.edge) - 0.5 * stake * stake);
        self.variance += unit_count * stake * stake;
    }

    fn chance_above(&self, threshold: f64) -> f64 {
        if self.variance > 0.0 {
            normal_cdf((self.mean - threshold) / self.variance.sqrt())
        } else {
            f64::from(u8::from(self.mean >= threshold))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::betting::{betting_equivalence, unit_count_min};

    const PLAN: BettingPlan =
        BettingPlan { estimate: 0.0, sd: 0.15, margin: 0.05, bound: 1.0, alpha: 0.05, power: 0.8 };

    /// Without any spread the plan is the number at which zeros first pass.
    #[test]
    fn units_without_spread_pass_at_the_planned_number() {
        for margin in [0.05, 0.2, 0.5] {
            let plan = BettingPlan { sd: 0.0, margin, ..PLAN };
            let planned = usize::try_from(betting_units_needed(&plan).unwrap().unwrap()).unwrap();
            let passes = |count: usize| {
                let test = betting_equivalence(&vec![0.0; count], margin, 1.0, 0.05).unwrap();
                test.p_lower.max(test.p_upper) <= 0.05
            };
            // The bettor's imagined variance falls as 1 / t in both; rounding may move it by one.
            assert!(passes(planned + 1) && !passes(planned - 2), "{margin} {planned}");
            assert!(planned as u64 >= unit_count_min(margin, 1.0, 0.05).unwrap());
        }
    }

    #[test]
    fn harder_claims_need_more_units() {
        let needed = |plan: BettingPlan| betting_units_needed(&plan).unwrap().unwrap();
        assert!(needed(BettingPlan { sd: 0.3, ..PLAN }) > needed(PLAN));
        assert!(needed(BettingPlan { margin: 0.03, ..PLAN }) > needed(PLAN));
        assert!(needed(BettingPlan { estimate: -0.02, ..PLAN }) > needed(PLAN));
        assert!(needed(BettingPlan { power: 0.9, ..PLAN }) > needed(PLAN));
        assert!(needed(BettingPlan { alpha: 0.01, ..PLAN }) > needed(PLAN));
        let mirrored = BettingPlan { estimate: 0.02, ..PLAN };
        assert_eq!(needed(mirrored), needed(BettingPlan { estimate: -0.02, ..PLAN }));
    }

    #[test]
    fn plans_that_cannot_be_are_refused() {
        assert_eq!(betting_units_needed(&BettingPlan { estimate: 0.05, ..PLAN }), Ok(None));
        for bad in [f64::NAN, f64::INFINITY, -1.0] {
            assert!(betting_units_needed(&BettingPlan { margin: bad, ..PLAN }).is_err());
            assert!(betting_units_needed(&BettingPlan { bound: bad, ..PLAN }).is_err());
            assert!(betting_units_needed(&BettingPlan { sd: bad, ..PLAN }).is_err());
            assert!(betting_units_needed(&BettingPlan { alpha: bad, ..PLAN }).is_err());
            assert!(betting_units_needed(&BettingPlan { power: bad, ..PLAN }).is_err());
        }
        assert!(betting_units_needed(&BettingPlan { estimate: f64::NAN, ..PLAN }).is_err());
    }
}
