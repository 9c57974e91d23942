//! The exchange rate: how many real samples one synthetic sample is worth, for one claim.
//!
//! Invariant: a rate has an interval; an end that the evidence leaves open is `None`. A rate below
//! 0 says that the synthetic data does harm, and is given as it is.
//!
//! Not here: whether a claim may use the synthetic data at all.

use tiepoint_model::math::exp;

use super::{
    StatisticsError, check_range,
    prediction_powered::{
        Sample, check as check_sample,
        gate::{correlation, correlation_bounds},
    },
    scaling::{Point, bisect_to, fit_curve, least_square_sum},
};

/// Real samples that one synthetic sample is worth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExchangeRate {
    /// The rate.
    pub rate: f64,
    /// Ends at confidence `1 - alpha`; `None` where the evidence sets no bound.
    pub interval: [Option<f64>; 2],
    /// Real samples that real and synthetic ones together are worth.
    pub real_equivalent_count: f64,
}

/// What synthetic values are worth for the precision of a mean.
///
/// With correlation `rho`, `n` pairs and `N` values alone, the mean has the variance of
/// `n / (1 - rho^2 N / (n + N))` real values; the interval is that of the correlation.
///
/// # Errors
/// As [`super::prediction_powered::prediction_powered_mean`]; values that do not vary.
///
/// # Source
/// The optimal lambda of *PPI++*, 2023, put into its variance; Fisher's interval of a correlation.
pub fn rate_for_a_mean(sample: &Sample<'_>, alpha: f64) -> Result<ExchangeRate, StatisticsError> {
    check_sample(sample)?;
    check_range("alpha", alpha, alpha > 0.0 && alpha < 1.0, "between 0 and 1")?;
    let correlation =
        correlation(sample.real, sample.synthetic)?.ok_or(StatisticsError::NotIdentified {
            name: "exchange rate",
            reason: "the real or the synthetic values do not vary",
        })?;
    let (pairs, alone) = (sample.real.len() as f64, sample.synthetic_alone.len() as f64);
    let equivalents = |square: f64| pairs / (1.0 - square * alone / (pairs + alone));
    let rate = |square: f64| (equivalents(square) - pairs) / alone;
    let [low, high] = correlation_bounds(correlation, sample.real.len(), alpha);
    let largest = low.abs().max(high.abs());
    let smallest = if low <= 0.0 && high >= 0.0 { 0.0 } else { low.abs().min(high.abs()) };
    Ok(ExchangeRate {
        rate: rate(correlation * correlation),
        interval: [smallest, largest].map(|r| Some(rate(r * r))),
        real_equivalent_count: equivalents(correlation * correlation),
    })
}

/// A model trained on a mixture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mixture {
    /// Real samples in it.
    pub real_count: f64,
    /// Synthetic samples in it, above 0.
    pub synthetic_count: f64,
    /// Its error on the real test data of the curve.
    pub error: f64,
}

/// What synthetic samples are worth for training: where the error of the mixture lies on the curve
/// of real samples alone.
///
/// The interval is a profile: the numbers of real samples at which the error of the mixture could
/// be one point more of the curve.
///
/// # Errors
/// As [`fit_curve`]; counts out of range; [`StatisticsError::NotIdentified`] for an error at or
/// below the floor of the real curve, which no number of real samples reaches.
///
/// # Source
/// Profile t of Bates and Watts 1988, for the count that the mixture stands for.
pub fn rate_for_training(
    real: &[Point],
    mixture: &Mixture,
    alpha: f64,
) -> Result<ExchangeRate, StatisticsError> {
    /// Beyond this factor an end is open.
    const LN_FACTOR_MAX: f64 = 14.0;
    let fit = fit_curve(real)?;
    let limit = fit.limit(alpha)?;
    let Mixture { real_count, synthetic_count, error } = *mixture;
    check_range("error", error, error.is_finite(), "finite")?;
    let inside = real_count.is_finite() && real_count >= 0.0;
    check_range("real_count", real_count, inside, "finite and 0 or more")?;
    let inside = synthetic_count.is_finite() && synthetic_count > 0.0;
    check_range("synthetic_count", synthetic_count, inside, "finite and above 0")?;
    let equivalents = fit.curve.count_for(error).ok_or(StatisticsError::NotIdentified {
        name: "exchange rate",
        reason: "no number of real samples reaches the error of the mixture",
    })?;
    let fits = |ln_factor: f64| {
        let count = equivalents * exp(ln_factor);
        let mut points = real.to_vec();
        points.push(Point { count, error });
        least_square_sum(&points) <= limit
    };
    let end = |sign: f64| {
        let mut far = 0.01;
        while fits(sign * far) {
            far *= 2.0;
            if far > LN_FACTOR_MAX {
                return None;
            }
        }
        // Eight digits of the count are more than any curve tells.
        let found = bisect_to(0.0, far, 1e-9, |by| fits(sign * by));
        Some(equivalents * exp(sign * found))
    };
    let rate = |count: f64| (count - real_count) / synthetic_count;
    Ok(ExchangeRate {
        rate: rate(equivalents),
        interval: [end(-1.0), end(1.0)].map(|count| count.map(rate)),
        real_equivalent_count: equivalents,
    })
}

#[cfg(test)]
mod tests {
    use tiepoint_model::Seed;

    use super::*;
    use crate::statistics::{
        prediction_powered::{Lambda, prediction_powered_mean},
        scaling::Curve,
    };

    struct Data([Vec<f64>; 3]);

    impl Data {
        fn new(rho: f64, pairs: usize, alone: usize, seed: u64) -> Self {
            let mut draws = Seed(seed).draws(0, 0);
            let (mut real, mut synthetic) = (Vec::new(), Vec::new());
            for _ in 0..pairs {
                let shared = draws.normal();
                real.push(shared);
                synthetic.push(rho * shared + (1.0 - rho * rho).sqrt() * draws.normal());
            }
            Self([real, synthetic, (0..alone).map(|_| draws.normal()).collect()])
        }

        fn sample(&self) -> Sample<'_> {
            let [real, synthetic, synthetic_alone] = &self.0;
            Sample { real, synthetic, synthetic_alone }
        }
    }

    /// The variance of the prediction-powered mean is that of so many real values. 15 %: the rate
    /// takes one sample's correlation, the mean its own variances.
    #[test]
    fn the_rate_is_what_the_variance_says() {
        let data = Data::new(0.9, 400, 2000, 1);
        let rate = rate_for_a_mean(&data.sample(), 0.1).unwrap();
        let plain = prediction_powered_mean(&data.sample(), Lambda::Fixed(0.0), 0.1).unwrap();
        let tight = prediction_powered_mean(&data.sample(), Lambda::PluggedIn, 0.1).unwrap();
        let gain = plain.standard_error / tight.standard_error;
        let ratio = rate.real_equivalent_count / (400.0 * gain * gain);
        assert!((ratio - 1.0).abs() < 0.15, "{ratio}");
        let [low, high] = rate.interval.map(Option::unwrap);
        assert!(low < rate.rate && rate.rate < high);
    }

    /// 1000 data sets, nominal 90 %: four standard errors are 3.8 %.
    #[test]
    fn the_interval_covers_the_true_rate() {
        let (rho, pairs, alone) = (0.8, 60, 600);
        let share = rho * rho * alone as f64 / (pairs + alone) as f64;
        let truth = pairs as f64 * (1.0 / (1.0 - share) - 1.0) / alone as f64;
        let covered = (0..1000)
            .filter(|&seed| {
                let data = Data::new(rho, pairs, alone, 100 + seed);
                let rate = rate_for_a_mean(&data.sample(), 0.1).unwrap();
                let [low, high] = rate.interval.map(Option::unwrap);
                low <= truth && truth <= high
            })
            .count();
        assert!((covered as f64 / 1000.0 - 0.9).abs() < 0.038, "{covered}");
    }

    /// Twins that know nothing are worth nothing, and never more than a real value.
    #[test]
    fn a_rate_lies_between_nothing_and_a_real_value() {
        for seed in 0..20 {
            for rho in [0.0, 0.5, 0.99] {
                let data = Data::new(rho, 50, 500, seed);
                let rate = rate_for_a_mean(&data.sample(), 0.1).unwrap();
                assert!((0.0..=1.0).contains(&rate.rate), "{rate:?}");
            }
        }
        let useless = rate_for_a_mean(&Data::new(0.0, 400, 500, 3).sample(), 0.1).unwrap();
        assert_eq!(useless.interval[0], Some(0.0));
        let same = vec![0.5; 50];
        let sample = Sample { real: &same, synthetic: &same, synthetic_alone: &same };
        assert!(rate_for_a_mean(&sample, 0.1).is_err());
    }

    const REAL: Curve = Curve { floor: 0.12, scale: 1.9, exponent: 0.45 };

    fn curve(noise: f64, seed: u64) -> Vec<Point> {
        let mut draws = Seed(seed).draws(0, 0);
        [100.0, 200.0, 400.0, 800.0, 1600.0, 3200.0]
            .into_iter()
            .flat_map(|count| [count; 3])
            .map(|count| Point { count, error: REAL.error_at(count) + noise * draws.normal() })
            .collect()
    }

    #[test]
    fn a_mixture_on_the_curve_is_worth_its_place() {
        let mixture =
            Mixture { real_count: 200.0, synthetic_count: 1000.0, error: REAL.error_at(500.0) };
        let rate = rate_for_training(&curve(0.0, 1), &mixture, 0.1).unwrap();
        assert!((rate.rate - 0.3).abs() < 1e-6, "{rate:?}");
        let harmful = Mixture { error: REAL.error_at(150.0), ..mixture };
        assert!(rate_for_training(&curve(0.0, 1), &harmful, 0.1).unwrap().rate < 0.0);
    }

    /// 200 curves, the mixture measured with the same noise, nominal 90 %: four standard errors are
    /// 8.5 %.
    #[test]
    fn the_interval_of_a_mixture_covers_its_place() {
        let truth = 0.3;
        let covered = (0..200)
            .filter(|&seed| {
                let mut draws = Seed(seed).draws(9, 0);
                let error = REAL.error_at(500.0) + 0.003 * draws.normal();
                let mixture = Mixture { real_count: 200.0, synthetic_count: 1000.0, error };
                let rate = rate_for_training(&curve(0.003, 500 + seed), &mixture, 0.1).unwrap();
                let [low, high] = rate.interval;
                low.is_none_or(|low| low <= truth) && high.is_none_or(|high| truth <= high)
            })
            .count();
        assert!((covered as f64 / 200.0 - 0.9).abs() < 0.085, "{covered}");
    }

    #[test]
    fn a_mixture_below_the_floor_has_no_rate() {
        let points = curve(0.001, 2);
        let mixture = Mixture { real_count: 200.0, synthetic_count: 1000.0, error: 0.05 };
        let refused = rate_for_training(&points, &mixture, 0.1);
        assert!(matches!(refused, Err(StatisticsError::NotIdentified { .. })));
        for bad in [f64::NAN, f64::INFINITY, -1.0] {
            let wrong = Mixture { synthetic_count: bad, ..mixture };
            assert!(rate_for_training(&points, &wrong, 0.1).is_err());
            let wrong = Mixture { error: bad, ..mixture };
            assert!(rate_for_training(&points, &wrong, 0.1).is_err());
        }
        // Near the floor the curve is flat: the upper end is open.
        let flat = Mixture { error: REAL.error_at(1e9), ..mixture };
        let rate = rate_for_training(&curve(0.003, 4), &flat, 0.1);
        assert!(rate.is_err() || rate.unwrap().interval[1].is_none());
    }
}
