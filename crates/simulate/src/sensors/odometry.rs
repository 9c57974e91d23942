//! Wheel odometry: true increments of motion in the plane, read with scale, drift and noise, and
//! added up.
//!
//! Invariant: a robot that stands still reads the identity, without noise.
//! Poses: `map_from_base` in, `odom_from_base` out, the first one the identity. Metres, radians.
//!
//! Not here: slip, which is an event and not noise.

use tiepoint_model::{Pose2, Seed, math, sensor::OdometryModel};

use crate::{
    SimulateError,
    error::{at_least, finite},
};

/// The poses that wheel odometry reports for true poses in `map`: one per pose, in `odom`, which
/// starts at the first.
///
/// An increment over a distance `d` and a turn `w` reads the translation `d * scale + sigma *
/// sqrt(d) * n1` along its true direction,
/// and the turn `w * yaw_scale + yaw_bias * d + yaw_sigma_m * sqrt(d) * n2 + yaw_sigma_rad *
/// sqrt(|w|) * n3`.
///
/// # Errors
/// [`SimulateError::NotFinite`] for a pose, [`SimulateError::Parameter`] for the model. No poses
/// give none.
///
/// # Invariants
/// `perfect_odometry_is_the_truth_seen_from_its_start`,
/// `odometry_noise_grows_with_the_root_of_the_distance`.
pub fn simulate_odometry(
    map_from_base: &[Pose2],
    model: &OdometryModel,
    seed: Seed,
) -> Result<Vec<Pose2>, SimulateError> {
    check_odometry(model)?;
    if let Some(sample_index) = map_from_base.iter().position(|pose| !pose.is_finite()) {
        return Err(SimulateError::NotFinite { what: "pose for odometry", sample_index });
    }
    let seed = seed.for_purpose("odometry");
    let mut odom_from_base = Pose2::IDENTITY;
    let mut poses = Vec::with_capacity(map_from_base.len());
    if !map_from_base.is_empty() {
        poses.push(odom_from_base);
    }
    for (step_index, pair) in map_from_base.windows(2).enumerate() {
        // Standing still is no motion at all; the product below would leave rounding, and rounding
        // noise.
        let is_still = pair[0] == pair[1];
        let true_step = if is_still { Pose2::IDENTITY } else { pair[0].inverse() * pair[1] };
        let mut draws = seed.draws(step_index as u64, 0);
        let noise = [draws.normal(), draws.normal(), draws.normal()];
        odom_from_base = odom_from_base * read_step(true_step, model, noise);
        poses.push(odom_from_base);
    }
    Ok(poses)
}

fn read_step(true_step: Pose2, model: &OdometryModel, noise: [f64; 3]) -> Pose2 {
    let distance_m = math::hypot(true_step.x_m, true_step.y_m);
    let root_m = distance_m.sqrt();
    let stretch = if distance_m > 0.0 {
        model.scale + model.sigma_m_per_sqrt_m * root_m * noise[0] / distance_m
    } else {
        0.0
    };
    let turn_rad = true_step.yaw_rad;
    let yaw_rad = model.yaw_scale * turn_rad
        + model.yaw_bias_rad_per_m * distance_m
        + model.yaw_sigma_rad_per_sqrt_m * root_m * noise[1]
        + model.yaw_sigma_rad_per_sqrt_rad * turn_rad.abs().sqrt() * noise[2];
    Pose2::new(stretch * true_step.x_m, stretch * true_step.y_m, yaw_rad)
}

fn check_odometry(model: &OdometryModel) -> Result<(), SimulateError> {
    finite("scale", model.scale)?;
    finite("yaw_scale", model.yaw_scale)?;
    finite("yaw_bias_rad_per_m", model.yaw_bias_rad_per_m)?;
    at_least("sigma_m_per_sqrt_m", model.sigma_m_per_sqrt_m, 0.0)?;
    at_least("yaw_sigma_rad_per_sqrt_m", model.yaw_sigma_rad_per_sqrt_m, 0.0)?;
    at_least("yaw_sigma_rad_per_sqrt_rad", model.yaw_sigma_rad_per_sqrt_rad, 0.0)
}
