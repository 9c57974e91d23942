//! Ed25519 keys: made from a seed, written as text, used to sign and to verify.
//!
//! Invariant: a key has a name, and its four-byte id binds name and public half together.
//! The texts are those of Go's `sumdb/note`, so its tools read our keys and we read theirs:
//! `PRIVATE+KEY+<name>+<id>+<base64>` and `<name>+<id>+<base64>`, one line each.
//!
//! Not here: drawing the seed, and where the private text is kept (never in the lake).

use std::{fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::STANDARD};
use ed25519_dalek::Signer;
use sha2::{Digest as _, Sha256};

use crate::LedgerError;

/// Marks an Ed25519 key that signs notes, in C2SP signed notes.
const ALGORITHM: u8 = 1;

const PRIVATE_PREFIX: &str = "PRIVATE+KEY+";

const NAME_BYTES_MAX: usize = 255;

/// The private half. Its debug form does not show it.
#[derive(Clone)]
pub struct SigningKey {
    name: String,
    key: ed25519_dalek::SigningKey,
}

/// The public half.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifyingKey {
    name: String,
    key: ed25519_dalek::VerifyingKey,
}

impl SigningKey {
    /// The key of this name with this seed, which must be 32 random bytes used for nothing else.
    ///
    /// # Errors
    /// [`LedgerError::BadKey`] for a name that is empty, too long, or holds a space, a control
    /// character or a plus sign.
    pub fn from_seed(name: &str, seed: [u8; 32]) -> Result<Self, LedgerError> {
        check_name(name)?;
        Ok(Self { name: name.to_owned(), key: ed25519_dalek::SigningKey::from_bytes(&seed) })
    }

    /// Reads the private text, with or without its newline.
    ///
    /// # Errors
    /// [`LedgerError::BadKey`], which never shows the text.
    pub fn from_private_text(text: &str) -> Result<Self, LedgerError> {
        Self::from_private_text_of(ALGORITHM, text)
    }

    /// The private text: one line, with its newline. Keep it secret.
    #[must_use]
    pub fn to_private_text(&self) -> String {
        self.to_private_text_of(ALGORITHM)
    }

    pub(crate) fn from_private_text_of(algorithm: u8, text: &str) -> Result<Self, LedgerError> {
        let what = "private key";
        let rest = one_line(text).strip_prefix(PRIVATE_PREFIX);
        let rest = rest.ok_or(bad(what, "does not begin with `PRIVATE+KEY+`"))?;
        let (name, key_id, seed) = parse_parts(what, algorithm, rest)?;
        let key = Self::from_seed(name, seed)?;
        if key.verifying_key().key_id_of(algorithm) != key_id {
            return Err(bad(what, "has an id that does not fit its name and key"));
        }
        Ok(key)
    }

    pub(crate) fn to_private_text_of(&self, algorithm: u8) -> String {
        let key_id = self.verifying_key().key_id_of(algorithm);
        let encoded = encode(algorithm, self.key.as_bytes());
        format!("{PRIVATE_PREFIX}{}+{}+{encoded}\n", self.name, Hex(&key_id))
    }

    /// Names the key.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The public half.
    #[must_use]
    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey { name: self.name.clone(), key: self.key.verifying_key() }
    }

    /// Signs a message; the same message always gets the same signature.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }
}

impl VerifyingKey {
    /// The key of this name with these public bytes.
    ///
    /// # Errors
    /// [`LedgerError::BadKey`] for a bad name, bytes that are no point of the curve, or one of the
    /// few points for which anybody can make signatures.
    pub fn from_bytes(name: &str, bytes: [u8; 32]) -> Result<Self, LedgerError> {
        check_name(name)?;
        let what = "public key";
        let key = ed25519_dalek::VerifyingKey::from_bytes(&bytes)
            .map_err(|_| bad(what, "is not a point of the curve"))?;
        if key.is_weak() {
            return Err(bad(what, "is weak: anybody can sign for it"));
        }
        Ok(Self { name: name.to_owned(), key })
    }

    /// Names the key.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The public bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 32] {
        self.key.to_bytes()
    }

    /// First four bytes of SHA-256 over name, newline, algorithm and public bytes.
    #[must_use]
    pub fn key_id(&self) -> [u8; 4] {
        self.key_id_of(ALGORITHM)
    }

    pub(crate) fn key_id_of(&self, algorithm: u8) -> [u8; 4] {
        let hash = Sha256::new()
            .chain_update(&self.name)
            .chain_update([b'\n', algorithm])
            .chain_update(self.to_bytes())
            .finalize();
        [hash[0], hash[1], hash[2], hash[3]]
    }

    /// Whether these are 64 bytes of signature of this key for exactly this message.
    ///
    /// Strict: forms that some verifiers accept and others refuse are refused.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        ed25519_dalek::Signature::from_slice(signature)
            .is_ok_and(|signature| self.key.verify_strict(message, &signature).is_ok())
    }

    pub(crate) fn from_text_of(algorithm: u8, text: &str) -> Result<Self, LedgerError> {
        let what = "public key";
        let (name, key_id, bytes) = parse_parts(what, algorithm, one_line(text))?;
        let key = Self::from_bytes(name, bytes)?;
        if key.key_id_of(algorithm) != key_id {
            return Err(bad(what, "has an id that does not fit its name and key"));
        }
        Ok(key)
    }

    pub(crate) fn to_text_of(&self, algorithm: u8) -> String {
        let (key_id, encoded) = (self.key_id_of(algorithm), encode(algorithm, &self.to_bytes()));
        format!("{}+{}+{encoded}", self.name, Hex(&key_id))
    }
}

impl fmt::Display for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text_of(ALGORITHM))
    }
}

impl FromStr for VerifyingKey {
    type Err = LedgerError;
    fn from_str(text: &str) -> Result<Self, LedgerError> {
        Self::from_text_of(ALGORITHM, text)
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({self})")
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({}+{}, private)", self.name, Hex(&self.verifying_key().key_id()))
    }
}

/// C2SP signed-note asks for no space and no plus; control characters would hide in a terminal.
pub(crate) fn check_name(name: &str) -> Result<(), LedgerError> {
    let what = "key name";
    if name.is_empty() {
        return Err(bad(what, "is empty"));
    }
    if name.len() > NAME_BYTES_MAX {
        return Err(bad(what, "is longer than 255 bytes"));
    }
    if name.chars().any(|c| c.is_whitespace() || c.is_control() || c == '+') {
        return Err(bad(what, "holds a space, a control character or a plus sign"));
    }
    Ok(())
}

/// `<name>+<id>+<base64 of algorithm and 32 bytes>`; base64 may hold plus signs, names may not.
fn parse_parts<'t>(
    what: &'static str,
    algorithm: u8,
    text: &'t str,
) -> Result<(&'t str, [u8; 4], [u8; 32]), LedgerError> {
    let mut parts = text.splitn(3, '+');
    let (Some(name), Some(id_hex), Some(encoded)) = (parts.next(), parts.next(), parts.next())
    else {
        return Err(bad(what, "has fewer than three parts joined by `+`"));
    };
    let lower_hex = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
    let key_id = u32::from_str_radix(id_hex, 16)
        .ok()
        .filter(|_| id_hex.len() == 8 && id_hex.bytes().all(lower_hex))
        .ok_or(bad(what, "has an id that is not 8 hexadecimal digits"))?;
    let bytes = STANDARD.decode(encoded).map_err(|_| bad(what, "is not base64"))?;
    match bytes.split_first() {
        Some((found, key)) if *found == algorithm => key
            .try_into()
            .map(|key| (name, key_id.to_be_bytes(), key))
            .map_err(|_| bad(what, "does not hold 32 bytes")),
        _ => Err(bad(what, "is not for Ed25519, or is for another use")),
    }
}

fn one_line(text: &str) -> &str {
    text.strip_suffix('\n').unwrap_or(text)
}

fn encode(algorithm: u8, key: &[u8; 32]) -> String {
    let mut bytes = vec![algorithm];
    bytes.extend(key);
    STANDARD.encode(bytes)
}

fn bad(what: &'static str, problem: &'static str) -> LedgerError {
    LedgerError::BadKey { what, problem }
}

/// Lower-case hexadecimal digits.
pub(crate) struct Hex<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
