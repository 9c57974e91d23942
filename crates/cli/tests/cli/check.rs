//! Quality at the door: what `check` says without a lake is what `ingest` keeps in it.

use std::collections::BTreeMap;

use tiepoint_formats::{ChannelKey, Samples, write_mcap};
use tiepoint_model::{
    CameraIntrinsics, ImageRegion, ImuSample, Pose3, Scan, Stamps, Timestamp, TransformSample,
};

use crate::{Desk, quickstart};

const SECOND: i64 = 1_000_000_000;

fn stamps(time_ns: i64) -> Stamps {
    let time = Timestamp(1_700_000_000 * SECOND + time_ns);
    Stamps { log: time, publish: Some(time), sensor: Some(time) }
}

fn scan(time_ns: i64, range_m: f32) -> Scan {
    Scan {
        stamps: stamps(time_ns),
        frame_id: "lidar".into(),
        angle_min_rad: 0.0,
        angle_increment_rad: 0.1,
        range_min_m: 0.1,
        range_max_m: 30.0,
        time_increment_s: 0.0,
        ranges_m: vec![range_m; 5],
        intensities: Vec::new(),
    }
}

fn transform(parent: &str, child: &str, x_m: f64) -> TransformSample {
    let mut parent_from_child = Pose3::identity();
    parent_from_child.translation_m.x = x_m;
    TransformSample {
        stamps: stamps(0),
        parent_frame_id: parent.into(),
        child_frame_id: child.into(),
        parent_from_child,
    }
}

fn camera(time_ns: i64, centre_x_px: f64) -> Samples {
    Samples::Cameras(vec![CameraIntrinsics {
        stamps: stamps(time_ns),
        frame_id: "camera".into(),
        height_px: 480,
        width_px: 640,
        distortion_model: "plumb_bob".into(),
        distortion: vec![-0.1, 0.01, 0.0, 0.0, 0.0],
        camera_matrix_px: [500.0, 0.0, centre_x_px, 0.0, 500.0, 240.0, 0.0, 0.0, 1.0],
        rectified_from_optical: [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        projection_px: [0.0; 12],
        binning_x: 0,
        binning_y: 0,
        region: ImageRegion::default(),
    }])
}

fn log(channels: &[(&str, Samples)]) -> Vec<u8> {
    let channels: Vec<(ChannelKey, Samples)> = channels
        .iter()
        .map(|(topic, samples)| {
            (ChannelKey::ros2(topic, samples.table()).unwrap(), samples.clone())
        })
        .collect();
    write_mcap("ros2", &channels, &BTreeMap::new()).unwrap()
}

/// A pass of a rig whose scanner sits `x_m` ahead; scans at 10 Hz for 10 s, each a little other.
fn pass(x_m: f64, stamp: f32) -> Vec<u8> {
    let scans = (0..100_u8).map(|i| scan(i64::from(i) * SECOND / 10, stamp + f32::from(i) * 0.01));
    log(&[
        ("/camera_info", camera(0, 320.0)),
        ("/scan", Samples::Scans(scans.collect())),
        ("/tf_static", Samples::Transforms(vec![transform("base", "lidar", x_m)])),
    ])
}

/// `subject kind` of every finding in the report of one log.
fn findings(report: &serde_json::Value) -> Vec<String> {
    let of = |list: &serde_json::Value, subject: Option<&str>| -> Vec<String> {
        let found = list.as_array().unwrap().iter();
        found
            .map(|found| {
                let subject = subject.or(found["subject"].as_str()).unwrap();
                format!("{subject}: {}", found["kind"].as_str().unwrap())
            })
            .collect()
    };
    let mut all = of(&report["quality"]["findings"], None);
    for channel in report["channels"].as_array().unwrap() {
        all.extend(of(&channel["quality"]["findings"], channel["topic"].as_str()));
    }
    all
}

#[test]
fn check_says_without_a_lake_what_ingest_keeps_in_it() {
    let desk = Desk::with_lake();
    for name in ["uwb.mcap", "sena.mcap"] {
        let file = quickstart(name);
        let file = file.to_str().unwrap();
        let checked = desk.run(&["check", file, "--json"]);
        let before = desk.lake_files();
        let ingested = desk.run(&["ingest", file, "--json"]).expect_code(0).json();
        assert_ne!(before, desk.lake_files());
        let (log, recording) = (&checked.json()["logs"][0], &ingested["recordings"][0]);
        assert_eq!(findings(&log["report"]), findings(recording), "{name}");
        assert_eq!(log["passes"], findings(recording).is_empty());
        assert_eq!(checked.code, i32::from(!findings(recording).is_empty()));
    }
}

#[test]
fn every_planted_fault_is_found_and_nothing_else() {
    let desk = Desk::new();
    desk.write("good.mcap", &pass(0.2, 1.0));
    let good = desk.run(&["check", "good.mcap", "--json"]).expect_code(0);
    assert_eq!(findings(&good.json()["logs"][0]["report"]), [""; 0]);

    // Frozen for 3 s; gone for 2 s.
    let mut scans: Vec<Scan> = (0..100_i64)
        .filter(|i| !(70..90).contains(i))
        .map(|i| scan(i * SECOND / 10, if (20..=50).contains(&i) { 5.0 } else { i as f32 * 0.1 }))
        .collect();
    scans[5].ranges_m = vec![f32::NAN; 5];
    // The gyroscope's clock runs away by 1 ms a second and its first axis ends at 2 rad/s.
    let readings = (0..3000_i64).map(|i| {
        let wave = (i % 200 - 100) as f64 * 0.03;
        ImuSample {
            stamps: Stamps {
                sensor: Some(Timestamp(stamps(0).log.0 + i * 9_990_000)),
                ..stamps(i * 10_000_000)
            },
            frame_id: "imu".into(),
            orientation_xyzw: None,
            angular_rate_rad_per_s: [wave.clamp(-2.0, 2.0), wave, 0.0],
            acceleration_m_per_s2: [0.0, 0.0, 9.81],
        }
    });
    let transforms = vec![
        transform("base", "lidar", 0.0),
        transform("odom", "lidar", 0.0),
        transform("a", "b", 0.0),
        transform("b", "a", 0.0),
    ];
    let bytes = log(&[
        ("/scan", Samples::Scans(scans)),
        ("/imu", Samples::Imu(readings.collect())),
        ("/tf_static", Samples::Transforms(transforms)),
    ]);
    desk.write("bad.mcap", &bytes);
    let bad = desk.run(&["check", "bad.mcap", "--json"]).expect_code(1).json();
    let expected = [
        "lidar under base and odom: transform_two_parents",
        "a, b: transform_cycle",
        "imu: transform_disconnected",
        "/imu: clock_drift",
        "/imu: saturated",
        "/scan: gaps",
        "/scan: frozen",
    ];
    assert_eq!(findings(&bad["logs"][0]["report"]), expected);
    let text = desk.run(&["check", "bad.mcap"]).expect_code(1).stdout;
    assert!(text.contains("sensor clock drifts by 1001.001 ppm (limit 100 ppm)"), "{text}");
}

#[test]
fn a_mounting_that_moved_since_the_last_pass_of_the_rig_is_found() {
    let desk = Desk::with_lake();
    let kinds = |desk: &Desk, name: &str, rig: &str| {
        let ingested = desk.run(&["ingest", name, "--rig", rig, "--json"]).expect_code(0).json();
        findings(&ingested["recordings"][0])
    };
    desk.write("first.mcap", &pass(0.2, 1.0));
    desk.write("other.mcap", &pass(0.3, 3.0));
    desk.write("second.mcap", &later_pass());
    assert_eq!(kinds(&desk, "first.mcap", "r7"), [""; 0]);
    assert_eq!(kinds(&desk, "other.mcap", "r8"), [""; 0], "another rig");
    let expected = [
        "base to lidar, since the last pass: extrinsics_shift",
        "/camera_info, since the last pass: intrinsics_shift",
    ];
    assert_eq!(kinds(&desk, "second.mcap", "r7"), expected);
    let sql = "SELECT kind, value, unit, \"limit\" FROM findings ORDER BY kind";
    let rows = desk.run(&["query", sql, "--json"]).expect_code(0).json();
    let row = &rows["rows"][0];
    assert_eq!(
        (row["kind"].as_str(), row["unit"].as_str()),
        (Some("extrinsics_shift"), Some("mm"))
    );
    assert!((row["value"].as_f64().unwrap() - 12.0).abs() < 1e-6);
}

/// As [`pass`], an hour later, with the scanner 12 mm further ahead and the image 3 px further left.
fn later_pass() -> Vec<u8> {
    let hour = 3600 * SECOND;
    let scans = (0..100_u8).map(|i| scan(hour + i64::from(i) * SECOND / 10, f32::from(i) * 0.02));
    let mut mounting = transform("base", "lidar", 0.212);
    mounting.stamps = stamps(hour);
    log(&[
        ("/camera_info", camera(hour, 323.0)),
        ("/scan", Samples::Scans(scans.collect())),
        ("/tf_static", Samples::Transforms(vec![mounting])),
    ])
}

#[test]
fn a_check_of_what_is_no_log_names_the_file_and_the_next_step() {
    let desk = Desk::new();
    desk.write("notes.txt", b"not a log at all\n");
    let outcome = desk.run(&["check", "notes.txt"]).expect_code(2);
    assert!(outcome.stderr.contains("notes.txt"), "{}", outcome.stderr);
    let list = desk.run(&["check", "--list"]).expect_code(0).stdout;
    assert!(list.contains("clock_drift") && list.contains("ppm"), "{list}");
}

#[test]
fn a_damaged_log_is_refused_whole_and_recovered_only_when_asked() {
    let desk = Desk::with_lake();
    let whole = std::fs::read(quickstart("simul.mcap")).unwrap();
    desk.write("cut.mcap", &whole[..whole.len() * 2 / 3]);
    let before = desk.lake_files();
    let refused = desk.run(&["ingest", "cut.mcap"]);
    assert!(matches!(refused.code, 2 | 5), "{}", refused.stderr);
    assert!(refused.stderr.contains("cut.mcap"), "{}", refused.stderr);
    assert_eq!(before, desk.lake_files(), "a refused log leaves nothing");
    assert_ne!(desk.run(&["check", "cut.mcap"]).code, 0);

    let recovered = desk.run(&["ingest", "cut.mcap", "--recover", "--json"]).expect_code(3).json();
    let recording = &recovered["recordings"][0];
    let losses = recording["quality"]["losses"].as_array().unwrap();
    assert_eq!(losses.len(), 1, "{losses:?}");
    assert!(losses[0].as_str().unwrap().starts_with("bytes "), "{losses:?}");
    let sql = "SELECT loss_count FROM recordings";
    let rows = desk.run(&["query", sql, "--json"]).expect_code(0).json();
    assert_eq!(rows["rows"][0]["loss_count"], 1);
    desk.run(&["verify"]).expect_code(0);

    // What was kept is what the whole log begins with.
    desk.run(&["ingest", quickstart("simul.mcap").to_str().unwrap()]).expect_code(0);
    let sql = "SELECT r.name, count(*) AS n, max(s.sequence) AS last FROM scans s JOIN recordings r \
               ON s.recording_id = r.recording_id GROUP BY r.name ORDER BY r.name";
    let rows = desk.run(&["query", sql, "--json"]).expect_code(0).json();
    let kept = rows["rows"][0]["n"].as_i64().unwrap();
    assert!(kept > 100 && kept < 1733, "{rows}");
    assert_eq!(rows["rows"][0]["last"].as_i64(), Some(kept - 1));
}

#[test]
fn what_is_exported_is_the_recording_again() {
    let desk = Desk::with_lake();
    let file = quickstart("uwb.mcap");
    desk.run(&["ingest", file.to_str().unwrap()]).expect_code(0);
    let exported =
        desk.run(&["export", "uwb", "--out", "out/again.mcap", "--json"]).expect_code(0).json();
    assert_eq!(exported["left_out"].as_array().unwrap().len(), 0);
    // The same samples have the same digests, channel by channel, in any lake.
    let digests = |path: &str| {
        let read = desk.run(&["ingest", path, "--dry-run", "--json"]).expect_code(0).json();
        let channels = read["recordings"][0]["channels"].as_array().unwrap().clone();
        let of = |channel: &serde_json::Value| {
            (channel["topic"].to_string(), channel["content_digest"].to_string())
        };
        channels.iter().map(of).collect::<Vec<_>>()
    };
    assert_eq!(digests(file.to_str().unwrap()).len(), 4);
    let (before, after) = (digests(file.to_str().unwrap()), digests("out/again.mcap"));
    let topics = |list: &[(String, String)]| -> Vec<String> {
        list.iter().map(|pair| pair.0.clone()).collect()
    };
    assert_eq!(topics(&before), topics(&after));
    let original = ["export", "uwb", "--format", "original", "--out", "same.mcap"];
    desk.run(&original).expect_code(0);
    assert_eq!(std::fs::read(desk.path("same.mcap")).unwrap(), std::fs::read(&file).unwrap());
    let unknown = desk.run(&["export", "nobody", "--out", "x.mcap"]).expect_code(2);
    assert!(unknown.stderr.contains("uwb"), "{}", unknown.stderr);
    assert!(!desk.path("x.mcap").exists());
    let twice = desk.run(&["export", "uwb", "--out", "same.mcap"]).expect_code(2);
    assert!(twice.stderr.contains("exists already"), "{}", twice.stderr);
}

#[test]
fn a_table_is_a_recording_once_a_projection_lies_beside_it() {
    let desk = Desk::with_lake();
    let rows = (0..50).map(|i| format!("{},{},0,0,0,0,9.81\n", i * 10, f64::from(i) * 0.01));
    let text = format!("t_ms,gx,gy,gz,ax,ay,az\n{}", rows.collect::<String>());
    desk.write("imu.csv", text.as_bytes());
    let refused = desk.run(&["ingest", "imu.csv"]).expect_code(2);
    assert!(refused.stderr.contains("imu.csv") && refused.stderr.contains(".csv.toml"));
    // The hint holds a projection that works; columns have no unit there, so they are signals.
    let (_, example) = refused.stderr.split_once("starting from").unwrap();
    desk.write("imu.csv.toml", example.trim_start().as_bytes());
    let ingested = desk.run(&["ingest", "imu.csv", "--json"]).expect_code(0).json();
    let recording = &ingested["recordings"][0];
    assert_eq!(recording["channels"][0]["message_count"], 50, "{recording}");
    let exported = desk.run(&["export", "imu", "--format", "original", "--out", "copy"]);
    exported.expect_code(0);
    assert_eq!(std::fs::read(desk.path("copy/imu.csv")).unwrap(), text.as_bytes());
    assert!(desk.path("copy/imu.csv.toml").exists());
    desk.run(&["verify", "--deep"]).expect_code(0);
}
