//! Whatever the input, a measure answers with a finite value in its range or with a typed error.

use tiepoint_measure::{
    MeasureError,
    distribution::{
        AdwinOptions, Bandwidth, ClassifierStatistic, Correlation, Directions, EnergyForm,
        EquivalenceLaw, KsAlternative, KsMode, Learner, MmdEstimator, Permutations, PsiBins, Rows,
        Subsets, SupportMode, TransportOrder, adwin, classifier_test, cramer_von_mises,
        dependence_difference, energy_distance, energy_test, exact_transport, frechet_distance,
        frechet_extrapolated, kernel_inception_distance, ks_test, mmd_equivalence, mmd_squared,
        mmd_test, mutual_information, population_stability_index, prdc, sliced_wasserstein,
        support_fidelity, wasserstein,
    },
    signal::{
        spectrum::{WelchOptions, welch},
        warping::{WarpingCost, WarpingOptions, time_warping},
    },
};
use tiepoint_model::Seed;

/// What a value may be: ordinary, zero of either sign, huge, tiny, or none.
fn value(seed: u64, index: u64, is_wild: bool) -> f64 {
    let mut draws = Seed(seed).draws(1, index);
    match draws.below(if is_wild { 40 } else { 34 }) {
        0..20 => draws.normal(),
        20..25 => (4.0 * draws.uniform()).floor(),
        25 => 0.0,
        26 => -0.0,
        27 => 1e-300,
        28 => 5e-324,
        29 => 1e9 + draws.normal(),
        30 => -1e100,
        31 => 1e150,
        32 => -1e-160,
        33 => 1e30,
        34 => f64::NAN,
        35 => f64::INFINITY,
        36 => f64::NEG_INFINITY,
        37 => f64::MAX,
        38 => f64::MIN,
        _ => 1e160,
    }
}

fn sample(seed: u64) -> Vec<f64> {
    let mut draws = Seed(seed).draws(0, 0);
    let length = [0, 1, 2, 3, 6, 12, 24, 60][draws.below(8)];
    let (is_wild, is_constant) = (draws.below(3) == 0, draws.below(6) == 0);
    (0..length).map(|index| value(seed, if is_constant { 0 } else { index }, is_wild)).collect()
}

/// Every measure of two samples, as numbers.
fn measures(a: &[f64], b: &[f64], d: usize) -> Vec<(&'static str, Result<f64, MeasureError>)> {
    let mut found = Vec::new();
    for mode in [KsMode::Exact, KsMode::Asymptotic] {
        for alternative in [KsAlternative::TwoSided, KsAlternative::Greater, KsAlternative::Less] {
            found.push(("ks", ks_test(a, b, alternative, mode).map(|test| test.p_value)));
        }
    }
    found.push(("cvm", cramer_von_mises(a, b).map(|test| test.p_value_limit)));
    for order in [1.0, 2.0, 2.5] {
        found.push(("wasserstein", wasserstein(a, b, order)));
    }
    for bins in [PsiBins::Evidently, PsiBins::ReferenceQuantiles(5), PsiBins::ReferenceWidths(5)] {
        found.push(("psi", population_stability_index(a, b, bins)));
    }
    let options = AdwinOptions { clock: 1, ..AdwinOptions::RIVER };
    found.push(("adwin", adwin(a, &options).map(|report| report.mean + report.variance)));
    let spectrum = welch(a, &WelchOptions::scipy(1.0, 4));
    found.push(("welch", spectrum.map(|spectrum| spectrum.values.iter().sum())));
    for which in [Correlation::Pearson, Correlation::Spearman, Correlation::Distance] {
        found.push(("correlation", which.of(a, b)));
    }
    found.push(("tau", Correlation::KendallTauB.of(a, b)));
    found.push(("information", mutual_information(a, b, 2)));
    found.push(("linfoot", Correlation::MutualInformation.of(a, b)));
    if let (Ok(a), Ok(b)) = (Rows::new(a, d), Rows::new(b, d)) {
        of_points(a, b, &mut found);
    }
    found
}

fn of_points(a: Rows, b: Rows, found: &mut Vec<(&'static str, Result<f64, MeasureError>)>) {
    let permutations = Permutations { seed: Seed(1), count: 9 };
    for form in [EnergyForm::Root, EnergyForm::V, EnergyForm::U, EnergyForm::HyppoUnbiased] {
        found.push(("energy", energy_distance(a, b, form)));
        found.push(("energy p", energy_test(a, b, form, &permutations).map(|test| test.p_value)));
    }
    for bandwidth in [Bandwidth::MedianHalf, Bandwidth::Columns, Bandwidth::Gamma(1e-3)] {
        found.push(("mmd", mmd_squared(a, b, bandwidth).map(|mmd| mmd.squared_unbiased)));
        let test = mmd_test(a, b, bandwidth, MmdEstimator::Biased, &permutations);
        found.push(("mmd p", test.map(|test| test.p_value)));
    }
    for law in [EquivalenceLaw::Normal, EquivalenceLaw::Concentration] {
        let test = mmd_equivalence(a, b, 0.5, [0.3, 0.05], law);
        found.push(("equivalence", test.map(|test| test.p_value + test.upper_bound)));
    }
    found.push(("kid", kernel_inception_distance(a, b)));
    found.push(("frechet", frechet_distance(a, b)));
    for order in [TransportOrder::First, TransportOrder::Second] {
        found.push(("transport", exact_transport(a, b, order)));
    }
    let subsets = Subsets { seed: Seed(1), size_count: 3, size_min: 2 };
    found.push(("extrapolated", frechet_extrapolated(a, b, &subsets).map(|f| f.extrapolated)));
    let directions = Directions { seed: Seed(1), count: 3 };
    found.push(("sliced", sliced_wasserstein(a, b, &directions, 1.0)));
    found.push(("prdc", prdc(a, b, 2).map(|p| p.precision + p.recall + p.density + p.coverage)));
    for mode in [SupportMode::Corrected, SupportMode::Synthcity] {
        let got = support_fidelity(a, b, mode);
        found.push(("support", got.map(|s| s.alpha_precision + s.beta_recall + s.authenticity)));
    }
    for learner in [
        Learner::Logistic { inverse_penalty: 1.0, fold_count: 2 },
        Learner::NearestNeighbours { k: 1 },
    ] {
        let statistic = ClassifierStatistic::Accuracy;
        let test = classifier_test(a, b, learner, statistic, &permutations);
        found.push(("c2st", test.map(|test| test.test.p_value + test.scores.area_under_curve)));
    }
    let difference = dependence_difference(a, b, Correlation::Pearson);
    found.push(("dependence", difference.map(|difference| difference.largest)));
    for cost in [WarpingCost::Euclidean, WarpingCost::SquaredEuclidean] {
        let options = WarpingOptions { cost, band: None };
        found.push(("warping", time_warping(a, b, &options)));
    }
}

#[test]
fn any_input_gives_a_finite_value_or_a_typed_error() {
    let (mut values, mut errors) = (0, 0);
    for seed in 0..400_u64 {
        let (a, b) = (sample(2 * seed), sample(2 * seed + 1));
        for (name, result) in measures(&a, &b, 1 + seed as usize % 3) {
            match result {
                Ok(value) => {
                    assert!(value.is_finite(), "seed {seed}: {name} is {value}");
                    values += 1;
                }
                Err(error) => {
                    assert!(!error.to_string().is_empty() && !error.hint().is_empty());
                    errors += 1;
                }
            }
        }
    }
    // Both happen often: the inputs are neither all refused nor all harmless.
    assert!(values > 2000 && errors > 2000, "{values} {errors}");
}
