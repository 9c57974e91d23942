//! Measures of columns in the order of their rows: signals in time, and scores of a panel of
//! systems.
//!
//! Invariant: the order of rows is the order of time, or row i is one system in both columns; so no
//! row with a missing number is left out, which would shift the others.
//! Units: those of the columns.

use tiepoint_measure::{
    MeasureError, Metric,
    distribution::Rows,
    ranking::{kendall_tau_b, mean_maximum_rank_violation, srcc},
    registry,
    signal::{
        autocorrelation::{Window, integrated_time},
        spectrum::{WelchOptions, log_spectral_distance_db, welch},
        warping::{WarpingCost, WarpingOptions, time_warping},
    },
};

use super::{
    InputFile, Measured, MeasuredValue,
    input::{NumberTable, read_numbers},
    unknown,
};
use crate::Error;

/// Two signals, and what to measure.
#[derive(Clone, Debug)]
pub struct SignalRequest {
    /// The real signal: CSV or Parquet, rows in the order of time.
    pub real: InputFile,
    /// The synthetic signal, with the same columns.
    pub synthetic: InputFile,
    /// Which columns; for a spectrum one.
    pub columns: Vec<String>,
    /// What to measure.
    pub measure: SignalMeasure,
}

/// A measure of two signals, in the words of the command line.
#[derive(Clone, Debug)]
pub enum SignalMeasure {
    /// Dynamic time warping.
    Warping {
        /// `euclidean` or `squared`.
        cost: String,
        /// The largest difference of two rows that meet.
        band: Option<usize>,
    },
    /// Log-spectral distance of two spectra by Welch's method.
    Spectra {
        /// Rows a second.
        rate_hz: f64,
        /// Rows of a segment.
        segment_length: usize,
    },
}

/// One column that may remember.
#[derive(Clone, Debug)]
pub struct AutocorrelationRequest {
    /// CSV or Parquet, rows in the order of time.
    pub stream: InputFile,
    /// Which column.
    pub column: String,
    /// `geyer` or `sokal`.
    pub window: String,
}

/// Real and synthetic scores of a panel of systems.
#[derive(Clone, Debug)]
pub struct RankingRequest {
    /// CSV or Parquet, one row for each system.
    pub scores: InputFile,
    /// The columns of the real and of the synthetic scores.
    pub columns: [String; 2],
    /// What to measure.
    pub measure: RankingMeasure,
}

/// How alike two evaluations rank.
#[derive(Clone, Copy, Debug)]
pub enum RankingMeasure {
    /// Kendall's rank correlation.
    KendallTauB,
    /// Mean maximum rank violation.
    RankViolation,
    /// Linear correlation with an interval of this level.
    Correlation {
        /// In `(0, 1)`.
        level: f64,
    },
}

/// Measures two signals.
///
/// # Errors
/// [`Error::Log`] naming line and column, [`Error::BadNumber`], [`Error::UnknownWord`]; those of the
/// measure.
pub fn measure_signal(request: &SignalRequest) -> Result<Measured, Error> {
    let real = read_numbers(&request.real, &request.columns, false)?;
    let synthetic = read_numbers(&request.synthetic, &real.names, false)?;
    let mut measured = match &request.measure {
        SignalMeasure::Warping { cost, band } => {
            let options = WarpingOptions { cost: parse_cost(cost)?, band: *band };
            let values = warping([&real, &synthetic], &options);
            Measured::of(&options.metric(), values)?
        }
        SignalMeasure::Spectra { rate_hz, segment_length } => {
            let ([real], [synthetic]) = (&real.columns[..], &synthetic.columns[..]) else {
                return Err(unknown("a spectrum", "several columns", "`--columns NAME`"));
            };
            let options = WelchOptions::scipy(*rate_hz, *segment_length);
            let values = spectra([real, synthetic], &options);
            Measured::of(&options.metric().with("rate_hz", rate_hz), values)?
        }
    };
    measured.values.push(MeasuredValue::count("real_count", real.columns[0].len()));
    measured.values.push(MeasuredValue::count("synthetic_count", synthetic.columns[0].len()));
    Ok(measured)
}

fn warping(
    tables: [&NumberTable; 2],
    options: &WarpingOptions,
) -> Result<Vec<MeasuredValue>, MeasureError> {
    let column_count = tables[0].columns.len();
    let [real, synthetic] = tables.map(NumberTable::row_major);
    let rows = |values| Rows::new(values, column_count);
    let cost = time_warping(rows(&real)?, rows(&synthetic)?, options)?;
    Ok(vec![MeasuredValue::real("value", cost, "value")])
}

fn spectra(
    signals: [&[f64]; 2],
    options: &WelchOptions,
) -> Result<Vec<MeasuredValue>, MeasureError> {
    let [real, synthetic] = signals.map(|signal| welch(signal, options));
    let (real, synthetic) = (real?, synthetic?);
    let distance_db = log_spectral_distance_db(&real, &synthetic)?;
    Ok(vec![
        MeasuredValue::real("value", distance_db, "dB"),
        MeasuredValue::count("real_segment_count", real.segment_count),
        MeasuredValue::count("synthetic_segment_count", synthetic.segment_count),
    ])
}

/// Measures how long a column remembers.
///
/// # Errors
/// As [`measure_signal`].
pub fn measure_autocorrelation(request: &AutocorrelationRequest) -> Result<Measured, Error> {
    let (window, name) = match request.window.as_str() {
        "geyer" => (Window::GeyerInitialPositive, "geyer initial positive"),
        "sokal" => (Window::Sokal, "sokal"),
        other => return Err(unknown("--window", other, "geyer, sokal")),
    };
    let table = read_numbers(&request.stream, std::slice::from_ref(&request.column), false)?;
    let of = |id| Metric::new(id).with("window", name);
    let values = integrated_time(&table.columns[0], window).map(|found| {
        vec![
            MeasuredValue::real("value", found.time, "rows"),
            MeasuredValue::real("effective_count", found.effective_count, "1")
                .of(&of(registry::AUTOCORRELATION_EFFECTIVE_COUNT)),
            MeasuredValue::count("window_lag", found.window_lag),
            MeasuredValue::count("count", found.count),
        ]
    });
    Measured::of(&of(registry::AUTOCORRELATION_TIME), values)
}

/// Measures how alike real and synthetic scores order the same systems.
///
/// # Errors
/// As [`measure_signal`].
pub fn measure_ranking(request: &RankingRequest) -> Result<Measured, Error> {
    let table = read_numbers(&request.scores, &request.columns, false)?;
    let (real, synthetic) = (&table.columns[0], &table.columns[1]);
    let (metric, values) = match request.measure {
        RankingMeasure::KendallTauB => {
            let found = kendall_tau_b(real, synthetic);
            (Metric::new(registry::RANKING_KENDALL_TAU_B), found.map(|value| one(value, "1")))
        }
        RankingMeasure::RankViolation => {
            let found = mean_maximum_rank_violation(real, synthetic);
            (Metric::new(registry::RANKING_MMRV), found.map(|value| one(value, "value")))
        }
        RankingMeasure::Correlation { level } => {
            let found = srcc(real, synthetic, level).map(|found| {
                vec![
                    MeasuredValue::real("value", found.value, "1"),
                    MeasuredValue::real("low", found.interval.low, "1"),
                    MeasuredValue::real("high", found.interval.high, "1"),
                ]
            });
            (Metric::new(registry::RANKING_SRCC).with("level", level), found)
        }
    };
    let mut measured = Measured::of(&metric, values)?;
    measured.values.push(MeasuredValue::count("system_count", real.len()));
    Ok(measured)
}

fn one(value: f64, unit: &str) -> Vec<MeasuredValue> {
    vec![MeasuredValue::real("value", value, unit)]
}

fn parse_cost(word: &str) -> Result<WarpingCost, Error> {
    match word {
        "euclidean" => Ok(WarpingCost::Euclidean),
        "squared" => Ok(WarpingCost::SquaredEuclidean),
        _ => Err(unknown("--cost", word, "euclidean, squared")),
    }
}
