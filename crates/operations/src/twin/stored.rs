//! What a twin is made from, as it lies in the lake: three blobs, and the simulation they determine.
//!
//! Invariant: the same blobs and seed give the same bytes, on any machine, in any profile, with any number of threads.
//! The map and the plan of a run are blobs of their own, so twins that differ in their sensors share them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tiepoint_formats::{ChannelKey, Samples, write_mcap};
use tiepoint_model::{
    Digest, Pose2, RecordingId, Scan, Seed, Stamps, Timestamp, WallMap, claim::RangeErrorKind,
    sensor::TwinParameters,
};
use tiepoint_reconstruct::trajectory::StampedPose;
use tiepoint_simulate::{
    FrameNames, RangeSlot, ScanGeometry, TimedPose, TwinInput, TwinOutput, World, simulate_twin,
};

use super::{calibrate::CalibrationReport, edges};
use crate::{Error, Half, Platform, ingest::GROUND_TRUTH_TOPIC, run::Run};

/// The version of the stored form that this program writes and reads.
const FORMAT_VERSION: u32 = 1;

/// The name of this generator, as derivations carry it.
pub(crate) const GENERATOR: &str = concat!("tiepoint-simulate ", env!("CARGO_PKG_VERSION"));

/// The blob that a derivation names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TwinManifest {
    format_version: u32,
    generator: String,
    /// The real recording.
    pub(crate) anchor: RecordingId,
    /// The half everything was fitted on.
    pub(crate) calibration: Half,
    /// The model of range errors, if the recording has ranges.
    pub(crate) range_error: Option<RangeErrorKind>,
    /// Blob of the map.
    pub(crate) map: Digest,
    /// Blob of the plan.
    pub(crate) plan: Digest,
    /// The fitted sensors.
    pub(crate) parameters: TwinParameters,
    /// How they were fitted.
    pub(crate) report: CalibrationReport,
}

/// Where the robot was, and when each sensor spoke: common to all twins of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunPlan {
    trajectory: Vec<(StoredStamps, Pose2)>,
    geometry: ScanGeometry,
    scan_stamps: Vec<StoredStamps>,
    odometry_stamps: Vec<StoredStamps>,
    range_slots: Vec<(StoredStamps, u32)>,
    antenna_in_base_m: [f64; 3],
    frames: FrameNames,
    topics: PlanTopics,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanTopics {
    scan: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredStamps {
    log_time_ns: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    publish_time_ns: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    sensor_time_ns: Option<Timestamp>,
}

impl From<Stamps> for StoredStamps {
    fn from(stamps: Stamps) -> Self {
        Self {
            log_time_ns: stamps.log,
            publish_time_ns: stamps.publish,
            sensor_time_ns: stamps.sensor,
        }
    }
}

impl From<StoredStamps> for Stamps {
    fn from(stored: StoredStamps) -> Self {
        Self {
            log: stored.log_time_ns,
            publish: stored.publish_time_ns,
            sensor: stored.sensor_time_ns,
        }
    }
}

impl RunPlan {
    /// The plan of a real run whose robot was at `poses`, one per scan.
    pub(crate) fn of(run: &Run, poses: &[Pose2]) -> Result<Self, Error> {
        let first = run.scans.first().ok_or_else(|| Error::CannotTwin {
            recording: run.recording.name.clone(),
            reason: "it has no planar laser scans".to_owned(),
        })?;
        let geometry = ScanGeometry::of(first);
        if let Some(index) = run.scans.iter().position(|scan| ScanGeometry::of(scan) != geometry) {
            return Err(Error::CannotTwin {
                recording: run.recording.name.clone(),
                reason: format!("scan {index} has other beams or limits than the first"),
            });
        }
        let stored = |stamps: Stamps| StoredStamps::from(stamps);
        let mut trajectory: Vec<(StoredStamps, Pose2)> =
            run.scans.iter().zip(poses).map(|(scan, pose)| (stored(scan.stamps), *pose)).collect();
        trajectory.dedup_by(|later, earlier| {
            Stamps::from(later.0).measured() <= Stamps::from(earlier.0).measured()
        });
        let antenna = run.ranges.first().map_or("antenna", |range| range.frame_id.as_str());
        Ok(Self {
            trajectory,
            geometry,
            scan_stamps: run.scans.iter().map(|scan| stored(scan.stamps)).collect(),
            odometry_stamps: in_order(run.odometry.iter().map(|pose| pose.stamps)),
            range_slots: run.ranges.iter().map(|r| (stored(r.stamps), r.beacon_id)).collect(),
            antenna_in_base_m: run.antenna_in_base_m(),
            frames: FrameNames {
                map: "map".to_owned(),
                odom: "odom".to_owned(),
                base: "base_link".to_owned(),
                laser: first.frame_id.clone(),
                antenna: antenna.to_owned(),
            },
            topics: PlanTopics { scan: run.scan_topic.clone() },
        })
    }
}

fn in_order(stamps: impl Iterator<Item = Stamps>) -> Vec<StoredStamps> {
    let mut stamps: Vec<Stamps> = stamps.collect();
    stamps.sort_by_key(Stamps::measured);
    stamps.into_iter().map(StoredStamps::from).collect()
}

/// Which sensors to simulate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Channels {
    /// The scanner.
    pub(crate) scans: bool,
    /// The beacons' ranges.
    pub(crate) ranges: bool,
}

/// A twin's inputs, ready to simulate.
pub(crate) struct TwinInputs {
    pub(crate) manifest: TwinManifest,
    pub(crate) map: WallMap,
    plan: RunPlan,
    world: World,
}

impl TwinInputs {
    /// Simulates the run.
    pub(crate) fn simulate(&self, seed: Seed, channels: Channels) -> Result<TwinOutput, Error> {
        let plan = &self.plan;
        let stamps = |stored: &[StoredStamps]| stored.iter().map(|s| Stamps::from(*s)).collect();
        let trajectory: Vec<TimedPose> = plan
            .trajectory
            .iter()
            .map(|(stored, pose)| TimedPose { stamps: Stamps::from(*stored), map_from_base: *pose })
            .collect();
        let scan_stamps: Vec<Stamps> =
            if channels.scans { stamps(&plan.scan_stamps) } else { Vec::new() };
        let odometry_stamps: Vec<Stamps> = match self.manifest.parameters.odometry {
            Some(_) => stamps(&plan.odometry_stamps),
            None => Vec::new(),
        };
        let range_slots: Vec<RangeSlot> = plan
            .range_slots
            .iter()
            .filter(|_| channels.ranges)
            .map(|(stored, beacon_id)| RangeSlot {
                stamps: Stamps::from(*stored),
                beacon_id: *beacon_id,
            })
            .filter(|slot| {
                let beacons = &self.manifest.parameters.beacons;
                beacons.iter().any(|beacon| beacon.beacon_id == slot.beacon_id)
            })
            .collect();
        let input = TwinInput {
            world: &self.world,
            trajectory: &trajectory,
            geometry: plan.geometry,
            scan_stamps: &scan_stamps,
            odometry_stamps: &odometry_stamps,
            range_slots: &range_slots,
            antenna_in_base_m: plan.antenna_in_base_m,
            parameters: &self.manifest.parameters,
            frames: &plan.frames,
        };
        Ok(simulate_twin(&input, seed)?)
    }

    /// Where the robot is in the twin, at the time of each scan.
    pub(crate) fn trajectory(&self) -> Vec<StampedPose> {
        let poses = self.plan.trajectory.iter();
        poses
            .map(|(stored, pose)| StampedPose {
                stamp: Stamps::from(*stored).measured(),
                fixed_from_base: *pose,
            })
            .collect()
    }

    /// The twin as a log, ready for the door.
    pub(crate) fn to_mcap(&self, seed: Seed) -> Result<Vec<u8>, Error> {
        let twin = self.simulate(seed, Channels { scans: true, ranges: true })?;
        let mut channels = Vec::new();
        let mut add = |topic: &str, samples: Samples| {
            let key = ChannelKey::ros2(topic, samples.table());
            if let (Some(key), false) = (key, samples.is_empty()) {
                channels.push((key, samples));
            }
        };
        add(&self.plan.topics.scan, Samples::Scans(twin.scans));
        add(edges::ODOMETRY_TOPIC, Samples::Poses(twin.odometry));
        add(GROUND_TRUTH_TOPIC, Samples::Poses(twin.truth));
        add(edges::BEACONS_TOPIC, Samples::Ranges(twin.ranges));
        add(edges::STATIC_TRANSFORMS_TOPIC, Samples::Transforms(twin.static_transforms));
        let facts = BTreeMap::from([
            ("origin".to_owned(), "synthetic".to_owned()),
            ("generator".to_owned(), self.manifest.generator.clone()),
            ("anchor".to_owned(), self.manifest.anchor.to_string()),
            ("calibrated_on".to_owned(), self.manifest.calibration.as_str().to_owned()),
            ("seed".to_owned(), seed.0.to_string()),
        ]);
        let metadata = BTreeMap::from([("tiepoint".to_owned(), facts)]);
        Ok(write_mcap("ros2", &channels, &metadata)?)
    }
}

/// Stores a value as a blob of JSON and answers with its name.
async fn store_json<T: Serialize>(platform: &Platform, value: &T) -> Result<Digest, Error> {
    let bytes = serde_json::to_vec(value).map_err(Error::Json)?;
    let (id, _) = platform.store.objects.put_blob(std::io::Cursor::new(bytes)).await?;
    Ok(id.blake3)
}

async fn load_json<T: DeserializeOwned>(platform: &Platform, blob: &Digest) -> Result<T, Error> {
    let bytes = platform.store.objects.get_blob(blob).await?;
    serde_json::from_slice(&bytes).map_err(Error::Json)
}

/// Everything that distinguishes one twin of a run from another.
pub(crate) struct Configuration {
    pub(crate) anchor: RecordingId,
    pub(crate) calibration: Half,
    pub(crate) range_error: Option<RangeErrorKind>,
    pub(crate) parameters: TwinParameters,
    pub(crate) report: CalibrationReport,
}

/// Stores a twin's inputs; answers with the blob that its derivation names, and all blobs.
pub(crate) async fn save(
    platform: &Platform,
    configuration: Configuration,
    map: &WallMap,
    plan: &RunPlan,
) -> Result<(Digest, Vec<Digest>), Error> {
    let manifest = TwinManifest {
        format_version: FORMAT_VERSION,
        generator: GENERATOR.to_owned(),
        anchor: configuration.anchor,
        calibration: configuration.calibration,
        range_error: configuration.range_error,
        map: store_json(platform, map).await?,
        plan: store_json(platform, plan).await?,
        parameters: configuration.parameters,
        report: configuration.report,
    };
    let digest = store_json(platform, &manifest).await?;
    Ok((digest, vec![digest, manifest.map, manifest.plan]))
}

/// The description of a twin, without its map and plan.
pub(crate) async fn manifest(platform: &Platform, blob: &Digest) -> Result<TwinManifest, Error> {
    load_json(platform, blob).await
}

/// Reads a twin's inputs back.
pub(crate) async fn load(platform: &Platform, blob: &Digest) -> Result<TwinInputs, Error> {
    let manifest: TwinManifest = manifest(platform, blob).await?;
    let map: WallMap = load_json(platform, &manifest.map).await?;
    let plan: RunPlan = load_json(platform, &manifest.plan).await?;
    let world = World::new(&map)?;
    Ok(TwinInputs { manifest, map, plan, world })
}

/// The scans of the run that lie in a half, with their poses.
pub(crate) fn of_half(run: &Run, poses: &[Pose2], half: Half) -> (Vec<Scan>, Vec<Pose2>) {
    let Some(span) = run.span() else { return (Vec::new(), Vec::new()) };
    let in_half =
        run.scans.iter().zip(poses).filter(|(scan, _)| span.is_in(half, scan.stamps.measured()));
    in_half.map(|(scan, pose)| (scan.clone(), *pose)).unzip()
}
