//! Samples by table, and the channel they belong to: what readers give and writers take.
//!
//! Invariant: all samples of one channel are of one table.
//! Units and frames are those of [`tiepoint_model::samples`].

use std::{fmt, str::FromStr};

use tiepoint_model::{
    BeaconRange, CameraIntrinsics, GnssFix, GridSample, ImageSample, ImuSample, JointSample,
    MagneticSample, PathSample, PointCloud, PoseSample, RangeReading, RawMessage, Scan,
    SignalSample, Stamps, TransformSample, TwistSample,
};

/// A table of samples in the lake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// Sweeps of planar scanners.
    Scans,
    /// Clouds of points.
    Points,
    /// Readings of inertial units.
    Imu,
    /// Poses of a body in a fixed frame.
    Poses,
    /// Transforms between frames.
    Transforms,
    /// Velocities.
    Twists,
    /// Ranges to beacons.
    Ranges,
    /// Messages of plain numbers, with the names of their fields.
    Signals,
    /// Fixes of satellite receivers.
    Gnss,
    /// Readings of magnetometers.
    Magnetic,
    /// States of joints.
    Joints,
    /// Intrinsics of cameras.
    Cameras,
    /// Images, their pixels addressed in the original.
    Images,
    /// Readings of sensors with a single beam or cone.
    RangeReadings,
    /// Paths to follow.
    Paths,
    /// Planar maps of cells.
    Grids,
    /// Messages that no decoder knows.
    Raw,
}

impl Table {
    /// Every table of samples.
    pub const ALL: [Self; 17] = [
        Self::Scans,
        Self::Points,
        Self::Imu,
        Self::Poses,
        Self::Transforms,
        Self::Twists,
        Self::Ranges,
        Self::Signals,
        Self::Gnss,
        Self::Magnetic,
        Self::Joints,
        Self::Cameras,
        Self::Images,
        Self::RangeReadings,
        Self::Paths,
        Self::Grids,
        Self::Raw,
    ];

    /// The table's name in the lake.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scans => "scans",
            Self::Points => "points",
            Self::Imu => "imu",
            Self::Poses => "poses",
            Self::Transforms => "transforms",
            Self::Twists => "twists",
            Self::Ranges => "ranges",
            Self::Signals => "signals",
            Self::Gnss => "gnss",
            Self::Magnetic => "magnetic",
            Self::Joints => "joints",
            Self::Cameras => "cameras",
            Self::Images => "images",
            Self::RangeReadings => "range_readings",
            Self::Paths => "paths",
            Self::Grids => "grids",
            Self::Raw => "raw",
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The word names no table of samples.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no table of samples; the tables are scans, points, imu, poses, transforms, \
     twists, ranges, gnss, magnetic, joints, cameras, images, range_readings, paths, grids, \
     signals, raw"
)]
pub struct UnknownTable(pub String);

impl FromStr for Table {
    type Err = UnknownTable;
    fn from_str(word: &str) -> Result<Self, UnknownTable> {
        Self::ALL
            .into_iter()
            .find(|table| table.as_str() == word)
            .ok_or_else(|| UnknownTable(word.to_owned()))
    }
}

/// Names a channel: its topic, and how its messages are typed and encoded.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelKey {
    /// Its name in the recording (MCAP's word).
    pub topic: String,
    /// The message type as the container names it; empty if it has none.
    pub message_type: String,
    /// How messages are encoded: `cdr`, `ros1`, `rawlog`, `text`, or as the container says.
    pub encoding: String,
}

impl ChannelKey {
    /// The key under which [`crate::write_mcap`] writes samples of a table on a topic.
    ///
    /// `None` for [`Table::Raw`], whose type is its own, and for [`Table::Signals`], which has none.
    /// `None` for [`Table::Raw`], whose type is its own, and for [`Table::Images`], whose pixels
    /// lie in the original.
    #[must_use]
    pub fn ros2(topic: &str, table: Table) -> Option<Self> {
        let message_type = match table {
            Table::Scans => "sensor_msgs/msg/LaserScan",
            Table::Points => "sensor_msgs/msg/PointCloud2",
            Table::Imu => "sensor_msgs/msg/Imu",
            Table::Poses => "nav_msgs/msg/Odometry",
            Table::Transforms => "tf2_msgs/msg/TFMessage",
            Table::Twists => "geometry_msgs/msg/TwistStamped",
            Table::Ranges => "mrpt_msgs/msg/ObservationRangeBeacon",
            Table::Gnss => "sensor_msgs/msg/NavSatFix",
            Table::Magnetic => "sensor_msgs/msg/MagneticField",
            Table::Joints => "sensor_msgs/msg/JointState",
            Table::Cameras => "sensor_msgs/msg/CameraInfo",
            Table::RangeReadings => "sensor_msgs/msg/Range",
            Table::Paths => "nav_msgs/msg/Path",
            Table::Grids => "nav_msgs/msg/OccupancyGrid",
            Table::Images | Table::Signals | Table::Raw => return None,
        };
        Some(Self {
            topic: topic.to_owned(),
            message_type: message_type.to_owned(),
            encoding: "cdr".to_owned(),
        })
    }
}

/// Samples of one table, in the order of the channel.
#[derive(Clone, Debug, PartialEq)]
pub enum Samples {
    /// Rows of [`Table::Scans`].
    Scans(Vec<Scan>),
    /// Rows of [`Table::Points`].
    Points(Vec<PointCloud>),
    /// Rows of [`Table::Imu`].
    Imu(Vec<ImuSample>),
    /// Rows of [`Table::Poses`].
    Poses(Vec<PoseSample>),
    /// Rows of [`Table::Transforms`].
    Transforms(Vec<TransformSample>),
    /// Rows of [`Table::Twists`].
    Twists(Vec<TwistSample>),
    /// Rows of [`Table::Ranges`].
    Ranges(Vec<BeaconRange>),
    /// Rows of [`Table::Signals`].
    Signals(Vec<SignalSample>),
    /// Rows of [`Table::Gnss`].
    Gnss(Vec<GnssFix>),
    /// Rows of [`Table::Magnetic`].
    Magnetic(Vec<MagneticSample>),
    /// Rows of [`Table::Joints`].
    Joints(Vec<JointSample>),
    /// Rows of [`Table::Cameras`].
    Cameras(Vec<CameraIntrinsics>),
    /// Rows of [`Table::Images`].
    Images(Vec<ImageSample>),
    /// Rows of [`Table::RangeReadings`].
    RangeReadings(Vec<RangeReading>),
    /// Rows of [`Table::Paths`].
    Paths(Vec<PathSample>),
    /// Rows of [`Table::Grids`].
    Grids(Vec<GridSample>),
    /// Rows of [`Table::Raw`].
    Raw(Vec<RawMessage>),
}

/// Does the same with the rows of every table.
macro_rules! for_rows {
    ($samples:expr, $rows:ident => $body:expr) => {
        match $samples {
            Samples::Scans($rows) => $body,
            Samples::Points($rows) => $body,
            Samples::Imu($rows) => $body,
            Samples::Poses($rows) => $body,
            Samples::Transforms($rows) => $body,
            Samples::Twists($rows) => $body,
            Samples::Ranges($rows) => $body,
            Samples::Gnss($rows) => $body,
            Samples::Magnetic($rows) => $body,
            Samples::Joints($rows) => $body,
            Samples::Cameras($rows) => $body,
            Samples::Images($rows) => $body,
            Samples::RangeReadings($rows) => $body,
            Samples::Paths($rows) => $body,
            Samples::Grids($rows) => $body,
            Samples::Signals($rows) => $body,
            Samples::Raw($rows) => $body,
        }
    };
}

impl Samples {
    /// No samples of a table.
    #[must_use]
    pub fn empty(table: Table) -> Self {
        match table {
            Table::Scans => Self::Scans(Vec::new()),
            Table::Points => Self::Points(Vec::new()),
            Table::Imu => Self::Imu(Vec::new()),
            Table::Poses => Self::Poses(Vec::new()),
            Table::Transforms => Self::Transforms(Vec::new()),
            Table::Twists => Self::Twists(Vec::new()),
            Table::Ranges => Self::Ranges(Vec::new()),
            Table::Signals => Self::Signals(Vec::new()),
            Table::Gnss => Self::Gnss(Vec::new()),
            Table::Magnetic => Self::Magnetic(Vec::new()),
            Table::Joints => Self::Joints(Vec::new()),
            Table::Cameras => Self::Cameras(Vec::new()),
            Table::Images => Self::Images(Vec::new()),
            Table::RangeReadings => Self::RangeReadings(Vec::new()),
            Table::Paths => Self::Paths(Vec::new()),
            Table::Grids => Self::Grids(Vec::new()),
            Table::Raw => Self::Raw(Vec::new()),
        }
    }

    /// The table the samples belong to.
    #[must_use]
    pub fn table(&self) -> Table {
        match self {
            Self::Scans(_) => Table::Scans,
            Self::Points(_) => Table::Points,
            Self::Imu(_) => Table::Imu,
            Self::Poses(_) => Table::Poses,
            Self::Transforms(_) => Table::Transforms,
            Self::Twists(_) => Table::Twists,
            Self::Ranges(_) => Table::Ranges,
            Self::Signals(_) => Table::Signals,
            Self::Gnss(_) => Table::Gnss,
            Self::Magnetic(_) => Table::Magnetic,
            Self::Joints(_) => Table::Joints,
            Self::Cameras(_) => Table::Cameras,
            Self::Images(_) => Table::Images,
            Self::RangeReadings(_) => Table::RangeReadings,
            Self::Paths(_) => Table::Paths,
            Self::Grids(_) => Table::Grids,
            Self::Raw(_) => Table::Raw,
        }
    }

    /// How many rows.
    #[must_use]
    pub fn len(&self) -> usize {
        for_rows!(self, rows => rows.len())
    }

    /// True without a row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The stamps of row `index`, if there is such a row.
    #[must_use]
    pub fn stamps_at(&self, index: usize) -> Option<Stamps> {
        for_rows!(self, rows => rows.get(index).map(|row| row.stamps))
    }

    /// The stamps of every row, in order.
    #[must_use]
    pub fn stamps(&self) -> Vec<Stamps> {
        for_rows!(self, rows => rows.iter().map(|row| row.stamps).collect())
    }

    /// Keeps the first `count` rows.
    pub(crate) fn truncate(&mut self, count: usize) {
        for_rows!(self, rows => rows.truncate(count));
    }

    /// Takes the first `count` rows away.
    pub(crate) fn drop_first(&mut self, count: usize) {
        for_rows!(self, rows => drop(rows.drain(..count.min(rows.len()))));
    }

    /// Moves the rows of `other` behind these; gives `other` back if it is of another table.
    pub fn append(&mut self, other: Self) -> Result<(), Self> {
        match (self, other) {
            (Self::Scans(rows), Self::Scans(more)) => rows.extend(more),
            (Self::Points(rows), Self::Points(more)) => rows.extend(more),
            (Self::Imu(rows), Self::Imu(more)) => rows.extend(more),
            (Self::Poses(rows), Self::Poses(more)) => rows.extend(more),
            (Self::Transforms(rows), Self::Transforms(more)) => rows.extend(more),
            (Self::Twists(rows), Self::Twists(more)) => rows.extend(more),
            (Self::Ranges(rows), Self::Ranges(more)) => rows.extend(more),
            (Self::Signals(rows), Self::Signals(more)) => rows.extend(more),
            (Self::Gnss(rows), Self::Gnss(more)) => rows.extend(more),
            (Self::Magnetic(rows), Self::Magnetic(more)) => rows.extend(more),
            (Self::Joints(rows), Self::Joints(more)) => rows.extend(more),
            (Self::Cameras(rows), Self::Cameras(more)) => rows.extend(more),
            (Self::Images(rows), Self::Images(more)) => rows.extend(more),
            (Self::RangeReadings(rows), Self::RangeReadings(more)) => rows.extend(more),
            (Self::Paths(rows), Self::Paths(more)) => rows.extend(more),
            (Self::Grids(rows), Self::Grids(more)) => rows.extend(more),
            (Self::Raw(rows), Self::Raw(more)) => rows.extend(more),
            (_, other) => return Err(other),
        }
        Ok(())
    }
}

/// What one drain gives of one channel.
#[derive(Clone, Debug, PartialEq)]
pub struct TopicBatch {
    /// The channel.
    pub channel: ChannelKey,
    /// Index in the channel of the first row here.
    pub first_sequence: u64,
    /// The rows, in the order of the container.
    pub samples: Samples,
}
