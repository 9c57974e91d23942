//! The systems under test do what their deployed versions do: recover the truth from good data,
//! and survive bad data in the open.

use std::collections::BTreeMap;

use tiepoint_model::{BeaconRange, Pose2, PoseSample, Scan, Seed, math};
use tiepoint_simulate::{
    LaserSweep, ScanStream, SimulateError, TwinOutput, simulate_scan,
    systems::{
        RangeFilterInput, RangeFilterOptions, RangeFilterOutput, ScanToScanInput, range_filter,
        scan_to_scan,
    },
};

use crate::{
    scene::{
        beacons, half_turn_geometry, perfect_lidar, perfect_odometry, perfect_parameters,
        real_lidar, stamps,
    },
    twin::{Run, hall},
};

fn places() -> BTreeMap<u32, [f64; 3]> {
    beacons().into_iter().map(|beacon| (beacon.beacon_id, beacon.position_m)).collect()
}

fn filtered(run: &Run, twin: &TwinOutput, options: &RangeFilterOptions) -> RangeFilterOutput {
    let input = RangeFilterInput {
        odometry: &twin.odometry,
        ranges: &twin.ranges,
        beacons: &places(),
        map_from_base_start: run.trajectory[0].map_from_base,
    };
    range_filter(&input, options).unwrap()
}

/// Root mean square of the position error, metres, and the largest.
fn errors_m(run: &Run, output: &RangeFilterOutput) -> (f64, f64) {
    let knots = run.trajectory.iter().map(|knot| (knot.stamps.log, knot.map_from_base));
    let truth = tiepoint_simulate::Track::new(knots).unwrap();
    let of = |pose: &tiepoint_simulate::TimedPose| {
        truth.at(pose.stamps.measured()).unwrap().distance_m(pose.map_from_base)
    };
    let errors: Vec<f64> = output.poses.iter().map(of).collect();
    let square: f64 = errors.iter().map(|error| error * error).sum();
    let largest = errors.iter().copied().fold(0.0, f64::max);
    ((square / errors.len() as f64).sqrt(), largest)
}

/// Odometry poses at the stamps of the ranges too, so that nothing is interpolated along a curve.
fn perfect_run() -> (Run, TwinOutput) {
    let mut run = Run::new(120);
    run.parameters = perfect_parameters();
    let mut times: Vec<_> = run.odometry_stamps.clone();
    times.extend(run.range_slots.iter().map(|slot| slot.stamps));
    times.sort_by_key(|stamps| stamps.log);
    times.dedup();
    run.odometry_stamps = times;
    let twin = run.twin(&hall(), Seed(4)).unwrap();
    (run, twin)
}

/// Ranges are written as f32: half a step at 30 m is 1e-6 m.
#[test]
fn the_filter_recovers_the_truth_from_perfect_samples() {
    let (run, twin) = perfect_run();
    for options in [RangeFilterOptions::GATED, RangeFilterOptions::UNGATED] {
        let output = filtered(&run, &twin, &options);
        assert_eq!(output.poses.len(), 119);
        assert_eq!(output.used_count, 4 * 119);
        let (_, largest_m) = errors_m(&run, &output);
        assert!(largest_m < 1e-5, "{largest_m}");
    }
}

/// Odometry 3 % short drifts by decimetres; ranges of 10 cm noise hold the filter within 10 cm.
#[test]
fn ranges_hold_the_filter_where_odometry_drifts() {
    let mut run = Run::new(300);
    let odometry = tiepoint_model::sensor::OdometryModel {
        scale: 0.97,
        yaw_bias_rad_per_m: 0.004,
        ..perfect_odometry()
    };
    run.parameters.odometry = Some(odometry);
    let error = tiepoint_model::sensor::RangeErrorModel::Gaussian { mean_m: 0.0, sigma_m: 0.1 };
    run.parameters.beacons.iter_mut().for_each(|beacon| beacon.error = error.clone());
    let twin = run.twin(&hall(), Seed(4)).unwrap();
    let (with_ranges_m, _) = errors_m(&run, &filtered(&run, &twin, &RangeFilterOptions::GATED));
    assert!(with_ranges_m < 0.1, "{with_ranges_m}");
    let start = run.trajectory[0].map_from_base;
    let last = twin.odometry.last().unwrap().frame_from_child.in_plane();
    let drift_m = (start * last).distance_m(run.trajectory[299].map_from_base);
    assert!(drift_m > 0.3, "{drift_m}");
}

#[test]
fn the_gate_refuses_a_gross_outlier() {
    let (run, mut twin) = perfect_run();
    twin.ranges[201].range_m += 5.0;
    let gated = filtered(&run, &twin, &RangeFilterOptions::GATED);
    assert_eq!((gated.gated_count, gated.used_count), (1, 4 * 119 - 1));
    let ungated = filtered(&run, &twin, &RangeFilterOptions::UNGATED);
    assert_eq!(ungated.gated_count, 0);
    let (largest_gated_m, largest_ungated_m) =
        (errors_m(&run, &gated).1, errors_m(&run, &ungated).1);
    assert!(largest_gated_m < 1e-5 && largest_ungated_m > 0.1, "{largest_ungated_m}");
}

#[test]
fn missing_and_unknown_ranges_are_skipped_and_counted() {
    let (run, mut twin) = perfect_run();
    twin.ranges[8].range_m = f32::NAN;
    twin.ranges[9].range_m = 0.0;
    twin.ranges[10].range_m = f32::INFINITY;
    twin.ranges[11].beacon_id = 77;
    twin.odometry[5].frame_from_child.translation_m.x = f64::NAN;
    let output = filtered(&run, &twin, &RangeFilterOptions::GATED);
    assert_eq!((output.missing_count, output.unknown_beacon_count), (3, 1));
    assert_eq!(output.odometry_left_out_count, 1);
    assert_eq!(output.used_count, 4 * 119 - 4);
    // An instant without a usable range has a pose all the same.
    assert_eq!(output.poses.len(), 119);
}

#[test]
fn the_order_of_the_ranges_in_the_input_does_not_matter_between_times() {
    let (run, mut twin) = perfect_run();
    let in_order = filtered(&run, &twin, &RangeFilterOptions::GATED);
    let groups: Vec<Vec<BeaconRange>> = twin.ranges.chunks(4).map(<[_]>::to_vec).collect();
    twin.ranges = groups.into_iter().rev().flatten().collect();
    assert_eq!(filtered(&run, &twin, &RangeFilterOptions::GATED), in_order);
}

#[test]
fn a_filter_without_odometry_or_with_nonsense_gives_an_error() {
    let (run, twin) = perfect_run();
    let beacons = places();
    let good = RangeFilterInput {
        odometry: &twin.odometry,
        ranges: &twin.ranges,
        beacons: &beacons,
        map_from_base_start: run.trajectory[0].map_from_base,
    };
    let run_with = |input| range_filter(&input, &RangeFilterOptions::GATED).unwrap_err();
    let none = RangeFilterInput { odometry: &[], ..good };
    assert_eq!(run_with(none), SimulateError::Empty { what: "odometry" });
    let start = Pose2 { x_m: f64::INFINITY, ..Pose2::IDENTITY };
    let lost = RangeFilterInput { map_from_base_start: start, ..good };
    assert!(matches!(run_with(lost), SimulateError::NotFinite { .. }));
    let far = RangeFilterInput { map_from_base_start: Pose2::new(1e300, 1e300, 0.0), ..good };
    // Without a gate: a gate would refuse every range from there.
    let diverged = range_filter(&far, &RangeFilterOptions::UNGATED);
    assert!(matches!(diverged, Err(SimulateError::Diverged { system: "range_filter", .. })));
    let zero = RangeFilterOptions { range_sigma_m: 0.0, ..RangeFilterOptions::GATED };
    assert!(matches!(range_filter(&good, &zero), Err(SimulateError::Parameter { .. })));
}

fn scan_at(map_from_base: Pose2, time_ns: i64, is_perfect: bool) -> Scan {
    let geometry = half_turn_geometry();
    let base_from_laser = perfect_parameters().base_from_laser;
    let sweep = LaserSweep::still(map_from_base * base_from_laser);
    let stream = ScanStream { seed: Seed(3), frame_index: time_ns.cast_unsigned() };
    let model = if is_perfect { perfect_lidar() } else { real_lidar() };
    Scan {
        stamps: stamps(time_ns),
        frame_id: "laser".into(),
        angle_min_rad: geometry.angle_min_rad,
        angle_increment_rad: geometry.angle_increment_rad,
        range_min_m: geometry.range_min_m,
        range_max_m: geometry.range_max_m,
        time_increment_s: 0.0,
        ranges_m: simulate_scan(&hall(), sweep, &geometry, &model, stream).unwrap(),
        intensities: Vec::new(),
    }
}

fn odometry_at(odom_from_base: Pose2, time_ns: i64) -> PoseSample {
    PoseSample {
        stamps: stamps(time_ns),
        frame_id: "odom".into(),
        child_frame_id: "base_link".into(),
        frame_from_child: odom_from_base.in_space(),
    }
}

/// Lines at corners are a little off, so that perfect ranges give half a millimetre; 1 cm of noise
/// over 300 beams gives a few.
#[test]
fn scan_matching_recovers_a_known_motion() {
    let start = Pose2::new(8.0, 6.5, 0.4);
    for (is_perfect, limit_m, limit_rad) in [(true, 0.0015, 0.0003), (false, 0.008, 0.002)] {
        for (true_step, guess_error) in [
            (Pose2::new(0.31, 0.02, 0.08), Pose2::new(0.05, -0.04, 0.03)),
            (Pose2::new(0.0, 0.0, -0.5), Pose2::new(0.02, 0.02, -0.05)),
            (Pose2::new(-0.2, 0.0, 0.1), Pose2::IDENTITY),
            (Pose2::IDENTITY, Pose2::IDENTITY),
        ] {
            let scans = [scan_at(start, 0, is_perfect), scan_at(start * true_step, 1, is_perfect)];
            let odometry = [odometry_at(start, 0), odometry_at(start * true_step * guess_error, 1)];
            let base_from_laser = perfect_parameters().base_from_laser;
            let input = ScanToScanInput { scans: &scans, odometry: &odometry, base_from_laser };
            let motion = scan_to_scan(&input).unwrap().motions[0];
            let off = true_step.inverse() * motion.previous_from_current;
            assert!(!motion.is_first_guess && motion.matched_count > 200);
            assert!(off.distance_m(Pose2::IDENTITY) < limit_m, "{off:?} {is_perfect}");
            assert!(off.yaw_rad.abs() < limit_rad, "{off:?} {is_perfect}");
        }
    }
}

/// On a whole run matching beats odometry by far.
#[test]
fn scan_matching_follows_a_run() {
    let run = Run::new(120);
    let twin = run.twin(&hall(), Seed(4)).unwrap();
    let input = ScanToScanInput {
        scans: &twin.scans,
        odometry: &twin.odometry,
        base_from_laser: run.parameters.base_from_laser,
    };
    let output = scan_to_scan(&input).unwrap();
    assert_eq!((output.motions.len(), output.first_guess_count), (119, 0));
    assert!(output.missing_count > 0);
    let mut square_m2 = 0.0;
    for (pair, motion) in run.trajectory.windows(2).zip(&output.motions) {
        let true_step = pair[0].map_from_base.inverse() * pair[1].map_from_base;
        square_m2 += math::pow(true_step.distance_m(motion.previous_from_current), 2.0);
    }
    let error_m = (square_m2 / 119.0).sqrt();
    assert!(error_m < 0.006, "{error_m}");
}

#[test]
fn scans_that_show_nothing_give_the_first_guess_and_are_counted() {
    let good = scan_at(Pose2::new(8.0, 6.5, 0.0), 0, true);
    let mut blind = scan_at(Pose2::new(8.0, 6.5, 0.0), 1, true);
    blind.ranges_m.fill(f32::NAN);
    let empty = Scan { ranges_m: Vec::new(), stamps: stamps(2), ..good.clone() };
    let scans = [good, blind, empty];
    let odometry = [odometry_at(Pose2::IDENTITY, 0), odometry_at(Pose2::new(0.5, 0.0, 0.0), 1)];
    let base_from_laser = Pose2::IDENTITY;
    let input = ScanToScanInput { scans: &scans, odometry: &odometry, base_from_laser };
    let output = scan_to_scan(&input).unwrap();
    assert_eq!((output.first_guess_count, output.missing_count), (2, 361));
    let first = output.motions[0];
    assert!(first.is_first_guess && (first.previous_from_current.x_m - 0.5).abs() < 1e-12);
    let without = ScanToScanInput { odometry: &[], ..input };
    let first = scan_to_scan(&without).unwrap().motions[0];
    assert_eq!(first.previous_from_current, Pose2::IDENTITY);
    let none = ScanToScanInput { scans: &[], ..input };
    assert!(scan_to_scan(&none).unwrap().motions.is_empty());
}
