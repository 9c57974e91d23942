//! From scans and odometry to where the robot was: scan matching forward, loop closure, pose graph.
//!
//! Invariant: the result has one pose per scan, in the order of the scans; a scan that cannot be
//! matched is bridged by
//! odometry and counted. The `map` frame starts where the odometry's frame is at the first scan,
//! or is the ground truth's.
//! Metres, radians, integer nanoseconds.
//!
//! Not here: error measures against ground truth, and motion within a sweep.

mod front_end;
mod odometry;

use nalgebra::{Matrix3, Vector3};
use tiepoint_model::{Pose2, Scan, Timestamp};

use crate::ReconstructError;
use crate::loop_closure::{Keyframe, LoopClosure, LoopOptions, LoopSearch, find_loops};
use crate::planar_scan::PlanarScan;
use crate::pose_graph::{
    Edge, GraphSolution, PoseGraph, Prior, RobustLoss, SolveOptions, edge_residual, solve,
};
use front_end::FrontEnd;

pub use odometry::{Interpolated, interpolate};

/// A pose of the robot at an instant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StampedPose {
    /// When.
    pub stamp: Timestamp,
    /// The robot in a fixed frame: `odom`, `map`, or the ground truth's.
    pub fixed_from_base: Pose2,
}

/// How ground truth is used.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum GroundTruthUse {
    /// Its poses, interpolated at the scans, are the answer.
    Interpolate,
    /// It ties the pose graph with this error, so that scan matching may smooth what it gets wrong.
    Fuse {
        /// Standard deviation per axis, metres.
        sigma_m: f64,
        /// Standard deviation, radians.
        sigma_rad: f64,
    },
}

/// What a run recorded. Stamps must not decrease.
#[derive(Clone, Copy, Debug)]
pub struct SlamInput<'a> {
    /// All from one scanner; the stamp of the measurement counts.
    pub scans: &'a [Scan],
    /// The scanner on the robot.
    pub base_from_laser: Pose2,
    /// `odom` from `base_link`.
    pub odometry: &'a [StampedPose],
    /// `map` from `base_link`, if it was measured.
    pub ground_truth: Option<(&'a [StampedPose], GroundTruthUse)>,
}

/// Choices of the estimate. All of them change the result: keep them with it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SlamOptions {
    /// A scan joins the local map after this much way, metres,
    pub keyframe_m: f64,
    /// or after this much turning, radians.
    pub keyframe_rad: f64,
    /// Keyframes in the local map.
    pub local_map_count: usize,
    /// Odometry's error, metres per metre driven.
    pub odometry_m_per_m: f64,
    /// Odometry's error, radians per radian turned.
    pub odometry_rad_per_rad: f64,
    /// Least share of a scan's points on the local map for a match to count.
    pub inlier_share_min: f64,
    /// Where loops are sought.
    pub loops: LoopOptions,
    /// Rounds of loop search and graph solution; 0 leaves the drift in.
    pub loop_round_count: usize,
}

impl SlamOptions {
    /// Choices that serve indoor robots at walking speed with 0.5 to 20 scans a second.
    #[must_use]
    pub fn indoor() -> Self {
        Self {
            keyframe_m: 0.2,
            keyframe_rad: 0.15,
            local_map_count: 10,
            odometry_m_per_m: 0.1,
            odometry_rad_per_rad: 0.1,
            inlier_share_min: 0.35,
            loops: LoopOptions {
                path_m_min: 8.0,
                reach_share: 0.6,
                window_m: 0.3,
                window_m_per_m: 0.02,
                window_m_max: 4.0,
                inlier_share_min: 0.55,
                query_count_max: 200,
            },
            loop_round_count: 2,
        }
    }
}

/// What was done, for the report.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SlamDiagnostics {
    /// Scans.
    pub scan_count: usize,
    /// Scans placed by a match.
    pub matched_count: usize,
    /// Scans with too few valid beams, placed by odometry.
    pub unusable_count: usize,
    /// Usable scans that did not match their surroundings, placed by odometry.
    pub unmatched_count: usize,
    /// Scans before the first or after the last odometry pose, taken as standing still.
    pub odometry_missing_count: usize,
    /// Scans outside the ground truth, placed by odometry from its nearest end.
    pub ground_truth_missing_count: usize,
    /// Scans in local maps.
    pub keyframe_count: usize,
    /// Length of the estimated way, metres.
    pub path_m: f64,
    /// Pairs compared for loops, last round.
    pub loop_compared_count: usize,
    /// Pairs that matched, last round.
    pub loop_matched_count: usize,
    /// Matches thrown out as inconsistent, last round.
    pub loop_inconsistent_count: usize,
    /// Median distance between what the closures measured and what the graph says, metres; 0
    /// without closures.
    pub loop_residual_m_median: f64,
    /// Greatest such distance, metres.
    pub loop_residual_m_max: f64,
    /// Mean share of points on the local map over the matched scans.
    pub inlier_share_mean: f64,
    /// True if the last graph solution converged, or none was needed.
    pub has_converged: bool,
}

/// Where the robot was.
#[derive(Clone, Debug, PartialEq)]
pub struct SlamResult {
    /// `map` from `base_link` at each scan.
    pub poses: Vec<StampedPose>,
    /// All edges of the graph, closures last; empty if ground truth was interpolated.
    pub edges: Vec<Edge>,
    /// Places that were recognised.
    pub loop_closures: Vec<LoopClosure>,
    /// Counts and residuals.
    pub diagnostics: SlamDiagnostics,
}

/// Estimates the robot's pose at each scan.
///
/// # Errors
/// [`ReconstructError::Empty`] without scans, or without both odometry and ground truth;
/// [`ReconstructError::Unsorted`], [`ReconstructError::NotFinite`],
/// [`ReconstructError::BadOption`].
pub fn estimate_trajectory(
    input: &SlamInput<'_>,
    options: &SlamOptions,
) -> Result<SlamResult, ReconstructError> {
    let stamps: Vec<Timestamp> = input.scans.iter().map(|scan| scan.stamps.measured()).collect();
    if stamps.is_empty() {
        return Err(ReconstructError::Empty { what: "scan" });
    }
    if let Some(index) = stamps.windows(2).position(|pair| pair[1] < pair[0]) {
        return Err(ReconstructError::Unsorted { what: "scan", index: index + 1 });
    }
    if !input.base_from_laser.is_finite() {
        return Err(ReconstructError::NotFinite { what: "base_from_laser", index: 0 });
    }
    let odometry = match (input.odometry, &input.ground_truth) {
        ([], Some((truth, _))) => interpolate(truth, &stamps, "ground truth")?,
        (odometry, _) => interpolate(odometry, &stamps, "odometry")?,
    };
    let truth = match &input.ground_truth {
        Some((truth, usage)) => {
            let mut at_scans = interpolate(truth, &stamps, "ground truth")?;
            at_scans.bridge(&odometry);
            Some((at_scans, *usage))
        }
        None => None,
    };
    let result = match truth {
        Some((at_scans, GroundTruthUse::Interpolate)) => interpolated(&stamps, &at_scans),
        other => matched(input, options, &odometry, other)?,
    };
    let mut result = result;
    result.diagnostics.odometry_missing_count = odometry.outside_count();
    Ok(result)
}

fn interpolated(stamps: &[Timestamp], truth: &Interpolated) -> SlamResult {
    let diagnostics = SlamDiagnostics {
        scan_count: stamps.len(),
        ground_truth_missing_count: truth.outside_count(),
        path_m: path_lengths(&truth.poses).last().copied().unwrap_or(0.0),
        has_converged: true,
        ..SlamDiagnostics::default()
    };
    SlamResult {
        poses: stamped(stamps, &truth.poses),
        edges: Vec::new(),
        loop_closures: Vec::new(),
        diagnostics,
    }
}

fn matched(
    input: &SlamInput<'_>,
    options: &SlamOptions,
    odometry: &Interpolated,
    truth: Option<(Interpolated, GroundTruthUse)>,
) -> Result<SlamResult, ReconstructError> {
    let scans: Vec<PlanarScan> =
        input.scans.iter().map(|scan| PlanarScan::new(scan, input.base_from_laser)).collect();
    let guide = truth.as_ref().map_or(&odometry.poses, |(at_scans, _)| &at_scans.poses);
    let mut front = FrontEnd::run(&scans, guide, options)?;
    let mut poses = match &truth {
        Some((at_scans, _)) => at_scans.poses.clone(),
        None => front.poses.clone(),
    };
    let priors = truth.as_ref().map_or_else(Vec::new, |(at_scans, usage)| priors(at_scans, *usage));
    let mut loops = LoopSearch::default();
    let mut has_converged = true;
    for round in 0..options.loop_round_count {
        let search = round_options(options, round > 0 || !priors.is_empty());
        loops = find_loops(&keyframes(&scans, &poses, &front.keyframes), &search)?;
        let solution = close(&front.edges, &loops.accepted, &poses, &priors)?;
        poses = solution.map_from_nodes;
        has_converged = solution.has_converged;
    }
    let residuals = loop_residuals_m(&loops.accepted, &poses);
    front.edges.extend(loops.accepted.iter().map(loop_edge));
    let diagnostics = SlamDiagnostics {
        ground_truth_missing_count: truth.map_or(0, |(at_scans, _)| at_scans.outside_count()),
        path_m: path_lengths(&poses).last().copied().unwrap_or(0.0),
        loop_compared_count: loops.compared_count,
        loop_matched_count: loops.matched_count,
        loop_inconsistent_count: loops.inconsistent_count,
        loop_residual_m_median: residuals.get(residuals.len() / 2).copied().unwrap_or(0.0),
        loop_residual_m_max: residuals.last().copied().unwrap_or(0.0),
        has_converged,
        ..front.diagnostics
    };
    let stamps: Vec<Timestamp> = input.scans.iter().map(|scan| scan.stamps.measured()).collect();
    Ok(SlamResult {
        poses: stamped(&stamps, &poses),
        edges: front.edges,
        loop_closures: loops.accepted,
        diagnostics,
    })
}

/// After the first round the drift is gone: a small window around the present estimate is enough.
fn round_options(options: &SlamOptions, is_corrected: bool) -> LoopOptions {
    if is_corrected {
        return LoopOptions { window_m: 0.4, window_m_per_m: 0.0, ..options.loops };
    }
    options.loops
}

fn keyframes<'a>(scans: &'a [PlanarScan], poses: &[Pose2], nodes: &[usize]) -> Vec<Keyframe<'a>> {
    let path_m = path_lengths(poses);
    nodes
        .iter()
        .map(|node| Keyframe {
            node: *node,
            scan: &scans[*node],
            map_from_base: poses[*node],
            path_m: path_m[*node],
        })
        .collect()
}

fn close(
    chain: &[Edge],
    loops: &[LoopClosure],
    poses: &[Pose2],
    priors: &[Prior],
) -> Result<GraphSolution, ReconstructError> {
    let mut edges = chain.to_vec();
    edges.extend(loops.iter().map(loop_edge));
    let graph = PoseGraph { map_from_nodes: poses.to_vec(), edges, priors: priors.to_vec() };
    solve(&graph, &SolveOptions { iteration_count_max: 50, step_min: 1e-6 })
}

fn loop_edge(closure: &LoopClosure) -> Edge {
    Edge {
        from: closure.from,
        to: closure.to,
        from_from_to: closure.from_from_to,
        information: front_end::closure_information(closure.information),
        loss: RobustLoss::Cauchy { scale: 3.0 },
    }
}

/// Distances between what closures measured and what the graph says, ascending, metres.
fn loop_residuals_m(loops: &[LoopClosure], poses: &[Pose2]) -> Vec<f64> {
    let mut residuals: Vec<f64> = loops
        .iter()
        .map(|closure| {
            let residual = edge_residual(&loop_edge(closure), poses);
            (residual.x * residual.x + residual.y * residual.y).sqrt()
        })
        .collect();
    residuals.sort_by(f64::total_cmp);
    residuals
}

fn priors(truth: &Interpolated, usage: GroundTruthUse) -> Vec<Prior> {
    let GroundTruthUse::Fuse { sigma_m, sigma_rad } = usage else { return Vec::new() };
    let (m, rad) = (1.0 / (sigma_m * sigma_m), 1.0 / (sigma_rad * sigma_rad));
    let information = Matrix3::from_diagonal(&Vector3::new(m, m, rad));
    (0..truth.poses.len())
        .filter(|node| !truth.is_outside[*node])
        .map(|node| Prior { node, map_from_node: truth.poses[node], information })
        .collect()
}

fn stamped(stamps: &[Timestamp], poses: &[Pose2]) -> Vec<StampedPose> {
    let pairs = stamps.iter().zip(poses);
    pairs.map(|(stamp, pose)| StampedPose { stamp: *stamp, fixed_from_base: *pose }).collect()
}

/// Way driven up to each pose, metres.
fn path_lengths(poses: &[Pose2]) -> Vec<f64> {
    let mut length_m = 0.0;
    let mut previous = poses.first().copied().unwrap_or(Pose2::IDENTITY);
    poses
        .iter()
        .map(|pose| {
            length_m += previous.distance_m(*pose);
            previous = *pose;
            length_m
        })
        .collect()
}

#[cfg(test)]
mod tests;
