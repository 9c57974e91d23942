//! Laws of distances between samples, autocorrelation and residual summaries.

use proptest::{collection::vec, prelude::*};
use tiepoint_measure::{
    Bootstrap, MeasureError,
    autocorrelation::{Window, autocorrelation, integrated_time},
    distribution::{
        DistributionDistance, distribution_distance, distribution_distance_interval,
        kolmogorov_smirnov,
    },
    residual::residual_summary,
};
use tiepoint_model::Seed;

const DISTANCES: [DistributionDistance; 3] = [
    DistributionDistance::KolmogorovSmirnov,
    DistributionDistance::Wasserstein1,
    DistributionDistance::EnergySqrt,
];

const BOOTSTRAP: Bootstrap =
    Bootstrap { seed: Seed(11), resample_count: 200, block_length: 1, level: 0.95 };

/// Values on a grid of quarters, so that ties occur and sums are exact.
fn sample() -> impl Strategy<Value = Vec<f64>> {
    vec((-40_i32..40).prop_map(|quarter| f64::from(quarter) / 4.0), 1..40)
}

fn distance(which: DistributionDistance, left: &[f64], right: &[f64]) -> f64 {
    distribution_distance(which, left, right).unwrap()
}

fn normal(seed: u64, count: u64) -> Vec<f64> {
    (0..count).map(|index| Seed(seed).draws(0, index).normal()).collect()
}

/// A first-order autoregressive series with unit innovations.
fn autoregressive(seed: u64, count: u64, coefficient: f64) -> Vec<f64> {
    let mut value = 0.0;
    normal(seed, count)
        .into_iter()
        .map(|noise| {
            value = coefficient * value + noise;
            value
        })
        .collect()
}

proptest! {
    #[test]
    fn distances_are_symmetric_and_zero_on_equal_samples(left in sample(), right in sample()) {
        for which in DISTANCES {
            prop_assert_eq!(distance(which, &left, &right), distance(which, &right, &left));
            prop_assert_eq!(distance(which, &left, &left), 0.0);
            // Each value twice is the same distribution.
            prop_assert_eq!(distance(which, &left, &[left.clone(), left.clone()].concat()), 0.0);
        }
    }

    #[test]
    fn distances_ignore_order(left in sample(), right in sample()) {
        let mut backwards = left.clone();
        backwards.reverse();
        for which in DISTANCES {
            prop_assert_eq!(distance(which, &left, &right), distance(which, &backwards, &right));
        }
        prop_assert_eq!(kolmogorov_smirnov(&left, &right), kolmogorov_smirnov(&backwards, &right));
    }

    /// Both samples shifted: nothing changes. Both scaled by s: 1, s and sqrt(s). Powers of two and
    /// quarters keep this exact but for the root.
    #[test]
    fn distances_scale_and_shift_as_documented(
        left in sample(),
        right in sample(),
        shift in -8_i32..8,
        power in -3_i32..4,
    ) {
        let scale = if power < 0 { 1.0 / f64::from(1 << -power) } else { f64::from(1 << power) };
        let map = |values: &[f64]| -> Vec<f64> {
            values.iter().map(|value| (value + f64::from(shift)) * scale).collect()
        };
        let [ks, w1, energy] = DISTANCES.map(|which| {
            (distance(which, &left, &right), distance(which, &map(&left), &map(&right)))
        });
        prop_assert_eq!(ks.0, ks.1);
        prop_assert!((w1.0 * scale - w1.1).abs() <= 1e-12 * w1.1);
        prop_assert!((energy.0 * scale.sqrt() - energy.1).abs() <= 1e-12 * energy.1);
    }

    /// Moving one sample as a whole, past the other, moves Wasserstein-1 by as much.
    #[test]
    fn wasserstein_of_a_shift_is_the_shift(left in sample(), shift in 0_i32..30) {
        let shift = f64::from(shift) / 4.0;
        let moved: Vec<f64> = left.iter().map(|value| value + shift).collect();
        let got = distance(DistributionDistance::Wasserstein1, &left, &moved);
        prop_assert!((got - shift).abs() < 1e-12);
    }

    #[test]
    fn wasserstein_obeys_the_triangle_inequality(a in sample(), b in sample(), c in sample()) {
        for which in DISTANCES {
            let (ab, bc, ac) =
                (distance(which, &a, &b), distance(which, &b, &c), distance(which, &a, &c));
            prop_assert!(ac <= ab + bc + 1e-12, "{:?}", which);
        }
    }

    #[test]
    fn autocorrelation_is_unchanged_by_shift_scale_and_reversal(
        series in vec(-5.0..5.0_f64, 8..60),
        shift in -3.0..3.0_f64,
        scale in 0.1..10.0_f64,
    ) {
        let one = autocorrelation(&series, 5).unwrap();
        let mapped: Vec<f64> = series.iter().rev().map(|value| -value * scale + shift).collect();
        let other = autocorrelation(&mapped, 5).unwrap();
        prop_assert_eq!(one[0], 1.0);
        for (a, b) in one.iter().zip(&other) {
            prop_assert!((a - b).abs() < 1e-9 && a.abs() <= 1.0 + 1e-15);
        }
    }

    #[test]
    fn integrated_time_is_unchanged_by_shift_and_scale(
        series in vec(-5.0..5.0_f64, 8..60),
        scale in 0.1..10.0_f64,
    ) {
        for window in [Window::GeyerInitialPositive, Window::Sokal] {
            let one = integrated_time(&series, window).unwrap();
            let mapped: Vec<f64> = series.iter().map(|value| value * scale + 1.0).collect();
            let other = integrated_time(&mapped, window).unwrap();
            prop_assert!((one.time / other.time - 1.0).abs() < 1e-6);
            prop_assert!(one.time >= 1.0 && one.effective_count <= series.len() as f64);
        }
    }

    #[test]
    fn summary_moves_with_a_shift(values in vec(-5.0..5.0_f64, 2..40), shift in -3.0..3.0_f64) {
        let moved: Vec<f64> = values.iter().map(|value| value + shift).collect();
        let (one, other) = (
            residual_summary(&values, &BOOTSTRAP).unwrap(),
            residual_summary(&moved, &BOOTSTRAP).unwrap(),
        );
        for (a, b) in [
            (one.statistics.mean, other.statistics.mean),
            (one.statistics.median, other.statistics.median),
            (one.p05, other.p05),
            (one.p95, other.p95),
            (one.mean_interval.low, other.mean_interval.low),
            (one.mean_interval.high, other.mean_interval.high),
        ] {
            prop_assert!((a + shift - b).abs() < 1e-12);
        }
        prop_assert!((one.statistics.std - other.statistics.std).abs() < 1e-12);
    }

    #[test]
    fn summary_mirrors_with_the_sign(values in vec(-5.0..5.0_f64, 2..40)) {
        let mirrored: Vec<f64> = values.iter().map(|value| -value).collect();
        let (one, other) = (
            residual_summary(&values, &BOOTSTRAP).unwrap(),
            residual_summary(&mirrored, &BOOTSTRAP).unwrap(),
        );
        prop_assert!((one.p05 + other.p95).abs() < 1e-12);
        prop_assert_eq!(one.absolute_p95, other.absolute_p95);
        prop_assert_eq!(one.statistics.rmse, other.statistics.rmse);
        prop_assert!((one.mean_interval.low + other.mean_interval.high).abs() < 1e-12);
    }

    #[test]
    fn the_interval_holds_the_mean(values in vec(-5.0..5.0_f64, 2..40)) {
        let summary = residual_summary(&values, &BOOTSTRAP).unwrap();
        prop_assert!(summary.mean_interval.low <= summary.statistics.mean + 1e-12);
        prop_assert!(summary.mean_interval.high >= summary.statistics.mean - 1e-12);
    }
}

/// `tau = (1 + a) / (1 - a)`: 1, 3 and 19. With n = 40,000 its standard error is `tau sqrt(2 (2 M +
/// 1) / n)`, at most 10 % here; 20 % is two of them.
#[test]
fn integrated_time_of_an_autoregressive_series_is_known() {
    for (coefficient, expected) in [(0.0, 1.0), (0.5, 3.0), (0.9, 19.0)] {
        let series = autoregressive(5, 40_000, coefficient);
        for window in [Window::GeyerInitialPositive, Window::Sokal] {
            let got = integrated_time(&series, window).unwrap();
            assert!((got.time / expected - 1.0).abs() < 0.2, "{coefficient} {window:?} {got:?}");
            assert!(!got.is_truncated);
        }
    }
}

/// Each value k times in a row: the memory is k times as long, and the series is worth no more.
#[test]
fn repeating_each_value_lengthens_the_memory() {
    let values = normal(8, 4000);
    let repeated: Vec<f64> = values.iter().flat_map(|value| [*value; 4]).collect();
    let time = |series: &[f64]| integrated_time(series, Window::GeyerInitialPositive).unwrap().time;
    let ratio = time(&repeated) / time(&values);
    assert!((ratio / 4.0 - 1.0).abs() < 0.15, "{ratio}");
}

#[test]
fn an_anticorrelated_series_counts_as_no_more_than_its_length() {
    let series: Vec<f64> = (0..100).map(|index| f64::from(index % 2)).collect();
    for window in [Window::GeyerInitialPositive, Window::Sokal] {
        let got = integrated_time(&series, window).unwrap();
        assert_eq!((got.time, got.effective_count), (1.0, 100.0));
    }
}

#[test]
fn constant_and_short_series_are_refused_by_name() {
    let window = Window::GeyerInitialPositive;
    for constant in [0.0, 0.1, -1e9] {
        assert_eq!(
            integrated_time(&[constant; 100], window),
            Err(MeasureError::Constant { what: "series" })
        );
    }
    assert!(matches!(
        integrated_time(&[1.0, 2.0], window),
        Err(MeasureError::TooFew { count: 2, min: 8, .. })
    ));
    assert!(integrated_time(&[f64::NAN; 10], window).is_err());
    assert!(autocorrelation(&normal(1, 10), 10).is_err());
}

#[test]
fn distance_intervals_are_the_same_on_any_number_of_threads() {
    let (left, right) = (normal(1, 300), normal(2, 200));
    let bootstrap = Bootstrap { block_length: 5, ..BOOTSTRAP };
    let with_threads = |count| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(count).build().unwrap();
        pool.install(|| {
            DISTANCES.map(|which| {
                distribution_distance_interval(which, &left, &right, &bootstrap).unwrap()
            })
        })
    };
    assert_eq!(with_threads(1), with_threads(4));
}

/// Ten standard deviations apart: the distance is far from zero, so that the percentile interval
/// has no bias to speak of.
#[test]
fn the_interval_of_far_samples_holds_their_distance() {
    let left = normal(1, 300);
    let right: Vec<f64> = normal(2, 200).iter().map(|value| value + 10.0).collect();
    let which = DistributionDistance::Wasserstein1;
    let interval = distribution_distance_interval(which, &left, &right, &BOOTSTRAP).unwrap();
    assert!(interval.low < 10.0 && interval.high > 10.0 && interval.high - interval.low < 1.0);
    assert_eq!(distance(DistributionDistance::KolmogorovSmirnov, &left, &right), 1.0);
}
