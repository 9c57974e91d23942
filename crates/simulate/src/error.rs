//! Why something could not be simulated: each variant says what, where and the offending value.
//!
//! Invariant: no input ends in a panic or in a silent NaN; it ends here or in a documented result.

use tiepoint_model::{ErrorKind, Timestamp};

/// Why a simulation or a system under test gave no answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SimulateError {
    /// The map's sides and its list of cells disagree, or it is too large to index.
    #[error("map has {cell_count} cells where its sides say {column_count} x {row_count}")]
    MapShape {
        /// Cells in the list.
        cell_count: usize,
        /// Cells along x.
        column_count: usize,
        /// Cells along y.
        row_count: usize,
    },
    /// A number of the map makes no geometry.
    #[error("map value `{field}` of cell {cell_index:?} is {value}")]
    MapValue {
        /// Which number.
        field: &'static str,
        /// Which cell, row-major; `None` for the grid itself.
        cell_index: Option<usize>,
        /// The number.
        value: f64,
    },
    /// A parameter lies outside its range.
    #[error("parameter `{parameter}` is {value}, it must be {must}")]
    Parameter {
        /// Which.
        parameter: &'static str,
        /// Its value.
        value: f64,
        /// The range.
        must: &'static str,
    },
    /// A list of a parameter set has the wrong length.
    #[error("`{list}` has {count} entries, it must have {expected_count}")]
    Length {
        /// Which list.
        list: &'static str,
        /// Its length.
        count: usize,
        /// What it must be.
        expected_count: usize,
    },
    /// The regimes fall apart: which one comes first cannot be said.
    #[error(
        "the transitions have no unique stationary distribution: regime {regime_index} is cut off"
    )]
    NoStationaryDistribution {
        /// A regime without a way to the ones before it.
        regime_index: usize,
    },
    /// Stamps of a channel are out of order.
    #[error(
        "time runs back or stands still by {back_ns} ns in `{channel}` at sample {sample_index}"
    )]
    TimeRunsBack {
        /// Which samples.
        channel: &'static str,
        /// The sample that is not later than the one ahead of it.
        sample_index: usize,
        /// How far back.
        back_ns: i64,
    },
    /// A pose or a position is NaN or infinite.
    #[error("`{what}` {sample_index} is not finite")]
    NotFinite {
        /// Which list.
        what: &'static str,
        /// Which entry.
        sample_index: usize,
    },
    /// There is nothing to work on.
    #[error("`{what}` is empty")]
    Empty {
        /// Which list.
        what: &'static str,
    },
    /// Odometry is asked for and the parameters hold no odometry model.
    #[error("odometry stamps are given, but the parameters have no odometry model")]
    NoOdometryModel,
    /// A range is asked for to a beacon that the parameters do not hold.
    #[error("range slot {slot_index} asks for beacon {beacon_id}, which has no model")]
    NoBeaconModel {
        /// Which slot.
        slot_index: usize,
        /// Which beacon.
        beacon_id: u32,
    },
    /// No corruption has this name.
    #[error("`{id}` is not a corruption")]
    UnknownCorruption {
        /// The name.
        id: String,
    },
    /// A system under test lost its state.
    #[error("`{system}` diverged: its state is not finite at {time} ns")]
    Diverged {
        /// Which system.
        system: &'static str,
        /// When.
        time: Timestamp,
    },
}

impl SimulateError {
    /// What a program should do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::InvalidInput
    }

    /// What a person should do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::MapShape { .. } | Self::MapValue { .. } => {
                "build the map again from its scans".into()
            }
            Self::Parameter { must, .. } => format!("fit the sensor again, or give a value {must}"),
            Self::Length { expected_count, .. } => {
                format!("give {expected_count} entries, one per regime")
            }
            Self::NoStationaryDistribution { .. } => {
                "drop regimes that are never left or never reached".into()
            }
            Self::TimeRunsBack { .. } => "order the samples by their measured time".into(),
            Self::NotFinite { .. } => "drop the samples that are NaN or infinite".into(),
            Self::Empty { what } => format!("give at least one entry of `{what}`"),
            Self::NoOdometryModel => "fit an odometry model, or give no odometry stamps".into(),
            Self::NoBeaconModel { beacon_id, .. } => {
                format!("fit beacon {beacon_id}, or leave its ranges out")
            }
            Self::UnknownCorruption { .. } => {
                format!("use one of {}", crate::corruption::CORRUPTION_IDS.join(", "))
            }
            Self::Diverged { .. } => {
                "look at the samples before this time; the system has no answer on them".into()
            }
        }
    }
}

/// Refuses a parameter that is not finite or below its least value.
pub(crate) fn at_least(parameter: &'static str, value: f64, min: f64) -> Result<(), SimulateError> {
    if value.is_finite() && value >= min {
        return Ok(());
    }
    let must =
        if min == 0.0 { "finite and not negative" } else { "finite and not below its least" };
    Err(SimulateError::Parameter { parameter, value, must })
}

/// Refuses a parameter that is not finite.
pub(crate) fn finite(parameter: &'static str, value: f64) -> Result<(), SimulateError> {
    if value.is_finite() {
        return Ok(());
    }
    Err(SimulateError::Parameter { parameter, value, must: "finite" })
}

/// Refuses a parameter that is not above zero and finite.
pub(crate) fn positive(parameter: &'static str, value: f64) -> Result<(), SimulateError> {
    if value.is_finite() && value > 0.0 {
        return Ok(());
    }
    Err(SimulateError::Parameter { parameter, value, must: "finite and above zero" })
}

/// Refuses a share outside `0..=1`.
pub(crate) fn share(parameter: &'static str, value: f64) -> Result<(), SimulateError> {
    if (0.0..=1.0).contains(&value) {
        return Ok(());
    }
    Err(SimulateError::Parameter { parameter, value, must: "between 0 and 1" })
}
