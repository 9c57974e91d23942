//! How certain a deviation is: equivalent degrees of freedom and chi-square intervals.
//!
//! Invariant: the noise that the interval assumes stands beside it.
//!
//! Cost: at most a thousand terms for each averaging time.
//!
//! Not here: the deviations.

use serde::{Deserialize, Serialize};
use tiepoint_model::math::ln;

use super::{Deviation, DeviationCurve};
use crate::{
    Interval, MeasureError,
    sensor::chance::{deviation_interval, require_level},
};

/// Noise of a rate by its spectrum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoiseKind {
    /// White: Allan deviation falls as `tau^(-1/2)`.
    White,
    /// Flicker, `1/f`: flat.
    Flicker,
    /// Random walk, `1/f^2`: rises as `tau^(1/2)`.
    RandomWalk,
}

impl NoiseKind {
    /// Exponent of frequency in the spectrum of the rate.
    fn exponent(self) -> i32 {
        match self {
            Self::White => 0,
            Self::Flicker => -1,
            Self::RandomWalk => -2,
        }
    }

    /// The kind whose Allan deviation has the slope nearest to this.
    #[must_use]
    pub fn of_slope(slope: f64) -> Self {
        match () {
            () if slope < -0.25 => Self::White,
            () if slope < 0.25 => Self::Flicker,
            () => Self::RandomWalk,
        }
    }
}

/// What noise the intervals of a curve assume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CurveNoise {
    /// The same everywhere.
    Same(NoiseKind),
    /// At each time the kind whose slope is nearest to that of the curve over two octaves.
    BySlope,
}

/// The interval of one point of a curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeviationInterval {
    /// The noise it assumes.
    pub noise: NoiseKind,
    /// Equivalent degrees of freedom.
    pub degrees_of_freedom: f64,
    /// Of the deviation.
    pub interval: Interval,
}

/// The intervals of the points of a curve.
///
/// # Errors
/// [`MeasureError::InvalidOption`] for a level outside `(0, 1)`.
///
/// # Source
/// Greenhall and Riley, *Uncertainty of stability variances based on finite differences*, PTTI 2003
/// (finite differences; summed where allantools 2024.6 takes the paper's fits beyond 100 terms, which
/// differ by up to 4 %); Riley, NIST SP 1065, 2008, table 7 (total).
pub fn deviation_intervals(
    curve: &DeviationCurve,
    noise: CurveNoise,
    level: f64,
) -> Result<Vec<DeviationInterval>, MeasureError> {
    require_level(level)?;
    (0..curve.points.len())
        .map(|index| {
            let point = curve.points[index];
            let noise = match noise {
                CurveNoise::Same(noise) => noise,
                CurveNoise::BySlope => NoiseKind::of_slope(local_slope(curve, index)),
            };
            let df = degrees_of_freedom(curve.deviation, noise, point.factor, curve.phase_count);
            let interval = deviation_interval(point.deviation, df, level)?;
            Ok(DeviationInterval { noise, degrees_of_freedom: df, interval })
        })
        .collect()
}

/// Slope of the logarithms over the points within a factor of two of one; -1/2 if there are none.
pub(super) fn local_slope(curve: &DeviationCurve, index: usize) -> f64 {
    let tau_s = curve.points[index].tau_s;
    let near = curve.points.iter().filter(|point| {
        let ratio = point.tau_s / tau_s;
        (0.49..=2.05).contains(&ratio) && point.deviation > 0.0
    });
    let is_time = curve.deviation == Deviation::Tdev;
    let logs: Vec<(f64, f64)> = near
        .map(|point| {
            let shift = if is_time { ln(point.tau_s) } else { 0.0 };
            (ln(point.tau_s), ln(point.deviation) - shift)
        })
        .collect();
    slope_of(&logs).unwrap_or(-0.5)
}

/// Least-squares slope; `None` for fewer than two places.
pub(super) fn slope_of(points: &[(f64, f64)]) -> Option<f64> {
    let count = points.len() as f64;
    let mean_x = points.iter().map(|p| p.0).sum::<f64>() / count;
    let mean_y = points.iter().map(|p| p.1).sum::<f64>() / count;
    let xx: f64 = points.iter().map(|p| (p.0 - mean_x) * (p.0 - mean_x)).sum();
    let xy: f64 = points.iter().map(|p| (p.0 - mean_x) * (p.1 - mean_y)).sum();
    (points.len() > 1 && xx > 0.0).then(|| xy / xx)
}

/// Equivalent degrees of freedom of a deviation at a factor, for a record of so many phases.
///
/// At least 1 where the record holds a term.
#[must_use]
pub fn degrees_of_freedom(
    deviation: Deviation,
    noise: NoiseKind,
    factor: usize,
    phase_count: usize,
) -> f64 {
    let (m, n) = (factor as f64, phase_count as f64);
    let (order, is_overlapping, is_averaged) = match deviation {
        Deviation::Adev => (2, false, false),
        Deviation::Oadev => (2, true, false),
        Deviation::Mdev | Deviation::Tdev => (2, true, true),
        Deviation::Hdev => (3, false, false),
        Deviation::Ohdev => (3, true, false),
        Deviation::Totdev => {
            let (b, c) = match noise {
                NoiseKind::White => (1.50, 0.0),
                NoiseKind::Flicker => (1.17, 0.22),
                NoiseKind::RandomWalk => (0.93, 0.36),
            }; // SP 1065, table 7
            return (b * n / m - c).max(1.0);
        }
    };
    let filter = if is_averaged { Filter::Averaging } else { Filter::finite_or_limit(factor) };
    let stride = if is_overlapping { m } else { 1.0 };
    let filtered = if is_averaged { m } else { 1.0 };
    let length = filtered + m * f64::from(order);
    let terms = 1.0 + (stride * (n - length) / m).floor();
    let spans = terms / stride;
    let sums = (f64::from(order + 1) * stride).min(terms);
    let (stride, terms, sums) = if sums <= SUMS_MAX {
        (stride, terms, sums)
    } else if spans > f64::from(order + 1) {
        // Fewer terms for each span: the limit of full overlap is smooth.
        let stride = SUMS_MAX / f64::from(order + 1);
        (stride, spans * stride, SUMS_MAX)
    } else {
        (SUMS_MAX / spans, SUMS_MAX, SUMS_MAX)
    };
    let spectrum = Spectrum { exponent: noise.exponent(), filter, order };
    let whole = spectrum.covariance(0.0);
    let mut sum = 1.0;
    let mut j = 1.0;
    while j < sums {
        let share = spectrum.covariance(j / stride) / whole;
        sum += 2.0 * (1.0 - j / terms) * share * share;
        j += 1.0;
    }
    let last = spectrum.covariance(sums / stride) / whole;
    sum += (1.0 - sums / terms) * last * last;
    (terms / sum).max(1.0)
}

/// Terms of a sum at most.
const SUMS_MAX: f64 = 1200.0;

/// The averaging of phases that a variance does, in the paper's words the factor `F`.
#[derive(Clone, Copy)]
enum Filter {
    /// Modified variances.
    Averaging,
    /// Unmodified at a factor.
    Finite(f64),
    /// Unmodified at a large factor.
    Limit,
}

impl Filter {
    fn finite_or_limit(factor: usize) -> Self {
        // Beyond, differences of nearly equal numbers cost more digits than the limit does.
        if factor <= 64 { Self::Finite(factor as f64) } else { Self::Limit }
    }
}

struct Spectrum {
    exponent: i32,
    filter: Filter,
    order: i32,
}

impl Spectrum {
    /// Generalised autocovariance of the `order`-th difference of filtered phase: `s_z`.
    fn covariance(&self, t: f64) -> f64 {
        let x = |shift: f64| self.filtered(t - shift) + self.filtered(t + shift);
        if self.order == 3 {
            return 10.0 * x(0.0) - 15.0 * x(1.0) + 6.0 * x(2.0) - x(3.0);
        }
        3.0 * x(0.0) - 4.0 * x(1.0) + x(2.0)
    }

    /// Of filtered phase: `s_x`.
    fn filtered(&self, t: f64) -> f64 {
        let factor = match self.filter {
            Filter::Limit => return power(t, self.exponent + 2),
            Filter::Finite(factor) => factor,
            Filter::Averaging => 1.0,
        };
        let w = |at: f64| power(at, self.exponent);
        let step = 1.0 / factor;
        factor * factor * (2.0 * w(t) - w(t - step) - w(t + step))
    }
}

/// Generalised autocovariance of power-law noise: `s_w`.
fn power(t: f64, exponent: i32) -> f64 {
    let t = t.abs();
    if t == 0.0 {
        return 0.0;
    }
    match exponent {
        2 => -t,
        1 => t * t * ln(t),
        0 => t * t * t,
        -1 => -t * t * t * t * ln(t),
        _ => -t * t * t * t * t,
    }
}
