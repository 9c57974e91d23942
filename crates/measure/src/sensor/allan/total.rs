//! Kin of the Allan family for long times: modified, Hadamard and time total deviation, Theo1; and
//! the time interval error.
//!
//! Invariant: values are those of allantools 2024.6 to rounding, which takes off no bias: see each
//! kind. Sums run in one fixed order, so the same input gives the same bits on any number of threads.
//! A rate in any unit `u` gives deviations in `u`, times in `u s`.
//! Cost: `O(n m)` for each averaging factor m of the total deviations and Theo1, `O(n)` for the time
//! interval error; threads share averaging factors; memory `O(n)`.
//!
//! Not here: intervals, since the degrees of freedom that are published are fits.

use std::collections::VecDeque;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{AveragingFactors, DeviationPoint, Record, averaging_factors, kernels, phase_steps};
use crate::{MeasureError, Metric, MetricId, registry, statistics::require_positive};

/// Which deviation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TotalDeviation {
    /// Modified total: modified Allan over stretches of three averaging times, each freed of its
    /// slope and mirrored at both ends. Too low by 3 to 17 percent, as the noise has it.
    Mtotdev,
    /// Time total: modified total times `tau / sqrt(3)`.
    Ttotdev,
    /// Hadamard total: as modified total, of the rate; at one step the overlapping Hadamard.
    Htotdev,
    /// Theo1: mean over all splits of a stretch; even factors only, and the factor 3/4 inside, so
    /// that white noise of the rate gives the Allan deviation.
    Theo1,
}

impl TotalDeviation {
    /// The name in allantools, which conventions use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Mtotdev => "mtotdev",
            Self::Ttotdev => "ttotdev",
            Self::Htotdev => "htotdev",
            Self::Theo1 => "theo1",
        }
    }

    /// The metric of a deviation at an averaging time.
    #[must_use]
    pub fn metric(self, tau_s: f64) -> Metric {
        let id = match self {
            Self::Mtotdev => registry::SENSOR_ALLAN_MTOTDEV,
            Self::Ttotdev => registry::SENSOR_ALLAN_TTOTDEV,
            Self::Htotdev => registry::SENSOR_ALLAN_HTOTDEV,
            Self::Theo1 => registry::SENSOR_ALLAN_THEO1,
        };
        Metric::new(id).with("compat", "allantools==2024.6").with("tau_s", tau_s)
    }
}

/// A total deviation of a record at averaging times.
///
/// # Inputs
/// - `record`: steps without gaps (see [`crate::sensor::regular_sampling`]).
/// - `rate_hz`: steps per second.
///
/// # Output
/// A point for each factor that leaves at least two terms, ascending.
///
/// # Errors
/// Those of [`super::allan_deviation`].
///
/// # Invariants
/// `total_deviations_ignore_the_mean_and_scale_with_the_rate`,
/// `total_deviations_of_white_noise_are_near_the_plain_ones`.
///
/// # Source
/// Howe and Vernotte 1999; Howe and Peppler, *Very long-term frequency stability*, 2003; Riley, NIST
/// SP 1065, 2008, equations 27 to 30; allantools 2024.6.
pub fn total_deviation(
    deviation: TotalDeviation,
    record: Record,
    rate_hz: f64,
    factors: AveragingFactors,
) -> Result<Vec<DeviationPoint>, MeasureError> {
    require_positive(rate_hz, "rate_hz")?;
    let phase = phase_steps(record, rate_hz)?;
    let rates: Vec<f64> = phase.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let factors = averaging_factors(factors, phase.len());
    let point = |&factor: &usize| {
        let m = factor as f64;
        let (mean_square, term_count) = match deviation {
            TotalDeviation::Mtotdev | TotalDeviation::Ttotdev => {
                let (square, count) = mirrored_stretches(&phase, factor);
                (square / (2.0 * m * m), count)
            }
            TotalDeviation::Htotdev if factor == 1 => {
                kernels::third_differences(&phase, factor, factor)
            }
            TotalDeviation::Htotdev => {
                let (square, count) = mirrored_stretches(&rates, factor);
                (square / 6.0, count)
            }
            TotalDeviation::Theo1 => {
                let (square, count) = all_splits(&phase, factor);
                (square / (0.75 * m * m), count)
            }
        };
        let tau_s = m / rate_hz;
        let is_time = deviation == TotalDeviation::Ttotdev;
        let scale = if is_time { tau_s / 3.0_f64.sqrt() } else { 1.0 };
        let value = mean_square.sqrt() * scale;
        let point = DeviationPoint { factor, tau_s, deviation: value, term_count };
        (term_count > 1).then_some(point)
    };
    let points: Vec<DeviationPoint> = factors.par_iter().filter_map(point).collect();
    if points.is_empty() {
        return Err(MeasureError::TooFew { what: "record", count: phase.len(), min: 5 });
    }
    Ok(points)
}

/// Mean square of the second differences of means of m, over all stretches of `3 m` values, each
/// freed of its slope and mirrored at both ends; and how many stretches.
fn mirrored_stretches(values: &[f64], m: usize) -> (f64, usize) {
    let Some(length) = m.checked_mul(3).filter(|length| *length <= values.len()) else {
        return (0.0, 0);
    };
    let (below, above) = (length / 2, length.div_ceil(2));
    // From the middle of one half to that of the other.
    let distance = if length % 2 == 1 { above as f64 } else { below as f64 };
    let mut extended = vec![0.0; 3 * length];
    let (mut total, mut count) = (0.0, 0_usize);
    for stretch in values.windows(length) {
        let mean = |half: &[f64]| half.iter().sum::<f64>() / below as f64;
        let slope = (mean(&stretch[above..]) - mean(&stretch[..below])) / distance;
        for (index, value) in stretch.iter().enumerate() {
            let flat = value - slope * index as f64;
            extended[length - 1 - index] = flat;
            extended[length + index] = flat;
            extended[3 * length - 1 - index] = flat;
        }
        let mut difference = 0.0;
        for index in 0..m {
            difference += extended[index] - 2.0 * extended[index + m] + extended[index + 2 * m];
        }
        let mut squares = difference * difference;
        for index in 0..2 * length - 1 {
            let [a, b, c, d] = [0, 1, 2, 3].map(|step| extended[index + step * m]);
            difference += (d - 3.0 * c) + (3.0 * b - a);
            squares += difference * difference;
        }
        total += squares / (2 * length) as f64;
        count += 1;
    }
    (total / (count as f64 * (m * m) as f64), count)
}

/// Theo1: mean over the stretches of the weighted squares over all splits; and how many splits.
fn all_splits(x: &[f64], m: usize) -> (f64, usize) {
    if m % 2 == 1 || m >= x.len() {
        return (0.0, 0);
    }
    let (half, stretches) = (m / 2, x.len() - m);
    let mut total = 0.0;
    for i in 0..stretches {
        let ends = x[i] + x[i + m];
        for shift in 0..half {
            let value = ends - x[i + half - shift] - x[i + half + shift];
            total += value * value / (half - shift) as f64;
        }
    }
    (total / stretches as f64, stretches * half)
}

/// How far a clock may have gone astray within a time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimeIntervalError {
    /// Steps of the time.
    pub factor: usize,
    /// The time, seconds.
    pub tau_s: f64,
    /// Root mean square change of the phase over the time, unit of the phase.
    pub root_mean_square: f64,
    /// Largest less smallest phase within any such time (MTIE), unit of the phase.
    pub largest: f64,
    /// Stretches looked at.
    pub term_count: usize,
}

impl TimeIntervalError {
    /// The ids of root mean square and largest, in the order of the fields.
    pub const METRICS: [MetricId; 2] = [registry::SENSOR_ALLAN_TIERMS, registry::SENSOR_ALLAN_MTIE];

    /// One of the two at a time.
    #[must_use]
    pub fn metric(id: MetricId, tau_s: f64) -> Metric {
        Metric::new(id).with("compat", "allantools==2024.6").with("tau_s", tau_s)
    }
}

/// The time interval error of a record at times.
///
/// A phase is taken as it is, a constant offset of its rate included; of a rate its mean is taken
/// off first.
///
/// # Inputs and errors
/// As [`total_deviation`].
///
/// # Invariants
/// `the_largest_time_interval_error_never_falls`.
///
/// # Source
/// ITU-T G.810, 1996; allantools 2024.6.
pub fn time_interval_error(
    record: Record,
    rate_hz: f64,
    factors: AveragingFactors,
) -> Result<Vec<TimeIntervalError>, MeasureError> {
    require_positive(rate_hz, "rate_hz")?;
    // Levelled by this, which also checks the record.
    let levelled = phase_steps(record, rate_hz)?;
    let phase: Vec<f64> = match record {
        Record::Phase(phase) => phase.to_vec(),
        Record::Rate(_) => levelled.iter().map(|value| value / rate_hz).collect(),
    };
    let factors = averaging_factors(factors, phase.len());
    let point = |&factor: &usize| {
        let term_count = phase.len() - factor;
        let squares: f64 = phase.iter().zip(&phase[factor..]).map(|(a, b)| (b - a) * (b - a)).sum();
        (term_count > 1).then(|| TimeIntervalError {
            factor,
            tau_s: factor as f64 / rate_hz,
            root_mean_square: (squares / term_count as f64).sqrt(),
            largest: largest_range(&phase, factor + 1),
            term_count,
        })
    };
    let points: Vec<TimeIntervalError> = factors.par_iter().filter_map(point).collect();
    if points.is_empty() {
        return Err(MeasureError::TooFew { what: "record", count: phase.len(), min: 3 });
    }
    Ok(points)
}

/// Largest difference of two values within any window: two queues of values that may yet count.
fn largest_range(values: &[f64], window: usize) -> f64 {
    let (mut tops, mut bottoms) = (VecDeque::<usize>::new(), VecDeque::<usize>::new());
    let mut largest = 0.0_f64;
    for (index, value) in values.iter().enumerate() {
        let first = (index + 1).saturating_sub(window);
        for (queue, is_top) in [(&mut tops, true), (&mut bottoms, false)] {
            while let Some(&last) = queue.back() {
                let is_beaten =
                    if is_top { values[last] <= *value } else { values[last] >= *value };
                if !is_beaten {
                    break;
                }
                queue.pop_back();
            }
            queue.push_back(index);
            if queue.front().is_some_and(|&front| front < first) {
                queue.pop_front();
            }
        }
        if let (Some(&top), Some(&bottom)) = (tops.front(), bottoms.front()) {
            largest = largest.max(values[top] - values[bottom]);
        }
    }
    largest
}
