//! From a log's bytes to rows: per channel the batches, the content digest and the quality.
//!
//! Invariant: rows are in (log time, sequence) order, and `sequence` is the order of arrival, so time that runs back is kept and counted.
//! The rows of one recording are held in memory; each chunk of its bytes is not.

use std::collections::BTreeMap;

use arrow::{
    array::{AsArray as _, RecordBatch},
    compute::{SortColumn, concat_batches, lexsort_to_indices, take_record_batch},
    datatypes::Int64Type,
};
use tiepoint_formats::{
    ChannelKey, Container, Limits, Reader, Samples, Summary, Table, TopicBatch, columns,
};
use tiepoint_measure::quality::{QualityAccumulator, ValueCounts};
use tiepoint_model::{Channel, RecordingId, Timestamp};
use tiepoint_store::ContentHasher;

use super::{GROUND_TRUTH_TOPIC, Source, container_of, each_chunk};
use crate::Error;

/// A log as decoded.
pub(super) struct DecodedLog {
    /// The container of the first file.
    pub(super) container: Container,
    /// Channels with at least one message, sorted by topic.
    pub(super) channels: Vec<DecodedChannel>,
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
    quality: QualityAccumulator,
    row_count: u64,
    last_message: Option<Timestamp>,
    runs_back: bool,
}

/// Decodes the log, and behind it the ground truth if there is one.
pub(super) fn decode(
    sources: &mut [Source],
    recording_id: &RecordingId,
) -> Result<DecodedLog, Error> {
    let mut gathered: BTreeMap<ChannelKey, Gathering> = BTreeMap::new();
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
    let mut channels = Vec::new();
    for (key, gathering) in gathered {
        let message_count = message_counts.get(&key).copied().unwrap_or(gathering.row_count);
        channels.push(finish(key, gathering, message_count)?);
    }
    let container = first_container.unwrap_or(Container::Mcap);
    Ok(DecodedLog { container, channels, notes, losses })
}

/// Feeds one file through its reader.
fn read(
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
        quality: QualityAccumulator::new(),
        row_count: 0,
        last_message: None,
        runs_back: false,
    });
    let topic = &piece.channel.topic;
    let batch = columns::to_batch(recording_id, topic, gathering.row_count, &piece.samples)?;
    gathering.row_count += piece.samples.len() as u64;
    let log_times: Vec<Timestamp> =
        piece.samples.stamps().iter().map(|stamps| stamps.log).collect();
    let times = message_times(&piece.samples, &log_times, gathering.last_message);
    gathering.quality.add_log_times(&times);
    gathering.quality.add_values(value_counts(&piece.samples));
    for time in &log_times {
        gathering.runs_back |= gathering.last_message.is_some_and(|last| *time < last);
        gathering.last_message = Some(*time);
    }
    gathering.batches.push(batch);
    Ok(())
}

/// The log times of messages: where one message makes several rows, rows that share a time count once.
fn message_times(
    samples: &Samples,
    log_times: &[Timestamp],
    last: Option<Timestamp>,
) -> Vec<Timestamp> {
    if !matches!(samples, Samples::Transforms(_) | Samples::Ranges(_)) {
        return log_times.to_vec();
    }
    let before = std::iter::once(last).chain(log_times.iter().copied().map(Some));
    let pairs = log_times.iter().zip(before);
    pairs.filter(|(time, before)| Some(**time) != *before).map(|(time, _)| *time).collect()
}

/// NaN and out-of-range values of a piece.
fn value_counts(samples: &Samples) -> ValueCounts {
    let sum = |counts: &mut dyn Iterator<Item = ValueCounts>| {
        counts.fold(ValueCounts::default(), ValueCounts::and)
    };
    match samples {
        Samples::Scans(scans) => sum(&mut scans.iter().map(ValueCounts::of_scan)),
        Samples::Points(clouds) => sum(&mut clouds.iter().map(|cloud| {
            let values: Vec<f64> = [&cloud.x_m, &cloud.y_m, &cloud.z_m]
                .into_iter()
                .flatten()
                .map(|value| f64::from(*value))
                .collect();
            ValueCounts::of_unlimited(&values)
        })),
        Samples::Imu(readings) => sum(&mut readings.iter().map(|reading| {
            let values = [reading.angular_rate_rad_per_s, reading.acceleration_m_per_s2];
            ValueCounts::of_unlimited(values.as_flattened())
        })),
        Samples::Poses(poses) => sum(&mut poses
            .iter()
            .map(|pose| ValueCounts::of_unlimited(pose.frame_from_child.translation_m.as_slice()))),
        Samples::Transforms(transforms) => sum(&mut transforms.iter().map(|transform| {
            ValueCounts::of_unlimited(transform.parent_from_child.translation_m.as_slice())
        })),
        Samples::Twists(twists) => sum(&mut twists.iter().map(|twist| {
            ValueCounts::of_unlimited(
                [twist.linear_m_per_s, twist.angular_rad_per_s].as_flattened(),
            )
        })),
        Samples::Ranges(ranges) => sum(&mut ranges
            .iter()
            .map(|range| ValueCounts::of_unlimited(&[f64::from(range.range_m)]))),
        Samples::Gnss(fixes) => sum(&mut fixes.iter().map(|fix| {
            ValueCounts::of_unlimited(&[fix.latitude_deg, fix.longitude_deg, fix.altitude_m])
        })),
        Samples::Magnetic(readings) => {
            sum(&mut readings.iter().map(|reading| ValueCounts::of_unlimited(&reading.field_t)))
        }
        Samples::Joints(states) => sum(&mut states
            .iter()
            .map(|state| ValueCounts::of_unlimited(&state.positions_rad_or_m))),
        Samples::RangeReadings(readings) => sum(&mut readings
            .iter()
            .map(|reading| ValueCounts::of_unlimited(&[f64::from(reading.range_m)]))),
        Samples::Cameras(_)
        | Samples::Images(_)
        | Samples::Paths(_)
        | Samples::Grids(_)
        | Samples::Raw(_) => ValueCounts::default(),
    }
}

/// Orders the rows, digests them, and closes the channel.
fn finish(
    key: ChannelKey,
    gathering: Gathering,
    message_count: u64,
) -> Result<DecodedChannel, Error> {
    let batches = match gathering.runs_back {
        false => gathering.batches,
        true => vec![sorted(&gathering.batches)?],
    };
    let schema = columns::schema(gathering.table);
    let mut hasher = ContentHasher::of_channel(&schema)?;
    let (mut start, mut end) = (Timestamp(i64::MAX), Timestamp(i64::MIN));
    for batch in &batches {
        hasher.update(batch)?;
        let times = batch.column_by_name("log_time_ns");
        let times = times.and_then(|column| column.as_primitive_opt::<Int64Type>());
        for time in times.into_iter().flat_map(|times| times.values()) {
            start = start.min(Timestamp(*time));
            end = end.max(Timestamp(*time));
        }
    }
    let channel = Channel {
        topic: key.topic,
        message_type: key.message_type,
        encoding: key.encoding,
        table: gathering.table.as_str().to_owned(),
        message_count,
        start_time_ns: start,
        end_time_ns: end,
        content_digest: hasher.finish(),
        quality: gathering.quality.finish(),
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

fn kept_raw(summary: &Summary) -> Vec<String> {
    let raw = summary.raw_message_counts.iter().map(|(message_type, count)| {
        format!("{count} messages of type `{message_type}` are kept raw: no decoder reads them")
    });
    raw.collect()
}
