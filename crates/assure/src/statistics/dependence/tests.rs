//! Laws of dependence: known autocorrelation times, and error rates of tests on dependent blocks.

use super::*;
use crate::statistics::equivalence::paired_equivalence;

fn autoregressive(phi: f64, count: usize, seed: u64) -> Vec<f64> {
    let mut draws = Seed(seed).draws(0, 0);
    let mut state = draws.normal();
    let noise = (1.0 - phi * phi).sqrt();
    (0..count)
        .map(|_| {
            state = phi * state + noise * draws.normal();
            state
        })
        .collect()
}

/// `tau = (1 + phi) / (1 - phi)`. Its relative standard error is about `2 sqrt(cutoff / n)`; with
/// n = 200,000 and cutoffs below 100 samples, 15 % is three of them or more.
#[test]
fn autocorrelation_time_of_a_known_series_is_found() {
    for phi in [0.0, 0.5, 0.806, 0.95] {
        let expected = (1.0 + phi) / (1.0 - phi);
        let found = autocorrelation_time(&[autoregressive(phi, 200_000, 11)]).unwrap();
        assert!((found / expected - 1.0).abs() < 0.15, "{phi}: {found} {expected}");
    }
}

#[test]
fn dependence_is_not_guessed() {
    assert_eq!(autocorrelation_time(&[]), None);
    assert_eq!(autocorrelation_time(&[vec![1.0; 100]]), None);
    assert_eq!(autocorrelation_time(&[vec![0.1; 100]]), None);
    assert_eq!(autocorrelation_time(&[vec![f64::NAN; 100]]), None);
    assert_eq!(autocorrelation_time(&[autoregressive(0.5, SAMPLES_MIN - 1, 1)]), None);
}

/// Cutting a series in pieces loses the products across the cuts, and nothing else.
#[test]
fn pieces_of_a_series_have_nearly_its_autocorrelation_time() {
    let series = autoregressive(0.8, 50_000, 5);
    let whole = autocorrelation_time(std::slice::from_ref(&series)).unwrap();
    let pieces: Vec<Vec<f64>> = series.chunks(1000).map(<[f64]>::to_vec).collect();
    let cut = autocorrelation_time(&pieces).unwrap();
    assert!((cut / whole - 1.0).abs() < 0.1, "{cut} {whole}");
}

/// An alternating series is better than independent; it is counted as independent.
#[test]
fn autocorrelation_time_is_never_below_one_sample() {
    let series: Vec<f64> = (0..100).map(|i| if i % 2 == 0 { 1.0 } else { -1.0 }).collect();
    assert_eq!(autocorrelation_time(&[series]), Some(1.0));
}

/// The run of the quickstart: 343 scans in 363 s, whose gated position error has an autocorrelation
/// time of 9.3 scans. Nominal 5 %; scans taken for units are far off, blocks of 30 s are not.
/// Bands are four standard errors (.0034 to .0073 at 4000 replications) around the published .30,
/// .09 and .056, plus .02 for a published dependence that is not exactly first-order.
#[test]
fn only_long_blocks_keep_their_promise() {
    let size = |samples_per_block: f64, block_count: usize| {
        let run = BlockedRun {
            autocorrelation_time_samples: 9.3,
            samples_per_block,
            block_count,
            margin_over_sd: 100.0,
        };
        simulated_size(&run, 0.05, Seed(3), REPLICATIONS).unwrap()
    };
    let (scans, ten_seconds, thirty_seconds) = (size(1.0, 343), size(9.45, 36), size(28.3, 12));
    assert!((scans - 0.30).abs() < 0.05, "{scans}");
    assert!((ten_seconds - 0.09).abs() < 0.034, "{ten_seconds}");
    assert!((thirty_seconds - 0.056).abs() < 0.034, "{thirty_seconds}");
    assert!(scans > 2.0 * ten_seconds && ten_seconds > thirty_seconds);
}

/// Drawing block means directly gives the sizes of drawing every sample and testing the blocks.
/// Four standard errors of a difference of two estimates: `4 * sqrt(2 * .1 * .9 / 4000) = .027`.
#[test]
fn block_means_have_the_law_of_the_sampled_series() {
    let (phi, samples, blocks) = (0.6, 7, 9);
    let mut supports = 0;
    let margin = 0.8;
    let sd_of = |tau_phi: f64| {
        // Variance of the mean of `samples` values of unit variance.
        let sum: f64 = (1..samples)
            .map(|lag| (1.0 - f64::from(lag) / f64::from(samples)) * pow(tau_phi, f64::from(lag)))
            .sum();
        ((1.0 + 2.0 * sum) / f64::from(samples)).sqrt()
    };
    for replication in 0..4000 {
        let series = autoregressive(phi, 63, 1000 + replication);
        let means: Vec<f64> =
            series.chunks(7).map(|block| margin + block.iter().sum::<f64>() / 7.0).collect();
        let test = paired_equivalence(&means, margin, 0.05).unwrap();
        supports += u32::from(test.p_lower.max(test.p_upper) <= 0.05);
    }
    let run = BlockedRun {
        autocorrelation_time_samples: (1.0 + phi) / (1.0 - phi),
        samples_per_block: f64::from(samples),
        block_count: blocks,
        margin_over_sd: margin / sd_of(phi),
    };
    let direct = f64::from(supports) / 4000.0;
    let drawn = simulated_size(&run, 0.05, Seed(9), 4000).unwrap();
    assert!((direct - drawn).abs() < 0.027, "{direct} {drawn}");
}

/// Independent blocks: the size is alpha. Four standard errors at 20,000 replications are .0062.
#[test]
fn independent_blocks_have_the_nominal_size() {
    let run = BlockedRun {
        autocorrelation_time_samples: 1.0,
        samples_per_block: 30.0,
        block_count: 8,
        margin_over_sd: 50.0,
    };
    let size = simulated_size(&run, 0.05, Seed(4), 20_000).unwrap();
    assert!((size - 0.05).abs() < 0.0062, "{size}");
}

/// A margin far below the spread is never reached: the test is then safe and useless.
#[test]
fn a_margin_below_the_spread_is_never_supported() {
    let run = BlockedRun {
        autocorrelation_time_samples: 2.0,
        samples_per_block: 10.0,
        block_count: 5,
        margin_over_sd: 0.05,
    };
    assert!(simulated_size(&run, 0.05, Seed(4), 2000).unwrap() < 0.002);
    assert_eq!(simulated_size(&BlockedRun { block_count: 1, ..run }, 0.05, Seed(4), 10), None);
}

/// One time in a thousand for independent values of a lopsided law, and nearly always for values of
/// which each repeats half of the one before. 4000 replications: 4.5 standard errors of .001 are
/// .0023.
#[test]
fn neighbours_that_resemble_each_other_are_noticed() {
    let exceeds = |phi: f64, replication: u64| {
        let mut draws = Seed(31).draws(replication, 0);
        let mut state = 0.0;
        let values: Vec<f64> = (0..100)
            .map(|_| {
                let drawn = draws.uniform();
                state = phi * state + drawn * drawn * drawn;
                state
            })
            .collect();
        lag_one_correlation(&values).unwrap() > ORDER_CORRELATION_SIGMAS / 10.0
    };
    let share = |phi| (0..4000).filter(|&r| exceeds(phi, r)).count() as f64 / 4000.0;
    assert!(share(0.0) <= 0.0033 && share(0.5) > 0.9, "{} {}", share(0.0), share(0.5));
    assert_eq!(lag_one_correlation(&[0.1; 40]), None);
    assert_eq!(lag_one_correlation(&[0.0, 1.0]), None);
    assert_eq!(lag_one_correlation(&[[0.0; 20].as_slice(), &[f64::NAN]].concat()), None);
}
