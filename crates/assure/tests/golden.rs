//! Statistics against the reference tools. Data, versions and licences:
//! `testdata/<case>/PROVENANCE.md`.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "../../measure/tests/conformance/mod.rs"]
mod conformance;

use serde_json::Value;
use tiepoint_assure::statistics::{
    betting::{
        ConfidenceSequence, EProcess, Side, empirical_bernstein_interval, fixed_count_interval,
        hedged_interval, hoeffding_interval,
    },
    binomial::{
        approximate::{agresti_coull, jeffreys, newcombe_difference, wilson},
        clopper_pearson,
    },
    difference::{exchange_test, wilcoxon_signed_rank},
    distributions::normal_cdf,
    equivalence::{paired_equivalence, welch_equivalence},
    multiplicity::{benjamini_hochberg, benjamini_yekutieli, bonferroni, holm},
    prediction_powered::{Lambda, Sample, prediction_powered_mean},
};
use tiepoint_model::Seed;

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

/// Two ends; the package writes some of them as lists of one.
fn ends(value: &Value) -> [f64; 2] {
    [0, 1].map(|side| value[side].as_f64().or_else(|| value[side][0].as_f64()).unwrap())
}

#[track_caller]
fn assert_close(ours: &[f64], theirs: &[f64], tolerance: f64) {
    assert_eq!(ours.len(), theirs.len());
    for (a, b) in ours.iter().zip(theirs) {
        conformance::compare(*a, *b);
        assert!((a - b).abs() <= tolerance * b.abs().max(1.0), "{ours:?} is not {theirs:?}");
    }
}

fn equivalence() -> Value {
    let text = include_str!("../../../testdata/equivalence_ppi/equivalence_ppi.json");
    serde_json::from_str(text).unwrap()
}

/// Closed forms in f64 on both sides; quantiles are solved to 1e-12.
#[test]
fn equivalence_tests_agree_with_statsmodels_and_pingouin() {
    let golden = equivalence();
    let (real, synthetic) = (numbers(&golden["real"]), numbers(&golden["syn"]));
    let differences: Vec<f64> = synthetic.iter().zip(&real).map(|(s, r)| s - r).collect();
    let test = paired_equivalence(&differences, 0.03, 0.05).unwrap();
    let case = &golden["tost_paired_margin.03"];
    let p = |side: &str| case[side][1].as_f64().unwrap();
    let expected = [p("lower(t,p,df)"), p("upper(t,p,df)")];
    let row = |test, package| conformance::case(test, "one", &golden, package);
    let case_of_pairs = row("equivalence, paired", "statsmodels");
    assert_close(&[test.p_lower, test.p_upper], &expected, 1e-11);
    drop(case_of_pairs);
    let case_of_pairs = row("equivalence, paired", "pingouin");
    let pingouin = golden["pingouin_tost_paired"][0]["pval"].as_f64().unwrap();
    assert_close(&[test.p_lower.max(test.p_upper)], &[pingouin], 1e-11);
    drop(case_of_pairs);
    let case_of_pairs = row("equivalence, paired", "statsmodels");
    let interval = numbers(&golden["90pct_CI_of_diff (TOST at alpha=.05 <=> inside margin)"]);
    assert_close(&test.interval, &interval, 1e-11);
    drop(case_of_pairs);
    let _case = row("equivalence, Welch", "statsmodels");
    let welch = welch_equivalence(&synthetic, &real, 0.03, 0.05).unwrap();
    let case = &golden["tost_ind_welch"];
    let p = |side: &str| case[side][1].as_f64().unwrap();
    assert_close(&[welch.p_lower, welch.p_upper], &[p("lower"), p("upper")], 1e-11);
}

#[test]
fn intervals_of_shares_agree_with_statsmodels() {
    let golden = equivalence();
    for (name, expected) in golden["binomial_ci_95"].as_object().unwrap() {
        let mut parts = name.split('/');
        let mut count = || parts.next().unwrap().parse::<u64>().unwrap();
        let (hits, trials) = (count(), count());
        let which = parts.next().unwrap();
        let ours = match which {
            "wilson" => wilson(hits, trials, 0.05),
            "beta" => clopper_pearson(hits, trials, 0.05),
            "jeffreys" => jeffreys(hits, trials, 0.05),
            "agresti_coull" => agresti_coull(hits, trials, 0.05),
            other => panic!("unknown interval `{other}`"),
        };
        let metric = format!("interval of a share, {which}");
        let _case = conformance::case(metric, "one", &golden, "statsmodels");
        assert_close(&ours.unwrap(), &numbers(expected), 1e-11);
    }
    let newcombe = "interval of a difference of shares, Newcombe";
    let _case = conformance::case(newcombe, "one", &golden, "statsmodels");
    let difference = newcombe_difference([45, 50], [40, 50], 0.05).unwrap();
    assert_close(&difference, &numbers(&golden["newcombe_diff_45/50_vs_40/50"]), 1e-12);
}

#[test]
fn corrections_agree_with_statsmodels() {
    let golden = equivalence();
    let case = &golden["multiplicity"];
    let p = numbers(&case["p"]);
    for (name, ours, key) in [
        ("Holm", holm(&p), "holm"),
        ("Benjamini-Hochberg", benjamini_hochberg(&p), "fdr_bh"),
        ("Benjamini-Yekutieli", benjamini_yekutieli(&p), "fdr_by"),
        ("Bonferroni", bonferroni(&p), "bonferroni"),
    ] {
        let metric = format!("correction, {name}");
        let _case = conformance::case(metric, "one", &golden, "statsmodels");
        assert_close(&ours, &numbers(&case[key]), 1e-13);
    }
}

/// The same sums in another order: 1e-12.
#[test]
fn prediction_powered_means_agree_with_ppi_python() {
    let golden = equivalence();
    let case = &golden["ppi_mean"];
    let [real, synthetic, synthetic_alone] =
        ["Y_labeled", "Yhat_labeled", "Yhat_unlabeled"].map(|name| numbers(&case[name]));
    let sample = Sample { real: &real, synthetic: &synthetic, synthetic_alone: &synthetic_alone };
    for (name, lambda) in [
        ("lam=None", Lambda::PluggedIn),
        ("lam=0.0", Lambda::Fixed(0.0)),
        ("lam=1.0", Lambda::Fixed(1.0)),
    ] {
        let _case = conformance::case("prediction-powered mean", "one", &golden, "ppi-python");
        let ours = prediction_powered_mean(&sample, lambda, 0.1).unwrap();
        assert_close(&[ours.estimate], &[case[name]["point"].as_f64().unwrap()], 1e-12);
        assert_close(&ours.interval, &ends(&case[name]["ci90"]), 1e-12);
    }
    let _case = conformance::case("prediction-powered mean", "one", &golden, "ppi-python");
    let ours = prediction_powered_mean(&sample, Lambda::PluggedIn, 0.1).unwrap();
    // One-sided, of "the mean is at most one half".
    let p = normal_cdf((0.5 - ours.estimate) / ours.standard_error);
    assert_close(&[p], &[case["pval_H0_mean=.5_larger"].as_f64().unwrap()], 1e-12);
    let classical = prediction_powered_mean(&sample, Lambda::Fixed(0.0), 0.1).unwrap();
    assert_close(&classical.interval, &ends(&case["classical_ci90"]), 1e-12);
}

/// Grid ends of the package are steps of 1/1000 rounded outwards; ours are exact where no grid is
/// asked for.
#[test]
fn betting_intervals_agree_with_confseq() {
    let text = include_str!("../../../testdata/betting_confidence/betting_confidence.json");
    let golden: Value = serde_json::from_str(text).unwrap();
    for (data, alpha) in [("beta", 0.05), ("beta", 0.1), ("bern", 0.05), ("bern", 0.1)] {
        let values = numbers(&golden[data]);
        let case = &golden["res"][format!("{data}_alpha{alpha}")];
        let hedged = ends(&case["hedged_cs"]);
        let mut sequence = ConfidenceSequence::new(alpha, 1000).unwrap();
        for &value in &values {
            sequence.push(value).unwrap();
        }
        let row = |metric: &str| conformance::case(metric, "one", &golden, "confseq");
        let open = row("betting confidence sequence");
        assert_close(&sequence.interval().unwrap(), &hedged, 1e-12);
        drop(open);
        let within_two_steps = |ours: [f64; 2], theirs: [f64; 2]| {
            let wider = [ours[0] - theirs[0], theirs[1] - ours[1]];
            assert!(wider.iter().all(|by| (-1e-9..0.002).contains(by)), "{ours:?} {theirs:?}");
        };
        within_two_steps(hedged_interval(&values, alpha).unwrap(), hedged);
        // `betting_cs` reads the capital at the end: the e-values of each mean of its grid.
        let kept = |mean: f64| {
            [Side::AtMost, Side::AtLeast].into_iter().all(|side| {
                let mut process = EProcess::new(side, mean, alpha / 2.0).unwrap();
                for &value in &values {
                    process.push(value).unwrap();
                }
                process.e_value() <= 2.0 / alpha
            })
        };
        let means: Vec<f64> =
            (0..=1000).map(|step| f64::from(step) / 1000.0).filter(|mean| kept(*mean)).collect();
        let (first, last) = (means.first().unwrap(), means.last().unwrap());
        let ours = [(first - 0.001).max(0.0), (last + 0.001).min(1.0)];
        let open = row("betting, capital at the end");
        assert_close(&ours, &ends(&case["betting_cs"]), 1e-12);
        drop(open);
        let fixed = fixed_count_interval(&values, alpha).unwrap();
        within_two_steps(fixed, ends(&case["betting_ci"]));
        let bernstein = empirical_bernstein_interval(&values, alpha).unwrap();
        let open = row("empirical Bernstein interval");
        assert_close(&bernstein, &ends(&case["predmix_empbern_ci"]), 1e-12);
        drop(open);
        let _open = row("Hoeffding interval, predictable");
        let hoeffding = hoeffding_interval(&values, alpha).unwrap();
        assert_close(&hoeffding, &ends(&case["predmix_hoeffding_ci"]), 1e-12);
    }
}

/// The exact law of the ranks; 9999 random exchanges on either side have a standard error of .0028
/// each, of which four and a half of the difference are .018.
#[test]
fn tests_of_a_difference_agree_with_scipy() {
    let golden = equivalence();
    let (real, synthetic) = (numbers(&golden["real"]), numbers(&golden["syn"]));
    let differences: Vec<f64> = synthetic.iter().zip(&real).map(|(s, r)| s - r).collect();
    let (statistic, p) = wilcoxon_signed_rank(&differences).unwrap();
    let case = &golden["wilcoxon"];
    let expected = [case["stat"].as_f64().unwrap(), case["p"].as_f64().unwrap()];
    let row = conformance::case("signed rank test, Wilcoxon", "one", &golden, "scipy");
    assert_close(&[statistic, p], &expected, 1e-12);
    drop(row);
    let p = exchange_test(&differences, 9999, Seed(4)).unwrap();
    let expected = golden["permutation_test_paired_exactish"]["p"].as_f64().unwrap();
    assert!((p - expected).abs() < 0.018, "{p}");
}
