//! MRPT rawlog: scans, beacon ranges and odometry increments of a planar robot.
//!
//! Invariant: the pose of `base_link` in `odom` is the identity at the first sensory frame; an
//! increment moves it from one frame to the next, and the moved pose has the time of the frame
//! it leads to. (An action's own time, where it has one, is the middle between its two frames:
//! a pose stamped with it would lag. Measured on a real log against ground truth.)
//!
//! A frame's time is that of its first observation that has one, the scan's in practice;
//! observations without a time take it. Byte offsets in errors count in the inflated stream.
//!
//! Comments are metadata under the name `comments`, counted from 1; they are of no time.
//!
//! Not here: other classes of observations. One of them ends the reading with an error.

mod object;

use std::io::Write;

use flate2::write::MultiGzDecoder;
use tiepoint_model::{
    BeaconRange, Pose2, Pose3, PoseSample, Scan, Stamps, Timestamp, TransformSample,
};

use self::object::{BeaconRanges, Frame, Increment, Object, ObjectError, Observation, RangeScan};
use crate::{
    ChannelKey, DecodeError, Limits, ReadError, Samples, Table, container::Collector,
    message::cursor::Cursor, reader::Container,
};

/// Frames of the rows, by REP-105.
const BASE: &str = "base_link";
const ODOM: &str = "odom";
const LASER: &str = "laser";
const ANTENNA: &str = "beacon_antenna";

/// What a comment holds in memory beside its text, however short that is.
const COMMENT_BYTES: usize = 64;

pub(crate) struct RawlogReader {
    source: Source,
    /// Inflated bytes that no object has taken yet.
    pending: Vec<u8>,
    /// Where `pending` starts in the inflated stream.
    offset_bytes: u64,
    /// Reading is tried again when so many bytes are pending.
    need_bytes: usize,
    /// Why the object at the front is not complete.
    incomplete: Option<DecodeError>,
    robot: Robot,
    limits: Limits,
}

/// How the bytes come.
enum Source {
    /// Fewer than two bytes were seen.
    Unknown(Vec<u8>),
    Plain,
    Gzip(Box<MultiGzDecoder<Vec<u8>>>),
}

/// What the log has said of the robot so far.
#[derive(Default)]
struct Robot {
    odom_from_base: Option<Pose2>,
    /// Poses after increments that wait for the frame they lead to.
    waiting: Vec<Pose2>,
    increments_before_first_frame: u64,
    lasers: Vec<Laser>,
    comment_count: usize,
    comment_bytes: usize,
}

/// A scanner, told apart by its label.
struct Laser {
    label: String,
    base_from_laser: Option<Pose3>,
}

impl RawlogReader {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            source: Source::Unknown(Vec::new()),
            pending: Vec::new(),
            offset_bytes: 0,
            need_bytes: 1,
            incomplete: None,
            robot: Robot::default(),
            limits,
        }
    }

    pub(crate) fn feed(&mut self, bytes: &[u8], out: &mut Collector) -> Result<(), ReadError> {
        if let Source::Unknown(first) = &mut self.source {
            first.extend_from_slice(bytes);
            if first.len() < 2 {
                return Ok(());
            }
            let first = std::mem::take(first);
            let is_gzip = first.starts_with(&[0x1f, 0x8b]);
            self.source = if is_gzip {
                Source::Gzip(Box::new(MultiGzDecoder::new(Vec::new())))
            } else {
                Source::Plain
            };
            return self.feed(&first, out);
        }
        // Deflate expands at most 1032 times: a piece of 4 KiB becomes 4 MiB at worst.
        const PIECE_BYTES: usize = 4096;
        for piece in bytes.chunks(PIECE_BYTES) {
            if let Source::Gzip(inflate) = &mut self.source {
                let written = inflate.write_all(piece);
                self.pending.append(inflate.get_mut());
                self.read_objects(out)?;
                written
                    .map_err(|error| self.malformed(format!("gzip does not inflate: {error}")))?;
            } else {
                self.pending.extend_from_slice(piece);
                self.read_objects(out)?;
            }
        }
        Ok(())
    }

    pub(crate) fn finish(&mut self, out: &mut Collector) -> Result<(), ReadError> {
        if let Source::Unknown(first) = &self.source {
            return Err(if first.is_empty() { ReadError::Empty } else { self.cut("an object") });
        }
        if let Source::Gzip(inflate) = &mut self.source {
            let finished = inflate.try_finish();
            self.pending.append(inflate.get_mut());
            self.read_objects(out)?;
            if finished.is_err() {
                return Err(self.cut("the gzip stream"));
            }
        }
        if !self.pending.is_empty() {
            return Err(self.cut("an object"));
        }
        let robot = &self.robot;
        let mut warn = |count: u64, what: &str| {
            if count > 0 {
                out.warnings.push(format!("{count} odometry increments {what}; they have no time"));
            }
        };
        warn(robot.increments_before_first_frame, "before the first sensory frame were left out");
        warn(robot.waiting.len() as u64, "behind the last sensory frame were left out");
        Ok(())
    }

    /// Up to which byte of the file objects were read; in a compressed file nobody can say.
    pub(crate) fn taken_bytes(&self) -> Option<u64> {
        (!matches!(self.source, Source::Gzip(_))).then_some(self.offset_bytes)
    }

    /// Reads every object that is complete.
    fn read_objects(&mut self, out: &mut Collector) -> Result<(), ReadError> {
        let mut taken = 0;
        let read = self.read_pending(&mut taken, out);
        self.pending.drain(..taken);
        self.offset_bytes += taken as u64;
        read
    }

    /// `taken` counts the bytes of the objects that were read, up to an error too.
    fn read_pending(&mut self, taken: &mut usize, out: &mut Collector) -> Result<(), ReadError> {
        while self.pending.len() - *taken >= self.need_bytes {
            let mut cursor = Cursor::packed(&self.pending[*taken..]);
            let at = self.offset_bytes + *taken as u64;
            match object::read(&mut cursor) {
                Ok(object) => {
                    self.robot.take(object, at, self.limits, out)?;
                    *taken += cursor.at();
                    self.need_bytes = 1;
                    self.incomplete = None;
                }
                Err(ObjectError::Decode(error)) => match missing_bytes(&error) {
                    Some(need_bytes) => self.wait_for(need_bytes, at, error)?,
                    None => return Err(broken(at, &error)),
                },
                Err(ObjectError::UnknownClass { class, at_byte }) => {
                    return Err(ReadError::UnknownClass {
                        class,
                        offset_bytes: at + at_byte as u64,
                    });
                }
                Err(ObjectError::UnknownVersion { class, version, at_byte }) => {
                    let offset_bytes = at + at_byte as u64;
                    return Err(ReadError::UnknownVersion { class, version, offset_bytes });
                }
            }
        }
        Ok(())
    }

    fn wait_for(&mut self, need_bytes: u64, at: u64, error: DecodeError) -> Result<(), ReadError> {
        let limit_bytes = self.limits.record_bytes_max as u64;
        if need_bytes > limit_bytes {
            return Err(ReadError::TooLarge {
                what: "an object",
                offset_bytes: at,
                size_bytes: need_bytes,
                limit_bytes,
            });
        }
        self.need_bytes = usize::try_from(need_bytes).unwrap_or(usize::MAX);
        self.incomplete = Some(error);
        Ok(())
    }

    fn cut(&self, what: &'static str) -> ReadError {
        ReadError::Truncated {
            container: Container::Rawlog,
            what,
            offset_bytes: self.offset_bytes,
            source: self.incomplete.clone(),
        }
    }

    fn malformed(&self, problem: String) -> ReadError {
        let offset_bytes = self.offset_bytes + self.pending.len() as u64;
        ReadError::Malformed { container: Container::Rawlog, offset_bytes, problem }
    }
}

/// How many bytes an object needs at least, if all that is wrong is that they have not come.
fn missing_bytes(error: &DecodeError) -> Option<u64> {
    match error {
        DecodeError::Short { at_byte, need_bytes, .. } => {
            Some(*at_byte as u64 + *need_bytes as u64)
        }
        DecodeError::Length { at_byte, count, item_bytes, .. } => {
            Some(count.saturating_mul(*item_bytes as u64).saturating_add(*at_byte as u64))
        }
        _ => None,
    }
}

fn broken(offset_bytes: u64, error: &DecodeError) -> ReadError {
    let problem = error.to_string();
    ReadError::Malformed { container: Container::Rawlog, offset_bytes, problem }
}

impl Robot {
    /// Turns an object into rows. `offset_bytes` is where it started.
    fn take(
        &mut self,
        object: Object,
        offset_bytes: u64,
        limits: Limits,
        out: &mut Collector,
    ) -> Result<(), ReadError> {
        match object {
            Object::Actions(increments) => {
                increments.into_iter().for_each(|increment| self.moved(&increment));
                Ok(())
            }
            Object::Frame(Frame { observations, comments }) => {
                for comment in comments {
                    self.commented(comment, offset_bytes, limits, out)?;
                }
                if observations.is_empty() {
                    return Ok(());
                }
                let time = observations.iter().find_map(Observation::time);
                let Some(time) = time else {
                    let problem = "a sensory frame has no observation with a time".to_owned();
                    let container = Container::Rawlog;
                    return Err(ReadError::Malformed { container, offset_bytes, problem });
                };
                self.arrived(time, out);
                for observation in observations {
                    let stamps = stamps_at(observation.time().unwrap_or(time));
                    match observation {
                        Observation::Scan(scan) => self.scanned(scan, stamps, out),
                        Observation::Beacons(ranges) => ranged(&ranges, stamps, out),
                    }
                }
                Ok(())
            }
        }
    }

    fn commented(
        &mut self,
        comment: String,
        offset_bytes: u64,
        limits: Limits,
        out: &mut Collector,
    ) -> Result<(), ReadError> {
        self.comment_count += 1;
        self.comment_bytes += COMMENT_BYTES + comment.len();
        if self.comment_bytes > limits.metadata_bytes_max {
            return Err(ReadError::TooLarge {
                what: "the log's comments",
                offset_bytes,
                size_bytes: self.comment_bytes as u64,
                limit_bytes: limits.metadata_bytes_max as u64,
            });
        }
        let comments = out.metadata.entry("comments".to_owned()).or_default();
        comments.insert(self.comment_count.to_string(), comment);
        Ok(())
    }

    fn moved(&mut self, increment: &Increment) {
        match &mut self.odom_from_base {
            Some(odom_from_base) => {
                *odom_from_base = *odom_from_base * increment.before_from_after;
                self.waiting.push(*odom_from_base);
            }
            None => self.increments_before_first_frame += 1,
        }
    }

    /// A frame: the poses that waited have its time.
    fn arrived(&mut self, time: Timestamp, out: &mut Collector) {
        if self.odom_from_base.is_none() {
            self.odom_from_base = Some(Pose2::IDENTITY);
            self.waiting.push(Pose2::IDENTITY);
        }
        let rows = self.waiting.drain(..).map(|odom_from_base| PoseSample {
            stamps: stamps_at(time),
            frame_id: ODOM.to_owned(),
            child_frame_id: BASE.to_owned(),
            frame_from_child: odom_from_base.in_space(),
        });
        let rows = Samples::Poses(rows.collect());
        put(out, "/odom", "CActionRobotMovement2D", rows);
    }

    fn scanned(&mut self, scan: RangeScan, stamps: Stamps, out: &mut Collector) {
        let index = self.laser_index(&scan.label);
        let laser = &mut self.lasers[index];
        let suffix = if index == 0 { String::new() } else { format!("_{}", index + 1) };
        let frame_id = format!("{LASER}{suffix}");
        if laser.base_from_laser != Some(scan.base_from_sensor) {
            laser.base_from_laser = Some(scan.base_from_sensor);
            let row = TransformSample {
                stamps,
                parent_frame_id: BASE.to_owned(),
                child_frame_id: frame_id.clone(),
                parent_from_child: scan.base_from_sensor,
            };
            put(out, "/tf_static", "CPose3D", Samples::Transforms(vec![row]));
        }
        let topic = format!("/scan{suffix}");
        let row = scan_row(scan, stamps, frame_id);
        put(out, &topic, "CObservation2DRangeScan", Samples::Scans(vec![row]));
    }

    fn laser_index(&mut self, label: &str) -> usize {
        self.lasers.iter().position(|laser| laser.label == label).unwrap_or_else(|| {
            self.lasers.push(Laser { label: label.to_owned(), base_from_laser: None });
            self.lasers.len() - 1
        })
    }
}

/// Beam i of n lies at `-aperture / 2 + i * aperture / (n - 1)` when scanned right to left.
///
/// A beam that the log calls invalid keeps its reading where that says so by itself (zero,
/// beyond the limit, not finite) and becomes NaN elsewhere: REP-117's erroneous reading.
fn scan_row(scan: RangeScan, stamps: Stamps, frame_id: String) -> Scan {
    let range_max_m = scan.range_max_m;
    let sign = if scan.right_to_left { 1.0 } else { -1.0 };
    let aperture_rad = sign * f64::from(scan.aperture_rad);
    let step_count = scan.ranges_m.len().saturating_sub(1).max(1);
    let ranges_m = scan.ranges_m.into_iter().zip(scan.is_valid).map(|(range_m, is_valid)| {
        let looks_valid = range_m > 0.0 && range_m <= range_max_m;
        if looks_valid && !is_valid { f32::NAN } else { range_m }
    });
    Scan {
        stamps,
        frame_id,
        angle_min_rad: -aperture_rad / 2.0,
        angle_increment_rad: aperture_rad / step_count as f64,
        range_min_m: 0.0,
        range_max_m: f64::from(range_max_m),
        time_increment_s: 0.0,
        ranges_m: ranges_m.collect(),
        intensities: scan.intensities,
    }
}

fn ranged(ranges: &BeaconRanges, stamps: Stamps, out: &mut Collector) {
    let rows = ranges.readings.iter().map(|reading| BeaconRange {
        stamps,
        frame_id: ANTENNA.to_owned(),
        beacon_id: reading.beacon_id,
        range_m: reading.range_m,
        antenna_in_base_m: reading.antenna_in_base_m,
    });
    put(out, "/beacons", "CObservationBeaconRanges", Samples::Ranges(rows.collect()));
}

/// The log has one clock, the sensors'.
fn stamps_at(time: Timestamp) -> Stamps {
    Stamps { log: time, publish: None, sensor: Some(time) }
}

fn put(out: &mut Collector, topic: &str, class: &str, rows: Samples) {
    if rows.is_empty() {
        return;
    }
    let channel = ChannelKey {
        topic: topic.to_owned(),
        message_type: class.to_owned(),
        encoding: "rawlog".to_owned(),
    };
    let table: Table = rows.table();
    let index = out.slot_index(&channel, table);
    let slot = out.slot(index);
    slot.message_count += 1;
    // The slot was made for this table, so the rows always fit.
    let _ = slot.samples.append(rows);
}
