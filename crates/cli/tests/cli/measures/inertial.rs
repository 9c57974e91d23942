//! Allan deviations of columns and of logs.

use std::collections::BTreeMap;

use serde_json::Value;
use tiepoint_formats::{ChannelKey, Samples, Table, write_mcap};
use tiepoint_model::{ImuSample, Stamps, Timestamp};

use super::{Desk, assert_close, csv, golden, run};

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

/// The deviations for long times and the time interval error: no intervals, and no noise is fitted.
#[test]
fn total_deviations_and_interval_errors_of_a_column_are_those_of_allantools() {
    let desk = Desk::new();
    let golden = &golden("series_and_transport/expected.json")["totals"];
    let rows: Vec<_> = rows_of(&golden["rates"]).into_iter().map(|rate| vec![rate]).collect();
    desk.write("still.csv", csv("rate", &rows).as_bytes());
    let files = ["--imu", "still.csv", "--channel", "rate", "--rate-hz", "20", "--taus", "all"];
    for (kind, unit) in [
        ("mtotdev", ""),
        ("ttotdev", " s"),
        ("htotdev", ""),
        ("theo1", ""),
        ("tierms", " s"),
        ("mtie", " s"),
    ] {
        let more = [files.as_slice(), &["--deviation", kind]].concat();
        let found = run(&desk, "sensor.allan", &more).expect_code(0).json();
        let metric = found["metric"].as_str().unwrap();
        assert!(metric.starts_with(&format!("sensor.allan.{kind}[")), "{metric}");
        assert!(found["unit"].as_str().unwrap().ends_with(unit), "{found}");
        let curve = found["curve"].as_array().unwrap();
        let expected = &golden[format!("{kind} freq")];
        let taus = rows_of(&expected["tau"]);
        assert!(taus.len() >= 10);
        for (index, tau) in taus.into_iter().enumerate() {
            let is_here = |point: &&Value| (point["tau_s"].as_f64().unwrap() - tau).abs() < 1e-9;
            let point = curve.iter().find(is_here).unwrap();
            assert_close(&point["deviation"], &expected["dev"][index]);
            assert_eq!(point["term_count"].as_f64(), expected["n"][index].as_f64());
            assert!(point.get("low").is_none() && point.get("high").is_none(), "{point}");
        }
        assert!(found.get("noise_density").is_none(), "{found}");
    }
    let other = [files.as_slice(), &["--deviation", "theoH"]].concat();
    let other = run(&desk, "sensor.allan", &other).expect_code(2).stderr;
    assert!(other.contains("theoH") && other.contains("theo1, tierms, mtie"), "{other}");
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
