//! Drift on files: over fixed lengths, over sub-trajectories, and in scale.
//!
//! Invariant: `compat` is the benchmark's own arithmetic with its faults, `corrected` its text.

use tiepoint_measure::{
    MeasureError, MetricId, Statistics,
    trajectory::{
        drift::{DriftArithmetic, DriftMean, DriftOptions, kitti_drift},
        sub_trajectory::{
            ErrorBox, SubTrajectoryMode, SubTrajectoryOptions, default_lengths_m,
            step_scale_errors, sub_trajectory_errors,
        },
    },
};

use super::{
    InputFile, Measured, MeasuredTable, MeasuredValue, TrajectoryFiles, conditions, is_undefined,
    parse_alignment, unknown, values,
};
use crate::Error;

/// Two trajectories and the KITTI benchmark's options.
#[derive(Clone, Debug)]
pub struct DriftRequest {
    /// The files, and how their poses are paired.
    pub files: TrajectoryFiles,
    /// `compat` or `corrected`.
    pub mode: String,
    /// Time between two poses, seconds: for speeds only.
    pub frame_interval_s: f64,
    /// Under which condition which part was driven: CSV or Parquet.
    pub conditions: Option<InputFile>,
}

/// Two trajectories and the lengths to look at.
#[derive(Clone, Debug)]
pub struct SubTrajectoryRequest {
    /// The files, and how their poses are paired.
    pub files: TrajectoryFiles,
    /// Metres; empty for shares of the reference's length.
    pub lengths_m: Vec<f64>,
    /// How far a length may lie from the wanted one, as a share of it.
    pub tolerance_share: f64,
    /// Only the scale of this alignment is used.
    pub align: String,
    /// `compat` or `corrected`.
    pub mode: String,
}

/// Two trajectories whose steps are compared in length.
#[derive(Clone, Debug)]
pub struct StepScaleRequest {
    /// The files, and how their poses are paired.
    pub files: TrajectoryFiles,
    /// How the estimate is carried onto the reference first.
    pub align: String,
    /// `compat` or `corrected`.
    pub mode: String,
}

/// Measures drift as the KITTI odometry benchmark does, per cent and degrees per metre.
///
/// # Errors
/// [`Error::UnknownWord`]; [`Error::Log`] naming file, line and column; those of the measure.
pub fn measure_kitti_drift(request: &DriftRequest) -> Result<Measured, Error> {
    let arithmetic = match request.mode.as_str() {
        "compat" => DriftArithmetic::Float32,
        "corrected" => DriftArithmetic::Float64,
        other => return Err(unknown("--mode", other, "compat, corrected")),
    };
    let frame_interval_s = request.frame_interval_s;
    let options = DriftOptions { arithmetic, frame_interval_s, ..DriftOptions::KITTI_COMPATIBLE };
    let paired = request.files.pair()?;
    let labels = match &request.conditions {
        Some(file) => Some(conditions::labels(file, &paired)?),
        None => None,
    };
    let drift = kitti_drift(&paired.reference, &paired.estimate, &options);
    let of = [options.translation_metric(), options.rotation_metric()].map(|m| paired.named(m));
    let mut tables = Vec::new();
    let mut notes = Vec::new();
    let found = drift.and_then(|drift| {
        if let Some(labels) = &labels {
            let (table, note) = conditions::table(&drift.segments, labels, &of)?;
            tables.push(table);
            notes.extend(note);
        }
        let rows = |groups: &[(f64, DriftMean)], by: &str| {
            let row = |(key, mean): &(f64, DriftMean)| {
                [vec![MeasuredValue::real(by, *key, "")], mean_values(mean)].concat()
            };
            MeasuredTable { name: format!("by_{by}"), rows: groups.iter().map(row).collect() }
        };
        tables.push(rows(&drift.by_length, "length_m"));
        tables.push(rows(&drift.by_speed, "speed_m_per_s"));
        let named = mean_values(&drift.mean).into_iter().enumerate();
        let values = named.map(|(index, value)| match of.get(index) {
            Some(metric) => value.of(metric),
            None => value,
        });
        Ok(values.collect())
    });
    let mut measured = Measured::of(&of[0], found)?;
    measured.tables = tables;
    measured.notes.extend(notes);
    measured.notes.extend(paired.notes);
    Ok(measured)
}

fn mean_values(mean: &DriftMean) -> Vec<MeasuredValue> {
    vec![
        MeasuredValue::real("translation_percent", mean.translation_percent, "%"),
        MeasuredValue::real("rotation_deg_per_m", mean.rotation_deg_per_m, "deg/m"),
        MeasuredValue::count("n", mean.n),
    ]
}

/// Measures errors over sub-trajectories as rpg_trajectory_evaluation does.
///
/// # Errors
/// As [`measure_kitti_drift`].
pub fn measure_sub_trajectory(request: &SubTrajectoryRequest) -> Result<Measured, Error> {
    let mode = parse_mode(&request.mode)?;
    let alignment = parse_alignment(&request.align, None)?;
    let paired = request.files.pair()?;
    let scale = alignment.find(&paired.reference, &paired.estimate)?.scale;
    let options = |length_m| {
        let tolerance_share = request.tolerance_share;
        SubTrajectoryOptions { length_m, tolerance_share, scale, mode }
    };
    let lengths_m = match request.lengths_m.as_slice() {
        [] => default_lengths_m(&paired.reference),
        given => Ok(given.to_vec()),
    };
    let first_id = tiepoint_measure::registry::TRAJ_SUB_TRANSLATION_PERCENT;
    let identity = |id: MetricId, length_m| {
        paired.named(options(length_m).metric(id)).with("alignment", alignment)
    };
    let lengths_m = match lengths_m {
        Ok(lengths_m) => lengths_m,
        Err(error) => return Measured::of(&identity(first_id, 0.0), Err(error)),
    };
    let whole = identity(first_id, lengths_m[0]);
    let mut measured = Measured::new(&whole, vec![MeasuredValue::real("scale", scale, "1")]);
    let mut rows = Vec::new();
    for &length_m in &lengths_m {
        let length = MeasuredValue::real("length_m", length_m, "");
        let found = sub_trajectory_errors(&paired.reference, &paired.estimate, &options(length_m));
        match found {
            Ok(found) => {
                let boxes = [
                    ("translation", &found.translation),
                    ("translation_percent", &found.translation_percent),
                    ("rotation", &found.rotation),
                    ("yaw", &found.yaw),
                    ("gravity", &found.gravity),
                ];
                for (name, errors) in boxes {
                    let metric = identity(errors.id, length_m).to_string();
                    rows.push(box_row(&length, name, errors, metric));
                }
            }
            Err(error) if is_undefined(&error) => {
                measured.is_defined = false;
                rows.push([vec![length], super::super::without_value("", &error)].concat());
            }
            Err(error) => return Err(error.into()),
        }
    }
    measured.tables.push(MeasuredTable { name: "errors".to_owned(), rows });
    measured.notes.extend(paired.notes);
    Ok(measured)
}

fn box_row(
    length: &MeasuredValue,
    name: &str,
    errors: &ErrorBox,
    metric: String,
) -> Vec<MeasuredValue> {
    let unit = tiepoint_measure::registry::unit(errors.id);
    let s: &Statistics = &errors.statistics;
    let numbers = [
        ("rmse", s.rmse),
        ("mean", s.mean),
        ("median", s.median),
        ("std", s.std),
        ("min", s.min),
        ("max", s.max),
        ("quartile_first", errors.quartile_first),
        ("quartile_third", errors.quartile_third),
    ];
    let mut row = vec![length.clone(), MeasuredValue::word("error", name)];
    row.extend(numbers.map(|(name, number)| MeasuredValue::real(name, number, "")));
    row.push(MeasuredValue::count("n", s.n));
    row.push(MeasuredValue::word("unit", unit));
    row.push(MeasuredValue::word("metric", &metric));
    row
}

/// Measures how far the lengths of the estimate's steps differ from the reference's, per cent.
///
/// # Errors
/// As [`measure_kitti_drift`].
pub fn measure_step_scale(request: &StepScaleRequest) -> Result<Measured, Error> {
    let mode = parse_mode(&request.mode)?;
    let alignment = parse_alignment(&request.align, None)?;
    let paired = request.files.pair()?;
    let found = alignment.find(&paired.reference, &paired.estimate).and_then(|similarity| {
        step_scale_errors(&paired.reference, &paired.estimate, &similarity, mode)
    });
    let metric = paired.named(mode.step_scale_metric(alignment));
    let found: Result<_, MeasureError> = found.map(|found| {
        let undefined = MeasuredValue::count("undefined_count", found.undefined_count);
        [values(&found.statistics, "%"), vec![undefined]].concat()
    });
    let mut measured = Measured::of(&metric, found)?;
    measured.notes.extend(paired.notes);
    Ok(measured)
}

fn parse_mode(word: &str) -> Result<SubTrajectoryMode, Error> {
    match word {
        "compat" => Ok(SubTrajectoryMode::Compatible),
        "corrected" => Ok(SubTrajectoryMode::Corrected),
        _ => Err(unknown("--mode", word, "compat, corrected")),
    }
}
