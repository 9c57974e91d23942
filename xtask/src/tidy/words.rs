//! Documents in step with the code, and one word for one thing.

use std::path::Path;

use super::{assert_none, project_files, read, rust_files};
use crate::shell;

#[test]
fn architecture_names_every_crate_and_no_other() {
    let page = read(Path::new("ARCHITECTURE.md"));
    let lines = page.lines().count();
    assert!(lines <= 300, "ARCHITECTURE.md has {lines} lines; 300 is the most anyone reads");
    let mut findings = Vec::new();
    let crates = std::fs::read_dir(shell::root().join("crates")).expect("crates/");
    let names: Vec<String> = crates
        .map(|entry| entry.expect("a folder entry").file_name().to_string_lossy().into_owned())
        .collect();
    for name in &names {
        if !page.contains(&format!("`{name}`")) {
            findings.push(format!("ARCHITECTURE.md does not name `{name}`"));
        }
        if !shell::root().join(format!("crates/{name}/README.md")).is_file() {
            findings.push(format!("crates/{name}/README.md is missing"));
        }
    }
    for word in page.split("crates/").skip(1) {
        let name: String = word.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        if !name.is_empty() && !names.contains(&name) {
            findings.push(format!("ARCHITECTURE.md names crates/{name}, which does not exist"));
        }
        let rest: String = word.chars().take_while(|c| !matches!(c, '`' | ' ' | ')')).collect();
        let path = format!("crates/{rest}");
        if rest.contains('.') && !rest.contains('<') && !shell::root().join(&path).is_file() {
            findings.push(format!("ARCHITECTURE.md names {path}, which does not exist"));
        }
    }
    assert_none(&findings, "ARCHITECTURE.md is part of the change");
}

#[test]
fn the_two_commands_stand_in_the_readme() {
    let readme = read(Path::new("README.md"));
    for command in ["cargo demo", "cargo ci"] {
        assert!(readme.contains(command), "README.md does not name `{command}`");
    }
    assert!(read(Path::new(".ci/run")).contains("cargo ci"), ".ci/run does not call `cargo ci`");
}

#[test]
fn the_glossary_has_every_public_noun_of_the_model() {
    let glossary = read(Path::new("GLOSSARY.md"));
    let mut findings = Vec::new();
    for path in rust_files().iter().filter(|path| path.starts_with("crates/model/src")) {
        for line in read(path).lines() {
            let Some(rest) =
                line.strip_prefix("pub struct ").or_else(|| line.strip_prefix("pub enum "))
            else {
                continue;
            };
            let noun: String = rest.chars().take_while(|c| c.is_alphanumeric()).collect();
            if !glossary.contains(&format!("`{noun}`")) {
                findings.push(format!("{}: `{noun}`", path.display()));
            }
        }
    }
    assert_none(&findings, "a new public noun adds its line to GLOSSARY.md");
}

#[test]
fn modules_are_not_named_after_nothing() {
    const EMPTY_NAMES: &[&str] = &["utils", "util", "helpers", "common", "misc", "imp", "manager"];
    let findings: Vec<String> = rust_files()
        .iter()
        .filter(|path| {
            let parts = path.components().chain(path.file_stem().map(std::path::Component::Normal));
            parts.into_iter().any(|part| EMPTY_NAMES.iter().any(|name| part.as_os_str() == *name))
        })
        .map(|path| path.display().to_string())
        .collect();
    assert_none(&findings, "name the thing by what it is");
}

#[test]
fn shipped_data_says_where_it_comes_from() {
    let mut findings = Vec::new();
    let files = project_files();
    for path in files.iter().filter(|path| path.starts_with("testdata")) {
        let case: std::path::PathBuf = path.components().take(2).collect();
        if !files.contains(&case.join("PROVENANCE.md")) {
            findings.push(format!("{} has no PROVENANCE.md", case.display()));
        }
    }
    findings.dedup();
    assert_none(&findings, "name source, version, sha256, licence and the command that made it");
}
