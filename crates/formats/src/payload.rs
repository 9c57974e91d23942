//! Bytes that rows only address, as whoever needs them asks for them.
//!
//! Invariant: what is given is as long as its address says, and lies behind a count that says the same.
//! Bytes count from 0.
//!
//! Not here: where originals lie, see [`crate::PayloadReader`], and their digests.

use tiepoint_model::{ErrorKind, PayloadBase, PayloadPlace};

use crate::ReadError;

/// Gives payloads by their addresses.
pub trait Payloads {
    /// The bytes of a payload; they are held until the next call.
    ///
    /// # Errors
    /// See [`PayloadError`].
    fn fetch(&mut self, place: &PayloadPlace) -> Result<&[u8], PayloadError>;
}

/// Why a payload could not be fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PayloadError {
    /// The address counts further than the originals.
    #[error("the recording has no original of index {file_index}")]
    NoOriginal {
        /// Counts from 0.
        file_index: u32,
    },
    /// The original, or the chunk or row in it, cannot be read.
    #[error("original `{original}` cannot be read {place}")]
    Unreadable {
        /// What a person calls it.
        original: String,
        /// Where in it.
        place: String,
        /// Why.
        #[source]
        source: Box<ReadError>,
    },
    /// It can be read, and the payload is not there.
    #[error("original `{original}` does not hold the payload {place}: {problem}")]
    NotThere {
        /// What a person calls it.
        original: String,
        /// Where in it.
        place: String,
        /// What is there.
        problem: String,
    },
}

impl PayloadError {
    /// What a program should do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NoOriginal { .. } | Self::NotThere { .. } => ErrorKind::Corrupt,
            Self::Unreadable { source, .. } => match source.kind() {
                // It was read when it was taken in.
                ErrorKind::InvalidInput => ErrorKind::Corrupt,
                kind => kind,
            },
        }
    }

    /// What a person should do next.
    #[must_use]
    pub fn hint(&self) -> String {
        "verify the lake deeply: it names the originals that are not as they were kept".to_owned()
    }
}

/// A place as it stands in messages.
pub(crate) fn in_words(place: &PayloadPlace) -> String {
    let PayloadPlace { base, offset_bytes, length_bytes, .. } = place;
    let bytes = format!("at byte {offset_bytes}, {length_bytes} bytes long,");
    match base {
        PayloadBase::File => format!("{bytes} of the file"),
        PayloadBase::Chunk { chunk_offset_bytes } => {
            format!("{bytes} of the inflated chunk at byte {chunk_offset_bytes}")
        }
        PayloadBase::Row { row_id } => format!("{bytes} of the message of id {row_id}"),
    }
}
