//! The rules of the house as tests: crate edges, rooms, lengths, headers, words.
//!
//! A rule that matters is enforced here; the page that explains it is ARCHITECTURE.md.

mod edges;
mod files;
mod words;

use std::path::{Path, PathBuf};

use crate::shell::root;

/// Every file that git tracks or would track, below the root, with forward slashes, sorted.
fn project_files() -> Vec<PathBuf> {
    let listed = crate::shell::output(crate::shell::command(
        "git",
        &["ls-files", "--cached", "--others", "--exclude-standard"],
    ));
    let (text, code) = listed.expect("git lists the project's files");
    assert_eq!(code, 0, "git ls-files failed");
    let mut files: Vec<PathBuf> =
        text.lines().map(PathBuf::from).filter(|path| root().join(path).is_file()).collect();
    files.sort();
    files
}

/// The project's Rust files.
fn rust_files() -> Vec<PathBuf> {
    project_files().into_iter().filter(|path| path.extension().is_some_and(|e| e == "rs")).collect()
}

/// The text of a file below the root.
fn read(path: &Path) -> String {
    std::fs::read_to_string(root().join(path))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Fails with all findings at once, so that one run shows every place.
#[track_caller]
fn assert_none(findings: &[String], hint: &str) {
    assert!(findings.is_empty(), "{}\nhint: {hint}", findings.join("\n"));
}
