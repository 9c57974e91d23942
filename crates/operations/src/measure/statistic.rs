//! Statistics of units in files: each test, interval and plan that a verdict rests on, by itself.
//!
//! Invariant: an answer is yes, no, or insufficient evidence; failing to show one thing never shows
//! the other. A statistic without a value is `null` beside its reason.
//! Units: those of the columns; chances are in `[0, 1]`.
//!
//! Not here: the arithmetic (engine `assure`), and which statistic a claim needs.

mod catalogue;
mod comparison;
mod differences;
mod family;
mod outcomes;
mod planning;
mod powered;
mod resampling;
mod training;

use std::{collections::BTreeMap, fmt};

use tiepoint_assure::statistics::StatisticsError;

pub(super) use self::catalogue::lines;
pub use self::{
    comparison::{
        DifferenceTestRequest, MarginRequest, measure_difference_test, measure_equivalence,
        measure_noninferiority,
    },
    differences::{PairColumns, PairedUnits},
    family::{
        AdjustedRequest, AlphaInvestingRequest, DiscoveryRequest, measure_adjusted,
        measure_alpha_investing, measure_discoveries,
    },
    outcomes::{
        OutcomeCounts, PairedOutcomesRequest, ShareRequest, TwoSharesRequest,
        measure_paired_outcomes, measure_share, measure_two_shares,
    },
    planning::{PlanRequest, measure_plan},
    powered::{
        PoweredFiles, PoweredMeanRequest, WeightedMeanRequest, measure_exchange_rate,
        measure_powered_mean, measure_weighted_mean,
    },
    resampling::{
        BootstrapRequest, JackknifeRequest, MeanIntervalRequest, measure_bootstrap,
        measure_jackknife, measure_mean_interval,
    },
    training::{ScalingRequest, TrainingRateRequest, measure_scaling_curve, measure_training_rate},
};
use super::{Measured, MeasuredValue, unknown};
use crate::Error;

/// What a test says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Shown.
    Yes,
    /// The contrary is shown.
    No,
    /// Neither is shown.
    InsufficientEvidence,
}

impl Answer {
    /// The word in answers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::InsufficientEvidence => "insufficient evidence",
        }
    }

    fn value(self) -> MeasuredValue {
        MeasuredValue::word("answer", self.as_str())
    }
}

/// A statistic with its conventions; prints as a metric does.
struct Statistic {
    id: &'static str,
    conventions: BTreeMap<&'static str, String>,
}

impl Statistic {
    fn new(id: &'static str) -> Self {
        Self { id, conventions: BTreeMap::new() }
    }

    fn with(mut self, convention: &'static str, choice: impl fmt::Display) -> Self {
        self.conventions.insert(convention, choice.to_string());
        self
    }

    fn unit(&self) -> &'static str {
        catalogue::unit(self.id)
    }

    /// Its values; the unit is the catalogue's.
    fn measured(&self, values: Vec<MeasuredValue>) -> Measured {
        Measured {
            metric: self.to_string(),
            unit: self.unit().to_owned(),
            values,
            tables: Vec::new(),
            notes: Vec::new(),
            answer: None,
            is_defined: true,
        }
    }

    /// Its values, or `null` with the reason where the input leaves it without one.
    fn of(&self, values: Result<Vec<MeasuredValue>, StatisticsError>) -> Result<Measured, Error> {
        match values {
            Ok(values) => Ok(self.measured(values)),
            Err(error) if is_undefined(&error) => {
                Ok(self.undefined(&error.to_string(), &error.hint()))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// As above, with what the values say.
    fn answered(
        &self,
        found: Result<(Vec<MeasuredValue>, Answer), StatisticsError>,
    ) -> Result<Measured, Error> {
        let mut answer = None;
        let values = found.map(|(values, found)| {
            answer = Some(found);
            [vec![found.value()], values].concat()
        });
        Ok(Measured { answer, ..self.of(values)? })
    }

    fn undefined(&self, reason: &str, hint: &str) -> Measured {
        let values = vec![
            MeasuredValue::undefined("value", self.unit()),
            MeasuredValue::word("reason", reason),
        ];
        let notes = vec![format!("hint: {hint}")];
        Measured { notes, is_defined: false, ..self.measured(values) }
    }
}

impl fmt::Display for Statistic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id)?;
        for (index, (name, choice)) in self.conventions.iter().enumerate() {
            let before = if index == 0 { '[' } else { ';' };
            write!(f, "{before}{name}={choice}")?;
        }
        if self.conventions.is_empty() { Ok(()) } else { f.write_str("]") }
    }
}

/// True if the input is sound and leaves the statistic without a value.
fn is_undefined(error: &StatisticsError) -> bool {
    matches!(error, StatisticsError::TooFew { .. } | StatisticsError::NotIdentified { .. })
}

/// Both ends of an interval.
fn ends([low, high]: [f64; 2], unit: &str) -> [MeasuredValue; 2] {
    [MeasuredValue::real("low", low, unit), MeasuredValue::real("high", high, unit)]
}

/// An end that may be open.
fn open_end(name: &str, end: Option<f64>, unit: &str) -> MeasuredValue {
    match end {
        Some(end) => MeasuredValue::real(name, end, unit),
        None => MeasuredValue::undefined(name, unit),
    }
}

fn count(name: &str, count: Option<u64>) -> MeasuredValue {
    MeasuredValue::json(name, count.into(), "")
}
