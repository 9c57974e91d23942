//! One decoder per message type, for ROS 1 and ROS 2 alike.
//!
//! Invariant: a message is decoded whole or refused; nothing is guessed.
//! A header stamp of zero is ROS's "not set" and becomes no sensor stamp.
//!
//! Source: the definitions in `sensor_msgs`, `geometry_msgs`, `nav_msgs`, `tf2_msgs` and
//! `mrpt_msgs`, as written out in [`super::schema_text`].

use tiepoint_model::{
    BeaconRange, ImuSample, PointCloud, PoseSample, Scan, Stamps, Timestamp, TransformSample,
    TwistSample, time::NS_PER_S,
};

use super::{MessageKind, cursor::Cursor};
use crate::{DecodeError, Samples, pose::pose_or_nan};

/// Decodes one message behind the rows of its channel.
///
/// `container` holds the stamps that the container gives; its sensor stamp is not looked at.
pub(crate) fn decode(
    kind: MessageKind,
    mut cursor: Cursor<'_>,
    container: Stamps,
    into: &mut Samples,
) -> Result<(), DecodeError> {
    let c = &mut cursor;
    match (kind, into) {
        (MessageKind::LaserScan, Samples::Scans(rows)) => rows.push(laser_scan(c, container)?),
        (MessageKind::PointCloud2, Samples::Points(rows)) => rows.push(point_cloud(c, container)?),
        (MessageKind::Imu, Samples::Imu(rows)) => rows.push(imu(c, container)?),
        (MessageKind::Odometry, Samples::Poses(rows)) => rows.push(odometry(c, container)?),
        (MessageKind::PoseStamped, Samples::Poses(rows)) => rows.push(pose_stamped(c, container)?),
        (MessageKind::Transforms, Samples::Transforms(rows)) => transforms(c, container, rows)?,
        (MessageKind::Twist, Samples::Twists(rows)) => rows.push(twist(c, container, false)?),
        (MessageKind::TwistStamped, Samples::Twists(rows)) => rows.push(twist(c, container, true)?),
        (MessageKind::BeaconRanges, Samples::Ranges(rows)) => beacon_ranges(c, container, rows)?,
        (_, rows) => {
            return Err(c.refuse("type", format!("does not belong in table `{}`", rows.table())));
        }
    }
    cursor.end()
}

/// `std_msgs/Header`.
fn header<'a>(c: &mut Cursor<'a>, container: Stamps) -> Result<(Stamps, &'a str), DecodeError> {
    let seconds = if c.is_packed() {
        c.skip(4, "header.seq")?;
        i64::from(c.u32("header.stamp")?)
    } else {
        i64::from(c.i32("header.stamp")?)
    };
    let nanoseconds = i64::from(c.u32("header.stamp")?);
    // At most 2^32 seconds and 2^32 nanoseconds: far inside 63 bits.
    let stamp_ns = seconds * NS_PER_S + nanoseconds;
    let sensor = (stamp_ns != 0).then_some(Timestamp(stamp_ns));
    Ok((Stamps { sensor, ..container }, c.string("header.frame_id")?))
}

fn laser_scan(c: &mut Cursor<'_>, container: Stamps) -> Result<Scan, DecodeError> {
    let (stamps, frame_id) = header(c, container)?;
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

fn imu(c: &mut Cursor<'_>, container: Stamps) -> Result<ImuSample, DecodeError> {
    let (stamps, frame_id) = header(c, container)?;
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

fn pose_stamped(c: &mut Cursor<'_>, container: Stamps) -> Result<PoseSample, DecodeError> {
    let (stamps, frame_id) = header(c, container)?;
    let (position_m, quaternion_xyzw) = (c.f64s("position")?, c.f64s("orientation")?);
    Ok(PoseSample {
        stamps,
        frame_id: frame_id.to_owned(),
        child_frame_id: String::new(),
        frame_from_child: pose_or_nan(position_m, quaternion_xyzw),
    })
}

fn odometry(c: &mut Cursor<'_>, container: Stamps) -> Result<PoseSample, DecodeError> {
    let (stamps, frame_id) = header(c, container)?;
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
    container: Stamps,
    rows: &mut Vec<TransformSample>,
) -> Result<(), DecodeError> {
    // The smallest transform: stamp, two empty strings, seven numbers.
    const TRANSFORM_BYTES_MIN: usize = 8 + 4 + 4 + 56;
    for _transform in 0..c.count(TRANSFORM_BYTES_MIN, "transforms")? {
        let (stamps, parent_frame_id) = header(c, container)?;
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
    container: Stamps,
    is_stamped: bool,
) -> Result<TwistSample, DecodeError> {
    let (stamps, frame_id) =
        if is_stamped { header(c, container)? } else { (Stamps { sensor: None, ..container }, "") };
    Ok(TwistSample {
        stamps,
        frame_id: frame_id.to_owned(),
        linear_m_per_s: c.f64s("linear")?,
        angular_rad_per_s: c.f64s("angular")?,
    })
}

fn beacon_ranges(
    c: &mut Cursor<'_>,
    container: Stamps,
    rows: &mut Vec<BeaconRange>,
) -> Result<(), DecodeError> {
    const RANGE_BYTES: usize = 8;
    let (stamps, frame_id) = header(c, container)?;
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

/// `sensor_msgs/PointField` datatypes.
#[derive(Clone, Copy)]
enum Number {
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    F32,
    F64,
}

impl Number {
    fn of_datatype(datatype: u8) -> Option<Self> {
        Some(match datatype {
            1 => Self::I8,
            2 => Self::U8,
            3 => Self::I16,
            4 => Self::U16,
            5 => Self::I32,
            6 => Self::U32,
            7 => Self::F32,
            8 => Self::F64,
            _ => return None,
        })
    }

    fn size_bytes(self) -> usize {
        match self {
            Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::F64 => 8,
        }
    }
}

#[derive(Clone, Copy)]
struct PointField {
    offset_bytes: usize,
    number: Number,
}

/// Where the points of a cloud lie.
struct Grid<'a> {
    data: &'a [u8],
    width: usize,
    height: usize,
    point_step_bytes: usize,
    row_step_bytes: usize,
    big_endian: bool,
}

/// `sensor_msgs/PointCloud2`: the columns x, y, z and, if there is one, intensity.
fn point_cloud(c: &mut Cursor<'_>, container: Stamps) -> Result<PointCloud, DecodeError> {
    const FIELD_BYTES_MIN: usize = 4 + 4 + 1 + 4;
    let (stamps, frame_id) = header(c, container)?;
    let (height, width) = (c.u32("height")? as usize, c.u32("width")? as usize);
    let mut fields: [Option<PointField>; 4] = [None; 4];
    for _field in 0..c.count(FIELD_BYTES_MIN, "fields")? {
        let name = c.string("fields.name")?;
        let offset_bytes = c.u32("fields.offset")? as usize;
        let datatype = c.u8("fields.datatype")?;
        c.u32("fields.count")?;
        if let Some(index) = ["x", "y", "z", "intensity"].iter().position(|known| *known == name) {
            let number = Number::of_datatype(datatype).ok_or_else(|| {
                c.refuse("fields.datatype", format!("`{name}` has unknown datatype {datatype}"))
            })?;
            fields[index] = Some(PointField { offset_bytes, number });
        }
    }
    let big_endian = c.u8("is_bigendian")? != 0;
    let point_step_bytes = c.u32("point_step")? as usize;
    let row_step_bytes = c.u32("row_step")? as usize;
    let count = c.count(1, "data")?;
    let data = c.bytes(count, "data")?;
    c.u8("is_dense")?;

    let grid = Grid { data, width, height, point_step_bytes, row_step_bytes, big_endian };
    let [x, y, z, intensity] = fields;
    let column = |field: Option<PointField>, name: &str| match field {
        Some(field) => grid.column(field, name).map_err(|problem| c.refuse("data", problem)),
        None => Err(c.refuse("fields", format!("there is no field `{name}`"))),
    };
    Ok(PointCloud {
        stamps,
        frame_id: frame_id.to_owned(),
        x_m: column(x, "x")?,
        y_m: column(y, "y")?,
        z_m: column(z, "z")?,
        intensity: match intensity {
            Some(_) => column(intensity, "intensity")?,
            None => Vec::new(),
        },
    })
}

impl Grid<'_> {
    /// One field of every point, row by row. Numbers wider than `f32` are rounded to it.
    fn column(&self, field: PointField, name: &str) -> Result<Vec<f32>, String> {
        let Self { width, height, point_step_bytes, row_step_bytes, .. } = *self;
        if width == 0 || height == 0 {
            return Ok(Vec::new());
        }
        let size_bytes = field.number.size_bytes();
        if field.offset_bytes.saturating_add(size_bytes) > point_step_bytes {
            return Err(format!(
                "`{name}` does not lie inside a point of {point_step_bytes} bytes"
            ));
        }
        let row_bytes = width.checked_mul(point_step_bytes);
        let need_bytes = row_bytes
            .and_then(|row| (height - 1).checked_mul(row_step_bytes)?.checked_add(row))
            .filter(|need| *need <= self.data.len());
        let Some(row_bytes) = row_bytes.filter(|_| need_bytes.is_some()) else {
            return Err(format!(
                "{height} rows of {width} points of {point_step_bytes} bytes, {row_step_bytes} \
                 bytes apart, do not fit in {} bytes",
                self.data.len()
            ));
        };
        if height > 1 && row_step_bytes < row_bytes {
            return Err(format!("a row step of {row_step_bytes} bytes is less than a row"));
        }
        // From here on every access is inside, and the points are no more than the bytes.
        let mut values = Vec::with_capacity(width * height);
        for row in 0..height {
            let row_data = &self.data[row * row_step_bytes..][..row_bytes];
            self.gather(row_data, field, &mut values);
        }
        Ok(values)
    }

    fn gather(&self, row: &[u8], field: PointField, values: &mut Vec<f32>) {
        let big_endian = self.big_endian;
        let start = field.offset_bytes;
        let points = row.chunks_exact(self.point_step_bytes);
        /// The number's bytes in little-endian order.
        fn number<const N: usize>(point: &[u8], start: usize, big_endian: bool) -> [u8; N] {
            let mut bytes = [0; N];
            bytes.copy_from_slice(&point[start..start + N]);
            if big_endian {
                bytes.reverse();
            }
            bytes
        }
        #[expect(clippy::cast_possible_truncation, reason = "columns are f32; documented")]
        match field.number {
            Number::I8 => values.extend(points.map(|p| f32::from(p[start].cast_signed()))),
            Number::U8 => values.extend(points.map(|p| f32::from(p[start]))),
            Number::I16 => values.extend(
                points.map(|p| f32::from(i16::from_le_bytes(number(p, start, big_endian)))),
            ),
            Number::U16 => values.extend(
                points.map(|p| f32::from(u16::from_le_bytes(number(p, start, big_endian)))),
            ),
            Number::I32 => values
                .extend(points.map(|p| i32::from_le_bytes(number(p, start, big_endian)) as f32)),
            Number::U32 => values
                .extend(points.map(|p| u32::from_le_bytes(number(p, start, big_endian)) as f32)),
            Number::F32 => {
                values.extend(points.map(|p| f32::from_le_bytes(number(p, start, big_endian))));
            }
            Number::F64 => values
                .extend(points.map(|p| f64::from_le_bytes(number(p, start, big_endian)) as f32)),
        }
    }
}
