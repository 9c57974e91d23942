//! `cargo xtask bench measure [--only FAMILY] [FOLDER]`: the measures against the field's Python packages.
//!
//! Library call against library call: each `crates/*/benches/peer_*.py` runs our benchmark and then its peers on
//! inputs of the same size, and prints rows of one table. Only ratios within a run mean something.
//! FOLDER may hold `KITTI_00_gt.txt` and `KITTI_00_ORB.txt`. With every family the table is written to `docs/speed.md`.

use std::path::Path;

use super::{peers, trajectories};
use crate::shell::{self, root};

/// Each family and the crate that has its benchmark.
const FAMILIES: &[(&str, &str)] = &[
    ("trajectory", "measure"),
    ("distribution", "measure"),
    ("sensor", "measure"),
    ("verdict", "assure"),
];
const PAGE: &str = "docs/speed.md";

const HEAD: &str = "| what | ours | peer | its time | ratio |\n|---|---|---|---|---|\n";

pub(crate) fn run(words: &[&str]) -> Result<(), String> {
    let (only, data) = match words {
        [] => (None, None),
        ["--only", family] => (Some(*family), None),
        ["--only", family, folder] => (Some(*family), Some(*folder)),
        [folder] => (None, Some(*folder)),
        _ => return Err(crate::USAGE.to_owned()),
    };
    if let Some(family) = only.filter(|only| FAMILIES.iter().all(|(name, _)| name != only)) {
        let names: Vec<&str> = FAMILIES.iter().map(|(name, _)| *name).collect();
        return Err(format!("no family `{family}`\n\nhint: one of {}", names.join(", ")));
    }
    let folder = root().join("target/bench");
    std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let python = peers()?;
    let files = trajectories(data.map(Path::new), &folder)?;
    let files = files.map(|file| file.to_string_lossy().into_owned());
    let mut table = String::from(HEAD);
    for (family, owner) in FAMILIES.iter().filter(|(name, _)| only.is_none_or(|o| o == *name)) {
        println!("measuring {family}");
        let files: &[String] = if *family == "trajectory" { &files } else { &[] };
        table.push_str(&rows(&python, (family, owner), files)?);
    }
    println!("\n{table}");
    if only.is_none() {
        let page = root().join(PAGE);
        std::fs::create_dir_all(root().join("docs")).map_err(|e| format!("docs: {e}"))?;
        std::fs::write(&page, about()? + &table).map_err(|e| format!("{PAGE}: {e}"))?;
        println!("written to {PAGE}");
    }
    Ok(())
}

/// The rows that one script prints.
fn rows(python: &Path, (family, owner): (&str, &str), files: &[String]) -> Result<String, String> {
    // Compiled first, so that a fault of the build is told by cargo itself.
    let package = format!("tiepoint-{owner}");
    let build = ["bench", "-p", package.as_str(), "--bench", family, "--no-run"];
    shell::run(shell::cargo(&build)?)?;
    let script = format!("crates/{owner}/benches/peer_{family}.py");
    let mut command = shell::command(python, &[script.as_str()]);
    command.args(files);
    shell::forget_own_package(&mut command);
    let (text, code) = shell::output(command)?;
    let rows: String =
        text.lines().filter(|line| line.starts_with('|')).map(|line| format!("{line}\n")).collect();
    if code != 0 || rows.is_empty() {
        return Err(format!("{script} ended with {code}:\n{text}"));
    }
    Ok(rows)
}

fn about() -> Result<String, String> {
    let cores = std::thread::available_parallelism().map_err(|e| format!("cores: {e}"))?;
    Ok(format!(
        "# Speed\n\n\
         Our measures and the field's Python packages, library call against library call, \
         in one run on {cores} cores.\n\
         This page is made by `cargo xtask bench measure`; do not edit it.\n\
         The ratio says how many times faster ours is; \
         the times themselves belong to one machine in one hour.\n\
         Each time is the least of several calls; reading files and copying inputs are not timed.\n\n"
    ))
}
