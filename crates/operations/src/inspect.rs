//! Quality at the door: every check on a log while it is read, the same for `ingest` and `check`.
//!
//! Invariant: one pass, no row is kept. What a channel holds decides which checks apply.
//!
//! Not here: the checks (engine `measure`), their thresholds (`model::quality`), the lake.

use std::collections::BTreeMap;

use tiepoint_formats::{ChannelKey, Samples, TopicBatch};
use tiepoint_measure::quality::{
    ChannelInspector, MountingChange, TransformGraph, TurnAccumulator, intrinsics_finding,
    lag_between,
};
use tiepoint_model::{
    CameraIntrinsics, Pose3, Timestamp,
    quality::{ChannelQuality, RecordingFinding, RecordingQuality},
};

/// How a rig is built: what is compared from pass to pass.
#[derive(Default)]
pub(crate) struct Mountings {
    /// The pose of a child frame in its parent, by child and parent.
    pub(crate) poses: BTreeMap<(String, String), Pose3>,
    /// The last calibration of each camera, by topic.
    pub(crate) cameras: BTreeMap<String, CameraIntrinsics>,
}

/// A log with more channels of poses than this is a tracker of many things, not of one robot.
const COMPARED_CHANNELS_MAX: usize = 8;

/// Looks at one recording, piece by piece.
#[derive(Default)]
pub(crate) struct Inspector {
    channels: BTreeMap<ChannelKey, InspectedChannel>,
    transforms: TransformGraph,
    cameras: BTreeMap<String, CameraIntrinsics>,
    /// Channels that see the robot turn, gyroscopes before poses, by topic.
    turning: BTreeMap<(TurnSource, String), TurnAccumulator>,
}

/// What a channel knows of turning; the first there is becomes the reference.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum TurnSource {
    Gyroscope,
    Poses,
}

/// What the door saw of one channel.
#[derive(Default)]
struct InspectedChannel {
    inspector: ChannelInspector,
    row_count: u64,
    span: Option<(Timestamp, Timestamp)>,
}

/// A channel after its last message.
pub(crate) struct ChannelReport {
    pub(crate) quality: ChannelQuality,
    pub(crate) row_count: u64,
    /// First and last log time.
    pub(crate) span: Option<(Timestamp, Timestamp)>,
}

/// A recording after its last message.
pub(crate) struct Inspection {
    pub(crate) channels: BTreeMap<ChannelKey, ChannelReport>,
    pub(crate) quality: RecordingQuality,
    pub(crate) mountings: Mountings,
}

impl Inspector {
    /// The next piece of a channel.
    pub(crate) fn add(&mut self, piece: &TopicBatch) {
        let channel = self.channels.entry(piece.channel.clone()).or_default();
        let inspector = &mut channel.inspector;
        channel.row_count += piece.samples.len() as u64;
        for stamps in piece.samples.stamps() {
            let (start, end) = channel.span.unwrap_or((stamps.log, stamps.log));
            channel.span = Some((start.min(stamps.log), end.max(stamps.log)));
        }
        match &piece.samples {
            Samples::Scans(scans) => {
                inspector.add_scans(scans);
                scans.iter().for_each(|scan| self.transforms.add_sensor_frame(&scan.frame_id));
            }
            Samples::Points(clouds) => {
                inspector.add_clouds(clouds);
                clouds.iter().for_each(|cloud| self.transforms.add_sensor_frame(&cloud.frame_id));
            }
            Samples::Imu(readings) => {
                inspector.add_imu(readings);
                let frames = readings.iter().map(|reading| &reading.frame_id);
                frames.for_each(|frame_id| self.transforms.add_sensor_frame(frame_id));
                let key = (TurnSource::Gyroscope, piece.channel.topic.clone());
                let turning = self.turning.entry(key).or_default();
                for reading in readings {
                    turning.add_rate(reading.stamps.measured(), reading.angular_rate_rad_per_s);
                }
            }
            Samples::Poses(poses) => {
                inspector.add_poses(poses);
                let links = poses.iter().map(|pose| (&pose.frame_id, &pose.child_frame_id));
                links.for_each(|(frame, child)| self.transforms.add_pose_link(frame, child));
                let key = (TurnSource::Poses, piece.channel.topic.clone());
                let turning = self.turning.entry(key).or_default();
                for pose in poses {
                    turning.add_pose(pose.stamps.measured(), &pose.frame_from_child);
                }
            }
            Samples::Transforms(transforms) => {
                inspector.add_transforms(transforms);
                let is_fixed = piece.channel.topic.ends_with("tf_static");
                transforms.iter().for_each(|transform| self.transforms.add(transform, is_fixed));
            }
            Samples::Twists(twists) => inspector.add_twists(twists),
            Samples::Ranges(ranges) => inspector.add_ranges(ranges),
            Samples::Gnss(fixes) => inspector.add_fixes(fixes),
            Samples::Magnetic(readings) => inspector.add_magnetic(readings),
            Samples::Joints(states) => inspector.add_joints(states),
            Samples::RangeReadings(readings) => inspector.add_range_readings(readings),
            Samples::Cameras(calibrations) => {
                inspector.add_stamps(&piece.samples.stamps());
                if let Some(last) = calibrations.last() {
                    self.cameras.insert(piece.channel.topic.clone(), last.clone());
                }
            }
            Samples::Images(_)
            | Samples::Paths(_)
            | Samples::Grids(_)
            | Samples::Signals(_)
            | Samples::Raw(_) => inspector.add_stamps(&piece.samples.stamps()),
        }
    }

    /// Every channel and the recording as a whole.
    pub(crate) fn finish(self, losses: Vec<String>) -> Inspection {
        let channels = self.channels.into_iter().map(|(key, channel)| {
            let InspectedChannel { inspector, row_count, span } = channel;
            (key, ChannelReport { quality: inspector.finish(), row_count, span })
        });
        let mut findings = self.transforms.findings();
        let mut offsets = Vec::new();
        let turning = self.turning.iter().filter(|(_, turning)| !turning.is_empty());
        let mut turning = turning.map(|((_, topic), turning)| (topic.as_str(), turning));
        if let Some(reference) = turning.next() {
            for other in turning.take(COMPARED_CHANNELS_MAX) {
                let (offset, finding) = lag_between(reference, other);
                offsets.push(offset);
                findings.extend(finding);
            }
        }
        Inspection {
            channels: channels.collect(),
            quality: RecordingQuality { offsets, findings, losses },
            mountings: Mountings { poses: self.transforms.mountings(), cameras: self.cameras },
        }
    }
}

/// What moved on a rig from an earlier pass to this one. Frames that one of them lacks are passed over.
pub(crate) fn mounting_findings(before: &Mountings, now: &Mountings) -> Vec<RecordingFinding> {
    let mut findings = Vec::new();
    for (key, pose) in &now.poses {
        if let Some(earlier) = before.poses.get(key) {
            let (child, parent) = key;
            let change = MountingChange::between(earlier, pose);
            findings.extend(change.findings(&format!("{parent} to {child}, since the last pass")));
        }
    }
    for (topic, camera) in &now.cameras {
        if let Some(earlier) = before.cameras.get(topic) {
            let subject = format!("{topic}, since the last pass");
            findings.extend(intrinsics_finding(&subject, earlier, camera));
        }
    }
    findings
}
