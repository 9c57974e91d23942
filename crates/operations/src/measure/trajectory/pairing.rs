//! Two trajectory files as poses row by row, by the words of the command line.
//!
//! Invariant: KITTI rows are paired by their number, stamped poses by their stamps, and the two
//! kinds do not mix.
//! Metres; seconds at the command line, nanoseconds inside.

use tiepoint_formats::{Container, TrajectoryFormat, read_trajectory};
use tiepoint_measure::{
    Metric,
    trajectory::{
        Alignment, Association, AssociationOptions, Freedom, Relation, StampArithmetic, TimedPoses,
        associate,
        greedy::{self, associate_greedily},
        interpolation::{self, interpolate_at},
    },
};
use tiepoint_model::{Pose3, Span, Timestamp, Trajectory};

use super::{InputFile, unknown};
use crate::Error;

/// Two trajectory files and how their poses are paired.
#[derive(Clone, Debug)]
pub struct TrajectoryFiles {
    /// The trajectory to compare with.
    pub reference: InputFile,
    /// The trajectory to judge.
    pub estimate: InputFile,
    /// How.
    pub pairing: PairingWords,
}

/// How poses are paired, in the words of the command line.
#[derive(Clone, Debug)]
pub struct PairingWords {
    /// `auto`, `tum`, `kitti` or `euroc`.
    pub format: String,
    /// `evo`, `tum` or `interpolate`.
    pub association: String,
    /// Largest time between two poses of a pair, seconds.
    pub time_difference_s_max: f64,
    /// For `interpolate`: the longest gap of the reference that is bridged, seconds.
    pub gap_s_max: f64,
}

/// Poses row by row: row i of both is the same instant.
pub(super) struct Paired {
    pub(super) reference: Vec<Pose3>,
    pub(super) estimate: Vec<Pose3>,
    /// The instants of the rows; empty where rows are paired by their number.
    pub(super) stamps: Vec<Timestamp>,
    association: String,
    pub(super) notes: Vec<String>,
}

impl Paired {
    /// The metric with how its poses were paired.
    pub(super) fn named(&self, metric: Metric) -> Metric {
        metric.with("association", &self.association)
    }
}

impl TrajectoryFiles {
    /// Reads both and pairs their poses.
    pub(super) fn pair(&self) -> Result<Paired, Error> {
        let [(reference_format, reference), (estimate_format, estimate)] = self.read()?;
        let is_kitti = |format| format == TrajectoryFormat::Kitti;
        match (is_kitti(reference_format), is_kitti(estimate_format)) {
            (true, true) => Ok(Paired {
                reference: reference.poses().to_vec(),
                estimate: estimate.poses().to_vec(),
                stamps: Vec::new(),
                association: "row".to_owned(),
                notes: Vec::new(),
            }),
            (false, false) => pair_by_time(&reference, &estimate, &self.pairing),
            _ => Err(Error::MixedTrajectories {
                reference: self.reference.path.clone(),
                estimate: self.estimate.path.clone(),
            }),
        }
    }

    /// Reads both, which must have stamps.
    pub(super) fn read_stamped(&self) -> Result<[Trajectory; 2], Error> {
        let [(reference_format, reference), (estimate_format, estimate)] = self.read()?;
        for format in [reference_format, estimate_format] {
            if format == TrajectoryFormat::Kitti {
                return Err(unknown("a measure of time", "kitti", "tum, euroc"));
            }
        }
        Ok([reference, estimate])
    }

    fn read(&self) -> Result<[(TrajectoryFormat, Trajectory); 2], Error> {
        let wanted = parse_format(&self.pairing.format)?;
        let formats = [&self.reference, &self.estimate].map(detected);
        // A damaged file is of the other's form, most likely: its reader says what is wrong.
        let fallback = formats[0].or(formats[1]).unwrap_or(TrajectoryFormat::Tum);
        let [reference, estimate] = formats.map(|found| wanted.or(found).unwrap_or(fallback));
        let (first, second) =
            rayon::join(|| read(reference, &self.reference), || read(estimate, &self.estimate));
        Ok([(reference, first?), (estimate, second?)])
    }
}

/// Reads one file, by its own form or by the one that is given.
pub(super) fn read_one(file: &InputFile, format: &str) -> Result<Trajectory, Error> {
    let format = parse_format(format)?.or(detected(file)).unwrap_or(TrajectoryFormat::Tum);
    read(format, file)
}

/// Reads several files that all have stamps; `None` if none has.
pub(super) fn read_all(
    files: &[InputFile],
    format: &str,
) -> Result<Option<Vec<Trajectory>>, Error> {
    let wanted = parse_format(format)?;
    let of = |file: &InputFile| wanted.or(detected(file)).unwrap_or(TrajectoryFormat::Tum);
    let is_kitti = |file: &&InputFile| of(file) == TrajectoryFormat::Kitti;
    match (files.iter().find(is_kitti), files.iter().find(|file| !is_kitti(file))) {
        (Some(_), None) => Ok(None),
        (Some(rows), Some(stamped)) => Err(Error::MixedTrajectories {
            reference: stamped.path.clone(),
            estimate: rows.path.clone(),
        }),
        (None, _) => {
            files.iter().map(|file| read(of(file), file)).collect::<Result<_, _>>().map(Some)
        }
    }
}

fn read(format: TrajectoryFormat, file: &InputFile) -> Result<Trajectory, Error> {
    read_trajectory(format, &file.bytes).map_err(|source| file.refuse(source))
}

fn detected(file: &InputFile) -> Option<TrajectoryFormat> {
    let first = &file.bytes[..file.bytes.len().min(Container::DETECT_BYTES)];
    match Container::detect(&file.path.to_string_lossy(), first) {
        Ok(Container::Tum) => Some(TrajectoryFormat::Tum),
        Ok(Container::Kitti) => Some(TrajectoryFormat::Kitti),
        Ok(Container::Euroc) => Some(TrajectoryFormat::Euroc),
        _ => None,
    }
}

/// Stamps are compared as the tool compares them, so that ties fall the same way.
fn pair_by_time(
    reference: &Trajectory,
    estimate: &Trajectory,
    words: &PairingWords,
) -> Result<Paired, Error> {
    if words.association == "interpolate" {
        return interpolated(reference, estimate, Span::from_seconds(words.gap_s_max));
    }
    let (association, name) = associated(reference, estimate, words)?;
    let stamps = association.pairs.iter().map(|(index, _)| reference.stamps()[*index]).collect();
    let [reference, estimate] = association.select(reference, estimate);
    Ok(Paired { reference, estimate, stamps, association: name, notes: Vec::new() })
}

/// Pairs of poses that are near in time, and how they were found.
pub(super) fn associated(
    reference: &Trajectory,
    estimate: &Trajectory,
    words: &PairingWords,
) -> Result<(Association, String), Error> {
    let options = AssociationOptions {
        difference_max: Span::from_seconds(words.time_difference_s_max),
        arithmetic: StampArithmetic::FloatSeconds,
    };
    match words.association.as_str() {
        "evo" => Ok((associate(reference, estimate, options)?, options.to_string())),
        "tum" => {
            let pairs = associate_greedily(reference.stamps(), estimate.stamps(), options)?;
            Ok((Association { pairs, options }, greedy::convention(options)))
        }
        other => Err(unknown("--association", other, "evo, tum, interpolate")),
    }
}

/// The reference moved to the estimate's instants.
fn interpolated(
    reference: &Trajectory,
    estimate: &Trajectory,
    gap_max: Span,
) -> Result<Paired, Error> {
    let path = TimedPoses::new(reference.stamps(), reference.poses())?;
    let found = interpolate_at(path, estimate.stamps(), gap_max)?;
    let at = |index: &usize| estimate.poses()[*index];
    let mut notes = Vec::new();
    if found.outside_count + found.gap_count > 0 {
        notes.push(format!(
            "{} poses of the estimate lie before or after the reference, {} in its gaps: left out",
            found.outside_count, found.gap_count
        ));
    }
    Ok(Paired {
        estimate: found.instant_indices.iter().map(at).collect(),
        stamps: found.instant_indices.iter().map(|index| estimate.stamps()[*index]).collect(),
        reference: found.poses,
        association: interpolation::convention(gap_max),
        notes,
    })
}

/// `None` for `auto`: each file by its own form.
fn parse_format(word: &str) -> Result<Option<TrajectoryFormat>, Error> {
    match word {
        "auto" => Ok(None),
        "tum" => Ok(Some(TrajectoryFormat::Tum)),
        "kitti" => Ok(Some(TrajectoryFormat::Kitti)),
        "euroc" => Ok(Some(TrajectoryFormat::Euroc)),
        _ => Err(unknown("--format", word, "auto, tum, kitti, euroc")),
    }
}

pub(super) fn parse_alignment(
    word: &str,
    first_pose_count: Option<usize>,
) -> Result<Alignment, Error> {
    let fitted = |freedom| Ok(Alignment::LeastSquares { freedom, first_pose_count });
    match word {
        "se3" => fitted(Freedom::Rigid),
        "sim3" => fitted(Freedom::Similarity),
        "yaw" => fitted(Freedom::YawAndTranslation),
        "scale" => fitted(Freedom::ScaleOnly),
        "none" | "origin" | "origin-yaw" if first_pose_count.is_some() => {
            Err(unknown("--align with --align-first", word, "se3, sim3, yaw, scale"))
        }
        "none" => Ok(Alignment::None),
        "origin" => Ok(Alignment::Origin),
        "origin-yaw" => Ok(Alignment::OriginYaw),
        _ => Err(unknown("--align", word, "none, se3, sim3, yaw, scale, origin, origin-yaw")),
    }
}

pub(super) fn parse_relation(word: &str) -> Result<Relation, Error> {
    match word {
        "translation" => Ok(Relation::Translation),
        "rotation_angle_deg" => Ok(Relation::RotationAngleDeg),
        "rotation_angle_rad" => Ok(Relation::RotationAngleRad),
        "rotation_part" => Ok(Relation::RotationFrobenius),
        "full" => Ok(Relation::FullTransformation),
        "point_distance" => Ok(Relation::PointDistance),
        "distance_ratio" => Ok(Relation::DistanceRatioPercent),
        _ => {
            let known = "translation, rotation_angle_deg, rotation_angle_rad, rotation_part, \
                         full, point_distance, distance_ratio";
            Err(unknown("--relation", word, known))
        }
    }
}
