//! From a claim and its evidence to a verdict.
//!
//! The rules, in the order in which they decide:
//! 1. A veto that fails refutes, paired data or not.
//! 2. Data without real partners is not assessed.
//! 3. A metric whose reference error reaches the margin, or makes up more than half of the real
//!    variance, cannot decide: insufficient evidence.
//! 4. The test is the one that the kind of units asks for ([`crate::statistics::choice`]): betting on
//!    bounded differences of runs or scenes, exact tests of binary outcomes, t tests on blocks of
//!    one run. A claim of safety needs one of the two one-sided tests, a measurement both.
//! 5. A cell is refuted if, in a direction whose test is sound, the interval lies outside the
//!    margin after Holm's correction over cells and directions, and no direction supports it.
//!    A refuted cell refutes the claim.
//! 6. A cell is supported if every direction rejects both one-sided hypotheses, after the
//!    correction over cells that the claim names (Holm or e-BH), its controls came out as they must and no veto is unknown.
//!    The claim is supported if every declared cell is. Cells are never pooled.
//! 7. Everything else is insufficient evidence.
//!
//! A failed control takes support away but not refutation: a test that has just seen a difference
//! larger than the margin has shown that it can.
//!
//! Invariant: pure; the same claim and evidence give the same bits.

mod cells;
mod controls;
mod direction;
mod tested;

use tiepoint_model::{
    Digest, ErrorKind, Span, Timestamp,
    claim::{Claim, ClaimError, ClaimKind, SyntheticSource},
    verdict::{Admissibility, Answer, CellResult, PublishedEvidence, RuleStatus, Verdict},
};

use crate::{
    evidence::{self, Evidence},
    limitation,
};

/// The rules applied here.
pub const METHOD: &str = "tiepoint-assure/2";

/// The reference may make up at most this share of the variance of the real values.
pub const REFERENCE_SHARE_MAX: f64 = 0.5;

/// Why a claim could not be judged.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum JudgeError {
    /// The claim itself.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// A unit lacks seeds, or has too many.
    #[error("unit {unit_index} of direction `{direction}` has {found} seeds, not {expected}")]
    SeedCount {
        /// Which direction.
        direction: String,
        /// Which unit.
        unit_index: usize,
        /// Seeds given.
        found: usize,
        /// Seeds claimed.
        expected: u32,
    },
    /// A cell's condition cannot be told for a unit.
    #[error(
        "unit {unit_index} of direction `{direction}` has no `{descriptor}`, which cell `{cell}` \
         asks for"
    )]
    MissingDescriptor {
        /// Which direction.
        direction: String,
        /// Which unit.
        unit_index: usize,
        /// Which cell.
        cell: String,
        /// Which descriptor.
        descriptor: String,
    },
    /// A descriptor is NaN or infinite.
    #[error("`{descriptor}` of unit {unit_index} of direction `{direction}` is not finite")]
    DescriptorNotFinite {
        /// Which direction.
        direction: String,
        /// Which unit.
        unit_index: usize,
        /// Which descriptor.
        descriptor: String,
    },
    /// A difference larger than the claim says is possible.
    #[error(
        "unit {unit_index} of direction `{direction}` differs by {difference}, beyond the bound \
         {bound}"
    )]
    BeyondBound {
        /// Which direction.
        direction: String,
        /// Which unit.
        unit_index: usize,
        /// Synthetic minus real.
        difference: f64,
        /// The claim's bound.
        bound: f64,
    },
    /// A value that is neither 0 nor 1 where outcomes are.
    #[error("unit {unit_index} of direction `{direction}` has the outcome {value}, not 0 or 1")]
    NotBinary {
        /// Which direction.
        direction: String,
        /// Which unit.
        unit_index: usize,
        /// What it is.
        value: f64,
    },
    /// Units paired with a recording of another world.
    #[error("{found} directions are given for synthetic data that has no real partner")]
    PairsOfUnpaired {
        /// How many.
        found: usize,
    },
    /// Too few or too many directions for the claim's split.
    #[error("{found} directions are given where the claim's split makes {needed}")]
    DirectionCount {
        /// How many are given.
        found: usize,
        /// How many there must be.
        needed: usize,
    },
    /// Two directions with one name.
    #[error("direction `{direction}` is given twice")]
    DuplicateDirection {
        /// Which.
        direction: String,
    },
    /// A unit of a direction that is not described.
    #[error("a unit belongs to direction `{direction}`, which is not described")]
    UnknownDirection {
        /// Which.
        direction: String,
    },
    /// Two units with one index.
    #[error("unit {unit_index} of direction `{direction}` is given twice")]
    DuplicateUnit {
        /// Which direction.
        direction: String,
        /// Which unit.
        unit_index: usize,
    },
    /// The reference error is in another unit than the margin.
    #[error("the reference error is in `{found}`, and the margin in `{expected}`")]
    ReferenceUnit {
        /// The reference's unit.
        found: String,
        /// The margin's.
        expected: String,
    },
    /// A number that must be finite and not negative.
    #[error("`{what}` is {value}, which is not a finite number of 0 or more")]
    NotANumber {
        /// What.
        what: &'static str,
        /// Its value.
        value: f64,
    },
}

impl JudgeError {
    /// What a program should do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::InvalidInput
    }

    /// What a person should do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Claim(error) => error.hint(),
            Self::SeedCount { expected, .. } => {
                format!("measure each unit with {expected} seeds, `None` where one failed")
            }
            Self::MissingDescriptor { .. } | Self::DescriptorNotFinite { .. } => {
                "measure the descriptor on every unit, or declare cells without it".to_owned()
            }
            Self::BeyondBound { .. } => {
                "clip the metric, or claim anew with a bound that holds".to_owned()
            }
            Self::NotBinary { .. } => {
                "claim anew with `outcome.threshold`, or write 0 and 1".to_owned()
            }
            Self::PairsOfUnpaired { .. } => {
                "use `synthetic.twin` for paired data, or give vetoes only".to_owned()
            }
            Self::DirectionCount { needed, .. } => {
                format!("give the {needed} directions that the claim's split asks for")
            }
            Self::DuplicateDirection { .. }
            | Self::UnknownDirection { .. }
            | Self::DuplicateUnit { .. } => {
                "give each direction and each of its units once".to_owned()
            }
            Self::ReferenceUnit { expected, .. } => format!("convert it to `{expected}`"),
            Self::NotANumber { .. } => "measure it, or leave it out".to_owned(),
        }
    }
}

/// Judges a claim on its evidence.
///
/// # Errors
/// [`JudgeError`] where the evidence does not fit the claim. Evidence that fits and does not
/// suffice is no error: the answer says so.
pub fn judge(claim: &Claim, evidence: &Evidence) -> Result<Verdict, JudgeError> {
    claim.validate(&[claim.metric.id.as_str()])?;
    let published = evidence::publish(claim, evidence)?;
    decide(claim, Occasion::of(evidence), published)
}

/// What a verdict holds beside claim and evidence.
#[derive(Clone, Copy)]
pub(crate) struct Occasion {
    pub(crate) claim_digest: Digest,
    pub(crate) judged_at_ns: Timestamp,
}

impl Occasion {
    fn of(evidence: &Evidence) -> Self {
        Self { claim_digest: evidence.claim_digest, judged_at_ns: evidence.judged_at_ns }
    }
}

/// Derives the verdict from what it publishes.
pub(crate) fn decide(
    claim: &Claim,
    occasion: Occasion,
    evidence: PublishedEvidence,
) -> Result<Verdict, JudgeError> {
    let admissibility = admissibility(claim, &evidence);
    let controls = controls::run(claim, &evidence);
    let cells = cells::judge_cells(claim, &evidence, &controls, &admissibility);
    let (answer, reason) = overall(claim, &evidence, &cells, &admissibility);
    let first_sentence = limitation::first_sentence(claim, answer, &evidence);
    let lifetime = Span(i64::from(claim.expires_days) * 86_400 * tiepoint_model::time::NS_PER_S);
    Ok(Verdict {
        method: METHOD.to_owned(),
        answer,
        first_sentence,
        reason,
        exploratory: evidence.inspected_before.clone(),
        claim: claim.clone(),
        claim_digest: occasion.claim_digest,
        limitation: limitation::limitation(claim, answer, &cells, &evidence),
        assumptions: limitation::assumptions(claim),
        cells,
        controls,
        admissibility,
        judged_at_ns: occasion.judged_at_ns,
        expires_at_ns: occasion.judged_at_ns.plus(lifetime),
        evidence,
    })
}

fn overall(
    claim: &Claim,
    evidence: &PublishedEvidence,
    cells: &[CellResult],
    admissibility: &Admissibility,
) -> (Answer, String) {
    let failed = evidence.vetoes.iter().find(|veto| veto.status == RuleStatus::Fail);
    if let Some(veto) = failed {
        return (Answer::Refuted, format!("the check `{}` failed: {}", veto.rule, veto.evidence));
    }
    if matches!(claim.synthetic, SyntheticSource::Recording(_)) {
        let reason = "the synthetic data has no real partners, and no check failed".to_owned();
        return (Answer::NotAssessed, reason);
    }
    if !admissibility.admissible {
        return (Answer::InsufficientEvidence, admissibility.reason.clone());
    }
    let in_cell = |cell: &CellResult| match cells {
        [_] => cell.reason.clone(),
        _ => format!("cell `{}`: {}", cell.cell, cell.reason),
    };
    if let Some(cell) = cells.iter().find(|cell| cell.answer == Answer::Refuted) {
        return (Answer::Refuted, in_cell(cell));
    }
    if cells.iter().all(|cell| cell.answer == Answer::NotAssessed) {
        let reason = "no declared cell holds a unit with a real value".to_owned();
        return (Answer::NotAssessed, reason);
    }
    match cells.iter().find(|cell| cell.answer != Answer::Supported) {
        Some(cell) => (Answer::InsufficientEvidence, in_cell(cell)),
        None => (
            Answer::Supported,
            format!(
                "in every declared cell and every direction {}, real data passed the same test \
                 against real data, and data made worse on purpose failed it",
                match claim.kind {
                    ClaimKind::Safety => "the synthetic side is not optimistic by the margin",
                    _ => "the difference is within the margin",
                }
            ),
        ),
    }
}

/// The margin must exceed the reference's error, and the reference must not dominate the metric.
fn admissibility(claim: &Claim, evidence: &PublishedEvidence) -> Admissibility {
    let Some(reference) = &evidence.reference else {
        let reason = "no error of a reference was given".to_owned();
        return Admissibility { admissible: true, reason };
    };
    let (margin, unit) = (claim.margin.value, &claim.margin.unit);
    let (error, share) = (reference.value, reference.share_of_real_variance.unwrap_or(0.0));
    let (admissible, reason) = if error >= margin {
        (
            false,
            format!(
                "the reference's own error, {error} {unit}, reaches the margin, {margin} {unit}"
            ),
        )
    } else if share > REFERENCE_SHARE_MAX {
        let percent = 100.0 * share;
        (
            false,
            format!(
                "the reference's own error makes up {percent:.0} % of the variance of the real \
                 values, more than half: the metric measures the reference"
            ),
        )
    } else {
        (true, format!("the margin exceeds the reference's own error, {error} {unit}"))
    };
    Admissibility { admissible, reason }
}

#[cfg(test)]
mod tests;
