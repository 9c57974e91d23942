//! What sensors read: a laser scanner, wheel odometry, ranges to beacons.
//!
//! Invariant: the noise of a reading is addressed by (seed, sensor, frame, index), never by what
//! was read before it.
//! Metres and radians; a true value goes in, a reading comes out.
//!
//! Not here: fitting the parameters.

mod beacon;
mod lidar;
mod odometry;

pub use beacon::{range_errors, simulate_ranges, stationary_distribution};
pub(crate) use lidar::quantise;
pub use lidar::{LaserSweep, ScanGeometry, ScanStream, simulate_scan};
pub use odometry::simulate_odometry;
