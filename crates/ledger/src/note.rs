//! Signed notes (C2SP signed-note): a text, an empty line, and one line for each signature.
//!
//! Invariant: a signature covers the text with its last newline and nothing else.
//! [`Note::parse`] gives text and signatures and trusts nobody; [`Note::verify`] says whose hold.
//!
//! Not here: what the text means, and cosignatures of witnesses (see [`crate::witness`]; lines of
//! unknown keys are kept).

use std::{fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{LedgerError, SigningKey, VerifyingKey, key};

/// Longer notes are refused before they are looked at. Go's `note.Open` has the same limit.
pub const NOTE_BYTES_MAX: usize = 1_000_000;

/// More signatures are refused. C2SP asks for at least 16; Go's `note.Open` stops at 100.
pub const SIGNATURES_MAX: usize = 100;

const WHAT: &str = "note";
const KEY_ID_BYTES: usize = 4;
const SIGNATURE_PREFIX: &str = "\u{2014} ";

/// A text and the signatures that were found below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

/// One signature line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteSignature {
    /// Name of the key, as the line says.
    pub name: String,
    /// Id of the key, as the line says.
    pub key_id: [u8; KEY_ID_BYTES],
    /// What follows: for Ed25519, 64 bytes.
    pub signature: Vec<u8>,
}

impl Note {
    /// Signs a text, which must end in a newline, with each key.
    ///
    /// # Errors
    /// [`LedgerError::Malformed`] for a text that is empty, does not end in a newline or holds
    /// another control character; [`LedgerError::TooMany`]; [`LedgerError::TooFewSignatures`] for
    /// no keys.
    pub fn sign(text: &str, keys: &[&SigningKey]) -> Result<Self, LedgerError> {
        check_text(text)?;
        check_max(keys.len(), "signatures", SIGNATURES_MAX)?;
        if keys.is_empty() {
            return Err(LedgerError::TooFewSignatures { what: WHAT, found: 0, needed: 1 });
        }
        let sign = |key: &&SigningKey| NoteSignature {
            name: key.name().to_owned(),
            key_id: key.verifying_key().key_id(),
            signature: key.sign(text.as_bytes()).to_vec(),
        };
        Ok(Self { text: text.to_owned(), signatures: keys.iter().map(sign).collect() })
    }

    /// Reads a note without believing it.
    ///
    /// # Errors
    /// [`LedgerError::TooMany`], or [`LedgerError::Malformed`] with the line.
    pub fn parse(bytes: &[u8]) -> Result<Self, LedgerError> {
        check_max(bytes.len(), "bytes", NOTE_BYTES_MAX)?;
        let note = std::str::from_utf8(bytes).map_err(|_| malformed(1, "is not UTF-8"))?;
        let split =
            note.rfind("\n\n").ok_or(malformed(1, "has no empty line before signatures"))?;
        let (text, lines) = (&note[..=split], &note[split + 2..]);
        check_text(text)?;
        let lines =
            lines.strip_suffix('\n').ok_or(malformed(1, "does not end in a signature line"))?;
        check_max(lines.split('\n').count(), "signatures", SIGNATURES_MAX)?;
        let first_line = text.split('\n').count() + 1;
        let signatures = (first_line..)
            .zip(lines.split('\n'))
            .map(|(line, content)| parse_signature(line, content))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self { text: text.to_owned(), signatures })
    }

    /// The text, with its last newline.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signatures, in the order of their lines.
    #[must_use]
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// A text without signatures yet, to be completed by [`Note::with_signature`].
    #[must_use]
    pub fn unsigned(text: &str) -> Self {
        Self { text: text.to_owned(), signatures: Vec::new() }
    }

    /// The note with one more signature, which takes the place of an earlier one of the same key.
    ///
    /// # Errors
    /// [`LedgerError::TooMany`].
    pub fn with_signature(mut self, signature: NoteSignature) -> Result<Self, LedgerError> {
        let same_key = |earlier: &NoteSignature| {
            earlier.name == signature.name && earlier.key_id == signature.key_id
        };
        self.signatures.retain(|earlier| !same_key(earlier));
        check_max(self.signatures.len() + 1, "signatures", SIGNATURES_MAX)?;
        self.signatures.push(signature);
        Ok(self)
    }

    /// The keys whose signatures hold, each once, in the order given. Unknown signers are ignored.
    ///
    /// # Errors
    /// [`LedgerError::BadSignature`] if a line claims a given key and does not verify;
    /// [`LedgerError::TooFewSignatures`] if no given key has signed.
    pub fn verify<'k>(
        &self,
        keys: &'k [VerifyingKey],
    ) -> Result<Vec<&'k VerifyingKey>, LedgerError> {
        let mut signers = Vec::new();
        for key in keys {
            let key_id = key.key_id();
            let claims = self
                .signatures
                .iter()
                .filter(|claim| claim.name == key.name() && claim.key_id == key_id);
            let mut signed = false;
            for claim in claims {
                if !key.verifies(self.text.as_bytes(), &claim.signature) {
                    let name = key.name().to_owned();
                    return Err(LedgerError::BadSignature { what: WHAT, name });
                }
                signed = true;
            }
            if signed && !signers.contains(&key) {
                signers.push(key);
            }
        }
        if signers.is_empty() {
            return Err(LedgerError::TooFewSignatures { what: WHAT, found: 0, needed: 1 });
        }
        Ok(signers)
    }
}

/// The bytes of the note.
impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| writeln!(f, "{signature}"))
    }
}

/// The signature's line, without a newline.
impl fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let encoded = STANDARD.encode([self.key_id.as_slice(), &self.signature].concat());
        write!(f, "{SIGNATURE_PREFIX}{} {encoded}", self.name)
    }
}

/// Reads a signature's line, without its newline.
impl FromStr for NoteSignature {
    type Err = LedgerError;
    fn from_str(line: &str) -> Result<Self, LedgerError> {
        parse_signature(1, line)
    }
}

fn check_text(text: &str) -> Result<(), LedgerError> {
    if !text.ends_with('\n') {
        return Err(malformed(1, "has a text that does not end in a newline"));
    }
    for (line, content) in (1..).zip(text.split('\n')) {
        // C2SP forbids U+0000 to U+001F but newline.
        if content.bytes().any(|byte| byte < 0x20) {
            return Err(malformed(line, "holds a control character"));
        }
    }
    Ok(())
}

fn parse_signature(line: usize, content: &str) -> Result<NoteSignature, LedgerError> {
    let (name, encoded) = content
        .strip_prefix(SIGNATURE_PREFIX)
        .and_then(|rest| rest.split_once(' '))
        .ok_or(malformed(line, "is not a dash, a name and a signature"))?;
    key::check_name(name).map_err(|_| malformed(line, "has a bad key name"))?;
    let bytes = STANDARD.decode(encoded).map_err(|_| malformed(line, "is not base64"))?;
    match bytes.split_first_chunk() {
        Some((key_id, signature)) if !signature.is_empty() => {
            let (name, signature) = (name.to_owned(), signature.to_vec());
            Ok(NoteSignature { name, key_id: *key_id, signature })
        }
        _ => Err(malformed(line, "is too short for a signature")),
    }
}

fn check_max(count: usize, unit: &'static str, max: usize) -> Result<(), LedgerError> {
    if count > max {
        return Err(LedgerError::TooMany { what: WHAT, count, unit, max });
    }
    Ok(())
}

fn malformed(line: usize, problem: &'static str) -> LedgerError {
    LedgerError::Malformed { what: WHAT, line, problem }
}
