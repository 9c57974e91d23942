//! Measures of samples and signals: against the reference tools, and the laws they obey.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "../conformance/mod.rs"]
mod conformance;
mod drift;
mod fuzz;
mod golden;
mod laws;
mod nulls;
mod numpy;
mod packages;
mod series;
mod signal;
