//! Paired differences of two columns, synthetic less real: mean and root mean square with intervals.
//!
//! Invariant: the interval draws blocks as long as the differences remember, unless a length is
//! given; an interval of single rows of one run would be too short.
//! Units: those of the columns.

use tiepoint_measure::{
    Bootstrap, Metric, MetricId,
    autocorrelation::{Window, integrated_time},
    registry,
    residual::{ResidualSummary, residual_summary},
};
use tiepoint_model::Seed;

use super::{
    InputFile, Measured, MeasuredValue,
    input::{dropped_note, read_numbers},
};
use crate::Error;

/// Pairs of values and how their intervals are drawn.
#[derive(Clone, Debug)]
pub struct ResidualRequest {
    /// CSV or Parquet, one row for each pair, in the order of time.
    pub pairs: InputFile,
    /// The columns, real and synthetic.
    pub columns: [String; 2],
    /// Leave out rows with a missing number instead of refusing the file.
    pub drop_missing: bool,
    /// Rows drawn together; `None` for as many as the differences remember.
    pub block_length: Option<usize>,
    /// How many resamples.
    pub resample_count: usize,
    /// Of the intervals, in `(0, 1)`.
    pub level: f64,
    /// Of the resamples.
    pub seed: Seed,
}

/// Measures mean and root mean square of paired differences.
///
/// # Errors
/// [`Error::Log`] naming line and column, [`Error::BadNumber`]; those of the measure.
pub fn measure_residual(request: &ResidualRequest) -> Result<Measured, Error> {
    let ResidualRequest { pairs, columns, drop_missing, level, seed, .. } = request;
    let table = read_numbers(pairs, columns, *drop_missing)?;
    let pairs_of = table.columns[0].iter().zip(&table.columns[1]);
    let differences: Vec<f64> = pairs_of.map(|(real, synthetic)| synthetic - real).collect();
    let block_length = request.block_length.unwrap_or_else(|| memory_rows(&differences));
    let resample_count = request.resample_count;
    let bootstrap = Bootstrap { seed: *seed, resample_count, block_length, level: *level };
    let of = |id: MetricId| {
        Metric::new(id)
            .with("block_length", block_length)
            .with("level", level)
            .with("resamples", resample_count)
            .with("seed", seed.0)
    };
    let found = residual_summary(&differences, &bootstrap).map(|found| values(&found, of));
    let mut measured = Measured::of(&of(registry::RESIDUAL_MEAN), found)?;
    measured.values.push(MeasuredValue::count("block_length", block_length));
    measured.notes.extend(dropped_note(pairs, table.dropped_count, "rows"));
    Ok(measured)
}

/// Whole autocorrelation times, at least 1; differences too few or too even to tell are taken for
/// independent.
fn memory_rows(differences: &[f64]) -> usize {
    let time = integrated_time(differences, Window::GeyerInitialPositive).map(|found| found.time);
    let rows = time.unwrap_or(1.0).ceil().clamp(1.0, differences.len().max(1) as f64);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most a length")]
    let rows = rows as usize;
    rows
}

fn values(found: &ResidualSummary, of: impl Fn(MetricId) -> Metric) -> Vec<MeasuredValue> {
    let real = |name, value| MeasuredValue::real(name, value, "value");
    let statistics = &found.statistics;
    vec![
        real("value", statistics.mean),
        real("low", found.mean_interval.low),
        real("high", found.mean_interval.high),
        real("rmse", statistics.rmse).of(&of(registry::RESIDUAL_RMSE)),
        real("rmse_low", found.rmse_interval.low),
        real("rmse_high", found.rmse_interval.high),
        real("std", statistics.std),
        real("p05", found.p05),
        real("p95", found.p95),
        real("absolute_p95", found.absolute_p95),
        MeasuredValue::count("n", statistics.n),
    ]
}
