//! Trajectory errors against evo.

use serde_json::Value;
use tiepoint_measure::{
    Statistics,
    trajectory::{
        AbsoluteOptions, Alignment, AssociationOptions, Delta, Freedom, Pairing, PairsFrom,
        Relation, RelativeOptions, Similarity, StampArithmetic, absolute_pose_error, associate,
        relative::DELTA_TOLERANCE_SHARE, relative_pose_error,
    },
};
use tiepoint_model::{Pose3, Span, Timestamp, Trajectory};

use crate::{assert_close, conformance, indices, numbers};

pub(crate) fn evo() -> Value {
    let text = include_str!("../../../../testdata/evo_synthetic/evo_synthetic.json");
    serde_json::from_str(text).unwrap()
}

pub(crate) fn trajectory(input: &Value) -> Trajectory {
    let stamps = numbers(&input["t"])
        .into_iter()
        .map(|seconds| Timestamp(Span::from_seconds(seconds).0))
        .collect();
    let positions = input["xyz"].as_array().unwrap();
    let quaternions = input["quat_wxyz"].as_array().unwrap();
    let poses = positions
        .iter()
        .zip(quaternions)
        .map(|(position, quaternion)| {
            let [w, x, y, z] = numbers(quaternion).try_into().unwrap();
            let position_m = numbers(position).try_into().unwrap();
            Pose3::from_quaternion_xyzw(position_m, [x, y, z, w]).unwrap()
        })
        .collect();
    Trajectory::new(stamps, poses).unwrap()
}

pub(crate) fn alignment(arguments: &Value) -> Alignment {
    let is_set = |name: &str| arguments[name].as_bool().unwrap_or(false);
    if is_set("align_origin") {
        return Alignment::Origin;
    }
    let freedom = match (is_set("align"), is_set("correct_scale")) {
        (true, true) => Freedom::Similarity,
        (true, false) => Freedom::Rigid,
        (false, true) => Freedom::ScaleOnly,
        (false, false) => return Alignment::None,
    };
    let first_pose_count = arguments["n_to_align"].as_u64().map(|count| count as usize);
    Alignment::LeastSquares { freedom, first_pose_count }
}

pub(crate) fn relation(name: &str) -> Relation {
    match name {
        "translation_part" => Relation::Translation,
        "rotation_angle_rad" => Relation::RotationAngleRad,
        "rotation_part" => Relation::RotationFrobenius,
        "point_distance" => Relation::PointDistance,
        "rotation_angle_deg" => Relation::RotationAngleDeg,
        "full_transformation" => Relation::FullTransformation,
        "point_distance_error_ratio" => Relation::DistanceRatioPercent,
        other => panic!("no relation for `{other}`"),
    }
}

pub(crate) fn relative_options(case: &Value) -> RelativeOptions {
    let arguments = &case["args"];
    let is_set = |name: &str| arguments[name].as_bool().unwrap_or(false);
    let delta = arguments["delta"].as_f64().unwrap();
    RelativeOptions {
        relation: relation(case["pose_relation"].as_str().unwrap()),
        alignment: alignment(arguments),
        delta: match arguments["delta_unit"].as_str().unwrap() {
            "frames" => Delta::Frames(delta as usize),
            "meters" => Delta::Metres(delta),
            "degrees" => Delta::Degrees(delta),
            "radians" => Delta::Radians(delta),
            other => panic!("no unit `{other}`"),
        },
        pairing: if is_set("all_pairs") { Pairing::All } else { Pairing::Consecutive },
        pairs_from: if is_set("pairs_from_reference") {
            PairsFrom::Reference
        } else {
            PairsFrom::Estimate
        },
        delta_tolerance_share: DELTA_TOLERANCE_SHARE,
    }
}

fn within_s(difference_s: f64) -> AssociationOptions {
    AssociationOptions {
        difference_max: Span::from_seconds(difference_s),
        arithmetic: StampArithmetic::Exact,
    }
}

/// Expected: evo 1.38.1 on synthetic paths of 60 and 56 poses: 18 absolute and 21 relative
/// configurations.
///
/// Tolerance: both sides take one singular value decomposition of a 3x3 in f64; 1e-9 relative
/// leaves room for another one and is far below any sensor.
#[test]
fn trajectory_errors_agree_with_evo() {
    let golden = evo();
    let reference = trajectory(&golden["inputs"]["ref"]);
    let estimate = trajectory(&golden["inputs"]["est"]);
    let association = associate(&reference, &estimate, within_s(0.01)).unwrap();
    let [reference, estimate] = association.select(&reference, &estimate);
    let cases = golden["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 39);
    for case in cases {
        check_case(&golden, case, &reference, &estimate);
    }
}

/// Expected: evo 1.38.1 on the same paths: relations and units that the file above leaves out.
#[test]
fn the_other_relations_agree_with_evo() {
    let golden = evo();
    let text = include_str!("../../../../testdata/evo_synthetic/evo_relations.json");
    let cases: Value = serde_json::from_str(text).unwrap();
    let reference = trajectory(&golden["inputs"]["ref"]);
    let estimate = trajectory(&golden["inputs"]["est"]);
    let association = associate(&reference, &estimate, within_s(0.01)).unwrap();
    let [reference, estimate] = association.select(&reference, &estimate);
    for case in cases["cases"].as_array().unwrap() {
        check_case(&cases, case, &reference, &estimate);
    }
}

/// One of evo's cases on paired poses, to 1e-9 relative.
pub(crate) fn check_case(golden: &Value, case: &Value, reference: &[Pose3], estimate: &[Pose3]) {
    let what =
        format!("{} {} {} {}", case["pair"], case["kind"], case["pose_relation"], case["args"]);
    let (metric, series) = if case["kind"] == "ape" {
        let options = AbsoluteOptions {
            relation: relation(case["pose_relation"].as_str().unwrap()),
            alignment: alignment(&case["args"]),
        };
        let series = absolute_pose_error(reference, estimate, &options).unwrap();
        (options.metric().unwrap(), series)
    } else {
        let options = relative_options(case);
        let series = relative_pose_error(reference, estimate, &options).unwrap().series;
        (options.metric(), series)
    };
    let _case = conformance::case(metric.id(), "compat", golden, "evo");
    assert_eq!(Some(series.statistics.n as u64), case["n"].as_u64(), "{what}");
    check_statistics(&series.statistics, &case["stats"], &what);
    for (got, expected) in series.errors.iter().zip(numbers(&case["error_head"])) {
        assert_close(*got, expected, 1e-9, &what);
    }
    let is_scale_only = case["args"]["align"].is_null() && !case["args"]["correct_scale"].is_null();
    if !case["alignment_sim3"].is_null() && !is_scale_only {
        check_alignment(&series.reference_from_estimate, &case["alignment_sim3"], &what);
    }
}

pub(crate) fn check_statistics(got: &Statistics, expected: &Value, what: &str) {
    for (name, value) in [
        ("rmse", got.rmse),
        ("mean", got.mean),
        ("median", got.median),
        ("std", got.std),
        ("min", got.min),
        ("max", got.max),
        ("sse", got.sse),
    ] {
        assert_close(value, expected[name].as_f64().unwrap(), 1e-9, &format!("{what} {name}"));
    }
}

/// evo prints the scale inside the rotation block.
pub(crate) fn check_alignment(got: &Similarity, expected: &Value, what: &str) {
    for row in 0..3 {
        let expected = numbers(&expected[row]);
        for (column, expected) in expected[..3].iter().enumerate() {
            let entry = got.scale * got.rotation[(row, column)];
            assert_close(entry, *expected, 1e-9, what);
        }
        assert_close(got.translation_m[row], expected[3], 1e-9, what);
    }
}

/// Expected: the pairs that evo 1.38.1 finds at 10 ms and at 3 ms.
#[test]
fn association_agrees_with_evo() {
    let golden = evo();
    let reference = trajectory(&golden["inputs"]["ref"]);
    let estimate = trajectory(&golden["inputs"]["est"]);
    for name in ["association", "association_tight"] {
        let expected = &golden[name];
        for arithmetic in [StampArithmetic::Exact, StampArithmetic::FloatSeconds] {
            let options = AssociationOptions {
                arithmetic,
                ..within_s(expected["max_diff"].as_f64().unwrap())
            };
            let got = associate(&reference, &estimate, options).unwrap();
            let (of_reference, of_estimate): (Vec<_>, Vec<_>) = got.pairs.into_iter().unzip();
            let _case = conformance::case("traj.association", "compat", &golden, "evo");
            check_indices(&of_reference, &indices(&expected["idx_ref"]));
            check_indices(&of_estimate, &indices(&expected["idx_est"]));
        }
    }
}

#[track_caller]
pub(crate) fn check_indices(got: &[usize], expected: &[usize]) {
    assert_eq!(got, expected);
    for (got, expected) in got.iter().zip(expected) {
        conformance::compare(*got as f64, *expected as f64);
    }
}
