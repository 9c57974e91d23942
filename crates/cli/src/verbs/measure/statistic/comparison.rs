//! `measure stat.equivalence`, `stat.noninferiority`, `stat.no_difference`: paired units.

use std::path::PathBuf;

use tiepoint_model::Seed;
use tiepoint_operations::{
    DifferenceTestRequest, Error, MarginRequest, Measured, PairColumns, PairedUnits,
    measure_difference_test, measure_equivalence, measure_noninferiority,
};

use crate::source;

/// Tests of paired units.
#[derive(clap::Subcommand)]
pub(crate) enum ComparisonCommand {
    /// Whether real and synthetic are shown to be equal within a margin (two one-sided tests).
    ///
    /// Exit status 0: shown; 1: shown to differ by more; 3: insufficient evidence.
    ///
    /// Example: tiepoint measure stat.equivalence --units runs.csv --real real_m --synthetic twin_m --margin 0.05 --bound 1
    #[command(name = "stat.equivalence")]
    Equivalence(EquivalenceArgs),
    /// Whether the synthetic side is shown not to be worse by a margin (one-sided).
    ///
    /// Exit status 0: shown; 3: insufficient evidence.
    ///
    /// Example: tiepoint measure stat.noninferiority --units runs.csv --difference collisions --margin 0.1 --test t
    #[command(name = "stat.noninferiority")]
    NonInferiority(NonInferiorityArgs),
    /// Test that there is no difference: a diagnostic; a large p supports nothing.
    ///
    /// Example: tiepoint measure stat.no_difference --units runs.csv --real real_m --synthetic twin_m --test wilcoxon
    #[command(name = "stat.no_difference")]
    NoDifference(NoDifferenceArgs),
}

/// Paired units.
#[derive(clap::Args)]
pub(crate) struct UnitsArgs {
    /// CSV with a header, or Parquet; one row for each unit, in the order in which they came.
    #[arg(long, value_name = "FILE")]
    units: PathBuf,
    /// Column of the differences, synthetic less real.
    #[arg(long, value_name = "NAME", required_unless_present_all = ["real", "synthetic"])]
    #[arg(conflicts_with_all = ["real", "synthetic"])]
    difference: Option<String>,
    /// Column of the real values.
    #[arg(long, value_name = "NAME", requires = "synthetic")]
    real: Option<String>,
    /// Column of the synthetic values.
    #[arg(long, value_name = "NAME", requires = "real")]
    synthetic: Option<String>,
    /// Leave out rows with a missing number, and say how many.
    #[arg(long)]
    drop_missing: bool,
}

/// A margin.
#[derive(clap::Args)]
pub(crate) struct MarginArgs {
    #[command(flatten)]
    units: UnitsArgs,
    /// The margin, in the unit of the columns: fixed before the data is looked at.
    #[arg(long)]
    margin: f64,
    /// Largest possible absolute difference, for betting.
    #[arg(long)]
    bound: Option<f64>,
    /// Test means of so many rows that follow each other: where the rows are of one run.
    #[arg(long, value_name = "ROWS")]
    block_length: Option<usize>,
    /// Error of each one-sided test.
    #[arg(long, default_value_t = 0.05)]
    alpha: f64,
    /// Seed of the simulated size of a test on blocks.
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// Equivalence.
#[derive(clap::Args)]
pub(crate) struct EquivalenceArgs {
    #[command(flatten)]
    margin: MarginArgs,
    /// auto (betting for independent units, t for blocks of one run that are long enough), betting, t
    /// (a number of units fixed beforehand), or welch (two groups without pairs).
    #[arg(long, default_value = "auto")]
    test: String,
}

/// Non-inferiority.
#[derive(clap::Args)]
pub(crate) struct NonInferiorityArgs {
    #[command(flatten)]
    margin: MarginArgs,
    /// auto (betting for independent units, t for blocks of one run that are long enough), betting or t
    /// (a number of units fixed beforehand).
    #[arg(long, default_value = "auto")]
    test: String,
    /// Which side of a difference is safe: higher (synthetic above real) or lower.
    #[arg(long, default_value = "higher")]
    safe_side: String,
}

/// No difference.
#[derive(clap::Args)]
pub(crate) struct NoDifferenceArgs {
    #[command(flatten)]
    units: UnitsArgs,
    /// exchange (of the two sides, at random) or wilcoxon (signed ranks, exact).
    #[arg(long, default_value = "exchange")]
    test: String,
    /// How many random exchanges.
    #[arg(long, default_value_t = 9999, value_name = "COUNT")]
    exchanges: u64,
    /// Seed of the exchanges.
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

impl ComparisonCommand {
    pub(super) fn measure(self) -> Result<Measured, Error> {
        match self {
            Self::Equivalence(EquivalenceArgs { margin, test }) => {
                measure_equivalence(&margin.request(test)?)
            }
            Self::NonInferiority(NonInferiorityArgs { margin, test, safe_side }) => {
                measure_noninferiority(&margin.request(test)?, &safe_side)
            }
            Self::NoDifference(NoDifferenceArgs { units, test, exchanges, seed }) => {
                let (units, seed) = (read(units)?, Seed(seed));
                let exchange_count = exchanges;
                let request = DifferenceTestRequest { units, test, exchange_count, seed };
                measure_difference_test(&request)
            }
        }
    }
}

impl MarginArgs {
    fn request(self, test: String) -> Result<MarginRequest, Error> {
        let Self { units, margin, bound, block_length, alpha, seed } = self;
        let (units, seed) = (read(units)?, Seed(seed));
        Ok(MarginRequest { units, test, margin, bound, block_length, alpha, seed })
    }
}

fn read(args: UnitsArgs) -> Result<PairedUnits, Error> {
    let UnitsArgs { units, difference, real, synthetic, drop_missing } = args;
    let columns = match (difference, real, synthetic) {
        (None, Some(real), Some(synthetic)) => PairColumns::Pair { real, synthetic },
        (difference, ..) => PairColumns::Difference(difference.unwrap_or_default()),
    };
    Ok(PairedUnits { units: source::read_input(units)?, columns, drop_missing })
}
