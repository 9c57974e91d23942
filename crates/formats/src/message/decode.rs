//! One decoder per message type, for ROS 1 and ROS 2 alike.
//!
//! Invariant: a message is decoded whole or refused; nothing is guessed.
//! A header stamp of zero is ROS's "not set" and becomes no sensor stamp.
//!
//! Source: the definitions in `sensor_msgs`, `geometry_msgs`, `nav_msgs`, `tf2_msgs` and
//! `mrpt_msgs`, as written out in [`super::schema_text`].

mod cloud;
mod mapping;
mod sensors;

use tiepoint_model::{
    BeaconRange, ImuSample, PayloadBase, PoseSample, Scan, Stamps, Timestamp, TransformSample,
    TwistSample, time::NS_PER_S,
};

use super::{MessageKind, cursor::Cursor};
use crate::{DecodeError, Samples, pose::pose_or_nan};

/// What the container says of one message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    /// The sensor stamp is not looked at.
    pub(crate) stamps: Stamps,
    /// Which file of the recording.
    pub(crate) file_index: u32,
    /// What the offset counts from.
    pub(crate) base: PayloadBase,
    /// Of the first byte of the message.
    pub(crate) offset_bytes: u64,
    /// The first byte of the record, or of the chunk that holds it, in the file.
    pub(crate) record_offset_bytes: u64,
    /// Where that record ends.
    pub(crate) record_end_bytes: u64,
}

/// Decodes one message behind the rows of its channel.
pub(crate) fn decode(
    kind: MessageKind,
    mut cursor: Cursor<'_>,
    arrival: &Arrival,
    into: &mut Samples,
) -> Result<(), DecodeError> {
    let c = &mut cursor;
    match (kind, into) {
        (MessageKind::LaserScan, Samples::Scans(rows)) => rows.push(laser_scan(c, arrival)?),
        (MessageKind::PointCloud2, Samples::Points(rows)) => {
            rows.push(cloud::point_cloud(c, arrival)?)
        }
        (MessageKind::Imu, Samples::Imu(rows)) => rows.push(imu(c, arrival)?),
        (MessageKind::Odometry, Samples::Poses(rows)) => rows.push(odometry(c, arrival)?),
        (MessageKind::PoseStamped, Samples::Poses(rows)) => rows.push(pose_stamped(c, arrival)?),
        (MessageKind::Transforms, Samples::Transforms(rows)) => transforms(c, arrival, rows)?,
        (MessageKind::Twist, Samples::Twists(rows)) => rows.push(twist(c, arrival, false)?),
        (MessageKind::TwistStamped, Samples::Twists(rows)) => rows.push(twist(c, arrival, true)?),
        (MessageKind::BeaconRanges, Samples::Ranges(rows)) => beacon_ranges(c, arrival, rows)?,
        (MessageKind::PoseWithCovarianceStamped, Samples::Poses(rows)) => {
            rows.push(pose_stamped(c, arrival)?);
            c.f64s::<36>("covariance")?;
        }
        (MessageKind::NavSatFix, Samples::Gnss(rows)) => rows.push(sensors::gnss(c, arrival)?),
        (MessageKind::MagneticField, Samples::Magnetic(rows)) => {
            rows.push(sensors::magnetic(c, arrival)?);
        }
        (MessageKind::JointState, Samples::Joints(rows)) => {
            rows.push(sensors::joints(c, arrival)?);
        }
        (MessageKind::CameraInfo, Samples::Cameras(rows)) => {
            rows.push(sensors::camera(c, arrival)?);
        }
        (MessageKind::Image, Samples::Images(rows)) => rows.push(sensors::image(c, arrival)?),
        (MessageKind::CompressedImage, Samples::Images(rows)) => {
            rows.push(sensors::compressed_image(c, arrival)?);
        }
        (MessageKind::Range, Samples::RangeReadings(rows)) => {
            rows.push(sensors::range(c, arrival)?);
        }
        (MessageKind::Path, Samples::Paths(rows)) => rows.push(mapping::path(c, arrival)?),
        (MessageKind::OccupancyGrid, Samples::Grids(rows)) => {
            rows.push(mapping::grid(c, arrival)?);
        }
        (_, rows) => {
            return Err(c.refuse("type", format!("does not belong in table `{}`", rows.table())));
        }
    }
    cursor.end()
}

/// `std_msgs/Header`.
fn header<'a>(c: &mut Cursor<'a>, arrival: &Arrival) -> Result<(Stamps, &'a str), DecodeError> {
    if c.is_packed() {
        c.skip(4, "header.seq")?;
    }
    let sensor = time(c, "header.stamp")?;
    Ok((Stamps { sensor, ..arrival.stamps }, c.string("header.frame_id")?))
}

/// A time of seconds and nanoseconds; zero is none. ROS 2 counts signed seconds.
fn time(c: &mut Cursor<'_>, field: &'static str) -> Result<Option<Timestamp>, DecodeError> {
    let seconds = if c.is_packed() { i64::from(c.u32(field)?) } else { i64::from(c.i32(field)?) };
    let nanoseconds = i64::from(c.u32(field)?);
    // At most 2^32 seconds and 2^32 nanoseconds: far inside 63 bits.
    let time_ns = seconds * NS_PER_S + nanoseconds;
    Ok((time_ns != 0).then_some(Timestamp(time_ns)))
}

fn laser_scan(c: &mut Cursor<'_>, arrival: &Arrival) -> Result<Scan, DecodeError> {
    let (stamps, frame_id) = header(c, arrival)?;
    let angle_min_rad = f64::from(c.f32("angle_min")?);
    c.f32("angle_max")?;
    let angle_increment_rad = f64::from(c.f32("angle_increment")?);
    let time_increment_s = f64::from(c.f32("time_increment")?);
    c.f32("scan_time")?;
    Ok(Scan {
        stamps,
        frame_id: frame_id.to_owned(),
        angle_min_rad,
        angle_increment_rad,
        range_min_m: f64::from(c.f32("range_min")?),
        range_max_m: f64::from(c.f32("range_max")?),
        time_increment_s,
        ranges_m: c.f32_array("ranges")?,
        intensities: c.f32_array("intensities")?,
    })
}

fn imu(c: &mut Cursor<'_>, arrival: &Arrival) -> Result<ImuSample, DecodeError> {
    let (stamps, frame_id) = header(c, arrival)?;
    let orientation_xyzw = c.f64s::<4>("orientation")?;
    let covariance = c.f64s::<9>("orientation_covariance")?;
    let angular_rate_rad_per_s = c.f64s::<3>("angular_velocity")?;
    c.f64s::<9>("angular_velocity_covariance")?;
    let acceleration_m_per_s2 = c.f64s::<3>("linear_acceleration")?;
    c.f64s::<9>("linear_acceleration_covariance")?;
    // By the definition a first element of -1 says that there is no estimate.
    let has_orientation = covariance[0] != -1.0;
    Ok(ImuSample {
        stamps,
        frame_id: frame_id.to_owned(),
        orientation_xyzw: has_orientation.then_some(orientation_xyzw),
        angular_rate_rad_per_s,
        acceleration_m_per_s2,
    })
}

fn pose_stamped(c: &mut Cursor<'_>, arrival: &Arrival) -> Result<PoseSample, DecodeError> {
    let (stamps, frame_id) = header(c, arrival)?;
    let (position_m, quaternion_xyzw) = (c.f64s("position")?, c.f64s("orientation")?);
    Ok(PoseSample {
        stamps,
        frame_id: frame_id.to_owned(),
        child_frame_id: String::new(),
        frame_from_child: pose_or_nan(position_m, quaternion_xyzw),
    })
}

fn odometry(c: &mut Cursor<'_>, arrival: &Arrival) -> Result<PoseSample, DecodeError> {
    let (stamps, frame_id) = header(c, arrival)?;
    let child_frame_id = c.string("child_frame_id")?;
    let (position_m, quaternion_xyzw) = (c.f64s("position")?, c.f64s("orientation")?);
    c.f64s::<36>("pose.covariance")?;
    c.f64s::<6>("twist")?;
    c.f64s::<36>("twist.covariance")?;
    Ok(PoseSample {
        stamps,
        frame_id: frame_id.to_owned(),
        child_frame_id: child_frame_id.to_owned(),
        frame_from_child: pose_or_nan(position_m, quaternion_xyzw),
    })
}

fn transforms(
    c: &mut Cursor<'_>,
    arrival: &Arrival,
    rows: &mut Vec<TransformSample>,
) -> Result<(), DecodeError> {
    // The smallest transform: stamp, two empty strings, seven numbers.
    const TRANSFORM_BYTES_MIN: usize = 8 + 4 + 4 + 56;
    for _transform in 0..c.count(TRANSFORM_BYTES_MIN, "transforms")? {
        let (stamps, parent_frame_id) = header(c, arrival)?;
        let child_frame_id = c.string("child_frame_id")?;
        let (position_m, quaternion_xyzw) = (c.f64s("translation")?, c.f64s("rotation")?);
        rows.push(TransformSample {
            stamps,
            parent_frame_id: parent_frame_id.to_owned(),
            child_frame_id: child_frame_id.to_owned(),
            parent_from_child: pose_or_nan(position_m, quaternion_xyzw),
        });
    }
    Ok(())
}

fn twist(
    c: &mut Cursor<'_>,
    arrival: &Arrival,
    is_stamped: bool,
) -> Result<TwistSample, DecodeError> {
    let (stamps, frame_id) = if is_stamped {
        header(c, arrival)?
    } else {
        (Stamps { sensor: None, ..arrival.stamps }, "")
    };
    Ok(TwistSample {
        stamps,
        frame_id: frame_id.to_owned(),
        linear_m_per_s: c.f64s("linear")?,
        angular_rad_per_s: c.f64s("angular")?,
    })
}

fn beacon_ranges(
    c: &mut Cursor<'_>,
    arrival: &Arrival,
    rows: &mut Vec<BeaconRange>,
) -> Result<(), DecodeError> {
    const RANGE_BYTES: usize = 8;
    let (stamps, frame_id) = header(c, arrival)?;
    let antenna_in_base_m = c.f64s("sensor_pose_on_robot.position")?;
    c.f64s::<4>("sensor_pose_on_robot.orientation")?;
    c.f32("min_sensor_distance")?;
    c.f32("max_sensor_distance")?;
    c.f32("sensor_std_range")?;
    for _range in 0..c.count(RANGE_BYTES, "sensed_data")? {
        let range_m = c.f32("range")?;
        // The message's id is signed, ours is not; the bits are kept, so that both agree.
        let beacon_id = c.i32("id")?.cast_unsigned();
        rows.push(BeaconRange {
            stamps,
            frame_id: frame_id.to_owned(),
            beacon_id,
            range_m,
            antenna_in_base_m,
        });
    }
    Ok(())
}
