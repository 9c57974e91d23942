//! Robot messages: which types are understood, and one decoder and encoder for each.
//!
//! Invariant: ROS 1 and ROS 2 hold the same fields in the same order, so one function per type
//! reads both; only the [`cursor`] under it knows how numbers are laid out.
//!
//! What a sample does not hold is not kept: covariances, the twist of an odometry message, the
//! scan time of a laser scan, the limits of a beacon's sensor, the variance of a range. Of images
//! only the place of the pixels is kept. The original file keeps them all.

pub(crate) mod cursor;
pub(crate) mod decode;
pub(crate) mod encode;
pub(crate) mod schema_text;

use crate::Table;

/// A message type that is understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MessageKind {
    LaserScan,
    PointCloud2,
    Imu,
    Odometry,
    PoseStamped,
    Transforms,
    Twist,
    TwistStamped,
    BeaconRanges,
    PoseWithCovarianceStamped,
    NavSatFix,
    MagneticField,
    JointState,
    CameraInfo,
    Image,
    CompressedImage,
    Range,
    Path,
    OccupancyGrid,
}

impl MessageKind {
    /// By name, as ROS 1 (`pkg/Type`) or ROS 2 (`pkg/msg/Type`) spell it.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        let (package, rest) = name.split_once('/')?;
        let message = rest.strip_prefix("msg/").unwrap_or(rest);
        Some(match (package, message) {
            ("sensor_msgs", "LaserScan") => Self::LaserScan,
            ("sensor_msgs", "PointCloud2") => Self::PointCloud2,
            ("sensor_msgs", "Imu") => Self::Imu,
            ("nav_msgs", "Odometry") => Self::Odometry,
            ("geometry_msgs", "PoseStamped") => Self::PoseStamped,
            ("tf2_msgs", "TFMessage") | ("tf", "tfMessage") => Self::Transforms,
            ("geometry_msgs", "Twist") => Self::Twist,
            ("geometry_msgs", "TwistStamped") => Self::TwistStamped,
            ("mrpt_msgs", "ObservationRangeBeacon") => Self::BeaconRanges,
            ("geometry_msgs", "PoseWithCovarianceStamped") => Self::PoseWithCovarianceStamped,
            ("sensor_msgs", "NavSatFix") => Self::NavSatFix,
            ("sensor_msgs", "MagneticField") => Self::MagneticField,
            ("sensor_msgs", "JointState") => Self::JointState,
            ("sensor_msgs", "CameraInfo") => Self::CameraInfo,
            ("sensor_msgs", "Image") => Self::Image,
            ("sensor_msgs", "CompressedImage") => Self::CompressedImage,
            ("sensor_msgs", "Range") => Self::Range,
            ("nav_msgs", "Path") => Self::Path,
            ("nav_msgs", "OccupancyGrid") => Self::OccupancyGrid,
            _ => return None,
        })
    }

    /// ROS 1's digest of the definition that the decoder follows; `None` if it is not known here.
    ///
    /// Source: the packages of ROS Noetic.
    pub(crate) fn ros1_md5(self) -> Option<&'static str> {
        Some(match self {
            Self::LaserScan => "90c7ef2dc6895d81024acba2ac42f369",
            Self::PointCloud2 => "1158d486dd51d683ce2f1be655c3c181",
            Self::Imu => "6a62c6daae103f4ff57a132d6f95cec2",
            Self::Odometry => "cd5e73d190d741a2f92e81eda573aca7",
            Self::PoseStamped => "d3812c3cbc69362b77dc0b19b345f8f5",
            Self::Transforms => "94810edda583a504dfda3829e70d7eec",
            Self::Twist => "9f195f881246fdfa2798d1d3eebca84a",
            Self::TwistStamped => "98d34b0043a2093cf9d9345ab6eef12e",
            Self::BeaconRanges => return None,
            Self::PoseWithCovarianceStamped => "953b798c0f514ff060a53a3498ce6246",
            Self::NavSatFix => "2d3a8cd499b9b4a0249fb98fd05cfa48",
            Self::MagneticField => "2f3b0b43eed0c9501de0fa3ff89a45aa",
            Self::JointState => "3066dcd76a6cfaef579bd0f34173e9fd",
            Self::CameraInfo => "c9a58c1b0b154e0e6da7578cb991d214",
            Self::Image => "060021388200f6f0f447d0fcd9c64743",
            Self::CompressedImage => "8f7a12909da2c9d3332d540a0977563f",
            Self::Range => "c005c34273dc426c67a020a87bc24148",
            Self::Path => "6227e2b7e9cce15051f669a5e197bbf7",
            Self::OccupancyGrid => "3381f2d731d4076ec5c71b0759edbe4e",
        })
    }

    /// The table its samples go to.
    pub(crate) fn table(self) -> Table {
        match self {
            Self::LaserScan => Table::Scans,
            Self::PointCloud2 => Table::Points,
            Self::Imu => Table::Imu,
            Self::Odometry | Self::PoseStamped | Self::PoseWithCovarianceStamped => Table::Poses,
            Self::Transforms => Table::Transforms,
            Self::Twist | Self::TwistStamped => Table::Twists,
            Self::BeaconRanges => Table::Ranges,
            Self::NavSatFix => Table::Gnss,
            Self::MagneticField => Table::Magnetic,
            Self::JointState => Table::Joints,
            Self::CameraInfo => Table::Cameras,
            Self::Image | Self::CompressedImage => Table::Images,
            Self::Range => Table::RangeReadings,
            Self::Path => Table::Paths,
            Self::OccupancyGrid => Table::Grids,
        }
    }
}
