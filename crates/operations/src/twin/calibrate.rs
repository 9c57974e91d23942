//! Calibration: map and sensor models of a run, from one half of it.
//!
//! Invariant: no sample outside the calibration half enters a fit. Candidates for range errors are compared on the last part of that half,
//! never on the validation half, so nothing of the validation data is inspected before a claim is committed.
//! What the data do not tell is said in `notes`, never guessed in silence.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tiepoint_model::{
    Pose2, Scan, Seed, WallMap,
    claim::RangeErrorKind,
    math,
    sensor::{BeaconModel, LidarModel, OdometryModel, RangeErrorModel},
};
use tiepoint_reconstruct::{
    fit::{
        BeamCensus, BeamLimits, BeamMixtureReport, CandidateReport, CornersReport, FitError,
        OdometryReport, OdometryStep, QuantisationReport, RangeNoiseReport, RangeObservation,
        ReferenceErrorGrowth, ScannerReadings, StaticPair, StationarityThresholds, beam_census,
        detect_quantisation, find_static_steps, fit_beacon_position, fit_beam_mixture,
        fit_odometry, fit_range_error, fit_range_noise, join_steps, range_residuals,
        three_cornered_hat,
    },
    grid::Beam,
    map::wall_crossing_m,
    trajectory::StampedPose,
};

use crate::{
    Error, Half, RunSpan,
    run::{Run, pose_at},
};

/// Steps joined to one before odometry is fitted: about 10 s and 3 m at walking speed, so that the reference's error weighs less.
const JOINED_STEPS: usize = 10;

/// Standing still, by odometry: less than its resolution.
const STILL_M: f64 = 0.0001;
/// Standing still, by odometry, radians.
const STILL_RAD: f64 = 0.0001;
/// Standing still, by a reference that errs by some centimetres a step.
const STILL_REFERENCE_M: f64 = 0.10;
/// Standing still, by a reference, radians.
const STILL_REFERENCE_RAD: f64 = 0.05;

/// Share of the calibration half on which candidates are fitted before they are compared on its rest.
const INNER_SHARE: f64 = 0.6;

/// Steps per block of the reference error's bootstrap.
const HAT_BLOCK_STEPS: usize = 10;

/// How the parameters of a twin came about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct CalibrationReport {
    /// Scans in the calibration half.
    pub(crate) scan_count: usize,
    pub(crate) census: BeamCensus,
    pub(crate) quantisation: Option<QuantisationReport>,
    pub(crate) range_noise: Option<RangeNoiseReport>,
    pub(crate) beams: Option<BeamMixtureReport>,
    pub(crate) odometry: Option<OdometryReport>,
    /// Per beacon: every candidate, fitted on the first part of the half and compared on its rest.
    pub(crate) candidates: BTreeMap<u32, Vec<CandidateReport>>,
    /// Errors of ground truth, odometry and scan matching, where all three exist.
    pub(crate) corners: Option<CornersReport>,
    /// Variance of the reference's error over one step in the plane, square metres.
    pub(crate) reference_step_variance_m2: Option<f64>,
    /// What the data did not tell.
    pub(crate) notes: Vec<String>,
}

/// A calibrated half: parameters but for the choice of the range-error model.
pub(crate) struct Calibration {
    pub(crate) lidar: LidarModel,
    pub(crate) odometry: Option<OdometryModel>,
    /// Per kind of range-error model, the beacons.
    pub(crate) beacons: BTreeMap<RangeErrorKind, Vec<BeaconModel>>,
    pub(crate) report: CalibrationReport,
}

/// The calibration half of a run.
pub(crate) struct HalfRun<'a> {
    pub(crate) run: &'a Run,
    pub(crate) span: RunSpan,
    pub(crate) half: Half,
    /// Scans of the half, with the robot's poses.
    pub(crate) scans: &'a [Scan],
    pub(crate) poses: &'a [Pose2],
    /// The same scans placed by scan matching alone, where there is ground truth beside it.
    pub(crate) matched: Option<&'a [Pose2]>,
    /// The ground truth, in order of time; empty if there is none.
    pub(crate) truth: &'a [StampedPose],
    pub(crate) map: &'a WallMap,
}

/// Fits every sensor on the half.
pub(crate) fn calibrate(half: &HalfRun<'_>, seed: Seed) -> Result<Calibration, Error> {
    let mut notes = Vec::new();
    let readings: Vec<f32> = half.scans.iter().flat_map(|s| s.ranges_m.iter().copied()).collect();
    let (range_min_m, range_max_m) =
        half.scans.first().map_or((0.0, 0.0), |scan| (scan.range_min_m, scan.range_max_m));
    let limits = BeamLimits { range_min_m, range_max_m };
    let census = beam_census(&readings, &limits)?;
    let quantisation = noted(&mut notes, "quantisation", detect_quantisation(&readings));
    let quantisation_m = quantisation.as_ref().map_or(0.0, |report| report.step_m);
    let odometry_steps = odometry_steps(half);
    let range_noise = range_noise(half, &odometry_steps, quantisation_m, &mut notes);
    let beams = noted(&mut notes, "beam shares", fit_beam_mixture(&predicted(half), &limits));
    let corners = reference_corners(half, &odometry_steps, seed, &mut notes);
    let reference_step_variance_m2 = corners.as_ref().and_then(|corners| {
        let [x, y, _] = corners.sources[0];
        Some(square(x.sigma()?) + square(y.sigma()?))
    });
    let odometry = odometry(half, &odometry_steps, corners.as_ref(), &mut notes);
    let (beacons, candidates) = beacons(half, seed, &mut notes)?;
    let lidar = LidarModel {
        sigma_m: range_noise.as_ref().map_or(0.0, |report| report.sigma_m.value),
        // A map made with the scanner shares its bias: no bias can be told from one scanner.
        bias_m: 0.0,
        quantisation_m,
        failed_share: beams.as_ref().map_or(0.0, |report| report.failed_share.value),
        short_share: beams.as_ref().map_or(0.0, |report| report.short_share.value),
        range_min_m,
        range_max_m,
        no_return_reading_m: census.no_return_reading_m.unwrap_or(0.0),
    };
    let report = CalibrationReport {
        scan_count: half.scans.len(),
        census,
        quantisation,
        range_noise,
        beams,
        odometry: odometry.clone(),
        candidates,
        corners,
        reference_step_variance_m2,
        notes,
    };
    Ok(Calibration { lidar, odometry: odometry.map(|report| report.model), beacons, report })
}

/// The report, or a note that says why there is none.
fn noted<T>(notes: &mut Vec<String>, what: &str, fitted: Result<T, FitError>) -> Option<T> {
    match fitted {
        Ok(report) => Some(report),
        Err(error) => {
            notes.push(format!("{what} not fitted: {error}"));
            None
        }
    }
}

/// Odometry's motion from scan to scan; `None` where it is silent.
fn odometry_steps(half: &HalfRun<'_>) -> Vec<Option<Pose2>> {
    let odometry = half.run.odometry_in_plane();
    let at: Vec<Option<Pose2>> =
        half.scans.iter().map(|scan| pose_at(&odometry, scan.stamps.measured())).collect();
    at.windows(2).map(|pair| Some(pair[0]?.inverse() * pair[1]?)).collect()
}

/// The poses' motion from scan to scan.
fn steps(poses: &[Pose2]) -> Vec<Pose2> {
    poses.windows(2).map(|pair| pair[0].inverse() * pair[1]).collect()
}

fn range_noise(
    half: &HalfRun<'_>,
    odometry_steps: &[Option<Pose2>],
    quantisation_m: f64,
    notes: &mut Vec<String>,
) -> Option<RangeNoiseReport> {
    let reference: Vec<Option<Pose2>> = steps(half.poses).into_iter().map(Some).collect();
    // Where odometry is silent the step is taken as motion.
    let moving = Pose2 { x_m: 1.0, y_m: 0.0, yaw_rad: 0.0 };
    let odometry: Vec<Pose2> = odometry_steps.iter().map(|step| step.unwrap_or(moving)).collect();
    let thresholds = StationarityThresholds {
        odometry_m: STILL_M,
        odometry_rad: STILL_RAD,
        reference_m: STILL_REFERENCE_M,
        reference_rad: STILL_REFERENCE_RAD,
    };
    let still = find_static_steps(&odometry, &reference, thresholds);
    let still = noted(notes, "standing still", still).map(|report| report.static_steps);
    let pairs: Vec<StaticPair<'_>> = still
        .unwrap_or_default()
        .into_iter()
        .map(|step| StaticPair {
            first_m: &half.scans[step].ranges_m,
            second_m: &half.scans[step + 1].ranges_m,
        })
        .filter(|pair| pair.first_m.len() == pair.second_m.len())
        .collect();
    let scans: Vec<&[f32]> = half.scans.iter().map(|scan| scan.ranges_m.as_slice()).collect();
    let first = half.scans.first()?;
    let readings = ScannerReadings {
        quantisation_m,
        range_min_m: first.range_min_m,
        range_max_m: first.range_max_m,
        beam_step_rad: first.angle_increment_rad,
    };
    noted(notes, "range noise", fit_range_noise(&pairs, &scans, &readings))
}

/// Per beam what the map predicts and what was read.
fn predicted(half: &HalfRun<'_>) -> Vec<(Option<f64>, f32)> {
    let mut beams = Vec::new();
    for (scan, pose) in half.scans.iter().zip(half.poses) {
        let map_from_laser = *pose * half.run.base_from_laser;
        for (index, reading) in scan.ranges_m.iter().enumerate() {
            let (sin, cos) = math::sin_cos(map_from_laser.yaw_rad + scan.angle_rad(index));
            let origin_m = [map_from_laser.x_m, map_from_laser.y_m];
            let beam = Beam { origin_m, direction: [cos, sin] };
            beams.push((wall_crossing_m(half.map, beam, scan.range_max_m), *reading));
        }
    }
    beams
}

/// The errors of ground truth, odometry and scan matching over the same steps.
fn reference_corners(
    half: &HalfRun<'_>,
    odometry_steps: &[Option<Pose2>],
    seed: Seed,
    notes: &mut Vec<String>,
) -> Option<CornersReport> {
    let matched = steps(half.matched?);
    let at: Vec<Option<Pose2>> =
        half.scans.iter().map(|scan| pose_at(half.truth, scan.stamps.measured())).collect();
    let truth = at.windows(2).map(|pair| Some(pair[0]?.inverse() * pair[1]?));
    let mut sources: [Vec<Pose2>; 3] = [Vec::new(), Vec::new(), Vec::new()];
    for ((truth, odometry), matched) in truth.zip(odometry_steps).zip(matched) {
        if let (Some(truth), Some(odometry)) = (truth, odometry) {
            sources[0].push(truth);
            sources[1].push(*odometry);
            sources[2].push(matched);
        }
    }
    let sources = [sources[0].as_slice(), &sources[1], &sources[2]];
    let hat = three_cornered_hat(sources, HAT_BLOCK_STEPS, seed.for_purpose("corners"));
    noted(notes, "reference error", hat)
}

/// Odometry against the poses of the twin, which err as scan matching does.
fn odometry(
    half: &HalfRun<'_>,
    odometry_steps: &[Option<Pose2>],
    corners: Option<&CornersReport>,
    notes: &mut Vec<String>,
) -> Option<OdometryReport> {
    if odometry_steps.iter().all(Option::is_none) {
        notes.push("odometry not fitted: the recording has none".to_owned());
        return None;
    }
    let axis_variance = |axis: usize| {
        let sigma = corners.and_then(|corners| corners.sources[2][axis].sigma());
        sigma.map_or(0.0, square)
    };
    let variance_m2 = (axis_variance(0) + axis_variance(1)) / 2.0;
    let variance_rad2 = axis_variance(2);
    let pairs = odometry_steps.iter().zip(steps(half.poses));
    let steps: Vec<OdometryStep> = pairs
        .filter_map(|(measured, reference)| {
            Some(OdometryStep::new((*measured)?, reference, variance_m2, variance_rad2))
        })
        .collect();
    let joined = join_steps(&steps, JOINED_STEPS, ReferenceErrorGrowth::PerPose);
    noted(notes, "odometry", joined.and_then(|joined| fit_odometry(&joined)))
}

type Beacons = (BTreeMap<RangeErrorKind, Vec<BeaconModel>>, BTreeMap<u32, Vec<CandidateReport>>);

/// Every beacon with every kind of range-error model.
fn beacons(half: &HalfRun<'_>, seed: Seed, notes: &mut Vec<String>) -> Result<Beacons, Error> {
    let mut models: BTreeMap<RangeErrorKind, Vec<BeaconModel>> = BTreeMap::new();
    let mut candidates = BTreeMap::new();
    for (beacon_id, observations) in observations(half) {
        let position_m = match half.run.beacons.get(&beacon_id) {
            Some(position_m) => *position_m,
            None => {
                let what = format!("place of beacon {beacon_id}");
                match noted(notes, &what, fit_beacon_position(&observations, None)) {
                    Some(report) => report.position_m,
                    None => continue,
                }
            }
        };
        let errors_m = range_residuals(&observations, position_m)?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of a length is a smaller length"
        )]
        let inner = (errors_m.len() as f64 * INNER_SHARE) as usize;
        let (first, rest) = errors_m.split_at(inner);
        let seed = seed.for_purpose(&format!("beacon {beacon_id}"));
        let what = format!("range errors of beacon {beacon_id}");
        let compared = fit_range_error(beacon_id, first, rest, seed);
        let Some(compared) = noted(notes, &what, compared) else { continue };
        // The parameters themselves rest on the whole half.
        let fitted = fit_range_error(beacon_id, &errors_m, rest, seed);
        let Some(fitted) = noted(notes, &what, fitted) else { continue };
        for candidate in fitted.candidates.iter().filter(|c| c.is_best_of_kind_by_bic) {
            models.entry(kind_of(&candidate.model)).or_default().push(BeaconModel {
                beacon_id,
                position_m,
                missing_share: fitted.missing_share.value,
                error: candidate.model.clone(),
            });
        }
        candidates.insert(beacon_id, compared.candidates);
    }
    Ok((models, candidates))
}

/// The half's ranges per beacon, in order of time, where the robot's place is known.
fn observations(half: &HalfRun<'_>) -> BTreeMap<u32, Vec<RangeObservation>> {
    let track: Vec<StampedPose> = half
        .scans
        .iter()
        .zip(half.poses)
        .map(|(scan, pose)| StampedPose { stamp: scan.stamps.measured(), fixed_from_base: *pose })
        .collect();
    let mut by_beacon: BTreeMap<u32, Vec<RangeObservation>> = BTreeMap::new();
    for range in &half.run.ranges {
        let time = range.stamps.measured();
        if !half.span.is_in(half.half, time) {
            continue;
        }
        let Some(map_from_base) = pose_at(&track, time) else { continue };
        let range_m = Some(f64::from(range.range_m)).filter(|r| r.is_finite() && *r > 0.0);
        by_beacon.entry(range.beacon_id).or_default().push(RangeObservation {
            map_from_base,
            antenna_in_base_m: range.antenna_in_base_m,
            range_m,
        });
    }
    by_beacon
}

/// The kind that claims name.
pub(crate) fn kind_of(model: &RangeErrorModel) -> RangeErrorKind {
    match model {
        RangeErrorModel::Gaussian { .. } => RangeErrorKind::Gaussian,
        RangeErrorModel::HeavyTailed { .. } => RangeErrorKind::HeavyTailed,
        RangeErrorModel::Mixture { .. } => RangeErrorKind::Mixture,
        RangeErrorModel::RegimeSwitching { .. } => RangeErrorKind::RegimeSwitching,
    }
}

fn square(value: f64) -> f64 {
    value * value
}
