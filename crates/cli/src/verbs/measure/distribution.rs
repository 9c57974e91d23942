//! `measure dist.*`: two samples in CSV or Parquet files.

use std::path::PathBuf;

use tiepoint_model::Seed;
use tiepoint_operations::{
    AdwinRequest, CategoryRequest, ColumnMeasure, DistributionMeasure, DistributionRequest, Error,
    InformationRequest, Measured, PointMeasure, measure_adwin, measure_categories,
    measure_distribution, measure_information,
};

use crate::source;

/// Metrics of two samples.
#[derive(clap::Subcommand)]
pub(crate) enum DistributionCommand {
    /// Kolmogorov-Smirnov distance and test, column by column.
    ///
    /// Example: tiepoint measure dist.ks --real real.csv --synthetic twin.csv --columns range_m
    #[command(name = "dist.ks", alias = "dist.ks.p_value")]
    KolmogorovSmirnov(KsArgs),
    /// Cramer-von Mises statistic and test, column by column.
    ///
    /// Example: tiepoint measure dist.cramer_von_mises --real real.csv --synthetic twin.csv
    #[command(name = "dist.cramer_von_mises")]
    CramerVonMises(SampleArgs),
    /// Wasserstein distance of an order, as a root, column by column.
    ///
    /// Example: tiepoint measure dist.wasserstein --real real.csv --synthetic twin.csv --order 2
    #[command(name = "dist.wasserstein")]
    Wasserstein(WassersteinArgs),
    /// Wasserstein-1 distance, column by column, in the column's unit.
    ///
    /// Example: tiepoint measure dist.wasserstein_1 --real real.csv --synthetic twin.csv
    #[command(name = "dist.wasserstein_1")]
    Wasserstein1(SampleArgs),
    /// Energy distance of one column as SciPy has it (a root), column by column.
    ///
    /// Example: tiepoint measure dist.energy_sqrt --real real.csv --synthetic twin.csv
    #[command(name = "dist.energy_sqrt")]
    EnergySqrt(SampleArgs),
    /// Population stability index, column by column; the real sample is the reference.
    ///
    /// Example: tiepoint measure dist.psi --real real.csv --synthetic twin.csv --bins quantiles
    #[command(name = "dist.psi")]
    StabilityIndex(PsiArgs),
    /// Sliced Wasserstein distance of points along random directions.
    ///
    /// Example: tiepoint measure dist.wasserstein_sliced --real real.csv --synthetic twin.csv --seed 7
    #[command(name = "dist.wasserstein_sliced", alias = "dist.sliced_wasserstein")]
    SlicedWasserstein(SlicedArgs),
    /// Wasserstein distance of points, exactly; at most 2000 rows in each file.
    ///
    /// Example: tiepoint measure dist.wasserstein_exact --real real.csv --synthetic twin.csv --order 1
    #[command(name = "dist.wasserstein_exact")]
    ExactWasserstein(ExactArgs),
    /// Energy distance of points in a named form, and its permutation test.
    ///
    /// Example: tiepoint measure dist.energy --real real.csv --synthetic twin.csv --form u --permutations 999
    #[command(name = "dist.energy")]
    Energy(EnergyArgs),
    /// Squared maximum mean discrepancy under a Gaussian kernel, and its permutation test.
    ///
    /// Example: tiepoint measure dist.mmd_squared --real real.csv --synthetic twin.csv --permutations 999
    #[command(name = "dist.mmd_squared", alias = "dist.mmd")]
    Mmd(MmdArgs),
    /// Upper bound of the maximum mean discrepancy, and the test that it is below a margin.
    ///
    /// Example: tiepoint measure dist.mmd_upper_bound --real real.csv --synthetic twin.csv --gamma 0.5 --margin 0.1
    #[command(name = "dist.mmd_upper_bound")]
    MmdBound(MmdBoundArgs),
    /// Classifier two-sample test: how well a learner tells the samples apart.
    ///
    /// Example: tiepoint measure dist.c2st --real real.csv --synthetic twin.csv --permutations 199
    #[command(name = "dist.c2st", aliases = ["dist.c2st_accuracy", "dist.c2st_auc"])]
    Classifier(ClassifierArgs),
    /// Precision, recall, density and coverage by nearest neighbours.
    ///
    /// Example: tiepoint measure dist.prdc --real real.csv --synthetic twin.csv --k 5
    #[command(
        name = "dist.prdc",
        aliases = ["dist.precision", "dist.recall", "dist.density", "dist.coverage"]
    )]
    Neighbours(NeighbourArgs),
    /// Frechet distance of fitted Gaussians; biased upwards in small samples.
    ///
    /// Example: tiepoint measure dist.frechet --real real.csv --synthetic twin.csv --subset-sizes 15
    #[command(name = "dist.frechet")]
    Frechet(FrechetArgs),
    /// Kernel inception distance of features: unbiased, cubic kernel.
    ///
    /// Example: tiepoint measure dist.kid --real real_features.csv --synthetic twin_features.csv
    #[command(name = "dist.kid")]
    Kid(SampleArgs),
    /// Alpha-precision, beta-recall and authenticity.
    ///
    /// Example: tiepoint measure dist.alpha_precision --real real.csv --synthetic twin.csv
    #[command(name = "dist.alpha_precision", aliases = ["dist.beta_recall", "dist.authenticity"])]
    Support(SupportArgs),
    /// Largest difference of the dependence between two columns.
    ///
    /// Example: tiepoint measure dist.dependence_difference --real real.csv --synthetic twin.csv
    #[command(name = "dist.dependence_difference")]
    Dependence(DependenceArgs),
    /// Mutual information of two columns of one file, by nearest neighbours: what one says about the other.
    ///
    /// Example: tiepoint measure dist.mutual_information --table runs.csv --x speed_m_per_s --y error_m
    #[command(name = "dist.mutual_information")]
    Information(InformationArgs),
    /// Total variation: how far the shares of categories differ, 0 to 1.
    ///
    /// Example: tiepoint measure dist.total_variation --real real.csv --synthetic twin.csv --columns weather
    #[command(name = "dist.total_variation")]
    Categories(CategoryArgs),
    /// Changes of the mean along one column, by adaptive windows.
    ///
    /// Example: tiepoint measure dist.adwin --stream run.csv --column error_m
    #[command(name = "dist.adwin", alias = "dist.adwin_detections")]
    Adwin(AdwinArgs),
}

/// Two samples.
#[derive(clap::Args)]
pub(crate) struct SampleArgs {
    /// The real sample: CSV with a header, or Parquet.
    #[arg(long, value_name = "FILE")]
    real: PathBuf,
    /// The synthetic sample, with the same columns.
    #[arg(long, value_name = "FILE")]
    synthetic: PathBuf,
    /// Columns, parted by commas; without it every column of numbers of the real sample.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    columns: Vec<String>,
    /// Leave out rows with a missing number, and say how many.
    #[arg(long)]
    drop_missing: bool,
}

/// Two samples of words.
#[derive(clap::Args)]
pub(crate) struct CategoryArgs {
    /// The real sample: CSV with a header, or Parquet.
    #[arg(long, value_name = "FILE")]
    real: PathBuf,
    /// The synthetic sample, with the same columns.
    #[arg(long, value_name = "FILE")]
    synthetic: PathBuf,
    /// Columns of words, parted by commas; of several a category is their combination.
    #[arg(long, value_name = "NAMES", value_delimiter = ',', required = true)]
    columns: Vec<String>,
    /// Leave out rows with a missing word, and say how many.
    #[arg(long)]
    drop_missing: bool,
}

/// What tests and random choices need.
#[derive(clap::Args)]
pub(crate) struct TestArgs {
    /// Random orders of the test of equal distributions; without it no p value.
    #[arg(long, value_name = "COUNT")]
    permutations: Option<usize>,
    /// Seed of everything random.
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// Kolmogorov-Smirnov.
#[derive(clap::Args)]
pub(crate) struct KsArgs {
    #[command(flatten)]
    samples: SampleArgs,
    /// two-sided, greater (the real sample is smaller somewhere) or less.
    #[arg(long, default_value = "two-sided")]
    alternative: String,
    /// Law of the p value: exact, asymp or auto.
    #[arg(long, default_value = "auto")]
    law: String,
}

/// Wasserstein of an order.
#[derive(clap::Args)]
pub(crate) struct WassersteinArgs {
    #[command(flatten)]
    samples: SampleArgs,
    /// At least 1.
    #[arg(long)]
    order: f64,
}

/// Population stability index.
#[derive(clap::Args)]
pub(crate) struct PsiArgs {
    #[command(flatten)]
    samples: SampleArgs,
    /// evidently (as that package has it), quantiles or widths of the real sample.
    #[arg(long, default_value = "evidently")]
    bins: String,
    /// How many quantiles or widths.
    #[arg(long, default_value_t = 10, value_name = "COUNT")]
    bin_count: usize,
}

/// Sliced Wasserstein.
#[derive(clap::Args)]
pub(crate) struct SlicedArgs {
    #[command(flatten)]
    samples: SampleArgs,
    /// Order of the distance, at least 1.
    #[arg(long, default_value_t = 2.0)]
    order: f64,
    /// How many random directions.
    #[arg(long, default_value_t = 50, value_name = "COUNT")]
    directions: usize,
    /// Seed of the directions.
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// Exact Wasserstein.
#[derive(clap::Args)]
pub(crate) struct ExactArgs {
    #[command(flatten)]
    samples: SampleArgs,
    /// 1 (the earth mover's distance) or 2 (the root of the least mean square).
    #[arg(long)]
    order: String,
}

/// Mutual information.
#[derive(clap::Args)]
pub(crate) struct InformationArgs {
    /// CSV with a header, or Parquet.
    #[arg(long, value_name = "FILE")]
    table: PathBuf,
    /// One column of numbers.
    #[arg(long, value_name = "NAME")]
    x: String,
    /// The other column of numbers.
    #[arg(long, value_name = "NAME")]
    y: String,
    /// How many nearest neighbours the estimate looks at.
    #[arg(long, default_value_t = 3, value_name = "COUNT")]
    neighbours: usize,
    /// Leave out rows with a missing number, and say how many.
    #[arg(long)]
    drop_missing: bool,
}

/// Energy distance.
#[derive(clap::Args)]
pub(crate) struct EnergyArgs {
    #[command(flatten)]
    samples: SampleArgs,
    /// root, v (its square), u (unbiased), hyppo-unbiased or hyppo-biased.
    #[arg(long, default_value = "v")]
    form: String,
    #[command(flatten)]
    test: TestArgs,
}

/// Maximum mean discrepancy.
#[derive(clap::Args)]
pub(crate) struct MmdArgs {
    #[command(flatten)]
    samples: SampleArgs,
    /// Of the kernel exp(-gamma d^2): median-half, median, columns, or a number.
    #[arg(long, default_value = "median-half")]
    gamma: String,
    /// unbiased or biased.
    #[arg(long, default_value = "unbiased")]
    estimator: String,
    #[command(flatten)]
    test: TestArgs,
}

/// A bound of the maximum mean discrepancy.
#[derive(clap::Args)]
pub(crate) struct MmdBoundArgs {
    #[command(flatten)]
    samples: SampleArgs,
    /// Of the kernel exp(-gamma d^2), fixed before looking at the data.
    #[arg(long)]
    gamma: f64,
    /// The margin, in units of MMD.
    #[arg(long)]
    margin: f64,
    /// Error rate of the bound.
    #[arg(long, default_value_t = 0.05, value_name = "RATE")]
    error_rate: f64,
    /// normal (large samples) or concentration (any samples, wide).
    #[arg(long, default_value = "normal")]
    law: String,
}

/// Classifier two-sample test.
#[derive(clap::Args)]
pub(crate) struct ClassifierArgs {
    #[command(flatten)]
    samples: SampleArgs,
    /// logistic (regression, cross-fitted) or nearest (neighbours).
    #[arg(long, default_value = "logistic")]
    learner: String,
    /// What is tested: accuracy or auc.
    #[arg(long, default_value = "accuracy")]
    statistic: String,
    /// Inverse penalty of the regression.
    #[arg(long, default_value_t = 1.0)]
    c: f64,
    /// Folds of the regression, or neighbours (then an odd number).
    #[arg(long, default_value_t = 5, value_name = "COUNT")]
    folds: usize,
    #[command(flatten)]
    test: TestArgs,
}

/// Nearest neighbours.
#[derive(clap::Args)]
pub(crate) struct NeighbourArgs {
    #[command(flatten)]
    samples: SampleArgs,
    /// Which neighbour's distance is the radius.
    #[arg(long, default_value_t = 5)]
    k: usize,
}

/// Frechet distance.
#[derive(clap::Args)]
pub(crate) struct FrechetArgs {
    #[command(flatten)]
    samples: SampleArgs,
    /// Take the bias away by so many sizes of random subsets.
    #[arg(long, value_name = "COUNT")]
    subset_sizes: Option<usize>,
    /// The smallest subset's rows.
    #[arg(long, default_value_t = 50, value_name = "ROWS")]
    subset_size_min: usize,
    /// Seed of the subsets.
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// Alpha-precision.
#[derive(clap::Args)]
pub(crate) struct SupportArgs {
    #[command(flatten)]
    samples: SampleArgs,
    /// corrected (the paper's definition) or compat (synthcity's, with its faults).
    #[arg(long, default_value = "corrected")]
    mode: String,
}

/// Dependence between columns.
#[derive(clap::Args)]
pub(crate) struct DependenceArgs {
    #[command(flatten)]
    samples: SampleArgs,
    /// pearson, spearman, kendall, distance or mutual-information (as Linfoot's coefficient, 0 to 1).
    #[arg(long, default_value = "pearson")]
    coefficient: String,
}

/// One stream.
#[derive(clap::Args)]
pub(crate) struct AdwinArgs {
    /// CSV with a header, or Parquet; rows in the order of time.
    #[arg(long, value_name = "FILE")]
    stream: PathBuf,
    /// Its column.
    #[arg(long, value_name = "NAME")]
    column: String,
    /// Leave out rows with a missing number, and say how many.
    #[arg(long)]
    drop_missing: bool,
    /// Error rate of a single look.
    #[arg(long, default_value_t = 0.002)]
    delta: f64,
    /// Values between two looks.
    #[arg(long, default_value_t = 32)]
    clock: usize,
}

impl DistributionCommand {
    pub(crate) fn measure(self) -> Result<Measured, Error> {
        let (samples, measure, test) = match self {
            Self::KolmogorovSmirnov(KsArgs { samples, alternative, law }) => {
                column(samples, ColumnMeasure::KolmogorovSmirnov { alternative, law })
            }
            Self::CramerVonMises(samples) => column(samples, ColumnMeasure::CramerVonMises),
            Self::Wasserstein(WassersteinArgs { samples, order }) => {
                column(samples, ColumnMeasure::Wasserstein { order })
            }
            Self::Wasserstein1(samples) => column(samples, ColumnMeasure::Wasserstein1),
            Self::EnergySqrt(samples) => column(samples, ColumnMeasure::EnergySqrt),
            Self::StabilityIndex(PsiArgs { samples, bins, bin_count }) => {
                column(samples, ColumnMeasure::StabilityIndex { bins, bin_count })
            }
            Self::SlicedWasserstein(SlicedArgs { samples, order, directions, seed }) => {
                let direction_count = directions;
                points(samples, PointMeasure::SlicedWasserstein { order, direction_count }, seed)
            }
            Self::ExactWasserstein(ExactArgs { samples, order }) => {
                points(samples, PointMeasure::ExactWasserstein { order }, 0)
            }
            Self::Energy(EnergyArgs { samples, form, test }) => {
                (samples, DistributionMeasure::OfPoints(PointMeasure::Energy { form }), test)
            }
            Self::Mmd(MmdArgs { samples, gamma, estimator, test }) => {
                let measure = PointMeasure::Mmd { bandwidth: gamma, estimator };
                (samples, DistributionMeasure::OfPoints(measure), test)
            }
            Self::MmdBound(MmdBoundArgs { samples, gamma, margin, error_rate, law }) => {
                points(samples, PointMeasure::MmdBound { gamma, margin, error_rate, law }, 0)
            }
            Self::Classifier(args) => {
                let learner = (args.learner, args.c, args.folds);
                let measure = PointMeasure::Classifier { learner, statistic: args.statistic };
                (args.samples, DistributionMeasure::OfPoints(measure), args.test)
            }
            Self::Neighbours(NeighbourArgs { samples, k }) => {
                points(samples, PointMeasure::Neighbours { k }, 0)
            }
            Self::Frechet(FrechetArgs { samples, subset_sizes, subset_size_min, seed }) => {
                let subsets = subset_sizes.map(|count| (count, subset_size_min));
                points(samples, PointMeasure::Frechet { subsets }, seed)
            }
            Self::Kid(samples) => points(samples, PointMeasure::Kid, 0),
            Self::Support(SupportArgs { samples, mode }) => {
                points(samples, PointMeasure::Support { mode }, 0)
            }
            Self::Dependence(DependenceArgs { samples, coefficient }) => {
                points(samples, PointMeasure::Dependence { coefficient }, 0)
            }
            Self::Information(args) => return information(args),
            Self::Categories(CategoryArgs { real, synthetic, columns, drop_missing }) => {
                let (real, synthetic) = (source::read_input(real)?, source::read_input(synthetic)?);
                let request = CategoryRequest { real, synthetic, columns, drop_missing };
                return measure_categories(&request);
            }
            Self::Adwin(args) => return adwin(args),
        };
        let SampleArgs { real, synthetic, columns, drop_missing } = samples;
        measure_distribution(&DistributionRequest {
            real: source::read_input(real)?,
            synthetic: source::read_input(synthetic)?,
            columns,
            drop_missing,
            measure,
            seed: Seed(test.seed),
            permutation_count: test.permutations,
        })
    }
}

type Parts = (SampleArgs, DistributionMeasure, TestArgs);

fn column(samples: SampleArgs, measure: ColumnMeasure) -> Parts {
    let test = TestArgs { permutations: None, seed: 0 };
    (samples, DistributionMeasure::ByColumn(measure), test)
}

fn points(samples: SampleArgs, measure: PointMeasure, seed: u64) -> Parts {
    (samples, DistributionMeasure::OfPoints(measure), TestArgs { permutations: None, seed })
}

fn information(args: InformationArgs) -> Result<Measured, Error> {
    let InformationArgs { table, x, y, neighbours, drop_missing } = args;
    let table = source::read_input(table)?;
    measure_information(&InformationRequest { table, columns: [x, y], drop_missing, neighbours })
}

fn adwin(args: AdwinArgs) -> Result<Measured, Error> {
    let AdwinArgs { stream, column, drop_missing, delta, clock } = args;
    let stream = source::read_input(stream)?;
    measure_adwin(&AdwinRequest { stream, column, drop_missing, delta, clock })
}
