//! The same tools on public recordings, which are not kept here: the tests run where a folder
//! holds them, and say so where none does.
//!
//! `TIEPOINT_PUBLIC_DATA` names the folder. Every file is checked against its hash first.

#![expect(clippy::disallowed_methods, reason = "room: a folder that the environment names")]

use std::{
    collections::BTreeMap,
    io::Write,
    path::{Path, PathBuf},
};

use nalgebra::{Matrix3, Vector3};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tiepoint_measure::trajectory::{
    AbsoluteOptions, Alignment, AssociationOptions, Relation, StampArithmetic, absolute_pose_error,
    associate,
    drift::{Drift, DriftMean, DriftOptions, kitti_drift},
    greedy::associate_greedily,
};
use tiepoint_model::{Pose3, Span, Timestamp, Trajectory};

use crate::{
    assert_close, conformance, numbers,
    trajectory::{check_case, check_indices},
};

/// The folder with the recordings; `None`, in words, without one.
fn folder(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("TIEPOINT_PUBLIC_DATA").map(PathBuf::from);
    if folder.is_none() {
        // Past the capture of output, which would swallow the words of a test that passes.
        let words = "TIEPOINT_PUBLIC_DATA names no folder with the recordings";
        let line = format!("\nskipped {test}: {words}\n");
        std::io::stderr().write_all(line.as_bytes()).unwrap();
    }
    folder
}

const TUM: &str = "TUM RGB-D tools, transcribed";

fn golden(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn read(folder: &Path, name: &str, hashes: &Value) -> String {
    let bytes = std::fs::read(folder.join(name)).unwrap();
    let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(Some(digest.as_str()), hashes[name].as_str(), "{name} is another file");
    String::from_utf8(bytes).unwrap()
}

fn rows(text: &str) -> impl Iterator<Item = Vec<&str>> {
    let is_data = |line: &&str| !line.trim().is_empty() && !line.starts_with('#');
    text.lines().filter(is_data).map(|line| line.split_whitespace().collect())
}

fn tum(text: &str) -> Trajectory {
    let (mut stamps, mut poses) = (vec![], vec![]);
    for row in rows(text) {
        stamps.push(Timestamp::from_decimal_seconds(row[0]).unwrap());
        let n: Vec<f64> = row[1..].iter().map(|word| word.parse().unwrap()).collect();
        let quaternion = [n[3], n[4], n[5], n[6]];
        poses.push(Pose3::from_quaternion_xyzw([n[0], n[1], n[2]], quaternion).unwrap());
    }
    Trajectory::new(stamps, poses).unwrap()
}

fn kitti(text: &str) -> Vec<Pose3> {
    rows(text)
        .map(|row| {
            let n: Vec<f64> = row.iter().map(|word| word.parse().unwrap()).collect();
            Pose3 {
                rotation: Matrix3::new(n[0], n[1], n[2], n[4], n[5], n[6], n[8], n[9], n[10]),
                translation_m: Vector3::new(n[3], n[7], n[11]),
            }
        })
        .collect()
}

fn float_seconds(difference_s: f64) -> AssociationOptions {
    AssociationOptions {
        difference_max: Span::from_seconds(difference_s),
        arithmetic: StampArithmetic::FloatSeconds,
    }
}

/// Expected: evo 1.38.1, 234 configurations on five pairs of files.
#[test]
fn public_trajectories_agree_with_evo() {
    let Some(folder) = folder("public_trajectories_agree_with_evo") else { return };
    let golden =
        golden(include_str!("../../../../testdata/trajectory_public/evo_public_files.json"));
    let cases = golden["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 234);
    let mut paired: BTreeMap<&str, [Vec<Pose3>; 2]> = BTreeMap::new();
    for case in cases {
        let pair = case["pair"].as_str().unwrap();
        let [reference, estimate] = paired.entry(pair).or_insert_with(|| {
            let names: Vec<&str> = pair.split('|').collect();
            let text = |name| read(&folder, name, &golden["files_sha256"]);
            if names[0] == "KITTI_00_gt" {
                return [kitti(&text("KITTI_00_gt.txt")), kitti(&text(names[1]))];
            }
            let (reference, estimate) = (tum(&text(names[0])), tum(&text(names[1])));
            let association = associate(&reference, &estimate, float_seconds(0.01)).unwrap();
            let expected = &golden["association"][format!("{}|{}", names[0], names[1])];
            assert_eq!(Some(association.pairs.len() as u64), expected["matched"].as_u64());
            if names.len() == 3 {
                association.select_interpolated(&reference, &estimate).unwrap()
            } else {
                association.select(&reference, &estimate)
            }
        });
        check_case(&golden, case, reference, estimate);
    }
}

/// Expected: the benchmark's own program, every digit that it prints, and the same in `f64`.
#[test]
fn drift_agrees_with_the_kitti_devkit() {
    let Some(folder) = folder("drift_agrees_with_the_kitti_devkit") else { return };
    let golden =
        golden(include_str!("../../../../testdata/trajectory_public/kitti_odometry_devkit.json"));
    let text = |name| read(&folder, name, &golden["file_sha256"]);
    let reference = kitti(&text("KITTI_00_gt.txt"));
    let estimate = kitti(&text("KITTI_00_ORB.txt"));
    let expected = &golden["public"]["ORB"];

    let drift = kitti_drift(&reference, &estimate, &DriftOptions::KITTI_COMPATIBLE).unwrap();
    let row = conformance::case("traj.kitti_drift", "compat", &golden, "devkit");
    assert_eq!(Some(drift.segments.len() as u64), expected["n_segments"].as_u64());
    // " 0: 0.699734 0.002534 7.790295": the third is the fork's own.
    let printed: Vec<&str> =
        expected["devkit_results"].as_str().unwrap().split_whitespace().collect();
    assert_eq!(format!("{:.6}", drift.mean.translation_percent), printed[1]);
    assert_eq!(format!("{:.6}", drift.mean.rotation_deg_per_m), printed[2]);
    let rad_per_deg = std::f64::consts::PI / 180.0;
    let share = |mean: &DriftMean| mean.translation_percent / 100.0;
    let rad_per_m = |mean: &DriftMean| mean.rotation_deg_per_m * rad_per_deg;
    let stats = numbers(&expected["devkit_stats_t_err_r_err(rad/m)"]);
    assert_printed(share(&drift.mean), stats[0]);
    assert_printed(rad_per_m(&drift.mean), stats[1]);
    for (segment, row) in drift
        .segments
        .iter()
        .zip(expected["segments_head(first_frame,r_err,t_err,len,speed)"].as_array().unwrap())
    {
        let row = numbers(row);
        assert_eq!((segment.first_index as f64, segment.length_m), (row[0], row[3]));
        assert_printed(segment.rotation_rad_per_m, row[1]);
        assert_printed(segment.translation_share, row[2]);
        assert_printed(segment.speed_m_per_s, row[4]);
    }
    check_table(&drift.by_length, &expected["t_by_length"], share);
    check_table(&drift.by_length, &expected["r_by_length"], rad_per_m);
    check_table(&drift.by_speed, &expected["t_by_speed"], share);

    drop(row);

    let in_f64 = kitti_drift(&reference, &estimate, &DriftOptions::KITTI_CORRECTED).unwrap();
    let expected_f64 = &expected["python_float64"];
    let [percent, deg_per_m] =
        ["t_percent", "r_deg_per_m"].map(|key| expected_f64[key].as_f64().unwrap());
    let _row = conformance::case("traj.kitti_drift", "corrected", &golden, "NumPy");
    assert_close(in_f64.mean.translation_percent, percent, 1e-9, "per cent");
    assert_close(in_f64.mean.rotation_deg_per_m, deg_per_m, 1e-9, "degrees per metre");
    assert_eq!(
        Some(ends_that_differ(&drift, &in_f64) as u64),
        expected["last_frame_disagreements_f32_vs_f64"].as_u64()
    );
}

/// Equal to the number with six decimals.
#[track_caller]
fn assert_printed(got: f64, expected: f64) {
    let printed: f64 = format!("{got:.6}").parse().unwrap();
    conformance::compare(printed, expected);
    assert_eq!(format!("{got:.6}"), format!("{expected:.6}"), "{got}");
}

fn check_table(got: &[(f64, DriftMean)], expected: &Value, number: impl Fn(&DriftMean) -> f64) {
    let expected = expected.as_array().unwrap();
    assert_eq!(got.len(), expected.len());
    for ((key, mean), row) in got.iter().zip(expected) {
        let row = numbers(row);
        assert_eq!(*key, row[0]);
        assert_printed(number(mean), row[1]);
    }
}

fn ends_that_differ(one: &Drift, other: &Drift) -> usize {
    let pairs = one.segments.iter().zip(&other.segments);
    pairs.filter(|(a, b)| a.last_index != b.last_index).count()
}

/// Expected: the TUM tools' pairs and errors at two limits; tolerance as for evo.
#[test]
fn greedy_association_agrees_with_the_tum_tools() {
    let Some(folder) = folder("greedy_association_agrees_with_the_tum_tools") else { return };
    let mut golden = golden(include_str!("../../../../testdata/trajectory_public/tum_ate.json"));
    let evo: Value = serde_json::from_str(include_str!(
        "../../../../testdata/trajectory_public/evo_public_files.json"
    ))
    .unwrap();
    golden["files_sha256"] = evo["files_sha256"].clone();
    for (pair, case) in golden["cases"].as_object().unwrap() {
        let [reference, estimate] = [0, 1]
            .map(|side| pair.split('|').nth(side).unwrap())
            .map(|name| tum(&read(&folder, name, &evo["files_sha256"])));
        for (name, limit_s) in [("tum_default_0.02", 0.02), ("tum_0.01", 0.01)] {
            let options = float_seconds(limit_s);
            let pairs = associate_greedily(reference.stamps(), estimate.stamps(), options).unwrap();
            let expected = &case[name];
            assert_eq!(Some(pairs.len() as u64), expected["pairs"].as_u64(), "{pair} {name}");
            let p: Vec<Pose3> = pairs.iter().map(|&(i, _)| reference.poses()[i]).collect();
            let q: Vec<Pose3> = pairs.iter().map(|&(_, j)| estimate.poses()[j]).collect();
            let options =
                AbsoluteOptions { relation: Relation::Translation, alignment: Alignment::SE3 };
            let got = absolute_pose_error(&p, &q, &options).unwrap().statistics;
            let _row = conformance::case(options.metric().unwrap().id(), "compat", &golden, TUM);
            for (key, value) in [
                ("rmse", got.rmse),
                ("mean", got.mean),
                ("median", got.median),
                ("std", got.std),
                ("min", got.min),
                ("max", got.max),
            ] {
                assert_close(value, expected[key].as_f64().unwrap(), 1e-9, key);
            }
        }
    }
}

/// Expected: the counterexample for which the two rules of association differ. No recording.
#[test]
fn the_two_association_rules_differ_as_the_tools_do() {
    let golden = golden(include_str!("../../../../testdata/trajectory_public/tum_ate.json"));
    let case = &golden["association_counterexample"];
    let stamps = |name: &str| -> Vec<Timestamp> {
        numbers(&case[name])
            .into_iter()
            .map(|seconds| Timestamp(Span::from_seconds(seconds).0))
            .collect()
    };
    let (reference, estimate) = (stamps("ref"), stamps("est"));
    let options = float_seconds(case["max_diff"].as_f64().unwrap());
    let got = associate_greedily(&reference, &estimate, options).unwrap();
    let expected: Vec<(usize, usize)> = case["tum_greedy_one_to_one"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| (pair[0].as_u64().unwrap() as usize, pair[1].as_u64().unwrap() as usize))
        .collect();
    let (of_reference, of_estimate): (Vec<_>, Vec<_>) = got.into_iter().unzip();
    let (expected_of_reference, expected_of_estimate): (Vec<_>, Vec<_>) =
        expected.into_iter().unzip();
    let _row = conformance::case("traj.association", "compat", &golden, TUM);
    check_indices(&of_reference, &expected_of_reference);
    check_indices(&of_estimate, &expected_of_estimate);
}
