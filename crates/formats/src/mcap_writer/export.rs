//! A recording of any size as MCAP, streamed to any output in batches.
//!
//! Invariant: the same rows give the same bytes however they are cut into batches, and whatever
//! order the channels are listed in. Memory is one batch per channel, one chunk and one image.
//!
//! The caller owns both ends: it is asked which channel is to go on ([`McapExport::wants`]) and
//! gives rows, so that they may come from anywhere, waited for or not.
//!
//! Images are rows without pixels: each is fetched when its message is written, see
//! [`McapExport::with_payloads`].

use std::{borrow::Cow, collections::BTreeMap, io::Write};

use mcap::{
    Compression, WriteOptions, Writer,
    records::{MessageHeader, Metadata},
    write::NoSeek,
};
use tiepoint_model::{Channel, ImageSample, Recording, Stamps, Timestamp};

use super::{WriteError, signals::signals_json};
use crate::{
    ChannelKey, Definition, Payloads, Samples, Table,
    message::{
        MessageKind,
        encode::{EncodeError, encode, encode_image, message_end},
        schema_text::schema_text,
    },
};

/// The size at which a chunk is closed. As the reference writers choose it, and part of the bytes.
const CHUNK_BYTES: u64 = 1 << 20;

/// Zstandard's own default, written out because it is part of the bytes.
const ZSTD_LEVEL: u32 = 3;

/// One channel to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportChannel {
    /// Topic, type and encoding in the new file.
    pub key: ChannelKey,
    /// The table of its rows.
    pub table: Table,
    /// Of raw messages, as the original has it; of signals, see [`super::signals_definition`]; typed samples bring their
    /// own.
    pub definition: Option<Definition>,
    /// Metadata of the channel's record: its digest, for instance.
    pub metadata: BTreeMap<String, String>,
}

impl ExportChannel {
    /// A channel of a recording as it is exported: typed samples become the ROS 2 message that
    /// they were read from or the usual one of their table, signals become JSON objects, raw
    /// messages stay what they were.
    /// The record's metadata names the table, the content digest and the original type.
    ///
    /// `None` for a table that this version does not know.
    #[must_use]
    pub fn of_recording(channel: &Channel, definition: Option<Definition>) -> Option<Self> {
        let table: Table = channel.table.parse().ok()?;
        let own = ChannelKey {
            topic: channel.topic.clone(),
            message_type: channel.message_type.clone(),
            encoding: channel.encoding.clone(),
        };
        let key = match table {
            Table::Raw => own,
            Table::Signals => ChannelKey { encoding: "json".to_owned(), ..own },
            _ => {
                let kind = MessageKind::of_name(&own.message_type)
                    .filter(|kind| kind.table() == table && *kind != MessageKind::Transforms);
                match (kind, own.message_type.split_once('/')) {
                    (Some(_), Some((package, rest))) => {
                        let name = rest.strip_prefix("msg/").unwrap_or(rest);
                        let message_type = format!("{package}/msg/{name}");
                        ChannelKey { message_type, encoding: "cdr".to_owned(), ..own }
                    }
                    _ => ChannelKey::ros2(&own.topic, table)?,
                }
            }
        };
        let metadata = [
            ("tiepoint.table", channel.table.clone()),
            ("tiepoint.content_digest", channel.content_digest.to_string()),
            ("tiepoint.message_type", channel.message_type.clone()),
            ("tiepoint.encoding", channel.encoding.clone()),
        ];
        let metadata = metadata.map(|(name, value)| (name.to_owned(), value)).into();
        Some(Self { key, table, definition, metadata })
    }
}

/// The Metadata record that names a recording: `tiepoint.recording`, with its id, name, origin,
/// derivation as JSON, container, content digest and the digests of its originals.
///
/// # Errors
/// If the derivation holds a number that JSON cannot.
pub fn recording_metadata(
    recording: &Recording,
) -> Result<BTreeMap<String, BTreeMap<String, String>>, serde_json::Error> {
    let mut values: BTreeMap<String, String> = [
        ("format_version", "1".to_owned()),
        ("recording_id", recording.recording_id.to_string()),
        ("name", recording.name.clone()),
        ("origin", recording.origin.to_string()),
        ("container", recording.container.clone()),
        ("content_digest", recording.content_digest.to_string()),
        ("start_time_ns", recording.start_time_ns.0.to_string()),
        ("end_time_ns", recording.end_time_ns.0.to_string()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    if let Some(derivation) = &recording.derivation {
        values.insert("derivation_json".to_owned(), serde_json::to_string(derivation)?);
    }
    for (index, digest) in recording.originals.iter().enumerate() {
        values.insert(format!("original_{index}_blake3"), digest.to_string());
    }
    Ok([("tiepoint.recording".to_owned(), values)].into())
}

/// Writes one MCAP file, batch by batch.
///
/// ```text
/// while let Some(channel_index) = export.wants() {
///     match next batch of that channel {
///         Some(samples) => export.give(channel_index, samples)?,
///         None => export.end(channel_index)?,
///     }
/// }
/// let output = export.finish()?;
/// ```
pub struct McapExport<'a, W: Write> {
    writer: Writer<NoSeek<W>>,
    /// Sorted by key; the index of the caller's list beside each.
    outlets: Vec<Outlet<'a>>,
    payloads: Option<Fetch<'a>>,
}

/// Who fetches the pixels of images.
type Fetch<'a> = Box<dyn Payloads + Send + 'a>;

impl<'a, W: Write> McapExport<'a, W> {
    /// Writes the start of the file: header, metadata records, schemas and channels.
    ///
    /// # Errors
    /// [`WriteError::DuplicateChannel`], [`WriteError::UnknownMessageType`],
    /// [`WriteError::UnknownEncoding`], [`WriteError::Container`].
    pub fn new(
        output: W,
        profile: &str,
        metadata: &BTreeMap<String, BTreeMap<String, String>>,
        channels: Vec<ExportChannel>,
    ) -> Result<Self, WriteError> {
        let mut outlets = Vec::with_capacity(channels.len());
        for (index, channel) in channels.into_iter().enumerate() {
            outlets.push(Outlet::new(index, channel)?);
        }
        outlets.sort_by(|a, b| a.channel.key.cmp(&b.channel.key));
        let same = |pair: &&[Outlet<'_>]| pair[0].channel.key == pair[1].channel.key;
        if let Some(pair) = outlets.windows(2).find(same) {
            let ChannelKey { topic, message_type, .. } = pair[0].channel.key.clone();
            return Err(WriteError::DuplicateChannel { topic, message_type });
        }
        let mut writer = WriteOptions::new()
            .compression(Some(Compression::Zstd))
            .compression_level(ZSTD_LEVEL)
            .compression_threads(0)
            .chunk_size(Some(CHUNK_BYTES))
            .profile(profile)
            .library("tiepoint")
            .disable_seeking(true)
            .create(NoSeek::new(output))?;
        for (name, values) in metadata {
            writer.write_metadata(&Metadata { name: name.clone(), metadata: values.clone() })?;
        }
        for outlet in &mut outlets {
            outlet.declare(&mut writer)?;
        }
        Ok(Self { writer, outlets, payloads: None })
    }

    /// The same, with images: their pixels are fetched by the addresses in their rows.
    #[must_use]
    pub fn with_payloads(self, payloads: impl Payloads + Send + 'a) -> Self {
        Self { payloads: Some(Box::new(payloads)), ..self }
    }

    /// The channel whose rows are needed before anything more can be written, as an index of the
    /// list given; `None` if every channel has ended.
    #[must_use]
    pub fn wants(&self) -> Option<usize> {
        self.outlets.iter().find(|outlet| outlet.is_hungry()).map(|outlet| outlet.index)
    }

    /// Takes the next rows of a channel and writes what is then certain to be next.
    ///
    /// # Errors
    /// See [`WriteError`].
    pub fn give(&mut self, channel_index: usize, rows: Cow<'a, Samples>) -> Result<(), WriteError> {
        self.outlet(channel_index)?.take(rows)?;
        self.write_ready()
    }

    /// Says that a channel has no more rows.
    ///
    /// # Errors
    /// See [`WriteError`].
    pub fn end(&mut self, channel_index: usize) -> Result<(), WriteError> {
        self.outlet(channel_index)?.has_ended = true;
        self.write_ready()
    }

    /// Writes what is left, index and summary; gives the output back. Channels that were not
    /// ended end here.
    ///
    /// # Errors
    /// See [`WriteError`].
    pub fn finish(mut self) -> Result<W, WriteError> {
        self.outlets.iter_mut().for_each(|outlet| outlet.has_ended = true);
        self.write_ready()?;
        self.writer.finish()?;
        Ok(self.writer.into_inner().into_inner())
    }

    fn outlet(&mut self, channel_index: usize) -> Result<&mut Outlet<'a>, WriteError> {
        let found = self.outlets.iter_mut().find(|outlet| outlet.index == channel_index);
        found.filter(|outlet| !outlet.has_ended).ok_or(WriteError::NoSuchChannel { channel_index })
    }

    /// Messages are merged by log time. Few channels, so the next message is found by looking at
    /// each; the first of equals wins, which is the first by topic.
    fn write_ready(&mut self) -> Result<(), WriteError> {
        while self.wants().is_none() {
            let times = self.outlets.iter().enumerate();
            let next = times
                .filter_map(|(index, outlet)| Some((outlet.next_log_time()?, index)))
                .min()
                .map(|(_, index)| index);
            let Some(next) = next else { return Ok(()) };
            let payloads = self.payloads.as_mut();
            self.outlets[next].write_next(&mut self.writer, payloads)?;
        }
        Ok(())
    }
}

/// One channel being written.
struct Outlet<'a> {
    index: usize,
    channel: ExportChannel,
    /// Rows that are not all written.
    samples: Cow<'a, Samples>,
    has_ended: bool,
    /// `None` for raw messages and JSON.
    kind: Option<MessageKind>,
    channel_id: u16,
    next_row: usize,
    /// Rows of earlier batches, for errors.
    rows_before: usize,
    message_count: u32,
}

impl<'a> Outlet<'a> {
    fn new(index: usize, channel: ExportChannel) -> Result<Self, WriteError> {
        let ExportChannel { key, table, .. } = &channel;
        let table = *table;
        let mut kind = None;
        let is_json = table == Table::Signals && key.encoding == "json";
        if table != Table::Raw && !is_json {
            if key.encoding != "cdr" {
                let (topic, encoding) = (key.topic.clone(), key.encoding.clone());
                return Err(WriteError::UnknownEncoding { topic, encoding });
            }
            kind = MessageKind::of_name(&key.message_type).filter(|kind| kind.table() == table);
            if kind.is_none() {
                let (topic, message_type) = (key.topic.clone(), key.message_type.clone());
                return Err(WriteError::UnknownMessageType { topic, message_type, table });
            }
        }
        Ok(Self {
            index,
            samples: Cow::Owned(Samples::empty(table)),
            channel,
            has_ended: false,
            kind,
            channel_id: 0,
            next_row: 0,
            rows_before: 0,
            message_count: 0,
        })
    }

    fn declare<W: Write>(&mut self, writer: &mut Writer<NoSeek<W>>) -> Result<(), WriteError> {
        let ExportChannel { key, definition, metadata, .. } = &self.channel;
        let ChannelKey { topic, message_type, encoding } = key;
        let schema_id = match (self.kind, definition) {
            (Some(kind), _) => {
                writer.add_schema(message_type, "ros2msg", schema_text(kind).as_bytes())?
            }
            (None, Some(Definition { language, text })) => {
                writer.add_schema(message_type, language, text)?
            }
            (None, None) if message_type.is_empty() => 0,
            (None, None) => writer.add_schema(message_type, "", &[])?,
        };
        self.channel_id = writer.add_channel(schema_id, topic, encoding, metadata)?;
        Ok(())
    }

    /// True if the next message cannot be known yet: there is no row, or its message might go on
    /// in the next batch.
    fn is_hungry(&self) -> bool {
        !self.has_ended && message_end(&self.samples, self.next_row) >= self.may_go_on_at()
    }

    /// Messages of several rows may go on behind the last row; others end with theirs.
    fn may_go_on_at(&self) -> usize {
        let goes_on = matches!(self.channel.table, Table::Transforms | Table::Ranges);
        let length = self.samples.len();
        if goes_on { length } else { length + 1 }
    }

    fn take(&mut self, rows: Cow<'a, Samples>) -> Result<(), WriteError> {
        let table = rows.table();
        if table != self.channel.table {
            let ChannelKey { topic, message_type, .. } = self.channel.key.clone();
            return Err(WriteError::UnknownMessageType { topic, message_type, table });
        }
        self.rows_before += self.next_row;
        if self.next_row >= self.samples.len() {
            self.samples = rows;
        } else {
            let mut left = std::mem::replace(&mut self.samples, Cow::Owned(Samples::empty(table)))
                .into_owned();
            left.drop_first(self.next_row);
            // Of one table, as was just seen.
            let _ = left.append(rows.into_owned());
            self.samples = Cow::Owned(left);
        }
        self.next_row = 0;
        Ok(())
    }

    fn next_log_time(&self) -> Option<Timestamp> {
        self.samples.stamps_at(self.next_row).map(|stamps| stamps.log)
    }

    fn write_next<W: Write>(
        &mut self,
        writer: &mut Writer<NoSeek<W>>,
        payloads: Option<&mut Fetch<'a>>,
    ) -> Result<(), WriteError> {
        let row = self.next_row;
        let samples: &Samples = &self.samples;
        let Some(Stamps { log, publish, .. }) = samples.stamps_at(row) else { return Ok(()) };
        let end = message_end(samples, row);
        let encoded;
        let data: &[u8] = match (self.kind, samples) {
            (Some(kind), Samples::Images(rows)) => {
                encoded = self.image(kind, &rows[row], payloads)?;
                &encoded
            }
            (Some(kind), samples) => {
                encoded = encode(kind, samples, row..end).map_err(|error| self.explain(error))?;
                &encoded
            }
            (None, Samples::Raw(rows)) => &rows[row].payload,
            (None, Samples::Signals(rows)) => {
                encoded = signals_json(&rows[row]);
                &encoded
            }
            (None, _) => return Err(self.explain(EncodeError::Table)),
        };
        let stamp = |time: Timestamp| {
            u64::try_from(time.0).map_err(|_| self.explain(EncodeError::Stamp { time_ns: time.0 }))
        };
        let header = MessageHeader {
            channel_id: self.channel_id,
            sequence: self.message_count,
            log_time: stamp(log)?,
            publish_time: stamp(publish.unwrap_or(log))?,
        };
        writer.write_to_known_channel(&header, data)?;
        self.message_count = self.message_count.wrapping_add(1);
        self.next_row = end;
        Ok(())
    }

    fn image(
        &self,
        kind: MessageKind,
        image: &ImageSample,
        payloads: Option<&mut Fetch<'a>>,
    ) -> Result<Vec<u8>, WriteError> {
        let payloads = payloads.ok_or_else(|| self.explain(EncodeError::PayloadElsewhere))?;
        let payload = payloads.fetch(&image.payload).map_err(|source| {
            let row = self.rows_before + self.next_row;
            let (topic, source) = (self.channel.key.topic.clone(), Box::new(source));
            WriteError::Payload { topic, row, source }
        })?;
        encode_image(kind, image, payload).map_err(|error| self.explain(error))
    }

    fn explain(&self, error: EncodeError) -> WriteError {
        let ChannelKey { topic, message_type, .. } = self.channel.key.clone();
        let row = self.rows_before + self.next_row;
        match error {
            EncodeError::NoPlace { field } => {
                WriteError::NoPlace { topic, message_type, row, field }
            }
            EncodeError::Stamp { time_ns } => WriteError::StampOutOfRange { topic, row, time_ns },
            EncodeError::Length { field } => WriteError::Length { topic, row, field },
            EncodeError::PayloadElsewhere => WriteError::PayloadElsewhere { topic, row },
            EncodeError::Table => {
                WriteError::UnknownMessageType { topic, message_type, table: self.channel.table }
            }
        }
    }
}
