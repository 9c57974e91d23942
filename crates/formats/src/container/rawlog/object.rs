//! Objects of an MRPT rawlog, as the file holds them.
//!
//! Invariant: objects carry no length, so an object of an unknown class or version ends the
//! reading; nothing behind it can be found.
//! An object is a byte `0x80 | length`, the class name, a version byte, the body and `0x88`;
//! little endian. Metres and radians; times are 100 ns steps since 1601-01-01.
//!
//! Source: MRPT's serialisation of these classes, versions 0.9 to 2.x.

use nalgebra::{Matrix3, Vector3};
use tiepoint_model::{Pose2, Pose3, Timestamp};

use crate::{DecodeError, message::cursor::Cursor};

const OBJECT_END: u8 = 0x88;

/// From 1601-01-01 to 1970-01-01 in 100 ns steps.
const UNIX_EPOCH_STEPS: i64 = 116_444_736_000_000_000;

/// Why an object could not be read.
pub(crate) enum ObjectError {
    Decode(DecodeError),
    UnknownClass { class: String, at_byte: usize },
    UnknownVersion { class: String, version: i8, at_byte: usize },
}

impl From<DecodeError> for ObjectError {
    fn from(error: DecodeError) -> Self {
        Self::Decode(error)
    }
}

type Result<T> = std::result::Result<T, ObjectError>;

/// An object at the top of a log.
pub(crate) enum Object {
    Frame(Frame),
    /// What was done between two frames.
    Actions(Vec<Increment>),
}

/// What was observed at one time.
#[derive(Default)]
pub(crate) struct Frame {
    pub(crate) observations: Vec<Observation>,
    /// What a person wrote.
    pub(crate) comments: Vec<String>,
}

pub(crate) enum Observation {
    Scan(RangeScan),
    Beacons(BeaconRanges),
}

impl Observation {
    pub(crate) fn time(&self) -> Option<Timestamp> {
        match self {
            Self::Scan(scan) => scan.time,
            Self::Beacons(beacons) => beacons.time,
        }
    }
}

/// `CObservation2DRangeScan`.
pub(crate) struct RangeScan {
    pub(crate) aperture_rad: f32,
    pub(crate) right_to_left: bool,
    pub(crate) range_max_m: f32,
    pub(crate) base_from_sensor: Pose3,
    pub(crate) ranges_m: Vec<f32>,
    pub(crate) is_valid: Vec<bool>,
    pub(crate) intensities: Vec<f32>,
    pub(crate) label: String,
    pub(crate) time: Option<Timestamp>,
}

/// `CObservationBeaconRanges`.
pub(crate) struct BeaconRanges {
    pub(crate) readings: Vec<BeaconReading>,
    pub(crate) time: Option<Timestamp>,
}

pub(crate) struct BeaconReading {
    pub(crate) antenna_in_base_m: [f64; 3],
    pub(crate) range_m: f32,
    pub(crate) beacon_id: u32,
}

/// `CActionRobotMovement2D` from odometry: the motion since the frame before.
pub(crate) struct Increment {
    pub(crate) before_from_after: Pose2,
}

/// Reads one object of the top level.
pub(crate) fn read(c: &mut Cursor<'_>) -> Result<Object> {
    let head = Head::read(c)?;
    let object = match head.class() {
        "CSensoryFrame" => Object::Frame(sensory_frame(c, &head)?),
        "CActionCollection" => Object::Actions(action_collection(c, &head)?),
        _ => {
            let mut frame = Frame::default();
            observation(c, &head, &mut frame)?;
            Object::Frame(frame)
        }
    };
    head.end(c)?;
    Ok(object)
}

/// What stands before a body.
struct Head<'a> {
    name: &'a str,
    version: i8,
    at_byte: usize,
}

impl<'a> Head<'a> {
    fn read(c: &mut Cursor<'a>) -> Result<Self> {
        let at_byte = c.at();
        let first = c.u8("object")?;
        if first & 0x80 == 0 {
            return Err(c.refuse("object", "no object starts here").into());
        }
        let name = c.bytes(usize::from(first & 0x7f), "class name")?;
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b":_<>, ".contains(byte);
        let name = std::str::from_utf8(name)
            .ok()
            .filter(|name| !name.is_empty() && name.bytes().all(|byte| is_name(&byte)))
            .ok_or_else(|| c.refuse("class name", "is no name"))?;
        Ok(Self { name, version: c.i8("version")?, at_byte })
    }

    /// The class without the namespace that MRPT 2 writes.
    fn class(&self) -> &'a str {
        self.name.rsplit("::").next().unwrap_or(self.name)
    }

    fn end(&self, c: &mut Cursor<'_>) -> Result<()> {
        match c.u8("end of object")? {
            OBJECT_END => Ok(()),
            other => {
                let problem = format!("`{}` ends with {other:#04x}, not 0x88", self.name);
                Err(c.refuse("end of object", problem).into())
            }
        }
    }

    fn unknown_class(&self) -> ObjectError {
        ObjectError::UnknownClass { class: self.name.to_owned(), at_byte: self.at_byte }
    }

    fn unknown_version(&self) -> ObjectError {
        let class = self.name.to_owned();
        ObjectError::UnknownVersion { class, version: self.version, at_byte: self.at_byte }
    }
}

fn sensory_frame(c: &mut Cursor<'_>, head: &Head<'_>) -> Result<Frame> {
    match head.version {
        0 => c.skip(12, "CSensoryFrame time")?,
        1 => c.skip(4, "CSensoryFrame time")?,
        2 => {}
        _ => return Err(head.unknown_version()),
    }
    let mut frame = Frame::default();
    for _observation in 0..c.u32("CSensoryFrame count")? {
        let head = Head::read(c)?;
        observation(c, &head, &mut frame)?;
        head.end(c)?;
    }
    Ok(frame)
}

fn action_collection(c: &mut Cursor<'_>, head: &Head<'_>) -> Result<Vec<Increment>> {
    if head.version != 0 {
        return Err(head.unknown_version());
    }
    let mut increments = Vec::new();
    for _action in 0..c.u32("CActionCollection count")? {
        let head = Head::read(c)?;
        match head.class() {
            "CActionRobotMovement2D" => increments.push(robot_movement(c, &head)?),
            _ => return Err(head.unknown_class()),
        }
        head.end(c)?;
    }
    Ok(increments)
}

fn observation(c: &mut Cursor<'_>, head: &Head<'_>, into: &mut Frame) -> Result<()> {
    let rows = &mut into.observations;
    match head.class() {
        "CObservation2DRangeScan" => rows.push(Observation::Scan(range_scan(c, head)?)),
        "CObservationBeaconRanges" => rows.push(Observation::Beacons(beacon_ranges(c, head)?)),
        "CObservationComment" => into.comments.push(comment(c, head)?),
        _ => return Err(head.unknown_class()),
    }
    Ok(())
}

/// Its time says when it was written, which may be years behind the log; it is passed over.
fn comment(c: &mut Cursor<'_>, head: &Head<'_>) -> Result<String> {
    if head.version != 0 {
        return Err(head.unknown_version());
    }
    let text = label(c)?;
    time(c)?;
    Ok(text)
}

fn range_scan(c: &mut Cursor<'_>, head: &Head<'_>) -> Result<RangeScan> {
    let version = head.version;
    if !(6..=7).contains(&version) {
        return Err(head.unknown_version());
    }
    let aperture_rad = c.f32("aperture")?;
    let right_to_left = c.u8("right_to_left")? != 0;
    let range_max_m = c.f32("max_range")?;
    let base_from_sensor = pose_3d(c)?;
    // Five bytes a beam: a range and whether it is valid.
    let beam_count = c.count(5, "ranges")?;
    let ranges_m = c.f32_block(beam_count, "ranges")?;
    let is_valid = c.bytes(beam_count, "valid")?.iter().map(|byte| *byte != 0).collect();
    c.f32("sigma")?;
    let time = time(c)?;
    c.f32("beam_aperture")?;
    let label = label(c)?;
    c.f64("delta_pitch")?;
    let has_intensities = version >= 7 && c.u8("has_intensity")? != 0;
    let mut intensities = Vec::new();
    if has_intensities {
        let bytes = c.bytes(beam_count.saturating_mul(4), "intensity")?;
        let (items, _) = bytes.as_chunks::<4>();
        intensities = items.iter().map(|item| i32::from_le_bytes(*item) as f32).collect();
    }
    Ok(RangeScan {
        aperture_rad,
        right_to_left,
        range_max_m,
        base_from_sensor,
        ranges_m,
        is_valid,
        intensities,
        label,
        time,
    })
}

fn beacon_ranges(c: &mut Cursor<'_>, head: &Head<'_>) -> Result<BeaconRanges> {
    if head.version != 3 {
        return Err(head.unknown_version());
    }
    c.skip(12, "range limits")?;
    let mut readings = Vec::new();
    for _reading in 0..c.u32("readings count")? {
        let antenna_in_base_m = three_numbers_of(c, &["CPoint3D"])?;
        let (range_m, beacon_id) = (c.f32("range")?, c.u32("beacon_id")?);
        readings.push(BeaconReading { antenna_in_base_m, range_m, beacon_id });
    }
    // A guess of the robot's pose that the recorder added, infinite where it had none. It is no
    // measurement.
    three_numbers_of(c, &["CPose2D", "CPoint3D"])?;
    label(c)?;
    Ok(BeaconRanges { readings, time: time(c)? })
}

fn robot_movement(c: &mut Cursor<'_>, head: &Head<'_>) -> Result<Increment> {
    const ODOMETRY: i32 = 0;
    const MOTION_MODEL_BYTES: usize = 2 * (4 + 6 * 4);
    const VELOCITY_BYTES: usize = 2 * 4;
    const ENCODERS_BYTES: usize = 2 * 4;
    if head.version != 6 {
        return Err(head.unknown_version());
    }
    let method = c.i32("method")?;
    if method != ODOMETRY {
        return Err(c.refuse("method", format!("{method} is not odometry (0)")).into());
    }
    let before_from_after = pose_2d(c)?;
    c.skip(MOTION_MODEL_BYTES, "motion model")?;
    c.skip(1 + VELOCITY_BYTES, "velocity")?;
    c.skip(1 + ENCODERS_BYTES, "encoders")?;
    // The action's own time is the middle of its interval; the increment ends at the next frame.
    time(c)?;
    Ok(Increment { before_from_after })
}

/// `CPose3D`.
fn pose_3d(c: &mut Cursor<'_>) -> Result<Pose3> {
    let head = Head::read(c)?;
    if head.class() != "CPose3D" {
        return Err(head.unknown_class());
    }
    let pose = match head.version {
        1 => matrix_4x4(c)?,
        2 => {
            let [x, y, z, qw, qx, qy, qz] = c.f64s::<7>("CPose3D")?;
            Pose3::from_quaternion_xyzw([x, y, z], [qx, qy, qz, qw])
                .ok_or_else(|| c.refuse("CPose3D", "the quaternion has length zero"))?
        }
        3 => {
            let position_m = c.f64s::<3>("CPose3D")?;
            let rotation = c.f64s::<9>("CPose3D")?;
            Pose3 { rotation: Matrix3::from_row_slice(&rotation), translation_m: position_m.into() }
        }
        _ => return Err(head.unknown_version()),
    };
    head.end(c)?;
    Ok(pose)
}

/// `CMatrixD` of a homogeneous transform.
fn matrix_4x4(c: &mut Cursor<'_>) -> Result<Pose3> {
    let head = Head::read(c)?;
    if head.class() != "CMatrixD" {
        return Err(head.unknown_class());
    }
    let (row_count, column_count) = (c.u32("CMatrixD rows")?, c.u32("CMatrixD columns")?);
    if (row_count, column_count) != (4, 4) {
        let problem = format!("a pose has a matrix of {row_count} x {column_count}, not 4 x 4");
        return Err(c.refuse("CMatrixD", problem).into());
    }
    let m = c.f64s::<16>("CMatrixD")?;
    head.end(c)?;
    Ok(Pose3 {
        rotation: Matrix3::new(m[0], m[1], m[2], m[4], m[5], m[6], m[8], m[9], m[10]),
        translation_m: Vector3::new(m[3], m[7], m[11]),
    })
}

/// `CPose2D`.
fn pose_2d(c: &mut Cursor<'_>) -> Result<Pose2> {
    let [x_m, y_m, yaw_rad] = three_numbers_of(c, &["CPose2D"])?;
    if !(x_m.is_finite() && y_m.is_finite() && yaw_rad.is_finite()) {
        return Err(c.refuse("CPose2D", "an increment is not finite").into());
    }
    Ok(Pose2::new(x_m, y_m, yaw_rad))
}

/// An object of one of some classes that hold three numbers.
fn three_numbers_of(c: &mut Cursor<'_>, classes: &[&str]) -> Result<[f64; 3]> {
    let head = Head::read(c)?;
    if !classes.contains(&head.class()) {
        return Err(head.unknown_class());
    }
    let numbers = three_numbers(c, &head)?;
    head.end(c)?;
    Ok(numbers)
}

/// Three numbers: `f32` in version 0, `f64` in version 1.
fn three_numbers(c: &mut Cursor<'_>, head: &Head<'_>) -> Result<[f64; 3]> {
    match head.version {
        0 => {
            let [a, b, c] = [c.f32("x")?, c.f32("y")?, c.f32("z or yaw")?];
            Ok([a, b, c].map(f64::from))
        }
        1 => Ok(c.f64s::<3>("x, y, z or yaw")?),
        _ => Err(head.unknown_version()),
    }
}

/// A text in the Latin script of its writer.
fn label(c: &mut Cursor<'_>) -> Result<String> {
    let count = c.count(1, "label")?;
    Ok(String::from_utf8_lossy(c.bytes(count, "label")?).into_owned())
}

/// A time; 0 is MRPT's "not known".
fn time(c: &mut Cursor<'_>) -> Result<Option<Timestamp>> {
    let steps = c.i64("time")?;
    if steps == 0 {
        return Ok(None);
    }
    let time_ns = steps.checked_sub(UNIX_EPOCH_STEPS).and_then(|steps| steps.checked_mul(100));
    match time_ns {
        Some(time_ns) => Ok(Some(Timestamp(time_ns))),
        None => Err(c.refuse("time", format!("{steps} lies outside 1677 to 2262")).into()),
    }
}
