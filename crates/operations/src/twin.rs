//! `twin`: synthetic recordings of the same run as a real one.
//!
//! Invariant: each half of the run is a calibration half of its own; a twin covers the whole run and names the half it was fitted on.
//! Twins enter by the same door as any log, with derivation, anchor and seed.

pub(crate) mod calibrate;
mod edges;
mod show;
pub(crate) mod stored;

use std::path::PathBuf;

use serde_json::json;
use tiepoint_formats::Damage;
use tiepoint_measure::trajectory::{AbsoluteOptions, Alignment, Relation, absolute_pose_error};
use tiepoint_model::{
    Derivation, Origin, Pose2, Seed,
    claim::RangeErrorKind,
    sensor::{BeaconModel, TwinParameters},
};
use tiepoint_reconstruct::{
    map::{MapOptions, PosedScan, build_map},
    trajectory::{
        GroundTruthUse, SlamInput, SlamOptions, SlamResult, StampedPose, estimate_trajectory,
    },
};

use self::{
    calibrate::{Calibration, HalfRun, calibrate},
    stored::{Configuration, GENERATOR, RunPlan, of_half},
};
use crate::{
    Error, Half, Platform,
    ingest::{Entering, enter, source_in_memory},
    recording,
    run::{Run, pose_at},
};

pub(crate) use edges::{BEACONS_TOPIC, ODOMETRY_TOPIC};
pub use show::TwinReport;

/// Which recording to twin.
#[derive(Clone, Debug)]
pub struct TwinRequest {
    /// Id or name.
    pub recording: String,
    /// Seed of everything random.
    pub seed: u64,
}

/// Where the robot was, and how that is known.
pub(crate) struct Placed {
    /// `map_from_base` at each scan.
    pub(crate) poses: Vec<Pose2>,
    /// By scan matching alone, where the poses are ground truth.
    pub(crate) matched: Option<Vec<Pose2>>,
    /// The scan matching.
    pub(crate) slam: SlamResult,
}

/// Builds and stores the twins of a real recording.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotReal`], [`Error::CannotTwin`]; those of fits, simulation and store.
pub async fn twin(
    platform: &mut Platform,
    request: TwinRequest,
    progress: &mut (dyn FnMut(&str) + Send),
) -> Result<TwinReport, Error> {
    let found = recording::find(platform, &request.recording).await?;
    if found.origin != Origin::Real {
        let (recording, origin) = (found.name.clone(), found.origin.to_string());
        return Err(Error::NotReal { recording, origin });
    }
    let name = found.name.clone();
    let run = Run::load(platform, found).await?;
    progress(&format!("{name}: placing {} scans", run.scans.len()));
    let placed = place(&run)?;
    let plan = RunPlan::of(&run, &placed.poses)?;
    let mut report = TwinReport::of(&run, &placed);
    let seed = Seed(request.seed);
    for half in Half::BOTH {
        progress(&format!("{name}: map and sensors of the {} half", half.as_str()));
        let (map, calibration) = fit_half(&run, &placed, half, seed)?;
        report.add_half(half, &map, &calibration.report);
        for (range_error, beacons) in configurations(&calibration) {
            let word = range_error.map_or("no ranges", RangeErrorKind::as_str);
            progress(&format!("{name}: simulating, {} half, {word}", half.as_str()));
            let configuration = Configuration {
                anchor: run.recording.recording_id.clone(),
                calibration: half,
                range_error,
                parameters: TwinParameters {
                    base_from_laser: run.base_from_laser,
                    lidar: calibration.lidar.clone(),
                    odometry: calibration.odometry,
                    beacons,
                },
                report: calibration.report.clone(),
            };
            let (digest, blobs) = stored::save(platform, configuration, &map, &plan).await?;
            let inputs = stored::load(platform, &digest).await?;
            let twin_name = name_of_twin(&name, half, range_error, seed);
            let entering = Entering {
                rig: None,
                damage: Damage::Refuse,
                sources: vec![source_in_memory(&twin_name, inputs.to_mcap(seed)?)],
                name: twin_name,
                origin: Origin::Synthetic,
                derivation: Some(Derivation::Generated {
                    generator: GENERATOR.to_owned(),
                    inputs_digest: digest,
                    seed,
                    anchors: vec![run.recording.recording_id.clone()],
                    generation_depth: 1,
                }),
                dry_run: false,
                verb: "twin",
                parameters: json!({ "calibrated_on": half, "range_error": range_error }),
                blobs,
                edges: edges::of_twin(&run, half),
            };
            let entered = enter(platform, entering).await?;
            report.add_twin(half, range_error, &entered);
        }
    }
    Ok(report)
}

/// The robot's pose at each scan.
///
/// Without ground truth: scan matching over the whole run.
/// With ground truth: half by half, scan matching tied to it, so that its wander from scan to scan does not blur the map;
/// nothing crosses from one half to the other.
pub(crate) fn place(run: &Run) -> Result<Placed, Error> {
    let (odometry, truth) = (run.odometry_in_plane(), run.truth_in_plane());
    let input = SlamInput {
        scans: &run.scans,
        base_from_laser: run.base_from_laser,
        odometry: &odometry,
        ground_truth: None,
    };
    let options = SlamOptions::indoor();
    if odometry.is_empty() {
        if truth.is_empty() {
            return Err(Error::CannotTwin {
                recording: run.recording.name.clone(),
                reason: "it has neither odometry nor ground truth".to_owned(),
            });
        }
        let given = Some((truth.as_slice(), GroundTruthUse::Interpolate));
        let slam = estimate_trajectory(&SlamInput { ground_truth: given, ..input }, &options)?;
        return Ok(Placed { poses: poses_of(&slam), matched: None, slam });
    }
    let slam = estimate_trajectory(&input, &options)?;
    if truth.is_empty() {
        return Ok(Placed { poses: poses_of(&slam), matched: None, slam });
    }
    let (mut poses, mut matched) = (Vec::new(), Vec::new());
    for half in Half::BOTH {
        let (scans, _) = of_half(run, &poses_of(&slam), half);
        let input = SlamInput { scans: &scans, ..input };
        let alone = estimate_trajectory(&input, &options)?;
        let usage = match disagreement(&alone, &truth) {
            Some([sigma_m, sigma_rad]) => GroundTruthUse::Fuse { sigma_m, sigma_rad },
            None => GroundTruthUse::Interpolate,
        };
        let given = Some((truth.as_slice(), usage));
        let tied = estimate_trajectory(&SlamInput { ground_truth: given, ..input }, &options)?;
        poses.extend(poses_of(&tied));
        matched.extend(poses_of(&alone));
    }
    Ok(Placed { poses, matched: Some(matched), slam })
}

fn poses_of(result: &SlamResult) -> Vec<Pose2> {
    result.poses.iter().map(|pose| pose.fixed_from_base).collect()
}

/// How far scan matching and ground truth lie apart after a rigid alignment: metres per axis and radians, RMS.
/// The pose graph holds the ground truth this loosely, since most of it is the wander of one or the other.
fn disagreement(alone: &SlamResult, truth: &[StampedPose]) -> Option<[f64; 2]> {
    let (mut reference, mut estimate) = (Vec::new(), Vec::new());
    for pose in &alone.poses {
        if let Some(true_pose) = pose_at(truth, pose.stamp) {
            reference.push(true_pose.in_space());
            estimate.push(pose.fixed_from_base.in_space());
        }
    }
    let rmse = |relation| {
        let options = AbsoluteOptions { relation, alignment: Alignment::SE3 };
        absolute_pose_error(&reference, &estimate, &options).ok().map(|s| s.statistics.rmse)
    };
    let (off_m, off_rad) = (rmse(Relation::Translation)?, rmse(Relation::RotationAngleRad)?);
    (off_m > 0.0 && off_rad > 0.0).then(|| [off_m / 2.0_f64.sqrt(), off_rad])
}

/// Map and sensor models from one half.
fn fit_half(
    run: &Run,
    placed: &Placed,
    half: Half,
    seed: Seed,
) -> Result<(tiepoint_model::WallMap, Calibration), Error> {
    let (scans, poses) = of_half(run, &placed.poses, half);
    let posed: Vec<PosedScan<'_>> = scans
        .iter()
        .zip(&poses)
        .map(|(scan, pose)| PosedScan { map_from_base: *pose, scan })
        .collect();
    let map = build_map(&posed, run.base_from_laser, &MapOptions::indoor())?;
    let matched = placed.matched.as_ref().map(|matched| of_half(run, matched, half).1);
    let truth = run.truth_in_plane();
    let span = run.span().ok_or_else(|| Error::NoMessages { path: PathBuf::from("scans") })?;
    let half_run = HalfRun {
        run,
        span,
        half,
        scans: &scans,
        poses: &poses,
        matched: matched.as_deref(),
        truth: &truth,
        map: &map,
    };
    let calibration = calibrate(&half_run, seed.for_purpose("calibrate"))?;
    Ok((map, calibration))
}

/// What people call a twin: `run-twin-first-gaussian`, with its seed unless that is the usual 1.
fn name_of_twin(run: &str, half: Half, range_error: Option<RangeErrorKind>, seed: Seed) -> String {
    let errors = range_error.map_or(String::new(), |kind| format!("-{}", kind.as_str()));
    let seed = if seed == Seed(1) { String::new() } else { format!("-seed-{}", seed.0) };
    format!("{run}-twin-{}{errors}{seed}", half.as_str())
}

/// Every configuration to store: one per model of range errors, or one alone without ranges.
fn configurations(calibration: &Calibration) -> Vec<(Option<RangeErrorKind>, Vec<BeaconModel>)> {
    if calibration.beacons.is_empty() {
        return vec![(None, Vec::new())];
    }
    let all = calibration.beacons.iter();
    all.map(|(kind, beacons)| (Some(*kind), beacons.clone())).collect()
}
