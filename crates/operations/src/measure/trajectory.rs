//! Trajectory metrics on files: absolute and relative errors here, drift and the rest below.
//!
//! Invariant: how poses were paired is in the identity, where pairing had a choice.

mod conditions;
mod drift;
mod motion;
mod pairing;
mod reference;

use tiepoint_measure::{
    MeasureError, Metric, Statistics, registry,
    trajectory::{
        AbsoluteOptions, Delta, Pairing, PairsFrom, RelativeOptions, absolute_pose_error,
        relative::DELTA_TOLERANCE_SHARE, relative_pose_error,
    },
};

use self::pairing::{Paired, parse_alignment, parse_relation};
pub use self::{
    drift::{
        DriftRequest, StepScaleRequest, SubTrajectoryRequest, measure_kitti_drift,
        measure_step_scale, measure_sub_trajectory,
    },
    motion::{LoopClosureRequest, TimeOffsetRequest, measure_loop_closure, measure_time_offset},
    pairing::{PairingWords, TrajectoryFiles},
    reference::{ReferenceErrorRequest, measure_reference_error},
};
use super::{InputFile, Measured, MeasuredTable, MeasuredValue, is_undefined, unknown};
use crate::Error;

/// Two trajectories and how to compare them, in the words of the command line.
#[derive(Clone, Debug)]
pub struct TrajectoryMeasureRequest {
    /// The files, and how their poses are paired.
    pub files: TrajectoryFiles,
    /// `none`, `se3`, `sim3`, `yaw`, `scale`, `origin` or `origin-yaw`.
    pub align: String,
    /// Fit the alignment to so many poses from the start.
    pub align_first: Option<usize>,
    /// `translation`, `rotation_angle_deg`, `rotation_angle_rad`, `rotation_part`, `full`,
    /// `point_distance` or `distance_ratio`.
    pub relation: String,
    /// For relative errors: over which motions.
    pub relative: Option<RelativeWords>,
}

/// The motions of relative errors.
#[derive(Clone, Debug)]
pub struct RelativeWords {
    /// Distance between the poses of a pair.
    pub delta: f64,
    /// `frames`, `m`, `deg` or `rad`.
    pub delta_unit: String,
    /// Every pair at that distance, not consecutive ones only.
    pub all_pairs: bool,
    /// `estimate` or `reference`: on which path the distance is measured.
    pub pairs_from: String,
}

/// Measures the absolute or relative pose error of two trajectory files.
///
/// # Errors
/// [`Error::UnknownWord`]; [`Error::Log`] naming file, line and column; those of the measure.
pub fn measure_trajectory(request: &TrajectoryMeasureRequest) -> Result<Measured, Error> {
    let alignment = parse_alignment(&request.align, request.align_first)?;
    let relation = parse_relation(&request.relation)?;
    let (metric, series) = match &request.relative {
        None => {
            let options = AbsoluteOptions { relation, alignment };
            let metric = options.metric()?;
            let paired = request.files.pair()?;
            let series = absolute_pose_error(&paired.reference, &paired.estimate, &options);
            (metric, (series.map(|series| (series.statistics, 0)), paired))
        }
        Some(words) => {
            let options = RelativeOptions {
                relation,
                alignment,
                delta: parse_delta(words.delta, &words.delta_unit)?,
                pairing: if words.all_pairs { Pairing::All } else { Pairing::Consecutive },
                pairs_from: parse_pairs_from(&words.pairs_from)?,
                delta_tolerance_share: DELTA_TOLERANCE_SHARE,
            };
            let paired = request.files.pair()?;
            let errors = relative_pose_error(&paired.reference, &paired.estimate, &options);
            let found = errors.map(|found| (found.series.statistics, found.undefined_count));
            (options.metric(), (found, paired))
        }
    };
    let (statistics, paired) = series;
    with_statistics(&metric, statistics, paired)
}

fn with_statistics(
    metric: &Metric,
    statistics: Result<(Statistics, usize), MeasureError>,
    paired: Paired,
) -> Result<Measured, Error> {
    let metric = paired.named(metric.clone());
    let unit = registry::unit(metric.id());
    let undefined_count = statistics.as_ref().map_or(0, |(_, count)| *count);
    let mut measured = Measured::of(&metric, statistics.map(|(s, _)| values(&s, unit)))?;
    measured.notes.extend(paired.notes);
    if undefined_count > 0 {
        measured.notes.push(format!(
            "{undefined_count} pairs were left out: the reference does not move between them"
        ));
    }
    Ok(measured)
}

/// The statistics by the names that evo gives them.
fn values(s: &Statistics, unit: &str) -> Vec<MeasuredValue> {
    let numbers = [
        ("rmse", s.rmse),
        ("mean", s.mean),
        ("median", s.median),
        ("std", s.std),
        ("min", s.min),
        ("max", s.max),
    ];
    let mut values: Vec<MeasuredValue> =
        numbers.into_iter().map(|(name, value)| MeasuredValue::real(name, value, unit)).collect();
    values.push(MeasuredValue::real("sse", s.sse, &format!("({unit})^2")));
    values.push(MeasuredValue::count("n", s.n));
    values
}

fn parse_pairs_from(word: &str) -> Result<PairsFrom, Error> {
    match word {
        "estimate" => Ok(PairsFrom::Estimate),
        "reference" => Ok(PairsFrom::Reference),
        _ => Err(unknown("--pairs-from", word, "estimate, reference")),
    }
}

fn parse_delta(delta: f64, unit: &str) -> Result<Delta, Error> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be a whole number above zero"
    )]
    match unit {
        "frames" if delta >= 1.0 && delta.fract() == 0.0 => Ok(Delta::Frames(delta as usize)),
        "frames" => Err(unknown("--delta", &delta.to_string(), "whole numbers above zero")),
        "m" => Ok(Delta::Metres(delta)),
        "deg" => Ok(Delta::Degrees(delta)),
        "rad" => Ok(Delta::Radians(delta)),
        _ => Err(unknown("--delta-unit", unit, "frames, m, deg, rad")),
    }
}
