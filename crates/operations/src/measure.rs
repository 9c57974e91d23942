//! `measure`: one metric on files, without a lake.
//!
//! Invariant: a value that is not defined is `null` beside its reason, never a number.
//! One file per family of metrics; each gives [`Measured`], which every surface shows the same way.
//!
//! Not here: reading the user's files, and showing.

mod calibration;
mod catalogue;
mod distribution;
mod geometry;
mod input;
mod residual;
mod sensor;
mod series;
mod statistic;
mod trajectory;

use tiepoint_measure::{MeasureError, Metric, registry};

pub(crate) use self::input::{read_number_columns, read_word_columns};
pub use self::{
    calibration::{CalibrationRequest, measure_extrinsics, measure_reprojection},
    catalogue::{MetricLine, metrics},
    distribution::{
        AdwinRequest, CategoryRequest, ColumnMeasure, DistributionMeasure, DistributionRequest,
        InformationRequest, PointMeasure, measure_adwin, measure_categories, measure_distribution,
        measure_information,
    },
    geometry::{
        GeometryMeasure, GeometryRequest, ResidualAgainst, ResidualMapRequest,
        SurfaceChangeRequest, measure_geometry, measure_residual_map,
    },
    input::InputFile,
    residual::{ResidualRequest, measure_residual},
    sensor::{
        AllanRequest, LidarNoiseOptions, LidarRequest, LineDelayRequest, NonUniformityRequest,
        PhotonTransferRequest, RecordTime, VideoGainRequest, measure_allan, measure_drop_out,
        measure_line_delay, measure_non_uniformity, measure_photon_transfer, measure_range_noise,
        measure_video_gain,
    },
    series::{
        AutocorrelationRequest, RankingMeasure, RankingRequest, SignalMeasure, SignalRequest,
        measure_autocorrelation, measure_ranking, measure_signal,
    },
    statistic::{
        AdjustedRequest, AlphaInvestingRequest, Answer, BootstrapRequest, DifferenceTestRequest,
        DiscoveryRequest, JackknifeRequest, MarginRequest, MeanIntervalRequest, OutcomeCounts,
        PairColumns, PairedOutcomesRequest, PairedUnits, PlanRequest, PoweredFiles,
        PoweredMeanRequest, ScalingRequest, ShareRequest, TrainingRateRequest, TwoSharesRequest,
        WeightedMeanRequest, measure_adjusted, measure_alpha_investing, measure_bootstrap,
        measure_difference_test, measure_discoveries, measure_equivalence, measure_exchange_rate,
        measure_jackknife, measure_mean_interval, measure_noninferiority, measure_paired_outcomes,
        measure_plan, measure_powered_mean, measure_scaling_curve, measure_share,
        measure_training_rate, measure_two_shares, measure_weighted_mean,
    },
    trajectory::{
        DriftRequest, LoopClosureRequest, PairingWords, ReferenceErrorRequest, RelativeWords,
        StepScaleRequest, SubTrajectoryRequest, TimeOffsetRequest, TrajectoryFiles,
        TrajectoryMeasureRequest, measure_kitti_drift, measure_loop_closure,
        measure_reference_error, measure_step_scale, measure_sub_trajectory, measure_time_offset,
        measure_trajectory,
    },
};
use crate::Error;

/// A metric applied to files: its full identity and its named values.
#[derive(Clone, Debug)]
pub struct Measured {
    /// Id and conventions.
    pub metric: String,
    /// The metric's unit; each value has its own.
    pub unit: String,
    /// The values, in the order of their importance.
    pub values: Vec<MeasuredValue>,
    /// Values that come in rows, such as those of several columns.
    pub tables: Vec<MeasuredTable>,
    /// What a reader must know beside the values, such as what was left out.
    pub notes: Vec<String>,
    /// What a test says; `None` for what is no test.
    pub answer: Option<Answer>,
    /// False if what was asked for has no value; its reason stands beside it.
    pub is_defined: bool,
}

/// One named value.
#[derive(Clone, Debug)]
pub struct MeasuredValue {
    /// Its key in JSON and its line in the table.
    pub name: String,
    /// Its unit; empty for counts and words.
    pub unit: String,
    /// The value: a number, a word, or `null` where it is not defined.
    pub value: serde_json::Value,
    /// Its identity, where it is another than that of the whole.
    pub metric: Option<String>,
}

/// Rows of named values; a row may lack some.
#[derive(Clone, Debug)]
pub struct MeasuredTable {
    /// Its key in JSON.
    pub name: String,
    /// The rows, in the order of the input.
    pub rows: Vec<Vec<MeasuredValue>>,
}

impl MeasuredValue {
    /// A real number. One that is not finite is `null`.
    #[must_use]
    pub fn real(name: &str, value: f64, unit: &str) -> Self {
        Self::json(name, value.into(), unit)
    }

    /// A count.
    #[must_use]
    pub fn count(name: &str, value: usize) -> Self {
        Self::json(name, value.into(), "")
    }

    /// A word, such as the reason why a value is not defined.
    #[must_use]
    pub fn word(name: &str, value: &str) -> Self {
        Self::json(name, value.into(), "")
    }

    /// A value that is not defined, and why.
    #[must_use]
    pub fn undefined(name: &str, unit: &str) -> Self {
        Self::json(name, serde_json::Value::Null, unit)
    }

    /// Any other value.
    #[must_use]
    pub fn json(name: &str, value: serde_json::Value, unit: &str) -> Self {
        Self { name: name.to_owned(), unit: unit.to_owned(), value, metric: None }
    }

    /// The same value with an identity of its own, and that metric's unit.
    #[must_use]
    pub fn of(mut self, metric: &Metric) -> Self {
        registry::unit(metric.id()).clone_into(&mut self.unit);
        self.metric = Some(metric.to_string());
        self
    }

    /// The value with its unit, for a person.
    #[must_use]
    pub fn text(&self) -> String {
        let value = match &self.value {
            serde_json::Value::String(word) => word.clone(),
            serde_json::Value::Null => return "undefined".to_owned(),
            value if value.is_f64() => number_text(value.as_f64().unwrap_or_default()),
            value => value.to_string(),
        };
        let unit = if self.unit == "1" { "" } else { &self.unit };
        format!("{value} {unit}").trim_end().to_owned()
    }
}

/// Nine decimals, or nine digits where those would hide a small or large number.
fn number_text(value: f64) -> String {
    let is_plain = value == 0.0 || (1e-4..1e12).contains(&value.abs());
    if is_plain { format!("{value:.9}") } else { format!("{value:.9e}") }
}

impl MeasuredTable {
    /// The names of all rows' values, in the order in which they come.
    #[must_use]
    pub fn header(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for value in self.rows.iter().flatten() {
            if !names.contains(&value.name.as_str()) {
                names.push(&value.name);
            }
        }
        names
    }

    /// Each row's cells, as wide as the header.
    #[must_use]
    pub fn cells(&self) -> Vec<Vec<String>> {
        let header = self.header();
        let cell = |row: &[MeasuredValue], name: &str| {
            row.iter().find(|value| value.name == name).map_or(String::new(), MeasuredValue::text)
        };
        self.rows.iter().map(|row| header.iter().map(|name| cell(row, name)).collect()).collect()
    }
}

impl Measured {
    /// A metric's values; the unit is the registry's.
    #[must_use]
    pub fn new(metric: &Metric, values: Vec<MeasuredValue>) -> Self {
        Self {
            metric: metric.to_string(),
            unit: registry::unit(metric.id()).to_owned(),
            values,
            tables: Vec::new(),
            notes: Vec::new(),
            answer: None,
            is_defined: true,
        }
    }

    /// A metric's values, or `null` with the reason where the input leaves the metric without one.
    ///
    /// # Errors
    /// Every other error of the measure.
    fn of(
        metric: &Metric,
        values: Result<Vec<MeasuredValue>, MeasureError>,
    ) -> Result<Self, Error> {
        match values {
            Ok(values) => Ok(Self::new(metric, values)),
            Err(error) if is_undefined(&error) => {
                let values = without_value(registry::unit(metric.id()), &error);
                let notes = vec![format!("hint: {}", error.hint())];
                Ok(Self { notes, is_defined: false, ..Self::new(metric, values) })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// One JSON object: `metric`, `unit`, each value and table by its name, `metrics` of the values
    /// that have an identity of their own, and `notes` if there are any.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        let mut object = serde_json::Map::new();
        object.insert("metric".to_owned(), self.metric.clone().into());
        object.insert("unit".to_owned(), self.unit.clone().into());
        for value in &self.values {
            object.insert(value.name.clone(), value.value.clone());
        }
        let identities: serde_json::Map<_, _> = self.identities().collect();
        if !identities.is_empty() {
            object.insert("metrics".to_owned(), identities.into());
        }
        for table in &self.tables {
            let row = |row: &Vec<MeasuredValue>| {
                let cells = row.iter().map(|value| (value.name.clone(), value.value.clone()));
                serde_json::Value::Object(cells.collect())
            };
            object.insert(table.name.clone(), table.rows.iter().map(row).collect());
        }
        if !self.notes.is_empty() {
            object.insert("notes".to_owned(), self.notes.clone().into());
        }
        object.into()
    }

    fn identities(&self) -> impl Iterator<Item = (String, serde_json::Value)> {
        let own = |value: &MeasuredValue| Some((value.name.clone(), value.metric.clone()?.into()));
        self.values.iter().filter_map(own)
    }
}

/// True if the input is sound and leaves the metric without a value.
fn is_undefined(error: &MeasureError) -> bool {
    matches!(
        error,
        MeasureError::Constant { .. }
            | MeasureError::TooFew { .. }
            | MeasureError::DegenerateAlignment { .. }
            | MeasureError::NoPairs { .. }
            // Readers hand on finite numbers only: what is computed from them overflows.
            | MeasureError::NotFinite { .. }
    )
}

/// `null` and the reason.
fn without_value(unit: &str, error: &MeasureError) -> Vec<MeasuredValue> {
    vec![MeasuredValue::undefined("value", unit), MeasuredValue::word("reason", &error.to_string())]
}

fn unknown(what: &'static str, value: &str, known: &'static str) -> Error {
    Error::UnknownWord { what, value: value.to_owned(), known }
}
