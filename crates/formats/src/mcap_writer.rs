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
//! A recording of any size streams through [`McapExport`], which holds one batch per channel and
//! one chunk; [`write_mcap`] is the same for samples that lie in memory, which images do not.

mod export;
mod signals;

use std::{borrow::Cow, collections::BTreeMap};

use mcap::McapError;
use tiepoint_model::ErrorKind;

use crate::{ChannelKey, PayloadError, Samples, Table};

pub use self::{
    export::{ExportChannel, McapExport, recording_metadata},
    signals::signals_definition,
};

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
    /// An image's bytes lie in the original, and no one was given who fetches them.
    #[error("the image in row {row} on `{topic}` lies in the original, not in the table")]
    PayloadElsewhere {
        /// The topic.
        topic: String,
        /// Counts from 0.
        row: usize,
    },
    /// An image's bytes are not to be had from the original.
    #[error("the image in row {row} on `{topic}` cannot be fetched")]
    Payload {
        /// The topic.
        topic: String,
        /// Counts from 0.
        row: usize,
        /// Which original, where in it, and why.
        #[source]
        source: Box<PayloadError>,
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
    /// Rows were given for a channel that has ended, or that there is not.
    #[error("the channel of index {channel_index} takes no rows")]
    NoSuchChannel {
        /// Counts from 0, in the order of the channels given.
        channel_index: usize,
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
            Self::Container(_) | Self::NoSuchChannel { .. } => ErrorKind::Internal,
            Self::Payload { source, .. } => source.kind(),
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
                format!("give the writer a reader of payloads, or leave `{topic}` out")
            }
            Self::Payload { source, .. } => source.hint(),
            Self::Length { .. } => "make the columns of each sample equally long".into(),
            Self::NoSuchChannel { .. } => "give rows to the channel that is asked for".into(),
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
    let declared = channels.iter().map(|(key, samples)| ExportChannel {
        key: key.clone(),
        table: samples.table(),
        definition: None,
        metadata: BTreeMap::new(),
    });
    let mut export = McapExport::new(Vec::new(), profile, metadata, declared.collect())?;
    for (channel_index, (_, samples)) in channels.iter().enumerate() {
        export.give(channel_index, Cow::Borrowed(samples))?;
        export.end(channel_index)?;
    }
    export.finish()
}
