//! From a log's bytes to rows on their way into the lake: per channel the content digest and the quality.
//!
//! Invariant: a content digest is over rows in (log time, sequence) order, and `sequence` is the order of arrival,
//! so time that runs back is kept and counted.
//! Rows are handed on as they come. Only channels whose time runs back are read again, to be digested in order, and no more
//! than some megabytes of their rows are held.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use arrow::array::RecordBatch;
use tiepoint_formats::{ChannelKey, Container, Damage, Loss, Summary, Table, TopicBatch, columns};
use tiepoint_model::{Channel, Digest, RecordingId, Timestamp, quality::RecordingQuality};
use tiepoint_store::{
    ContentHasher, PendingAppend, Tables,
    order::{HELD_BYTES, OrderKey, Span, in_order, order_keys, spans, within},
};

use super::{
    GROUND_TRUTH_TOPIC,
    rows::Rows,
    source::{Pieces, Source},
};
use crate::{
    Error,
    inspect::{Inspection, Inspector, Mountings},
};

/// A log as decoded.
pub(super) struct DecodedLog {
    /// The container of the first file.
    pub(super) container: Container,
    /// Channels with at least one message, sorted by topic.
    pub(super) channels: Vec<Channel>,
    /// Their rows, written and part of no version.
    pub(super) appends: Vec<PendingAppend>,
    /// What was found beyond single channels.
    pub(super) quality: RecordingQuality,
    /// The fixed mountings.
    pub(super) mountings: Mountings,
    /// What was kept raw, in words.
    pub(super) notes: Vec<String>,
    /// What was left out, in words.
    pub(super) warnings: Vec<String>,
}

/// A channel while it is read.
struct Gathering {
    table: Table,
    /// `None` once time has run back: then the order of arrival is not the digest's.
    hasher: Option<ContentHasher>,
    row_count: u64,
    last: Option<Timestamp>,
}

/// What the files say as a whole.
#[derive(Default)]
struct Learnt {
    container: Option<Container>,
    message_counts: BTreeMap<ChannelKey, u64>,
    notes: Vec<String>,
    warnings: Vec<String>,
    losses: Vec<String>,
}

/// Decodes the log, and behind it the ground truth if there is one; writes the rows if tables are given.
pub(super) async fn decode(
    sources: &[Source],
    recording_id: &RecordingId,
    tables: Option<&Tables>,
    damage: Damage,
) -> Result<DecodedLog, Error> {
    let mut rows = Rows::new(tables);
    match decode_into(&mut rows, sources, recording_id, damage).await {
        Ok(decoded) => Ok(DecodedLog { appends: rows.finish().await?, ..decoded }),
        Err(error) => {
            rows.discard().await;
            Err(error)
        }
    }
}

async fn decode_into(
    rows: &mut Rows<'_>,
    sources: &[Source],
    recording_id: &RecordingId,
    damage: Damage,
) -> Result<DecodedLog, Error> {
    let mut gathered: BTreeMap<ChannelKey, Gathering> = BTreeMap::new();
    let mut inspector = Inspector::default();
    let mut learnt = Learnt::default();
    for (index, source) in sources.iter().enumerate() {
        let mut pieces = source.open(damage)?;
        check_place(index, &pieces, source)?;
        learnt.container.get_or_insert(pieces.container());
        while let Some(batches) = pieces.next()? {
            for mut batch in batches {
                rename(index, &mut batch.channel);
                inspector.add(&batch);
                let (table, batch) = gather(&mut gathered, recording_id, &batch)?;
                rows.add(table, batch).await?;
            }
        }
        learnt.add(index, pieces.finish()?);
    }
    one_channel_per_topic(&gathered)?;
    let sorted = digests_in_order(sources, recording_id, &gathered, damage)?;
    let mut inspection = inspector.finish(learnt.losses);
    let mut channels = Vec::new();
    for (key, gathering) in gathered {
        let Some(report) = inspection.channels.remove(&key) else { continue };
        let Some((start_time_ns, end_time_ns)) = report.span else { continue };
        let digest = gathering.hasher.map(ContentHasher::finish);
        let Some(content_digest) = digest.or_else(|| sorted.get(&key).copied()) else { continue };
        channels.push(Channel {
            message_count: learnt.message_counts.get(&key).copied().unwrap_or(report.row_count),
            topic: key.topic,
            message_type: key.message_type,
            encoding: key.encoding,
            table: gathering.table.as_str().to_owned(),
            start_time_ns,
            end_time_ns,
            content_digest,
            quality: report.quality,
        });
    }
    let Inspection { quality, mountings, .. } = inspection;
    Ok(DecodedLog {
        container: learnt.container.unwrap_or(Container::Mcap),
        channels,
        appends: Vec::new(),
        quality,
        mountings,
        notes: learnt.notes,
        warnings: learnt.warnings,
    })
}

/// What comes behind the log must be a trajectory.
fn check_place(index: usize, pieces: &Pieces, source: &Source) -> Result<(), Error> {
    let container = pieces.container();
    let is_trajectory = matches!(container, Container::Tum | Container::Kitti | Container::Euroc);
    if index > 0 && !is_trajectory {
        let (path, container) = (source.path(), container.to_string());
        return Err(Error::NotATrajectory { path, container });
    }
    Ok(())
}

/// The channel of a ground truth has a topic of its own.
fn rename(source_index: usize, key: &mut ChannelKey) {
    if source_index > 0 {
        GROUND_TRUTH_TOPIC.clone_into(&mut key.topic);
    }
}

impl Learnt {
    fn add(&mut self, source_index: usize, summary: Summary) {
        self.notes.extend(kept_raw(&summary));
        self.losses.extend(summary.losses.iter().map(loss_in_words));
        for channel in summary.channels {
            let mut key = channel.channel;
            rename(source_index, &mut key);
            self.message_counts.insert(key, channel.message_count);
        }
        self.warnings.extend(summary.warnings);
        self.notes.extend(summary.notes);
    }
}

/// Adds a piece of a channel: its rows for the table.
fn gather(
    gathered: &mut BTreeMap<ChannelKey, Gathering>,
    recording_id: &RecordingId,
    piece: &TopicBatch,
) -> Result<(Table, RecordBatch), Error> {
    let table = piece.table();
    let gathering = match gathered.entry(piece.channel.clone()) {
        Entry::Occupied(known) => known.into_mut(),
        Entry::Vacant(new) => {
            let hasher = Some(ContentHasher::of_channel(&columns::schema(table))?);
            new.insert(Gathering { table, hasher, row_count: 0, last: None })
        }
    };
    let topic = &piece.channel.topic;
    let batch = columns::to_batch(recording_id, topic, gathering.row_count, &piece.samples)?;
    gathering.row_count += piece.samples.len() as u64;
    for stamps in piece.samples.stamps() {
        if gathering.last.is_some_and(|last| stamps.log < last) {
            gathering.hasher = None;
        }
        gathering.last = Some(stamps.log);
    }
    if let Some(hasher) = &mut gathering.hasher {
        hasher.update(&batch)?;
    }
    Ok((table, batch))
}

/// Rows are found again by their topic, so it must be one channel's.
pub(crate) fn one_channel_per_topic<T>(channels: &BTreeMap<ChannelKey, T>) -> Result<(), Error> {
    let keys: Vec<&ChannelKey> = channels.keys().collect();
    match keys.windows(2).find(|pair| pair[0].topic == pair[1].topic) {
        None => Ok(()),
        Some(pair) => Err(Error::TwoChannels {
            topic: pair[0].topic.clone(),
            first: pair[0].message_type.clone(),
            second: pair[1].message_type.clone(),
        }),
    }
}

/// A channel whose time runs back, while it is digested in order.
struct Unordered {
    hasher: ContentHasher,
    keys: Vec<OrderKey>,
    size_bytes: u64,
}

/// The digests of channels whose time runs back: the log is read again for the keys of their rows, and then for the rows
/// of as many spans of keys as may be held at a time.
fn digests_in_order(
    sources: &[Source],
    recording_id: &RecordingId,
    gathered: &BTreeMap<ChannelKey, Gathering>,
    damage: Damage,
) -> Result<BTreeMap<ChannelKey, Digest>, Error> {
    let mut unordered: BTreeMap<ChannelKey, Unordered> = BTreeMap::new();
    for (key, gathering) in gathered.iter().filter(|(_, gathering)| gathering.hasher.is_none()) {
        let hasher = ContentHasher::of_channel(&columns::schema(gathering.table))?;
        unordered.insert(key.clone(), Unordered { hasher, keys: Vec::new(), size_bytes: 0 });
    }
    if unordered.is_empty() {
        return Ok(BTreeMap::new());
    }
    let log = Again { sources, recording_id, damage };
    let wanted: BTreeSet<ChannelKey> = unordered.keys().cloned().collect();
    log.each_batch(&wanted, &mut |key, batch| {
        if let Some(channel) = unordered.get_mut(key) {
            channel.keys.extend(order_keys(&batch).unwrap_or_default());
            channel.size_bytes += batch.get_array_memory_size() as u64;
        }
        Ok(())
    })?;
    for round in rounds(&mut unordered) {
        let wanted = round.keys().cloned().collect();
        let mut held: BTreeMap<ChannelKey, Vec<RecordBatch>> = BTreeMap::new();
        log.each_batch(&wanted, &mut |key, batch| {
            if let Some(span) = round.get(key) {
                let rows = within(&batch, *span)?;
                held.entry(key.clone()).or_default().extend((rows.num_rows() > 0).then_some(rows));
            }
            Ok(())
        })?;
        for (key, batches) in held {
            let Some(channel) = unordered.get_mut(&key) else { continue };
            for batch in in_order(batches)? {
                channel.hasher.update(&batch)?;
            }
        }
    }
    let digest = |(key, channel): (ChannelKey, Unordered)| (key, channel.hasher.finish());
    Ok(unordered.into_iter().map(digest).collect())
}

/// Which rows each reading of the log holds: those of many small channels, since a clock that is set back sets back all
/// of them, or a span of one that is too large to be held.
fn rounds(unordered: &mut BTreeMap<ChannelKey, Unordered>) -> Vec<BTreeMap<ChannelKey, Span>> {
    let (mut rounds, mut together, mut together_bytes) = (Vec::new(), BTreeMap::new(), 0);
    for (key, channel) in unordered {
        channel.keys.sort_unstable();
        let spans = spans(&channel.keys, channel.size_bytes);
        if let [span] = spans[..] {
            if together_bytes + channel.size_bytes > HELD_BYTES && !together.is_empty() {
                rounds.push(std::mem::take(&mut together));
                together_bytes = 0;
            }
            together.insert(key.clone(), span);
            together_bytes += channel.size_bytes;
        } else {
            rounds.extend(spans.into_iter().map(|span| BTreeMap::from([(key.clone(), span)])));
        }
    }
    rounds.extend((!together.is_empty()).then_some(together));
    rounds
}

/// A log that is read again.
struct Again<'a> {
    sources: &'a [Source],
    recording_id: &'a RecordingId,
    damage: Damage,
}

impl Again<'_> {
    /// Hands on every batch of some channels, as it was written.
    fn each_batch(
        &self,
        wanted: &BTreeSet<ChannelKey>,
        take: &mut dyn FnMut(&ChannelKey, RecordBatch) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut counts: BTreeMap<ChannelKey, u64> = BTreeMap::new();
        for (index, source) in self.sources.iter().enumerate() {
            each_piece(source, self.damage, &mut |mut piece| {
                rename(index, &mut piece.channel);
                if !wanted.contains(&piece.channel) {
                    return Ok(());
                }
                let count = counts.entry(piece.channel.clone()).or_default();
                let (topic, samples) = (&piece.channel.topic, &piece.samples);
                let batch = columns::to_batch(self.recording_id, topic, *count, samples)?;
                *count += samples.len() as u64;
                take(&piece.channel, batch)
            })?;
        }
        Ok(())
    }
}

/// Hands on every piece of a source; answers with what was learnt of the whole.
pub(crate) fn each_piece(
    source: &Source,
    damage: Damage,
    take: &mut dyn FnMut(TopicBatch) -> Result<(), Error>,
) -> Result<Summary, Error> {
    let mut pieces = source.open(damage)?;
    while let Some(batches) = pieces.next()? {
        batches.into_iter().try_for_each(&mut *take)?;
    }
    pieces.finish()
}

/// What no decoder reads, in words.
pub(crate) fn kept_raw(summary: &Summary) -> Vec<String> {
    let raw = summary.raw_message_counts.iter().map(|(message_type, count)| {
        format!("{count} messages of type `{message_type}` are kept raw: no decoder reads them")
    });
    raw.collect()
}

/// What a damaged log lost, in words with its place.
pub(crate) fn loss_in_words(loss: &Loss) -> String {
    let place = match &loss.bytes {
        Some(bytes) => {
            format!("bytes {} to {} of file {}", bytes.start, bytes.end, loss.file_index)
        }
        None => format!("the rest of file {}", loss.file_index),
    };
    let count = match loss.message_count {
        Some(count) => format!("{count} messages"),
        None => "an unknown number of messages".to_owned(),
    };
    format!("{place}, {count}: {}", loss.reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(rows: i128, size_bytes: u64) -> Unordered {
        let hasher = ContentHasher::of_channel(&columns::schema(Table::Imu)).unwrap();
        Unordered { hasher, keys: (0..rows).rev().map(|time| (time, 0)).collect(), size_bytes }
    }

    fn keyed(topic: &str) -> ChannelKey {
        let text = |text: &str| text.to_owned();
        ChannelKey { topic: text(topic), message_type: text("m"), encoding: text("cdr") }
    }

    #[test]
    fn small_channels_are_read_together_and_large_ones_in_pieces() {
        let mut unordered: BTreeMap<ChannelKey, Unordered> =
            (0..100).map(|n| (keyed(&format!("/{n:02}")), channel(10, HELD_BYTES / 50))).collect();
        assert_eq!(rounds(&mut unordered).len(), 2, "a hundred channels, fifty at a time");
        unordered.insert(keyed("/50+"), channel(100, 4 * HELD_BYTES));
        let all = rounds(&mut unordered);
        assert_eq!(all.len(), 6);
        let of_large: Vec<Span> =
            all.iter().filter_map(|round| round.get(&keyed("/50+")).copied()).collect();
        assert_eq!(of_large.len(), 4);
        assert!(of_large.windows(2).all(|pair| pair[0].1 < pair[1].0), "{of_large:?}");
        let small = all.iter().flat_map(|round| round.keys()).filter(|key| **key != keyed("/50+"));
        assert_eq!(small.count(), 100);
    }
}
