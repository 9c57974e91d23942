//! Point-to-line refinement: Gauss-Newton on the distances of the scan's points to the reference's
//! lines.
//!
//! Invariant: the step is solved in the robot's own axes (right perturbation), so the information
//! returned is in them too.
//! Metres, radians.

use nalgebra::{Matrix3, Vector3};
use tiepoint_model::{Pose2, math::wrap_angle};

use super::{MatchOptions, Reference, ScanMatch};
use crate::ReconstructError;
use crate::geometry::{Motion, dot, minus};
use crate::planar_scan::PlanarScan;

/// Fewest points with a partner.
const MINIMUM_PAIRS: usize = 10;

const MAXIMUM_STEPS: usize = 25;

/// How many neighbouring beams err together, in effect: surface, pose and map errors are shared
/// along a wall.
/// The scan matches of one run scatter as if one beam in about ten were independent.
const CORRELATED_BEAMS: f64 = 10.0;

/// Sums over the pairs of one step.
struct Sums {
    hessian: Matrix3<f64>,
    gradient: Vector3<f64>,
    pair_count: usize,
    inlier_count: usize,
    inlier_squares: f64,
}

pub(super) fn refine(
    reference: &Reference,
    scan: &PlanarScan,
    start: Pose2,
    (guess, options): (Pose2, &MatchOptions),
) -> Result<ScanMatch, ReconstructError> {
    let scatter_m = scan.scatter_m.max(reference.scatter_m());
    let kernel_floor_m = 0.03_f64.max(1.5 * scatter_m);
    let radius_floor_m = 0.15_f64.max(3.0 * scatter_m);
    let prior = guess_information(options);
    let mut pose = start;
    let mut radius_m = reference.search_radius_m();
    let mut kernel_m = 3.0 * kernel_floor_m;
    let mut iteration_count = 0;
    for step in 0..MAXIMUM_STEPS {
        iteration_count = step + 1;
        let sums = pairs(reference, scan, pose, (radius_m, kernel_m));
        let variance = kernel_floor_m * kernel_floor_m;
        // The guess enters as a weak prior: it decides only what the scan leaves open.
        let toward_guess = deviation(pose, guess);
        let hessian = sums.hessian / variance + prior;
        let gradient = sums.gradient / variance + prior * toward_guess;
        let Some(factor) = hessian.cholesky() else { break };
        let delta = factor.solve(&-gradient);
        pose = pose * Pose2::new(delta.x, delta.y, delta.z);
        let is_small = delta.x.abs() + delta.y.abs() < 1e-4 && delta.z.abs() < 1e-4;
        let at_floor = radius_m <= radius_floor_m && kernel_m <= kernel_floor_m;
        if is_small && at_floor {
            break;
        }
        radius_m = (radius_m * 0.7).max(radius_floor_m);
        kernel_m = (kernel_m * 0.7).max(kernel_floor_m);
    }
    let sums = pairs(reference, scan, pose, (radius_floor_m, kernel_floor_m));
    if sums.pair_count < MINIMUM_PAIRS || !pose.is_finite() {
        return Err(ReconstructError::NoOverlap {
            paired_count: sums.pair_count,
            minimum: MINIMUM_PAIRS,
        });
    }
    let residual_rms_m = (sums.inlier_squares / sums.inlier_count.max(1) as f64).sqrt();
    let sigma_m = residual_rms_m.max(0.01);
    let information = sums.hessian / (sigma_m * sigma_m * CORRELATED_BEAMS);
    let covariance = (information + prior).try_inverse().unwrap_or_else(Matrix3::identity);
    Ok(ScanMatch {
        reference_from_base: pose,
        information,
        covariance,
        inlier_share: sums.inlier_count as f64 / scan.points.len() as f64,
        residual_rms_m,
        iteration_count,
    })
}

fn guess_information(options: &MatchOptions) -> Matrix3<f64> {
    let per_metre = 1.0 / (options.guess_sigma_m * options.guess_sigma_m);
    let per_radian = 1.0 / (options.guess_sigma_rad * options.guess_sigma_rad);
    Matrix3::from_diagonal(&Vector3::new(per_metre, per_metre, per_radian))
}

/// The pose minus the guess, in the robot's axes.
fn deviation(pose: Pose2, guess: Pose2) -> Vector3<f64> {
    let shift = Motion::of(pose).direction_back([pose.x_m - guess.x_m, pose.y_m - guess.y_m]);
    Vector3::new(shift[0], shift[1], wrap_angle(pose.yaw_rad - guess.yaw_rad))
}

fn pairs(
    reference: &Reference,
    scan: &PlanarScan,
    pose: Pose2,
    (radius_m, kernel_m): (f64, f64),
) -> Sums {
    let motion = Motion::of(pose);
    let inlier_m = 0.1_f64.max(3.0 * scan.scatter_m.max(reference.scatter_m()));
    let mut sums = Sums {
        hessian: Matrix3::zeros(),
        gradient: Vector3::zeros(),
        pair_count: 0,
        inlier_count: 0,
        inlier_squares: 0.0,
    };
    for point in &scan.points {
        let place = motion.point(point.in_base_m);
        let facing = point.normal.map(|normal| motion.direction(normal));
        let Some(surfel) = reference.nearest(place, facing, radius_m) else { continue };
        let distance_m = dot(minus(place, surfel.point_m), surfel.normal);
        let normal = motion.direction_back(surfel.normal);
        let [x, y] = point.in_base_m;
        let row = Vector3::new(normal[0], normal[1], x * normal[1] - y * normal[0]);
        let scaled = distance_m / kernel_m;
        let weight = 1.0 / (1.0 + scaled * scaled);
        sums.hessian += row * row.transpose() * weight;
        sums.gradient += row * (weight * distance_m);
        sums.pair_count += 1;
        if distance_m.abs() <= inlier_m {
            sums.inlier_count += 1;
            sums.inlier_squares += distance_m * distance_m;
        }
    }
    sums
}
