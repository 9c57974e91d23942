//! The claim's test on paired differences: the one that its kind of units asks for, on the sides
//! that its kind of claim asks for.
//!
//! Invariant: controls get the same test as the claim.
//! Differences are synthetic minus real, in the margin's unit; of binary outcomes -1, 0 or 1.
//!
//! Not here: whether the units are fit for it.

use tiepoint_model::{
    claim::{Claim, ClaimKind, Outcome, Worse},
    verdict::{EquivalenceTest, Sides},
};

use crate::{
    limitation::significant,
    statistics::{
        StatisticsError,
        betting::{
            BettingPlan, EProcess, Side, betting_equivalence, betting_units_needed, unit_count_min,
        },
        binomial::{
            equivalence::{
                group_share_equivalence, paired_share_equivalence, pairs_needed, share_excess_p,
            },
            paired::PairedCounts,
        },
        choice::{Test, outcome_count_min},
        equivalence::{paired_equivalence, units_needed, welch_equivalence},
    },
};

/// The test that the claim's units and outcomes ask for.
pub(crate) fn family(claim: &Claim) -> Test {
    match (claim.outcome, claim.unit.is_independent()) {
        (Outcome::Binary { .. }, _) => Test::ExactPairs,
        (Outcome::Continuous {}, true) => Test::Betting,
        (Outcome::Continuous {}, false) => Test::PairedT,
    }
}

/// Which hypotheses must be rejected: a claim of safety allows the synthetic side to be worse.
pub(crate) fn sides(claim: &Claim) -> Sides {
    match (claim.kind, claim.worse) {
        (ClaimKind::Safety, Some(Worse::Larger)) => Sides::NotBelow,
        (ClaimKind::Safety, Some(Worse::Smaller)) => Sides::NotAbove,
        _ => Sides::Both,
    }
}

/// The claim's test on paired differences, in the order in which the units came.
pub(crate) fn paired_test(
    claim: &Claim,
    differences: &[f64],
) -> Result<EquivalenceTest, StatisticsError> {
    let (margin, alpha) = (claim.margin.value, claim.alpha);
    let test = match family(claim) {
        Test::Betting => betting_equivalence(differences, margin, bound(claim), alpha)?,
        Test::PairedT => paired_equivalence(differences, margin, alpha)?,
        Test::ExactPairs => paired_share_equivalence(&counts(differences), margin, alpha)?,
    };
    one_sided(claim, test, differences)
}

/// The claim's metric on two groups of real units that are not paired.
pub(crate) fn group_test(
    claim: &Claim,
    first: &[f64],
    second: &[f64],
) -> Result<EquivalenceTest, StatisticsError> {
    let (margin, alpha) = (claim.margin.value, claim.alpha);
    if claim.outcome.is_continuous() {
        return welch_equivalence(first, second, margin, alpha);
    }
    let group = |values: &[f64]| {
        let successes = values.iter().filter(|value| **value > 0.0).count();
        [successes as u64, values.len() as u64]
    };
    group_share_equivalence(group(first), group(second), margin, alpha)
}

/// What is left of a two-sided test where only one side is claimed.
fn one_sided(
    claim: &Claim,
    test: EquivalenceTest,
    differences: &[f64],
) -> Result<EquivalenceTest, StatisticsError> {
    let sides = sides(claim);
    let [low, high] = test.interval;
    let (p, reach, sign) = match sides {
        Sides::Both => return Ok(test),
        Sides::NotBelow => (test.p_lower, -low, 1.0),
        Sides::NotAbove => (test.p_upper, high, -1.0),
    };
    let (margin, alpha) = (claim.margin.value, claim.alpha);
    let p_outside = match family(claim) {
        // Student's law is symmetric: what is not on one side is on the other.
        Test::PairedT => 1.0 - p,
        Test::Betting => {
            let mut process = EProcess::new(Side::AtLeast, in_unit(-margin, bound(claim)), alpha)?;
            for difference in differences {
                process.push(in_unit(sign * difference, bound(claim)))?;
            }
            process.p_value()
        }
        Test::ExactPairs => {
            // "Below minus the margin" of one side is "above the margin" of the other.
            let counts = counts(differences);
            let towards_harm = if sign > 0.0 { counts.mirrored() } else { counts };
            share_excess_p(&towards_harm, margin)?
        }
    };
    let unclaimed = |claimed: bool, p: f64| if claimed { p } else { 0.0 };
    Ok(EquivalenceTest {
        sides,
        p_lower: unclaimed(sides == Sides::NotBelow, test.p_lower),
        p_upper: unclaimed(sides == Sides::NotAbove, test.p_upper),
        p_outside,
        smallest_passing_margin: reach.max(0.0),
        ..test
    })
}

/// Both one-sided tests reject, or the one that is claimed.
pub(crate) fn supports(test: &EquivalenceTest, alpha: f64) -> bool {
    test.p_lower.max(test.p_upper) <= alpha
}

/// Evidence for the claim after the last unit: at most 1 on average if it were false.
pub(crate) fn e_equivalence(claim: &Claim, differences: &[f64]) -> Option<f64> {
    if family(claim) != Test::Betting || differences.is_empty() {
        return None;
    }
    let (margin, bound) = (claim.margin.value, bound(claim));
    let evidence = |side, mean: f64| {
        let mut process = EProcess::new(side, in_unit(mean, bound), claim.alpha).ok()?;
        for difference in differences {
            process.push(in_unit(*difference, bound)).ok()?;
        }
        Some(process.e_value())
    };
    let not_below = || evidence(Side::AtMost, -margin);
    let not_above = || evidence(Side::AtLeast, margin);
    match sides(claim) {
        Sides::Both => Some(not_below()?.min(not_above()?)),
        Sides::NotBelow => not_below(),
        Sides::NotAbove => not_above(),
    }
}

/// What the test promises, and under which condition.
pub(crate) fn guarantee(claim: &Claim, simulated_size: Option<f64>) -> String {
    let percent = significant(100.0 * claim.alpha);
    let [_, units] = claim.unit.words();
    match family(claim) {
        Test::Betting => format!(
            "of false claims at most {percent} % are ever supported, however often one looks and \
             whatever the law of the differences, if {units} know nothing of each other"
        ),
        Test::ExactPairs => format!(
            "of false claims at most {percent} % are supported, whatever the true shares, if \
             {units} know nothing of each other and their number was fixed before"
        ),
        Test::PairedT => match simulated_size {
            Some(size) => format!(
                "for the measured dependence a claim that is false by just the margin is supported \
                 {} % of the time (simulated), {percent} % being nominal, if the number of blocks \
                 was fixed before",
                significant(100.0 * size)
            ),
            None => {
                "nothing: the dependence of successive samples could not be measured".to_owned()
            }
        },
    }
}

/// Units for about 80 % chance of support, if the estimate stays as it is.
pub(crate) fn units_for_support(claim: &Claim, test: &EquivalenceTest) -> Option<u64> {
    let (margin, alpha) = (claim.margin.value, claim.alpha);
    // A difference on the allowed side of a one-sided claim is no burden.
    let estimate = match test.sides {
        Sides::Both => test.estimate,
        Sides::NotBelow => test.estimate.min(0.0),
        Sides::NotAbove => test.estimate.max(0.0),
    };
    match family(claim) {
        Test::PairedT => units_needed(estimate, test.sd, margin, alpha),
        Test::Betting => {
            let bound = bound(claim);
            let sd = test.sd.min(bound);
            let plan = BettingPlan { estimate, sd, margin, bound, alpha, power: 0.8 };
            betting_units_needed(&plan).ok().flatten()
        }
        Test::ExactPairs => {
            // Of n pairs the squares of the differences sum to the discordant ones.
            let square = test.sd * test.sd + test.estimate * test.estimate;
            let discordant = square.clamp(test.estimate.abs(), 1.0);
            let shares = [discordant + test.estimate, discordant - test.estimate];
            pairs_needed(shares.map(|share| share / 2.0), margin, alpha, test.sides)
        }
    }
}

/// Fewest units that could support the claim without any difference.
pub(crate) fn least_units(claim: &Claim) -> Option<u64> {
    match family(claim) {
        Test::PairedT => None,
        Test::Betting => unit_count_min(claim.margin.value, bound(claim), claim.alpha),
        Test::ExactPairs => outcome_count_min(claim.margin.value, claim.alpha),
    }
}

/// Largest possible difference; a sound claim of runs has one.
pub(crate) fn bound(claim: &Claim) -> f64 {
    claim.bound.unwrap_or(f64::INFINITY)
}

/// A difference in `[-bound, bound]` as a value in `[0, 1]`.
fn in_unit(difference: f64, bound: f64) -> f64 {
    ((difference + bound) / (2.0 * bound)).clamp(0.0, 1.0)
}

/// Pairs by how they came out; those that agree count as successes, for nothing depends on it.
fn counts(differences: &[f64]) -> PairedCounts {
    let count = |sign: f64| differences.iter().filter(|d| **d * sign > 0.0).count() as u64;
    let (synthetic_only, real_only) = (count(1.0), count(-1.0));
    let both = differences.len() as u64 - synthetic_only - real_only;
    PairedCounts { both, synthetic_only, real_only, neither: 0 }
}
