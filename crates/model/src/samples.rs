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
