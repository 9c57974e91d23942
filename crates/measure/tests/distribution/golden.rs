//! Distances, tests and fidelity against the reference tools. Data, versions and licences:
//! `testdata/<case>/PROVENANCE.md`.

use serde_json::Value;
use tiepoint_measure::{
    distribution::{
        Bandwidth, EnergyForm, EquivalenceLaw, KsAlternative, KsMode, MmdEstimator, Rows,
        SupportMode, classifier_scores_with_folds, cramer_von_mises, energy_distance,
        frechet_distance, kernel_inception_distance, ks_test, mmd_equivalence, mmd_squared,
        mmd_test_with, prdc, sliced_wasserstein_along, support_fidelity, wasserstein,
        wasserstein_weighted,
    },
    registry,
};

use crate::{
    conformance::{self, Case},
    numpy::RandomState,
};

/// Two samples and what the tools said of them.
pub(crate) struct Golden {
    pub(crate) real: Vec<f64>,
    pub(crate) synthetic: Vec<f64>,
    pub(crate) values: Value,
}

impl Golden {
    pub(crate) fn load() -> Self {
        let text =
            include_str!("../../../../testdata/distribution_fidelity/distribution_fidelity.json");
        let values: Value = serde_json::from_str(text).unwrap();
        let flat = |name: &str| -> Vec<f64> {
            values[name].as_array().unwrap().iter().flat_map(numbers).collect()
        };
        Self { real: flat("X_real"), synthetic: flat("Y_syn"), values }
    }

    pub(crate) fn rows(&self) -> [Rows<'_>; 2] {
        [&self.real, &self.synthetic].map(|values| Rows::new(values, 3).unwrap())
    }

    /// A row of a metric that has no other mode.
    fn case(&self, metric: impl std::fmt::Display, package: &str) -> Case {
        conformance::case(metric, "one", &self.values, package)
    }

    fn first_columns(&self) -> [Vec<f64>; 2] {
        self.rows().map(|rows| rows.column(0))
    }
}

pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

#[track_caller]
pub(crate) fn assert_close(got: f64, expected: &Value, relative: f64, what: &str) {
    let expected = expected.as_f64().unwrap();
    conformance::compare(got, expected);
    let allowed = relative * expected.abs();
    assert!((got - expected).abs() <= allowed, "{what}: got {got}, expected {expected}");
}

/// Expected: `scipy.stats.ks_2samp` 1.17.1, three alternatives and three modes, and one case with
/// ties.
///
/// Tolerance 1e-12: sums of at most 2000 positive terms.
#[test]
fn ks_tests_agree_with_scipy() {
    let golden = Golden::load();
    let [real, synthetic] = golden.first_columns();
    let expected = &golden.values["univariate_col0"];
    for (alternative, name) in [
        (KsAlternative::TwoSided, "two-sided"),
        (KsAlternative::Less, "less"),
        (KsAlternative::Greater, "greater"),
    ] {
        for (mode, mode_name) in
            [(KsMode::Exact, "exact"), (KsMode::Asymptotic, "asymp"), (KsMode::Auto, "auto")]
        {
            let what = format!("ks_{name}_{mode_name}");
            let expected = &expected[&what];
            let got = ks_test(&real, &synthetic, alternative, mode).unwrap();
            let row = golden.case(registry::DIST_KS, "scipy");
            assert_close(got.distance, &expected["D"], 1e-12, &what);
            drop(row);
            let _row = golden.case(registry::DIST_KS_P_VALUE, "scipy");
            assert_close(got.p_value, &expected["p"], 1e-12, &what);
            assert_close(got.location, &expected["loc"], 0.0, &what);
            assert_eq!(got.left_is_smaller, expected["sign"] == 1, "{what}");
            assert!(!got.has_ties);
        }
    }
    // Rounded to whole numbers: the same distance by chance, and the p value is then a bound.
    let [real, synthetic] = [real, synthetic]
        .map(|sample| sample.iter().map(|value| value.round_ties_even()).collect::<Vec<_>>());
    let tied = ks_test(&real, &synthetic, KsAlternative::TwoSided, KsMode::Auto).unwrap();
    assert_close(tied.distance, &expected["ks_with_ties_rounded0"]["D"], 1e-12, "ties");
    assert_close(tied.p_value, &expected["ks_with_ties_rounded0"]["p"], 1e-12, "ties");
    assert!(tied.has_ties);
}

/// Expected: `cramervonmises_2samp` of SciPy 1.17.1 (its asymptotic law at this size).
///
/// Tolerance 1e-9 for the p value: one minus a sum near one.
#[test]
fn cramer_von_mises_agrees_with_scipy() {
    let golden = Golden::load();
    let [real, synthetic] = golden.first_columns();
    let expected = &golden.values["univariate_col0"]["cvm_2samp"];
    let got = cramer_von_mises(&real, &synthetic).unwrap();
    let _case = golden.case(registry::DIST_CRAMER_VON_MISES, "scipy");
    assert_close(got.statistic, &expected["stat"], 1e-12, "statistic");
    assert_close(got.p_value_limit, &expected["p"], 1e-9, "p");
}

/// Expected: SciPy 1.17.1 and POT 0.9.7, whose order-2 distance is given as its square.
#[test]
fn wasserstein_distances_agree_with_scipy_and_pot() {
    let golden = Golden::load();
    let [real, synthetic] = golden.first_columns();
    let expected = &golden.values["univariate_col0"];
    let first = wasserstein(&real, &synthetic, 1.0).unwrap();
    let row = golden.case(registry::DIST_WASSERSTEIN_1, "scipy");
    assert_close(first, &expected["wasserstein1_scipy"], 1e-12, "order 1");
    drop(row);
    let second = wasserstein(&real, &synthetic, 2.0).unwrap();
    let row = golden.case(registry::DIST_WASSERSTEIN, "POT");
    assert_close(second * second, &expected["wasserstein2_pot_pth_power"], 1e-12, "order 2");
    drop(row);
    let weights = numbers(&expected["wasserstein1_weighted"]["u_w"]);
    let even = vec![1.0; synthetic.len()];
    let weighted = wasserstein_weighted((&real, &weights), (&synthetic, &even)).unwrap();
    let _row = golden.case(registry::DIST_WASSERSTEIN_1, "scipy");
    assert_close(weighted, &expected["wasserstein1_weighted"]["value"], 1e-12, "weighted");
}

/// Expected: `ot.sliced_wasserstein_distance(X, Y, n_projections=50, seed=0)` of POT 0.9.7, whose
/// directions are the normalised columns of `RandomState(0).normal(size=(3, 50))`.
#[test]
fn sliced_wasserstein_agrees_with_pot() {
    let golden = Golden::load();
    let mut draws = RandomState::new(0);
    let by_column: Vec<f64> = (0..150).map(|_| draws.normal()).collect();
    let mut directions = Vec::new();
    for index in 0..50 {
        let vector = [0, 1, 2].map(|column| by_column[50 * column + index]);
        let length = vector.iter().map(|value| value * value).sum::<f64>().sqrt();
        directions.extend(vector.map(|value| value / length));
    }
    let [real, synthetic] = golden.rows();
    let directions = Rows::new(&directions, 3).unwrap();
    let got = sliced_wasserstein_along(real, synthetic, directions, 2.0).unwrap();
    let expected = &golden.values["multivariate"]["sliced_W2_POT_seed0_50proj"];
    let _case = golden.case(registry::DIST_WASSERSTEIN_SLICED, "POT");
    assert_close(got, expected, 1e-12, "sliced");
}

/// Expected: SciPy's root on the first column; NumPy's V and U forms and both of hyppo 0.5.2 on
/// three columns.
#[test]
fn energy_distances_agree_in_every_form() {
    let golden = Golden::load();
    let [first_real, first_synthetic] = golden.first_columns();
    let rows = |values| Rows::new(values, 1).unwrap();
    let got = energy_distance(rows(&first_real), rows(&first_synthetic), EnergyForm::Root).unwrap();
    let expected = &golden.values["univariate_col0"]["energy_distance_scipy_SQRT"];
    let row = golden.case(registry::DIST_ENERGY_SQRT, "scipy");
    assert_close(got, expected, 1e-12, "root");
    drop(row);
    let [real, synthetic] = golden.rows();
    for (form, name, mode, package) in [
        (EnergyForm::V, "energy_V_2Exy-Exx-Eyy", "one", "numpy"),
        (EnergyForm::U, "energy_U", "one", "numpy"),
        (EnergyForm::HyppoUnbiased, "hyppo_energy_stat_default", "compat", "hyppo"),
        (EnergyForm::HyppoBiased, "hyppo_energy_bias_stat", "compat", "hyppo"),
    ] {
        let got = energy_distance(real, synthetic, form).unwrap();
        let _case = conformance::case(form.metric().id(), mode, &golden.values, package);
        assert_close(got, &golden.values["multivariate"][name], 1e-12, name);
    }
}

/// Expected: NumPy on three bandwidths.
///
/// Tolerance 1e-12: means of kernel values near one, differing by two hundredths.
#[test]
fn mmd_agrees_at_every_named_bandwidth() {
    let golden = Golden::load();
    let [real, synthetic] = golden.rows();
    let expected = &golden.values["multivariate"];
    for (bandwidth, name) in [
        (Bandwidth::MedianHalf, "mmd2_rbf_gamma=1/(2*med^2)"),
        (Bandwidth::Median, "mmd2_rbf_gamma=1/med^2"),
        (Bandwidth::Columns, "mmd2_rbf_gamma=1/d_sklearn_default"),
    ] {
        let got = mmd_squared(real, synthetic, bandwidth).unwrap();
        let _case = golden.case(registry::DIST_MMD_SQUARED, "numpy");
        assert_close(got.gamma, &expected[name]["gamma"], 1e-12, name);
        assert_close(got.squared_biased, &expected[name]["biased_V"], 1e-12, name);
        assert_close(got.squared_unbiased, &expected[name]["unbiased_U"], 1e-12, name);
    }
    let gamma = mmd_squared(real, synthetic, Bandwidth::Median).unwrap().gamma;
    let median = (1.0 / gamma).sqrt();
    assert_close(median, &expected["median_heuristic_pooled_pairwise_distance"], 1e-12, "median");
}

/// Expected: 999 permutations `RandomState(0).permutation(90)`, the first 50 of each being the
/// first group.
#[test]
fn mmd_permutation_p_value_agrees_with_numpy() {
    let golden = Golden::load();
    let [real, synthetic] = golden.rows();
    let mut draws = RandomState::new(0);
    let groups: Vec<Vec<u32>> = (0..999).map(|_| draws.permutation(90)[..50].to_vec()).collect();
    let expected = &golden.values["multivariate"]["mmd_perm_p_(b+1)/(B+1)_RandomState0_999"];
    for estimator in [MmdEstimator::Biased, MmdEstimator::Unbiased] {
        let bandwidth = Bandwidth::MedianHalf;
        let got = mmd_test_with(real, synthetic, bandwidth, estimator, &groups).unwrap();
        let _case = golden.case("dist.mmd_squared, permutation p value", "numpy");
        assert_close(got.p_value, expected, 1e-15, "p");
    }
}

/// Expected: NumPy on the first 40 rows of each sample.
#[test]
fn kernel_inception_distance_agrees_with_numpy() {
    let golden = Golden::load();
    let [_, synthetic] = golden.rows();
    let real = Rows::new(&golden.real[..120], 3).unwrap();
    let got = kernel_inception_distance(real, synthetic).unwrap();
    let expected = &golden.values["multivariate"]["kid_poly_unbiased_full"]["value"];
    let _case = golden.case(registry::DIST_KID, "numpy");
    assert_close(got, expected, 1e-12, "KID");
}

/// Expected: package `prdc` 0.2 at two k, and with three synthetic rows replaced by copies of real
/// ones, which none of the four sees.
#[test]
fn prdc_agrees_with_its_package_and_does_not_see_copies() {
    let golden = Golden::load();
    let [real, synthetic] = golden.rows();
    let mut with_copies = golden.synthetic.clone();
    with_copies[..9].copy_from_slice(&golden.real[..9]);
    let with_copies = Rows::new(&with_copies, 3).unwrap();
    for (name, synthetic, k) in [
        ("k=3", synthetic, 3),
        ("k=5", synthetic, 5),
        ("k=3_Y_with_3_copies", with_copies, 3),
        ("k=5_Y_with_3_copies", with_copies, 5),
    ] {
        let got = prdc(real, synthetic, k).unwrap();
        let expected = &golden.values["prdc"][name];
        for (metric, value, key) in [
            (registry::DIST_PRECISION, got.precision, "precision"),
            (registry::DIST_RECALL, got.recall, "recall"),
            (registry::DIST_DENSITY, got.density, "density"),
            (registry::DIST_COVERAGE, got.coverage, "coverage"),
        ] {
            let _case = golden.case(metric, "prdc");
            assert_close(value, &expected[key], 1e-12, name);
        }
    }
}

/// Expected: NumPy's matrix square root and its eigenvalues, which agree to 1e-12.
#[test]
fn frechet_distance_agrees_with_numpy() {
    let golden = Golden::load();
    let [real, synthetic] = golden.rows();
    let got = frechet_distance(real, synthetic).unwrap();
    let expected = &golden.values["multivariate"]["frechet"];
    let _case = golden.case(registry::DIST_FRECHET, "numpy");
    assert_close(got, &expected["value_sqrtm"], 1e-9, "square root");
    assert_close(got, &expected["value_eigvals"], 1e-9, "eigenvalues");
}

/// Expected: whole kernel matrices of NumPy, normal tails of SciPy. Data:
/// `testdata/sensors_and_clocks/PROVENANCE.md`.
///
/// Tolerance 1e-9: the p value lies 11 standard errors out, where its relative error is 11 times
/// that of the standard error, squared.
#[test]
fn upper_bounds_of_mmd_agree_with_numpy() {
    let text = include_str!("../../../../testdata/sensors_and_clocks/expected.json");
    let golden: Value = serde_json::from_str(text).unwrap();
    let case = &golden["upper_bounds"];
    let points = |side: &str| -> Vec<f64> {
        let rows: Vec<[f64; 2]> = serde_json::from_value(case[side].clone()).unwrap();
        rows.concat()
    };
    let (left, right) = (points("left"), points("right"));
    let [gamma, margin, error_rate] =
        ["gamma", "margin", "error_rate"].map(|name| case[name].as_f64().unwrap());
    for (law, name) in
        [(EquivalenceLaw::Normal, "normal"), (EquivalenceLaw::Concentration, "concentration")]
    {
        let (left, right) = (Rows::new(&left, 2).unwrap(), Rows::new(&right, 2).unwrap());
        let got = mmd_equivalence(left, right, gamma, [margin, error_rate], law).unwrap();
        let expected = &case[name];
        let _case = conformance::case(registry::DIST_MMD_UPPER_BOUND, "one", &golden, "numpy");
        assert_close(got.squared, &expected["squared"], 1e-9, name);
        assert_close(got.upper_bound, &expected["upper_bound"], 1e-9, name);
        assert_close(got.p_value, &expected["p_value"], 1e-9, name);
    }
}

/// Expected: a transcription of synthcity 0.2.12 with the identity as embedding, on the first 40
/// rows of each; authenticity also as the paper defines it.
#[test]
fn support_fidelity_agrees_as_coded_and_as_published() {
    let golden = Golden::load();
    let real = Rows::new(&golden.real[..120], 3).unwrap();
    let mut with_copies = golden.synthetic.clone();
    with_copies[..9].copy_from_slice(&golden.real[..9]);
    for (name, values) in [
        ("alpha_precision_40v40", &golden.synthetic),
        ("alpha_precision_40v40_3copies", &with_copies),
    ] {
        let synthetic = Rows::new(values, 3).unwrap();
        let expected = &golden.values[name];
        let got = support_fidelity(real, synthetic, SupportMode::Synthcity).unwrap();
        let corrected = support_fidelity(real, synthetic, SupportMode::Corrected).unwrap();
        let [alpha, beta, authenticity] = [
            registry::DIST_ALPHA_PRECISION,
            registry::DIST_BETA_RECALL,
            registry::DIST_AUTHENTICITY,
        ];
        for (metric, mode, value, key) in [
            (alpha, "compat", got.alpha_precision, "delta_precision_alpha"),
            (beta, "compat", got.beta_recall, "delta_coverage_beta"),
            (authenticity, "compat", got.authenticity, "authenticity_as_coded"),
            (alpha, "corrected", corrected.alpha_precision, "delta_precision_alpha"),
            (authenticity, "corrected", corrected.authenticity, "authenticity_paper"),
        ] {
            let reference = "synthcity 0.2.12, transcribed";
            let _case = conformance::case(metric, mode, &golden.values, reference);
            assert_close(value, &expected[key], 1e-12, name);
        }
    }
}

/// Expected: scikit-learn 1.9.1, `LogisticRegression()` in `cross_val_predict` over
/// `StratifiedKFold(5, shuffle=True, random_state=0)`, whose folds are dealt here as it deals them.
///
/// The area depends on the order of scores only, so that another solver gives the same one.
#[test]
fn classifier_scores_agree_with_scikit_learn() {
    let golden = Golden::load();
    let mut draws = RandomState::new(0);
    let mut fold_of = Vec::new();
    for count in [50, 40] {
        let mut folds: Vec<usize> = (0..5).flat_map(|fold| vec![fold; count / 5]).collect();
        draws.shuffle(&mut folds);
        fold_of.extend(folds);
    }
    let [real, synthetic] = golden.rows();
    let got = classifier_scores_with_folds(real, synthetic, 1.0, &fold_of).unwrap();
    let expected = &golden.values["c2st"]["logreg_5fold_seed0"];
    let row = golden.case(registry::DIST_C2ST_ACCURACY, "scikit-learn");
    assert_close(got.accuracy, &expected["accuracy"], 1e-12, "accuracy");
    drop(row);
    let row = golden.case(registry::DIST_C2ST_AUC, "scikit-learn");
    assert_close(got.area_under_curve, &expected["auc"], 1e-12, "AUC");
    drop(row);
    assert_close(got.majority_rate, &expected["majority_rate"], 1e-12, "majority");
}
