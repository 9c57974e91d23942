//! Writes samples as an MCAP file of ROS 2 messages.
//!
//! Invariant: the same samples give the same bytes, in whatever order the channels are given:
//! chunk size, compression and library name are fixed, and no clock is asked.
//! Reading the file back gives the same samples, up to the precision of the messages
//! (see `message::encode`); a sample without publish time gets its log time, as MCAP asks.
//!
//! Messages are merged by (log time, topic); within a channel the order is kept even where its
//! log times run back.
//!
//! Not here: splitting a recording that does not fit in memory.

use std::{collections::BTreeMap, io::Cursor};

use mcap::{
    Compression, McapError, WriteOptions, Writer,
    records::{MessageHeader, Metadata},
};
use tiepoint_model::{ErrorKind, Stamps, Timestamp};

use crate::{
    ChannelKey, Samples, Table,
    message::{
        MessageKind,
        encode::{EncodeError, encode, message_end},
        schema_text::schema_text,
    },
};

/// The size at which a chunk is closed. As the reference writers choose it, and part of the bytes.
const CHUNK_BYTES: u64 = 1 << 20;

/// Zstandard's own default, written out because it is part of the bytes.
const ZSTD_LEVEL: u32 = 3;

/// Why samples could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// Two channels have the same key.
    #[error("the channel `{topic}` ({message_type}) is given twice")]
    DuplicateChannel {
        /// The topic.
        topic: String,
        /// The type.
        message_type: String,
    },
    /// The type is not one that can be written, or not one of the samples' table.
    #[error("samples of table `{table}` on `{topic}` cannot be written as `{message_type}`")]
    UnknownMessageType {
        /// The topic.
        topic: String,
        /// What was asked for.
        message_type: String,
        /// What the samples are.
        table: Table,
    },
    /// Typed samples are written as CDR only.
    #[error("samples on `{topic}` cannot be encoded as `{encoding}`; typed samples become `cdr`")]
    UnknownEncoding {
        /// The topic.
        topic: String,
        /// What was asked for.
        encoding: String,
    },
    /// The message type has no place for a field that is not empty: it would be lost.
    #[error("`{message_type}` has no place for {field} of row {row} on `{topic}`")]
    NoPlace {
        /// The topic.
        topic: String,
        /// The type.
        message_type: String,
        /// Counts from 0.
        row: usize,
        /// The field.
        field: &'static str,
    },
    /// A stamp does not fit the format: log and publish times start in 1970, header stamps end in
    /// 2038.
    #[error("row {row} on `{topic}` has the time {time_ns} ns, which the format cannot hold")]
    StampOutOfRange {
        /// The topic.
        topic: String,
        /// Counts from 0.
        row: usize,
        /// The time.
        time_ns: i64,
    },
    /// An image's bytes lie in the original.
    #[error("the image in row {row} on `{topic}` lies in the original, not in the table")]
    PayloadElsewhere {
        /// The topic.
        topic: String,
        /// Counts from 0.
        row: usize,
    },
    /// Columns of one sample differ in length, or one is longer than 32 bits count.
    #[error("row {row} on `{topic}` has {field} of lengths that do not fit")]
    Length {
        /// The topic.
        topic: String,
        /// Counts from 0.
        row: usize,
        /// The field.
        field: &'static str,
    },
    /// The container cannot hold it: more than 65,535 channels, most likely.
    #[error("the MCAP cannot be written")]
    Container(#[from] McapError),
}

impl WriteError {
    /// What a program should do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Container(_) => ErrorKind::Internal,
            _ => ErrorKind::InvalidInput,
        }
    }

    /// What a person should do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::DuplicateChannel { .. } => "join the samples of the channel".into(),
            Self::UnknownMessageType { topic, table, .. } => {
                match ChannelKey::ros2(topic, *table) {
                    Some(key) => format!("write them as `{}`", key.message_type),
                    None => "give raw messages the type they had".into(),
                }
            }
            Self::UnknownEncoding { .. } => "ask for the encoding `cdr`".into(),
            Self::NoPlace { .. } => {
                "choose the type with a header and child frame, for instance nav_msgs/msg/Odometry"
                    .into()
            }
            Self::StampOutOfRange { .. } => "shift the recording's clock".into(),
            Self::PayloadElsewhere { topic, .. } => {
                format!("leave `{topic}` out, or take the original itself")
            }
            Self::Length { .. } => "make the columns of each sample equally long".into(),
            Self::Container(_) => "write fewer channels into one file".into(),
        }
    }
}

/// Writes channels and metadata as one MCAP file.
///
/// Typed samples need the encoding `cdr` and a ROS 2 message type of their table
/// ([`ChannelKey::ros2`] gives the usual one); raw messages keep type and encoding, and a schema
/// without text. `profile` is MCAP's, `ros2` for a robot recording.
///
/// # Errors
/// See [`WriteError`]; nothing is dropped silently.
///
/// # Invariants
/// `what_is_written_is_read_back`, `the_same_samples_give_the_same_bytes`.
pub fn write_mcap(
    profile: &str,
    channels: &[(ChannelKey, Samples)],
    metadata: &BTreeMap<String, BTreeMap<String, String>>,
) -> Result<Vec<u8>, WriteError> {
    let mut outlets = Vec::with_capacity(channels.len());
    for (key, samples) in channels {
        outlets.push(Outlet::new(key, samples)?);
    }
    outlets.sort_by_key(|outlet| outlet.key);
    if let Some(pair) = outlets.windows(2).find(|pair| pair[0].key == pair[1].key) {
        let ChannelKey { topic, message_type, .. } = pair[0].key.clone();
        return Err(WriteError::DuplicateChannel { topic, message_type });
    }

    let mut writer = WriteOptions::new()
        .compression(Some(Compression::Zstd))
        .compression_level(ZSTD_LEVEL)
        .compression_threads(0)
        .chunk_size(Some(CHUNK_BYTES))
        .profile(profile)
        .library("tiepoint")
        .create(Cursor::new(Vec::new()))?;
    for (name, values) in metadata {
        writer.write_metadata(&Metadata { name: name.clone(), metadata: values.clone() })?;
    }
    for outlet in &mut outlets {
        outlet.declare(&mut writer)?;
    }
    // Few channels, so the next message is found by looking at each; the first of equals wins,
    // which is the first by topic.
    while let Some(next) = (0..outlets.len())
        .filter(|index| outlets[*index].next_log_time().is_some())
        .min_by_key(|index| outlets[*index].next_log_time())
    {
        outlets[next].write_next(&mut writer)?;
    }
    writer.finish()?;
    Ok(writer.into_inner().into_inner())
}

/// One channel being written.
struct Outlet<'a> {
    key: &'a ChannelKey,
    samples: &'a Samples,
    /// `None` for raw messages.
    kind: Option<MessageKind>,
    channel_id: u16,
    next_row: usize,
    message_count: u32,
}

impl<'a> Outlet<'a> {
    fn new(key: &'a ChannelKey, samples: &'a Samples) -> Result<Self, WriteError> {
        let table = samples.table();
        let mut kind = None;
        if table != Table::Raw {
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
        Ok(Self { key, samples, kind, channel_id: 0, next_row: 0, message_count: 0 })
    }

    fn declare(&mut self, writer: &mut Writer<Cursor<Vec<u8>>>) -> Result<(), WriteError> {
        let ChannelKey { topic, message_type, encoding } = self.key;
        let schema_id = match self.kind {
            Some(kind) => {
                writer.add_schema(message_type, "ros2msg", schema_text(kind).as_bytes())?
            }
            None if message_type.is_empty() => 0,
            None => writer.add_schema(message_type, "", &[])?,
        };
        self.channel_id = writer.add_channel(schema_id, topic, encoding, &BTreeMap::new())?;
        Ok(())
    }

    fn next_log_time(&self) -> Option<Timestamp> {
        self.samples.stamps_at(self.next_row).map(|stamps| stamps.log)
    }

    fn write_next(&mut self, writer: &mut Writer<Cursor<Vec<u8>>>) -> Result<(), WriteError> {
        let row = self.next_row;
        let Some(Stamps { log, publish, .. }) = self.samples.stamps_at(row) else { return Ok(()) };
        let end = message_end(self.samples, row);
        let encoded;
        let data: &[u8] = match (self.kind, self.samples) {
            (Some(kind), samples) => {
                encoded = encode(kind, samples, row..end).map_err(|error| self.explain(error))?;
                &encoded
            }
            (None, Samples::Raw(rows)) => &rows[row].payload,
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

    fn explain(&self, error: EncodeError) -> WriteError {
        let ChannelKey { topic, message_type, .. } = self.key.clone();
        let row = self.next_row;
        match error {
            EncodeError::NoPlace { field } => {
                WriteError::NoPlace { topic, message_type, row, field }
            }
            EncodeError::Stamp { time_ns } => WriteError::StampOutOfRange { topic, row, time_ns },
            EncodeError::Length { field } => WriteError::Length { topic, row, field },
            EncodeError::PayloadElsewhere => WriteError::PayloadElsewhere { topic, row },
            EncodeError::Table => {
                WriteError::UnknownMessageType { topic, message_type, table: self.samples.table() }
            }
        }
    }
}
