//! Laws of the range error fits: parameters come back, likelihoods never fall, the chain's
//! densities are those of the definition.

use tiepoint_model::sensor::{NormalComponent, RangeErrorModel, Regime};
use tiepoint_model::{Seed, math};

use crate::fit::hidden_markov::{fit_regime_switching, stationary_distribution};
use crate::fit::mixture::{Fitted, fit_gaussian, fit_heavy_tailed, fit_mixture};
use crate::fit::numeric::{autocorrelation, log_normal_pdf, log_sum_exp, wasserstein};
use crate::fit::{
    FitError, RangeErrorReport, fit_range_error, predictive_log_densities, simulate_range_errors,
};

fn drawn(model: &RangeErrorModel, count: usize, seed: u64) -> Vec<f64> {
    simulate_range_errors(model, count, Seed(seed)).unwrap()
}

fn series(values: &[f64]) -> Vec<Option<f64>> {
    values.iter().map(|value| Some(*value)).collect()
}

fn switching() -> RangeErrorModel {
    RangeErrorModel::RegimeSwitching {
        regimes: vec![
            Regime { mean_m: -1.2, sigma_m: 0.3, autocorrelation: 0.7 },
            Regime { mean_m: 0.05, sigma_m: 0.08, autocorrelation: 0.85 },
        ],
        transition: vec![vec![0.9, 0.1], vec![0.05, 0.95]],
    }
}

fn regimes_of(model: &RangeErrorModel) -> (&[Regime], &[Vec<f64>]) {
    let RangeErrorModel::RegimeSwitching { regimes, transition } = model else {
        panic!("{model:?}")
    };
    (regimes, transition)
}

#[track_caller]
fn near(value: f64, truth: f64, tolerance: f64) {
    assert!((value - truth).abs() < tolerance, "{value} is not {truth} within {tolerance}");
}

/// 8000 draws; tolerances are four standard errors.
#[test]
fn a_heavy_tailed_law_comes_back() {
    let truth =
        RangeErrorModel::HeavyTailed { location_m: 0.1, scale_m: 0.05, degrees_of_freedom: 3.0 };
    let fit = fit_heavy_tailed(&drawn(&truth, 8000, 61));
    let RangeErrorModel::HeavyTailed { location_m, scale_m, degrees_of_freedom } = fit.model else {
        panic!("not heavy-tailed");
    };
    near(location_m, 0.1, 0.003);
    near(scale_m, 0.05, 0.003);
    near(degrees_of_freedom, 3.0, 0.5);
}

#[test]
fn a_mixture_comes_back_sorted_by_mean() {
    let part = |weight, mean_m, sigma_m| NormalComponent { weight, mean_m, sigma_m };
    let truth = RangeErrorModel::Mixture {
        components: vec![part(0.6, 0.05, 0.05), part(0.3, -1.2, 0.2), part(0.1, 0.8, 0.1)],
    };
    let fit = fit_mixture(&drawn(&truth, 6000, 62), 3);
    let RangeErrorModel::Mixture { components } = fit.model else { panic!("no mixture") };
    for (found, wanted) in
        components.iter().zip([(0.3, -1.2, 0.2), (0.6, 0.05, 0.05), (0.1, 0.8, 0.1)])
    {
        // Four standard errors: shares 0.006, means 0.005, deviations 0.004.
        near(found.weight, wanted.0, 0.025);
        near(found.mean_m, wanted.1, 0.02);
        near(found.sigma_m, wanted.2, 0.016);
    }
}

/// 6000 readings, a tenth of them missing. The chain changes regime 400 times; means move slowly.
#[test]
fn regimes_come_back_through_missing_readings() {
    let values = drawn(&switching(), 6000, 63);
    let gappy: Vec<Option<f64>> = values
        .iter()
        .enumerate()
        .map(|(index, value)| (Seed(5).draws(9, index as u64).uniform() > 0.1).then_some(*value))
        .collect();
    let fit = fit_regime_switching(&gappy, 2);
    let truth = switching();
    let ((found, moves), (wanted, true_moves)) = (regimes_of(&fit.model), regimes_of(&truth));
    for (found, wanted) in found.iter().zip(wanted) {
        near(found.mean_m, wanted.mean_m, 0.06);
        near(found.sigma_m / wanted.sigma_m, 1.0, 0.1);
        near(found.autocorrelation, wanted.autocorrelation, 0.06);
    }
    near(moves[0][1], true_moves[0][1], 0.03);
    near(moves[1][0], true_moves[1][0], 0.015);
}

fn assert_never_falls(name: &str, fit: &Fitted) {
    for (step, pair) in fit.trace.windows(2).enumerate() {
        // Rounding of sums of some hundred logarithms.
        assert!(pair[1] >= pair[0] - 1e-8 * pair[0].abs().max(1.0), "{name} {step}: {pair:?}");
    }
}

#[test]
fn likelihood_never_falls() {
    for seed in 0..4 {
        let values = drawn(&switching(), 300, 70 + seed);
        let mut gappy = series(&values);
        gappy.iter_mut().skip(3).step_by(7).for_each(|value| *value = None);
        gappy[0] = None;
        assert_never_falls("gaussian", &fit_gaussian(&values));
        assert_never_falls("heavy tails", &fit_heavy_tailed(&values));
        for parts in [1, 2, 3] {
            assert_never_falls("mixture", &fit_mixture(&values, parts));
            assert_never_falls("regimes", &fit_regime_switching(&gappy, parts));
        }
    }
}

#[test]
fn one_regime_without_memory_is_the_normal_law() {
    let (mean_m, sigma_m) = (0.1, 0.2);
    let one = RangeErrorModel::RegimeSwitching {
        regimes: vec![Regime { mean_m, sigma_m, autocorrelation: 0.0 }],
        transition: vec![vec![1.0]],
    };
    let gaussian = RangeErrorModel::Gaussian { mean_m, sigma_m };
    let mut values = series(&drawn(&gaussian, 50, 64));
    values[7] = None;
    let own = predictive_log_densities(&one, &values).unwrap();
    let normal = predictive_log_densities(&gaussian, &values).unwrap();
    assert_eq!(own.len(), 49);
    for (a, b) in own.iter().zip(&normal) {
        // The chain subtracts sums of up to 49 terms.
        near(*a, *b, 1e-11);
    }
}

#[test]
fn one_regime_finds_the_memory_of_an_autoregressive_error() {
    let truth = RangeErrorModel::RegimeSwitching {
        regimes: vec![Regime { mean_m: 0.1, sigma_m: 0.1, autocorrelation: 0.9 }],
        transition: vec![vec![1.0]],
    };
    let fit = fit_regime_switching(&series(&drawn(&truth, 5000, 65)), 1);
    let found = regimes_of(&fit.model).0[0];
    // Standard errors: mean sigma * sqrt(19 / n) = 0.006, memory sqrt((1 - a^2) / n) = 0.006.
    near(found.mean_m, 0.1, 0.025);
    near(found.autocorrelation, 0.9, 0.025);
    near(found.sigma_m, 0.1, 0.013);
}

/// The density of a short series with gaps, by summing over every path of regimes.
fn by_all_paths(model: &RangeErrorModel, values: &[Option<f64>]) -> f64 {
    let (regimes, transition) = regimes_of(model);
    let initial = stationary_distribution(transition);
    let count = regimes.len();
    let mut logs = Vec::new();
    for code in 0..count.pow(values.len() as u32) {
        let path: Vec<usize> =
            (0..values.len()).map(|t| code / count.pow(t as u32) % count).collect();
        let mut log = math::ln(initial[path[0]]);
        // The reading that the regime remembers, and how long ago it was.
        let mut memory: Option<(f64, i32)> = None;
        for (t, value) in values.iter().enumerate() {
            if t > 0 {
                log += math::ln(transition[path[t - 1]][path[t]]);
                memory = if path[t] == path[t - 1] { memory } else { None };
            }
            memory = memory.map(|(before, gap)| (before, gap + 1));
            let regime = regimes[path[t]];
            let Some(value) = value else { continue };
            let share =
                memory.map_or(0.0, |(_, gap)| math::pow(regime.autocorrelation, gap.into()));
            let before = memory.map_or(0.0, |(before, _)| before);
            let mean = regime.mean_m + share * (before - regime.mean_m);
            log += log_normal_pdf(*value, mean, regime.sigma_m * (1.0 - share * share).sqrt());
            memory = Some((*value, 0));
        }
        logs.push(log);
    }
    log_sum_exp(&logs)
}

#[test]
fn the_chain_sums_over_every_path_of_regimes() {
    let values = drawn(&switching(), 8, 66);
    for missing in [vec![], vec![3], vec![0, 3, 4], vec![1, 2, 3, 4], vec![7]] {
        let mut gappy = series(&values);
        missing.iter().for_each(|index: &usize| gappy[*index] = None);
        let own: f64 = predictive_log_densities(&switching(), &gappy).unwrap().iter().sum();
        near(own, by_all_paths(&switching(), &gappy), 1e-10);
    }
}

#[test]
fn the_stationary_shares_are_kept_by_one_step() {
    let moves = vec![vec![0.8, 0.15, 0.05], vec![0.3, 0.6, 0.1], vec![0.01, 0.09, 0.9]];
    let shares = stationary_distribution(&moves);
    near(shares.iter().sum(), 1.0, 1e-14);
    for to in 0..3 {
        near((0..3).map(|from| shares[from] * moves[from][to]).sum(), shares[to], 1e-14);
    }
}

#[test]
fn the_distance_of_shifted_samples_is_the_shift() {
    let values = [0.0, 1.0, 2.0, 5.0];
    let moved = values.map(|value| value + 0.25);
    near(wasserstein(&values, &moved), 0.25, 1e-15);
    assert_eq!(wasserstein(&values, &values), 0.0);
    // A sample and the same sample twice are the same law.
    near(wasserstein(&[0.0, 1.0], &[0.0, 0.0, 1.0, 1.0]), 0.0, 1e-15);
    near(wasserstein(&[0.0], &[-1.0, 2.0]), 1.5, 1e-15);
}

#[test]
fn autocorrelation_skips_gaps_and_survives_constants() {
    let alternating: Vec<Option<f64>> =
        (0..100).map(|index| Some(if index % 2 == 0 { 1.0 } else { -1.0 })).collect();
    near(autocorrelation(&alternating, 2)[0], -1.0, 1e-12);
    near(autocorrelation(&alternating, 2)[1], 1.0, 1e-12);
    assert_eq!(autocorrelation(&[Some(3.0), Some(3.0), None], 3), [0.0, 0.0, 0.0]);
    assert_eq!(autocorrelation(&[], 1), [0.0]);
}

fn report(truth: &RangeErrorModel, seed: u64) -> RangeErrorReport {
    let values = series(&drawn(truth, 700, seed));
    fit_range_error(1, &values[..350], &values[350..], Seed(8)).unwrap()
}

#[test]
fn the_held_out_half_picks_the_law_that_made_the_errors() {
    let all = report(&switching(), 81);
    let best = all.best().unwrap();
    assert_eq!((best.model.name(), best.part_count), ("regime_switching", 2));
    let normal = &all.candidates[0];
    let rms = best.autocorrelation_rms_difference;
    assert!(rms < 0.6 * normal.autocorrelation_rms_difference, "{rms} {normal:?}");
    assert!(best.wasserstein_m < 0.6 * normal.wasserstein_m, "{best:?} {normal:?}");
    assert!(best.gain_over_gaussian.value > 5.0 * best.gain_over_gaussian.standard_error.unwrap());
    let heavy =
        RangeErrorModel::HeavyTailed { location_m: 0.0, scale_m: 0.05, degrees_of_freedom: 2.0 };
    let all = report(&heavy, 82);
    let gain = |index: usize| all.candidates[index].gain_over_gaussian.value;
    assert!(gain(1) > 0.05 && gain(1) > gain(4), "{all:?}");
}

#[test]
fn every_candidate_is_reported_with_one_best_and_one_per_kind() {
    let all = report(&RangeErrorModel::Gaussian { mean_m: 0.1, sigma_m: 0.1 }, 83);
    assert_eq!(all.candidates.len(), 7);
    assert_eq!(all.candidates.iter().filter(|one| one.is_best_held_out).count(), 1);
    assert_eq!(all.candidates.iter().filter(|one| one.is_best_of_kind_by_bic).count(), 4);
    // Nothing to gain over the truth: every gain is within noise of zero or below.
    for one in &all.candidates {
        assert!(one.gain_over_gaussian.value < 0.03, "{one:?}");
        assert!(one.bic.is_finite() && one.wasserstein_m < 0.03);
    }
    let mean = &all.candidates[0].parameters[0];
    assert_eq!(mean.name, "mean_m");
    // sigma / sqrt(n) = 0.0053, up to the noise of the long-run variance.
    let error = mean.estimate.standard_error.unwrap();
    assert!((0.001..0.011).contains(&error), "{error}");
}

#[test]
fn a_report_is_the_same_again() {
    let first = report(&switching(), 84);
    assert_eq!(first, report(&switching(), 84));
}

#[test]
fn odd_series_and_models_are_refused() {
    let good = series(&drawn(&switching(), 40, 85));
    let mut broken = good.clone();
    broken[5] = Some(f64::NAN);
    let refused = fit_range_error(1, &broken, &good, Seed(1));
    assert_eq!(refused, Err(FitError::NotFinite { what: "range error", index: 5 }));
    assert!(matches!(fit_range_error(1, &[], &good, Seed(1)), Err(FitError::TooFew { .. })));
    assert!(matches!(fit_range_error(1, &good, &[None], Seed(1)), Err(FitError::TooFew { .. })));
    let flat = vec![Some(0.5); 40];
    let constant = fit_range_error(1, &flat, &flat, Seed(1)).unwrap();
    assert!(constant.candidates.iter().all(|one| one.held_out_log_likelihood.value.is_finite()));
    let none = RangeErrorModel::RegimeSwitching { regimes: vec![], transition: vec![] };
    assert!(simulate_range_errors(&none, 3, Seed(1)).is_err());
    let point = RangeErrorModel::Gaussian { mean_m: 0.0, sigma_m: 0.0 };
    assert!(predictive_log_densities(&point, &good).is_err());
}
