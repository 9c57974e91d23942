//! Why a fit was refused: each variant says which input, where, and the offending value.
//!
//! Invariant: no input ends in a panic or in a silent NaN; it ends here or in a documented result.

use tiepoint_model::ErrorKind;

/// Why there is no fit.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    /// NaN or infinity where a number is needed.
    #[error("`{what}` number {index} is not finite")]
    NotFinite {
        /// Which input.
        what: &'static str,
        /// Position in it.
        index: usize,
    },
    /// Less data than the fit needs.
    #[error("there are {count} `{what}`, the fit needs {minimum}")]
    TooFew {
        /// Which input.
        what: &'static str,
        /// How many there are.
        count: usize,
        /// How many are needed.
        minimum: usize,
    },
    /// Two lists that belong together differ in length.
    #[error("`{what}` has {count} entries where {expected_count} belong together")]
    LengthMismatch {
        /// Which list.
        what: &'static str,
        /// Its length.
        count: usize,
        /// The length needed.
        expected_count: usize,
    },
    /// A parameter or an option outside its range.
    #[error("`{parameter}` is {value}, it must be {must}")]
    Parameter {
        /// Which.
        parameter: &'static str,
        /// Its value.
        value: f64,
        /// The range in words.
        must: &'static str,
    },
    /// The data allow more than one answer.
    #[error("the data do not determine `{what}`")]
    Undetermined {
        /// What is not determined.
        what: &'static str,
    },
}

impl FitError {
    /// The class of the error, for programs.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::InvalidInput
    }

    /// What to do next, for people.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::NotFinite { what, .. } => {
                format!("mark the values of `{what}` that are NaN or infinite as missing")
            }
            Self::TooFew { what, minimum, .. } => {
                format!("calibrate on a longer part with at least {minimum} `{what}`")
            }
            Self::LengthMismatch { what, expected_count, .. } => {
                format!("give {expected_count} entries of `{what}`")
            }
            Self::Parameter { parameter, must, .. } => format!("set `{parameter}` to be {must}"),
            Self::Undetermined { what } => {
                format!("record a path with more variety, or give `{what}` from elsewhere")
            }
        }
    }
}

/// Refuses a value that is not finite or not above zero.
pub(crate) fn positive(parameter: &'static str, value: f64) -> Result<(), FitError> {
    if value.is_finite() && value > 0.0 {
        return Ok(());
    }
    Err(FitError::Parameter { parameter, value, must: "finite and above zero" })
}

/// Refuses a value that is not finite or negative.
pub(crate) fn not_negative(parameter: &'static str, value: f64) -> Result<(), FitError> {
    if value.is_finite() && value >= 0.0 {
        return Ok(());
    }
    Err(FitError::Parameter { parameter, value, must: "finite and not negative" })
}

/// Refuses limits that leave no room for a measurement.
pub(crate) fn range_limits(range_min_m: f64, range_max_m: f64) -> Result<(), FitError> {
    not_negative("range_min_m", range_min_m)?;
    if range_max_m.is_finite() && range_max_m > range_min_m {
        return Ok(());
    }
    Err(FitError::Parameter {
        parameter: "range_max_m",
        value: range_max_m,
        must: "finite and above range_min_m",
    })
}

/// Refuses too short a list.
pub(crate) fn at_least(what: &'static str, count: usize, minimum: usize) -> Result<(), FitError> {
    if count >= minimum { Ok(()) } else { Err(FitError::TooFew { what, count, minimum }) }
}

/// Refuses a value that is NaN or infinite.
pub(crate) fn finite(what: &'static str, index: usize, value: f64) -> Result<(), FitError> {
    if value.is_finite() { Ok(()) } else { Err(FitError::NotFinite { what, index }) }
}
