//! Typed samples: what one message of a channel says, in SI units, whatever container it came in.
//!
//! Invariant: a real and a simulated sample are the same type.
//! Several clocks stay apart: [`Stamps`] holds each that the container has.

use std::sync::Arc;

use crate::{Pose3, Timestamp};

/// The stamps of one message, one per clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamps {
    /// When the recorder received it (MCAP's log time). Orders the channel.
    pub log: Timestamp,
    /// When the sender published it, if the container says.
    pub publish: Option<Timestamp>,
    /// When the sensor measured, by the message's own header, if it has one.
    pub sensor: Option<Timestamp>,
}

impl Stamps {
    /// The time of the measurement: the sensor's stamp if there is one, else the log's.
    #[must_use]
    pub fn measured(&self) -> Timestamp {
        self.sensor.unwrap_or(self.log)
    }
}

/// One sweep of a planar laser scanner.
#[derive(Clone, Debug, PartialEq)]
pub struct Scan {
    /// Stamps of the first beam.
    pub stamps: Stamps,
    /// Frame of the scanner (REP-105 name).
    pub frame_id: String,
    /// Angle of beam 0 from the x axis of the frame, radians, counter-clockwise.
    pub angle_min_rad: f64,
    /// Angle between neighbouring beams, radians; negative if the scanner turns clockwise.
    pub angle_increment_rad: f64,
    /// Readings below are not measurements, metres.
    pub range_min_m: f64,
    /// Readings above are not measurements, metres.
    pub range_max_m: f64,
    /// Time from one beam to the next, seconds; 0 if the sweep counts as one instant.
    pub time_increment_s: f64,
    /// Range per beam, metres, as the sensor gave it: 0, NaN and infinite are kept.
    pub ranges_m: Vec<f32>,
    /// Intensity per beam in the sensor's own unit; empty if it has none.
    pub intensities: Vec<f32>,
}

impl Scan {
    /// Angle of beam `beam_index`, radians.
    #[must_use]
    pub fn angle_rad(&self, beam_index: usize) -> f64 {
        self.angle_min_rad + beam_index as f64 * self.angle_increment_rad
    }

    /// The range of a beam in metres if it is a measurement: finite, above zero and within the sensor's limits.
    #[must_use]
    pub fn valid_range_m(&self, beam_index: usize) -> Option<f64> {
        let range_m = f64::from(*self.ranges_m.get(beam_index)?);
        let is_valid = range_m.is_finite()
            && range_m > 0.0
            && range_m >= self.range_min_m
            && range_m <= self.range_max_m;
        is_valid.then_some(range_m)
    }
}

/// One cloud of points.
#[derive(Clone, Debug, PartialEq)]
pub struct PointCloud {
    /// Stamps of the cloud.
    pub stamps: Stamps,
    /// Frame the points are in.
    pub frame_id: String,
    /// Metres; the three columns have the same length. NaN points of an organised cloud are kept.
    pub x_m: Vec<f32>,
    /// Metres.
    pub y_m: Vec<f32>,
    /// Metres.
    pub z_m: Vec<f32>,
    /// In the sensor's own unit; empty if it has none.
    pub intensity: Vec<f32>,
}

/// One reading of an inertial unit.
#[derive(Clone, Debug, PartialEq)]
pub struct ImuSample {
    /// Stamps of the reading.
    pub stamps: Stamps,
    /// Frame of the unit.
    pub frame_id: String,
    /// Orientation as given, `[x, y, z, w]`; `None` if the message says it has none.
    pub orientation_xyzw: Option<[f64; 4]>,
    /// Angular rate in the unit's frame.
    pub angular_rate_rad_per_s: [f64; 3],
    /// Specific force in the unit's frame.
    pub acceleration_m_per_s2: [f64; 3],
}

/// One pose of a body in a fixed frame: odometry, ground truth, a localiser's answer.
#[derive(Clone, Debug, PartialEq)]
pub struct PoseSample {
    /// Stamps of the pose.
    pub stamps: Stamps,
    /// The fixed frame.
    pub frame_id: String,
    /// The body's frame; empty if the message does not say.
    pub child_frame_id: String,
    /// The body in the fixed frame.
    pub frame_from_child: Pose3,
}

/// One transform between two frames.
#[derive(Clone, Debug, PartialEq)]
pub struct TransformSample {
    /// Stamps of the transform.
    pub stamps: Stamps,
    /// Destination frame.
    pub parent_frame_id: String,
    /// Source frame.
    pub child_frame_id: String,
    /// Maps coordinates in the child to coordinates in the parent.
    pub parent_from_child: Pose3,
}

/// One velocity, commanded or measured.
#[derive(Clone, Debug, PartialEq)]
pub struct TwistSample {
    /// Stamps of the velocity.
    pub stamps: Stamps,
    /// Frame of the components; empty if the message does not say.
    pub frame_id: String,
    /// Linear part.
    pub linear_m_per_s: [f64; 3],
    /// Angular part.
    pub angular_rad_per_s: [f64; 3],
}

/// One range to a fixed beacon.
#[derive(Clone, Debug, PartialEq)]
pub struct BeaconRange {
    /// Stamps of the range.
    pub stamps: Stamps,
    /// Frame of the antenna on the robot.
    pub frame_id: String,
    /// Which beacon; its position is the static transform `map` from `beacon_<id>`.
    pub beacon_id: u32,
    /// Metres, as the sensor gave it.
    pub range_m: f32,
    /// The antenna in `base_link`, metres.
    pub antenna_in_base_m: [f64; 3],
}

/// One fix of a satellite receiver on the WGS 84 ellipsoid.
///
/// Angles stay in degrees, as every receiver gives them: turning them to radians and back would
/// change the last bit, 1e-9 m.
#[derive(Clone, Debug, PartialEq)]
pub struct GnssFix {
    /// Stamps of the fix.
    pub stamps: Stamps,
    /// Frame of the antenna.
    pub frame_id: String,
    /// -1 no fix, 0 fix, 1 with satellite-based, 2 with ground-based augmentation.
    pub status: i8,
    /// Bits: 1 GPS, 2 GLONASS, 4 Compass, 8 Galileo.
    pub service: u16,
    /// Positive north, degrees.
    pub latitude_deg: f64,
    /// Positive east, degrees.
    pub longitude_deg: f64,
    /// Above the ellipsoid, metres; NaN if the receiver has none.
    pub altitude_m: f64,
    /// Row-major, in east, north, up about the fix, square metres; `None` if it is not known.
    pub position_covariance_enu_m2: Option<[f64; 9]>,
    /// 0 unknown, 1 approximated, 2 diagonal known, 3 known.
    pub position_covariance_type: u8,
}

/// One reading of a magnetometer.
#[derive(Clone, Debug, PartialEq)]
pub struct MagneticSample {
    /// Stamps of the reading.
    pub stamps: Stamps,
    /// Frame of the sensor.
    pub frame_id: String,
    /// Flux density in the sensor's frame, tesla; NaN for an axis that it does not have.
    pub field_t: [f64; 3],
}

/// The state of several joints at one time.
///
/// A list is empty if the message does not have it, else as long as `names`; nobody checks that.
#[derive(Clone, Debug, PartialEq)]
pub struct JointSample {
    /// Stamps of the state.
    pub stamps: Stamps,
    /// Frame of the header; mostly empty.
    pub frame_id: String,
    /// Which joints.
    pub names: Vec<String>,
    /// Radians for a joint that turns, metres for one that slides.
    pub positions_rad_or_m: Vec<f64>,
    /// Radians or metres, per second.
    pub velocities_rad_or_m_per_s: Vec<f64>,
    /// Newton metres or newtons.
    pub efforts_nm_or_n: Vec<f64>,
}

/// The part of a sensor that an image shows, pixels of the full resolution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImageRegion {
    /// Of the leftmost column.
    pub x_offset_px: u32,
    /// Of the topmost row.
    pub y_offset_px: u32,
    /// 0 means the whole image.
    pub height_px: u32,
    /// 0 means the whole image.
    pub width_px: u32,
    /// The region moves when the image is rectified.
    pub is_rectified: bool,
}

/// The intrinsics of a camera at one time.
#[derive(Clone, Debug, PartialEq)]
pub struct CameraIntrinsics {
    /// Stamps of the image they belong to.
    pub stamps: Stamps,
    /// The optical frame: z forward, x right, y down.
    pub frame_id: String,
    /// Rows of the calibrated image; 0 if the camera is not calibrated.
    pub height_px: u32,
    /// Columns of the calibrated image; 0 if the camera is not calibrated.
    pub width_px: u32,
    /// Names the meaning of `distortion`, for instance `plumb_bob`.
    pub distortion_model: String,
    /// Parameters of the distortion model, no unit.
    pub distortion: Vec<f64>,
    /// K, row-major: from metres in the optical frame to distorted pixels.
    pub camera_matrix_px: [f64; 9],
    /// R, row-major: rectified frame from optical frame.
    pub rectified_from_optical: [f64; 9],
    /// P, 3 x 4, row-major: from the rectified frame to pixels; column 4 is in pixel metres.
    pub projection_px: [f64; 12],
    /// Columns per pixel; 0 and 1 mean the same.
    pub binning_x: u32,
    /// Rows per pixel; 0 and 1 mean the same.
    pub binning_y: u32,
    /// What part of the sensor is read.
    pub region: ImageRegion,
}

/// What the offset of a payload counts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayloadBase {
    /// The first byte of the file.
    File,
    /// The first byte of a chunk's records once inflated; the chunk's record starts at this byte
    /// of the file.
    Chunk {
        /// Where the chunk's record starts in the file.
        chunk_offset_bytes: u64,
    },
    /// The first byte of the data of this row of a database's message table.
    Row {
        /// The row's id.
        row_id: i64,
    },
}

/// Where a payload lies in the original, which keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PayloadPlace {
    /// Which file of the recording, from 0.
    pub file_index: u32,
    /// What the offset counts from.
    pub base: PayloadBase,
    /// Of the payload's first byte.
    pub offset_bytes: u64,
    /// How long it is.
    pub length_bytes: u64,
}

/// One image: what is known of it, and where its pixels lie.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageSample {
    /// Stamps of the exposure.
    pub stamps: Stamps,
    /// The optical frame.
    pub frame_id: String,
    /// Rows; `None` if only the compressed payload says.
    pub height_px: Option<u32>,
    /// Columns; `None` if only the compressed payload says.
    pub width_px: Option<u32>,
    /// How pixels are laid out (`rgb8`), or the compression (`jpeg`).
    pub encoding: String,
    /// Numbers of more than one byte start with the highest; `false` if compressed.
    pub is_big_endian: bool,
    /// From one row of pixels to the next; `None` if compressed.
    pub row_step_bytes: Option<u32>,
    /// The pixels, or the compressed image.
    pub payload: PayloadPlace,
}

/// One reading of a sensor with a single beam or cone: ultrasound, infrared.
#[derive(Clone, Debug, PartialEq)]
pub struct RangeReading {
    /// Stamps of the reading.
    pub stamps: Stamps,
    /// Frame of the sensor; it looks along x.
    pub frame_id: String,
    /// 0 ultrasound, 1 infrared.
    pub radiation: u8,
    /// Full opening of the cone, radians.
    pub field_of_view_rad: f32,
    /// Readings below are not measurements, metres.
    pub range_min_m: f32,
    /// Readings above are not measurements, metres.
    pub range_max_m: f32,
    /// Metres; for a sensor of fixed distance -inf is seen, +inf is not seen.
    pub range_m: f32,
}

/// One pose of a path.
#[derive(Clone, Debug, PartialEq)]
pub struct PathPose {
    /// When the robot should be there, if the path says.
    pub time: Option<Timestamp>,
    /// The fixed frame; empty means the path's.
    pub frame_id: String,
    /// The robot in the fixed frame.
    pub frame_from_child: Pose3,
}

/// One path to follow: many poses in one message, most of them without a time.
#[derive(Clone, Debug, PartialEq)]
pub struct PathSample {
    /// Stamps of the plan.
    pub stamps: Stamps,
    /// The fixed frame.
    pub frame_id: String,
    /// From start to end.
    pub poses: Vec<PathPose>,
}

/// One planar map of cells.
#[derive(Clone, Debug, PartialEq)]
pub struct GridSample {
    /// Stamps of the map.
    pub stamps: Stamps,
    /// The fixed frame.
    pub frame_id: String,
    /// When the map was loaded, if it was.
    pub loaded: Option<Timestamp>,
    /// Side of a cell, metres.
    pub cell_size_m: f32,
    /// Cells along the grid's x.
    pub width_cells: u32,
    /// Cells along the grid's y.
    pub height_cells: u32,
    /// The corner of cell (0, 0) in the fixed frame.
    pub frame_from_grid: Pose3,
    /// Row by row from (0, 0), x first: 0 free to 100 occupied, -1 unknown; others are kept.
    pub occupancy_percent: Vec<i8>,
}

/// A message of a type that no decoder knows: kept whole and counted.
#[derive(Clone, Debug, PartialEq)]
pub struct RawMessage {
    /// Stamps of the container; the body is not read.
    pub stamps: Stamps,
    /// The message as it was.
    pub payload: Vec<u8>,
}

/// What one number of a signal is: its name, and its unit if anything says it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignalField {
    /// As the container names it; items of arrays and nested messages are flattened, `a.b[2]`.
    pub name: String,
    /// As the projection says it; empty if nothing does (a ULog never does).
    pub unit: String,
}

/// One message of plain numbers that no typed table holds whole.
#[derive(Clone, Debug, PartialEq)]
pub struct SignalSample {
    /// Stamps of the message.
    pub stamps: Stamps,
    /// What each number is; the rows of a channel share it.
    pub fields: Arc<[SignalField]>,
    /// One per field, in the field's own unit. An integer beyond 2^53 is the nearest `f64`; a
    /// missing number is NaN.
    pub values: Vec<f64>,
}

impl SignalSample {
    /// The number of a field, if there is such a field.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<f64> {
        let index = self.fields.iter().position(|field| field.name == name)?;
        self.values.get(index).copied()
    }
}
