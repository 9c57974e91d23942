//! Spectra against SciPy, warping against all paths, and their laws. Data:
//! `testdata/signal_and_dependence/PROVENANCE.md`.

use proptest::{collection::vec, prelude::*};
use serde_json::Value;
use tiepoint_measure::{
    MeasureError,
    distribution::Rows,
    signal::{
        spectrum::{
            Detrend, PowerScaling, SegmentAverage, Taper, WelchOptions, log_spectral_distance_db,
            welch,
        },
        warping::{WarpingCost, WarpingOptions, time_warping},
    },
};
use tiepoint_model::{Seed, math};

use crate::{conformance, golden::numbers};

fn options(case: &Value, rate_hz: f64) -> WelchOptions {
    WelchOptions {
        rate_hz,
        segment_length: case["segment_length"].as_u64().unwrap() as usize,
        overlap: case["overlap"].as_u64().unwrap() as usize,
        taper: match case["window"].as_str().unwrap() {
            "hann" => Taper::Hann,
            "hamming" => Taper::Hamming,
            "blackman" => Taper::Blackman,
            _ => Taper::Boxcar,
        },
        detrend: match case["detrend"].as_str().unwrap() {
            "constant" => Detrend::Constant,
            "linear" => Detrend::Linear,
            _ => Detrend::None,
        },
        scaling: match case["scaling"].as_str().unwrap() {
            "density" => PowerScaling::Density,
            _ => PowerScaling::Spectrum,
        },
        average: match case["average"].as_str().unwrap() {
            "median" => SegmentAverage::Median,
            _ => SegmentAverage::Mean,
        },
    }
}

/// Expected: `scipy.signal.welch` 1.17.1 under five choices.
///
/// Tolerance: 1e-12 of the largest value, since a transform's error is relative to all of the
/// signal; at the frequency 0, which detrending empties, both sides hold rounding only.
#[test]
fn power_spectra_agree_with_scipy() {
    let text = include_str!("../../../../testdata/signal_and_dependence/expected.json");
    let golden: Value = serde_json::from_str(text).unwrap();
    let samples = numbers(&golden["samples"]);
    for case in golden["welch"].as_array().unwrap() {
        let options = options(case, golden["rate_hz"].as_f64().unwrap());
        let got = welch(&samples, &options).unwrap();
        let expected = numbers(&case["values"]);
        let largest = expected.iter().copied().fold(0.0, f64::max);
        assert_eq!(got.values.len(), expected.len());
        let _case = conformance::case("signal.power_spectrum", "one", &golden, "scipy");
        for (got, expected) in got.values.iter().zip(&expected) {
            conformance::compare(largest + got - expected, largest);
            assert!((got - expected).abs() <= 1e-12 * largest, "{case}: {got} {expected}");
        }
        for (got, expected) in got.frequencies_hz.iter().zip(numbers(&case["frequencies_hz"])) {
            assert!((got - expected).abs() <= 1e-12 * expected);
        }
    }
}

fn plain(segment_length: usize) -> WelchOptions {
    WelchOptions {
        overlap: 0,
        taper: Taper::Boxcar,
        detrend: Detrend::None,
        ..WelchOptions::scipy(50.0, segment_length)
    }
}

#[test]
fn a_sine_has_its_power_at_its_frequency() {
    let samples: Vec<f64> = (0..400)
        .map(|index| 3.0 * math::sin(2.0 * std::f64::consts::PI * 5.0 * f64::from(index) / 50.0))
        .collect();
    let options = WelchOptions { scaling: PowerScaling::Spectrum, ..plain(100) };
    let spectrum = welch(&samples, &options).unwrap();
    for (frequency_hz, power) in spectrum.frequencies_hz.iter().zip(&spectrum.values) {
        let expected = if (frequency_hz - 5.0).abs() < 1e-9 { 4.5 } else { 0.0 };
        assert!((power - expected).abs() < 1e-12, "{frequency_hz} Hz: {power}");
    }
    assert_eq!((spectrum.segment_count, spectrum.unused_count), (4, 0));
}

#[test]
fn degenerate_signals_are_refused_by_name() {
    let samples = [1.0; 64];
    for options in [
        WelchOptions { segment_length: 1, overlap: 0, ..plain(32) },
        WelchOptions { overlap: 32, ..plain(32) },
        WelchOptions { rate_hz: 0.0, ..plain(32) },
        WelchOptions { rate_hz: f64::NAN, ..plain(32) },
    ] {
        assert!(matches!(welch(&samples, &options), Err(MeasureError::InvalidOption { .. })));
    }
    assert!(matches!(welch(&samples, &plain(65)), Err(MeasureError::TooFew { count: 64, .. })));
    assert!(matches!(welch(&[], &plain(2)), Err(MeasureError::Empty { .. })));
    assert!(matches!(welch(&[f64::NAN; 9], &plain(2)), Err(MeasureError::NotFinite { .. })));
    assert!(matches!(welch(&[1e200; 64], &plain(32)), Err(MeasureError::NotFinite { .. })));
    // A constant signal without its mean has no power anywhere, so that no ratio exists.
    let flat = welch(&samples, &WelchOptions { detrend: Detrend::Constant, ..plain(32) }).unwrap();
    assert!(matches!(
        log_spectral_distance_db(&flat, &flat),
        Err(MeasureError::InvalidOption { .. })
    ));
}

/// The least cost of all paths, by trying each.
fn by_all_paths(x: &[f64], y: &[f64], band: usize) -> f64 {
    fn from(x: &[f64], y: &[f64], [i, j]: [usize; 2], band: usize) -> f64 {
        if i >= x.len() || j >= y.len() || i.abs_diff(j) > band {
            return f64::INFINITY;
        }
        let cost = (x[i] - y[j]).abs();
        if i + 1 == x.len() && j + 1 == y.len() {
            return cost;
        }
        [[i + 1, j], [i, j + 1], [i + 1, j + 1]]
            .map(|next| from(x, y, next, band))
            .into_iter()
            .fold(f64::INFINITY, f64::min)
            + cost
    }
    from(x, y, [0, 0], band)
}

fn warp(x: &[f64], y: &[f64], band: Option<usize>) -> Result<f64, MeasureError> {
    let options = WarpingOptions { cost: WarpingCost::Euclidean, band };
    time_warping(Rows::new(x, 1)?, Rows::new(y, 1)?, &options)
}

fn short() -> impl Strategy<Value = Vec<f64>> {
    vec((-8_i32..9).prop_map(|value| f64::from(value) / 4.0), 1..7)
}

proptest! {
    #[test]
    fn warping_agrees_with_all_paths(x in short(), y in short(), band in 0_usize..7) {
        prop_assert_eq!(warp(&x, &y, None), Ok(by_all_paths(&x, &y, 99)));
        match warp(&x, &y, Some(band)) {
            Ok(distance) => prop_assert_eq!(distance, by_all_paths(&x, &y, band)),
            Err(_) => prop_assert!(band < x.len().abs_diff(y.len())),
        }
    }

    #[test]
    fn warping_is_symmetric_and_never_above_no_bending(
        x in vec(-9.0..9.0_f64, 40),
        y in vec(-9.0..9.0_f64, 40),
    ) {
        let distance = warp(&x, &y, None).unwrap();
        prop_assert!((distance - warp(&y, &x, None).unwrap()).abs() < 1e-12);
        prop_assert_eq!(warp(&x, &x, None), Ok(0.0));
        let rigid: f64 = x.iter().zip(&y).map(|(a, b)| (a - b).abs()).sum();
        prop_assert!((warp(&x, &y, Some(0)).unwrap() - rigid).abs() < 1e-12);
        let mut last = f64::INFINITY;
        for band in [0, 1, 3, 10, 39, 100] {
            let banded = warp(&x, &y, Some(band)).unwrap();
            prop_assert!(banded <= last && banded >= distance);
            last = banded;
        }
        prop_assert_eq!(last, distance);
    }

    #[test]
    fn repeating_samples_costs_nothing(x in short(), times in 1_usize..4) {
        let slow: Vec<f64> = x.iter().flat_map(|value| vec![*value; times]).collect();
        prop_assert_eq!(warp(&x, &slow, None), Ok(0.0));
    }

    #[test]
    fn power_density_integrates_to_the_mean_square(
        samples in vec(-5.0..5.0_f64, 60),
        length in 2_usize..31,
    ) {
        let spectrum = welch(&samples, &plain(length)).unwrap();
        let used = &samples[..60 - spectrum.unused_count];
        let mean_square = used.iter().map(|value| value * value).sum::<f64>() / used.len() as f64;
        let total = spectrum.values.iter().sum::<f64>() * 50.0 / length as f64;
        prop_assert!((total - mean_square).abs() < 1e-10 * mean_square.max(1.0));
    }

    #[test]
    fn power_scales_with_the_square(samples in vec(-5.0..5.0_f64, 64), factor in 0.1..9.0_f64) {
        let scaled: Vec<f64> = samples.iter().map(|value| value * factor).collect();
        for average in [SegmentAverage::Mean, SegmentAverage::Median] {
            let options = WelchOptions { average, ..WelchOptions::scipy(10.0, 16) };
            let (one, other) =
                (welch(&samples, &options).unwrap(), welch(&scaled, &options).unwrap());
            for (a, b) in one.values.iter().zip(&other.values) {
                prop_assert!((a * factor * factor - b).abs() <= 1e-9 * b.max(1.0));
            }
        }
    }

    #[test]
    fn spectral_distance_is_a_metric_and_sees_gain_in_decibels(seed in 0_u64..50) {
        let noise = |purpose: &str| -> Vec<f64> {
            let seed = Seed(seed).for_purpose(purpose);
            (0..256).map(|index| seed.draws(0, index).normal()).collect()
        };
        let options = WelchOptions { detrend: Detrend::None, ..WelchOptions::scipy(1.0, 32) };
        let of = |samples: &[f64]| welch(samples, &options).unwrap();
        let [a, b, c] = ["a", "b", "c"].map(|purpose| of(&noise(purpose)));
        let distance = |x, y| log_spectral_distance_db(x, y).unwrap();
        prop_assert_eq!(distance(&a, &a), 0.0);
        prop_assert_eq!(distance(&a, &b), distance(&b, &a));
        prop_assert!(distance(&a, &c) <= distance(&a, &b) + distance(&b, &c) + 1e-9);
        let louder: Vec<f64> = noise("a").iter().map(|value| value * 10.0).collect();
        prop_assert!((distance(&a, &of(&louder)) - 20.0).abs() < 1e-9);
    }
}
