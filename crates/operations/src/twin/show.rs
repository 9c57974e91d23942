//! What `twin` tells: where the robot was, what was fitted, which candidates fit the beacons' errors, what was stored.

use serde::Serialize;
use tiepoint_measure::trajectory::{AbsoluteOptions, Alignment, Relation, absolute_pose_error};
use tiepoint_model::{Cell, Pose2, Pose3, WallMap, claim::RangeErrorKind};

use tiepoint_reconstruct::fit::RangeNoiseMethod;

use super::{Placed, calibrate::CalibrationReport};
use crate::{
    Half,
    ingest::IngestedRecording,
    run::{Run, pose_at},
};

/// What was built from a recording.
#[derive(Clone, Debug, Serialize)]
pub struct TwinReport {
    recording: String,
    scan_count: usize,
    path_m: f64,
    /// Ground truth or scan matching.
    poses_from: String,
    /// Error of odometry against ground truth after alignment, metres, RMS.
    odometry_ate_m: Option<f64>,
    /// Error of scan matching against ground truth after alignment, metres, RMS.
    scan_matching_ate_m: Option<f64>,
    loop_closure_count: usize,
    loop_residual_m_max: f64,
    halves: Vec<HalfLine>,
    twins: Vec<TwinLine>,
}

#[derive(Clone, Debug, Serialize)]
struct HalfLine {
    calibrated_on: Half,
    wall_cell_count: usize,
    calibration: CalibrationReport,
}

/// One stored twin.
#[derive(Clone, Debug, Serialize)]
struct TwinLine {
    recording_id: String,
    name: String,
    calibrated_on: Half,
    range_error: Option<RangeErrorKind>,
    already_present: bool,
}

impl TwinReport {
    pub(super) fn of(run: &Run, placed: &Placed) -> Self {
        let truth = run.truth_in_plane();
        let at_scans = |poses: &dyn Fn(usize) -> Option<Pose2>| -> Option<f64> {
            let (mut reference, mut estimate) = (Vec::new(), Vec::new());
            for (index, scan) in run.scans.iter().enumerate() {
                let true_pose = pose_at(&truth, scan.stamps.measured());
                if let (Some(a), Some(b)) = (true_pose, poses(index)) {
                    reference.push(a.in_space());
                    estimate.push(b.in_space());
                }
            }
            aligned_rmse_m(&reference, &estimate)
        };
        let odometry = run.odometry_in_plane();
        let odometry_ate_m =
            at_scans(&|index| pose_at(&odometry, run.scans[index].stamps.measured()));
        let matched = &placed.slam.poses;
        let scan_matching_ate_m =
            at_scans(&|index| matched.get(index).map(|pose| pose.fixed_from_base));
        let poses_from = match (truth.is_empty(), &placed.matched) {
            (true, _) => "scan matching",
            (false, Some(_)) => "ground truth, smoothed by scan matching half by half",
            (false, None) => "ground truth",
        };
        Self {
            recording: run.recording.name.clone(),
            scan_count: run.scans.len(),
            path_m: placed.slam.diagnostics.path_m,
            poses_from: poses_from.to_owned(),
            odometry_ate_m,
            scan_matching_ate_m,
            loop_closure_count: placed.slam.loop_closures.len(),
            loop_residual_m_max: placed.slam.diagnostics.loop_residual_m_max,
            halves: Vec::new(),
            twins: Vec::new(),
        }
    }

    pub(super) fn add_half(&mut self, half: Half, map: &WallMap, report: &CalibrationReport) {
        let walls = map.cells.iter().filter(|cell| matches!(cell, Cell::Wall { .. })).count();
        self.halves.push(HalfLine {
            calibrated_on: half,
            wall_cell_count: walls,
            calibration: report.clone(),
        });
    }

    pub(super) fn add_twin(
        &mut self,
        half: Half,
        range_error: Option<RangeErrorKind>,
        entered: &IngestedRecording,
    ) {
        self.twins.push(TwinLine {
            recording_id: entered.recording.recording_id.to_string(),
            name: entered.recording.name.clone(),
            calibrated_on: half,
            range_error,
            already_present: entered.was_present,
        });
    }

    /// The report in lines for a person.
    #[must_use]
    pub fn in_words(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "{}: {} scans over {:.0} m, poses from {}",
            self.recording, self.scan_count, self.path_m, self.poses_from
        )];
        if let (Some(odometry), Some(matching)) = (self.odometry_ate_m, self.scan_matching_ate_m) {
            lines.push(format!(
                "  scan matching errs by {matching:.3} m against ground truth (odometry {odometry:.3} m)"
            ));
        }
        if self.loop_closure_count > 0 {
            lines.push(format!(
                "  {} loop closures, the graph leaves at most {:.3} m of them",
                self.loop_closure_count, self.loop_residual_m_max
            ));
        }
        for half in &self.halves {
            lines.extend(half.in_words());
        }
        for twin in &self.twins {
            let state = if twin.already_present { "  (already in the lake)" } else { "" };
            lines.push(format!("  {}  {}{state}", twin.recording_id, twin.name));
        }
        lines
    }

    /// Every candidate for the errors of beacon ranges, per half and beacon.
    #[must_use]
    pub fn range_model_table(&self) -> ([&'static str; 7], Vec<Vec<String>>) {
        let header =
            ["half", "beacon", "range errors", "ln L / reading", "W1", "ACF off", "best held out"];
        let mut rows = Vec::new();
        for half in &self.halves {
            for (beacon_id, candidates) in &half.calibration.candidates {
                for candidate in candidates {
                    let best = if candidate.is_best_held_out { "yes" } else { "" };
                    rows.push(vec![
                        half.calibrated_on.as_str().to_owned(),
                        beacon_id.to_string(),
                        format!("{} ({})", candidate.model.name(), candidate.part_count),
                        format!("{:.2}", candidate.held_out_log_likelihood.value),
                        format!("{:.0} mm", 1e3 * candidate.wasserstein_m),
                        format!("{:.2}", candidate.autocorrelation_rms_difference),
                        best.to_owned(),
                    ]);
                }
            }
        }
        (header, rows)
    }
}

impl HalfLine {
    fn in_words(&self) -> Vec<String> {
        let report = &self.calibration;
        let mut facts = vec![format!("{} wall cells", self.wall_cell_count)];
        if let Some(noise) = &report.range_noise {
            let from = match noise.method {
                RangeNoiseMethod::StaticPairs => "at rest",
                RangeNoiseMethod::SecondDifferences => "on straight walls, an upper bound",
            };
            facts.push(format!("range noise {:.1} mm ({from})", 1e3 * noise.sigma_m.value));
        }
        if let Some(step) = report.quantisation.as_ref().filter(|q| q.step_m > 0.0) {
            facts.push(format!("readings in steps of {:.1} mm", 1e3 * step.step_m));
        }
        if let Some(beams) = &report.beams {
            facts.push(format!("failed beams {:.2} %", 100.0 * beams.failed_share.value));
        }
        if let Some(odometry) = &report.odometry {
            let off = 100.0 * (odometry.model.scale - 1.0);
            facts.push(format!("odometry scale {off:+.1} %"));
        }
        if let Some(variance_m2) = report.reference_step_variance_m2 {
            let sigma_mm = 1e3 * (variance_m2 / 2.0).sqrt();
            facts.push(format!("reference errs by {sigma_mm:.0} mm per axis and step"));
        }
        let line =
            format!("  fitted on the {} half: {}", self.calibrated_on.as_str(), facts.join(", "));
        let notes = report.notes.iter().map(|note| format!("    note: {note}"));
        std::iter::once(line).chain(notes).collect()
    }
}

/// Position error after rigid alignment, metres, RMS; `None` where it is undefined.
fn aligned_rmse_m(reference: &[Pose3], estimate: &[Pose3]) -> Option<f64> {
    let options = AbsoluteOptions { relation: Relation::Translation, alignment: Alignment::SE3 };
    absolute_pose_error(reference, estimate, &options).ok().map(|series| series.statistics.rmse)
}
