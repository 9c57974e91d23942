//! Damage of every kind is a typed error that says where, never a panic.

use mcap::{Compression, WriteOptions};
use tiepoint_formats::{ChannelKey, Container, Limits, ReadError, Reader, Table, read_all};
use tiepoint_model::{ErrorKind, Seed};

use crate::{
    make::{MessageBytes, RawlogBytes, Wire, bare_mcap, mcap_with, small_rawlog, small_ulog},
    ros1_bag::bag,
};

fn scan_message() -> Vec<u8> {
    MessageBytes::new(Wire::CdrLittle)
        .header(1, 2, "laser")
        .f32s(&[0.0; 7])
        .u32(4)
        .f32s(&[1.0, 2.0, 3.0, 4.0])
        .u32(0)
        .bytes
}

fn cloud_message() -> Vec<u8> {
    let m = MessageBytes::new(Wire::CdrLittle).header(1, 2, "lidar").u32(1).u32(2).u32(3);
    let m = ["x", "y", "z"].iter().fold(m, |m, name| m.string(name).u32(0).u8(7).u32(1));
    m.u8(0).u32(4).u32(8).blob(&[0; 8]).u8(1).bytes
}

fn transforms_message() -> Vec<u8> {
    let m = MessageBytes::new(Wire::CdrLittle).u32(1).header(1, 2, "map").string("odom");
    m.f64s(&[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]).bytes
}

/// A file with checksums and compression, as recorders write it.
fn whole_mcap(compression: Option<Compression>) -> Vec<u8> {
    let options = WriteOptions::new().compression(compression).chunk_size(Some(200));
    mcap_with(options, Wire::CdrLittle, "sensor_msgs/msg/LaserScan", &vec![scan_message(); 5])
}

fn inputs() -> Vec<(Container, Vec<u8>)> {
    let bare = |message_type: &str, message: Vec<u8>| {
        (Container::Mcap, bare_mcap(Wire::CdrLittle, message_type, &[message.clone(), message]))
    };
    vec![
        bare("sensor_msgs/msg/LaserScan", scan_message()),
        bare("sensor_msgs/msg/PointCloud2", cloud_message()),
        bare("tf2_msgs/msg/TFMessage", transforms_message()),
        (Container::Mcap, whole_mcap(Some(Compression::Zstd))),
        (Container::Mcap, whole_mcap(Some(Compression::Lz4))),
        (Container::Ros1Bag, bag("none", true).bytes),
        (Container::Ros1Bag, bag("bz2", true).bytes),
        (Container::Ros1Bag, bag("lz4", true).bytes),
        (Container::Rawlog, small_rawlog().0),
        (Container::Rawlog, small_rawlog().gzip()),
        (Container::Ulog, small_ulog().0),
        (Container::Tum, b"# x\n1.5 1 2 3 0 0 0 1\n2.5 1 2 3 0.1 0 0 1\n".to_vec()),
        (Container::Kitti, b"1 0 0 1 0 1 0 2 0 0 1 3\n1 0 0 1 0 1 0 2 0 0 1 4\n".to_vec()),
        (Container::Euroc, b"#t\n1403715524907143116,1,2,3,1,0,0,0,9,9\n".to_vec()),
    ]
}

/// Nothing panics, whatever is done to the bytes; what is decoded before the damage can be
/// drained; a reader that met an error stays stopped.
#[test]
fn no_mutation_makes_a_reader_panic() {
    const SEED: Seed = Seed(20_260_101);
    const CASES: u64 = 4_000;
    for (number, (container, bytes)) in inputs().into_iter().enumerate() {
        let mut readable_count = 0;
        for case in 0..CASES {
            let mut draws = SEED.for_purpose("mutation").draws(number as u64, case);
            let mut bytes = bytes.clone();
            for _change in 0..=draws.below(3) {
                mutate(&mut bytes, &mut |below| draws.below(below));
            }
            let piece = 1 + draws.below(200);
            let mut reader = Reader::new(container, Limits::default());
            let fed = bytes.chunks(piece).try_for_each(|piece| reader.feed(piece));
            let finished = reader.finish();
            reader.drain();
            assert!(fed.is_ok() || matches!(finished, Err(ReadError::Stopped)), "case {case}");
            readable_count += u64::from(finished.is_ok());
            if let Err(error) = fed {
                assert!(!error.to_string().is_empty() && !error.hint().is_empty());
            }
        }
        assert!(readable_count < CASES, "no mutation of input {number} was ever noticed");
    }
}

fn mutate(bytes: &mut Vec<u8>, below: &mut dyn FnMut(usize) -> usize) {
    if bytes.is_empty() {
        return;
    }
    let at = below(bytes.len());
    match below(6) {
        0 => bytes[at] ^= 1 << below(8),
        1 => bytes[at] = 0xff,
        2 => bytes[at] = u8::try_from(below(256)).unwrap(),
        3 => bytes.truncate(at),
        4 => {
            bytes.remove(at);
        }
        _ => {
            // A whole length field becomes a lie.
            let end = (at + 4).min(bytes.len());
            bytes[at..end].fill([0xff, 0x7f, 0x00][below(3)]);
        }
    }
}

#[test]
fn an_mcap_cut_anywhere_is_refused_with_the_byte() {
    for compression in [None, Some(Compression::Zstd), Some(Compression::Lz4)] {
        let whole = whole_mcap(compression);
        assert_eq!(read_all(Container::Mcap, &whole).unwrap().1.row_count(), 5);
        for cut in 1..whole.len() {
            let error = read_all(Container::Mcap, &whole[..cut]).unwrap_err();
            let ReadError::Truncated { offset_bytes, .. } = error else {
                panic!("cut at {cut}: {error}")
            };
            assert_eq!(offset_bytes, cut as u64);
            assert_eq!(error.kind(), ErrorKind::Corrupt);
        }
    }
}

#[test]
fn a_rawlog_cut_anywhere_is_refused_or_ends_between_objects() {
    let log = small_rawlog();
    let whole = read_all(Container::Rawlog, &log.0).unwrap().1.row_count();
    for cut in 1..log.0.len() {
        match read_all(Container::Rawlog, &log.0[..cut]) {
            Ok((_, summary)) => assert!(summary.row_count() <= whole),
            Err(ReadError::Truncated { offset_bytes, .. }) => assert!(offset_bytes < cut as u64),
            Err(error) => panic!("cut at {cut}: {error}"),
        }
    }
    let packed = log.gzip();
    for cut in 1..packed.len() {
        let error = read_all(Container::Rawlog, &packed[..cut]).unwrap_err();
        assert!(matches!(error, ReadError::Truncated { .. }), "cut at {cut}: {error}");
    }
}

#[test]
fn a_flipped_byte_in_a_chunk_is_caught_by_a_checksum() {
    let whole = whole_mcap(None);
    let at = whole.windows(5).position(|window| window == b"laser").unwrap();
    let mut damaged = whole;
    damaged[at] ^= 1;
    let error = read_all(Container::Mcap, &damaged).unwrap_err();
    assert!(matches!(error, ReadError::BadChecksum { what: "a chunk", .. }), "{error}");
}

#[test]
fn wrong_magic_is_said_with_its_byte() {
    let mut start = whole_mcap(None);
    start[0] ^= 1;
    let error = read_all(Container::Mcap, &start).unwrap_err();
    assert!(matches!(error, ReadError::BadMagic { offset_bytes: 0, .. }), "{error}");
    let mut end = whole_mcap(None);
    let last = end.len() - 1;
    end[last] ^= 1;
    let error = read_all(Container::Mcap, &end).unwrap_err();
    let ReadError::BadMagic { offset_bytes, .. } = error else { panic!("{error}") };
    assert_eq!(offset_bytes, last as u64 - 7);
    let mut more = whole_mcap(None);
    more.push(0);
    assert!(read_all(Container::Mcap, &more).is_err());
}

/// One MCAP record.
fn record(opcode: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![opcode];
    bytes.extend((body.len() as u64).to_le_bytes());
    bytes.extend(body);
    bytes
}

#[test]
fn a_message_without_channel_and_a_channel_without_schema_are_refused() {
    let header = record(1, &[0; 8]);
    let mut message = 7_u16.to_le_bytes().to_vec();
    message.extend([0; 4 + 8 + 8]);
    let file = [mcap::MAGIC, &header, &record(5, &message)].concat();
    let error = read_all(Container::Mcap, &file).unwrap_err();
    expect_test::expect!["a message at byte 25 is on channel 7, which is not declared"]
        .assert_eq(&error.to_string());

    let channel =
        [&1_u16.to_le_bytes()[..], &3_u16.to_le_bytes(), b"\x02\0\0\0/a", &[0; 8]].concat();
    let file = [mcap::MAGIC, &header, &record(4, &channel)].concat();
    let error = read_all(Container::Mcap, &file).unwrap_err();
    expect_test::expect!["topic `/a` at byte 25 names schema 3, not declared"]
        .assert_eq(&error.to_string());
}

#[test]
fn a_time_after_2262_is_refused() {
    let header = record(1, &[0; 8]);
    let channel = [&1_u16.to_le_bytes()[..], &[0; 2], b"\x02\0\0\0/a", &[0; 8]].concat();
    let mut message = 1_u16.to_le_bytes().to_vec();
    message.extend([0; 4]);
    message.extend(u64::MAX.to_le_bytes());
    message.extend([0; 8]);
    let file = [mcap::MAGIC, &header, &record(4, &channel), &record(5, &message)].concat();
    let error = read_all(Container::Mcap, &file).unwrap_err();
    assert!(matches!(error, ReadError::StampOutOfRange { time_ns: u64::MAX, .. }), "{error}");
}

#[test]
fn a_record_or_chunk_beyond_the_limit_is_refused_before_it_is_held() {
    let limits = Limits { record_bytes_max: 1 << 10, ..Limits::default() };
    let mut reader = Reader::new(Container::Mcap, limits);
    let mut head = mcap::MAGIC.to_vec();
    head.push(9);
    head.extend(u64::MAX.to_le_bytes());
    let error = reader.feed(&head).unwrap_err();
    assert!(matches!(error, ReadError::TooLarge { size_bytes: u64::MAX, .. }), "{error}");

    let mut chunk = vec![0; 16];
    chunk.extend((1_u64 << 40).to_le_bytes());
    chunk.extend([0; 4 + 4 + 8]);
    let file = [mcap::MAGIC, &record(1, &[0; 8]), &record(6, &chunk)].concat();
    let error = read_all(Container::Mcap, &file).unwrap_err();
    assert!(matches!(error, ReadError::TooLarge { what: "a chunk", .. }), "{error}");

    // A rawlog's scan that claims 2^32 - 1 beams.
    let mut scan = RawlogBytes::scan(1000.0, &[1.0], &[1], true);
    let at = scan.windows(8).position(|w| w == [1, 0, 0, 0, 0, 0, 128, 63]).unwrap();
    scan[at..at + 4].fill(0xff);
    let error = read_all(Container::Rawlog, &RawlogBytes::default().frame(&[scan]).0).unwrap_err();
    assert!(matches!(error, ReadError::TooLarge { what: "an object", .. }), "{error}");
}

#[test]
fn a_file_that_is_no_log_is_refused_by_name() {
    let detect = |bytes: &[u8]| Container::detect("x.bin", bytes);
    let said = |bytes: &[u8]| detect(bytes).unwrap_err().to_string();
    let expected = "`x.bin` is no log that can be read; known are MCAP, ROS 1 bag, rosbag2, \
                    MRPT rawlog, PX4 ULog, CSV, Parquet, TUM, KITTI and EuRoC trajectories";
    assert_eq!(said(b"\x7fELF\0\0\0"), expected);
    expect_test::expect!["`x.bin` is a ROS 1 bag of version 1, which this version does not read"]
        .assert_eq(&said(b"#ROSBAG V1.2\n"));
    expect_test::expect!["there is no data in it"].assert_eq(&said(b""));
    assert!(detect(b"hello world\n").is_err());
    assert!(detect(&[0xff; 64]).is_err());
    assert!(detect(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3]).is_err());
}

#[test]
fn every_container_is_known_by_its_first_bytes() {
    for (container, bytes) in inputs() {
        let first = &bytes[..bytes.len().min(Container::DETECT_BYTES)];
        assert_eq!(Container::detect("?", first).unwrap(), container);
    }
}

#[test]
fn an_empty_file_is_an_error_in_every_container() {
    for (container, _) in inputs() {
        let error = read_all(container, b"").unwrap_err();
        assert!(matches!(error, ReadError::Empty), "{container}: {error}");
    }
}

#[test]
fn an_mcap_without_messages_is_an_empty_recording() {
    let channels = [(
        ChannelKey::ros2("/scan", Table::Scans).unwrap(),
        tiepoint_formats::Samples::empty(Table::Scans),
    )];
    let bytes = tiepoint_formats::write_mcap("ros2", &channels, &Default::default()).unwrap();
    let (batches, summary) = read_all(Container::Mcap, &bytes).unwrap();
    assert!(batches.is_empty());
    assert_eq!((summary.channels.len(), summary.row_count()), (1, 0));
}
