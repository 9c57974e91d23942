//! Real to sim: scan matching, loop closure, pose graph, trajectory, map, sensor-noise fits.
//!
//! Invariant: every function is pure and gives the same bits for the same input; sums run in the
//! order of the input.
//! Frames: `map` (does not drift), `base_link` (the robot), `laser` (the scanner). Metres,
//! radians, integer nanoseconds.
//! Everything here is planar.
//!
//! Not here: reading recordings, casting rays for a simulated sensor, and any judgement of the
//! result.

pub mod error;
mod geometry;
pub mod grid;
pub mod planar_scan;

pub mod scan_match;

pub mod pose_graph;

pub mod loop_closure;

pub mod trajectory;

pub mod map;

pub mod fit;

#[cfg(test)]
mod test_world;

pub use error::ReconstructError;
