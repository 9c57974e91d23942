//! An entry: one line of the ledger, public for ever.
//!
//! Invariant: an entry has exactly one form in bytes (compact JSON, keys sorted, digests in lower
//! case, 64-bit integers as decimal strings), and only that form is read.
//! So its leaf hash follows from the value. Times are nanoseconds since the Unix epoch.
//!
//! Not here: anything personal. That stands in the body, which the entry only commits to.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
};

use serde::{Deserialize, Serialize};
use tiepoint_model::{Digest, Timestamp};

use crate::{LedgerError, decimal, merkle};

/// The version of the entry's form that this program writes and reads.
pub const FORMAT_VERSION: u32 = 1;

/// C2SP tlog-tiles writes an entry's length in 16 bits.
pub const ENTRY_BYTES_MAX: usize = 65_535;

/// The verb of entries that let earlier positions go, and of no others.
pub const RETAIN_VERB: &str = "retain";

/// The public header of a commit's step. Fields stand in the order of their bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The blobs that this entry makes part of the lake, by content hash.
    pub blobs: BTreeSet<Digest>,
    /// SHA-256 over salt and body (see [`crate::body`]).
    pub body_commitment: Digest,
    /// [`FORMAT_VERSION`].
    pub format_version: u32,
    /// Position in the log, from 0, without gaps.
    #[serde(with = "decimal::one")]
    pub index: u64,
    /// From here on only positions from this one on can be read: what earlier ones alone reach may be removed. Most
    /// entries let nothing go; they have no such field.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "decimal::maybe")]
    pub retain_from: Option<u64>,
    /// Digests by name, for instance a recording's id and its content digest.
    pub roots: BTreeMap<String, Digest>,
    /// The version that each named table has from here on.
    #[serde(with = "decimal::map")]
    pub tables: BTreeMap<String, u64>,
    /// When the writer committed, by its own clock; not promised to grow.
    pub time_ns: Timestamp,
    /// What was done: one of the user's verbs.
    pub verb: String,
}

impl Entry {
    /// The bytes of the entry, without a newline: what the log keeps and the tree hashes.
    ///
    /// # Errors
    /// [`LedgerError::EntryTooLong`]; [`LedgerError::BadField`] for an empty verb, an empty name,
    /// a position to retain from that is after the entry, or another format version.
    pub fn to_bytes(&self) -> Result<Vec<u8>, LedgerError> {
        self.check()?;
        let bytes = serde_json::to_vec(self).map_err(|source| LedgerError::NotJson {
            what: "entry",
            line: 1,
            source,
        })?;
        self.check_size(bytes.len())?;
        Ok(bytes)
    }

    /// Reads an entry; `line` (from 1) is only named in errors.
    ///
    /// # Errors
    /// [`LedgerError::UnknownFormatVersion`], [`LedgerError::NotJson`],
    /// [`LedgerError::NotCanonical`], and those of [`Entry::to_bytes`].
    pub fn from_bytes(bytes: &[u8], line: usize) -> Result<Self, LedgerError> {
        let what = "entry";
        let entry: Self = serde_json::from_slice(bytes)
            .map_err(|source| newer_or_not_json(bytes, what, line, source))?;
        if entry.format_version != FORMAT_VERSION {
            let found = entry.format_version.to_string();
            let known = FORMAT_VERSION;
            return Err(LedgerError::UnknownFormatVersion { what, line, found, known });
        }
        entry.check()?;
        let mut left = Expected(bytes);
        if serde_json::to_writer(&mut left, &entry).is_err() || !left.0.is_empty() {
            return Err(LedgerError::NotCanonical { what, line });
        }
        entry.check_size(bytes.len())?;
        Ok(entry)
    }

    /// RFC 6962 hash of the entry's bytes as a leaf of the tree.
    ///
    /// # Errors
    /// As [`Entry::to_bytes`]; never for an entry that was read.
    pub fn leaf_hash(&self) -> Result<Digest, LedgerError> {
        self.to_bytes().map(|bytes| merkle::leaf_hash(&bytes))
    }

    fn check_size(&self, size_bytes: usize) -> Result<(), LedgerError> {
        let (index, max_bytes) = (self.index, ENTRY_BYTES_MAX);
        match size_bytes > max_bytes {
            true => Err(LedgerError::EntryTooLong { index, size_bytes, max_bytes }),
            false => Ok(()),
        }
    }

    fn check(&self) -> Result<(), LedgerError> {
        let refuse = |field, problem| Err(LedgerError::BadField { what: "entry", field, problem });
        if self.format_version != FORMAT_VERSION {
            return refuse("format_version", "is not the one this program writes");
        }
        if self.verb.is_empty() {
            return refuse("verb", "is empty");
        }
        if self.tables.contains_key("") {
            return refuse("tables", "has an empty name");
        }
        if self.roots.contains_key("") {
            return refuse("roots", "has an empty name");
        }
        if self.retain_from.is_some_and(|position| position > self.index) {
            return refuse("retain_from", "is a position after the entry");
        }
        if self.retain_from.is_some() != (self.verb == RETAIN_VERB) {
            return refuse("retain_from", "belongs to the verb `retain`, and to no other");
        }
        Ok(())
    }
}

/// Takes only the bytes that are expected: to write is to compare.
struct Expected<'b>(&'b [u8]);

impl Write for Expected<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let rest = self.0.strip_prefix(bytes);
        self.0 = rest.ok_or(std::io::ErrorKind::InvalidData)?;
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// JSON that cannot be read may be of a later version: then that is what to say.
pub(crate) fn newer_or_not_json(
    bytes: &[u8],
    what: &'static str,
    line: usize,
    source: serde_json::Error,
) -> LedgerError {
    #[derive(Deserialize)]
    struct Version {
        format_version: u64,
    }
    match serde_json::from_slice::<Version>(bytes) {
        Ok(Version { format_version }) if format_version != u64::from(FORMAT_VERSION) => {
            let found = format_version.to_string();
            LedgerError::UnknownFormatVersion { what, line, found, known: FORMAT_VERSION }
        }
        _ => LedgerError::NotJson { what, line, source },
    }
}
