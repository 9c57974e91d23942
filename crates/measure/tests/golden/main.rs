//! Measures against the reference tools. Data, versions and licences:
//! `testdata/<case>/PROVENANCE.md`.
//!
//! One file per family of metrics; what they share is here.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod clocks;
#[path = "../conformance/mod.rs"]
mod conformance;
mod distribution;
mod drift;
mod loops;
mod public;
mod scans;
mod trajectory;

use serde_json::Value;
use tiepoint_measure::registry;

/// `cargo xtask conformance` says which of these no golden test compares.
#[test]
fn the_library_names_its_metrics_for_the_conformance_page() {
    assert!(!registry::all().is_empty());
    for entry in registry::all() {
        println!("conformance metric: {}", entry.id);
    }
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn indices(value: &Value) -> Vec<usize> {
    numbers(value).into_iter().map(|number| number as usize).collect()
}

/// Relative, with an absolute floor for numbers that are zero by construction (the first pose after
/// aligning the origin).
#[track_caller]
fn assert_close(got: f64, expected: f64, relative: f64, what: &str) {
    conformance::compare(got, expected);
    let allowed = relative * expected.abs() + 1e-12;
    assert!((got - expected).abs() <= allowed, "{what}: got {got}, expected {expected}");
}
