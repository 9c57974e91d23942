//! Drift of calibrations and maps of residuals against OpenCV and SciPy. Data:
//! `testdata/calibration_and_series/PROVENANCE.md`.

use serde_json::Value;
use tiepoint_measure::{
    geometry::{MapGrid, residual_map},
    registry,
    sensor::{CameraModel, calibration::Distortion, extrinsic_drift, reprojection_drift},
};
use tiepoint_model::Pose3;

use crate::conformance;

fn golden() -> Value {
    let text = include_str!("../../../../testdata/calibration_and_series/expected.json");
    serde_json::from_str(text).unwrap()
}

fn array<const N: usize>(value: &Value) -> [f64; N] {
    let values: Vec<f64> = serde_json::from_value(value.clone()).unwrap();
    values.try_into().unwrap()
}

#[track_caller]
fn assert_close(got: f64, expected: f64, allowed: f64) {
    conformance::compare(got, expected);
    assert!((got - expected).abs() <= allowed, "{got} {expected}");
}

/// Expected: matrices of NumPy, rotation vectors of SciPy.
///
/// Tolerance 1e-9 mm and mrad: a position of a metre is known to 2e-13 mm, its rotation by a
/// quaternion that was read from a matrix.
#[test]
fn extrinsic_drifts_agree_with_scipy() {
    let golden = golden();
    for case in golden["extrinsics"].as_array().unwrap() {
        let [earlier, later] = ["earlier", "later"].map(|name| {
            let pose = &case[name];
            Pose3::from_quaternion_xyzw(array(&pose["at"]), array(&pose["xyzw"])).unwrap()
        });
        let got = extrinsic_drift([&earlier, &later], None).unwrap();
        for (id, values, length, name) in [
            (
                registry::CALIBRATION_EXTRINSIC_TRANSLATION,
                got.translation_mm,
                got.distance_mm,
                ["translation_mm", "distance_mm"],
            ),
            (
                registry::CALIBRATION_EXTRINSIC_ROTATION,
                got.rotation_mrad,
                got.angle_mrad,
                ["rotation_mrad", "angle_mrad"],
            ),
        ] {
            let _case = conformance::case(id, "one", &golden, "scipy");
            let expected: [f64; 3] = array(&case[name[0]]);
            values.iter().zip(expected).for_each(|(got, want)| assert_close(*got, want, 1e-9));
            assert_close(length, case[name[1]].as_f64().unwrap(), 1e-9);
        }
    }
}

fn camera(value: &Value, kind: &str) -> CameraModel {
    let distortion = match kind {
        "brown_conrady" => {
            let [k1, k2, p1, p2, k3] = array(&value["lens"]);
            Distortion::BrownConrady { radial: [k1, k2, k3], tangential: [p1, p2] }
        }
        _ => Distortion::KannalaBrandt(array(&value["lens"])),
    };
    CameraModel { focal_px: array(&value["focal"]), centre_px: array(&value["centre"]), distortion }
}

/// Expected: OpenCV, which undistorts by iteration and projects.
///
/// Tolerance 1e-6 px: its iteration for a fisheye stops at a step of 1e-8 of the angle.
#[test]
fn shifts_of_images_agree_with_opencv() {
    let golden = golden();
    for case in golden["reprojection"].as_array().unwrap() {
        let kind = case["kind"].as_str().unwrap();
        let [earlier, later] = ["earlier", "later"].map(|name| camera(&case[name], kind));
        let got = reprojection_drift(&earlier, &later, [640, 480], 9).unwrap();
        let id = registry::CALIBRATION_REPROJECTION_SHIFT;
        let _case = conformance::case(id, "one", &golden, "OpenCV");
        assert_close(got.shift_px_max, case["largest"].as_f64().unwrap(), 1e-6);
        assert_close(got.shift_px_rms, case["root_mean_square"].as_f64().unwrap(), 1e-6);
        assert_eq!(got.at_px, array(&case["at"]));
    }
}

/// Expected: `scipy.stats.binned_statistic_2d` of the residuals and of their squares.
#[test]
fn residual_maps_agree_with_scipy() {
    let golden = golden();
    let case = &golden["residuals"];
    let places: Vec<f64> = serde_json::from_value(case["places"].clone()).unwrap();
    let points: Vec<[f64; 3]> = places.as_chunks().0.iter().map(|[x, y]| [*x, *y, 0.3]).collect();
    let residuals: Vec<f64> = serde_json::from_value(case["values"].clone()).unwrap();
    let grid = MapGrid { origin_m: [0.0; 3], cell_m: [1.0, 1.0, f64::INFINITY] };
    let got = residual_map(&points, &residuals, grid).unwrap();
    let cells: Vec<[f64; 4]> = case["cells"].as_array().unwrap().iter().map(array).collect();
    assert_eq!(got.cells.len(), cells.len());
    for (id, place) in [(registry::GEOM_RESIDUAL_MEAN, 2), (registry::GEOM_RESIDUAL_RMS, 3)] {
        let _case = conformance::case(id, "one", &golden, "scipy");
        for (cell, expected) in got.cells.iter().zip(&cells) {
            assert_eq!([cell.cell[0] as f64, cell.cell[1] as f64], [expected[0], expected[1]]);
            assert_close([cell.mean_m, cell.rms_m][place - 2], expected[place], 1e-13);
        }
    }
}
