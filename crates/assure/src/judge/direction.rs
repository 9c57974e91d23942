//! One cell in one direction: the test, and whether its units are fit for it.
//!
//! Invariant: a direction whose units are not fit for the test neither supports nor refutes.
//! Values are in the margin's unit.
//!
//! Not here: controls, and the correction for many cells.

use tiepoint_model::{
    claim::{Claim, Independence, Split, UnitChoice},
    verdict::{Answer, DirectionFacts, DirectionResult, EquivalenceTest, Sides, UnitOutcome},
};

use super::tested::{
    e_equivalence, family, guarantee, least_units, paired_test, supports, units_for_support,
};
use crate::{
    limitation::significant,
    statistics::{
        choice::{Question, Test, Unfit, Units, choose_test},
        dependence::{BlockedRun, REPLICATIONS, simulated_size},
    },
};

/// More lost units than this share, and what is left may be a selection.
pub(crate) const LOST_SHARE_MAX: f64 = 0.05;

/// A margin so wide that only one of two one-sided tests can fail.
const MARGIN_OVER_SD_MAX: f64 = 1e6;

/// A direction's result and, if its units are fit, the p-values that count.
pub(crate) struct Judged {
    pub(crate) result: DirectionResult,
    pub(crate) p_equivalence: Option<f64>,
    pub(crate) p_outside: Option<f64>,
}

/// `declared`: why the number of units is not the one declared, if it is not.
pub(crate) fn judge_direction(
    claim: &Claim,
    cell: &str,
    facts: &DirectionFacts,
    units: &[&UnitOutcome],
    declared: Option<&str>,
) -> Judged {
    let differences: Vec<f64> = units.iter().filter_map(|unit| unit.difference).collect();
    let mut result = DirectionResult {
        direction: facts.direction.clone(),
        answer: Answer::InsufficientEvidence,
        reason: String::new(),
        unit_count: differences.len(),
        lost_count: units.len() - differences.len(),
        test: paired_test(claim, &differences).ok(),
        guarantee: String::new(),
        e_equivalence: e_equivalence(claim, &differences),
        autocorrelation_time_s: None,
        block_autocorrelation_times: None,
        simulated_size: None,
        unit_count_needed: None,
    };
    if let UnitChoice::Block { length_s } = claim.unit {
        describe_blocks(claim, cell, facts, length_s, &mut result);
    }
    result.guarantee = guarantee(claim, result.simulated_size);
    let has_real = units.iter().any(|unit| unit.values.real.is_some());
    let obstacle = if has_real {
        declared.map(str::to_owned).or_else(|| obstacle(claim, facts, &result))
    } else {
        result.answer = Answer::NotAssessed;
        Some("no unit of this cell has a real value".to_owned())
    };
    let read = match (obstacle, result.test) {
        (Some(reason), _) => {
            result.reason = reason;
            None
        }
        (None, test) => test,
    };
    let for_support = result.test.filter(|test| !supports(test, claim.alpha));
    let for_support = for_support.and_then(|test| units_for_support(claim, &test));
    if let Some(test) = read {
        (result.answer, result.reason) = reading(claim, &test, differences.len(), for_support);
    }
    if result.answer == Answer::InsufficientEvidence {
        // Never fewer than could support at all.
        let least = least_units(claim);
        result.unit_count_needed =
            for_support.map_or(least, |units| Some(units.max(least.unwrap_or(0))));
    }
    Judged {
        p_equivalence: read.map(|test| test.p_lower.max(test.p_upper)),
        p_outside: read.map(|test| test.p_outside),
        result,
    }
}

/// Dependence within the run, and what it does to the test.
fn describe_blocks(
    claim: &Claim,
    cell: &str,
    facts: &DirectionFacts,
    length_s: f64,
    result: &mut DirectionResult,
) {
    let Some(dependence) = facts.dependence else { return };
    let time_s = dependence.autocorrelation_time_s();
    result.autocorrelation_time_s = Some(time_s);
    result.block_autocorrelation_times = Some(length_s / time_s);
    let Some(test) = result.test.filter(|test| test.sd > 0.0) else { return };
    let run = BlockedRun {
        autocorrelation_time_samples: dependence.autocorrelation_time_samples,
        samples_per_block: length_s / dependence.sample_interval_s,
        block_count: result.unit_count,
        margin_over_sd: match test.sides {
            Sides::Both => test.margin / test.sd,
            Sides::NotBelow | Sides::NotAbove => MARGIN_OVER_SD_MAX,
        },
    };
    let purpose = format!("size of the test/{cell}/{}", facts.direction);
    let seed = claim.seeds.base.for_purpose(&purpose);
    result.simulated_size = simulated_size(&run, claim.alpha, seed, REPLICATIONS);
}

/// Why the units are not fit for the test, if they are not.
fn obstacle(claim: &Claim, facts: &DirectionFacts, result: &DirectionResult) -> Option<String> {
    let (count, lost) = (result.unit_count, result.lost_count);
    let total = count + lost;
    if lost as f64 > LOST_SHARE_MAX * total as f64 {
        return Some(format!(
            "{lost} of {total} units could not be measured, more than 5 %: the rest may be a \
             selection"
        ));
    }
    let Some(test) = result.test.filter(|_| count >= 2) else {
        return Some(format!("{count} units are too few: at least 2 are needed"));
    };
    let is_block = !claim.unit.is_independent();
    if is_block && test.sd <= 0.0 {
        let reason = "the difference is the same in every unit, so that no test can tell how far \
                      it scatters";
        return Some(reason.to_owned());
    }
    if is_block && let Some(reason) = guard_obstacle(claim, facts, result) {
        return Some(reason);
    }
    let units = match family(claim) {
        Test::Betting => Units::Independent { bound: claim.bound },
        Test::ExactPairs => Units::Outcomes,
        Test::PairedT => Units::Blocks {
            length_in_autocorrelation_times: result.block_autocorrelation_times,
            simulated_size: result.simulated_size,
        },
    };
    let (margin, alpha) = (claim.margin.value, claim.alpha);
    let question = Question { units, unit_count: count as u64, margin, alpha };
    choose_test(&question).err().map(|unfit| in_words(claim, result, unfit))
}

/// Time left out between the halves must cover the dependence.
fn guard_obstacle(
    claim: &Claim,
    facts: &DirectionFacts,
    result: &DirectionResult,
) -> Option<String> {
    let time_s = result.autocorrelation_time_s?;
    let (Split::ContiguousHalves { guard_autocorrelation_times, .. }, Independence::WithinRun) =
        (claim.split, claim.independence)
    else {
        return None;
    };
    let guard_min_s = guard_autocorrelation_times * time_s;
    (facts.guard_s < guard_min_s).then(|| {
        format!(
            "the guard between the halves is {} s, and must be {} s",
            significant(facts.guard_s),
            significant(guard_min_s)
        )
    })
}

/// Why no test fits, in the claim's own words.
fn in_words(claim: &Claim, result: &DirectionResult, unfit: Unfit) -> String {
    let [_, units] = claim.unit.words();
    match unfit {
        Unfit::TooFew { count, min } => {
            format!("{count} {units} cannot suffice: even without any difference {min} are needed")
        }
        Unfit::MarginTooSmall { .. } => {
            format!("no number of {units} suffices for this margin and bound")
        }
        Unfit::DependenceUnknown => {
            "the dependence of successive samples could not be measured".to_owned()
        }
        Unfit::BlocksTooShort { length, min } => {
            let UnitChoice::Block { length_s } = claim.unit else { return unfit.to_string() };
            format!(
                "blocks of {} s are {} autocorrelation times long and must be {min}: use {} s",
                significant(length_s),
                significant(length),
                significant(min * result.autocorrelation_time_s.unwrap_or(f64::NAN))
            )
        }
        Unfit::SizeTooLarge { size, .. } => format!(
            "for the dependence measured the test would support a false claim {} % of the time, \
             not {} %",
            significant(100.0 * size),
            significant(100.0 * claim.alpha)
        ),
        other => other.to_string(),
    }
}

/// What a sound test says.
///
/// `for_support`: units with which it would likely support, if the estimate stays.
fn reading(
    claim: &Claim,
    test: &EquivalenceTest,
    count: usize,
    for_support: Option<u64>,
) -> (Answer, String) {
    let unit = &claim.margin.unit;
    let [low, high] = test.interval.map(significant);
    let margin = significant(test.margin);
    let interval = format!("the interval [{low}, {high}] {unit}");
    let (inside, outside, beyond) = match test.sides {
        Sides::Both => ("lies within", "lies outside", test.estimate.abs() >= test.margin),
        Sides::NotBelow => ("lies above minus", "lies below minus", test.estimate <= -test.margin),
        Sides::NotAbove => ("lies below", "lies above", test.estimate >= test.margin),
    };
    let (within, against) = (supports(test, claim.alpha), test.p_outside <= claim.alpha);
    if within && against {
        let reason = format!(
            "{interval}: at one time the claim was supported and at another refuted, so that the \
             units do not keep one mean"
        );
        (Answer::InsufficientEvidence, reason)
    } else if within {
        (Answer::Supported, format!("{interval} {inside} the margin of {margin} {unit}"))
    } else if against {
        (Answer::Refuted, format!("{interval} {outside} the margin of {margin} {unit}"))
    } else {
        let next = if beyond {
            "more units would not help unless the estimate changes".to_owned()
        } else {
            match for_support {
                Some(needed) => format!("{count} units were measured, about {needed} are needed"),
                None => format!("{count} units were measured, and far more are needed"),
            }
        };
        let reason = format!("{interval} reaches past the margin of {margin} {unit}: {next}");
        (Answer::InsufficientEvidence, reason)
    }
}
