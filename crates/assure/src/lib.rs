//! Pure judgement: claims, tests, controls, verdicts and their statement of limitation.
//!
//! Invariant: [`judge()`] is a function of the claim and the evidence alone, and everything in a
//! verdict can be derived again from what it publishes ([`recompute()`]).
//! The null hypothesis is "not substitutable": nothing passes by failing to find a difference.
//!
//! Not here: measuring, hashing, signing, disk and clock.

pub mod canonical;
pub mod claim_file;
pub mod evidence;
pub mod judge;
mod limitation;
pub mod recompute;
pub mod sentence;
pub mod statistics;

pub use canonical::canonical_json;
pub use claim_file::{ClaimFileError, parse_claim};
pub use evidence::{DirectionEvidence, Evidence, SampleSeries};
pub use judge::{JudgeError, judge};
pub use recompute::{Difference, recompute};
pub use sentence::sentence;

/// Names the form of a verdict's JSON, where it is the predicate of an in-toto statement.
pub const PREDICATE_TYPE: &str = "https://tiepoint.dev/substitution-verdict/v1";
