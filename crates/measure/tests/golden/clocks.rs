//! The timing of a channel, the offset of two clocks, the error of a reference and the scale of
//! steps against pandas and NumPy. Data: `testdata/sensors_and_clocks/PROVENANCE.md`.

use serde_json::Value;
use tiepoint_measure::{
    quality::{ValueCounts, channel_quality},
    registry,
    trajectory::{
        MotionSignal, Similarity, TimeOffset, TimeOffsetOptions, TimedPoses,
        reference_error::reference_error,
        sub_trajectory::{SubTrajectoryMode, step_scale_errors},
        time_offset,
    },
};
use tiepoint_model::{Pose3, Span, Timestamp};

use crate::{assert_close, conformance, numbers};

fn golden() -> Value {
    let text = include_str!("../../../../testdata/sensors_and_clocks/expected.json");
    serde_json::from_str(text).unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

/// Nanoseconds, as decimal strings.
fn stamps(value: &Value) -> Vec<Timestamp> {
    let stamp = |value: &Value| Timestamp(value.as_str().unwrap().parse().unwrap());
    value.as_array().unwrap().iter().map(stamp).collect()
}

/// Expected: medians and deviations of a pandas series, with two gaps, two repeats and a step back.
#[test]
fn channel_timing_agrees_with_pandas() {
    let golden = golden();
    let case = &golden["channel"];
    let got = channel_quality(&stamps(&case["log_times_ns"]), ValueCounts::default());
    assert_eq!(got.gap_count as f64, number(&case["gap_count"]));
    for (id, got, name) in [
        (registry::CHANNEL_RATE, got.rate_hz, "rate_hz"),
        (registry::CHANNEL_JITTER_SHARE, got.jitter_share, "jitter_share"),
        (registry::CHANNEL_GAP_SHARE, got.gap_share, "gap_share"),
    ] {
        let _case = conformance::case(id, "one", &golden, "pandas");
        assert_close(got.unwrap(), number(&case[name]), 1e-12, name);
    }
}

/// Positions without a turn.
fn straight_paths(case: &Value) -> Vec<Vec<Pose3>> {
    let paths: Vec<Vec<[f64; 3]>> = serde_json::from_value(case["paths"].clone()).unwrap();
    let pose = |at_m| Pose3::from_quaternion_xyzw(at_m, [0.0, 0.0, 0.0, 1.0]).unwrap();
    paths.into_iter().map(|path| path.into_iter().map(pose).collect()).collect()
}

/// Expected: covariances of differences and least squares over all pairs, by NumPy.
///
/// Tolerance 1e-10: a variance is the difference of sums some ten times its size.
#[test]
fn reference_errors_agree_with_least_squares_of_numpy() {
    let golden = golden();
    for case in golden["references"].as_array().unwrap() {
        let paths = straight_paths(case);
        let paths: Vec<&[Pose3]> = paths.iter().map(Vec::as_slice).collect();
        let got = reference_error(&paths).unwrap();
        let expected = numbers(&case["variance_m2"]);
        assert_eq!(got.len(), expected.len());
        let _case = conformance::case(registry::TRAJ_REFERENCE_ERROR, "one", &golden, "numpy");
        for (got, expected) in got.into_iter().zip(expected) {
            assert_close(got.sigma().unwrap(), expected.sqrt(), 1e-10, "own error");
        }
    }
}

/// Expected: lengths of NumPy's differences, of the last path against the first.
#[test]
fn step_scales_agree_with_numpy() {
    let golden = golden();
    for case in golden["references"].as_array().unwrap() {
        let paths = straight_paths(case);
        let [first, last] = [&paths[0], &paths[paths.len() - 1]];
        let mode = SubTrajectoryMode::Corrected;
        let got = step_scale_errors(first, last, &Similarity::identity(), mode).unwrap();
        let expected = &case["step_scale_percent"];
        let _case = conformance::case(registry::TRAJ_STEP_SCALE, "corrected", &golden, "numpy");
        assert_close(got.statistics.mean, number(&expected["mean"]), 1e-11, "mean");
        assert_close(got.statistics.max, number(&expected["max"]), 1e-11, "max");
        for (got, expected) in got.errors.into_iter().zip(numbers(&expected["each"])) {
            assert_close(got, expected, 1e-11, "step");
        }
    }
}

/// Expected: what was travelled, interpolated by NumPy; correlations over the cells in common by
/// pandas; the vertex of NumPy's parabola. The angles are SciPy's.
///
/// Tolerance 1 ns of the offset, which is rounded to whole ones; 1e-7 of the curvature, the second
/// difference of three numbers near 1.
#[test]
fn time_offsets_agree_with_pandas() {
    let golden = golden();
    let case = &golden["clocks"];
    let span = |name: &str| Span(case[name].as_i64().unwrap());
    let paths: Vec<(Vec<Timestamp>, Vec<Pose3>)> = case["paths"]
        .as_array()
        .unwrap()
        .iter()
        .map(|path| {
            let at: Vec<[f64; 3]> = serde_json::from_value(path["xyz"].clone()).unwrap();
            let turned: Vec<[f64; 4]> = serde_json::from_value(path["xyzw"].clone()).unwrap();
            let pose = |(at, turned)| Pose3::from_quaternion_xyzw(at, turned).unwrap();
            (stamps(&path["stamps_ns"]), at.into_iter().zip(turned).map(pose).collect())
        })
        .collect();
    for (signal, name) in
        [(MotionSignal::AngularSpeed, "angular_speed"), (MotionSignal::Speed, "speed")]
    {
        let options = TimeOffsetOptions {
            signal,
            step: span("step_ns"),
            guess: span("guess_ns"),
            search: span("search_ns"),
            overlap_min: span("overlap_min_ns"),
            correlation_min: 0.5,
            margin: 0.05,
        };
        let [reference, estimate] =
            [0, 1].map(|side| TimedPoses::new(&paths[side].0, &paths[side].1).unwrap());
        let got = time_offset(reference, estimate, &options).unwrap();
        let TimeOffset::Found(got) = got else { panic!("{name}: {got:?}") };
        let expected = &case[name];
        let _case = conformance::case(registry::TRAJ_TIME_OFFSET, "one", &golden, "pandas");
        let offset_ns = number(&expected["offset_ns"]);
        conformance::compare(got.offset.0 as f64, offset_ns);
        assert!((got.offset.0 as f64 - offset_ns).abs() <= 1.0, "{name}: {got:?} {offset_ns}");
        assert_close(got.correlation, number(&expected["correlation"]), 1e-9, name);
        assert_close(got.curvature_per_s2, number(&expected["curvature_per_s2"]), 1e-7, name);
    }
}
