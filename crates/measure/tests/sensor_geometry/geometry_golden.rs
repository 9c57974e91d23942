//! Chamfer, Hausdorff, F-score and M3C2 against Open3D, SciPy and py4dgeo.

use serde_json::Value;
use tiepoint_measure::{
    geometry::{
        ChamferForm, CloudPair, Combine, Directed, HausdorffForm, M3c2Mode, M3c2Options, chamfer,
        hausdorff, m3c2, surface_score,
    },
    registry,
};

use crate::conformance;

/// Sums of 200 roots in another order differ by some ulp; 1e-12 relative is a thousand of them.
const RELATIVE: f64 = 1e-12;

#[track_caller]
fn assert_close(got: f64, expected: &Value, relative: f64) {
    let expected = expected.as_f64().unwrap();
    conformance::compare(got, expected);
    let allowed = relative * expected.abs() + 1e-15;
    assert!((got - expected).abs() <= allowed, "got {got}, expected {expected}");
}

fn cloud(value: &Value) -> Vec<[f64; 3]> {
    serde_json::from_value(value.clone()).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    serde_json::from_value(value.clone()).unwrap()
}

fn clouds() -> (Value, CloudPair) {
    let text = include_str!("../../../../testdata/pointcloud_geometry/pointcloud_geometry.json");
    let golden: Value = serde_json::from_str(text).unwrap();
    let pair = CloudPair::new(&cloud(&golden["A_gt"]), &cloud(&golden["B_pred"])).unwrap();
    (golden, pair)
}

#[test]
fn chamfer_forms_agree_with_scipy_and_open3d() {
    let (golden, pair) = clouds();
    let of = |directed, combine| chamfer(&pair, ChamferForm { directed, combine });
    let one_way = |combine| of(Directed::MeanDistance, combine);
    let chamfer_case = |package| conformance::case(registry::GEOM_CHAMFER, "one", &golden, package);
    let row = chamfer_case("scipy");
    assert_close(one_way(Combine::FirstToSecond), &golden["a2b_mean"], RELATIVE);
    assert_close(one_way(Combine::SecondToFirst), &golden["b2a_mean"], RELATIVE);
    let forms = &golden["chamfer_variants"];
    for (form, name) in [
        (ChamferForm::OPEN3D, "sum_of_mean_L2 (d1.mean+d2.mean)"),
        (ChamferForm::MEAN_DISTANCE, "half_sum (mean of the two)"),
        (ChamferForm::PYTORCH3D, "sum_of_mean_squared (PyTorch3D default chamfer)"),
        (ChamferForm::FAN_2017, "sum_of_sums_squared (Fan 2017)"),
    ] {
        assert_close(chamfer(&pair, form), &forms[name], RELATIVE);
    }
    let rms = of(Directed::RootMeanSquare, Combine::Max);
    assert_close(rms, &forms["sqrt_mean_sq_max"], RELATIVE);
    drop(row);
    // Open3D calculates in 32 bits: seven digits.
    let _row = chamfer_case("open3d");
    let open3d = &golden["open3d_t_compute_metrics[A.compute_metrics(B)]"]["values"];
    assert_close(chamfer(&pair, ChamferForm::OPEN3D), &open3d[0], 1e-6);
}

#[test]
fn hausdorff_agrees_with_scipy() {
    let (golden, pair) = clouds();
    let of = |combine| hausdorff(&pair, HausdorffForm::Largest(combine)).unwrap();
    let expected = &golden["hausdorff"];
    let _case = conformance::case(registry::GEOM_HAUSDORFF, "one", &golden, "scipy");
    assert_close(of(Combine::FirstToSecond), &expected["directed_AB_scipy"], RELATIVE);
    assert_close(of(Combine::SecondToFirst), &expected["directed_BA_scipy"], RELATIVE);
    assert_close(of(Combine::Max), &expected["symmetric"], RELATIVE);
}

/// Counts are equal, so the shares are.
#[test]
fn surface_scores_agree_with_open3d() {
    let (golden, pair) = clouds();
    for (tau, expected) in golden["fscore"].as_object().unwrap() {
        let score = surface_score(&pair, tau.parse().unwrap()).unwrap();
        let precision = score.precision.value().unwrap();
        let recall = score.recall.value().unwrap();
        for (metric, value, key) in [
            (registry::GEOM_PRECISION, precision, "precision_pred_to_gt(B->A)"),
            (registry::GEOM_RECALL, recall, "recall_gt_to_pred(A->B)"),
            (registry::GEOM_F_SCORE, score.f_score(), "fscore"),
        ] {
            let _case = conformance::case(metric, "one", &golden, "scipy");
            assert_close(value, &expected[key], RELATIVE);
        }
    }
}

fn epochs() -> Value {
    let text = include_str!("../../../../testdata/m3c2/m3c2.json");
    serde_json::from_str(text).unwrap()
}

fn options(parameters: &Value) -> M3c2Options {
    M3c2Options {
        normal_radii_m: numbers(&parameters["normal_radii"]),
        cylinder_radius_m: parameters["cyl_radius"].as_f64().unwrap(),
        distance_m_max: parameters["max_distance"].as_f64().unwrap(),
        registration_error_m: parameters["registration_error"].as_f64().unwrap(),
        towards: [0.0, 0.0, 1.0],
        mode: M3c2Mode::Py4dgeo,
        points_min: 2,
    }
}

/// Where the slab count is odd py4dgeo counts every point once, as we do. Tolerance: the normals
/// come from two eigenvalue solvers and agree to 1e-13; distances are means of some tens of values.
#[test]
fn m3c2_agrees_with_py4dgeo() {
    let given = epochs();
    let text = include_str!("../../../../testdata/m3c2/odd_slabs.json");
    let golden: Value = serde_json::from_str(text).unwrap();
    let [first, second, core] = ["epoch1", "epoch2", "corepoints"].map(|name| cloud(&given[name]));
    let cases = golden["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 3);
    for case in cases {
        let changes = m3c2(&first, &second, &core, &options(case)).unwrap();
        for (index, change) in changes.iter().enumerate() {
            let change = change.unwrap();
            for (metric, value, key) in [
                (registry::GEOM_M3C2_DISTANCE, change.distance_m, "distances"),
                (registry::GEOM_M3C2_DETECTION_LEVEL, change.detection_level_m, "lodetection"),
            ] {
                let _case = conformance::case(metric, "compat", &golden, "py4dgeo");
                assert_close(value, &case[key][index], 1e-10);
            }
            assert_close(change.first.spread_m, &case["spread1"][index], 1e-10);
            assert_close(change.second.spread_m, &case["spread2"][index], 1e-10);
            assert_eq!(change.first.count as f64, case["num_samples1"][index]);
            assert_eq!(change.second.count as f64, case["num_samples2"][index]);
            assert_close(change.normal_radius_m, &case["radii"][index], 1e-15);
            for (ours, theirs) in change.normal.iter().zip(numbers(&case["normals"][index])) {
                assert!((ours - theirs).abs() < 1e-12);
            }
        }
    }
}

/// With four slabs py4dgeo counts the core point, which lies between two of them, never, once or
/// twice. Counting it as often as py4dgeo did gives its numbers; the second epoch, which does not
/// hold the core points, agrees as it is.
#[test]
fn m3c2_differs_from_py4dgeo_by_how_often_the_core_point_counts() {
    let golden = epochs();
    let [first, second, core] = ["epoch1", "epoch2", "corepoints"].map(|name| cloud(&golden[name]));
    let changes = m3c2(&first, &second, &core, &options(&golden["params"])).unwrap();
    let mut copies_seen = [0_usize; 3];
    for (index, change) in changes.iter().enumerate() {
        let change = change.unwrap();
        assert_close(change.second.spread_m, &golden["spread2"][index], 1e-10);
        assert_eq!(change.second.count as f64, golden["num_samples2"][index]);

        // The core point lies at 0 along the normal: its copies add to the count only.
        let summary = change.first;
        let count = golden["num_samples1"][index].as_f64().unwrap();
        copies_seen[(count + 1.0 - summary.count as f64) as usize] += 1;
        let n = summary.count as f64;
        let squares = square(summary.spread_m) * (n - 1.0) + n * square(summary.mean_m);
        let mean_m = summary.mean_m * n / count;
        let variance = (squares - count * square(mean_m)) / (count - 1.0);
        assert_close(change.second.mean_m - mean_m, &golden["distances"][index], 1e-9);
        assert_close(variance.sqrt(), &golden["spread1"][index], 1e-9);
        let second_share = square(change.second.spread_m) / change.second.count as f64;
        let level_m = 1.96 * (variance / count + second_share).sqrt();
        assert_close(level_m, &golden["lodetection"][index], 1e-9);
    }
    assert_eq!(copies_seen, [6, 2, 2]);
}

/// With several radii py4dgeo keeps the points of the smaller ones, which then count again. The
/// corrected mode takes each radius for itself: another normal, and so another distance.
#[test]
fn corrected_normals_of_several_scales_differ_from_py4dgeo() {
    let given = epochs();
    let text = include_str!("../../../../testdata/m3c2/odd_slabs.json");
    let golden: Value = serde_json::from_str(text).unwrap();
    let [first, second, core] = ["epoch1", "epoch2", "corepoints"].map(|name| cloud(&given[name]));
    for (case, differing_count) in [(0, 0), (1, 7), (2, 9)] {
        let compatible = options(&golden["cases"][case]);
        let corrected = M3c2Options { mode: M3c2Mode::Corrected, ..compatible.clone() };
        let [one, other] =
            [compatible, corrected].map(|options| m3c2(&first, &second, &core, &options).unwrap());
        let differing = one.iter().zip(&other).filter(|(one, other)| {
            (one.unwrap().distance_m - other.unwrap().distance_m).abs() > 1e-6
        });
        assert_eq!(differing.count(), differing_count);
    }
}

fn square(value: f64) -> f64 {
    value * value
}
