//! Deterministic worlds and sensors: a trajectory, a map, parameters and a seed make a recording.
//!
//! Invariant: same input, same bits: in every build profile and on any number of threads.
//! A draw is addressed by purpose, frame and index, so adding a beam or a beacon moves no other
//! noise.
//! Lengths are metres, angles radians, times integer nanoseconds; poses are destination first.
//!
//! Not here: fitting of parameters, maps from scans, files, and any judgement of what is made.

pub mod error;
pub mod poses;
pub mod world;

pub mod sensors;

pub mod corruption;
pub mod twin;

pub mod systems;

pub mod parity;

pub use corruption::{Corruption, corrupt};
pub use error::SimulateError;
pub use poses::{TimedPose, Track};
pub use sensors::{
    LaserSweep, ScanGeometry, ScanStream, simulate_odometry, simulate_ranges, simulate_scan,
};
pub use twin::{FrameNames, RangeSlot, Skipped, TwinInput, TwinOutput, simulate_twin};
pub use world::{Hit, World};
