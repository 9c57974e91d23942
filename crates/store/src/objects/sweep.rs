//! Room: disk. What a sweep needs: files with their age, their removal, and the lock that keeps commits apart from it.
//!
//! Invariant: a file is removed only under the lock that no commit holds, and only if nobody has touched it since it was
//! listed. A commit makes sure of its files and names them under the same lock, so that none is removed in between.
//! The system gives the lock back when a process dies. Where it has no locks, age alone keeps writers safe.
//!
//! Not here: which files nothing names (the ledger says), and how old is old.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, ErrorKind},
    path::Path,
    time::{Duration, SystemTime},
};

use tiepoint_model::Timestamp;

use super::{Inner, Objects, is_absent};
use crate::{StoreError, seam::StepKind};

/// The file whose lock is taken; it holds nothing.
const LOCK_FILE: &str = "commit.lock";

/// Who else may hold the lock meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// Other commits.
    Commits,
    /// Nobody.
    Nobody,
}

/// The lock, until it is dropped.
#[derive(Debug)]
#[must_use = "the lock is given back when this is dropped"]
pub struct CommitLock {
    _held: Option<File>,
}

/// A file of the lake, named by anything or by nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AgedFile {
    /// Its path below the lake, with slashes.
    pub key: String,
    /// Its length.
    pub size_bytes: u64,
    /// When it was last written or touched.
    pub modified: Timestamp,
}

impl Objects {
    /// Waits for the lock between commits and sweeps.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub async fn lock_commits(&self, sharing: Sharing) -> Result<CommitLock, StoreError> {
        self.in_background("lock", move |inner| {
            let path = inner.root.join(LOCK_FILE);
            loop {
                let attempt =
                    inner.step(StepKind::Lock, "lock", &path, || try_lock(&path, sharing))?;
                match attempt {
                    Some(lock) => return Ok(lock),
                    None => std::thread::yield_now(),
                }
            }
        })
        .await
    }

    /// Every file in a folder of the lake and those below it, sorted by key; `tmp` is a folder like any other here.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub async fn list_aged(&self, folder: &'static str) -> Result<Vec<AgedFile>, StoreError> {
        self.in_background("list files", move |inner| {
            let mut files = Vec::new();
            let mut waiting = vec![(inner.root.join(folder), folder.to_owned())];
            while let Some((path, key)) = waiting.pop() {
                let refuse = |error| StoreError::of_io("list", &path, error);
                let entries = match fs::read_dir(&path) {
                    Err(error) if is_absent(&error) => continue,
                    entries => entries.map_err(refuse)?,
                };
                for entry in entries {
                    let entry = entry.map_err(refuse)?;
                    let Ok(name) = entry.file_name().into_string() else { continue };
                    let key = format!("{key}/{name}");
                    let kind = entry.file_type().map_err(refuse)?;
                    if kind.is_dir() {
                        waiting.push((entry.path(), key));
                    } else if kind.is_file() {
                        // It may be gone by now: a temporary file has been named, say.
                        files.extend(aged(&entry.path(), key).map_err(refuse)?);
                    }
                }
            }
            files.sort_unstable();
            Ok(files)
        })
        .await
    }

    /// Removes files that are as they were listed; answers with those that it removed.
    ///
    /// The caller holds the lock, shared with nobody, and has made sure under it that nothing names them.
    ///
    /// # Errors
    /// [`StoreError::Io`]; some may be removed by then.
    pub async fn remove_unnamed(
        &self,
        _lock: &CommitLock,
        files: Vec<AgedFile>,
    ) -> Result<Vec<AgedFile>, StoreError> {
        self.in_background("remove files", move |inner| {
            let mut removed = Vec::new();
            for file in files {
                let path =
                    file.key.split('/').fold(inner.root.clone(), |path, part| path.join(part));
                let found = aged(&path, file.key.clone())
                    .map_err(|error| StoreError::of_io("measure", &path, error))?;
                if found.as_ref() == Some(&file) {
                    inner.step(StepKind::RemoveFile, "remove", &path, || remove(&path))?;
                    removed.push(file);
                }
            }
            Ok(removed)
        })
        .await
    }
}

impl Inner {
    /// Makes a file as young as another, so that no sweep takes it for something forgotten.
    pub(super) fn touch(path: &Path, like: &Path) -> io::Result<()> {
        let modified = fs::metadata(like)?.modified()?;
        File::open(path)?.set_modified(modified)
    }
}

/// `None` if others hold it.
fn try_lock(path: &Path, sharing: Sharing) -> io::Result<Option<CommitLock>> {
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
    let attempt = match sharing {
        Sharing::Commits => file.try_lock_shared(),
        Sharing::Nobody => file.try_lock(),
    };
    match attempt {
        Ok(()) => Ok(Some(CommitLock { _held: Some(file) })),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => {
            Ok(Some(CommitLock { _held: None }))
        }
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn aged(path: &Path, key: String) -> io::Result<Option<AgedFile>> {
    let found = match fs::metadata(path) {
        Err(error) if is_absent(&error) => return Ok(None),
        found => found?,
    };
    let modified = timestamp_of(found.modified()?);
    Ok(Some(AgedFile { key, size_bytes: found.len(), modified }))
}

/// Before 1970 and after 2262 it is the nearest that can be said.
fn timestamp_of(time: SystemTime) -> Timestamp {
    let nanoseconds = |span: Duration| i64::try_from(span.as_nanos()).unwrap_or(i64::MAX);
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => Timestamp(nanoseconds(since)),
        Err(before) => Timestamp(-nanoseconds(before.duration())),
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if is_absent(&error) => Ok(()),
        removed => removed,
    }
}
