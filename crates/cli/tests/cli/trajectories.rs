//! `measure` on files: the numbers of the reference tool, and errors that name the place.

use std::fmt::Write as _;

use super::Desk;

/// A square path and the same path half a metre beside it.
fn two_paths(desk: &Desk) {
    let (mut reference, mut estimate) = (String::new(), String::new());
    for index in 0..40_i32 {
        let (x, y) = (f64::from(index % 10), f64::from(index / 10));
        let time = 100.0 + 0.1 * f64::from(index);
        writeln!(reference, "{time} {x} {y} 0 0 0 0 1").unwrap();
        writeln!(estimate, "{time} {} {y} 0 0 0 0 1", x + 0.5).unwrap();
    }
    desk.write("reference.txt", reference.as_bytes());
    desk.write("estimate.txt", estimate.as_bytes());
}

#[test]
fn the_error_of_a_shifted_path_is_the_shift_and_alignment_removes_it() {
    let desk = Desk::new();
    two_paths(&desk);
    let files = ["--reference", "reference.txt", "--estimate", "estimate.txt", "--json"];
    let arguments = [["measure", "traj.ape"].as_slice(), &files].concat();
    let plain = desk.run(&arguments).expect_code(0).json();
    assert!((plain["rmse"].as_f64().unwrap() - 0.5).abs() < 1e-12);
    assert_eq!(plain["n"], 40);
    for key in ["mean", "median", "std", "min", "max", "sse"] {
        assert!(plain[key].is_number(), "{key}");
    }
    let aligned = [arguments.as_slice(), &["--align", "se3"]].concat();
    let aligned = desk.run(&aligned).expect_code(0).json();
    assert!(aligned["rmse"].as_f64().unwrap() < 1e-9);
    let relative = [["measure", "traj.rpe"].as_slice(), &files].concat();
    let relative = [relative.as_slice(), &["--delta", "1", "--delta-unit", "frames"]].concat();
    let relative = desk.run(&relative).expect_code(0).json();
    assert!(relative["rmse"].as_f64().unwrap() < 1e-9);
    assert_eq!(relative["n"], 39);
}

#[test]
fn a_wrong_word_or_file_is_named() {
    let desk = Desk::new();
    two_paths(&desk);
    let files = ["--reference", "reference.txt", "--estimate", "estimate.txt"];
    let wrong = [["measure", "traj.ape"].as_slice(), &files, &["--align", "sideways"]].concat();
    let outcome = desk.run(&wrong).expect_code(2);
    assert!(outcome.stderr.contains("sideways") && outcome.stderr.contains("sim3"));
    desk.write("estimate.txt", b"100.0 0 0 0\n");
    let cut = [["measure", "traj.ape"].as_slice(), &files].concat();
    let outcome = desk.run(&cut).expect_code(2);
    assert!(outcome.stderr.contains("estimate.txt"), "{}", outcome.stderr);
}

#[test]
fn every_metric_has_a_unit_and_a_source() {
    let listed = Desk::new().run(&["measure", "list", "--json"]).expect_code(0).json();
    let metrics = listed["metrics"].as_array().unwrap();
    assert!(metrics.len() >= 20);
    for metric in metrics {
        for field in ["id", "unit", "description", "source"] {
            assert!(!metric[field].as_str().unwrap().is_empty(), "{metric}");
        }
    }
}
