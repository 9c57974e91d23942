//! `export`: a recording out of the lake, as MCAP that any reader takes, or its originals byte for byte.
//!
//! Invariant: what cannot be written is named, never left out in silence.
//! A batch of each channel is in memory, but for a channel whose time runs back, which is sorted.
//! Images are fetched from the originals one by one, and an export with images holds those originals against their digests before it is done.
//! Signals become JSON objects, since no ROS message holds them whole.

mod names;

use std::{
    borrow::Cow,
    collections::BTreeMap,
    io::{Read, Write},
    path::{Path, PathBuf},
};

use arrow::array::RecordBatch;
use futures::{TryStreamExt as _, stream::BoxStream};
use tiepoint_formats::{
    Damage, Definition, ExportChannel, Limits, McapExport, PayloadReader, Samples, Table, columns,
    recording_metadata, signals_definition,
};
use tiepoint_model::{Digest, Recording, RegisteredFile};
use tiepoint_store::{ReadRequest, StoreError};

use crate::{Error, Platform, Source, ingest::decode::each_piece, recording::find, register};

/// Bytes copied at a time.
const CHUNK_BYTES: usize = 1 << 20;

/// What was written.
#[derive(Clone, Debug)]
pub struct ExportReport {
    /// The recording.
    pub recording: Recording,
    /// Channels in the file.
    pub channel_count: usize,
    /// Rows in the file.
    pub row_count: u64,
    /// Channels that the file cannot hold, with the reason.
    pub left_out: Vec<String>,
}

/// Writes a recording as MCAP: ROS 2 messages for typed samples, raw messages as they were, and a Metadata record with
/// origin, derivation and digests.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Write`] if the output refuses or an image is not where its row says;
/// [`StoreError::BlobDamaged`] if images come from an original that is not as it was kept; those of the store.
pub async fn export_mcap(
    platform: &Platform,
    name: &str,
    output: &mut (dyn Write + Send),
) -> Result<ExportReport, Error> {
    let recording = find(platform, name).await?;
    let definitions = definitions(platform, &recording);
    let (mut channels, mut rows, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
    for channel in &recording.channels {
        let outlet = ExportChannel::of_recording(channel, None);
        let (Some(_), Ok(table)) = (outlet, channel.table.parse::<Table>()) else {
            left_out.push(format!(
                "{}: MCAP has no message for rows of `{}`; the original has them",
                channel.topic, channel.table
            ));
            continue;
        };
        let of_channel = ChannelRows::open(platform, &recording, table, &channel.topic).await?;
        let key = (channel.message_type.clone(), channel.encoding.clone());
        let definition = match &of_channel.first {
            Some(Samples::Signals(rows)) => rows.first().map(|row| signals_definition(&row.fields)),
            _ => definitions.get(&key).cloned(),
        };
        channels.extend(ExportChannel::of_recording(channel, definition));
        rows.push(of_channel);
    }
    let (channel_count, mut row_count) = (channels.len(), 0);
    let metadata = recording_metadata(&recording).map_err(Error::Json)?;
    let has_images = channels.iter().any(|channel| channel.table == Table::Images);
    let mut export = McapExport::new(output, "ros2", &metadata, channels)?
        .with_payloads(payloads(platform, &recording));
    while let Some(index) = export.wants() {
        let next = match rows.get_mut(index) {
            Some(rows) => rows.next().await?,
            None => None,
        };
        match next {
            Some(samples) => {
                row_count += samples.len() as u64;
                export.give(index, Cow::Owned(samples))?;
            }
            None => export.end(index)?,
        }
    }
    export.finish()?;
    if has_images {
        // A flipped bit in a pixel changes no length: only the digest tells.
        for mut original in originals_of(platform, &recording)? {
            let path = PathBuf::from(&original.name);
            original.copy_to(&mut std::io::sink(), &path)?;
        }
    }
    Ok(ExportReport { recording, channel_count, row_count, left_out })
}

/// One original of a recording, to be copied out.
pub struct StoredOriginal {
    /// BLAKE3 of its bytes, by which it was kept.
    pub digest: Digest,
    /// A path below the folder it is copied to: as it was called where it lay, if that is a sound name.
    pub name: String,
    reader: Box<dyn Read + Send>,
}

impl StoredOriginal {
    /// Copies it whole, and holds the bytes against the digest.
    ///
    /// # Errors
    /// [`StoreError::BlobDamaged`] behind the last byte if they are not those that were kept; [`Error::File`], with the
    /// path given for messages, if reading or writing fails.
    pub fn copy_to(&mut self, output: &mut dyn Write, path: &Path) -> Result<(), Error> {
        let refuse = |source| Error::File { path: path.to_owned(), source };
        let mut hasher = blake3::Hasher::new();
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let count = match self.reader.read(&mut chunk) {
                Ok(0) => break,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                count => count.map_err(refuse)?,
            };
            hasher.update(&chunk[..count]);
            output.write_all(&chunk[..count]).map_err(refuse)?;
        }
        let found = Digest(*hasher.finalize().as_bytes());
        match found == self.digest {
            true => Ok(()),
            false => Err(StoreError::BlobDamaged { expected: self.digest, found }.into()),
        }
    }
}

/// The originals of a recording, in order; a file that was registered; or those that were registered below a folder.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::AmbiguousName`] for several recordings of the name, or several files;
/// those of the store for a blob that is not there.
pub async fn originals(platform: &Platform, name: &str) -> Result<Vec<StoredOriginal>, Error> {
    let files = registered(platform, name).await?;
    match (find(platform, name).await, files.first()) {
        (recording, None) => originals_of(platform, &recording?),
        (Err(Error::NotFound { .. }), Some(_)) => {
            let names: Vec<String> = files.iter().map(|file| file.name.clone()).collect();
            let digests: Vec<Digest> = files.iter().map(|file| file.blake3).collect();
            stored(platform, &digests, &names)
        }
        (recording, Some(file)) => {
            let ids = vec![recording?.recording_id.to_string(), file.file_id.clone()];
            Err(Error::AmbiguousName { name: name.to_owned(), ids })
        }
    }
}

/// The file of this id or name, or every file below the folder of this name.
async fn registered(platform: &Platform, name: &str) -> Result<Vec<RegisteredFile>, Error> {
    let mut files = register::all(platform).await?;
    let folder = format!("{}/", name.trim_end_matches('/'));
    let is_one = |file: &RegisteredFile| file.file_id == name || file.name == name;
    let is_meant = |file: &RegisteredFile| is_one(file) || file.name.starts_with(&folder);
    files.retain(is_meant);
    let twice = files.windows(2).find(|pair| pair[0].name == pair[1].name);
    match twice {
        None => Ok(files),
        Some(pair) => {
            let called = pair[0].name.clone();
            let same = files.into_iter().filter(|file| file.name == called);
            Err(Error::AmbiguousName {
                name: called.clone(),
                ids: same.map(|f| f.file_id).collect(),
            })
        }
    }
}

fn originals_of(platform: &Platform, recording: &Recording) -> Result<Vec<StoredOriginal>, Error> {
    stored(platform, &recording.originals, &recording.original_names)
}

fn stored(
    platform: &Platform,
    digests: &[Digest],
    names: &[String],
) -> Result<Vec<StoredOriginal>, Error> {
    let mut originals = Vec::new();
    for (digest, name) in digests.iter().zip(names::sound_names(names, digests.len())) {
        let reader = Box::new(platform.store.objects.open_blob(digest)?);
        originals.push(StoredOriginal { digest: *digest, name, reader });
    }
    Ok(originals)
}

/// A channel's rows in its order, in the pieces in which they are read.
struct ChannelRows {
    table: Table,
    /// Read ahead, since it says which fields a signal has.
    first: Option<Samples>,
    rest: BoxStream<'static, Result<RecordBatch, StoreError>>,
}

impl ChannelRows {
    async fn open(
        platform: &Platform,
        recording: &Recording,
        table: Table,
        topic: &str,
    ) -> Result<Self, Error> {
        let id = recording.recording_id.to_string();
        let equals = [("recording_id", id.as_str()), ("topic", topic)];
        let request = ReadRequest { table: table.as_str(), columns: None, equals: &equals };
        let rest = platform.store.stream(&platform.head(), request).await?;
        let mut rows = Self { table, first: None, rest };
        rows.first = rows.next().await?;
        Ok(rows)
    }

    async fn next(&mut self) -> Result<Option<Samples>, Error> {
        if let Some(first) = self.first.take() {
            return Ok(Some(first));
        }
        while let Some(batch) = self.rest.try_next().await? {
            if batch.num_rows() > 0 {
                return Ok(Some(columns::from_batch(self.table, &batch)?));
            }
        }
        Ok(None)
    }
}

/// Fetches the images of a recording from its originals, which lie in the lake.
fn payloads(platform: &Platform, recording: &Recording) -> PayloadReader {
    let names = names::sound_names(&recording.original_names, recording.originals.len());
    let paths = recording.originals.iter().map(|digest| path_of(platform, digest));
    PayloadReader::new(names.into_iter().zip(paths).collect(), Limits::default())
}

fn path_of(platform: &Platform, original: &Digest) -> PathBuf {
    platform.store.objects.root().join(tiepoint_store::blobs::blob_key(original))
}

/// How raw messages are defined, as the originals say. Of an original that cannot be read any more nothing is known,
/// and raw messages are written without their definition.
fn definitions(
    platform: &Platform,
    recording: &Recording,
) -> BTreeMap<(String, String), Definition> {
    let is_raw = |channel: &tiepoint_model::Channel| channel.table == Table::Raw.as_str();
    let mut all = BTreeMap::new();
    if !recording.channels.iter().any(is_raw) {
        return all;
    }
    for digest in &recording.originals {
        let path = path_of(platform, digest);
        let read = each_piece(&Source::Path(path), Damage::Keep, &mut |_| Ok(()));
        all.extend(read.map(|summary| summary.definitions).unwrap_or_default());
    }
    all
}
