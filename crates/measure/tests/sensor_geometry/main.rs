//! Measures of sensors and of geometry: against the reference tools, by law, and on simulated
//! noise whose parameters are known. Data, versions and licences: `testdata/<case>/PROVENANCE.md`.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod allan_golden;
mod allan_laws;
mod calibration;
mod calibration_golden;
mod camera;
#[path = "../conformance/mod.rs"]
mod conformance;
mod geometry_golden;
mod geometry_laws;
mod lidar;
mod noise_golden;
mod total;
