//! Two groups of outcomes without pairs: exact unconditional test of a difference of shares.
//!
//! Invariant: the p-value is the worst over the unknown common share, so that the error is at most
//! alpha whatever that share is.
//! The worst is sought on a grid and then refined; between grid points the chance is smooth.
//!
//! Not here: pairs (see [`super::paired`]), which need far fewer units.

use std::f64::consts::PI;

use tiepoint_model::math::{acos, cos, exp, ln, ln_1p, ln_gamma};

use super::{StatisticsError, check_range};

/// Tables of more outcomes than this are refused: their test takes minutes.
const OUTCOMES_MAX: u64 = 250_000;

/// Steps of the unknown share.
const SHARE_STEPS: u32 = 400;

/// p of "the share of the first group is below that of the second by the margin or more".
///
/// Outcomes are ordered by the score statistic, whose variance obeys the hypothesis. With margin 0
/// this is Barnard's test, one-sided.
///
/// # Inputs
/// `[successes, trials]` of each group; a margin in `[0, 1)`.
///
/// # Errors
/// No trials, more successes than trials, more than 250,000 possible outcomes, margin out of range.
///
/// # Source
/// Barnard, Biometrika 34, 1947; Chan, Statistics in Medicine 17, 1998, for the margin; statistic
/// of Farrington and Manning, Statistics in Medicine 9, 1990; with margin 0 equal to
/// `scipy.stats.barnard_exact`, pooled.
pub fn unconditional_noninferiority(
    first: [u64; 2],
    second: [u64; 2],
    margin: f64,
) -> Result<f64, StatisticsError> {
    for [successes, trials] in [first, second] {
        if trials == 0 {
            return Err(StatisticsError::TooFew { count: 0, min: 1 });
        }
        check_range("successes", successes as f64, successes <= trials, "at most the trials")?;
    }
    check_range("margin", margin, (0.0..1.0).contains(&margin), "at least 0 and below 1")?;
    let outcomes = (first[1].saturating_add(1)).saturating_mul(second[1].saturating_add(1));
    let few = outcomes <= OUTCOMES_MAX;
    check_range("outcomes", outcomes as f64, few, "at most 250000: pair the units instead")?;
    let counts = [first[1] as f64, second[1] as f64];
    let observed = score([first[0] as f64, second[0] as f64], counts, margin);
    let extreme: Vec<Vec<bool>> = (0..=first[1])
        .map(|a| {
            let at_least = |b: u64| score([a as f64, b as f64], counts, margin) >= observed - 1e-9;
            (0..=second[1]).map(at_least).collect()
        })
        .collect();
    let laws = [first[1], second[1]].map(Binomial::new);
    // The first share runs over [0, 1 - margin], the second lies above it by the margin.
    let chance = |share: f64| -> f64 {
        let masses = laws[1].masses(share + margin);
        let rows = laws[0].masses(share).into_iter().zip(&extreme);
        rows.map(|(mass, row)| {
            let inside = row.iter().zip(&masses).filter(|(extreme, _)| **extreme);
            mass * inside.map(|(_, mass)| mass).sum::<f64>()
        })
        .sum()
    };
    let step = (1.0 - margin) / f64::from(SHARE_STEPS);
    let on_grid = (0..=SHARE_STEPS).map(|index| f64::from(index) * step);
    let worst = on_grid.max_by(|a, b| chance(*a).total_cmp(&chance(*b))).unwrap_or(0.0);
    let (low, high) = ((worst - step).max(0.0), (worst + step).min(1.0 - margin));
    Ok(largest_between(low, high, chance).max(chance(worst)).min(1.0))
}

/// Largest value of a function with one peak between two points, by thirds.
fn largest_between(mut low: f64, mut high: f64, value: impl Fn(f64) -> f64) -> f64 {
    for _ in 0..40 {
        let (left, right) = (low + (high - low) / 3.0, high - (high - low) / 3.0);
        if value(left) < value(right) {
            low = left;
        } else {
            high = right;
        }
    }
    value(0.5 * (low + high))
}

/// Difference of the shares plus the margin, in standard errors under "it is minus the margin".
fn score(successes: [f64; 2], counts: [f64; 2], margin: f64) -> f64 {
    let shares = [successes[0] / counts[0], successes[1] / counts[1]];
    let excess = shares[0] - shares[1] + margin;
    let [a, b] = restricted_shares(shares, counts, margin);
    let variance = a * (1.0 - a) / counts[0] + b * (1.0 - b) / counts[1];
    if variance > 1e-15 {
        excess / variance.sqrt()
    } else if excess.abs() < 1e-12 {
        0.0
    } else {
        excess.signum() * f64::INFINITY
    }
}

/// Likeliest shares with `first = second - margin`: a root of a cubic, in closed form.
fn restricted_shares(shares: [f64; 2], counts: [f64; 2], margin: f64) -> [f64; 2] {
    let [p, q] = shares;
    let theta = counts[1] / counts[0];
    let a = 1.0 + theta;
    let b = -(1.0 + theta + p + theta * q - margin * (theta + 2.0));
    let c = margin * margin - margin * (2.0 * p + theta + 1.0) + p + theta * q;
    let d = p * margin * (1.0 - margin);
    let third = b / (3.0 * a);
    let v = third * third * third - b * c / (6.0 * a * a) + d / (2.0 * a);
    let u_square = third * third - c / (3.0 * a);
    let u = v.signum() * u_square.max(0.0).sqrt();
    let cube = u * u * u;
    let ratio = if cube.abs() > 1e-300 { (v / cube).clamp(-1.0, 1.0) } else { 1.0 };
    let first = 2.0 * u * cos((PI + acos(ratio)) / 3.0) - third;
    let first = first.clamp(0.0, 1.0 - margin);
    [first, (first + margin).clamp(0.0, 1.0)]
}

/// Chances of 0 to `count` successes.
struct Binomial {
    ln_choose: Vec<f64>,
}

impl Binomial {
    fn new(count: u64) -> Self {
        let n = count as f64;
        let ln_choose = (0..=count)
            .map(|k| {
                let k = k as f64;
                ln_gamma(n + 1.0) - ln_gamma(k + 1.0) - ln_gamma(n - k + 1.0)
            })
            .collect();
        Self { ln_choose }
    }

    fn masses(&self, share: f64) -> Vec<f64> {
        let last = self.ln_choose.len() - 1;
        let certain = |at: usize| (0..=last).map(|k| f64::from(u8::from(k == at))).collect();
        if share <= 0.0 {
            return certain(0);
        }
        if share >= 1.0 {
            return certain(last);
        }
        let (ln_hit, ln_miss) = (ln(share), ln_1p(-share));
        let mass = |(k, ln_choose): (usize, &f64)| {
            exp(ln_choose + k as f64 * ln_hit + (last - k) as f64 * ln_miss)
        };
        self.ln_choose.iter().enumerate().map(mass).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SciPy 1.17.1, `barnard_exact(alternative="greater")`, pooled; its search for the worst share
    /// stops within 1e-6.
    #[test]
    fn without_a_margin_it_is_barnards_test() {
        for (first, second, expected) in [
            ([12, 15], [7, 15], 0.034_109_15),
            ([45, 50], [40, 50], 0.104_329_09),
            ([15, 15], [11, 15], 0.021_639_61),
        ] {
            let p = unconditional_noninferiority(first, second, 0.0).unwrap();
            assert!((p - expected).abs() < 1e-5, "{first:?} {second:?}: {p}");
        }
    }

    /// Two groups of 14 with shares at the margin, every outcome: false support at most alpha.
    #[test]
    fn the_error_at_the_margin_is_at_most_alpha() {
        let (count, margin, alpha) = (14_u64, 0.15, 0.05);
        let rejected: Vec<Vec<bool>> = (0..=count)
            .map(|a| {
                let p = |b| unconditional_noninferiority([a, count], [b, count], margin).unwrap();
                (0..=count).map(|b| p(b) <= alpha).collect()
            })
            .collect();
        let law = Binomial::new(count);
        let mut worst = 0.0_f64;
        for step in 0..=34 {
            let share = f64::from(step) * 0.025;
            let (a, b) = (law.masses(share), law.masses(share + margin));
            let error: f64 = rejected
                .iter()
                .zip(a)
                .map(|(row, mass)| {
                    let inside = row.iter().zip(&b).filter(|(rejected, _)| **rejected);
                    mass * inside.map(|(_, mass)| mass).sum::<f64>()
                })
                .sum();
            worst = worst.max(error);
        }
        assert!(worst <= alpha + 1e-9, "{worst}");
        assert!(worst > 0.01, "the level is used: {worst}");
    }

    #[test]
    fn more_successes_and_a_wider_margin_never_raise_p() {
        let p = |hits, margin| unconditional_noninferiority([hits, 20], [15, 20], margin).unwrap();
        for hits in 0..20 {
            assert!(p(hits + 1, 0.1) <= p(hits, 0.1) + 1e-9, "{hits}");
            assert!(p(hits, 0.2) <= p(hits, 0.1) + 1e-9, "{hits}");
        }
    }

    #[test]
    fn groups_that_cannot_be_are_refused() {
        assert!(unconditional_noninferiority([0, 0], [1, 2], 0.1).is_err());
        assert!(unconditional_noninferiority([3, 2], [1, 2], 0.1).is_err());
        assert!(unconditional_noninferiority([1, 2], [1, 2], 1.0).is_err());
        assert!(unconditional_noninferiority([1, 2], [1, 2], f64::NAN).is_err());
        assert!(unconditional_noninferiority([1, u64::MAX], [1, 2], 0.1).is_err());
    }
}
