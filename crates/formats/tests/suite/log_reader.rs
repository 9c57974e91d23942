//! Recordings on disk: databases, folders with several files, and what is wrong with them.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "room: disk, in a folder of each test's own"
)]

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use rusqlite::Connection;
use tempfile::TempDir;
use tiepoint_formats::{
    ChannelKey, Container, Damage, Limits, LogReader, ReadError, Samples, Summary, Table,
    write_mcap,
};
use tiepoint_model::{ErrorKind, Stamps, Timestamp, TwistSample};

use crate::make::{MessageBytes, Wire, no_metadata};

/// As rosbag2 makes it, version 4.
const SCHEMA: &str = "
    CREATE TABLE topics(id INTEGER PRIMARY KEY, name TEXT NOT NULL, type TEXT NOT NULL,
        serialization_format TEXT NOT NULL, offered_qos_profiles TEXT NOT NULL,
        type_description_hash TEXT NOT NULL);
    CREATE TABLE message_definitions(id INTEGER PRIMARY KEY, topic_type TEXT NOT NULL,
        encoding TEXT NOT NULL, encoded_message_definition TEXT NOT NULL,
        type_description_hash TEXT NOT NULL);
    CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id INTEGER NOT NULL,
        timestamp INTEGER NOT NULL, data BLOB NOT NULL);
    INSERT INTO topics VALUES (1, '/cmd', 'geometry_msgs/msg/Twist', 'cdr', '', '');
    INSERT INTO topics VALUES (2, '/odd', 'some_msgs/msg/Thing', 'cdr', '', '');
    INSERT INTO message_definitions VALUES (1, 'some_msgs/msg/Thing', 'ros2msg', 'int8 a', '');
";
const INDEX: &str = "CREATE INDEX timestamp_idx ON messages (timestamp ASC);";

fn twist(value: f64) -> Vec<u8> {
    MessageBytes::new(Wire::CdrLittle).f64s(&[value; 6]).bytes
}

/// A database with twists of these (topic, time) and the values 0, 1, 2, ...
fn database(path: &Path, is_indexed: bool, rows: &[(i64, i64)]) -> Connection {
    let db = Connection::open(path).unwrap();
    db.execute_batch(SCHEMA).unwrap();
    if is_indexed {
        db.execute_batch(INDEX).unwrap();
    }
    db.execute_batch("BEGIN").unwrap();
    for (index, (topic_id, time_ns)) in rows.iter().enumerate() {
        let sql = "INSERT INTO messages (topic_id, timestamp, data) VALUES (?1, ?2, ?3)";
        db.execute(sql, (topic_id, time_ns, twist(index as f64))).unwrap();
    }
    db.execute_batch("COMMIT").unwrap();
    db
}

fn read(path: &Path, damage: Damage) -> Result<(Vec<(i64, f64)>, Summary), ReadError> {
    let mut log = LogReader::open(path, Limits::default(), damage)?;
    let (mut rows, mut sequence) = (Vec::new(), 0);
    while let Some(batches) = log.next_batches()? {
        for batch in batches {
            if let Samples::Twists(twists) = batch.samples {
                assert_eq!(batch.first_sequence, sequence, "rows are numbered over all files");
                sequence += twists.len() as u64;
                rows.extend(twists.iter().map(|row| (row.stamps.log.0, row.linear_m_per_s[0])));
            }
        }
    }
    Ok((rows, log.finish()?))
}

fn folder(dir: &TempDir, files: &[&str], compression: (&str, &str)) -> PathBuf {
    let list: String = files.iter().map(|file| format!("  - {file}\n")).collect();
    let (mode, format) = compression;
    let text = format!(
        "rosbag2_bagfile_information:\n  version: 5\n  relative_file_paths:\n{list}  \
         compression_format: \"{format}\"\n  compression_mode: '{mode}'\n"
    );
    let written = fs::write(dir.path().join("metadata.yaml"), text);
    assert!(written.is_ok());
    dir.path().to_owned()
}

#[test]
fn a_database_is_read_in_order_of_time_and_id_and_left_as_it_was() {
    for is_indexed in [true, false] {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("a %?#.db3");
        drop(database(&path, is_indexed, &[(1, 30), (1, 10), (2, 5), (1, 30), (1, -7)]));
        let before = fs::read(&path).unwrap();
        let (rows, summary) = read(&path, Damage::Refuse).unwrap();
        assert_eq!(rows, [(-7, 4.0), (10, 1.0), (30, 0.0), (30, 3.0)]);
        assert_eq!(summary.row_count(), 5);
        assert_eq!(summary.raw_message_counts["some_msgs/msg/Thing"], 1);
        let key = ("some_msgs/msg/Thing".to_owned(), "cdr".to_owned());
        assert_eq!(summary.definitions[&key].text, b"int8 a");
        assert_eq!(fs::read(&path).unwrap(), before);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is made beside it");
    }
}

/// The rows of a database under a limit for one record, and what was lost.
fn read_within(path: &Path, record_bytes_max: usize) -> (u64, Vec<String>) {
    let limits = Limits { record_bytes_max, ..Limits::default() };
    let mut log = LogReader::open(path, limits, Damage::Keep).unwrap();
    while log.next_batches().unwrap().is_some() {}
    let summary = log.finish().unwrap();
    let reasons = summary.losses.iter().map(|loss| loss.reason.clone());
    (summary.row_count(), reasons.collect())
}

/// What fits the limit is read into memory whole, else SQLite reads the file; a header that asks
/// for a write-ahead log which is not there changes neither.
#[test]
fn a_database_reads_alike_whole_and_page_by_page() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("x.db3");
    let db = database(&path, true, &[(1, 30), (1, 10), (2, 20)]);
    db.execute_batch("PRAGMA journal_mode = WAL").unwrap();
    drop(db);
    assert_eq!(fs::read(&path).unwrap()[18..20], [2, 2]);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "no log lies beside it");
    let size = fs::read(&path).unwrap().len();
    for limit in [size, size - 1] {
        assert_eq!(read_within(&path, limit), (3, vec![]));
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is made beside it");
}

#[test]
fn a_message_above_the_limit_is_lost_alone() {
    let dir = TempDir::new().unwrap();
    for is_indexed in [true, false] {
        let path = dir.path().join(format!("{is_indexed}.db3"));
        let db = database(&path, is_indexed, &[(2, 1), (2, 2), (2, 3)]);
        let sql = "UPDATE messages SET data = zeroblob(5000) WHERE id = 2";
        assert_eq!(db.execute(sql, []).unwrap(), 1);
        drop(db);
        let (row_count, losses) = read_within(&path, 4999);
        assert_eq!((row_count, losses.len()), (2, 1));
        assert!(losses[0].contains("`/odd` is 5000 bytes long, above the limit"), "{losses:?}");
        assert_eq!(read_within(&path, 5000), (3, vec![]));
    }
}

/// More rows than a page holds, times in disorder and with ties.
#[test]
fn pages_lose_and_repeat_nothing() {
    let dir = TempDir::new().unwrap();
    let times: Vec<(i64, i64)> = (0..10_000).map(|index| (1, (index * 7919) % 501)).collect();
    let mut expected: Vec<(i64, f64)> =
        times.iter().enumerate().map(|(index, (_, time))| (*time, index as f64)).collect();
    expected.sort_by_key(|(time, value)| (*time, *value as i64));
    for is_indexed in [true, false] {
        let path = dir.path().join(format!("{is_indexed}.db3"));
        drop(database(&path, is_indexed, &times));
        assert_eq!(read(&path, Damage::Refuse).unwrap().0, expected);
    }
}

#[test]
fn a_folder_of_split_files_is_one_recording() {
    let dir = TempDir::new().unwrap();
    drop(database(&dir.path().join("x_1.db3"), true, &[(1, 3), (1, 4)]));
    drop(database(&dir.path().join("x_0.db3"), true, &[(1, 1), (1, 2)]));
    drop(database(&dir.path().join("not_listed.db3"), true, &[(1, 99)]));
    // An early version lists paths from the parent folder.
    let path = folder(&dir, &["x/x_0.db3", "'x_1.db3'"], ("", ""));
    let (rows, summary) = read(&path, Damage::Refuse).unwrap();
    assert_eq!(rows, [(1, 0.0), (2, 1.0), (3, 0.0), (4, 1.0)]);
    assert_eq!(summary.channels.len(), 2);
    let log = LogReader::open(&path, Limits::default(), Damage::Refuse).unwrap();
    let names: Vec<_> = log.files().iter().filter_map(|file| file.file_name()).collect();
    assert_eq!(names, ["x_0.db3", "x_1.db3", "metadata.yaml"]);
    assert_eq!(log.container(), Container::Rosbag2);
}

fn mcap_of(times: &[i64]) -> Vec<u8> {
    let rows = times.iter().map(|time| TwistSample {
        stamps: Stamps {
            log: Timestamp(*time),
            publish: Some(Timestamp(*time)),
            sensor: Some(Timestamp(1)),
        },
        frame_id: String::new(),
        linear_m_per_s: [0.5; 3],
        angular_rad_per_s: [0.0; 3],
    });
    let key = ChannelKey::ros2("/cmd", Table::Twists).unwrap();
    write_mcap("ros2", &[(key, Samples::Twists(rows.collect()))], &no_metadata()).unwrap()
}

#[test]
fn a_folder_of_mcap_files_compressed_as_files_is_read_too() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("x_0.mcap"), mcap_of(&[1, 2])).unwrap();
    let zstd = zstd::encode_all(&mcap_of(&[3])[..], 1).unwrap();
    fs::write(dir.path().join("x_1.mcap.zstd"), zstd).unwrap();
    let path = folder(&dir, &["x_0.mcap", "x_1.mcap.zstd"], ("FILE", "zstd"));
    let (rows, _) = read(&path, Damage::Refuse).unwrap();
    assert_eq!(rows, [(1, 0.5), (2, 0.5), (3, 0.5)]);
}

#[test]
fn messages_compressed_one_by_one_are_inflated_and_a_bomb_is_not() {
    let dir = TempDir::new().unwrap();
    let db = database(&dir.path().join("x.db3"), true, &[]);
    let sql = "INSERT INTO messages (topic_id, timestamp, data) VALUES (1, ?1, ?2)";
    db.execute(sql, (1, zstd::encode_all(&twist(8.0)[..], 1).unwrap())).unwrap();
    let path = folder(&dir, &["x.db3"], ("MESSAGE", "zstd"));
    assert_eq!(read(&path, Damage::Refuse).unwrap().0, [(1, 8.0)]);
    let bomb = zstd::encode_all(std::io::Read::take(std::io::repeat(0), 1 << 20), 1).unwrap();
    db.execute(sql, (2, bomb)).unwrap();
    let limits = Limits { record_bytes_max: 1 << 16, ..Limits::default() };
    let mut log = LogReader::open(&path, limits, Damage::Refuse).unwrap();
    let error = log.next_batches().unwrap_err();
    assert!(error.to_string().contains("inflates to more than the limit"), "{error}");
}

#[test]
fn what_is_no_rosbag2_is_refused_with_the_next_step() {
    let dir = TempDir::new().unwrap();
    let empty = read(dir.path(), Damage::Refuse).unwrap_err();
    assert!(empty.to_string().starts_with("the folder has no metadata.yaml"), "{empty}");
    assert_eq!(empty.kind(), ErrorKind::InvalidInput);
    assert!(empty.hint().contains("ros2 bag reindex"));
    let other = dir.path().join("other.db3");
    let db = Connection::open(&other).unwrap();
    db.execute_batch("CREATE TABLE notes(a)").unwrap();
    drop(db);
    let error = read(&other, Damage::Refuse).unwrap_err();
    assert!(error.to_string().contains("it has no table `topics`"), "{error}");
    let path = folder(&dir, &["missing.db3"], ("", ""));
    let error = read(&path, Damage::Refuse).unwrap_err();
    assert!(error.to_string().contains("lists `missing.db3`, which is not"), "{error}");
    folder(&dir, &["other.db3"], ("FILE", "lzma"));
    let error = read(&path, Damage::Refuse).unwrap_err();
    assert!(error.to_string().contains("`lzma` is not zstd"), "{error}");
    let zstd = dir.path().join("x.db3.zstd");
    fs::write(&zstd, zstd::encode_all(&fs::read(&other).unwrap()[..], 1).unwrap()).unwrap();
    let error = read(&zstd, Damage::Refuse).unwrap_err();
    assert!(error.to_string().contains("decompress it with `zstd -d`"), "{error}");
    let nowhere = read(&dir.path().join("nowhere"), Damage::Refuse).unwrap_err();
    assert_eq!(nowhere.kind(), ErrorKind::NotFound);
}

#[test]
fn a_database_cut_anywhere_is_refused_and_keeping_keeps_rows_of_it() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("x.db3");
    let rows: Vec<(i64, i64)> = (0..2_000).map(|index| (1, index)).collect();
    drop(database(&path, true, &rows));
    let whole = fs::read(&path).unwrap();
    let (all, _) = read(&path, Damage::Refuse).unwrap();
    let mut kept_some = 0;
    for cut in (1..whole.len()).step_by(4096 + 777) {
        let mut file = fs::File::create(&path).unwrap();
        file.write_all(&whole[..cut]).unwrap();
        drop(file);
        assert!(read(&path, Damage::Refuse).is_err(), "cut at {cut} of {}", whole.len());
        if let Ok((rows, summary)) = read(&path, Damage::Keep) {
            kept_some += 1;
            assert_eq!(rows, all[..rows.len()], "the rows ahead of the damage");
            assert_eq!(summary.losses.len(), 1, "cut at {cut}");
        }
    }
    assert!(kept_some > 3);
}

#[test]
fn a_message_on_a_topic_that_is_not_declared_is_refused_or_lost() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("x.db3");
    drop(database(&path, true, &[(1, 1), (77, 2), (1, 3)]));
    let error = read(&path, Damage::Refuse).unwrap_err();
    assert!(error.to_string().contains("id 2 is on topic 77, which is not declared"), "{error}");
    let (rows, summary) = read(&path, Damage::Keep).unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(summary.losses[0].message_count, Some(1));
}

#[test]
fn a_write_ahead_log_beside_it_is_read_and_said() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("x.db3");
    let db = database(&path, true, &[(1, 1)]);
    db.execute_batch("PRAGMA journal_mode = WAL").unwrap();
    db.execute_batch("INSERT INTO messages SELECT NULL, 1, 2, data FROM messages").unwrap();
    let (rows, summary) = read(&path, Damage::Refuse).unwrap();
    assert_eq!(rows.len(), 2);
    assert!(summary.warnings[0].contains("write-ahead log"), "{:?}", summary.warnings);
    drop(db);
}
