//! The folder of a rosbag2: which files hold its messages, and how they are compressed.
//!
//! Invariant: only files that `metadata.yaml` lists are read, in its order, and all of them.
//!
//! Of the YAML only three keys matter, which every writer puts on lines of their own, so they
//! are found by line; a file that writes them otherwise is refused, not misread.
//!
//! Source: `rosbag2_storage`, versions 1 to 9 of the metadata.
#![expect(clippy::disallowed_methods, reason = "room: disk")]

use std::path::{Path, PathBuf};

use super::io;
use crate::ReadError;

const METADATA: &str = "metadata.yaml";

/// The files of one recording.
pub(super) struct Folder {
    /// With messages, in order.
    pub(super) data_files: Vec<PathBuf>,
    pub(super) metadata_file: Option<PathBuf>,
    /// Each message is a Zstandard frame.
    pub(super) compresses_messages: bool,
}

impl Folder {
    /// A file alone.
    pub(super) fn of_file(path: &Path) -> Self {
        let data_files = vec![path.to_owned()];
        Self { data_files, metadata_file: None, compresses_messages: false }
    }

    pub(super) fn read(folder: &Path) -> Result<Self, ReadError> {
        let refuse = |problem: String| ReadError::NotRosbag2 { path: folder.to_owned(), problem };
        let metadata_file = folder.join(METADATA);
        let text = match std::fs::read_to_string(&metadata_file) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(refuse(format!("the folder has no {METADATA}")));
            }
            text => text.map_err(|source| io(&metadata_file, source))?,
        };
        let compression = (value(&text, "compression_mode"), value(&text, "compression_format"));
        let compresses_messages = match compression {
            ("" | "NONE" | "none", _) => false,
            (mode, "zstd") => mode.eq_ignore_ascii_case("message"),
            (mode, format) => {
                let problem = format!("the {mode} compression `{format}` is not zstd");
                return Err(refuse(problem));
            }
        };
        let mut data_files = Vec::new();
        for name in listed(&text, "relative_file_paths") {
            // Early versions list paths from the folder's parent.
            let file_name = Path::new(&name).file_name().map(|name| folder.join(name));
            let path = file_name.filter(|path| path.is_file()).ok_or_else(|| {
                refuse(format!("{METADATA} lists `{name}`, which is not in the folder"))
            })?;
            data_files.push(path);
        }
        if data_files.is_empty() {
            return Err(refuse(format!("{METADATA} lists no file under relative_file_paths")));
        }
        Ok(Self { data_files, metadata_file: Some(metadata_file), compresses_messages })
    }
}

/// The value of a key on a line of its own, without quotes; empty if there is none.
fn value<'a>(text: &'a str, key: &str) -> &'a str {
    let line = text.lines().find_map(|line| line.trim().strip_prefix(key)?.strip_prefix(':'));
    unquoted(line.unwrap_or_default())
}

/// The items of a list in block form under a key.
fn listed(text: &str, key: &str) -> Vec<String> {
    let mut lines = text.lines().skip_while(|line| line.trim() != format!("{key}:")).skip(1);
    let items = lines.by_ref().map_while(|line| line.trim_start().strip_prefix("- "));
    items.map(|item| unquoted(item).to_owned()).collect()
}

fn unquoted(text: &str) -> &str {
    let text = text.trim();
    let inner = ['"', '\'']
        .iter()
        .find_map(|quote| text.strip_prefix(*quote).and_then(|text| text.strip_suffix(*quote)));
    inner.unwrap_or(text)
}
