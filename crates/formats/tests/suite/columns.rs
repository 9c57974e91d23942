//! Batches give back what they were made of, and the schemas are a published format.

use std::fmt::Write;

use arrow::datatypes::Schema;
use expect_test::expect_file;
use proptest::prelude::*;
use tiepoint_formats::{
    Samples, Table,
    columns::{
        ColumnsError, channels_schema, channels_to_batch, derivations_from_batch,
        derivations_schema, derivations_to_batch, files_from_batch, files_schema, files_to_batch,
        findings_schema, findings_to_batch, from_batch, recordings_from_batches, recordings_schema,
        recordings_to_batch, schema, to_batch,
    },
};
use tiepoint_model::{
    Channel, Derivation, Digest, EdgeKind, Excerpt, LineageEdge, Origin, Pose3, PoseSample,
    Recording, RecordingId, RegisteredFile, Seed, Stamps, Timestamp,
    quality::{
        ChannelOffset, ChannelQuality, ClockQuality, Finding, FindingKind, QualityVerdict,
        RecordingFinding, RecordingQuality,
    },
};

use crate::laws::{assert_same, cases, samples};

fn id() -> RecordingId {
    RecordingId("rec-0123456789abcdef".into())
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn a_batch_gives_back_its_samples(
        channels in Table::ALL.map(samples).to_vec(),
        first_sequence: u64,
    ) {
        for samples in channels {
            let batch = to_batch(&id(), "/topic", first_sequence, &samples).unwrap();
            prop_assert_eq!(batch.schema(), schema(samples.table()));
            prop_assert_eq!(batch.num_rows(), samples.len());
            assert_same(&samples, &from_batch(samples.table(), &batch).unwrap());
        }
    }
}

#[test]
fn a_pose_without_rotation_survives_its_batch() {
    let mut frame_from_child = Pose3::identity();
    frame_from_child.rotation.fill(f64::NAN);
    let stamps = Stamps { log: Timestamp(i64::MIN), publish: None, sensor: None };
    let pose = PoseSample {
        stamps,
        frame_id: String::new(),
        child_frame_id: String::new(),
        frame_from_child,
    };
    let samples = Samples::Poses(vec![pose]);
    let batch = to_batch(&id(), "/p", 0, &samples).unwrap();
    let read = from_batch(Table::Poses, &batch).unwrap();
    assert_eq!(format!("{read:?}"), format!("{samples:?}"));
}

#[test]
fn a_batch_of_another_table_is_refused_with_the_column() {
    let batch = to_batch(&id(), "/s", 0, &Samples::empty(Table::Scans)).unwrap();
    let error = from_batch(Table::Imu, &batch).unwrap_err();
    assert!(matches!(error, ColumnsError::MissingColumn { table: "imu", column: "qx" }), "{error}");
    let error = from_batch(Table::Points, &batch).unwrap_err();
    assert!(matches!(error, ColumnsError::MissingColumn { column: "x_m", .. }), "{error}");
    let points = to_batch(&id(), "/s", 0, &Samples::empty(Table::Points)).unwrap();
    let error = from_batch(Table::Poses, &points).unwrap_err();
    assert!(matches!(error, ColumnsError::ColumnType { column: "x_m", .. }), "{error}");
}

fn digest(byte: u8) -> Digest {
    Digest([byte; 32])
}

fn recording(number: u8, derivation: Option<Derivation>) -> Recording {
    let quality = ChannelQuality {
        verdict: QualityVerdict::Fail,
        rate_hz: Some(0.1 + 0.2),
        jitter_share: Some(1e-300),
        rate_deviation_share: None,
        gap_count: 3,
        gap_ns_max: i64::MAX,
        gap_share: Some(0.25),
        runs_back_count: 1,
        duplicate_count: 2,
        value_count: u64::MAX,
        nan_count: 4,
        out_of_range_count: 5,
        clock: Some(ClockQuality {
            count: 7,
            offset_s: -0.1,
            drift_ppm: None,
            delay_s: 1e-9,
            delay_s_p99: 0.3,
        }),
        frozen_s: Some(0.5),
        saturated_share: None,
        findings: vec![Finding { kind: FindingKind::Gaps, value: 0.25, limit: 0.05, count: 3 }],
    };
    let channel = |topic: &str| Channel {
        topic: topic.into(),
        message_type: "sensor_msgs/msg/LaserScan".into(),
        encoding: "cdr".into(),
        table: "scans".into(),
        message_count: 7,
        start_time_ns: Timestamp(-1),
        end_time_ns: Timestamp(i64::MAX),
        content_digest: digest(number),
        quality: quality.clone(),
    };
    Recording {
        recording_id: RecordingId(format!("rec-{number}")),
        name: "run.mcap".into(),
        origin: if derivation.is_some() { Origin::Synthetic } else { Origin::Real },
        derivation,
        container: "mcap".into(),
        start_time_ns: Timestamp(1),
        end_time_ns: Timestamp(2),
        originals: (0..number).map(digest).collect(),
        original_names: (0..number).map(|n| format!("folder/run {n}.bag")).collect(),
        content_digest: digest(9),
        rig: (number == 1).then(|| "rig \"7\"".into()),
        channels: vec![channel("/a"), channel("/b")],
        quality: RecordingQuality {
            offsets: vec![ChannelOffset {
                reference: "/a".into(),
                channel: "/b".into(),
                lag_s: Some(0.1 + 0.2),
                correlation: 0.9,
                reason: String::new(),
            }],
            findings: vec![RecordingFinding {
                subject: "base to lidar".into(),
                finding: Finding {
                    kind: FindingKind::ExtrinsicsShift,
                    value: 12.0,
                    limit: 5.0,
                    count: 1,
                },
            }],
            losses: (0..number).map(|at| format!("byte {at}")).collect(),
        },
    }
}

#[test]
fn the_catalogue_gives_back_its_recordings() {
    let generated = Derivation::Generated {
        generator: "tiepoint 0.1.0".into(),
        inputs_digest: digest(1),
        seed: Seed(u64::MAX),
        anchors: vec![RecordingId("rec-0".into())],
        generation_depth: 1,
    };
    let unknown = Derivation::Unknown { reason: "no \"name\"".into() };
    let recordings =
        [recording(0, None), recording(1, Some(generated)), recording(2, Some(unknown))];
    let rows = recordings_to_batch(&recordings).unwrap();
    let channels = channels_to_batch(&recordings).unwrap();
    assert_eq!(channels.num_rows(), 6);
    assert_eq!(recordings_from_batches(&rows, &channels).unwrap(), recordings);
    let findings = findings_to_batch(&recordings).unwrap();
    assert_eq!(findings.num_rows(), 9, "one of each channel, one of each recording");
    let none = recordings_to_batch(&[]).unwrap();
    assert_eq!(recordings_from_batches(&none, &channels).unwrap(), []);
}

#[test]
fn registered_files_come_back_as_they_were() {
    let file = |index: u8| RegisteredFile {
        file_id: format!("file-{index}"),
        name: format!("folder/\u{e4} {index}"),
        size_bytes: u64::MAX - u64::from(index),
        blake3: Digest([index; 32]),
        sha256: Digest([!index; 32]),
    };
    let files = [file(0), file(7)];
    assert_eq!(files_from_batch(&files_to_batch(&files).unwrap()).unwrap(), files);
    assert_eq!(files_from_batch(&files_to_batch(&[]).unwrap()).unwrap(), []);
}

#[test]
fn a_quality_that_is_not_finite_is_refused_and_not_lost() {
    let mut recordings = [recording(0, None)];
    recordings[0].channels[1].quality.rate_hz = Some(f64::NAN);
    let error = channels_to_batch(&recordings).unwrap_err();
    let expected = "column `quality_json` of table `channels`, row 1: a number is not finite";
    assert_eq!(error.to_string(), expected);
    recordings[0].quality.offsets[0].correlation = f64::INFINITY;
    let error = recordings_to_batch(&recordings).unwrap_err();
    assert!(error.to_string().contains("table `recordings`, row 0"), "{error}");
}

fn listing(schema: &Schema) -> String {
    let get = |map: &std::collections::HashMap<String, String>, key: &str| map[key].clone();
    let mut text = format!(
        "{} (format {})\n",
        get(schema.metadata(), "table"),
        get(schema.metadata(), "format_version")
    );
    for field in schema.fields() {
        let null = if field.is_nullable() { "?" } else { "" };
        let [unit, frame, description] =
            ["unit", "frame", "description"].map(|key| get(field.metadata(), key));
        writeln!(
            text,
            "  {}: {}{null} [{unit}] [{frame}] {description}",
            field.name(),
            field.data_type()
        )
        .unwrap();
    }
    text
}

#[test]
fn schemas_are_as_published() {
    let mut text: String = Table::ALL.iter().map(|table| listing(&schema(*table))).collect();
    text += &listing(&recordings_schema());
    text += &listing(&channels_schema());
    text += &listing(&findings_schema());
    text += &listing(&derivations_schema());
    text += &listing(&files_schema());
    expect_file!["../schemas.txt"].assert_eq(&text);
}

#[test]
fn edges_come_back_as_they_were() {
    let whole = Excerpt::whole("verdict-1");
    let span = Excerpt::whole("rec-1").of_part("/scan").between(Timestamp(i64::MIN), Timestamp(0));
    let edges: Vec<LineageEdge> = EdgeKind::ALL
        .into_iter()
        .map(|kind| LineageEdge { child: whole.clone(), kind, parent: span.clone() })
        .collect();
    let back = derivations_from_batch(&derivations_to_batch(&edges).unwrap()).unwrap();
    assert_eq!(back, edges);
    assert!(derivations_from_batch(&derivations_to_batch(&[]).unwrap()).unwrap().is_empty());
}
