//! Small numerical tools of the fits: normal law, search for a maximum, order statistics, log
//! sums.
//!
//! Invariant: fixed order of operations, no allocation shared between calls, no random choice.
//! Unit-free: callers say what the numbers mean.

use std::f64::consts::{PI, SQRT_2};

use tiepoint_model::math;

/// Natural logarithm of `sqrt(2 pi)`.
pub(crate) const LN_SQRT_TWO_PI: f64 = 0.918_938_533_204_672_7;

/// A normal sample's standard deviation over its median absolute deviation: `1 / Phi^-1(3/4)`.
const SIGMA_OVER_MAD: f64 = 1.482_602_218_505_602;

/// Distribution function of the standard normal law.
pub(crate) fn normal_cdf(x: f64) -> f64 {
    0.5 * math::erfc(-x / SQRT_2)
}

/// Density of the standard normal law.
pub(crate) fn normal_pdf(x: f64) -> f64 {
    math::exp(-0.5 * x * x) / (2.0 * PI).sqrt()
}

/// Logarithm of the normal density with the given mean and standard deviation.
pub(crate) fn log_normal_pdf(x: f64, mean: f64, sigma: f64) -> f64 {
    let z = (x - mean) / sigma;
    -0.5 * z * z - math::ln(sigma) - LN_SQRT_TWO_PI
}

/// `ln(sum(exp(x)))`; minus infinity for nothing or only minus infinities.
pub(crate) fn log_sum_exp(values: &[f64]) -> f64 {
    let top = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if top == f64::NEG_INFINITY {
        return top;
    }
    top + math::ln(values.iter().map(|value| math::exp(value - top)).sum())
}

/// Where `score` is greatest in `[lower, upper]`, and the score there.
///
/// A grid of 25 points picks the hill, golden section climbs it to `(upper - lower) * 1e-9`.
/// NaN scores count as the worst.
pub(crate) fn maximise(lower: f64, upper: f64, score: impl Fn(f64) -> f64) -> (f64, f64) {
    const GRID: usize = 24;
    let at = |index: usize| lower + (upper - lower) * index as f64 / GRID as f64;
    let safe = |x: f64| {
        let value = score(x);
        if value.is_nan() { f64::NEG_INFINITY } else { value }
    };
    let mut best = (0, safe(lower));
    for index in 1..=GRID {
        let value = safe(at(index));
        if value > best.1 {
            best = (index, value);
        }
    }
    let mut kept = (at(best.0), best.1);
    let (mut a, mut b) = (at(best.0.saturating_sub(1)), at((best.0 + 1).min(GRID)));
    let ratio = 0.5 * (5.0_f64.sqrt() - 1.0);
    let (mut c, mut d) = (b - ratio * (b - a), a + ratio * (b - a));
    let (mut score_c, mut score_d) = (safe(c), safe(d));
    while (b - a).abs() > (upper - lower).abs() * 1e-9 {
        if score_c >= score_d {
            (b, d, score_d) = (d, c, score_c);
            c = b - ratio * (b - a);
            score_c = safe(c);
        } else {
            (a, c, score_c) = (c, d, score_d);
            d = a + ratio * (b - a);
            score_d = safe(d);
        }
        if b <= a || (c <= a && d >= b) {
            break;
        }
    }
    for (x, value) in [(c, score_c), (d, score_d)] {
        if value > kept.1 {
            kept = (x, value);
        }
    }
    kept
}

/// Quantile of sorted values by linear interpolation between order statistics; 0 for none.
pub(crate) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let position = share.clamp(0.0, 1.0) * last as f64;
    let below = position.floor() as usize;
    let above = (below + 1).min(last);
    sorted[below] + (sorted[above] - sorted[below]) * (position - below as f64)
}

/// The values in ascending order.
pub(crate) fn sorted(values: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let mut list: Vec<f64> = values.into_iter().collect();
    list.sort_by(f64::total_cmp);
    list
}

/// Median and 1.4826 times the median absolute deviation from it.
pub(crate) fn median_and_mad_sigma(values: &[f64]) -> (f64, f64) {
    let median = quantile(&sorted(values.iter().copied()), 0.5);
    let deviations = sorted(values.iter().map(|value| (value - median).abs()));
    (median, SIGMA_OVER_MAD * quantile(&deviations, 0.5))
}

/// Mean of the values; 0 for none.
pub(crate) fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}

/// Mean and standard deviation (over the count, not the count less one).
pub(crate) fn mean_and_sigma(values: &[f64]) -> (f64, f64) {
    let centre = mean(values);
    let square = values.iter().map(|value| (value - centre) * (value - centre)).sum::<f64>();
    (centre, (square / values.len().max(1) as f64).sqrt())
}

/// Autocorrelation of a series with gaps at lags `1..=lag_count`, mean removed.
///
/// Lag `k` averages the products of the pairs that both exist and divides by the variance;
/// it is 0 where there is no pair or no variance.
pub(crate) fn autocorrelation(series: &[Option<f64>], lag_count: usize) -> Vec<f64> {
    let present: Vec<f64> = series.iter().flatten().copied().collect();
    let (centre, sigma) = mean_and_sigma(&present);
    let variance = sigma * sigma;
    let at_lag = |lag: usize| {
        let products: Vec<f64> = series
            .iter()
            .zip(series.iter().skip(lag))
            .filter_map(|(first, second)| Some((((*first)? - centre), ((*second)? - centre))))
            .map(|(first, second)| first * second)
            .collect();
        if products.is_empty() || variance <= 0.0 { 0.0 } else { mean(&products) / variance }
    };
    (1..=lag_count).map(at_lag).collect()
}

/// Wasserstein-1 distance between two samples: the area between their distribution functions.
///
/// Both lists sorted ascending and not empty; the unit is that of the values.
pub(crate) fn wasserstein(first: &[f64], second: &[f64]) -> f64 {
    let (n, m) = (first.len() as f64, second.len() as f64);
    let (mut i, mut j, mut area) = (0, 0, 0.0);
    let mut place = first[0].min(second[0]);
    while i < first.len() || j < second.len() {
        let next = match (first.get(i), second.get(j)) {
            (Some(a), Some(b)) => a.min(*b),
            (Some(only), None) | (None, Some(only)) => *only,
            (None, None) => break,
        };
        area += (i as f64 / n - j as f64 / m).abs() * (next - place);
        place = next;
        while first.get(i).is_some_and(|value| *value <= place) {
            i += 1;
        }
        while second.get(j).is_some_and(|value| *value <= place) {
            j += 1;
        }
    }
    area
}

/// Long-run variance of the mean of a series, times its length: Bartlett weights up to `lag_count`
/// (Newey and West, Econometrica 55(3), 1987). Never negative.
pub(crate) fn long_run_covariance(first: &[f64], second: &[f64], lag_count: usize) -> f64 {
    let count = first.len().min(second.len());
    if count == 0 {
        return 0.0;
    }
    let (centre_a, centre_b) = (mean(first), mean(second));
    let product = |a: usize, b: usize| (first[a] - centre_a) * (second[b] - centre_b);
    let mut sum: f64 = (0..count).map(|index| product(index, index)).sum();
    for lag in 1..=lag_count.min(count - 1) {
        let weight = 1.0 - lag as f64 / (lag_count + 1) as f64;
        let lagged: f64 = (lag..count)
            .map(|index| product(index, index - lag) + product(index - lag, index))
            .sum();
        sum += weight * lagged;
    }
    sum / count as f64
}

/// Lags of the long-run variance: the fourth root rule is too short for slowly moving errors, so
/// an eighth of the series, at most 40.
pub(crate) fn long_run_lags(count: usize) -> usize {
    (count / 8).clamp(1, 40)
}
