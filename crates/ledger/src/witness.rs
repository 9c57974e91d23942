//! Witnesses: somebody else who signs that a log only ever grew (C2SP tlog-cosignature, tlog-witness).
//!
//! Invariant: a witness cosigns a checkpoint only if it continues the one it has seen last, or is the
//! first. Its signature covers the time in whole seconds since the Unix epoch and the checkpoint.
//! A witness key is of type 0x04 and is refused where a log's key is asked for, and the other way.
//!
//! Not here: keeping what was seen. Whoever does must compare and replace it in one atomic step.

use std::{fmt, str::FromStr};

use crate::{
    Checkpoint, ConsistencyProof, LedgerError, Note, SigningKey, VerifyingKey, note::NoteSignature,
};

/// Marks an Ed25519 key that cosigns checkpoints.
const ALGORITHM: u8 = 4;

const WHAT: &str = "cosignature";

/// The private half of a witness's key. Its debug form does not show it.
#[derive(Clone)]
pub struct WitnessSigningKey(SigningKey);

/// The public half of a witness's key.
#[derive(Clone, PartialEq, Eq)]
pub struct WitnessKey(VerifyingKey);

impl WitnessSigningKey {
    /// The key of this name with this seed, which must be 32 random bytes used for nothing else.
    ///
    /// # Errors
    /// [`LedgerError::BadKey`] for a bad name.
    pub fn from_seed(name: &str, seed: [u8; 32]) -> Result<Self, LedgerError> {
        SigningKey::from_seed(name, seed).map(Self)
    }

    /// Reads the private text, with or without its newline.
    ///
    /// # Errors
    /// [`LedgerError::BadKey`], which never shows the text.
    pub fn from_private_text(text: &str) -> Result<Self, LedgerError> {
        SigningKey::from_private_text_of(ALGORITHM, text).map(Self)
    }

    /// The private text: one line, with its newline. Keep it secret.
    #[must_use]
    pub fn to_private_text(&self) -> String {
        self.0.to_private_text_of(ALGORITHM)
    }

    /// The public half.
    #[must_use]
    pub fn witness_key(&self) -> WitnessKey {
        WitnessKey(self.0.verifying_key())
    }

    /// Cosigns a checkpoint that was found to continue what was seen; see [`expect_growth`].
    #[must_use]
    pub fn cosign(&self, checkpoint: &Note, time_s: u64) -> NoteSignature {
        let mut signature = time_s.to_be_bytes().to_vec();
        signature.extend(self.0.sign(message(checkpoint, time_s).as_bytes()));
        let key = self.witness_key();
        NoteSignature { name: key.name().to_owned(), key_id: key.key_id(), signature }
    }
}

impl WitnessKey {
    /// Names the witness.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// First four bytes of SHA-256 over name, newline, 0x04 and public bytes.
    #[must_use]
    pub fn key_id(&self) -> [u8; 4] {
        self.0.key_id_of(ALGORITHM)
    }

    /// When this witness has cosigned the checkpoint, in seconds since the Unix epoch.
    ///
    /// # Errors
    /// [`LedgerError::BadSignature`] if a line claims this key and does not verify;
    /// [`LedgerError::TooFewSignatures`] if no line does.
    pub fn cosigned_at(&self, checkpoint: &Note) -> Result<u64, LedgerError> {
        let key_id = self.key_id();
        let mut newest = None;
        for claim in checkpoint.signatures() {
            if claim.name != self.name() || claim.key_id != key_id {
                continue;
            }
            let time = claim.signature.split_first_chunk().filter(|(time, signature)| {
                let time_s = u64::from_be_bytes(**time);
                self.0.verifies(message(checkpoint, time_s).as_bytes(), signature)
            });
            let name = self.name().to_owned();
            let (time, _) = time.ok_or(LedgerError::BadSignature { what: WHAT, name })?;
            newest = newest.max(Some(u64::from_be_bytes(*time)));
        }
        newest.ok_or(LedgerError::TooFewSignatures { what: WHAT, found: 0, needed: 1 })
    }
}

/// Checks that the checkpoint shown now continues the one seen last; both must be of one log.
///
/// `seen` is `None` for a log never seen before; then the proof must be from size 0.
///
/// # Errors
/// [`LedgerError::Rollback`] for a shorter log, [`LedgerError::Fork`] for another history,
/// [`LedgerError::ProofFromElsewhere`] for a proof from another size, [`LedgerError::WrongPurpose`]
/// for another log.
pub fn expect_growth(
    seen: Option<&Checkpoint>,
    shown: &Checkpoint,
    proof: &ConsistencyProof,
) -> Result<(), LedgerError> {
    let (origin, size) = (shown.origin.clone(), shown.size);
    let seen_size = seen.map_or(0, |seen| seen.size);
    if let Some(seen) = seen.filter(|seen| seen.origin != origin) {
        let expected = seen.origin.clone();
        return Err(LedgerError::WrongPurpose { what: "checkpoint", expected, found: origin });
    }
    if size < seen_size {
        return Err(LedgerError::Rollback { origin, seen_size, size });
    }
    if proof.old_size != seen_size || proof.new_size != size {
        let old_size = proof.old_size;
        return Err(LedgerError::ProofFromElsewhere { origin, seen_size, old_size });
    }
    let seen_root = seen.map_or_else(crate::merkle::empty_root, |seen| seen.root);
    let grown = proof.verify(&seen_root, &shown.root);
    grown.map_err(|_| LedgerError::Fork { origin, seen_size, size })
}

/// What is signed: two lines, then the checkpoint's text.
fn message(checkpoint: &Note, time_s: u64) -> String {
    format!("cosignature/v1\ntime {time_s}\n{}", checkpoint.text())
}

impl fmt::Display for WitnessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_text_of(ALGORITHM))
    }
}

impl FromStr for WitnessKey {
    type Err = LedgerError;
    fn from_str(text: &str) -> Result<Self, LedgerError> {
        VerifyingKey::from_text_of(ALGORITHM, text).map(Self)
    }
}

impl fmt::Debug for WitnessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WitnessKey({self})")
    }
}

impl fmt::Debug for WitnessSigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WitnessSigningKey({}, private)", self.0.name())
    }
}

#[cfg(test)]
mod tests;
