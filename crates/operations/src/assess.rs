//! `assess`: may this synthetic data stand in for real data, for this claim?
//!
//! Invariant: every claim is in the ledger before the data it is judged on is opened.
//! The judgement itself is `assure::judge`; here claims are resolved, measured, signed and committed.

mod conclude;
mod edges;
mod evidence;
mod metric;
mod outcomes;
mod pictures;
mod unpaired;
mod vetoes;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde_json::json;
use tiepoint_assure::{DirectionEvidence, Evidence, canonical_json, judge, parse_claim};
use tiepoint_model::{
    Derivation, Digest, Origin, Recording,
    claim::{Claim, RangeErrorKind, SyntheticSource},
    verdict::{Fit, Verdict},
};
use tiepoint_reconstruct::trajectory::StampedPose;

pub use self::outcomes::ReserveError;
use self::{
    conclude::{conclude, conclude_outcomes},
    edges::UnitSpans,
    metric::Metric,
    outcomes::OutcomeCase,
};
use crate::{
    Error, Half, Platform,
    ingest::GROUND_TRUTH_TOPIC,
    platform::{
        Commit,
        log::{Line, Wanted},
    },
    recording,
    report::{LineageRow, Pictures},
    run::Run,
    twin::stored::{self, TwinInputs},
    verify::sha256_of,
};

/// Claims as text, each with the path it came from.
#[derive(Clone, Debug)]
pub struct AssessRequest {
    /// Path, for messages, and TOML.
    pub claims: Vec<(PathBuf, String)>,
}

/// One claim judged.
#[derive(Clone, Debug)]
pub struct Assessed {
    /// Id of the verdict in the ledger.
    pub verdict_id: String,
    /// The verdict.
    pub verdict: Verdict,
    /// Its answer in one sentence.
    pub sentence: String,
    /// The signed statement: a DSSE envelope.
    pub envelope: Vec<u8>,
    /// The report: one HTML file.
    pub report_html: String,
}

/// A claim whose data has been found and not opened.
enum Prepared {
    /// Recordings of the lake.
    Recordings(Box<Case>),
    /// A table of outcomes that the user has.
    Outcomes(Box<OutcomeCase>),
}

impl Prepared {
    fn claim(&self) -> &Claim {
        match self {
            Self::Recordings(case) => &case.written.claim,
            Self::Outcomes(case) => &case.written.claim,
        }
    }
}

/// A claim as it was written, and what names it in the ledger.
struct WrittenClaim {
    claim: Claim,
    id: String,
    digest: Digest,
    text: String,
}

impl WrittenClaim {
    fn new(claim: Claim, text: String) -> Result<Self, Error> {
        let digest = sha256_of(canonical_json(&claim)?.as_bytes());
        Ok(Self { id: format!("claim-{}", &digest.to_string()[..16]), claim, digest, text })
    }
}

/// A claim resolved to what the lake holds.
struct Case {
    written: WrittenClaim,
    metric: Metric,
    real: Recording,
    synthetic: Synthetic,
}

/// The synthetic side of a claim.
enum Synthetic {
    /// Twins of the real run: the half each was fitted on, its recording, its stored inputs.
    Twins(Vec<(Half, Recording, Digest)>),
    /// Another recording, without pairs.
    Other(Box<Recording>),
}

/// What was measured for a case.
struct Findings {
    evidence: Evidence,
    pictures: Pictures,
    lineage: Vec<LineageRow>,
    /// The spans of the units, direction by direction, in the order of the twins.
    units: Vec<UnitSpans>,
}

/// Judges claims, signs the verdicts and commits them.
///
/// # Errors
/// [`Error::Claim`] naming file and field; [`Error::NotFound`], [`Error::NotReal`], [`Error::NoTwin`],
/// [`Error::CannotMeasure`]; those of measures, simulation, store and ledger. Nothing is judged if any claim is not sound.
pub async fn assess(
    platform: &mut Platform,
    request: AssessRequest,
    progress: &mut (dyn FnMut(&str) + Send),
    deliver: &mut (dyn FnMut(&Assessed) -> Result<(), Error> + Send),
) -> Result<Vec<Assessed>, Error> {
    let key = platform.signing_key().await?;
    let mut cases: Vec<Prepared> = Vec::new();
    for (path, text) in request.claims {
        let claim = parse_claim(&text, metric::KNOWN)
            .map_err(|source| Error::Claim { path: path.clone(), source })?;
        let case = prepare(platform, claim, &path, text).await?;
        if cases.iter().any(|other| other.claim().name == case.claim().name) {
            let reason = "another claim of this call has the same name".to_owned();
            let hint = "give each claim a name of its own: it names the verdict's files".to_owned();
            let claim = case.claim().name.clone();
            return Err(Error::CannotMeasure { claim, reason, hint });
        }
        cases.push(case);
    }
    for case in &cases {
        match case {
            Prepared::Recordings(case) => {
                let real = std::iter::once(case.real.recording_id.to_string());
                let inputs = real.chain(synthetic_ids(case)).collect();
                commit_claim(platform, &case.written, inputs).await?;
            }
            Prepared::Outcomes(case) => outcomes::commit(platform, case).await?,
        }
    }
    let mut runs: BTreeMap<String, Run> = BTreeMap::new();
    let mut assessed = Vec::new();
    for (index, case) in cases.iter().enumerate() {
        progress(&format!("judging {} ({} of {})", case.claim().name, index + 1, cases.len()));
        let concluded = match case {
            Prepared::Recordings(case) => {
                let id = case.real.recording_id.0.clone();
                if !runs.contains_key(&id) {
                    runs.insert(id.clone(), Run::load(platform, case.real.clone()).await?);
                }
                let findings = find(platform, case, &runs[&id]).await?;
                let verdict = judge(&case.written.claim, &findings.evidence)?;
                conclude(platform, (case, &runs[&id]), verdict, &findings, &key).await?
            }
            Prepared::Outcomes(case) => {
                let opened = outcomes::open(platform, case).await?;
                let verdict = judge(&case.written.claim, &opened.findings.evidence)?;
                conclude_outcomes(platform, case, verdict, &opened, &key).await?
            }
        };
        // At once: a later claim may fail, and a verdict that was committed must reach its reader.
        deliver(&concluded)?;
        assessed.push(concluded);
    }
    Ok(assessed)
}

async fn prepare(
    platform: &Platform,
    claim: Claim,
    path: &Path,
    text: String,
) -> Result<Prepared, Error> {
    if matches!(claim.synthetic, SyntheticSource::Outcomes(_)) {
        return Ok(Prepared::Outcomes(Box::new(outcomes::resolve(claim, path, text)?)));
    }
    Ok(Prepared::Recordings(Box::new(resolve(platform, claim, text).await?)))
}

/// Finds what the claim speaks of, without opening any sample.
async fn resolve(platform: &Platform, claim: Claim, text: String) -> Result<Case, Error> {
    let metric = Metric::of(&claim)?;
    let real = recording::find(platform, &claim.real).await?;
    if real.origin != Origin::Real {
        let (recording, origin) = (real.name.clone(), real.origin.to_string());
        return Err(Error::NotReal { recording, origin });
    }
    metric.check_units(&claim)?;
    let has_truth = real.channels.iter().any(|channel| channel.topic == GROUND_TRUTH_TOPIC);
    if metric.uses_reference() && !has_truth {
        let reason = format!("`{}` has no ground truth", real.name);
        let hint = "ingest it with `--ground-truth`, or choose a scan metric".to_owned();
        return Err(metric::refuse(&claim, &reason, hint));
    }
    let synthetic = match &claim.synthetic {
        SyntheticSource::Recording(name) => {
            Synthetic::Other(Box::new(recording::find(platform, name).await?))
        }
        SyntheticSource::Twin { .. } if claim.unit.is_independent() => {
            let reason = "one recording and its twins are one run";
            let hint = "use blocks of it as units, or give a table of outcomes, one row per run";
            return Err(metric::refuse(&claim, reason, hint.to_owned()));
        }
        SyntheticSource::Twin { range_error } => {
            Synthetic::Twins(twins_of(platform, &real, *range_error).await?)
        }
        SyntheticSource::Outcomes(_) => {
            let hint = "name the table under `synthetic.outcomes`".to_owned();
            return Err(metric::refuse(&claim, "a table of outcomes is no recording", hint));
        }
    };
    Ok(Case { written: WrittenClaim::new(claim, text)?, metric, real, synthetic })
}

/// The newest twin of each half with the model of range errors; a run without ranges has one kind of twin.
async fn twins_of(
    platform: &Platform,
    real: &Recording,
    range_error: RangeErrorKind,
) -> Result<Vec<(Half, Recording, Digest)>, Error> {
    let mut newest: BTreeMap<Half, (u64, Recording, Digest)> = BTreeMap::new();
    for candidate in recording::all(platform).await? {
        let Some(Derivation::Generated { anchors, inputs_digest, .. }) = &candidate.derivation
        else {
            continue;
        };
        if !anchors.contains(&real.recording_id) {
            continue;
        }
        let manifest = stored::manifest(platform, inputs_digest).await?;
        if manifest.range_error.is_some_and(|kind| kind != range_error) {
            continue;
        }
        let entries = platform.log.state.entries_of_output(&candidate.recording_id.0)?;
        let entry = entries.last().copied().unwrap_or_default();
        let digest = *inputs_digest;
        let kept = newest.get(&manifest.calibration);
        if kept.is_none_or(|(kept, ..)| *kept < entry) {
            newest.insert(manifest.calibration, (entry, candidate.clone(), digest));
        }
    }
    if newest.len() < Half::BOTH.len() {
        let (real, range_error) = (real.name.clone(), range_error.as_str().to_owned());
        return Err(Error::NoTwin { real, range_error });
    }
    Ok(newest.into_iter().map(|(half, (_, twin, digest))| (half, twin, digest)).collect())
}

/// Puts a claim into the ledger, unless the same claim is there.
async fn commit_claim(
    platform: &mut Platform,
    written: &WrittenClaim,
    inputs: Vec<String>,
) -> Result<(), Error> {
    let WrittenClaim { claim, id, digest, text } = written;
    let text = std::io::Cursor::new(text.clone().into_bytes());
    let (blob, _) = platform.store.objects.put_blob(text).await?;
    let commit = Commit {
        blobs: [blob.blake3].into(),
        roots: BTreeMap::from([(id.clone(), *digest)]),
        inputs,
        outputs: vec![id.clone()],
        names: BTreeMap::from([(id.clone(), claim.name.clone())]),
        parameters: json!({ "claim": claim }),
        seed: Some(claim.seeds.base),
        ..Commit::empty("claim")
    };
    platform.commit(commit, |state| state.root(id).is_some()).await?;
    Ok(())
}

/// What a verdict is derived from: the claim, the real recording, the synthetic ones.
fn verdict_inputs(case: &Case) -> Vec<String> {
    let claim_and_real = [case.written.id.clone(), case.real.recording_id.to_string()];
    claim_and_real.into_iter().chain(synthetic_ids(case)).collect()
}

fn synthetic_ids(case: &Case) -> Vec<String> {
    match &case.synthetic {
        Synthetic::Twins(twins) => {
            twins.iter().map(|(_, twin, _)| twin.recording_id.to_string()).collect()
        }
        Synthetic::Other(other) => vec![other.recording_id.to_string()],
    }
}

/// Opens the data and measures.
async fn find(platform: &Platform, case: &Case, run: &Run) -> Result<Findings, Error> {
    let inputs = input_digests(case);
    let mut evidence = Evidence {
        claim_digest: case.written.digest,
        judged_at_ns: platform.config.now,
        directions: Vec::new(),
        reference: None,
        inspected_before: inspected_before(platform, case).await?,
        vetoes: Vec::new(),
        fitted: Vec::new(),
        inputs,
        charge: None,
    };
    let lineage = lineage_rows(case);
    match &case.synthetic {
        Synthetic::Other(other) => {
            let found = unpaired::measure(platform, case, run, other).await?;
            evidence.vetoes = found.vetoes;
            Ok(Findings { evidence, pictures: found.pictures, lineage, units: Vec::new() })
        }
        Synthetic::Twins(twins) => {
            let mut loaded: Vec<(Half, TwinInputs)> = Vec::new();
            for (half, _, digest) in twins {
                loaded.push((*half, stored::load(platform, digest).await?));
            }
            let truth = known_poses(run)?;
            let span = run.span().ok_or_else(|| Error::NoMessages { path: PathBuf::new() })?;
            let question = evidence::Question {
                claim: &case.written.claim,
                metric: case.metric,
                run,
                truth: &truth,
                span,
            };
            let measured = evidence::measure(&question, &loaded)?;
            evidence.vetoes = vetoes::of_twins(&question, &loaded, &measured)?;
            evidence.fitted = fitted(case, run);
            let pictures = pictures::of_twins(&question, &loaded, &measured)?;
            let units = unit_spans(&loaded, &measured.directions);
            evidence.directions = measured.directions;
            evidence.reference = measured.reference;
            Ok(Findings { evidence, pictures, lineage, units })
        }
    }
}

/// The units' spans; they say nothing of the values.
fn unit_spans(twins: &[(Half, TwinInputs)], directions: &[DirectionEvidence]) -> Vec<UnitSpans> {
    let both = twins.iter().zip(directions);
    both.map(|((calibration, _), direction)| UnitSpans {
        direction: direction.direction.clone(),
        calibration: *calibration,
        units: direction
            .units
            .iter()
            .filter_map(|unit| Some([unit.start_ns?, unit.end_ns?]))
            .collect(),
    })
    .collect()
}

/// Where the robot was: ground truth, else scan matching.
fn known_poses(run: &Run) -> Result<Vec<StampedPose>, Error> {
    match run.truth_in_plane() {
        truth if truth.is_empty() => Ok(crate::twin::place(run)?.slam.poses),
        truth => Ok(truth),
    }
}

fn input_digests(case: &Case) -> BTreeMap<String, Digest> {
    let mut inputs = BTreeMap::from([(content_name(&case.real), case.real.content_digest)]);
    match &case.synthetic {
        Synthetic::Other(other) => {
            inputs.insert(content_name(other), other.content_digest);
        }
        Synthetic::Twins(twins) => {
            for (_, twin, digest) in twins {
                inputs.insert(content_name(twin), twin.content_digest);
                inputs.insert(format!("inputs of {} (blake3)", twin.recording_id), *digest);
            }
        }
    }
    inputs
}

fn content_name(recording: &Recording) -> String {
    format!("content of {} ({})", recording.recording_id, recording.name)
}

/// Whether the ledger knows of a look at the same data before this claim was committed:
/// a comparison of the recording, or another claim's verdict by the same metric.
async fn inspected_before(platform: &Platform, case: &Case) -> Result<Option<String>, Error> {
    let state = &platform.log.state;
    let made = state.entries_of_output(&case.written.id).unwrap_or_default();
    let Some(committed) = made.first().copied() else { return Ok(None) };
    let inputs: Vec<String> = verdict_inputs(case);
    let real = case.real.recording_id.to_string();
    let looked_at = |entry: &tiepoint_ledger::Entry, body: Option<&tiepoint_ledger::Body>| {
        // An erased body cannot say what was looked at, so it may have been this.
        let Some(body) = body else {
            return matches!(entry.verb.as_str(), "assess" | "compare") && entry.index < committed;
        };
        let same_metric = body.parameters["metric"]["id"] == json!(case.written.claim.metric.id);
        let same_claim = body.parameters["claim_id"] == json!(case.written.id);
        match entry.verb.as_str() {
            // The claim's own verdict counts too, if it was about other synthetic data.
            "assess" if same_claim => body.inputs != inputs,
            "assess" => same_metric && body.inputs.contains(&real) && entry.index < committed,
            "compare" => body.inputs.contains(&real) && entry.index < committed,
            _ => false,
        }
    };
    let mut looks = [state.entries_of_verb("assess"), state.entries_of_verb("compare")].concat();
    looks.sort_unstable();
    for index in looks {
        let line = platform.read_entry(index, Wanted::Bodies).await?;
        if let Some(Line { entry, body, .. }) = line
            && looked_at(&entry, body.as_ref())
        {
            return Ok(Some(format!(
                "entry {index} of the ledger (`{}`) had looked at the same recording before this \
                 claim, committed as entry {committed}, was judged on this synthetic data",
                entry.verb
            )));
        }
    }
    Ok(None)
}

/// What was fitted on what.
fn fitted(case: &Case, run: &Run) -> Vec<Fit> {
    let Synthetic::Twins(twins) = &case.synthetic else { return Vec::new() };
    let mut fits: Vec<Fit> = twins
        .iter()
        .map(|(half, twin, _)| Fit {
            what: format!("map and sensor models of {}", twin.name),
            on: format!("{}, {} half", case.real.name, half.as_str()),
        })
        .collect();
    let source = match run.truth.is_empty() {
        true => "whole run, by scan matching",
        false => "each half by itself, by ground truth smoothed with its own scans",
    };
    fits.push(Fit {
        what: "trajectory of the twins".to_owned(),
        on: format!("{}, {source}", case.real.name),
    });
    fits
}

fn lineage_rows(case: &Case) -> Vec<LineageRow> {
    let row = |id: &str, name: &str, role: &str, detail: String| LineageRow {
        id: id.to_owned(),
        name: name.to_owned(),
        role: role.to_owned(),
        detail,
    };
    let of = |recording: &Recording, role: &str| {
        let detail = match &recording.derivation {
            None => format!("content {}", recording.content_digest),
            Some(Derivation::Unknown { reason }) => format!("generator unknown: {reason}"),
            Some(Derivation::Generated { generator, seed, inputs_digest, .. }) => {
                format!("{generator}, seed {}, inputs {inputs_digest}", seed.0)
            }
        };
        row(&recording.recording_id.0, &recording.name, role, detail)
    };
    let mut rows = vec![
        row(
            &case.written.id,
            &case.written.claim.name,
            "claim",
            format!("sha256 {}", case.written.digest),
        ),
        of(&case.real, "real recording"),
    ];
    match &case.synthetic {
        Synthetic::Other(other) => rows.push(of(other, "synthetic recording")),
        Synthetic::Twins(twins) => {
            for (half, twin, _) in twins {
                rows.push(of(twin, &format!("twin fitted on the {} half", half.as_str())));
            }
        }
    }
    rows
}
