//! Recordings and their channels: one continuous log, immutable, and its typed streams.
//!
//! Invariant: a recording's id follows from its original bytes, so the same log has the same id in every lake.

use std::fmt;

use crate::{
    Derivation, Digest, Origin, Timestamp,
    quality::{ChannelQuality, RecordingQuality},
};

/// Names a recording: `rec-` and the first 16 hexadecimal digits of the digest of its originals.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct RecordingId(pub String);

impl RecordingId {
    /// The id of the recording whose original files have this digest.
    #[must_use]
    pub fn of_originals(digest: &Digest) -> Self {
        Self(format!("rec-{}", &digest.to_string()[..16]))
    }
}

impl fmt::Display for RecordingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One log as ingested or simulated.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Recording {
    /// Names it.
    pub recording_id: RecordingId,
    /// What a person calls it: the file's name without its folder.
    pub name: String,
    /// Where the samples come from.
    pub origin: Origin,
    /// The rig that made it, if its owner says: mountings are compared from pass to pass of one rig.
    pub rig: Option<String>,
    /// How anything that is not `real` was made.
    pub derivation: Option<Derivation>,
    /// The container it was read from: `mcap`, `rawlog`, `tum`, `kitti`.
    pub container: String,
    /// First log time.
    pub start_time_ns: Timestamp,
    /// Last log time.
    pub end_time_ns: Timestamp,
    /// BLAKE3 of each original file, in the order given.
    pub originals: Vec<Digest>,
    /// What each original was called where it lay: a path below the folder that was given, or the file's name;
    /// parts are joined by `/`. Not to be trusted as a path: it is what a person wrote.
    pub original_names: Vec<String>,
    /// Merkle root over the channels' content digests and the originals.
    pub content_digest: Digest,
    /// The typed streams, sorted by topic.
    pub channels: Vec<Channel>,
    /// What was found at the door beyond single channels.
    pub quality: RecordingQuality,
}

/// One typed stream in a recording.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Channel {
    /// Its name in the recording (MCAP's word).
    pub topic: String,
    /// The message type as the container names it.
    pub message_type: String,
    /// How messages are encoded: `cdr`, `ros1`, `rawlog`, `text`.
    pub encoding: String,
    /// The lake's table that holds the samples.
    pub table: String,
    /// How many messages.
    pub message_count: u64,
    /// First log time.
    pub start_time_ns: Timestamp,
    /// Last log time.
    pub end_time_ns: Timestamp,
    /// RFC 6962 Merkle root over the rows.
    pub content_digest: Digest,
    /// What was found at the door.
    pub quality: ChannelQuality,
}
