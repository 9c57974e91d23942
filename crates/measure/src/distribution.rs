//! How far two samples are apart: distances, two-sample tests, fidelity of generated points, drift,
//! and dependence between columns.
//!
//! Invariant: no result is NaN; what has no value says why. Random choices take a seed; the same
//! input gives the same bits on any number of threads.
//! Units: those of the columns where a result says so; most are pure numbers.
//!
//! Not here: judgement. A small distance is not a test, a large p value is not equivalence, and
//! none of these says how well a task is done.

mod distance;
mod histogram;
mod ks;
mod ks_law;
mod ranks;
mod steps;
mod wasserstein;

mod energy;
mod equivalence;
mod median;
mod mmd;
mod pairs;
mod permutation;
mod rows;

mod classifier;
mod frechet;
mod logistic;
mod neighbours;
mod screen;
mod support;

mod adwin;
mod dependence;
mod drift;
mod information;
mod transport;

pub use self::{
    adwin::{AdwinOptions, AdwinReport, adwin},
    classifier::{
        ClassifierScores, ClassifierStatistic, ClassifierTest, Learner, classifier_scores,
        classifier_scores_with_folds, classifier_test,
    },
    dependence::{
        Correlation, DependenceDifference, category_distance, category_metric,
        dependence_difference,
    },
    distance::{DistributionDistance, distribution_distance, distribution_distance_interval},
    drift::{PSI_EMPTY_SHARE, PsiBins, population_stability_index},
    energy::{EnergyForm, energy_distance, energy_test},
    equivalence::{EquivalenceLaw, MmdEquivalence, mmd_equivalence},
    frechet::{
        FrechetExtrapolation, Subsets, frechet_distance, frechet_extrapolated, frechet_metric,
    },
    histogram::Histogram,
    information::{INFORMATION_NEIGHBOURS, information_metric, mutual_information},
    ks::{
        CramerVonMises, KS_EXACT_COUNT_MAX, KolmogorovSmirnov, KsAlternative, KsMode, KsTest,
        cramer_von_mises, kolmogorov_smirnov, kolmogorov_upper_tail, ks_test,
    },
    mmd::{
        Bandwidth, Mmd, MmdEstimator, kernel_inception_distance, kernel_inception_metric,
        mmd_squared, mmd_test, mmd_test_with,
    },
    neighbours::{Prdc, prdc},
    permutation::{PermutationTest, Permutations},
    rows::{COORDINATE_MAX, Rows},
    support::{SUPPORT_LEVELS, SupportFidelity, SupportMode, support_fidelity},
    transport::{TRANSPORT_COUNT_MAX, TransportOrder, exact_transport, transport_metric},
    wasserstein::{
        Directions, sliced_wasserstein, sliced_wasserstein_along, wasserstein, wasserstein_metric,
        wasserstein_weighted,
    },
};
