//! Writing and reading back, and feeding in any pieces.

use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*};
use tiepoint_formats::{ChannelKey, Container, Samples, Table, WriteError, read_all, write_mcap};
use tiepoint_model::{Pose3, PoseSample, RawMessage, Stamps, Timestamp};

use crate::laws::{assert_same, cases, channels, read_in_pieces};
use crate::make::{key, no_metadata, small_rawlog};

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn what_is_written_is_read_back(
        channels in channels(),
        metadata in proptest::collection::btree_map(
            "[a-z]{0,4}", proptest::collection::btree_map("[a-z]{0,3}", "[ -~]{0,9}", 0..3), 0..3,
        ),
    ) {
        let bytes = write_mcap("ros2", &channels, &metadata).unwrap();
        let (batches, summary) = read_all(Container::Mcap, &bytes).unwrap();

        let mut expected: Vec<_> = channels.iter().filter(|(_, rows)| !rows.is_empty()).collect();
        expected.sort_by_key(|(channel, _)| channel);
        prop_assert_eq!(batches.len(), expected.len());
        for (batch, (channel, samples)) in batches.iter().zip(expected) {
            prop_assert_eq!(&batch.channel, channel);
            assert_same(samples, &batch.samples);
        }
        prop_assert_eq!(&summary.metadata, &metadata);
        prop_assert_eq!(summary.channels.len(), channels.len());
        let rows: usize = channels.iter().map(|(_, samples)| samples.len()).sum();
        prop_assert_eq!(summary.row_count(), rows as u64);
    }

    #[test]
    fn the_same_samples_give_the_same_bytes(channels in channels()) {
        let turned: Vec<_> = channels.iter().rev().cloned().collect();
        let bytes = write_mcap("ros2", &channels, &no_metadata()).unwrap();
        prop_assert_eq!(bytes, write_mcap("ros2", &turned, &no_metadata()).unwrap());
    }

    #[test]
    fn an_mcap_reads_alike_in_any_pieces(
        channels in channels(),
        sizes in vec(1..3000_usize, 1..6),
    ) {
        let bytes = write_mcap("ros2", &channels, &no_metadata()).unwrap();
        let (batches, summary) = read_all(Container::Mcap, &bytes).unwrap();
        let (pieces, pieces_summary) = read_in_pieces(Container::Mcap, &bytes, &sizes);
        prop_assert_eq!(format!("{batches:?}"), format!("{pieces:?}"));
        prop_assert_eq!(summary, pieces_summary);
    }

    #[test]
    fn a_rawlog_reads_alike_in_any_pieces(sizes in vec(1..400_usize, 1..6), compressed: bool) {
        let log = small_rawlog();
        let bytes = if compressed { log.gzip() } else { log.0 };
        let (batches, summary) = read_all(Container::Rawlog, &bytes).unwrap();
        let (pieces, pieces_summary) = read_in_pieces(Container::Rawlog, &bytes, &sizes);
        prop_assert_eq!(format!("{batches:?}"), format!("{pieces:?}"));
        prop_assert_eq!(summary, pieces_summary);
    }

    #[test]
    fn a_text_reads_alike_in_any_pieces(sizes in vec(1..50_usize, 1..6)) {
        let text = b"# stamp\r\n1.5 1 2 3 0 0 0 1\r\n\r\n2.5 4 5 6 0 0 1 0";
        let (batches, summary) = read_all(Container::Tum, text).unwrap();
        prop_assert_eq!(summary.row_count(), 2);
        prop_assert_eq!((batches, summary), read_in_pieces(Container::Tum, text, &sizes));
    }
}

#[test]
fn messages_are_merged_by_log_time_and_then_topic() {
    let raw = |times: &[i64]| {
        let row = |time: &i64| RawMessage {
            stamps: Stamps { log: Timestamp(*time), publish: Some(Timestamp(*time)), sensor: None },
            payload: vec![],
        };
        Samples::Raw(times.iter().map(row).collect())
    };
    // `/a` runs back in time: its own order is kept.
    let channels = [(key("/b", "", "x"), raw(&[1, 2, 9])), (key("/a", "", "x"), raw(&[2, 5, 3]))];
    let bytes = write_mcap("", &channels, &no_metadata()).unwrap();
    let order: Vec<(String, u64)> = mcap::MessageStream::new(&bytes)
        .unwrap()
        .map(|message| {
            let message = message.unwrap();
            (message.channel.topic.clone(), message.log_time)
        })
        .collect();
    let expected = [("/b", 1), ("/a", 2), ("/b", 2), ("/a", 5), ("/a", 3), ("/b", 9)];
    assert_eq!(order, expected.map(|(topic, time)| (topic.to_owned(), time)));
}

#[test]
fn a_time_that_runs_back_is_kept_as_it_is() {
    let poses: Vec<PoseSample> = [5, 3, 3, 4]
        .map(|time| PoseSample {
            stamps: Stamps { log: Timestamp(time), publish: Some(Timestamp(time)), sensor: None },
            frame_id: "map".into(),
            child_frame_id: "base_link".into(),
            frame_from_child: Pose3::identity(),
        })
        .to_vec();
    let channel = ChannelKey::ros2("/pose", Table::Poses).unwrap();
    let bytes = write_mcap("ros2", &[(channel, Samples::Poses(poses.clone()))], &no_metadata());
    let (batches, _) = read_all(Container::Mcap, &bytes.unwrap()).unwrap();
    assert_eq!(batches[0].samples, Samples::Poses(poses));
}

#[test]
fn what_a_message_has_no_place_for_is_refused_and_not_lost() {
    let stamps = |time_ns| Stamps { log: Timestamp(time_ns), publish: None, sensor: None };
    let pose = |time_ns| {
        Samples::Poses(vec![PoseSample {
            stamps: stamps(time_ns),
            frame_id: "map".into(),
            child_frame_id: "base_link".into(),
            frame_from_child: Pose3::identity(),
        }])
    };
    let write = |key: ChannelKey, samples| write_mcap("ros2", &[(key, samples)], &BTreeMap::new());
    let stamped = key("/p", "geometry_msgs/msg/PoseStamped", "cdr");
    assert!(matches!(
        write(stamped, pose(1)),
        Err(WriteError::NoPlace { field: "child_frame_id", .. })
    ));
    let odometry = ChannelKey::ros2("/p", Table::Poses).unwrap();
    assert!(matches!(
        write(odometry.clone(), pose(-1)),
        Err(WriteError::StampOutOfRange { time_ns: -1, .. })
    ));
    let text = key("/p", "tum", "text");
    let error = write(text, pose(1)).unwrap_err();
    assert!(matches!(error, WriteError::UnknownEncoding { .. }), "{error}");
    let scan = ChannelKey::ros2("/p", Table::Scans).unwrap();
    let error = write(scan, pose(1)).unwrap_err();
    assert!(matches!(error, WriteError::UnknownMessageType { .. }), "{error}");
    assert_eq!(error.hint(), "write them as `nav_msgs/msg/Odometry`");
    let twice = [(odometry.clone(), pose(1)), (odometry, pose(2))];
    let error = write_mcap("ros2", &twice, &BTreeMap::new()).unwrap_err();
    assert!(matches!(error, WriteError::DuplicateChannel { .. }), "{error}");
}
