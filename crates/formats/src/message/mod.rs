//! Robot messages: which types are understood, and one decoder and encoder for each.
//!
//! Invariant: ROS 1 and ROS 2 hold the same fields in the same order, so one function per type
//! reads both; only the [`cursor`] under it knows how numbers are laid out.
//!
//! What a sample does not hold is not kept: covariances, the twist of an odometry message, the
//! scan time of a laser scan, the limits of a range sensor. The original file keeps them.

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
            _ => return None,
        })
    }

    /// The table its samples go to.
    pub(crate) fn table(self) -> Table {
        match self {
            Self::LaserScan => Table::Scans,
            Self::PointCloud2 => Table::Points,
            Self::Imu => Table::Imu,
            Self::Odometry | Self::PoseStamped => Table::Poses,
            Self::Transforms => Table::Transforms,
            Self::Twist | Self::TwistStamped => Table::Twists,
            Self::BeaconRanges => Table::Ranges,
        }
    }
}
