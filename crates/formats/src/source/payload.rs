//! Payloads out of originals on disk: from the file, an inflated chunk or a database's row.
//!
//! Invariant: one chunk or one payload is held at a time, each within [`Limits::record_bytes_max`].
//! The message itself counts its payload in the four bytes ahead of it, and that count must be the address's length.
//! A chunk's own checksum is checked as it is when it is read for the first time.
//!
//! Not here: whether the original is as it was kept, which only its digest says.
//! A file that is compressed as a whole is inflated from its start again whenever an address lies behind the last one.
#![expect(
    clippy::disallowed_types,
    reason = "room: disk; databases are read by SQLite itself, from a path"
)]

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fs::File,
    io::{Read, Seek as _, SeekFrom},
    path::{Path, PathBuf},
};

use tiepoint_model::{PayloadBase, PayloadPlace};

use super::{container_of, io, is_zstd, open_bytes, rosbag2::Database};
use crate::{
    Container, Limits, PayloadError, Payloads, ReadError,
    container::{mcap, ros1_bag},
    payload::in_words,
};

/// The count of an array of bytes, ahead of it, in ROS 1 and CDR alike.
const COUNT_BYTES: u64 = 4;

/// Fetches payloads from the originals of one recording.
pub struct PayloadReader {
    /// What a person calls each, and where it lies.
    originals: Vec<(String, PathBuf)>,
    opened: BTreeMap<u32, Opened>,
    /// What `held` is: a chunk or a row of a file.
    holding: Option<(u32, PayloadBase)>,
    held: Vec<u8>,
    stored: Vec<u8>,
    limits: Limits,
}

/// An original that is open.
struct Opened {
    container: Container,
    input: Input,
}

enum Input {
    File {
        file: File,
        path: PathBuf,
    },
    /// Compressed as a whole: bytes come in their order only.
    Inflating {
        stream: Box<dyn Read + Send>,
        at_bytes: u64,
        path: PathBuf,
    },
    Database(Box<Database>),
}

/// What went wrong, before it is said of which original.
enum Problem {
    Read(Box<ReadError>),
    NotThere(String),
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        Self::Read(Box::new(error))
    }
}

impl PayloadReader {
    /// A reader of these originals, each with its name for messages, in the order that a payload's
    /// `file_index` counts. None is opened before it is needed.
    #[must_use]
    pub fn new(originals: Vec<(String, PathBuf)>, limits: Limits) -> Self {
        let (opened, held, stored) = (BTreeMap::new(), Vec::new(), Vec::new());
        Self { originals, opened, holding: None, held, stored, limits }
    }

    fn find(&mut self, place: &PayloadPlace) -> Result<&[u8], Problem> {
        let missing = |problem: &str| Problem::NotThere(problem.to_owned());
        let limit = self.limits.record_bytes_max as u64;
        if place.length_bytes > limit {
            return Err(missing(&format!("it would be longer than the limit of {limit} bytes")));
        }
        let start = place.offset_bytes.checked_sub(COUNT_BYTES);
        let start = start.ok_or_else(|| missing("no count fits ahead of it"))?;
        let size = COUNT_BYTES + place.length_bytes;
        let in_held = match place.base {
            PayloadBase::File => {
                self.holding = None;
                let opened = open(&mut self.opened, &self.originals, place, self.limits)?;
                opened.input.read_at(start, size, &mut self.held)?;
                0
            }
            _ => {
                self.hold(place)?;
                start
            }
        };
        let end = in_held.checked_add(size).and_then(|end| usize::try_from(end).ok());
        let range = usize::try_from(in_held).ok().zip(end);
        let counted = range.and_then(|(start, end)| self.held.get(start..end));
        let counted = counted.and_then(|bytes| bytes.split_first_chunk::<4>());
        let (count, payload) = counted.ok_or_else(|| missing("the bytes end before it does"))?;
        let counts = [u32::from_le_bytes(*count), u32::from_be_bytes(*count)];
        match counts.into_iter().any(|count| u64::from(count) == place.length_bytes) {
            true => Ok(payload),
            false => Err(missing("the count ahead of it says another length")),
        }
    }

    /// Inflates the chunk of a place, or loads the message of its row, unless it is held already.
    fn hold(&mut self, place: &PayloadPlace) -> Result<(), Problem> {
        let wanted = Some((place.file_index, place.base));
        if self.holding == wanted {
            return Ok(());
        }
        self.holding = None;
        let opened = open(&mut self.opened, &self.originals, place, self.limits)?;
        let limits = self.limits;
        match (place.base, &mut opened.input) {
            (PayloadBase::Row { row_id }, Input::Database(database)) => {
                if !database.read_message(row_id, &mut self.held)? {
                    return Err(Problem::NotThere("there is no such message".to_owned()));
                }
            }
            (PayloadBase::Chunk { chunk_offset_bytes }, input) => {
                let mut chunk = Chunk { input, at_bytes: chunk_offset_bytes, limits };
                match opened.container {
                    Container::Mcap => chunk.of_mcap(&mut self.stored, &mut self.held)?,
                    Container::Ros1Bag => chunk.of_bag(&mut self.stored, &mut self.held)?,
                    other => return Err(Problem::NotThere(format!("{other} has no chunks"))),
                }
            }
            _ => return Err(Problem::NotThere("the original is no database".to_owned())),
        }
        self.holding = wanted;
        Ok(())
    }
}

impl Payloads for PayloadReader {
    fn fetch(&mut self, place: &PayloadPlace) -> Result<&[u8], PayloadError> {
        let file_index = place.file_index;
        let original = usize::try_from(file_index).ok().and_then(|i| self.originals.get(i));
        let original = original.map(|(name, _)| name.clone());
        let original = original.ok_or(PayloadError::NoOriginal { file_index })?;
        self.find(place).map_err(|problem| {
            let place = in_words(place);
            match problem {
                Problem::Read(source) => PayloadError::Unreadable { original, place, source },
                Problem::NotThere(problem) => PayloadError::NotThere { original, place, problem },
            }
        })
    }
}

/// The original of a place, opened if it is not yet.
fn open<'a>(
    opened: &'a mut BTreeMap<u32, Opened>,
    originals: &[(String, PathBuf)],
    place: &PayloadPlace,
    limits: Limits,
) -> Result<&'a mut Opened, Problem> {
    match opened.entry(place.file_index) {
        Entry::Occupied(known) => Ok(known.into_mut()),
        Entry::Vacant(new) => {
            let index = usize::try_from(place.file_index).ok();
            let original = index.and_then(|index| originals.get(index));
            let no_original = || Problem::NotThere("there is no such original".to_owned());
            let (_, path) = original.ok_or_else(no_original)?;
            let container = container_of(path)?;
            let input = match container {
                Container::Rosbag2 => {
                    // What was read of a damaged one is read again.
                    Input::Database(Box::new(Database::open_for_messages(path, limits)?))
                }
                _ => Input::of_file(path)?,
            };
            Ok(new.insert(Opened { container, input }))
        }
    }
}

impl Input {
    fn of_file(path: &Path) -> Result<Self, ReadError> {
        let path = path.to_owned();
        if is_zstd(&path)? {
            let stream = open_bytes(&path)?;
            return Ok(Self::Inflating { stream, at_bytes: 0, path });
        }
        let file = File::open(&path).map_err(|source| io(&path, source))?;
        Ok(Self::File { file, path })
    }

    /// Reads the bytes from `start` on into `out`, fewer where the input ends.
    fn read_at(&mut self, start: u64, size: u64, out: &mut Vec<u8>) -> Result<(), Problem> {
        out.clear();
        if i64::try_from(start).is_err() {
            // No file reaches so far, and none can be asked.
            return Ok(());
        }
        match self {
            Self::File { file, path } => {
                file.seek(SeekFrom::Start(start)).map_err(|source| io(path, source))?;
                file.take(size).read_to_end(out).map_err(|source| io(path, source))?;
            }
            Self::Inflating { stream, at_bytes, path } => {
                if start < *at_bytes {
                    (*stream, *at_bytes) = (open_bytes(path)?, 0);
                }
                let ahead = start - *at_bytes;
                let passed = std::io::copy(&mut stream.take(ahead), &mut std::io::sink());
                *at_bytes += passed.map_err(|source| io(path, source))?;
                let count =
                    stream.take(size).read_to_end(out).map_err(|source| io(path, source))?;
                *at_bytes += count as u64;
            }
            Self::Database(_) => {
                return Err(Problem::NotThere("a database is read by its rows".to_owned()));
            }
        }
        Ok(())
    }
}

/// A chunk to be inflated.
struct Chunk<'a> {
    input: &'a mut Input,
    at_bytes: u64,
    limits: Limits,
}

impl Chunk<'_> {
    fn of_mcap(&mut self, stored: &mut Vec<u8>, held: &mut Vec<u8>) -> Result<(), Problem> {
        const HEAD_BYTES: u64 = 9;
        self.read(0, HEAD_BYTES, stored)?;
        let length = match stored.as_slice() {
            [opcode, length @ ..] if *opcode == mcap::CHUNK => {
                <[u8; 8]>::try_from(length).ok().map(u64::from_le_bytes)
            }
            _ => None,
        };
        self.read(HEAD_BYTES, length.ok_or_else(no_chunk)?, stored)?;
        mcap::inflate_chunk(stored, self.at_bytes, self.limits, held)?;
        Ok(())
    }

    fn of_bag(&mut self, stored: &mut Vec<u8>, held: &mut Vec<u8>) -> Result<(), Problem> {
        let mut header = Vec::new();
        let mut at = 0;
        for part in [&mut header, &mut *stored] {
            self.read(at, COUNT_BYTES, part)?;
            let length = <[u8; 4]>::try_from(part.as_slice()).map_err(|_| no_chunk())?;
            let length = u64::from(u32::from_le_bytes(length));
            self.read(at + COUNT_BYTES, length, part)?;
            at += COUNT_BYTES + length;
        }
        ros1_bag::inflate_chunk(&header, stored, self.at_bytes, (self.limits, held))?;
        Ok(())
    }

    /// Reads exactly so many bytes of the chunk's record.
    fn read(&mut self, at: u64, size: u64, out: &mut Vec<u8>) -> Result<(), Problem> {
        let is_too_large = size > self.limits.record_bytes_max as u64;
        let start = self.at_bytes.checked_add(at).filter(|_| !is_too_large).ok_or_else(no_chunk)?;
        self.input.read_at(start, size, out)?;
        match out.len() as u64 == size {
            true => Ok(()),
            false => Err(no_chunk()),
        }
    }
}

fn no_chunk() -> Problem {
    Problem::NotThere("no whole chunk starts there".to_owned())
}
