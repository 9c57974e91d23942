//! Messages written by hand in ROS 1 and both CDR endiannesses decode to the same samples.

use mcap::{Compression, WriteOptions};
use tiepoint_formats::{Container, ReadError, Samples, read_all};
use tiepoint_model::{Pose3, Stamps, Timestamp};

use crate::make::{MessageBytes, Wire, bare_mcap, mcap_with};

/// The name in the spelling of its ROS.
fn spelled(wire: Wire, package: &str, message: &str) -> String {
    match wire {
        Wire::Ros1 => format!("{package}/{message}"),
        _ => format!("{package}/msg/{message}"),
    }
}

/// Decodes one message in each layout; all must be the same.
#[track_caller]
pub(crate) fn decode(
    package: &str,
    message: &str,
    write: impl Fn(MessageBytes) -> MessageBytes,
) -> Samples {
    let [first, second, third] = Wire::ALL.map(|wire| {
        let bytes = write(MessageBytes::new(wire)).bytes;
        let file = bare_mcap(wire, &spelled(wire, package, message), &[bytes]);
        let (batches, summary) = read_all(Container::Mcap, &file).unwrap();
        assert_eq!(summary.warnings, Vec::<String>::new());
        batches.into_iter().next().unwrap().samples
    });
    assert_eq!(first, second, "little and big endian");
    assert_eq!(first, third, "ROS 2 and ROS 1");
    first
}

#[test]
fn a_laser_scan_is_read_in_every_layout() {
    let samples = decode("sensor_msgs", "LaserScan", |m| {
        m.header(12, 34, "laser")
            .f32s(&[-1.5, 1.5, 0.5, 0.25, 0.1, 0.125, 30.0])
            .u32(3)
            .f32s(&[1.0, 0.0, f32::INFINITY])
            .u32(1)
            .f32s(&[7.0])
    });
    let Samples::Scans(scans) = samples else { panic!("{samples:?}") };
    let scan = &scans[0];
    let stamps = Stamps {
        log: Timestamp(1_000),
        publish: Some(Timestamp(999)),
        sensor: Some(Timestamp(12_000_000_034)),
    };
    assert_eq!((scan.stamps, scan.frame_id.as_str()), (stamps, "laser"));
    assert_eq!((scan.angle_min_rad, scan.angle_increment_rad), (-1.5, 0.5));
    assert_eq!((scan.range_min_m, scan.range_max_m, scan.time_increment_s), (0.125, 30.0, 0.25));
    assert_eq!(scan.ranges_m, [1.0, 0.0, f32::INFINITY]);
    assert_eq!(scan.intensities, [7.0]);
}

#[test]
fn a_header_stamp_of_zero_is_no_stamp() {
    let samples = decode("geometry_msgs", "PoseStamped", |m| {
        m.header(0, 0, "").f64s(&[1.0, 2.0, 3.0, 0.0, 0.0, 0.0, 1.0])
    });
    assert_eq!(samples.stamps()[0].sensor, None);
}

#[test]
fn odometry_gives_its_pose_and_both_frames() {
    let samples = decode("nav_msgs", "Odometry", |m| {
        m.header(1, 0, "odom")
            .string("base_link")
            .f64s(&[1.0, 2.0, 3.0, 0.0, 0.0, 1.0, 0.0])
            .f64s(&[0.5; 36 + 6 + 36])
    });
    let Samples::Poses(poses) = samples else { panic!("{samples:?}") };
    assert_eq!(
        (poses[0].frame_id.as_str(), poses[0].child_frame_id.as_str()),
        ("odom", "base_link")
    );
    let expected = Pose3::from_quaternion_xyzw([1.0, 2.0, 3.0], [0.0, 0.0, 1.0, 0.0]).unwrap();
    assert_eq!(poses[0].frame_from_child, expected);
}

#[test]
fn an_imu_without_orientation_says_so() {
    for (first_covariance, has_orientation) in [(-1.0, false), (0.0, true)] {
        let samples = decode("sensor_msgs", "Imu", |m| {
            m.header(1, 0, "imu")
                .f64s(&[0.0, 0.0, 0.6, 0.8])
                .f64s(&[first_covariance, 0., 0., 0., 0., 0., 0., 0., 0.])
                .f64s(&[0.1, 0.2, 0.3])
                .f64s(&[0.0; 9])
                .f64s(&[1.0, 2.0, 9.8])
                .f64s(&[0.0; 9])
        });
        let Samples::Imu(imu) = samples else { panic!("{samples:?}") };
        let orientation = has_orientation.then_some([0.0, 0.0, 0.6, 0.8]);
        assert_eq!(imu[0].orientation_xyzw, orientation);
        assert_eq!(imu[0].angular_rate_rad_per_s, [0.1, 0.2, 0.3]);
        assert_eq!(imu[0].acceleration_m_per_s2, [1.0, 2.0, 9.8]);
    }
}

#[test]
fn every_transform_of_a_message_is_a_row() {
    let samples = decode("tf2_msgs", "TFMessage", |m| {
        let one = |m: MessageBytes, child: &str| {
            m.header(3, 4, "map").string(child).f64s(&[1.0, 2.0, 3.0, 0.0, 0.0, 0.0, 2.0])
        };
        let m = one(m.u32(2), "odom");
        one(m, "a")
    });
    let Samples::Transforms(rows) = samples else { panic!("{samples:?}") };
    assert_eq!(
        rows.iter().map(|row| row.child_frame_id.as_str()).collect::<Vec<_>>(),
        ["odom", "a"]
    );
    // A quaternion of length two is normalised.
    assert_eq!(rows[1].parent_from_child.quaternion_xyzw(), [0.0, 0.0, 0.0, 1.0]);
}

#[test]
fn twists_are_read_with_and_without_header() {
    let numbers = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    let bare = decode("geometry_msgs", "Twist", |m| m.f64s(&numbers));
    let stamped =
        decode("geometry_msgs", "TwistStamped", |m| m.header(9, 0, "base").f64s(&numbers));
    let (Samples::Twists(bare), Samples::Twists(stamped)) = (bare, stamped) else { panic!() };
    assert_eq!((bare[0].stamps.sensor, bare[0].frame_id.as_str()), (None, ""));
    assert_eq!(stamped[0].stamps.sensor, Some(Timestamp(9_000_000_000)));
    assert_eq!(bare[0].angular_rad_per_s, [4.0, 5.0, 6.0]);
    assert_eq!(bare[0].linear_m_per_s, stamped[0].linear_m_per_s);
}

#[test]
fn every_range_of_a_message_is_a_row() {
    let samples = decode("mrpt_msgs", "ObservationRangeBeacon", |m| {
        m.header(1, 0, "antenna")
            .f64s(&[0.25, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0])
            .f32s(&[0.0, 50.0, 0.01])
            .u32(2)
            .f32s(&[5.5])
            .u32(1)
            .f32s(&[6.5])
            .u32(2)
    });
    let Samples::Ranges(rows) = samples else { panic!("{samples:?}") };
    let read: Vec<(u32, f32)> = rows.iter().map(|row| (row.beacon_id, row.range_m)).collect();
    assert_eq!(read, [(1, 5.5), (2, 6.5)]);
    assert_eq!(rows[1].antenna_in_base_m, [0.25, 0.0, 1.0]);
}

/// A cloud of 2 x 2 points: x of one type at an odd offset, y as `f64`, z as `i16`, rows padded.
fn cloud(m: MessageBytes, big_endian: bool, x_datatype: u8, x_bytes: usize) -> MessageBytes {
    let names: [(&str, u32, u8); 4] =
        [("ring", 0, 2), ("x", 1, x_datatype), ("y", 9, 8), ("z", 17, 3)];
    let mut m = m.header(1, 0, "lidar").u32(2).u32(2).u32(4);
    for (name, offset, datatype) in names {
        m = m.string(name).u32(offset).u8(datatype).u32(1);
    }
    let mut data = Vec::new();
    let mut put = |bytes: Vec<u8>| {
        let mut bytes = bytes;
        if big_endian {
            bytes.reverse();
        }
        data.extend(bytes);
    };
    for index in 0..4_u8 {
        put(vec![200 + index]);
        let mut x = match x_datatype {
            1 | 2 => vec![index],
            3 | 4 => i16::from(index).to_le_bytes().to_vec(),
            5 | 6 => i32::from(index).to_le_bytes().to_vec(),
            7 => f32::from(index).to_le_bytes().to_vec(),
            _ => f64::from(index).to_le_bytes().to_vec(),
        };
        assert_eq!(x.len(), x_bytes);
        if big_endian {
            // Padding must stay behind the number.
            x.reverse();
            x.resize(8, 0xAA);
            x.reverse();
        } else {
            x.resize(8, 0xAA);
        }
        put(x);
        put((f64::from(index) + 0.5).to_le_bytes().to_vec());
        put((-i16::from(index)).to_le_bytes().to_vec());
        if index % 2 == 1 {
            put(vec![0xBB; 3]);
        }
    }
    m.u8(u8::from(big_endian)).u32(19).u32(2 * 19 + 3).blob(&data).u8(1)
}

#[test]
fn a_cloud_is_read_whatever_its_number_types_offsets_and_endianness() {
    let sizes = [(1, 1), (2, 1), (3, 2), (4, 2), (5, 4), (6, 4), (7, 4), (8, 8)];
    for big_endian in [false, true] {
        for (datatype, size) in sizes {
            let samples =
                decode("sensor_msgs", "PointCloud2", |m| cloud(m, big_endian, datatype, size));
            let Samples::Points(clouds) = samples else { panic!("{samples:?}") };
            assert_eq!(clouds[0].x_m, [0.0, 1.0, 2.0, 3.0], "{datatype} {big_endian}");
            assert_eq!(clouds[0].y_m, [0.5, 1.5, 2.5, 3.5]);
            assert_eq!(clouds[0].z_m, [0.0, -1.0, -2.0, -3.0]);
            assert_eq!(clouds[0].intensity, [0.0; 0]);
        }
    }
}

#[test]
fn every_chunk_compression_is_read() {
    let message = MessageBytes::new(Wire::Ros1).f64s(&[1.0; 6]).bytes;
    let messages = vec![message; 300];
    let read = |compression: Option<Compression>| {
        let options = WriteOptions::new().compression(compression).chunk_size(Some(5_000));
        let file = mcap_with(options, Wire::Ros1, "geometry_msgs/Twist", &messages);
        let (batches, _) = read_all(Container::Mcap, &file).unwrap();
        batches.into_iter().next().unwrap().samples
    };
    let plain = read(None);
    assert_eq!(plain.len(), 300);
    assert_eq!(plain, read(Some(Compression::Zstd)));
    assert_eq!(plain, read(Some(Compression::Lz4)));
    let no_chunks = mcap_with(
        WriteOptions::new().use_chunks(false),
        Wire::Ros1,
        "geometry_msgs/Twist",
        &messages,
    );
    assert_eq!(plain, read_all(Container::Mcap, &no_chunks).unwrap().0[0].samples);
}

#[test]
fn an_unknown_type_is_kept_whole_and_counted() {
    let file = bare_mcap(Wire::CdrLittle, "some_msgs/msg/Thing", &[vec![1, 2, 3], vec![]]);
    let (batches, summary) = read_all(Container::Mcap, &file).unwrap();
    let Samples::Raw(rows) = &batches[0].samples else { panic!("{batches:?}") };
    assert_eq!(rows[0].payload, [1, 2, 3]);
    assert_eq!(
        summary.raw_message_counts.into_iter().collect::<Vec<_>>(),
        [("some_msgs/msg/Thing".to_owned(), 2)]
    );
}

#[test]
fn a_quaternion_of_length_zero_gives_a_nan_rotation_and_a_warning() {
    let message =
        MessageBytes::new(Wire::CdrLittle).header(1, 0, "map").f64s(&[1.0; 3]).f64s(&[0.0; 4]);
    let file = bare_mcap(Wire::CdrLittle, "geometry_msgs/msg/PoseStamped", &[message.bytes]);
    let (batches, summary) = read_all(Container::Mcap, &file).unwrap();
    let Samples::Poses(poses) = &batches[0].samples else { panic!("{batches:?}") };
    assert!(poses[0].frame_from_child.rotation.iter().all(|value| value.is_nan()));
    assert_eq!(poses[0].frame_from_child.translation_m.x, 1.0);
    assert!(summary.notes[0].contains("1 rows on `/topic`"), "{:?}", summary.notes);
}

/// What the error about a message says, with its causes.
#[track_caller]
fn refused(message_type: &str, message: MessageBytes) -> String {
    let whole =
        MessageBytes::new(Wire::CdrLittle).header(1, 0, "a").f64s(&[0.0, 0., 0., 0., 0., 0., 1.0]);
    let (wire, bytes) = (Wire::CdrLittle, message.bytes);
    let messages =
        if message_type.ends_with("PoseStamped") { vec![whole.bytes, bytes] } else { vec![bytes] };
    let error = read_all(Container::Mcap, &bare_mcap(wire, message_type, &messages)).unwrap_err();
    let ReadError::Message { source, .. } = &error else { panic!("{error:?}") };
    format!("{error}: {source}")
}

#[test]
fn a_lying_length_is_an_error_with_topic_message_and_byte() {
    let ranges = MessageBytes::new(Wire::CdrLittle).header(1, 0, "a").f32s(&[0.0; 7]).u32(u32::MAX);
    let said = refused("sensor_msgs/msg/LaserScan", ranges);
    let expected = "message 0 on `/topic` (sensor_msgs/msg/LaserScan), in the record at byte 41, \
                    does not decode: `ranges` at byte 52 claims 4294967295 items of 4 bytes and \
                    0 bytes are left";
    assert_eq!(said, expected);
    let frame = MessageBytes::new(Wire::CdrLittle).u32(1).u32(0).u32(1_000_000);
    let said = refused("geometry_msgs/msg/PoseStamped", frame);
    let expected = "message 1 on `/topic` (geometry_msgs/msg/PoseStamped), in the record at \
                    byte 41, does not decode: `header.frame_id` at byte 16 claims 1000000 items \
                    of 1 bytes and 0 bytes are left";
    assert_eq!(said, expected);
    let transforms = MessageBytes::new(Wire::CdrLittle).u32(0x1000_0000);
    let said = refused("tf2_msgs/msg/TFMessage", transforms);
    assert!(said.contains("claims 268435456 items"), "{said}");
    // A cloud of 2^32 - 1 by 2^32 - 1 points of one byte each, in three bytes.
    let m = MessageBytes::new(Wire::CdrLittle).header(1, 0, "a").u32(u32::MAX).u32(u32::MAX).u32(3);
    let m = ["x", "y", "z"].iter().fold(m, |m, name| m.string(name).u32(0).u8(2).u32(1));
    let m = m.u8(0).u32(1).u32(0).blob(&[0; 3]).u8(1);
    let said = refused("sensor_msgs/msg/PointCloud2", m);
    assert!(said.contains("do not fit in 3 bytes"), "{said}");
}

#[test]
fn a_message_of_another_definition_is_refused() {
    let long = MessageBytes::new(Wire::CdrLittle).f64s(&[0.0; 7]);
    let said = refused("geometry_msgs/msg/Twist", long);
    assert!(said.contains("8 bytes follow the last field, at byte 52"), "{said}");
    let mut other = MessageBytes::new(Wire::CdrLittle).f64s(&[0.0; 6]);
    other.bytes[1] = 3;
    let said = refused("geometry_msgs/msg/Twist", other);
    assert!(said.contains("the encapsulation is 0x0003"), "{said}");
}
