//! Drift and dependence against the reference tools, and their laws. Data:
//! `testdata/<case>/PROVENANCE.md`.

use proptest::{collection::vec, prelude::*};
use serde_json::Value;
use tiepoint_measure::{
    MeasureError,
    distribution::{
        AdwinOptions, Correlation, KsAlternative, KsMode, PsiBins, Rows, adwin, category_distance,
        dependence_difference, ks_test, population_stability_index,
    },
    registry,
};
use tiepoint_model::Seed;

use crate::{
    conformance,
    golden::{assert_close, numbers},
    numpy::RandomState,
};

const ALL: [Correlation; 4] =
    [Correlation::Pearson, Correlation::Spearman, Correlation::KendallTauB, Correlation::Distance];

fn drift() -> Value {
    let text = include_str!("../../../../testdata/coverage_drift/drift.json");
    serde_json::from_str(text).unwrap()
}

/// Expected: NumPy by evidently's formula and by two other binnings, which give other numbers on
/// both sides of the usual limit of 0.1.
#[test]
fn stability_index_agrees_under_each_binning() {
    let golden = drift();
    let expected = &golden["psi"];
    let (reference, current) = (numbers(&expected["ref"]), numbers(&expected["cur"]));
    for (bins, name) in [
        (
            PsiBins::Evidently,
            "evidently_0.7.23_formula(sturges equal-width on pooled, zero->1e-4, no renorm)",
        ),
        (PsiBins::ReferenceQuantiles(10), "decile_of_reference"),
        (PsiBins::ReferenceWidths(10), "10_equal_width_of_reference"),
    ] {
        let got = population_stability_index(&reference, &current, bins).unwrap();
        let (mode, reference) = match bins {
            PsiBins::Evidently => ("compat", "evidently 0.7.23, transcribed"),
            _ => ("one", "numpy"),
        };
        let _case = conformance::case(registry::DIST_PSI, mode, &golden, reference);
        assert_close(got, &expected[name], 1e-12, name);
    }
}

/// Expected: river 0.26.1 on a stream that changes at 1000 and 2000.
///
/// Tolerance 1e-9: a running sum from which old buckets are taken off.
#[test]
fn adwin_agrees_with_river() {
    let golden = drift();
    let expected = &golden["adwin"];
    let report = adwin(&numbers(&expected["stream"]), &AdwinOptions::RIVER).unwrap();
    assert_eq!(report.detections, [1023, 2047]);
    let _case = conformance::case(registry::DIST_ADWIN_DETECTIONS, "compat", &golden, "river");
    assert_eq!(Some(report.width as f64), expected["final"]["width"].as_f64());
    assert_close(report.mean, &expected["final"]["estimation"], 1e-9, "mean");
}

/// Expected: river 0.26.1 on `RandomState(5)` normals, rounded to four decimals: 700 of (0, 1), 500
/// of (0.8, 1.5), 301 of (-0.5, 0.5).
#[test]
fn adwin_agrees_with_river_under_other_options() {
    let mut draws = RandomState::new(5);
    let mut stream = Vec::new();
    for (count, mean, sigma) in [(700, 0.0, 1.0), (500, 0.8, 1.5), (301, -0.5, 0.5)] {
        stream.extend((0..count).map(|_| {
            let value: f64 = mean + sigma * draws.normal();
            (value * 1e4).round_ties_even() / 1e4
        }));
    }
    let other = AdwinOptions {
        delta: 0.2,
        clock: 7,
        bucket_count_max: 3,
        side_length_min: 3,
        grace_count: 4,
    };
    for (options, detections, width, mean) in [
        (AdwinOptions::RIVER, [767, 1247], 253, -0.468_394_071_146_244_76),
        (other, [727, 1217], 283, -0.478_475_265_017_667_74),
    ] {
        let report = adwin(&stream, &options).unwrap();
        assert_eq!((report.detections.as_slice(), report.width), (&detections[..], width));
        let golden = drift();
        let adwin = registry::DIST_ADWIN_DETECTIONS;
        let _case = conformance::case(adwin, "compat", &golden, "river");
        conformance::compare(report.mean, mean);
        assert!((report.mean - mean).abs() < 1e-12);
    }
}

/// Expected: SDMetrics 0.32.0, which says one minus each distance.
#[test]
fn columns_agree_with_sdmetrics() {
    let text = include_str!("../../../../testdata/sdmetrics_columns/columns.json");
    let golden: Value = serde_json::from_str(text).unwrap();
    let expected = &golden["metrics"];
    let codes = |side: &str, column: &str| -> Vec<u64> {
        let code = |value: &Value| match value {
            Value::Bool(is_set) => u64::from(*is_set),
            text => u64::from(text.as_str().unwrap().as_bytes()[0]),
        };
        golden[side][column].as_array().unwrap().iter().map(code).collect()
    };
    let case = |metric: &str| conformance::case(metric, "one", &golden, "sdmetrics");
    let total_variation = registry::DIST_TOTAL_VARIATION.as_str();
    let row = case(total_variation);
    let weather = ["real", "synthetic"].map(|side| codes(side, "weather"));
    let got = 1.0 - category_distance(&weather[0], &weather[1]).unwrap();
    assert_close(got, &expected["TVComplement_weather"], 1e-12, "weather");
    drop(row);
    let pairs = ["real", "synthetic"].map(|side| -> Vec<u64> {
        let (weather, night) = (codes(side, "weather"), codes(side, "night"));
        weather.iter().zip(night).map(|(weather, night)| 2 * weather + night).collect()
    });
    let got = 1.0 - category_distance(&pairs[0], &pairs[1]).unwrap();
    let row = case(total_variation);
    assert_close(got, &expected["ContingencySimilarity_weather_night"], 1e-12, "pairs");
    drop(row);
    let column = |side: &str, name: &str| numbers(&golden[side][name]);
    let test = ks_test(
        &column("real", "speed"),
        &column("synthetic", "speed"),
        KsAlternative::TwoSided,
        KsMode::Auto,
    );
    let row = case(registry::DIST_KS.as_str());
    assert_close(1.0 - test.unwrap().distance, &expected["KSComplement_speed"], 1e-12, "speed");
    drop(row);
    let [real, synthetic] = ["real", "synthetic"]
        .map(|side| Correlation::Pearson.of(&column(side, "speed"), &column(side, "vis")).unwrap());
    let _row = case("correlation, pearson");
    assert_close(real, &golden["real_correlation_speed_vis"], 1e-12, "correlation");
    let similarity = 1.0 - (real - synthetic).abs() / 2.0;
    assert_close(similarity, &expected["CorrelationSimilarity_speed_vis"], 1e-12, "similarity");
}

/// Expected: SciPy 1.17.1 and the definition of distance correlation, on columns with ties.
#[test]
fn correlations_agree_with_scipy() {
    let text = include_str!("../../../../testdata/signal_and_dependence/expected.json");
    let golden: Value = serde_json::from_str(text).unwrap();
    let (x, y) = (numbers(&golden["x"]), numbers(&golden["y"]));
    for (which, name) in ALL.into_iter().zip(["pearson", "spearman", "kendall_tau_b", "distance"]) {
        let package = if which == Correlation::Distance { "numpy" } else { "scipy" };
        let metric = format!("correlation, {name}");
        let _case = conformance::case(metric, "one", &golden, package);
        assert_close(which.of(&x, &y).unwrap(), &golden[name], 1e-11, name);
    }
}

/// Two samples whose columns have one law each, bound together in one sample only.
#[test]
fn dependence_difference_sees_what_marginals_do_not() {
    let normal = |index: u64| Seed(3).draws(0, index).normal();
    let bound: Vec<f64> = (0..400).flat_map(|index| [normal(index), normal(index)]).collect();
    let free: Vec<f64> = (0..400).flat_map(|index| [normal(index), normal(index + 1000)]).collect();
    let [bound, free] = [&bound, &free].map(|values| Rows::new(values, 2).unwrap());
    for which in ALL {
        let got = dependence_difference(bound, free, which).unwrap();
        // Four standard errors of an independent pair's coefficient, 1 / sqrt(400), biased distance
        // correlation included.
        assert!(got.largest > 0.8 && got.columns == [0, 1], "{which:?} {got:?}");
        let none = dependence_difference(free, free, which).unwrap();
        assert_eq!((none.largest, none.mean, none.root_mean_square), (0.0, 0.0, 0.0));
    }
    assert!(matches!(
        dependence_difference(
            Rows::new(&[1.0, 2.0, 1.0, 3.0], 2).unwrap(),
            Rows::new(&[1.0, 2.0, 2.0, 3.0], 2).unwrap(),
            Correlation::Pearson,
        ),
        Err(MeasureError::Constant { .. })
    ));
}

/// Few distinct values, so that ties are common.
fn coarse() -> impl Strategy<Value = Vec<f64>> {
    vec((-6_i32..7).prop_map(|value| f64::from(value) / 2.0), 3..30)
}

fn tau_by_pairs(x: &[f64], y: &[f64]) -> f64 {
    let (mut balance, mut of_x, mut of_y) = (0.0, 0.0, 0.0);
    for i in 0..x.len() {
        for j in 0..i {
            let sign = |a: f64, b: f64| if a == b { 0.0 } else { (a - b).signum() };
            let (a, b) = (sign(x[i], x[j]), sign(y[i], y[j]));
            balance += a * b;
            of_x += a * a;
            of_y += b * b;
        }
    }
    balance / f64::sqrt(of_x * of_y)
}

proptest! {
    #[test]
    fn kendall_agrees_with_counting_pairs(x in coarse(), y in coarse()) {
        let count = x.len().min(y.len());
        let (x, y) = (&x[..count], &y[..count]);
        if let Ok(tau) = Correlation::KendallTauB.of(x, y) {
            prop_assert!((tau - tau_by_pairs(x, y)).abs() < 1e-12);
        }
    }

    #[test]
    fn correlations_are_symmetric_and_one_with_themselves(x in coarse(), y in coarse()) {
        let count = x.len().min(y.len());
        let (x, y) = (&x[..count], &y[..count]);
        for which in ALL {
            if let (Ok(xy), Ok(yx)) = (which.of(x, y), which.of(y, x)) {
                prop_assert!((xy - yx).abs() < 1e-12 && xy.abs() <= 1.0);
                prop_assert!((which.of(x, x).unwrap() - 1.0).abs() < 1e-12);
                let moved: Vec<f64> = x.iter().map(|value| 3.0 * value + 2.0).collect();
                prop_assert!((which.of(&moved, y).unwrap() - xy).abs() < 1e-12);
                let mirrored: Vec<f64> = x.iter().map(|value| -value).collect();
                let sign = if which == Correlation::Distance { 1.0 } else { -1.0 };
                prop_assert!((which.of(&mirrored, y).unwrap() - sign * xy).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn rank_correlations_ignore_monotone_maps(x in coarse(), y in coarse()) {
        let count = x.len().min(y.len());
        let (x, y) = (&x[..count], &y[..count]);
        let cubed: Vec<f64> = x.iter().map(|value| value * value * value).collect();
        for which in [Correlation::Spearman, Correlation::KendallTauB] {
            prop_assert_eq!(which.of(x, y), which.of(&cubed, y));
        }
    }

    /// Equal widths, quantiles and Sturges' number all move with the values. Shifts and factors are
    /// powers of two, so that values do not cross edges by rounding.
    #[test]
    fn psi_is_zero_on_equal_samples_and_unchanged_by_shift_and_scale(
        x in coarse(),
        y in coarse(),
        power in -3_i32..4,
    ) {
        let factor = f64::exp2(f64::from(power));
        let map = |values: &[f64]| -> Vec<f64> {
            values.iter().map(|value| (value + 64.0) * factor).collect()
        };
        let shifted = |values: &[f64]| values.iter().map(|v| v + 64.0).collect::<Vec<_>>();
        for bins in
            [PsiBins::Evidently, PsiBins::ReferenceQuantiles(4), PsiBins::ReferenceWidths(4)]
        {
            if let Ok(index) = population_stability_index(&shifted(&x), &shifted(&y), bins) {
                prop_assert!(index >= 0.0);
                prop_assert_eq!(population_stability_index(&map(&x), &map(&y), bins), Ok(index));
                // One value only has no bins under some rules.
                let own = population_stability_index(&x, &x, bins);
                let is_constant = matches!(own, Err(MeasureError::Constant { .. }));
                prop_assert!(own == Ok(0.0) || is_constant);
            }
        }
    }

    #[test]
    fn category_distance_is_a_metric(
        a in vec(0_u64..5, 1..20),
        b in vec(0_u64..5, 1..20),
        c in vec(0_u64..5, 1..20),
    ) {
        let distance = |a: &[u64], b: &[u64]| category_distance(a, b).unwrap();
        prop_assert_eq!(distance(&a, &a), 0.0);
        prop_assert_eq!(distance(&a, &b), distance(&b, &a));
        prop_assert!(distance(&a, &c) <= distance(&a, &b) + distance(&b, &c) + 1e-12);
        prop_assert!((0.0..=1.0 + 1e-12).contains(&distance(&a, &b)));
    }

    /// A step of ten standard deviations is seen, and not before it happens.
    #[test]
    fn adwin_sees_a_step_and_is_unchanged_by_shift(seed in 0_u64..200, place in 100_usize..300) {
        let stream: Vec<f64> = (0..500)
            .map(|index| {
                let step = if index < place { 0.0 } else { 1.0 };
                step + 0.1 * Seed(seed).draws(0, index as u64).normal()
            })
            .collect();
        let report = adwin(&stream, &AdwinOptions::RIVER).unwrap();
        prop_assert!(report.detections.iter().any(|&seen| seen >= place && seen < place + 96));
        prop_assert!(report.detections.iter().all(|&seen| seen >= place));
        let moved: Vec<f64> = stream.iter().map(|value| value + 1024.0).collect();
        let moved = adwin(&moved, &AdwinOptions::RIVER).unwrap();
        prop_assert_eq!(moved.detections, report.detections);
        prop_assert!((moved.mean - report.mean - 1024.0).abs() < 1e-9);
    }
}

#[test]
fn adwin_is_quiet_on_a_constant() {
    let report = adwin(&[7.0; 3000], &AdwinOptions::RIVER).unwrap();
    assert_eq!((report.detections.len(), report.width), (0, 3000));
    assert_eq!((report.mean, report.variance), (7.0, 0.0));
}
