//! Claims on a table of outcomes that the user has: committed first, then the table is opened.
//!
//! Invariant: nothing of the table is read before the claim is in the ledger, with the question
//! charged to its reserve. A table that a verdict of the same claim has seen may only have grown.
//! Outcomes are in the unit of the claim's margin.
//!
//! Not here: the judgement, and signing.

mod reserve;
mod table;

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read,
    path::{Path, PathBuf},
};

use serde_json::json;
use tiepoint_assure::{
    DirectionEvidence, Evidence, SampleSeries,
    statistics::dependence::{ORDER_CORRELATION_SIGMAS, SAMPLES_MIN, lag_one_correlation},
};
use tiepoint_formats::open_original;
use tiepoint_model::{
    Digest,
    claim::{Claim, OutcomeTable, SyntheticSource},
    verdict::{Fit, RuleStatus, UnitValues, Verdict, Veto},
};

pub use self::reserve::ReserveError;
use super::{
    Findings, WrittenClaim, commit_claim,
    metric::{check_name, refuse},
};
use crate::{
    Error, Platform,
    platform::log::{Line, Wanted},
    report::{LineageRow, Pictures},
    verify::{sha256_of, verdict_of},
};

/// The name of the one way in which units of a table are compared.
const DIRECTION: &str = "pairs";

/// A claim and where its table lies; nothing of the table has been read.
pub(super) struct OutcomeCase {
    pub(super) written: WrittenClaim,
    table: OutcomeTable,
    path: PathBuf,
}

/// What was found, and the table it was found in.
pub(super) struct Opened {
    pub(super) findings: Findings,
    /// Of the table, for the statement.
    pub(super) sha256: Digest,
    /// Of the table, in the lake.
    pub(super) blob: Digest,
}

/// Finds where the table of a claim lies: beside the claim, unless it names another folder.
pub(super) fn resolve(claim: Claim, claim_path: &Path, text: String) -> Result<OutcomeCase, Error> {
    check_name(&claim)?;
    let SyntheticSource::Outcomes(table) = &claim.synthetic else {
        let hint = "name it under `synthetic.outcomes`".to_owned();
        return Err(refuse(&claim, "it has no table of outcomes", hint));
    };
    let table = table.clone();
    let path = claim_path.parent().unwrap_or(Path::new("")).join(&table.file);
    Ok(OutcomeCase { written: WrittenClaim::new(claim, text)?, table, path })
}

/// Puts the claim into the ledger, unless the same claim is there; a reserve that cannot pay refuses it.
pub(super) async fn commit(platform: &mut Platform, case: &OutcomeCase) -> Result<(), Error> {
    if platform.log.state.root(&case.written.id).is_none() {
        reserve::expect_wealth(platform, &case.written.claim).await?;
    }
    commit_claim(platform, &case.written, Vec::new()).await
}

/// Opens the table.
pub(super) async fn open(platform: &Platform, case: &OutcomeCase) -> Result<Opened, Error> {
    let claim = &case.written.claim;
    let charge = reserve::charge_of(platform, claim, &case.written.id).await?;
    let bytes = read(&case.path)?;
    let units = table::units(claim, &case.table, &case.path, &bytes)?;
    let sha256 = sha256_of(&bytes);
    let (blob, _) = platform.store.objects.put_blob(std::io::Cursor::new(bytes)).await?;
    let mut inputs = BTreeMap::from([(format!("table `{}`", case.table.file), sha256)]);
    inputs.extend(case.table.root.map(|root| ("synthetic set".to_owned(), root)));
    let evidence = Evidence {
        claim_digest: case.written.digest,
        judged_at_ns: platform.config.now,
        reference: None,
        inspected_before: inspected_before(platform, case, &units).await?,
        vetoes: vetoes(claim, &units),
        fitted: vec![Fit {
            what: "synthetic outcomes".to_owned(),
            on: case.table.generator.clone(),
        }],
        inputs,
        charge,
        directions: vec![DirectionEvidence {
            direction: DIRECTION.to_owned(),
            fitted_on: case.table.generator.clone(),
            tested_on: claim.real.clone(),
            guard_s: 0.0,
            units,
            differences: SampleSeries::default(),
        }],
    };
    let lineage = lineage(case, &sha256);
    let findings = Findings { evidence, pictures: Pictures::default(), lineage, units: Vec::new() };
    Ok(Opened { findings, sha256, blob: blob.blake3 })
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let refuse = |source| Error::File { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let mut file = open_original(path)
        .map_err(|source| Error::Log { path: path.to_owned(), source: Box::new(source) })?;
    file.read_to_end(&mut bytes).map_err(refuse)?;
    Ok(bytes)
}

/// What the entry of a verdict says about the question, so that later ones can tell a second look.
pub(super) fn parameters(
    case: &OutcomeCase,
    verdict: &Verdict,
    envelope: &Digest,
) -> serde_json::Value {
    json!({
        "claim_id": case.written.id,
        "real": case.written.claim.real,
        "metric": case.written.claim.metric,
        "answer": verdict.answer,
        "outcomes": { "envelope": envelope.to_string(), "reserve": reserve_name(&case.written.claim) },
    })
}

fn reserve_name(claim: &Claim) -> Option<&str> {
    claim.reserve.as_ref().map(|reserve| reserve.name.as_str())
}

/// Whether the ledger knows of a look at the same real outcomes before this claim was committed, or at other
/// outcomes under this claim.
///
/// Looks of questions to the same reserve are paid for and do not count.
async fn inspected_before(
    platform: &Platform,
    case: &OutcomeCase,
    units: &[UnitValues],
) -> Result<Option<String>, Error> {
    let made = platform.log.state.entries_of_output(&case.written.id).unwrap_or_default();
    let Some(committed) = made.first().copied() else { return Ok(None) };
    let seen: BTreeSet<(Option<&str>, Option<u64>)> = units.iter().map(real_of).collect();
    for Line { entry, body, .. } in lines_of(platform, "assess").await? {
        let look = format!("entry {} of the ledger (`assess`)", entry.index);
        let Some(body) = body else {
            if entry.index < committed {
                return Ok(Some(format!("{look} was erased and may have looked at this table")));
            }
            continue;
        };
        let outcomes = &body.parameters["outcomes"];
        let Some(envelope) = outcomes["envelope"].as_str().and_then(|text| text.parse().ok())
        else {
            continue;
        };
        let same_claim = body.parameters["claim_id"] == json!(case.written.id);
        let is_paid = reserve_name(&case.written.claim).is_some()
            && outcomes["reserve"].as_str() == reserve_name(&case.written.claim);
        if !same_claim && (is_paid || entry.index > committed) {
            continue;
        }
        let earlier = verdict_of(&platform.store.objects.get_blob(&envelope).await?)?;
        let earlier: Vec<&UnitValues> =
            earlier.evidence.units.iter().map(|unit| &unit.values).collect();
        if same_claim {
            let kept =
                earlier.len() <= units.len() && earlier.iter().zip(units).all(|(a, b)| *a == b);
            if !kept {
                return Ok(Some(format!(
                    "{look} judged this claim on other outcomes, or on units that are no longer the \
                     first of the table"
                )));
            }
        } else if earlier.iter().any(|unit| seen.contains(&real_of(unit))) {
            return Ok(Some(format!(
                "{look} had looked at real outcomes of this table before this claim was committed \
                 as entry {committed}"
            )));
        }
    }
    Ok(None)
}

/// The entries of a verb with their bodies, in the order of the ledger.
async fn lines_of(platform: &Platform, verb: &str) -> Result<Vec<Line>, Error> {
    let mut lines = Vec::new();
    for index in platform.log.state.entries_of_verb(verb) {
        lines.extend(platform.read_entry(index, Wanted::Bodies).await?);
    }
    Ok(lines)
}

/// A unit's name and the bits of its real outcome.
fn real_of(unit: &UnitValues) -> (Option<&str>, Option<u64>) {
    (unit.unit.as_deref(), unit.real.map(f64::to_bits))
}

/// Checks of a table that may only fail.
fn vetoes(claim: &Claim, units: &[UnitValues]) -> Vec<Veto> {
    let mut vetoes = Vec::new();
    if claim.outcome.is_continuous() {
        vetoes.push(copies(
            "data.copies",
            units.iter().map(|unit| (unit.real, unit.synthetic_by_seed.first().copied().flatten())),
            RuleStatus::Fail,
            "synthetic",
        ));
        let again = units.iter().map(|unit| (unit.real, unit.positive_control));
        if units.iter().any(|unit| unit.positive_control.is_some()) {
            let what = "positive control";
            vetoes.push(copies("control.copies", again, RuleStatus::Unknown, what));
        }
    }
    vetoes.extend(order(claim, units));
    vetoes
}

/// A column that repeats the real one to the last bit, in every unit, was copied from it.
fn copies(
    rule: &str,
    pairs: impl Iterator<Item = (Option<f64>, Option<f64>)>,
    if_copied: RuleStatus,
    what: &str,
) -> Veto {
    // Fewer different values than this may repeat by chance.
    const DISTINCT_MIN: usize = 3;
    let pairs: Vec<(u64, u64)> =
        pairs.filter_map(|(real, other)| Some((real?.to_bits(), other?.to_bits()))).collect();
    let same = pairs.iter().filter(|(real, other)| real == other).count();
    let distinct: BTreeSet<u64> = pairs.iter().map(|(real, _)| *real).collect();
    let copied = same == pairs.len() && distinct.len() >= DISTINCT_MIN;
    Veto {
        rule: rule.to_owned(),
        status: if copied { if_copied } else { RuleStatus::Pass },
        measured: Some(if pairs.is_empty() { 0.0 } else { same as f64 / pairs.len() as f64 }),
        limit: Some(1.0),
        evidence: format!(
            "{same} of {} outcomes of the {what} side equal the real one to the last bit",
            pairs.len()
        ),
    }
}

/// Units that know nothing of each other do not resemble the unit before them.
fn order(claim: &Claim, units: &[UnitValues]) -> Option<Veto> {
    let read = |value: Option<f64>| claim.outcome.read(value?);
    let differences: Vec<f64> = units
        .iter()
        .filter_map(|unit| {
            Some(read(unit.synthetic_by_seed.first().copied().flatten())? - read(unit.real)?)
        })
        .collect();
    if differences.len() < SAMPLES_MIN {
        return None;
    }
    let correlation = lag_one_correlation(&differences)?;
    let limit = ORDER_CORRELATION_SIGMAS / (differences.len() as f64).sqrt();
    let fits = correlation <= limit;
    Some(Veto {
        rule: "units.independent".to_owned(),
        status: if fits { RuleStatus::Pass } else { RuleStatus::Unknown },
        measured: Some(correlation),
        limit: Some(limit),
        evidence: "correlation of a unit's difference with that of the unit before it, in the \
                   order of the table; independent units exceed the limit one time in a thousand"
            .to_owned(),
    })
}

fn lineage(case: &OutcomeCase, sha256: &Digest) -> Vec<LineageRow> {
    let row = |id: String, name: &str, role: &str, detail: String| LineageRow {
        id,
        name: name.to_owned(),
        role: role.to_owned(),
        detail,
    };
    let claim = format!("sha256 {}", case.written.digest);
    vec![
        row(case.written.id.clone(), &case.written.claim.name, "claim", claim),
        row(
            sha256.to_string(),
            &case.table.file,
            "table of outcomes",
            format!("measured elsewhere; synthetic side made by {}", case.table.generator),
        ),
    ]
}
