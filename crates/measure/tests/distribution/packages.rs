//! Information, transport, warping, rankings and dependence against the field's packages, and their
//! laws. Data: `testdata/series_and_transport/PROVENANCE.md`.

use serde_json::Value;
use tiepoint_measure::{
    MeasureError,
    distribution::{
        Correlation, Rows, TransportOrder, dependence_difference, exact_transport,
        mutual_information, wasserstein,
    },
    ranking::{kendall_tau_b, mean_maximum_rank_violation, srcc},
    registry,
    signal::warping::{WarpingCost, WarpingOptions, time_warping},
};
use tiepoint_model::{Seed, math};

use crate::{
    conformance,
    golden::{assert_close, numbers},
};

fn golden() -> Value {
    let text = include_str!("../../../../testdata/series_and_transport/expected.json");
    serde_json::from_str(text).unwrap()
}

fn cases<'a>(golden: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    golden[name].as_array().unwrap().iter()
}

fn count(value: &Value) -> usize {
    value.as_u64().unwrap().try_into().unwrap()
}

fn normals(seed: u64, count: u64) -> Vec<f64> {
    (0..count).map(|index| Seed(seed).draws(0, index).normal()).collect()
}

/// Expected: `mutual_info_regression` of scikit-learn, on columns without ties.
///
/// Tolerance 1e-12 of a nat: means of harmonic numbers against those of digamma functions; the
/// counts are equal.
#[test]
fn information_agrees_with_scikit_learn() {
    let golden = golden();
    for case in cases(&golden, "information") {
        let (x, y) = (numbers(&case["x"]), numbers(&case["y"]));
        let got = mutual_information(&x, &y, count(&case["neighbours"])).unwrap();
        let id = registry::DIST_MUTUAL_INFORMATION;
        let _case = conformance::case(id, "one", &golden, "scikit-learn");
        assert!((got - case["value"].as_f64().unwrap()).abs() < 1e-12, "{got} {}", case["value"]);
        assert_close(got, &case["value"], 1e-10, "information");
    }
}

/// Expected: `ot.emd2` of POT under distances and their squares; sets of one size and of several,
/// and points on a grid, where many plans cost the same.
///
/// Tolerance 1e-12: sums of at most 85 positive terms.
#[test]
fn exact_transport_agrees_with_pot() {
    let golden = golden();
    for case in cases(&golden, "transport") {
        let (a, b) = (numbers(&case["a"]), numbers(&case["b"]));
        let [a, b] = [&a, &b].map(|points| Rows::new(points, count(&case["columns"])).unwrap());
        let id = registry::DIST_WASSERSTEIN_EXACT;
        let _case = conformance::case(id, "one", &golden, "POT");
        let first = exact_transport(a, b, TransportOrder::First).unwrap();
        assert_close(first, &case["emd2 euclidean"], 1e-12, "order 1");
        let second = exact_transport(a, b, TransportOrder::Second).unwrap();
        assert_close(second * second, &case["emd2 sqeuclidean"], 1e-12, "order 2");
    }
}

/// Expected: dtaidistance, whose distance is the root of the least sum of squares.
#[test]
fn warping_agrees_with_dtaidistance() {
    let golden = golden();
    for case in cases(&golden, "warping") {
        let (a, b) = (numbers(&case["a"]), numbers(&case["b"]));
        let [a, b] = [&a, &b].map(|points| Rows::new(points, count(&case["columns"])).unwrap());
        let options = WarpingOptions { cost: WarpingCost::SquaredEuclidean, band: None };
        let _case = conformance::case(registry::SIGNAL_DTW, "one", &golden, "dtaidistance");
        assert_close(time_warping(a, b, &options).unwrap(), &case["value"], 1e-12, "warping");
    }
}

/// Expected: SciPy's coefficients and Fisher interval; the violation by its formula in NumPy.
#[test]
fn rankings_agree_with_scipy() {
    let golden = golden();
    for case in cases(&golden, "ranking") {
        let (real, synthetic) = (numbers(&case["real"]), numbers(&case["synthetic"]));
        {
            let id = registry::RANKING_KENDALL_TAU_B;
            let _case = conformance::case(id, "one", &golden, "scipy");
            let got = kendall_tau_b(&real, &synthetic).unwrap();
            assert_close(got, &case["kendall_tau_b"], 1e-14, "kendall");
        }
        {
            let _case = conformance::case(registry::RANKING_SRCC, "one", &golden, "scipy");
            let got = srcc(&real, &synthetic, 0.9).unwrap();
            let got = [got.value, got.interval.low, got.interval.high];
            for (got, expected) in got.into_iter().zip(case["srcc"].as_array().unwrap()) {
                assert_close(got, expected, 1e-12, "srcc");
            }
        }
        let _case = conformance::case(registry::RANKING_MMRV, "one", &golden, "numpy");
        let got = mean_maximum_rank_violation(&real, &synthetic).unwrap();
        assert_close(got, &case["mmrv"], 1e-14, "mmrv");
    }
}

/// Expected: matrices of NumPy, SciPy and scikit-learn, subtracted.
///
/// Tolerance 1e-9: a root of one minus an exponential near one loses digits.
#[test]
fn dependence_differences_agree_with_matrices_of_the_packages() {
    let golden = golden();
    let expected = &golden["dependence"];
    let (a, b) = (numbers(&expected["a"]), numbers(&expected["b"]));
    let [a, b] = [&a, &b].map(|points| Rows::new(points, 4).unwrap());
    for (which, name, package) in [
        (Correlation::Pearson, "pearson", "numpy"),
        (Correlation::Spearman, "spearman", "scipy"),
        (Correlation::MutualInformation, "mutual information", "scikit-learn"),
    ] {
        let id = registry::DIST_DEPENDENCE_DIFFERENCE;
        let _case = conformance::case(id, "one", &golden, package);
        let got = dependence_difference(a, b, which).unwrap();
        let got = [got.largest, got.mean, got.root_mean_square];
        for (got, expected) in got.into_iter().zip(expected["values"][name].as_array().unwrap()) {
            assert_close(got, expected, 1e-9, name);
        }
    }
}

/// On a line the best plan keeps the order.
#[test]
fn exact_transport_agrees_with_sorting_on_a_line() {
    for (n, m) in [(1, 1), (1, 40), (17, 17), (30, 41), (64, 32)] {
        let (a, b) = (normals(n, n), normals(100 + m, m));
        let [x, y] = [&a, &b].map(|points| Rows::new(points, 1).unwrap());
        for (order, power) in [(TransportOrder::First, 1.0), (TransportOrder::Second, 2.0)] {
            let got = exact_transport(x, y, order).unwrap();
            let expected = wasserstein(&a, &b, power).unwrap();
            assert!((got - expected).abs() < 1e-12, "{n} {m} {order:?}: {got} {expected}");
        }
    }
}

/// Symmetric, zero for the same points in any order, and never longer by a detour.
#[test]
fn exact_transport_is_a_metric() {
    let points: Vec<Vec<f64>> = (0..3).map(|seed| normals(seed, 60)).collect();
    let [a, b, c] = [0, 1, 2].map(|index| Rows::new(&points[index], 3).unwrap());
    let mut shuffled: Vec<[f64; 3]> = points[0].as_chunks().0.to_vec();
    shuffled.reverse();
    let shuffled = Rows::new(shuffled.as_flattened(), 3).unwrap();
    for order in [TransportOrder::First, TransportOrder::Second] {
        let between = |x, y| exact_transport(x, y, order).unwrap();
        assert!((between(a, b) - between(b, a)).abs() < 1e-12);
        assert_eq!(between(a, shuffled), 0.0);
        assert!(between(a, b) <= between(a, c) + between(c, b) + 1e-12);
    }
}

#[test]
fn exact_transport_of_a_shift_is_its_length() {
    let a = normals(9, 120);
    let b: Vec<f64> = a.iter().enumerate().map(|(at, v)| v + [3.0, -4.0][at % 2]).collect();
    let [a, b] = [&a, &b].map(|points| Rows::new(points, 2).unwrap());
    for order in [TransportOrder::First, TransportOrder::Second] {
        assert!((exact_transport(a, b, order).unwrap() - 5.0).abs() < 1e-12);
    }
}

#[test]
fn transport_refuses_what_it_cannot_do() {
    let many = vec![0.0; 2001];
    let [one, many] = [&[0.0][..], &many].map(|points| Rows::new(points, 1).unwrap());
    assert!(matches!(
        exact_transport(one, many, TransportOrder::First),
        Err(MeasureError::InvalidOption { name: "points", .. })
    ));
    let huge = [1e150, -1e150];
    let huge = Rows::new(&huge, 1).unwrap();
    let got = exact_transport(huge, one, TransportOrder::Second).unwrap();
    assert!((got / 1e150 - 1.0).abs() < 1e-12);
    let two = Rows::new(&[0.0, 0.0], 2).unwrap();
    assert!(exact_transport(one, two, TransportOrder::First).is_err());
}

#[test]
fn information_is_symmetric_and_grows_with_dependence() {
    let (x, noise) = (normals(11, 400), normals(12, 400));
    let mut before = -1.0;
    for weight in [0.0, 0.6, 0.9, 0.99] {
        let rest = f64::sqrt(1.0 - weight * weight);
        let y: Vec<f64> = x.iter().zip(&noise).map(|(x, e)| weight * x + rest * e).collect();
        let got = mutual_information(&x, &y, 3).unwrap();
        let other = mutual_information(&y, &x, 3).unwrap();
        let shifted: Vec<f64> = y.iter().map(|y| -4.0 * y).collect();
        assert!((got - other).abs() < 1e-12 && got > before, "{weight}: {got} {other}");
        assert!((got - mutual_information(&x, &shifted, 3).unwrap()).abs() < 1e-12);
        before = got;
    }
}

/// `−log(1 − r²) / 2`, within 0.1: the estimator's standard error at 2000 rows is about 0.03.
#[test]
fn information_of_normal_columns_is_known() {
    let (x, noise) = (normals(13, 2000), normals(14, 2000));
    for r in [0.3, 0.8] {
        let y: Vec<f64> =
            x.iter().zip(&noise).map(|(x, e)| r * x + f64::sqrt(1.0 - r * r) * e).collect();
        let got = mutual_information(&x, &y, 3).unwrap();
        let expected = -0.5 * math::ln(1.0 - r * r);
        assert!((got - expected).abs() < 0.1, "{r}: {got} {expected}");
        let linfoot = Correlation::MutualInformation.of(&x, &y).unwrap();
        assert!((linfoot - r).abs() < 0.15, "{r}: {linfoot}");
    }
}

#[test]
fn information_of_what_has_none_is_an_error_or_zero() {
    let x = normals(15, 20);
    assert!(matches!(mutual_information(&x, &[1.0; 20], 3), Err(MeasureError::Constant { .. })));
    assert!(matches!(mutual_information(&x, &x[1..], 3), Err(MeasureError::LengthMismatch { .. })));
    assert!(matches!(mutual_information(&x, &x, 0), Err(MeasureError::InvalidOption { .. })));
    assert!(matches!(mutual_information(&x, &x, 20), Err(MeasureError::TooFew { min: 21, .. })));
    assert!(matches!(
        mutual_information(&[f64::NAN], &[1.0], 1),
        Err(MeasureError::NotFinite { .. })
    ));
    assert!(matches!(mutual_information(&[], &[], 1), Err(MeasureError::Empty { .. })));
    // Two values only: each point coincides with many.
    let halves: Vec<f64> = (0..20).map(|index| f64::from(index % 2)).collect();
    assert!(mutual_information(&halves, &x, 3).unwrap() >= 0.0);
    assert!(mutual_information(&halves, &halves, 3).unwrap().is_finite());
    let huge: Vec<f64> = x.iter().map(|value| value * 1e307).collect();
    let y: Vec<f64> = x.iter().zip(normals(16, 20)).map(|(x, e)| x + 0.5 * e).collect();
    let plain = mutual_information(&x, &y, 3).unwrap();
    assert!((mutual_information(&huge, &y, 3).unwrap() - plain).abs() < 1e-9);
}
