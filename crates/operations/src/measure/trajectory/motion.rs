//! What the motion of paths says on files: the offset of two clocks, and the error of a loop.
//!
//! Invariant: an offset that the motion does not fix is `null` with the obstacle.

use serde_json::json;
use tiepoint_measure::{
    Metric, registry,
    trajectory::{
        MotionSignal, TimeOffset, TimeOffsetOptions, TimedPoses,
        loop_closure::loop_closure_error,
        time_offset,
        time_offset::{FoundOffset, Obstacle},
    },
};
use tiepoint_model::{Pose3, Span, Trajectory};

use super::{InputFile, Measured, MeasuredValue, TrajectoryFiles, pairing::read_one, unknown};
use crate::Error;

/// Two trajectories of one motion by two clocks.
#[derive(Clone, Debug)]
pub struct TimeOffsetRequest {
    /// The files; how their poses are paired plays no part.
    pub files: TrajectoryFiles,
    /// `angular_speed` or `speed`.
    pub signal: String,
    /// Cells of this duration, seconds; `None` for the longer of both median intervals.
    pub step_s: Option<f64>,
    /// Where to search, seconds.
    pub guess_s: f64,
    /// How far to search, seconds.
    pub search_s: f64,
    /// Least time in common, seconds.
    pub overlap_s_min: f64,
    /// Least correlation of one motion.
    pub correlation_min: f64,
    /// By how much the best must be better than a second one.
    pub margin: f64,
}

/// One trajectory that ends where it began.
#[derive(Clone, Debug)]
pub struct LoopClosureRequest {
    /// The file.
    pub estimate: InputFile,
    /// `auto`, `tum`, `kitti` or `euroc`.
    pub format: String,
}

/// Measures what is added to the estimate's stamps to have the reference's clock.
///
/// # Errors
/// [`Error::UnknownWord`]; [`Error::Log`] naming file, line and column; those of the measure.
pub fn measure_time_offset(request: &TimeOffsetRequest) -> Result<Measured, Error> {
    let [reference, estimate] = request.files.read_stamped()?;
    let step = match request.step_s {
        Some(seconds) => Span::from_seconds(seconds),
        None => median_interval(&reference).max(median_interval(&estimate)),
    };
    let options = TimeOffsetOptions {
        signal: match request.signal.as_str() {
            "angular_speed" => MotionSignal::AngularSpeed,
            "speed" => MotionSignal::Speed,
            other => return Err(unknown("--signal", other, "angular_speed, speed")),
        },
        step,
        guess: Span::from_seconds(request.guess_s),
        search: Span::from_seconds(request.search_s),
        overlap_min: Span::from_seconds(request.overlap_s_min),
        correlation_min: request.correlation_min,
        margin: request.margin,
    };
    let timed = |path| -> Result<_, Error> {
        let path: &Trajectory = path;
        Ok(TimedPoses::new(path.stamps(), path.poses())?)
    };
    let found = time_offset(timed(&reference)?, timed(&estimate)?, &options);
    let metric = options.metric();
    match found {
        Ok(TimeOffset::Found(found)) => Ok(Measured::new(&metric, offset_values(&found))),
        Ok(TimeOffset::NotIdentifiable(obstacle)) => {
            let values = vec![
                MeasuredValue::undefined("value", "s"),
                MeasuredValue::word("reason", &in_words(obstacle)),
            ];
            Ok(Measured { is_defined: false, ..Measured::new(&metric, values) })
        }
        Err(error) => Measured::of(&metric, Err(error)),
    }
}

fn offset_values(found: &FoundOffset) -> Vec<MeasuredValue> {
    vec![
        MeasuredValue::real("value", found.offset.as_seconds(), "s"),
        MeasuredValue::json("offset_ns", json!(found.offset.0.to_string()), "ns"),
        MeasuredValue::real("half_width_95_s", found.half_width_95_s, "s"),
        MeasuredValue::real("correlation", found.correlation, "1"),
        MeasuredValue::count("cell_count", found.cell_count),
        MeasuredValue::real("effective_count", found.effective_count, "1"),
    ]
}

fn in_words(obstacle: Obstacle) -> String {
    match obstacle {
        Obstacle::ConstantSpeed => "one speed does not change in any stretch in common".to_owned(),
        Obstacle::WeakCorrelation { correlation } => {
            format!(
                "the speeds are not those of one motion: the largest correlation is {correlation}"
            )
        }
        Obstacle::PeakAtLimit { offset } => {
            format!("the best offset, {} s, is at the end of the search", offset.as_seconds())
        }
        Obstacle::Ambiguous { best, other } => {
            let (best_s, other_s) = (best.as_seconds(), other.as_seconds());
            format!("the offsets {best_s} s and {other_s} s fit nearly as well as each other")
        }
    }
}

/// The middle interval between stamps; zero below two stamps, which the measure refuses.
fn median_interval(path: &Trajectory) -> Span {
    let mut intervals: Vec<i64> =
        path.stamps().windows(2).map(|pair| pair[1].0.saturating_sub(pair[0].0)).collect();
    intervals.sort_unstable();
    Span(intervals.get(intervals.len() / 2).copied().unwrap_or_default())
}

/// Measures how far a path ends from where it began.
///
/// # Errors
/// As [`measure_time_offset`].
pub fn measure_loop_closure(request: &LoopClosureRequest) -> Result<Measured, Error> {
    let path = read_one(&request.estimate, &request.format)?;
    let of = |id| Metric::new(id).with("end", "start");
    let found = loop_closure_error(path.poses(), &Pose3::identity()).map(|found| {
        vec![
            MeasuredValue::real("translation_m", found.translation_m, "m")
                .of(&of(registry::TRAJ_LOOP_CLOSURE_TRANSLATION)),
            MeasuredValue::real("rotation_rad", found.rotation_rad, "rad")
                .of(&of(registry::TRAJ_LOOP_CLOSURE_ROTATION)),
            MeasuredValue::real("share", found.share, "1")
                .of(&of(registry::TRAJ_LOOP_CLOSURE_SHARE)),
            MeasuredValue::real("length_m", found.length_m, "m"),
        ]
    });
    Measured::of(&of(registry::TRAJ_LOOP_CLOSURE_TRANSLATION), found)
}
