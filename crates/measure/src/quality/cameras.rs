//! Whether a camera sees as it did on the last pass of its rig.
//!
//! Invariant: cameras that cannot be compared (not calibrated, a lens model that is not known) give no
//! finding; another size of the image is one.
//! Pixels.
//!
//! Not here: which of two calibrations is right.

use tiepoint_model::{
    CameraIntrinsics,
    quality::{Finding, FindingKind, INTRINSICS_PX_MAX, RecordingFinding},
};

use crate::sensor::calibration::{CameraModel, Distortion, reprojection_drift};

/// Points along each side of the image.
const GRID: u32 = 33;

/// How far the same ray moved in the image between two calibrations, if it is too far.
#[must_use]
pub fn intrinsics_finding(
    subject: &str,
    before: &CameraIntrinsics,
    now: &CameraIntrinsics,
) -> Option<RecordingFinding> {
    let (earlier, later) = (camera_model(before)?, camera_model(now)?);
    let [width, height] = [(before.width_px, now.width_px), (before.height_px, now.height_px)];
    let shift_px = match (width.0 == width.1, height.0 == height.1) {
        (true, true) => {
            let size_px = [now.width_px, now.height_px];
            reprojection_drift(&earlier, &later, size_px, GRID).ok()?.shift_px_max
        }
        _ => f64::from(width.0.abs_diff(width.1).max(height.0.abs_diff(height.1))),
    };
    (shift_px > INTRINSICS_PX_MAX).then(|| RecordingFinding {
        subject: subject.to_owned(),
        finding: Finding {
            kind: FindingKind::IntrinsicsShift,
            value: shift_px,
            limit: INTRINSICS_PX_MAX,
            count: 1,
        },
    })
}

/// The lens as ROS names it; `None` if the camera is not calibrated or the model is another.
#[must_use]
pub fn camera_model(camera: &CameraIntrinsics) -> Option<CameraModel> {
    let [fx, _, cx, _, fy, cy, ..] = camera.camera_matrix_px;
    if camera.width_px == 0 || camera.height_px == 0 || !(fx > 0.0 && fy > 0.0) {
        return None;
    }
    let term = |index: usize| camera.distortion.get(index).copied().unwrap_or(0.0);
    let distortion = match camera.distortion_model.as_str() {
        "plumb_bob" | "" if camera.distortion.len() <= 5 => {
            // ROS lists k1, k2, p1, p2, k3.
            let (radial, tangential) = ([term(0), term(1), term(4)], [term(2), term(3)]);
            Distortion::BrownConrady { radial, tangential }
        }
        "equidistant" | "fisheye" if camera.distortion.len() <= 4 => {
            Distortion::KannalaBrandt(std::array::from_fn(term))
        }
        _ => return None,
    };
    Some(CameraModel { focal_px: [fx, fy], centre_px: [cx, cy], distortion })
}

#[cfg(test)]
mod tests {
    use tiepoint_model::{ImageRegion, Stamps, Timestamp};

    use super::*;

    fn camera(cx: f64, width_px: u32, lens: &str) -> CameraIntrinsics {
        CameraIntrinsics {
            stamps: Stamps { log: Timestamp(0), publish: None, sensor: None },
            frame_id: "camera".into(),
            height_px: 480,
            width_px,
            distortion_model: lens.into(),
            distortion: vec![-0.1, 0.01, 0.0, 0.0],
            camera_matrix_px: [500.0, 0.0, cx, 0.0, 500.0, 240.0, 0.0, 0.0, 1.0],
            rectified_from_optical: [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
            projection_px: [0.0; 12],
            binning_x: 0,
            binning_y: 0,
            region: ImageRegion::default(),
        }
    }

    #[test]
    fn a_centre_that_moved_is_found_to_the_pixel_and_less_than_a_pixel_is_not() {
        for lens in ["plumb_bob", "equidistant"] {
            let before = camera(320.0, 640, lens);
            let found = intrinsics_finding("/camera", &before, &camera(323.0, 640, lens)).unwrap();
            assert!((found.finding.value - 3.0).abs() < 1e-6, "{found:?}");
            assert_eq!(intrinsics_finding("/camera", &before, &camera(320.9, 640, lens)), None);
        }
    }

    #[test]
    fn another_size_is_a_finding_and_what_cannot_be_compared_is_none() {
        let before = camera(320.0, 640, "plumb_bob");
        let found = intrinsics_finding("/camera", &before, &camera(320.0, 800, "plumb_bob"));
        assert_eq!(found.map(|found| found.finding.value), Some(160.0));
        assert_eq!(intrinsics_finding("/camera", &before, &camera(900.0, 640, "mystery")), None);
        let uncalibrated = CameraIntrinsics { width_px: 0, ..before.clone() };
        assert_eq!(intrinsics_finding("/camera", &uncalibrated, &before), None);
    }
}
