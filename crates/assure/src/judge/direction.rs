//! One cell in one direction: the test, and whether its units are fit for it.
//!
//! Invariant: a direction whose units are not fit for the test neither supports nor refutes.
//! Values are in the margin's unit.
//!
//! Not here: controls, and the correction for many cells.

use tiepoint_model::{
    claim::{Claim, Independence, Split, UnitChoice},
    verdict::{Answer, DirectionFacts, DirectionResult, EquivalenceTest, UnitOutcome},
};

use crate::{
    limitation::significant,
    statistics::{
        StatisticsError,
        betting::{betting_equivalence, unit_count_min},
        dependence::{BlockedRun, REPLICATIONS, simulated_size},
        equivalence::{paired_equivalence, units_needed},
    },
};

/// More lost units than this share, and what is left may be a selection.
pub(crate) const LOST_SHARE_MAX: f64 = 0.05;

/// A block is at least this long, in autocorrelation times of the per-sample differences.
const BLOCK_AUTOCORRELATION_TIMES_MIN: f64 = 3.0;

/// The simulated size of the test may exceed its nominal level by this factor.
const SIZE_FACTOR_MAX: f64 = 1.5;

/// A direction's result and, if its units are fit, the p-values that count.
pub(crate) struct Judged {
    pub(crate) result: DirectionResult,
    pub(crate) p_equivalence: Option<f64>,
    pub(crate) p_outside: Option<f64>,
}

/// The claim's test on paired differences, in order of time.
pub(crate) fn paired_test(
    claim: &Claim,
    differences: &[f64],
) -> Result<EquivalenceTest, StatisticsError> {
    let (margin, alpha) = (claim.margin.value, claim.alpha);
    match (claim.unit, claim.bound) {
        (UnitChoice::Run {}, Some(bound)) => betting_equivalence(differences, margin, bound, alpha),
        _ => paired_equivalence(differences, margin, alpha),
    }
}

/// Both one-sided tests reject.
pub(crate) fn supports(test: &EquivalenceTest, alpha: f64) -> bool {
    test.p_lower.max(test.p_upper) <= alpha
}

pub(crate) fn judge_direction(
    claim: &Claim,
    cell: &str,
    facts: &DirectionFacts,
    units: &[&UnitOutcome],
) -> Judged {
    let differences: Vec<f64> = units.iter().filter_map(|unit| unit.difference).collect();
    let mut result = DirectionResult {
        direction: facts.direction.clone(),
        answer: Answer::InsufficientEvidence,
        reason: String::new(),
        unit_count: differences.len(),
        lost_count: units.len() - differences.len(),
        test: paired_test(claim, &differences).ok(),
        autocorrelation_time_s: None,
        block_autocorrelation_times: None,
        simulated_size: None,
        unit_count_needed: None,
    };
    if let UnitChoice::Block { length_s } = claim.unit {
        describe_blocks(claim, cell, facts, length_s, &mut result);
    }
    let has_real = units.iter().any(|unit| unit.values.real.is_some());
    let obstacle = if has_real {
        obstacle(claim, facts, &result)
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
    if let Some(test) = read {
        (result.answer, result.reason) = reading(claim, &test, differences.len());
    }
    if result.answer == Answer::InsufficientEvidence {
        result.unit_count_needed = needed(claim, &result);
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
        margin_over_sd: test.margin / test.sd,
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
    match claim.unit {
        UnitChoice::Run {} => {
            let bound = claim.bound.unwrap_or(f64::INFINITY);
            let Some(least) = unit_count_min(claim.margin.value, bound, claim.alpha) else {
                return Some("no number of runs suffices for this margin and bound".to_owned());
            };
            ((count as u64) < least).then(|| {
                format!(
                    "{count} runs cannot suffice: even without any difference {least} are needed"
                )
            })
        }
        UnitChoice::Block { .. } if test.sd <= 0.0 => Some(
            "the difference is the same in every unit, so that no test can tell how far it \
             scatters"
                .to_owned(),
        ),
        UnitChoice::Block { length_s } => dependence_obstacle(claim, facts, result, length_s),
    }
}

fn dependence_obstacle(
    claim: &Claim,
    facts: &DirectionFacts,
    result: &DirectionResult,
    length_s: f64,
) -> Option<String> {
    let (Some(time_s), Some(times), Some(size)) =
        (result.autocorrelation_time_s, result.block_autocorrelation_times, result.simulated_size)
    else {
        return Some("the dependence of successive samples could not be measured".to_owned());
    };
    if let (Split::ContiguousHalves { guard_autocorrelation_times, .. }, Independence::WithinRun) =
        (claim.split, claim.independence)
    {
        let guard_min_s = guard_autocorrelation_times * time_s;
        if facts.guard_s < guard_min_s {
            return Some(format!(
                "the guard between the halves is {} s, and must be {} s",
                significant(facts.guard_s),
                significant(guard_min_s)
            ));
        }
    }
    if times < BLOCK_AUTOCORRELATION_TIMES_MIN {
        return Some(format!(
            "blocks of {} s are {} autocorrelation times long and must be 3: use {} s",
            significant(length_s),
            significant(times),
            significant(BLOCK_AUTOCORRELATION_TIMES_MIN * time_s)
        ));
    }
    (size > SIZE_FACTOR_MAX * claim.alpha).then(|| {
        format!(
            "for the dependence measured the test would support a false claim {} % of the time, \
             not {} %",
            significant(100.0 * size),
            significant(100.0 * claim.alpha)
        )
    })
}

/// What a sound test says.
fn reading(claim: &Claim, test: &EquivalenceTest, count: usize) -> (Answer, String) {
    let unit = &claim.margin.unit;
    let [low, high] = test.interval.map(significant);
    let margin = significant(test.margin);
    let interval = format!("the interval [{low}, {high}] {unit}");
    if supports(test, claim.alpha) {
        let reason = format!("{interval} lies within the margin of {margin} {unit}");
        (Answer::Supported, reason)
    } else if test.p_outside <= claim.alpha {
        let reason = format!("{interval} lies outside the margin of {margin} {unit}");
        (Answer::Refuted, reason)
    } else {
        let next = if test.estimate.abs() >= test.margin {
            "more units would not help unless the estimate changes".to_owned()
        } else {
            match units_needed(test.estimate, test.sd, test.margin, claim.alpha) {
                Some(needed) => format!("{count} units were measured, about {needed} are needed"),
                None => format!("{count} units were measured, and far more are needed"),
            }
        };
        let reason = format!("{interval} reaches past the margin of {margin} {unit}: {next}");
        (Answer::InsufficientEvidence, reason)
    }
}

/// Units for 80 % chance of support; for betting a lower bound.
fn needed(claim: &Claim, result: &DirectionResult) -> Option<u64> {
    let by_test =
        result.test.and_then(|test| units_needed(test.estimate, test.sd, test.margin, claim.alpha));
    let least = match (claim.unit, claim.bound) {
        (UnitChoice::Run {}, Some(bound)) => unit_count_min(claim.margin.value, bound, claim.alpha),
        _ => None,
    };
    by_test.map_or(least, |units| Some(units.max(least.unwrap_or(0))))
}
