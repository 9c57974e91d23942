//! ROS 1 bags written by hand: every compression, every cut, every lie.

use std::io::Write;

use proptest::{collection::vec, prelude::*};
use tiepoint_formats::{
    Container, Damage, Limits, ReadError, Reader, Samples, Summary, TopicBatch, read_all,
};
use tiepoint_model::{ErrorKind, PayloadBase};

use crate::laws::{cases, read_in_pieces};
use crate::make::{MessageBytes, Wire};

const TWIST_MD5: &str = "9f195f881246fdfa2798d1d3eebca84a";

/// A record: the fields of its header, and its data.
pub(crate) fn record(fields: &[(&str, &[u8])], data: &[u8]) -> Vec<u8> {
    let header: Vec<u8> = fields
        .iter()
        .flat_map(|(name, value)| {
            let length = u32::try_from(name.len() + 1 + value.len()).unwrap();
            [&length.to_le_bytes()[..], name.as_bytes(), b"=", value].concat()
        })
        .collect();
    let lengths = [header.len(), data.len()].map(|len| u32::try_from(len).unwrap().to_le_bytes());
    [&lengths[0][..], &header, &lengths[1], data].concat()
}

pub(crate) fn connection(id: u32, topic: &str, message_type: &str, digest: &str) -> Vec<u8> {
    let data = record(
        &[
            ("topic", topic.as_bytes()),
            ("type", message_type.as_bytes()),
            ("md5sum", digest.as_bytes()),
            ("message_definition", b"# a definition\n"),
        ],
        b"",
    );
    // The data has the form of a header, without its length and the empty data.
    let data = &data[4..data.len() - 4];
    record(&[("op", &[7]), ("conn", &id.to_le_bytes()), ("topic", topic.as_bytes())], data)
}

pub(crate) fn message(id: u32, second: u32, data: &[u8]) -> Vec<u8> {
    let time = [second.to_le_bytes(), 5_u32.to_le_bytes()].concat();
    record(&[("op", &[2]), ("conn", &id.to_le_bytes()), ("time", &time)], data)
}

fn twist(value: f64) -> Vec<u8> {
    MessageBytes::new(Wire::Ros1).f64s(&[value; 6]).bytes
}

pub(crate) fn chunk(compression: &str, claimed_bytes: usize, records: &[u8]) -> Vec<u8> {
    let stored = match compression {
        "bz2" => {
            let mut encoder =
                bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::default());
            encoder.write_all(records).unwrap();
            encoder.finish().unwrap()
        }
        "lz4" => {
            let mut encoder = lz4::EncoderBuilder::new().build(Vec::new()).unwrap();
            encoder.write_all(records).unwrap();
            encoder.finish().0
        }
        _ => records.to_vec(),
    };
    let size = u32::try_from(claimed_bytes).unwrap().to_le_bytes();
    record(&[("op", &[5]), ("compression", compression.as_bytes()), ("size", &size)], &stored)
}

/// A bag, and where each of its chunks starts and ends.
pub(crate) struct Bag {
    pub(crate) bytes: Vec<u8>,
    chunks: Vec<std::ops::Range<usize>>,
}

const CHUNKS: u32 = 3;
const MESSAGES_PER_CHUNK: u32 = 4;

/// Three chunks of four twists on one topic.
pub(crate) fn bag(compression: &str, is_closed: bool) -> Bag {
    let mut body = Vec::new();
    let mut chunks = Vec::new();
    let head_bytes = 13 + bag_header(0).len();
    for chunk_index in 0..CHUNKS {
        let mut records = match chunk_index {
            0 => connection(0, "/cmd", "geometry_msgs/Twist", TWIST_MD5),
            _ => Vec::new(),
        };
        for index in 0..MESSAGES_PER_CHUNK {
            let second = chunk_index * MESSAGES_PER_CHUNK + index;
            records.extend(message(0, second, &twist(f64::from(second))));
        }
        let start = head_bytes + body.len();
        body.extend(chunk(compression, records.len(), &records));
        chunks.push(start..head_bytes + body.len());
        let count = MESSAGES_PER_CHUNK.to_le_bytes();
        let fields: [(&str, &[u8]); 4] =
            [("op", &[4]), ("ver", &[1, 0, 0, 0]), ("conn", &[0; 4]), ("count", &count)];
        body.extend(record(&fields, &[0; 12 * MESSAGES_PER_CHUNK as usize]));
    }
    let index_position = if is_closed { head_bytes + body.len() } else { 0 };
    if is_closed {
        body.extend(connection(0, "/cmd", "geometry_msgs/Twist", TWIST_MD5));
        for _chunk in 0..CHUNKS {
            body.extend(record(&[("op", &[6]), ("ver", &[1, 0, 0, 0])], &[0; 8]));
        }
    }
    let bytes = [b"#ROSBAG V2.0\n", &bag_header(index_position)[..], &body].concat();
    Bag { bytes, chunks }
}

fn bag_header(index_position: usize) -> Vec<u8> {
    let fields: [(&str, &[u8]); 4] = [
        ("op", &[3]),
        ("index_pos", &(index_position as u64).to_le_bytes()),
        ("conn_count", &1_u32.to_le_bytes()),
        ("chunk_count", &CHUNKS.to_le_bytes()),
    ];
    record(&fields, &[b' '; 64])
}

/// A bag of given records behind its header, not closed.
pub(crate) fn open_bag(records: &[Vec<u8>]) -> Vec<u8> {
    [b"#ROSBAG V2.0\n", &bag_header(0)[..], &records.concat()].concat()
}

pub(crate) fn keep(
    container: Container,
    bytes: &[u8],
) -> Result<(Vec<TopicBatch>, Summary), ReadError> {
    let mut reader = Reader::new(container, Limits::default()).on_damage(Damage::Keep);
    reader.feed(bytes)?;
    let summary = reader.finish()?;
    Ok((reader.drain(), summary))
}

fn values(batches: &[TopicBatch]) -> Vec<f64> {
    let Some(batch) = batches.first() else { return Vec::new() };
    let Samples::Twists(rows) = &batch.samples else { panic!("{batches:?}") };
    rows.iter().map(|row| row.linear_m_per_s[0]).collect()
}

#[test]
fn every_compression_gives_the_same_samples() {
    let expected: Vec<f64> = (0..12).map(f64::from).collect();
    for is_closed in [true, false] {
        for compression in ["none", "bz2", "lz4"] {
            let bag = bag(compression, is_closed);
            let (batches, summary) = read_all(Container::Ros1Bag, &bag.bytes).unwrap();
            assert_eq!(values(&batches), expected, "{compression}");
            assert_eq!(summary.warnings.is_empty(), is_closed);
            let stamps = batches[0].samples.stamps();
            assert_eq!((stamps[3].log.0, stamps[3].publish), (3_000_000_005, None));
            let known = ("geometry_msgs/Twist".to_owned(), "ros1".to_owned());
            assert_eq!(summary.definitions[&known].text, b"# a definition\n");
        }
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn a_bag_reads_alike_in_any_pieces(sizes in vec(1..400_usize, 1..6), lz4: bool) {
        let bag = bag(if lz4 { "lz4" } else { "none" }, true);
        let whole = read_all(Container::Ros1Bag, &bag.bytes).unwrap();
        prop_assert_eq!(whole, read_in_pieces(Container::Ros1Bag, &bag.bytes, &sizes));
    }
}

#[test]
fn a_closed_bag_cut_anywhere_is_refused_and_an_open_one_inside_a_record() {
    for compression in ["none", "bz2", "lz4"] {
        let bag = bag(compression, true);
        for cut in 1..bag.bytes.len() {
            let error = read_all(Container::Ros1Bag, &bag.bytes[..cut]).unwrap_err();
            let ReadError::Truncated { offset_bytes, .. } = error else {
                panic!("cut at {cut}: {error}")
            };
            assert!(offset_bytes <= cut as u64);
        }
    }
    let bag = bag("none", false);
    let whole = read_all(Container::Ros1Bag, &bag.bytes).unwrap().1.row_count();
    for cut in 1..bag.bytes.len() {
        match read_all(Container::Ros1Bag, &bag.bytes[..cut]) {
            Ok((_, summary)) => {
                assert!(summary.row_count() <= whole && summary.warnings.len() == 1);
            }
            Err(error) => assert!(matches!(error, ReadError::Truncated { .. }), "{cut}: {error}"),
        }
    }
}

#[test]
fn keeping_a_cut_bag_keeps_exactly_the_whole_chunks_and_says_the_rest() {
    for compression in ["none", "bz2"] {
        let bag = bag(compression, true);
        for cut in 1..bag.bytes.len() {
            let whole_chunks = bag.chunks.iter().filter(|chunk| chunk.end <= cut).count();
            let kept = keep(Container::Ros1Bag, &bag.bytes[..cut]);
            if whole_chunks == 0 {
                assert!(matches!(kept, Err(ReadError::Truncated { .. })), "cut at {cut}");
                continue;
            }
            let (batches, summary) = kept.unwrap();
            let count = u32::try_from(whole_chunks).unwrap() * MESSAGES_PER_CHUNK;
            let expected: Vec<f64> = (0..count).map(f64::from).collect();
            assert_eq!(values(&batches), expected, "cut at {cut}");
            let [loss] = &summary.losses[..] else { panic!("{cut}: {:?}", summary.losses) };
            let lost = loss.bytes.clone().unwrap();
            assert_eq!(lost.end, cut as u64);
            assert!(lost.start >= bag.chunks[whole_chunks - 1].end as u64);
            assert!(loss.reason.contains("ends inside"), "{}", loss.reason);
        }
    }
}

#[test]
fn keeping_skips_a_broken_chunk_and_counts_its_messages() {
    let whole = bag("bz2", true);
    let mut damaged = whole.bytes.clone();
    let broken = whole.chunks[1].clone();
    damaged[broken.end - 9] ^= 0xff;
    let error = read_all(Container::Ros1Bag, &damaged).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    let (batches, summary) = keep(Container::Ros1Bag, &damaged).unwrap();
    assert_eq!(values(&batches), [0., 1., 2., 3., 8., 9., 10., 11.]);
    let [loss] = &summary.losses[..] else { panic!("{:?}", summary.losses) };
    assert_eq!(loss.bytes, Some(broken.start as u64..broken.end as u64));
    assert_eq!(loss.message_count, Some(MESSAGES_PER_CHUNK.into()));
    assert!(loss.reason.contains("does not inflate"), "{}", loss.reason);
}

#[test]
fn keeping_loses_one_message_that_does_not_decode() {
    let long = [twist(1.0), vec![0]].concat();
    let records = [
        connection(0, "/cmd", "geometry_msgs/Twist", TWIST_MD5),
        message(0, 1, &twist(1.0)),
        message(0, 2, &long),
        message(0, 3, &twist(3.0)),
        message(9, 4, &twist(4.0)),
    ]
    .concat();
    let bytes = open_bag(&[chunk("none", records.len(), &records)]);
    assert!(matches!(read_all(Container::Ros1Bag, &bytes), Err(ReadError::Message { .. })));
    let (batches, summary) = keep(Container::Ros1Bag, &bytes).unwrap();
    assert_eq!(values(&batches), [1.0, 3.0]);
    let counts: Vec<_> = summary.losses.iter().map(|loss| loss.message_count).collect();
    assert_eq!(counts, [Some(1), Some(1)]);
    assert!(summary.losses[0].reason.contains("1 bytes follow"), "{:?}", summary.losses);
    assert!(summary.losses[1].reason.contains("channel 9"), "{:?}", summary.losses);
}

#[test]
fn a_bag_that_lies_is_refused_with_the_byte() {
    let said = |bytes: &[u8]| read_all(Container::Ros1Bag, bytes).unwrap_err().to_string();
    let lying = open_bag(&[chunk("none", 7, b"12345678")]);
    assert!(said(&lying).contains("a chunk holds 8 bytes and claims 7"), "{}", said(&lying));
    let unknown = open_bag(&[chunk("zip", 8, b"12345678")]);
    assert!(said(&unknown).contains("compressed by `zip`"), "{}", said(&unknown));
    // 4 MiB of zeros, said to be 100 bytes: at most 101 bytes are inflated.
    let bomb = open_bag(&[chunk("bz2", 100, &vec![0; 4 << 20])]);
    assert!(bomb.len() < 400);
    assert!(said(&bomb).contains("a chunk holds 101 bytes and claims 100"), "{}", said(&bomb));
    // 4 GiB claimed by a length.
    let mut huge = open_bag(&[]);
    huge.extend([0xff; 4]);
    assert!(said(&huge).contains("claims 4294967295 bytes; the limit is"), "{}", said(&huge));
    let mut no_equal_sign = open_bag(&[]);
    no_equal_sign.extend([5, 0, 0, 0, 1, 0, 0, 0, b'x', 0, 0, 0, 0]);
    assert!(said(&no_equal_sign).contains("there is no `=` in it"));
    assert!(said(b"#ROSBAG V2.1\n").contains("wrong magic bytes at byte 0"));
}

#[test]
fn a_type_that_changes_is_refused_or_a_channel_of_its_own() {
    let twists = |id| connection(id, "/a", "geometry_msgs/Twist", TWIST_MD5);
    let other = |id| connection(id, "/a", "some_msgs/Thing", "*");
    let error = read_all(Container::Ros1Bag, &open_bag(&[twists(0), other(0)])).unwrap_err();
    assert!(error.to_string().contains("connection 0 is declared twice"), "{error}");
    let both = open_bag(&[twists(0), other(1), message(0, 1, &twist(1.0)), message(1, 2, b"xy")]);
    let (batches, summary) = read_all(Container::Ros1Bag, &both).unwrap();
    assert_eq!((batches.len(), summary.row_count()), (2, 2));
}

#[test]
fn a_known_name_with_another_definition_stays_raw() {
    let digest = "0123456789abcdef0123456789abcdef";
    let declared = connection(0, "/cmd", "geometry_msgs/Twist", digest);
    let bytes = open_bag(&[declared, message(0, 1, b"whatever")]);
    let (batches, summary) = read_all(Container::Ros1Bag, &bytes).unwrap();
    let Samples::Raw(rows) = &batches[0].samples else { panic!("{batches:?}") };
    assert_eq!(rows[0].payload, b"whatever");
    assert!(summary.notes.iter().any(|text| text.contains(digest)), "{:?}", summary.notes);
}

/// An image's row says where its pixels lie, in the file or in the inflated chunk.
#[test]
fn the_pixels_of_an_image_lie_where_its_row_says() {
    let pixels: Vec<u8> = (0..12).collect();
    let image = MessageBytes::new(Wire::Ros1)
        .header(1, 2, "camera_optical")
        .u32(2)
        .u32(2)
        .string("rgb8")
        .u8(0)
        .u32(6)
        .blob(&pixels)
        .bytes;
    let md5 = "060021388200f6f0f447d0fcd9c64743";
    let records =
        [connection(0, "/image", "sensor_msgs/Image", md5), message(0, 1, &image)].concat();
    for compression in ["none", "bz2"] {
        let bytes = open_bag(&[chunk(compression, records.len(), &records)]);
        let (batches, _) = read_all(Container::Ros1Bag, &bytes).unwrap();
        let Samples::Images(rows) = &batches[0].samples else { panic!("{batches:?}") };
        let place = rows[0].payload;
        let source = match place.base {
            PayloadBase::File => &bytes,
            _ => &records,
        };
        let start = usize::try_from(place.offset_bytes).unwrap();
        let length = usize::try_from(place.length_bytes).unwrap();
        assert_eq!(&source[start..start + length], &pixels[..], "{compression}");
        assert_eq!((rows[0].height_px, rows[0].row_step_bytes), (Some(2), Some(6)));
    }
}
