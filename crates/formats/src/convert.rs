//! An MRPT rawlog as an MCAP file and a trajectory: how the quickstart's recording is made.
//!
//! Invariant: every sample of the rawlog is in the MCAP; only the message types' own precision
//! (`f32` angles) is lost. The bytes follow from the arguments alone.
//! Metres and radians; ground truth is planar and is lifted to the plane `z = 0` of `map`.

use std::collections::BTreeMap;

use tiepoint_model::{
    ErrorKind, Pose2, Pose3, Stamps, Timestamp, Trajectory, TransformSample, time::NS_PER_S,
};

use crate::{
    ChannelKey, Container, ReadError, Samples, Table, TopicBatch, WriteError, read_all, write_mcap,
    write_tum,
};

/// A ground-truth row may differ from its scan's time by so much: the texts have microseconds,
/// made from floats of 238 ns steps.
const STAMP_TOLERANCE_NS: i64 = 10_000;

/// Where a fixed beacon stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BeaconPosition {
    /// Which beacon.
    pub beacon_id: u32,
    /// In `map`, metres.
    pub position_in_map_m: [f64; 3],
}

/// How the rows of a ground-truth text belong to the scans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroundTruthLayout {
    /// `index x y yaw`: row `k` belongs to sensory frame `k + offset`.
    FrameIndex {
        /// The frame of row 0.
        offset: usize,
    },
    /// `unix_s x y yaw`, one row per scan, in order; the scan's own exact time is used. Rows
    /// behind the last scan are left out.
    UnixSeconds,
}

/// What is not in the rawlog.
#[derive(Clone, Debug, PartialEq)]
pub struct ConvertOptions {
    /// Written as static transforms `map` from `beacon_<id>`, without rotation.
    pub beacons: Vec<BeaconPosition>,
    /// The layout of the ground-truth text, if one is given.
    pub ground_truth_layout: GroundTruthLayout,
    /// Metadata records of the MCAP.
    pub metadata: BTreeMap<String, BTreeMap<String, String>>,
}

/// What comes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Converted {
    /// The recording.
    pub mcap: Vec<u8>,
    /// Poses of `base_link` in `map`, as TUM text.
    pub ground_truth_tum: Option<String>,
    /// What was left out, in words.
    pub warnings: Vec<String>,
}

/// Why a rawlog could not be converted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConvertError {
    /// The rawlog does not decode.
    #[error("the rawlog does not decode")]
    Read(#[from] ReadError),
    /// The MCAP cannot be written.
    #[error("the MCAP cannot be written")]
    Write(#[from] WriteError),
    /// A row of the ground truth is not four numbers, or belongs to no scan.
    #[error("ground truth, line {line}: {problem}")]
    GroundTruth {
        /// Counts from 1.
        line: usize,
        /// What is wrong.
        problem: String,
    },
}

impl ConvertError {
    /// What a program should do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Read(error) => error.kind(),
            Self::Write(error) => error.kind(),
            Self::GroundTruth { .. } => ErrorKind::InvalidInput,
        }
    }

    /// What a person should do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Read(error) => error.hint(),
            Self::Write(error) => error.hint(),
            Self::GroundTruth { .. } => {
                "check that the ground truth belongs to this rawlog and has the layout asked for"
                    .into()
            }
        }
    }
}

/// Converts a rawlog, and its ground truth if there is one.
///
/// Topics are those of the rawlog reader: `/scan`, `/odom`, `/beacons`, `/tf_static`.
///
/// # Errors
/// [`ConvertError`]: the log does not decode, or the ground truth does not belong to it.
pub fn convert_rawlog_to_mcap(
    rawlog: &[u8],
    ground_truth: Option<&str>,
    options: &ConvertOptions,
) -> Result<Converted, ConvertError> {
    let (batches, summary) = read_all(Container::Rawlog, rawlog)?;
    let mut warnings = summary.warnings;
    let scan_times = scan_times(&batches);
    let ground_truth_tum = match ground_truth {
        Some(text) => {
            let (trajectory, left_out_count) =
                read_ground_truth(text, options.ground_truth_layout, &scan_times)?;
            if left_out_count > 0 {
                warnings.push(format!(
                    "{left_out_count} rows of ground truth behind the last scan were left out"
                ));
            }
            Some(write_tum(&trajectory))
        }
        None => None,
    };
    let mut channels: Vec<(ChannelKey, Samples)> = batches
        .into_iter()
        .filter_map(|TopicBatch { channel, samples, .. }| {
            Some((ChannelKey::ros2(&channel.topic, samples.table())?, samples))
        })
        .collect();
    add_beacons(&mut channels, &options.beacons);
    let mcap = write_mcap("ros2", &channels, &options.metadata)?;
    Ok(Converted { mcap, ground_truth_tum, warnings })
}

/// Puts the beacons' positions on `/tf_static`, at the first time of the recording, ahead of
/// what is there.
fn add_beacons(channels: &mut Vec<(ChannelKey, Samples)>, beacons: &[BeaconPosition]) {
    let first_time = channels.iter().filter_map(|(_, samples)| samples.stamps_at(0)).map(|s| s.log);
    let Some(first_time) = first_time.min().filter(|_| !beacons.is_empty()) else { return };
    let stamps = Stamps { log: first_time, publish: None, sensor: Some(first_time) };
    let mut rows: Vec<TransformSample> = beacons
        .iter()
        .map(|beacon| TransformSample {
            stamps,
            parent_frame_id: "map".to_owned(),
            child_frame_id: format!("beacon_{}", beacon.beacon_id),
            parent_from_child: Pose3 {
                translation_m: beacon.position_in_map_m.into(),
                ..Pose3::identity()
            },
        })
        .collect();
    let Some(key) = ChannelKey::ros2("/tf_static", Table::Transforms) else { return };
    let there = channels.iter_mut().find(|(channel, _)| *channel == key);
    match there {
        Some((_, Samples::Transforms(there))) => {
            rows.append(there);
            *there = rows;
        }
        _ => channels.push((key, Samples::Transforms(rows))),
    }
}

/// The time of each sensory frame that has a scan of the first scanner.
fn scan_times(batches: &[TopicBatch]) -> Vec<Timestamp> {
    let scans = batches.iter().find(|batch| batch.channel.topic == "/scan");
    scans.map_or_else(Vec::new, |batch| {
        batch.samples.stamps().iter().map(Stamps::measured).collect()
    })
}

/// The trajectory, and how many rows behind the last scan were left out.
fn read_ground_truth(
    text: &str,
    layout: GroundTruthLayout,
    scan_times: &[Timestamp],
) -> Result<(Trajectory, usize), ConvertError> {
    let (mut stamps, mut poses, mut left_out_count) = (Vec::new(), Vec::new(), 0);
    let mut scan_index = 0;
    for (index, line) in text.lines().enumerate() {
        let refuse = |problem: String| ConvertError::GroundTruth { line: index + 1, problem };
        let fields: Vec<&str> = line.split_whitespace().collect();
        if fields.is_empty() || fields[0].starts_with(['#', '%']) {
            continue;
        }
        let &[key, x, y, yaw] = fields.as_slice() else {
            return Err(refuse(format!("there are {} fields, not 4", fields.len())));
        };
        let number = |text: &str| match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(number),
            _ => Err(refuse(format!("`{text}` is no finite number"))),
        };
        let map_from_base = Pose2::new(number(x)?, number(y)?, number(yaw)?);
        let stamp = match layout {
            GroundTruthLayout::FrameIndex { offset } => {
                let row: usize =
                    key.parse().map_err(|_| refuse(format!("`{key}` is no row index")))?;
                let time = row.checked_add(offset).and_then(|frame| scan_times.get(frame));
                *time.ok_or_else(|| refuse(format!("row {row} belongs to no scan")))?
            }
            GroundTruthLayout::UnixSeconds => {
                let said = Timestamp::from_decimal_seconds(key)
                    .ok_or_else(|| refuse(format!("`{key}` is no time in seconds")))?;
                let Some(time) = scan_times.get(scan_index) else {
                    left_out_count += 1;
                    continue;
                };
                scan_index += 1;
                let off_ns = said.since(*time).0;
                if off_ns.saturating_abs() > STAMP_TOLERANCE_NS {
                    let off_s = off_ns / NS_PER_S;
                    return Err(refuse(format!(
                        "its time is {off_ns} ns ({off_s} s) from its scan's"
                    )));
                }
                *time
            }
        };
        stamps.push(stamp);
        poses.push(map_from_base.in_space());
    }
    let trajectory = Trajectory::new(stamps, poses).filter(|trajectory| !trajectory.is_empty());
    let empty = || ConvertError::GroundTruth { line: 1, problem: "there is no row".to_owned() };
    Ok((trajectory.ok_or_else(empty)?, left_out_count))
}
