//! Images leave as messages again: their pixels are fetched from every kind of original, or the damage is named.
#![expect(clippy::disallowed_methods, reason = "room: disk, in a folder of each test's own")]

use std::{
    borrow::Cow,
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use mcap::{Compression, WriteOptions};
use rusqlite::Connection;
use tempfile::TempDir;
use tiepoint_formats::{
    ChannelKey, Damage, ExportChannel, Limits, LogReader, McapExport, PayloadError, PayloadReader,
    Payloads, Samples, Table, WriteError, write_mcap,
};
use tiepoint_model::{ErrorKind, ImageSample, PayloadBase, PayloadPlace};

use crate::{
    make::{MessageBytes, Wire, mcap_with, no_metadata},
    ros1_bag::{chunk, connection, message, open_bag},
};

const IMAGE_MD5: &str = "060021388200f6f0f447d0fcd9c64743";
const COMPRESSED_MD5: &str = "8f7a12909da2c9d3332d540a0977563f";
/// Of each log.
const IMAGES: u32 = 6;

fn pixels(index: u32) -> Vec<u8> {
    (0..12).map(|byte| u8::try_from(index * 16 + byte).unwrap_or(255)).collect()
}

fn image(wire: Wire, index: u32) -> Vec<u8> {
    let m = MessageBytes::new(wire).header(10 + index, 2, "camera_optical").u32(2).u32(2);
    m.string("rgb8").u8(1).u32(6).blob(&pixels(index)).bytes
}

fn compressed_image(wire: Wire, index: u32) -> Vec<u8> {
    let m = MessageBytes::new(wire).header(10 + index, 2, "camera_optical").string("jpeg");
    m.blob(&pixels(index)[..usize::try_from(index).unwrap_or(0)]).bytes
}

/// Two chunks, in each of which two topics take turns.
fn bag(compression: &str) -> Vec<u8> {
    let chunks = [0..3, 3..IMAGES].map(|indices| {
        let mut records = [
            connection(0, "/image", "sensor_msgs/Image", IMAGE_MD5),
            connection(1, "/jpeg", "sensor_msgs/CompressedImage", COMPRESSED_MD5),
        ]
        .concat();
        for index in indices {
            records.extend(message(0, index, &image(Wire::Ros1, index)));
            records.extend(message(1, index, &compressed_image(Wire::Ros1, index)));
        }
        chunk(compression, records.len(), &records)
    });
    open_bag(&chunks)
}

fn mcap_of(wire: Wire, compression: Option<Compression>) -> Vec<u8> {
    let options = WriteOptions::new().compression(compression).chunk_size(Some(200));
    let messages: Vec<Vec<u8>> = (0..IMAGES).map(|index| image(wire, index)).collect();
    let name = if wire == Wire::Ros1 { "sensor_msgs/Image" } else { "sensor_msgs/msg/Image" };
    mcap_with(options, wire, name, &messages)
}

fn database(path: &Path, is_compressed: bool) {
    let db = Connection::open(path).unwrap();
    db.execute_batch(
        "CREATE TABLE topics(id INTEGER PRIMARY KEY, name TEXT, type TEXT,
             serialization_format TEXT);
         CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id INTEGER, timestamp INTEGER,
             data BLOB);
         INSERT INTO topics VALUES (1, '/image', 'sensor_msgs/msg/Image', 'cdr');
         INSERT INTO topics VALUES (2, '/jpeg', 'sensor_msgs/msg/CompressedImage', 'cdr');",
    )
    .unwrap();
    for index in 0..IMAGES {
        let both = [image(Wire::CdrLittle, index), compressed_image(Wire::CdrBig, index)];
        for (topic_id, mut data) in (1..).zip(both) {
            if is_compressed {
                data = zstd::encode_all(&data[..], 1).unwrap();
            }
            let sql = "INSERT INTO messages (topic_id, timestamp, data) VALUES (?1, ?2, ?3)";
            db.execute(sql, (topic_id, index, data)).unwrap();
        }
    }
}

type Rows = BTreeMap<ChannelKey, Vec<ImageSample>>;

fn read(path: &Path) -> (Rows, Vec<PathBuf>) {
    let mut log = LogReader::open(path, Limits::default(), Damage::Refuse).unwrap();
    let files = log.files().to_vec();
    let mut rows = Rows::new();
    while let Some(batches) = log.next_batches().unwrap() {
        for batch in batches {
            let Samples::Images(images) = batch.samples else { panic!("{:?}", batch.channel) };
            rows.entry(batch.channel).or_default().extend(images);
        }
    }
    (rows, files)
}

fn reader(files: &[PathBuf]) -> PayloadReader {
    let named = files.iter().map(|path| ("the original".to_owned(), path.clone()));
    PayloadReader::new(named.collect(), Limits::default())
}

/// Without addresses, which differ, and publish times, which MCAP always has.
fn comparable(rows: &[ImageSample]) -> Vec<ImageSample> {
    let nowhere =
        PayloadPlace { file_index: 0, base: PayloadBase::File, offset_bytes: 0, length_bytes: 0 };
    let mut rows = rows.to_vec();
    for row in &mut rows {
        row.payload = PayloadPlace { length_bytes: row.payload.length_bytes, ..nowhere };
        row.stamps.publish = None;
    }
    rows
}

/// Exports the images of a log and reads the export again.
fn assert_leaves_and_returns(path: &Path) {
    let (rows, files) = read(path);
    let channels: Vec<(&ChannelKey, &Vec<ImageSample>)> = rows.iter().collect();
    let declared = channels.iter().map(|(key, _)| {
        let message_type = key.message_type.replace("sensor_msgs/", "sensor_msgs/msg/");
        let message_type = message_type.replace("msg/msg/", "msg/");
        let key = ChannelKey { topic: key.topic.clone(), message_type, encoding: "cdr".into() };
        ExportChannel { key, table: Table::Images, definition: None, metadata: BTreeMap::new() }
    });
    let mut export = McapExport::new(Vec::new(), "ros2", &no_metadata(), declared.collect())
        .unwrap()
        .with_payloads(reader(&files));
    for (index, (_, rows)) in channels.iter().enumerate() {
        // Pieces of two rows each: an image's row is counted over all of them.
        for piece in rows.chunks(2) {
            export.give(index, Cow::Owned(Samples::Images(piece.to_vec()))).unwrap();
        }
        export.end(index).unwrap();
    }
    let dir = TempDir::new().unwrap();
    let exported = dir.path().join("exported.mcap");
    fs::write(&exported, export.finish().unwrap()).unwrap();

    let (again, exported_files) = read(&exported);
    assert_eq!(again.len(), rows.len(), "{}", path.display());
    let (mut before, mut after) = (reader(&files), reader(&exported_files));
    for ((key, old), (new_key, new)) in channels.iter().zip(&again) {
        assert_eq!(key.topic, new_key.topic);
        assert_eq!(old.len(), IMAGES as usize);
        assert_eq!(comparable(old), comparable(new), "{}", path.display());
        for (index, (old, new)) in (0..).zip(old.iter().zip(new)) {
            let bytes = before.fetch(&old.payload).unwrap();
            let length = usize::try_from(old.payload.length_bytes).unwrap();
            assert_eq!(bytes, &pixels(index)[..length]);
            assert_eq!(bytes, after.fetch(&new.payload).unwrap());
        }
    }
}

#[test]
fn images_of_every_kind_of_original_are_exported_and_read_back() {
    let dir = TempDir::new().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    for compression in ["none", "bz2", "lz4"] {
        assert_leaves_and_returns(&write("a.bag", &bag(compression)));
    }
    for compression in [None, Some(Compression::Zstd), Some(Compression::Lz4)] {
        for wire in Wire::ALL {
            assert_leaves_and_returns(&write("b.mcap", &mcap_of(wire, compression)));
        }
    }
    // Compressed as a whole: addresses count in what is inflated.
    for compression in [None, Some(Compression::Zstd)] {
        let whole = zstd::encode_all(&mcap_of(Wire::CdrLittle, compression)[..], 1).unwrap();
        assert_leaves_and_returns(&write("c.mcap.zstd", &whole));
    }
    let path = dir.path().join("d.db3");
    database(&path, false);
    assert_leaves_and_returns(&path);
}

#[test]
fn images_in_messages_compressed_one_by_one_are_fetched() {
    let dir = TempDir::new().unwrap();
    database(&dir.path().join("x.db3"), true);
    let text = "rosbag2_bagfile_information:\n  relative_file_paths:\n  - x.db3\n  \
                compression_format: zstd\n  compression_mode: MESSAGE\n";
    fs::write(dir.path().join("metadata.yaml"), text).unwrap();
    assert_leaves_and_returns(dir.path());
}

/// Whatever byte of a bag or MCAP is lost, a fetch gives the bytes that were there or names original and place.
#[test]
fn a_place_that_holds_no_such_image_is_refused_with_its_name() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("x");
    let logs = [bag("bz2"), bag("none"), mcap_of(Wire::CdrLittle, Some(Compression::Zstd))];
    for whole in logs {
        fs::write(&path, &whole).unwrap();
        let (rows, files) = read(&path);
        let (_, images) = rows.first_key_value().unwrap();
        let place = images[5].payload;
        assert_eq!(reader(&files).fetch(&place).unwrap(), pixels(5));
        let refused = |place: &PayloadPlace| {
            let error = reader(&files).fetch(place).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
            assert!(!error.hint().is_empty());
            error.to_string()
        };
        let other =
            |offset_bytes, length_bytes| PayloadPlace { offset_bytes, length_bytes, ..place };
        let said = refused(&other(place.offset_bytes, 11));
        assert!(said.contains("`the original`") && said.contains("another length"), "{said}");
        assert!(said.contains(&format!("at byte {}", place.offset_bytes)), "{said}");
        refused(&other(0, 12));
        refused(&other(u64::MAX, 12));
        refused(&other(place.offset_bytes, u64::MAX));
        refused(&other(1 << 40, 12));
        refused(&PayloadPlace { base: PayloadBase::Row { row_id: 1 }, ..place });
        for chunk_offset_bytes in [0, 1, 14, 1 << 40, u64::MAX] {
            refused(&PayloadPlace { base: PayloadBase::Chunk { chunk_offset_bytes }, ..place });
        }
        let error = reader(&files).fetch(&PayloadPlace { file_index: 7, ..place }).unwrap_err();
        assert!(matches!(error, PayloadError::NoOriginal { file_index: 7 }), "{error}");
        // Cut anywhere ahead of the end of the image's chunk or bytes.
        for kept in (0..whole.len()).step_by(7) {
            fs::write(&path, &whole[..kept]).unwrap();
            match reader(&files).fetch(&place) {
                Ok(bytes) => assert_eq!(bytes, pixels(5)),
                Err(error) => assert!(error.to_string().contains("`the original`"), "{error}"),
            }
        }
        fs::remove_file(&path).unwrap();
        let gone = reader(&files).fetch(&place).unwrap_err();
        assert_eq!(gone.kind(), ErrorKind::NotFound, "{gone}");
    }
}

#[test]
fn a_message_that_is_gone_from_the_database_is_named_by_its_id() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("x.db3");
    database(&path, false);
    let (rows, files) = read(&path);
    let (_, images) = rows.first_key_value().unwrap();
    let place = images[0].payload;
    Connection::open(&path).unwrap().execute("DELETE FROM messages WHERE id = 1", ()).unwrap();
    let error = reader(&files).fetch(&place).unwrap_err().to_string();
    assert!(error.contains("id 1") && error.contains("no such message"), "{error}");
}

#[test]
fn images_without_anyone_to_fetch_them_are_refused() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("x.mcap");
    fs::write(&path, mcap_of(Wire::CdrLittle, None)).unwrap();
    let (rows, _) = read(&path);
    let (key, images) = rows.first_key_value().unwrap();
    let channels = [(key.clone(), Samples::Images(images.clone()))];
    let error = write_mcap("ros2", &channels, &no_metadata()).unwrap_err();
    assert!(matches!(error, WriteError::PayloadElsewhere { row: 0, .. }), "{error}");
}
