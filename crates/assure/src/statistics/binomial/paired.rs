//! Pairs of outcomes, each a success or not: did the synthetic twin fail where the real run did?
//!
//! Only the discordant pairs carry the difference of the two shares.
//! Invariant: interval and test are exact for every true pair of discordant shares and every
//! number of pairs, at the price of some width.
//!
//! Not here: two groups without pairs (see [`super::two_groups`]).

use tiepoint_model::math::{exp, ln, ln_gamma};

use super::{StatisticsError, check_range, equivalence::smallest_error, share_high, share_low};
use crate::statistics::noninferiority::{OneSidedKind, OneSidedTest};

/// How many pairs came out in each of the four ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PairedCounts {
    /// Success in both.
    pub both: u64,
    /// Success in the synthetic one only.
    pub synthetic_only: u64,
    /// Success in the real one only.
    pub real_only: u64,
    /// Success in neither.
    pub neither: u64,
}

impl PairedCounts {
    /// Counts of pairs, row by row.
    ///
    /// # Errors
    /// Two lengths, or no pairs.
    pub fn of(synthetic: &[bool], real: &[bool]) -> Result<Self, StatisticsError> {
        if synthetic.len() != real.len() {
            return Err(StatisticsError::LengthMismatch {
                left_count: synthetic.len(),
                right_count: real.len(),
            });
        }
        let mut counts = Self { both: 0, synthetic_only: 0, real_only: 0, neither: 0 };
        for pair in synthetic.iter().zip(real) {
            *match pair {
                (true, true) => &mut counts.both,
                (true, false) => &mut counts.synthetic_only,
                (false, true) => &mut counts.real_only,
                (false, false) => &mut counts.neither,
            } += 1;
        }
        counts.pairs()?;
        Ok(counts)
    }

    /// All pairs.
    ///
    /// # Errors
    /// None, or more than fit 64 bits.
    pub fn pairs(&self) -> Result<u64, StatisticsError> {
        let parts = [self.both, self.synthetic_only, self.real_only, self.neither];
        let pairs = parts.iter().try_fold(0_u64, |sum, part| sum.checked_add(*part));
        match pairs {
            Some(0) => Err(StatisticsError::TooFew { count: 0, min: 1 }),
            Some(pairs) => Ok(pairs),
            None => check_range("pairs", f64::INFINITY, false, "below 2^64").map(|()| 0),
        }
    }

    /// The two sides exchanged.
    #[must_use]
    pub fn mirrored(&self) -> Self {
        Self { synthetic_only: self.real_only, real_only: self.synthetic_only, ..*self }
    }

    /// Pairs that came out differently.
    #[must_use]
    pub fn discordant(&self) -> u64 {
        self.synthetic_only.saturating_add(self.real_only)
    }
}

/// McNemar's exact test that the two shares are equal: two-sided p, 1 where no pair is discordant.
///
/// A large p is no evidence that they are equal; see [`paired_equivalence_interval`].
///
/// # Source
/// McNemar, Psychometrika 12(2), 1947, with the binomial law instead of chi-squared.
#[must_use]
pub fn mcnemar_exact(counts: &PairedCounts) -> f64 {
    let (fewer, all) = (counts.synthetic_only.min(counts.real_only), counts.discordant());
    let n = all as f64;
    let ln_choose = |k: f64| ln_gamma(n + 1.0) - ln_gamma(k + 1.0) - ln_gamma(n - k + 1.0);
    // The tail falls by a factor of two or more each step below the middle, from its largest term.
    let mut tail = 0.0;
    for k in (0..=fewer).rev() {
        let term = exp(ln_choose(k as f64) - n * ln(2.0));
        tail += term;
        if term < tail * 1e-18 {
            break;
        }
    }
    (2.0 * tail).min(1.0)
}

/// Interval for the synthetic share minus the real share, at confidence `1 - alpha`.
///
/// The exact intervals of the two discordant shares, each at half of alpha, put together at their
/// worst: a stated bound for every truth, where the usual intervals for pairs are approximate.
///
/// # Errors
/// No pairs, or alpha outside `(0, 1)`.
///
/// # Source
/// Bonferroni's inequality on two intervals of Clopper and Pearson 1934.
pub fn paired_equivalence_interval(
    counts: &PairedCounts,
    alpha: f64,
) -> Result<[f64; 2], StatisticsError> {
    let low = share_excess_low(counts, alpha)?;
    Ok([low, -share_excess_low(&counts.mirrored(), alpha)?])
}

/// Lower end of the interval above.
pub(super) fn share_excess_low(counts: &PairedCounts, alpha: f64) -> Result<f64, StatisticsError> {
    let pairs = counts.pairs()?;
    check_range("alpha", alpha, alpha > 0.0 && alpha < 1.0, "between 0 and 1")?;
    let low = share_low(counts.synthetic_only, pairs, alpha / 4.0);
    Ok(low - share_high(counts.real_only, pairs, alpha / 4.0))
}

/// Exact test that the synthetic share is not below the real one by the margin or more.
///
/// For a claim of safety "success" is a failure of the system: the twin must not hide failures.
///
/// # Errors
/// No pairs, a margin outside `(0, 1)`, or alpha outside `(0, 0.5)`.
///
/// # Source
/// As [`paired_equivalence_interval`], lower end alone; p is the smallest alpha that rejects.
pub fn paired_share_noninferiority(
    counts: &PairedCounts,
    margin: f64,
    alpha: f64,
) -> Result<OneSidedTest, StatisticsError> {
    let pairs = counts.pairs()?;
    check_range("margin", margin, margin > 0.0 && margin < 1.0, "between 0 and 1")?;
    check_range("alpha", alpha, alpha > 0.0 && alpha < 0.5, "between 0 and 0.5")?;
    // A one-sided bound at error `a` is the interval at `2 a`.
    let bound = |error: f64| share_excess_low(counts, 2.0 * error);
    let bound_low = bound(alpha)?;
    let p = smallest_error(&bound, -margin)?;
    Ok(OneSidedTest {
        kind: OneSidedKind::ExactPairs,
        estimate: (counts.synthetic_only as f64 - counts.real_only as f64) / pairs as f64,
        bound_low,
        margin,
        p,
        smallest_passing_margin: (-bound_low).max(0.0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn discordant(synthetic_only: u64, real_only: u64, pairs: u64) -> PairedCounts {
        let both = pairs - synthetic_only - real_only;
        PairedCounts { both, synthetic_only, real_only, neither: 0 }
    }

    /// statsmodels 0.15.0, `mcnemar(exact=True)`.
    #[test]
    fn mcnemar_agrees_with_statsmodels() {
        for (b, c, p) in [(3, 12, 0.035_156_25), (0, 6, 0.031_25), (1, 9, 0.021_484_375)] {
            let ours = mcnemar_exact(&discordant(b, c, 40));
            assert!((ours - p).abs() < 1e-12, "{b} {c}: {ours}");
        }
        assert_eq!(mcnemar_exact(&discordant(5, 5, 40)), 1.0);
        assert_eq!(mcnemar_exact(&discordant(0, 0, 40)), 1.0);
        assert!(mcnemar_exact(&discordant(1_000_000, 1_100_000, 1 << 40)) < 1e-300);
    }

    /// Every truth on a grid, every outcome of 12 pairs: the interval misses at most alpha often.
    #[test]
    fn the_interval_covers_every_truth() {
        let (pairs, alpha) = (12_u64, 0.1);
        let ln_factorial = |k: u64| ln_gamma(k as f64 + 1.0);
        let power = |share: f64, k: u64| if k == 0 { 0.0 } else { k as f64 * ln(share) };
        for (a, b) in (0..=10).flat_map(|a| (0..=10 - a).map(move |b| (a, b))) {
            let (p, q) = (f64::from(a) / 10.0, f64::from(b) / 10.0);
            let rest = 1.0 - p - q;
            let mut missed = 0.0;
            for (i, j) in (0..=pairs).flat_map(|i| (0..=pairs - i).map(move |j| (i, j))) {
                let k = pairs - i - j;
                let impossible = (p <= 0.0 && i > 0) || (q <= 0.0 && j > 0);
                if impossible || (rest < 1e-9 && k > 0) {
                    continue;
                }
                let [low, high] =
                    paired_equivalence_interval(&discordant(i, j, pairs), alpha).unwrap();
                if !(low..=high).contains(&(p - q)) {
                    let ln_ways =
                        ln_factorial(pairs) - ln_factorial(i) - ln_factorial(j) - ln_factorial(k);
                    missed += exp(ln_ways + power(p, i) + power(q, j) + power(rest, k));
                }
            }
            assert!(missed <= alpha, "{p} {q}: {missed}");
        }
    }

    /// p is at or below alpha exactly when the bound lies above minus the margin.
    #[test]
    fn p_and_bound_of_the_paired_test_agree() {
        for real_only in 0..6 {
            for margin in [0.01, 0.05, 0.1, 0.2, 0.5] {
                let counts = discordant(1, real_only, 60);
                let test = paired_share_noninferiority(&counts, margin, 0.05).unwrap();
                assert_eq!(test.p <= 0.05, test.bound_low > -margin, "{real_only} {margin}");
                assert_eq!(test.p <= 0.05, test.smallest_passing_margin < margin);
            }
        }
    }

    #[test]
    fn pairs_that_cannot_be_are_refused() {
        assert_eq!(
            PairedCounts::of(&[true], &[]),
            Err(StatisticsError::LengthMismatch { left_count: 1, right_count: 0 })
        );
        assert!(PairedCounts::of(&[], &[]).is_err());
        let counts = PairedCounts::of(&[true, false, true], &[true, true, false]).unwrap();
        assert_eq!((counts.discordant(), counts.pairs()), (2, Ok(3)));
        let huge = PairedCounts { both: u64::MAX, synthetic_only: 1, real_only: 0, neither: 0 };
        assert!(huge.pairs().is_err());
        assert!(paired_share_noninferiority(&counts, 0.0, 0.05).is_err());
        assert!(paired_share_noninferiority(&counts, 0.1, 0.5).is_err());
    }
}
