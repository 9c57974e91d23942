//! DSSE envelopes: a payload, its type, and signatures over both.
//!
//! Invariant: what is signed is the pre-authentication encoding of type and payload bytes; the
//! payload is never parsed before a signature holds, and never written anew.
//! A key id only helps to find the key; trust comes from the keys the caller gives.
//!
//! Not here: what the payload says (see [`crate::statement`]).

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tiepoint_model::Digest;

use crate::{LedgerError, SigningKey, VerifyingKey, key::Hex};

/// More signatures are refused.
pub const SIGNATURES_MAX: usize = 100;

const WHAT: &str = "envelope";

/// A payload with its signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Media type of the payload.
    pub payload_type: String,
    /// The signed bytes.
    pub payload: Vec<u8>,
    /// Signatures over both.
    pub signatures: Vec<EnvelopeSignature>,
}

/// One signature of an envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvelopeSignature {
    /// Hint at the key: [`key_id`], or whatever another signer wrote; may be empty.
    pub key_id: String,
    /// For Ed25519, 64 bytes.
    pub signature: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct Wire {
    payload: String,
    #[serde(rename = "payloadType")]
    payload_type: String,
    signatures: Vec<WireSignature>,
}

#[derive(Serialize, Deserialize)]
struct WireSignature {
    #[serde(default)]
    keyid: String,
    sig: String,
}

impl Envelope {
    /// Signs the payload with each key.
    #[must_use]
    pub fn sign(payload_type: &str, payload: Vec<u8>, keys: &[&SigningKey]) -> Self {
        let message = pre_authentication_encoding(payload_type, &payload);
        let sign = |key: &&SigningKey| EnvelopeSignature {
            key_id: key_id(&key.verifying_key()).to_string(),
            signature: key.sign(&message).to_vec(),
        };
        let signatures = keys.iter().map(sign).collect();
        Self { payload_type: payload_type.to_owned(), payload, signatures }
    }

    /// Reads an envelope without believing it. Unknown fields are ignored, as DSSE asks.
    ///
    /// # Errors
    /// [`LedgerError::NotJson`], [`LedgerError::Malformed`] for base64, [`LedgerError::TooMany`].
    pub fn parse(bytes: &[u8]) -> Result<Self, LedgerError> {
        let wire: Wire = serde_json::from_slice(bytes).map_err(|source| LedgerError::NotJson {
            what: WHAT,
            line: source.line(),
            source,
        })?;
        let count = wire.signatures.len();
        if count > SIGNATURES_MAX {
            let (unit, max) = ("signatures", SIGNATURES_MAX);
            return Err(LedgerError::TooMany { what: WHAT, count, unit, max });
        }
        let payload = decode(&wire.payload)?;
        let parse = |WireSignature { keyid: key_id, sig }| {
            decode(&sig).map(|signature| EnvelopeSignature { key_id, signature })
        };
        let signatures = wire.signatures.into_iter().map(parse).collect::<Result<_, _>>()?;
        Ok(Self { payload_type: wire.payload_type, payload, signatures })
    }

    /// The envelope as JSON.
    ///
    /// # Errors
    /// None that can be reached; the JSON writer's type says otherwise.
    pub fn to_bytes(&self) -> Result<Vec<u8>, LedgerError> {
        let wire = Wire {
            payload: STANDARD.encode(&self.payload),
            payload_type: self.payload_type.clone(),
            signatures: self
                .signatures
                .iter()
                .map(|EnvelopeSignature { key_id, signature }| WireSignature {
                    keyid: key_id.clone(),
                    sig: STANDARD.encode(signature),
                })
                .collect(),
        };
        serde_json::to_vec(&wire).map_err(|source| LedgerError::NotJson {
            what: WHAT,
            line: 1,
            source,
        })
    }

    /// The keys that have signed, each once, in the order given: at least `needed` of them.
    ///
    /// Key ids are not asked: each signature is tried with each key.
    ///
    /// # Errors
    /// [`LedgerError::BadField`] for `needed` = 0, which would believe anything;
    /// [`LedgerError::TooFewSignatures`].
    pub fn verify<'k>(
        &self,
        keys: &'k [VerifyingKey],
        needed: usize,
    ) -> Result<Vec<&'k VerifyingKey>, LedgerError> {
        if needed == 0 {
            let (field, problem) = ("needed", "is zero");
            return Err(LedgerError::BadField { what: WHAT, field, problem });
        }
        let message = pre_authentication_encoding(&self.payload_type, &self.payload);
        let mut signers: Vec<&VerifyingKey> = Vec::new();
        for key in keys {
            // One key under two names is still one signer.
            let counted = signers.iter().any(|signer| signer.to_bytes() == key.to_bytes());
            let holds = |claim: &EnvelopeSignature| key.verifies(&message, &claim.signature);
            if !counted && self.signatures.iter().any(holds) {
                signers.push(key);
            }
        }
        let found = signers.len();
        if found < needed {
            return Err(LedgerError::TooFewSignatures { what: WHAT, found, needed });
        }
        Ok(signers)
    }
}

/// Id of a key in envelopes: SHA-256 of its canonical JSON form in `securesystemslib`.
///
/// A key that is loaded there from its public bytes gets this id by default.
#[must_use]
pub fn key_id(key: &VerifyingKey) -> Digest {
    let public = key.to_bytes();
    let json = format!(
        r#"{{"keytype":"ed25519","keyval":{{"public":"{}"}},"scheme":"ed25519"}}"#,
        Hex(&public)
    );
    Digest(Sha256::digest(json).into())
}

/// The bytes that are signed: `DSSEv1`, then type and payload, each after its length in decimal.
#[must_use]
pub fn pre_authentication_encoding(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let (type_bytes, payload_bytes) = (payload_type.len(), payload.len());
    let mut message = format!("DSSEv1 {type_bytes} {payload_type} {payload_bytes} ").into_bytes();
    message.extend(payload);
    message
}

/// DSSE lets writers choose between the two alphabets.
fn decode(text: &str) -> Result<Vec<u8>, LedgerError> {
    let problem = "holds text that is not base64";
    STANDARD.decode(text).or_else(|_| URL_SAFE.decode(text)).map_err(|_| LedgerError::Malformed {
        what: WHAT,
        line: 1,
        problem,
    })
}
