//! The words of a verdict: how far it reaches, what it does not show, what it assumes.
//!
//! Invariant: computed from the claim and the evidence; the limitation is the complement of what
//! was shown, so that nothing can be left out of it.
//!
//! Not here: the answer itself.

use std::collections::BTreeMap;

use tiepoint_model::{
    claim::{
        Claim, ClaimKind, ConditionCell, Independence, RangeErrorKind, SyntheticSource, UnitChoice,
    },
    verdict::{Answer, CellResult, PublishedEvidence},
};

/// How far the answer reaches, and what it is, in one sentence.
pub(crate) fn first_sentence(
    claim: &Claim,
    answer: Answer,
    evidence: &PublishedEvidence,
) -> String {
    let how = match claim.kind {
        ClaimKind::Safety => "not optimistic by",
        _ => "within",
    };
    let stand_in = format!(
        "stand in for the real data for this task: {} ({how} {} {} of `{}`)",
        claim.task.trim_end_matches('.'),
        claim.margin.value,
        claim.margin.unit,
        claim.metric.id
    );
    let said = match answer {
        Answer::Supported => format!("the synthetic data may {stand_in}"),
        Answer::Refuted => format!("the synthetic data may not {stand_in}"),
        Answer::InsufficientEvidence => {
            format!("it is not shown whether the synthetic data may {stand_in}")
        }
        Answer::NotAssessed => {
            format!("it was not assessed whether the synthetic data may {stand_in}")
        }
    };
    let exploratory = match &evidence.inspected_before {
        Some(reason) => format!(" (exploratory only: {})", reason.trim_end_matches('.')),
        None => String::new(),
    };
    format!("{}: {said}{exploratory}.", scope(claim))
}

/// How far the answer reaches.
pub(crate) fn scope(claim: &Claim) -> &'static str {
    match claim.independence {
        Independence::WithinRun => "Within this one run at this one site only",
        Independence::AcrossRuns => "Across the runs measured, at their sites only",
        Independence::AcrossSites => "Across the sites measured only",
    }
}

/// What was not shown, one sentence each.
pub(crate) fn limitation(
    claim: &Claim,
    answer: Answer,
    cells: &[CellResult],
    evidence: &PublishedEvidence,
) -> Vec<String> {
    let mut sentences = Vec::new();
    if answer != Answer::Supported {
        sentences.push("The claim was not shown.".to_owned());
    }
    sentences.extend(cells.iter().filter(|cell| cell.answer != Answer::Supported).map(|cell| {
        format!("Nothing was shown in favour of cell `{}`: it is {}.", cell.cell, cell.answer)
    }));
    sentences.push(elsewhere(claim).to_owned());
    sentences.push(match claim.metric.system() {
        Some(system) => format!("Nothing was shown about any system other than `{system}`."),
        None => "Nothing was shown about any system that uses the data.".to_owned(),
    });
    sentences.push(format!(
        "Nothing was shown about any metric other than `{}` with the parameters of the claim.",
        claim.metric.id
    ));
    sentences.push(format!(
        "Nothing was shown about any use other than this task: {}.",
        claim.task.trim_end_matches('.')
    ));
    if claim.kind == ClaimKind::Safety {
        sentences.push(
            "Nothing was shown about how much worse than real data the synthetic data may look."
                .to_owned(),
        );
    }
    sentences.push(other_generators(claim));
    conditions(claim, evidence, &mut sentences);
    span(evidence, &mut sentences);
    sentences
}

fn elsewhere(claim: &Claim) -> &'static str {
    match claim.independence {
        Independence::WithinRun => {
            "Nothing was shown about any other run, robot or site, nor about this site at another \
             time."
        }
        Independence::AcrossRuns => "Nothing was shown about any other robot or site.",
        Independence::AcrossSites => "Nothing was shown about any other robot.",
    }
}

fn other_generators(claim: &Claim) -> String {
    match &claim.synthetic {
        SyntheticSource::Twin { range_error } => {
            let others: Vec<&str> = RangeErrorKind::ALL
                .into_iter()
                .filter(|kind| kind != range_error)
                .map(RangeErrorKind::as_str)
                .collect();
            format!(
                "Nothing was shown about twins with another model of range errors ({}) or other \
                 fitted parameters.",
                others.join(", ")
            )
        }
        SyntheticSource::Recording(name) => {
            format!("Nothing was shown about synthetic data other than `{name}`.")
        }
        SyntheticSource::Outcomes(table) => format!(
            "Nothing was shown about synthetic data made by anything other than this: {}.",
            table.generator.trim_end_matches('.')
        ),
    }
}

/// Conditions that were not declared or did not occur.
fn conditions(claim: &Claim, evidence: &PublishedEvidence, sentences: &mut Vec<String>) {
    let is_named = matches!(
        &claim.synthetic,
        SyntheticSource::Outcomes(table) if table.columns.cell.is_some()
    );
    let restricted: Vec<&ConditionCell> =
        claim.cells.iter().filter(|cell| is_named || !cell.when.is_empty()).collect();
    if restricted.len() == claim.cells.len() {
        let cells: Vec<String> = restricted
            .iter()
            .map(|cell| {
                let when: Vec<String> = cell.when.iter().map(ToString::to_string).collect();
                match when.as_slice() {
                    [] => format!("`{}`", cell.name),
                    _ => format!("`{}` ({})", cell.name, when.join(" and ")),
                }
            })
            .collect();
        sentences.push(format!(
            "Nothing was shown about conditions outside the declared cells: {}.",
            cells.join(", ")
        ));
    }
    let outside = evidence.units.iter().filter(|unit| unit.cells.is_empty()).count();
    if outside > 0 {
        let count = evidence.units.len();
        sentences.push(format!("{outside} of {count} units lie in no declared cell."));
    }
    let lost = evidence.units.iter().filter(|unit| unit.difference.is_none()).count();
    if lost > 0 {
        let count = evidence.units.len();
        sentences.push(format!("{lost} of {count} units could not be measured."));
    }
    let mut ranges: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    for (name, &value) in evidence.units.iter().flat_map(|unit| &unit.values.descriptors) {
        let range = ranges.entry(name).or_insert((value, value));
        *range = (range.0.min(value), range.1.max(value));
    }
    sentences.extend(ranges.into_iter().map(|(name, (low, high))| {
        let (low, high) = (significant(low), significant(high));
        format!("Nothing was shown about `{name}` outside {low} to {high}.")
    }));
    sentences.push(
        "Nothing was shown about any condition that was the same in every unit, should it change."
            .to_owned(),
    );
}

fn span(evidence: &PublishedEvidence, sentences: &mut Vec<String>) {
    let start = evidence.units.iter().filter_map(|unit| unit.values.start_ns).min();
    let end = evidence.units.iter().filter_map(|unit| unit.values.end_ns).max();
    if let (Some(start), Some(end)) = (start, end) {
        let seconds = significant(end.since(start).as_seconds());
        sentences.push(format!(
            "Nothing was shown outside the {seconds} s from {start} to {end} (nanoseconds since \
             1970)."
        ));
    }
}

/// What must hold for the answer to hold.
pub(crate) fn assumptions(claim: &Claim) -> Vec<String> {
    let mut sentences = vec![
        "The twin of a unit was made without looking at the real value of that unit.".to_owned(),
        "The system under test, the metric and its parameters stay as they are.".to_owned(),
        "Results do not carry over to another system under test.".to_owned(),
    ];
    match claim.unit {
        UnitChoice::Block { length_s } => {
            sentences.push(format!(
                "Blocks of {} s are exchangeable, and their mean differences nearly normal.",
                significant(length_s)
            ));
            sentences.push(
                "Successive samples depend on each other like a first-order autoregressive series \
                 with the measured autocorrelation time; the size of the test was simulated so."
                    .to_owned(),
            );
            sentences.push("The number of blocks was fixed before looking.".to_owned());
        }
        UnitChoice::Run { .. } | UnitChoice::Scene { .. } => {
            let [one, several] = claim.unit.words();
            let several = capital(several);
            sentences.push(format!(
                "{several} are independent: the difference of one {one} says nothing about the \
                 next."
            ));
            if claim.unit.declared_count().is_some() {
                sentences.push("The number of units was fixed before looking.".to_owned());
            }
        }
    }
    if matches!(claim.synthetic, SyntheticSource::Outcomes(_)) {
        sentences.push(
            "The outcomes were measured elsewhere, alike on both sides, and are taken as given."
                .to_owned(),
        );
    }
    if let Some(bound) = claim.bound {
        sentences.push(format!(
            "No difference can exceed {} {}.",
            significant(bound),
            claim.margin.unit
        ));
    }
    sentences
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A number with three significant digits, for people.
pub(crate) fn significant(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    let written = format!("{value:.2e}");
    let exponent: i32 = written.split_once('e').and_then(|(_, e)| e.parse().ok()).unwrap_or(0);
    if !(-5..6).contains(&exponent) {
        return written;
    }
    let rounded: f64 = written.parse().unwrap_or(value);
    let decimals = usize::try_from(2 - exponent).unwrap_or(0);
    let text = format!("{rounded:.decimals$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}
