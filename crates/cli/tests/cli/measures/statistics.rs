//! Statistics of units in files: the reference packages' numbers, cases that are counted by hand,
//! and answers with their exit status.

use serde_json::Value;

use super::{Desk, assert_close, csv, golden, run};
use crate::Outcome;

/// The golden pairs as a CSV file with columns real and syn.
fn pairs(desk: &Desk) -> Value {
    let golden = golden("equivalence_ppi/equivalence_ppi.json");
    let values = |name: &str| -> Vec<f64> { serde_json::from_value(golden[name].clone()).unwrap() };
    let rows: Vec<Vec<f64>> =
        values("real").into_iter().zip(values("syn")).map(|(r, s)| vec![r, s]).collect();
    desk.write("pairs.csv", csv("real,syn", &rows).as_bytes());
    golden
}

fn column(desk: &Desk, file: &str, name: &str, values: &[f64]) {
    let rows: Vec<Vec<f64>> = values.iter().map(|value| vec![*value]).collect();
    desk.write(file, csv(name, &rows).as_bytes());
}

fn of_pairs(desk: &Desk, metric: &str, more: &[&str]) -> Outcome {
    let files = ["--units", "pairs.csv", "--real", "real", "--synthetic", "syn"];
    run(desk, metric, &[files.as_slice(), more].concat())
}

/// To so many; where a tool's own digits end earlier than ours.
#[track_caller]
fn assert_near(got: &Value, expected: f64, tolerance: f64) {
    let got = got.as_f64().unwrap();
    assert!((got - expected).abs() <= tolerance, "got {got}, expected {expected}");
}

#[test]
fn equivalence_is_that_of_statsmodels_and_its_answer_is_the_exit_status() {
    let desk = Desk::new();
    let golden = pairs(&desk);
    let case = &golden["tost_paired_margin.03"];
    let paired = ["--margin", "0.03", "--test", "t"];
    let paired = of_pairs(&desk, "stat.equivalence", &paired).expect_code(3).json();
    assert_eq!(paired["answer"], "insufficient evidence");
    assert_eq!(paired["metric"], "stat.equivalence[alpha=0.05;margin=0.03;test=paired_t]");
    assert_close(&paired["p_lower"], &case["lower(t,p,df)"][1]);
    assert_close(&paired["p_upper"], &case["upper(t,p,df)"][1]);
    let interval = &golden["90pct_CI_of_diff (TOST at alpha=.05 <=> inside margin)"];
    assert_close(&paired["low"], &interval[0]);
    assert_close(&paired["high"], &interval[1]);
    assert_eq!((&paired["n"], &paired["level"]), (&30.into(), &0.9.into()));
    let welch = ["--margin", "0.03", "--test", "welch"];
    let welch = of_pairs(&desk, "stat.equivalence", &welch).expect_code(3).json();
    assert_close(&welch["p_upper"], &golden["tost_ind_welch"]["upper"][1]);
    let bet = ["--margin", "0.3", "--bound", "1"];
    let bet = of_pairs(&desk, "stat.equivalence", &bet).expect_code(0).json();
    assert_eq!(bet["answer"], "yes");
    assert!(bet["metric"].as_str().unwrap().contains("test=betting"), "{bet}");
    // Every unit differs by 0.5: far outside of 0.1.
    column(&desk, "far.csv", "d", &[0.5; 60]);
    let far = ["--units", "far.csv", "--difference", "d", "--margin", "0.1", "--bound", "1"];
    let far = run(&desk, "stat.equivalence", &far).expect_code(1).json();
    assert_eq!(far["answer"], "no");
    let unbounded = of_pairs(&desk, "stat.equivalence", &["--margin", "0.3"]).expect_code(3).json();
    assert!(unbounded["reason"].as_str().unwrap().contains("bound"), "{unbounded}");
    of_pairs(&desk, "stat.equivalence", &["--margin", "-1"]).expect_code(2);
    of_pairs(&desk, "stat.equivalence", &["--margin", "1", "--test", "z"]).expect_code(2);
    let bet = ["--margin", "0.3", "--test", "betting"];
    let refused = of_pairs(&desk, "stat.equivalence", &bet).expect_code(2).stderr;
    assert!(refused.contains("--bound") && refused.contains("hint: "), "{refused}");
}

/// A slow wave remembers; blocks shorter than its memory are no units, and rows even less.
#[test]
fn rows_of_one_run_are_tested_in_blocks_that_are_long_enough() {
    let desk = Desk::new();
    let wave: Vec<f64> = (0..3000).map(|i| 0.01 * (f64::from(i) / 20.0).sin()).collect();
    column(&desk, "wave.csv", "d", &wave);
    let of = |more: &[&str]| {
        let files = ["--units", "wave.csv", "--difference", "d", "--margin", "0.1"];
        run(&desk, "stat.equivalence", &[files.as_slice(), more].concat())
    };
    let short = of(&["--block-length", "5"]).expect_code(3).json();
    assert_eq!(short["n"], 600);
    assert!(short["reason"].as_str().unwrap().contains("autocorrelation times"), "{short}");
    let noted = of(&["--test", "t"]).expect_code(0).json();
    assert!(noted["notes"].to_string().contains("no independent units"), "{noted}");
    // Alternating rows: one row is worth at least one, and blocks of 10 are long enough.
    let fast: Vec<f64> = (0..305).map(|i| if i % 2 == 0 { 0.01 } else { -0.01 }).collect();
    column(&desk, "wave.csv", "d", &fast);
    let blocks = of(&["--block-length", "10", "--seed", "3"]).expect_code(0).json();
    assert_eq!((&blocks["n"], &blocks["block_length"]), (&30.into(), &10.into()));
    assert!(blocks["simulated_size"].as_f64().unwrap() <= 0.075, "{blocks}");
    assert!(blocks["notes"].to_string().contains("5 rows at the end"), "{blocks}");
    of(&["--block-length", "0"]).expect_code(2);
    let bet = of(&["--block-length", "10", "--test", "betting", "--bound", "1"]).expect_code(2);
    assert!(bet.stderr.contains("--block-length"), "{}", bet.stderr);
    let one_sided = |more: &[&str]| {
        let files = ["--units", "wave.csv", "--difference", "d", "--margin", "0.1"];
        run(&desk, "stat.noninferiority", &[files.as_slice(), more].concat())
    };
    let blocks = one_sided(&["--block-length", "10"]).expect_code(0).json();
    assert!(blocks["metric"].as_str().unwrap().contains("test=paired_t"), "{blocks}");
    column(&desk, "wave.csv", "d", &wave);
    let short = one_sided(&["--block-length", "5"]).expect_code(3).json();
    assert_eq!(short["answer"], "insufficient evidence");
}

#[test]
fn one_sided_tests_and_tests_of_no_difference_are_those_of_scipy() {
    let desk = Desk::new();
    let golden = pairs(&desk);
    let lower = ["--margin", "0.03", "--test", "t"];
    let lower = of_pairs(&desk, "stat.noninferiority", &lower).expect_code(0).json();
    assert_close(&lower["p_value"], &golden["tost_paired_margin.03"]["lower(t,p,df)"][1]);
    let upper = ["--margin", "0.03", "--test", "t", "--safe-side", "lower"];
    let upper = of_pairs(&desk, "stat.noninferiority", &upper).expect_code(3).json();
    assert_close(&upper["p_value"], &golden["tost_paired_margin.03"]["upper(t,p,df)"][1]);
    assert_close(&upper["value"], &lower["value"]);
    let bet = ["--margin", "0.3", "--bound", "1"];
    of_pairs(&desk, "stat.noninferiority", &bet).expect_code(0);
    let ranks = of_pairs(&desk, "stat.no_difference", &["--test", "wilcoxon"]);
    let ranks = ranks.expect_code(0).json();
    assert_close(&ranks["value"], &golden["wilcoxon"]["p"]);
    assert_close(&ranks["rank_sum"], &golden["wilcoxon"]["stat"]);
    // 9999 exchanges leave 0.003 of chance on either side.
    let exchange = of_pairs(&desk, "stat.no_difference", &["--seed", "5"]).expect_code(0).json();
    let scipy = golden["permutation_test_paired_exactish"]["p"].as_f64().unwrap();
    assert_near(&exchange["value"], scipy, 0.01);
    let again = of_pairs(&desk, "stat.no_difference", &["--seed", "5"]).expect_code(0).json();
    assert_eq!(exchange, again);
    column(&desk, "tied.csv", "d", &[1.0, 1.0, 2.0]);
    let tied = ["--units", "tied.csv", "--difference", "d", "--test", "wilcoxon"];
    let tied = run(&desk, "stat.no_difference", &tied).expect_code(3).json();
    assert_eq!(tied["value"], Value::Null);
}

#[test]
fn shares_are_those_of_statsmodels_and_pairs_are_counted_by_hand() {
    let desk = Desk::new();
    let golden = pairs(&desk);
    let counts = ["--successes", "3", "--trials", "50"];
    for (method, name) in [
        ("exact", "3/50/beta"),
        ("wilson", "3/50/wilson"),
        ("jeffreys", "3/50/jeffreys"),
        ("agresti-coull", "3/50/agresti_coull"),
    ] {
        let share = [counts.as_slice(), &["--method", method]].concat();
        let share = run(&desk, "stat.share", &share).expect_code(0).json();
        assert_close(&share["low"], &golden["binomial_ci_95"][name][0]);
        assert_close(&share["high"], &golden["binomial_ci_95"][name][1]);
        assert_close(&share["value"], &0.06.into());
    }
    let outcomes = b"real,sim\n1,1\n1,0\n0,0\n0,1\n1,1\n1,1\n1,1\n1,1\n0,0\n1,1\n";
    desk.write("runs.csv", outcomes);
    let one = ["--outcomes", "runs.csv", "--column", "sim"];
    let one = run(&desk, "stat.share", &one).expect_code(0).json();
    assert_eq!((&one["successes"], &one["n"]), (&7.into(), &10.into()));
    let files = ["--outcomes", "runs.csv", "--real", "real", "--synthetic", "sim"];
    let plain = run(&desk, "stat.paired_outcomes", &files).expect_code(0).json();
    // One pair differs each way: the difference is 0, and no split is more even.
    assert_eq!((&plain["value"], &plain["p_mcnemar"]), (&0.0.into(), &1.0.into()));
    assert_eq!((&plain["both"], &plain["neither"]), (&6.into(), &2.into()));
    let margin = [files.as_slice(), &["--margin", "0.1"]].concat();
    let margin = run(&desk, "stat.paired_outcomes", &margin).expect_code(3).json();
    assert_eq!(margin["answer"], "insufficient evidence");
    // One success of one against none of one: p (1 - p) is at most a quarter.
    let groups = ["--first", "1/1", "--second", "0/1"];
    let groups = run(&desk, "stat.two_shares", &groups).expect_code(3).json();
    assert_near(&groups["p_value"], 0.25, 1e-9);
    let groups = ["--first", "45/50", "--second", "40/50"];
    let groups = run(&desk, "stat.two_shares", &groups).expect_code(3).json();
    assert_close(&groups["low"], &golden["newcombe_diff_45/50_vs_40/50"][0]);
    run(&desk, "stat.share", &["--successes", "51", "--trials", "50"]).expect_code(2);
    run(&desk, "stat.share", &["--successes", "5"]).expect_code(2);
    let none = run(&desk, "stat.share", &["--successes", "0", "--trials", "0"]).expect_code(3);
    assert_eq!(none.json()["value"], Value::Null);
    desk.write("two.csv", b"ok\n1\n2\n");
    let two = ["--outcomes", "two.csv", "--column", "ok"];
    let two = run(&desk, "stat.share", &two).expect_code(2).stderr;
    assert!(two.contains("0 or 1"), "{two}");
}

/// The exact test that a claim on outcomes rests on. Closed form: without discordant pairs each p is
/// `2 * (1 - margin)^n`, for the two discordant shares each take half of the error.
#[test]
fn paired_outcomes_are_equivalent_by_the_exact_test_of_claims() {
    let desk = Desk::new();
    let measure = |rows: &str, real: &str, synthetic: &str| {
        desk.write("runs.csv", format!("real,sim\n{rows}").as_bytes());
        let files = ["--outcomes", "runs.csv", "--real", real, "--synthetic", synthetic];
        run(&desk, "stat.paired_outcomes", &[files.as_slice(), &["--margin", "0.1"]].concat())
    };
    for (pair_count, code, answer) in [(36, 0, "yes"), (35, 3, "insufficient evidence")] {
        let found = measure(&"1,1\n".repeat(pair_count), "real", "sim").expect_code(code).json();
        assert_eq!(found["answer"], answer);
        let n = pair_count as f64;
        for name in ["p_lower", "p_upper"] {
            assert_near(&found[name], 2.0 * 0.9_f64.powf(n), 1e-9);
        }
        let end = 1.0 - 0.025_f64.powf(1.0 / n);
        assert_near(&found["equivalence_low"], -end, 1e-9);
        assert_near(&found["equivalence_high"], end, 1e-9);
        assert_near(&found["smallest_passing_margin"], end, 1e-9);
    }
    let worse = format!("{}{}", "1,1\n".repeat(30), "1,0\n".repeat(30));
    let found = measure(&worse, "real", "sim").expect_code(1).json();
    assert_eq!((&found["answer"], &found["value"]), (&"no".into(), &(-0.5).into()));
    assert!(found["p_outside"].as_f64().unwrap() < 0.05, "{found}");
    let swapped = measure(&worse, "sim", "real").expect_code(1).json();
    assert_eq!((&swapped["p_lower"], &swapped["p_upper"]), (&found["p_upper"], &found["p_lower"]));
    let unsound = ["--outcomes", "runs.csv", "--real", "real", "--synthetic", "sim"];
    let unsound = [unsound.as_slice(), &["--margin", "1"]].concat();
    let unsound = run(&desk, "stat.paired_outcomes", &unsound).expect_code(2).stderr;
    assert!(unsound.contains("margin") && unsound.contains("between 0 and 1"), "{unsound}");
}

#[test]
fn prediction_powered_means_are_those_of_ppi_python_and_twins_that_agree_count_fully() {
    let desk = Desk::new();
    let golden = &pairs(&desk)["ppi_mean"];
    let values = |name: &str| -> Vec<f64> { serde_json::from_value(golden[name].clone()).unwrap() };
    let (real, twin) = (values("Y_labeled"), values("Yhat_labeled"));
    let rows: Vec<Vec<f64>> = real.iter().zip(&twin).map(|(y, f)| vec![*y, *f]).collect();
    desk.write("labelled.csv", csv("y,f", &rows).as_bytes());
    column(&desk, "unlabelled.csv", "f", &values("Yhat_unlabeled"));
    let of = |metric: &str, synthetic: &str, more: &[&str]| {
        let files = ["--labelled", "labelled.csv", "--real", "y", "--synthetic", synthetic];
        let alone = ["--unlabelled", "unlabelled.csv", "--unlabelled-column", "f"];
        run(&desk, metric, &[files.as_slice(), &alone, more].concat())
    };
    for (method, more, name) in [
        ("plugged-in", [].as_slice(), "lam=None"),
        ("fixed", &["--lambda", "0"], "lam=0.0"),
        ("fixed", &["--lambda", "1"], "lam=1.0"),
    ] {
        let more = [["--method", method].as_slice(), more].concat();
        let mean = of("stat.ppi", "f", &more).expect_code(0).json();
        assert_close(&mean["value"], &golden[name]["point"]);
        assert_close(&mean["low"], &golden[name]["ci90"][0]);
        assert_close(&mean["high"], &golden[name]["ci90"][1]);
        assert_eq!((&mean["n"], &mean["unlabelled_n"]), (&40.into(), &400.into()));
    }
    let gated = of("stat.ppi", "f", &[]).expect_code(0).json();
    assert!(gated["real_only_because"].as_str().unwrap().starts_with("10 pairs"), "{gated}");
    assert_close(&gated["value"], &0.5.into());
    let finite = of("stat.ppi", "f", &["--method", "finite"]).expect_code(0).json();
    assert!(finite["low"].as_f64() < gated["value"].as_f64(), "{finite}");
    of("stat.ppi", "f", &["--method", "cross-fitted"]).expect_code(0);
    of("stat.ppi", "f", &["--method", "fixed", "--lambda", "2"]).expect_code(2);
    // Twins that are always right: each is worth one real value.
    let rate = of("stat.exchange_rate", "y", &[]).expect_code(0).json();
    assert_near(&rate["value"], 1.0, 1e-9);
    assert_near(&rate["real_equivalent_count"], 440.0, 1e-6);
    desk.write("weighted.csv", b"x,w\n1,1\n3,3\n");
    let weighted = ["--units", "weighted.csv", "--column", "x", "--weights", "w"];
    let enough = [weighted.as_slice(), &["--effective-count-min", "1.5"]].concat();
    let enough = run(&desk, "stat.weighted_mean", &enough).expect_code(0).json();
    assert_close(&enough["value"], &2.5.into());
    assert_close(&enough["effective_count"], &1.6.into());
    let few = [weighted.as_slice(), &["--effective-count-min", "2"]].concat();
    let few = run(&desk, "stat.weighted_mean", &few).expect_code(3).json();
    assert_eq!((&few["value"], &few["n"]), (&Value::Null, &2.into()));
    assert!(few["notes"][0].as_str().unwrap().starts_with("hint: "), "{few}");
}

#[test]
fn families_are_adjusted_as_statsmodels_does_and_a_reserve_is_spent() {
    let desk = Desk::new();
    let golden = &pairs(&desk)["multiplicity"];
    let p: Vec<f64> = serde_json::from_value(golden["p"].clone()).unwrap();
    column(&desk, "cells.csv", "p", &p);
    let of = |metric: &str, more: &[&str]| {
        let files = ["--family", "cells.csv", "--column", "p"];
        run(&desk, metric, &[files.as_slice(), more].concat())
    };
    for (method, name) in [
        ("holm", "holm"),
        ("bonferroni", "bonferroni"),
        ("benjamini-hochberg", "fdr_bh"),
        ("benjamini-yekutieli", "fdr_by"),
    ] {
        let adjusted = of("stat.adjusted_p", &["--method", method]).expect_code(0).json();
        for (row, expected) in golden[name].as_array().unwrap().iter().enumerate() {
            assert_close(&adjusted["family"][row]["adjusted"], expected);
        }
    }
    assert_eq!(of("stat.holm", &[]).expect_code(0).json()["value"], 1);
    // 3 / 0.1 = 30: the largest alone passes, but two of 20 or more do.
    column(&desk, "cells.csv", "p", &[100.0, 10.0, 1.0]);
    let e_values = of("stat.e_bh", &["--alpha", "0.1"]).expect_code(0).json();
    assert_eq!(e_values["value"], 1);
    column(&desk, "cells.csv", "p", &[1.0, 20.0, 15.0]);
    let e_values = of("stat.e_bh", &["--alpha", "0.1"]).expect_code(0).json();
    let rejected = [0, 1, 2].map(|row| e_values["family"][row]["rejected"].as_bool().unwrap());
    assert_eq!(rejected, [false, true, true]);
    of("stat.holm", &[]).expect_code(2);
    column(&desk, "cells.csv", "p", &[0.001, 0.5, 0.001]);
    let spent = of("stat.alpha_investing", &["--alpha", "0.02"]).expect_code(3).json();
    assert_eq!(
        (&spent["value"], &spent["n"], &spent["refused_count"]),
        (&1.into(), &2.into(), &1.into())
    );
    assert_near(&spent["wealth_left"], 0.01, 1e-12);
    assert_eq!(spent["questions"][2]["rejected"], Value::Null);
    let investing = ["--alpha", "0.02", "--policy", "investing"];
    let invested = of("stat.alpha_investing", &investing).expect_code(0).json();
    // Two rejections earn 0.05 each; the question between them costs 0.02 / 0.98.
    assert_near(&invested["wealth_left"], 0.15 - 0.02 / 0.98, 1e-12);
    of("stat.alpha_investing", &["--wealth", "2"]).expect_code(2);
}

#[test]
fn resampled_intervals_are_those_of_scipy_or_counted_by_hand() {
    let desk = Desk::new();
    let golden = pairs(&desk);
    let real: Vec<f64> = serde_json::from_value(golden["real"].clone()).unwrap();
    let syn: Vec<f64> = serde_json::from_value(golden["syn"].clone()).unwrap();
    let differences: Vec<f64> = real.iter().zip(&syn).map(|(r, s)| s - r).collect();
    column(&desk, "d.csv", "d", &differences);
    let of = |metric: &str, file: &str, more: &[&str]| {
        let files = ["--units", file, "--column", "d"];
        run(&desk, metric, &[files.as_slice(), more].concat())
    };
    // Two draws of 9999 resamples: the ends move by some 2 % of the width of 0.047.
    let case = &golden["bootstrap_bca_seed0_9999"];
    for (method, name) in [("bca", "ci90"), ("percentile", "ci90_percentile")] {
        let more = ["--method", method, "--level", "0.9"];
        let found = of("stat.bootstrap", "d.csv", &more).expect_code(0).json();
        assert_near(&found["low"], case[name][0].as_f64().unwrap(), 2e-3);
        assert_near(&found["high"], case[name][1].as_f64().unwrap(), 2e-3);
    }
    // Two scenes: a resample has the first twice, both, or the second twice.
    desk.write("scenes.csv", b"d,scene\n1,7\n1,7\n3,9\n3,9\n");
    let scenes = of("stat.bootstrap", "scenes.csv", &["--cluster", "scene"]).expect_code(0).json();
    assert_eq!((&scenes["low"], &scenes["high"]), (&1.0.into(), &3.0.into()));
    assert_eq!(scenes["cluster_count"], 2);
    // One block of all rows is a rotation.
    let block = ["--block-length", "4", "--statistic", "median"];
    let block = of("stat.bootstrap", "scenes.csv", &block).expect_code(0).json();
    assert_eq!((&block["low"], &block["high"]), (&2.0.into(), &2.0.into()));
    column(&desk, "same.csv", "d", &[2.0, 2.0, 2.0]);
    let constant = of("stat.bootstrap", "same.csv", &["--method", "bca"]).expect_code(3).json();
    assert_eq!(constant["value"], Value::Null);
    of("stat.bootstrap", "same.csv", &["--statistic", "quantile:2"]).expect_code(2);
    column(&desk, "units.csv", "d", &[1.0, 2.0, 6.0]);
    let influence = of("stat.jackknife", "units.csv", &[]).expect_code(0).json();
    column(&desk, "without.csv", "d", &[4.0, 3.5, 1.5]);
    let given = of("stat.jackknife", "without.csv", &["--whole", "3"]).expect_code(0).json();
    for found in [influence, given] {
        assert_near(&found["standard_error"], (7.0_f64 / 3.0).sqrt(), 1e-12);
        assert_near(&found["units"][2]["pseudo_value"], 6.0, 1e-12);
    }
    let one = ["--whole", "3"];
    column(&desk, "one.csv", "d", &[4.0]);
    assert_eq!(of("stat.jackknife", "one.csv", &one).expect_code(3).json()["value"], Value::Null);
}

#[test]
fn intervals_of_bounded_means_are_those_of_confseq() {
    let desk = Desk::new();
    let golden = golden("betting_confidence/betting_confidence.json");
    let values: Vec<f64> = serde_json::from_value(golden["beta"].clone()).unwrap();
    let doubled: Vec<f64> = values.iter().map(|value| 2.0 * value - 1.0).collect();
    column(&desk, "units.csv", "x", &doubled);
    let case = &golden["res"]["beta_alpha0.05"];
    let of = |more: &[&str]| {
        let files = ["--units", "units.csv", "--column", "x"];
        run(&desk, "stat.mean_interval", &[files.as_slice(), more].concat())
    };
    // The package's grid is 0.001 wide, doubled here; the others are closed forms.
    for (method, name, tolerance) in [
        ("betting", "hedged_cs", 4e-3),
        ("betting-fixed", "betting_ci", 4e-3),
        ("bernstein", "predmix_empbern_ci", 1e-9),
        ("hoeffding", "predmix_hoeffding_ci", 1e-9),
    ] {
        let found = of(&["--bounds", "-1,1", "--method", method]).expect_code(0).json();
        for (end, side) in [("low", 0), ("high", 1)] {
            let expected = &case[name][side];
            let expected = expected.as_f64().or_else(|| expected[0].as_f64()).unwrap();
            assert_near(&found[end], 2.0 * expected - 1.0, tolerance);
        }
    }
    let outside = of(&["--bounds", "0,0.5"]).expect_code(2).stderr;
    assert!(outside.contains("within `--bounds`"), "{outside}");
    of(&["--bounds", "1,0"]).expect_code(2);
    of(&["--bounds", "1"]).expect_code(2);
}

#[test]
fn curves_are_those_of_scipy_and_plans_are_closed_forms() {
    let desk = Desk::new();
    let counts = [100.0, 200.0, 400.0, 800.0, 1600.0, 3200.0, 6400.0];
    let errors = [0.35779, 0.29438, 0.25045, 0.2128, 0.19077, 0.17033, 0.1569];
    let rows: Vec<Vec<f64>> = counts.iter().zip(errors).map(|(n, e)| vec![*n, e]).collect();
    desk.write("runs.csv", csv("samples,error", &rows).as_bytes());
    let files = ["--runs", "runs.csv", "--count", "samples", "--error", "error"];
    let curve = [files.as_slice(), &["--at-counts", "51200"]].concat();
    let curve = run(&desk, "stat.scaling_curve", &curve).expect_code(0).json();
    // scipy.optimize.curve_fit, which stops at 1e-6 of each parameter.
    assert_near(&curve["value"], 0.117_670_832, 1e-7);
    assert_near(&curve["exponent"], 0.435_417_389, 1e-6);
    assert_near(&curve["foretold"][0]["error"], 0.133_537_468, 1e-7);
    assert!(curve["low"].as_f64() < curve["value"].as_f64(), "{curve}");
    // error = 0.1 + 2 / sqrt(n): the mixture's 0.2 is that of 400, of which 100 were real.
    desk.write("exact.csv", b"samples,error\n100,0.3\n400,0.2\n1600,0.15\n6400,0.125\n");
    let files = ["--runs", "exact.csv", "--count", "samples", "--error", "error"];
    let mixture = [files.as_slice(), &["--mixture", "100,300,0.2"]].concat();
    let rate = run(&desk, "stat.training_exchange_rate", &mixture).expect_code(0).json();
    assert_near(&rate["value"], 1.0, 1e-4);
    let beyond = [files.as_slice(), &["--mixture", "100,300,0.05"]].concat();
    let beyond = run(&desk, "stat.training_exchange_rate", &beyond).expect_code(3).json();
    assert!(beyond["reason"].as_str().unwrap().contains("no number of real samples"), "{beyond}");
    desk.write("flat.csv", b"samples,error\n1,1\n2,2\n3,3\n4,4\n");
    let flat = ["--runs", "flat.csv", "--count", "samples", "--error", "error"];
    run(&desk, "stat.scaling_curve", &flat).expect_code(3);
    let plan = |more: &[&str]| run(&desk, "stat.sample_size", more);
    // 0.99^299 is the first power below 0.05; 0.9^36 the first below 0.025.
    let trials = plan(&["--test", "zero-failures", "--share", "0.01"]).expect_code(0).json();
    assert_eq!(trials["value"], 299);
    let outcomes = plan(&["--test", "paired-outcomes", "--margin", "0.1"]).expect_code(0).json();
    assert_eq!(outcomes["value"], 36);
    // (1.6449 + 0.8416)^2 (0.05 / 0.03)^2 = 17.2; 2 * 0.09 * 6.1826 * 100 = 111.3.
    let common = ["--sd", "0.05", "--margin", "0.03"];
    let units = plan(&[["--test", "noninferiority"].as_slice(), &common].concat());
    assert_eq!(units.expect_code(0).json()["value"], 18);
    let shares = plan(&["--test", "two-shares", "--share", "0.9", "--margin", "0.1"]);
    assert_eq!(shares.expect_code(0).json()["value"], 112);
    let scenes = plan(&["--test", "scenes", "--scenes", "40,100,0.3"]).expect_code(0).json();
    assert_near(&scenes["value"], 4000.0 / 30.7, 1e-9);
    let bet = plan(&[["--test", "betting", "--bound", "1"].as_slice(), &common].concat());
    // log(20) / log(1.03) = 101.3.
    assert_eq!(bet.expect_code(0).json()["least_without_difference"], 102);
    let outside = ["--test", "equivalence", "--estimate", "0.04"];
    let outside = plan(&[outside.as_slice(), &common].concat()).expect_code(3).json();
    assert_eq!(outside["value"], Value::Null);
    let refused = plan(&["--test", "equivalence"]).expect_code(2).stderr;
    assert!(refused.contains("`--test equivalence` needs `--sd`"), "{refused}");
    plan(&["--test", "zero-failures", "--share", "2"]).expect_code(2);
}

#[test]
fn bad_units_are_refused_by_file_row_and_column() {
    let desk = Desk::new();
    desk.write("hole.csv", b"d\n1\n\nnan\n2\n");
    desk.write("header.csv", b"d\n");
    desk.write("empty.csv", b"");
    let of = |file: &str, more: &[&str]| {
        let files = ["--units", file, "--difference", "d", "--margin", "1", "--test", "t"];
        run(&desk, "stat.equivalence", &[files.as_slice(), more].concat())
    };
    for (file, words) in [
        ("hole.csv", ["hole.csv", "row 2"]),
        ("header.csv", ["header.csv", "hint: "]),
        ("empty.csv", ["empty.csv", "hint: "]),
        ("absent.csv", ["absent.csv", "hint: "]),
    ] {
        let refused = of(file, &[]).expect_code(2).stderr;
        assert!(words.iter().all(|word| refused.contains(word)), "{refused}");
    }
    let kept = of("hole.csv", &["--drop-missing"]).expect_code(3).json();
    assert_eq!(kept["n"], 2);
    let absent = ["--units", "hole.csv", "--difference", "e", "--margin", "1"];
    let absent = run(&desk, "stat.equivalence", &absent).expect_code(2).stderr;
    assert!(absent.contains("`e`"), "{absent}");
    run(&desk, "stat.equivalence", &["--units", "hole.csv", "--margin", "1"]).expect_code(2);
    let both = ["--units", "hole.csv", "--difference", "d", "--real", "d", "--synthetic", "d"];
    run(&desk, "stat.equivalence", &[both.as_slice(), &["--margin", "1"]].concat()).expect_code(2);
}
