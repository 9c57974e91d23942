//! A prediction-powered interval that holds for any number of pairs and any law of bounded values.
//!
//! Invariant: covers with chance at least `1 - alpha`; the price is width, so that the real values
//! alone are often narrower, and both may be reported only if both were announced.
//! Values lie in `[0, 1]`.
//!
//! Not here: intervals for many pairs (see [`super::prediction_powered_mean`]).

use super::{
    super::{StatisticsError, betting::fixed_count_interval, check_range},
    Sample, check,
};

/// Share of alpha that the synthetic mean may err with; it has many values and needs little.
const SHARE_OF_SYNTHETIC: f64 = 0.1;

/// Interval for the mean of the real values over all units, at confidence `1 - alpha`.
///
/// One betting interval for the synthetic mean, one for what twins get wrong, added up at their
/// worst.
///
/// # Inputs
/// Values in `[0, 1]`; `lambda` in `[0, 1]`, chosen without these values.
///
/// # Errors
/// As [`super::prediction_powered_mean`]; a value outside `[0, 1]`.
///
/// # Source
/// Bonferroni's inequality on two intervals of Waudby-Smith and Ramdas 2024, as in *SureSim*, 2025.
pub fn finite_sample_interval(
    sample: &Sample<'_>,
    lambda: f64,
    alpha: f64,
) -> Result<[f64; 2], StatisticsError> {
    check(sample)?;
    check_range("alpha", alpha, alpha > 0.0 && alpha < 1.0, "between 0 and 1")?;
    check_range("lambda", lambda, (0.0..=1.0).contains(&lambda), "between 0 and 1")?;
    let outside = |values: &[f64]| values.iter().find(|v| !(0.0..=1.0).contains(*v)).copied();
    for values in [sample.real, sample.synthetic, sample.synthetic_alone] {
        if let Some(value) = outside(values) {
            check_range("value", value, false, "between 0 and 1")?;
        }
    }
    let synthetic = fixed_count_interval(sample.synthetic_alone, SHARE_OF_SYNTHETIC * alpha)?;
    // What twins get wrong lies in [-lambda, 1].
    let width = 1.0 + lambda;
    let pairs = sample.real.iter().zip(sample.synthetic);
    let wrong: Vec<f64> =
        pairs.map(|(real, twin)| (real - lambda * twin + lambda) / width).collect();
    let rectifier = fixed_count_interval(&wrong, (1.0 - SHARE_OF_SYNTHETIC) * alpha)?;
    let end = |side: usize| lambda * synthetic[side] + width * rectifier[side] - lambda;
    Ok([end(0).max(0.0), end(1).min(1.0)])
}
