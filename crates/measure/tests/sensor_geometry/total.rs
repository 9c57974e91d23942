//! The total deviations, Theo1 and the time interval error against allantools, and their laws.
//! Data: `testdata/series_and_transport/PROVENANCE.md`.

use serde_json::Value;
use tiepoint_measure::{
    MeasureError,
    sensor::{
        AveragingFactors, Deviation, Record,
        allan::{TimeIntervalError, TotalDeviation, time_interval_error, total_deviation},
        allan_deviation,
    },
};
use tiepoint_model::Seed;

use crate::conformance;

const ALL: [TotalDeviation; 4] = [
    TotalDeviation::Mtotdev,
    TotalDeviation::Ttotdev,
    TotalDeviation::Htotdev,
    TotalDeviation::Theo1,
];

fn golden() -> (Value, Vec<f64>, Vec<f64>, f64) {
    let text = include_str!("../../../../testdata/series_and_transport/expected.json");
    let golden: Value = serde_json::from_str(text).unwrap();
    let rates = numbers(&golden["totals"]["rates"]);
    let rate_hz = golden["totals"]["rate_hz"].as_f64().unwrap();
    let mut phase = 0.0;
    let rest = rates.iter().map(|rate| {
        phase += rate;
        phase / rate_hz
    });
    let phases = std::iter::once(0.0).chain(rest).collect();
    (golden, rates, phases, rate_hz)
}

fn numbers(value: &Value) -> Vec<f64> {
    serde_json::from_value(value.clone()).unwrap()
}

/// What allantools says under a name: factors, values, terms.
fn expected(golden: &Value, name: &str, rate_hz: f64) -> (Vec<usize>, Vec<f64>, Vec<f64>) {
    let found = &golden["totals"][name];
    let taus = numbers(&found["tau"]);
    let factors = taus.iter().map(|tau| (tau * rate_hz).round() as usize).collect();
    (factors, numbers(&found["dev"]), numbers(&found["n"]))
}

fn assert_equal(got: f64, expected: f64, what: &str) {
    conformance::compare(got / expected, 1.0);
    assert!((got / expected - 1.0).abs() < 1e-10, "{what}: {got} {expected}");
}

/// Expected: allantools 2024.6, from rates and from phases; the same factors have a value.
///
/// Tolerance 1e-10: running sums over a phase whose mean was taken off first.
#[test]
fn total_deviations_agree_with_allantools() {
    let (golden, rates, phases, rate_hz) = golden();
    let asked = [1, 2, 3, 4, 6, 7, 10, 16, 25, 40, 60, 77, 80, 100, 150];
    for deviation in ALL {
        for (kind, record) in [("freq", Record::Rate(&rates)), ("phase", Record::Phase(&phases))] {
            let name = format!("{} {kind}", deviation.name());
            let (factors, values, counts) = expected(&golden, &name, rate_hz);
            let given = AveragingFactors::Given(&asked);
            let points = total_deviation(deviation, record, rate_hz, given).unwrap();
            let id = deviation.metric(1.0).id();
            let _case = conformance::case(id, "compat", &golden, "AllanTools");
            assert_eq!(points.iter().map(|p| p.factor).collect::<Vec<_>>(), factors, "{name}");
            for (index, point) in points.iter().enumerate() {
                assert_equal(point.deviation, values[index], &name);
                assert_eq!(point.term_count as f64, counts[index], "{name} {}", point.factor);
            }
        }
    }
}

/// Expected: allantools 2024.6.
#[test]
fn time_interval_errors_agree_with_allantools() {
    let (golden, rates, phases, rate_hz) = golden();
    for (kind, record) in [("freq", Record::Rate(&rates)), ("phase", Record::Phase(&phases))] {
        for (id, name) in TimeIntervalError::METRICS.into_iter().zip(["tierms", "mtie"]) {
            let name = format!("{name} {kind}");
            let (factors, values, counts) = expected(&golden, &name, rate_hz);
            let given = AveragingFactors::Given(&factors);
            let points = time_interval_error(record, rate_hz, given).unwrap();
            let _case = conformance::case(id, "compat", &golden, "AllanTools");
            assert_eq!(points.len(), factors.len());
            for (index, point) in points.iter().enumerate() {
                let is_rms = name.starts_with("tierms");
                let got = if is_rms { point.root_mean_square } else { point.largest };
                assert_equal(got, values[index], &name);
                assert_eq!(point.term_count as f64, counts[index]);
            }
        }
    }
}

fn white(seed: u64, count: u64) -> Vec<f64> {
    (0..count).map(|index| Seed(seed).draws(0, index).normal()).collect()
}

#[test]
fn total_deviations_ignore_the_mean_and_scale_with_the_rate() {
    let rates = white(1, 200);
    let moved: Vec<f64> = rates.iter().map(|rate| 7.0 - 2.0 * rate).collect();
    for deviation in ALL {
        let of = |rates: &[f64]| {
            total_deviation(deviation, Record::Rate(rates), 5.0, AveragingFactors::Octave).unwrap()
        };
        for (plain, moved) in of(&rates).iter().zip(of(&moved)) {
            let ratio = moved.deviation / plain.deviation;
            assert!((ratio - 2.0).abs() < 1e-9, "{deviation:?} {}: {ratio}", plain.factor);
        }
    }
}

/// Of white noise all come near their plain kin, up to a known bias of at most a sixth of the
/// deviation; 5000 steps leave a standard error of about 5 percent at factor 8.
#[test]
fn total_deviations_of_white_noise_are_near_the_plain_ones() {
    let rates = white(2, 5000);
    let factors = AveragingFactors::Given(&[8]);
    for (deviation, plain) in [
        (TotalDeviation::Mtotdev, Deviation::Mdev),
        (TotalDeviation::Ttotdev, Deviation::Tdev),
        (TotalDeviation::Htotdev, Deviation::Ohdev),
        (TotalDeviation::Theo1, Deviation::Oadev),
    ] {
        let total = total_deviation(deviation, Record::Rate(&rates), 2.0, factors).unwrap();
        let plain = allan_deviation(plain, Record::Rate(&rates), 2.0, factors).unwrap();
        let ratio = total[0].deviation / plain.points[0].deviation;
        assert!((0.75..1.25).contains(&ratio), "{deviation:?}: {ratio}");
    }
}

#[test]
fn the_largest_time_interval_error_never_falls() {
    let rates = white(3, 300);
    let all = AveragingFactors::All;
    let points = time_interval_error(Record::Rate(&rates), 1.0, all).unwrap();
    assert!(points.windows(2).all(|pair| pair[0].largest <= pair[1].largest));
    assert!(points.iter().all(|point| point.root_mean_square <= point.largest));
    // By looking at every window.
    let mut phase = vec![0.0];
    let mean = rates.iter().sum::<f64>() / 300.0;
    rates.iter().for_each(|rate| phase.push(phase[phase.len() - 1] + rate - mean));
    for point in points.iter().step_by(37) {
        let range = |window: &[f64]| {
            window.iter().fold(f64::MIN, |a, b| a.max(*b))
                - window.iter().fold(f64::MAX, |a, b| a.min(*b))
        };
        let widest = phase.windows(point.factor + 1).map(range).fold(0.0, f64::max);
        assert!((point.largest - widest).abs() < 1e-12);
    }
}

#[test]
fn records_without_a_total_deviation_are_refused_by_name() {
    for deviation in ALL {
        let of = |rates: &[f64], factors: &[usize]| {
            let factors = AveragingFactors::Given(factors);
            total_deviation(deviation, Record::Rate(rates), 1.0, factors)
        };
        assert!(matches!(of(&[], &[2]), Err(MeasureError::Empty { .. })));
        assert!(matches!(of(&[1.0; 50], &[2]), Err(MeasureError::Constant { .. })));
        assert!(matches!(of(&[1.0, f64::NAN], &[2]), Err(MeasureError::NotFinite { .. })));
        assert!(matches!(of(&[1.0, 2.0], &[2]), Err(MeasureError::TooFew { .. })));
        assert!(matches!(of(&[1.0, 2.0, 0.0], &[0, 9]), Err(MeasureError::TooFew { .. })));
    }
}
