//! `cargo xtask bench ledger FOLDER`: a lake of a million entries, made through the ordinary commit path.
//!
//! Appends, opens and verifies it, and says what each step of the ingest of one recording takes.
//! FOLDER must not exist and is absolute; it needs about 3 GB. The tables are written to `docs/ledger_speed.md`.

use std::{path::Path, process::Command};

use super::{RUNS, median, seconds};
use crate::{
    demo,
    shell::{self, root},
};

const NAME: &str = "a_ledger_of_a_million_entries";
const LOG: &str = "testdata/quickstart/uwb.mcap";
const PAGE: &str = "docs/ledger_speed.md";

pub(crate) fn run(folder: &str) -> Result<(), String> {
    if Path::new(folder).exists() {
        return Err(format!("`{folder}` exists\n\nhint: name a folder that does not"));
    }
    demo::build()?;
    // A test, so that the heavy stack is not compiled again with other features.
    let test = ["test", "--workspace", "--test", "platform", "--test", "cli", "--", NAME];
    let mut command = shell::cargo(&test)?;
    command.env("TIEPOINT_LEDGER_SPEED", folder);
    shell::run(command)?;
    let mut million = read(folder, "million.md")?;
    let lake = format!("{folder}/lake");
    for (what, words) in [
        ("process: newest entry (`log --limit 1`)", vec!["log", "--limit", "1"]),
        ("process: `SELECT count(*)`", vec!["query", "SELECT count(*) FROM recordings"]),
    ] {
        million.push_str(&process(folder, what, &[words, vec!["--lake", &lake]].concat())?);
    }
    let steps = read(folder, "steps.md")?;
    println!("{million}\n{steps}");
    let page = format!(
        "{}## A million entries\n\n| what | time |\n|---|---|\n{million}\n\
         ## One recording\n\n\
         `{LOG}` is ingested into an empty lake.\n\
         The time from one durable step to the next belongs to what the first was for.\n\n| step | time |\n|---|---|\n{steps}",
        about()?
    );
    std::fs::write(root().join(PAGE), page).map_err(|e| format!("{PAGE}: {e}"))?;
    println!("written to {PAGE}");
    Ok(())
}

fn read(folder: &str, name: &str) -> Result<String, String> {
    let path = Path::new(folder).join(name);
    std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))
}

/// A whole process, from start to end.
fn process(folder: &str, what: &str, words: &[&str]) -> Result<String, String> {
    let mut times_s = Vec::new();
    for _ in 0..RUNS {
        let mut command: Command = shell::command(demo::program(), words);
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
         A lake of a million entries, appended in commits of 10,000, opened and verified, \
         on {cores} cores.\n\
         This page is made by `cargo xtask bench ledger FOLDER`; do not edit it.\n\
         The times belong to one machine in one hour, \
         and to the profile in which everything is built and tested.\n\n"
    ))
}
