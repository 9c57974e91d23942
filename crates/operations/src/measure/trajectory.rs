//! Trajectory metrics on files.

use std::path::PathBuf;

use tiepoint_formats::{TrajectoryFormat, read_trajectory};
use tiepoint_measure::{
    Statistics, registry,
    trajectory::{
        AbsoluteOptions, Alignment, AssociationOptions, Delta, Pairing, PairsFrom, Relation,
        RelativeOptions, StampArithmetic, absolute_pose_error, associate,
        relative::DELTA_TOLERANCE_SHARE, relative_pose_error,
    },
};
use tiepoint_model::{Pose3, Span, Trajectory};

use super::{Measured, MeasuredValue, unknown};
use crate::Error;

/// Two trajectory files and how to compare them, in the words of the command line.
#[derive(Clone, Debug)]
pub struct TrajectoryMeasureRequest {
    /// Path (for messages) and bytes of the reference.
    pub reference: (PathBuf, Vec<u8>),
    /// Path (for messages) and bytes of the estimate.
    pub estimate: (PathBuf, Vec<u8>),
    /// `tum`, `kitti` or `euroc`.
    pub format: String,
    /// `none`, `se3`, `sim3`, `scale` or `origin`.
    pub align: String,
    /// `translation`, `rotation_angle_deg`, `rotation_angle_rad`, `rotation_part` or `full`.
    pub relation: String,
    /// Largest time between two poses of a pair, seconds.
    pub time_difference_s_max: f64,
    /// For relative errors: delta, its unit (`frames`, `m`, `deg`, `rad`), and whether all pairs count.
    pub relative: Option<(f64, String, bool)>,
}

/// Measures the absolute or relative pose error of two trajectory files.
///
/// # Errors
/// [`Error::UnknownWord`]; [`Error::Log`] naming file, line and column; those of the measure.
pub fn measure_trajectory(request: &TrajectoryMeasureRequest) -> Result<Measured, Error> {
    let format = parse_format(&request.format)?;
    let alignment = parse_alignment(&request.align)?;
    let relation = parse_relation(&request.relation)?;
    let (reference, estimate) =
        rayon::join(|| read(format, &request.reference), || read(format, &request.estimate));
    let (reference, estimate) = (reference?, estimate?);
    let [reference, estimate] = paired(format, request, reference, estimate)?;
    let (metric, statistics) = match &request.relative {
        None => {
            let options = AbsoluteOptions { relation, alignment };
            let series = absolute_pose_error(&reference, &estimate, &options)?;
            (options.metric()?, series.statistics)
        }
        Some((delta, unit, all_pairs)) => {
            let options = RelativeOptions {
                relation,
                alignment,
                delta: parse_delta(*delta, unit)?,
                pairing: if *all_pairs { Pairing::All } else { Pairing::Consecutive },
                pairs_from: PairsFrom::Estimate,
                delta_tolerance_share: DELTA_TOLERANCE_SHARE,
            };
            let errors = relative_pose_error(&reference, &estimate, &options)?;
            (options.metric(), errors.series.statistics)
        }
    };
    let metric = match format {
        TrajectoryFormat::Kitti => metric.with("association", "row"),
        _ => metric.with("association", association_options(request)),
    };
    Ok(Measured::new(&metric, values(&statistics, registry::unit(metric.id()))))
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

/// KITTI rows are paired by their number, stamped poses by their stamps.
fn paired(
    format: TrajectoryFormat,
    request: &TrajectoryMeasureRequest,
    reference: Trajectory,
    estimate: Trajectory,
) -> Result<[Vec<Pose3>; 2], Error> {
    if format == TrajectoryFormat::Kitti {
        return Ok([reference.poses().to_vec(), estimate.poses().to_vec()]);
    }
    let options = association_options(request);
    let association = associate(&reference, &estimate, options)?;
    Ok(association.select(&reference, &estimate))
}

/// Differences of stamps as evo takes them, so that ties fall the same way.
fn association_options(request: &TrajectoryMeasureRequest) -> AssociationOptions {
    AssociationOptions {
        difference_max: Span::from_seconds(request.time_difference_s_max),
        arithmetic: StampArithmetic::FloatSeconds,
    }
}

fn read(format: TrajectoryFormat, file: &(PathBuf, Vec<u8>)) -> Result<Trajectory, Error> {
    read_trajectory(format, &file.1)
        .map_err(|source| Error::Log { path: file.0.clone(), source: Box::new(source) })
}

fn parse_format(word: &str) -> Result<TrajectoryFormat, Error> {
    match word {
        "tum" => Ok(TrajectoryFormat::Tum),
        "kitti" => Ok(TrajectoryFormat::Kitti),
        "euroc" => Ok(TrajectoryFormat::Euroc),
        _ => Err(unknown("--format", word, "tum, kitti, euroc")),
    }
}

fn parse_alignment(word: &str) -> Result<Alignment, Error> {
    match word {
        "none" => Ok(Alignment::None),
        "se3" => Ok(Alignment::SE3),
        "sim3" => Ok(Alignment::SIM3),
        "scale" => Ok(Alignment::SCALE_ONLY),
        "origin" => Ok(Alignment::Origin),
        _ => Err(unknown("--align", word, "none, se3, sim3, scale, origin")),
    }
}

fn parse_relation(word: &str) -> Result<Relation, Error> {
    match word {
        "translation" => Ok(Relation::Translation),
        "rotation_angle_deg" => Ok(Relation::RotationAngleDeg),
        "rotation_angle_rad" => Ok(Relation::RotationAngleRad),
        "rotation_part" => Ok(Relation::RotationFrobenius),
        "full" => Ok(Relation::FullTransformation),
        _ => {
            let known = "translation, rotation_angle_deg, rotation_angle_rad, rotation_part, full";
            Err(unknown("--relation", word, known))
        }
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
