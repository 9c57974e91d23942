//! The statistics a verdict rests on: equivalence tests, exact intervals, corrections for many
//! cells, dependence within a run, and betting on bounded units.
//!
//! Invariant: pure functions with a fixed order of summation; randomness only from a given seed.
//! Values are in whatever unit the caller uses; probabilities lie in `[0, 1]`.
//!
//! Not here: which test applies, and what follows from it (see [`mod@crate::judge`]).

pub mod betting;
pub mod binomial;
pub mod choice;
pub mod dependence;
pub mod difference;
pub mod distributions;
pub mod equivalence;
pub mod exchange;
pub mod investing;
pub mod multiplicity;
pub mod noninferiority;
pub mod planning;
pub mod prediction_powered;
pub mod scaling;
pub mod weights;

use tiepoint_model::ErrorKind;

/// Why a statistic has no value.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum StatisticsError {
    /// Too few values.
    #[error("{count} values are too few: at least {min} are needed")]
    TooFew {
        /// How many there are.
        count: usize,
        /// How many there must be.
        min: usize,
    },
    /// NaN or infinite.
    #[error("value {index} is not finite")]
    NotFinite {
        /// Which, from 0.
        index: usize,
    },
    /// Outside the range for which the statistic is defined.
    #[error("`{name}` is {value}, which is not {requirement}")]
    OutOfRange {
        /// What.
        name: &'static str,
        /// Its value.
        value: f64,
        /// What it must be.
        requirement: &'static str,
    },
    /// Two inputs that go together in pairs have different lengths.
    #[error("{left_count} values cannot be paired with {right_count}")]
    LengthMismatch {
        /// Of one input.
        left_count: usize,
        /// Of the other.
        right_count: usize,
    },
    /// The values do not determine what was asked for.
    #[error("`{name}` cannot be determined: {reason}")]
    NotIdentified {
        /// What.
        name: &'static str,
        /// Why not.
        reason: &'static str,
    },
}

impl StatisticsError {
    /// What a program should do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::InvalidInput
    }

    /// What a person should do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::TooFew { min, .. } => format!("measure at least {min} units"),
            Self::NotFinite { .. } => "leave out values that could not be measured".to_owned(),
            Self::OutOfRange { name, requirement, .. } => {
                format!("choose `{name}` to be {requirement}")
            }
            Self::LengthMismatch { .. } => "give one value of each for every unit".to_owned(),
            Self::NotIdentified { .. } => {
                "measure more units, or units that differ more from each other".to_owned()
            }
        }
    }
}

/// Larger standard deviations have a fourth power that is no number.
const SPREAD_MAX: f64 = 1e75;

/// Mean and standard deviation (n - 1), in order.
pub(crate) fn mean_and_sd(values: &[f64]) -> Result<(f64, f64), StatisticsError> {
    if values.len() < 2 {
        return Err(StatisticsError::TooFew { count: values.len(), min: 2 });
    }
    if let Some(index) = values.iter().position(|value| !value.is_finite()) {
        return Err(StatisticsError::NotFinite { index });
    }
    let mean = mean(values);
    let square_sum: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    let sd = (square_sum / (values.len() - 1) as f64).sqrt();
    let in_range = mean.is_finite() && sd <= SPREAD_MAX;
    check_range("spread of the values", sd, in_range, "below 1e75")?;
    Ok((mean, sd))
}

/// Mean of values that are all equal is that value exactly; else the sum over the count.
pub(crate) fn mean(values: &[f64]) -> f64 {
    let first = values.first().copied().unwrap_or(f64::NAN);
    first + values.iter().map(|value| value - first).sum::<f64>() / values.len() as f64
}

/// Finite, and small enough for a fourth power.
pub(crate) fn check_values(values: &[f64]) -> Result<(), StatisticsError> {
    if let Some(index) = values.iter().position(|value| !value.is_finite()) {
        return Err(StatisticsError::NotFinite { index });
    }
    match values.iter().find(|value| value.abs() > SPREAD_MAX) {
        Some(value) => check_range("value", *value, false, "below 1e75 in size"),
        None => Ok(()),
    }
}

pub(crate) fn check_range(
    name: &'static str,
    value: f64,
    inside: bool,
    requirement: &'static str,
) -> Result<(), StatisticsError> {
    if inside { Ok(()) } else { Err(StatisticsError::OutOfRange { name, value, requirement }) }
}
