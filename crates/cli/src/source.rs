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
