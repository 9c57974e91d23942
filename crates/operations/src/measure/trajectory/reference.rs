//! The error of each of three or more trajectories of one motion, none of which is the truth.
//!
//! Invariant: all are held at the instants that all of them have, in the frame of the first; one
//! whose variance comes out below zero has no error, with the reason.
//! Metres.

use std::collections::BTreeMap;

use tiepoint_measure::{
    MeasureError, Metric, registry,
    trajectory::{
        TimedPoses, interpolation,
        interpolation::interpolate_at,
        reference_error::{OwnVariance, reference_error},
    },
};
use tiepoint_model::{Pose3, Span, Trajectory};

use super::{
    InputFile, Measured, MeasuredTable, MeasuredValue, PairingWords,
    pairing::{associated, parse_alignment, read_all},
    unknown,
};
use crate::Error;

/// Three or more trajectories of one motion.
#[derive(Clone, Debug)]
pub struct ReferenceErrorRequest {
    /// The files; the first one gives the frame and the instants.
    pub trajectories: Vec<InputFile>,
    /// How poses are paired with those of the first.
    pub pairing: PairingWords,
    /// How the others are carried onto the first.
    pub align: String,
}

/// Measures the error of each trajectory by the three-cornered hat.
///
/// # Errors
/// [`Error::UnknownWord`]; [`Error::Log`] naming file, line and column; those of the measure.
pub fn measure_reference_error(request: &ReferenceErrorRequest) -> Result<Measured, Error> {
    let alignment = parse_alignment(&request.align, None)?;
    let mut metric = Metric::new(registry::TRAJ_REFERENCE_ERROR)
        .with("alignment", alignment)
        .with("trajectories", request.trajectories.len());
    let trajectories = read_all(&request.trajectories, &request.pairing.format)?;
    let paths = match &trajectories {
        None => {
            metric = metric.with("association", "row");
            let read = |file| super::pairing::read_one(file, "kitti");
            let paths = request.trajectories.iter().map(read).collect::<Result<Vec<_>, _>>()?;
            paths.iter().map(|path| path.poses().to_vec()).collect()
        }
        Some(trajectories) => {
            let (association, paths) = at_common_instants(trajectories, &request.pairing)?;
            metric = metric.with("association", association);
            paths
        }
    };
    let found = hat(&paths, |first, other| {
        let similarity = alignment.find(first, other)?;
        Ok(other.iter().map(|pose| similarity.apply(pose)).collect())
    });
    let mut rows = Vec::new();
    let mut is_whole = true;
    let found = found.map(|own| {
        is_whole = own.iter().all(|own| own.sigma().is_some());
        let named = own.iter().zip(&request.trajectories);
        rows = named.map(|(own, file)| row(own, file)).collect();
        let n = MeasuredValue::count("n", paths.first().map_or(0, Vec::len));
        let value = match own.first().and_then(|own| own.sigma()) {
            Some(sigma_m) => MeasuredValue::real("value", sigma_m, "m"),
            None => MeasuredValue::undefined("value", "m"),
        };
        vec![value, n]
    });
    let mut measured = Measured::of(&metric, found)?;
    if !rows.is_empty() {
        measured.is_defined = is_whole;
        measured.tables.push(MeasuredTable { name: "trajectories".to_owned(), rows });
        measured.notes.push(
            "`value` is the error of the first; errors in common and constant offsets are not seen"
                .to_owned(),
        );
    }
    Ok(measured)
}

fn row(own: &OwnVariance, file: &InputFile) -> Vec<MeasuredValue> {
    let name = MeasuredValue::word("trajectory", &file.path.to_string_lossy());
    match own {
        OwnVariance::Negative { variance } => vec![
            name,
            MeasuredValue::undefined("error_m", "m"),
            MeasuredValue::word(
                "reason",
                &format!(
                    "the variance comes out as {variance} square metres: the errors are not \
                     independent, or the path is too short to tell"
                ),
            ),
        ],
        OwnVariance::Estimated { variance } => {
            vec![name, MeasuredValue::real("error_m", variance.sqrt(), "m")]
        }
    }
}

fn hat(
    paths: &[Vec<Pose3>],
    carried: impl Fn(&[Pose3], &[Pose3]) -> Result<Vec<Pose3>, MeasureError>,
) -> Result<Vec<OwnVariance>, MeasureError> {
    let Some((first, others)) = paths.split_first() else { return reference_error(&[]) };
    let mut aligned = vec![first.clone()];
    for other in others {
        aligned.push(carried(first, other)?);
    }
    reference_error(&aligned.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

/// Poses at the instants of the first path that every other one answers, and how it does.
fn at_common_instants(
    trajectories: &[Trajectory],
    words: &PairingWords,
) -> Result<(String, Vec<Vec<Pose3>>), Error> {
    let Some((first, others)) = trajectories.split_first() else {
        return Ok((String::new(), Vec::new()));
    };
    let mut name = String::new();
    let mut partners: Vec<BTreeMap<usize, Pose3>> = Vec::new();
    for other in others {
        let partner: BTreeMap<usize, Pose3> = match words.association.as_str() {
            "interpolate" => {
                let gap_max = Span::from_seconds(words.gap_s_max);
                name = interpolation::convention(gap_max);
                let path = TimedPoses::new(other.stamps(), other.poses())?;
                let found = interpolate_at(path, first.stamps(), gap_max)?;
                found.instant_indices.into_iter().zip(found.poses).collect()
            }
            "evo" | "tum" => {
                let (association, text) = associated(first, other, words)?;
                name = text;
                association.pairs.iter().map(|(i, j)| (*i, other.poses()[*j])).collect()
            }
            other => return Err(unknown("--association", other, "evo, tum, interpolate")),
        };
        partners.push(partner);
    }
    let is_common = |index: &usize| partners.iter().all(|partner| partner.contains_key(index));
    let common: Vec<usize> = (0..first.poses().len()).filter(is_common).collect();
    let mut paths = vec![common.iter().map(|index| first.poses()[*index]).collect()];
    paths
        .extend(partners.iter().map(|partner| common.iter().map(|index| partner[index]).collect()));
    Ok((name, paths))
}
