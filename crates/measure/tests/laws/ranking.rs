//! Laws of ranking agreement.

use proptest::{collection::vec, prelude::*};
use tiepoint_measure::ranking::{
    fisher_interval, kendall_tau_b, mean_maximum_rank_violation, srcc,
};

/// Scores with ties.
fn panel() -> impl Strategy<Value = (Vec<f64>, Vec<f64>)> {
    let score = || (-6_i32..6).prop_map(|half| f64::from(half) / 2.0);
    vec((score(), score()), 4..30).prop_map(|rows| rows.into_iter().unzip())
}

fn varies(values: &[f64]) -> bool {
    values.iter().any(|value| *value != values[0])
}

proptest! {
    #[test]
    fn kendall_agrees_with_counting_pairs((a, b) in panel()) {
        prop_assume!(varies(&a) && varies(&b));
        let sign = |x: f64, y: f64| f64::from(i8::from(x > y) - i8::from(x < y));
        let (mut agreement, mut room_a, mut room_b) = (0.0, 0.0, 0.0);
        for (i, j) in (0..a.len()).flat_map(|i| (0..i).map(move |j| (i, j))) {
            let (p, q) = (sign(a[i], a[j]), sign(b[i], b[j]));
            agreement += p * q;
            room_a += p * p;
            room_b += q * q;
        }
        let expected = agreement / f64::sqrt(room_a * room_b);
        prop_assert!((kendall_tau_b(&a, &b).unwrap() - expected).abs() < 1e-14);
    }

    #[test]
    fn kendall_sees_ranks_only((a, b) in panel()) {
        prop_assume!(varies(&a) && varies(&b));
        let cubed: Vec<f64> = a.iter().map(|x| x * x * x + 7.0).collect();
        let turned: Vec<f64> = b.iter().map(|x| -x).collect();
        let tau = kendall_tau_b(&a, &b).unwrap();
        prop_assert_eq!(kendall_tau_b(&cubed, &b).unwrap(), tau);
        prop_assert_eq!(kendall_tau_b(&a, &turned).unwrap(), -tau);
        prop_assert_eq!(kendall_tau_b(&b, &a).unwrap(), tau);
        prop_assert_eq!(kendall_tau_b(&a, &a).unwrap(), 1.0);
    }

    #[test]
    fn mmrv_is_zero_for_the_same_order((a, _) in panel()) {
        let kinder: Vec<f64> = a.iter().map(|x| 3.0 * x + 20.0).collect();
        prop_assert_eq!(mean_maximum_rank_violation(&a, &kinder).unwrap(), 0.0);
    }

    #[test]
    fn mmrv_scales_with_the_real_scores((a, b) in panel()) {
        let doubled: Vec<f64> = a.iter().map(|x| 2.0 * x).collect();
        let one = mean_maximum_rank_violation(&a, &b).unwrap();
        prop_assert_eq!(mean_maximum_rank_violation(&doubled, &b).unwrap(), 2.0 * one);
        let (most, least) =
            a.iter().fold((f64::MIN, f64::MAX), |(m, l), x| (m.max(*x), l.min(*x)));
        let range = most - least;
        prop_assert!((0.0..=range).contains(&one));
    }

    #[test]
    fn srcc_ignores_bias_and_scale((a, b) in panel()) {
        prop_assume!(varies(&a) && varies(&b));
        let one = srcc(&a, &b, 0.95).unwrap();
        let kinder: Vec<f64> = b.iter().map(|x| 0.5 * x + 20.0).collect();
        let other = srcc(&a, &kinder, 0.95).unwrap();
        prop_assert!((one.value - other.value).abs() < 1e-12);
        prop_assert!(one.interval.low <= one.value && one.value <= one.interval.high);
        prop_assert!((srcc(&a, &a, 0.95).unwrap().value - 1.0).abs() < 1e-12);
    }
}

/// SciPy 1.17.1, `kendalltau` and `pearsonr` with its Fisher interval.
#[test]
fn agreement_agrees_with_scipy() {
    let a = [2.0, -2.6, 0.4, -0.6, -0.5, -0.2, -2.0, -0.2, -0.9, 3.3, 0.2, -0.4];
    let b = [1.3, -2.2, -0.2, -0.6, -0.1, -0.3, -0.9, -0.2, -0.6, 3.1, 0.4, -0.5];
    assert!((kendall_tau_b(&a, &b).unwrap() - 0.821_730_116_653_506).abs() < 1e-14);
    let correlation = srcc(&a, &b, 0.95).unwrap();
    assert!((correlation.value - 0.963_968_898_518_704_8).abs() < 1e-13);
    assert!((correlation.interval.low - 0.873_069_902_473_178_1).abs() < 1e-12);
    assert!((correlation.interval.high - 0.990_115_526_863_711_3).abs() < 1e-12);
}

/// Published 95 % intervals for panels of a few systems, computed with 1.96 for the quantile
/// 1.959964: in Fisher's scale 3.6e-5 over the root of `count - 3`.
#[test]
fn small_panels_have_wide_intervals() {
    for (correlation, count, low, high) in [
        (0.85, 5, -0.129_052_791_743_117_6, 0.989_908_638_105_476_6),
        (0.85, 9, 0.426_807_183_824_365_6, 0.967_796_706_690_313_8),
        (0.875, 9, 0.503_406_453_039_881_2, 0.973_446_716_941_036_5),
        (0.844, 9, 0.409_284_585_122_858_3, 0.966_424_306_278_227),
        (0.95, 9, 0.774_554_921_590_009_7, 0.989_703_070_427_916_8),
        (0.85, 20, 0.653_155_890_407_780_5, 0.939_235_612_460_918_6),
        (0.85, 50, 0.748_817_390_101_175_5, 0.912_463_898_380_333_9),
    ] {
        let interval = fisher_interval(correlation, count, 0.95).unwrap();
        assert!((interval.low - low).abs() < 3e-5 && (interval.high - high).abs() < 3e-5);
    }
}

/// Three systems: real .2, .5, .9 and synthetic .6, .5, .9 swap the first two, whose real scores
/// differ by .3: both are violated, the third is not.
#[test]
fn mmrv_of_one_swapped_pair() {
    let mmrv = mean_maximum_rank_violation(&[0.2, 0.5, 0.9], &[0.6, 0.5, 0.9]).unwrap();
    assert!((mmrv - 0.2).abs() < 1e-15);
}

#[test]
fn panels_that_cannot_be_are_refused() {
    let good = [1.0, 2.0, 3.0, 4.0];
    for bad in [&[][..], &[1.0], &[1.0, 2.0, f64::NAN, 4.0], &[1.0, 2.0, f64::INFINITY, 4.0]] {
        assert!(kendall_tau_b(bad, bad).is_err());
        assert!(mean_maximum_rank_violation(&good, bad).is_err());
        assert!(srcc(bad, &good, 0.95).is_err());
    }
    assert!(kendall_tau_b(&good, &[1.0; 4]).is_err());
    assert!(srcc(&good, &[0.0; 4], 0.95).is_err());
    assert!(srcc(&good, &good, 1.0).is_err() && fisher_interval(1.5, 9, 0.95).is_err());
    assert!(fisher_interval(f64::NAN, 9, 0.95).is_err() && fisher_interval(0.5, 3, 0.95).is_err());
    // Huge scores do not overflow.
    let huge = good.map(|score| score * 1e307);
    assert!((srcc(&huge, &good, 0.95).unwrap().value - 1.0).abs() < 1e-12);
}
