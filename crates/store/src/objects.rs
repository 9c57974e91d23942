//! Room: disk. A folder as an object store: names are keys, objects appear whole or not at all.
//!
//! Invariant: an object that `put_if_absent` or `put_replace` acknowledged survives a power cut,
//! and a reader never sees part of one: bytes are written and synced under a temporary name,
//! then named, then the folder is synced.
//!
//! Not here: tables (see [`crate::tables`]) and content-named blobs (see [`crate::blobs`]).

#![expect(clippy::disallowed_methods, clippy::disallowed_types, reason = "room: disk")]

mod digest;
mod many;
mod sweep;

use std::{
    collections::BTreeSet,
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Read, Seek, SeekFrom, Write},
    ops::Range,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

pub use self::sweep::{AgedFile, CommitLock, Sharing};
use crate::{StoreError, seam::StepKind, seam::WriteSeam};

/// Folder of temporary files; nothing in it is ever named by anything.
const TEMPORARY_FOLDER: &str = "tmp";

/// Whether a put wrote the object or found one of that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutOutcome {
    /// This call wrote it.
    Written,
    /// Somebody else had; it is left as it was, and is durable.
    Existed,
}

/// A folder of objects. Clones share the folder and the seam.
#[derive(Clone, Debug)]
pub struct Objects {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    root: PathBuf,
    seam: WriteSeam,
    temporary_count: AtomicU64,
    /// Folders whose names this process has seen forced to the disk.
    durable_folders: Mutex<BTreeSet<PathBuf>>,
}

impl Objects {
    /// Opens a folder that exists.
    ///
    /// # Errors
    /// [`StoreError::NoLake`] if it does not, [`StoreError::Io`].
    pub fn open(root: &Path, seam: WriteSeam) -> Result<Self, StoreError> {
        if !root.is_dir() {
            return Err(StoreError::NoLake { path: root.to_path_buf() });
        }
        let root = fs::canonicalize(root).map_err(io_error("resolve folder", root))?;
        let (temporary_count, durable_folders) = (AtomicU64::new(0), Mutex::default());
        let inner = Inner { root, seam, temporary_count, durable_folders };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Opens a folder, making it and those above it, durably, if they are missing.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn create(root: &Path, seam: WriteSeam) -> Result<Self, StoreError> {
        let missing: Vec<&Path> = root.ancestors().take_while(|path| !path.is_dir()).collect();
        for folder in missing.into_iter().rev().filter(|path| !path.as_os_str().is_empty()) {
            make_folder(&seam, folder)?;
        }
        Self::open(root, seam)
    }

    /// The folder, absolute.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.inner.root
    }

    /// The seam that every durable step passes.
    #[must_use]
    pub fn seam(&self) -> &WriteSeam {
        &self.inner.seam
    }

    /// Writes an object unless one of that name exists. Of several callers exactly one wins.
    ///
    /// # Errors
    /// [`StoreError::BadKey`], [`StoreError::Io`]; after an error the object may or may not exist.
    pub async fn put_if_absent(
        &self,
        key: &str,
        bytes: impl Into<Vec<u8>>,
    ) -> Result<PutOutcome, StoreError> {
        let (path, bytes) = (self.path_of(key)?, bytes.into());
        self.in_background("write an object", move |inner| {
            let temporary = inner.write_temporary(&mut |file| file.write_all(&bytes))?;
            inner.publish(&temporary, &path)
        })
        .await
    }

    /// Writes an object over whatever has its name. For files that can be rebuilt.
    ///
    /// # Errors
    /// [`StoreError::BadKey`], [`StoreError::Io`]; after an error the old or the new object exists.
    pub async fn put_replace(
        &self,
        key: &str,
        bytes: impl Into<Vec<u8>>,
    ) -> Result<(), StoreError> {
        let (path, bytes) = (self.path_of(key)?, bytes.into());
        self.in_background("replace an object", move |inner| {
            let temporary = inner.write_temporary(&mut |file| file.write_all(&bytes))?;
            let folder = inner.ensure_parent(&path)?;
            inner.step(StepKind::Replace, "name", &path, || fs::rename(&temporary, &path))?;
            inner.sync_folder(&folder)
        })
        .await
    }

    /// Takes an object away, if it is there. For files that can be rebuilt and that nothing names.
    ///
    /// # Errors
    /// [`StoreError::BadKey`], [`StoreError::Io`].
    pub async fn remove(&self, key: &str) -> Result<(), StoreError> {
        let path = self.path_of(key)?;
        self.in_background("remove an object", move |inner| {
            inner.step(StepKind::RemoveFile, "remove", &path, || match fs::remove_file(&path) {
                Err(error) if is_absent(&error) => Ok(()),
                removed => removed,
            })
        })
        .await
    }

    /// As [`Objects::put_replace`], readable by its owner only: for keys.
    ///
    /// # Errors
    /// [`StoreError::BadKey`], [`StoreError::Io`].
    pub async fn put_private(
        &self,
        key: &str,
        bytes: impl Into<Vec<u8>>,
    ) -> Result<(), StoreError> {
        let (path, bytes) = (self.path_of(key)?, bytes.into());
        self.in_background("write a private object", move |inner| {
            let temporary = inner.write_temporary(&mut |file| {
                keep_to_owner(file)?;
                file.write_all(&bytes)
            })?;
            let folder = inner.ensure_parent(&path)?;
            inner.step(StepKind::Replace, "name", &path, || fs::rename(&temporary, &path))?;
            inner.sync_folder(&folder)
        })
        .await
    }

    /// The bytes of an object.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::BadKey`], [`StoreError::Io`].
    pub async fn get(&self, key: &str) -> Result<Vec<u8>, StoreError> {
        let (path, key) = (self.path_of(key)?, key.to_owned());
        self.in_background("read an object", move |_| {
            fs::read(&path).map_err(read_error(&key, &path))
        })
        .await
    }

    /// The bytes of many objects in the order of their keys, `None` for those that are not there.
    ///
    /// One task reads them all: for small objects the tasks would take longer than the reading.
    ///
    /// # Errors
    /// [`StoreError::BadKey`], [`StoreError::Io`].
    pub async fn get_many(&self, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        let paths = keys.iter().map(|key| self.path_of(key)).collect::<Result<Vec<_>, _>>()?;
        let read = |path: &PathBuf| match fs::read(path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(io_error("read", path)(error)),
        };
        self.in_background("read objects", move |_| paths.iter().map(read).collect()).await
    }

    /// Some bytes of an object; the range counts from its first byte.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::OutOfRange`], [`StoreError::BadKey`],
    /// [`StoreError::Io`].
    pub async fn get_range(&self, key: &str, range: Range<u64>) -> Result<Vec<u8>, StoreError> {
        let (path, key) = (self.path_of(key)?, key.to_owned());
        self.in_background("read an object", move |_| {
            let mut file = File::open(&path).map_err(read_error(&key, &path))?;
            let size_bytes = file.metadata().map_err(io_error("measure", &path))?.len();
            let out_of_range = || StoreError::OutOfRange {
                key: key.clone(),
                start: range.start,
                end: range.end,
                size_bytes,
            };
            if range.start > range.end || range.end > size_bytes {
                return Err(out_of_range());
            }
            let length = usize::try_from(range.end - range.start).map_err(|_| out_of_range())?;
            let mut bytes = vec![0; length];
            file.seek(SeekFrom::Start(range.start)).map_err(io_error("read", &path))?;
            file.read_exact(&mut bytes).map_err(io_error("read", &path))?;
            Ok(bytes)
        })
        .await
    }

    /// The length of an object in bytes, or `None` if there is none of that name.
    ///
    /// # Errors
    /// [`StoreError::BadKey`], [`StoreError::Io`].
    pub async fn size_bytes(&self, key: &str) -> Result<Option<u64>, StoreError> {
        let path = self.path_of(key)?;
        self.in_background("measure an object", move |_| match fs::metadata(&path) {
            Ok(metadata) if metadata.is_file() => Ok(Some(metadata.len())),
            Ok(_) => Ok(None),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(io_error("measure", &path)(error)),
        })
        .await
    }

    /// Whether there is an object of that name.
    ///
    /// # Errors
    /// [`StoreError::BadKey`], [`StoreError::Io`].
    pub async fn exists(&self, key: &str) -> Result<bool, StoreError> {
        Ok(self.size_bytes(key).await?.is_some())
    }

    /// The keys that begin with `prefix`, sorted. Temporary files are not objects.
    ///
    /// # Errors
    /// [`StoreError::BadKey`], [`StoreError::Io`].
    pub async fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        let folder_key = prefix.rsplit_once('/').map_or("", |(folder, _)| folder);
        let folder = match folder_key {
            "" => self.inner.root.clone(),
            key => self.path_of(key)?,
        };
        let (prefix, folder_key) = (prefix.to_owned(), folder_key.to_owned());
        self.in_background("list objects", move |_| {
            let mut keys = Vec::new();
            collect_keys(&folder, &folder_key, &prefix, &mut keys)?;
            keys.sort_unstable();
            Ok(keys)
        })
        .await
    }

    /// Forces objects and the folders that name them to the disk.
    ///
    /// # Errors
    /// [`StoreError::BadKey`], [`StoreError::Io`].
    pub async fn fsync_paths(&self, keys: &[String]) -> Result<(), StoreError> {
        let paths = keys.iter().map(|key| self.path_of(key)).collect::<Result<Vec<_>, _>>()?;
        self.sync_files(paths).await
    }

    /// Forces the name of an object, and those beside it, to the disk.
    ///
    /// # Errors
    /// [`StoreError::BadKey`], [`StoreError::Io`].
    pub async fn sync_folder_of(&self, key: &str) -> Result<(), StoreError> {
        let path = self.path_of(key)?;
        self.in_background("sync a folder", move |inner| {
            inner.sync_folder(path.parent().unwrap_or(&inner.root))
        })
        .await
    }

    /// Forces files under the root and their folders to the disk, each folder once.
    pub(crate) async fn sync_files(&self, paths: Vec<PathBuf>) -> Result<(), StoreError> {
        self.in_background("sync files", move |inner| {
            let mut folders = BTreeSet::new();
            for path in &paths {
                inner.step(StepKind::SyncFile, "sync", path, || File::open(path)?.sync_all())?;
                folders.extend(path.parent().map(Path::to_path_buf));
            }
            folders.iter().try_for_each(|folder| inner.sync_folder(folder))
        })
        .await
    }

    /// Makes folders under the root, durably.
    pub(crate) async fn ensure_folders(&self, folders: Vec<PathBuf>) -> Result<(), StoreError> {
        self.in_background("make folders", move |inner| {
            folders.iter().try_for_each(|folder| inner.ensure_folder(folder))
        })
        .await
    }

    /// Streams bytes into a new object whose key is known only at the end.
    ///
    /// `copy` writes the bytes and answers with the key.
    pub(crate) async fn put_stream<T: Send + 'static, F>(
        &self,
        copy: F,
    ) -> Result<(PutOutcome, T), StoreError>
    where
        F: FnOnce(&mut (dyn Write + Send)) -> Result<(String, T), StoreError> + Send + 'static,
    {
        let objects = self.clone();
        self.in_background("write an object", move |inner| {
            let (mut copy, mut answer) = (Some(copy), None);
            let written = inner.write_temporary(&mut |file| {
                // The closure is called once; a second call would have nothing to copy.
                answer = copy.take().map(|copy| copy(file));
                Ok(())
            })?;
            match answer {
                Some(Ok((key, value))) => {
                    let path = objects.path_of(&key)?;
                    // What lies there unnamed may be old enough to be swept; now it is wanted.
                    if let Err(error) = Inner::touch(&path, &written)
                        && !is_absent(&error)
                    {
                        return Err(io_error("touch", &path)(error));
                    }
                    Ok((inner.publish(&written, &path)?, value))
                }
                Some(Err(error)) => {
                    inner.remove_temporary(&written)?;
                    Err(error)
                }
                None => Err(StoreError::TaskLost { action: "write an object" }),
            }
        })
        .await
    }

    /// Takes away a file that nothing names.
    pub(crate) async fn remove_file(&self, path: PathBuf) -> Result<(), StoreError> {
        self.in_background("remove a file", move |inner| inner.remove_temporary(&path)).await
    }

    /// Opens an object for reading in any order.
    pub(crate) fn open_file(&self, key: &str) -> Result<File, StoreError> {
        let path = self.path_of(key)?;
        File::open(&path).map_err(read_error(key, &path))
    }

    /// Where an object lies.
    pub(crate) fn path_of(&self, key: &str) -> Result<PathBuf, StoreError> {
        let is_plain = |segment: &str| {
            !segment.is_empty()
                && !segment.starts_with('.')
                && segment.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-#".contains(&b))
        };
        let is_key =
            key.split('/').all(is_plain) && key.split('/').next() != Some(TEMPORARY_FOLDER);
        if !is_key {
            return Err(StoreError::BadKey { key: key.to_owned() });
        }
        Ok(key.split('/').fold(self.inner.root.clone(), |path, segment| path.join(segment)))
    }

    async fn in_background<T: Send + 'static>(
        &self,
        action: &'static str,
        work: impl FnOnce(&Inner) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let inner = Arc::clone(&self.inner);
        tokio::task::spawn_blocking(move || work(&inner))
            .await
            .map_err(|_| StoreError::TaskLost { action })?
    }
}

/// Takes everybody else's rights to a file away, where the system knows such rights.
fn keep_to_owner(file: &File) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
    }
    #[cfg(not(unix))]
    let _ = file;
    Ok(())
}

impl Inner {
    fn step<T>(
        &self,
        kind: StepKind,
        action: &'static str,
        path: &Path,
        work: impl FnOnce() -> io::Result<T>,
    ) -> Result<T, StoreError> {
        step(&self.seam, kind, (action, path), work)
    }

    /// Writes and syncs a file under a name that nothing refers to.
    fn write_temporary(
        &self,
        fill: &mut dyn FnMut(&mut File) -> io::Result<()>,
    ) -> Result<PathBuf, StoreError> {
        let (path, file) = self.fill_temporary(fill)?;
        self.step(StepKind::SyncFile, "sync", &path, || file.sync_all())?;
        Ok(path)
    }

    /// Writes a file under a name that nothing refers to.
    fn fill_temporary(
        &self,
        fill: &mut dyn FnMut(&mut File) -> io::Result<()>,
    ) -> Result<(PathBuf, File), StoreError> {
        let folder = self.root.join(TEMPORARY_FOLDER);
        self.ensure_folder(&folder)?;
        loop {
            // Two processes on one disk may share a process id: a taken name means the next one.
            let count = self.temporary_count.fetch_add(1, Ordering::Relaxed);
            let path = folder.join(format!("{}-{count}", std::process::id()));
            let written = self.step(StepKind::WriteTemporary, "write", &path, || {
                let mut file = match OpenOptions::new().write(true).create_new(true).open(&path) {
                    Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                        return Ok(None);
                    }
                    file => file?,
                };
                fill(&mut file)?;
                Ok(Some(file))
            })?;
            if let Some(file) = written {
                return Ok((path, file));
            }
        }
    }

    /// Names a temporary file unless the name is taken, durably either way.
    fn publish(&self, temporary: &Path, path: &Path) -> Result<PutOutcome, StoreError> {
        let folder = self.ensure_parent(path)?;
        let outcome =
            self.step(StepKind::Link, "name", path, || match fs::hard_link(temporary, path) {
                Ok(()) => Ok(PutOutcome::Written),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(PutOutcome::Existed),
                Err(error) => Err(error),
            })?;
        // A winner that has not synced its folder yet would leave the loser with a name that a
        // power cut takes back, so both sync.
        self.sync_folder(&folder)?;
        self.remove_temporary(temporary)?;
        Ok(outcome)
    }

    fn remove_temporary(&self, path: &Path) -> Result<(), StoreError> {
        self.step(StepKind::RemoveTemporary, "remove", path, || fs::remove_file(path))
    }

    fn ensure_parent(&self, path: &Path) -> Result<PathBuf, StoreError> {
        let folder = path.parent().unwrap_or(&self.root).to_path_buf();
        self.ensure_folder(&folder)?;
        Ok(folder)
    }

    /// Makes a folder and those above it up to the root, each synced into its parent.
    ///
    /// One that is there may have been made by a process that has not synced it, or died before
    /// it could: the first time, this one does.
    fn ensure_folder(&self, folder: &Path) -> Result<(), StoreError> {
        if folder == self.root || self.durable_folders().contains(folder) {
            return Ok(());
        }
        if let Some(parent) = folder.parent() {
            self.ensure_folder(parent)?;
        }
        make_folder(&self.seam, folder)?;
        self.durable_folders().insert(folder.to_path_buf());
        Ok(())
    }

    fn durable_folders(&self) -> std::sync::MutexGuard<'_, BTreeSet<PathBuf>> {
        self.durable_folders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sync_folder(&self, folder: &Path) -> Result<(), StoreError> {
        sync_folder(&self.seam, folder)
    }
}

/// One durable step: the seam first, then the disk.
fn step<T>(
    seam: &WriteSeam,
    kind: StepKind,
    (action, path): (&'static str, &Path),
    work: impl FnOnce() -> io::Result<T>,
) -> Result<T, StoreError> {
    seam.admit(kind, path).and_then(|()| work()).map_err(io_error(action, path))
}

/// Makes a folder whose parent exists, and syncs it into that.
fn make_folder(seam: &WriteSeam, folder: &Path) -> Result<(), StoreError> {
    step(seam, StepKind::CreateFolder, ("make folder", folder), || match fs::create_dir(folder) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        made => made,
    })?;
    match folder.parent() {
        // The parent of a relative path of one segment is the working folder.
        Some(parent) if parent.as_os_str().is_empty() => sync_folder(seam, Path::new(".")),
        Some(parent) => sync_folder(seam, parent),
        None => Ok(()),
    }
}

fn sync_folder(seam: &WriteSeam, folder: &Path) -> Result<(), StoreError> {
    step(seam, StepKind::SyncFolder, ("sync folder", folder), || {
        // Only Unix can open a folder to sync it; elsewhere the file system orders names.
        if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
    })
}

fn collect_keys(
    folder: &Path,
    folder_key: &str,
    prefix: &str,
    keys: &mut Vec<String>,
) -> Result<(), StoreError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if is_absent(&error) => return Ok(()),
        entries => entries.map_err(io_error("list", folder))?,
    };
    for entry in entries {
        let entry = entry.map_err(io_error("list", folder))?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let key = if folder_key.is_empty() { name } else { format!("{folder_key}/{name}") };
        let kind = entry.file_type().map_err(io_error("list", folder))?;
        let may_match = key.starts_with(prefix) || prefix.starts_with(&format!("{key}/"));
        if kind.is_dir() && may_match && key != TEMPORARY_FOLDER {
            collect_keys(&entry.path(), &key, prefix, keys)?;
        } else if kind.is_file() && key.starts_with(prefix) {
            keys.push(key);
        }
    }
    Ok(())
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    move |source| StoreError::of_io(action, path, source)
}

fn read_error(key: &str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    move |error| {
        if is_absent(&error) {
            StoreError::NotFound { key: key.to_owned() }
        } else {
            io_error("read", path)(error)
        }
    }
}
