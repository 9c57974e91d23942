//! Proofs as files: that an entry is in a log, and that a log only grew.
//!
//! [`EntryProof`] is C2SP tlog-proof: index, path and signed checkpoint, with the entry's bytes as
//! extra data. [`GrowthProof`] is what C2SP tlog-witness asks for: old size, path and checkpoint.
//! Invariant: nothing in the file is believed but what leads to a root that a trusted key has signed.
//!
//! Not here: whether a newer checkpoint exists.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use tiepoint_model::Digest;

use crate::{
    Checkpoint, ConsistencyProof, Entry, InclusionProof, LedgerError, Note, VerifyingKey,
    merkle::leaf_hash,
};

/// The first line of an [`EntryProof`].
pub const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";

/// A tree of at most 2^64 leaves needs no more.
const PATH_MAX: usize = 64;

/// That an entry is in a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryProof {
    /// The entry's bytes; proved by the path, like the index.
    pub entry: Vec<u8>,
    /// Position of the entry in the log, from 0.
    pub leaf_index: u64,
    /// Siblings from the leaf up to the root.
    pub path: Vec<Digest>,
    /// The signed head of the log.
    pub checkpoint: Note,
}

/// That a log of the checkpoint's size begins with the log of an earlier size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrowthProof {
    /// Entries in the earlier log.
    pub old_size: u64,
    /// Hashes in the order of RFC 6962.
    pub path: Vec<Digest>,
    /// The signed head of the later log.
    pub checkpoint: Note,
}

impl EntryProof {
    /// Reads a proof without believing it.
    ///
    /// # Errors
    /// [`LedgerError::Malformed`] with the line, [`LedgerError::TooMany`], those of [`Note::parse`].
    pub fn parse(bytes: &[u8]) -> Result<Self, LedgerError> {
        let what = "entry proof";
        let (mut lines, checkpoint) = parse_parts(what, bytes)?;
        let malformed = |line, problem| LedgerError::Malformed { what, line, problem };
        if lines.next() != Some(FIRST_LINE) {
            return Err(malformed(1, "is not `c2sp.org/tlog-proof@v1`"));
        }
        let extra = lines.next().and_then(|line| line.strip_prefix("extra "));
        let extra = extra.ok_or(malformed(2, "does not hold the entry as extra data"))?;
        let entry = STANDARD.decode(extra).map_err(|_| malformed(2, "is not base64"))?;
        let index = lines.next().and_then(|line| line.strip_prefix("index "));
        let leaf_index = index.and_then(decimal).ok_or(malformed(3, "is not an index"))?;
        let path = parse_path(what, 4, lines)?;
        Ok(Self { entry, leaf_index, path, checkpoint })
    }

    /// The entry and the head it is under, if this key has signed the head and the path leads to it.
    ///
    /// # Errors
    /// Those of [`Checkpoint::open`], [`InclusionProof::verify`] and [`Entry::from_bytes`];
    /// [`LedgerError::WrongIndex`] for an entry that says it stands elsewhere.
    pub fn open(&self, key: &VerifyingKey) -> Result<(Entry, Checkpoint), LedgerError> {
        let checkpoint = Checkpoint::open(self.checkpoint.to_string().as_bytes(), key)?;
        let (leaf_index, tree_size) = (self.leaf_index, checkpoint.size);
        let proof = InclusionProof { leaf_index, tree_size, path: self.path.clone() };
        proof.verify(&leaf_hash(&self.entry), &checkpoint.root)?;
        let entry = Entry::from_bytes(&self.entry, 1)?;
        let (expected, found) = (leaf_index, entry.index);
        if found != expected {
            return Err(LedgerError::WrongIndex { place: "log", expected, found });
        }
        Ok((entry, checkpoint))
    }
}

impl GrowthProof {
    /// Reads a proof without believing it.
    ///
    /// # Errors
    /// As [`EntryProof::parse`].
    pub fn parse(bytes: &[u8]) -> Result<Self, LedgerError> {
        let what = "consistency proof";
        let (mut lines, checkpoint) = parse_parts(what, bytes)?;
        let old_size = lines.next().and_then(|line| line.strip_prefix("old ")).and_then(decimal);
        let problem = "is not `old` and a size";
        let old_size = old_size.ok_or(LedgerError::Malformed { what, line: 1, problem })?;
        let path = parse_path(what, 2, lines)?;
        Ok(Self { old_size, path, checkpoint })
    }

    /// The head, if this key has signed it, and the proof of growth to it, not yet checked.
    ///
    /// # Errors
    /// Those of [`Checkpoint::open`].
    pub fn open(&self, key: &VerifyingKey) -> Result<(Checkpoint, ConsistencyProof), LedgerError> {
        let checkpoint = Checkpoint::open(self.checkpoint.to_string().as_bytes(), key)?;
        let (old_size, new_size) = (self.old_size, checkpoint.size);
        Ok((checkpoint, ConsistencyProof { old_size, new_size, path: self.path.clone() }))
    }
}

impl fmt::Display for EntryProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{FIRST_LINE}")?;
        writeln!(f, "extra {}", STANDARD.encode(&self.entry))?;
        writeln!(f, "index {}", self.leaf_index)?;
        write_path(f, &self.path)?;
        write!(f, "\n{}", self.checkpoint)
    }
}

impl fmt::Display for GrowthProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old_size)?;
        write_path(f, &self.path)?;
        write!(f, "\n{}", self.checkpoint)
    }
}

/// The lines up to the first empty one, and the checkpoint after it.
fn parse_parts<'b>(
    what: &'static str,
    bytes: &'b [u8],
) -> Result<(std::str::Split<'b, char>, Note), LedgerError> {
    let max = crate::note::NOTE_BYTES_MAX;
    if bytes.len() > max {
        return Err(LedgerError::TooMany { what, count: bytes.len(), unit: "bytes", max });
    }
    let malformed = |problem| LedgerError::Malformed { what, line: 1, problem };
    let text = std::str::from_utf8(bytes).map_err(|_| malformed("is not UTF-8"))?;
    let (head, checkpoint) =
        text.split_once("\n\n").ok_or(malformed("has no empty line before a checkpoint"))?;
    Ok((head.split('\n'), Note::parse(checkpoint.as_bytes())?))
}

fn parse_path<'t>(
    what: &'static str,
    first_line: usize,
    lines: impl Iterator<Item = &'t str>,
) -> Result<Vec<Digest>, LedgerError> {
    let problem = "is not 32 bytes in base64";
    let mut path = Vec::new();
    for (line, text) in (first_line..).zip(lines) {
        let bytes = STANDARD.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
        path.push(bytes.map(Digest).ok_or(LedgerError::Malformed { what, line, problem })?);
        if path.len() > PATH_MAX {
            let (count, max) = (path.len(), PATH_MAX);
            return Err(LedgerError::TooMany { what, count, unit: "hashes", max });
        }
    }
    Ok(path)
}

fn write_path(f: &mut fmt::Formatter<'_>, path: &[Digest]) -> fmt::Result {
    path.iter().try_for_each(|hash| writeln!(f, "{}", STANDARD.encode(hash.0)))
}

/// A number in its only decimal form.
fn decimal(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number: &u64| number.to_string() == text)
}

#[cfg(test)]
mod tests;
