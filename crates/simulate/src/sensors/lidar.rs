//! A planar laser scanner: true range, then noise, short returns, failures, quantisation, and the
//! reading of no return.
//!
//! Invariant: beam `i` of frame `k` has its own draws, in a fixed order, whether or not it sees a
//! wall.
//! Metres and radians; readings are `f32` as scanners write them.
//!
//! Not here: intensity, several echoes, and glass.

use serde::{Deserialize, Serialize};
use tiepoint_model::{Pose2, Scan, Seed, math, sensor::LidarModel};

use crate::{
    Hit, SimulateError, World,
    error::{at_least, finite, positive, share},
    poses::interpolate,
};

/// Where the beams of a sweep point, and what counts as a measurement.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScanGeometry {
    /// Angle of beam 0 from the x axis of the scanner, radians, counter-clockwise.
    pub angle_min_rad: f64,
    /// Angle between neighbouring beams, radians; negative if the scanner turns clockwise.
    pub angle_increment_rad: f64,
    /// Beams of a sweep.
    pub beam_count: usize,
    /// Written into each scan: readings below are not measurements, metres.
    pub range_min_m: f64,
    /// Written into each scan: readings above are not measurements, metres.
    pub range_max_m: f64,
    /// Time from one beam to the next, seconds; 0 if the sweep counts as one instant.
    pub time_increment_s: f64,
}

impl ScanGeometry {
    /// The geometry of a recorded scan.
    #[must_use]
    pub fn of(scan: &Scan) -> Self {
        Self {
            angle_min_rad: scan.angle_min_rad,
            angle_increment_rad: scan.angle_increment_rad,
            beam_count: scan.ranges_m.len(),
            range_min_m: scan.range_min_m,
            range_max_m: scan.range_max_m,
            time_increment_s: scan.time_increment_s,
        }
    }

    /// Refuses angles and times that are not finite.
    pub(crate) fn check(&self) -> Result<(), SimulateError> {
        finite("angle_min_rad", self.angle_min_rad)?;
        finite("angle_increment_rad", self.angle_increment_rad)?;
        at_least("time_increment_s", self.time_increment_s, 0.0)
    }
}

/// The scanner in `map` while it sweeps: it moves evenly from the first beam to the last.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LaserSweep {
    /// At the first beam.
    pub map_from_first: Pose2,
    /// At the last beam.
    pub map_from_last: Pose2,
}

impl LaserSweep {
    /// A sweep that counts as one instant.
    #[must_use]
    pub fn still(map_from_laser: Pose2) -> Self {
        Self { map_from_first: map_from_laser, map_from_last: map_from_laser }
    }
}

/// Which noise a sweep has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScanStream {
    /// The seed of the run.
    pub seed: Seed,
    /// The sweep's place in the run.
    pub frame_index: u64,
}

/// One sweep: a reading per beam, metres.
///
/// A wall within `model.range_max_m` at true range `r` reads `r + bias + noise`;
/// or, with `short_share`, a return that is uniform between the least range and the wall;
/// or, with `failed_share`, 0. The reading is rounded half up to the step and written as `f32`.
/// A reading below `range_min_m` is a failure (0); one above `range_max_m`, a wall beyond it,
/// nothing at all,
/// and a beam that leaves the map all give `no_return_reading_m`: a beam that leaves the map
/// counts as a miss.
///
/// # Errors
/// [`SimulateError::Parameter`], [`SimulateError::NotFinite`] for a pose that is not finite.
///
/// # Invariants
/// `noise_of_the_readings_is_the_models_noise`, `failures_come_as_often_as_the_model_says`,
/// `adding_a_beam_moves_no_other_beam`.
pub fn simulate_scan(
    world: &World,
    sweep: LaserSweep,
    geometry: &ScanGeometry,
    model: &LidarModel,
    stream: ScanStream,
) -> Result<Vec<f32>, SimulateError> {
    geometry.check()?;
    check_lidar(model)?;
    for (sample_index, pose) in [sweep.map_from_first, sweep.map_from_last].iter().enumerate() {
        if !pose.is_finite() {
            return Err(SimulateError::NotFinite { what: "pose of the scanner", sample_index });
        }
    }
    let seed = stream.seed.for_purpose("lidar");
    let last_index = geometry.beam_count.saturating_sub(1).max(1) as f64;
    let is_still = sweep.map_from_first == sweep.map_from_last;
    let readings = (0..geometry.beam_count).map(|beam_index| {
        let map_from_laser = if is_still {
            sweep.map_from_first
        } else {
            let fraction = beam_index as f64 / last_index;
            interpolate(sweep.map_from_first, sweep.map_from_last, fraction)
        };
        let angle_rad = geometry.angle_min_rad + beam_index as f64 * geometry.angle_increment_rad;
        let (sin, cos) = math::sin_cos(map_from_laser.yaw_rad + angle_rad);
        let origin_m = [map_from_laser.x_m, map_from_laser.y_m];
        let hit = world.cast(origin_m, [cos, sin], model.range_max_m);
        let draws = BeamDraws::of(seed, stream.frame_index, beam_index as u64);
        read(hit, model, draws) as f32
    });
    Ok(readings.collect())
}

/// The draws of one beam, all taken whatever they are used for.
struct BeamDraws {
    noise: f64,
    is_short_at: f64,
    short_place: f64,
    is_failed_at: f64,
}

impl BeamDraws {
    fn of(seed: Seed, frame_index: u64, beam_index: u64) -> Self {
        let mut draws = seed.draws(frame_index, beam_index);
        Self {
            noise: draws.normal(),
            is_short_at: draws.uniform(),
            short_place: draws.uniform(),
            is_failed_at: draws.uniform(),
        }
    }
}

fn read(hit: Hit, model: &LidarModel, draws: BeamDraws) -> f64 {
    let Hit::Wall { range_m: true_range_m, .. } = hit else {
        return model.no_return_reading_m;
    };
    if draws.is_failed_at < model.failed_share {
        return FAILED_READING_M;
    }
    let range_m = if draws.is_short_at < model.short_share {
        let nearest_m = model.range_min_m.min(true_range_m);
        nearest_m + draws.short_place * (true_range_m - nearest_m)
    } else {
        true_range_m + model.bias_m + model.sigma_m * draws.noise
    };
    let reading_m = quantise(range_m, model.quantisation_m);
    if reading_m < model.range_min_m || reading_m <= 0.0 {
        FAILED_READING_M
    } else if reading_m > model.range_max_m {
        model.no_return_reading_m
    } else {
        reading_m
    }
}

/// What a failed beam reads: [`LidarModel::failed_share`].
const FAILED_READING_M: f64 = 0.0;

/// Rounds half up to a multiple of the step; a step of 0 changes nothing.
pub(crate) fn quantise(value_m: f64, step_m: f64) -> f64 {
    if step_m > 0.0 { (value_m / step_m + 0.5).floor() * step_m } else { value_m }
}

/// Refuses a model that no scanner can have.
pub(crate) fn check_lidar(model: &LidarModel) -> Result<(), SimulateError> {
    at_least("sigma_m", model.sigma_m, 0.0)?;
    finite("bias_m", model.bias_m)?;
    at_least("quantisation_m", model.quantisation_m, 0.0)?;
    share("failed_share", model.failed_share)?;
    share("short_share", model.short_share)?;
    at_least("range_min_m", model.range_min_m, 0.0)?;
    positive("range_max_m", model.range_max_m)
}
