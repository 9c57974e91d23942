//! Which columns of a table are what: read from TOML, checked against the header.
//!
//! ```toml
//! [time]
//! column = "t"
//! unit = "ms"          # ns, us, ms or s
//! clock = "sensor"     # log, or sensor if the column is when the sensor measured
//!
//! [[channel]]
//! topic = "imu"
//! table = "imu"        # imu, poses, twists, gnss, magnetic or signals
//! frame_id = "imu_link"
//! fields = { angular_rate_x_rad_per_s = "gx", acceleration_x_m_per_s2 = "ax" }
//! units = { gx = "deg/s", ax = "g" }
//!
//! [[channel]]
//! topic = "battery"
//! table = "signals"
//! columns = ["volt", "ampere"]
//! units = { volt = "V", ampere = "A" }
//! ```
//!
//! Invariant: every column that is named exists once in the header, and every unit of a typed
//! field turns into the table's own by one factor; a signal keeps its unit and its numbers.

use std::{collections::BTreeMap, fmt::Write, str::FromStr};

use serde::Deserialize;
use tiepoint_model::{ErrorKind, Timestamp};

use super::rows::{ResolvedChannel, typed_fields};
use crate::Table;

/// What the columns of a table are.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Projection {
    /// What parts the cells of a CSV: one ASCII character.
    #[serde(default = "comma")]
    pub delimiter: char,
    /// Texts that stand for a missing number; an empty cell always does.
    #[serde(default)]
    pub missing: Vec<String>,
    /// The column of the time.
    pub time: TimeProjection,
    /// What is made of the other columns.
    #[serde(rename = "channel")]
    pub channels: Vec<ChannelProjection>,
}

/// The column of the time.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeProjection {
    /// Its name in the header.
    pub column: String,
    /// Of its numbers.
    pub unit: TimeUnit,
    /// Which stamp it is.
    pub clock: ProjectedClock,
}

/// The unit of a column of times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TimeUnit {
    /// Nanoseconds.
    Ns,
    /// Microseconds.
    Us,
    /// Milliseconds.
    Ms,
    /// Seconds.
    S,
}

/// Which clock a column of times is of. The log time is set from it in either case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProjectedClock {
    /// When it was recorded.
    Log,
    /// When the sensor measured: the sensor's stamp is set too.
    Sensor,
}

/// One channel made of some columns.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelProjection {
    /// Its name in the recording.
    pub topic: String,
    /// `imu`, `poses`, `twists`, `gnss`, `magnetic` or `signals`.
    pub table: String,
    /// The frame of the values.
    #[serde(default)]
    pub frame_id: String,
    /// The frame whose pose it is.
    #[serde(default)]
    pub child_frame_id: String,
    /// For a typed table: the table's column from the file's.
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
    /// For `signals`: the file's columns.
    #[serde(default)]
    pub columns: Vec<String>,
    /// Units of the file's columns, where they are not the table's.
    #[serde(default)]
    pub units: BTreeMap<String, String>,
}

fn comma() -> char {
    ','
}

/// Why a projection does not fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProjectionError {
    /// It is not TOML of the form that is asked for.
    #[error("the projection does not read: {problem}")]
    Syntax {
        /// What the parser says, with line and column.
        problem: String,
    },
    /// A column that it names is not in the header.
    #[error("there is no column `{column}`; there are {known}")]
    NoColumn {
        /// As named.
        column: String,
        /// The header.
        known: String,
    },
    /// A column that it names is in the header more than once.
    #[error("the column `{column}` is in the header {count} times")]
    SameColumn {
        /// As named.
        column: String,
        /// How often.
        count: usize,
    },
    /// A column is of a type that holds no numbers.
    #[error("the column `{column}` holds {found}, no plain numbers")]
    NoNumbers {
        /// As named.
        column: String,
        /// Its type.
        found: String,
    },
    /// A channel asks for what its table cannot be.
    #[error("channel `{topic}`: {problem}")]
    Channel {
        /// The channel.
        topic: String,
        /// What is wrong.
        problem: String,
    },
    /// Something of the whole projection.
    #[error("{problem}")]
    Whole {
        /// What is wrong.
        problem: String,
    },
}

impl ProjectionError {
    /// What a program should do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::InvalidInput
    }

    /// What a person should do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Syntax { .. } => "start from the projection that is printed without one".into(),
            Self::NoColumn { .. } | Self::SameColumn { .. } => {
                "name the columns as the header does; each must be there once".into()
            }
            Self::NoNumbers { .. } => "leave the column out".into(),
            Self::Channel { .. } | Self::Whole { .. } => "correct the projection".into(),
        }
    }
}

impl FromStr for Projection {
    type Err = ProjectionError;

    fn from_str(text: &str) -> Result<Self, ProjectionError> {
        let projection: Self = toml::from_str(text)
            .map_err(|error| ProjectionError::Syntax { problem: error.to_string() })?;
        let whole = |problem: &str| Err(ProjectionError::Whole { problem: problem.to_owned() });
        if !projection.delimiter.is_ascii() || "\"\r\n".contains(projection.delimiter) {
            return whole("the delimiter must be one ASCII character, no quote and no line end");
        }
        if projection.channels.is_empty() {
            return whole("there is no [[channel]]");
        }
        let mut topics: Vec<&str> = projection.channels.iter().map(|c| c.topic.as_str()).collect();
        topics.sort_unstable();
        if let Some(pair) = topics.windows(2).find(|pair| pair[0] == pair[1]) {
            return whole(&format!("two channels have the topic `{}`", pair[0]));
        }
        Ok(projection)
    }
}

/// A projection against a header.
pub(crate) struct Resolved {
    /// Index of the column of the time.
    pub(super) time: usize,
    pub(super) unit: TimeUnit,
    pub(super) clock: ProjectedClock,
    pub(super) channels: Vec<ResolvedChannel>,
    /// Which columns are read, rising, the time left out.
    pub(super) number_columns: Vec<usize>,
}

impl Projection {
    /// Finds the columns.
    pub(crate) fn resolve(&self, header: &[String]) -> Result<Resolved, ProjectionError> {
        let index = |column: &str| {
            let mut found = (0..header.len()).filter(|index| header[*index] == column);
            let count = found.clone().count();
            let column = column.to_owned();
            match (found.next(), count) {
                (Some(index), 1) => Ok(index),
                (None, _) => {
                    let known = shortened(header);
                    Err(ProjectionError::NoColumn { column, known })
                }
                _ => Err(ProjectionError::SameColumn { column, count }),
            }
        };
        let time = index(&self.time.column)?;
        let mut channels = Vec::with_capacity(self.channels.len());
        for channel in &self.channels {
            channels.push(ResolvedChannel::new(channel, &index)?);
        }
        let mut number_columns: Vec<usize> =
            channels.iter().flat_map(|channel| channel.columns().collect::<Vec<_>>()).collect();
        number_columns.sort_unstable();
        number_columns.dedup();
        let (unit, clock) = (self.time.unit, self.time.clock);
        Ok(Resolved { time, unit, clock, channels, number_columns })
    }
}

impl TimeUnit {
    /// Decimal places from seconds.
    fn exponent(self) -> i32 {
        match self {
            Self::Ns => -9,
            Self::Us => -6,
            Self::Ms => -3,
            Self::S => 0,
        }
    }

    /// Reads a decimal exactly, to the nanosecond.
    pub(super) fn parse(self, text: &str) -> Option<Timestamp> {
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(at) => (&text[..at], text[at + 1..].parse::<i32>().ok()?),
            None => (text, 0),
        };
        let exponent = exponent.checked_add(self.exponent())?;
        Timestamp::from_decimal_seconds(&format!("{mantissa}e{exponent}"))
    }

    /// A whole number of units.
    pub(super) fn of_integer(self, count: i64) -> Option<Timestamp> {
        let per_unit = match self {
            Self::Ns => 1,
            Self::Us => 1_000,
            Self::Ms => 1_000_000,
            Self::S => 1_000_000_000,
        };
        count.checked_mul(per_unit).map(Timestamp)
    }
}

/// A projection to start from, for a header: the first column that sounds like a time, all
/// others as one channel of signals, and how a typed channel would look.
pub(crate) fn example(header: &[String], delimiter: char) -> String {
    let sounds_like_time = |name: &&String| {
        let name = name.to_lowercase();
        name.contains("time") || name.contains("stamp") || name == "t"
    };
    let time = header.iter().find(sounds_like_time).or(header.first());
    let time = time.map_or("time", String::as_str);
    let ends = |suffix: &str| {
        let name = time.trim_end_matches([']', ')']).to_lowercase();
        name.ends_with(&format!("_{suffix}"))
            || name.ends_with(&format!("[{suffix}"))
            || name.ends_with(&format!("({suffix}"))
    };
    let unit = ["ns", "us", "ms"].into_iter().find(|unit| ends(unit)).unwrap_or("s");
    let others: Vec<String> =
        header.iter().filter(|name| *name != time).map(|name| quoted(name)).collect();
    let imu: Vec<&str> = typed_fields(Table::Imu).iter().skip(4).map(|field| field.name).collect();
    let delimiter = quoted(&delimiter.to_string());
    let (time, columns) = (quoted(time), others.join(", "));
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write!(
        text,
        "delimiter = {delimiter}\n\n\
         [time]\n\
         column = {time}\n\
         unit = \"{unit}\"        # ns, us, ms or s\n\
         clock = \"log\"     # log, or sensor if it is when the sensor measured\n\n\
         [[channel]]\n\
         topic = \"signals\"\n\
         table = \"signals\"\n\
         columns = [{columns}]\n\
         units = {{}}         # for instance {{ volt = \"V\" }}\n\n\
         # [[channel]]\n\
         # topic = \"imu\"\n\
         # table = \"imu\"   # or poses, twists, gnss, magnetic\n\
         # frame_id = \"imu_link\"\n\
         # fields = {{ {} = \"COLUMN\", .. }}\n",
        imu.join(" = \"COLUMN\", ")
    );
    text
}

/// A TOML basic string.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// The header for a message: at most 40 names.
fn shortened(header: &[String]) -> String {
    const NAME_COUNT_MAX: usize = 40;
    let names: Vec<String> =
        header.iter().take(NAME_COUNT_MAX).map(|name| format!("`{name}`")).collect();
    let rest = header.len().saturating_sub(NAME_COUNT_MAX);
    let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    format!("{}{more}", names.join(", "))
}
