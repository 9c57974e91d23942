//! The meaning of a rawlog: angles, invalid beams, times and dead reckoning.

use tiepoint_formats::{Container, Limits, ReadError, Reader, Samples, TopicBatch, read_all};
use tiepoint_model::{Pose2, Timestamp};

use crate::make::{RawlogBytes, small_rawlog};

fn rows<'a>(batches: &'a [TopicBatch], topic: &str) -> &'a Samples {
    &batches.iter().find(|batch| batch.channel.topic == topic).unwrap().samples
}

#[test]
fn a_pose_has_the_time_of_the_frame_that_its_increment_leads_to() {
    let (batches, summary) = read_all(Container::Rawlog, &small_rawlog().0).unwrap();
    let Samples::Poses(poses) = rows(&batches, "/odom") else { panic!() };
    let expected = [
        (1_000_000_000_000, Pose2::IDENTITY),
        (1_001_500_000_000, Pose2::new(1.0, 0.0, std::f64::consts::FRAC_PI_2)),
        (1_003_000_000_000, Pose2::new(1.0, 1.0, std::f64::consts::FRAC_PI_2)),
    ];
    assert_eq!(poses.len(), expected.len());
    for (pose, (time_ns, odom_from_base)) in poses.iter().zip(expected) {
        assert_eq!(pose.stamps.log, Timestamp(time_ns));
        assert_eq!(pose.stamps.sensor, Some(Timestamp(time_ns)));
        let read = pose.frame_from_child.in_plane();
        assert!(read.distance_m(odom_from_base) < 1e-15);
        assert!((read.yaw_rad - odom_from_base.yaw_rad).abs() < 1e-15);
    }
    let warning = "1 odometry increments behind the last sensory frame were left out; \
                   they have no time";
    assert_eq!(summary.warnings, [warning]);
}

#[test]
fn increments_before_the_first_frame_are_left_out_with_a_warning() {
    let log = RawlogBytes::default().moved(9.0, 9.0, 1.0).frame(&[RawlogBytes::scan(
        10.0,
        &[1.0],
        &[1],
        true,
    )]);
    let (batches, summary) = read_all(Container::Rawlog, &log.0).unwrap();
    let Samples::Poses(poses) = rows(&batches, "/odom") else { panic!() };
    assert_eq!(poses[0].frame_from_child.in_plane(), Pose2::IDENTITY);
    assert!(summary.warnings[0].contains("before the first sensory frame"));
}

#[test]
fn beams_go_from_right_to_left_or_back() {
    for (right_to_left, sign) in [(true, 1.0), (false, -1.0)] {
        let scan = RawlogBytes::scan(10.0, &[1.0; 5], &[1; 5], right_to_left);
        let log = RawlogBytes::default().frame(&[scan]);
        let (batches, _) = read_all(Container::Rawlog, &log.0).unwrap();
        let Samples::Scans(scans) = rows(&batches, "/scan") else { panic!() };
        // An aperture of 2 rad in four steps.
        let angles: Vec<f64> = (0..5).map(|beam| scans[0].angle_rad(beam)).collect();
        assert_eq!(angles, [-1.0, -0.5, 0.0, 0.5, 1.0].map(|angle| sign * angle));
        assert_eq!(scans[0].range_max_m, 80.0);
    }
}

#[test]
fn an_invalid_beam_keeps_a_reading_that_says_so_and_is_nan_elsewhere() {
    let (batches, _) = read_all(Container::Rawlog, &small_rawlog().0).unwrap();
    let Samples::Scans(scans) = rows(&batches, "/scan") else { panic!() };
    let [first, zero, beyond, called_invalid, last] = scans[0].ranges_m[..] else { panic!() };
    assert_eq!((first, zero, beyond, last), (1.0, 0.0, 81.0, 3.0));
    assert!(called_invalid.is_nan());
    let valid: Vec<bool> = (0..5).map(|beam| scans[0].valid_range_m(beam).is_some()).collect();
    assert_eq!(valid, [true, false, false, false, true]);
}

#[test]
fn ranges_without_a_time_take_the_frames_and_the_laser_is_placed_once() {
    let (batches, summary) = read_all(Container::Rawlog, &small_rawlog().gzip()).unwrap();
    let Samples::Ranges(ranges) = rows(&batches, "/beacons") else { panic!() };
    assert_eq!(ranges.len(), 4);
    assert_eq!(ranges[2].stamps.sensor, Some(Timestamp(1_001_500_000_000)));
    assert_eq!((ranges[1].beacon_id, ranges[1].range_m), (2, 6.0));
    assert_eq!(ranges[0].antenna_in_base_m, [0.16, 0.0, 1.12]);
    let Samples::Transforms(transforms) = rows(&batches, "/tf_static") else { panic!() };
    assert_eq!(transforms.len(), 1);
    assert_eq!(transforms[0].parent_frame_id, "base_link");
    assert_eq!(transforms[0].child_frame_id, "laser");
    assert_eq!(transforms[0].parent_from_child.translation_m.as_slice(), [0.2, 0.0, 0.1]);
    let beacons = summary.channels.iter().find(|c| c.channel.topic == "/beacons").unwrap();
    assert_eq!((beacons.message_count, beacons.row_count), (2, 4));
}

#[test]
fn comments_are_metadata_and_change_no_row() {
    let mut log = RawlogBytes::comment("by hand");
    log.extend(small_rawlog().frame(&[RawlogBytes::comment("the end\n")]).0);
    let (batches, summary) = read_all(Container::Rawlog, &log).unwrap();
    let (without, plain) = read_all(Container::Rawlog, &small_rawlog().0).unwrap();
    assert_eq!(format!("{batches:?}"), format!("{without:?}"), "as text, NaN equals NaN");
    assert_eq!((&summary.warnings, &summary.notes), (&plain.warnings, &plain.notes));
    let comments = summary.metadata["comments"].iter();
    let comments: Vec<_> = comments.map(|(key, text)| (key.as_str(), text.as_str())).collect();
    assert_eq!(comments, [("1", "by hand"), ("2", "the end\n")]);

    let limits = Limits { metadata_bytes_max: 2 * 64 + 14, ..Limits::default() };
    let mut reader = Reader::new(Container::Rawlog, limits);
    let error = reader.feed(&log).unwrap_err();
    assert!(matches!(error, ReadError::TooLarge { size_bytes: 143, .. }), "{error}");

    let later = RawlogBytes::object("CObservationComment", 1, &[]);
    let error = read_all(Container::Rawlog, &later).unwrap_err();
    assert!(matches!(error, ReadError::UnknownVersion { version: 1, .. }), "{error}");
}

#[test]
fn an_unknown_class_ends_the_reading_with_its_name_and_byte() {
    let mut log = small_rawlog().0;
    let at = log.len() as u64;
    log.extend(RawlogBytes::object("mrpt::obs::CObservationGPS", 9, &[1, 2, 3]));
    let error = read_all(Container::Rawlog, &log).unwrap_err();
    let ReadError::UnknownClass { class, offset_bytes } = &error else { panic!("{error}") };
    assert_eq!((class.as_str(), *offset_bytes), ("mrpt::obs::CObservationGPS", at));
    assert!(error.hint().contains("CObservationGPS"));

    let old = RawlogBytes::object("CObservation2DRangeScan", 1, &[]);
    let error = read_all(Container::Rawlog, &old).unwrap_err();
    assert!(matches!(error, ReadError::UnknownVersion { version: 1, .. }), "{error}");
}
