//! Pure measures and statistics, proved against the reference tools.
//!
//! Invariant: same input, same bits, on any machine and any number of threads; no input is changed
//! and nothing is dropped without a count.
//! SI units and radians unless a name says otherwise; random resampling takes a
//! [`tiepoint_model::Seed`].
//!
//! Not here: files, Arrow, and judgement (a measure says how far, never whether that is good
//! enough).

pub mod bootstrap;
pub mod distribution;
pub mod error;
pub mod geometry;
pub mod influence;
pub mod map;
pub mod metric;
mod normal;
pub mod quality;
pub mod ranking;
pub mod registry;
pub mod residual;
pub mod scan;
pub mod sensor;
pub mod signal;
pub mod statistics;
pub mod trajectory;

pub use bootstrap::{Bootstrap, Interval};
pub use error::MeasureError;
pub use metric::{Metric, MetricId};
pub use signal::autocorrelation;
pub use statistics::{Share, Statistics};
