//! A recording as a planar run: scans, odometry, ranges and truth under one roof, whatever its topics are called.
//!
//! Invariant: samples are as the lake holds them, real and synthetic alike; frames are resolved through static transforms.

use std::collections::BTreeMap;

use tiepoint_formats::{Samples, Table};
use tiepoint_model::{BeaconRange, Pose2, PoseSample, Recording, Scan, Timestamp, TransformSample};
use tiepoint_reconstruct::trajectory::StampedPose;

use crate::{
    Error, Platform, RunSpan,
    ingest::GROUND_TRUTH_TOPIC,
    recording::{samples, topics_of},
};

/// The name of the robot's frame (REP-105).
const BASE_FRAME: &str = "base_link";

/// Beacon `7` stands at the transform from the map to this name and its number.
const BEACON_FRAME_PREFIX: &str = "beacon_";

/// Between poses farther apart than this nothing is known of the robot, seconds.
const POSE_GAP_S_MAX: f64 = 5.0;

/// A run in memory.
pub(crate) struct Run {
    pub(crate) recording: Recording,
    pub(crate) scan_topic: String,
    pub(crate) scans: Vec<Scan>,
    /// The scanner in the robot; the identity if no transform says.
    pub(crate) base_from_laser: Pose2,
    pub(crate) odometry: Vec<PoseSample>,
    pub(crate) odometry_topic: Option<String>,
    pub(crate) truth: Vec<PoseSample>,
    pub(crate) ranges: Vec<BeaconRange>,
    pub(crate) range_topics: Vec<String>,
    pub(crate) transform_topics: Vec<String>,
    /// Where beacons stand in the map, metres.
    pub(crate) beacons: BTreeMap<u32, [f64; 3]>,
}

impl Run {
    /// Reads the run of a recording.
    ///
    /// # Errors
    /// [`Error::CannotTwin`] without planar scans; those of the store.
    pub(crate) async fn load(platform: &Platform, recording: Recording) -> Result<Self, Error> {
        let scan_topic = main_topic(&recording, Table::Scans).ok_or_else(|| Error::CannotTwin {
            recording: recording.name.clone(),
            reason: "it has no planar laser scans".to_owned(),
        })?;
        let scans = match samples(platform, &recording, Table::Scans, &scan_topic).await? {
            Samples::Scans(scans) => scans,
            _ => Vec::new(),
        };
        let transforms = transforms_of(platform, &recording).await?;
        let ((odometry_topic, odometry), truth) = poses_of(platform, &recording).await?;
        let laser = scans.first().map_or("", |scan| scan.frame_id.as_str());
        let mount = transforms.iter().find(|transform| {
            bare(&transform.child_frame_id) == bare(laser)
                && bare(&transform.parent_frame_id) == BASE_FRAME
        });
        let base_from_laser =
            mount.map_or(Pose2::IDENTITY, |mount| mount.parent_from_child.in_plane());
        let beacons = beacons_of(&transforms);
        let ranges = ranges_of(platform, &recording).await?;
        let range_topics = topics_of(&recording, Table::Ranges);
        let transform_topics = topics_of(&recording, Table::Transforms);
        Ok(Self {
            recording,
            scan_topic,
            scans,
            base_from_laser,
            odometry,
            odometry_topic,
            truth,
            ranges,
            range_topics,
            transform_topics,
            beacons,
        })
    }

    /// From the first scan to the last.
    pub(crate) fn span(&self) -> Option<RunSpan> {
        let start = self.scans.first()?.stamps.measured();
        let end = self.scans.last()?.stamps.measured();
        Some(RunSpan { start, end })
    }

    /// Odometry in the plane.
    pub(crate) fn odometry_in_plane(&self) -> Vec<StampedPose> {
        in_plane(&self.odometry)
    }

    /// Ground truth in the plane.
    pub(crate) fn truth_in_plane(&self) -> Vec<StampedPose> {
        in_plane(&self.truth)
    }

    /// The antenna on the robot, metres: as most ranges say.
    pub(crate) fn antenna_in_base_m(&self) -> [f64; 3] {
        let mut counts: Vec<([f64; 3], usize)> = Vec::new();
        for range in &self.ranges {
            match counts.iter_mut().find(|(antenna, _)| *antenna == range.antenna_in_base_m) {
                Some((_, count)) => *count += 1,
                None => counts.push((range.antenna_in_base_m, 1)),
            }
        }
        counts.into_iter().max_by_key(|(_, count)| *count).map_or([0.0; 3], |(antenna, _)| antenna)
    }
}

/// Poses in the plane at the time they were measured, in order, without those that repeat a stamp.
pub(crate) fn in_plane(poses: &[PoseSample]) -> Vec<StampedPose> {
    let mut planar: Vec<StampedPose> = poses
        .iter()
        .map(|pose| StampedPose {
            stamp: pose.stamps.measured(),
            fixed_from_base: pose.frame_from_child.in_plane(),
        })
        .filter(|pose| pose.fixed_from_base.is_finite())
        .collect();
    planar.sort_by_key(|pose| pose.stamp);
    planar.dedup_by_key(|pose| pose.stamp);
    planar
}

/// The pose at an instant, between its neighbours by the shorter turn; `None` outside.
pub(crate) fn pose_at(poses: &[StampedPose], instant: Timestamp) -> Option<Pose2> {
    let after = poses.partition_point(|pose| pose.stamp < instant);
    let next = poses.get(after)?;
    if next.stamp == instant {
        return Some(next.fixed_from_base);
    }
    let before = poses.get(after.checked_sub(1)?)?;
    let whole = next.stamp.since(before.stamp).as_seconds();
    if whole > POSE_GAP_S_MAX {
        return None;
    }
    let share = instant.since(before.stamp).as_seconds() / whole;
    let (a, b) = (before.fixed_from_base, next.fixed_from_base);
    let turn = tiepoint_model::math::wrap_angle(b.yaw_rad - a.yaw_rad);
    Some(Pose2::new(
        a.x_m + share * (b.x_m - a.x_m),
        a.y_m + share * (b.y_m - a.y_m),
        a.yaw_rad + share * turn,
    ))
}

/// A frame's name without the leading slash that ROS 1 writes.
fn bare(frame_id: &str) -> &str {
    frame_id.trim_start_matches('/')
}

/// True for `odom`, also below a robot's name.
fn is_odometry(frame_id: &str) -> bool {
    bare(frame_id) == "odom" || frame_id.ends_with("/odom")
}

/// The topic with the most messages in a table; the first by name among equals.
fn main_topic(recording: &Recording, table: Table) -> Option<String> {
    let in_table = recording.channels.iter().filter(|channel| channel.table == table.as_str());
    let best = in_table.fold(None, |best: Option<&tiepoint_model::Channel>, channel| match best {
        Some(best) if best.message_count >= channel.message_count => Some(best),
        _ => Some(channel),
    });
    best.map(|channel| channel.topic.clone())
}

async fn transforms_of(
    platform: &Platform,
    recording: &Recording,
) -> Result<Vec<TransformSample>, Error> {
    let mut all = Vec::new();
    for topic in topics_of(recording, Table::Transforms) {
        if let Samples::Transforms(transforms) =
            samples(platform, recording, Table::Transforms, &topic).await?
        {
            all.extend(transforms);
        }
    }
    Ok(all)
}

/// Odometry (poses in a frame called `odom`) with its topic, and ground truth (the topic that `ingest` attaches).
async fn poses_of(
    platform: &Platform,
    recording: &Recording,
) -> Result<((Option<String>, Vec<PoseSample>), Vec<PoseSample>), Error> {
    let (mut odometry, mut truth) = ((None, Vec::new()), Vec::new());
    for topic in topics_of(recording, Table::Poses) {
        let Samples::Poses(poses) = samples(platform, recording, Table::Poses, &topic).await?
        else {
            continue;
        };
        if topic == GROUND_TRUTH_TOPIC {
            truth = poses;
        } else if odometry.1.is_empty() && poses.iter().any(|pose| is_odometry(&pose.frame_id)) {
            odometry = (Some(topic), poses);
        }
    }
    Ok((odometry, truth))
}

async fn ranges_of(platform: &Platform, recording: &Recording) -> Result<Vec<BeaconRange>, Error> {
    let mut all = Vec::new();
    for topic in topics_of(recording, Table::Ranges) {
        let of_topic = samples(platform, recording, Table::Ranges, &topic).await?;
        if let Samples::Ranges(ranges) = of_topic {
            all.extend(ranges);
        }
    }
    Ok(all)
}

fn beacons_of(transforms: &[TransformSample]) -> BTreeMap<u32, [f64; 3]> {
    let placed = transforms.iter().filter_map(|transform| {
        let number = transform.child_frame_id.strip_prefix(BEACON_FRAME_PREFIX)?;
        let position_m = transform.parent_from_child.translation_m.into();
        Some((number.parse().ok()?, position_m))
    });
    placed.collect()
}
