//! The offset of two clocks, from the motion that two trajectories of one body share.
//!
//! Invariant: moving or turning either trajectory as a whole changes nothing, so that neither the
//! frames nor, for the angular speed, the mounting of the sensors need be known.
//! Nanoseconds; speeds in radians or metres per second.
//!
//! Not here: clocks that drift against each other. Estimate the offset of short stretches, and
//! compare.

mod cells;

use rayon::prelude::*;
use tiepoint_model::{Span, Timestamp};

use self::cells::{CELL_COUNT_MAX, Cells, in_common};
use super::TimedPoses;
use crate::{
    MeasureError, Metric,
    autocorrelation::{SERIES_LENGTH_MIN, Window, integrated_time},
    registry,
    statistics::{require_not_below_zero, require_positive},
};

/// A speed whose standard deviation is below this share of its mean is constant up to rounding.
const VARIATION_SHARE_MIN: f64 = 1e-6;

/// Half width of a 95 % interval in standard deviations of a normal law.
const NORMAL_95: f64 = 1.959_963_984_540_054;

/// Which speed is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MotionSignal {
    /// Of the orientation, radians per second: the same for every point of a rigid body.
    AngularSpeed,
    /// Of the position, metres per second: both trajectories must be of the same point of the
    /// body, and a scale between them does not matter.
    Speed,
}

/// How offsets are searched.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimeOffsetOptions {
    /// Which speed.
    pub signal: MotionSignal,
    /// Both speeds are averaged over cells of this duration, above zero.
    pub step: Span,
    /// The offset around which to search.
    pub guess: Span,
    /// How far from the guess to search, at least one step.
    pub search: Span,
    /// Offsets at which the trajectories have less than this in common are not considered.
    pub overlap_min: Span,
    /// The least correlation that counts as the same motion, in `(0, 1)`; slow motions reach 0.5
    /// at a wrong offset.
    pub correlation_min: f64,
    /// A second peak that is lower than the best by less than this, beyond a valley at least as
    /// deep, makes the answer ambiguous; in `(0, 1)`.
    pub margin: f64,
}

impl TimeOffsetOptions {
    /// The metric that these options measure.
    #[must_use]
    pub fn metric(&self) -> Metric {
        let signal = match self.signal {
            MotionSignal::AngularSpeed => "angular_speed",
            MotionSignal::Speed => "speed",
        };
        Metric::new(registry::TRAJ_TIME_OFFSET)
            .with("correlation_min", self.correlation_min)
            .with("guess_ns", self.guess.0)
            .with("margin", self.margin)
            .with("overlap_min_ns", self.overlap_min.0)
            .with("search_ns", self.search.0)
            .with("signal", signal)
            .with("step_ns", self.step.0)
    }

    fn check(&self) -> Result<(), MeasureError> {
        require_positive(self.step.as_seconds(), "step")?;
        require_not_below_zero(self.overlap_min.as_seconds(), "overlap_min")?;
        for (share, name) in [(self.correlation_min, "correlation_min"), (self.margin, "margin")] {
            if !(share > 0.0 && share < 1.0) {
                let requirement = "between 0 and 1";
                return Err(MeasureError::InvalidOption { name, value: share, requirement });
            }
        }
        let lag_max = self.search.0 / self.step.0;
        if lag_max < 1 || i128::from(lag_max) > CELL_COUNT_MAX {
            return Err(MeasureError::InvalidOption {
                name: "search",
                value: self.search.as_seconds(),
                requirement: "at least one step and at most 10 million",
            });
        }
        Ok(())
    }
}

/// An offset of two clocks, or why there is none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TimeOffset {
    /// Found.
    Found(FoundOffset),
    /// The motion does not say.
    NotIdentifiable(Obstacle),
}

/// An offset with its uncertainty.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FoundOffset {
    /// What is added to the estimate's stamps to have the reference's clock.
    pub offset: Span,
    /// Half width of the 95 % interval, seconds, to first order: from the curvature of the
    /// correlation and from what remains unexplained, which counts as often as it is independent.
    pub half_width_95_s: f64,
    /// Correlation of the two speeds at the peak.
    pub correlation: f64,
    /// Second derivative of the correlation at the peak, per square second, below zero.
    pub curvature_per_s2: f64,
    /// Cells in common at the peak.
    pub cell_count: usize,
    /// How many independent cells what remains unexplained is worth.
    pub effective_count: f64,
}

/// Why the motion does not fix the offset.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Obstacle {
    /// One speed does not change in any stretch in common.
    ConstantSpeed,
    /// The two speeds are not those of one motion, at any offset.
    WeakCorrelation {
        /// The largest.
        correlation: f64,
    },
    /// The best offset is at the end of the search, or of what the trajectories have in common.
    PeakAtLimit {
        /// Offset of the best.
        offset: Span,
    },
    /// Another offset is nearly as good, as for a periodic motion.
    Ambiguous {
        /// The best offset, to one step.
        best: Span,
        /// The other one, to one step.
        other: Span,
    },
}

/// The offset between the clocks of two trajectories of one motion.
///
/// Both speeds are averaged over cells of one step (the difference of what was travelled, by
/// linear interpolation); `ρ(L)` is their correlation over the cells in common when the estimate
/// is shifted by L steps. The offset is the vertex of the parabola through the peak of `ρ` and its
/// neighbours.
/// Half width `1.96 · sqrt(2 (1 − ρ) / (−ρ'' · n_eff))`.
///
/// # Inputs
/// - `reference`, `estimate`: poses sorted by time, each by its own clock; at least 3 each.
/// - `options`: take a step of about the longer of the two intervals between poses.
///
/// # Output
/// Nanoseconds to add to the estimate's stamps, with a half width in seconds; or what in the
/// motion prevents an answer. Filters that delay one of the two count as an offset.
///
/// # Errors
/// [`MeasureError::TooFew`] (poses, or cells in common), [`MeasureError::NotFinite`],
/// [`MeasureError::InvalidOption`], [`MeasureError::NotARotation`].
///
/// # Invariants
/// `a_shift_of_the_clock_is_found`, `time_offset_changes_sign_when_the_paths_are_exchanged`,
/// `time_offset_is_unchanged_by_moving_either_path`,
/// `motion_that_does_not_allow_an_offset_is_named`.
///
/// # Source
/// Cross correlation with parabolic interpolation; the half width is that of a least-squares delay.
///
/// Cost: O(cells · search / step).
///
/// # Example
/// ```
/// use tiepoint_measure::trajectory::{
///     MotionSignal, TimeOffset, TimeOffsetOptions, TimedPoses, time_offset,
/// };
/// use tiepoint_model::{Pose2, Span, Timestamp, math};
///
/// let yaw_rad = |i: i64| math::sin(0.03 * i as f64) + math::sin(0.071 * i as f64);
/// let poses: Vec<_> = (0..2000).map(|i| Pose2::new(0.0, 0.0, yaw_rad(i)).in_space()).collect();
/// let stamps: Vec<_> = (0..2000).map(|i| Timestamp(i * 10_000_000)).collect();
/// let late: Vec<_> = stamps.iter().map(|t| t.plus(Span(123_000_000))).collect();
/// let options = TimeOffsetOptions {
///     signal: MotionSignal::AngularSpeed,
///     step: Span(10_000_000),
///     guess: Span(0),
///     search: Span(1_000_000_000),
///     overlap_min: Span(10_000_000_000),
///     correlation_min: 0.8,
///     margin: 0.05,
/// };
/// let reference = TimedPoses::new(&stamps, &poses)?;
/// let estimate = TimedPoses::new(&late, &poses)?;
/// let TimeOffset::Found(found) = time_offset(reference, estimate, &options)? else { panic!() };
/// assert!((found.offset.0 + 123_000_000).abs() < 100_000); // a hundredth of a step
/// # Ok::<(), tiepoint_measure::MeasureError>(())
/// ```
pub fn time_offset(
    reference: TimedPoses<'_>,
    estimate: TimedPoses<'_>,
    options: &TimeOffsetOptions,
) -> Result<TimeOffset, MeasureError> {
    options.check()?;
    let origin = i128::from(first_stamp(estimate, "estimate")?.0);
    first_stamp(reference, "reference")?;
    let guess = i128::from(options.guess.0);
    // Both in nanoseconds after the first pose of the estimate, shifted by the guess.
    let reference = Cells::of(reference, "reference", -origin - guess, options)?;
    let estimate = Cells::of(estimate, "estimate", -origin, options)?;

    let lag_max = i128::from(options.search.0 / options.step.0);
    let overlap_min = (options.overlap_min.0 / options.step.0).unsigned_abs() as usize;
    let cell_count_min = overlap_min.max(SERIES_LENGTH_MIN);
    let lags: Vec<i128> = (-lag_max..=lag_max).collect();
    let comparisons: Vec<Option<Comparison>> = lags
        .into_par_iter()
        .map(|lag| Comparison::at(&reference, &estimate, lag, cell_count_min))
        .collect();
    if comparisons.iter().all(Option::is_none) {
        let count = reference.speeds.len().min(estimate.speeds.len());
        return Err(MeasureError::TooFew { what: "cells in common", count, min: cell_count_min });
    }
    Ok(peak(&comparisons, options).map_or_else(TimeOffset::NotIdentifiable, |peak| {
        let common = in_common(&reference, &estimate, peak as i128 - lag_max);
        TimeOffset::Found(refined(&comparisons, peak, options, common))
    }))
}

fn first_stamp(path: TimedPoses<'_>, what: &'static str) -> Result<Timestamp, MeasureError> {
    match path.stamps() {
        [first, _, _, ..] => Ok(*first),
        stamps => Err(MeasureError::TooFew { what, count: stamps.len(), min: 3 }),
    }
}

/// How well the two speeds agree at one lag.
#[derive(Clone, Copy)]
struct Comparison {
    /// `None` if one speed is constant over the cells in common.
    correlation: Option<f64>,
}

impl Comparison {
    fn at(reference: &Cells, estimate: &Cells, lag: i128, cell_count_min: usize) -> Option<Self> {
        let [p, q] = in_common(reference, estimate, lag);
        (p.len() >= cell_count_min).then(|| Self { correlation: correlation(p, q) })
    }
}

fn correlation(p: &[f64], q: &[f64]) -> Option<f64> {
    let count = p.len() as f64;
    let [p_mean, q_mean] = [p, q].map(|speeds| speeds.iter().sum::<f64>() / count);
    let (mut pp, mut qq, mut pq) = (0.0, 0.0, 0.0);
    for (p, q) in p.iter().zip(q) {
        let (p, q) = (p - p_mean, q - q_mean);
        pp += p * p;
        qq += q * q;
        pq += p * q;
    }
    let varies = |square_sum: f64, mean: f64| {
        (square_sum / count).sqrt() > VARIATION_SHARE_MIN * mean.abs() && square_sum > 0.0
    };
    let is_defined = varies(pp, p_mean) && varies(qq, q_mean);
    is_defined.then(|| pq / (pp.sqrt() * qq.sqrt())).filter(|value| value.is_finite())
}

/// Index of the peak, if there is one that stands out.
fn peak(
    comparisons: &[Option<Comparison>],
    options: &TimeOffsetOptions,
) -> Result<usize, Obstacle> {
    let correlations: Vec<Option<f64>> =
        comparisons.iter().map(|comparison| comparison.and_then(|c| c.correlation)).collect();
    let mut best: Option<(usize, f64)> = None;
    for (index, value) in correlations.iter().enumerate() {
        if let Some(value) = *value
            && best.is_none_or(|(_, highest)| value > highest)
        {
            best = Some((index, value));
        }
    }
    let Some((best, highest)) = best else { return Err(Obstacle::ConstantSpeed) };
    if highest < options.correlation_min {
        return Err(Obstacle::WeakCorrelation { correlation: highest });
    }
    let offset_of = |index: usize| options.offset_of(index, 0.0);
    let has_neighbours = best > 0
        && correlations[best - 1].is_some()
        && correlations.get(best + 1).copied().flatten().is_some();
    if !has_neighbours {
        return Err(Obstacle::PeakAtLimit { offset: offset_of(best) });
    }
    let before = correlations[..best].iter().enumerate().rev();
    let after = correlations[best + 1..].iter().enumerate();
    let other = rival(before, highest, options.margin)
        .or_else(|| rival(after, highest, options.margin).map(|index| best + 1 + index));
    match other {
        Some(other) => Err(Obstacle::Ambiguous { best: offset_of(best), other: offset_of(other) }),
        None => Ok(best),
    }
}

/// The first value, going away from the peak, that comes back up to near the peak after a valley.
fn rival<'a>(
    going_away: impl Iterator<Item = (usize, &'a Option<f64>)>,
    highest: f64,
    margin: f64,
) -> Option<usize> {
    let mut valley = highest;
    for (index, value) in going_away {
        let Some(value) = *value else { continue };
        valley = valley.min(value);
        if value >= highest - margin && valley <= value - margin {
            return Some(index);
        }
    }
    None
}

/// The vertex of the parabola through the peak and its neighbours, with its half width.
fn refined(
    comparisons: &[Option<Comparison>],
    peak: usize,
    options: &TimeOffsetOptions,
    [reference, estimate]: [&[f64]; 2],
) -> FoundOffset {
    let value = |index: usize| {
        comparisons[index].and_then(|comparison| comparison.correlation).unwrap_or_default()
    };
    let (before, highest, after) = (value(peak - 1), value(peak), value(peak + 1));
    // Below zero: the peak is the first of the highest, so that it is above its left neighbour.
    let bend = before - 2.0 * highest + after;
    let share = 0.5 * (before - after) / bend;
    let correlation = (highest - 0.25 * (before - after) * share).min(1.0);
    let step_s = options.step.as_seconds();
    let curvature_per_s2 = bend / (step_s * step_s);
    let cell_count = reference.len();
    let memory = integrated_time(&unexplained(reference, estimate), Window::GeyerInitialPositive);
    // What is constant up to rounding remembers nothing.
    let effective_count = memory.map_or(cell_count as f64, |memory| memory.effective_count);
    let variance_s2 = 2.0 * (1.0 - highest).max(0.0) / (-curvature_per_s2 * effective_count);
    FoundOffset {
        offset: options.offset_of(peak, share),
        half_width_95_s: NORMAL_95 * variance_s2.sqrt(),
        correlation,
        curvature_per_s2,
        cell_count,
        effective_count,
    }
}

impl TimeOffsetOptions {
    /// The offset of a position in the list of lags, and a share of a step.
    fn offset_of(&self, index: usize, share: f64) -> Span {
        let lag = index as i64 - self.search.0 / self.step.0;
        let beyond = Span::from_seconds(share * self.step.as_seconds()).0;
        let from_guess = lag.saturating_mul(self.step.0).saturating_add(beyond);
        Span(self.guess.0.saturating_add(from_guess))
    }
}

/// What of the reference's speed a line in the estimate's does not explain.
fn unexplained(reference: &[f64], estimate: &[f64]) -> Vec<f64> {
    let count = reference.len() as f64;
    let [p_mean, q_mean] = [reference, estimate].map(|s| s.iter().sum::<f64>() / count);
    let (mut qq, mut pq) = (0.0, 0.0);
    for (p, q) in reference.iter().zip(estimate) {
        qq += (q - q_mean) * (q - q_mean);
        pq += (p - p_mean) * (q - q_mean);
    }
    let slope = pq / qq;
    reference.iter().zip(estimate).map(|(p, q)| (p - p_mean) - slope * (q - q_mean)).collect()
}
