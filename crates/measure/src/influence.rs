//! How much each unit moves a statistic of the whole set: leave-one-out influences.
//!
//! A metric of a set (mAP, HOTA, an F-score) is no mean of units. Its pseudo-values nearly are: a
//! test on them is a test of the metric.
//! Invariant: the mean of the pseudo-values is the jackknife estimate; for a mean of units they are
//! the units themselves.
//! Unit of the statistic throughout.
//! Cost: n + 1 calls of the statistic on n units: `O(n²)` for one that is linear.
//!
//! Not here: intervals (see [`crate::bootstrap`]) and tests.

use rayon::prelude::*;
use serde::Serialize;

use crate::{MeasureError, statistics::require_finite};

/// A statistic, and what it is without each unit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Jackknife {
    /// The statistic of all units.
    pub estimate: f64,
    /// `(n - 1) (mean of the leave-one-out values - estimate)`.
    pub bias: f64,
    /// Root of `(n - 1) / n` times the squared deviations of the leave-one-out values.
    pub standard_error: f64,
    /// `(n - 1) (estimate - value without unit i)`: above 0 where the unit raises the statistic.
    pub influences: Vec<f64>,
}

impl Jackknife {
    /// One value per unit that behaves as an independent measurement of the statistic:
    /// `estimate + influence`.
    #[must_use]
    pub fn pseudo_values(&self) -> Vec<f64> {
        self.influences.iter().map(|influence| self.estimate + influence).collect()
    }
}

/// Influences of `count` units on a statistic that is given the indices of a subset.
///
/// The statistic is called `count + 1` times, on every core; the answer does not depend on how
/// many there are.
///
/// # Errors
/// [`MeasureError::TooFew`] below two units, [`MeasureError::InvalidOption`] above 2^32,
/// [`MeasureError::NotFinite`] with the unit without which the statistic has no value (or `count`
/// for the whole).
///
/// # Invariants
/// `pseudo_values_of_a_mean_are_the_units`, `influences_scale_with_the_statistic`.
///
/// # Source
/// Quenouille, Biometrika 43, 1956; Tukey, 1958; Efron, *The Jackknife, the Bootstrap and Other
/// Resampling Plans*, 1982.
///
/// # Example
/// ```
/// # use tiepoint_measure::influence::jackknife;
/// let units = [1.0, 2.0, 6.0];
/// let mean = |indices: &[u32]| {
///     indices.iter().map(|&i| units[i as usize]).sum::<f64>() / indices.len() as f64
/// };
/// assert_eq!(jackknife(3, mean)?.pseudo_values(), units);
/// # Ok::<(), tiepoint_measure::MeasureError>(())
/// ```
pub fn jackknife(
    count: usize,
    statistic: impl Fn(&[u32]) -> f64 + Sync,
) -> Result<Jackknife, MeasureError> {
    let Ok(end) = u32::try_from(count) else {
        return Err(MeasureError::InvalidOption {
            name: "count",
            value: count as f64,
            requirement: "below 2^32",
        });
    };
    if count < 2 {
        return Err(MeasureError::TooFew { what: "units", count, min: 2 });
    }
    let all: Vec<u32> = (0..end).collect();
    let whole = statistic(&all);
    let without: Vec<f64> = (0..count)
        .into_par_iter()
        .map_init(
            || Vec::with_capacity(count),
            |subset, left_out| {
                subset.clear();
                subset.extend_from_slice(&all[..left_out]);
                subset.extend_from_slice(&all[left_out + 1..]);
                statistic(subset)
            },
        )
        .collect();
    jackknife_of(whole, &without)
}

/// The same from values that were computed elsewhere: the statistic of all units, and of all but
/// unit `i`.
///
/// # Errors
/// As [`jackknife`].
pub fn jackknife_of(estimate: f64, without: &[f64]) -> Result<Jackknife, MeasureError> {
    let count = without.len();
    if count < 2 {
        return Err(MeasureError::TooFew { what: "units", count, min: 2 });
    }
    require_finite(without, "statistic without one unit")?;
    if !estimate.is_finite() {
        return Err(MeasureError::NotFinite { what: "statistic", index: count });
    }
    let others = (count - 1) as f64;
    let mean = without.iter().sum::<f64>() / count as f64;
    let square_sum: f64 = without.iter().map(|value| (value - mean) * (value - mean)).sum();
    Ok(Jackknife {
        estimate,
        bias: others * (mean - estimate),
        standard_error: (others / count as f64 * square_sum).sqrt(),
        influences: without.iter().map(|value| others * (estimate - value)).collect(),
    })
}
