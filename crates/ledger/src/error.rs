//! What can be wrong with the bytes and values of the ledger, where, and what to do next.
//!
//! Invariant: no message holds a private key, a salt or the content of a body.

use tiepoint_model::{Digest, ErrorKind};

/// Why the ledger refused. Each variant says where, so that a person can look.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// An entry does not fit.
    #[error("entry {index} takes {size_bytes} bytes, more than {max_bytes}")]
    EntryTooLong {
        /// Index of the entry in the log.
        index: u64,
        /// Its size.
        size_bytes: usize,
        /// The limit.
        max_bytes: usize,
    },
    /// A value cannot be written.
    #[error("{what}: `{field}` {problem}")]
    BadField {
        /// The thing that holds the field.
        what: &'static str,
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// An entry stands at the wrong place of the log.
    #[error("{place}: entry {found} stands where entry {expected} belongs")]
    WrongIndex {
        /// `commit to write`, `commit` or `log`.
        place: &'static str,
        /// The index that belongs there.
        expected: u64,
        /// The index found there.
        found: u64,
    },
    /// Written by a program that knows more.
    #[error("{what} at line {line} has format version `{found}`; this program reads {known}")]
    UnknownFormatVersion {
        /// What was read.
        what: &'static str,
        /// Line, from 1.
        line: usize,
        /// The version found.
        found: String,
        /// The version this program knows.
        known: u32,
    },
    /// Not the JSON that was expected.
    #[error("{what} at line {line} is not valid")]
    NotJson {
        /// What was read.
        what: &'static str,
        /// Line, from 1.
        line: usize,
        /// What the JSON reader says.
        #[source]
        source: serde_json::Error,
    },
    /// The bytes are not the only bytes that mean this.
    #[error("{what} at line {line} is not in canonical form")]
    NotCanonical {
        /// What was read.
        what: &'static str,
        /// Line, from 1.
        line: usize,
    },
    /// The layout is not as specified.
    #[error("{what} at line {line}: {problem}")]
    Malformed {
        /// What was read.
        what: &'static str,
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        problem: &'static str,
    },
    /// More than a reader accepts.
    #[error("{what} has {count} {unit}, more than {max}")]
    TooMany {
        /// What was read or written.
        what: &'static str,
        /// How many.
        count: usize,
        /// Of what: `bytes`, `signatures`, `ids`, `levels`.
        unit: &'static str,
        /// The limit.
        max: usize,
    },
    /// The bytes do not hash to what was promised.
    #[error("{what} hashes to {found}, not to {expected}")]
    DigestMismatch {
        /// What was hashed.
        what: &'static str,
        /// The promise.
        expected: Digest,
        /// The hash of the bytes.
        found: Digest,
    },
    /// The log is shorter than the question.
    #[error("the log has {entry_count} entries and no position {position}")]
    NoSuchPosition {
        /// The position asked for.
        position: u64,
        /// The length of the log.
        entry_count: u64,
    },
    /// No entry names this id.
    #[error("no entry of the log names `{id}`")]
    UnknownId {
        /// The id asked for.
        id: String,
    },
    /// A proof has too few or too many hashes for its sizes.
    #[error("{what} holds {found} hashes, which does not fit its sizes")]
    ProofLength {
        /// Which proof.
        what: &'static str,
        /// Hashes in it.
        found: usize,
    },
    /// The text is not a key.
    #[error("{what}: {problem}")]
    BadKey {
        /// `key name`, `public key` or `private key`.
        what: &'static str,
        /// What is wrong.
        problem: &'static str,
    },
    /// The signature of a known key does not fit the bytes.
    #[error("the signature of `{name}` does not fit the {what}")]
    BadSignature {
        /// What was signed.
        what: &'static str,
        /// Name of the key.
        name: String,
    },
    /// Nobody who is trusted has signed.
    #[error("the {what} has {found} valid signatures of known keys and needs {needed}")]
    TooFewSignatures {
        /// What was signed.
        what: &'static str,
        /// Valid ones, one a key.
        found: usize,
        /// How many the caller asks for.
        needed: usize,
    },
    /// A log that was longer when it was last seen.
    #[error("`{origin}` had {seen_size} entries when it was last seen, and now shows {size}")]
    Rollback {
        /// Names the log.
        origin: String,
        /// Entries seen before.
        seen_size: u64,
        /// Entries shown now.
        size: u64,
    },
    /// A log whose beginning is no longer what it was.
    #[error("`{origin}` at {size} entries is not a continuation of what it was at {seen_size}")]
    Fork {
        /// Names the log.
        origin: String,
        /// Entries seen before.
        seen_size: u64,
        /// Entries shown now.
        size: u64,
    },
    /// A consistency proof that begins elsewhere than at what was seen last.
    #[error("the proof begins at {old_size} entries; `{origin}` was last seen at {seen_size}")]
    ProofFromElsewhere {
        /// Names the log.
        origin: String,
        /// Entries seen before.
        seen_size: u64,
        /// Entries at which the proof begins.
        old_size: u64,
    },
    /// Signed by the right key for something else.
    #[error("the {what} is for `{found}`, not for `{expected}`")]
    WrongPurpose {
        /// What was read.
        what: &'static str,
        /// What was asked for.
        expected: String,
        /// What it says.
        found: String,
    },
}

impl LedgerError {
    /// What a program should do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::EntryTooLong { .. }
            | Self::BadField { .. }
            | Self::BadKey { .. }
            | Self::TooMany { .. }
            | Self::UnknownFormatVersion { .. }
            | Self::ProofFromElsewhere { .. }
            | Self::WrongPurpose { .. } => ErrorKind::InvalidInput,
            Self::WrongIndex { .. }
            | Self::NotJson { .. }
            | Self::NotCanonical { .. }
            | Self::Malformed { .. }
            | Self::DigestMismatch { .. }
            | Self::ProofLength { .. }
            | Self::BadSignature { .. }
            | Self::Rollback { .. }
            | Self::Fork { .. }
            | Self::TooFewSignatures { .. } => ErrorKind::Corrupt,
            Self::NoSuchPosition { .. } | Self::UnknownId { .. } => ErrorKind::NotFound,
        }
    }

    /// What a person should do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::EntryTooLong { .. } => {
                "put part of the blobs or roots into another entry of the same commit".to_owned()
            }
            Self::BadField { field, .. } => format!("give `{field}` another value"),
            Self::WrongIndex { place: "commit to write", .. } => {
                "read the head of the log again and number the entries from there".to_owned()
            }
            Self::UnknownFormatVersion { .. } => {
                "read it with the version of the program that wrote it, or a newer one".to_owned()
            }
            Self::WrongIndex { .. }
            | Self::NotJson { .. }
            | Self::NotCanonical { .. }
            | Self::Malformed { .. }
            | Self::DigestMismatch { .. } => {
                "the bytes were changed after they were written: restore them from a copy, \
                 and check the copy the same way"
                    .to_owned()
            }
            Self::ProofLength { .. } => "ask for the proof again".to_owned(),
            Self::TooMany { max, unit, .. } => format!("split it: at most {max} {unit}"),
            Self::NoSuchPosition { entry_count, .. } => {
                format!("ask for a position from 0 to {entry_count}")
            }
            Self::UnknownId { .. } => {
                "look at the id again; it may also stand in a body that was erased".to_owned()
            }
            Self::BadKey { what, .. } => {
                format!("take the {what} from the key file as it is, on one line")
            }
            Self::BadSignature { .. } => {
                "do not trust it: the bytes or the signature were changed".to_owned()
            }
            Self::TooFewSignatures { .. } => {
                "check with the public key of its author, obtained by another way".to_owned()
            }
            Self::Rollback { .. } | Self::Fork { .. } => {
                "history was rewritten, or an old copy is shown: keep both checkpoints as evidence \
                 and ask who keeps the log"
                    .to_owned()
            }
            Self::ProofFromElsewhere { seen_size, .. } => {
                format!("ask for a proof from size {seen_size}")
            }
            Self::WrongPurpose { expected, .. } => format!("give one that is for `{expected}`"),
        }
    }
}
