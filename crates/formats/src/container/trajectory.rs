//! Trajectories as text: TUM, KITTI odometry and EuRoC ground truth.
//!
//! Invariant: one line is one pose or an error that names line and field. Stamps are read as
//! decimals to the nanosecond and never pass through a float.
//! Metres; rotations are what the file says: KITTI's matrices are kept as they are, quaternions
//! of any non-zero length are normalised.
//!
//! Not here: which frames the poses join. The formats do not say, so both names are empty.

use std::fmt::Write;

use nalgebra::{Matrix3, Vector3};
use tiepoint_model::{Pose3, PoseSample, Stamps, Timestamp, Trajectory, time::NS_PER_S};

use crate::{
    ChannelKey, Limits, ReadError, Samples, Table, container::Collector, reader::Container,
};

/// A text format of trajectories.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrajectoryFormat {
    /// `stamp_s x y z qx qy qz qw`, parted by blanks; `#` starts a comment line.
    Tum,
    /// Twelve numbers, the rows of a 3x4 matrix; the stamp is the row's index in seconds.
    Kitti,
    /// `stamp_ns, x, y, z, qw, qx, qy, qz, ...`, parted by commas.
    Euroc,
}

impl TrajectoryFormat {
    fn container(self) -> Container {
        match self {
            Self::Tum => Container::Tum,
            Self::Kitti => Container::Kitti,
            Self::Euroc => Container::Euroc,
        }
    }

    fn field_count_min(self) -> usize {
        match self {
            Self::Tum | Self::Euroc => 8,
            Self::Kitti => 12,
        }
    }
}

/// Reads a trajectory that lies in memory, in one pass.
///
/// # Errors
/// [`ReadError::Line`] at the first line that is no pose: too few or too many fields, a field
/// that is no finite number, a quaternion of length zero. [`ReadError::Empty`] without a pose.
///
/// # Source
/// TUM: the format page of the RGB-D benchmark. KITTI: the odometry development kit.
/// EuRoC: the data set's `state_groundtruth_estimate0/data.csv`, whose further columns
/// (velocity, biases) are not read.
pub fn read_trajectory(format: TrajectoryFormat, bytes: &[u8]) -> Result<Trajectory, ReadError> {
    let mut parser = LineParser::new(format);
    let bytes_per_pose = if format == TrajectoryFormat::Kitti { 130 } else { 60 };
    let mut stamps = Vec::with_capacity(bytes.len() / bytes_per_pose);
    let mut poses = Vec::with_capacity(bytes.len() / bytes_per_pose);
    for line in bytes.split(|byte| *byte == b'\n') {
        if let Some((stamp, pose)) = parser.line(line)? {
            stamps.push(stamp);
            poses.push(pose);
        }
    }
    if stamps.is_empty() {
        return Err(ReadError::Empty);
    }
    Trajectory::new(stamps, poses).ok_or(ReadError::Empty)
}

/// Writes a trajectory as TUM text. Reading it back gives the same stamps and translations to the
/// bit and the same rotations to about 1e-15.
#[must_use]
pub fn write_tum(trajectory: &Trajectory) -> String {
    let mut text = String::from("# stamp_s x_m y_m z_m qx qy qz qw\n");
    for (stamp, pose) in trajectory.stamps().iter().zip(trajectory.poses()) {
        let sign = if stamp.0 < 0 { "-" } else { "" };
        let (seconds, nanoseconds) =
            (stamp.0.unsigned_abs() / 1_000_000_000, stamp.0.unsigned_abs() % 1_000_000_000);
        let [x, y, z]: [f64; 3] = pose.translation_m.into();
        let [qx, qy, qz, qw] = pose.quaternion_xyzw();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{sign}{seconds}.{nanoseconds:09} {x} {y} {z} {qx} {qy} {qz} {qw}");
    }
    text
}

/// The fields of one line.
pub(crate) fn fields_of_line(line: &[u8], is_csv: bool) -> impl Iterator<Item = &[u8]> {
    line.split(move |byte| if is_csv { *byte == b',' } else { byte.is_ascii_whitespace() })
        .map(<[u8]>::trim_ascii)
        .filter(|field| !field.is_empty())
}

/// Parses lines one after another.
struct LineParser {
    format: TrajectoryFormat,
    line: u64,
    pose_count: i64,
}

impl LineParser {
    fn new(format: TrajectoryFormat) -> Self {
        Self { format, line: 0, pose_count: 0 }
    }

    /// One line without its end; `None` for an empty or comment line.
    fn line(&mut self, line: &[u8]) -> Result<Option<(Timestamp, Pose3)>, ReadError> {
        self.line += 1;
        let mut line = line.trim_ascii();
        if self.line == 1 {
            line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        }
        if line.is_empty() || line.starts_with(b"#") {
            return Ok(None);
        }
        let parsed = match self.format {
            TrajectoryFormat::Kitti => self.kitti(line)?,
            TrajectoryFormat::Tum => self.tum(line)?,
            TrajectoryFormat::Euroc => self.euroc(line)?,
        };
        self.pose_count += 1;
        Ok(Some(parsed))
    }

    fn tum(&self, line: &[u8]) -> Result<(Timestamp, Pose3), ReadError> {
        let mut fields = fields_of_line(line, false);
        let stamp = self.stamp(fields.next(), Timestamp::from_decimal_seconds, "seconds")?;
        let [x, y, z, qx, qy, qz, qw] = self.numbers(&mut fields, 2)?;
        self.no_more(&mut fields)?;
        Ok((stamp, self.pose([x, y, z], [qx, qy, qz, qw])?))
    }

    fn euroc(&self, line: &[u8]) -> Result<(Timestamp, Pose3), ReadError> {
        let mut fields = fields_of_line(line, true);
        let integer = |text: &str| text.parse().ok().map(Timestamp);
        let stamp = self.stamp(fields.next(), integer, "whole nanoseconds")?;
        let [x, y, z, qw, qx, qy, qz] = self.numbers(&mut fields, 2)?;
        Ok((stamp, self.pose([x, y, z], [qx, qy, qz, qw])?))
    }

    fn kitti(&self, line: &[u8]) -> Result<(Timestamp, Pose3), ReadError> {
        let mut fields = fields_of_line(line, false);
        let m: [f64; 12] = self.numbers(&mut fields, 1)?;
        self.no_more(&mut fields)?;
        let pose = Pose3 {
            rotation: Matrix3::new(m[0], m[1], m[2], m[4], m[5], m[6], m[8], m[9], m[10]),
            translation_m: Vector3::new(m[3], m[7], m[11]),
        };
        Ok((Timestamp(self.pose_count.saturating_mul(NS_PER_S)), pose))
    }

    fn stamp(
        &self,
        field: Option<&[u8]>,
        parse: impl Fn(&str) -> Option<Timestamp>,
        unit: &str,
    ) -> Result<Timestamp, ReadError> {
        let field = field.unwrap_or_default();
        std::str::from_utf8(field).ok().and_then(parse).ok_or_else(|| {
            self.refuse(1, format!("`{}` is no time in {unit}", String::from_utf8_lossy(field)))
        })
    }

    /// `N` finite numbers, the first of them in column `first_column`.
    fn numbers<'a, const N: usize>(
        &self,
        fields: &mut impl Iterator<Item = &'a [u8]>,
        first_column: usize,
    ) -> Result<[f64; N], ReadError> {
        let mut values = [0.0; N];
        for (index, value) in values.iter_mut().enumerate() {
            let column = first_column + index;
            let field = fields.next().ok_or_else(|| {
                let needed = self.format.field_count_min();
                self.refuse(column, format!("the line ends; {needed} fields are needed"))
            })?;
            let number = std::str::from_utf8(field).ok().and_then(|text| text.parse::<f64>().ok());
            *value = number.filter(|number| number.is_finite()).ok_or_else(|| {
                let text = String::from_utf8_lossy(field);
                self.refuse(column, format!("`{text}` is no finite number"))
            })?;
        }
        Ok(values)
    }

    fn no_more<'a>(&self, fields: &mut impl Iterator<Item = &'a [u8]>) -> Result<(), ReadError> {
        let needed = self.format.field_count_min();
        match fields.next() {
            Some(_) => Err(self.refuse(needed + 1, format!("there are more than {needed} fields"))),
            None => Ok(()),
        }
    }

    fn pose(&self, position_m: [f64; 3], quaternion_xyzw: [f64; 4]) -> Result<Pose3, ReadError> {
        Pose3::from_quaternion_xyzw(position_m, quaternion_xyzw)
            .ok_or_else(|| self.refuse(5, "the quaternion has length zero".to_owned()))
    }

    fn refuse(&self, column: usize, problem: String) -> ReadError {
        ReadError::Line { line: self.line, column, problem }
    }
}

/// Reads a trajectory as a recording with one channel, `/trajectory`.
pub(crate) struct TextReader {
    parser: LineParser,
    /// The start of a line whose end was not fed yet.
    partial: Vec<u8>,
    /// Where the line that is read next starts.
    taken_bytes: u64,
    limits: Limits,
}

impl TextReader {
    pub(crate) fn new(format: TrajectoryFormat, limits: Limits) -> Self {
        Self { parser: LineParser::new(format), partial: Vec::new(), taken_bytes: 0, limits }
    }

    pub(crate) fn feed(&mut self, bytes: &[u8], out: &mut Collector) -> Result<(), ReadError> {
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (line, behind) = rest.split_at(end);
            rest = &behind[1..];
            if self.partial.is_empty() {
                self.line(line, out)?;
            } else {
                self.hold(line)?;
                let whole = std::mem::take(&mut self.partial);
                self.line(&whole, out)?;
            }
        }
        self.hold(rest)
    }

    pub(crate) fn finish(&mut self, out: &mut Collector) -> Result<(), ReadError> {
        let last = std::mem::take(&mut self.partial);
        self.line(&last, out)?;
        if self.parser.pose_count == 0 {
            return Err(ReadError::Empty);
        }
        Ok(())
    }

    /// Where the line that is read next starts.
    pub(crate) fn taken_bytes(&self) -> u64 {
        self.taken_bytes
    }

    fn hold(&mut self, part: &[u8]) -> Result<(), ReadError> {
        let limit = self.limits.line_bytes_max;
        if self.partial.len() + part.len() > limit {
            let problem = format!("the line is longer than {limit} bytes");
            return Err(ReadError::Line { line: self.parser.line + 1, column: 1, problem });
        }
        self.partial.extend_from_slice(part);
        Ok(())
    }

    fn line(&mut self, line: &[u8], out: &mut Collector) -> Result<(), ReadError> {
        let parsed = self.parser.line(line)?;
        self.taken_bytes += line.len() as u64 + 1;
        let Some((stamp, frame_from_child)) = parsed else { return Ok(()) };
        let channel = ChannelKey {
            topic: "/trajectory".to_owned(),
            message_type: self.parser.format.container().as_str().to_owned(),
            encoding: "text".to_owned(),
        };
        let index = out.slot_index(&channel, Table::Poses);
        let slot = out.slot(index);
        if let Samples::Poses(rows) = &mut slot.samples {
            rows.push(PoseSample {
                stamps: Stamps { log: stamp, publish: None, sensor: Some(stamp) },
                frame_id: String::new(),
                child_frame_id: String::new(),
                frame_from_child,
            });
        }
        slot.message_count += 1;
        Ok(())
    }
}
