//! A checkpoint: the signed head of the log (C2SP tlog-checkpoint).
//!
//! Three lines in a signed note: origin, size in decimal, root in base64.
//! Invariant: the origin is the name of the key that signs, so a key speaks for one log only.
//!
//! Not here: the time (a checkpoint has none) and whether an older one is being shown again; keep
//! the newest one seen and ask for a consistency proof.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use tiepoint_model::Digest;

use crate::{LedgerError, Note, SigningKey, VerifyingKey, key};

const WHAT: &str = "checkpoint";

/// The head of a log at one size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Names the log.
    pub origin: String,
    /// Entries in the log.
    pub size: u64,
    /// RFC 6962 root over their leaf hashes.
    pub root: Digest,
}

impl Checkpoint {
    /// The signed note for a log of this size and root; its origin is the key's name.
    ///
    /// # Errors
    /// Those of [`Note::sign`]; none for a key that was made here.
    pub fn sign(size: u64, root: Digest, key: &SigningKey) -> Result<Note, LedgerError> {
        let checkpoint = Self { origin: key.name().to_owned(), size, root };
        Note::sign(&checkpoint.to_string(), &[key])
    }

    /// Reads a note and believes it only if this key has signed it for its own log.
    ///
    /// # Errors
    /// Those of [`Note::parse`], [`Note::verify`] and [`Checkpoint::parse`];
    /// [`LedgerError::WrongPurpose`] if the origin is not the key's name.
    pub fn open(bytes: &[u8], key: &VerifyingKey) -> Result<Self, LedgerError> {
        let note = Note::parse(bytes)?;
        note.verify(std::slice::from_ref(key))?;
        let checkpoint = Self::parse(note.text())?;
        if checkpoint.origin != key.name() {
            let (expected, found) = (key.name().to_owned(), checkpoint.origin);
            return Err(LedgerError::WrongPurpose { what: WHAT, expected, found });
        }
        Ok(checkpoint)
    }

    /// Reads the text of a checkpoint. Extension lines are refused: no proof covers them.
    ///
    /// # Errors
    /// [`LedgerError::Malformed`] with the line.
    pub fn parse(text: &str) -> Result<Self, LedgerError> {
        let malformed = |line, problem| LedgerError::Malformed { what: WHAT, line, problem };
        let lines = text.strip_suffix('\n').ok_or(malformed(1, "does not end in a newline"))?;
        let mut lines = lines.split('\n');
        let origin = lines.next().unwrap_or_default();
        key::check_name(origin).map_err(|_| malformed(1, "is not an origin"))?;
        let size_text = lines.next().ok_or(malformed(2, "is missing: the size"))?;
        let size = size_text
            .parse()
            .ok()
            .filter(|size: &u64| size.to_string() == size_text)
            .ok_or(malformed(2, "is not a size in decimal"))?;
        let root_text = lines.next().ok_or(malformed(3, "is missing: the root"))?;
        let root = STANDARD.decode(root_text).ok().and_then(|bytes| bytes.try_into().ok());
        let root = root.map(Digest).ok_or(malformed(3, "is not 32 bytes in base64"))?;
        if lines.next().is_some() {
            return Err(malformed(4, "is an extension, which this log does not have"));
        }
        Ok(Self { origin: origin.to_owned(), size, root })
    }
}

/// The text that is signed.
impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let root = STANDARD.encode(self.root.0);
        writeln!(f, "{}\n{}\n{root}", self.origin, self.size)
    }
}
