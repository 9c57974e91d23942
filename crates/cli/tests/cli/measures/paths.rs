//! Drift, time offsets and pairing of trajectories.

use std::fmt::Write as _;

use serde_json::Value;

use super::{Desk, assert_close, run};

/// A path along x with a weave, by its length; the estimate is 1 % too long.
fn kitti(count: u32, scale: f64) -> String {
    let mut text = String::new();
    for index in 0..count {
        let x_m = scale * f64::from(index);
        writeln!(text, "1 0 0 {x_m} 0 1 0 0 0 0 1 0").unwrap();
    }
    text
}

#[test]
fn a_path_one_percent_too_long_drifts_by_one_percent() {
    let desk = Desk::new();
    desk.write("gt.txt", kitti(1000, 1.0).as_bytes());
    desk.write("slam.txt", kitti(1000, 1.01).as_bytes());
    desk.write("short.txt", kitti(20, 1.0).as_bytes());
    let files = ["--reference", "gt.txt", "--estimate", "slam.txt"];
    let of = |metric: &str, more: &[&str]| run(&desk, metric, &[files.as_slice(), more].concat());
    let corrected = of("traj.kitti_drift", &["--mode", "corrected"]).expect_code(0).json();
    // A stretch ends at the first pose beyond its length, one step of a metre later.
    let percent = corrected["translation_percent"].as_f64().unwrap();
    assert!((1.0..1.011).contains(&percent), "{corrected}");
    assert_eq!(corrected["rotation_deg_per_m"], 0.0);
    assert_eq!(corrected["by_length_m"].as_array().unwrap().len(), 8);
    let metric = corrected["metrics"]["rotation_deg_per_m"].as_str().unwrap();
    assert!(metric.starts_with("traj.kitti_drift.rotation_deg_per_m["), "{metric}");
    let compat = of("traj.kitti_drift", &[]).expect_code(0).json();
    assert!((compat["translation_percent"].as_f64().unwrap() - percent).abs() < 1e-3);
    assert!(compat["metric"].as_str().unwrap().contains("compat:kitti_devkit"), "{compat}");
    let sub = of("traj.sub_trajectory", &["--lengths-m", "100"]).expect_code(0).json();
    let error = &sub["errors"][1];
    assert_eq!(error["error"], "translation_percent");
    // Near the end of the path a stretch may be a fifth too short, as in the tool.
    assert!((error["median"].as_f64().unwrap() - 1.0).abs() < 1e-6, "{sub}");
    let steps = of("traj.step_scale", &[]).expect_code(0).json();
    assert!((steps["mean"].as_f64().unwrap() - 1.0).abs() < 1e-6, "{steps}");
    let short = ["--reference", "short.txt", "--estimate", "short.txt"];
    let none = run(&desk, "traj.kitti_drift", &short).expect_code(3).json();
    assert_eq!(none["value"], Value::Null);
    assert!(none["reason"].is_string(), "{none}");
    of("traj.kitti_drift", &["--mode", "odd"]).expect_code(2);
    of("traj.time_offset", &[]).expect_code(2);
}

/// A path that turns and speeds up irregularly, its stamps late by so much.
fn tum(late_s: f64) -> String {
    let mut text = String::new();
    for index in 0..1500_i32 {
        let t = 0.02 * f64::from(index);
        let yaw = (0.7 * t).sin() + (1.9 * t).sin() + 0.4 * (4.3 * t).cos();
        let (x, y) = (3.0 * (0.3 * t).sin(), 2.0 * (0.41 * t).sin());
        let (sine, cosine) = (0.5 * yaw).sin_cos();
        writeln!(text, "{:.6} {x} {y} 0 0 0 {sine} {cosine}", 100.0 + t + late_s).unwrap();
    }
    text
}

#[test]
fn a_late_clock_is_found_and_paths_are_paired_as_asked() {
    let desk = Desk::new();
    desk.write("gt.txt", tum(0.0).as_bytes());
    desk.write("late.txt", tum(0.123).as_bytes());
    desk.write("gt_kitti.txt", kitti(1500, 1.0).as_bytes());
    let files = ["--reference", "gt.txt", "--estimate", "late.txt"];
    let of = |metric: &str, more: &[&str]| run(&desk, metric, &[files.as_slice(), more].concat());
    let offset = of("traj.time_offset", &[]).expect_code(0).json();
    assert!((offset["value"].as_f64().unwrap() + 0.123).abs() < 1e-3, "{offset}");
    assert!(offset["offset_ns"].is_string());
    let narrow = of("traj.time_offset", &["--search-s", "0.06"]).expect_code(3).json();
    assert_eq!(narrow["value"], Value::Null);
    assert!(narrow["reason"].as_str().unwrap().contains("end of the search"), "{narrow}");

    let evo = of("traj.ape", &[]).expect_code(0).json();
    let interpolated = of("traj.ape", &["--association", "interpolate"]).expect_code(0).json();
    assert!(interpolated["metric"].as_str().unwrap().contains("interpolated(gap max"));
    assert!(interpolated["notes"][0].as_str().unwrap().contains("left out"), "{interpolated}");
    assert!(evo["metric"].as_str().unwrap().contains("nearest(max"));
    let greedy = of("traj.ape", &["--association", "tum"]).expect_code(0).json();
    assert!(greedy["metric"].as_str().unwrap().contains("greedy(below"));
    for align in ["yaw", "origin-yaw", "sim3", "scale", "origin"] {
        of("traj.ape", &["--align", align]).expect_code(0);
    }
    let first = of("traj.ape", &["--align", "se3", "--align-first", "100"]).expect_code(0).json();
    assert!(first["metric"].as_str().unwrap().contains("first 100 poses"), "{first}");
    of("traj.ape", &["--align", "none", "--align-first", "100"]).expect_code(2);
    let ratio = ["--relation", "distance_ratio", "--pairs-from", "reference"];
    assert_eq!(of("traj.rpe", &ratio).expect_code(0).json()["unit"], "%");
    of("traj.ape", &["--relation", "distance_ratio"]).expect_code(2);
    let mixed = ["--reference", "gt_kitti.txt", "--estimate", "late.txt"];
    let mixed = run(&desk, "traj.ape", &mixed).expect_code(2).stderr;
    assert!(mixed.contains("gt_kitti.txt") && mixed.contains("late.txt"), "{mixed}");

    let closure = ["--estimate", "gt_kitti.txt"];
    let closure = run(&desk, "traj.loop_closure", &closure).expect_code(0).json();
    assert_close(&closure["translation_m"], &1499.into());
    assert_close(&closure["share"], &1.into());
}

/// Two paths that agree and one that is off by 0.1 m in turn: by four poses its own error is the root
/// of 4/3 times that.
#[test]
fn the_error_of_each_of_three_paths_is_told_from_the_others() {
    let desk = Desk::new();
    let path = |off_m: f64| {
        let mut text = String::new();
        for index in 0..4_i32 {
            let y = if index % 2 == 0 { off_m } else { -off_m };
            writeln!(text, "{}.0 {index} {y} 0 0 0 0 1", 100 + index).unwrap();
        }
        text
    };
    desk.write("mocap.txt", path(0.0).as_bytes());
    desk.write("slam.txt", path(0.0).as_bytes());
    desk.write("gnss.txt", path(0.1).as_bytes());
    let files = ["--trajectories", "gnss.txt", "mocap.txt", "slam.txt", "--align", "none"];
    let found = run(&desk, "traj.reference_error", &files).expect_code(0).json();
    let expected = 0.1 * (4.0_f64 / 3.0).sqrt();
    assert_close(&found["value"], &expected.into());
    assert_eq!(found["trajectories"][1]["error_m"], 0.0);
    assert_eq!(found["n"], 4);
    assert!(found["metric"].as_str().unwrap().contains("trajectories=3"), "{found}");
    let interpolated = [files.as_slice(), &["--association", "interpolate", "--gap-s-max", "2"]];
    let interpolated = run(&desk, "traj.reference_error", &interpolated.concat());
    assert_close(&interpolated.expect_code(0).json()["value"], &expected.into());
    // One whose errors are the sum of the others' has none of its own.
    desk.write("mixed.txt", path(0.05).as_bytes());
    let mixed = ["--trajectories", "mixed.txt", "mocap.txt", "gnss.txt", "--align", "none"];
    let mixed = run(&desk, "traj.reference_error", &mixed).expect_code(3).json();
    assert_eq!(mixed["value"], Value::Null);
    assert!(mixed["trajectories"][0]["reason"].as_str().unwrap().contains("not independent"));
    run(&desk, "traj.reference_error", &files[..3]).expect_code(2);
    desk.write("rows.txt", kitti(4, 1.0).as_bytes());
    let other = ["--trajectories", "rows.txt", "mocap.txt", "slam.txt"];
    run(&desk, "traj.reference_error", &other).expect_code(2);
}

/// The estimate is one per cent too long in the rain and exact when it is dry.
#[test]
fn drift_is_told_by_condition_and_what_crosses_is_counted() {
    let desk = Desk::new();
    desk.write("gt.txt", kitti(1000, 1.0).as_bytes());
    let rain: String = kitti(501, 1.01);
    let mut estimate = rain;
    for index in 501..1000_u32 {
        let x_m = 505.0 + f64::from(index - 500);
        writeln!(estimate, "1 0 0 {x_m} 0 1 0 0 0 0 1 0").unwrap();
    }
    desk.write("slam.txt", estimate.as_bytes());
    desk.write("odd.csv", b"from_row,to_row,condition\n0,500,rain\n501,1000,dry\n");
    let of = |file: &str| {
        let files = ["--reference", "gt.txt", "--estimate", "slam.txt", "--mode", "corrected"];
        run(&desk, "traj.kitti_drift", &[files.as_slice(), &["--conditions", file]].concat())
    };
    let found = of("odd.csv").expect_code(0).json();
    let by = found["by_condition"].as_array().unwrap();
    let of_condition = |name: &str| by.iter().find(|row| row["condition"] == name).unwrap();
    let dry = of_condition("dry")["translation_percent"].as_f64().unwrap();
    assert!(dry.abs() < 1e-9, "{found}");
    let rain = of_condition("rain");
    // A stretch ends a step beyond its length.
    assert!((1.0..1.011).contains(&rain["translation_percent"].as_f64().unwrap()), "{rain}");
    assert!(rain["translation_metric"].as_str().unwrap().contains("condition=rain"), "{rain}");
    assert!(found["notes"].to_string().contains("cross from one condition"), "{found}");
    for (bad, word) in [
        ("from_row,to_row,condition\n0,500,rain\n400,1000,dry\n", "another span"),
        ("from_row,to_row,condition\n0,0,rain\n", "not after"),
        ("from_row,to_row,condition\n0,9,a;b\n", "holds"),
        ("from_row,to_row,condition\n0,x,rain\n", "no row"),
        ("from_s,to_s,condition\n0,9,rain\n", "from_row"),
        ("from_row,to_row,condition\n0,9,\n", "row 1"),
    ] {
        desk.write("bad.csv", bad.as_bytes());
        let refused = of("bad.csv").expect_code(2).stderr;
        assert!(refused.contains(word) && refused.contains("bad.csv"), "{refused}");
    }
}
