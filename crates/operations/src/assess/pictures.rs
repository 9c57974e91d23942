//! What a report shows of a run and its twins: the map, where the robot was thought to be, and the values.

use tiepoint_model::{Pose2, PoseSample, Seed};
use tiepoint_reconstruct::trajectory::StampedPose;
use tiepoint_simulate::{
    TwinOutput,
    systems::{RangeFilterInput, range_filter},
};

use super::{
    evidence::{Measured, Question},
    metric::Metric,
};
use crate::{
    Error, Half,
    report::{PathKind, PathPicture, Pictures, ValuePicture},
    run::{in_plane, pose_at},
    twin::stored::{Channels, TwinInputs},
};

/// Pictures of a run and the twin fitted on its first half.
pub(super) fn of_twins(
    question: &Question<'_>,
    twins: &[(Half, TwinInputs)],
    measured: &Measured,
) -> Result<Pictures, Error> {
    let values = ValuePicture {
        what: question.claim.metric.id.clone(),
        unit: question.claim.margin.unit.clone(),
        real: measured.real.iter().map(|(time, value)| (*time, *value)).collect(),
        synthetic: measured.synthetic.iter().map(|(time, value)| (*time, *value)).collect(),
    };
    let Some((_, twin)) = twins.first() else {
        return Ok(Pictures { map: None, paths: Vec::new(), values: Some(values) });
    };
    let seed: Seed = question.claim.seeds.base.for_purpose("seed 0");
    let output = twin.simulate(seed, Channels { scans: false, ranges: true })?;
    let mut paths = vec![path(PathKind::RealTruth, "where the robot was", question.truth)];
    let start = question.truth.first().map_or(Pose2::IDENTITY, |pose| pose.fixed_from_base);
    let odometry = |kind, label: &str, samples: &[PoseSample]| {
        let planar = laid_on(start, &in_plane(samples));
        path(kind, label, &planar)
    };
    if matches!(question.metric, Metric::PositionError { .. }) {
        paths.extend(estimates(question, &output)?);
    } else {
        let run = question.run;
        paths.push(odometry(PathKind::RealOdometry, "real odometry", &run.odometry));
        paths.push(odometry(PathKind::SyntheticOdometry, "twin's odometry", &output.odometry));
    }
    paths.retain(|path| !path.points_m.is_empty());
    Ok(Pictures { map: Some(twin.map.clone()), paths, values: Some(values) })
}

/// What the filter under test made of the real and of the synthetic samples.
fn estimates(question: &Question<'_>, twin: &TwinOutput) -> Result<Vec<PathPicture>, Error> {
    let Metric::PositionError { options, .. } = question.metric else { return Ok(Vec::new()) };
    let run = question.run;
    let start_of = |odometry: &[PoseSample]| {
        let first = odometry.iter().map(|pose| pose.stamps.measured()).min();
        let at_first = first.and_then(|time| pose_at(question.truth, time));
        let earliest = question.truth.first().map(|pose| pose.fixed_from_base);
        at_first.or(earliest).unwrap_or(Pose2::IDENTITY)
    };
    let mut paths = Vec::new();
    for (kind, label, odometry, ranges) in [
        (PathKind::RealEstimate, "filter on real data", &run.odometry, &run.ranges),
        (PathKind::SyntheticEstimate, "filter on the twin", &twin.odometry, &twin.ranges),
    ] {
        let input = RangeFilterInput {
            odometry,
            ranges,
            beacons: &run.beacons,
            map_from_base_start: start_of(odometry),
        };
        let output = range_filter(&input, &options)?;
        let points_m =
            output.poses.iter().map(|pose| [pose.map_from_base.x_m, pose.map_from_base.y_m]);
        paths.push(PathPicture { label: label.to_owned(), kind, points_m: points_m.collect() });
    }
    Ok(paths)
}

/// The path carried so that it begins at `start`.
fn laid_on(start: Pose2, path: &[StampedPose]) -> Vec<StampedPose> {
    let Some(first) = path.first() else { return Vec::new() };
    let map_from_odom = start * first.fixed_from_base.inverse();
    path.iter()
        .map(|pose| StampedPose { fixed_from_base: map_from_odom * pose.fixed_from_base, ..*pose })
        .collect()
}

fn path(kind: PathKind, label: &str, poses: &[StampedPose]) -> PathPicture {
    let points_m = poses.iter().map(|p| [p.fixed_from_base.x_m, p.fixed_from_base.y_m]).collect();
    PathPicture { label: label.to_owned(), kind, points_m }
}
