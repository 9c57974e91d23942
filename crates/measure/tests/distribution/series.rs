//! Memory of a series, spectral distance and residuals against the reference packages. Data:
//! `testdata/calibration_and_series/PROVENANCE.md`.

use serde_json::Value;
use tiepoint_measure::{
    Bootstrap,
    autocorrelation::{Window, integrated_time},
    registry,
    residual::residual_summary,
    signal::spectrum::{WelchOptions, log_spectral_distance_db, welch},
};
use tiepoint_model::Seed;

use crate::{
    conformance,
    golden::{assert_close, numbers},
};

fn golden() -> Value {
    let text = include_str!("../../../../testdata/calibration_and_series/expected.json");
    serde_json::from_str(text).unwrap()
}

/// Expected: `emcee.autocorr.integrated_time` 3.1.6 with its factor of 5, which sums by a Fourier
/// transform.
#[test]
fn integrated_times_agree_with_emcee() {
    let golden = golden();
    for case in golden["memory"].as_array().unwrap() {
        let series = numbers(&case["series"]);
        let got = integrated_time(&series, Window::Sokal).unwrap();
        {
            let id = registry::AUTOCORRELATION_TIME;
            let _case = conformance::case(id, "one", &golden, "emcee");
            assert_close(got.time, &case["time"], 1e-11, "time");
        }
        let id = registry::AUTOCORRELATION_EFFECTIVE_COUNT;
        let _case = conformance::case(id, "one", &golden, "emcee");
        let expected = series.len() as f64 / case["time"].as_f64().unwrap();
        assert_close(got.effective_count, &expected.into(), 1e-11, "count");
    }
}

/// Expected: the formula over `scipy.signal.welch` 1.17.1.
#[test]
fn spectral_distances_agree_with_scipy() {
    let golden = golden();
    let case = &golden["spectra"];
    let [a, b] =
        ["a", "b"].map(|n| welch(&numbers(&case[n]), &WelchOptions::scipy(20.0, 64)).unwrap());
    let id = registry::SIGNAL_LOG_SPECTRAL_DISTANCE;
    let _case = conformance::case(id, "one", &golden, "scipy");
    assert_close(log_spectral_distance_db(&a, &b).unwrap(), &case["value"], 1e-10, "distance");
}

/// Expected: NumPy's mean, root mean square and percentiles.
#[test]
fn residual_summaries_agree_with_numpy() {
    let golden = golden();
    let case = &golden["residuals"];
    let bootstrap = Bootstrap { seed: Seed(1), resample_count: 50, block_length: 1, level: 0.9 };
    let got = residual_summary(&numbers(&case["values"]), &bootstrap).unwrap();
    {
        let _case = conformance::case(registry::RESIDUAL_MEAN, "one", &golden, "numpy");
        assert_close(got.statistics.mean, &case["mean"], 1e-13, "mean");
        assert_close(got.p05, &case["percentiles"][0], 1e-12, "5 percent");
        assert_close(got.p95, &case["percentiles"][1], 1e-12, "95 percent");
    }
    let _case = conformance::case(registry::RESIDUAL_RMSE, "one", &golden, "numpy");
    assert_close(got.statistics.rmse, &case["rmse"], 1e-13, "rmse");
}
