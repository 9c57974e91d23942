//! The laws of the simulator and of the systems under test, on small analytic worlds.
//!
//! Metres, radians; every random test is seeded, and says how its tolerance follows from its
//! sample size.
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

mod scene;

mod parity;
mod ray_cast;
mod sensors;
mod systems;
mod twin;
