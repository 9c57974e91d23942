//! Prediction-powered means: many synthetic values tighten what few real ones say, never replace
//! them.
//!
//! `theta = mean(real) + lambda (mean(synthetic, alone) - mean(synthetic, paired))`: what the twins
//! say about units without a real value, corrected by what they got wrong on units with one.
//! Invariant: unbiased for any lambda that does not see the values it weighs; with lambda 0 it is
//! the real mean alone.
//! All values share one unit; the synthetic ones must come from the same conditions as the real
//! ones, or carry weights (see [`super::weights`]).
//! Cost: `O(n + m)` for n pairs and m predictions alone.
//!
//! Not here: what the tighter estimate is worth (see [`super::exchange`]).

pub mod finite;
pub mod gate;

use super::{
    StatisticsError, check_range, check_values,
    distributions::{normal_quantile, student_t_quantile},
    mean,
};

/// Fewest pairs for an interval that leaves two degrees of freedom.
const PAIRS_MIN: usize = 4;

/// Units with both values, and synthetic values of units without a real one.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    /// Real values of the paired units.
    pub real: &'a [f64],
    /// Synthetic values of the same units, in the same order.
    pub synthetic: &'a [f64],
    /// Synthetic values of units without a real one.
    pub synthetic_alone: &'a [f64],
}

/// How strongly the synthetic values count.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Lambda {
    /// Chosen beforehand; 1 is the plain prediction-powered mean.
    Fixed(f64),
    /// The best one for all pairs, used on the same pairs, with a normal interval: what
    /// `ppi-python` 0.2.3 does. Covers too rarely when pairs are few.
    PluggedIn,
    /// The best one for all folds but one, used on that one, with a t interval; unit `i` is in fold
    /// `i % folds`.
    CrossFitted {
        /// At least 2.
        folds: usize,
    },
}

/// A mean with its interval, which holds for many pairs only.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Asymptotic {
    /// The mean of the real values over all units.
    pub estimate: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Ends at confidence `1 - alpha`.
    pub interval: [f64; 2],
    /// Weight of the synthetic values; averaged over folds.
    pub lambda: f64,
}

/// The prediction-powered mean of the real values.
///
/// Passing the [`gate`] first is the caller's duty: with few discordant pairs the interval covers
/// as little as 64 % at a nominal 90 %.
///
/// # Errors
/// Fewer than four pairs or two synthetic values alone, pairs of two lengths, a value that is not
/// finite, alpha or lambda or folds out of range.
///
/// # Source
/// Angelopoulos, Bates, Fannjiang, Jordan and Zrnic, Science 382, 2023; lambda from Angelopoulos,
/// Duchi and Zrnic, *PPI++*, 2023; folds from Zrnic and Candes, PNAS 121(15), 2024.
pub fn prediction_powered_mean(
    sample: &Sample<'_>,
    lambda: Lambda,
    alpha: f64,
) -> Result<Asymptotic, StatisticsError> {
    check(sample)?;
    check_range("alpha", alpha, alpha > 0.0 && alpha < 1.0, "between 0 and 1")?;
    let (count, fold_count) = (sample.real.len(), folds(lambda, sample.real.len())?);
    let lambdas: Vec<f64> = match lambda {
        Lambda::Fixed(lambda) => vec![lambda],
        Lambda::PluggedIn => vec![best_lambda(sample, |_| true)],
        Lambda::CrossFitted { .. } => (0..fold_count)
            .map(|fold| best_lambda(sample, |index| index % fold_count != fold))
            .collect(),
    };
    let pairs = sample.real.iter().zip(sample.synthetic).enumerate();
    let rectified: Vec<f64> =
        pairs.map(|(index, (real, twin))| real - lambdas[index % fold_count] * twin).collect();
    let shares = (0..count).map(|index| lambdas[index % fold_count]);
    let lambda_mean = shares.sum::<f64>() / count as f64;
    let imputed = lambda_mean * mean(sample.synthetic_alone);
    let estimate = imputed + mean(&rectified);
    let alone = sample.synthetic_alone;
    let (variance, quantile) = match lambda {
        Lambda::CrossFitted { .. } => (
            spread(&rectified, 1.0) / count as f64
                + lambda_mean * lambda_mean * spread(alone, 1.0) / alone.len() as f64,
            student_t_quantile(1.0 - alpha / 2.0, (count - 2) as f64),
        ),
        _ => (
            spread(&rectified, 0.0) / count as f64
                + lambda_mean * lambda_mean * spread(alone, 0.0) / alone.len() as f64,
            normal_quantile(1.0 - alpha / 2.0),
        ),
    };
    let standard_error = variance.sqrt();
    let half_width = quantile * standard_error;
    Ok(Asymptotic {
        estimate,
        standard_error,
        interval: [estimate - half_width, estimate + half_width],
        lambda: lambda_mean,
    })
}

/// `cov(real, synthetic) / ((1 + n / N) var(synthetic))` in `[0, 1]`, from the pairs that are kept;
/// 0 where the synthetic values do not vary.
fn best_lambda(sample: &Sample<'_>, keep: impl Fn(usize) -> bool) -> f64 {
    let kept = |values: &[f64]| -> Vec<f64> {
        let chosen = values.iter().enumerate().filter(|(index, _)| keep(*index));
        chosen.map(|(_, value)| *value).collect()
    };
    let (real, twins) = (kept(sample.real), kept(sample.synthetic));
    let (real_mean, twin_mean) = (mean(&real), mean(&twins));
    let count = real.len() as f64;
    let products = real.iter().zip(&twins).map(|(r, t)| (r - real_mean) * (t - twin_mean));
    let covariance = products.sum::<f64>() / count;
    let all: Vec<f64> = twins.iter().chain(sample.synthetic_alone).copied().collect();
    let ratio = sample.real.len() as f64 / sample.synthetic_alone.len() as f64;
    let denominator = (1.0 + ratio) * spread(&all, 1.0);
    if denominator > 0.0 { (covariance / denominator).clamp(0.0, 1.0) } else { 0.0 }
}

/// Mean squared deviation, over the count less `lost` degrees of freedom.
fn spread(values: &[f64], lost: f64) -> f64 {
    let centre = mean(values);
    let squares = values.iter().map(|value| (value - centre) * (value - centre));
    squares.sum::<f64>() / (values.len() as f64 - lost)
}

fn folds(lambda: Lambda, pair_count: usize) -> Result<usize, StatisticsError> {
    match lambda {
        Lambda::Fixed(lambda) => {
            check_range("lambda", lambda, (0.0..=1.0).contains(&lambda), "between 0 and 1")?;
            Ok(1)
        }
        Lambda::PluggedIn => Ok(1),
        Lambda::CrossFitted { folds } => {
            let inside = folds >= 2 && folds <= pair_count / 2;
            check_range("folds", folds as f64, inside, "at least 2, with two pairs in each")?;
            Ok(folds)
        }
    }
}

pub(super) fn check(sample: &Sample<'_>) -> Result<(), StatisticsError> {
    let (left_count, right_count) = (sample.real.len(), sample.synthetic.len());
    if left_count != right_count {
        return Err(StatisticsError::LengthMismatch { left_count, right_count });
    }
    for (values, min) in [(sample.real, PAIRS_MIN), (sample.synthetic_alone, 2)] {
        if values.len() < min {
            return Err(StatisticsError::TooFew { count: values.len(), min });
        }
    }
    for values in [sample.real, sample.synthetic, sample.synthetic_alone] {
        check_values(values)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
