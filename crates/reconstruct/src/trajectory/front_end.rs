//! Scan matching forward: each scan against the local map of the last keyframes.
//!
//! Invariant: each scan but the first gets an odometry edge to its predecessor, and a match edge
//! if it matched.
//! Metres, radians.

use std::collections::VecDeque;

use nalgebra::{Matrix3, Vector3};
use tiepoint_model::Pose2;

use super::{SlamDiagnostics, SlamOptions};
use crate::ReconstructError;
use crate::error::positive;
use crate::planar_scan::PlanarScan;
use crate::pose_graph::{Edge, RobustLoss};
use crate::scan_match::{MatchOptions, Reference, ScanMatch, scan_match};

/// Least error of a step between neighbouring scans matched to one local map, metres and radians.
/// Most of a match's error is the local map's, and shared: real runs drift by a few centimetres in
/// 70 m.
const STEP_FLOOR: [f64; 3] = [0.004, 0.004, 0.0006];

/// Least error of a match of two distant scans, metres and radians: the two local maps share
/// nothing.
const CLOSURE_FLOOR: [f64; 3] = [0.01, 0.01, 0.002];

/// Least error of an odometry increment, metres and radians.
const ODOMETRY_FLOOR: [f64; 3] = [0.03, 0.03, 0.01];

/// The open chain of poses.
#[derive(Debug)]
pub(super) struct FrontEnd {
    pub(super) poses: Vec<Pose2>,
    pub(super) edges: Vec<Edge>,
    /// Nodes of the keyframes, ascending.
    pub(super) keyframes: Vec<usize>,
    pub(super) diagnostics: SlamDiagnostics,
}

impl FrontEnd {
    /// `guide` holds odometry at each scan, in any fixed frame.
    pub(super) fn run(
        scans: &[PlanarScan],
        guide: &[Pose2],
        options: &SlamOptions,
    ) -> Result<Self, ReconstructError> {
        positive("keyframe_m", options.keyframe_m)?;
        positive("keyframe_rad", options.keyframe_rad)?;
        positive("local_map_count", options.local_map_count as f64)?;
        positive("odometry_m_per_m", options.odometry_m_per_m)?;
        positive("odometry_rad_per_rad", options.odometry_rad_per_rad)?;
        let diagnostics = SlamDiagnostics { scan_count: scans.len(), ..Default::default() };
        let mut front = Self {
            poses: vec![guide[0]],
            edges: Vec::with_capacity(2 * scans.len()),
            keyframes: Vec::new(),
            diagnostics,
        };
        let mut local = LocalMap::default();
        let mut inlier_share_sum = 0.0;
        if scans[0].is_usable() {
            front.add_keyframe(0, scans, &mut local, options);
        } else {
            front.diagnostics.unusable_count += 1;
        }
        for node in 1..scans.len() {
            let step = guide[node - 1].inverse() * guide[node];
            let sigma = odometry_sigma(step, options);
            front.edges.push(chain_edge(node, step, information_of(sigma)));
            let previous = front.poses[node - 1];
            let found = front.place(&scans[node], &local, (previous * step, sigma), options);
            let pose = match found {
                Some(found) => {
                    let relative = previous.inverse() * found.reference_from_base;
                    front.edges.push(chain_edge(node, relative, step_information(&found)));
                    inlier_share_sum += found.inlier_share;
                    found.reference_from_base
                }
                None => previous * step,
            };
            front.poses.push(pose);
            if scans[node].is_usable() && local.is_left_behind(pose, found.is_none(), options) {
                front.add_keyframe(node, scans, &mut local, options);
            }
        }
        front.diagnostics.keyframe_count = front.keyframes.len();
        let matched_count = front.diagnostics.matched_count.max(1) as f64;
        front.diagnostics.inlier_share_mean = inlier_share_sum / matched_count;
        Ok(front)
    }

    /// The match of one scan against the local map, if it is good enough; counts what happened.
    fn place(
        &mut self,
        scan: &PlanarScan,
        local: &LocalMap,
        (guess, sigma): (Pose2, [f64; 3]),
        options: &SlamOptions,
    ) -> Option<ScanMatch> {
        if !scan.is_usable() {
            self.diagnostics.unusable_count += 1;
            return None;
        }
        let Some(reference) = &local.reference else {
            self.diagnostics.unmatched_count += 1;
            return None;
        };
        let matching = MatchOptions {
            window_m: (0.1 + 3.0 * sigma[0]).min(1.0),
            window_rad: (0.05 + 3.0 * sigma[2]).min(0.6),
            guess_sigma_m: 0.2 + 3.0 * sigma[0],
            guess_sigma_rad: 0.1 + 3.0 * sigma[2],
        };
        match scan_match(reference, scan, guess, &matching) {
            Ok(found) if found.inlier_share >= options.inlier_share_min => {
                self.diagnostics.matched_count += 1;
                Some(found)
            }
            _ => {
                self.diagnostics.unmatched_count += 1;
                None
            }
        }
    }

    fn add_keyframe(
        &mut self,
        node: usize,
        scans: &[PlanarScan],
        local: &mut LocalMap,
        options: &SlamOptions,
    ) {
        self.keyframes.push(node);
        local.nodes.push_back(node);
        if local.nodes.len() > options.local_map_count {
            local.nodes.pop_front();
        }
        local.newest = Some(self.poses[node]);
        let posed: Vec<(Pose2, &PlanarScan)> =
            local.nodes.iter().map(|node| (self.poses[*node], &scans[*node])).collect();
        local.reference = Reference::from_scans(&posed).ok();
    }
}

/// The last keyframes, laid over one another.
#[derive(Debug, Default)]
struct LocalMap {
    nodes: VecDeque<usize>,
    newest: Option<Pose2>,
    reference: Option<Reference>,
}

impl LocalMap {
    /// True if a scan at `pose` should join: it is far enough from the newest keyframe, or no
    /// keyframe knows this place.
    fn is_left_behind(&self, pose: Pose2, is_unknown: bool, options: &SlamOptions) -> bool {
        let Some(newest) = self.newest else { return true };
        let step = newest.inverse() * pose;
        is_unknown
            || step.distance_m(Pose2::IDENTITY) >= options.keyframe_m
            || step.yaw_rad.abs() >= options.keyframe_rad
    }
}

/// Standard deviations of one odometry increment: x, y (metres) and yaw (radians).
fn odometry_sigma(step: Pose2, options: &SlamOptions) -> [f64; 3] {
    let way_m = step.distance_m(Pose2::IDENTITY);
    let turn_rad = step.yaw_rad.abs();
    let sigma_m = ODOMETRY_FLOOR[0] + options.odometry_m_per_m * way_m;
    let sigma_rad = ODOMETRY_FLOOR[2] + options.odometry_rad_per_rad * (turn_rad + 0.2 * way_m);
    [sigma_m, sigma_m, sigma_rad]
}

fn information_of(sigma: [f64; 3]) -> Matrix3<f64> {
    Matrix3::from_diagonal(&Vector3::from(sigma).map(|s| 1.0 / (s * s)))
}

fn chain_edge(node: usize, step: Pose2, information: Matrix3<f64>) -> Edge {
    let loss = RobustLoss::Squared;
    Edge { from: node - 1, to: node, from_from_to: step, information, loss }
}

fn step_information(found: &ScanMatch) -> Matrix3<f64> {
    softened(found.information, STEP_FLOOR)
}

/// Information of a closure in the pose graph.
pub(super) fn closure_information(information: Matrix3<f64>) -> Matrix3<f64> {
    softened(information, CLOSURE_FLOOR)
}

/// Information of a match with its error floor added to the covariance, also where the information
/// is singular:
/// `(I^-1 + F)^-1 = (1 + I F)^-1 I`.
fn softened(information: Matrix3<f64>, floor: [f64; 3]) -> Matrix3<f64> {
    let floor = Matrix3::from_diagonal(&Vector3::from(floor).map(|s| s * s));
    let Some(inverse) = (Matrix3::identity() + information * floor).try_inverse() else {
        return information;
    };
    let softened = inverse * information;
    (softened + softened.transpose()) * 0.5
}
