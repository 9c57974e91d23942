//! The p value of a permutation test.
//!
//! Invariant: `(b + 1) / (B + 1)` with b the permutations whose statistic is at least the observed
//! one: never zero, and at most its level under exchangeability, whatever B is.
//! No units.
//! Cost: that of the statistic, B + 1 times.
//!
//! Not here: dependent values. Frames of one run are not exchangeable: test runs, or blocks of
//! them.

use serde::{Deserialize, Serialize};
use tiepoint_model::Seed;

use crate::MeasureError;

/// How to permute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permutations {
    /// Where the draws come from; permutation p draws from the seed and p alone.
    pub seed: Seed,
    /// How many, without the observed order. The least p value is `1 / (count + 1)`.
    pub count: usize,
}

impl Permutations {
    /// Refuses zero permutations and more than 2^24.
    pub(super) fn check(&self) -> Result<(), MeasureError> {
        if (1..=1 << 24).contains(&self.count) {
            return Ok(());
        }
        Err(MeasureError::InvalidOption {
            name: "permutation count",
            value: self.count as f64,
            requirement: "between 1 and 2^24",
        })
    }
}

/// A permutation test.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PermutationTest {
    /// The observed statistic.
    pub statistic: f64,
    /// `(at_least_count + 1) / (permutation_count + 1)`.
    pub p_value: f64,
    /// Permutations whose statistic is at least the observed one, up to rounding.
    pub at_least_count: usize,
    /// All permutations.
    pub permutation_count: usize,
}

impl PermutationTest {
    /// From the observed statistic and those of the permutations.
    ///
    /// A statistic within `1e-12 scale` of the observed one counts as equal to it, so that rounding
    /// cannot make a p value smaller; `scale` is the size of the sums it was made from.
    pub(super) fn of(statistic: f64, permuted: impl Iterator<Item = f64>, scale: f64) -> Self {
        let threshold = statistic - 1e-12 * scale.abs();
        let (mut at_least_count, mut permutation_count) = (0, 0);
        for value in permuted {
            permutation_count += 1;
            at_least_count += usize::from(value >= threshold);
        }
        let p_value = (at_least_count as f64 + 1.0) / (permutation_count as f64 + 1.0);
        Self { statistic, p_value, at_least_count, permutation_count }
    }
}
