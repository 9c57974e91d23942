//! Measures of one signal and of two: how long it remembers, where its power lies, and how far one
//! must be bent in time to be the other.
//!
//! Invariant: samples are evenly spaced; nothing here fills or drops one.
//! Units: those of the samples; frequencies are hertz.
//!
//! Not here: noise models of inertial sensors, and values without an order in time (see
//! [`crate::distribution`]).

pub mod autocorrelation;
pub mod spectrum;
pub mod warping;
