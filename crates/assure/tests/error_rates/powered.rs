//! Prediction-powered means: what the gate keeps out, and what it lets in.

use tiepoint_assure::statistics::{
    binomial::clopper_pearson,
    prediction_powered::{
        Lambda, Sample, finite::finite_sample_interval, gate::gated_mean, prediction_powered_mean,
    },
};
use tiepoint_model::seed::Draws;

use crate::{assert_at_least, assert_is, share};

const COUNT: u64 = 1000;

/// A share of successes, and twins that agree with so many of them.
#[derive(Clone, Copy)]
struct Outcomes {
    share: f64,
    agreement: f64,
    pairs: usize,
    alone: usize,
}

struct Data([Vec<f64>; 3]);

impl Data {
    fn sample(&self) -> Sample<'_> {
        let [real, synthetic, synthetic_alone] = &self.0;
        Sample { real, synthetic, synthetic_alone }
    }
}

impl Outcomes {
    fn draw(&self, draws: &mut Draws) -> Data {
        let mut pair = || {
            let real = draws.uniform() < self.share;
            let twin = (draws.uniform() < self.agreement) == real;
            (f64::from(u8::from(real)), f64::from(u8::from(twin)))
        };
        let (real, synthetic) = (0..self.pairs).map(|_| pair()).unzip();
        Data([real, synthetic, (0..self.alone).map(|_| pair().1).collect()])
    }
}

fn covers(interval: [f64; 2], truth: f64) -> bool {
    interval[0] <= truth && truth <= interval[1]
}

/// Lambda of the published simulation: `cov(real, synthetic) / ((1 + n / N) var(synthetic))`, the
/// covariance over `n - 1`, where `ppi-python` divides by `n`: with 20 pairs, 7 % of coverage.
fn published_lambda(sample: &Sample<'_>) -> Lambda {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (real_mean, twin_mean) = (mean(sample.real), mean(sample.synthetic));
    let pairs = sample.real.iter().zip(sample.synthetic);
    let products = pairs.map(|(real, twin)| (real - real_mean) * (twin - twin_mean));
    let count = sample.real.len() as f64;
    let covariance = products.sum::<f64>() / (count - 1.0);
    let all: Vec<f64> = sample.synthetic.iter().chain(sample.synthetic_alone).copied().collect();
    let centre = mean(&all);
    let squares: Vec<f64> = all.iter().map(|value| (value - centre) * (value - centre)).collect();
    let ratio = 1.0 + count / sample.synthetic_alone.len() as f64;
    Lambda::Fixed((covariance / (ratio * mean(&squares))).clamp(0.0, 1.0))
}

/// Nominal 90 %, published (2000 replications): 64 %, 80 %, 87 % and 68 %. Behind
/// the gate the exact interval of the real values covers.
#[test]
fn few_discordant_pairs_undo_the_normal_interval_and_the_gate_keeps_them_out() {
    for (share_, agreement, pairs, published, seed) in [
        (0.9, 0.95, 20, 0.643, 61),
        (0.9, 0.95, 40, 0.8005, 62),
        (0.9, 0.95, 100, 0.865, 63),
        (0.97, 0.98, 60, 0.6765, 64),
    ] {
        let law = Outcomes { share: share_, agreement, pairs, alone: 2000 };
        let normal = share(COUNT, seed, |draws| {
            let data = law.draw(draws);
            let lambda = published_lambda(&data.sample());
            let mean = prediction_powered_mean(&data.sample(), lambda, 0.1).unwrap();
            covers(mean.interval, law.share)
        });
        assert_is(normal, published, [COUNT, 2000]);
        let plugged_in = share(COUNT, seed, |draws| {
            let data = law.draw(draws);
            let mean = prediction_powered_mean(&data.sample(), Lambda::PluggedIn, 0.1).unwrap();
            covers(mean.interval, law.share)
        });
        assert!(plugged_in < 0.89, "{plugged_in}");
        let gated = share(COUNT, seed, |draws| {
            covers(gated_mean(&law.draw(draws).sample(), 0.1).unwrap().interval, law.share)
        });
        assert_at_least(gated, 0.9, COUNT);
    }
}

/// Where the gate opens, coverage is near nominal (published for the plug-in: 88 to 90 %), and the
/// interval is a third narrower than the exact one or more.
#[test]
fn an_open_gate_narrows_the_interval() {
    for (law, seed) in [
        (Outcomes { share: 0.9, agreement: 0.95, pairs: 1000, alone: 5000 }, 65),
        (Outcomes { share: 0.5, agreement: 0.9, pairs: 300, alone: 5000 }, 66),
    ] {
        let covered = share(600, seed, |draws| {
            covers(gated_mean(&law.draw(draws).sample(), 0.1).unwrap().interval, law.share)
        });
        assert_at_least(covered, 0.89, 600);
        let data = law.draw(&mut tiepoint_model::Seed(seed).draws(0, 0));
        let gated = gated_mean(&data.sample(), 0.1).unwrap();
        assert!(gated.powered.is_ok());
        let hits = data.0[0].iter().sum::<f64>().round() as u64;
        let exact = clopper_pearson(hits, law.pairs as u64, 0.1).unwrap();
        let ratio = (gated.interval[1] - gated.interval[0]) / (exact[1] - exact[0]);
        assert!(ratio < 0.75, "{ratio}");
    }
}

/// The finite-sample interval covers at least as promised with any number of pairs, and is wider
/// than the exact interval of the real values alone (published: in all seven cases).
#[test]
fn the_finite_interval_always_covers_and_is_not_free() {
    for (law, seed) in [
        (Outcomes { share: 0.9, agreement: 0.95, pairs: 20, alone: 1000 }, 67),
        (Outcomes { share: 0.97, agreement: 0.98, pairs: 60, alone: 1000 }, 68),
        (Outcomes { share: 0.7, agreement: 0.95, pairs: 40, alone: 1000 }, 69),
    ] {
        let covered = share(400, seed, |draws| {
            let data = law.draw(draws);
            covers(finite_sample_interval(&data.sample(), 1.0, 0.1).unwrap(), law.share)
        });
        assert_at_least(covered, 0.9, 400);
        let data = law.draw(&mut tiepoint_model::Seed(seed).draws(0, 0));
        let [low, high] = finite_sample_interval(&data.sample(), 1.0, 0.1).unwrap();
        let hits = data.0[0].iter().sum::<f64>().round() as u64;
        let exact = clopper_pearson(hits, law.pairs as u64, 0.1).unwrap();
        assert!(high - low > exact[1] - exact[0]);
    }
}

/// Real and synthetic values with a correlation, from a normal or a skewed law of mean 0, in
/// clusters of one value or more.
fn continuous(draws: &mut Draws, rho: f64, pairs: usize, skewed: bool) -> Data {
    let mut value = |shared: Option<f64>| {
        let fresh = if skewed { draws.exponential() - 1.0 } else { draws.normal() };
        shared.map_or(fresh, |shared| rho * shared + (1.0 - rho * rho).sqrt() * fresh)
    };
    let real: Vec<f64> = (0..pairs).map(|_| value(None)).collect();
    let synthetic = real.iter().map(|&real| value(Some(real))).collect();
    let alone = (0..2000)
        .map(|_| {
            let hidden = value(None);
            value(Some(hidden))
        })
        .collect();
    Data([real, synthetic, alone])
}

/// Normal values with correlation .9: the plug-in covers 85 % of 15 pairs (published 85.4 %), and
/// 90 % of 60 (published 89.9 %), where the gate opens; cross-fitting keeps it there, at less than
/// half of the width of Student's interval (published .46).
#[test]
fn sixty_pairs_of_normal_values_suffice() {
    let plugged_in = |pairs, seed| {
        share(COUNT, seed, |draws| {
            let data = continuous(draws, 0.9, pairs, false);
            let mean = prediction_powered_mean(&data.sample(), Lambda::PluggedIn, 0.1).unwrap();
            covers(mean.interval, 0.0)
        })
    };
    assert_is(plugged_in(15, 70), 0.854, [COUNT, 2000]);
    assert_is(plugged_in(60, 71), 0.899, [COUNT, 2000]);
    let gated = share(COUNT, 72, |draws| {
        let data = continuous(draws, 0.9, 60, false);
        covers(gated_mean(&data.sample(), 0.1).unwrap().interval, 0.0)
    });
    assert_at_least(gated, 0.89, COUNT);
    let width = |powered: bool| -> f64 {
        (0..200)
            .map(|replication| {
                let draws = &mut tiepoint_model::Seed(73).draws(replication, 0);
                let data = continuous(draws, 0.9, 60, false);
                let lambda = if powered { Lambda::PluggedIn } else { Lambda::Fixed(0.0) };
                let mean = prediction_powered_mean(&data.sample(), lambda, 0.1).unwrap();
                mean.interval[1] - mean.interval[0]
            })
            .sum()
    };
    let ratio = width(true) / width(false);
    assert!((ratio - 0.46).abs() < 0.03, "{ratio}");
}

/// Five frames of each of six scenes taken for 30 units: 62 % where 90 % is promised (published,
/// 2000 replications of another split between scene and frame, hence a bound on one side only).
#[test]
fn clustered_pairs_undo_the_interval() {
    let covered = share(COUNT, 74, |draws| {
        let scene = continuous(draws, 0.9, 6, false);
        let repeat = |values: &[f64], draws: &mut Draws| -> Vec<f64> {
            values
                .iter()
                .flat_map(|value| (0..5).map(|_| value + 0.3 * draws.normal()).collect::<Vec<_>>())
                .collect()
        };
        let [real, synthetic] = [0, 1].map(|side: usize| repeat(&scene.0[side], draws));
        let sample = Sample { real: &real, synthetic: &synthetic, synthetic_alone: &scene.0[2] };
        let mean = prediction_powered_mean(&sample, Lambda::PluggedIn, 0.1).unwrap();
        covers(mean.interval, 0.0)
    });
    assert!(covered < 0.75, "{covered}");
}
