//! Laws of the trajectory estimate, on drives through a known world.

use tiepoint_model::{Pose2, Scan, Seed, Timestamp, math, math::wrap_angle};

use super::{
    GroundTruthUse, SlamInput, SlamOptions, SlamResult, StampedPose, estimate_trajectory,
    interpolate,
};
use crate::ReconstructError;
use crate::test_world::{PERIOD_NS, Scanner, drive, odometry, ring};

struct Run {
    truth: Vec<Pose2>,
    scans: Vec<Scan>,
    odometry: Vec<StampedPose>,
    scanner: Scanner,
}

fn run(scan_count: usize) -> Run {
    run_with(scan_count, 0.01)
}

fn run_with(scan_count: usize, sigma_m: f64) -> Run {
    let truth = drive(scan_count);
    let scanner = Scanner::new(sigma_m);
    let walls = ring();
    let scans =
        truth.iter().enumerate().map(|(frame, pose)| scanner.scan(&walls, *pose, frame)).collect();
    let odometry = odometry(&truth, Seed(2));
    Run { truth, scans, odometry, scanner }
}

impl Run {
    fn input(&self) -> SlamInput<'_> {
        SlamInput {
            scans: &self.scans,
            base_from_laser: self.scanner.base_from_laser,
            odometry: &self.odometry,
            ground_truth: None,
        }
    }

    fn stamped_truth(&self) -> Vec<StampedPose> {
        let frames = self.truth.iter().enumerate();
        frames
            .map(|(frame, pose)| StampedPose {
                stamp: Timestamp(frame as i64 * PERIOD_NS),
                fixed_from_base: *pose,
            })
            .collect()
    }

    /// Root mean square position error after laying the estimate on the truth by least squares.
    fn error_m(&self, estimate: &[StampedPose]) -> f64 {
        let count = estimate.len() as f64;
        let points = estimate.iter().map(|p| p.fixed_from_base).zip(&self.truth);
        let (mut mean_a, mut mean_b) = ([0.0; 2], [0.0; 2]);
        for (a, b) in points.clone() {
            mean_a = [mean_a[0] + a.x_m / count, mean_a[1] + a.y_m / count];
            mean_b = [mean_b[0] + b.x_m / count, mean_b[1] + b.y_m / count];
        }
        let centred = points.map(|(a, b)| {
            ([a.x_m - mean_a[0], a.y_m - mean_a[1]], [b.x_m - mean_b[0], b.y_m - mean_b[1]])
        });
        let (mut cos, mut sin) = (0.0, 0.0);
        for (a, b) in centred.clone() {
            cos += a[0] * b[0] + a[1] * b[1];
            sin += a[0] * b[1] - a[1] * b[0];
        }
        let turn = Pose2::new(0.0, 0.0, math::atan2(sin, cos));
        let squares = centred.map(|(a, b)| {
            let [x, y] = turn.transform(a);
            (x - b[0]) * (x - b[0]) + (y - b[1]) * (y - b[1])
        });
        (squares.sum::<f64>() / count).sqrt()
    }
}

fn open(options: SlamOptions) -> SlamOptions {
    SlamOptions { loop_round_count: 0, ..options }
}

/// A lap and a half with 1 cm of noise: 75 m. Odometry ends metres away.
#[test]
fn the_estimate_is_within_three_centimetres_of_the_truth() {
    let run = run(300);
    let found = estimate_trajectory(&run.input(), &SlamOptions::indoor()).unwrap();
    let (odometry_m, found_m) = (run.error_m(&run.odometry), run.error_m(&found.poses));
    assert!(odometry_m > 1.0, "{odometry_m}");
    assert!(found_m < 0.03, "{found_m}");
    assert_eq!(found.diagnostics.matched_count, 299);
    assert_eq!(found.poses.len(), 300);
}

/// A coarse scanner (8 cm) and a short local map drift; recognising the first half of the lap
/// takes the drift out.
#[test]
fn loop_closure_lowers_the_error() {
    let run = run_with(300, 0.08);
    let options = SlamOptions { local_map_count: 3, ..SlamOptions::indoor() };
    let without = estimate_trajectory(&run.input(), &open(options)).unwrap();
    let with = estimate_trajectory(&run.input(), &options).unwrap();
    let (without_m, with_m) = (run.error_m(&without.poses), run.error_m(&with.poses));
    assert!(with_m < 0.7 * without_m, "{with_m} {without_m}");
    assert!(with.loop_closures.len() >= 10 && with.diagnostics.has_converged);
}

#[test]
fn the_same_run_gives_the_same_bits() {
    let bits = || {
        let result = estimate_trajectory(&run(100).input(), &SlamOptions::indoor()).unwrap();
        let poses = result.poses.iter().map(|pose| pose.fixed_from_base);
        poses.flat_map(|p| [p.x_m, p.y_m, p.yaw_rad].map(f64::to_bits)).collect::<Vec<_>>()
    };
    assert_eq!(bits(), bits());
}

/// The odometry's frame is arbitrary: starting elsewhere moves the result along.
/// Tolerance: voxels and lattice lie differently in the moved frame.
#[test]
fn moving_the_odometry_frame_moves_the_estimate() {
    let mut run = run(80);
    let options = open(SlamOptions::indoor());
    let plain = estimate_trajectory(&run.input(), &options).unwrap();
    let elsewhere = Pose2::new(31.0, -7.0, 1.3);
    for pose in &mut run.odometry {
        pose.fixed_from_base = elsewhere * pose.fixed_from_base;
    }
    let moved = estimate_trajectory(&run.input(), &options).unwrap();
    for (a, b) in plain.poses.iter().zip(&moved.poses) {
        assert!((elsewhere * a.fixed_from_base).distance_m(b.fixed_from_base) < 0.05);
    }
}

/// Twelve blind scans in a row: counted, bridged by odometry, and the run goes on.
#[test]
fn blind_scans_are_bridged_and_counted() {
    let mut run = run(120);
    for (index, scan) in run.scans.iter_mut().enumerate() {
        match index {
            0 => scan.ranges_m.fill(f32::NAN),
            50..=60 => scan.ranges_m.fill(0.0),
            _ => (),
        }
    }
    let result = estimate_trajectory(&run.input(), &SlamOptions::indoor()).unwrap();
    assert_eq!(result.diagnostics.unusable_count, 12);
    assert!(run.error_m(&result.poses) < 0.15, "{}", run.error_m(&result.poses));
    for scan in &mut run.scans {
        scan.ranges_m.fill(0.0);
    }
    let blind = estimate_trajectory(&run.input(), &SlamOptions::indoor()).unwrap();
    assert_eq!(blind.diagnostics.unusable_count, 120);
    for (a, b) in blind.poses.iter().zip(&run.odometry) {
        // Nothing but odometry edges: they are satisfied exactly.
        assert!(a.fixed_from_base.distance_m(b.fixed_from_base) < 1e-6);
    }
}

/// Ground truth at every other scan and not at the ends: interpolated between, carried on by
/// odometry outside.
#[test]
fn ground_truth_is_interpolated_and_its_ends_are_bridged() {
    let run = run(60);
    let truth: Vec<StampedPose> =
        run.stamped_truth().into_iter().skip(2).step_by(2).take(27).collect();
    let ground_truth = Some((truth.as_slice(), GroundTruthUse::Interpolate));
    let input = SlamInput { ground_truth, ..run.input() };
    let result = estimate_trajectory(&input, &SlamOptions::indoor()).unwrap();
    assert_eq!(result.diagnostics.ground_truth_missing_count, 2 + 5);
    for (index, pose) in result.poses.iter().enumerate() {
        // Between two poses 0.5 m apart the way bends by less than 2 cm; odometry adds a few per
        // cent of 1.25 m.
        let tolerance_m = if (2..=54).contains(&index) { 0.03 } else { 0.1 };
        let error_m = pose.fixed_from_base.distance_m(run.truth[index]);
        assert!(error_m < tolerance_m, "{index}: {error_m}");
    }
    // Without odometry the ends are held.
    let bare = SlamInput { odometry: &[], ..input };
    let held = estimate_trajectory(&bare, &SlamOptions::indoor()).unwrap();
    assert_eq!(held.poses[0].fixed_from_base, truth[0].fixed_from_base);
}

/// A reference with 3 cm of noise per pose, smoothed by the scans, is nearer to the truth than it
/// was.
#[test]
fn fusing_noisy_ground_truth_lowers_its_error() {
    let run = run(120);
    let mut noisy = run.stamped_truth();
    for (frame, pose) in noisy.iter_mut().enumerate() {
        let mut draws = Seed(6).draws(frame as u64, 0);
        let noise = Pose2::new(0.03 * draws.normal(), 0.03 * draws.normal(), 0.01 * draws.normal());
        pose.fixed_from_base = pose.fixed_from_base * noise;
    }
    let usage = GroundTruthUse::Fuse { sigma_m: 0.03, sigma_rad: 0.01 };
    let input = SlamInput { ground_truth: Some((&noisy, usage)), ..run.input() };
    let fused = estimate_trajectory(&input, &SlamOptions::indoor()).unwrap();
    let (before_m, after_m) = (run.error_m(&noisy), run.error_m(&fused.poses));
    assert!(after_m < 0.6 * before_m, "{after_m} {before_m}");
}

#[test]
fn input_that_makes_no_sense_is_refused() {
    let run = run(10);
    let refused = |input: &SlamInput<'_>| -> ReconstructError {
        estimate_trajectory(input, &SlamOptions::indoor()).map(|_: SlamResult| ()).unwrap_err()
    };
    let empty = SlamInput { scans: &[], ..run.input() };
    assert_eq!(refused(&empty), ReconstructError::Empty { what: "scan" });
    let no_odometry = SlamInput { odometry: &[], ..run.input() };
    assert_eq!(refused(&no_odometry), ReconstructError::Empty { what: "odometry" });
    let mut swapped = run.scans.clone();
    swapped.swap(3, 4);
    let unsorted = SlamInput { scans: &swapped, ..run.input() };
    assert_eq!(refused(&unsorted), ReconstructError::Unsorted { what: "scan", index: 4 });
    let mut nowhere = run.odometry.clone();
    nowhere[5].fixed_from_base.x_m = f64::NAN;
    let not_finite = SlamInput { odometry: &nowhere, ..run.input() };
    assert_eq!(refused(&not_finite), ReconstructError::NotFinite { what: "odometry", index: 5 });
    let zero = SlamOptions { keyframe_m: 0.0, ..SlamOptions::indoor() };
    assert!(matches!(
        estimate_trajectory(&run.input(), &zero),
        Err(ReconstructError::BadOption { option: "keyframe_m", .. })
    ));
    let one = SlamInput { scans: &run.scans[..1], ..run.input() };
    assert_eq!(estimate_trajectory(&one, &SlamOptions::indoor()).unwrap().poses.len(), 1);
}

#[test]
fn interpolation_turns_the_short_way_and_marks_what_lies_outside() {
    let at = |ns: i64, yaw_rad: f64| StampedPose {
        stamp: Timestamp(ns),
        fixed_from_base: Pose2::new(ns as f64, 0.0, yaw_rad),
    };
    let recorded = [at(0, 3.0), at(10, -3.0), at(10, -2.0), at(20, -2.0)];
    let stamps = [-1, 0, 5, 10, 15, 20, 21].map(Timestamp);
    let found = interpolate(&recorded, &stamps, "odometry").unwrap();
    assert_eq!(found.is_outside, [true, false, false, false, false, false, true]);
    let x: Vec<f64> = found.poses.iter().map(|pose| pose.x_m).collect();
    assert_eq!(x, [0.0, 0.0, 5.0, 10.0, 15.0, 20.0, 20.0]);
    let half_way = wrap_angle(found.poses[2].yaw_rad - std::f64::consts::PI);
    assert!(half_way.abs() < 1e-12, "{half_way}");
    // Of two poses with one stamp the later counts.
    assert_eq!(found.poses[3].yaw_rad, -2.0);
}
