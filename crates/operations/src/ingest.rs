//! `ingest`: a log into the lake, original and samples, in one commit.
//!
//! Invariant: a file that cannot be read to its end changes nothing; the same bytes twice add nothing.
//! The file is read three times (digest, samples, original); if the passes disagree it changed meanwhile, and nothing is kept.

mod decode;

use std::{
    collections::BTreeMap,
    io::{Read, Seek, SeekFrom},
    path::PathBuf,
};

use serde_json::json;
use sha2::Digest as _;
use tiepoint_formats::{Container, Table, columns};
use tiepoint_ledger::State;
use tiepoint_model::{Channel, Derivation, Digest, Origin, Recording, RecordingId};
use tiepoint_store::{PendingAppend, StoreError, recording_root, tables::EMPTY_VERSION};

use self::decode::{DecodedChannel, DecodedLog};
use crate::{
    Error, Platform,
    platform::{Commit, Committed},
    prove::{Proof, entry_proof_json},
    recording,
    verify::sha256_of,
};

/// Bytes read at a time.
const CHUNK_BYTES: usize = 1 << 20;

/// The topic under which an attached ground truth is kept.
pub(crate) const GROUND_TRUTH_TOPIC: &str = "/ground_truth";

/// A reader that can start again.
pub trait ReadAgain: Read + Seek + Send {}
impl<T: Read + Seek + Send> ReadAgain for T {}

/// A file of the user's, open.
pub struct Source {
    /// Its name without folders; names the recording.
    pub name: String,
    /// Its path, for messages.
    pub path: PathBuf,
    /// Its bytes.
    pub reader: Box<dyn ReadAgain>,
}

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
    /// Read and check only.
    pub dry_run: bool,
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

/// The digests of one original.
#[derive(Clone, Copy, PartialEq, Eq)]
struct OriginalDigests {
    blake3: Digest,
    sha256: Digest,
}

/// Ingests one log.
///
/// # Errors
/// [`Error::Log`] with file and place for anything that is no log or is damaged, [`Error::NoDerivation`],
/// [`Error::OtherOrigin`], [`Error::ChangedWhileRead`], and those of the store.
pub async fn ingest(
    platform: &mut Platform,
    mut request: IngestRequest,
) -> Result<IngestedRecording, Error> {
    let derivation = match (request.origin, request.unknown_generator) {
        (Origin::Real, None) => None,
        (Origin::Real, Some(_)) => return Err(Error::RealHasNoGenerator),
        (_, Some(reason)) => Some(Derivation::Unknown { reason }),
        (origin, None) => return Err(Error::NoDerivation { origin: origin.to_string() }),
    };
    let name = request.log.name.clone();
    let size_bytes = request.log.reader.seek(SeekFrom::End(0)).unwrap_or_default();
    let entering = Entering {
        name: stem(&request.log.name),
        sources: std::iter::once(request.log).chain(request.ground_truth).collect(),
        origin: request.origin,
        derivation,
        dry_run: request.dry_run,
        verb: "ingest",
        parameters: json!({ "origin": request.origin }),
        blobs: Vec::new(),
    };
    enter(platform, entering).await.map_err(|error| match error {
        Error::Store(source @ StoreError::DiskFull { .. }) => {
            let lake = platform.store.objects.root().to_owned();
            Error::DiskFull { name, size_bytes, lake, source: Box::new(source) }
        }
        error => error,
    })
}

/// A recording at the door, whether from a robot or from a simulator: there is one path, not two.
pub(crate) struct Entering {
    pub(crate) name: String,
    pub(crate) sources: Vec<Source>,
    pub(crate) origin: Origin,
    pub(crate) derivation: Option<Derivation>,
    pub(crate) dry_run: bool,
    pub(crate) verb: &'static str,
    pub(crate) parameters: serde_json::Value,
    /// Blobs that belong to it beside its originals.
    pub(crate) blobs: Vec<Digest>,
}

/// Takes a recording in: digests, samples, originals, commit.
pub(crate) async fn enter(
    platform: &mut Platform,
    mut entering: Entering,
) -> Result<IngestedRecording, Error> {
    let mut digests = Vec::new();
    for source in &mut entering.sources {
        digests.push(digest_of(source)?);
    }
    let recording_id = id_of(&digests);
    if platform.log.state.root(&recording_id.0).is_some() {
        platform.acknowledge().await?;
        return present(platform, &recording_id, &entering).await;
    }
    refuse_known_log(platform, &entering, &digests)?;
    let decoded = decode::decode(&mut entering.sources, &recording_id)?;
    let recording = describe(&entering, &recording_id, &digests, &decoded)?;
    let mut ingested = IngestedRecording {
        recording,
        was_present: false,
        dry_run: entering.dry_run,
        has_loss: !decoded.losses.is_empty(),
        warnings: [decoded.notes, decoded.losses].concat(),
        proof: None,
    };
    if entering.dry_run {
        return Ok(ingested);
    }
    let recording = &ingested.recording;
    for (source, digests) in entering.sources.drain(..).zip(&digests) {
        keep_original(platform, source, digests).await?;
    }
    let mut appends = write_samples(platform, decoded.channels).await?;
    appends.extend(write_catalogue(platform, recording).await?);
    let commit = commit_of(&entering, recording, appends)?;
    let id = recording_id.0.clone();
    let is_there = |state: &State| state.root(&id).is_some();
    match platform.commit(commit, is_there).await? {
        Committed::Entry(receipt) => {
            ingested.proof = receipt.proof.as_ref().map(entry_proof_json).transpose()?;
            ingested.warnings.extend(platform.take_warnings());
            Ok(ingested)
        }
        Committed::AlreadyThere => present(platform, &recording_id, &entering).await,
    }
}

/// The same log is one recording: with another ground truth, or without, it would be two of one name,
/// and what was learnt of one would not be known of the other.
fn refuse_known_log(
    platform: &Platform,
    entering: &Entering,
    digests: &[OriginalDigests],
) -> Result<(), Error> {
    let (Some(log), Some(source)) = (digests.first(), entering.sources.first()) else {
        return Ok(());
    };
    let Some(index) = platform.log.state.entry_of_blob(&log.blake3) else { return Ok(()) };
    let body = usize::try_from(index).ok().and_then(|index| platform.log.bodies.get(index));
    let outputs = body.and_then(Option::as_ref).map(|body| body.outputs.join(", "));
    Err(Error::KnownLog {
        path: source.path.clone(),
        recording: outputs.unwrap_or_else(|| format!("what entry {index} of the ledger made")),
    })
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
    let (was_present, has_loss, proof) = (true, false, None);
    Ok(IngestedRecording { recording, was_present, dry_run, warnings, has_loss, proof })
}

/// Reads a source once for its digests, and rewinds it.
fn digest_of(source: &mut Source) -> Result<OriginalDigests, Error> {
    let (mut blake3, mut sha256) = (blake3::Hasher::new(), sha2::Sha256::new());
    each_chunk(source, |chunk| {
        blake3.update(chunk);
        sha256.update(chunk);
        Ok(())
    })?;
    Ok(OriginalDigests {
        blake3: Digest(*blake3.finalize().as_bytes()),
        sha256: Digest(sha256.finalize().into()),
    })
}

/// Hands the whole of a source on in chunks, from its start.
pub(crate) fn each_chunk(
    source: &mut Source,
    mut take: impl FnMut(&[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    let path = source.path.clone();
    let refuse = |source| Error::File { path: path.clone(), source };
    source.reader.seek(SeekFrom::Start(0)).map_err(refuse)?;
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        match source.reader.read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(count) => take(&chunk[..count])?,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => (),
            Err(error) => return Err(refuse(error)),
        }
    }
}

/// One original names the recording by its own digest, several by the digest of their digests in order.
fn id_of(originals: &[OriginalDigests]) -> RecordingId {
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
    mut source: Source,
    expected: &OriginalDigests,
) -> Result<(), Error> {
    let path = source.path.clone();
    source
        .reader
        .seek(SeekFrom::Start(0))
        .map_err(|error| Error::File { path: path.clone(), source: error })?;
    let (id, _) = platform.store.objects.put_blob(source.reader).await?;
    if id.blake3 != expected.blake3 {
        return Err(Error::ChangedWhileRead { path });
    }
    Ok(())
}

/// The recording's catalogue entry.
fn describe(
    entering: &Entering,
    recording_id: &RecordingId,
    digests: &[OriginalDigests],
    decoded: &DecodedLog,
) -> Result<Recording, Error> {
    let channels: Vec<Channel> = decoded.channels.iter().map(|c| c.channel.clone()).collect();
    let roots: Vec<(String, Digest)> =
        channels.iter().map(|channel| (channel.topic.clone(), channel.content_digest)).collect();
    let sha256: Vec<Digest> = digests.iter().map(|original| original.sha256).collect();
    let starts = channels.iter().map(|channel| channel.start_time_ns).min();
    let ends = channels.iter().map(|channel| channel.end_time_ns).max();
    let (Some(start_time_ns), Some(end_time_ns)) = (starts, ends) else {
        let path = entering.sources.first().map(|source| source.path.clone());
        return Err(Error::NoMessages { path: path.unwrap_or_default() });
    };
    Ok(Recording {
        recording_id: recording_id.clone(),
        name: entering.name.clone(),
        origin: entering.origin,
        derivation: entering.derivation.clone(),
        container: decoded.container.as_str().to_owned(),
        start_time_ns,
        end_time_ns,
        originals: digests.iter().map(|original| original.blake3).collect(),
        content_digest: recording_root(&roots, &sha256)?,
        channels,
    })
}

/// Writes every channel's rows, one append per table.
async fn write_samples(
    platform: &Platform,
    channels: Vec<DecodedChannel>,
) -> Result<Vec<PendingAppend>, Error> {
    let mut by_table: BTreeMap<Table, Vec<arrow::array::RecordBatch>> = BTreeMap::new();
    for channel in channels {
        by_table.entry(channel.table).or_default().extend(channel.batches);
    }
    let mut appends = Vec::new();
    for (table, batches) in by_table {
        let name = table.as_str();
        appends.push(platform.store.tables.write_batches(name, EMPTY_VERSION, batches).await?);
    }
    Ok(appends)
}

/// Writes the recording's rows of the catalogue.
async fn write_catalogue(
    platform: &Platform,
    recording: &Recording,
) -> Result<Vec<PendingAppend>, Error> {
    let recordings = columns::recordings_to_batch(std::slice::from_ref(recording))?;
    let channels = columns::channels_to_batch(std::slice::from_ref(recording))?;
    let tables = &platform.store.tables;
    Ok(vec![
        tables.write_batches("recordings", EMPTY_VERSION, vec![recordings]).await?,
        tables.write_batches("channels", EMPTY_VERSION, vec![channels]).await?,
    ])
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

/// The name without its last ending.
fn stem(name: &str) -> String {
    match name.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem.to_owned(),
        _ => name.to_owned(),
    }
}

/// What the first bytes of a source are of.
pub(crate) fn container_of(source: &mut Source) -> Result<Container, Error> {
    let path = source.path.clone();
    let refuse = |source| Error::File { path: path.clone(), source };
    source.reader.seek(SeekFrom::Start(0)).map_err(refuse)?;
    let mut first = Vec::new();
    let limit = Container::DETECT_BYTES as u64;
    source.reader.by_ref().take(limit).read_to_end(&mut first).map_err(refuse)?;
    Container::detect(&source.name, &first)
        .map_err(|error| Error::Log { path, source: Box::new(error) })
}

/// The content digest that a log in memory would have in any lake.
pub(crate) fn content_digest_of(name: &str, bytes: Vec<u8>) -> Result<Digest, Error> {
    let mut entering = Entering {
        name: name.to_owned(),
        sources: vec![source_in_memory(name, bytes)],
        origin: Origin::Synthetic,
        derivation: None,
        dry_run: true,
        verb: "ingest",
        parameters: serde_json::Value::Null,
        blobs: Vec::new(),
    };
    let digests = [digest_of(&mut entering.sources[0])?];
    let recording_id = id_of(&digests);
    let decoded = decode::decode(&mut entering.sources, &recording_id)?;
    Ok(describe(&entering, &recording_id, &digests, &decoded)?.content_digest)
}

/// A log that lies in memory, as a source.
pub(crate) fn source_in_memory(name: &str, bytes: Vec<u8>) -> Source {
    let reader = Box::new(std::io::Cursor::new(bytes));
    Source { name: format!("{name}.mcap"), path: PathBuf::from(name), reader }
}
