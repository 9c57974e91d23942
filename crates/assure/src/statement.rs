//! The verdict as an in-toto Statement, which tools of others can read.
//!
//! Invariant: what is written is canonical JSON, so that its bytes follow from the verdict.
//!
//! Not here: the envelope and the signature around it.

use serde::{Deserialize, Serialize};
use tiepoint_model::{Digest, ErrorKind, verdict::Verdict};

use crate::canonical::{CanonicalError, canonical_json};

/// Source: in-toto Attestation Framework, Statement layer v1.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";

/// Names the form of the predicate.
pub const PREDICATE_TYPE: &str = "https://tiepoint.dev/substitution-verdict/v1";

/// A verdict about subjects named by digest. Members of the statement that are not known are
/// ignored, as the framework asks of readers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Statement {
    /// [`STATEMENT_TYPE`].
    #[serde(rename = "_type")]
    pub statement_type: String,
    /// What the verdict is about.
    pub subject: Vec<Subject>,
    /// [`PREDICATE_TYPE`].
    #[serde(rename = "predicateType")]
    pub predicate_type: String,
    /// The verdict.
    pub predicate: Verdict,
}

/// One thing that a statement is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// Its name.
    pub name: String,
    /// Its digest.
    pub digest: SubjectDigest,
}

/// The digest of a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubjectDigest {
    /// SHA-256.
    pub sha256: Digest,
}

/// Why a text is not a statement about a verdict.
#[derive(Debug, thiserror::Error)]
pub enum StatementError {
    /// Not JSON of this form.
    #[error("the statement cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// Another kind of statement or predicate.
    #[error("the statement's `{field}` is `{found}`, not `{expected}`")]
    OtherType {
        /// Which field.
        field: &'static str,
        /// What it holds.
        found: String,
        /// What is read here.
        expected: &'static str,
    },
    /// A statement about nothing.
    #[error("the statement has no subject")]
    NoSubject,
    /// It cannot be written.
    #[error(transparent)]
    Unwritable(#[from] CanonicalError),
}

impl StatementError {
    /// What a program should do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Unreadable(_) => ErrorKind::Corrupt,
            Self::OtherType { .. } | Self::NoSubject => ErrorKind::InvalidInput,
            Self::Unwritable(error) => error.kind(),
        }
    }

    /// What a person should do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Unreadable(_) => "fetch the verdict again from its issuer".to_owned(),
            Self::OtherType { .. } => "give the file of a verdict".to_owned(),
            Self::NoSubject => "name at least one recording by its digest".to_owned(),
            Self::Unwritable(error) => error.hint(),
        }
    }
}

impl Statement {
    /// A statement of this verdict about these subjects.
    ///
    /// # Errors
    /// [`StatementError::NoSubject`].
    pub fn new(subject: Vec<Subject>, predicate: Verdict) -> Result<Self, StatementError> {
        if subject.is_empty() {
            return Err(StatementError::NoSubject);
        }
        Ok(Self {
            statement_type: STATEMENT_TYPE.to_owned(),
            subject,
            predicate_type: PREDICATE_TYPE.to_owned(),
            predicate,
        })
    }

    /// Its canonical JSON: the payload to be signed.
    ///
    /// # Errors
    /// [`StatementError::Unwritable`].
    pub fn to_json(&self) -> Result<String, StatementError> {
        Ok(canonical_json(self)?)
    }

    /// Reads a statement of this kind.
    ///
    /// # Errors
    /// [`StatementError`].
    pub fn from_json(text: &str) -> Result<Self, StatementError> {
        /// Read first, so that another kind of statement is told from a damaged one.
        #[derive(Deserialize)]
        struct Types {
            #[serde(rename = "_type")]
            statement_type: String,
            #[serde(rename = "predicateType")]
            predicate_type: String,
        }
        let types: Types = serde_json::from_str(text)?;
        let expected = [
            ("_type", types.statement_type, STATEMENT_TYPE),
            ("predicateType", types.predicate_type, PREDICATE_TYPE),
        ];
        for (field, found, expected) in expected {
            if found != expected {
                return Err(StatementError::OtherType { field, found, expected });
            }
        }
        let statement: Self = serde_json::from_str(text)?;
        Self::new(statement.subject, statement.predicate)
    }
}
