//! The body of an entry: who did it, with what, from what; may be erased, cannot be changed.
//!
//! Invariant: the file beside the log is 32 bytes of salt and then the body's JSON, and the
//! entry's commitment is the SHA-256 of that file, so `sha256sum` checks it.
//! An erased body leaves the entry valid: the salt keeps its content from being guessed.
//!
//! The JSON is compact, keys sorted by their UTF-8 bytes at every depth, integers as digits, floats
//! as the shortest decimal that reads back the same. The bytes are kept and checked as read.
//!
//! Not here: drawing the salt, and keeping or erasing the file.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tiepoint_model::{Digest, Seed};

use crate::{
    LedgerError,
    canonical::{nests_deeper, sorted},
    entry::{FORMAT_VERSION, newer_or_not_json},
};

/// JSON readers stop at 128 levels; parameters and obligations stay well below.
pub const LEVELS_MAX: usize = 64;

const SALT_BYTES: usize = 32;

/// What an entry commits to without showing it. Fields stand in the order of their bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Body {
    /// Who asked for it.
    pub actor: String,
    /// Which program did it: name, version, source digest.
    pub code_version: String,
    /// [`FORMAT_VERSION`].
    pub format_version: u32,
    /// Ids of what was read.
    pub inputs: Vec<String>,
    /// What people call things: id to name.
    pub names: BTreeMap<String, String>,
    /// The obligations that the outputs carry.
    #[serde(serialize_with = "sorted")]
    pub obligations: Value,
    /// Ids of what was made.
    pub outputs: Vec<String>,
    /// The options of the operation.
    #[serde(serialize_with = "sorted")]
    pub parameters: Value,
    /// The seed of its randomness, if it had any.
    pub seed: Option<Seed>,
}

/// A body ready to be stored beside the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedBody {
    /// For the entry.
    pub commitment: Digest,
    /// For the file: salt, then JSON.
    pub bytes: Vec<u8>,
}

impl Body {
    /// Seals the body with a salt, which must be 32 fresh random bytes for each body.
    ///
    /// # Errors
    /// [`LedgerError::TooMany`] for parameters or obligations that nest deeper than
    /// [`LEVELS_MAX`]; [`LedgerError::BadField`] for another format version.
    pub fn seal(&self, salt: [u8; SALT_BYTES]) -> Result<SealedBody, LedgerError> {
        if self.format_version != FORMAT_VERSION {
            let (field, problem) = ("format_version", "is not the one this program writes");
            return Err(LedgerError::BadField { what: "body", field, problem });
        }
        for value in [&self.parameters, &self.obligations] {
            if nests_deeper(value, LEVELS_MAX) {
                let (what, unit) = ("body", "levels or more");
                let count = LEVELS_MAX + 1;
                return Err(LedgerError::TooMany { what, count, unit, max: LEVELS_MAX });
            }
        }
        let mut bytes = salt.to_vec();
        serde_json::to_writer(&mut bytes, self).map_err(|source| LedgerError::NotJson {
            what: "body",
            line: 1,
            source,
        })?;
        Ok(SealedBody { commitment: commitment(&bytes), bytes })
    }

    /// Opens the file of a body, after checking it against the entry's commitment.
    ///
    /// # Errors
    /// [`LedgerError::DigestMismatch`] first of all; then [`LedgerError::Malformed`],
    /// [`LedgerError::UnknownFormatVersion`] or [`LedgerError::NotJson`].
    pub fn open(bytes: &[u8], expected: &Digest) -> Result<Self, LedgerError> {
        let (what, line) = ("body", 1);
        let found = commitment(bytes);
        if found != *expected {
            return Err(LedgerError::DigestMismatch { what, expected: *expected, found });
        }
        let problem = "is shorter than its salt";
        let json = bytes.get(SALT_BYTES..).ok_or(LedgerError::Malformed { what, line, problem })?;
        let body: Self = serde_json::from_slice(json)
            .map_err(|source| newer_or_not_json(json, what, line, source))?;
        if body.format_version != FORMAT_VERSION {
            let found = body.format_version.to_string();
            let known = FORMAT_VERSION;
            return Err(LedgerError::UnknownFormatVersion { what, line, found, known });
        }
        Ok(body)
    }
}

/// The commitment of a body's file: SHA-256 over salt and JSON.
#[must_use]
pub fn commitment(file_bytes: &[u8]) -> Digest {
    Digest(Sha256::digest(file_bytes).into())
}
