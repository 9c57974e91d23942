//! Error variance of three sources of the same motion, none of which is the truth: the
//! three-cornered hat.
//!
//! Invariant: a variance is reported as computed, with its sign; a negative one says that errors
//! are correlated (or that the sample is small) and is never clipped.
//! Increments `before_from_after` over the same steps, metres and radians, per axis x, y, yaw.
//!
//! Source: Gray and Allan, *A method for estimating the frequency stability of an individual
//! oscillator*, Frequency Control Symposium 1974. Var(a) = (Var(a-b) + Var(a-c) - Var(b-c)) / 2
//! if the errors are uncorrelated. Constant differences (bias) are removed first.
//!
//! Not here: the increments themselves, and what to do with a source that is too noisy.

use serde::{Deserialize, Serialize};
use tiepoint_model::math::wrap_angle;
use tiepoint_model::{Pose2, Seed};

use super::error::{FitError, at_least, finite};
use super::numeric::{mean_and_sigma, quantile, sorted};

/// Resamples of the block bootstrap: the 2.5 % quantile then rests on 25 of them.
const RESAMPLES: u64 = 1000;

/// Fewer steps give no interval worth the name.
const STEPS_MIN: usize = 20;

/// What the sign of a variance says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VarianceStatus {
    /// The interval lies above zero.
    Resolved,
    /// The interval holds zero: the source is too good, or the sample too small, to tell.
    NotResolved,
    /// The interval lies below zero: the errors are correlated, and none of the three holds.
    CorrelatedErrors,
}

/// The error of one source on one axis.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CornerAxis {
    /// Variance of the error of one increment, m^2 or rad^2; negative if so computed.
    pub variance: f64,
    /// 95 % interval by block bootstrap, same unit.
    pub interval: [f64; 2],
    /// What it says.
    pub status: VarianceStatus,
}

impl CornerAxis {
    /// Standard deviation, metres or radians; `None` for a variance that is not positive.
    #[must_use]
    pub fn sigma(&self) -> Option<f64> {
        (self.variance > 0.0).then(|| self.variance.sqrt())
    }
}

/// The three sources' errors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CornersReport {
    /// Per source, in the order of the input, and per axis: x (m^2), y (m^2), yaw (rad^2).
    pub sources: [[CornerAxis; 3]; 3],
    /// Steps used.
    pub count: usize,
    /// Steps per block of the bootstrap.
    pub block_steps: usize,
}

/// Error variance of each of three sources of the same increments.
///
/// # Inputs
/// Three lists of increments over the same steps; `block_steps` at least the number of steps over
/// which errors are correlated.
///
/// # Errors
/// [`FitError::LengthMismatch`], [`FitError::TooFew`] (20 steps), [`FitError::NotFinite`],
/// [`FitError::Parameter`] for blocks of no steps.
pub fn three_cornered_hat(
    sources: [&[Pose2]; 3],
    block_steps: usize,
    seed: Seed,
) -> Result<CornersReport, FitError> {
    let count = sources[0].len();
    if block_steps == 0 || block_steps > count.max(1) {
        return Err(FitError::Parameter {
            parameter: "block_steps",
            value: block_steps as f64,
            must: "at least 1 and at most the number of steps",
        });
    }
    for source in sources {
        if source.len() != count {
            return Err(FitError::LengthMismatch {
                what: "increments of a source",
                count: source.len(),
                expected_count: count,
            });
        }
        for (index, pose) in source.iter().enumerate() {
            finite("increment", index, pose.x_m + pose.y_m + pose.yaw_rad)?;
        }
    }
    at_least("steps", count, STEPS_MIN)?;
    let differences = [(0, 1), (0, 2), (1, 2)].map(|(a, b)| axes(sources[a], sources[b]));
    let everything: Vec<usize> = (0..count).collect();
    let value = hat(&differences, &everything);
    let seed = seed.for_purpose("three_cornered_hat");
    let resampled: Vec<[[f64; 3]; 3]> = (0..RESAMPLES)
        .map(|resample| hat(&differences, &blocks(count, block_steps, seed, resample)))
        .collect();
    let corner = |source: usize, axis: usize| {
        let spread = sorted(resampled.iter().map(|variances| variances[source][axis]));
        let interval = [quantile(&spread, 0.025), quantile(&spread, 0.975)];
        let status = if interval[0] > 0.0 {
            VarianceStatus::Resolved
        } else if interval[1] < 0.0 {
            VarianceStatus::CorrelatedErrors
        } else {
            VarianceStatus::NotResolved
        };
        CornerAxis { variance: value[source][axis], interval, status }
    };
    let sources = [0, 1, 2].map(|source| [0, 1, 2].map(|axis| corner(source, axis)));
    Ok(CornersReport { sources, count, block_steps })
}

/// Differences of two sources per axis.
fn axes(first: &[Pose2], second: &[Pose2]) -> [Vec<f64>; 3] {
    let pairs = || first.iter().zip(second);
    [
        pairs().map(|(a, b)| a.x_m - b.x_m).collect(),
        pairs().map(|(a, b)| a.y_m - b.y_m).collect(),
        pairs().map(|(a, b)| wrap_angle(a.yaw_rad - b.yaw_rad)).collect(),
    ]
}

/// Variance per source and axis over the chosen steps.
fn hat(differences: &[[Vec<f64>; 3]; 3], chosen: &[usize]) -> [[f64; 3]; 3] {
    let variance = |pair: usize, axis: usize| {
        let values: Vec<f64> = chosen.iter().map(|index| differences[pair][axis][*index]).collect();
        let sigma = mean_and_sigma(&values).1;
        sigma * sigma * values.len() as f64 / (values.len() - 1) as f64
    };
    let pairs = [0, 1, 2].map(|pair| [0, 1, 2].map(|axis| variance(pair, axis)));
    let [ab, ac, bc] = pairs;
    [0, 1, 2].map(|source| {
        [0, 1, 2].map(|axis| match source {
            0 => 0.5 * (ab[axis] + ac[axis] - bc[axis]),
            1 => 0.5 * (ab[axis] + bc[axis] - ac[axis]),
            _ => 0.5 * (ac[axis] + bc[axis] - ab[axis]),
        })
    })
}

/// Steps of one resample: circular blocks until there are as many steps as before.
fn blocks(count: usize, block_steps: usize, seed: Seed, resample: u64) -> Vec<usize> {
    let mut draws = seed.draws(resample, 0);
    let mut chosen = Vec::with_capacity(count + block_steps);
    while chosen.len() < count {
        let start = draws.below(count);
        chosen.extend((0..block_steps).map(|offset| (start + offset) % count));
    }
    chosen.truncate(count);
    chosen
}
