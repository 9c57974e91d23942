//! The readings of an inertial channel, out of a log or a table of numbers.
//!
//! Invariant: readings keep the file's order, and a missing one leaves a gap.
//! Stamps are the sensor's own where the log has them, else the recorder's.

use std::{
    collections::BTreeMap,
    io::Read as _,
    path::{Path, PathBuf},
};

use tiepoint_formats::{Container, Damage, Samples, TopicBatch, open_original};
use tiepoint_measure::{
    MeasureError,
    sensor::{Sampling, sampling::longest_regular_stretch},
};
use tiepoint_model::{ImuSample, SignalSample, Timestamp};

use super::super::input::{InputFile, bad_number, is_text, read_columns};
use crate::{Error, Source, ingest::decode::each_piece};

/// An inertial record and what to measure of it, in the words of the command line.
#[derive(Clone, Debug)]
pub struct AllanRequest {
    /// A log, or a CSV or Parquet file.
    pub imu: PathBuf,
    /// A column; of a log an axis (`gyro_x` to `accel_z`), a topic, or `TOPIC:AXIS`.
    pub channel: String,
    /// When the readings of a table were taken; a log has stamps.
    pub time: RecordTime,
    /// Which part is looked at: from and to, seconds after the first reading.
    pub window_s: [f64; 2],
    /// `adev`, `oadev`, `mdev`, `tdev`, `hdev`, `ohdev`, `totdev`, `mtotdev`, `ttotdev`, `htotdev`,
    /// `theo1`, `tierms` or `mtie`.
    pub deviation: String,
    /// `octave`, `decade`, `all`, or how many in a decade.
    pub factors: String,
    /// Averaging times at which the noise is looked for: `all`, `beyond-filter` or `FROM,TO`.
    pub noise_range: String,
    /// Of the intervals, in `(0, 1)`.
    pub level: f64,
}

/// When the readings of a table were taken.
#[derive(Clone, Debug)]
pub struct RecordTime {
    /// Readings a second, where there is no column of times.
    pub rate_hz: Option<f64>,
    /// The column of times.
    pub column: Option<String>,
    /// `s`, `ms`, `us` or `ns`.
    pub unit: String,
}

/// Series of one file.
pub(super) struct Readings {
    pub(super) series: Vec<Series>,
}

/// One channel.
pub(super) struct Series {
    pub(super) name: String,
    pub(super) unit: String,
    /// The rate where there are no stamps.
    rate_hz: Option<f64>,
    /// As many as values; empty if the rate alone is known.
    stamps: Vec<Timestamp>,
    /// Finite.
    values: Vec<f64>,
    /// Readings without a value, left out.
    pub(super) missing_count: usize,
    /// Readings outside of the window.
    pub(super) outside_count: usize,
}

/// A stretch without a gap.
pub(super) struct RegularRecord<'a> {
    pub(super) values: &'a [f64],
    pub(super) sampling: Sampling,
}

/// An interval that differs from the usual one by more than half of it is a gap.
const GAP_SHARE: f64 = 0.5;

const AXES: [(&str, &str); 6] = [
    ("gyro_x", "rad/s"),
    ("gyro_y", "rad/s"),
    ("gyro_z", "rad/s"),
    ("accel_x", "m/s^2"),
    ("accel_y", "m/s^2"),
    ("accel_z", "m/s^2"),
];

impl Series {
    fn new(name: String, unit: &str) -> Self {
        let unit = unit.to_owned();
        let (stamps, values) = (Vec::new(), Vec::new());
        Self { name, unit, rate_hz: None, stamps, values, missing_count: 0, outside_count: 0 }
    }

    fn push(&mut self, stamp: Timestamp, value: f64) {
        if value.is_finite() {
            self.stamps.push(stamp);
            self.values.push(value);
        } else {
            self.missing_count += 1;
        }
    }

    /// Leaves what lies in a window, seconds after the first reading; both ends belong to it.
    fn cut(&mut self, [from_s, to_s]: [f64; 2]) {
        let first = self.stamps.first().copied();
        let time_s = |index: usize| match (self.rate_hz, first) {
            (Some(rate_hz), _) => index as f64 / rate_hz,
            (None, Some(first)) => (self.stamps[index].0 - first.0) as f64 / 1e9,
            (None, None) => 0.0,
        };
        let kept: Vec<usize> = (0..self.values.len())
            .filter(|index| (from_s..=to_s).contains(&time_s(*index)))
            .collect();
        self.outside_count = self.values.len() - kept.len();
        let values = kept.iter().map(|index| self.values[*index]).collect();
        let stamps = kept.iter().filter_map(|index| self.stamps.get(*index).copied()).collect();
        (self.values, self.stamps) = (values, stamps);
    }

    /// The longest stretch without a gap, or everything at a given rate.
    pub(super) fn longest_stretch(&self) -> Result<RegularRecord<'_>, MeasureError> {
        let sampling = match self.rate_hz {
            Some(rate_hz) => Sampling {
                rate_hz,
                jitter_share: 0.0,
                range: 0..self.values.len(),
                gap_count: 0,
                dropped_count: 0,
            },
            None => longest_regular_stretch(&self.stamps, GAP_SHARE)?,
        };
        Ok(RegularRecord { values: &self.values[sampling.range.clone()], sampling })
    }
}

/// Reads the wanted channels, by what the file is.
pub(super) fn read(request: &AllanRequest) -> Result<Readings, Error> {
    let mut readings = match table_at(&request.imu)? {
        Some(file) => table_series(&file, request)?,
        None if request.time.rate_hz.is_some() || request.time.column.is_some() => {
            let known = "--channel, --deviation, --taus, --level";
            return Err(super::unknown("a log", "--rate-hz or --time-column", known));
        }
        None => log_series(request)?,
    };
    readings.series.iter_mut().for_each(|series| series.cut(request.window_s));
    Ok(readings)
}

/// The whole file if it is a CSV or Parquet; `None` for a log, for a folder, and for what cannot be
/// opened, of which the reader of logs says why.
fn table_at(path: &Path) -> Result<Option<InputFile>, Error> {
    let Ok(mut input) = open_original(path) else { return Ok(None) };
    let mut bytes = Vec::new();
    let first_bytes = Container::DETECT_BYTES as u64;
    if input.by_ref().take(first_bytes).read_to_end(&mut bytes).is_err() {
        return Ok(None);
    }
    let found = Container::detect(&path.to_string_lossy(), &bytes);
    if !matches!(found, Ok(Container::Csv | Container::Parquet)) && !is_text(&bytes) {
        return Ok(None);
    }
    let read_error = |source| Error::File { path: path.to_owned(), source };
    input.read_to_end(&mut bytes).map_err(read_error)?;
    Ok(Some(InputFile { path: path.to_owned(), bytes }))
}

fn table_series(file: &InputFile, request: &AllanRequest) -> Result<Readings, Error> {
    let RecordTime { rate_hz, column, unit } = &request.time;
    let ns_per_unit = match unit.as_str() {
        "s" => 1e9,
        "ms" => 1e6,
        "us" => 1e3,
        "ns" => 1.0,
        other => return Err(super::unknown("--time-unit", other, "s, ms, us, ns")),
    };
    let Some(time_column) = column else {
        if rate_hz.is_none() {
            return Err(Error::NoTime { path: file.path.clone() });
        }
        let columns = read_columns(file, std::slice::from_ref(&request.channel))?;
        let values = &columns[0].values;
        if let Some(row) = values.iter().position(|value| !value.is_finite()) {
            return Err(bad_number(file, row, &request.channel, values[row]));
        }
        let mut series = Series::new(request.channel.clone(), "value");
        series.rate_hz = *rate_hz;
        series.values.clone_from(values);
        return Ok(Readings { series: vec![series] });
    };
    let columns = read_columns(file, &[time_column.clone(), request.channel.clone()])?;
    let (times, values) = (&columns[0].values, &columns[1].values);
    if let Some(row) = times.iter().position(|time| !time.is_finite()) {
        return Err(bad_number(file, row, time_column, times[row]));
    }
    let mut series = Series::new(request.channel.clone(), "value");
    for (time, value) in times.iter().zip(values) {
        // From the first on, so that nothing of a long count is lost to rounding.
        #[expect(clippy::cast_possible_truncation, reason = "saturates, which is a gap")]
        let stamp = Timestamp(((time - times[0]) * ns_per_unit).round() as i64);
        series.push(stamp, *value);
    }
    Ok(Readings { series: vec![series] })
}

/// What a channel's name asks for: a topic, an axis or field of any topic, or one of one topic.
struct Wanted<'a> {
    channel: &'a str,
}

impl Wanted<'_> {
    fn takes(&self, topic: &str, field: &str) -> bool {
        let is_both = || {
            let rest = self.channel.strip_prefix(topic);
            rest.and_then(|rest| rest.strip_prefix(':')).is_some_and(|rest| rest == field)
        };
        self.channel == topic || self.channel == field || is_both()
    }
}

fn log_series(request: &AllanRequest) -> Result<Readings, Error> {
    let wanted = Wanted { channel: &request.channel };
    let mut found: BTreeMap<(String, usize), Series> = BTreeMap::new();
    let mut known: BTreeMap<(String, usize), String> = BTreeMap::new();
    let source = Source::Path(request.imu.clone());
    let mut take = |piece: TopicBatch| {
        let topic = piece.channel.topic;
        match &piece.samples {
            Samples::Imu(rows) => {
                for (index, (axis, unit)) in AXES.into_iter().enumerate() {
                    let key = (topic.clone(), index);
                    known.entry(key.clone()).or_insert_with(|| format!("{topic}:{axis}"));
                    if wanted.takes(&topic, axis) {
                        let name = format!("{topic}:{axis}");
                        let series = found.entry(key).or_insert_with(|| Series::new(name, unit));
                        rows.iter()
                            .for_each(|row| series.push(row.stamps.measured(), of(row, index)));
                    }
                }
            }
            Samples::Signals(rows) => take_signals((&topic, rows), &wanted, &mut found),
            _ => {}
        }
        Ok(())
    };
    each_piece(&source, Damage::Refuse, &mut take)?;
    // A field without one reading, such as the accelerations of a gyroscope's channel, is none.
    found.retain(|_, series| !series.values.is_empty());
    let series: Vec<Series> = found.into_values().collect();
    let is_one_topic = |series: &[Series]| {
        let topic = |one: &Series| one.name.rsplit_once(':').map(|(topic, _)| topic.to_owned());
        series.windows(2).all(|pair| topic(&pair[0]) == topic(&pair[1]))
    };
    if series.is_empty() || !is_one_topic(&series) {
        let known = match series.is_empty() {
            true => known.into_values().collect(),
            false => series.into_iter().map(|series| series.name).collect(),
        };
        return Err(Error::NoChannel {
            path: request.imu.clone(),
            channel: request.channel.clone(),
            known,
        });
    }
    Ok(Readings { series })
}

fn take_signals(
    (topic, rows): (&str, &[SignalSample]),
    wanted: &Wanted<'_>,
    found: &mut BTreeMap<(String, usize), Series>,
) {
    let Some(first) = rows.first() else { return };
    let fields = first.fields.iter().enumerate();
    for (index, field) in fields.filter(|(_, field)| wanted.takes(topic, &field.name)) {
        let unit = if field.unit.is_empty() { "value" } else { &field.unit };
        let name = format!("{topic}:{}", field.name);
        let series =
            found.entry((topic.to_owned(), index)).or_insert_with(|| Series::new(name, unit));
        for row in rows {
            let value = row.values.get(index).copied().unwrap_or(f64::NAN);
            series.push(row.stamps.measured(), value);
        }
    }
}

fn of(row: &ImuSample, axis_index: usize) -> f64 {
    let rates = row.angular_rate_rad_per_s.iter();
    rates.chain(&row.acceleration_m_per_s2).copied().nth(axis_index).unwrap_or(f64::NAN)
}
