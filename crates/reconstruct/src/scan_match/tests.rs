//! Laws of scan matching, on scans of a known world.

use tiepoint_model::{Pose2, Scan, math::wrap_angle};

use super::{MatchOptions, Reference, ScanMatch, refine_match, scan_match};
use crate::ReconstructError;
use crate::planar_scan::PlanarScan;
use crate::test_world::{Scanner, ring, walls_of_box};

const OPTIONS: MatchOptions =
    MatchOptions { window_m: 0.6, window_rad: 0.6, guess_sigma_m: 0.6, guess_sigma_rad: 0.6 };

fn planar(scan: &Scan) -> PlanarScan {
    PlanarScan::new(scan, Scanner::new(0.0).base_from_laser)
}

fn seen(pose: Pose2, frame: usize) -> PlanarScan {
    planar(&Scanner::new(0.01).scan(&ring(), pose, frame))
}

fn pair(map_from_a: Pose2, a_from_b: Pose2, guess: Pose2) -> ScanMatch {
    let a = seen(map_from_a, 1);
    let reference = Reference::from_scans(&[(Pose2::IDENTITY, &a)]).unwrap();
    scan_match(&reference, &seen(map_from_a * a_from_b, 2), guess, &OPTIONS).unwrap()
}

/// Steps of 0.3 m and up to 0.4 rad, guessed as standing still.
/// Tolerance: 1 cm of noise over some 150 beams leaves millimetres; the rest is the change of view
/// at corners.
#[test]
fn a_known_motion_is_recovered_without_a_guess() {
    for (index, turn) in [-0.4, -0.2, 0.0, 0.15, 0.4].into_iter().enumerate() {
        let place = Pose2::new(3.0 + 3.2 * index as f64, 2.0, 0.1 * index as f64);
        let step = Pose2::new(0.3, 0.05, turn);
        let found = pair(place, step, Pose2::IDENTITY);
        let error_m = found.reference_from_base.distance_m(step);
        let error_rad = wrap_angle(found.reference_from_base.yaw_rad - turn).abs();
        assert!(error_m < 0.015, "place {index}: {error_m} m");
        assert!(error_rad < 0.005, "place {index}: {error_rad} rad");
        assert!(found.inlier_share > 0.6, "place {index}: {}", found.inlier_share);
        assert!(found.residual_rms_m < 0.03);
    }
}

/// Tolerance: the lattice and the voxels lie differently in a turned frame, a few millimetres
/// after refinement.
#[test]
fn moving_the_reference_moves_the_answer() {
    let place = Pose2::new(6.0, 2.1, 0.2);
    let step = Pose2::new(0.25, -0.03, 0.1);
    let (a, b) = (seen(place, 1), seen(place * step, 2));
    let still = Reference::from_scans(&[(Pose2::IDENTITY, &a)]).unwrap();
    let plain = scan_match(&still, &b, Pose2::IDENTITY, &OPTIONS).unwrap().reference_from_base;
    for elsewhere in [Pose2::new(100.3, -57.7, 0.0), Pose2::new(-3.1, 8.0, 2.4)] {
        let moved = Reference::from_scans(&[(elsewhere, &a)]).unwrap();
        let found = scan_match(&moved, &b, elsewhere, &OPTIONS).unwrap().reference_from_base;
        let back = elsewhere.inverse() * found;
        assert!(back.distance_m(plain) < 0.005, "{back:?} {plain:?}");
        assert!(wrap_angle(back.yaw_rad - plain.yaw_rad).abs() < 0.002);
    }
}

#[test]
fn the_same_input_gives_the_same_bits() {
    let bits = || {
        let found = pair(Pose2::new(9.0, 2.0, 0.0), Pose2::new(0.3, 0.0, 0.1), Pose2::IDENTITY);
        let pose = found.reference_from_base;
        let mut all = vec![pose.x_m.to_bits(), pose.y_m.to_bits(), pose.yaw_rad.to_bits()];
        all.extend(found.information.iter().map(|value| value.to_bits()));
        all
    };
    assert_eq!(bits(), bits());
}

/// Two parallel walls say nothing about the place between their ends: there the guess must hold.
#[test]
fn a_corridor_leaves_its_direction_open() {
    let walls = vec![([-40.0, -1.0], [40.0, -1.0]), ([-40.0, 1.2], [40.0, 1.2])];
    let scanner = Scanner::new(0.005);
    let a = planar(&scanner.scan(&walls, Pose2::IDENTITY, 1));
    let b = planar(&scanner.scan(&walls, Pose2::new(0.2, 0.1, 0.05), 2));
    let reference = Reference::from_scans(&[(Pose2::IDENTITY, &a)]).unwrap();
    let guess = Pose2::new(0.2, 0.0, 0.0);
    let tight = MatchOptions { window_m: 0.3, guess_sigma_m: 0.1, ..OPTIONS };
    let found = scan_match(&reference, &b, guess, &tight).unwrap();
    assert!((found.reference_from_base.y_m - 0.1).abs() < 0.01);
    assert!((found.reference_from_base.yaw_rad - 0.05).abs() < 0.005);
    assert!((found.reference_from_base.x_m - 0.2).abs() < 0.15);
    // In the robot's axes the corridor runs along x, turned by 0.05 rad.
    let ratio = found.information[(0, 0)] / found.information[(1, 1)];
    assert!(ratio < 0.02, "{ratio}");
    assert!(found.covariance.iter().all(|value| value.is_finite()));
    assert!(found.covariance[(0, 0)] > 20.0 * found.covariance[(1, 1)]);
}

/// The information must be the curvature that the residuals show: 25 pairs of scans at one place
/// scatter by what it says.
/// The factor between them is wide because correlated beams are allowed for by one constant.
#[test]
fn the_covariance_is_of_the_size_of_the_error() {
    let (place, step) = (Pose2::new(5.0, 2.0, 0.1), Pose2::new(0.2, 0.02, 0.08));
    let mut square_sum = 0.0;
    let mut predicted_sum = 0.0;
    for trial in 0..25 {
        let (a, b) = (seen(place, 2 * trial), seen(place * step, 2 * trial + 1));
        let reference = Reference::from_scans(&[(Pose2::IDENTITY, &a)]).unwrap();
        let found = scan_match(&reference, &b, step, &OPTIONS).unwrap();
        let error = step.inverse() * found.reference_from_base;
        square_sum += error.x_m * error.x_m + error.y_m * error.y_m;
        predicted_sum += found.covariance[(0, 0)] + found.covariance[(1, 1)];
    }
    let ratio = (square_sum / predicted_sum).sqrt();
    assert!((0.2..3.0).contains(&ratio), "{ratio}");
}

#[test]
fn what_cannot_be_matched_is_refused_with_a_reason() {
    let full = seen(Pose2::new(6.0, 2.0, 0.0), 1);
    let mut blind = Scanner::new(0.0).scan(&ring(), Pose2::new(6.0, 2.0, 0.0), 1);
    blind.ranges_m.fill(0.0);
    let blind = planar(&blind);
    let empty = ReconstructError::EmptyReference { usable_count: 0, minimum: 8 };
    assert_eq!(Reference::from_scans(&[]).unwrap_err(), empty);
    assert_eq!(Reference::from_scans(&[(Pose2::IDENTITY, &blind)]).unwrap_err(), empty);
    let nowhere = Pose2 { x_m: f64::NAN, y_m: 0.0, yaw_rad: 0.0 };
    assert!(matches!(
        Reference::from_scans(&[(nowhere, &full)]),
        Err(ReconstructError::NotFinite { .. })
    ));
    let reference = Reference::from_scans(&[(Pose2::IDENTITY, &full)]).unwrap();
    let check = |scan: &PlanarScan, guess: Pose2, options: &MatchOptions| {
        scan_match(&reference, scan, guess, options).unwrap_err()
    };
    assert!(matches!(
        check(&blind, Pose2::IDENTITY, &OPTIONS),
        ReconstructError::UnusableScan { valid_count: 0, .. }
    ));
    assert!(matches!(check(&full, nowhere, &OPTIONS), ReconstructError::NotFinite { .. }));
    let far = Pose2::new(500.0, 0.0, 0.0);
    assert!(matches!(check(&full, far, &OPTIONS), ReconstructError::NoOverlap { .. }));
    let no_window = MatchOptions { window_m: f64::NAN, ..OPTIONS };
    assert!(matches!(
        check(&full, Pose2::IDENTITY, &no_window),
        ReconstructError::BadOption { option: "window_m", .. }
    ));
}

/// Ranges that no scanner has, and windows that no computer searches, end in an answer or a reason.
#[test]
fn absurd_values_are_survived() {
    let mut absurd = Scanner::new(0.0).scan(&ring(), Pose2::new(6.0, 2.0, 0.0), 1);
    absurd.range_max_m = f64::INFINITY;
    for range_m in absurd.ranges_m.iter_mut().step_by(3) {
        *range_m = f32::MAX;
    }
    let full = seen(Pose2::new(6.0, 2.0, 0.0), 1);
    let both = [(Pose2::IDENTITY, &planar(&absurd)), (Pose2::new(1e12, 0.0, 0.0), &full)];
    let reference = Reference::from_scans(&both).unwrap();
    let found = scan_match(&reference, &planar(&absurd), Pose2::IDENTITY, &OPTIONS).unwrap();
    assert!(found.reference_from_base.distance_m(Pose2::IDENTITY) < 0.01);
    let wide = MatchOptions { window_m: 1e9, ..OPTIONS };
    assert!(matches!(
        scan_match(&reference, &full, Pose2::IDENTITY, &wide),
        Err(ReconstructError::BadOption { option: "window_m", .. })
    ));
}

/// Two bare rooms of different size do not fit, and the score says so.
#[test]
fn another_room_scores_low() {
    let small = walls_of_box([-2.0, -1.5], [2.0, 1.5]);
    let large = walls_of_box([-5.0, -4.0], [5.0, 4.0]);
    let scanner = Scanner::new(0.01);
    let a = planar(&scanner.scan(&small, Pose2::IDENTITY, 1));
    let b = planar(&scanner.scan(&large, Pose2::IDENTITY, 2));
    let reference = Reference::from_scans(&[(Pose2::IDENTITY, &a)]).unwrap();
    if let Ok(found) = refine_match(&reference, &b, Pose2::IDENTITY, &OPTIONS) {
        assert!(found.inlier_share < 0.4, "{}", found.inlier_share);
    }
}

/// A surface's normal points to the scanner, and the scatter of ranges is their noise.
#[test]
fn normals_face_the_scanner_and_scatter_is_the_noise() {
    let walls = walls_of_box([-3.0, -2.0], [4.0, 2.5]);
    for sigma_m in [0.005, 0.02, 0.05] {
        let scan = planar(&Scanner::new(sigma_m).scan(&walls, Pose2::new(0.2, 0.1, 0.4), 3));
        // 180 second differences give their median absolute value to about 15 %.
        assert!((scan.scatter_m / sigma_m - 1.0).abs() < 0.35, "{} {sigma_m}", scan.scatter_m);
        for point in &scan.points {
            let Some([nx, ny]) = point.normal else { continue };
            let [x, y] = point.in_base_m;
            let (tx, ty) = (scan.laser_in_base_m[0] - x, scan.laser_in_base_m[1] - y);
            assert!(nx * tx + ny * ty >= 0.0);
            assert!((nx * nx + ny * ny - 1.0).abs() < 1e-12);
        }
    }
}
