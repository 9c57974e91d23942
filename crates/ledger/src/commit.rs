//! A commit: one object of the log that holds one or more entries, created if absent.
//!
//! ```text
//! tiepoint-commit/1
//! {"blobs":[...],"body_commitment":"...","format_version":1,"index":"7",...}
//! sha256 <64 hexadecimal digits: of all bytes before this line>
//! ```
//! Invariant: a commit has one form in bytes; the last line finds any change and any torn end,
//! also before a checkpoint covers the entries.
//!
//! Not here: who signs. A checksum stops accidents; checkpoints stop people.

use std::borrow::Borrow;

use rayon::prelude::*;
use sha2::{Digest as _, Sha256};
use tiepoint_model::Digest;

use crate::{Entry, LedgerError};

const FAMILY: &[u8] = b"tiepoint-commit/";
const VERSION: u32 = 1;
const FIRST_LINE: &[u8] = b"tiepoint-commit/1\n";
const CHECKSUM_LINE_BYTES: usize = "sha256 ".len() + 64 + "\n".len();

/// The object's name: `log/` and the index of its first entry in 20 digits.
///
/// Names sort as the entries do.
#[must_use]
pub fn commit_path(first_index: u64) -> String {
    format!("log/{first_index:020}")
}

/// The inverse of [`commit_path`]; `None` for any other name.
#[must_use]
pub fn first_index_of_path(path: &str) -> Option<u64> {
    let first_index = path.strip_prefix("log/")?.parse().ok()?;
    (commit_path(first_index) == path).then_some(first_index)
}

/// The bytes of the commit that holds these entries, the first of which has `first_index`.
///
/// # Errors
/// [`LedgerError::BadField`] for no entries, [`LedgerError::WrongIndex`] for a gap, and those of
/// [`Entry::to_bytes`].
pub fn encode_commit<E: Borrow<Entry>>(
    first_index: u64,
    entries: &[E],
) -> Result<Vec<u8>, LedgerError> {
    if entries.is_empty() {
        let (what, field) = ("commit to write", "entries");
        return Err(LedgerError::BadField { what, field, problem: "is empty" });
    }
    let entries = entries.iter().map(Borrow::borrow);
    check_indexes("commit to write", first_index, entries.clone())?;
    let entries: Vec<&Entry> = entries.collect();
    let lines: Vec<Result<Vec<u8>, LedgerError>> =
        entries.par_iter().with_min_len(64).map(|entry| entry.to_bytes()).collect();
    let mut bytes = FIRST_LINE.to_vec();
    for line in lines {
        bytes.extend(line?);
        bytes.push(b'\n');
    }
    let checksum = checksum_line(&bytes);
    bytes.extend(checksum.as_bytes());
    Ok(bytes)
}

/// Reads the commit whose first entry must have `first_index` (its name says so).
///
/// # Errors
/// Names the line (from 1, the family being line 1): [`LedgerError::UnknownFormatVersion`],
/// [`LedgerError::Malformed`], [`LedgerError::DigestMismatch`], [`LedgerError::WrongIndex`], and
/// those of [`Entry::from_bytes`].
pub fn decode_commit(first_index: u64, bytes: &[u8]) -> Result<Vec<Entry>, LedgerError> {
    let lines = decode_commit_lines(first_index, bytes)?;
    Ok(lines.into_iter().map(|(entry, _)| entry).collect())
}

/// As [`decode_commit`], with the bytes of each entry, which are what the tree hashes.
///
/// # Errors
/// As [`decode_commit`].
pub fn decode_commit_lines(
    first_index: u64,
    bytes: &[u8],
) -> Result<Vec<(Entry, &[u8])>, LedgerError> {
    check_first_line(bytes)?;
    let checksum_at = bytes
        .len()
        .checked_sub(CHECKSUM_LINE_BYTES)
        .filter(|at| *at >= FIRST_LINE.len())
        .ok_or(malformed(2, "ends too early"))?;
    let (content, found_line) = bytes.split_at(checksum_at);
    let expected_line = checksum_line(content);
    if found_line != expected_line.as_bytes() {
        return Err(checksum_error(content, found_line));
    }
    let lines: Vec<&[u8]> =
        lines_of(content).ok_or(malformed(2, "holds no whole entry"))?.collect();
    let read = |(at, line): (usize, &&[u8])| Entry::from_bytes(line, at + 2);
    let entries: Vec<Result<Entry, LedgerError>> =
        lines.par_iter().enumerate().with_min_len(64).map(read).collect();
    let entries = entries.into_iter().zip(lines).map(|(entry, line)| Ok((entry?, line)));
    let entries = entries.collect::<Result<Vec<_>, LedgerError>>()?;
    check_indexes("commit", first_index, entries.iter().map(|(entry, _)| entry))?;
    Ok(entries)
}

/// The bytes of each entry of a commit that was decoded; of anything else, nothing that means anything.
pub fn commit_lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let content = bytes.len().checked_sub(CHECKSUM_LINE_BYTES).map(|at| &bytes[..at]);
    content.and_then(lines_of).into_iter().flatten()
}

/// The lines between the family and the checksum.
fn lines_of(content: &[u8]) -> Option<impl Iterator<Item = &[u8]>> {
    let lines = content.get(FIRST_LINE.len()..)?.strip_suffix(b"\n")?;
    let ends = memchr::memchr_iter(b'\n', lines).chain([lines.len()]);
    Some(ends.scan(0, |begin, end| {
        let line = lines.get(*begin..end);
        *begin = end + 1;
        line
    }))
}

fn check_first_line(bytes: &[u8]) -> Result<(), LedgerError> {
    if bytes.starts_with(FIRST_LINE) {
        return Ok(());
    }
    let version = bytes
        .strip_prefix(FAMILY)
        .and_then(|rest| rest.split(|byte| *byte == b'\n').next())
        .filter(|digits| (1..=9).contains(&digits.len()) && digits.is_ascii())
        .ok_or(malformed(1, "does not begin as a commit does"))?;
    let found = String::from_utf8_lossy(version).into_owned();
    Err(LedgerError::UnknownFormatVersion { what: "commit", line: 1, found, known: VERSION })
}

fn check_indexes<'e>(
    place: &'static str,
    first_index: u64,
    entries: impl Iterator<Item = &'e Entry>,
) -> Result<(), LedgerError> {
    for (expected, entry) in (first_index..).zip(entries) {
        if entry.index != expected {
            return Err(LedgerError::WrongIndex { place, expected, found: entry.index });
        }
    }
    Ok(())
}

fn checksum_line(content: &[u8]) -> String {
    format!("sha256 {}\n", Digest(Sha256::digest(content).into()))
}

fn checksum_error(content: &[u8], found_line: &[u8]) -> LedgerError {
    let line = content.iter().filter(|byte| **byte == b'\n').count() + 1;
    let promised = std::str::from_utf8(found_line)
        .ok()
        .and_then(|text| text.strip_prefix("sha256 "))
        .and_then(|text| text.strip_suffix('\n'))
        .and_then(|text| text.parse().ok());
    match promised {
        Some(expected) => {
            let found = Digest(Sha256::digest(content).into());
            LedgerError::DigestMismatch { what: "commit", expected, found }
        }
        None => malformed(line, "does not end in a checksum line"),
    }
}

fn malformed(line: usize, problem: &'static str) -> LedgerError {
    LedgerError::Malformed { what: "commit", line, problem }
}
