//! The Allan family: how much the mean of a signal over a time changes from one such time to the
//! next.
//!
//! Invariant: values are those of allantools 2024.6 to rounding; sums run in eight fixed lanes, so
//! the same input gives the same bits on any number of threads.
//! A rate in any unit `u` gives deviations in `u`, the time deviation in `u s`.
//!
//! Cost: `O(n)` for each averaging time, threads share averaging times; memory `O(n)`.
//!
//! Not here: irregular stamps (see [`super::sampling`]), intervals (see [`freedom`]) and the
//! parameters of the noise (see [`noise`]).

pub mod freedom;
mod kernels;
pub mod noise;
mod total;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    MeasureError, Metric, registry,
    statistics::{require_finite, require_positive},
};

pub use freedom::{CurveNoise, DeviationInterval, NoiseKind, deviation_intervals};
pub use noise::{NoiseFit, NoiseLine, NoiseParameter, TauRange, fit_noise, noise_line};
pub use total::{TimeIntervalError, TotalDeviation, time_interval_error, total_deviation};

/// Which deviation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deviation {
    /// Allan, without overlap.
    Adev,
    /// Allan, overlapping: the usual one.
    Oadev,
    /// Modified Allan.
    Mdev,
    /// Time: modified Allan times `tau / sqrt(3)`.
    Tdev,
    /// Hadamard, without overlap: blind to a constant drift of the rate.
    Hdev,
    /// Hadamard, overlapping.
    Ohdev,
    /// Total: the record extended by its mirror image; narrower at long times.
    Totdev,
}

impl Deviation {
    /// The name in allantools, which conventions use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Adev => "adev",
            Self::Oadev => "oadev",
            Self::Mdev => "mdev",
            Self::Tdev => "tdev",
            Self::Hdev => "hdev",
            Self::Ohdev => "ohdev",
            Self::Totdev => "totdev",
        }
    }

    /// The metric of a deviation at an averaging time.
    #[must_use]
    pub fn metric(self, tau_s: f64) -> Metric {
        let id = match self {
            Self::Adev => registry::SENSOR_ALLAN_ADEV,
            Self::Oadev => registry::SENSOR_ALLAN_OADEV,
            Self::Mdev => registry::SENSOR_ALLAN_MDEV,
            Self::Tdev => registry::SENSOR_ALLAN_TDEV,
            Self::Hdev => registry::SENSOR_ALLAN_HDEV,
            Self::Ohdev => registry::SENSOR_ALLAN_OHDEV,
            Self::Totdev => registry::SENSOR_ALLAN_TOTDEV,
        };
        Metric::new(id).with("compat", "allantools==2024.6").with("tau_s", tau_s)
    }
}

/// A record of equal steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Record<'a> {
    /// Mean rate over each step, such as a gyroscope's readings.
    Rate(&'a [f64]),
    /// The integral of the rate at each step, such as an angle; one more than there are rates.
    Phase(&'a [f64]),
}

/// Over how many steps to average.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AveragingFactors<'a> {
    /// 1, 2, 4, 8, ...
    Octave,
    /// 1, 2, 4, 10, 20, 40, 100, ...
    Decade,
    /// So many in each factor of ten, rounded to whole steps, each once.
    PerDecade(u32),
    /// Every factor: `O(n^2)` in all.
    All,
    /// These; order and repetition do not matter.
    Given(&'a [usize]),
}

/// One averaging time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeviationPoint {
    /// Steps averaged.
    pub factor: usize,
    /// Averaging time, seconds.
    pub tau_s: f64,
    /// The deviation, unit of the rate.
    pub deviation: f64,
    /// Terms of the sum; they are not independent.
    pub term_count: usize,
}

/// A deviation over averaging times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeviationCurve {
    /// Which.
    pub deviation: Deviation,
    /// Steps per second.
    pub rate_hz: f64,
    /// Phases of the record: rates plus one.
    pub phase_count: usize,
    /// Ascending by averaging time; those with at least two terms.
    pub points: Vec<DeviationPoint>,
}

/// Largest absolute value of a record: sums of squares of its integral are finite.
const VALUE_MAX: f64 = 1e100;

/// The deviation of a record at averaging times.
///
/// # Inputs
/// - `record`: steps without gaps (see [`super::regular_sampling`]).
/// - `rate_hz`: steps per second.
///
/// # Output
/// A point for each factor that leaves at least two terms.
///
/// # Errors
/// [`MeasureError::TooFew`] if no factor leaves two terms, [`MeasureError::NotFinite`],
/// [`MeasureError::TooLarge`] (above 1e100), [`MeasureError::Constant`], [`MeasureError::InvalidOption`].
///
/// # Invariants
/// `deviations_ignore_the_mean_and_scale_with_the_rate`, `hadamard_ignores_a_constant_drift`,
/// `rate_and_phase_give_the_same_deviations`, `deviations_are_the_same_on_any_number_of_threads`.
///
/// # Source
/// Riley, *Handbook of frequency stability analysis*, NIST SP 1065, 2008, equations 7 to 25.
///
/// # Example
/// ```
/// use tiepoint_measure::sensor::{AveragingFactors, Deviation, Record, allan_deviation};
/// let rates = [0.0, 1.0, 0.0, 1.0, 0.0];
/// let factors = AveragingFactors::Octave;
/// let curve = allan_deviation(Deviation::Oadev, Record::Rate(&rates), 1.0, factors)?;
/// assert!((curve.points[0].deviation - 0.5_f64.sqrt()).abs() < 1e-15);
/// assert!(curve.points[1].deviation < 1e-15);
/// # Ok::<(), tiepoint_measure::MeasureError>(())
/// ```
pub fn allan_deviation(
    deviation: Deviation,
    record: Record,
    rate_hz: f64,
    factors: AveragingFactors,
) -> Result<DeviationCurve, MeasureError> {
    require_positive(rate_hz, "rate_hz")?;
    let phase = phase_steps(record, rate_hz)?;
    let factors = averaging_factors(factors, phase.len());
    let extended = if deviation == Deviation::Totdev { mirrored(&phase) } else { Vec::new() };
    let points: Vec<DeviationPoint> = factors
        .par_iter()
        .filter_map(|&factor| {
            let (mean_square, term_count) = match deviation {
                Deviation::Adev => kernels::second_differences(&phase, factor, factor),
                Deviation::Oadev => kernels::second_differences(&phase, factor, 1),
                Deviation::Mdev | Deviation::Tdev => kernels::averaged(&phase, factor),
                Deviation::Hdev => kernels::third_differences(&phase, factor, factor),
                Deviation::Ohdev => kernels::third_differences(&phase, factor, 1),
                Deviation::Totdev => kernels::total(&extended, phase.len(), factor),
            };
            let tau_s = factor as f64 / rate_hz;
            let value = mean_square.sqrt() / factor as f64;
            let is_time = deviation == Deviation::Tdev;
            let value = if is_time { value * tau_s / 3.0_f64.sqrt() } else { value };
            let point = DeviationPoint { factor, tau_s, deviation: value, term_count };
            (term_count > 1).then_some(point)
        })
        .collect();
    if points.is_empty() {
        return Err(MeasureError::TooFew { what: "record", count: phase.len(), min: 4 });
    }
    Ok(DeviationCurve { deviation, rate_hz, phase_count: phase.len(), points })
}

/// The integral of the rate in steps, so that deviations come out in its unit.
fn phase_steps(record: Record, rate_hz: f64) -> Result<Vec<f64>, MeasureError> {
    let (values, what) = match record {
        Record::Rate(values) => (values, "rates"),
        Record::Phase(values) => (values, "phases"),
    };
    require_finite(values, what)?;
    if let Some(index) = values.iter().position(|value| value.abs() > VALUE_MAX) {
        let value = values[index];
        return Err(MeasureError::TooLarge { what, index, value, limit: VALUE_MAX });
    }
    if values.len() > 1 && values.iter().all(|value| *value == values[0]) {
        return Err(MeasureError::Constant { what });
    }
    match record {
        Record::Phase(phase) => {
            // A straight line through the ends takes no part, and leaves small numbers.
            let slope = (phase[phase.len() - 1] - phase[0]) / (phase.len() - 1).max(1) as f64;
            let level = |(index, value): (usize, &f64)| {
                let value = (value - phase[0] - slope * index as f64) * rate_hz;
                let too_large = MeasureError::TooLarge { what, index, value, limit: VALUE_MAX };
                if value.abs() <= VALUE_MAX { Ok(value) } else { Err(too_large) }
            };
            phase.iter().enumerate().map(level).collect()
        }
        Record::Rate(rates) => {
            let mean = rates.iter().sum::<f64>() / rates.len() as f64;
            let mut sum = 0.0;
            let mut phase = Vec::with_capacity(rates.len() + 1);
            phase.push(0.0);
            for rate in rates {
                sum += rate - mean;
                phase.push(sum);
            }
            Ok(phase)
        }
    }
}

/// Ascending, each once, each below the number of phases.
fn averaging_factors(factors: AveragingFactors, phase_count: usize) -> Vec<usize> {
    let mut list: Vec<usize> = match factors {
        AveragingFactors::Octave => std::iter::successors(Some(1_usize), |f| f.checked_mul(2))
            .take_while(|f| *f < phase_count)
            .collect(),
        AveragingFactors::Decade => std::iter::successors(Some(1_usize), |f| f.checked_mul(10))
            .take_while(|f| *f < phase_count)
            .flat_map(|f| [f, f.saturating_mul(2), f.saturating_mul(4)])
            .collect(),
        AveragingFactors::PerDecade(count) => per_decade(count.max(1), phase_count),
        AveragingFactors::All => (1..phase_count).collect(),
        AveragingFactors::Given(given) => given.to_vec(),
    };
    list.retain(|factor| *factor > 0 && *factor < phase_count);
    list.sort_unstable();
    list.dedup();
    list
}

fn per_decade(count: u32, phase_count: usize) -> Vec<usize> {
    let ratio = tiepoint_model::math::pow(10.0, 1.0 / f64::from(count));
    let mut list = Vec::new();
    let mut factor = 1.0_f64;
    while factor < phase_count as f64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 1 and the number of phases"
        )]
        list.push(factor.round() as usize);
        factor *= ratio;
    }
    list
}

/// The record with its point reflections at both ends.
fn mirrored(phase: &[f64]) -> Vec<f64> {
    let (Some(first), Some(last)) = (phase.first(), phase.last()) else { return Vec::new() };
    let inner = &phase[1..phase.len().saturating_sub(1).max(1)];
    let before = inner.iter().rev().map(|value| 2.0 * first - value);
    let after = inner.iter().rev().map(|value| 2.0 * last - value);
    before.chain(phase.iter().copied()).chain(after).collect()
}
