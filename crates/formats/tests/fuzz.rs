//! Seeded mutation fuzzing of every reader: no panic, bounded work, bounded memory.
//!
//! Small valid files are damaged in ways that files really are and that attackers choose: flipped
//! bits, bytes and whole numbers set to extremes, cuts, ranges taken out, doubled, or taken from
//! another file. They are fed in random pieces, drained after each. The allocator of this test
//! counts: no case may hold more than [`BOUND_BYTES`] beyond its own input.
//!
//! `TIEPOINT_FUZZ_CASES=4000000` runs millions of cases. A failure
//! prints the file and the number of the case; the same number gives the same bytes again.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "room: disk, for databases; a failed unwrap is a failed test; figures are printed"
)]

#[expect(dead_code, reason = "the inputs are those of the suite, which uses more of them")]
#[path = "suite/make.rs"]
mod make;

use std::{
    io::Write,
    panic::{AssertUnwindSafe, catch_unwind},
};

use make::{
    MessageBytes, Wire, bare_mcap, mcap_with, parquet_of, pcd_of, ply_of, small_csv, small_parquet,
    small_projection, small_rawlog, small_ulog,
};
use mcap::{Compression, WriteOptions};
use peak_alloc::PeakAlloc;
use tiepoint_formats::{
    Container, Damage, Limits, LogReader, ReadError, Reader,
    cloud::read_cloud,
    tabular::{ParquetReader, Projection, read_columns},
};
use tiepoint_model::{Seed, seed::Draws};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const SEED: Seed = Seed(20_261_121);

/// Small, so that what a file claims is above them more often than not.
const LIMITS: Limits =
    Limits { record_bytes_max: 1 << 20, line_bytes_max: 16 << 10, metadata_bytes_max: 1 << 20 };

/// A chunk as stored, as inflated and as decoded rows, which are ten times their bytes at most,
/// and the state of a decompressor.
const BOUND_BYTES: usize = 8 << 20;

/// No byte of a record makes more rows than this.
const ROWS_PER_BYTE_MAX: u64 = 1;

/// Databases go through the disk: one case for so many of the others.
const DATABASE_SHARE: u64 = 10;

enum Target {
    /// A database, written to the path and read from it.
    Database(tempfile::NamedTempFile),
    Stream(Container),
    Csv(Projection),
    Parquet(Projection),
    Columns(Container),
    Cloud,
}

struct Input {
    name: &'static str,
    target: Target,
    bytes: Vec<u8>,
}

fn inputs() -> Vec<Input> {
    let stream = |name, container, bytes| Input { name, target: Target::Stream(container), bytes };
    let message = || {
        let m = MessageBytes::new(Wire::CdrLittle).header(1, 2, "laser");
        m.f32s(&[0.0; 7]).u32(3).f32s(&[1.0, 2.0, 3.0]).u32(0).bytes
    };
    let cloud = MessageBytes::new(Wire::CdrLittle).header(1, 2, "lidar").u32(1).u32(2).u32(3);
    let cloud = ["x", "y", "z"].iter().fold(cloud, |m, name| m.string(name).u32(0).u8(7).u32(1));
    let cloud = cloud.u8(0).u32(4).u32(8).blob(&[0; 8]).u8(1).bytes;
    let packed = |compression| {
        let options = WriteOptions::new().compression(compression).chunk_size(Some(200));
        mcap_with(options, Wire::CdrLittle, "sensor_msgs/msg/LaserScan", &vec![message(); 4])
    };
    let projection = || small_projection().parse::<Projection>().unwrap();
    let file = |name, target, bytes| Input { name, target, bytes };
    vec![
        stream("mcap scans", Container::Mcap, {
            bare_mcap(Wire::CdrLittle, "sensor_msgs/msg/LaserScan", &[message(), message()])
        }),
        stream("mcap clouds", Container::Mcap, {
            bare_mcap(Wire::CdrLittle, "sensor_msgs/msg/PointCloud2", &[cloud])
        }),
        stream("mcap zstd", Container::Mcap, packed(Some(Compression::Zstd))),
        stream("mcap lz4", Container::Mcap, packed(Some(Compression::Lz4))),
        stream("bag", Container::Ros1Bag, bag("none")),
        stream("bag lz4", Container::Ros1Bag, bag("lz4")),
        stream("bag bz2", Container::Ros1Bag, bag("bz2")),
        database(&message()),
        stream("rawlog", Container::Rawlog, small_rawlog().0),
        stream("rawlog gzip", Container::Rawlog, small_rawlog().gzip()),
        stream("ulog", Container::Ulog, small_ulog().0),
        stream("tum", Container::Tum, b"# x\n1.5 1 2 3 0 0 0 1\n2.5 1 2 3 0.1 0 0 1\n".to_vec()),
        stream("kitti", Container::Kitti, b"1 0 0 1 0 1 0 2 0 0 1 3\n".repeat(2)),
        stream("euroc", Container::Euroc, b"#t\n14037155249071431,1,2,3,1,0,0,0,9,9\n".to_vec()),
        file("csv", Target::Csv(projection()), small_csv().to_vec()),
        file("csv columns", Target::Columns(Container::Csv), small_csv().to_vec()),
        file("parquet", Target::Parquet(projection()), small_parquet()),
        file("parquet zstd", Target::Parquet(projection()), {
            packed_parquet(parquet::basic::Compression::ZSTD(Default::default()))
        }),
        file("parquet snappy", Target::Parquet(projection()), {
            packed_parquet(parquet::basic::Compression::SNAPPY)
        }),
        file("parquet columns", Target::Columns(Container::Parquet), {
            let ids = arrow::array::Int64Array::from_iter_values([1, 1, 2, 2, 3]);
            let ids: arrow::array::ArrayRef = std::sync::Arc::new(ids);
            parquet_of(&arrow::array::RecordBatch::try_from_iter([("id", ids)]).unwrap())
        }),
        file("ply text", Target::Cloud, ply_of("ascii")),
        file("ply little", Target::Cloud, ply_of("binary_little_endian")),
        file("ply big", Target::Cloud, ply_of("binary_big_endian")),
        file("pcd text", Target::Cloud, pcd_of("ascii")),
        file("pcd binary", Target::Cloud, pcd_of("binary")),
        file("pcd compressed", Target::Cloud, pcd_of("binary_compressed")),
    ]
}

/// The small Parquet file, its pages compressed and without a dictionary.
fn packed_parquet(compression: parquet::basic::Compression) -> Vec<u8> {
    let source = bytes::Bytes::from(small_parquet());
    let mut batches =
        parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(source)
            .unwrap()
            .build()
            .unwrap();
    let batch = batches.next().unwrap().unwrap();
    let properties = parquet::file::properties::WriterProperties::builder()
        .set_compression(compression)
        .set_dictionary_enabled(false)
        .build();
    let mut bytes = Vec::new();
    let mut writer =
        parquet::arrow::ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

/// One record of a ROS 1 bag.
fn bag_record(fields: &[(&str, &[u8])], data: &[u8]) -> Vec<u8> {
    let mut header = Vec::new();
    for (name, value) in fields {
        header.extend(u32::try_from(name.len() + 1 + value.len()).unwrap().to_le_bytes());
        header.extend([name.as_bytes(), b"=", value].concat());
    }
    let [header_bytes, data_bytes] =
        [header.len(), data.len()].map(|length| u32::try_from(length).unwrap().to_le_bytes());
    [&header_bytes[..], &header, &data_bytes, data].concat()
}

/// A bag that was not closed: one chunk with a connection and two twists.
fn bag(compression: &str) -> Vec<u8> {
    let definition = bag_record(
        &[
            ("topic", b"/cmd"),
            ("type", b"geometry_msgs/Twist"),
            ("md5sum", b"9f195f881246fdfa2798d1d3eebca84a"),
            ("message_definition", b"# a definition\n"),
        ],
        b"",
    );
    let connection = bag_record(
        &[("op", &[7]), ("conn", &[0; 4]), ("topic", b"/cmd")],
        &definition[4..definition.len() - 4],
    );
    let twist = MessageBytes::new(Wire::Ros1).f64s(&[1.5; 6]).bytes;
    let message = bag_record(&[("op", &[2]), ("conn", &[0; 4]), ("time", &[1; 8])], &twist);
    let records = [connection, message.clone(), message].concat();
    let stored = match compression {
        "lz4" => {
            let mut encoder = lz4::EncoderBuilder::new().build(Vec::new()).unwrap();
            encoder.write_all(&records).unwrap();
            encoder.finish().0
        }
        "bz2" => {
            let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), Default::default());
            encoder.write_all(&records).unwrap();
            encoder.finish().unwrap()
        }
        _ => records.clone(),
    };
    let size = u32::try_from(records.len()).unwrap().to_le_bytes();
    let chunk_fields: [(&str, &[u8]); 3] =
        [("op", &[5]), ("compression", compression.as_bytes()), ("size", &size)];
    let head_fields: [(&str, &[u8]); 4] =
        [("op", &[3]), ("index_pos", &[0; 8]), ("conn_count", &[0; 4]), ("chunk_count", &[0; 4])];
    let head = bag_record(&head_fields, &[b' '; 64]);
    [b"#ROSBAG V2.0\n", &head[..], &bag_record(&chunk_fields, &stored)].concat()
}

/// A database of rosbag2 with two scans.
fn database(message: &[u8]) -> Input {
    let path = tempfile::NamedTempFile::new().unwrap();
    let connection = rusqlite::Connection::open(path.path()).unwrap();
    connection
        .execute_batch(
            "PRAGMA page_size=512; CREATE TABLE topics(id INTEGER PRIMARY KEY,name TEXT NOT NULL,\
             type TEXT NOT NULL,serialization_format TEXT NOT NULL,\
             offered_qos_profiles TEXT NOT NULL);\
             CREATE TABLE messages(id INTEGER PRIMARY KEY,topic_id INTEGER NOT NULL,\
             timestamp INTEGER NOT NULL, data BLOB NOT NULL);\
             INSERT INTO topics VALUES(1,'/scan','sensor_msgs/msg/LaserScan','cdr','');",
        )
        .unwrap();
    for time_ns in [5, 6] {
        let row = rusqlite::params![time_ns, message];
        connection.execute("INSERT INTO messages VALUES(NULL,1,?,?)", row).unwrap();
    }
    drop(connection);
    let bytes = std::fs::read(path.path()).unwrap();
    Input { name: "rosbag2 database", target: Target::Database(path), bytes }
}

/// Reads the bytes; gives the rows and whether they were read to the end.
fn read(target: &Target, bytes: &[u8], draws: &mut Draws) -> (u64, Result<(), ReadError>) {
    match target {
        Target::Stream(container) => stream(Reader::new(*container, LIMITS), bytes, draws),
        Target::Database(path) => {
            std::fs::write(path.path(), bytes).unwrap();
            let mut rows = 0;
            let damage = if draws.below(2) == 0 { Damage::Keep } else { Damage::Refuse };
            let result = LogReader::open(path.path(), LIMITS, damage).and_then(|mut reader| {
                while let Some(batches) = reader.next_batches()? {
                    rows += batches.iter().map(|batch| batch.samples.len() as u64).sum::<u64>();
                }
                reader.finish().map(|_| ())
            });
            (rows, result)
        }
        Target::Csv(projection) => stream(Reader::of_csv(projection.clone(), LIMITS), bytes, draws),
        Target::Parquet(projection) => {
            let source = bytes::Bytes::copy_from_slice(bytes);
            let mut rows = 0;
            let result = ParquetReader::new(source, Some(projection), LIMITS).and_then(|mut r| {
                while let Some(batches) = r.next_batches()? {
                    rows += batches.iter().map(|batch| batch.samples.len() as u64).sum::<u64>();
                }
                r.finish().map(|_| ())
            });
            // A run of equal values takes no bytes, so rows are bounded by memory alone.
            (if result.is_ok() { 0 } else { rows.min(1) }, result)
        }
        Target::Columns(container) => (0, read_columns(*container, bytes, &[], LIMITS).map(|_| ())),
        Target::Cloud => match read_cloud(bytes, LIMITS) {
            Ok(cloud) => (cloud.points.len() as u64, Ok(())),
            Err(error) => (0, Err(error)),
        },
    }
}

fn stream(mut reader: Reader, bytes: &[u8], draws: &mut Draws) -> (u64, Result<(), ReadError>) {
    if draws.below(2) == 0 {
        reader = reader.on_damage(Damage::Keep);
    }
    let piece = match draws.below(3) {
        0 => bytes.len().max(1),
        1 => 1 + draws.below(16),
        _ => 1 + draws.below(400),
    };
    let mut rows = 0;
    let mut drain = |reader: &mut Reader| {
        rows += reader.drain().iter().map(|batch| batch.samples.len() as u64).sum::<u64>();
    };
    let fed = bytes.chunks(piece).try_for_each(|piece| {
        let fed = reader.feed(piece);
        drain(&mut reader);
        fed
    });
    let finished = reader.finish();
    drain(&mut reader);
    if fed.is_err() {
        assert!(matches!(finished, Err(ReadError::Stopped)), "an error did not stop the reader");
    }
    (rows, fed.and(finished.map(|_| ())))
}

/// Damages the bytes once.
fn mutate(bytes: &mut Vec<u8>, other: &[u8], draws: &mut Draws) {
    const NUMBERS: [u64; 12] = [
        0,
        1,
        2,
        0x7f,
        0xff,
        0x7fff,
        0xffff,
        0x7fff_ffff,
        0xffff_ffff,
        0x8000_0000,
        u64::MAX >> 1,
        u64::MAX,
    ];
    if bytes.is_empty() {
        return;
    }
    let at = draws.below(bytes.len());
    let range = |draws: &mut Draws, of: &[u8]| {
        let start = draws.below(of.len());
        start..(start + 1 + draws.below(40)).min(of.len())
    };
    match draws.below(10) {
        0 => bytes[at] ^= 1 << draws.below(8),
        1 => bytes[at] = draws.bits().to_le_bytes()[0],
        2 => bytes.truncate(at),
        3 => {
            let gone = range(draws, bytes);
            bytes.drain(gone);
        }
        4 => {
            let doubled = range(draws, bytes);
            let copy = bytes[doubled].to_vec();
            bytes.splice(at..at, copy);
        }
        5 => {
            let foreign = other[range(draws, other)].to_vec();
            let end = (at + foreign.len()).min(bytes.len());
            bytes.splice(at..end, foreign);
        }
        6 | 7 => {
            let number = NUMBERS[draws.below(NUMBERS.len())].to_le_bytes();
            let width = [1, 2, 4, 8][draws.below(4)];
            let end = (at + width).min(bytes.len());
            bytes[at..end].copy_from_slice(&number[..end - at]);
        }
        8 => bytes[at] = bytes[at].wrapping_add([1, 255][draws.below(2)]),
        _ => {
            let text: &[u8] =
                [&b"99999999999"[..], b"-1", b"nan", b"\"", b"\n", b",", b" ", b"1e308", b"\xff"]
                    [draws.below(9)];
            bytes.splice(at..at, text.iter().copied());
        }
    }
}

/// Runs so many cases over all inputs and says what happened to each.
fn fuzz(case_count: u64) {
    let inputs = inputs();
    // What the file held when nothing was done to it is read whole.
    for input in &inputs {
        let mut draws = SEED.draws(0, 0);
        let (_, result) = read(&input.target, &input.bytes, &mut draws);
        assert!(result.is_ok(), "{}: {result:?}", input.name);
    }
    // Panics that are caught and refused would print a page each.
    let quiet = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let mut faults = Vec::new();
    let mut lines = Vec::new();
    for (number, input) in inputs.iter().enumerate() {
        let (mut read_count, mut peak_bytes) = (0_u64, 0_usize);
        let mut count = case_count.div_ceil(inputs.len() as u64);
        if matches!(input.target, Target::Database(_)) {
            count /= DATABASE_SHARE;
        }
        for case in 0..count {
            let mut draws = SEED.for_purpose("fuzz").draws(number as u64, case);
            let mut bytes = input.bytes.clone();
            let other = &inputs[draws.below(inputs.len())].bytes;
            for _change in 0..=draws.below(4) {
                mutate(&mut bytes, other, &mut draws);
            }
            ALLOCATOR.reset_peak_usage();
            let before = ALLOCATOR.current_usage();
            let done = catch_unwind(AssertUnwindSafe(|| read(&input.target, &bytes, &mut draws)));
            let used = ALLOCATOR.peak_usage().saturating_sub(before);
            peak_bytes = peak_bytes.max(used);
            let fault = match done {
                Err(_) => Some("panicked".to_owned()),
                Ok(_) if used > BOUND_BYTES => Some(format!("held {used} bytes")),
                Ok((rows, _)) if rows > ROWS_PER_BYTE_MAX * bytes.len() as u64 + (1 << 17) => {
                    Some(format!("made {rows} rows of {} bytes", bytes.len()))
                }
                Ok((_, result)) => {
                    if let Err(error) = &result {
                        assert!(!error.to_string().is_empty() && !error.hint().is_empty());
                    }
                    read_count += u64::from(result.is_ok());
                    None
                }
            };
            if let Some(fault) = fault {
                faults.push(format!("{} case {case}: {fault}", input.name));
                if faults.len() > 40 {
                    break;
                }
            }
        }
        lines.push(format!("{}: {read_count} read whole, peak {peak_bytes} B", input.name));
        assert!(read_count > 0, "{}: no damaged file was ever read", input.name);
    }
    std::panic::set_hook(quiet);
    println!("{}", lines.join("\n"));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// One test only runs at a time: the allocator counts for the whole program.
#[test]
fn no_damage_makes_a_reader_panic_or_hold_more_than_the_bound() {
    let cases = std::env::var("TIEPOINT_FUZZ_CASES").ok().and_then(|text| text.parse().ok());
    fuzz(cases.unwrap_or(200_000));
}
