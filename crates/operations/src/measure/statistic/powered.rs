//! Means of real values that synthetic values tighten, what synthetic values are worth for that, and
//! weighted means.
//!
//! Invariant: without the gate's consent the gated mean is the real one alone, with the reason.
//! Units: those of the columns.

use tiepoint_assure::statistics::{
    StatisticsError,
    exchange::{ExchangeRate, rate_for_a_mean},
    prediction_powered::{
        Asymptotic, Lambda, Sample,
        finite::finite_sample_interval,
        gate::{GatedMean, gated_mean},
        prediction_powered_mean,
    },
    weights::{WeightsError, weighted_mean},
};

use super::{
    super::{
        InputFile,
        input::{dropped_note, read_numbers},
    },
    Measured, MeasuredValue, Statistic, ends, open_end, unknown,
};
use crate::Error;

/// Units with a real and a synthetic value, and units with a synthetic one alone.
#[derive(Clone, Debug)]
pub struct PoweredFiles {
    /// CSV or Parquet, one row for each unit with both values.
    pub labelled: InputFile,
    /// Its columns, real and synthetic.
    pub columns: [String; 2],
    /// CSV or Parquet, one row for each unit without a real value.
    pub unlabelled: InputFile,
    /// Its column of synthetic values.
    pub unlabelled_column: String,
    /// Leave out rows with a missing number instead of refusing the files.
    pub drop_missing: bool,
}

/// A prediction-powered mean.
#[derive(Clone, Debug)]
pub struct PoweredMeanRequest {
    /// The units.
    pub files: PoweredFiles,
    /// `gated`, `cross-fitted`, `plugged-in`, `fixed` or `finite`.
    pub method: String,
    /// Weight of the synthetic values, for `fixed` and `finite`.
    pub lambda: f64,
    /// For `cross-fitted`.
    pub fold_count: usize,
    /// The interval covers with chance `1 - alpha`.
    pub alpha: f64,
}

/// A mean of units that stand for more or less than one.
#[derive(Clone, Debug)]
pub struct WeightedMeanRequest {
    /// CSV or Parquet, one row for each unit.
    pub units: InputFile,
    /// The columns of values and of weights.
    pub columns: [String; 2],
    /// Leave out rows with a missing number instead of refusing the file.
    pub drop_missing: bool,
    /// Fewer effective units are no evidence.
    pub effective_count_min: f64,
    /// The interval covers with chance `1 - alpha`.
    pub alpha: f64,
}

struct PoweredValues {
    real: Vec<f64>,
    synthetic: Vec<f64>,
    alone: Vec<f64>,
    notes: Vec<String>,
}

impl PoweredFiles {
    fn read(&self) -> Result<PoweredValues, Error> {
        let labelled = read_numbers(&self.labelled, &self.columns, self.drop_missing)?;
        let column = std::slice::from_ref(&self.unlabelled_column);
        let unlabelled = read_numbers(&self.unlabelled, column, self.drop_missing)?;
        let notes = dropped_note(&self.labelled, labelled.dropped_count, "rows")
            .into_iter()
            .chain(dropped_note(&self.unlabelled, unlabelled.dropped_count, "rows"))
            .collect();
        let (real, synthetic) = (labelled.columns[0].clone(), labelled.columns[1].clone());
        Ok(PoweredValues { real, synthetic, alone: unlabelled.columns[0].clone(), notes })
    }
}

impl PoweredValues {
    fn sample(&self) -> Sample<'_> {
        let Self { real, synthetic, alone, .. } = self;
        Sample { real, synthetic, synthetic_alone: alone }
    }

    fn counts(&self) -> [MeasuredValue; 2] {
        let labelled = MeasuredValue::count("n", self.real.len());
        [labelled, MeasuredValue::count("unlabelled_n", self.alone.len())]
    }
}

/// Measures the mean of the real values with the help of the synthetic ones.
///
/// # Errors
/// [`Error::Log`], [`Error::BadNumber`], [`Error::UnknownWord`]; those of the statistic.
pub fn measure_powered_mean(request: &PoweredMeanRequest) -> Result<Measured, Error> {
    let PoweredMeanRequest { method, lambda, fold_count, alpha, .. } = request;
    let statistic = Statistic::new("stat.ppi").with("alpha", alpha).with("method", method);
    let values = request.files.read()?;
    let sample = values.sample();
    let asymptotic = |lambda| prediction_powered_mean(&sample, lambda, *alpha).map(powered_values);
    let (statistic, found) = match method.as_str() {
        "gated" => (statistic, gated_mean(&sample, *alpha).map(|found| gated_values(&found))),
        "cross-fitted" => (
            statistic.with("folds", fold_count),
            asymptotic(Lambda::CrossFitted { folds: *fold_count }),
        ),
        "plugged-in" => (statistic, asymptotic(Lambda::PluggedIn)),
        "fixed" => (statistic.with("lambda", lambda), asymptotic(Lambda::Fixed(*lambda))),
        "finite" => {
            let found = finite_sample_interval(&sample, *lambda, *alpha).and_then(|interval| {
                let Asymptotic { estimate, .. } =
                    prediction_powered_mean(&sample, Lambda::Fixed(*lambda), *alpha)?;
                let value = MeasuredValue::real("value", estimate, "value");
                Ok([vec![value], ends(interval, "value").to_vec()].concat())
            });
            (statistic.with("lambda", lambda), found)
        }
        other => {
            let known = "gated, cross-fitted, plugged-in, fixed, finite";
            return Err(unknown("--method", other, known));
        }
    };
    let mut measured = statistic.of(found)?;
    measured.values.extend(values.counts());
    measured.notes.extend(values.notes);
    Ok(measured)
}

fn powered_values(found: Asymptotic) -> Vec<MeasuredValue> {
    let mut values = vec![MeasuredValue::real("value", found.estimate, "value")];
    values.extend(ends(found.interval, "value"));
    values.push(MeasuredValue::real("standard_error", found.standard_error, "value"));
    values.push(MeasuredValue::real("lambda", found.lambda, "1"));
    values
}

fn gated_values(found: &GatedMean) -> Vec<MeasuredValue> {
    let mut values = vec![MeasuredValue::real("value", found.estimate, "value")];
    values.extend(ends(found.interval, "value"));
    values.push(match &found.powered {
        Ok(powered) => MeasuredValue::real("lambda", powered.lambda, "1"),
        Err(why) => MeasuredValue::word("real_only_because", &why.to_string()),
    });
    values
}

/// Measures how many real values one synthetic value is worth for a mean.
///
/// # Errors
/// As [`measure_powered_mean`].
pub fn measure_exchange_rate(files: &PoweredFiles, alpha: f64) -> Result<Measured, Error> {
    let statistic = Statistic::new("stat.exchange_rate").with("alpha", alpha);
    let values = files.read()?;
    let found = rate_for_a_mean(&values.sample(), alpha).map(|found| rate_values(&found));
    let mut measured = statistic.of(found)?;
    measured.values.extend(values.counts());
    measured.notes.extend(values.notes);
    Ok(measured)
}

/// A rate; an end that the evidence leaves open is `null`.
pub(super) fn rate_values(found: &ExchangeRate) -> Vec<MeasuredValue> {
    let [low, high] = found.interval;
    vec![
        MeasuredValue::real("value", found.rate, "1"),
        open_end("low", low, "1"),
        open_end("high", high, "1"),
        MeasuredValue::real("real_equivalent_count", found.real_equivalent_count, "1"),
    ]
}

/// Measures a weighted mean, and on how many units it rests.
///
/// # Errors
/// As [`measure_powered_mean`].
pub fn measure_weighted_mean(request: &WeightedMeanRequest) -> Result<Measured, Error> {
    let WeightedMeanRequest { units, columns, drop_missing, effective_count_min, alpha } = request;
    let table = read_numbers(units, columns, *drop_missing)?;
    let (values, weights) = (&table.columns[0], &table.columns[1]);
    let statistic = Statistic::new("stat.weighted_mean")
        .with("alpha", alpha)
        .with("effective_count_min", effective_count_min);
    let found = match weighted_mean(values, weights, *effective_count_min, *alpha) {
        Ok(found) => Ok(found),
        Err(WeightsError::Statistics(error)) => Err(error),
        Err(uneven) => {
            let mut measured = statistic.undefined(&uneven.to_string(), &uneven.hint());
            if let WeightsError::TooUneven { effective_count, .. } = uneven {
                let value = MeasuredValue::real("effective_count", effective_count, "1");
                measured.values.push(value);
            }
            measured.values.push(MeasuredValue::count("n", values.len()));
            return Ok(measured);
        }
    };
    let found: Result<_, StatisticsError> = found.map(|found| {
        let mut values = vec![MeasuredValue::real("value", found.estimate, "value")];
        values.extend(ends(found.interval, "value"));
        values.push(MeasuredValue::real("standard_error", found.standard_error, "value"));
        values.push(MeasuredValue::real("effective_count", found.effective_count, "1"));
        values.push(MeasuredValue::real("weight_share_max", found.weight_share_max, "1"));
        values
    });
    let mut measured = statistic.of(found)?;
    measured.values.push(MeasuredValue::count("n", values.len()));
    measured.notes.extend(dropped_note(units, table.dropped_count, "rows"));
    Ok(measured)
}
