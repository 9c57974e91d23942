//! `ingest`: a log into the lake, original and samples, in one commit.
//!
//! Invariant: a file that cannot be read to its end changes nothing; the same bytes twice add nothing.
//! The file is read three times (digest, samples, original); if the passes disagree it changed meanwhile, and nothing is kept.

pub(crate) mod decode;
mod rig;
mod rows;
mod source;

use std::{collections::BTreeMap, sync::Arc};

use serde_json::json;
use tiepoint_formats::{Container, Damage, columns};
use tiepoint_ledger::State;
use tiepoint_model::{Channel, Derivation, Digest, LineageEdge, Origin, Recording, RecordingId};
use tiepoint_store::{
    PendingAppend, StoreError,
    blobs::{BlobId, blob_id},
    recording_root,
    tables::EMPTY_VERSION,
};

pub use self::source::Source;
use self::{decode::DecodedLog, source::Original};
use crate::{
    Error, Platform, derivations, inspect,
    platform::{Commit, Committed},
    prove::{Proof, entry_proof_json},
    recording,
    verify::sha256_of,
};

/// The topic under which an attached ground truth is kept.
pub(crate) const GROUND_TRUTH_TOPIC: &str = "/ground_truth";

/// What to ingest, and what is known of it.
pub struct IngestRequest {
    /// The log.
    pub log: Source,
    /// A trajectory with the true poses, if there is one.
    pub ground_truth: Option<Source>,
    /// Where the samples come from.
    pub origin: Origin,
    /// Why the generator of data that is not real cannot be named.
    pub unknown_generator: Option<String>,
    /// The rig that made it: its mountings are compared with those of its last pass.
    pub rig: Option<String>,
    /// Of a damaged log, keep what precedes and follows the damage, and say what was lost.
    pub recover: bool,
    /// Read and check only.
    pub dry_run: bool,
}

impl IngestRequest {
    /// A real log of which nothing more is known.
    #[must_use]
    pub fn real(log: Source) -> Self {
        Self {
            log,
            ground_truth: None,
            origin: Origin::Real,
            unknown_generator: None,
            rig: None,
            recover: false,
            dry_run: false,
        }
    }
}

/// A recording as it stands in the lake now.
#[derive(Clone, Debug)]
pub struct IngestedRecording {
    /// The recording with its channels.
    pub recording: Recording,
    /// True if the lake had it already: nothing was added.
    pub was_present: bool,
    /// True if nothing was to be written.
    pub dry_run: bool,
    /// What was kept raw or left out, in words.
    pub warnings: Vec<String>,
    /// True if something of the log was left out, and not only kept raw.
    pub has_loss: bool,
    /// That its entry is in the ledger; none if nothing was written or the signing key was not at hand.
    pub proof: Option<Proof>,
}

/// Ingests one log.
///
/// # Errors
/// [`Error::Log`] with file and place for anything that is no log or is damaged, [`Error::NoDerivation`],
/// [`Error::OtherOrigin`], [`Error::ChangedWhileRead`], and those of the store.
pub async fn ingest(
    platform: &mut Platform,
    request: IngestRequest,
) -> Result<IngestedRecording, Error> {
    let derivation = match (request.origin, request.unknown_generator) {
        (Origin::Real, None) => None,
        (Origin::Real, Some(_)) => return Err(Error::RealHasNoGenerator),
        (_, Some(reason)) => Some(Derivation::Unknown { reason }),
        (origin, None) => return Err(Error::NoDerivation { origin: origin.to_string() }),
    };
    let entering = Entering {
        name: request.log.stem(),
        sources: std::iter::once(request.log).chain(request.ground_truth).collect(),
        origin: request.origin,
        derivation,
        parameters: json!({ "origin": request.origin, "rig": request.rig }),
        rig: request.rig,
        damage: if request.recover { Damage::Keep } else { Damage::Refuse },
        dry_run: request.dry_run,
        verb: "ingest",
        blobs: Vec::new(),
        edges: Vec::new(),
    };
    enter(platform, entering).await
}

/// A recording at the door, whether from a robot or from a simulator: there is one path, not two.
pub(crate) struct Entering {
    pub(crate) name: String,
    pub(crate) sources: Vec<Source>,
    pub(crate) origin: Origin,
    pub(crate) derivation: Option<Derivation>,
    pub(crate) rig: Option<String>,
    pub(crate) damage: Damage,
    pub(crate) dry_run: bool,
    pub(crate) verb: &'static str,
    pub(crate) parameters: serde_json::Value,
    /// Blobs that belong to it beside its originals.
    pub(crate) blobs: Vec<Digest>,
    /// Where its channels come from; the child's id is still to be filled in.
    pub(crate) edges: Vec<LineageEdge>,
}

/// Takes a recording in: digests, samples, originals, commit.
pub(crate) async fn enter(
    platform: &mut Platform,
    entering: Entering,
) -> Result<IngestedRecording, Error> {
    let originals = originals_of(&entering)?;
    let mut digests = Vec::new();
    for original in &originals {
        digests.push(digest_of(original)?);
    }
    let name = entering.name.clone();
    let size_bytes = digests.iter().map(|digests| digests.size_bytes).sum();
    take_in(platform, entering, &originals, &digests).await.map_err(|error| match error {
        Error::Store(source @ StoreError::DiskFull { .. }) => {
            let lake = platform.store.objects.root().to_owned();
            Error::DiskFull { name, size_bytes, lake, source: Box::new(source) }
        }
        error => error,
    })
}

/// [`enter`], once the digests of the originals are known.
async fn take_in(
    platform: &mut Platform,
    entering: Entering,
    originals: &[Original],
    digests: &[BlobId],
) -> Result<IngestedRecording, Error> {
    let recording_id = id_of(digests);
    if platform.log.state.root(&recording_id.0).is_some() {
        platform.acknowledge().await?;
        return present(platform, &recording_id, &entering).await;
    }
    refuse_known_log(platform, &entering, digests).await?;
    let tables = (!entering.dry_run).then_some(&platform.store.tables);
    let Entering { sources, damage, .. } = &entering;
    let mut decoded = decode::decode(sources, &recording_id, tables, *damage).await?;
    let mut appends = std::mem::take(&mut decoded.appends);
    let prepared = prepare(platform, &entering, (originals, digests), &decoded, &mut appends);
    let (recording, edges_root) = match prepared.await {
        Ok(prepared) => prepared,
        Err(error) => {
            // No entry names the rows yet, so they may go.
            rows::discard(&platform.store.tables, appends).await;
            return Err(error);
        }
    };
    let mut ingested = IngestedRecording {
        was_present: false,
        dry_run: entering.dry_run,
        has_loss: !(decoded.warnings.is_empty() && recording.quality.losses.is_empty()),
        recording,
        warnings: [decoded.notes, decoded.warnings].concat(),
        proof: None,
    };
    if entering.dry_run {
        return Ok(ingested);
    }
    let mut commit = commit_of(&entering, &ingested.recording, appends.clone())?;
    commit.roots.extend(edges_root);
    let id = recording_id.0.clone();
    let is_there = |state: &State| state.root(&id).is_some();
    match platform.commit(commit, is_there).await? {
        Committed::Entry(receipt) => {
            ingested.proof = receipt.proof.as_ref().map(entry_proof_json).transpose()?;
            ingested.warnings.extend(platform.take_warnings());
            Ok(ingested)
        }
        Committed::AlreadyThere => {
            rows::discard(&platform.store.tables, appends).await;
            present(platform, &recording_id, &entering).await
        }
    }
}

/// The recording's catalogue entry and the root of its edges; its originals and the rows of the catalogue are written
/// too, unless it is a dry run.
async fn prepare(
    platform: &Platform,
    entering: &Entering,
    (originals, digests): (&[Original], &[BlobId]),
    decoded: &DecodedLog,
    appends: &mut Vec<PendingAppend>,
) -> Result<(Recording, Option<(String, Digest)>), Error> {
    let mut edges_root = None;
    let mut recording = describe(entering, (originals, digests), decoded)?;
    if let Some(rig) = &entering.rig {
        let before = rig::last_pass(platform, rig, recording.start_time_ns).await?;
        let moved = inspect::mounting_findings(&before, &decoded.mountings);
        recording.quality.findings.extend(moved);
    }
    if !entering.dry_run {
        for (original, digests) in originals.iter().zip(digests) {
            keep_original(platform, original, digests).await?;
        }
        write_catalogue(platform, &recording, appends).await?;
        let edges = edges_of(entering, &recording);
        let id = &recording.recording_id.0;
        if let Some(pending) = derivations::write(platform, id, &edges).await? {
            appends.push(pending.append);
            edges_root = Some(pending.root);
        }
    }
    Ok((recording, edges_root))
}

/// What is kept byte for byte: the files of the log, then those of the ground truth.
fn originals_of(entering: &Entering) -> Result<Vec<Original>, Error> {
    let mut originals = Vec::new();
    for source in &entering.sources {
        originals.extend(source.open(entering.damage)?.originals());
    }
    Ok(originals)
}

/// The same log is one recording: with another ground truth, or without, it would be two of one name,
/// and what was learnt of one would not be known of the other.
async fn refuse_known_log(
    platform: &Platform,
    entering: &Entering,
    digests: &[BlobId],
) -> Result<(), Error> {
    let (Some(log), Some(source)) = (digests.first(), entering.sources.first()) else {
        return Ok(());
    };
    if platform.log.state.entry_of_blob(&log.blake3).is_none() {
        return Ok(());
    }
    // The same table by another projection is another recording.
    if matches!(source.open(entering.damage)?.container(), Container::Csv | Container::Parquet) {
        return Ok(());
    }
    // What was only registered has not been read as a log.
    let recordings = recording::all(platform).await?;
    match recordings.iter().find(|recording| recording.originals.contains(&log.blake3)) {
        None => Ok(()),
        Some(known) => {
            let recording = known.recording_id.to_string();
            Err(Error::KnownLog { path: source.path(), recording })
        }
    }
}

/// The recording that the lake has already; the first origin stands.
async fn present(
    platform: &Platform,
    recording_id: &RecordingId,
    entering: &Entering,
) -> Result<IngestedRecording, Error> {
    let recording = recording::find(platform, &recording_id.0).await?;
    if recording.origin != entering.origin {
        return Err(Error::OtherOrigin {
            recording: recording.recording_id.to_string(),
            stored: recording.origin.to_string(),
            given: entering.origin.to_string(),
        });
    }
    let (dry_run, warnings) = (entering.dry_run, Vec::new());
    let (was_present, proof) = (true, None);
    let has_loss = !recording.quality.losses.is_empty();
    Ok(IngestedRecording { recording, was_present, dry_run, warnings, has_loss, proof })
}

/// Reads an original once for its digests.
fn digest_of(original: &Original) -> Result<BlobId, Error> {
    blob_id(&mut original.read()?).map_err(|error| match error {
        StoreError::Source(source) => Error::File { path: original.path().to_owned(), source },
        error => error.into(),
    })
}

/// One original names the recording by its own digest, several by the digest of their digests in order.
fn id_of(originals: &[BlobId]) -> RecordingId {
    let digest = match originals {
        [one] => one.blake3,
        many => {
            let mut hasher = blake3::Hasher::new();
            for original in many {
                hasher.update(&original.blake3.0);
            }
            Digest(*hasher.finalize().as_bytes())
        }
    };
    RecordingId::of_originals(&digest)
}

/// Stores the bytes of an original; they must be those that were decoded.
async fn keep_original(
    platform: &Platform,
    original: &Original,
    expected: &BlobId,
) -> Result<(), Error> {
    let objects = &platform.store.objects;
    match objects.put_known_blob(original.read()?, expected.blake3).await {
        Err(StoreError::BlobDamaged { .. }) => {
            Err(Error::ChangedWhileRead { path: original.path().to_owned() })
        }
        kept => {
            kept?;
            Ok(())
        }
    }
}

/// The recording's catalogue entry.
fn describe(
    entering: &Entering,
    (originals, digests): (&[Original], &[BlobId]),
    decoded: &DecodedLog,
) -> Result<Recording, Error> {
    let channels: Vec<Channel> = decoded.channels.clone();
    let roots: Vec<(String, Digest)> =
        channels.iter().map(|channel| (channel.topic.clone(), channel.content_digest)).collect();
    let sha256: Vec<Digest> = digests.iter().map(|original| original.sha256).collect();
    let starts = channels.iter().map(|channel| channel.start_time_ns).min();
    let ends = channels.iter().map(|channel| channel.end_time_ns).max();
    let (Some(start_time_ns), Some(end_time_ns)) = (starts, ends) else {
        let path = entering.sources.first().map(Source::path);
        return Err(Error::NoMessages { path: path.unwrap_or_default() });
    };
    Ok(Recording {
        recording_id: id_of(digests),
        name: entering.name.clone(),
        origin: entering.origin,
        rig: entering.rig.clone(),
        derivation: entering.derivation.clone(),
        container: decoded.container.as_str().to_owned(),
        start_time_ns,
        end_time_ns,
        originals: digests.iter().map(|original| original.blake3).collect(),
        original_names: originals.iter().map(|original| original.name().to_owned()).collect(),
        content_digest: recording_root(&roots, &sha256)?,
        channels,
        quality: decoded.quality.clone(),
    })
}

/// The edges of the channels that the recording has, with its id.
fn edges_of(entering: &Entering, recording: &Recording) -> Vec<LineageEdge> {
    let mut edges = entering.edges.clone();
    let has = |topic: &str| recording.channels.iter().any(|channel| channel.topic == topic);
    edges.retain(|edge| edge.child.part.as_deref().is_none_or(has));
    edges.iter_mut().for_each(|edge| edge.child.id = recording.recording_id.to_string());
    edges
}

/// Writes the recording's rows of the catalogue.
async fn write_catalogue(
    platform: &Platform,
    recording: &Recording,
    appends: &mut Vec<PendingAppend>,
) -> Result<(), Error> {
    let recordings = columns::recordings_to_batch(std::slice::from_ref(recording))?;
    let channels = columns::channels_to_batch(std::slice::from_ref(recording))?;
    let findings = columns::findings_to_batch(std::slice::from_ref(recording))?;
    for (table, batch) in
        [("recordings", recordings), ("channels", channels), ("findings", findings)]
    {
        if batch.num_rows() > 0 {
            let tables = &platform.store.tables;
            appends.push(tables.write_batches(table, EMPTY_VERSION, vec![batch]).await?);
        }
    }
    Ok(())
}

/// The entry that makes the recording part of the lake.
fn commit_of(
    entering: &Entering,
    recording: &Recording,
    appends: Vec<PendingAppend>,
) -> Result<Commit, Error> {
    let id = recording.recording_id.to_string();
    let (inputs, seed) = match &recording.derivation {
        Some(Derivation::Generated { anchors, seed, .. }) => {
            (anchors.iter().map(ToString::to_string).collect(), Some(*seed))
        }
        _ => (Vec::new(), None),
    };
    let originals = recording.originals.iter().copied();
    Ok(Commit {
        appends,
        blobs: originals.chain(entering.blobs.iter().copied()).collect(),
        roots: BTreeMap::from([
            (id.clone(), recording.content_digest),
            (catalogue_root_name(&id), catalogue_digest(recording)?),
        ]),
        inputs,
        outputs: vec![id.clone()],
        names: BTreeMap::from([(id, recording.name.clone())]),
        parameters: entering.parameters.clone(),
        seed,
        ..Commit::empty(entering.verb)
    })
}

/// Under which name the ledger keeps the digest of a recording's catalogue entry.
pub(crate) fn catalogue_root_name(recording_id: &str) -> String {
    format!("{recording_id} catalogue")
}

/// SHA-256 over everything that the catalogue says of a recording: origin, derivation, quality and all.
pub(crate) fn catalogue_digest(recording: &Recording) -> Result<Digest, Error> {
    Ok(sha256_of(&serde_json::to_vec(recording).map_err(Error::Json)?))
}

/// The content digest that a log in memory would have in any lake.
pub(crate) async fn content_digest_of(name: &str, bytes: Vec<u8>) -> Result<Digest, Error> {
    let entering = Entering {
        name: name.to_owned(),
        sources: vec![source_in_memory(name, bytes)],
        origin: Origin::Synthetic,
        derivation: None,
        rig: None,
        damage: Damage::Refuse,
        dry_run: true,
        verb: "ingest",
        parameters: serde_json::Value::Null,
        blobs: Vec::new(),
        edges: Vec::new(),
    };
    let (originals, mut digests) = (originals_of(&entering)?, Vec::new());
    for original in &originals {
        digests.push(digest_of(original)?);
    }
    let recording_id = id_of(&digests);
    let Entering { sources, damage, .. } = &entering;
    let decoded = decode::decode(sources, &recording_id, None, *damage).await?;
    Ok(describe(&entering, (&originals, &digests), &decoded)?.content_digest)
}

/// A log that lies in memory, as a source.
pub(crate) fn source_in_memory(name: &str, bytes: Vec<u8>) -> Source {
    Source::Memory { name: name.to_owned(), bytes: Arc::new(bytes) }
}
