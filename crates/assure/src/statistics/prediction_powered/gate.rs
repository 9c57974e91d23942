//! Whether synthetic values may tighten a real mean, and the real mean alone where they may not.
//!
//! Invariant: the gate looks at counts and at a lower bound of the correlation, never at the
//! estimate it would give; where it is shut the answer is the real values' own, with the reason.
//!
//! Not here: estimates that need no gate because they hold for any count (see [`super::finite`]).

use tiepoint_model::math::{exp, ln_1p};

use super::{
    super::{
        StatisticsError,
        binomial::clopper_pearson,
        check_range,
        distributions::{normal_quantile, student_t_quantile},
        mean_and_sd,
    },
    Asymptotic, Lambda, Sample, check, prediction_powered_mean,
};

/// Fewest discordant pairs of outcomes; with 10 the interval still covers 86 % for 90 %.
pub const DISCORDANT_MIN: usize = 20;

/// Fewest pairs of continuous values.
pub const PAIRS_MIN: usize = 60;

/// Why the real values stand alone.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RealOnly {
    /// Too few pairs of continuous values.
    #[error("{count} pairs are too few: at least {min} are needed")]
    TooFewPairs {
        /// How many there are.
        count: usize,
        /// How many there must be.
        min: usize,
    },
    /// Too few pairs of outcomes that differ: the error of the twins is hardly known.
    #[error("{count} pairs of outcomes differ, and {min} must, to know how often twins are wrong")]
    TooFewDiscordant {
        /// How many there are.
        count: usize,
        /// How many there must be.
        min: usize,
    },
    /// The correlation may be too low to help.
    #[error("the correlation may be as low as {correlation_low}, and must exceed {min}")]
    CorrelationTooLow {
        /// Lower bound at the confidence of the interval, one-sided.
        correlation_low: f64,
        /// `1 / sqrt(n - 2)`.
        min: f64,
    },
    /// Values that do not vary have no correlation.
    #[error("the real or the synthetic values of the pairs do not vary")]
    Constant,
}

/// A mean of the real values, tightened if it may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GatedMean {
    /// The mean over all units.
    pub estimate: f64,
    /// Ends at confidence `1 - alpha`.
    pub interval: [f64; 2],
    /// What the synthetic values gave, or why they did not count.
    pub powered: Result<Asymptotic, RealOnly>,
}

/// The cross-fitted prediction-powered mean where the gate is open, else the real mean: exact for
/// outcomes, Student's t otherwise.
///
/// # Errors
/// As [`prediction_powered_mean`].
///
/// # Source
/// For the threshold of the correlation: *No free lunch: non-asymptotic analysis of
/// prediction-powered inference*, 2025.
pub fn gated_mean(sample: &Sample<'_>, alpha: f64) -> Result<GatedMean, StatisticsError> {
    const FOLDS: usize = 5;
    check(sample)?;
    check_range("alpha", alpha, alpha > 0.0 && alpha < 1.0, "between 0 and 1")?;
    match gate(sample, alpha)? {
        Ok(()) => {
            let powered =
                prediction_powered_mean(sample, Lambda::CrossFitted { folds: FOLDS }, alpha)?;
            let Asymptotic { estimate, interval, .. } = powered;
            Ok(GatedMean { estimate, interval, powered: Ok(powered) })
        }
        Err(reason) => {
            let (estimate, interval) = real_only(sample.real, alpha)?;
            Ok(GatedMean { estimate, interval, powered: Err(reason) })
        }
    }
}

/// Open, or the first reason why not.
///
/// # Errors
/// As [`prediction_powered_mean`].
pub fn gate(sample: &Sample<'_>, alpha: f64) -> Result<Result<(), RealOnly>, StatisticsError> {
    check(sample)?;
    check_range("alpha", alpha, alpha > 0.0 && alpha < 1.0, "between 0 and 1")?;
    let count = sample.real.len();
    if outcomes(sample.real) && outcomes(sample.synthetic) {
        let pairs = sample.real.iter().zip(sample.synthetic);
        let discordant = pairs.filter(|(real, twin)| real != twin).count();
        if discordant < DISCORDANT_MIN {
            let (count, min) = (discordant, DISCORDANT_MIN);
            return Ok(Err(RealOnly::TooFewDiscordant { count, min }));
        }
    } else if count < PAIRS_MIN {
        return Ok(Err(RealOnly::TooFewPairs { count, min: PAIRS_MIN }));
    }
    let Some(correlation) = correlation(sample.real, sample.synthetic)? else {
        return Ok(Err(RealOnly::Constant));
    };
    let correlation_low = correlation_bounds(correlation, count, 2.0 * alpha.min(0.49))[0];
    let min = 1.0 / ((count - 2) as f64).sqrt();
    if correlation_low > min {
        Ok(Ok(()))
    } else {
        Ok(Err(RealOnly::CorrelationTooLow { correlation_low, min }))
    }
}

/// Pearson's correlation; `None` where one side does not vary.
pub(in super::super) fn correlation(a: &[f64], b: &[f64]) -> Result<Option<f64>, StatisticsError> {
    let ((mean_a, sd_a), (mean_b, sd_b)) = (mean_and_sd(a)?, mean_and_sd(b)?);
    let scale = sd_a * sd_b * (a.len() - 1) as f64;
    let products = a.iter().zip(b).map(|(x, y)| (x - mean_a) * (y - mean_b));
    let value = products.sum::<f64>() / scale;
    Ok((scale > 0.0 && value.is_finite()).then(|| value.clamp(-1.0, 1.0)))
}

/// Fisher's interval for a correlation of at least four pairs, at confidence `1 - alpha`.
pub(in super::super) fn correlation_bounds(correlation: f64, count: usize, alpha: f64) -> [f64; 2] {
    if correlation.abs() >= 1.0 {
        return [correlation; 2];
    }
    let z = 0.5 * (ln_1p(correlation) - ln_1p(-correlation));
    let half_width = normal_quantile(1.0 - alpha / 2.0) / ((count - 3) as f64).sqrt();
    // tanh from the exponential that cannot overflow.
    let tanh = |x: f64| {
        let shrunk = exp(-2.0 * x.abs());
        x.signum() * (1.0 - shrunk) / (1.0 + shrunk)
    };
    [tanh(z - half_width), tanh(z + half_width)]
}

fn outcomes(values: &[f64]) -> bool {
    values.iter().all(|&value| value == 0.0 || value == 1.0)
}

/// The mean of the real values and its interval at confidence `1 - alpha`.
fn real_only(real: &[f64], alpha: f64) -> Result<(f64, [f64; 2]), StatisticsError> {
    let (estimate, sd) = mean_and_sd(real)?;
    if outcomes(real) {
        let successes = real.iter().filter(|value| **value == 1.0).count();
        return Ok((estimate, clopper_pearson(successes as u64, real.len() as u64, alpha)?));
    }
    let count = real.len() as f64;
    let half_width = student_t_quantile(1.0 - alpha / 2.0, count - 1.0) * sd / count.sqrt();
    Ok((estimate, [estimate - half_width, estimate + half_width]))
}
