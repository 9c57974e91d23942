//! in-toto statements, version 1: something that is said about things named by their digests.
//!
//! Invariant: a statement has at least one subject, and each subject has a digest; a statement is
//! read only out of an envelope whose signatures hold.
//!
//! Not here: the predicate's own rules; its type says where to find them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Envelope, LedgerError, SigningKey, VerifyingKey, canonical::sorted};

/// Media type of a statement in an envelope.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// The `_type` of a statement.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";

const WHAT: &str = "statement";

/// Says `predicate` about the subjects.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Statement {
    /// [`STATEMENT_TYPE`].
    #[serde(rename = "_type")]
    pub statement_type: String,
    /// What it is about.
    pub subject: Vec<Subject>,
    /// Where the meaning of the predicate is written down: a URI.
    pub predicate_type: String,
    /// What is said: an object that is not empty.
    #[serde(serialize_with = "sorted")]
    pub predicate: Value,
}

/// A thing, named by digests of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// What people call it.
    pub name: String,
    /// Digests by algorithm, for instance `sha256`, in hexadecimal.
    pub digest: BTreeMap<String, String>,
}

impl Statement {
    /// A statement of version 1.
    #[must_use]
    pub fn new(subject: Vec<Subject>, predicate_type: &str, predicate: Value) -> Self {
        let statement_type = STATEMENT_TYPE.to_owned();
        Self { statement_type, subject, predicate_type: predicate_type.to_owned(), predicate }
    }

    /// Signs the statement with each key.
    ///
    /// # Errors
    /// [`LedgerError::BadField`] for a missing subject, digest, predicate type or predicate.
    pub fn sign(&self, keys: &[&SigningKey]) -> Result<Envelope, LedgerError> {
        self.check()?;
        let payload = serde_json::to_vec(self).map_err(|source| LedgerError::NotJson {
            what: WHAT,
            line: 1,
            source,
        })?;
        Ok(Envelope::sign(PAYLOAD_TYPE, payload, keys))
    }

    /// The statement in an envelope that at least `needed` of these keys have signed.
    ///
    /// # Errors
    /// Those of [`Envelope::verify`]; [`LedgerError::WrongPurpose`] for another payload or version;
    /// [`LedgerError::NotJson`]; [`LedgerError::BadField`].
    pub fn open(
        envelope: &Envelope,
        keys: &[VerifyingKey],
        needed: usize,
    ) -> Result<Self, LedgerError> {
        envelope.verify(keys, needed)?;
        expect("envelope", PAYLOAD_TYPE, &envelope.payload_type)?;
        let statement: Self = serde_json::from_slice(&envelope.payload)
            .map_err(|source| LedgerError::NotJson { what: WHAT, line: source.line(), source })?;
        statement.check()?;
        Ok(statement)
    }

    fn check(&self) -> Result<(), LedgerError> {
        expect(WHAT, STATEMENT_TYPE, &self.statement_type)?;
        let refuse = |field, problem| Err(LedgerError::BadField { what: WHAT, field, problem });
        if self.subject.is_empty() {
            return refuse("subject", "is empty");
        }
        if self.subject.iter().any(|subject| subject.digest.is_empty()) {
            return refuse("subject", "has a member without a digest");
        }
        if self.predicate_type.is_empty() {
            return refuse("predicateType", "is empty");
        }
        if self.predicate.as_object().is_none_or(serde_json::Map::is_empty) {
            return refuse("predicate", "is not an object with fields");
        }
        Ok(())
    }
}

fn expect(what: &'static str, expected: &str, found: &str) -> Result<(), LedgerError> {
    if expected == found {
        return Ok(());
    }
    let (expected, found) = (expected.to_owned(), found.to_owned());
    Err(LedgerError::WrongPurpose { what, expected, found })
}
