//! Where a recording comes from: a path of the user's, or bytes that a twin was written to.
//!
//! Invariant: both are read by the same readers, piece by piece.

use std::{
    io::{Cursor, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use tiepoint_formats::{
    Container, Damage, Limits, LogReader, ReadError, Reader, Summary, TopicBatch, open_original,
};

use crate::Error;

/// Bytes decoded at a time.
const PIECE_BYTES: usize = 1 << 20;

/// A recording before it is read.
#[derive(Clone, Debug)]
pub enum Source {
    /// A file, or the folder of a rosbag2.
    Path(PathBuf),
    /// Bytes at hand.
    Memory {
        /// What a person calls them.
        name: String,
        /// The whole file.
        bytes: Arc<Vec<u8>>,
    },
}

/// One original, kept byte for byte.
pub(crate) enum Original {
    /// Where it lies, and what it is called below what was given.
    File {
        path: PathBuf,
        name: String,
    },
    Memory {
        name: String,
        bytes: Arc<Vec<u8>>,
    },
}

/// A recording while it is read.
pub(crate) struct Pieces {
    path: PathBuf,
    input: Input,
}

enum Input {
    Log(Box<LogReader>),
    Memory(Box<InMemory>),
}

/// The same for bytes at hand.
struct InMemory {
    reader: Reader,
    container: Container,
    bytes: Arc<Vec<u8>>,
    at: usize,
    summary: Option<Summary>,
}

impl Source {
    /// The name without folders and without its last ending.
    pub(crate) fn stem(&self) -> String {
        let name = match self {
            Self::Memory { name, .. } => return name.clone(),
            Self::Path(path) => path.file_name().unwrap_or(path.as_os_str()).to_string_lossy(),
        };
        match name.rsplit_once('.') {
            Some((stem, _)) if !stem.is_empty() => stem.to_owned(),
            _ => name.into_owned(),
        }
    }

    /// The path, for messages.
    pub(crate) fn path(&self) -> PathBuf {
        match self {
            Self::Path(path) => path.clone(),
            Self::Memory { name, .. } => PathBuf::from(name),
        }
    }

    /// Begins to read from the start.
    ///
    /// # Errors
    /// [`Error::Log`] if it is no log or cannot be opened.
    pub(crate) fn open(&self, damage: Damage) -> Result<Pieces, Error> {
        let path = self.path();
        let limits = Limits::default();
        let input = match self {
            Self::Path(path) => {
                LogReader::open(path, limits, damage).map(|log| Input::Log(Box::new(log)))
            }
            Self::Memory { name, bytes } => {
                let first = &bytes[..bytes.len().min(Container::DETECT_BYTES)];
                Container::detect(name, first).map(|container| {
                    let reader = Reader::new(container, limits).on_damage(damage);
                    let bytes = Arc::clone(bytes);
                    Input::Memory(Box::new(InMemory {
                        reader,
                        container,
                        bytes,
                        at: 0,
                        summary: None,
                    }))
                })
            }
        };
        let input = input.map_err(refuse(&path))?;
        Ok(Pieces { path, input })
    }
}

impl Original {
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::File { path, .. } => path,
            Self::Memory { name, .. } => Path::new(name),
        }
    }

    /// What a person calls it, with the folders below the one that was given, joined by `/`.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::File { name, .. } | Self::Memory { name, .. } => name,
        }
    }

    /// Its bytes from the start.
    pub(crate) fn read(&self) -> Result<Box<dyn Read + Send>, Error> {
        match self {
            Self::File { path, .. } => Ok(Box::new(open_original(path).map_err(refuse(path))?)),
            Self::Memory { bytes, .. } => Ok(Box::new(Cursor::new(Bytes(Arc::clone(bytes))))),
        }
    }
}

struct Bytes(Arc<Vec<u8>>);

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Pieces {
    pub(crate) fn container(&self) -> Container {
        match &self.input {
            Input::Log(log) => log.container(),
            Input::Memory(memory) => memory.container,
        }
    }

    /// What is to be kept, in the order of the recording.
    pub(crate) fn originals(&self) -> Vec<Original> {
        match &self.input {
            Input::Log(log) => {
                let file = |path: &PathBuf| {
                    let name = name_below(&self.path, path);
                    Original::File { path: path.clone(), name }
                };
                log.files().iter().map(file).collect()
            }
            Input::Memory(memory) => {
                let bytes = &memory.bytes;
                let name = self.path.to_string_lossy().into_owned();
                vec![Original::Memory { name, bytes: Arc::clone(bytes) }]
            }
        }
    }

    /// The next rows; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Vec<TopicBatch>>, Error> {
        let next = match &mut self.input {
            Input::Log(log) => log.next_batches(),
            Input::Memory(memory) => memory.next_batches(),
        };
        next.map_err(refuse(&self.path))
    }

    /// What was learnt of the whole, once [`Self::next`] has given `None`.
    pub(crate) fn finish(self) -> Result<Summary, Error> {
        let finished = match self.input {
            Input::Log(log) => log.finish(),
            Input::Memory(memory) => memory.summary.ok_or(ReadError::Stopped),
        };
        finished.map_err(refuse(&self.path))
    }
}

impl InMemory {
    fn next_batches(&mut self) -> Result<Option<Vec<TopicBatch>>, ReadError> {
        while self.summary.is_none() {
            let end = self.bytes.len().min(self.at + PIECE_BYTES);
            match self.at == end {
                true => self.summary = Some(self.reader.finish()?),
                false => self.reader.feed(&self.bytes[self.at..end])?,
            }
            self.at = end;
            let batches = self.reader.drain();
            if !batches.is_empty() {
                return Ok(Some(batches));
            }
        }
        Ok(None)
    }
}

/// The path of a file below the folder that was given; its bare name if it is what was given, or lies elsewhere.
fn name_below(given: &Path, path: &Path) -> String {
    let bare = || path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    let Ok(below) = path.strip_prefix(given) else { return bare() };
    let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
    if parts.is_empty() { bare() } else { parts.join("/") }
}

fn refuse(path: &Path) -> impl Fn(ReadError) -> Error + '_ {
    |source| Error::Log { path: path.to_owned(), source: Box::new(source) }
}
