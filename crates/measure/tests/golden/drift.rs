//! Sub-trajectory errors and alignments against rpg_trajectory_evaluation.

use nalgebra::Matrix3;
use serde_json::Value;
use tiepoint_measure::{
    Statistics, registry,
    trajectory::{
        AbsoluteOptions, Alignment, AssociationOptions, Relation, StampArithmetic,
        absolute_pose_error, associate_stamps,
        sub_trajectory::{
            LENGTH_TOLERANCE_SHARE, SubTrajectoryMode, SubTrajectoryOptions, step_scale_errors,
            sub_trajectory_errors,
        },
    },
};
use tiepoint_model::{Pose3, Span};

use crate::{
    assert_close, conformance, indices, numbers,
    trajectory::{evo, trajectory},
};

const RPG: &str = "rpg_trajectory_evaluation";
const DEG_PER_RAD: f64 = 180.0 / std::f64::consts::PI;

fn golden() -> Value {
    let text = include_str!(
        "../../../../testdata/rpg_trajectory_evaluation/rpg_trajectory_evaluation.json"
    );
    serde_json::from_str(text).unwrap()
}

fn paired() -> [Vec<Pose3>; 2] {
    let golden = evo();
    let reference = trajectory(&golden["inputs"]["ref"]);
    let estimate = trajectory(&golden["inputs"]["est"]);
    let options = AssociationOptions {
        difference_max: Span::from_seconds(0.01),
        arithmetic: StampArithmetic::Exact,
    };
    let pairs = associate_stamps(reference.stamps(), estimate.stamps(), options).unwrap();
    [
        pairs.iter().map(|&(index, _)| reference.poses()[index]).collect(),
        pairs.iter().map(|&(_, index)| estimate.poses()[index]).collect(),
    ]
}

fn check_summary(got: &Statistics, expected: &Value, what: &str) {
    for (name, value) in
        [("rmse", got.rmse), ("mean", got.mean), ("median", got.median), ("max", got.max)]
    {
        assert_close(value, expected[name].as_f64().unwrap(), 1e-9, &format!("{what} {name}"));
    }
}

/// Expected: the tool's six alignments on the 56 pairs of the synthetic paths.
#[test]
fn alignments_agree_with_rpg() {
    let [reference, estimate] = paired();
    let golden = golden();
    for (name, alignment) in [
        ("abs_sim3_-1", Alignment::SIM3),
        ("abs_se3_-1", Alignment::SE3),
        ("abs_posyaw_-1", Alignment::YAW_ONLY),
        ("abs_se3_1", Alignment::Origin),
        ("abs_posyaw_1", Alignment::OriginYaw),
        ("abs_none_-1", Alignment::None),
    ] {
        let expected = &golden["cases"][name];
        let errors = |relation| {
            let options = AbsoluteOptions { relation, alignment };
            absolute_pose_error(&reference, &estimate, &options).unwrap()
        };
        let translation = errors(Relation::Translation);
        let row = conformance::case(registry::TRAJ_APE_TRANSLATION, "compat", &golden, RPG);
        check_summary(&translation.statistics, &expected["trans"], name);
        drop(row);
        let rotation = errors(Relation::RotationAngleDeg);
        let row = conformance::case(registry::TRAJ_APE_ROTATION_DEG, "compat", &golden, RPG);
        check_summary(&rotation.statistics, &expected["rot_deg"], name);

        drop(row);
        let _row = conformance::case("traj.alignment", "one", &golden, RPG);
        let found = translation.reference_from_estimate;
        assert_close(found.scale, expected["scale"].as_f64().unwrap(), 1e-9, name);
        let entries: Vec<f64> = (0..3).flat_map(|row| numbers(&expected["R"][row])).collect();
        assert!((found.rotation - Matrix3::from_row_slice(&entries)).amax() < 1e-12, "{name}");
        for (got, expected) in found.translation_m.iter().zip(numbers(&expected["t"])) {
            assert_close(*got, expected, 1e-9, name);
        }
        // The reference starts at its origin, so that the tool divides by zero there.
        assert_eq!(expected["scale_perc_as_coded(mean)"], "Infinity");
        let mode = SubTrajectoryMode::Compatible;
        let scale = step_scale_errors(&reference, &estimate, &found, mode).unwrap();
        assert_eq!((scale.undefined_count, scale.errors.len()), (1, 55));
    }
}

/// Expected: the tool's relative errors at 2 m and 4 m with a tolerance of 20 %.
#[test]
fn sub_trajectory_errors_agree_with_rpg() {
    let [reference, estimate] = paired();
    let golden = golden();
    for length_m in [2.0, 4.0] {
        let name = format!("rel_{length_m:.1}m_tol20%");
        let expected = &golden["cases"][&name];
        let options = SubTrajectoryOptions {
            length_m,
            tolerance_share: LENGTH_TOLERANCE_SHARE,
            scale: 1.0,
            mode: SubTrajectoryMode::Compatible,
        };
        let got = sub_trajectory_errors(&reference, &estimate, &options).unwrap();
        assert_eq!(got.pairs.len() as u64, expected["n"].as_u64().unwrap(), "{name}");
        let ends: Vec<usize> = got.pairs.iter().take(5).map(|pair| pair.1).collect();
        assert_eq!(ends, indices(&expected["comparisons_head"]), "{name}");
        for (metric, key, value) in [
            (registry::TRAJ_SUB_TRANSLATION, "trans_mean", got.translation.statistics.mean),
            (
                registry::TRAJ_SUB_TRANSLATION_PERCENT,
                "trans_perc_mean",
                got.translation_percent.statistics.mean,
            ),
            (registry::TRAJ_SUB_YAW, "yaw_mean_deg", got.yaw.statistics.mean * DEG_PER_RAD),
            (
                registry::TRAJ_SUB_GRAVITY,
                "gravity_mean_deg",
                got.gravity.statistics.mean * DEG_PER_RAD,
            ),
            (
                registry::TRAJ_SUB_ROTATION,
                "rot_mean_deg",
                got.rotation.statistics.mean * DEG_PER_RAD,
            ),
        ] {
            let _row = conformance::case(metric, "compat", &golden, RPG);
            assert_close(value, expected[key].as_f64().unwrap(), 1e-9, &format!("{name} {key}"));
        }
    }
}
