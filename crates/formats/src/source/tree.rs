//! Every file below a path, of whatever kind.
//!
//! Invariant: sorted by name, the same on every machine; nothing that is neither file nor folder is passed over.
#![expect(clippy::disallowed_methods, reason = "room: disk")]

use std::path::{Path, PathBuf};

use super::io;
use crate::ReadError;

/// A file, and what it is called from the path that was given on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedFile {
    /// Where it lies.
    pub path: PathBuf,
    /// Its own name, or the folder's and the way from there, joined by `/`.
    pub name: String,
    /// How many bytes it has now.
    pub size_bytes: u64,
}

/// The file, or all files below the folder, sorted by name.
///
/// A link to a file stands for the file. A link to a folder could lead anywhere, also in a circle, and is refused.
///
/// # Errors
/// [`ReadError::Io`], naming the path: for what cannot be read, for a link to a folder, for what is neither file nor
/// folder, for a name that is not Unicode.
pub fn files_below(path: &Path) -> Result<Vec<NamedFile>, ReadError> {
    // `.` and `..` have a name elsewhere.
    let whole = std::path::absolute(path).and_then(|whole| match whole.file_name() {
        Some(_) => Ok(whole),
        None => std::fs::canonicalize(path),
    });
    let name = name_of(&whole.map_err(|source| io(path, source))?)?;
    let mut files = Vec::new();
    let mut waiting = vec![(path.to_owned(), name)];
    while let Some((path, name)) = waiting.pop() {
        let about = std::fs::metadata(&path).map_err(|source| io(&path, source))?;
        if about.is_file() {
            files.push(NamedFile { path, name, size_bytes: about.len() });
            continue;
        }
        if !about.is_dir() {
            return Err(refuse(&path, "it is neither a file nor a folder"));
        }
        let entries = std::fs::read_dir(&path).map_err(|source| io(&path, source))?;
        for entry in entries {
            let below = entry.map_err(|source| io(&path, source))?.path();
            if below.is_symlink() && below.is_dir() {
                return Err(refuse(&below, "it is a link to a folder; give that folder itself"));
            }
            let name = format!("{name}/{}", name_of(&below)?);
            waiting.push((below, name));
        }
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

fn name_of(path: &Path) -> Result<String, ReadError> {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_str().map(str::to_owned).ok_or_else(|| refuse(path, "its name is not Unicode"))
}

fn refuse(path: &Path, problem: &str) -> ReadError {
    io(path, std::io::Error::other(problem.to_owned()))
}
