//! Summary of paired differences with intervals: how far synthetic values lie from real ones,
//! element by element.
//!
//! Invariant: the sign is synthetic minus real; nothing is clipped or dropped.
//! Units: those of the differences.
//! Cost: `O(n B + n log n)` for B resamples, shared by threads; memory `O(n + B)`.
//!
//! Not here: whether the differences are small enough.

use serde::{Deserialize, Serialize};

use crate::{
    Bootstrap, Interval, MeasureError, Statistics,
    statistics::{quantile_of_sorted, require_finite},
};

/// What a list of differences looks like.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResidualSummary {
    /// Mean, spread, extremes.
    pub statistics: Statistics,
    /// 5 % quantile.
    pub p05: f64,
    /// 95 % quantile.
    pub p95: f64,
    /// 95 % quantile of the absolute differences.
    pub absolute_p95: f64,
    /// Interval of the mean.
    pub mean_interval: Interval,
    /// Interval of the root mean square.
    pub rmse_interval: Interval,
}

/// The summary of differences, with bootstrap intervals of their mean and root mean square.
///
/// # Inputs
/// - `differences`: synthetic minus real, in the order in which they were measured; at least one.
/// - `bootstrap`: blocks at least as long as the differences remember (see
///   [`crate::autocorrelation`]), else the intervals are too short.
///
/// # Output
/// Unit of the differences. Quantiles interpolate linearly.
///
/// # Errors
/// [`MeasureError::Empty`], [`MeasureError::NotFinite`], [`MeasureError::InvalidOption`].
///
/// # Invariants
/// `summary_moves_with_a_shift`, `summary_mirrors_with_the_sign`, `the_interval_holds_the_mean`.
///
/// # Source
/// Percentile bootstrap, see [`Bootstrap`].
///
/// # Example
/// ```
/// use tiepoint_measure::{Bootstrap, residual::residual_summary};
/// use tiepoint_model::Seed;
///
/// let bootstrap = Bootstrap { seed: Seed(1), resample_count: 500, block_length: 1, level: 0.95 };
/// let summary = residual_summary(&[0.1, -0.1, 0.2, 0.0, -0.2], &bootstrap)?;
/// assert!(summary.statistics.mean.abs() < 1e-12);
/// assert!(summary.mean_interval.low < 0.0 && summary.mean_interval.high > 0.0);
/// # Ok::<(), tiepoint_measure::MeasureError>(())
/// ```
pub fn residual_summary(
    differences: &[f64],
    bootstrap: &Bootstrap,
) -> Result<ResidualSummary, MeasureError> {
    let statistics = Statistics::of(differences, "differences")?;
    let count = differences.len() as f64;
    let mean_interval = bootstrap.interval(differences.len(), |indices| {
        indices.iter().map(|&index| differences[index as usize]).sum::<f64>() / count
    })?;
    let rmse_interval = bootstrap.interval(differences.len(), |indices| {
        let squares = indices.iter().map(|&index| {
            let difference = differences[index as usize];
            difference * difference
        });
        (squares.sum::<f64>() / count).sqrt()
    })?;
    let absolute: Vec<f64> = differences.iter().map(|difference| difference.abs()).collect();
    Ok(ResidualSummary {
        statistics,
        p05: quantile(differences, 0.05)?,
        p95: quantile(differences, 0.95)?,
        absolute_p95: quantile(&absolute, 0.95)?,
        mean_interval,
        rmse_interval,
    })
}

/// A quantile of values in any order, interpolated linearly.
///
/// # Errors
/// [`MeasureError::Empty`], [`MeasureError::NotFinite`], [`MeasureError::InvalidOption`].
pub fn quantile(values: &[f64], probability: f64) -> Result<f64, MeasureError> {
    require_finite(values, "values")?;
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    quantile_of_sorted(&sorted, probability).ok_or(MeasureError::InvalidOption {
        name: "probability",
        value: probability,
        requirement: "between 0 and 1",
    })
}
