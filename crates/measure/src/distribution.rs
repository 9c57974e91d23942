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

pub use self::{
    distance::{DistributionDistance, distribution_distance, distribution_distance_interval},
    energy::{EnergyForm, energy_distance, energy_test},
    equivalence::{EquivalenceLaw, MmdEquivalence, mmd_equivalence},
    histogram::Histogram,
    ks::{
        CramerVonMises, KS_EXACT_COUNT_MAX, KolmogorovSmirnov, KsAlternative, KsMode, KsTest,
        cramer_von_mises, kolmogorov_smirnov, kolmogorov_upper_tail, ks_test,
    },
    mmd::{
        Bandwidth, Mmd, MmdEstimator, kernel_inception_distance, mmd_squared, mmd_test,
        mmd_test_with,
    },
    permutation::{PermutationTest, Permutations},
    rows::{COORDINATE_MAX, Rows},
    wasserstein::{
        Directions, sliced_wasserstein, sliced_wasserstein_along, wasserstein, wasserstein_weighted,
    },
};
