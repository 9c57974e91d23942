//! Which steps of a recording the robot stood still in.
//!
//! Invariant: a step is static only if every source that speaks about it says so.
//! Step `k` is the motion from scan `k` to scan `k + 1`. Metres, radians.
//!
//! Not here: the noise that static steps reveal (see [`super::range_noise`]).

use serde::{Deserialize, Serialize};
use tiepoint_model::{Pose2, math};

use super::error::{FitError, not_negative};

/// What still counts as standing: the noise of the sources decides, so the caller does.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StationarityThresholds {
    /// Greatest odometry translation of a static step, metres.
    pub odometry_m: f64,
    /// Greatest odometry rotation, radians.
    pub odometry_rad: f64,
    /// Greatest translation by the reference, metres; above the reference's own error.
    pub reference_m: f64,
    /// Greatest rotation by the reference, radians.
    pub reference_rad: f64,
}

/// The static steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StationarityReport {
    /// Indices of the static steps, ascending.
    pub static_steps: Vec<usize>,
    /// Steps looked at.
    pub step_count: usize,
    /// Runs of consecutive static steps.
    pub run_count: usize,
    /// What counted as static.
    pub thresholds: StationarityThresholds,
}

/// Steps whose odometry (and reference, where there is one) stays within the thresholds.
///
/// # Inputs
/// Increments `before_from_after` per step; `reference` is empty or as long as `odometry`, `None`
/// where the reference is silent.
///
/// # Errors
/// [`FitError::LengthMismatch`], [`FitError::NotFinite`], [`FitError::Parameter`].
pub fn find_static_steps(
    odometry: &[Pose2],
    reference: &[Option<Pose2>],
    thresholds: StationarityThresholds,
) -> Result<StationarityReport, FitError> {
    not_negative("odometry_m", thresholds.odometry_m)?;
    not_negative("odometry_rad", thresholds.odometry_rad)?;
    not_negative("reference_m", thresholds.reference_m)?;
    not_negative("reference_rad", thresholds.reference_rad)?;
    if !reference.is_empty() && reference.len() != odometry.len() {
        return Err(FitError::LengthMismatch {
            what: "reference increments",
            count: reference.len(),
            expected_count: odometry.len(),
        });
    }
    let is_small = |pose: &Pose2, limit_m: f64, limit_rad: f64| {
        math::hypot(pose.x_m, pose.y_m) <= limit_m && pose.yaw_rad.abs() <= limit_rad
    };
    let mut static_steps = Vec::new();
    for (index, step) in odometry.iter().enumerate() {
        let by_reference = reference.get(index).copied().flatten();
        for (what, pose) in [("odometry", Some(*step)), ("reference", by_reference)] {
            if pose.is_some_and(|pose| !pose.is_finite()) {
                return Err(FitError::NotFinite { what, index });
            }
        }
        let reference_agrees = by_reference
            .is_none_or(|pose| is_small(&pose, thresholds.reference_m, thresholds.reference_rad));
        if is_small(step, thresholds.odometry_m, thresholds.odometry_rad) && reference_agrees {
            static_steps.push(index);
        }
    }
    let joins = static_steps.windows(2).filter(|pair| pair[0] + 1 == pair[1]).count();
    let run_count = static_steps.len() - joins;
    Ok(StationarityReport { static_steps, step_count: odometry.len(), run_count, thresholds })
}
