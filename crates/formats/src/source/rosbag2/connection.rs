//! How the database of a rosbag2 is opened: in memory if it is small, else from its file.
//!
//! Invariant: nothing is written. A file is opened as immutable, so SQLite makes no file beside
//! it; only with a write-ahead log beside it is it opened as others may hold it.
//!
//! In its file every page of 4 KiB is a call of the system, which costs more than the messages in
//! it; so a small database is read at once. It is never mapped: a file that somebody cuts
//! meanwhile would end the process.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "room: disk; SQLite reads by itself"
)]

use std::{fs::File, io::Read, ops::Range, path::Path};

use rusqlite::{Connection, MAIN_DB, OpenFlags};

use crate::Damage;

/// A database of at most so many bytes is read into memory whole.
const WHOLE_BYTES_MAX: u64 = 64 << 20;

/// The least database that SQLite can make: one page of the smallest size.
const WHOLE_BYTES_MIN: u64 = 512;

/// Rows come nearly in the order of their pages, so few are needed again. A small cache stays in
/// the processor's, and is not asked of the allocator for every database.
const CACHE_KIB: i32 = 128;

pub(super) fn has_log_beside(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    std::fs::metadata(&log).is_ok_and(|file| file.len() > 0)
}

/// Opens the file itself, as SQLite reads it.
pub(super) fn of_file(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mode = if has_log_beside(path) { "mode=ro" } else { "immutable=1" };
    Connection::open_with_flags(format!("file:{}?{mode}", percent_encoded(path)), flags)
}

/// A small database in memory. If it is above the limit, or cannot be read so, there is none, and
/// SQLite reads the file itself and says what is wrong.
pub(super) fn whole(path: &Path, limit_bytes: usize) -> Option<Connection> {
    /// Where the header says by which versions of the format it may be written and read.
    const VERSIONS: Range<usize> = 18..20;
    const WRITTEN_AHEAD: u8 = 2;
    const ROLLED_BACK: u8 = 1;
    if has_log_beside(path) {
        return None;
    }
    let mut file = File::open(path).ok()?;
    let size_bytes = file.metadata().ok()?.len();
    let limit = WHOLE_BYTES_MAX.min(limit_bytes as u64);
    if !(WHOLE_BYTES_MIN..=limit).contains(&size_bytes) {
        return None;
    }
    let mut header = [0; VERSIONS.end];
    file.read_exact(&mut header).ok()?;
    // In memory there is no write-ahead log, so what was written with one must not ask for it.
    for version in &mut header[VERSIONS] {
        if *version == WRITTEN_AHEAD {
            *version = ROLLED_BACK;
        }
    }
    let bytes = header.as_slice().chain(file);
    let mut connection = Connection::open_in_memory().ok()?;
    let size = usize::try_from(size_bytes).ok()?;
    connection.deserialize_read_exact(MAIN_DB, bytes, size, true).ok()?;
    // Pages are read where they lie in memory, and not copied to the cache; no file is mapped.
    connection.pragma_update(None, "mmap_size", i64::try_from(size_bytes).ok()?).ok()?;
    Some(connection)
}

/// Says what every question about the database rests on.
pub(super) fn prepare(connection: Connection, damage: Damage) -> rusqlite::Result<Connection> {
    if damage == Damage::Keep {
        // SQLite opens a database that is shorter than it says only so; nothing is written.
        connection.execute_batch("PRAGMA writable_schema = ON")?;
    }
    // It reads the schema, so it comes second.
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    Ok(connection)
}

/// The path for SQLite's URI, in which `?`, `#` and `%` mean something.
fn percent_encoded(path: &Path) -> String {
    let mut text = String::new();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => {
                text.push(char::from(*byte));
            }
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}
