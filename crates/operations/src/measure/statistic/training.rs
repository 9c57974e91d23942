//! How an error falls with the number of training samples, and what synthetic ones are worth for it.
//!
//! Invariant: a curve that the points do not determine is `null` with the reason; an end of an
//! interval that they leave open is `null`.
//! Errors in the unit of their column; counts are samples.

use tiepoint_assure::statistics::{
    exchange::{Mixture, rate_for_training},
    scaling::{Fit, Point, fit_curve, floor_interval},
};

use super::{
    super::{InputFile, MeasuredTable, input::read_numbers},
    Measured, MeasuredValue, Statistic, open_end,
    powered::rate_values,
};
use crate::Error;

/// Training runs with real samples alone.
#[derive(Clone, Debug)]
pub struct ScalingRequest {
    /// CSV or Parquet, one row for each training run.
    pub runs: InputFile,
    /// The columns of the number of samples and of the error on test data.
    pub columns: [String; 2],
    /// Numbers of samples at which the error is foretold.
    pub at: Vec<f64>,
    /// The interval of the floor covers with chance `1 - alpha`.
    pub alpha: f64,
}

/// Training runs with real samples alone, and one with synthetic samples as well.
#[derive(Clone, Debug)]
pub struct TrainingRateRequest {
    /// CSV or Parquet, one row for each training run with real samples alone.
    pub runs: InputFile,
    /// The columns of the number of samples and of the error on test data.
    pub columns: [String; 2],
    /// Of the mixture: real samples, synthetic samples, and its error.
    pub mixture: [f64; 3],
    /// The interval covers with chance `1 - alpha`.
    pub alpha: f64,
}

/// Fits `error = floor + scale count^-exponent`.
///
/// # Errors
/// [`Error::Log`], [`Error::BadNumber`]; those of the statistic.
pub fn measure_scaling_curve(request: &ScalingRequest) -> Result<Measured, Error> {
    let ScalingRequest { runs, columns, at, alpha } = request;
    let points = points(runs, columns)?;
    let statistic = Statistic::new("stat.scaling_curve").with("alpha", alpha);
    let mut rows = Vec::new();
    let found = fit_curve(&points).and_then(|fit| {
        let floor = floor_interval(&points, *alpha)?;
        rows = at.iter().map(|count| foretold(&fit, *count)).collect();
        Ok(curve_values(&fit, floor))
    });
    let mut measured = statistic.of(found)?;
    measured.values.push(MeasuredValue::count("n", points.len()));
    if !rows.is_empty() {
        measured.tables.push(MeasuredTable { name: "foretold".to_owned(), rows });
    }
    Ok(measured)
}

fn foretold(fit: &Fit, count: f64) -> Vec<MeasuredValue> {
    let error = fit.curve.error_at(count);
    vec![
        MeasuredValue::real("count", count, ""),
        // A power of a count at or below zero is no error.
        match count > 0.0 && error.is_finite() {
            true => MeasuredValue::real("error", error, "value"),
            false => MeasuredValue::undefined("error", "value"),
        },
    ]
}

fn curve_values(fit: &Fit, [low, high]: [Option<f64>; 2]) -> Vec<MeasuredValue> {
    vec![
        MeasuredValue::real("value", fit.curve.floor, "value"),
        open_end("low", low, "value"),
        open_end("high", high, "value"),
        MeasuredValue::real("scale", fit.curve.scale, ""),
        MeasuredValue::real("exponent", fit.curve.exponent, "1"),
        MeasuredValue::real("square_sum", fit.square_sum, ""),
        MeasuredValue::count("degrees_of_freedom", fit.degrees_of_freedom),
    ]
}

/// Measures how many real training samples one synthetic sample is worth.
///
/// # Errors
/// As [`measure_scaling_curve`].
pub fn measure_training_rate(request: &TrainingRateRequest) -> Result<Measured, Error> {
    let TrainingRateRequest { runs, columns, mixture, alpha } = request;
    let points = points(runs, columns)?;
    let [real_count, synthetic_count, error] = *mixture;
    let statistic = Statistic::new("stat.training_exchange_rate").with("alpha", alpha);
    let mixture = Mixture { real_count, synthetic_count, error };
    let found = rate_for_training(&points, &mixture, *alpha).map(|found| rate_values(&found));
    let mut measured = statistic.of(found)?;
    measured.values.push(MeasuredValue::count("n", points.len()));
    Ok(measured)
}

fn points(runs: &InputFile, columns: &[String; 2]) -> Result<Vec<Point>, Error> {
    let table = read_numbers(runs, columns, false)?;
    let pairs = table.columns[0].iter().zip(&table.columns[1]);
    Ok(pairs.map(|(&count, &error)| Point { count, error }).collect())
}
