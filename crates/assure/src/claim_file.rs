//! A claim as people write it: TOML.
//!
//! Invariant: a word that the format does not know is an error, never ignored.
//!
//! Not here: the checks themselves (they are [`tiepoint_model::claim::Claim::validate`]).

use tiepoint_model::{
    ErrorKind,
    claim::{Claim, ClaimError},
};

/// Why a file is not a claim.
#[derive(Debug, thiserror::Error)]
pub enum ClaimFileError {
    /// Not TOML, a field missing, or a field that the format does not know.
    #[error("the claim cannot be read: {}", .0.to_string().trim_end())]
    Unreadable(#[from] toml::de::Error),
    /// Read, and not a claim that can be judged.
    #[error(transparent)]
    Invalid(#[from] ClaimError),
}

impl ClaimFileError {
    /// What a program should do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::InvalidInput
    }

    /// What a person should do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Unreadable(_) => {
                "compare the field named above with the example claim in the documentation"
                    .to_owned()
            }
            Self::Invalid(error) => error.hint(),
        }
    }
}

/// Reads and checks a claim.
///
/// # Errors
/// [`ClaimFileError`]: the line and the field that is wrong.
pub fn parse_claim(text: &str, known_metrics: &[&str]) -> Result<Claim, ClaimFileError> {
    let claim: Claim = toml::from_str(text)?;
    claim.validate(known_metrics)?;
    Ok(claim)
}

#[cfg(test)]
mod tests;
