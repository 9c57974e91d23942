//! The declared cells: directions combined, corrected for their number, and held to the controls.
//!
//! Invariant: the declared list is the family; cells are never pooled.
//!
//! Not here: the answer to the claim.

use tiepoint_model::{
    claim::{Claim, Family},
    verdict::{
        Admissibility, Answer, CellResult, ControlResult, ControlResults, PublishedEvidence,
        RuleStatus,
    },
};

use super::{
    controls::units_of,
    direction::{Judged, judge_direction},
};
use crate::statistics::multiplicity::{benjamini_hochberg, holm};

/// One result per declared cell.
pub(crate) fn judge_cells(
    claim: &Claim,
    evidence: &PublishedEvidence,
    controls: &ControlResults,
    admissibility: &Admissibility,
) -> Vec<CellResult> {
    let declared = count_obstacle(claim, evidence);
    let judged: Vec<Vec<Judged>> = claim
        .cells
        .iter()
        .map(|cell| {
            let directions = evidence.directions.iter();
            directions
                .map(|facts| {
                    let units = units_of(evidence, &cell.name, &facts.direction);
                    judge_direction(claim, &cell.name, facts, &units, declared.as_deref())
                })
                .collect()
        })
        .collect();
    // A cell's support is only as strong as its weakest direction.
    let supports: Vec<Option<f64>> =
        judged.iter().map(|directions| weakest(claim.family, directions)).collect();
    let supports = adjusted(claim.family, &supports);
    let outsides: Vec<Option<f64>> = judged.iter().flatten().map(|d| d.p_outside).collect();
    let mut outsides = adjusted(Family::Holm, &outsides).into_iter();
    let blocked = blocked(evidence, admissibility);
    let mut results = Vec::with_capacity(judged.len());
    for ((cell, directions), p_equivalence) in claim.cells.iter().zip(judged).zip(supports) {
        let p_refutation =
            outsides.by_ref().take(directions.len()).flatten().min_by(f64::total_cmp);
        let ruling = Ruling {
            alpha: claim.alpha,
            p_equivalence,
            p_refutation,
            blocked: blocked.as_deref(),
            admissible: admissibility.admissible,
            controls: controls_of(controls, &cell.name),
        };
        let (answer, reason) = ruling.on(&directions);
        results.push(CellResult {
            cell: cell.name.clone(),
            answer,
            reason,
            p_equivalence_adjusted: p_equivalence,
            p_refutation_adjusted: p_refutation,
            directions: directions.into_iter().map(|judged| judged.result).collect(),
        });
    }
    results
}

/// The controls of one cell; true marks a positive one.
fn controls_of<'a>(controls: &'a ControlResults, cell: &str) -> Vec<(bool, &'a ControlResult)> {
    let positive = controls.positive.iter().map(|result| (true, result));
    let negative = controls.negative.iter().map(|result| (false, result));
    positive.chain(negative).filter(|(_, result)| result.cell == cell).collect()
}

/// Why the number of units is not the one declared, where the test is read only once.
fn count_obstacle(claim: &Claim, evidence: &PublishedEvidence) -> Option<String> {
    let (declared, found) = (claim.unit.declared_count()?, evidence.units.len() as u64);
    let [_, units] = claim.unit.words();
    (found != declared).then(|| {
        format!(
            "{found} {units} were measured and {declared} declared: an exact test is read once, at \
             the number that was fixed before"
        )
    })
}

/// The p-value of a cell: that of its weakest direction. For e-BH the inverse of its e-value, which
/// is a p-value too.
fn weakest(family: Family, directions: &[Judged]) -> Option<f64> {
    let p_values = directions.iter().map(|judged| match family {
        Family::Holm => judged.p_equivalence,
        Family::EBh => judged
            .p_equivalence
            .and(judged.result.e_equivalence)
            .map(|e_value| (1.0 / e_value.max(1.0)).min(1.0)),
    });
    p_values.collect::<Option<Vec<f64>>>()?.into_iter().max_by(f64::total_cmp)
}

/// Adjusted over the whole family; a member without a p-value counts as 1 and stays without.
///
/// e-BH rejects where Benjamini and Hochberg do on inverse e-values, and keeps its promise under
/// any dependence.
fn adjusted(family: Family, p_values: &[Option<f64>]) -> Vec<Option<f64>> {
    let filled: Vec<f64> = p_values.iter().map(|p| p.unwrap_or(1.0)).collect();
    let adjusted = match family {
        Family::Holm => holm(&filled),
        Family::EBh => benjamini_hochberg(&filled),
    };
    adjusted.into_iter().zip(p_values).map(|(adjusted, p)| p.map(|_| adjusted)).collect()
}

/// What takes support away from every cell, if anything does.
fn blocked(evidence: &PublishedEvidence, admissibility: &Admissibility) -> Option<String> {
    if !admissibility.admissible {
        return Some(admissibility.reason.clone());
    }
    let not_passed = |status| evidence.vetoes.iter().find(move |veto| veto.status == status);
    if let Some(veto) = not_passed(RuleStatus::Fail) {
        return Some(format!("the check `{}` failed: {}", veto.rule, veto.evidence));
    }
    not_passed(RuleStatus::Unknown).map(|veto| {
        format!(
            "the check `{}` could not be made, which counts as failed: {}",
            veto.rule, veto.evidence
        )
    })
}

/// All that rules on one cell beside its directions.
struct Ruling<'a> {
    alpha: f64,
    p_equivalence: Option<f64>,
    p_refutation: Option<f64>,
    blocked: Option<&'a str>,
    admissible: bool,
    /// True for a positive control.
    controls: Vec<(bool, &'a ControlResult)>,
}

impl Ruling<'_> {
    fn on(&self, directions: &[Judged]) -> (Answer, String) {
        let with = |answer| directions.iter().find(|judged| judged.result.answer == answer);
        let insufficient = |reason: String| (Answer::InsufficientEvidence, reason);
        let unassessed = |judged: &Judged| judged.result.answer == Answer::NotAssessed;
        if directions.iter().all(unassessed) {
            return (Answer::NotAssessed, "no unit of this cell has a real value".to_owned());
        }
        if let Some(reason) = self.blocked.filter(|_| !self.admissible) {
            return insufficient(reason.to_owned());
        }
        let (supported, refuted) = (with(Answer::Supported), with(Answer::Refuted));
        if let (Some(yes), Some(no)) = (supported, refuted) {
            return insufficient(format!(
                "the directions contradict each other: `{}` supports, `{}` refutes",
                yes.result.direction, no.result.direction
            ));
        }
        if let Some(judged) = refuted {
            let reason = format!("{}: {}", judged.result.direction, judged.result.reason);
            if self.p_refutation.is_some_and(|p| p <= self.alpha) {
                return (Answer::Refuted, reason);
            }
            let reason = format!("{reason}, but not after correction for looking several times");
            return insufficient(reason);
        }
        let failed = |positive: bool| {
            let failed = self.controls.iter().find(|(kind, r)| *kind == positive && !r.passed);
            failed.map(|(_, result)| result.reason.clone())
        };
        let below_floor = self.controls.iter().any(|(positive, result)| {
            *positive && result.test.is_some_and(|test| test.estimate.abs() >= test.margin)
        });
        let undecided = directions
            .iter()
            .find(|judged| judged.result.answer != Answer::Supported)
            .map(|judged| format!("{}: {}", judged.result.direction, judged.result.reason));
        let obstacle = self
            .blocked
            .map(str::to_owned)
            .or_else(|| failed(true).filter(|_| below_floor))
            .or(undecided)
            .or_else(|| failed(true))
            .or_else(|| failed(false));
        if let Some(reason) = obstacle {
            return insufficient(reason);
        }
        let judged_controls = self.controls.iter().any(|(positive, _)| *positive)
            && self.controls.iter().any(|(positive, _)| !*positive);
        if !judged_controls {
            return insufficient("a verdict without both controls is invalid".to_owned());
        }
        if self.p_equivalence.is_none_or(|p| p > self.alpha) {
            return insufficient(
                "within the margin, but not after correction for the number of cells".to_owned(),
            );
        }
        (
            Answer::Supported,
            "every direction lies within the margin, and the controls came out as they must"
                .to_owned(),
        )
    }
}
