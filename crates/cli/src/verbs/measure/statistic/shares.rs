//! `measure stat.share`, `stat.paired_outcomes`, `stat.two_shares`: outcomes, success or not.

use std::path::PathBuf;

use tiepoint_operations::{
    Error, Measured, OutcomeCounts, PairedOutcomesRequest, ShareRequest, TwoSharesRequest,
    measure_paired_outcomes, measure_share, measure_two_shares,
};

use crate::source;

/// Shares of outcomes.
#[derive(clap::Subcommand)]
pub(crate) enum ShareCommand {
    /// Share of successes with its exact interval.
    ///
    /// Example: tiepoint measure stat.share --successes 47 --trials 50
    #[command(name = "stat.share", alias = "stat.binomial")]
    Share(ShareArgs),
    /// Synthetic less real share of the same units: McNemar's exact test, interval, margin.
    ///
    /// With --margin the exit status is 0: equal within it; 1: shown to differ; 3: insufficient evidence.
    ///
    /// Example: tiepoint measure stat.paired_outcomes --outcomes runs.csv --real real_ok --synthetic twin_ok --margin 0.1
    #[command(name = "stat.paired_outcomes")]
    Paired(PairedArgs),
    /// Whether the share of one group is not below that of another by a margin, without pairs.
    ///
    /// Exit status 0: shown; 3: insufficient evidence.
    ///
    /// Example: tiepoint measure stat.two_shares --first 45/50 --second 40/50 --margin 0.1
    #[command(name = "stat.two_shares")]
    TwoGroups(TwoSharesArgs),
}

/// One share.
#[derive(clap::Args)]
pub(crate) struct ShareArgs {
    /// Successes.
    #[arg(long, value_name = "COUNT", requires = "trials", conflicts_with = "outcomes")]
    #[arg(required_unless_present = "outcomes")]
    successes: Option<u64>,
    /// Trials.
    #[arg(long, value_name = "COUNT", requires = "successes")]
    trials: Option<u64>,
    /// CSV with a header, or Parquet; one row for each trial.
    #[arg(long, value_name = "FILE", requires = "column")]
    outcomes: Option<PathBuf>,
    /// Its column of 0 and 1.
    #[arg(long, value_name = "NAME", requires = "outcomes")]
    column: Option<String>,
    /// Leave out rows with a missing outcome, and say how many.
    #[arg(long)]
    drop_missing: bool,
    /// exact (Clopper and Pearson), wilson, jeffreys or agresti-coull.
    #[arg(long, default_value = "exact")]
    method: String,
    /// The interval covers with chance 1 - alpha.
    #[arg(long, default_value_t = 0.05)]
    alpha: f64,
}

/// Pairs.
#[derive(clap::Args)]
pub(crate) struct PairedArgs {
    /// CSV with a header, or Parquet; one row for each unit.
    #[arg(long, value_name = "FILE")]
    outcomes: PathBuf,
    /// Column of the real outcomes, 0 or 1.
    #[arg(long, value_name = "NAME")]
    real: String,
    /// Column of the synthetic outcomes, 0 or 1.
    #[arg(long, value_name = "NAME")]
    synthetic: String,
    /// Leave out rows with a missing outcome, and say how many.
    #[arg(long)]
    drop_missing: bool,
    /// Test that the shares are equal within it.
    #[arg(long)]
    margin: Option<f64>,
    /// Error of each one-sided test; the interval covers with chance 1 - alpha.
    #[arg(long, default_value_t = 0.05)]
    alpha: f64,
}

/// Two groups.
#[derive(clap::Args)]
pub(crate) struct TwoSharesArgs {
    /// Successes and trials of the group that must not be worse.
    #[arg(long, value_name = "COUNT/TRIALS", value_parser = counts)]
    first: [u64; 2],
    /// Successes and trials of the group it is held against.
    #[arg(long, value_name = "COUNT/TRIALS", value_parser = counts)]
    second: [u64; 2],
    /// The margin; 0 for Barnard's test.
    #[arg(long, default_value_t = 0.0)]
    margin: f64,
    /// Error of the test; the interval covers with chance 1 - alpha.
    #[arg(long, default_value_t = 0.05)]
    alpha: f64,
}

fn counts(text: &str) -> Result<[u64; 2], String> {
    let parts = text.split_once('/').and_then(|(successes, trials)| {
        Some([successes.trim().parse().ok()?, trials.trim().parse().ok()?])
    });
    parts.ok_or_else(|| "give successes and trials, as 45/50".to_owned())
}

impl ShareCommand {
    pub(super) fn measure(self) -> Result<Measured, Error> {
        match self {
            Self::Share(args) => share(args),
            Self::Paired(args) => measure_paired_outcomes(&PairedOutcomesRequest {
                outcomes: source::read_input(args.outcomes)?,
                columns: [args.real, args.synthetic],
                drop_missing: args.drop_missing,
                margin: args.margin,
                alpha: args.alpha,
            }),
            Self::TwoGroups(TwoSharesArgs { first, second, margin, alpha }) => {
                measure_two_shares(&TwoSharesRequest { first, second, margin, alpha })
            }
        }
    }
}

fn share(args: ShareArgs) -> Result<Measured, Error> {
    let outcomes = match (args.outcomes, args.column) {
        (Some(outcomes), Some(column)) => {
            let outcomes = source::read_input(outcomes)?;
            OutcomeCounts::Column { outcomes, column, drop_missing: args.drop_missing }
        }
        // The parser asks for both counts where there is no file.
        _ => OutcomeCounts::Counts([args.successes.unwrap_or(0), args.trials.unwrap_or(0)]),
    };
    measure_share(&ShareRequest { outcomes, method: args.method, alpha: args.alpha })
}
