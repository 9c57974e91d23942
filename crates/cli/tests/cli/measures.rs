//! `measure` on tables, clouds, logs and long paths: the reference packages' numbers, read from
//! files as a user has them, and errors that name file, row and column.

mod cameras;
mod clouds;
mod distributions;
mod inertial;
mod paths;
mod rigs;
mod series;
mod statistics;

use std::{collections::BTreeSet, fmt::Write as _, sync::OnceLock};

use serde_json::Value;

use super::{Desk, Outcome};

fn golden(name: &str) -> Value {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn rows(value: &Value) -> Vec<Vec<f64>> {
    serde_json::from_value(value.clone()).unwrap()
}

fn csv(header: &str, rows: &[Vec<f64>]) -> String {
    let mut text = format!("{header}\n");
    for row in rows {
        let cells: Vec<String> = row.iter().map(f64::to_string).collect();
        writeln!(text, "{}", cells.join(",")).unwrap();
    }
    text
}

/// The golden samples as CSV files with columns a, b, c.
fn two_samples(desk: &Desk) -> Value {
    let golden = golden("distribution_fidelity/distribution_fidelity.json");
    desk.write("real.csv", csv("a,b,c", &rows(&golden["X_real"])).as_bytes());
    desk.write("synthetic.csv", csv("a,b,c", &rows(&golden["Y_syn"])).as_bytes());
    golden
}

fn run(desk: &Desk, metric: &str, more: &[&str]) -> Outcome {
    let start = ["measure", metric, "--json"];
    let outcome = desk.run(&[start.as_slice(), more].concat());
    if matches!(outcome.code, 0 | 1 | 3) {
        let answer = outcome.json();
        let own = answer["metrics"].as_object().into_iter().flat_map(serde_json::Map::values);
        for identity in own.chain([&answer["metric"]]) {
            assert_listed(identity.as_str().unwrap());
        }
    }
    outcome
}

/// Every convention that a metric prints is one that the list names.
#[track_caller]
fn assert_listed(identity: &str) {
    static LISTED: OnceLock<Value> = OnceLock::new();
    let list = || Desk::new().run(&["measure", "list", "--json"]).expect_code(0).json();
    let metrics = LISTED.get_or_init(list)["metrics"].as_array().unwrap();
    let (id, conventions) = identity.split_once('[').unwrap_or((identity, ""));
    let line = metrics.iter().find(|line| line["id"] == id).unwrap();
    let known: Vec<String> = serde_json::from_value(line["conventions"].clone()).unwrap();
    let printed = conventions.split(';').filter_map(|part| Some(part.split_once('=')?.0));
    for name in printed {
        assert!(known.iter().any(|known| known == name), "{name} of {identity} in {known:?}");
    }
}

fn of_samples(desk: &Desk, metric: &str, more: &[&str]) -> Value {
    let files = ["--real", "real.csv", "--synthetic", "synthetic.csv"];
    run(desk, metric, &[files.as_slice(), more].concat()).expect_code(0).json()
}

/// Sums in another order differ by some ulp.
#[track_caller]
fn assert_close(got: &Value, expected: &Value) {
    let (got, expected) = (got.as_f64().unwrap(), expected.as_f64().unwrap());
    let allowed = 1e-9 * expected.abs() + 1e-15;
    assert!((got - expected).abs() <= allowed, "got {got}, expected {expected}");
}

#[test]
fn every_listed_command_exists_and_has_an_example() {
    let desk = Desk::new();
    let listed = desk.run(&["measure", "list", "--json"]).expect_code(0).json();
    let metrics = listed["metrics"].as_array().unwrap();
    let commands: BTreeSet<&str> =
        metrics.iter().filter_map(|metric| metric["command"].as_str()).collect();
    assert!(commands.len() >= 58, "{commands:?}");
    for command in commands {
        let help = desk.run(&["measure", command, "--help"]).expect_code(0).stdout;
        assert!(help.contains(&format!("Example: tiepoint measure {command} ")), "{help}");
    }
    let has_verb =
        |metric: &Value| metric["command"].is_string() || metric["elsewhere"].is_string();
    assert!(metrics.iter().all(has_verb), "{listed}");
    let table = desk.run(&["measure", "list"]).expect_code(0).stdout;
    assert!(table.contains("traj.kitti_drift.rotation_deg_per_m"), "{table}");
}
