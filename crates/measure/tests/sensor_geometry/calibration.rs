//! Drift of extrinsics and intrinsics: laws and known answers.

use nalgebra::Matrix6;
use proptest::prelude::*;
use tiepoint_measure::{
    MeasureError,
    sensor::{
        CameraModel,
        calibration::{Distortion, ExtrinsicUncertainty},
        extrinsic_drift, reprojection_drift,
    },
};
use tiepoint_model::{Pose3, Seed, math};

/// Position and rotation vector.
fn pose(position_m: [f64; 3], rotation_rad: [f64; 3]) -> Pose3 {
    let [x, y, z] = rotation_rad;
    let angle = (x * x + y * y + z * z).sqrt();
    let scale = if angle > 0.0 { math::sin(0.5 * angle) / angle } else { 0.5 };
    let quaternion = [x * scale, y * scale, z * scale, math::cos(0.5 * angle)];
    Pose3::from_quaternion_xyzw(position_m, quaternion).unwrap()
}

fn vectors() -> impl Strategy<Value = [f64; 3]> {
    [-1.5..1.5_f64, -1.5..1.5_f64, -1.5..1.5_f64]
}

fn close(a: [f64; 3], b: [f64; 3], tolerance: f64) -> bool {
    a.iter().zip(b).all(|(a, b)| (a - b).abs() <= tolerance)
}

proptest! {
    #[test]
    fn extrinsic_drift_reads_back_what_moved(
        at in vectors(),
        turn in vectors(),
        by in vectors(),
        twist in vectors(),
    ) {
        let earlier = pose(at, turn);
        let later = earlier * pose(by, twist);
        let drift = extrinsic_drift([&earlier, &later], None).unwrap();
        prop_assert!(close(drift.translation_mm, by.map(|v| 1e3 * v), 1e-9));
        prop_assert!(close(drift.rotation_mrad, twist.map(|v| 1e3 * v), 1e-8));
        let same = extrinsic_drift([&earlier, &earlier], None).unwrap();
        prop_assert!(same.distance_mm < 1e-11 && same.angle_mrad < 1e-11);
        prop_assert_eq!(drift.is_significant, None);
    }

    #[test]
    fn extrinsic_drift_ignores_the_base_frame(
        at in vectors(),
        by in vectors(),
        twist in vectors(),
        other in vectors(),
    ) {
        let (earlier, later) = (pose(at, by), pose(by, twist));
        let elsewhere = pose(other, at);
        let one = extrinsic_drift([&earlier, &later], None).unwrap();
        let moved = [elsewhere * earlier, elsewhere * later];
        let two = extrinsic_drift([&moved[0], &moved[1]], None).unwrap();
        prop_assert!(close(one.translation_mm, two.translation_mm, 1e-9));
        prop_assert!(close(one.rotation_mrad, two.rotation_mrad, 1e-8));
    }

    #[test]
    fn extrinsic_drift_changes_sign_when_swapped(
        at in vectors(),
        by in vectors(),
        twist in vectors(),
    ) {
        let (earlier, later) = (pose(at, by), pose(by, twist));
        let one = extrinsic_drift([&earlier, &later], None).unwrap();
        let two = extrinsic_drift([&later, &earlier], None).unwrap();
        prop_assert!((one.distance_mm - two.distance_mm).abs() < 1e-9);
        prop_assert!(close(one.rotation_mrad, two.rotation_mrad.map(|v| -v), 1e-8));
    }

    #[test]
    fn unprojection_undoes_projection(x in -0.9..0.9_f64, y in -0.6..0.6_f64) {
        for model in [radial(), fisheye()] {
            let pixel = model.project([x, y, 1.0]).unwrap();
            let [u, v, w] = model.unproject(pixel).unwrap();
            prop_assert!((u / w - x).abs() < 1e-12 && (v / w - y).abs() < 1e-12);
        }
    }

    #[test]
    fn reprojection_drift_of_a_shifted_centre_is_the_shift(
        dx in -5.0..5.0_f64,
        dy in -5.0..5.0_f64,
    ) {
        for model in [radial(), fisheye()] {
            let [x, y] = model.centre_px;
            let shifted = CameraModel { centre_px: [x + dx, y + dy], ..model };
            let drift = reprojection_drift(&model, &shifted, [640, 480], 9).unwrap();
            prop_assert!((drift.shift_px_max - math::hypot(dx, dy)).abs() < 1e-9);
            prop_assert!((drift.shift_px_rms - math::hypot(dx, dy)).abs() < 1e-9);
            prop_assert_eq!(drift.seen.value(), Some(1.0));
        }
    }
}

fn radial() -> CameraModel {
    CameraModel {
        focal_px: [400.0, 410.0],
        centre_px: [320.0, 240.0],
        distortion: Distortion::BrownConrady {
            radial: [-0.1, 0.02, 0.0],
            tangential: [1e-3, -5e-4],
        },
    }
}

fn fisheye() -> CameraModel {
    CameraModel { distortion: Distortion::KannalaBrandt([0.02, -0.004, 0.001, 0.0]), ..radial() }
}

/// One percent of focal length moves the farthest corner by one percent of its distance from the
/// centre (without distortion): the corner (0, 0) is 400 px away.
#[test]
fn a_longer_focal_length_moves_the_corners_most() {
    let plain = Distortion::BrownConrady { radial: [0.0; 3], tangential: [0.0; 2] };
    let earlier = CameraModel { distortion: plain, ..radial() };
    let longer = CameraModel { focal_px: earlier.focal_px.map(|f| 1.01 * f), ..earlier };
    let drift = reprojection_drift(&earlier, &longer, [640, 480], 33).unwrap();
    assert!((drift.shift_px_max - 4.0).abs() < 1e-9 && drift.at_px == [0.0, 0.0], "{drift:?}");
    let same = reprojection_drift(&radial(), &radial(), [640, 480], 33).unwrap();
    assert!(same.shift_px_max < 1e-10);
}

/// A lens that folds over within the image: what it cannot see is counted, not guessed.
#[test]
fn places_beyond_the_lens_model_are_counted() {
    let folding = Distortion::BrownConrady { radial: [-1.0, 0.0, 0.0], tangential: [0.0; 2] };
    let earlier = CameraModel { distortion: folding, ..radial() };
    let drift = reprojection_drift(&earlier, &radial(), [640, 480], 33).unwrap();
    assert!(drift.seen.hit_count > 0 && drift.seen.hit_count < drift.seen.count, "{drift:?}");
    let broken = CameraModel { focal_px: [f64::NAN, 1.0], ..radial() };
    assert!(reprojection_drift(&broken, &radial(), [640, 480], 33).is_err());
    assert!(reprojection_drift(&radial(), &radial(), [640, 1], 33).is_err());
}

/// Drifts drawn from the covariance are significant in 5 of 100 at 95 %: of 2000, between 60 and 140
/// (four standard errors).
#[test]
fn significance_has_the_level_it_claims() {
    let covariance = Matrix6::from_diagonal(&[1e-6, 4e-6, 1e-6, 1e-8, 2e-8, 1e-8].into());
    let known = ExtrinsicUncertainty { covariances: [&covariance, &covariance], level: 0.95 };
    let earlier = pose([1.0, 0.2, 1.4], [0.1, -0.4, 1.2]);
    let mut significant = 0;
    for index in 0..2000 {
        let mut draws = Seed(3).draws(0, index);
        let drawn: [f64; 6] =
            std::array::from_fn(|i| (2.0 * covariance[(i, i)]).sqrt() * draws.normal());
        let [x, y, z, rx, ry, rz] = drawn;
        let later = earlier * pose([x, y, z], [rx, ry, rz]);
        let drift = extrinsic_drift([&earlier, &later], Some(known)).unwrap();
        significant += usize::from(drift.is_significant.unwrap());
    }
    assert!((60..=140).contains(&significant), "{significant}");
    let zero = Matrix6::zeros();
    let unknown = ExtrinsicUncertainty { covariances: [&zero, &zero], level: 0.95 };
    assert!(matches!(
        extrinsic_drift([&earlier, &earlier], Some(unknown)),
        Err(MeasureError::InvalidOption { name: "covariances", .. })
    ));
}

#[test]
fn what_is_no_pose_is_refused() {
    let good = pose([0.0; 3], [0.0; 3]);
    let mut scaled = good;
    scaled.rotation *= 1.1;
    assert!(matches!(
        extrinsic_drift([&good, &scaled], None),
        Err(MeasureError::NotARotation { index: 1, .. })
    ));
    let mut broken = good;
    broken.translation_m.x = f64::NAN;
    assert!(matches!(
        extrinsic_drift([&broken, &good], None),
        Err(MeasureError::NotFinite { index: 0, .. })
    ));
}
