//! Scanners at rest, and calibrations that moved.

use std::collections::BTreeMap;

use tiepoint_formats::{ChannelKey, Samples, Table, write_mcap};
use tiepoint_model::{Scan, Seed, Stamps, Timestamp};

use super::{Desk, run};
use crate::quickstart;

const STEP_RAD: f64 = 0.01;

/// A wall at 2 m, noise of 4 mm rounded to centimetres; every fifth sweep has no reading at all.
fn still_log(desk: &Desk) {
    let sweep = |index: u64| {
        let mut draws = Seed(11).draws(index, 0);
        let reading = |beam: usize| {
            let angle_rad = STEP_RAD * beam as f64 - 0.6;
            let range_m = 2.0 / angle_rad.cos() + 0.004 * draws.normal();
            #[expect(clippy::cast_possible_truncation, reason = "readings are 32 bit")]
            let rounded = (0.01 * (range_m / 0.01).round()) as f32;
            if index.is_multiple_of(5) { 0.0 } else { rounded }
        };
        let ranges_m: Vec<f32> = (0..121).map(reading).collect();
        let time =
            Timestamp(1_700_000_000_000_000_000 + i64::try_from(index).unwrap() * 100_000_000);
        Scan {
            stamps: Stamps { log: time, publish: None, sensor: Some(time) },
            frame_id: "laser".to_owned(),
            angle_min_rad: -0.6,
            angle_increment_rad: STEP_RAD,
            range_min_m: 0.1,
            range_max_m: 10.0,
            time_increment_s: 0.0,
            ranges_m,
            intensities: Vec::new(),
        }
    };
    let key = ChannelKey::ros2("/scan", Table::Scans).unwrap();
    let scans = Samples::Scans((0..200).map(sweep).collect());
    desk.write("still.mcap", &write_mcap("ros2", &[(key, scans)], &BTreeMap::new()).unwrap());
}

#[test]
fn range_noise_below_the_rounding_and_missing_sweeps_are_found() {
    let desk = Desk::new();
    still_log(&desk);
    let of = |metric: &str, more: &[&str]| {
        let cells = ["--range-edges-m", "1,2.2,5", "--incidence-edges-deg", "0,20,40"];
        let log = ["--log", "still.mcap"];
        run(&desk, metric, &[log.as_slice(), &cells, more].concat())
    };
    let noise = of("sensor.lidar.range_noise", &[]).expect_code(0).json();
    let metric = noise["metric"].as_str().unwrap();
    assert!(metric.contains("quantisation_m=0.01"), "{metric}");
    let straight = &noise["cells"][0];
    let (low, high) = (straight["low_m"].as_f64().unwrap(), straight["high_m"].as_f64().unwrap());
    // A fit to 2000 differences knows 4 mm to some 3 %.
    assert!(low < 4.2e-3 && high > 3.8e-3 && high - low < 1e-3, "{straight}");
    assert_eq!(noise["beam_count"], 121);
    // Beyond 2.2 m the wall is seen at more than 20 degrees.
    let empty = noise["cells"].as_array().unwrap().iter().find(|cell| cell["sigma_m"].is_null());
    assert!(empty.unwrap()["reason"].is_string(), "{noise}");
    let missing = of("sensor.lidar.drop_out", &[]).expect_code(0).json();
    assert_eq!(missing["cells"][0]["share"], 0.2);
    assert_eq!(missing["scan_count"], 200);
    let early = of("sensor.lidar.drop_out", &["--to-s", "0.95"]).expect_code(0).json();
    assert_eq!((&early["scan_count"], &early["cells"][0]["share"]), (&10.into(), &0.2.into()));
    let absent = of("sensor.lidar.drop_out", &["--topic", "/other"]).expect_code(2).stderr;
    assert!(absent.contains("/scan"), "{absent}");
    of("sensor.lidar.range_noise", &["--quantisation-m", "fine"]).expect_code(2);
    let edges = ["--log", "still.mcap", "--range-edges-m", "5,1"];
    run(&desk, "sensor.lidar.drop_out", &edges).expect_code(2);
    let far = ["--log", "still.mcap", "--range-edges-m", "50,60"];
    run(&desk, "sensor.lidar.range_noise", &far).expect_code(3);
}

/// A camera chain: the camera stands `x_m` beside the inertial unit, its centre at `cx`.
fn chain(x_m: f64, cx: f64, lens: &str) -> String {
    format!(
        "cam0:\n  T_cam_imu:\n  - [1.0, 0.0, 0.0, {x_m}]\n  - [0.0, 1.0, 0.0, 0.0]\n  \
         - [0.0, 0.0, 1.0, 0.0]\n  - [0.0, 0.0, 0.0, 1.0]\n  camera_model: pinhole\n  \
         distortion_coeffs: [0.0, 0.0, 0.0, 0.0]\n  distortion_model: {lens}\n  \
         intrinsics: [500.0, 500.0, {cx}, 240.0]\n  resolution: [640, 480]\n"
    )
}

#[test]
fn a_sensor_that_moved_and_a_centre_that_shifted_are_measured_to_the_digit() {
    let desk = Desk::new();
    desk.write("may.yaml", chain(0.1, 320.0, "radtan").as_bytes());
    desk.write("june.yaml", chain(0.105, 323.0, "radtan").as_bytes());
    desk.write("odd.yaml", chain(0.1, 320.0, "fov").as_bytes());
    let of = |metric: &str, [earlier, later]: [&str; 2], more: &[&str]| {
        let files = ["--earlier", earlier, "--later", later];
        run(&desk, metric, &[files.as_slice(), more].concat())
    };
    let moved = of("calibration.extrinsic", ["may.yaml", "june.yaml"], &[]).expect_code(0).json();
    assert!((moved["value"].as_f64().unwrap() - 5.0).abs() < 1e-9, "{moved}");
    assert_eq!(moved["rotation_mrad"], 0.0);
    let sensor = &moved["sensors"][0];
    assert_eq!(sensor["sensor"], "cam0 in imu");
    // More to the inertial unit's right by the camera's axes is the camera more to the left.
    assert!((sensor["x_mm"].as_f64().unwrap() + 5.0).abs() < 1e-9, "{sensor}");
    let shift = of("calibration.reprojection_shift", ["may.yaml", "june.yaml"], &[]);
    let shift = shift.expect_code(0).json();
    assert!((shift["value"].as_f64().unwrap() - 3.0).abs() < 1e-9, "{shift}");
    let unknown = of("calibration.reprojection_shift", ["may.yaml", "odd.yaml"], &[]);
    let unknown = unknown.expect_code(3).json();
    assert!(unknown["cameras"][0]["reason"].as_str().unwrap().contains("pinhole-fov"), "{unknown}");
    let none = ["--sensor", "cam1"];
    let none = of("calibration.extrinsic", ["may.yaml", "june.yaml"], &none).expect_code(2).stderr;
    assert!(none.contains("cam0 in imu"), "{none}");
    desk.write("bad.yaml", b"cam0:\n  intrinsics: [1, 2, three, 4]\n");
    let bad = of("calibration.extrinsic", ["may.yaml", "bad.yaml"], &[]).expect_code(2).stderr;
    assert!(bad.contains("bad.yaml") && bad.contains("line 2"), "{bad}");
    of("calibration.extrinsic", ["may.yaml", "absent.yaml"], &[]).expect_code(2);
}

#[test]
fn a_log_has_the_calibration_of_itself() {
    let desk = Desk::new();
    let log = quickstart("simul.mcap");
    let log = log.to_str().unwrap();
    let files = ["--earlier", log, "--later", log];
    let same = run(&desk, "calibration.extrinsic", &files).expect_code(0).json();
    assert_eq!((&same["value"], &same["rotation_mrad"]), (&0.0.into(), &0.0.into()));
    assert!(same["sensor_count"].as_u64().unwrap() > 0, "{same}");
}
