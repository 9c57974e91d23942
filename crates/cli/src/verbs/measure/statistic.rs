//! `measure stat.*`: statistics of units in CSV or Parquet files, and plans.

mod comparison;
mod powered;
mod shares;

use std::path::PathBuf;

use tiepoint_model::Seed;
use tiepoint_operations::{
    AdjustedRequest, AlphaInvestingRequest, BootstrapRequest, DiscoveryRequest, Error,
    JackknifeRequest, MeanIntervalRequest, Measured, PlanRequest, ScalingRequest,
    TrainingRateRequest, measure_adjusted, measure_alpha_investing, measure_bootstrap,
    measure_discoveries, measure_jackknife, measure_mean_interval, measure_plan,
    measure_scaling_curve, measure_training_rate,
};

use crate::source;

/// Statistics of units.
#[derive(clap::Subcommand)]
pub(crate) enum StatisticCommand {
    #[command(flatten)]
    Comparison(comparison::ComparisonCommand),
    #[command(flatten)]
    Share(shares::ShareCommand),
    #[command(flatten)]
    Powered(powered::PoweredCommand),
    /// A statistic of units with its bootstrap interval: percentile or BCa, by blocks or clusters.
    ///
    /// Example: tiepoint measure stat.bootstrap --units runs.csv --column error_m --statistic median --method bca
    #[command(name = "stat.bootstrap")]
    Bootstrap(BootstrapArgs),
    /// How much each unit moves a statistic of all, with its standard error and bias.
    ///
    /// Example: tiepoint measure stat.jackknife --units scenes.csv --column map_without_scene --whole 0.71
    #[command(name = "stat.jackknife")]
    Jackknife(JackknifeArgs),
    /// Mean of bounded units with an interval that holds for any law: betting, also while looking.
    ///
    /// Example: tiepoint measure stat.mean_interval --units runs.csv --column success --bounds 0,1
    #[command(name = "stat.mean_interval")]
    MeanInterval(MeanIntervalArgs),
    /// p-values of a family, adjusted for their number: Holm, Bonferroni, Benjamini.
    ///
    /// Example: tiepoint measure stat.adjusted_p --family cells.csv --column p --method holm
    #[command(name = "stat.adjusted_p", alias = "stat.holm")]
    Adjusted(AdjustedArgs),
    /// Which statements e-values reject under any dependence (e-BH).
    ///
    /// Example: tiepoint measure stat.e_bh --family cells.csv --column e --alpha 0.05
    #[command(name = "stat.e_bh")]
    Discoveries(DiscoveryArgs),
    /// Questions to one reserve in the order of the rows, each at its charge, until it is spent.
    ///
    /// Example: tiepoint measure stat.alpha_investing --family questions.csv --column p --alpha 0.01
    #[command(name = "stat.alpha_investing")]
    AlphaInvesting(AlphaInvestingArgs),
    /// How many units a test needs to support a true claim.
    ///
    /// Example: tiepoint measure stat.sample_size --test equivalence --sd 0.05 --margin 0.03
    #[command(name = "stat.sample_size")]
    SampleSize(PlanArgs),
    /// How an error falls with the number of samples, down to a floor, with the floor's interval.
    ///
    /// Example: tiepoint measure stat.scaling_curve --runs training.csv --count samples --error error --at-counts 50000
    #[command(name = "stat.scaling_curve")]
    ScalingCurve(ScalingArgs),
    /// Real training samples that one synthetic sample is worth, off the curve of real ones.
    ///
    /// Example: tiepoint measure stat.training_exchange_rate --runs real.csv --count samples --error error --mixture 1000,9000,0.21
    #[command(name = "stat.training_exchange_rate")]
    TrainingRate(TrainingRateArgs),
}

/// Resampling.
#[derive(clap::Args)]
pub(crate) struct BootstrapArgs {
    #[command(flatten)]
    column: ColumnArgs,
    /// mean, median, std, rmse, or a quantile such as quantile:0.95.
    #[arg(long, default_value = "mean")]
    statistic: String,
    /// percentile or bca (bias-corrected and accelerated, of independent rows).
    #[arg(long, default_value = "percentile")]
    method: String,
    /// A column of numbers that name clusters, such as scenes: drawn whole.
    #[arg(long, value_name = "NAME")]
    cluster: Option<String>,
    /// Rows (or clusters) that follow each other and are drawn together.
    #[arg(long, default_value_t = 1, value_name = "ROWS")]
    block_length: usize,
    /// How many resamples.
    #[arg(long, default_value_t = 9999, value_name = "COUNT")]
    resamples: usize,
    /// Level of the interval.
    #[arg(long, default_value_t = 0.95)]
    level: f64,
    /// Seed of the resamples.
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// One column of units.
#[derive(clap::Args)]
pub(crate) struct ColumnArgs {
    /// CSV with a header, or Parquet; one row for each unit.
    #[arg(long, value_name = "FILE")]
    units: PathBuf,
    /// Its column.
    #[arg(long, value_name = "NAME")]
    column: String,
    /// Leave out rows with a missing number, and say how many.
    #[arg(long)]
    drop_missing: bool,
}

/// Leaving one out.
#[derive(clap::Args)]
pub(crate) struct JackknifeArgs {
    /// CSV with a header, or Parquet; one row for each unit.
    #[arg(long, value_name = "FILE")]
    units: PathBuf,
    /// Its column: values of units, or with --whole what the metric is without each unit.
    #[arg(long, value_name = "NAME")]
    column: String,
    /// Of the values: mean, median, std, rmse, or a quantile such as quantile:0.95.
    #[arg(long, default_value = "mean", conflicts_with = "whole")]
    statistic: String,
    /// The metric of all units, where the column holds it without each.
    #[arg(long, value_name = "VALUE", allow_negative_numbers = true)]
    whole: Option<f64>,
}

/// Bounded units.
#[derive(clap::Args)]
pub(crate) struct MeanIntervalArgs {
    #[command(flatten)]
    column: ColumnArgs,
    /// Least and largest possible value.
    #[arg(long, value_name = "LOW,HIGH", value_parser = pair, allow_hyphen_values = true)]
    bounds: [f64; 2],
    /// betting (holds however often one looks), betting-fixed, bernstein or hoeffding (for a number
    /// of units fixed beforehand).
    #[arg(long, default_value = "betting")]
    method: String,
    /// The interval covers with chance 1 - alpha.
    #[arg(long, default_value_t = 0.05)]
    alpha: f64,
}

/// A family of statements.
#[derive(clap::Args)]
pub(crate) struct FamilyArgs {
    /// CSV with a header, or Parquet; one row for each statement.
    #[arg(long, value_name = "FILE")]
    family: PathBuf,
    /// Its column of p-values or e-values.
    #[arg(long, value_name = "NAME")]
    column: String,
}

/// p-values.
#[derive(clap::Args)]
pub(crate) struct AdjustedArgs {
    #[command(flatten)]
    family: FamilyArgs,
    /// holm or bonferroni (no false rejection), benjamini-hochberg or benjamini-yekutieli (few).
    #[arg(long, default_value = "holm")]
    method: String,
    /// Statements whose adjusted p is at most this are rejected.
    #[arg(long, default_value_t = 0.05)]
    alpha: f64,
}

/// e-values.
#[derive(clap::Args)]
pub(crate) struct DiscoveryArgs {
    #[command(flatten)]
    family: FamilyArgs,
    /// Expected share of false rejections at most.
    #[arg(long, default_value_t = 0.05)]
    alpha: f64,
}

/// The alpha of a reserve.
#[derive(clap::Args)]
pub(crate) struct AlphaInvestingArgs {
    #[command(flatten)]
    family: FamilyArgs,
    /// spending (charges stay) or investing (a rejection earns a reward).
    #[arg(long, default_value = "spending")]
    policy: String,
    /// The error that may be made in all.
    #[arg(long, default_value_t = 0.05)]
    wealth: f64,
    /// Earned by a rejection when investing; without it the first wealth.
    #[arg(long)]
    reward: Option<f64>,
    /// Level of each question; without it half of what can be asked.
    #[arg(long)]
    alpha: Option<f64>,
}

/// A plan.
#[derive(clap::Args)]
pub(crate) struct PlanArgs {
    /// equivalence (paired t) or betting, noninferiority, two-shares, paired-outcomes, zero-failures,
    /// or scenes (what frames of the same scenes are worth).
    #[arg(long)]
    test: String,
    /// Expected mean difference.
    #[arg(long, default_value_t = 0.0, allow_negative_numbers = true)]
    estimate: f64,
    /// Standard deviation of the differences.
    #[arg(long)]
    sd: Option<f64>,
    /// The margin.
    #[arg(long)]
    margin: Option<f64>,
    /// Largest possible absolute difference.
    #[arg(long)]
    bound: Option<f64>,
    /// Of outcomes: the expected share of successes, or the share of failures to rule out.
    #[arg(long)]
    share: Option<f64>,
    /// Scenes, frames of a scene, and the correlation within scenes.
    #[arg(long, value_name = "SCENES,FRAMES,CORRELATION", value_parser = scenes)]
    scenes: Option<(u64, u64, f64)>,
    /// Error of each one-sided test.
    #[arg(long, default_value_t = 0.05)]
    alpha: f64,
    /// Wanted chance of support; that of equivalence is 0.8.
    #[arg(long, default_value_t = 0.8)]
    power: f64,
}

/// Training runs.
#[derive(clap::Args)]
pub(crate) struct RunsArgs {
    /// CSV with a header, or Parquet; one row for each training run with real samples alone.
    #[arg(long, value_name = "FILE")]
    runs: PathBuf,
    /// Column of the number of samples.
    #[arg(long, value_name = "NAME")]
    count: String,
    /// Column of the error on test data.
    #[arg(long, value_name = "NAME")]
    error: String,
    /// The interval covers with chance 1 - alpha.
    #[arg(long, default_value_t = 0.1)]
    alpha: f64,
}

/// A curve.
#[derive(clap::Args)]
pub(crate) struct ScalingArgs {
    #[command(flatten)]
    runs: RunsArgs,
    /// Foretell the error with so many samples, parted by commas.
    #[arg(long, value_name = "COUNTS", value_delimiter = ',')]
    at_counts: Vec<f64>,
}

/// A mixture on a curve.
#[derive(clap::Args)]
pub(crate) struct TrainingRateArgs {
    #[command(flatten)]
    runs: RunsArgs,
    /// Of the mixture: real samples, synthetic samples, and its error on the same test data.
    #[arg(long, value_name = "REAL,SYNTHETIC,ERROR", value_parser = triple)]
    mixture: [f64; 3],
}

fn numbers<const COUNT: usize>(text: &str) -> Result<[f64; COUNT], String> {
    let numbers: Result<Vec<f64>, _> = text.split(',').map(|part| part.trim().parse()).collect();
    let numbers = numbers.map_err(|error| format!("{error}: give {COUNT} numbers with commas"))?;
    numbers.try_into().map_err(|_| format!("give {COUNT} numbers with commas"))
}

fn pair(text: &str) -> Result<[f64; 2], String> {
    numbers(text)
}

fn triple(text: &str) -> Result<[f64; 3], String> {
    numbers(text)
}

fn scenes(text: &str) -> Result<(u64, u64, f64), String> {
    let parts: Vec<&str> = text.split(',').map(str::trim).collect();
    let found = match parts[..] {
        [scenes, frames, icc] => scenes.parse().ok().zip(frames.parse().ok()).zip(icc.parse().ok()),
        _ => None,
    };
    let found = found.map(|((scenes, frames), icc)| (scenes, frames, icc));
    found.ok_or_else(|| "give scenes, frames and a correlation, as 40,100,0.3".to_owned())
}

impl StatisticCommand {
    pub(crate) fn measure(self) -> Result<Measured, Error> {
        match self {
            Self::Comparison(command) => command.measure(),
            Self::Share(command) => command.measure(),
            Self::Powered(command) => command.measure(),
            Self::Bootstrap(args) => bootstrap(args),
            Self::Jackknife(args) => measure_jackknife(&JackknifeRequest {
                units: source::read_input(args.units)?,
                column: args.column,
                statistic: args.statistic,
                whole: args.whole,
            }),
            Self::MeanInterval(MeanIntervalArgs { column, bounds, method, alpha }) => {
                let ColumnArgs { units, column, drop_missing } = column;
                let units = source::read_input(units)?;
                let request =
                    MeanIntervalRequest { units, column, drop_missing, method, bounds, alpha };
                measure_mean_interval(&request)
            }
            Self::Adjusted(AdjustedArgs { family, method, alpha }) => {
                let FamilyArgs { family, column } = family;
                let family = source::read_input(family)?;
                measure_adjusted(&AdjustedRequest { family, column, method, alpha })
            }
            Self::Discoveries(DiscoveryArgs { family, alpha }) => {
                let FamilyArgs { family, column } = family;
                let family = source::read_input(family)?;
                measure_discoveries(&DiscoveryRequest { family, column, alpha })
            }
            Self::AlphaInvesting(args) => measure_alpha_investing(&AlphaInvestingRequest {
                family: source::read_input(args.family.family)?,
                column: args.family.column,
                policy: args.policy,
                wealth: args.wealth,
                reward: args.reward,
                alpha: args.alpha,
            }),
            Self::SampleSize(args) => measure_plan(&plan(args)),
            Self::ScalingCurve(ScalingArgs { runs, at_counts: at }) => {
                let RunsArgs { runs, count, error, alpha } = runs;
                let runs = source::read_input(runs)?;
                let columns = [count, error];
                measure_scaling_curve(&ScalingRequest { runs, columns, at, alpha })
            }
            Self::TrainingRate(TrainingRateArgs { runs, mixture }) => {
                let RunsArgs { runs, count, error, alpha } = runs;
                let runs = source::read_input(runs)?;
                let columns = [count, error];
                measure_training_rate(&TrainingRateRequest { runs, columns, mixture, alpha })
            }
        }
    }
}

fn bootstrap(args: BootstrapArgs) -> Result<Measured, Error> {
    measure_bootstrap(&BootstrapRequest {
        units: source::read_input(args.column.units)?,
        column: args.column.column,
        drop_missing: args.column.drop_missing,
        statistic: args.statistic,
        method: args.method,
        cluster: args.cluster,
        block_length: args.block_length,
        resample_count: args.resamples,
        level: args.level,
        seed: Seed(args.seed),
    })
}

fn plan(args: PlanArgs) -> PlanRequest {
    let PlanArgs { test, estimate, sd, margin, bound, share, scenes, alpha, power } = args;
    PlanRequest { test, estimate, sd, margin, bound, share, scenes, alpha, power }
}
