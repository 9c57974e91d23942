//! Loop closure against products of matrices. Data: `testdata/calibration_and_series/PROVENANCE.md`.

use serde_json::Value;
use tiepoint_measure::{registry, trajectory::loop_closure::loop_closure_error};
use tiepoint_model::Pose3;

use crate::conformance;

fn pose(value: &Value) -> Pose3 {
    let [x, y, z, rotation @ ..]: [f64; 7] = serde_json::from_value(value.clone()).unwrap();
    Pose3::from_quaternion_xyzw([x, y, z], rotation).unwrap()
}

/// Expected: NumPy's products and SciPy's angle.
///
/// Tolerance 1e-12 relative: quaternions that were read from products of 30 matrices.
#[test]
fn loop_closures_agree_with_scipy() {
    let text = include_str!("../../../../testdata/calibration_and_series/expected.json");
    let golden: Value = serde_json::from_str(text).unwrap();
    let case = &golden["loop"];
    let path: Vec<Pose3> = case["poses"].as_array().unwrap().iter().map(pose).collect();
    let got = loop_closure_error(&path, &pose(&case["known"])).unwrap();
    for (id, got, name) in [
        (registry::TRAJ_LOOP_CLOSURE_TRANSLATION, got.translation_m, "translation"),
        (registry::TRAJ_LOOP_CLOSURE_ROTATION, got.rotation_rad, "rotation"),
        (registry::TRAJ_LOOP_CLOSURE_SHARE, got.share, "share"),
    ] {
        let _case = conformance::case(id, "one", &golden, "scipy");
        let expected = case[name].as_f64().unwrap();
        conformance::compare(got, expected);
        assert!((got / expected - 1.0).abs() < 1e-12, "{name}: {got} {expected}");
    }
}
