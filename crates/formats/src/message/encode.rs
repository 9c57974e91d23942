//! One CDR encoder per message type: samples to ROS 2 messages, little endian.
//!
//! Invariant: what [`super::decode`] reads back is what was written, up to the precision of the
//! message's own fields (`f32` for the angles and limits of a laser scan) and of one conversion
//! between rotation matrix and quaternion. Fields that a sample does not have are zero, which is
//! ROS's "not known"; a missing sensor stamp is a header stamp of zero.

mod sensors;

use std::ops::Range;

use tiepoint_model::{
    BeaconRange, ImageSample, ImuSample, PointCloud, Pose3, PoseSample, Scan, Timestamp,
    TransformSample, TwistSample, time::NS_PER_S,
};

use super::MessageKind;
use crate::Samples;

/// Why a sample does not fit the message type of its channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum EncodeError {
    /// The message has no place for a field that is not empty.
    NoPlace { field: &'static str },
    /// A header stamp holds seconds in 31 bits.
    Stamp { time_ns: i64 },
    /// Columns of one cloud differ in length, or a count exceeds 32 bits.
    Length { field: &'static str },
    /// The bytes of an image lie in the original, not in the row.
    PayloadElsewhere,
    /// The table is not the type's.
    Table,
}

/// The end of the message that starts at row `start`: transforms of one log and publish time
/// share a message, and so do ranges that share every stamp, the frame and the antenna.
pub(crate) fn message_end(samples: &Samples, start: usize) -> usize {
    let same_run = |is_same: &dyn Fn(usize) -> bool| {
        let behind = start + 1..samples.len();
        behind.take_while(|index| is_same(*index)).last().map_or(start + 1, |last| last + 1)
    };
    match samples {
        Samples::Transforms(rows) => same_run(&|index| {
            let (a, b) = (&rows[start].stamps, &rows[index].stamps);
            (a.log, a.publish) == (b.log, b.publish)
        }),
        Samples::Ranges(rows) => same_run(&|index| {
            let (a, b) = (&rows[start], &rows[index]);
            let bits = |row: &BeaconRange| row.antenna_in_base_m.map(f64::to_bits);
            a.stamps == b.stamps && a.frame_id == b.frame_id && bits(a) == bits(b)
        }),
        _ => start + 1,
    }
}

/// Room for the fields of an image beside its pixels, with padding and a name of its encoding.
const IMAGE_FIELDS_BYTES: usize = 128;

/// Encodes the rows of one message. Images have their own [`encode_image`].
pub(crate) fn encode(
    kind: MessageKind,
    samples: &Samples,
    rows: Range<usize>,
) -> Result<Vec<u8>, EncodeError> {
    let mut out = CdrWriter::new();
    let first = rows.start;
    match (kind, samples) {
        (MessageKind::LaserScan, Samples::Scans(all)) => laser_scan(&mut out, &all[first])?,
        (MessageKind::PointCloud2, Samples::Points(all)) => point_cloud(&mut out, &all[first])?,
        (MessageKind::Imu, Samples::Imu(all)) => imu(&mut out, &all[first])?,
        (MessageKind::Odometry, Samples::Poses(all)) => odometry(&mut out, &all[first])?,
        (MessageKind::PoseStamped, Samples::Poses(all)) => pose_stamped(&mut out, &all[first])?,
        (MessageKind::Transforms, Samples::Transforms(all)) => transforms(&mut out, &all[rows])?,
        (MessageKind::Twist, Samples::Twists(all)) => twist(&mut out, &all[first])?,
        (MessageKind::TwistStamped, Samples::Twists(all)) => {
            out.header(all[first].stamps.sensor, &all[first].frame_id)?;
            out.f64s(&all[first].linear_m_per_s);
            out.f64s(&all[first].angular_rad_per_s);
        }
        (MessageKind::BeaconRanges, Samples::Ranges(all)) => beacon_ranges(&mut out, &all[rows])?,
        (MessageKind::PoseWithCovarianceStamped, Samples::Poses(all)) => {
            pose_stamped(&mut out, &all[first])?;
            out.f64s(&[0.0; 36]);
        }
        (MessageKind::NavSatFix, Samples::Gnss(all)) => sensors::gnss(&mut out, &all[first])?,
        (MessageKind::MagneticField, Samples::Magnetic(all)) => {
            sensors::magnetic(&mut out, &all[first])?;
        }
        (MessageKind::JointState, Samples::Joints(all)) => {
            sensors::joints(&mut out, &all[first])?;
        }
        (MessageKind::CameraInfo, Samples::Cameras(all)) => {
            sensors::camera(&mut out, &all[first])?;
        }
        (MessageKind::Range, Samples::RangeReadings(all)) => {
            sensors::range(&mut out, &all[first])?;
        }
        (MessageKind::Path, Samples::Paths(all)) => sensors::path(&mut out, &all[first])?,
        (MessageKind::OccupancyGrid, Samples::Grids(all)) => {
            sensors::grid(&mut out, &all[first])?;
        }
        (MessageKind::Image | MessageKind::CompressedImage, Samples::Images(_)) => {
            return Err(EncodeError::PayloadElsewhere);
        }
        _ => return Err(EncodeError::Table),
    }
    Ok(out.bytes)
}

/// Encodes one image around its pixels.
pub(crate) fn encode_image(
    kind: MessageKind,
    image: &ImageSample,
    payload: &[u8],
) -> Result<Vec<u8>, EncodeError> {
    let mut out = CdrWriter::new();
    out.bytes.reserve_exact(payload.len() + image.frame_id.len() + IMAGE_FIELDS_BYTES);
    match kind {
        MessageKind::Image => sensors::image(&mut out, image, payload)?,
        MessageKind::CompressedImage => sensors::compressed_image(&mut out, image, payload)?,
        _ => return Err(EncodeError::Table),
    }
    Ok(out.bytes)
}

/// Writes CDR numbers, each aligned to its size behind the encapsulation header.
struct CdrWriter {
    bytes: Vec<u8>,
}

impl CdrWriter {
    fn new() -> Self {
        // Representation 0x0001: plain CDR, little endian; two bytes of options.
        Self { bytes: vec![0, 1, 0, 0] }
    }

    fn put<const N: usize>(&mut self, number: [u8; N]) {
        // The header's four bytes do not count for alignment.
        let padding = (self.bytes.len() - 4).wrapping_neg() & (N - 1);
        self.bytes.resize(self.bytes.len() + padding, 0);
        self.bytes.extend_from_slice(&number);
    }

    fn u32(&mut self, value: u32) {
        self.put(value.to_le_bytes());
    }

    fn f32(&mut self, value: f32) {
        self.put(value.to_le_bytes());
    }

    #[expect(clippy::cast_possible_truncation, reason = "the field is f32 by definition")]
    fn f64_as_f32(&mut self, value: f64) {
        self.f32(value as f32);
    }

    fn f64s(&mut self, values: &[f64]) {
        values.iter().for_each(|value| self.put(value.to_le_bytes()));
    }

    fn count(&mut self, count: usize, field: &'static str) -> Result<(), EncodeError> {
        self.u32(u32::try_from(count).map_err(|_| EncodeError::Length { field })?);
        Ok(())
    }

    fn string(&mut self, text: &str, field: &'static str) -> Result<(), EncodeError> {
        self.count(text.len() + 1, field)?;
        self.bytes.extend_from_slice(text.as_bytes());
        self.bytes.push(0);
        Ok(())
    }

    fn u8_array(&mut self, bytes: &[u8], field: &'static str) -> Result<(), EncodeError> {
        self.count(bytes.len(), field)?;
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn f32_array(&mut self, values: &[f32], field: &'static str) -> Result<(), EncodeError> {
        self.count(values.len(), field)?;
        self.bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        Ok(())
    }

    fn f64_array(&mut self, values: &[f64], field: &'static str) -> Result<(), EncodeError> {
        self.count(values.len(), field)?;
        self.f64s(values);
        Ok(())
    }

    fn time(&mut self, time: Option<Timestamp>) -> Result<(), EncodeError> {
        let time_ns = time.map_or(0, |time| time.0);
        let seconds = i32::try_from(time_ns.div_euclid(NS_PER_S))
            .map_err(|_| EncodeError::Stamp { time_ns })?;
        let nanoseconds = u32::try_from(time_ns.rem_euclid(NS_PER_S))
            .map_err(|_| EncodeError::Stamp { time_ns })?;
        self.put(seconds.to_le_bytes());
        self.u32(nanoseconds);
        Ok(())
    }

    fn header(&mut self, stamp: Option<Timestamp>, frame_id: &str) -> Result<(), EncodeError> {
        self.time(stamp)?;
        self.string(frame_id, "frame_id")
    }

    fn pose(&mut self, pose: &Pose3) {
        self.f64s(pose.translation_m.as_slice());
        self.f64s(&pose.quaternion_xyzw());
    }
}

fn laser_scan(out: &mut CdrWriter, scan: &Scan) -> Result<(), EncodeError> {
    let last_beam = scan.ranges_m.len().saturating_sub(1);
    out.header(scan.stamps.sensor, &scan.frame_id)?;
    out.f64_as_f32(scan.angle_min_rad);
    out.f64_as_f32(scan.angle_rad(last_beam));
    out.f64_as_f32(scan.angle_increment_rad);
    out.f64_as_f32(scan.time_increment_s);
    out.f32(0.0);
    out.f64_as_f32(scan.range_min_m);
    out.f64_as_f32(scan.range_max_m);
    out.f32_array(&scan.ranges_m, "ranges")?;
    out.f32_array(&scan.intensities, "intensities")
}

fn point_cloud(out: &mut CdrWriter, cloud: &PointCloud) -> Result<(), EncodeError> {
    const FLOAT32: u8 = 7;
    let count = cloud.x_m.len();
    let has_intensity = !cloud.intensity.is_empty();
    if cloud.y_m.len() != count || cloud.z_m.len() != count {
        return Err(EncodeError::Length { field: "x, y, z" });
    }
    if has_intensity && cloud.intensity.len() != count {
        return Err(EncodeError::Length { field: "intensity" });
    }
    let names: &[&str] =
        if has_intensity { &["x", "y", "z", "intensity"] } else { &["x", "y", "z"] };
    let point_bytes = 4 * names.len();

    out.header(cloud.stamps.sensor, &cloud.frame_id)?;
    out.u32(1);
    out.count(count, "width")?;
    out.count(names.len(), "fields")?;
    for (index, name) in names.iter().enumerate() {
        out.string(name, "fields.name")?;
        out.count(4 * index, "fields.offset")?;
        out.put([FLOAT32]);
        out.u32(1);
    }
    out.put([0]);
    out.count(point_bytes, "point_step")?;
    out.count(point_bytes * count, "row_step")?;
    out.count(point_bytes * count, "data")?;
    for index in 0..count {
        let point = [cloud.x_m[index], cloud.y_m[index], cloud.z_m[index]];
        out.bytes.extend(point.iter().flat_map(|value| value.to_le_bytes()));
        if let Some(intensity) = cloud.intensity.get(index) {
            out.bytes.extend(intensity.to_le_bytes());
        }
    }
    let columns = [&cloud.x_m, &cloud.y_m, &cloud.z_m];
    let is_dense = columns.into_iter().flatten().all(|value| value.is_finite());
    out.put([u8::from(is_dense)]);
    Ok(())
}

fn imu(out: &mut CdrWriter, sample: &ImuSample) -> Result<(), EncodeError> {
    out.header(sample.stamps.sensor, &sample.frame_id)?;
    out.f64s(&sample.orientation_xyzw.unwrap_or([0.0, 0.0, 0.0, 1.0]));
    // -1 in the first place says that there is no estimate.
    let mut covariance = [0.0; 9];
    covariance[0] = if sample.orientation_xyzw.is_none() { -1.0 } else { 0.0 };
    out.f64s(&covariance);
    out.f64s(&sample.angular_rate_rad_per_s);
    out.f64s(&[0.0; 9]);
    out.f64s(&sample.acceleration_m_per_s2);
    out.f64s(&[0.0; 9]);
    Ok(())
}

fn pose_stamped(out: &mut CdrWriter, sample: &PoseSample) -> Result<(), EncodeError> {
    if !sample.child_frame_id.is_empty() {
        return Err(EncodeError::NoPlace { field: "child_frame_id" });
    }
    out.header(sample.stamps.sensor, &sample.frame_id)?;
    out.pose(&sample.frame_from_child);
    Ok(())
}

fn odometry(out: &mut CdrWriter, sample: &PoseSample) -> Result<(), EncodeError> {
    out.header(sample.stamps.sensor, &sample.frame_id)?;
    out.string(&sample.child_frame_id, "child_frame_id")?;
    out.pose(&sample.frame_from_child);
    out.f64s(&[0.0; 36 + 6 + 36]);
    Ok(())
}

fn transforms(out: &mut CdrWriter, rows: &[TransformSample]) -> Result<(), EncodeError> {
    out.count(rows.len(), "transforms")?;
    for row in rows {
        out.header(row.stamps.sensor, &row.parent_frame_id)?;
        out.string(&row.child_frame_id, "child_frame_id")?;
        out.pose(&row.parent_from_child);
    }
    Ok(())
}

fn twist(out: &mut CdrWriter, sample: &TwistSample) -> Result<(), EncodeError> {
    if sample.stamps.sensor.is_some() {
        return Err(EncodeError::NoPlace { field: "the sensor stamp" });
    }
    if !sample.frame_id.is_empty() {
        return Err(EncodeError::NoPlace { field: "frame_id" });
    }
    out.f64s(&sample.linear_m_per_s);
    out.f64s(&sample.angular_rad_per_s);
    Ok(())
}

fn beacon_ranges(out: &mut CdrWriter, rows: &[BeaconRange]) -> Result<(), EncodeError> {
    let Some(first) = rows.first() else { return Err(EncodeError::Table) };
    out.header(first.stamps.sensor, &first.frame_id)?;
    out.f64s(&first.antenna_in_base_m);
    out.f64s(&[0.0, 0.0, 0.0, 1.0]);
    // Limits and standard deviation are not known.
    out.f32(0.0);
    out.f32(0.0);
    out.f32(0.0);
    out.count(rows.len(), "sensed_data")?;
    for row in rows {
        out.f32(row.range_m);
        out.put(row.beacon_id.cast_signed().to_le_bytes());
    }
    Ok(())
}
