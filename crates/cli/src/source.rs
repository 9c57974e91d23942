//! The user's own files: opened here, handed on as readers.

use std::path::{Path, PathBuf};

use tiepoint_operations::{Error, InputFile};

/// The whole of a small file, as text.
pub(crate) fn read_text(path: &Path) -> Result<String, Error> {
    std::fs::read_to_string(path).map_err(|source| Error::File { path: path.to_owned(), source })
}

/// The whole of a file.
pub(crate) fn read_bytes(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|source| Error::File { path: path.to_owned(), source })
}

/// A file of the user's that has its name only when it is whole; dropped before that, it is gone.
pub(crate) struct Unfinished {
    path: PathBuf,
    part: PathBuf,
    file: std::io::BufWriter<std::fs::File>,
    is_finished: bool,
}

impl Unfinished {
    /// Begins a file, and the folders above it.
    pub(crate) fn create(path: &Path) -> Result<Self, Error> {
        let refuse = |source| Error::File { path: path.to_owned(), source };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(refuse)?;
        }
        if path.exists() {
            let exists = "it exists already; name a file that does not, or remove it first";
            return Err(refuse(std::io::Error::new(std::io::ErrorKind::AlreadyExists, exists)));
        }
        let mut part = path.as_os_str().to_owned();
        part.push(format!(".{}.part", std::process::id()));
        let part = PathBuf::from(part);
        let file = std::io::BufWriter::new(std::fs::File::create_new(&part).map_err(refuse)?);
        Ok(Self { path: path.to_owned(), part, file, is_finished: false })
    }

    /// Where the bytes go.
    pub(crate) fn writer(&mut self) -> &mut (dyn std::io::Write + Send) {
        &mut self.file
    }

    /// Everything is written and on disk.
    pub(crate) fn sync(&mut self) -> Result<(), Error> {
        let synced =
            std::io::Write::flush(&mut self.file).and_then(|()| self.file.get_ref().sync_all());
        synced.map_err(|source| Error::File { path: self.path.clone(), source })
    }

    /// The name under which it is until it is finished.
    pub(crate) fn part_path(&self) -> &Path {
        &self.part
    }

    /// Gives it its name.
    pub(crate) fn finish(mut self) -> Result<(), Error> {
        let renamed = std::fs::rename(&self.part, &self.path);
        renamed.map_err(|source| Error::File { path: self.path.clone(), source })?;
        self.is_finished = true;
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.is_finished {
            // The error that led here is told; a leftover with this ending is no file of ours.
            let _ = std::fs::remove_file(&self.part);
        }
    }
}

/// Writes a file whole: under another name first, then renamed, so that it is never half there.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let refuse = |source| Error::File { path: path.to_owned(), source };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(refuse)?;
    }
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".part");
    let unfinished = PathBuf::from(unfinished);
    std::fs::write(&unfinished, bytes).map_err(refuse)?;
    std::fs::rename(&unfinished, path).map_err(refuse)
}

/// Refuses a folder that is used for something else. One that a cut-short `init` left holds a log or tables, and may be used.
pub(crate) fn expect_free_for_lake(folder: &Path) -> Result<(), Error> {
    let Ok(mut entries) = std::fs::read_dir(folder) else { return Ok(()) };
    let is_free = entries.next().is_none()
        || ["lake.json", "log", "tables", "tmp"].iter().any(|name| folder.join(name).exists());
    if is_free { Ok(()) } else { Err(Error::FolderNotEmpty { path: folder.to_owned() }) }
}

/// The whole of a file, with its path for messages.
pub(crate) fn read_input(path: PathBuf) -> Result<InputFile, Error> {
    let bytes = read_bytes(&path)?;
    Ok(InputFile { path, bytes })
}
