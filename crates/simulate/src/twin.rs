//! The twin: every sensor of a run simulated along the run's own trajectory, at the run's own
//! stamps.
//!
//! Invariant: output order is input order, and a sample keeps the stamps of the real sample it
//! stands for.
//! Frames: `map`, `odom`, `base_link`, scanner and antenna by the names given; metres, radians,
//! integer nanoseconds.
//!
//! Not here: writing a recording, and choosing which part of the run to simulate.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tiepoint_model::{
    BeaconRange, Pose2, Pose3, PoseSample, Scan, Seed, Span, Stamps, Timestamp, TransformSample,
    sensor::TwinParameters,
};

use crate::{
    LaserSweep, ScanGeometry, ScanStream, SimulateError, TimedPose, Track, World,
    simulate_odometry, simulate_ranges, simulate_scan,
};

/// The names of the frames in a twin's samples.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameNames {
    /// The fixed frame of truth, walls and beacons.
    pub map: String,
    /// The fixed frame of odometry.
    pub odom: String,
    /// The robot.
    pub base: String,
    /// The scanner.
    pub laser: String,
    /// The antenna that ranges are measured from.
    pub antenna: String,
}

/// When a range to which beacon is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RangeSlot {
    /// Stamps of the real range.
    pub stamps: Stamps,
    /// Which beacon.
    pub beacon_id: u32,
}

/// What a twin is made from, beside the seed.
#[derive(Clone, Copy, Debug)]
pub struct TwinInput<'a> {
    /// The surfaces.
    pub world: &'a World,
    /// The run's trajectory, strictly later from pose to pose by `Stamps::measured`.
    pub trajectory: &'a [TimedPose],
    /// The sweep of the real scanner.
    pub geometry: ScanGeometry,
    /// One scan each.
    pub scan_stamps: &'a [Stamps],
    /// One odometry pose each, in order of `Stamps::measured`.
    pub odometry_stamps: &'a [Stamps],
    /// One range each; a beacon's slots are in the order in which its readings were made.
    pub range_slots: &'a [RangeSlot],
    /// The antenna in `base_link`, metres.
    pub antenna_in_base_m: [f64; 3],
    /// The fitted sensors.
    pub parameters: &'a TwinParameters,
    /// The names to write.
    pub frames: &'a FrameNames,
}

/// Samples that were asked for outside the trajectory's time span: not made, only counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// Scans.
    pub scan_count: usize,
    /// Odometry poses.
    pub odometry_count: usize,
    /// Ranges.
    pub range_count: usize,
}

/// A twin's samples, of the same types as a real run's.
#[derive(Clone, Debug, PartialEq)]
pub struct TwinOutput {
    /// In the order of `scan_stamps`.
    pub scans: Vec<Scan>,
    /// In the order of `odometry_stamps`; the first made one is the identity.
    pub odometry: Vec<PoseSample>,
    /// In the order of `range_slots`; a missing reading is NaN.
    pub ranges: Vec<BeaconRange>,
    /// The trajectory itself: one sample per pose given.
    pub truth: Vec<PoseSample>,
    /// Scanner and antenna in the robot, beacons in the map, at the first measured time of the
    /// trajectory.
    pub static_transforms: Vec<TransformSample>,
    /// What was not made.
    pub skipped: Skipped,
}

/// Simulates every sensor of a run along its trajectory.
///
/// A scanner with a time between beams moves during its sweep; past the trajectory's end it stands
/// still.
/// Samples outside the trajectory's time span are not made, and counted; the noise of the others
/// does not depend on them.
///
/// # Errors
/// [`SimulateError`] for a trajectory without order, a model out of range, or a sample without a
/// model.
///
/// # Invariants
/// `a_twin_is_the_same_on_any_number_of_threads`,
/// `moving_world_and_poses_together_changes_no_reading`.
pub fn simulate_twin(input: &TwinInput<'_>, seed: Seed) -> Result<TwinOutput, SimulateError> {
    let knots = input.trajectory.iter().map(|knot| (knot.stamps.measured(), knot.map_from_base));
    let track = Track::new(knots)?;
    let mut skipped = Skipped::default();
    let (scans, skipped_count) = twin_scans(input, &track, seed)?;
    skipped.scan_count = skipped_count;
    let odometry = twin_odometry(input, &track, seed)?;
    skipped.odometry_count = input.odometry_stamps.len() - odometry.len();
    let ranges = twin_ranges(input, &track, seed)?;
    skipped.range_count = input.range_slots.len() - ranges.len();
    let truth = input.trajectory.iter().map(|knot| {
        let frames = [&input.frames.map, &input.frames.base];
        pose_sample(knot.stamps, frames, knot.map_from_base)
    });
    let static_transforms = static_transforms(input, track.time_span()[0]);
    Ok(TwinOutput { scans, odometry, ranges, truth: truth.collect(), static_transforms, skipped })
}

/// Scans of one unit of parallel work: a few milliseconds.
const CHUNK_SCANS: usize = 16;

fn twin_scans(
    input: &TwinInput<'_>,
    track: &Track,
    seed: Seed,
) -> Result<(Vec<Scan>, usize), SimulateError> {
    let chunks: Vec<Vec<Option<Scan>>> = input
        .scan_stamps
        .par_chunks(CHUNK_SCANS)
        .enumerate()
        .map(|(chunk_index, chunk)| {
            let first_index = chunk_index * CHUNK_SCANS;
            let scans = chunk.iter().enumerate().map(|(offset, stamps)| {
                let frame_index = (first_index + offset) as u64;
                twin_scan(input, track, *stamps, ScanStream { seed, frame_index })
            });
            scans.collect::<Result<_, _>>()
        })
        .collect::<Result<_, SimulateError>>()?;
    let scans: Vec<Scan> = chunks.into_iter().flatten().flatten().collect();
    let skipped_count = input.scan_stamps.len() - scans.len();
    Ok((scans, skipped_count))
}

fn twin_scan(
    input: &TwinInput<'_>,
    track: &Track,
    stamps: Stamps,
    stream: ScanStream,
) -> Result<Option<Scan>, SimulateError> {
    let geometry = &input.geometry;
    let Some(map_from_base) = track.at(stamps.measured()) else {
        return Ok(None);
    };
    let base_from_laser = input.parameters.base_from_laser;
    let last_beam = geometry.beam_count.saturating_sub(1) as f64;
    let duration = Span::from_seconds(last_beam * geometry.time_increment_s);
    let map_from_last = track.at_or_held(stamps.measured().plus(duration));
    let sweep = LaserSweep {
        map_from_first: map_from_base * base_from_laser,
        map_from_last: map_from_last * base_from_laser,
    };
    let ranges_m = simulate_scan(input.world, sweep, geometry, &input.parameters.lidar, stream)?;
    Ok(Some(Scan {
        stamps,
        frame_id: input.frames.laser.clone(),
        angle_min_rad: geometry.angle_min_rad,
        angle_increment_rad: geometry.angle_increment_rad,
        range_min_m: geometry.range_min_m,
        range_max_m: geometry.range_max_m,
        time_increment_s: geometry.time_increment_s,
        ranges_m,
        intensities: Vec::new(),
    }))
}

fn twin_odometry(
    input: &TwinInput<'_>,
    track: &Track,
    seed: Seed,
) -> Result<Vec<PoseSample>, SimulateError> {
    if input.odometry_stamps.is_empty() {
        return Ok(Vec::new());
    }
    let model = input.parameters.odometry.as_ref().ok_or(SimulateError::NoOdometryModel)?;
    for (index, pair) in input.odometry_stamps.windows(2).enumerate() {
        let back_ns = pair[0].measured().since(pair[1].measured()).0;
        if back_ns > 0 {
            let (channel, sample_index) = ("odometry", index + 1);
            return Err(SimulateError::TimeRunsBack { channel, sample_index, back_ns });
        }
    }
    let (stamps, poses): (Vec<Stamps>, Vec<Pose2>) = input
        .odometry_stamps
        .iter()
        .filter_map(|stamps| track.at(stamps.measured()).map(|pose| (*stamps, pose)))
        .unzip();
    let odom_from_base = simulate_odometry(&poses, model, seed)?;
    let frames = [&input.frames.odom, &input.frames.base];
    let samples = stamps.into_iter().zip(odom_from_base);
    Ok(samples.map(|(stamps, pose)| pose_sample(stamps, frames, pose)).collect())
}

fn twin_ranges(
    input: &TwinInput<'_>,
    track: &Track,
    seed: Seed,
) -> Result<Vec<BeaconRange>, SimulateError> {
    // Per beacon the slots in their order: an error may depend on the reading ahead of it.
    let mut slots: BTreeMap<u32, Vec<(usize, Pose2)>> = BTreeMap::new();
    for (slot_index, slot) in input.range_slots.iter().enumerate() {
        let beacon_id = slot.beacon_id;
        if !input.parameters.beacons.iter().any(|beacon| beacon.beacon_id == beacon_id) {
            return Err(SimulateError::NoBeaconModel { slot_index, beacon_id });
        }
        if let Some(pose) = track.at(slot.stamps.measured()) {
            slots.entry(beacon_id).or_default().push((slot_index, pose));
        }
    }
    let mut readings: BTreeMap<usize, f32> = BTreeMap::new();
    for beacon in &input.parameters.beacons {
        let Some(of_beacon) = slots.remove(&beacon.beacon_id) else { continue };
        let (indices, poses): (Vec<usize>, Vec<Pose2>) = of_beacon.into_iter().unzip();
        let ranges_m = simulate_ranges(&poses, input.antenna_in_base_m, beacon, seed)?;
        let ranges_m = ranges_m.into_iter().map(|range_m| range_m.unwrap_or(f32::NAN));
        readings.extend(indices.into_iter().zip(ranges_m));
    }
    let samples = readings.into_iter().map(|(slot_index, range_m)| BeaconRange {
        stamps: input.range_slots[slot_index].stamps,
        frame_id: input.frames.antenna.clone(),
        beacon_id: input.range_slots[slot_index].beacon_id,
        range_m,
        antenna_in_base_m: input.antenna_in_base_m,
    });
    Ok(samples.collect())
}

fn static_transforms(input: &TwinInput<'_>, time: Timestamp) -> Vec<TransformSample> {
    let frames = input.frames;
    let placed = |parent: &String, child: String, parent_from_child: Pose3| TransformSample {
        stamps: Stamps { log: time, publish: None, sensor: None },
        parent_frame_id: parent.clone(),
        child_frame_id: child,
        parent_from_child,
    };
    let at = |position_m: [f64; 3]| Pose3 { translation_m: position_m.into(), ..Pose3::identity() };
    let base_from_laser = input.parameters.base_from_laser.in_space();
    let mut transforms = vec![placed(&frames.base, frames.laser.clone(), base_from_laser)];
    if !input.parameters.beacons.is_empty() {
        let base_from_antenna = at(input.antenna_in_base_m);
        transforms.push(placed(&frames.base, frames.antenna.clone(), base_from_antenna));
    }
    for beacon in &input.parameters.beacons {
        let child = format!("beacon_{}", beacon.beacon_id);
        transforms.push(placed(&frames.map, child, at(beacon.position_m)));
    }
    transforms
}

fn pose_sample(stamps: Stamps, frames: [&String; 2], fixed_from_base: Pose2) -> PoseSample {
    PoseSample {
        stamps,
        frame_id: frames[0].clone(),
        child_frame_id: frames[1].clone(),
        frame_from_child: fixed_from_base.in_space(),
    }
}
