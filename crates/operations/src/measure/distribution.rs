//! Distances, tests and fidelity of two samples in files, and changes along one.
//!
//! Invariant: measures of one column are given column by column, those of points on all columns
//! together; which columns took part is in the answer.
//! Units: those of the columns.

mod categories;
mod information;
mod points;
mod words;

use rayon::prelude::*;
use serde_json::json;
use tiepoint_measure::{
    MeasureError, Metric,
    distribution::{
        AdwinOptions, CramerVonMises, DistributionDistance, KsTest, adwin, cramer_von_mises,
        distribution_distance, ks_test, population_stability_index, wasserstein,
        wasserstein_metric,
    },
    registry,
};
use tiepoint_model::Seed;

pub use self::{
    categories::{CategoryRequest, measure_categories},
    information::{InformationRequest, measure_information},
};
use super::{
    InputFile, Measured, MeasuredTable, MeasuredValue,
    input::{NumberTable, dropped_note, read_numbers},
    is_undefined, unknown, without_value,
};
use crate::Error;

type Values = Result<Vec<MeasuredValue>, MeasureError>;

/// Two samples in files, and what to measure.
#[derive(Clone, Debug)]
pub struct DistributionRequest {
    /// The real sample: CSV or Parquet.
    pub real: InputFile,
    /// The synthetic sample, with the same columns.
    pub synthetic: InputFile,
    /// Which columns; empty for every column of numbers of the real sample.
    pub columns: Vec<String>,
    /// Leave out rows with a missing number instead of refusing the file.
    pub drop_missing: bool,
    /// What to measure.
    pub measure: DistributionMeasure,
    /// Where random choices come from; named in the conventions of what depends on it.
    pub seed: Seed,
    /// Random orders of a test of equal distributions; `None` for no test.
    pub permutation_count: Option<usize>,
}

/// A measure of two samples with its options, in the words of the command line.
#[derive(Clone, Debug)]
pub enum DistributionMeasure {
    /// Each column by itself.
    ByColumn(ColumnMeasure),
    /// Rows as points.
    OfPoints(PointMeasure),
}

/// A measure of two columns.
#[derive(Clone, Debug)]
pub enum ColumnMeasure {
    /// Kolmogorov-Smirnov.
    KolmogorovSmirnov {
        /// `two-sided`, `greater` or `less`.
        alternative: String,
        /// `exact`, `asymp` or `auto`.
        law: String,
    },
    /// Cramer-von Mises.
    CramerVonMises,
    /// Wasserstein-1.
    Wasserstein1,
    /// Wasserstein of another order.
    Wasserstein {
        /// At least 1.
        order: f64,
    },
    /// SciPy's energy distance.
    EnergySqrt,
    /// Population stability index.
    StabilityIndex {
        /// `evidently`, `quantiles` or `widths`.
        bins: String,
        /// How many, but for `evidently`.
        bin_count: usize,
    },
}

/// A measure of two sets of points.
#[derive(Clone, Debug)]
pub enum PointMeasure {
    /// Sliced Wasserstein.
    SlicedWasserstein {
        /// At least 1.
        order: f64,
        /// How many random directions.
        direction_count: usize,
    },
    /// Wasserstein of points, exactly; at most 2000 in each set.
    ExactWasserstein {
        /// `1` or `2`.
        order: String,
    },
    /// Energy distance.
    Energy {
        /// `root`, `v`, `u`, `hyppo-unbiased` or `hyppo-biased`.
        form: String,
    },
    /// Squared maximum mean discrepancy.
    Mmd {
        /// `median-half`, `median`, `columns`, or gamma itself.
        bandwidth: String,
        /// `biased` or `unbiased`.
        estimator: String,
    },
    /// An upper bound of the maximum mean discrepancy, and the test of a margin.
    MmdBound {
        /// Of the kernel.
        gamma: f64,
        /// In units of MMD.
        margin: f64,
        /// Of the bound.
        error_rate: f64,
        /// `normal` or `concentration`.
        law: String,
    },
    /// Classifier two-sample test.
    Classifier {
        /// `logistic` with its inverse penalty and folds, or `nearest` with its neighbours.
        learner: (String, f64, usize),
        /// `accuracy` or `auc`.
        statistic: String,
    },
    /// Precision, recall, density and coverage.
    Neighbours {
        /// Which neighbour's distance is the radius.
        k: usize,
    },
    /// Frechet distance.
    Frechet {
        /// Sizes of subsets and the least one, to take the bias away.
        subsets: Option<(usize, usize)>,
    },
    /// Kernel inception distance, of features.
    Kid,
    /// Alpha-precision, beta-recall, authenticity.
    Support {
        /// `corrected` or `compat`.
        mode: String,
    },
    /// Largest difference of a dependence between two columns.
    Dependence {
        /// `pearson`, `spearman`, `kendall`, `distance` or `mutual-information`.
        coefficient: String,
    },
}

/// One column of a file, watched in the order of its rows.
#[derive(Clone, Debug)]
pub struct AdwinRequest {
    /// CSV or Parquet.
    pub stream: InputFile,
    /// Which column.
    pub column: String,
    /// Leave out missing numbers instead of refusing the file.
    pub drop_missing: bool,
    /// Error rate of one look.
    pub delta: f64,
    /// Values between two looks.
    pub clock: usize,
}

/// Measures two samples.
///
/// # Errors
/// [`Error::Log`] naming line and column, [`Error::BadNumber`], [`Error::NoNumbers`],
/// [`Error::UnknownWord`]; those of the measure.
pub fn measure_distribution(request: &DistributionRequest) -> Result<Measured, Error> {
    let DistributionRequest { real, synthetic, columns, drop_missing, .. } = request;
    let real_table = read_numbers(real, columns, *drop_missing)?;
    let synthetic_table = read_numbers(synthetic, &real_table.names, *drop_missing)?;
    let tables = [&real_table, &synthetic_table];
    let mut measured = match &request.measure {
        DistributionMeasure::ByColumn(measure) => of_columns(measure, tables)?,
        DistributionMeasure::OfPoints(measure) => points::measure(measure, request, tables)?,
    };
    measured.values.push(MeasuredValue::json("columns", json!(real_table.names), ""));
    measured.values.push(MeasuredValue::count("real_count", real_table.columns[0].len()));
    let synthetic_count = synthetic_table.columns[0].len();
    measured.values.push(MeasuredValue::count("synthetic_count", synthetic_count));
    measured.notes.extend(dropped_note(real, real_table.dropped_count, "rows"));
    measured.notes.extend(dropped_note(synthetic, synthetic_table.dropped_count, "rows"));
    Ok(measured)
}

/// Watches one column for changes of its mean.
///
/// # Errors
/// As [`measure_distribution`].
pub fn measure_adwin(request: &AdwinRequest) -> Result<Measured, Error> {
    let names = [request.column.clone()];
    let table = read_numbers(&request.stream, &names, request.drop_missing)?;
    let mut options = AdwinOptions::RIVER;
    options.delta = request.delta;
    options.clock = request.clock;
    let report = adwin(&table.columns[0], &options)?;
    let values = vec![
        MeasuredValue::count("value", report.detections.len()),
        MeasuredValue::json("detection_indices", json!(report.detections), ""),
        MeasuredValue::count("window_count", report.width),
        MeasuredValue::real("window_mean", report.mean, ""),
        MeasuredValue::real("window_variance", report.variance, ""),
        MeasuredValue::count("count", table.columns[0].len()),
    ];
    let mut measured = Measured::new(&options.metric(), values);
    measured.notes.push("indices count the rows that were kept, from 0".to_owned());
    measured.notes.extend(dropped_note(&request.stream, table.dropped_count, "rows"));
    Ok(measured)
}

fn of_columns(measure: &ColumnMeasure, tables: [&NumberTable; 2]) -> Result<Measured, Error> {
    match measure {
        ColumnMeasure::KolmogorovSmirnov { alternative, law } => ks(tables, alternative, law),
        ColumnMeasure::CramerVonMises => {
            by_column(&CramerVonMises::metric(), tables, |real, synthetic| {
                let found = cramer_von_mises(real, synthetic)?;
                let p_value = MeasuredValue::real("p_value", found.p_value_limit, "1");
                Ok(vec![value(found.statistic, "1"), p_value])
            })
        }
        ColumnMeasure::Wasserstein { order } => {
            by_column(&wasserstein_metric(*order), tables, |real, synthetic| {
                Ok(vec![value(wasserstein(real, synthetic, *order)?, "value")])
            })
        }
        ColumnMeasure::Wasserstein1 => distance(tables, DistributionDistance::Wasserstein1),
        ColumnMeasure::EnergySqrt => distance(tables, DistributionDistance::EnergySqrt),
        ColumnMeasure::StabilityIndex { bins, bin_count } => {
            let bins = words::psi_bins(bins, *bin_count)?;
            by_column(&bins.metric(), tables, |real, synthetic| {
                Ok(vec![value(population_stability_index(real, synthetic, bins)?, "1")])
            })
        }
    }
}

fn value(value: f64, unit: &str) -> MeasuredValue {
    MeasuredValue::real("value", value, unit)
}

fn distance(tables: [&NumberTable; 2], which: DistributionDistance) -> Result<Measured, Error> {
    let metric = which.metric();
    let unit = registry::unit(metric.id());
    by_column(&metric, tables, |real, synthetic| {
        Ok(vec![value(distribution_distance(which, real, synthetic)?, unit)])
    })
}

fn ks(tables: [&NumberTable; 2], alternative: &str, law: &str) -> Result<Measured, Error> {
    let (alternative_kind, law_kind) = (words::alternative(alternative)?, words::ks_law(law)?);
    let metric = DistributionDistance::KolmogorovSmirnov.metric().with("alternative", alternative);
    by_column(&metric, tables, |real, synthetic| {
        let test = ks_test(real, synthetic, alternative_kind, law_kind)?;
        Ok(vec![
            value(test.distance, "1"),
            MeasuredValue::real("p_value", test.p_value, "1")
                .of(&KsTest::metric(alternative_kind, test.mode)),
            MeasuredValue::real("location", test.location, "value"),
            MeasuredValue::json("real_is_smaller", test.left_is_smaller.into(), ""),
        ])
    })
}

/// Column by column: one column as values, several as a table.
fn by_column(
    metric: &Metric,
    [real, synthetic]: [&NumberTable; 2],
    measure: impl Fn(&[f64], &[f64]) -> Values + Sync,
) -> Result<Measured, Error> {
    if let ([real], [synthetic]) = (&real.columns[..], &synthetic.columns[..]) {
        return Measured::of(metric, measure(real, synthetic));
    }
    let unit = registry::unit(metric.id());
    let pairs: Vec<_> = real.columns.iter().zip(&synthetic.columns).collect();
    let found: Vec<Values> =
        pairs.par_iter().map(|(real, synthetic)| measure(real, synthetic)).collect();
    let mut measured = Measured::new(metric, Vec::new());
    let mut rows = Vec::new();
    for (name, values) in real.names.iter().zip(found) {
        let values = match values {
            Err(error) if is_undefined(&error) => {
                measured.is_defined = false;
                without_value(unit, &error)
            }
            other => other?,
        };
        let row = [MeasuredValue::word("column", name)].into_iter().chain(values);
        rows.push(row.collect());
    }
    measured.tables.push(MeasuredTable { name: "by_column".to_owned(), rows });
    Ok(measured)
}
