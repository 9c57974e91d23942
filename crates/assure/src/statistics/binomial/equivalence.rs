//! Shares within a margin of each other: exact two one-sided tests, in pairs or between two groups.
//!
//! Null hypothesis: not equivalent. Errors are at most what they promise for every true pair of
//! shares and every number of units that was fixed before looking.
//! Invariant: both tests reject at `alpha` exactly when the interval at `1 - 2 alpha` lies inside
//! the margin, up to rounding.
//!
//! Not here: one-sided claims (see [`super::paired`]).

use tiepoint_model::verdict::{EquivalenceTest, Sides, TestKind};

use super::{
    StatisticsError, check_range, clopper_pearson,
    paired::{PairedCounts, paired_equivalence_interval, share_excess_low},
};

/// Exact two one-sided tests that the synthetic share lies within the margin of the real one.
///
/// # Errors
/// No pairs, a margin outside `(0, 1)`, or alpha outside `(0, 0.5)`.
///
/// # Source
/// As [`paired_equivalence_interval`]; each p is the smallest error at which its bound rejects, and
/// `p_outside` is doubled, for either side may refute.
pub fn paired_share_equivalence(
    counts: &PairedCounts,
    margin: f64,
    alpha: f64,
) -> Result<EquivalenceTest, StatisticsError> {
    let pairs = counts.pairs()? as f64;
    check_margin_and_alpha(margin, alpha)?;
    let (plus, minus) = (counts.synthetic_only as f64 / pairs, counts.real_only as f64 / pairs);
    let estimate = plus - minus;
    let square_sum = pairs * (plus + minus - estimate * estimate).max(0.0);
    let sd = if pairs > 1.0 { (square_sum / (pairs - 1.0)).sqrt() } else { 0.0 };
    let low = |error: f64| share_excess_low(counts, 2.0 * error);
    let mirrored = counts.mirrored();
    let low_mirrored = |error: f64| share_excess_low(&mirrored, 2.0 * error);
    let p = PValues::of(margin, low, low_mirrored)?;
    let interval = paired_equivalence_interval(counts, 2.0 * alpha)?;
    Ok(p.test(TestKind::ExactPairs, [estimate, sd], interval, margin))
}

/// Exact two one-sided tests that the share of the first group lies within the margin of that of
/// the second. Each group is `[successes, trials]`.
///
/// # Errors
/// No trials, more successes than trials, a margin outside `(0, 1)`, or alpha outside `(0, 0.5)`.
///
/// # Source
/// Bonferroni's inequality on two intervals of Clopper and Pearson 1934.
pub fn group_share_equivalence(
    first: [u64; 2],
    second: [u64; 2],
    margin: f64,
    alpha: f64,
) -> Result<EquivalenceTest, StatisticsError> {
    check_margin_and_alpha(margin, alpha)?;
    let interval = |error: f64| -> Result<[f64; 2], StatisticsError> {
        let [low, high] = clopper_pearson(first[0], first[1], error)?;
        let [other_low, other_high] = clopper_pearson(second[0], second[1], error)?;
        Ok([low - other_high, high - other_low])
    };
    let ends = interval(alpha)?;
    let p = PValues::of(margin, |error| Ok(interval(error)?[0]), |error| Ok(-interval(error)?[1]))?;
    let shares = [first, second].map(|[successes, trials]| successes as f64 / trials as f64);
    let variance = |share: f64| share * (1.0 - share);
    let sd = (variance(shares[0]) + variance(shares[1])).sqrt();
    Ok(p.test(TestKind::ExactGroups, [shares[0] - shares[1], sd], ends, margin))
}

/// Pairs at which the exact test would support the claim with about 80 % chance, if the shares of
/// discordant pairs `[synthetic only, real only]` stay as they are; `None` where no number up to
/// ten million would do.
///
/// The unfavourable share is taken 0.84 standard deviations above its mean.
#[must_use]
pub fn pairs_needed(shares: [f64; 2], margin: f64, alpha: f64, sides: Sides) -> Option<u64> {
    const COUNT_MAX: u64 = 10_000_000;
    const QUANTILE_OF_POWER: f64 = 0.841_621_233_572_914_3;
    let in_range = margin > 0.0 && margin < 1.0 && alpha > 0.0 && alpha < 0.5;
    if !(in_range && shares.iter().all(|share| (0.0..=1.0).contains(share))) {
        return None;
    }
    let low = |good: f64, bad: f64, count: u64| -> Option<f64> {
        let n = count as f64;
        let unlucky = n * bad + QUANTILE_OF_POWER * (n * bad * (1.0 - bad)).sqrt();
        let (real_only, synthetic_only) = (whole(unlucky.ceil().min(n)), whole((n * good).floor()));
        let synthetic_only = synthetic_only.min(count - real_only);
        let both = count - real_only - synthetic_only;
        let counts = PairedCounts { both, synthetic_only, real_only, neither: 0 };
        share_excess_low(&counts, 2.0 * alpha).ok()
    };
    let [plus, minus] = shares;
    let passes = |count: u64| {
        let not_below = || low(plus, minus, count).is_some_and(|low| low > -margin);
        let not_above = || low(minus, plus, count).is_some_and(|low| low > -margin);
        match sides {
            Sides::Both => not_below() && not_above(),
            Sides::NotBelow => not_below(),
            Sides::NotAbove => not_above(),
        }
    };
    let mut high = 2;
    while !passes(high) {
        high *= 2;
        if high > COUNT_MAX {
            return None;
        }
    }
    let mut low = high / 2;
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if passes(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    Some(high)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to ten million")]
fn whole(count: f64) -> u64 {
    count as u64
}

/// The smallest errors at which one-sided bounds reject.
struct PValues {
    /// Of "at or below minus the margin".
    lower: f64,
    /// Of "at or above the margin".
    upper: f64,
    /// Of "within the margin", either side.
    outside: f64,
}

impl PValues {
    /// `low` and `low_mirrored`: lower bounds of the difference and of its negative, by the error.
    fn of(
        margin: f64,
        low: impl Fn(f64) -> Result<f64, StatisticsError>,
        low_mirrored: impl Fn(f64) -> Result<f64, StatisticsError>,
    ) -> Result<Self, StatisticsError> {
        let above = smallest_error(&low, margin)?;
        let below = smallest_error(&low_mirrored, margin)?;
        Ok(Self {
            lower: smallest_error(&low, -margin)?,
            upper: smallest_error(&low_mirrored, -margin)?,
            outside: (2.0 * above.min(below)).min(1.0),
        })
    }

    fn test(
        &self,
        kind: TestKind,
        [estimate, sd]: [f64; 2],
        interval: [f64; 2],
        margin: f64,
    ) -> EquivalenceTest {
        EquivalenceTest {
            kind,
            sides: Sides::Both,
            estimate,
            sd,
            degrees_of_freedom: None,
            interval,
            margin,
            p_lower: self.lower,
            p_upper: self.upper,
            p_outside: self.outside,
            smallest_passing_margin: interval[0].abs().max(interval[1].abs()),
        }
    }
}

/// p of "the synthetic share exceeds the real one by the threshold or less", exact.
///
/// # Errors
/// No pairs.
///
/// # Source
/// As [`paired_share_equivalence`], one side.
pub fn share_excess_p(counts: &PairedCounts, threshold: f64) -> Result<f64, StatisticsError> {
    let low = |error: f64| share_excess_low(counts, 2.0 * error);
    smallest_error(&low, threshold)
}

/// The smallest error at which the bound lies above the threshold; 1 where none below a half does,
/// and one in 10^15 for every smaller one.
pub(super) fn smallest_error(
    bound: &impl Fn(f64) -> Result<f64, StatisticsError>,
    threshold: f64,
) -> Result<f64, StatisticsError> {
    // An interval exists for twice an error below 1; what is not rejected there counts as 1.
    const ERROR_MAX: f64 = 0.499;
    const ERROR_MIN: f64 = 1e-15;
    if bound(ERROR_MAX)? <= threshold {
        return Ok(1.0);
    }
    // 45 halvings of the logarithm leave one part in 10^12.
    let (mut kept, mut rejected) = (ERROR_MIN, ERROR_MAX);
    for _ in 0..45 {
        let middle = (kept * rejected).sqrt();
        if bound(middle)? <= threshold {
            kept = middle;
        } else {
            rejected = middle;
        }
    }
    Ok(rejected)
}

fn check_margin_and_alpha(margin: f64, alpha: f64) -> Result<(), StatisticsError> {
    check_range("margin", margin, margin > 0.0 && margin < 1.0, "between 0 and 1")?;
    check_range("alpha", alpha, alpha > 0.0 && alpha < 0.5, "between 0 and 0.5")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::binomial::paired::paired_share_noninferiority;

    fn pairs(synthetic_only: u64, real_only: u64, count: u64) -> PairedCounts {
        let both = count - synthetic_only - real_only;
        PairedCounts { both, synthetic_only, real_only, neither: 0 }
    }

    /// Each p is at or below alpha exactly when its end of the interval lies inside (or outside).
    #[test]
    fn p_values_and_intervals_agree() {
        for (plus, minus) in [(0, 0), (1, 3), (4, 4), (12, 1), (0, 20)] {
            for margin in [0.02, 0.05, 0.1, 0.2] {
                let test =
                    paired_share_equivalence(&pairs(plus, minus, 100), margin, 0.05).unwrap();
                let [low, high] = test.interval;
                assert_eq!(test.p_lower <= 0.05, low > -margin, "{plus} {minus} {margin}");
                assert_eq!(test.p_upper <= 0.05, high < margin, "{plus} {minus} {margin}");
                assert!(test.p_outside > 0.05 || low > margin || high < -margin);
                let groups =
                    group_share_equivalence([plus, 100], [minus, 100], margin, 0.05).unwrap();
                let [low, high] = groups.interval;
                assert_eq!(groups.p_lower <= 0.05, low > -margin, "{plus} {minus} {margin}");
                assert_eq!(groups.p_upper <= 0.05, high < margin, "{plus} {minus} {margin}");
            }
        }
    }

    #[test]
    fn the_lower_side_is_the_one_sided_test() {
        let counts = pairs(3, 7, 200);
        let two = paired_share_equivalence(&counts, 0.1, 0.05).unwrap();
        let one = paired_share_noninferiority(&counts, 0.1, 0.05).unwrap();
        assert_eq!((two.p_lower, two.interval[0]), (one.p, one.bound_low));
        let mirrored = paired_share_equivalence(&counts.mirrored(), 0.1, 0.05).unwrap();
        assert_eq!((mirrored.p_lower, mirrored.p_upper), (two.p_upper, two.p_lower));
    }

    /// Without discordant pairs the plan is the least number that can support at all.
    #[test]
    fn plans_begin_where_support_becomes_possible() {
        for margin in [0.02, 0.05, 0.1] {
            let least = crate::statistics::choice::outcome_count_min(margin, 0.05).unwrap();
            assert_eq!(pairs_needed([0.0, 0.0], margin, 0.05, Sides::Both), Some(least));
        }
        assert_eq!(pairs_needed([0.0, 0.2], 0.1, 0.05, Sides::Both), None);
        assert!(pairs_needed([0.2, 0.0], 0.1, 0.05, Sides::NotBelow).is_some());
        assert_eq!(pairs_needed([0.2, f64::NAN], 0.1, 0.05, Sides::Both), None);
    }

    #[test]
    fn shares_that_cannot_be_are_refused() {
        assert!(paired_share_equivalence(&pairs(0, 0, 0), 0.1, 0.05).is_err());
        assert!(paired_share_equivalence(&pairs(0, 0, 9), 1.0, 0.05).is_err());
        assert!(paired_share_equivalence(&pairs(0, 0, 9), f64::NAN, 0.05).is_err());
        assert!(group_share_equivalence([1, 0], [0, 3], 0.1, 0.05).is_err());
        assert!(group_share_equivalence([4, 3], [0, 3], 0.1, 0.05).is_err());
    }
}
