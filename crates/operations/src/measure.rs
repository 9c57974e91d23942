//! `measure`: one metric on files, without a lake.
//!
//! One file per family of metrics; each gives [`Measured`], which every surface shows the same way.

mod trajectory;

use serde::Serialize;
use tiepoint_measure::{Metric, registry};

pub use self::trajectory::{TrajectoryMeasureRequest, measure_trajectory};
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
    /// What a reader must know beside the values, such as what was left out.
    pub notes: Vec<String>,
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
}

impl MeasuredValue {
    /// A real number. One that is not finite is `null`.
    #[must_use]
    pub fn real(name: &str, value: f64, unit: &str) -> Self {
        Self { name: name.to_owned(), unit: unit.to_owned(), value: value.into() }
    }

    /// A count.
    #[must_use]
    pub fn count(name: &str, value: usize) -> Self {
        Self { name: name.to_owned(), unit: String::new(), value: value.into() }
    }

    /// A word, such as the reason why a value is not defined.
    #[must_use]
    pub fn word(name: &str, value: &str) -> Self {
        Self { name: name.to_owned(), unit: String::new(), value: value.into() }
    }

    /// The value with its unit, for a person.
    #[must_use]
    pub fn text(&self) -> String {
        let value = match &self.value {
            serde_json::Value::String(word) => word.clone(),
            serde_json::Value::Null => "undefined".to_owned(),
            value if value.is_f64() => format!("{:.9}", value.as_f64().unwrap_or_default()),
            value => value.to_string(),
        };
        format!("{value} {}", self.unit).trim_end().to_owned()
    }
}

impl Measured {
    /// A metric's values; the unit is the registry's.
    #[must_use]
    pub fn new(metric: &Metric, values: Vec<MeasuredValue>) -> Self {
        let unit = registry::unit(metric.id()).to_owned();
        Self { metric: metric.to_string(), unit, values, notes: Vec::new() }
    }

    /// One JSON object: `metric`, `unit`, each value by its name, and `notes` if there are any.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        let mut object = serde_json::Map::new();
        object.insert("metric".to_owned(), self.metric.clone().into());
        object.insert("unit".to_owned(), self.unit.clone().into());
        for value in &self.values {
            object.insert(value.name.clone(), value.value.clone());
        }
        if !self.notes.is_empty() {
            object.insert("notes".to_owned(), self.notes.clone().into());
        }
        object.into()
    }
}

fn unknown(what: &'static str, value: &str, known: &'static str) -> Error {
    Error::UnknownWord { what, value: value.to_owned(), known }
}

/// One metric of the list.
#[derive(Clone, Debug, Serialize)]
pub struct MetricLine {
    /// Its id.
    pub id: String,
    /// Its unit.
    pub unit: String,
    /// What it is.
    pub description: String,
    /// Where it is defined.
    pub source: String,
}

impl MetricLine {
    /// The cells of a table's row.
    #[must_use]
    pub fn row(&self) -> Vec<String> {
        vec![self.id.clone(), self.unit.clone(), self.description.clone(), self.source.clone()]
    }
}

/// Every metric that exists, sorted by id.
#[must_use]
pub fn metrics() -> Vec<MetricLine> {
    registry::all()
        .iter()
        .map(|entry| MetricLine {
            id: entry.id.as_str().to_owned(),
            unit: entry.unit.to_owned(),
            description: entry.description.to_owned(),
            source: entry.source.to_owned(),
        })
        .collect()
}
