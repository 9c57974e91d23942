//! `cargo xtask bench ledger FOLDER`: a lake of a million entries, made through the ordinary commit path.
//!
//! Appends, opens and verifies it, and says what each step of the ingest of one recording takes.
//! FOLDER must not exist; it needs about 3 GB. The tables are written to `docs/ledger_speed.md`.

use std::{path::Path, process::Command};

use super::{RUNS, median, seconds};
use crate::{
    demo,
    shell::{self, root},
};

const ENTRIES: &str = "1000000";
const BATCH: &str = "10000";
const LOG: &str = "testdata/quickstart/uwb.mcap";
const PAGE: &str = "docs/ledger_speed.md";

pub(crate) fn run(folder: &str) -> Result<(), String> {
    if Path::new(folder).exists() {
        return Err(format!("`{folder}` exists\n\nhint: name a folder that does not"));
    }
    demo::build()?;
    // The whole workspace, so that the heavy stack is not compiled again with other features.
    shell::run(shell::cargo(&["build", "--workspace", "--example", "ledger_speed"])?)?;
    std::fs::create_dir_all(folder).map_err(|e| format!("{folder}: {e}"))?;
    let mut million = example(&["grow", folder, ENTRIES, BATCH])?;
    million.push_str(&example(&["open", folder])?);
    let lake = format!("{folder}/lake");
    for (what, words) in [
        ("process: newest entry (`log --limit 1`)", vec!["log", "--limit", "1"]),
        ("process: `SELECT count(*)`", vec!["query", "SELECT count(*) FROM recordings"]),
    ] {
        million.push_str(&process(folder, what, &[words, vec!["--lake", &lake]].concat())?);
    }
    million.push_str(&example(&["verify", folder])?);
    let steps = example(&["steps", folder, LOG])?;
    println!("{million}\n{steps}");
    let page = format!(
        "{}## A million entries\n\n| what | time |\n|---|---|\n{million}\n\
         ## One recording\n\n\
         `{LOG}` is ingested into an empty lake; the time from one durable step to the next belongs \
         to what the first was for.\n\n| step | time |\n|---|---|\n{steps}",
        about()?
    );
    std::fs::write(root().join(PAGE), page).map_err(|e| format!("{PAGE}: {e}"))?;
    println!("written to {PAGE}");
    Ok(())
}

/// The rows that a part of the example prints.
fn example(words: &[&str]) -> Result<String, String> {
    let mut command = shell::command(&root().join("target/debug/examples/ledger_speed"), words);
    command.current_dir(root());
    let shown = shell::describe(&command);
    let (text, code) = shell::output(command)?;
    match code {
        0 => Ok(text),
        _ => Err(format!("{shown} ended with {code}: {text}")),
    }
}

/// A whole process, from start to end.
fn process(folder: &str, what: &str, words: &[&str]) -> Result<String, String> {
    let mut times_s = Vec::new();
    for _ in 0..RUNS {
        let mut command: Command = shell::command(&demo::program(), words);
        command.env("TIEPOINT_CONFIG", format!("{folder}/config"));
        command.stdout(std::process::Stdio::null());
        times_s.push(seconds(command)?);
    }
    Ok(format!("| {what} | {:.0} ms |\n", 1e3 * median(&mut times_s)))
}

fn about() -> Result<String, String> {
    let cores = std::thread::available_parallelism().map_err(|e| format!("cores: {e}"))?;
    Ok(format!(
        "# Speed of the ledger\n\n\
         A lake of {ENTRIES} entries, appended in commits of {BATCH}, opened and verified, on {cores} cores.\n\
         This page is made by `cargo xtask bench ledger FOLDER`; do not edit it.\n\
         The times belong to one machine in one hour, and to the profile in which everything is built and tested.\n\n"
    ))
}
