//! Where samples come from: their origin, and for anything not real the derivation that ties it to real anchors.
//!
//! Invariant: a recording that is not `real` always has a derivation; one that cannot be told is `Unknown` with its reason, and worth nothing to a claim.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{Digest, RecordingId, Seed};

/// Where samples come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Recorded in the real world.
    Real,
    /// A transformed real sample.
    SemiSynthetic,
    /// Simulated or generated.
    Synthetic,
    /// Made or labelled by people.
    Curated,
}

impl Origin {
    /// Every origin, for help texts.
    pub const ALL: [Self; 4] = [Self::Real, Self::SemiSynthetic, Self::Synthetic, Self::Curated];

    /// The word used in tables, files and options.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Real => "real",
            Self::SemiSynthetic => "semi_synthetic",
            Self::Synthetic => "synthetic",
            Self::Curated => "curated",
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The word is not an origin.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an origin; use one of real, semi_synthetic, synthetic, curated")]
pub struct UnknownOrigin(pub String);

impl FromStr for Origin {
    type Err = UnknownOrigin;
    fn from_str(word: &str) -> Result<Self, UnknownOrigin> {
        Self::ALL
            .into_iter()
            .find(|origin| origin.as_str() == word)
            .ok_or_else(|| UnknownOrigin(word.to_owned()))
    }
}

/// How a recording that is not real was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Derivation {
    /// Made by a generator that can be named and run again.
    Generated {
        /// Name and version of the generator.
        generator: String,
        /// Digest of the generator's stored inputs: map, trajectory and parameters.
        inputs_digest: Digest,
        /// The seed of its randomness.
        seed: Seed,
        /// The real recordings it is tied to.
        anchors: Vec<RecordingId>,
        /// Synthetic-of-synthetic steps; 1 for a twin of a real recording.
        generation_depth: u32,
    },
    /// The generator cannot be named.
    Unknown {
        /// Why, in words.
        reason: String,
    },
}
