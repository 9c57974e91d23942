//! `measure stat.ppi`, `stat.exchange_rate`, `stat.weighted_mean`: means of real units that synthetic
//! ones tighten, or that weights carry.

use std::path::PathBuf;

use tiepoint_operations::{
    Error, Measured, PoweredFiles, PoweredMeanRequest, WeightedMeanRequest, measure_exchange_rate,
    measure_powered_mean, measure_weighted_mean,
};

use crate::source;

/// Means with the help of synthetic units.
#[derive(clap::Subcommand)]
pub(crate) enum PoweredCommand {
    /// Prediction-powered mean: few real values, tightened by many synthetic ones (PPI, PPI++).
    ///
    /// Example: tiepoint measure stat.ppi --labelled pairs.csv --real real --synthetic sim --unlabelled sim.csv
    #[command(name = "stat.ppi")]
    Powered(PoweredArgs),
    /// Real values that one synthetic value is worth for the precision of a mean.
    ///
    /// Example: tiepoint measure stat.exchange_rate --labelled pairs.csv --real real --synthetic sim --unlabelled sim.csv
    #[command(name = "stat.exchange_rate")]
    ExchangeRate(ExchangeArgs),
    /// Mean of weighted units, if enough effective ones carry it.
    ///
    /// Example: tiepoint measure stat.weighted_mean --units sim.csv --column error_m --weights weight --effective-count-min 30
    #[command(name = "stat.weighted_mean")]
    Weighted(WeightedArgs),
}

/// Labelled and unlabelled units.
#[derive(clap::Args)]
pub(crate) struct FilesArgs {
    /// CSV with a header, or Parquet; one row for each unit with a real and a synthetic value.
    #[arg(long, value_name = "FILE")]
    labelled: PathBuf,
    /// Its column of real values.
    #[arg(long, value_name = "NAME")]
    real: String,
    /// Its column of synthetic values.
    #[arg(long, value_name = "NAME")]
    synthetic: String,
    /// One row for each unit with a synthetic value alone.
    #[arg(long, value_name = "FILE")]
    unlabelled: PathBuf,
    /// Its column of synthetic values; without it the name is the same.
    #[arg(long, value_name = "NAME")]
    unlabelled_column: Option<String>,
    /// Leave out rows with a missing number, and say how many.
    #[arg(long)]
    drop_missing: bool,
    /// The interval covers with chance 1 - alpha.
    #[arg(long, default_value_t = 0.1)]
    alpha: f64,
}

/// Prediction-powered mean.
#[derive(clap::Args)]
pub(crate) struct PoweredArgs {
    #[command(flatten)]
    files: FilesArgs,
    /// gated (cross-fitted if the gate is open, else real values alone), cross-fitted, plugged-in
    /// (PPI++ as ppi-python has it), fixed (PPI with --lambda) or finite (any number of pairs in
    /// 0 to 1).
    #[arg(long, default_value = "gated")]
    method: String,
    /// Weight of the synthetic values for fixed and finite, 0 to 1.
    #[arg(long, default_value_t = 1.0)]
    lambda: f64,
    /// Folds for cross-fitted.
    #[arg(long, default_value_t = 5, value_name = "COUNT")]
    folds: usize,
}

/// What synthetic values are worth.
#[derive(clap::Args)]
pub(crate) struct ExchangeArgs {
    #[command(flatten)]
    files: FilesArgs,
}

/// Weights.
#[derive(clap::Args)]
pub(crate) struct WeightedArgs {
    /// CSV with a header, or Parquet; one row for each unit.
    #[arg(long, value_name = "FILE")]
    units: PathBuf,
    /// Its column of values.
    #[arg(long, value_name = "NAME")]
    column: String,
    /// Its column of weights: wanted over given frequency of the unit's condition.
    #[arg(long, value_name = "NAME")]
    weights: String,
    /// Fewer effective units are no evidence: half of the real ones, where these stand for them.
    #[arg(long, value_name = "COUNT")]
    effective_count_min: f64,
    /// Leave out rows with a missing number, and say how many.
    #[arg(long)]
    drop_missing: bool,
    /// The interval covers with chance 1 - alpha.
    #[arg(long, default_value_t = 0.1)]
    alpha: f64,
}

impl PoweredCommand {
    pub(super) fn measure(self) -> Result<Measured, Error> {
        match self {
            Self::Powered(PoweredArgs { files, method, lambda, folds }) => {
                let (files, alpha) = read(files)?;
                let fold_count = folds;
                let request = PoweredMeanRequest { files, method, lambda, fold_count, alpha };
                measure_powered_mean(&request)
            }
            Self::ExchangeRate(ExchangeArgs { files }) => {
                let (files, alpha) = read(files)?;
                measure_exchange_rate(&files, alpha)
            }
            Self::Weighted(args) => measure_weighted_mean(&WeightedMeanRequest {
                units: source::read_input(args.units)?,
                columns: [args.column, args.weights],
                drop_missing: args.drop_missing,
                effective_count_min: args.effective_count_min,
                alpha: args.alpha,
            }),
        }
    }
}

fn read(args: FilesArgs) -> Result<(PoweredFiles, f64), Error> {
    let unlabelled_column = args.unlabelled_column.unwrap_or_else(|| args.synthetic.clone());
    let files = PoweredFiles {
        labelled: source::read_input(args.labelled)?,
        columns: [args.real, args.synthetic],
        unlabelled: source::read_input(args.unlabelled)?,
        unlabelled_column,
        drop_missing: args.drop_missing,
    };
    Ok((files, args.alpha))
}
