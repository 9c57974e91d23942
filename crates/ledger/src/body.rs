//! The body of an entry: who did it, with what, from what; may be erased, cannot be changed.
//!
//! Invariant: the file beside the log is 32 bytes of salt and then the body's JSON, and the
//! entry's commitment is the SHA-256 of that file, so `sha256sum` checks it.
//! An erased body leaves the entry valid: the salt keeps its content from being guessed.
//!
//! The JSON is compact, keys sorted by their UTF-8 bytes at every depth, integers as digits, floats
//! as the shortest decimal that reads back the same. The bytes are kept and checked as read.
//!
//! The bodies of a commit of several entries lie in one file: each after its length (big-endian, 32
//! bits); one that was erased has the length 0.
//!
//! Not here: drawing the salt, and keeping or erasing the file.

use std::{borrow::Cow, collections::BTreeMap};

use rayon::prelude::*;
use serde::{Deserialize, Serialize, de::IgnoredAny};
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

/// What a body says about ids: all that replay asks of it, at half the cost of reading the body whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Links {
    inputs: Vec<String>,
    names: BTreeMap<String, String>,
    outputs: Vec<String>,
}

/// A body as somebody wants it, whole or in part.
pub trait BodyView: Sized + Send {
    /// Opens the file of a body, after checking it against the entry's commitment.
    ///
    /// # Errors
    /// [`LedgerError::DigestMismatch`] first of all; then [`LedgerError::Malformed`],
    /// [`LedgerError::UnknownFormatVersion`] or [`LedgerError::NotJson`].
    fn open(bytes: &[u8], expected: &Digest) -> Result<Self, LedgerError>;
    /// Ids of what was read.
    fn inputs(&self) -> &[String];
    /// Ids of what was made.
    fn outputs(&self) -> &[String];
    /// What people call things: id to name.
    fn names(&self) -> &BTreeMap<String, String>;
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
}

impl BodyView for Body {
    fn open(bytes: &[u8], expected: &Digest) -> Result<Self, LedgerError> {
        let body: Self = opened(bytes, expected)?;
        expect_known(body.format_version)?;
        Ok(body)
    }
    fn inputs(&self) -> &[String] {
        &self.inputs
    }
    fn outputs(&self) -> &[String] {
        &self.outputs
    }
    fn names(&self) -> &BTreeMap<String, String> {
        &self.names
    }
}

impl BodyView for Links {
    fn open(bytes: &[u8], expected: &Digest) -> Result<Self, LedgerError> {
        /// The fields of [`Body`]; what may be any JSON is passed over.
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Fields<'a> {
            #[serde(borrow, rename = "actor")]
            _actor: Cow<'a, str>,
            #[serde(borrow, rename = "code_version")]
            _code_version: Cow<'a, str>,
            format_version: u32,
            inputs: Vec<String>,
            names: BTreeMap<String, String>,
            #[serde(rename = "obligations")]
            _obligations: IgnoredAny,
            outputs: Vec<String>,
            #[serde(rename = "parameters")]
            _parameters: IgnoredAny,
            #[serde(rename = "seed")]
            _seed: Option<Seed>,
        }
        let fields: Fields = opened(bytes, expected)?;
        expect_known(fields.format_version)?;
        let Fields { inputs, names, outputs, .. } = fields;
        Ok(Self { inputs, names, outputs })
    }
    fn inputs(&self) -> &[String] {
        &self.inputs
    }
    fn outputs(&self) -> &[String] {
        &self.outputs
    }
    fn names(&self) -> &BTreeMap<String, String> {
        &self.names
    }
}

const WHAT: &str = "body";

/// The JSON of a body that is as its entry commits to.
fn opened<'a, T: Deserialize<'a>>(bytes: &'a [u8], expected: &Digest) -> Result<T, LedgerError> {
    let (what, line) = (WHAT, 1);
    let found = commitment(bytes);
    if found != *expected {
        return Err(LedgerError::DigestMismatch { what, expected: *expected, found });
    }
    let problem = "is shorter than its salt";
    let json = bytes.get(SALT_BYTES..).ok_or(LedgerError::Malformed { what, line, problem })?;
    serde_json::from_slice(json).map_err(|source| newer_or_not_json(json, what, line, source))
}

fn expect_known(format_version: u32) -> Result<(), LedgerError> {
    if format_version == FORMAT_VERSION {
        return Ok(());
    }
    let (found, known) = (format_version.to_string(), FORMAT_VERSION);
    Err(LedgerError::UnknownFormatVersion { what: WHAT, line: 1, found, known })
}

/// The commitment of a body's file: SHA-256 over salt and JSON.
#[must_use]
pub fn commitment(file_bytes: &[u8]) -> Digest {
    Digest(Sha256::digest(file_bytes).into())
}

/// Where the bodies of a commit lie, given the commitment of its first entry and the number of its
/// entries.
#[must_use]
pub fn bodies_path(first: &Digest, entry_count: usize) -> String {
    match entry_count {
        1 => format!("bodies/{first}"),
        count => format!("bodies/{first}-{count}"),
    }
}

/// The file of the bodies of one commit, in the order of its entries.
///
/// # Errors
/// [`LedgerError::TooMany`] for a body of 2^32 bytes or more.
pub fn join_bodies(bodies: &[SealedBody]) -> Result<Vec<u8>, LedgerError> {
    if let [only] = bodies {
        return Ok(only.bytes.clone());
    }
    let mut file = Vec::new();
    for body in bodies {
        let (what, unit, count, max) = ("body", "bytes", body.bytes.len(), u32::MAX as usize);
        let length =
            u32::try_from(count).map_err(|_| LedgerError::TooMany { what, count, unit, max })?;
        file.extend(length.to_be_bytes());
        file.extend(&body.bytes);
    }
    Ok(file)
}

/// The bytes of each body in the file of a commit with `entry_count` entries; none for an erased one,
/// and none at all without the file.
///
/// # Errors
/// [`LedgerError::Malformed`], naming the body (from 1), unless the file holds exactly so many.
pub fn split_bodies(
    file: Option<&[u8]>,
    entry_count: usize,
) -> Result<Vec<Option<&[u8]>>, LedgerError> {
    let Some(file) = file else { return Ok(vec![None; entry_count]) };
    if entry_count == 1 {
        return Ok(vec![Some(file)]);
    }
    let (what, mut rest, mut bodies) = ("file of bodies", file, Vec::with_capacity(entry_count));
    for line in 1..=entry_count {
        let cut = LedgerError::Malformed { what, line, problem: "is cut short" };
        let Some((length, tail)) = rest.split_first_chunk() else { return Err(cut) };
        let length = u32::from_be_bytes(*length) as usize;
        let Some((body, tail)) = tail.split_at_checked(length) else { return Err(cut) };
        bodies.push((length > 0).then_some(body));
        rest = tail;
    }
    match rest.is_empty() {
        true => Ok(bodies),
        false => {
            let problem = "goes on after its last body";
            Err(LedgerError::Malformed { what, line: entry_count + 1, problem })
        }
    }
}

/// The bodies of one commit from their file, each checked against its commitment.
///
/// # Errors
/// Those of [`split_bodies`] and [`BodyView::open`].
pub fn open_bodies<B: BodyView>(
    file: Option<&[u8]>,
    commitments: &[Digest],
) -> Result<Vec<Option<B>>, LedgerError> {
    let files = split_bodies(file, commitments.len())?;
    let open = |(bytes, commitment): (Option<&[u8]>, &Digest)| {
        bytes.map(|bytes| B::open(bytes, commitment)).transpose()
    };
    let bodies: Vec<Result<Option<B>, LedgerError>> =
        files.into_par_iter().zip(commitments).with_min_len(64).map(open).collect();
    bodies.into_iter().collect()
}
