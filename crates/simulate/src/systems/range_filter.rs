//! An extended Kalman filter on odometry and ranges to beacons, from a known start.
//!
//! Invariant: the covariance stays symmetric and positive by the Joseph form; the answer depends
//! on the samples' times, not on their order in the input.
//! State: x, y, yaw of `base_link` in `map`; metres, radians.
//!
//! Not here: a global search for the start, and beacons that move.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tiepoint_model::{BeaconRange, Pose2, PoseSample, Timestamp, math};

use crate::{
    SimulateError, TimedPose, Track,
    error::{at_least, positive},
};

/// The filter's settings.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RangeFilterOptions {
    /// Standard deviation that a range is believed to have, metres.
    pub range_sigma_m: f64,
    /// Ranges farther from the prediction than this many standard deviations are not used; `None`
    /// uses all.
    pub gate_sigma: Option<f64>,
    /// Standard deviation of the start, metres per axis.
    pub start_sigma_m: f64,
    /// Standard deviation of the start's heading, radians.
    pub start_sigma_rad: f64,
    /// How far odometry is trusted.
    pub motion: MotionNoise,
}

/// Standard deviation of an odometry increment over a distance and a turn: `floor + per_m *
/// distance + per_rad * |turn|`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MotionNoise {
    /// Metres per metre driven.
    pub m_per_m: f64,
    /// Metres per radian turned.
    pub m_per_rad: f64,
    /// Metres.
    pub floor_m: f64,
    /// Radians per metre driven.
    pub rad_per_m: f64,
    /// Radians per radian turned.
    pub rad_per_rad: f64,
    /// Radians.
    pub floor_rad: f64,
}

impl RangeFilterOptions {
    /// As deployed, with a gate at three standard deviations.
    ///
    /// The range's deviation is `beaconRangesStd` of `UWB_localization_demo.ini`, which MRPT ships
    /// with its range-only log.
    /// The motion's are the defaults of MRPT's `CActionRobotMovement2D::TOptions_GaussianModel`
    /// (0.01 m/m, 0.001 m/deg, 1 deg/m, 0.05 deg/deg, at least 0.01 m and 0.2 deg).
    pub const GATED: Self = Self {
        range_sigma_m: 0.17,
        gate_sigma: Some(3.0),
        start_sigma_m: 0.1,
        start_sigma_rad: 0.05,
        motion: MotionNoise {
            m_per_m: 0.01,
            m_per_rad: 0.001 * 180.0 / std::f64::consts::PI,
            floor_m: 0.01,
            rad_per_m: std::f64::consts::PI / 180.0,
            rad_per_rad: 0.05,
            floor_rad: 0.2 * std::f64::consts::PI / 180.0,
        },
    };

    /// The same without a gate.
    pub const UNGATED: Self = Self { gate_sigma: None, ..Self::GATED };
}

/// What the filter runs on.
#[derive(Clone, Copy, Debug)]
pub struct RangeFilterInput<'a> {
    /// Wheel odometry, in any fixed frame.
    pub odometry: &'a [PoseSample],
    /// Ranges, in any order; each carries its antenna.
    pub ranges: &'a [BeaconRange],
    /// The beacons in `map`, metres.
    pub beacons: &'a BTreeMap<u32, [f64; 3]>,
    /// The robot at the first odometry pose.
    pub map_from_base_start: Pose2,
}

/// What the filter says.
#[derive(Clone, Debug, PartialEq)]
pub struct RangeFilterOutput {
    /// The robot in `map`, once per distinct time of a usable or unusable range, in order.
    pub poses: Vec<TimedPose>,
    /// Standard deviation of the position, the larger axis, metres; one per pose.
    pub position_sigma_m: Vec<f64>,
    /// Ranges that changed the state.
    pub used_count: usize,
    /// Ranges that the gate refused.
    pub gated_count: usize,
    /// Ranges that are NaN, infinite, zero or negative.
    pub missing_count: usize,
    /// Ranges to beacons without a place.
    pub unknown_beacon_count: usize,
    /// Odometry poses that are not finite or not later than the one ahead.
    pub odometry_left_out_count: usize,
}

/// Runs the filter over a run.
///
/// Between odometry poses the motion is interpolated; before the first and after the last the
/// robot stands still.
///
/// # Errors
/// [`SimulateError::Empty`] without a usable odometry pose, [`SimulateError::NotFinite`] for the
/// start or a beacon,
/// [`SimulateError::Parameter`], [`SimulateError::Diverged`].
///
/// # Invariants
/// `the_filter_recovers_the_truth_from_perfect_samples`, `the_gate_refuses_a_gross_outlier`.
///
/// # Source
/// Thrun, Burgard, Fox, *Probabilistic Robotics*, 2005, sections 3.3 and 7.4.
pub fn range_filter(
    input: &RangeFilterInput<'_>,
    options: &RangeFilterOptions,
) -> Result<RangeFilterOutput, SimulateError> {
    check(input, options)?;
    let (track, odometry_left_out_count) = Track::from_samples(input.odometry);
    let track = track.ok_or(SimulateError::Empty { what: "odometry" })?;
    let mut order: Vec<usize> = (0..input.ranges.len()).collect();
    order.sort_by_key(|index| (input.ranges[*index].stamps.measured(), *index));

    let mut filter = Filter::new(input.map_from_base_start, options);
    let mut odom_from_base = track.at_or_held(track.time_span()[0]);
    let mut output = RangeFilterOutput {
        poses: Vec::new(),
        position_sigma_m: Vec::new(),
        used_count: 0,
        gated_count: 0,
        missing_count: 0,
        unknown_beacon_count: 0,
        odometry_left_out_count,
    };
    let time_of = |index: &usize| input.ranges[*index].stamps.measured();
    for group in order.chunk_by(|a, b| time_of(a) == time_of(b)) {
        let time = time_of(&group[0]);
        let now = track.at_or_held(time);
        filter.predict(odom_from_base.inverse() * now, &options.motion);
        odom_from_base = now;
        for index in group {
            let range = &input.ranges[*index];
            match filter.update(range, input.beacons, options) {
                Update::Used => output.used_count += 1,
                Update::Gated => output.gated_count += 1,
                Update::Missing => output.missing_count += 1,
                Update::UnknownBeacon => output.unknown_beacon_count += 1,
            }
        }
        let position_sigma_m = filter.check_finite(time)?;
        let stamps = input.ranges[group[0]].stamps;
        output.poses.push(TimedPose { stamps, map_from_base: filter.map_from_base });
        output.position_sigma_m.push(position_sigma_m);
    }
    Ok(output)
}

fn check(input: &RangeFilterInput<'_>, options: &RangeFilterOptions) -> Result<(), SimulateError> {
    if !input.map_from_base_start.is_finite() {
        return Err(SimulateError::NotFinite { what: "start", sample_index: 0 });
    }
    let is_finite = |place: &[f64; 3]| place.iter().all(|part| part.is_finite());
    if let Some((id, _)) = input.beacons.iter().find(|(_, place)| !is_finite(place)) {
        return Err(SimulateError::NotFinite { what: "beacon", sample_index: *id as usize });
    }
    positive("range_sigma_m", options.range_sigma_m)?;
    positive("gate_sigma", options.gate_sigma.unwrap_or(1.0))?;
    at_least("start_sigma_m", options.start_sigma_m, 0.0)?;
    at_least("start_sigma_rad", options.start_sigma_rad, 0.0)?;
    let MotionNoise { m_per_m, m_per_rad, floor_m, rad_per_m, rad_per_rad, floor_rad } =
        options.motion;
    for value in [m_per_m, m_per_rad, floor_m, rad_per_m, rad_per_rad, floor_rad] {
        at_least("motion noise", value, 0.0)?;
    }
    Ok(())
}

enum Update {
    Used,
    Gated,
    Missing,
    UnknownBeacon,
}

type Matrix = [[f64; 3]; 3];

struct Filter {
    map_from_base: Pose2,
    covariance: Matrix,
}

impl Filter {
    fn new(map_from_base: Pose2, options: &RangeFilterOptions) -> Self {
        let position = options.start_sigma_m * options.start_sigma_m;
        let heading = options.start_sigma_rad * options.start_sigma_rad;
        let covariance = [[position, 0.0, 0.0], [0.0, position, 0.0], [0.0, 0.0, heading]];
        Self { map_from_base, covariance }
    }

    fn predict(&mut self, step: Pose2, noise: &MotionNoise) {
        let (sin, cos) = math::sin_cos(self.map_from_base.yaw_rad);
        let by_yaw = [-sin * step.x_m - cos * step.y_m, cos * step.x_m - sin * step.y_m];
        let jacobian = [[1.0, 0.0, by_yaw[0]], [0.0, 1.0, by_yaw[1]], [0.0, 0.0, 1.0]];
        self.map_from_base = self.map_from_base * step;
        self.covariance = congruence(&jacobian, &self.covariance);
        let distance_m = math::hypot(step.x_m, step.y_m);
        let turn_rad = step.yaw_rad.abs();
        let sigma_m = noise.floor_m + noise.m_per_m * distance_m + noise.m_per_rad * turn_rad;
        let sigma_rad =
            noise.floor_rad + noise.rad_per_m * distance_m + noise.rad_per_rad * turn_rad;
        // Equal deviation along both axes: the same in `map` and in `base_link`.
        for (axis, sigma) in [sigma_m, sigma_m, sigma_rad].into_iter().enumerate() {
            self.covariance[axis][axis] += sigma * sigma;
        }
    }

    fn update(
        &mut self,
        range: &BeaconRange,
        beacons: &BTreeMap<u32, [f64; 3]>,
        options: &RangeFilterOptions,
    ) -> Update {
        let Some(beacon_m) = beacons.get(&range.beacon_id) else {
            return Update::UnknownBeacon;
        };
        let measured_m = f64::from(range.range_m);
        let antenna_m = range.antenna_in_base_m;
        let is_usable = measured_m.is_finite() && measured_m > 0.0;
        if !is_usable || antenna_m.iter().any(|part| !part.is_finite()) {
            return Update::Missing;
        }
        let (sin, cos) = math::sin_cos(self.map_from_base.yaw_rad);
        let arm =
            [cos * antenna_m[0] - sin * antenna_m[1], sin * antenna_m[0] + cos * antenna_m[1]];
        let dx = self.map_from_base.x_m + arm[0] - beacon_m[0];
        let dy = self.map_from_base.y_m + arm[1] - beacon_m[1];
        let dz = antenna_m[2] - beacon_m[2];
        let predicted_m = (dx * dx + dy * dy + dz * dz).sqrt();
        if predicted_m < 1e-6 {
            // The direction to the beacon is lost: this range says nothing about the pose.
            return Update::Missing;
        }
        let gradient =
            [dx / predicted_m, dy / predicted_m, (dy * arm[0] - dx * arm[1]) / predicted_m];
        let spread = self.covariance.map(|row| dot(&row, &gradient));
        let noise_m2 = options.range_sigma_m * options.range_sigma_m;
        let innovation_m2 = dot(&spread, &gradient) + noise_m2;
        let innovation_m = measured_m - predicted_m;
        let is_outside = |gate: f64| innovation_m * innovation_m > gate * gate * innovation_m2;
        if options.gate_sigma.is_some_and(is_outside) {
            return Update::Gated;
        }
        let gain = spread.map(|part| part / innovation_m2);
        self.map_from_base = Pose2::new(
            self.map_from_base.x_m + gain[0] * innovation_m,
            self.map_from_base.y_m + gain[1] * innovation_m,
            self.map_from_base.yaw_rad + gain[2] * innovation_m,
        );
        let mut keep = [[0.0; 3]; 3];
        for (row, column) in indices() {
            keep[row][column] = f64::from(u8::from(row == column)) - gain[row] * gradient[column];
        }
        self.covariance = congruence(&keep, &self.covariance);
        for (row, column) in indices() {
            self.covariance[row][column] += gain[row] * gain[column] * noise_m2;
        }
        Update::Used
    }

    /// The larger standard deviation of the two axes, metres.
    fn check_finite(&self, time: Timestamp) -> Result<f64, SimulateError> {
        let sigma_m = self.covariance[0][0].max(self.covariance[1][1]).sqrt();
        let is_finite = self.covariance.as_flattened().iter().all(|part| part.is_finite());
        if !self.map_from_base.is_finite() || !is_finite {
            return Err(SimulateError::Diverged { system: "range_filter", time });
        }
        Ok(sigma_m)
    }
}

fn indices() -> impl Iterator<Item = (usize, usize)> {
    (0..3).flat_map(|row| (0..3).map(move |column| (row, column)))
}

fn dot(a: &[f64; 3], b: &[f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// `a * covariance * a^T`, symmetric to the bit.
fn congruence(a: &Matrix, covariance: &Matrix) -> Matrix {
    let mut result = [[0.0; 3]; 3];
    for (row, column) in indices().filter(|(row, column)| column >= row) {
        let along = covariance.map(|line| dot(&line, &a[column]));
        result[row][column] = dot(&a[row], &along);
        result[column][row] = result[row][column];
    }
    result
}
