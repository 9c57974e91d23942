//! A rawlog converted to MCAP holds the same samples, and its ground truth the scans' times.

use std::collections::BTreeMap;

use tiepoint_formats::{
    BeaconPosition, Container, ConvertError, ConvertOptions, GroundTruthLayout, Samples,
    TrajectoryFormat, convert_rawlog_to_mcap, read_all, read_trajectory,
};
use tiepoint_model::Timestamp;

use crate::make::small_rawlog;

fn options(ground_truth_layout: GroundTruthLayout) -> ConvertOptions {
    ConvertOptions {
        beacons: vec![BeaconPosition { beacon_id: 2, position_in_map_m: [4.0, -4.5, 1.0] }],
        ground_truth_layout,
        metadata: BTreeMap::from([("source".to_owned(), BTreeMap::new())]),
    }
}

#[test]
fn the_mcap_holds_what_the_rawlog_holds_and_the_beacons() {
    let log = small_rawlog().gzip();
    let options = options(GroundTruthLayout::UnixSeconds);
    let converted = convert_rawlog_to_mcap(&log, None, &options).unwrap();
    assert_eq!(converted, convert_rawlog_to_mcap(&log, None, &options).unwrap());
    assert_eq!(converted.ground_truth_tum, None);
    assert_eq!(converted.warnings.len(), 1);

    let (before, _) = read_all(Container::Rawlog, &log).unwrap();
    let (after, summary) = read_all(Container::Mcap, &converted.mcap).unwrap();
    assert_eq!(summary.metadata, options.metadata);
    for batch in before {
        let read = &after.iter().find(|b| b.channel.topic == batch.channel.topic).unwrap().samples;
        let times = |samples: &Samples| -> Vec<(Timestamp, Option<Timestamp>)> {
            samples.stamps().iter().map(|stamps| (stamps.log, stamps.sensor)).collect()
        };
        match (&batch.samples, read) {
            (Samples::Transforms(laser), Samples::Transforms(rows)) => {
                assert_eq!(rows[0].child_frame_id, "beacon_2");
                assert_eq!(rows[0].parent_frame_id, "map");
                let position_m = rows[0].parent_from_child.translation_m;
                assert_eq!(position_m.as_slice(), [4.0, -4.5, 1.0]);
                assert_eq!(rows[1].parent_from_child, laser[0].parent_from_child);
            }
            (Samples::Scans(before), Samples::Scans(after)) => {
                for (a, b) in before.iter().zip(after) {
                    assert_eq!(format!("{:?}", a.ranges_m), format!("{:?}", b.ranges_m));
                    // The message holds angles as f32.
                    assert!((a.angle_min_rad - b.angle_min_rad).abs() < 1e-7);
                }
                assert_eq!(times(&batch.samples), times(read));
            }
            (before, _) => assert_eq!(times(before), times(read)),
        }
    }
}

#[test]
fn ground_truth_has_the_exact_times_of_its_scans() {
    let log = small_rawlog().0;
    let convert = |text: &str, layout| {
        let converted = convert_rawlog_to_mcap(&log, Some(text), &options(layout))?;
        let tum = converted.ground_truth_tum.unwrap();
        let read = read_trajectory(TrajectoryFormat::Tum, tum.as_bytes()).unwrap();
        Ok::<_, ConvertError>((read, converted.warnings))
    };
    let by_index = GroundTruthLayout::FrameIndex { offset: 1 };
    let (read, _) = convert("0 1 2 0.5\n1 3 4 -3\n", by_index).unwrap();
    assert_eq!(read.stamps(), [Timestamp(1_001_500_000_000), Timestamp(1_003_000_000_000)]);
    let pose = read.poses()[1].in_plane();
    assert_eq!((pose.x_m, pose.y_m), (3.0, 4.0));
    assert!((pose.yaw_rad + 3.0).abs() < 1e-15);

    let by_time = GroundTruthLayout::UnixSeconds;
    let text = "1000.000001 0 0 0\n1001.499999 1 0 0\n1003.0 2 0 0\n1004.0 3 0 0\n";
    let (read, warnings) = convert(text, by_time).unwrap();
    let stamps = [1_000_000_000_000, 1_001_500_000_000, 1_003_000_000_000].map(Timestamp);
    assert_eq!(read.stamps(), stamps);
    assert!(warnings[1].starts_with("1 rows of ground truth behind the last scan"));

    let refused = |text, layout| convert(text, layout).unwrap_err().to_string();
    let said = refused("5 0 0 0", by_index);
    assert_eq!(said, "ground truth, line 1: row 5 belongs to no scan");
    let said = refused("1000.1 0 0 0", by_time);
    assert!(said.contains("its time is 100000000 ns"), "{said}");
    assert_eq!(refused("0 1 2", by_index), "ground truth, line 1: there are 3 fields, not 4");
    assert_eq!(refused("", by_index), "ground truth, line 1: there is no row");
}
