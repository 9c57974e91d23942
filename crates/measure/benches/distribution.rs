//! How fast the measures of samples are: prints a line `name seconds` for each, the best of three.
//!
//! Run with `cargo bench -p tiepoint-measure --bench distribution`; `peer_distribution.py` beside it
//! runs this and the Python packages in turn. The clock is read here only.
#![expect(clippy::disallowed_methods, reason = "room: benchmark clock")]
#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

use std::{hint::black_box, time::Instant};

use tiepoint_measure::{
    Bootstrap, MeasureError,
    distribution::{
        Bandwidth, DistributionDistance, EnergyForm, KsAlternative, KsMode, MmdEstimator,
        Permutations, Rows, TransportOrder, distribution_distance, energy_distance, energy_test,
        exact_transport, frechet_distance, ks_test, mmd_test, mutual_information, prdc,
    },
    signal::{
        spectrum::{WelchOptions, welch},
        warping::{WarpingCost, WarpingOptions, time_warping},
    },
};
use tiepoint_model::Seed;

fn main() -> Result<(), MeasureError> {
    for thread_count in [1, 2] {
        let builder = rayon::ThreadPoolBuilder::new().num_threads(thread_count);
        let Ok(pool) = builder.build() else { continue };
        pool.install(|| of_points(thread_count))?;
    }
    on_a_line()
}

fn normals(seed: u64, count: usize) -> Vec<f64> {
    (0..count as u64).map(|index| Seed(seed).draws(0, index).normal()).collect()
}

fn of_points(threads: usize) -> Result<(), MeasureError> {
    let permutations = Permutations { seed: Seed(1), count: 200 };
    let (a, b) = (normals(1, 8_000), normals(2, 8_000));
    let (a, b) = (Rows::new(&a, 8)?, Rows::new(&b, 8)?);
    let (rule, estimator) = (Bandwidth::MedianHalf, MmdEstimator::Unbiased);
    let name = |what: &str| format!("{what}_{threads}t");
    timed(&name("mmd_1000x8_200_permutations"), || mmd_test(a, b, rule, estimator, &permutations));
    timed(&name("energy_1000x8_200_permutations"), || {
        energy_test(a, b, EnergyForm::V, &permutations)
    });
    let (a, b) = (normals(3, 16_000), normals(4, 16_000));
    let (a, b) = (Rows::new(&a, 8)?, Rows::new(&b, 8)?);
    timed(&name("energy_2000x8"), || energy_distance(a, b, EnergyForm::V));
    let (a, b) = (normals(5, 320_000), normals(6, 320_000));
    let (a, b) = (Rows::new(&a, 64)?, Rows::new(&b, 64)?);
    timed(&name("prdc_5000x64"), || prdc(a, b, 5));
    timed(&name("frechet_5000x64"), || frechet_distance(a, b));
    let values = &a.values()[..1_000];
    let bootstrap =
        Bootstrap { seed: Seed(1), resample_count: 2_000, block_length: 1, level: 0.95 };
    timed(&name("bootstrap_mean_1000_2000_resamples"), || {
        bootstrap.interval(values.len(), |drawn| {
            drawn.iter().map(|&index| values[index as usize]).sum::<f64>() / values.len() as f64
        })
    });
    let (a, b) = (Rows::new(&a.values()[..4_000], 8)?, Rows::new(&b.values()[..4_000], 8)?);
    timed(&name("exact_transport_500x8"), || exact_transport(a, b, TransportOrder::First));
    let (x, y) = (normals(11, 10_000), normals(12, 10_000));
    timed(&name("mutual_information_1e4"), || mutual_information(&x, &y, 3));
    Ok(())
}

fn on_a_line() -> Result<(), MeasureError> {
    let (a, b) = (normals(7, 1_000_000), normals(8, 1_000_000));
    timed("ks_asymptotic_1e6", || ks_test(&a, &b, KsAlternative::TwoSided, KsMode::Asymptotic));
    for (name, which) in [
        ("wasserstein_1e6", DistributionDistance::Wasserstein1),
        ("energy_1e6", DistributionDistance::EnergySqrt),
    ] {
        timed(name, || distribution_distance(which, &a, &b));
    }
    timed("ks_exact_5000", || {
        ks_test(&a[..5_000], &b[..4_999], KsAlternative::TwoSided, KsMode::Exact)
    });
    timed("welch_1e6_256", || welch(&a, &WelchOptions::scipy(100.0, 256)));
    let (x, y) = (Rows::new(&a[..10_000], 1)?, Rows::new(&b[..10_000], 1)?);
    let options = WarpingOptions { cost: WarpingCost::Euclidean, band: Some(100) };
    timed("dtw_10000_band_100", || time_warping(x, y, &options));
    Ok(())
}

fn timed<T>(name: &str, of: impl Fn() -> T) {
    let mut best_s = f64::INFINITY;
    for _ in 0..3 {
        let start = Instant::now();
        black_box(of());
        best_s = best_s.min(start.elapsed().as_secs_f64());
    }
    println!("{name} {best_s:.6}");
}
