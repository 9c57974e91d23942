//! Inertial noise, LiDAR readings, video and shutters against allantools, SciPy, pandas and NumPy.
//! Data: `testdata/sensors_and_clocks/PROVENANCE.md`.

use serde_json::Value;
use tiepoint_measure::{
    registry,
    sensor::{
        AveragingFactors, Deviation, Record,
        allan::{TauRange, fit_noise},
        allan_deviation,
        camera::{RowShift, VideoNoiseOptions, line_delay, video_noise},
        lidar::{BeamReturn, RangeCells, RangeNoiseOptions, RangePair, drop_out, range_noise},
    },
};

use crate::{allan_golden::uniform, conformance};

fn golden() -> Value {
    let text = include_str!("../../../../testdata/sensors_and_clocks/expected.json");
    serde_json::from_str(text).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    serde_json::from_value(value.clone()).unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn count(value: &Value) -> usize {
    value.as_u64().unwrap().try_into().unwrap()
}

/// Relative, for numbers that are not near zero.
#[track_caller]
fn assert_close(got: f64, expected: &Value, relative: f64) {
    let expected = number(expected);
    conformance::compare(got, expected);
    assert!((got / expected - 1.0).abs() <= relative, "{got} {expected}");
}

/// White noise, flicker as a sum of first-order processes, and a random walk.
fn made_rates(count: usize) -> Vec<f64> {
    let of = |seed: u64| uniform(seed, count).into_iter().map(|value| value - 0.5);
    let seeds = [192_837_465, 564_738_291, 1_029_384_756, 657_483_920, 111_222_333];
    let mut flicker = vec![0.0; count];
    let mut forgets = 1.0_f64;
    for seed in seeds {
        forgets *= 0.25;
        let keep = 1.0 - forgets;
        let take = (1.0 - keep * keep).sqrt();
        let mut state = 0.0;
        for (sum, value) in flicker.iter_mut().zip(of(seed)) {
            state = take * value + keep * state;
            *sum += state;
        }
    }
    let mut walk = 0.0;
    of(1_234_567_890)
        .zip(of(987_654_321).zip(flicker))
        .map(|(white, (step, flicker))| {
            walk += step;
            white + 0.15 * flicker + 0.012 * walk
        })
        .collect()
}

/// Expected: the total deviation and its degrees of freedom of allantools, the squares of SciPy's
/// non-negative least squares, weighted anew 200 times.
///
/// Tolerance 1e-10: that of the deviations.
#[test]
fn inertial_noise_agrees_with_allantools_and_scipy() {
    let golden = golden();
    let case = &golden["inertial_noise"];
    let rates = made_rates(count(&case["count"]));
    assert!((rates.iter().sum::<f64>() / number(&case["rates_sum"]) - 1.0).abs() < 1e-10);
    let (record, rate_hz) = (Record::Rate(&rates), number(&case["rate_hz"]));
    let curve =
        allan_deviation(Deviation::Totdev, record, rate_hz, AveragingFactors::Octave).unwrap();
    let factors: Vec<f64> = curve.points.iter().map(|point| point.factor as f64).collect();
    assert_eq!(factors, numbers(&case["factors"]));
    let fit = fit_noise(&curve, TauRange::All, 0.95).unwrap();
    for (id, got, name) in [
        (registry::SENSOR_IMU_NOISE_DENSITY, &fit.noise_density, "noise_density"),
        (registry::SENSOR_IMU_BIAS_INSTABILITY, &fit.bias_instability, "bias_instability"),
        (registry::SENSOR_IMU_RANDOM_WALK, &fit.random_walk, "random_walk"),
    ] {
        let _case = conformance::case(id, "one", &golden, "AllanTools");
        assert_close(got.as_ref().unwrap().value, &case[name], 1e-10);
    }
    let at_most = number(&case["bias_instability_at_most"]);
    assert!((fit.bias_instability_at_most / at_most - 1.0).abs() < 1e-10);
}

fn cells(golden: &Value) -> RangeCells {
    let edges = |name: &str| numbers(&golden["cells"][name]);
    RangeCells {
        range_edges_m: edges("range_edges_m"),
        incidence_edges_rad: edges("incidence_edges_rad"),
    }
}

/// Expected: the same likelihood, its chances integrated by SciPy over the box's autocorrelation
/// and its maximum found in both unknowns by SciPy; cells by `pandas.cut`.
///
/// Tolerance 1e-6 of the noise and 1e-5 of the share: a maximum is flat, and either search ends
/// where the likelihood no longer changes in its last digits.
#[test]
fn range_noise_agrees_with_scipy() {
    let golden = golden();
    let case = &golden["range_noise"];
    let step_m = number(&case["step_m"]);
    let places = numbers(&case["range_m"]).into_iter().zip(numbers(&case["incidence_rad"]));
    let pairs: Vec<RangePair> = places
        .zip(numbers(&case["steps"]))
        .map(|((range_m, incidence_rad), steps)| RangePair {
            range_m,
            incidence_rad,
            difference_m: steps * step_m,
        })
        .collect();
    let options = RangeNoiseOptions {
        quantisation_m: step_m,
        outlier_span_m: number(&case["span_m"]),
        pairs_min: 30,
        level: number(&case["level"]),
    };
    let got = range_noise(&pairs, &cells(&golden), &options).unwrap();
    let expected = case["cells"].as_array().unwrap();
    assert_eq!(got.outside_count, count(&case["outside_count"]));
    assert_eq!(got.cells.len(), expected.len());
    let _case = conformance::case(registry::SENSOR_LIDAR_RANGE_NOISE, "one", &golden, "scipy");
    for (got, expected) in got.cells.iter().zip(expected) {
        let got = got.value.as_ref().unwrap();
        assert_eq!(got.pair_count, count(&expected["pair_count"]));
        assert_eq!(got.excluded_count, count(&expected["excluded_count"]));
        assert_close(got.sigma_m, &expected["sigma_m"], 1e-6);
        assert_close(got.outlier_share, &expected["outlier_share"], 1e-5);
    }
}

/// Expected: cells by `pandas.cut`, shares by `groupby`, SciPy's exact binomial interval.
#[test]
fn drop_out_agrees_with_pandas() {
    let golden = golden();
    let case = &golden["drop_out"];
    let places = numbers(&case["range_m"]).into_iter().zip(numbers(&case["incidence_rad"]));
    let beams: Vec<BeamReturn> = places
        .zip(numbers(&case["missing"]))
        .map(|((range_m, incidence_rad), missing)| BeamReturn {
            range_m,
            incidence_rad,
            is_return: missing == 0.0,
        })
        .collect();
    let got = drop_out(&beams, &cells(&golden), number(&case["level"])).unwrap();
    let expected = case["cells"].as_array().unwrap();
    assert_eq!(got.outside_count, count(&case["outside_count"]));
    assert_eq!(got.cells.len(), expected.len());
    let _case = conformance::case(registry::SENSOR_LIDAR_DROP_OUT, "one", &golden, "pandas");
    for (got, expected) in got.cells.iter().zip(expected) {
        assert_close(got.value.share.value().unwrap(), &expected["share"], 1e-14);
        let interval = got.value.interval.unwrap();
        assert_close(interval.low, &expected["interval"][0], 1e-11);
        assert_close(interval.high, &expected["interval"][1], 1e-11);
    }
}

/// Blocks of 16 greys with noise of a known gain.
fn made_frames(case: &Value) -> Vec<Vec<f64>> {
    let (width, height) = (count(&case["width"]), count(&case["height"]));
    let (frame_count, size) = (count(&case["frames"]), width * height);
    let noise = uniform(1_234_567_890, 4 * frame_count * size);
    let pixel = |(index, four): (usize, &[f64])| {
        let (row, column) = (index % size / width, index % width);
        let grey = (row / 8 * (width / 8) + column / 8) % 16;
        let signal = 20.0 + 12.0 * grey as f64;
        let sum: f64 = four.iter().sum();
        let noise = (sum - 2.0) * 3.0_f64.sqrt();
        (10.0 + signal + (4.0 + 0.5 * signal).sqrt() * noise + 0.5).floor()
    };
    let pixels: Vec<f64> = noise.chunks_exact(4).enumerate().map(pixel).collect();
    pixels.chunks_exact(size).map(<[f64]>::to_vec).collect()
}

/// Expected: variances of blocks by NumPy, levels by pandas, the weighted line of `numpy.polyfit`
/// with its covariance.
#[test]
fn video_noise_agrees_with_numpy() {
    let golden = golden();
    let case = &golden["video"];
    let frames = made_frames(case);
    assert_eq!(frames.iter().flatten().sum::<f64>(), number(&case["sum_dn"]));
    let frames: Vec<&[f64]> = frames.iter().map(Vec::as_slice).collect();
    let options = VideoNoiseOptions {
        width: count(&case["width"]),
        black_dn: number(&case["black_dn"]),
        white_dn: number(&case["white_dn"]),
    };
    let got = video_noise(&frames, &options).unwrap().unwrap();
    assert_eq!(got.block_count, count(&case["block_count"]));
    let _case = conformance::case(registry::SENSOR_CAMERA_VIDEO_GAIN, "one", &golden, "numpy");
    assert_close(got.gain_dn, &case["gain_dn"], 1e-10);
    assert_close(got.gain_standard_error_dn, &case["gain_standard_error_dn"], 1e-10);
    assert_close(got.read_variance_dn2, &case["read_variance_dn2"], 1e-10);
    assert_close(got.reduced_chi_square, &case["reduced_chi_square"], 1e-10);
}

/// Expected: `numpy.linalg.lstsq`, its covariance, and SciPy's normal quantile.
///
/// Tolerance 1e-10: normal equations of two columns whose sizes differ by the rows' 250.
#[test]
fn line_delay_agrees_with_numpy() {
    let golden = golden();
    let case = &golden["line_delay"];
    let pairs =
        |name: &str| -> Vec<[f64; 2]> { serde_json::from_value(case[name].clone()).unwrap() };
    let motions = pairs("velocity_px_per_s").into_iter().zip(pairs("shift_px"));
    let shifts: Vec<RowShift> = numbers(&case["rows"])
        .into_iter()
        .zip(motions)
        .map(|(row, (velocity_px_per_s, shift_px))| RowShift { row, velocity_px_per_s, shift_px })
        .collect();
    let got = line_delay(&shifts, number(&case["level"])).unwrap().unwrap();
    let _case = conformance::case(registry::SENSOR_CAMERA_LINE_DELAY, "one", &golden, "numpy");
    for (got, expected) in [
        (got.delay_s, &case["delay_s"]),
        (got.offset_s, &case["offset_s"]),
        (got.interval.low, &case["interval"][0]),
        (got.interval.high, &case["interval"][1]),
        (got.residual_px, &case["residual_px"]),
    ] {
        assert_close(got, expected, 1e-10);
    }
}
