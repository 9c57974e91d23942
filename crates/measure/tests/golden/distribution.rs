//! Distances of samples against SciPy and POT.

use serde_json::Value;
use tiepoint_measure::distribution::{
    DistributionDistance, distribution_distance, kolmogorov_smirnov,
};

use crate::{assert_close, conformance};

/// Expected: SciPy 1.17.1 on the first column of 50 and 40 rows, and POT 0.9.7 for Wasserstein-1.
///
/// Tolerance 1e-12: sums of fewer than 100 terms of size one.
#[test]
fn distances_of_samples_agree_with_scipy() {
    let text =
        include_str!("../../../../testdata/distribution_fidelity/distribution_fidelity.json");
    let golden: Value = serde_json::from_str(text).unwrap();
    let first_column = |name: &str| -> Vec<f64> {
        golden[name].as_array().unwrap().iter().map(|row| row[0].as_f64().unwrap()).collect()
    };
    let (real, synthetic) = (first_column("X_real"), first_column("Y_syn"));
    let expected = &golden["univariate_col0"];

    let smirnov = kolmogorov_smirnov(&real, &synthetic).unwrap();
    let expected_smirnov = &expected["ks_two-sided_exact"];
    assert_close(smirnov.distance, expected_smirnov["D"].as_f64().unwrap(), 1e-12, "D");
    assert_close(smirnov.location, expected_smirnov["loc"].as_f64().unwrap(), 0.0, "location");
    assert_eq!(smirnov.left_is_smaller, expected_smirnov["sign"] == 1);
    // The limit law is on the safe side of the exact p value at this size.
    let exact_p = expected_smirnov["p"].as_f64().unwrap();
    assert!(smirnov.p_value_limit > exact_p && smirnov.p_value_limit < 1.4 * exact_p);

    for (which, name) in [
        (DistributionDistance::Wasserstein1, "wasserstein1_scipy"),
        (DistributionDistance::Wasserstein1, "wasserstein1_pot"),
        (DistributionDistance::EnergySqrt, "energy_distance_scipy_SQRT"),
    ] {
        let got = distribution_distance(which, &real, &synthetic).unwrap();
        let package = if name.ends_with("pot") { "POT" } else { "scipy" };
        let _case = conformance::case(which.metric_id(), "one", &golden, package);
        assert_close(got, expected[name].as_f64().unwrap(), 1e-12, name);
    }
    let got = distribution_distance(DistributionDistance::KolmogorovSmirnov, &real, &synthetic);
    assert_eq!(got, Ok(smirnov.distance));
}
