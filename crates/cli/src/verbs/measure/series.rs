//! `measure signal.*`, `autocorrelation.*`, `residual.*` and `ranking.*`: columns in the order of their rows.

use std::path::PathBuf;

use tiepoint_model::Seed;
use tiepoint_operations::{
    AutocorrelationRequest, Error, Measured, RankingMeasure, RankingRequest, ResidualRequest,
    SignalMeasure, SignalRequest, measure_autocorrelation, measure_ranking, measure_residual,
    measure_signal,
};

use crate::source;

/// Metrics of columns in the order of their rows.
#[derive(clap::Subcommand)]
pub(crate) enum SeriesCommand {
    /// Dynamic time warping: least cost of bending one signal in time to be another.
    ///
    /// Example: tiepoint measure signal.dtw --real real.csv --synthetic twin.csv --columns x_m,y_m
    #[command(name = "signal.dtw")]
    Warping(WarpingArgs),
    /// Log-spectral distance of two signals, decibels; spectra by Welch's method as SciPy has it.
    ///
    /// Example: tiepoint measure signal.log_spectral_distance --real real.csv --synthetic twin.csv --columns gyro_z --rate-hz 200
    #[command(name = "signal.log_spectral_distance")]
    Spectra(SpectraArgs),
    /// After how many rows a column counts as new, and how many independent rows it is worth.
    ///
    /// Example: tiepoint measure autocorrelation.time --stream run.csv --column error_m
    #[command(name = "autocorrelation.time", alias = "autocorrelation.effective_count")]
    Autocorrelation(AutocorrelationArgs),
    /// Mean and root mean square of paired differences, synthetic less real, with intervals.
    ///
    /// Example: tiepoint measure residual.mean --pairs beams.csv --real real_m --synthetic twin_m
    #[command(name = "residual.mean", alias = "residual.rmse")]
    Residual(ResidualArgs),
    /// Kendall's rank correlation (tau-b) of real and synthetic scores of a panel of systems.
    ///
    /// Example: tiepoint measure ranking.kendall_tau_b --scores panel.csv --real real --synthetic sim
    #[command(name = "ranking.kendall_tau_b")]
    KendallTauB(ScoreArgs),
    /// Mean maximum rank violation of a panel of systems (SIMPLER).
    ///
    /// Example: tiepoint measure ranking.mmrv --scores panel.csv --real real --synthetic sim
    #[command(name = "ranking.mmrv")]
    RankViolation(ScoreArgs),
    /// Linear correlation of real and synthetic scores of a panel of systems, with its interval.
    ///
    /// Example: tiepoint measure ranking.srcc --scores panel.csv --real real --synthetic sim
    #[command(name = "ranking.srcc")]
    Correlation(CorrelationArgs),
}

/// Two signals.
#[derive(clap::Args)]
pub(crate) struct SignalArgs {
    /// The real signal: CSV with a header, or Parquet; rows in the order of time.
    #[arg(long, value_name = "FILE")]
    real: PathBuf,
    /// The synthetic signal, with the same columns.
    #[arg(long, value_name = "FILE")]
    synthetic: PathBuf,
    /// Columns, parted by commas; without it every column of numbers of the real signal.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    columns: Vec<String>,
}

/// Time warping.
#[derive(clap::Args)]
pub(crate) struct WarpingArgs {
    #[command(flatten)]
    signals: SignalArgs,
    /// Of a pair of rows: euclidean (summed) or squared (the root of the sum).
    #[arg(long, default_value = "euclidean")]
    cost: String,
    /// The largest difference of two rows that meet; without it no limit.
    #[arg(long, value_name = "ROWS")]
    band: Option<usize>,
}

/// Spectra.
#[derive(clap::Args)]
pub(crate) struct SpectraArgs {
    #[command(flatten)]
    signals: SignalArgs,
    /// Rows a second.
    #[arg(long, value_name = "HZ")]
    rate_hz: f64,
    /// Rows of a segment.
    #[arg(long, default_value_t = 256, value_name = "ROWS")]
    segment_length: usize,
}

/// One column.
#[derive(clap::Args)]
pub(crate) struct AutocorrelationArgs {
    /// CSV with a header, or Parquet; rows in the order of time.
    #[arg(long, value_name = "FILE")]
    stream: PathBuf,
    /// Its column.
    #[arg(long, value_name = "NAME")]
    column: String,
    /// Where the sum of correlations ends: geyer or sokal.
    #[arg(long, default_value = "geyer")]
    window: String,
}

/// Pairs of values.
#[derive(clap::Args)]
pub(crate) struct ResidualArgs {
    /// CSV with a header, or Parquet; one row for each pair, in the order of time.
    #[arg(long, value_name = "FILE")]
    pairs: PathBuf,
    /// Column of the real values.
    #[arg(long, value_name = "NAME")]
    real: String,
    /// Column of the synthetic values.
    #[arg(long, value_name = "NAME")]
    synthetic: String,
    /// Leave out rows with a missing number, and say how many.
    #[arg(long)]
    drop_missing: bool,
    /// Rows drawn together; without it as many as the differences remember.
    #[arg(long, value_name = "ROWS")]
    block_length: Option<usize>,
    /// How many resamples.
    #[arg(long, default_value_t = 2000, value_name = "COUNT")]
    resamples: usize,
    /// Level of the intervals.
    #[arg(long, default_value_t = 0.95)]
    level: f64,
    /// Seed of the resamples.
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// Scores of systems.
#[derive(clap::Args)]
pub(crate) struct ScoreArgs {
    /// CSV with a header, or Parquet; one row for each system.
    #[arg(long, value_name = "FILE")]
    scores: PathBuf,
    /// Column of the real scores.
    #[arg(long, value_name = "NAME")]
    real: String,
    /// Column of the synthetic scores.
    #[arg(long, value_name = "NAME")]
    synthetic: String,
}

/// Correlation of scores.
#[derive(clap::Args)]
pub(crate) struct CorrelationArgs {
    #[command(flatten)]
    scores: ScoreArgs,
    /// Level of the interval.
    #[arg(long, default_value_t = 0.95)]
    level: f64,
}

impl SeriesCommand {
    pub(crate) fn measure(self) -> Result<Measured, Error> {
        match self {
            Self::Warping(WarpingArgs { signals, cost, band }) => {
                signal(signals, SignalMeasure::Warping { cost, band })
            }
            Self::Spectra(SpectraArgs { signals, rate_hz, segment_length }) => {
                signal(signals, SignalMeasure::Spectra { rate_hz, segment_length })
            }
            Self::Autocorrelation(AutocorrelationArgs { stream, column, window }) => {
                let stream = source::read_input(stream)?;
                measure_autocorrelation(&AutocorrelationRequest { stream, column, window })
            }
            Self::Residual(args) => measure_residual(&ResidualRequest {
                pairs: source::read_input(args.pairs)?,
                columns: [args.real, args.synthetic],
                drop_missing: args.drop_missing,
                block_length: args.block_length,
                resample_count: args.resamples,
                level: args.level,
                seed: Seed(args.seed),
            }),
            Self::KendallTauB(scores) => ranking(scores, RankingMeasure::KendallTauB),
            Self::RankViolation(scores) => ranking(scores, RankingMeasure::RankViolation),
            Self::Correlation(CorrelationArgs { scores, level }) => {
                ranking(scores, RankingMeasure::Correlation { level })
            }
        }
    }
}

fn signal(args: SignalArgs, measure: SignalMeasure) -> Result<Measured, Error> {
    let SignalArgs { real, synthetic, columns } = args;
    let (real, synthetic) = (source::read_input(real)?, source::read_input(synthetic)?);
    measure_signal(&SignalRequest { real, synthetic, columns, measure })
}

fn ranking(args: ScoreArgs, measure: RankingMeasure) -> Result<Measured, Error> {
    let scores = source::read_input(args.scores)?;
    measure_ranking(&RankingRequest { scores, columns: [args.real, args.synthetic], measure })
}
