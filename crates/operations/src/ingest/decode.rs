//! From a log's bytes to rows: per channel the batches, the content digest and the quality.
//!
//! Invariant: rows are in (log time, sequence) order, and `sequence` is the order of arrival, so time that runs back is kept and counted.
//! The rows of one recording are held in memory; each chunk of its bytes is not.

use std::collections::BTreeMap;

use arrow::{
    array::RecordBatch,
    compute::{SortColumn, concat_batches, lexsort_to_indices, take_record_batch},
};
use tiepoint_formats::{
    ChannelKey, Container, Limits, Reader, Summary, Table, TopicBatch, columns,
};
use tiepoint_model::{Channel, RecordingId, Timestamp, quality::RecordingQuality};
use tiepoint_store::ContentHasher;

use super::{GROUND_TRUTH_TOPIC, Source, container_of, each_chunk};
use crate::{
    Error,
    inspect::{ChannelReport, Inspection, Inspector, Mountings},
};

/// A log as decoded.
pub(super) struct DecodedLog {
    /// The container of the first file.
    pub(super) container: Container,
    /// Channels with at least one message, sorted by topic.
    pub(super) channels: Vec<DecodedChannel>,
    /// What was found beyond single channels.
    pub(super) quality: RecordingQuality,
    /// The fixed mountings.
    pub(super) mountings: Mountings,
    /// What was kept raw, in words.
    pub(super) notes: Vec<String>,
    /// What was left out, in words.
    pub(super) losses: Vec<String>,
}

/// One channel as decoded.
pub(super) struct DecodedChannel {
    /// Its catalogue entry.
    pub(super) channel: Channel,
    /// Where its rows go.
    pub(super) table: Table,
    /// Its rows in order.
    pub(super) batches: Vec<RecordBatch>,
}

/// A channel while it is read.
struct Gathering {
    table: Table,
    batches: Vec<RecordBatch>,
    row_count: u64,
    last: Option<Timestamp>,
    runs_back: bool,
}

/// Decodes the log, and behind it the ground truth if there is one.
pub(super) fn decode(
    sources: &mut [Source],
    recording_id: &RecordingId,
) -> Result<DecodedLog, Error> {
    let mut gathered: BTreeMap<ChannelKey, Gathering> = BTreeMap::new();
    let mut inspector = Inspector::default();
    let (mut notes, mut losses) = (Vec::new(), Vec::new());
    let mut message_counts: BTreeMap<ChannelKey, u64> = BTreeMap::new();
    let mut first_container = None;
    for (file_index, source) in sources.iter_mut().enumerate() {
        let container = container_of(source)?;
        let is_truth = file_index > 0;
        if is_truth && !matches!(container, Container::Tum | Container::Kitti | Container::Euroc) {
            let (path, container) = (source.path.clone(), container.to_string());
            return Err(Error::NotATrajectory { path, container });
        }
        first_container.get_or_insert(container);
        let rename = |key: &mut ChannelKey| {
            if is_truth {
                GROUND_TRUTH_TOPIC.clone_into(&mut key.topic);
            }
        };
        let mut take = |mut batch: TopicBatch| {
            rename(&mut batch.channel);
            inspector.add(&batch);
            gather(&mut gathered, recording_id, batch)
        };
        let summary = read(source, container, &mut take)?;
        for channel in &summary.channels {
            let mut key = channel.channel.clone();
            rename(&mut key);
            message_counts.insert(key, channel.message_count);
        }
        notes.extend(kept_raw(&summary));
        losses.extend(summary.warnings);
    }
    // Rows are found again by their topic, so it must be one channel's.
    let keys: Vec<&ChannelKey> = gathered.keys().collect();
    if let Some(pair) = keys.windows(2).find(|pair| pair[0].topic == pair[1].topic) {
        return Err(Error::TwoChannels {
            topic: pair[0].topic.clone(),
            first: pair[0].message_type.clone(),
            second: pair[1].message_type.clone(),
        });
    }
    let mut inspection = inspector.finish(Vec::new());
    let mut channels = Vec::new();
    for (key, gathering) in gathered {
        let Some(report) = inspection.channels.remove(&key) else { continue };
        let message_count = message_counts.get(&key).copied().unwrap_or(report.row_count);
        channels.push(finish(key, gathering, message_count, report)?);
    }
    let container = first_container.unwrap_or(Container::Mcap);
    let Inspection { quality, mountings, .. } = inspection;
    Ok(DecodedLog { container, channels, quality, mountings, notes, losses })
}

/// Feeds one file through its reader.
pub(crate) fn read(
    source: &mut Source,
    container: Container,
    take: &mut dyn FnMut(TopicBatch) -> Result<(), Error>,
) -> Result<Summary, Error> {
    let path = source.path.clone();
    let refuse = |source| Error::Log { path: path.clone(), source: Box::new(source) };
    let mut reader = Reader::new(container, Limits::default());
    each_chunk(source, |chunk| {
        reader.feed(chunk).map_err(refuse)?;
        reader.drain().into_iter().try_for_each(&mut *take)
    })?;
    let summary = reader.finish().map_err(refuse)?;
    reader.drain().into_iter().try_for_each(take)?;
    Ok(summary)
}

/// Adds a piece of a channel.
fn gather(
    gathered: &mut BTreeMap<ChannelKey, Gathering>,
    recording_id: &RecordingId,
    piece: TopicBatch,
) -> Result<(), Error> {
    let table = piece.table();
    let gathering = gathered.entry(piece.channel.clone()).or_insert_with(|| Gathering {
        table,
        batches: Vec::new(),
        row_count: 0,
        last: None,
        runs_back: false,
    });
    let topic = &piece.channel.topic;
    let batch = columns::to_batch(recording_id, topic, gathering.row_count, &piece.samples)?;
    gathering.row_count += piece.samples.len() as u64;
    for stamps in piece.samples.stamps() {
        gathering.runs_back |= gathering.last.is_some_and(|last| stamps.log < last);
        gathering.last = Some(stamps.log);
    }
    gathering.batches.push(batch);
    Ok(())
}

/// Orders the rows, digests them, and closes the channel.
fn finish(
    key: ChannelKey,
    gathering: Gathering,
    message_count: u64,
    report: ChannelReport,
) -> Result<DecodedChannel, Error> {
    let batches = match gathering.runs_back {
        false => gathering.batches,
        true => vec![sorted(&gathering.batches)?],
    };
    let schema = columns::schema(gathering.table);
    let mut hasher = ContentHasher::of_channel(&schema)?;
    batches.iter().try_for_each(|batch| hasher.update(batch))?;
    // A channel without rows is not gathered, so it has a span.
    let (start, end) = report.span.unwrap_or((Timestamp(0), Timestamp(0)));
    let channel = Channel {
        topic: key.topic,
        message_type: key.message_type,
        encoding: key.encoding,
        table: gathering.table.as_str().to_owned(),
        message_count,
        start_time_ns: start,
        end_time_ns: end,
        content_digest: hasher.finish(),
        quality: report.quality,
    };
    Ok(DecodedChannel { channel, table: gathering.table, batches })
}

/// All rows in (log time, sequence) order.
fn sorted(batches: &[RecordBatch]) -> Result<RecordBatch, Error> {
    let schema = batches.first().map(RecordBatch::schema);
    let all = concat_batches(&schema.unwrap_or_else(|| columns::schema(Table::Raw)), batches)?;
    let column = |name: &str| SortColumn {
        values: all.column_by_name(name).unwrap_or(all.column(0)).clone(),
        options: None,
    };
    let order = lexsort_to_indices(&[column("log_time_ns"), column("sequence")], None)?;
    Ok(take_record_batch(&all, &order)?)
}

pub(crate) fn kept_raw(summary: &Summary) -> Vec<String> {
    let raw = summary.raw_message_counts.iter().map(|(message_type, count)| {
        format!("{count} messages of type `{message_type}` are kept raw: no decoder reads them")
    });
    raw.collect()
}
