//! Fits of the sensor models on the calibration half of a recording.
//!
//! Invariant: every function is pure, sums in the order of the input and gives the same bits for
//! the same input; a random step (bootstrap, simulated residuals) takes a seed.
//! Metres, radians; poses are destination first; a report says how many values it rests on
//! (`count`), how uncertain it is (`standard_error`), by which method, and for which ranges it
//! holds.
//!
//! Not here: the split into halves, ray casting (predicted ranges are an argument), scan matching,
//! and any judgement of the fitted model.

use serde::{Deserialize, Serialize};

pub mod beacon;
pub mod beams;
pub mod corners;
pub mod error;
mod hidden_markov;
mod interval;
mod mixture;
mod numeric;
pub mod odometry;
pub mod quantisation;
pub mod range_error;
mod range_error_model;
pub mod range_noise;
pub mod stationary;
mod uncertainty;
mod wheel_noise;

pub use beacon::{BeaconPositionReport, RangeObservation, fit_beacon_position, range_residuals};
pub use beams::{BeamCensus, BeamLimits, BeamMixtureReport, beam_census, fit_beam_mixture};
pub use corners::{CornerAxis, CornersReport, VarianceStatus, three_cornered_hat};
pub use error::FitError;
pub use odometry::{
    Identification, OdometryParameter, OdometryReport, OdometryStep, ReferenceErrorGrowth,
    fit_odometry, join_steps,
};
pub use quantisation::{QuantisationReport, detect_quantisation};
pub use range_error::{CandidateReport, ParameterEstimate, RangeErrorReport, fit_range_error};
pub use range_error_model::{predictive_log_densities, simulate_range_errors};
pub use range_noise::{
    RangeNoiseMethod, RangeNoiseReport, ScannerReadings, StaticPair, fit_range_noise,
    fit_range_noise_from_pairs, fit_range_noise_from_walls,
};
pub use stationary::{StationarityReport, StationarityThresholds, find_static_steps};

/// One fitted number.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The value, in the unit that the name of the field says.
    pub value: f64,
    /// Its standard error, same unit; absent where the data do not give one.
    pub standard_error: Option<f64>,
    /// How many values it rests on.
    pub count: usize,
}

#[cfg(test)]
mod tests {
    //! Laws of the fits, on seeded synthetic data: known parameters come back within stated
    //! tolerances.
    mod beacons;
    mod beams;
    mod corners;
    mod lidar;
    mod odometry;
    mod range_errors;
}
