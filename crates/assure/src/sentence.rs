//! The answer in one sentence that needs no statistics to be understood.
//!
//! Invariant: says the scope first, then the answer, then a number with its unit beside what was
//! allowed. Not here: the reasons in full (they are in the verdict).

use tiepoint_model::{
    claim::{ClaimKind, UnitChoice},
    verdict::{Answer, DirectionResult, RuleStatus, Verdict},
};

use crate::limitation::{scope, significant};

/// The answer in one sentence.
#[must_use]
pub fn sentence(verdict: &Verdict) -> String {
    let claim = &verdict.claim;
    let scope = scope(claim);
    let task = claim.task.trim_end_matches('.');
    let unit = &claim.margin.unit;
    let margin = amount(claim.margin.value, unit);
    let directions = || verdict.cells.iter().flat_map(|cell| &cell.directions);
    let said = match verdict.answer {
        Answer::Supported => {
            let within = directions()
                .filter_map(|direction| direction.test)
                .map(|test| test.smallest_passing_margin)
                .fold(0.0, f64::max);
            let how = match claim.kind {
                ClaimKind::Safety => "it looks better than real data by at most",
                _ => "it gives the same result to within",
            };
            format!(
                "yes, synthetic data can stand in for real data for this task ({task}): {how} {}, \
                 and {margin} was allowed",
                amount(within, unit)
            )
        }
        Answer::Refuted => format!(
            "no, synthetic data cannot stand in for real data for this task ({task}): {}",
            why_refuted(verdict, &margin)
        ),
        Answer::InsufficientEvidence => format!(
            "we do not know yet whether synthetic data can stand in for real data for this task \
             ({task}), to within {margin}: {}",
            what_is_missing(verdict)
        ),
        Answer::NotAssessed => format!(
            "nothing can be said about whether synthetic data can stand in for real data for this \
             task ({task}), to within {margin}, because there is no real data of the same \
             places and moments to compare it with"
        ),
    };
    let exploratory = match verdict.exploratory {
        Some(_) => " (a first look only: the data had been seen before the question was fixed)",
        None => "",
    };
    format!("{scope}: {said}{exploratory}.")
}

fn why_refuted(verdict: &Verdict, margin: &str) -> String {
    let unit = &verdict.claim.margin.unit;
    let failed = verdict.evidence.vetoes.iter().find(|veto| veto.status == RuleStatus::Fail);
    if let Some(veto) = failed {
        let evidence = veto.evidence.trim_end_matches('.');
        return format!(
            "it fails the check `{}` ({evidence}), whatever the allowed {margin}",
            veto.rule
        );
    }
    let refuted = verdict.cells.iter().filter(|cell| cell.answer == Answer::Refuted);
    let largest = refuted
        .flat_map(|cell| &cell.directions)
        .filter(|direction| direction.answer == Answer::Refuted)
        .filter_map(|direction| direction.test)
        .map(|test| test.estimate)
        .max_by(|a, b| a.abs().total_cmp(&b.abs()))
        .unwrap_or(0.0);
    let side = if largest > 0.0 { "more" } else { "less" };
    let size = amount(largest.abs(), unit);
    format!("it reads {size} {side} than real data, and only {margin} was allowed")
}

/// A number with its unit as people say it: lengths below 10 cm in millimetres, below 1 m in centimetres.
fn amount(value: f64, unit: &str) -> String {
    match unit {
        "m" if value.abs() < 0.1 => format!("{} mm", significant(1e3 * value)),
        "m" if value.abs() < 1.0 => format!("{} cm", significant(1e2 * value)),
        _ => format!("{} {unit}", significant(value)),
    }
}

/// What is missing, from the first direction that names a number of units, else in general.
fn what_is_missing(verdict: &Verdict) -> String {
    if !verdict.admissibility.admissible {
        return "what we compare with is itself not exact enough".to_owned();
    }
    let undecided = |direction: &&DirectionResult| direction.answer != Answer::Supported;
    let directions = verdict.cells.iter().flat_map(|cell| &cell.directions);
    let needed = directions
        .filter(undecided)
        .filter_map(|direction| Some((direction.unit_count_needed?, direction.unit_count)))
        .filter(|&(needed, count)| needed > count as u64)
        .max_by_key(|&(needed, _)| needed);
    if let Some((needed, count)) = needed {
        return match verdict.claim.unit {
            UnitChoice::Block { length_s } => format!(
                "about {needed} stretches of {} s are needed in each half of the run, and \
                 {count} were recorded",
                significant(length_s)
            ),
            unit => {
                let [_, units] = unit.words();
                format!("about {needed} {units} are needed, and {count} were measured")
            }
        };
    }
    let controls = [&verdict.controls.positive, &verdict.controls.negative];
    if controls.into_iter().flatten().any(|control| !control.passed) {
        return "the comparison could not be shown to work on this data".to_owned();
    }
    "what was measured does not settle it".to_owned()
}
