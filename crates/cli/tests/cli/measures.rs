//! `measure` on tables, clouds, logs and long paths: the reference packages' numbers, read from
//! files as a user has them, and errors that name file, row and column.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    sync::{Arc, OnceLock},
};

use arrow::array::{ArrayRef, Float64Array, RecordBatch};
use serde_json::Value;
use tiepoint_formats::{ChannelKey, Samples, Table, write_mcap};
use tiepoint_model::{ImuSample, Stamps, Timestamp};

use super::{Desk, Outcome};

fn golden(name: &str) -> Value {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn rows(value: &Value) -> Vec<Vec<f64>> {
    serde_json::from_value(value.clone()).unwrap()
}

fn csv(header: &str, rows: &[Vec<f64>]) -> String {
    let mut text = format!("{header}\n");
    for row in rows {
        let cells: Vec<String> = row.iter().map(f64::to_string).collect();
        writeln!(text, "{}", cells.join(",")).unwrap();
    }
    text
}

/// The golden samples as CSV files with columns a, b, c.
fn two_samples(desk: &Desk) -> Value {
    let golden = golden("distribution_fidelity/distribution_fidelity.json");
    desk.write("real.csv", csv("a,b,c", &rows(&golden["X_real"])).as_bytes());
    desk.write("synthetic.csv", csv("a,b,c", &rows(&golden["Y_syn"])).as_bytes());
    golden
}

fn run(desk: &Desk, metric: &str, more: &[&str]) -> Outcome {
    let start = ["measure", metric, "--json"];
    let outcome = desk.run(&[start.as_slice(), more].concat());
    if matches!(outcome.code, 0 | 3) {
        let answer = outcome.json();
        let own = answer["metrics"].as_object().into_iter().flat_map(serde_json::Map::values);
        for identity in own.chain([&answer["metric"]]) {
            assert_listed(identity.as_str().unwrap());
        }
    }
    outcome
}

/// Every convention that a metric prints is one that the list names.
#[track_caller]
fn assert_listed(identity: &str) {
    static LISTED: OnceLock<Value> = OnceLock::new();
    let list = || Desk::new().run(&["measure", "list", "--json"]).expect_code(0).json();
    let metrics = LISTED.get_or_init(list)["metrics"].as_array().unwrap();
    let (id, conventions) = identity.split_once('[').unwrap_or((identity, ""));
    let line = metrics.iter().find(|line| line["id"] == id).unwrap();
    let known: Vec<String> = serde_json::from_value(line["conventions"].clone()).unwrap();
    let printed = conventions.split(';').filter_map(|part| Some(part.split_once('=')?.0));
    for name in printed {
        assert!(known.iter().any(|known| known == name), "{name} of {identity} in {known:?}");
    }
}

fn of_samples(desk: &Desk, metric: &str, more: &[&str]) -> Value {
    let files = ["--real", "real.csv", "--synthetic", "synthetic.csv"];
    run(desk, metric, &[files.as_slice(), more].concat()).expect_code(0).json()
}

/// Sums in another order differ by some ulp.
#[track_caller]
fn assert_close(got: &Value, expected: &Value) {
    let (got, expected) = (got.as_f64().unwrap(), expected.as_f64().unwrap());
    let allowed = 1e-9 * expected.abs() + 1e-15;
    assert!((got - expected).abs() <= allowed, "got {got}, expected {expected}");
}

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
    std::fs::copy(super::quickstart("uwb.mcap"), desk.path("run.mcap")).unwrap();
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

fn ply(points: &[Vec<f64>]) -> String {
    let mut text = format!(
        "ply\nformat ascii 1.0\nelement vertex {}\nproperty double x\nproperty double y\n\
         property double z\nend_header\n",
        points.len()
    );
    for point in points {
        writeln!(text, "{} {} {}", point[0], point[1], point[2]).unwrap();
    }
    text
}

fn pcd(points: &[Vec<f64>]) -> String {
    let count = points.len();
    let mut text = format!(
        "# .PCD v0.7\nVERSION 0.7\nFIELDS x y z\nSIZE 8 8 8\nTYPE F F F\nCOUNT 1 1 1\n\
         WIDTH {count}\nHEIGHT 1\nVIEWPOINT 0 0 0 1 0 0 0\nPOINTS {count}\nDATA ascii\n"
    );
    for point in points {
        writeln!(text, "{} {} {}", point[0], point[1], point[2]).unwrap();
    }
    text
}

#[test]
fn distances_of_clouds_are_those_of_scipy_and_open3d() {
    let desk = Desk::new();
    let golden = golden("pointcloud_geometry/pointcloud_geometry.json");
    desk.write("a.ply", ply(&rows(&golden["A_gt"])).as_bytes());
    desk.write("b.pcd", pcd(&rows(&golden["B_pred"])).as_bytes());
    let of = |metric: &str, more: &[&str]| {
        run(&desk, metric, &[&["a.ply", "b.pcd"], more].concat()).expect_code(0).json()
    };
    for (form, name, unit) in [
        ("open3d", "sum_of_mean_L2 (d1.mean+d2.mean)", "m"),
        ("mean-distance", "half_sum (mean of the two)", "m"),
        ("pytorch3d", "sum_of_mean_squared (PyTorch3D default chamfer)", "m^2"),
        ("fan2017", "sum_of_sums_squared (Fan 2017)", "m^2"),
        ("root_mean_square/max", "sqrt_mean_sq_max", "m"),
    ] {
        let chamfer = of("geom.chamfer", &["--form", form]);
        assert_close(&chamfer["value"], &golden["chamfer_variants"][name]);
        assert_eq!(chamfer["unit"], unit);
        assert_eq!(chamfer["forms"].as_array().unwrap().len(), 4);
    }
    let hausdorff = of("geom.hausdorff", &[]);
    assert_close(&hausdorff["value"], &golden["hausdorff"]["symmetric"]);
    let directed = &golden["hausdorff"];
    assert_close(&hausdorff["largest_first_to_second"], &directed["directed_AB_scipy"]);
    assert_close(&hausdorff["largest_second_to_first"], &directed["directed_BA_scipy"]);
    for tau in ["0.05", "0.1", "0.2"] {
        let score = of("geom.f_score", &["--tau-m", tau]);
        let expected = &golden["fscore"][tau];
        assert_close(&score["value"], &expected["fscore"]);
        assert_close(&score["precision"], &expected["precision_pred_to_gt(B->A)"]);
        assert_close(&score["recall"], &expected["recall_gt_to_pred(A->B)"]);
    }
    let density_aware = of("geom.chamfer.density_aware", &["--alpha", "10"]);
    let value = density_aware["value"].as_f64().unwrap();
    assert!((0.0..=1.0).contains(&value), "{density_aware}");
}

#[test]
fn changes_of_a_surface_are_those_of_py4dgeo() {
    let desk = Desk::new();
    let (given, golden) = (golden("m3c2/m3c2.json"), golden("m3c2/odd_slabs.json"));
    for name in ["epoch1", "epoch2", "corepoints"] {
        desk.write(&format!("{name}.ply"), ply(&rows(&given[name])).as_bytes());
    }
    let case = &golden["cases"][0];
    let radii: Vec<f64> = serde_json::from_value(case["normal_radii"].clone()).unwrap();
    let radii: Vec<String> = radii.iter().map(f64::to_string).collect();
    let word = |name: &str| case[name].as_f64().unwrap().to_string();
    let (radii, radius) = (radii.join(","), word("cyl_radius"));
    let (reach, registration) = (word("max_distance"), word("registration_error"));
    let files = ["epoch1.ply", "epoch2.ply", "--core", "corepoints.ply", "--mode", "compat"];
    let options = [
        "--normal-radii-m",
        &radii,
        "--cylinder-radius-m",
        &radius,
        "--distance-m-max",
        &reach,
        "--registration-error-m",
        &registration,
        "--points-min",
        "2",
        "--each",
    ];
    let found = run(&desk, "geom.m3c2", &[files.as_slice(), &options].concat());
    let found = found.expect_code(0).json();
    let points = found["core_points"].as_array().unwrap();
    assert_eq!(found["core_count"], points.len());
    for (index, point) in points.iter().enumerate() {
        assert_close(&point["distance_m"], &case["distances"][index]);
        assert_close(&point["detection_level_m"], &case["lodetection"][index]);
    }
}

#[test]
fn bad_clouds_are_refused_by_file_and_point() {
    let desk = Desk::new();
    let points = vec![vec![0.0, 0.0, 0.0], vec![1.0, f64::NAN, 0.0], vec![1.0, 1.0, 0.0]];
    desk.write("hole.pcd", pcd(&points).as_bytes());
    desk.write("whole.ply", ply(&points[..1]).as_bytes());
    desk.write("none.ply", ply(&[]).as_bytes());
    desk.write("table.csv", b"a,b\n1,2\n");
    desk.write("empty.ply", b"");
    let of = |second: &str, more: &[&str]| {
        run(&desk, "geom.chamfer", &[&["whole.ply", second], more].concat())
    };
    let hole = of("hole.pcd", &[]).expect_code(2).stderr;
    assert!(hole.contains("hole.pcd") && hole.contains("row 2") && hole.contains("`y`"), "{hole}");
    let kept = of("hole.pcd", &["--drop-missing"]).expect_code(0).json();
    assert_eq!(kept["second_count"], 2);
    for name in ["none.ply", "table.csv", "empty.ply", "absent.ply"] {
        let outcome = of(name, &[]).expect_code(2);
        assert!(outcome.stderr.contains(name), "{}", outcome.stderr);
        assert!(outcome.stderr.contains("hint: "), "{}", outcome.stderr);
    }
    of("whole.ply", &["--form", "odd"]).expect_code(2);
}

/// The generator of the NIST SP 1065 test suite.
fn nist_record() -> Vec<f64> {
    std::iter::successors(Some(1_234_567_890_u64), |state| Some(16_807 * state % 2_147_483_647))
        .take(1000)
        .map(|state| state as f64 / 2_147_483_647.0)
        .collect()
}

#[test]
fn allan_deviations_of_a_column_are_those_of_allantools() {
    let desk = Desk::new();
    let golden = &golden("allan_deviation/allan_deviation.json")["nbs1000"];
    let record = nist_record();
    let at = |index: usize, value: &f64| vec![index as f64, *value];
    let rows: Vec<_> = record.iter().enumerate().map(|(index, value)| at(index, value)).collect();
    desk.write("still.csv", csv("time_s,rate", &rows).as_bytes());
    let timed = ["--time-column", "time_s"];
    let rated = ["--rate-hz", "1"];
    for deviation in ["adev", "oadev", "mdev", "tdev", "hdev", "ohdev", "totdev"] {
        for timing in [timed, rated] {
            let files = ["--imu", "still.csv", "--channel", "rate", "--taus", "decade"];
            let more = [files.as_slice(), &timing, &["--deviation", deviation]].concat();
            let found = run(&desk, "sensor.allan", &more).expect_code(0).json();
            assert_eq!(found["rate_hz"], 1.0);
            let curve = found["curve"].as_array().unwrap();
            let expected = &golden[deviation];
            for (tau, dev) in rows_of(&expected["taus"]).into_iter().zip(rows_of(&expected["dev"]))
            {
                let point = curve.iter().find(|point| point["tau_s"] == tau).unwrap();
                assert_close(&point["deviation"], &dev.into());
            }
        }
    }
    let whole = ["--imu", "still.csv", "--channel", "rate", "--rate-hz", "1"];
    let found = run(&desk, "sensor.allan", &whole).expect_code(0).json();
    let density = found["noise_density"].as_f64().unwrap();
    assert!((0.25..0.32).contains(&density), "{found}");
}

fn rows_of(value: &Value) -> Vec<f64> {
    serde_json::from_value(value.clone()).unwrap()
}

/// An inertial unit at 100 Hz, whose x gyroscope reads the record, with a gap after reading 600.
fn imu_log(desk: &Desk) {
    let sample = |(index, value): (usize, f64)| {
        let gap_ns = if index >= 600 { 500_000_000 } else { 0 };
        let time = Timestamp(1_700_000_000_000_000_000 + index as i64 * 10_000_000 + gap_ns);
        ImuSample {
            stamps: Stamps { log: time, publish: None, sensor: Some(time) },
            frame_id: "imu".to_owned(),
            orientation_xyzw: None,
            angular_rate_rad_per_s: [value, 2.0 * value, 0.5],
            acceleration_m_per_s2: [value, 0.0, 9.81 + value],
        }
    };
    let samples = nist_record().into_iter().enumerate().map(sample).collect();
    let key = ChannelKey::ros2("/imu/data", Table::Imu).unwrap();
    let bytes = write_mcap("ros2", &[(key, Samples::Imu(samples))], &BTreeMap::new()).unwrap();
    desk.write("still.mcap", &bytes);
}

#[test]
fn allan_deviations_of_a_log_are_of_its_longest_stretch() {
    let desk = Desk::new();
    imu_log(&desk);
    let of = |channel: &str, more: &[&str]| {
        let files = ["--imu", "still.mcap", "--channel", channel];
        run(&desk, "sensor.allan", &[files.as_slice(), more].concat())
    };
    let x = of("gyro_x", &[]).expect_code(0).json();
    assert_eq!((&x["count"], &x["gap_count"]), (&600.into(), &1.into()));
    assert_eq!(x["dropped_count"], 400);
    assert_eq!(x["unit"], "rad/s");
    assert!((x["rate_hz"].as_f64().unwrap() - 100.0).abs() < 1e-9);
    let first: Vec<Vec<f64>> = nist_record()[..600].iter().map(|value| vec![*value]).collect();
    desk.write("first.csv", csv("rate", &first).as_bytes());
    let table = ["--imu", "first.csv", "--channel", "rate", "--rate-hz", "100"];
    let table = run(&desk, "sensor.allan", &table).expect_code(0).json();
    for (ours, theirs) in
        x["curve"].as_array().unwrap().iter().zip(table["curve"].as_array().unwrap())
    {
        assert_close(&ours["deviation"], &theirs["deviation"]);
    }
    let late = of("gyro_x", &["--from-s", "6.1"]).expect_code(0).json();
    assert_eq!((&late["count"], &late["dropped_count"]), (&400.into(), &600.into()));
    let y = of("/imu/data:gyro_y", &[]).expect_code(0).json();
    let double = 2.0 * x["curve"][0]["deviation"].as_f64().unwrap();
    assert_close(&y["curve"][0]["deviation"], &double.into());
    let constant = of("gyro_z", &[]).expect_code(3).json();
    assert_eq!(constant["value"], Value::Null);
    assert!(constant["reason"].as_str().unwrap().contains("constant"), "{constant}");
    let all = of("/imu/data", &[]).expect_code(3).json();
    assert_eq!(all["channels"].as_array().unwrap().len(), 6);
    let absent = of("gyro_w", &[]).expect_code(2).stderr;
    assert!(absent.contains("still.mcap") && absent.contains("/imu/data:gyro_x"), "{absent}");
    of("gyro_x", &["--deviation", "variance"]).expect_code(2);
    of("gyro_x", &["--rate-hz", "100"]).expect_code(2);
    let untimed = ["--imu", "first.csv", "--channel", "rate"];
    let untimed = run(&desk, "sensor.allan", &untimed).expect_code(2).stderr;
    assert!(untimed.contains("first.csv") && untimed.contains("--rate-hz"), "{untimed}");
}

/// A path along x with a weave, by its length; the estimate is 1 % too long.
fn kitti(count: u32, scale: f64) -> String {
    let mut text = String::new();
    for index in 0..count {
        let x_m = scale * f64::from(index);
        writeln!(text, "1 0 0 {x_m} 0 1 0 0 0 0 1 0").unwrap();
    }
    text
}

#[test]
fn a_path_one_percent_too_long_drifts_by_one_percent() {
    let desk = Desk::new();
    desk.write("gt.txt", kitti(1000, 1.0).as_bytes());
    desk.write("slam.txt", kitti(1000, 1.01).as_bytes());
    desk.write("short.txt", kitti(20, 1.0).as_bytes());
    let files = ["--reference", "gt.txt", "--estimate", "slam.txt"];
    let of = |metric: &str, more: &[&str]| run(&desk, metric, &[files.as_slice(), more].concat());
    let corrected = of("traj.kitti_drift", &["--mode", "corrected"]).expect_code(0).json();
    // A stretch ends at the first pose beyond its length, one step of a metre later.
    let percent = corrected["translation_percent"].as_f64().unwrap();
    assert!((1.0..1.011).contains(&percent), "{corrected}");
    assert_eq!(corrected["rotation_deg_per_m"], 0.0);
    assert_eq!(corrected["by_length_m"].as_array().unwrap().len(), 8);
    let metric = corrected["metrics"]["rotation_deg_per_m"].as_str().unwrap();
    assert!(metric.starts_with("traj.kitti_drift.rotation_deg_per_m["), "{metric}");
    let compat = of("traj.kitti_drift", &[]).expect_code(0).json();
    assert!((compat["translation_percent"].as_f64().unwrap() - percent).abs() < 1e-3);
    assert!(compat["metric"].as_str().unwrap().contains("compat:kitti_devkit"), "{compat}");
    let sub = of("traj.sub_trajectory", &["--lengths-m", "100"]).expect_code(0).json();
    let error = &sub["errors"][1];
    assert_eq!(error["error"], "translation_percent");
    // Near the end of the path a stretch may be a fifth too short, as in the tool.
    assert!((error["median"].as_f64().unwrap() - 1.0).abs() < 1e-6, "{sub}");
    let steps = of("traj.step_scale", &[]).expect_code(0).json();
    assert!((steps["mean"].as_f64().unwrap() - 1.0).abs() < 1e-6, "{steps}");
    let short = ["--reference", "short.txt", "--estimate", "short.txt"];
    let none = run(&desk, "traj.kitti_drift", &short).expect_code(3).json();
    assert_eq!(none["value"], Value::Null);
    assert!(none["reason"].is_string(), "{none}");
    of("traj.kitti_drift", &["--mode", "odd"]).expect_code(2);
    of("traj.time_offset", &[]).expect_code(2);
}

/// A path that turns and speeds up irregularly, its stamps late by so much.
fn tum(late_s: f64) -> String {
    let mut text = String::new();
    for index in 0..1500_i32 {
        let t = 0.02 * f64::from(index);
        let yaw = (0.7 * t).sin() + (1.9 * t).sin() + 0.4 * (4.3 * t).cos();
        let (x, y) = (3.0 * (0.3 * t).sin(), 2.0 * (0.41 * t).sin());
        let (sine, cosine) = (0.5 * yaw).sin_cos();
        writeln!(text, "{:.6} {x} {y} 0 0 0 {sine} {cosine}", 100.0 + t + late_s).unwrap();
    }
    text
}

#[test]
fn a_late_clock_is_found_and_paths_are_paired_as_asked() {
    let desk = Desk::new();
    desk.write("gt.txt", tum(0.0).as_bytes());
    desk.write("late.txt", tum(0.123).as_bytes());
    desk.write("gt_kitti.txt", kitti(1500, 1.0).as_bytes());
    let files = ["--reference", "gt.txt", "--estimate", "late.txt"];
    let of = |metric: &str, more: &[&str]| run(&desk, metric, &[files.as_slice(), more].concat());
    let offset = of("traj.time_offset", &[]).expect_code(0).json();
    assert!((offset["value"].as_f64().unwrap() + 0.123).abs() < 1e-3, "{offset}");
    assert!(offset["offset_ns"].is_string());
    let narrow = of("traj.time_offset", &["--search-s", "0.06"]).expect_code(3).json();
    assert_eq!(narrow["value"], Value::Null);
    assert!(narrow["reason"].as_str().unwrap().contains("end of the search"), "{narrow}");

    let evo = of("traj.ape", &[]).expect_code(0).json();
    let interpolated = of("traj.ape", &["--association", "interpolate"]).expect_code(0).json();
    assert!(interpolated["metric"].as_str().unwrap().contains("interpolated(gap max"));
    assert!(interpolated["notes"][0].as_str().unwrap().contains("left out"), "{interpolated}");
    assert!(evo["metric"].as_str().unwrap().contains("nearest(max"));
    let greedy = of("traj.ape", &["--association", "tum"]).expect_code(0).json();
    assert!(greedy["metric"].as_str().unwrap().contains("greedy(below"));
    for align in ["yaw", "origin-yaw", "sim3", "scale", "origin"] {
        of("traj.ape", &["--align", align]).expect_code(0);
    }
    let first = of("traj.ape", &["--align", "se3", "--align-first", "100"]).expect_code(0).json();
    assert!(first["metric"].as_str().unwrap().contains("first 100 poses"), "{first}");
    of("traj.ape", &["--align", "none", "--align-first", "100"]).expect_code(2);
    let ratio = ["--relation", "distance_ratio", "--pairs-from", "reference"];
    assert_eq!(of("traj.rpe", &ratio).expect_code(0).json()["unit"], "%");
    of("traj.ape", &["--relation", "distance_ratio"]).expect_code(2);
    let mixed = ["--reference", "gt_kitti.txt", "--estimate", "late.txt"];
    let mixed = run(&desk, "traj.ape", &mixed).expect_code(2).stderr;
    assert!(mixed.contains("gt_kitti.txt") && mixed.contains("late.txt"), "{mixed}");

    let closure = ["--estimate", "gt_kitti.txt"];
    let closure = run(&desk, "traj.loop_closure", &closure).expect_code(0).json();
    assert_close(&closure["translation_m"], &1499.into());
    assert_close(&closure["share"], &1.into());
}

#[test]
fn every_listed_command_exists_and_has_an_example() {
    let desk = Desk::new();
    let listed = desk.run(&["measure", "list", "--json"]).expect_code(0).json();
    let metrics = listed["metrics"].as_array().unwrap();
    let commands: BTreeSet<&str> =
        metrics.iter().filter_map(|metric| metric["command"].as_str()).collect();
    assert!(commands.len() >= 28, "{commands:?}");
    for command in commands {
        let help = desk.run(&["measure", command, "--help"]).expect_code(0).stdout;
        assert!(help.contains(&format!("Example: tiepoint measure {command} ")), "{help}");
    }
    let table = desk.run(&["measure", "list"]).expect_code(0).stdout;
    assert!(table.contains("traj.kitti_drift.rotation_deg_per_m"), "{table}");
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
fn scores_and_signals_are_measured_in_the_order_of_their_rows() {
    let desk = Desk::new();
    desk.write(
        "panel.csv",
        b"system,real,sim\na,0.9,0.8\nb,0.7,0.75\nc,0.4,0.5\nd,0.3,0.6\ne,0.1,0.2\n",
    );
    let panel = ["--scores", "panel.csv", "--real", "real", "--synthetic", "sim"];
    let tau = run(&desk, "ranking.kendall_tau_b", &panel).expect_code(0).json();
    assert_close(&tau["value"], &0.8.into());
    // Only c and d are ordered the other way: (0.1 + 0.1) / 5.
    let violation = run(&desk, "ranking.mmrv", &panel).expect_code(0).json();
    assert_close(&violation["value"], &0.04.into());
    let linear = run(&desk, "ranking.srcc", &panel).expect_code(0).json();
    assert!(linear["low"].as_f64() < linear["value"].as_f64(), "{linear}");
    let wave = |late: f64| {
        let at = |i: i32| vec![(0.1 * f64::from(i) - late).sin()];
        csv("x", &(0..600).map(at).collect::<Vec<_>>())
    };
    desk.write("real.csv", wave(0.0).as_bytes());
    desk.write("synthetic.csv", wave(0.3).as_bytes());
    let bent = of_samples(&desk, "signal.dtw", &["--band", "10"])["value"].as_f64().unwrap();
    let straight = of_samples(&desk, "signal.dtw", &["--band", "0"])["value"].as_f64().unwrap();
    assert!(bent < 0.1 * straight, "{bent} {straight}");
    let spectra = of_samples(&desk, "signal.log_spectral_distance", &["--rate-hz", "10"]);
    assert_eq!(spectra["unit"], "dB");
    assert!(spectra["value"].as_f64().unwrap() > 0.0, "{spectra}");
    let memory = ["--stream", "real.csv", "--column", "x"];
    let memory = run(&desk, "autocorrelation.time", &memory).expect_code(0).json();
    assert!(memory["value"].as_f64().unwrap() > 2.0, "{memory}");
}
