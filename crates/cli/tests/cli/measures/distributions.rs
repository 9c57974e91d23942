//! Distances and tests of two samples in tables.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch};
use serde_json::Value;

use super::{Desk, assert_close, csv, golden, of_samples, rows, run, two_samples};
use crate::quickstart;

#[test]
fn distances_of_a_column_are_those_of_scipy() {
    let desk = Desk::new();
    let golden = &two_samples(&desk)["univariate_col0"];
    let one = ["--columns", "a"];
    let ks = of_samples(&desk, "dist.ks", &one);
    assert_close(&ks["value"], &golden["ks_two-sided_exact"]["D"]);
    assert_close(&ks["p_value"], &golden["ks_two-sided_exact"]["p"]);
    assert_close(&ks["location"], &golden["ks_two-sided_exact"]["loc"]);
    assert_eq!(ks["metric"], "dist.ks[alternative=two-sided]");
    assert_eq!(ks["columns"], serde_json::json!(["a"]));
    assert_eq!((&ks["real_count"], &ks["synthetic_count"]), (&50.into(), &40.into()));
    let less = of_samples(&desk, "dist.ks", &["--columns", "a", "--alternative", "less"]);
    assert_close(&less["value"], &golden["ks_less_exact"]["D"]);
    let wasserstein = of_samples(&desk, "dist.wasserstein_1", &one);
    assert_close(&wasserstein["value"], &golden["wasserstein1_scipy"]);
    let energy = of_samples(&desk, "dist.energy_sqrt", &one);
    assert_close(&energy["value"], &golden["energy_distance_scipy_SQRT"]);
    let root = of_samples(&desk, "dist.energy", &["--columns", "a", "--form", "root"]);
    assert_close(&root["value"], &golden["energy_distance_scipy_SQRT"]);
    let cramer = of_samples(&desk, "dist.cramer_von_mises", &one);
    assert_close(&cramer["value"], &golden["cvm_2samp"]["stat"]);
    let all = of_samples(&desk, "dist.ks", &[]);
    let by_column = all["by_column"].as_array().unwrap();
    assert_eq!(by_column.len(), 3);
    assert_eq!((&by_column[0]["column"], &by_column[0]["value"]), (&"a".into(), &ks["value"]));
}

#[test]
fn distances_of_points_are_those_of_the_reference_packages() {
    let desk = Desk::new();
    let golden = two_samples(&desk);
    let multivariate = &golden["multivariate"];
    for (form, name) in [
        ("v", "energy_V_2Exy-Exx-Eyy"),
        ("u", "energy_U"),
        ("hyppo-unbiased", "hyppo_energy_stat_default"),
        ("hyppo-biased", "hyppo_energy_bias_stat"),
    ] {
        let energy = of_samples(&desk, "dist.energy", &["--form", form]);
        assert_close(&energy["value"], &multivariate[name]);
    }
    for (gamma, name) in [
        ("median-half", "mmd2_rbf_gamma=1/(2*med^2)"),
        ("median", "mmd2_rbf_gamma=1/med^2"),
        ("columns", "mmd2_rbf_gamma=1/d_sklearn_default"),
    ] {
        let mmd = of_samples(&desk, "dist.mmd", &["--gamma", gamma]);
        assert_close(&mmd["value"], &multivariate[name]["unbiased_U"]);
        assert_close(&mmd["squared_biased"], &multivariate[name]["biased_V"]);
        assert_close(&mmd["gamma"], &multivariate[name]["gamma"]);
    }
    let frechet = of_samples(&desk, "dist.frechet", &[]);
    assert_close(&frechet["value"], &multivariate["frechet"]["value_eigvals"]);
    for k in ["3", "5"] {
        let prdc = of_samples(&desk, "dist.prdc", &["--k", k]);
        for name in ["precision", "recall", "density", "coverage"] {
            assert_close(&prdc[name], &golden["prdc"][format!("k={k}")][name]);
            assert!(prdc["metrics"][name].as_str().unwrap().starts_with(&format!("dist.{name}[")));
        }
    }
}

fn numbers(value: &Value) -> Vec<f64> {
    serde_json::from_value(value.clone()).unwrap()
}

/// Points as a table with columns c0, c1, ...
fn points_csv(values: &Value, column_count: usize) -> String {
    let names: Vec<String> = (0..column_count).map(|index| format!("c{index}")).collect();
    let rows: Vec<_> = numbers(values).chunks(column_count).map(<[f64]>::to_vec).collect();
    csv(&names.join(","), &rows)
}

#[test]
fn the_exact_distance_of_points_is_that_of_pot() {
    let desk = Desk::new();
    for case in golden("series_and_transport/expected.json")["transport"].as_array().unwrap() {
        let column_count = case["columns"].as_u64().unwrap().try_into().unwrap();
        for (name, points) in [("real.csv", &case["a"]), ("synthetic.csv", &case["b"])] {
            desk.write(name, points_csv(points, column_count).as_bytes());
        }
        let first = of_samples(&desk, "dist.wasserstein_exact", &["--order", "1"]);
        assert_eq!(first["metric"], "dist.wasserstein_exact[order=1]");
        assert_close(&first["value"], &case["emd2 euclidean"]);
        let second = of_samples(&desk, "dist.wasserstein_exact", &["--order", "2"]);
        assert_close(&second["value"], &case["emd2 sqeuclidean"].as_f64().unwrap().sqrt().into());
    }
    let files = ["--real", "real.csv", "--synthetic", "synthetic.csv"];
    let other = [files.as_slice(), &["--order", "3"]].concat();
    let other = run(&desk, "dist.wasserstein_exact", &other).expect_code(2).stderr;
    assert!(other.contains("--order") && other.contains("1, 2"), "{other}");
    run(&desk, "dist.wasserstein_exact", &files).expect_code(2);
    let many: Vec<_> = (0..2001).map(|index| vec![f64::from(index)]).collect();
    desk.write("real.csv", csv("c0", &many).as_bytes());
    let many = [files.as_slice(), &["--columns", "c0", "--order", "1"]].concat();
    let many = run(&desk, "dist.wasserstein_exact", &many).expect_code(2).stderr;
    assert!(many.contains("2001") && many.contains("at most 2000"), "{many}");
}

/// Expected: scikit-learn; matrices of Linfoot's coefficient for the difference.
#[test]
fn mutual_information_is_that_of_scikit_learn() {
    let desk = Desk::new();
    let golden = golden("series_and_transport/expected.json");
    let files = ["--table", "runs.csv", "--x", "x", "--y", "y"];
    for case in golden["information"].as_array().unwrap() {
        let pairs = numbers(&case["x"]).into_iter().zip(numbers(&case["y"]));
        let rows: Vec<_> = pairs.map(|(x, y)| vec![x, y]).collect();
        desk.write("runs.csv", csv("x,y", &rows).as_bytes());
        let neighbours = case["neighbours"].to_string();
        let more = [files.as_slice(), &["--neighbours", &neighbours]].concat();
        let found = run(&desk, "dist.mutual_information", &more).expect_code(0).json();
        let (got, expected) = (found["value"].as_f64().unwrap(), case["value"].as_f64().unwrap());
        // Differences of sums of order 10.
        assert!((got - expected).abs() < 1e-12, "{got} {expected}");
        assert_eq!((&found["unit"], &found["count"]), (&"nat".into(), &rows.len().into()));
        assert_eq!(found["columns"], serde_json::json!(["x", "y"]));
    }
    let expected = &golden["dependence"];
    for (name, points) in [("real.csv", &expected["a"]), ("synthetic.csv", &expected["b"])] {
        desk.write(name, points_csv(points, 4).as_bytes());
    }
    for (word, name) in [
        ("pearson", "pearson"),
        ("spearman", "spearman"),
        ("mutual-information", "mutual information"),
    ] {
        let more = ["--coefficient", word];
        let found = of_samples(&desk, "dist.dependence_difference", &more);
        assert_eq!(found["metric"], format!("dist.dependence_difference[coefficient={name}]"));
        let values = expected["values"][name].as_array().unwrap();
        for (key, value) in ["value", "mean", "root_mean_square"].into_iter().zip(values) {
            assert_close(&found[key], value);
        }
    }
    desk.write("runs.csv", b"x,y\n1,1\n2,1\n3,1\n4,1\n5,\n");
    let hole = run(&desk, "dist.mutual_information", &files).expect_code(2).stderr;
    assert!(hole.contains("runs.csv") && hole.contains("row 5"), "{hole}");
    let constant = [files.as_slice(), &["--drop-missing"]].concat();
    let constant = run(&desk, "dist.mutual_information", &constant).expect_code(3).json();
    assert_eq!(constant["value"], Value::Null);
    assert!(constant["reason"].as_str().unwrap().contains("constant"), "{constant}");
    let absent = ["--table", "runs.csv", "--x", "x", "--y", "z"];
    run(&desk, "dist.mutual_information", &absent).expect_code(2);
}

#[test]
fn what_is_random_names_its_seed_and_gives_the_same_again() {
    let desk = Desk::new();
    two_samples(&desk);
    let test = ["--permutations", "99", "--seed", "7"];
    for (metric, more) in [
        ("dist.energy", test.as_slice()),
        ("dist.mmd_squared", &test),
        ("dist.c2st", &test),
        ("dist.wasserstein_sliced", &test[2..]),
        ("dist.frechet", &["--subset-sizes", "3", "--subset-size-min", "20", "--seed", "7"]),
    ] {
        let [first, again] = [0, 1].map(|_| of_samples(&desk, metric, more));
        assert_eq!(first, again);
        let identities = format!("{}{}", first["metric"], first["metrics"]);
        assert!(identities.contains("seed=7"), "{first}");
        if more == test {
            let p_value = first["p_value"].as_f64().unwrap();
            assert!((0.01..=1.0).contains(&p_value), "{first}");
        }
    }
}

#[test]
fn every_other_distribution_measure_answers() {
    let desk = Desk::new();
    two_samples(&desk);
    let bound = ["--gamma", "0.1", "--margin", "0.5"];
    for (metric, more) in [
        ("dist.psi", ["--columns", "a"].as_slice()),
        ("dist.psi", &["--columns", "a", "--bins", "quantiles"]),
        ("dist.wasserstein", &["--columns", "a", "--order", "2"]),
        ("dist.kid", &[]),
        ("dist.mmd_upper_bound", &bound),
        ("dist.dependence_difference", &["--coefficient", "spearman"]),
    ] {
        let answer = of_samples(&desk, metric, more);
        assert!(answer["value"].is_number(), "{metric}: {answer}");
    }
    let support = of_samples(&desk, "dist.alpha_precision", &[]);
    assert!(support["authenticity"].is_number(), "{support}");
    let steps = (0..1000).map(|i| vec![f64::from(u8::from(i >= 500))]).collect::<Vec<_>>();
    desk.write("stream.csv", csv("error_m", &steps).as_bytes());
    let adwin = ["--stream", "stream.csv", "--column", "error_m"];
    let adwin = run(&desk, "dist.adwin", &adwin).expect_code(0).json();
    let first = adwin["detection_indices"][0].as_u64().unwrap();
    assert!((500..600).contains(&first), "{adwin}");
}

#[test]
fn a_parquet_file_and_a_csv_file_of_the_same_numbers_agree() {
    let desk = Desk::new();
    let golden = two_samples(&desk);
    let column = |index: usize| -> ArrayRef {
        let rows = rows(&golden["X_real"]);
        Arc::new(rows.iter().map(|row| Some(row[index])).collect::<Float64Array>())
    };
    let columns = [("a", column(0)), ("b", column(1)), ("c", column(2))];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut bytes = Vec::new();
    let mut writer =
        parquet::arrow::ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    desk.write("real.parquet", &bytes);
    let by_csv = of_samples(&desk, "dist.mmd", &[]);
    let files = ["--real", "real.parquet", "--synthetic", "synthetic.csv"];
    assert_eq!(run(&desk, "dist.mmd", &files).expect_code(0).json(), by_csv);
}

#[test]
fn bad_tables_are_refused_by_file_row_and_column() {
    let desk = Desk::new();
    two_samples(&desk);
    let measure = |real: &str, more: &[&str]| {
        let files = ["--real", real, "--synthetic", "synthetic.csv"];
        run(&desk, "dist.ks", &[files.as_slice(), more].concat())
    };
    let refused = |real: &str, more: &[&str], words: &[&str]| {
        let outcome = measure(real, more).expect_code(2);
        assert!(outcome.stdout.is_empty(), "{}", outcome.stdout);
        for word in words.iter().chain(&["hint: "]) {
            assert!(outcome.stderr.contains(word), "{word} in {}", outcome.stderr);
        }
    };
    desk.write("hole.csv", b"a,b,c\n1,2,3\n4,,6\n7,8,nan\n9,9,8\n");
    refused("hole.csv", &[], &["hole.csv", "row 2", "`b`", "--drop-missing"]);
    refused("hole.csv", &["--columns", "c"], &["hole.csv", "row 3", "`c`"]);
    let kept = measure("hole.csv", &["--drop-missing"]).expect_code(0).json();
    assert_eq!(kept["real_count"], 2);
    assert!(kept["notes"][0].as_str().unwrap().starts_with("2 rows of `hole.csv`"), "{kept}");
    desk.write("text.csv", b"a,b,c\n1,2,3\n4,five,6\n");
    refused("text.csv", &["--columns", "b"], &["text.csv", "line 3", "five"]);
    refused("text.csv", &["--columns", "d"], &["text.csv", "`d`", "a, b, c"]);
    desk.write("words.csv", b"name\nalpha\nbeta\n");
    refused("words.csv", &[], &["words.csv", "numbers"]);
    desk.write("infinite.csv", b"a\n1\ninf\n");
    refused("infinite.csv", &[], &["infinite.csv", "row 2", "infinite"]);
    desk.write("huge.csv", b"a\n1\n\n-1e300\n");
    let huge = ["--real", "huge.csv", "--synthetic", "huge.csv"];
    let huge = run(&desk, "dist.energy", &huge).expect_code(2).stderr;
    assert!(huge.contains("huge.csv") && huge.contains("row 2 of column `a`"), "{huge}");
    desk.write("header.csv", b"a,b,c\n");
    refused("header.csv", &[], &["header.csv"]);
    desk.write("empty.csv", b"");
    refused("empty.csv", &[], &["empty.csv"]);
    desk.write("ragged.csv", b"a,b\n1,2\n3\n");
    refused("ragged.csv", &[], &["ragged.csv", "line 3"]);
    refused("absent.csv", &[], &["absent.csv"]);
    refused("real.csv", &["--law", "wild"], &["wild", "exact"]);
    std::fs::copy(quickstart("uwb.mcap"), desk.path("run.mcap")).unwrap();
    refused("run.mcap", &[], &["run.mcap", "mcap", "CSV or Parquet"]);
}

#[test]
fn what_has_no_value_is_null_with_its_reason_and_status_three() {
    let desk = Desk::new();
    desk.write("real.csv", b"a,b\n1,1\n1,1\n1,1\n");
    desk.write("synthetic.csv", b"a,b\n1,1\n1,1\n");
    let files = ["--real", "real.csv", "--synthetic", "synthetic.csv"];
    for (metric, more) in [
        ("dist.mmd", [].as_slice()),
        ("dist.prdc", &["--k", "5"]),
        ("dist.dependence_difference", &[]),
    ] {
        let outcome = run(&desk, metric, &[files.as_slice(), more].concat()).expect_code(3);
        let answer = outcome.json();
        assert_eq!(answer["value"], Value::Null, "{answer}");
        assert!(!answer["reason"].as_str().unwrap().is_empty(), "{answer}");
    }
    let one_point = run(&desk, "dist.ks", &files).expect_code(0).json();
    assert_eq!(one_point["by_column"][0]["value"], 0.0);
}

#[test]
fn a_person_sees_the_same_values_as_tables() {
    let desk = Desk::new();
    two_samples(&desk);
    let files = ["measure", "dist.ks", "--real", "real.csv", "--synthetic", "synthetic.csv"];
    let one = desk.run(&[files.as_slice(), &["--columns", "a"]].concat()).expect_code(0).stdout;
    assert!(one.starts_with("dist.ks[alternative=two-sided]\n"), "{one}");
    assert!(one.contains("0.310000000") && one.contains("p_value"), "{one}");
    let all = desk.run(&files).expect_code(0).stdout;
    assert!(all.contains("by_column\n") && all.contains("location"), "{all}");
}

#[test]
fn categories_differ_by_what_sdmetrics_leaves_of_one() {
    let desk = Desk::new();
    let golden = golden("sdmetrics_columns/columns.json");
    for side in ["real", "synthetic"] {
        let column = |name: &str| golden[side][name].as_array().unwrap().clone();
        let mut text = "weather,night\n".to_owned();
        for (weather, night) in column("weather").iter().zip(column("night")) {
            text += &format!("{},{night}\n", weather.as_str().unwrap());
        }
        desk.write(&format!("{side}.csv"), text.as_bytes());
    }
    let weather = of_samples(&desk, "dist.total_variation", &["--columns", "weather"]);
    let complement = |name: &str| 1.0 - golden["metrics"][name].as_f64().unwrap();
    assert_close(&weather["value"], &complement("TVComplement_weather").into());
    assert_eq!(weather["categories"].as_array().unwrap().len(), 3);
    let both = of_samples(&desk, "dist.total_variation", &["--columns", "weather,night"]);
    assert_close(&both["value"], &complement("ContingencySimilarity_weather_night").into());
    desk.write("real.csv", b"weather\nrain\n\"\"\n");
    let files = ["--real", "real.csv", "--synthetic", "synthetic.csv", "--columns", "weather"];
    let hole = run(&desk, "dist.total_variation", &files).expect_code(2).stderr;
    assert!(hole.contains("real.csv") && hole.contains("row 2"), "{hole}");
    let kept = [files.as_slice(), &["--drop-missing"]].concat();
    let kept = run(&desk, "dist.total_variation", &kept).expect_code(0).json();
    assert_eq!(kept["real_count"], 1);
    run(&desk, "dist.total_variation", &files[..4]).expect_code(2);
}
