//! What a sensor's own readings say about its noise: inertial, camera, LiDAR, calibration.
//!
//! Invariant: a parameter that the data do not show is [`NotIdentifiable`], with the reason; it is
//! never zero, never the edge of a search.
//! SI units and radians; grey values of cameras are digital numbers (DN).
//!
//! Not here: fitting the simulator's sensor models to a recording, and files.

pub mod allan;
pub mod calibration;
pub mod camera;
pub mod chance;
pub mod lidar;
pub mod sampling;

pub use allan::{AveragingFactors, Deviation, DeviationCurve, Record, allan_deviation};
pub use calibration::{CameraModel, ExtrinsicDrift, extrinsic_drift, reprojection_drift};
pub use sampling::{Sampling, regular_sampling};

/// Why a parameter has no value, though the input is sound.
#[derive(Clone, Debug, PartialEq, thiserror::Error, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case", tag = "reason")]
pub enum NotIdentifiable {
    /// No stretch of the curve has the slope that this noise makes.
    #[error("the curve has slope {found} where this noise makes {wanted}")]
    NoSlope {
        /// The wanted slope of the deviation over the averaging time, both logarithmic.
        wanted: f64,
        /// The slope of the points that were looked at.
        found: f64,
    },
    /// Another noise hides this one at every averaging time.
    #[error("this noise makes up at most {share_max} of the variance, and {share_min} is needed")]
    Hidden {
        /// Largest share of the variance that this noise makes up anywhere.
        share_max: f64,
        /// The share that is needed.
        share_min: f64,
    },
    /// Too little data: the interval would be wider than the value.
    #[error("{count} {what}, and at least {min} are needed")]
    TooFew {
        /// What there is too little of.
        what: String,
        /// How many there are.
        count: f64,
        /// How many are needed.
        min: f64,
    },
    /// The input does not vary in what the parameter depends on.
    #[error("the data show no {what}")]
    NoVariation {
        /// What does not vary.
        what: String,
    },
    /// The model does not describe the data.
    #[error("{what}: {value}, and the limit is {limit}")]
    Misfit {
        /// The sign of it.
        what: String,
        /// How bad it is.
        value: f64,
        /// What is allowed.
        limit: f64,
    },
}
