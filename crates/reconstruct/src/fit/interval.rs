//! Likelihood of differences of readings that lie on a grid, with the true range unknown.
//!
//! Invariant: the probabilities of all differences sum to one for every noise level.
//! Unit: the cell. A cell is the step of the grid, or any scale where the readings are continuous.
//!
//! With the sub-cell place of the true range uniform, the error of a rounded reading has the
//! density `box * N(0, s^2)`. A difference of two readings then has probability `(box * box *
//! N(0, 2 s^2))(k)` and a second difference `(box * box * box2 * N(0, 6 s^2))(k - m)`, with
//! `box2` of width two and `m` the curvature of the wall. Both are finite differences of
//! antiderivatives of the normal density.
//!
//! Not here: which readings to compare (see [`super::range_noise`]).

use std::collections::BTreeMap;

use nalgebra::{Matrix2, Vector2};
use tiepoint_model::math;

use super::numeric::{maximise, normal_cdf, normal_pdf};

/// Finest resolution of a deviation, parts of a cell; the variance this adds is 1/786432 of a
/// cell's.
const BINS_PER_CELL: f64 = 256.0;

/// Above this noise, in cells, rounding is a small variance (Sheppard's correction).
const COARSE_NOISE: f64 = 300.0;

/// How the deviations were made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Stencil {
    /// `r2 - r1`.
    Pair,
    /// `r1 - 2 r2 + r3`.
    Triple,
}

impl Stencil {
    /// Variance of the deviation over the variance of one reading.
    fn gain(self) -> f64 {
        match self {
            Self::Pair => 2.0,
            Self::Triple => 6.0,
        }
    }

    /// Variance that rounding adds, cells squared.
    fn rounding_variance(self) -> f64 {
        self.gain() / 12.0
    }
}

/// One deviation, in cells, and the group of deviations that may depend on one another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deviation {
    pub(crate) cells: f64,
    pub(crate) cluster: usize,
}

/// What to fit.
pub(crate) struct IntervalProblem<'a> {
    pub(crate) stencil: Stencil,
    /// False: the cell is only a scale.
    pub(crate) is_quantised: bool,
    pub(crate) deviations: &'a [Deviation],
    /// Deviations that are not noise are uniform within plus or minus this, cells.
    pub(crate) outlier_span: f64,
    /// Least noise, cells.
    pub(crate) noise_floor: f64,
}

/// The maximum of the likelihood.
pub(crate) struct IntervalFit {
    /// Standard deviation of one reading, cells.
    pub(crate) noise: f64,
    /// Same unit.
    pub(crate) standard_error: Option<f64>,
    pub(crate) outlier_share: f64,
    pub(crate) is_at_floor: bool,
}

/// Probability (quantised) or density (continuous) of a deviation, per cell.
pub(crate) fn deviation_density(
    stencil: Stencil,
    is_quantised: bool,
    noise: f64,
    deviation: f64,
) -> f64 {
    let x = -deviation.abs();
    let spread = noise * stencil.gain().sqrt();
    if !is_quantised || noise > COARSE_NOISE {
        let rounding = if is_quantised { stencil.rounding_variance() } else { 0.0 };
        let sigma = (spread * spread + rounding).sqrt();
        return normal_pdf(x / sigma) / sigma;
    }
    let density = match stencil {
        Stencil::Pair => {
            let ramp = |at: f64| at * normal_cdf(at / spread) + spread * normal_pdf(at / spread);
            ramp(x + 1.0) - 2.0 * ramp(x) + ramp(x - 1.0)
        }
        Stencil::Triple => {
            let bowl = |at: f64| {
                let z = at / spread;
                0.5 * ((at * at + spread * spread) * normal_cdf(z) + at * spread * normal_pdf(z))
            };
            0.5 * (bowl(x + 2.0) - 2.0 * bowl(x + 1.0) + 2.0 * bowl(x - 1.0) - bowl(x - 2.0))
        }
    };
    density.max(0.0)
}

/// Maximum likelihood of the noise and of the share of deviations that are something else.
///
/// Coordinate ascent, so that the likelihood never falls. The standard error is the sandwich over
/// clusters: right also where the deviations of one cluster share readings.
pub(crate) fn fit_interval(problem: &IntervalProblem) -> IntervalFit {
    let mut bins: BTreeMap<i64, f64> = BTreeMap::new();
    for deviation in problem.deviations {
        *bins.entry(bin_of(deviation.cells)).or_insert(0.0) += 1.0;
    }
    let count = problem.deviations.len() as f64;
    let stray = 0.5 / problem.outlier_span;
    let density = |noise: f64, bin: i64| {
        let cells = bin as f64 / BINS_PER_CELL;
        deviation_density(problem.stencil, problem.is_quantised, noise, cells)
    };
    let (lower, upper) = (math::ln(problem.noise_floor), math::ln(problem.outlier_span));
    let (mut log_noise, mut outlier_share) = (f64::NAN, 0.02);
    for _ in 0..60 {
        let score = |log_noise: f64| {
            let noise = math::exp(log_noise);
            let one = |(bin, weight): (&i64, &f64)| {
                let mixed = (1.0 - outlier_share) * density(noise, *bin) + outlier_share * stray;
                weight * math::ln(mixed.max(f64::MIN_POSITIVE))
            };
            bins.iter().map(one).sum()
        };
        let (better, _) = maximise(lower, upper, score);
        let before = (log_noise, outlier_share);
        log_noise = better;
        let noise = math::exp(log_noise);
        for _ in 0..20 {
            let stray_weight = |(bin, weight): (&i64, &f64)| {
                let stray_part = outlier_share * stray;
                weight * stray_part / (stray_part + (1.0 - outlier_share) * density(noise, *bin))
            };
            outlier_share = bins.iter().map(stray_weight).sum::<f64>() / count;
        }
        if (log_noise - before.0).abs() < 1e-7 && (outlier_share - before.1).abs() < 1e-9 {
            break;
        }
    }
    let noise = math::exp(log_noise);
    let is_at_floor = noise <= problem.noise_floor * 1.001;
    let standard_error = if is_at_floor {
        None
    } else {
        sandwich(problem, noise, outlier_share).map(|relative| relative * noise)
    };
    IntervalFit { noise, standard_error, outlier_share, is_at_floor }
}

fn bin_of(cells: f64) -> i64 {
    (cells.abs() * BINS_PER_CELL).round() as i64
}

/// Standard error of the logarithm of the noise; `None` where the information is singular or
/// there is one cluster only.
fn sandwich(problem: &IntervalProblem, noise: f64, outlier_share: f64) -> Option<f64> {
    const STEP: f64 = 1e-4;
    let stray = 0.5 / problem.outlier_span;
    let count = problem.deviations.len() as f64;
    let is_share_free = outlier_share > 0.1 / count;
    let score = |cells: f64| {
        let at = |factor: f64| {
            deviation_density(problem.stencil, problem.is_quantised, noise * factor, cells)
        };
        let slope = (at(math::exp(STEP)) - at(math::exp(-STEP))) / (2.0 * STEP);
        let mixed = (1.0 - outlier_share) * at(1.0) + outlier_share * stray;
        let mixed = mixed.max(f64::MIN_POSITIVE);
        let by_share = if is_share_free { (stray - at(1.0)) / mixed } else { 0.0 };
        Vector2::new((1.0 - outlier_share) * slope / mixed, by_share)
    };
    let mut known: BTreeMap<i64, Vector2<f64>> = BTreeMap::new();
    let mut clusters: BTreeMap<usize, Vector2<f64>> = BTreeMap::new();
    let mut information = Matrix2::zeros();
    for deviation in problem.deviations {
        let bin = bin_of(deviation.cells);
        let s = *known.entry(bin).or_insert_with(|| score(bin as f64 / BINS_PER_CELL));
        information += s * s.transpose();
        *clusters.entry(deviation.cluster).or_insert_with(Vector2::zeros) += s;
    }
    let cluster_count = clusters.len() as f64;
    if clusters.len() < 2 {
        return None;
    }
    if !is_share_free {
        information[(1, 1)] = 1.0;
    }
    let scatter: Matrix2<f64> =
        clusters.values().fold(Matrix2::zeros(), |sum, s| sum + s * s.transpose());
    let inverse = information.try_inverse()?;
    let covariance = inverse * scatter * inverse * (cluster_count / (cluster_count - 1.0));
    let variance = covariance[(0, 0)];
    (variance.is_finite() && variance > 0.0).then(|| variance.sqrt())
}
