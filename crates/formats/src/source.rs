//! Recordings on disk: one file, or the folder of a rosbag2 with several; every container alike.
//!
//! Invariant: batches, counts and summary are those of [`Reader`], whichever way the bytes come;
//! the files of a folder are one recording, read in the order that its `metadata.yaml` lists.
//! Memory is bounded by [`Limits`] and [`READ_BYTES`].
//!
//! Room: disk. SQLite does its own reading, which is why there is a type that takes paths.
//!
//! Not here: digests of the files and who asks for them. [`LogReader::files`] lists the originals.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "room: disk; databases are read by SQLite itself, from a path"
)]

mod folder;
mod payload;
mod rosbag2;
mod tree;

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use crate::{
    Container, Damage, Limits, ReadError, Reader, Summary, TopicBatch,
    tabular::{ParquetReader, Projection},
};

use self::{folder::Folder, rosbag2::Database};
pub use self::{
    payload::PayloadReader,
    tree::{NamedFile, files_below},
};

/// How much is read from a file at once.
const READ_BYTES: usize = 1 << 20;

/// A buffer of this size is asked for and given back, untouched, before a log is read.
///
/// From it the allocator of the GNU C library learns to keep twice as much freed memory. As it
/// starts out, it hands the memory of every batch back to the system and has it faulted in
/// again, page by page, for the next: a quarter of the time of a small log. Other allocators
/// make nothing of it.
const KEPT_BYTES: usize = 4 << 20;

/// A projection is a page of text.
const PROJECTION_BYTES_MAX: u64 = 1 << 20;

/// Reads one recording from its path, batch by batch.
pub struct LogReader {
    files: Vec<PathBuf>,
    container: Container,
    /// Decodes bytes, and gathers the rows of databases too.
    reader: Reader,
    limits: Limits,
    folder: Folder,
    /// Of a table: what its columns are.
    projection: Option<Projection>,
    current: Option<Current>,
    next_file: usize,
    buffer: Vec<u8>,
    summary: Option<Summary>,
}

/// The file being read.
enum Current {
    Bytes { input: Box<dyn Read + Send>, path: PathBuf },
    Database(Box<Database>),
    Table(Box<ParquetReader>),
}

impl LogReader {
    /// Opens a file, or the folder of a rosbag2. Contents decide what it is, never the name.
    ///
    /// A CSV or Parquet file is read by the projection that lies beside it under the same name and
    /// `.toml` (`run.csv.toml`), which is one of the originals then.
    ///
    /// # Errors
    /// [`ReadError::Projection`], and [`ReadError::NeedsProjection`] where there is none;
    /// [`ReadError::Io`]; [`ReadError::NotRosbag2`] for a folder without `metadata.yaml`, or one
    /// that names files which are not there; those of [`Container::detect`].
    pub fn open(path: &Path, limits: Limits, damage: Damage) -> Result<Self, ReadError> {
        drop(std::hint::black_box(Vec::<u8>::with_capacity(KEPT_BYTES)));
        let about = std::fs::metadata(path).map_err(|source| io(path, source))?;
        let folder = match about.is_dir() {
            true => Folder::read(path)?,
            false if about.is_file() => Folder::of_file(path),
            // It is read more than once, which a pipe cannot be.
            false => {
                let problem = "it is neither a file nor a folder; save it to a file first";
                return Err(io(path, std::io::Error::other(problem)));
            }
        };
        let mut files = folder.data_files.clone();
        let first = files.first().ok_or_else(|| ReadError::NotRosbag2 {
            path: path.to_owned(),
            problem: "metadata.yaml lists no file".to_owned(),
        })?;
        let container = container_of(first)?;
        files.extend(folder.metadata_file.clone());
        let projection = match container {
            Container::Csv | Container::Parquet => projection_beside(&files[0])?,
            _ => None,
        };
        files.extend(projection.as_ref().map(|(path, _)| path.clone()));
        let projection = projection.map(|(_, projection)| projection);
        let reader = match (container, &projection) {
            (Container::Csv, Some(projection)) => Reader::of_csv(projection.clone(), limits),
            _ => Reader::new(container, limits),
        };
        Ok(Self {
            files,
            container,
            reader: reader.on_damage(damage),
            limits,
            folder,
            projection,
            current: None,
            next_file: 0,
            buffer: Vec::new(),
            summary: None,
        })
    }

    /// What the first file is.
    #[must_use]
    pub fn container(&self) -> Container {
        self.container
    }

    /// The originals: the files with messages in their order, then `metadata.yaml` if the
    /// recording is a folder. A payload's `file_index` counts in this list.
    #[must_use]
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// The next rows, one batch per channel, sorted by channel; `None` at the end.
    ///
    /// # Errors
    /// As [`Reader::feed`] and [`Reader::finish`]; [`ReadError::Io`]; [`ReadError::Database`].
    pub fn next_batches(&mut self) -> Result<Option<Vec<TopicBatch>>, ReadError> {
        while self.summary.is_none() {
            if let Some(Current::Table(mut table)) =
                self.current.take_if(|current| matches!(current, Current::Table(_)))
            {
                match table.next_batches()? {
                    None => self.summary = Some(table.finish()?),
                    batches => {
                        self.current = Some(Current::Table(table));
                        return Ok(batches);
                    }
                }
            } else if self.current.is_none() && !self.open_next()? {
                self.summary = Some(self.reader.finish()?);
            } else if !self.read_some()? {
                self.current = None;
            }
            let batches = self.reader.drain();
            if !batches.is_empty() {
                return Ok(Some(batches));
            }
        }
        Ok(None)
    }

    /// What was learnt of the whole recording, once [`Self::next_batches`] has given `None`.
    ///
    /// # Errors
    /// [`ReadError::Stopped`] before the end.
    pub fn finish(self) -> Result<Summary, ReadError> {
        self.summary.ok_or(ReadError::Stopped)
    }

    /// Opens the next file with messages; `false` if there is none.
    fn open_next(&mut self) -> Result<bool, ReadError> {
        let Some(path) = self.folder.data_files.get(self.next_file).cloned() else {
            return Ok(false);
        };
        let is_first = self.next_file == 0;
        self.next_file += 1;
        let container = container_of(&path)?;
        if !is_first {
            self.reader.next_file(container)?;
        }
        self.current = Some(match container {
            Container::Rosbag2 => {
                let damage = self.reader.collector.damage;
                let is_compressed = self.folder.compresses_messages;
                let database = Database::open(&path, self.limits, damage, is_compressed)?;
                self.reader.collector.warnings.extend(database.warning());
                Current::Database(Box::new(database))
            }
            Container::Parquet => {
                let file = File::open(&path).map_err(|source| io(&path, source))?;
                let table = ParquetReader::new(file, self.projection.as_ref(), self.limits)?;
                Current::Table(Box::new(table))
            }
            _ => Current::Bytes { input: open_bytes(&path)?, path },
        });
        Ok(true)
    }

    /// Reads a piece of the current file; `false` at its end.
    fn read_some(&mut self) -> Result<bool, ReadError> {
        match &mut self.current {
            None => Ok(false),
            Some(Current::Bytes { input, path }) => {
                self.buffer.resize(READ_BYTES, 0);
                let count = input.read(&mut self.buffer).map_err(|source| io(path, source))?;
                self.reader.feed(&self.buffer[..count])?;
                Ok(count > 0)
            }
            // Gives its batches by itself.
            Some(Current::Table(_)) => Ok(true),
            Some(Current::Database(database)) => database.read_some(&mut self.reader.collector),
        }
    }
}

/// What a file is by its first bytes, seen through Zstandard if it is compressed as a whole.
fn container_of(path: &Path) -> Result<Container, ReadError> {
    let mut first = Vec::new();
    let limit = Container::DETECT_BYTES as u64;
    let read = open_bytes(path)?.take(limit).read_to_end(&mut first);
    read.map_err(|source| io(path, source))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let container = Container::detect(&name, &first)?;
    if container == Container::Rosbag2 && is_zstd(path)? {
        return Err(ReadError::NotRosbag2 {
            path: path.to_owned(),
            problem: "the database is compressed as a whole; decompress it with `zstd -d`".into(),
        });
    }
    Ok(container)
}

/// The projection of a table, if one lies beside it.
fn projection_beside(path: &Path) -> Result<Option<(PathBuf, Projection)>, ReadError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".toml");
    let beside = PathBuf::from(beside);
    let file = match File::open(&beside) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        file => file.map_err(|source| io(&beside, source))?,
    };
    let mut text = String::new();
    let read = file.take(PROJECTION_BYTES_MAX).read_to_string(&mut text);
    read.map_err(|source| io(&beside, source))?;
    Ok(Some((beside, text.parse()?)))
}

fn is_zstd(path: &Path) -> Result<bool, ReadError> {
    const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
    let mut first = Vec::new();
    let file = File::open(path).map_err(|source| io(path, source))?;
    file.take(4).read_to_end(&mut first).map_err(|source| io(path, source))?;
    Ok(first == MAGIC)
}

/// The bytes of a file, inflated if rosbag2 compressed it as a whole.
fn open_bytes(path: &Path) -> Result<Box<dyn Read + Send>, ReadError> {
    let file = File::open(path).map_err(|source| io(path, source))?;
    if is_zstd(path)? {
        let inflated = zstd::stream::read::Decoder::new(file).map_err(|source| io(path, source))?;
        return Ok(Box::new(inflated));
    }
    Ok(Box::new(file))
}

fn io(path: &Path, source: std::io::Error) -> ReadError {
    ReadError::Io { path: path.to_owned(), source }
}

/// Opens one of a recording's originals ([`LogReader::files`]), to keep or to digest it.
///
/// # Errors
/// [`ReadError::Io`].
pub fn open_original(path: &Path) -> Result<impl Read + Send + use<>, ReadError> {
    File::open(path).map_err(|source| io(path, source))
}
