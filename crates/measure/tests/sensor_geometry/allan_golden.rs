//! The Allan family against allantools, and its degrees of freedom.

use serde_json::Value;
use tiepoint_measure::sensor::{
    AveragingFactors, Deviation, Record,
    allan::{NoiseKind, freedom::degrees_of_freedom},
    allan_deviation,
    chance::deviation_interval,
};

use crate::conformance;

const DEVIATIONS: [Deviation; 7] = [
    Deviation::Adev,
    Deviation::Oadev,
    Deviation::Mdev,
    Deviation::Tdev,
    Deviation::Hdev,
    Deviation::Ohdev,
    Deviation::Totdev,
];

fn numbers(value: &Value) -> Vec<f64> {
    serde_json::from_value(value.clone()).unwrap()
}

fn made_record() -> Value {
    let text = include_str!("../../../../testdata/allan_deviation/made_record.json");
    serde_json::from_str(text).unwrap()
}

/// The generator of the NIST SP 1065 test suite.
pub(crate) fn uniform(seed: u64, count: usize) -> Vec<f64> {
    std::iter::successors(Some(seed), |state| Some(16_807 * state % 2_147_483_647))
        .take(count)
        .map(|state| state as f64 / 2_147_483_647.0)
        .collect()
}

/// Tolerance: sums of squares in another order, over a phase whose mean was taken off first.
fn assert_curve(
    golden: &Value,
    name: &str,
    deviation: Deviation,
    (record, rate_hz): (Record, f64),
) {
    let expected = golden.get("nbs1000").unwrap_or(golden);
    let expected = &expected[name];
    let taus = numbers(expected.get("taus").unwrap_or(&expected["tau"]));
    let factors: Vec<usize> = taus.iter().map(|tau| (tau * rate_hz).round() as usize).collect();
    let factors = AveragingFactors::Given(&factors);
    let curve = allan_deviation(deviation, record, rate_hz, factors).unwrap();
    assert_eq!(curve.points.len(), taus.len(), "{name}");
    let (devs, counts) = (numbers(&expected["dev"]), numbers(&expected["n"]));
    let metric = deviation.metric(taus[0]);
    let _case = conformance::case(metric.id(), "compat", golden, "AllanTools");
    for (index, point) in curve.points.iter().enumerate() {
        conformance::compare(point.deviation / devs[index], 1.0);
        let relative = (point.deviation / devs[index] - 1.0).abs();
        assert!(relative < 1e-10, "{name} {point:?} {} {relative}", devs[index]);
        assert_eq!(point.term_count as f64, counts[index], "{name}");
        assert!((point.tau_s / taus[index] - 1.0).abs() < 1e-12);
    }
}

#[test]
fn deviations_agree_with_allantools_on_the_nist_record() {
    let text = include_str!("../../../../testdata/allan_deviation/allan_deviation.json");
    let golden: Value = serde_json::from_str(text).unwrap();
    let record = uniform(1_234_567_890, 1000);
    assert_eq!(record[..3], numbers(&golden["nbs1000"]["first3"]));
    for deviation in DEVIATIONS {
        assert_curve(&golden, deviation.name(), deviation, (Record::Rate(&record), 1.0));
    }
}

/// Rates on a large mean with a random walk, and their integral.
#[test]
fn deviations_agree_with_allantools_on_a_made_record() {
    let golden = made_record();
    let (count, rate_hz) = (3000, golden["rate_hz"].as_f64().unwrap());
    let mut walk = 0.0;
    let rates: Vec<f64> = uniform(1_234_567_890, count)
        .into_iter()
        .zip(uniform(987_654_321, count))
        .map(|(white, step)| {
            walk += step - 0.5;
            5.0 + white + 0.05 * walk
        })
        .collect();
    let sum = golden["rates_sum"].as_f64().unwrap();
    assert!((rates.iter().sum::<f64>() / sum - 1.0).abs() < 1e-13);
    let mut phase = 0.0;
    let phases: Vec<f64> = std::iter::once(0.0)
        .chain(rates.iter().map(|rate| {
            phase += rate;
            phase / rate_hz
        }))
        .collect();
    for deviation in DEVIATIONS {
        for (kind, record) in [("freq", Record::Rate(&rates)), ("phase", Record::Phase(&phases))] {
            for (taus, factors) in
                [("octave", AveragingFactors::Octave), ("decade", AveragingFactors::Decade)]
            {
                let name = format!("{} {kind} {taus}", deviation.name());
                assert_curve(&golden, &name, deviation, (record, rate_hz));
                let curve = allan_deviation(deviation, record, rate_hz, factors).unwrap();
                assert_eq!(curve.points.len(), numbers(&golden[&name]["tau"]).len(), "{name}");
            }
        }
    }
}

/// allantools sums up to 100 terms of the paper's formula and takes fits of two or three digits
/// beyond: equal to 1e-9 where it sums without a limit filter, within 4 % elsewhere.
#[test]
fn degrees_of_freedom_agree_with_allantools() {
    let golden = made_record();
    let mut exact_count = 0;
    for case in golden["freedom"].as_array().unwrap() {
        let noise = match case["alpha"].as_i64().unwrap() {
            0 => NoiseKind::White,
            -1 => NoiseKind::Flicker,
            _ => NoiseKind::RandomWalk,
        };
        let factor = case["m"].as_u64().unwrap() as usize;
        let phase_count = case["phase_count"].as_u64().unwrap() as usize;
        for deviation in DEVIATIONS.into_iter().filter(|d| *d != Deviation::Tdev) {
            let got = degrees_of_freedom(deviation, noise, factor, phase_count);
            let expected = case[deviation.name()].as_f64().unwrap();
            let relative = (got / expected - 1.0).abs();
            let is_summed = factor <= 10 || deviation == Deviation::Totdev;
            let allowed = if is_summed { 1e-9 } else { 0.04 };
            exact_count += usize::from(is_summed);
            assert!(relative < allowed, "{deviation:?} {case} {got}");
            let metric = match is_summed {
                true => "sensor.allan, degrees of freedom",
                false => "sensor.allan, degrees of freedom, the tool's fit of three digits",
            };
            let _case = conformance::case(metric, "one", &golden, "AllanTools");
            conformance::compare(got, expected);
        }
    }
    assert_eq!(exact_count, 3 * (3 * 6 + 4));
}

#[test]
fn intervals_agree_with_allantools() {
    let golden = made_record();
    let expected = numbers(&golden["interval_12.5_95"]);
    let got = deviation_interval(1.0, 12.5, 0.95).unwrap();
    let _case = conformance::case("sensor.allan, interval", "one", &golden, "AllanTools");
    conformance::compare(got.low, expected[0]);
    conformance::compare(got.high, expected[1]);
    assert!((got.low / expected[0] - 1.0).abs() < 1e-12);
    assert!((got.high / expected[1] - 1.0).abs() < 1e-12);
}
