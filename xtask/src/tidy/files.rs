//! Lengths, headers, rooms and leftovers, file by file.

use std::path::Path;

use super::{assert_none, project_files, read, rust_files};

const LINE_CHARACTERS_MAX: usize = 100;
const BODY_LINES_MAX: usize = 600;
const FILE_BYTES_MAX: u64 = 4 << 20;
const LONG_FUNCTIONS_MAX: usize = 10;

/// Lines before the inline test module.
fn body(text: &str) -> Vec<&str> {
    text.lines().take_while(|line| *line != "#[cfg(test)]").collect()
}

fn is_test_file(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "tests") || path.ends_with("tests.rs")
}

#[test]
fn every_rust_file_starts_with_its_purpose() {
    let findings: Vec<String> = rust_files()
        .iter()
        .filter(|path| !read(path).starts_with("//! "))
        .map(|path| format!("{}: line 1 is not `//! ...`", path.display()))
        .collect();
    assert_none(&findings, "say what the file is for, and one invariant");
}

#[test]
fn files_stay_short() {
    let findings: Vec<String> = rust_files()
        .iter()
        .filter(|path| !is_test_file(path))
        .filter_map(|path| {
            let lines = body(&read(path)).len();
            let finding = format!("{}: {lines} lines without tests", path.display());
            (lines > BODY_LINES_MAX).then_some(finding)
        })
        .collect();
    assert_none(&findings, "what are the two things in it? split them");
}

#[test]
fn code_lines_fit_a_hundred_columns() {
    let mut findings = Vec::new();
    for path in rust_files() {
        for (index, line) in read(&path).lines().enumerate() {
            let is_prose = line.trim_start().starts_with("//");
            let holds_long_text = line.contains('"') || line.contains("http");
            if !is_prose && !holds_long_text && line.chars().count() > LINE_CHARACTERS_MAX {
                findings.push(format!("{}:{}", path.display(), index + 1));
            }
        }
    }
    assert_none(&findings, "run `cargo fmt`, or split the expression");
}

#[test]
fn nothing_is_left_unfinished() {
    let marks = [["to", "do!("].concat(), ["unimple", "mented!("].concat(), ["FIX", "ME"].concat()];
    let mut findings = Vec::new();
    for path in rust_files() {
        for (index, line) in read(&path).lines().enumerate() {
            let ignored = line.trim_start().starts_with("#[ignore");
            if ignored || marks.iter().any(|mark| line.contains(mark.as_str())) {
                findings.push(format!("{}:{}: {line}", path.display(), index + 1));
            }
        }
    }
    assert_none(&findings, "finish it or take it out");
}

#[test]
fn lints_are_expected_with_a_reason_never_allowed() {
    let mut findings = Vec::new();
    let mut long_functions = 0;
    for path in rust_files() {
        let text = read(&path);
        for (index, line) in text.lines().enumerate() {
            let line = line.trim_start();
            if line.starts_with("#[allow(") || line.starts_with("#![allow(") {
                findings.push(format!("{}:{}: {line}", path.display(), index + 1));
            }
        }
        long_functions += text.matches("clippy::too_many_lines").count();
    }
    assert_none(&findings, "use #[expect(.., reason = \"..\")]");
    // One is this file's own line.
    assert!(long_functions <= LONG_FUNCTIONS_MAX + 1, "{long_functions} functions over 70 lines");
}

#[test]
fn rooms_open_their_doors_only_where_the_table_says() {
    const DISK: &[&str] = &[
        "crates/store/src/objects",
        "crates/formats/src/source",
        "crates/cli/src/",
        "/examples/",
        "/benches/",
        "xtask/",
    ];
    const CLOCK: &[&str] = &["crates/cli/src/", "xtask/", "/benches/"];
    const OTHER: &[&str] = &["crates/cli/src/", "xtask/", "/examples/"];
    let mut findings = Vec::new();
    for path in rust_files().iter().filter(|path| !is_test_file(path)) {
        let name = path.to_string_lossy().replace('\\', "/");
        let text = read(path);
        let rooms = text.lines().take_while(|line| !line.starts_with("#[cfg(test)]"));
        for line in rooms.filter(|line| line.contains("reason = \"room:")) {
            let allowed: &[&[&str]] = match () {
                () if line.contains("disk") => &[DISK],
                () if line.contains("clock") => &[CLOCK],
                () => &[OTHER],
            };
            if !allowed.iter().any(|places| places.iter().any(|place| name.contains(place))) {
                findings.push(format!("{name}: {}", line.trim()));
            }
        }
    }
    assert_none(&findings, "take the thing as an argument; rooms are listed in ARCHITECTURE.md");
}

#[test]
fn no_large_file_is_kept() {
    let findings: Vec<String> = project_files()
        .iter()
        .filter_map(|path| {
            let size = std::fs::metadata(crate::shell::root().join(path)).map_or(0, |m| m.len());
            (size > FILE_BYTES_MAX).then(|| format!("{}: {size} bytes", path.display()))
        })
        .collect();
    assert_none(&findings, "make the data at test time, or keep a smaller piece of it");
}
