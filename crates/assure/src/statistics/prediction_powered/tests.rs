//! Laws of prediction-powered means. The golden values are in `tests/golden.rs`, the coverage in
//! `tests/error_rates`.

use tiepoint_model::Seed;

use super::{
    finite::finite_sample_interval,
    gate::{RealOnly, gate, gated_mean},
    *,
};

struct Data {
    real: Vec<f64>,
    synthetic: Vec<f64>,
    alone: Vec<f64>,
}

impl Data {
    /// Normal values with correlation `rho`.
    fn normal(rho: f64, pair_count: usize, alone_count: usize, seed: u64) -> Self {
        let mut draws = Seed(seed).draws(0, 0);
        let (mut real, mut synthetic) = (Vec::new(), Vec::new());
        for _ in 0..pair_count {
            let shared = draws.normal();
            real.push(shared);
            synthetic.push(rho * shared + (1.0 - rho * rho).sqrt() * draws.normal());
        }
        let alone = (0..alone_count).map(|_| draws.normal()).collect();
        Self { real, synthetic, alone }
    }

    /// Outcomes with a share of successes and a share of twins that agree.
    fn outcomes(share: f64, agreement: f64, pair_count: usize, seed: u64) -> Self {
        let mut draws = Seed(seed).draws(1, 0);
        let mut pair = || {
            let real = draws.uniform() < share;
            let twin = if draws.uniform() < agreement { real } else { !real };
            (f64::from(u8::from(real)), f64::from(u8::from(twin)))
        };
        let (real, synthetic) = (0..pair_count).map(|_| pair()).unzip();
        let alone = (0..2000).map(|_| pair().1).collect();
        Self { real, synthetic, alone }
    }

    fn sample(&self) -> Sample<'_> {
        Sample { real: &self.real, synthetic: &self.synthetic, synthetic_alone: &self.alone }
    }
}

#[test]
fn lambda_zero_is_the_real_mean_alone() {
    let data = Data::normal(0.9, 50, 500, 1);
    let mean = prediction_powered_mean(&data.sample(), Lambda::Fixed(0.0), 0.1).unwrap();
    assert_eq!(mean.estimate, super::mean(&data.real));
}

/// A constant added to every synthetic value cancels, whatever it is: the twin's bias is no matter.
#[test]
fn a_bias_of_the_twins_cancels() {
    let mut data = Data::normal(0.8, 80, 400, 2);
    for lambda in [Lambda::Fixed(0.7), Lambda::PluggedIn, Lambda::CrossFitted { folds: 5 }] {
        let before = prediction_powered_mean(&data.sample(), lambda, 0.1).unwrap();
        let shifted = Data {
            real: data.real.clone(),
            synthetic: data.synthetic.iter().map(|value| value + 5.0).collect(),
            alone: data.alone.iter().map(|value| value + 5.0).collect(),
        };
        let after = prediction_powered_mean(&shifted.sample(), lambda, 0.1).unwrap();
        // The lambdas of folds are weighted by their size, equal here: 80 pairs in 5 folds.
        assert!((before.estimate - after.estimate).abs() < 1e-12, "{lambda:?}");
        assert!((before.lambda - after.lambda).abs() < 1e-12);
    }
    data.real.pop();
    assert!(prediction_powered_mean(&data.sample(), Lambda::PluggedIn, 0.1).is_err());
}

/// The better the twins, the narrower the interval; useless twins do not widen it by much.
#[test]
fn better_twins_give_narrower_intervals() {
    let width = |rho: f64| {
        let data = Data::normal(rho, 200, 5000, 3);
        let lambda = Lambda::CrossFitted { folds: 5 };
        let [low, high] = prediction_powered_mean(&data.sample(), lambda, 0.1).unwrap().interval;
        high - low
    };
    let (none, some, good) = (width(0.0), width(0.6), width(0.95));
    assert!(good < 0.5 * some && some < none, "{none} {some} {good}");
}

#[test]
fn the_gate_names_its_reason() {
    let open = |data: &Data| gate(&data.sample(), 0.1).unwrap();
    let few = open(&Data::normal(0.9, 59, 500, 4));
    assert_eq!(few, Err(RealOnly::TooFewPairs { count: 59, min: 60 }));
    assert_eq!(open(&Data::normal(0.9, 60, 500, 4)), Ok(()));
    let useless = open(&Data::normal(0.0, 100, 500, 5));
    assert!(matches!(useless, Err(RealOnly::CorrelationTooLow { .. })), "{useless:?}");
    let agreeing = open(&Data::outcomes(0.9, 0.98, 400, 6));
    assert!(matches!(agreeing, Err(RealOnly::TooFewDiscordant { count, .. }) if count < 20));
    assert_eq!(open(&Data::outcomes(0.9, 0.9, 400, 6)), Ok(()));
    let mut constant = Data::normal(0.9, 100, 500, 7);
    constant.synthetic.fill(0.25);
    assert_eq!(open(&constant), Err(RealOnly::Constant));
}

/// Where the gate is shut the answer is what the real values say alone.
#[test]
fn a_shut_gate_gives_the_real_values_own_interval() {
    let data = Data::outcomes(0.9, 0.98, 100, 8);
    let gated = gated_mean(&data.sample(), 0.1).unwrap();
    let successes = data.real.iter().filter(|value| **value == 1.0).count() as u64;
    let exact = crate::statistics::binomial::clopper_pearson(successes, 100, 0.1).unwrap();
    assert_eq!(gated.interval, exact);
    assert!(gated.powered.is_err());
    let data = Data::normal(0.9, 100, 1000, 9);
    let gated = gated_mean(&data.sample(), 0.1).unwrap();
    assert_eq!(gated.powered.unwrap().interval, gated.interval);
}

#[test]
fn the_finite_interval_holds_the_estimate_and_narrows_with_pairs() {
    let mut width_before = 1.1;
    for pair_count in [20, 100, 1000] {
        let data = Data::outcomes(0.7, 0.95, pair_count, 10);
        let [low, high] = finite_sample_interval(&data.sample(), 1.0, 0.1).unwrap();
        let plain = prediction_powered_mean(&data.sample(), Lambda::Fixed(1.0), 0.1).unwrap();
        assert!(low <= plain.estimate && plain.estimate <= high);
        assert!(high - low < width_before, "{pair_count}");
        width_before = high - low;
    }
    let data = Data::normal(0.9, 100, 1000, 9);
    assert!(finite_sample_interval(&data.sample(), 1.0, 0.1).is_err(), "values beyond [0, 1]");
}

#[test]
fn samples_that_cannot_be_are_named() {
    let good = [0.0, 1.0, 1.0, 0.5];
    for bad in [&[][..], &[1.0], &[1.0, 0.0, f64::NAN, 1.0], &[f64::INFINITY, 0.0, 0.0, 1.0]] {
        for sample in [
            Sample { real: bad, synthetic: &good, synthetic_alone: &good },
            Sample { real: &good, synthetic: bad, synthetic_alone: &good },
            Sample { real: &good, synthetic: &good, synthetic_alone: bad },
        ] {
            assert!(prediction_powered_mean(&sample, Lambda::PluggedIn, 0.1).is_err());
            assert!(gated_mean(&sample, 0.1).is_err());
            assert!(finite_sample_interval(&sample, 1.0, 0.1).is_err());
        }
    }
    let sample = Sample { real: &good, synthetic: &good, synthetic_alone: &good };
    assert!(prediction_powered_mean(&sample, Lambda::Fixed(1.5), 0.1).is_err());
    assert!(prediction_powered_mean(&sample, Lambda::CrossFitted { folds: 1 }, 0.1).is_err());
    assert!(prediction_powered_mean(&sample, Lambda::CrossFitted { folds: 3 }, 0.1).is_err());
    assert!(prediction_powered_mean(&sample, Lambda::Fixed(1.0), 1.0).is_err());
}
