//! Intervals of statistics of units in a file, by resampling, by leaving one out, and by bounds on
//! means that hold for any number of units.
//!
//! Invariant: what is drawn at random names its seed; units that depend on each other are drawn in
//! clusters or blocks, or the interval is too short.
//! Units: those of the column.

use tiepoint_assure::statistics::{
    StatisticsError,
    betting::{
        empirical_bernstein_interval, fixed_count_interval, hedged_interval, hoeffding_interval,
    },
};
use tiepoint_measure::{
    Bootstrap, Interval, MeasureError,
    influence::{Jackknife, jackknife, jackknife_of},
    residual::quantile,
};
use tiepoint_model::Seed;

use super::{
    super::{
        InputFile, MeasuredTable,
        input::{dropped_note, read_numbers},
        is_undefined,
    },
    Measured, MeasuredValue, Statistic, ends, unknown,
};
use crate::Error;

/// A statistic of a column, and how its interval is drawn.
#[derive(Clone, Debug)]
pub struct BootstrapRequest {
    /// CSV or Parquet, one row for each unit.
    pub units: InputFile,
    /// Which column.
    pub column: String,
    /// Leave out rows with a missing number instead of refusing the file.
    pub drop_missing: bool,
    /// `mean`, `median`, `std`, `rmse` or `quantile:P`.
    pub statistic: String,
    /// `percentile` or `bca`.
    pub method: String,
    /// A column of numbers that name clusters, drawn whole.
    pub cluster: Option<String>,
    /// Rows, or clusters, drawn together.
    pub block_length: usize,
    /// How many resamples.
    pub resample_count: usize,
    /// Of the interval, in `(0, 1)`.
    pub level: f64,
    /// Of the resamples.
    pub seed: Seed,
}

/// Influences of units on a statistic of all of them.
#[derive(Clone, Debug)]
pub struct JackknifeRequest {
    /// CSV or Parquet, one row for each unit.
    pub units: InputFile,
    /// Of values, or of what a metric of the whole set is without each unit.
    pub column: String,
    /// `mean`, `median`, `std`, `rmse` or `quantile:P`: of the column's values.
    pub statistic: String,
    /// The metric of all units: the column then holds what it is without each.
    pub whole: Option<f64>,
}

/// The mean of a column, and how its interval is made.
#[derive(Clone, Debug)]
pub struct MeanIntervalRequest {
    /// CSV or Parquet, one row for each unit, in the order in which they came.
    pub units: InputFile,
    /// Which column.
    pub column: String,
    /// Leave out rows with a missing number instead of refusing the file.
    pub drop_missing: bool,
    /// `betting`, `betting-fixed`, `bernstein` or `hoeffding`.
    pub method: String,
    /// Least and largest possible value.
    pub bounds: [f64; 2],
    /// The interval covers with chance `1 - alpha`.
    pub alpha: f64,
}

/// A statistic of some rows of a column.
enum OfRows {
    Mean,
    Median,
    Std,
    Rmse,
    Quantile(f64),
}

impl OfRows {
    fn parse(word: &str) -> Result<Self, Error> {
        let share = || word.strip_prefix("quantile:")?.parse::<f64>().ok();
        match word {
            "mean" => Ok(Self::Mean),
            "median" => Ok(Self::Median),
            "std" => Ok(Self::Std),
            "rmse" => Ok(Self::Rmse),
            _ => match share().filter(|share| (0.0..=1.0).contains(share)) {
                Some(share) => Ok(Self::Quantile(share)),
                None => {
                    let known = "mean, median, std, rmse, or a quantile such as quantile:0.95";
                    Err(unknown("--statistic", word, known))
                }
            },
        }
    }

    /// NaN where it overflows, which the resampling refuses.
    fn of(&self, values: &[f64], rows: &[u32]) -> f64 {
        let count = rows.len() as f64;
        let chosen = || rows.iter().map(|row| values[*row as usize]);
        let mean = || chosen().sum::<f64>() / count;
        let of_sorted = |share| quantile(&chosen().collect::<Vec<_>>(), share).unwrap_or(f64::NAN);
        match self {
            Self::Mean => mean(),
            Self::Median => of_sorted(0.5),
            Self::Quantile(share) => of_sorted(*share),
            Self::Rmse => (chosen().map(|v| v * v).sum::<f64>() / count).sqrt(),
            Self::Std => {
                let mean = mean();
                (chosen().map(|v| (v - mean) * (v - mean)).sum::<f64>() / count).sqrt()
            }
        }
    }
}

/// Measures the interval of a statistic by resampling units.
///
/// # Errors
/// [`Error::Log`], [`Error::BadNumber`], [`Error::UnknownWord`]; those of the measure.
pub fn measure_bootstrap(request: &BootstrapRequest) -> Result<Measured, Error> {
    let BootstrapRequest { units, column, drop_missing, cluster, .. } = request;
    let of_rows = OfRows::parse(&request.statistic)?;
    let names: Vec<String> = [column].into_iter().chain(cluster).cloned().collect();
    let table = read_numbers(units, &names, *drop_missing)?;
    let values = &table.columns[0];
    let bootstrap = Bootstrap {
        seed: request.seed,
        resample_count: request.resample_count,
        block_length: request.block_length,
        level: request.level,
    };
    let statistic = Statistic::new("stat.bootstrap")
        .with("block_length", request.block_length)
        .with("cluster", cluster.as_deref().unwrap_or("none"))
        .with("level", request.level)
        .with("method", &request.method)
        .with("resamples", request.resample_count)
        .with("seed", request.seed.0)
        .with("statistic", &request.statistic);
    let on = |rows: &[u32]| of_rows.of(values, rows);
    let clusters = cluster.as_ref().map(|_| ranks(&table.columns[1]));
    let interval = match (request.method.as_str(), &clusters) {
        ("percentile", None) => bootstrap.interval(values.len(), on),
        ("percentile", Some(clusters)) => bootstrap.cluster_interval(clusters, on),
        ("bca", None) => bootstrap.accelerated_interval(values.len(), on),
        ("bca", Some(_)) => {
            return Err(unknown("--method", "bca", "percentile with `--cluster`"));
        }
        (other, _) => return Err(unknown("--method", other, "percentile, bca")),
    };
    let all: Vec<u32> = (0..u32::try_from(values.len()).unwrap_or(u32::MAX)).collect();
    let found = interval.map(|Interval { low, high, .. }| {
        let value = MeasuredValue::real("value", on(&all), "value");
        [vec![value], ends([low, high], "value").to_vec()].concat()
    });
    let mut measured = of_measure(&statistic, found)?;
    measured.values.push(MeasuredValue::count("n", values.len()));
    if let Some(clusters) = &clusters {
        let count = clusters.iter().max().map_or(0, |last| *last as usize + 1);
        measured.values.push(MeasuredValue::count("cluster_count", count));
    }
    measured.notes.extend(dropped_note(units, table.dropped_count, "rows"));
    Ok(measured)
}

/// Values or the reason, of a measure instead of a statistic.
fn of_measure(
    statistic: &Statistic,
    values: Result<Vec<MeasuredValue>, MeasureError>,
) -> Result<Measured, Error> {
    match values {
        Ok(values) => Ok(statistic.measured(values)),
        Err(error) if is_undefined(&error) => {
            Ok(statistic.undefined(&error.to_string(), &error.hint()))
        }
        Err(error) => Err(error.into()),
    }
}

/// Numbers from 0 in the order of the names.
fn ranks(names: &[f64]) -> Vec<u32> {
    let mut sorted = names.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.dedup();
    let rank = |name: &f64| sorted.partition_point(|known| known.total_cmp(name).is_lt());
    names.iter().map(|name| u32::try_from(rank(name)).unwrap_or(u32::MAX)).collect()
}

/// Measures how much each unit moves a statistic of all.
///
/// # Errors
/// As [`measure_bootstrap`].
pub fn measure_jackknife(request: &JackknifeRequest) -> Result<Measured, Error> {
    let JackknifeRequest { units, column, statistic, whole } = request;
    let table = read_numbers(units, std::slice::from_ref(column), false)?;
    let values = &table.columns[0];
    let (statistic, found) = match whole {
        Some(whole) => {
            let statistic = Statistic::new("stat.jackknife").with("statistic", "given");
            (statistic, jackknife_of(*whole, values))
        }
        None => {
            let of_rows = OfRows::parse(statistic)?;
            let found = jackknife(values.len(), |rows| of_rows.of(values, rows));
            (Statistic::new("stat.jackknife").with("statistic", statistic), found)
        }
    };
    let mut rows = Vec::new();
    let found = found.map(|found| {
        rows = influence_rows(&found);
        vec![
            MeasuredValue::real("value", found.estimate, "value"),
            MeasuredValue::real("bias", found.bias, "value"),
            MeasuredValue::real("standard_error", found.standard_error, "value"),
        ]
    });
    let mut measured = of_measure(&statistic, found)?;
    measured.values.push(MeasuredValue::count("n", values.len()));
    if !rows.is_empty() {
        measured.tables.push(MeasuredTable { name: "units".to_owned(), rows });
    }
    Ok(measured)
}

fn influence_rows(found: &Jackknife) -> Vec<Vec<MeasuredValue>> {
    let pseudo_values = found.pseudo_values();
    let rows = found.influences.iter().zip(pseudo_values).enumerate();
    rows.map(|(index, (influence, pseudo_value))| {
        vec![
            MeasuredValue::count("row", index + 1),
            MeasuredValue::real("influence", *influence, "value"),
            MeasuredValue::real("pseudo_value", pseudo_value, "value"),
        ]
    })
    .collect()
}

/// Measures an interval of a mean that holds for any law within bounds.
///
/// # Errors
/// As [`measure_bootstrap`]; a value outside the bounds.
pub fn measure_mean_interval(request: &MeanIntervalRequest) -> Result<Measured, Error> {
    let MeanIntervalRequest { units, column, drop_missing, method, bounds, alpha } = request;
    let interval = match method.as_str() {
        "betting" => hedged_interval,
        "betting-fixed" => fixed_count_interval,
        "bernstein" => empirical_bernstein_interval,
        "hoeffding" => hoeffding_interval,
        other => {
            let known = "betting, betting-fixed, bernstein, hoeffding";
            return Err(unknown("--method", other, known));
        }
    };
    let [low, high] = *bounds;
    let out_of_range = |name, value, requirement| -> Error {
        StatisticsError::OutOfRange { name, value, requirement }.into()
    };
    if !(low.is_finite() && high.is_finite() && low < high) {
        return Err(out_of_range("bounds", low, "finite and below the upper bound"));
    }
    let table = read_numbers(units, std::slice::from_ref(column), *drop_missing)?;
    let values = &table.columns[0];
    if let Some(value) = values.iter().find(|value| !(low..=high).contains(*value)) {
        return Err(out_of_range("value", *value, "within `--bounds`"));
    }
    let width = high - low;
    let scaled: Vec<f64> = values.iter().map(|v| ((v - low) / width).clamp(0.0, 1.0)).collect();
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let found = interval(&scaled, *alpha).map(|interval| {
        let value = MeasuredValue::real("value", mean, "value");
        let interval = interval.map(|end| low + width * end);
        [vec![value], ends(interval, "value").to_vec()].concat()
    });
    let statistic = Statistic::new("stat.mean_interval")
        .with("alpha", alpha)
        .with("bounds", format!("{low} {high}"))
        .with("method", method);
    let mut measured = statistic.of(found)?;
    measured.values.push(MeasuredValue::count("n", values.len()));
    measured.notes.extend(dropped_note(units, table.dropped_count, "rows"));
    Ok(measured)
}
