//! Likelihood of differences of rounded readings whose true range is unknown.
//!
//! Invariant: over all steps the probabilities sum to one, for every noise.
//! Unit: the cell, which is the rounding step, or for continuous readings a scale.
//!
//! The true range lies anywhere in its step, so a rounded reading errs by a box convolved with the
//! noise, and the difference of two by the second difference of an integral of the normal cdf.

use std::collections::BTreeMap;

use tiepoint_model::math::{erfc, exp, ln};

use super::{RangeNoise, RangeNoiseOptions};
use crate::{
    Interval,
    sensor::{NotIdentifiable, chance::chi_square_quantile},
};

/// Parts of a cell that continuous differences are counted in.
const BINS: f64 = 64.0;

/// Cells in the outlier span at most.
pub(super) const SPAN_MAX: f64 = 1e9;

/// Least noise that is looked at, cells.
const FLOOR: f64 = 1e-3;

struct Likelihood {
    /// Differences in bins, with their number.
    bins: Vec<(f64, f64)>,
    is_rounded: bool,
    /// Density of differences that are not noise, per cell.
    stray: f64,
    count: f64,
}

/// Noise of a cell's differences, metres.
pub(super) fn fit(
    differences_m: &[f64],
    options: &RangeNoiseOptions,
) -> Result<RangeNoise, NotIdentifiable> {
    let is_rounded = options.quantisation_m > 0.0;
    let cell_m = if is_rounded { options.quantisation_m } else { middle_size(differences_m) };
    if cell_m <= options.outlier_span_m / SPAN_MAX {
        let what = "differences other than zero, though readings are said to be continuous";
        return Err(NotIdentifiable::NoVariation { what: what.to_owned() });
    }
    let resolution = if is_rounded { 1.0 } else { BINS };
    let mut bins: BTreeMap<i64, f64> = BTreeMap::new();
    for difference in differences_m {
        #[expect(clippy::cast_possible_truncation, reason = "saturates; spans are bounded")]
        let bin = (difference.abs() / cell_m * resolution).round() as i64;
        *bins.entry(bin).or_default() += 1.0;
    }
    let span = options.outlier_span_m / cell_m;
    let likelihood = Likelihood {
        bins: bins.iter().map(|(bin, count)| (*bin as f64 / resolution, *count)).collect(),
        is_rounded,
        stray: 0.5 / span.max(1.0),
        count: differences_m.len() as f64,
    };
    let (low, high) = (ln(FLOOR), ln((2.0 * span).max(1.0)));
    let (best, value) = likelihood.maximum(low, high);
    let drop = 0.5 * chi_square_quantile(options.level, 1.0);
    let is_inside = |log_noise: f64| likelihood.profile(log_noise).0 >= value - drop;
    let low_end = if is_inside(low) { 0.0 } else { exp(edge(low, best, is_inside)) };
    let high_end = exp(edge(high, best, is_inside));
    let noise = if best - low < 1e-3 { 0.0 } else { exp(best) };
    Ok(RangeNoise {
        sigma_m: noise * cell_m,
        interval: Interval { low: low_end * cell_m, high: high_end * cell_m, level: options.level },
        outlier_share: likelihood.profile(best).1,
        pair_count: differences_m.len(),
        excluded_count: 0,
    })
}

/// Median of the sizes: a scale that outliers do not reach.
fn middle_size(differences_m: &[f64]) -> f64 {
    let mut sizes: Vec<f64> = differences_m.iter().map(|value| value.abs()).collect();
    let middle = sizes.len() / 2;
    let (_, median, _) = sizes.select_nth_unstable_by(middle, f64::total_cmp);
    *median
}

/// Where `is_inside` turns true between `outside` and `inside`.
fn edge(mut outside: f64, mut inside: f64, is_inside: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..50 {
        let middle = 0.5 * (outside + inside);
        if is_inside(middle) {
            inside = middle;
        } else {
            outside = middle;
        }
    }
    inside
}

impl Likelihood {
    /// The best logarithm of the noise, and its likelihood: a scan, then golden sections.
    fn maximum(&self, low: f64, high: f64) -> (f64, f64) {
        const SCAN: u32 = 60;
        const GOLDEN: f64 = 0.618_033_988_749_894_9;
        let step = (high - low) / f64::from(SCAN);
        let mut best = (low, f64::NEG_INFINITY);
        for place in 0..=SCAN {
            let at = low + step * f64::from(place);
            let value = self.profile(at).0;
            if value > best.1 {
                best = (at, value);
            }
        }
        let (mut left, mut right) = ((best.0 - step).max(low), (best.0 + step).min(high));
        for _ in 0..45 {
            let inner = [right - GOLDEN * (right - left), left + GOLDEN * (right - left)];
            if self.profile(inner[0]).0 > self.profile(inner[1]).0 {
                right = inner[1];
            } else {
                left = inner[0];
            }
        }
        let at = 0.5 * (left + right);
        let value = self.profile(at).0;
        if value > best.1 { (at, value) } else { best }
    }

    /// The likelihood of a noise with its best share of outliers, and that share.
    fn profile(&self, log_noise: f64) -> (f64, f64) {
        let noise = exp(log_noise);
        let densities: Vec<f64> =
            self.bins.iter().map(|(cells, _)| self.density(noise, *cells)).collect();
        let mut share = 0.02;
        for _ in 0..60 {
            let strays: f64 = self
                .bins
                .iter()
                .zip(&densities)
                .map(|((_, count), density)| {
                    let part = share * self.stray;
                    count * part / (part + (1.0 - share) * density).max(f64::MIN_POSITIVE)
                })
                .sum();
            let next = (strays / self.count).clamp(1e-12, 1.0 - 1e-12);
            let is_settled = (next - share).abs() < 1e-10;
            share = next;
            if is_settled {
                break;
            }
        }
        let value = self.bins.iter().zip(&densities).map(|((_, count), density)| {
            let mixed = share * self.stray + (1.0 - share) * density;
            count * ln(mixed.max(f64::MIN_POSITIVE))
        });
        (value.sum(), share)
    }

    /// Probability of a difference in steps, or its density per cell.
    fn density(&self, noise: f64, cells: f64) -> f64 {
        const COARSE: f64 = 100.0;
        let spread = noise * std::f64::consts::SQRT_2;
        let pdf = |z: f64| 0.398_942_280_401_432_7 * exp(-0.5 * z * z);
        if !self.is_rounded || noise > COARSE {
            // Far above the step rounding is a variance of a sixth.
            let rounding = if self.is_rounded { 1.0 / 6.0 } else { 0.0 };
            let sigma = (spread * spread + rounding).sqrt();
            return pdf(cells / sigma) / sigma;
        }
        let ramp = |at: f64| {
            let z = at / spread;
            at * 0.5 * erfc(-z / std::f64::consts::SQRT_2) + spread * pdf(z)
        };
        let at = -cells.abs();
        (ramp(at + 1.0) - 2.0 * ramp(at) + ramp(at - 1.0)).max(0.0)
    }
}
