//! Streaming export: any batches give the same file, and the file says what it is made of.

use std::{
    borrow::Cow,
    collections::{BTreeMap, VecDeque},
};

use proptest::{collection::vec, prelude::*};
use tiepoint_formats::{
    ChannelKey, Container, Definition, ExportChannel, McapExport, Samples, Table, WriteError,
    read_all, recording_metadata, signals_definition, write_mcap,
};
use tiepoint_model::{
    Channel, Digest, Origin, Recording, RecordingId, SignalField, SignalSample, Stamps, Timestamp,
    quality::QualityVerdict,
    quality::{ChannelQuality, RecordingQuality},
};

use crate::laws::{cases, samples};
use crate::make::{key, no_metadata};

/// Pieces of up to `size` rows each.
fn pieces(samples: &Samples, size: usize) -> VecDeque<Samples> {
    macro_rules! cut {
        ($($variant:ident),*) => {
            match samples {
                $(Samples::$variant(rows) => {
                    rows.chunks(size).map(|rows| Samples::$variant(rows.to_vec())).collect()
                })*
                other => VecDeque::from([other.clone()]),
            }
        };
    }
    cut!(Scans, Poses, Transforms, Twists, Ranges, Raw)
}

fn declared(key: &ChannelKey, table: Table) -> ExportChannel {
    ExportChannel { key: key.clone(), table, definition: None, metadata: BTreeMap::new() }
}

const TABLES: [Table; 5] =
    [Table::Poses, Table::Transforms, Table::Twists, Table::Ranges, Table::Raw];

fn channel_key(table: Table) -> ChannelKey {
    ChannelKey::ros2(&format!("/{table}"), table).unwrap_or_else(|| key("/raw", "a/msg/B", "cdr"))
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn any_batches_give_the_same_file(
        all in TABLES.map(samples).to_vec(),
        sizes in vec(1..4_usize, TABLES.len()),
    ) {
        let channels: Vec<(ChannelKey, Samples)> =
            TABLES.into_iter().map(channel_key).zip(all).collect();
        let whole = write_mcap("ros2", &channels, &no_metadata()).unwrap();
        let list = channels.iter().map(|(key, rows)| declared(key, rows.table())).collect();
        let mut export = McapExport::new(Vec::new(), "ros2", &no_metadata(), list).unwrap();
        let mut left: Vec<VecDeque<Samples>> =
            channels.iter().zip(&sizes).map(|((_, rows), size)| pieces(rows, *size)).collect();
        while let Some(index) = export.wants() {
            match left[index].pop_front() {
                Some(rows) => export.give(index, Cow::Owned(rows)).unwrap(),
                None => export.end(index).unwrap(),
            }
        }
        prop_assert_eq!(export.finish().unwrap(), whole);
    }
}

fn recording() -> Recording {
    let channel = |topic: &str, message_type: &str, encoding: &str, table: Table| Channel {
        topic: topic.into(),
        message_type: message_type.into(),
        encoding: encoding.into(),
        table: table.as_str().into(),
        message_count: 0,
        start_time_ns: Timestamp(0),
        end_time_ns: Timestamp(0),
        content_digest: Digest([7; 32]),
        quality: ChannelQuality {
            verdict: QualityVerdict::Unknown,
            rate_hz: None,
            jitter_share: None,
            rate_deviation_share: None,
            gap_count: 0,
            gap_ns_max: 0,
            gap_share: None,
            runs_back_count: 0,
            duplicate_count: 0,
            value_count: 0,
            nan_count: 0,
            out_of_range_count: 0,
            clock: None,
            frozen_s: None,
            saturated_share: None,
            findings: Vec::new(),
        },
    };
    Recording {
        recording_id: RecordingId("rec-0123456789abcdef".into()),
        name: "run.bag".into(),
        origin: Origin::Real,
        rig: None,
        derivation: None,
        quality: RecordingQuality::default(),
        container: "ros1-bag".into(),
        start_time_ns: Timestamp(0),
        end_time_ns: Timestamp(9),
        originals: vec![Digest([1; 32]), Digest([2; 32])],
        original_names: vec!["run.bag".into(), "truth.tum".into()],
        content_digest: Digest([3; 32]),
        channels: vec![
            channel("/cmd", "geometry_msgs/Twist", "ros1", Table::Twists),
            channel("/odd", "some_msgs/Thing", "ros1", Table::Raw),
            channel("/tf", "tf/tfMessage", "ros1", Table::Transforms),
            channel("/path", "tum", "text", Table::Poses),
            channel("/camera", "sensor_msgs/Image", "ros1", Table::Images),
        ],
    }
}

#[test]
fn an_export_says_where_it_comes_from_and_keeps_raw_messages_as_they_were() {
    let recording = recording();
    let definition = Definition { language: "ros1msg".into(), text: b"int8 a".to_vec() };
    let of = |channel| ExportChannel::of_recording(channel, Some(definition.clone()));
    let channels: Vec<ExportChannel> = recording.channels.iter().filter_map(of).collect();
    let types: Vec<&str> = channels.iter().map(|c| c.key.message_type.as_str()).collect();
    let expected = [
        "geometry_msgs/msg/Twist",
        "some_msgs/Thing",
        "tf2_msgs/msg/TFMessage",
        "nav_msgs/msg/Odometry",
        "sensor_msgs/msg/Image",
    ];
    assert_eq!(types, expected);
    let metadata = recording_metadata(&recording).unwrap();
    let export = McapExport::new(Vec::new(), "ros2", &metadata, channels).unwrap();
    let bytes = export.finish().unwrap();
    let (_, summary) = read_all(Container::Mcap, &bytes).unwrap();
    assert_eq!(summary.metadata, metadata);
    let said = &summary.metadata["tiepoint.recording"];
    assert_eq!(said["recording_id"], "rec-0123456789abcdef");
    assert_eq!(said["original_1_blake3"], Digest([2; 32]).to_string());
    let raw = ("some_msgs/Thing".to_owned(), "ros1".to_owned());
    assert_eq!(summary.definitions[&raw], definition);
    let read = mcap::Summary::read(&bytes).unwrap().unwrap();
    let cmd = read.channels.values().find(|channel| channel.topic == "/cmd").unwrap();
    assert_eq!(cmd.metadata["tiepoint.content_digest"], Digest([7; 32]).to_string());
    assert_eq!(cmd.metadata["tiepoint.message_type"], "geometry_msgs/Twist");
}

#[test]
fn rows_of_a_channel_that_has_ended_are_refused() {
    let list = vec![declared(&channel_key(Table::Twists), Table::Twists)];
    let mut export = McapExport::new(Vec::new(), "", &no_metadata(), list).unwrap();
    export.end(0).unwrap();
    let rows = Cow::Owned(Samples::empty(Table::Twists));
    let error = export.give(0, rows).unwrap_err();
    assert!(matches!(error, WriteError::NoSuchChannel { channel_index: 0 }), "{error}");
}

/// Other people's readers get every number of a signal under its name, and what is no number as JSON can say it.
#[test]
fn signals_become_json_that_says_every_value() {
    let field = |name: &str, unit: &str| SignalField { name: name.into(), unit: unit.into() };
    let fields: std::sync::Arc<[SignalField]> =
        [field("voltage_v", "V"), field("cells[0].t", ""), field("a", ""), field("b", "")].into();
    let stamps = Stamps {
        log: Timestamp(5),
        publish: Some(Timestamp(5)),
        sensor: Some(Timestamp(i64::MAX)),
    };
    let values = vec![0.1, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
    let row = SignalSample { stamps, fields: fields.clone(), values };
    let key = key("/battery", "battery_status", "json");
    let channel = ExportChannel {
        definition: Some(signals_definition(&fields)),
        ..declared(&key, Table::Signals)
    };
    let mut export = McapExport::new(Vec::new(), "", &no_metadata(), vec![channel]).unwrap();
    export.give(0, Cow::Owned(Samples::Signals(vec![row]))).unwrap();
    let file = export.finish().unwrap();
    let messages: Vec<_> = mcap::MessageStream::new(&file).unwrap().map(Result::unwrap).collect();
    assert_eq!(messages.len(), 1);
    let schema = messages[0].channel.schema.clone().unwrap();
    assert_eq!((schema.encoding.as_str(), schema.name.as_str()), ("jsonschema", "battery_status"));
    let schema: serde_json::Value = serde_json::from_slice(&schema.data).unwrap();
    assert_eq!(schema["type"], "object");
    assert_eq!(schema["properties"]["voltage_v"]["description"], "unit: V");
    let message: serde_json::Value = serde_json::from_slice(&messages[0].data).unwrap();
    let expected = serde_json::json!({
        "voltage_v": 0.1, "cells[0].t": null, "a": "inf", "b": "-inf",
        "@sensor_time_ns": i64::MAX.to_string(),
    });
    assert_eq!(message, expected);
}
