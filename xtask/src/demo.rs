//! `cargo demo`: build, then the main job on the recordings that ship with the project, as a user would type it.
//!
//! Invariant: nothing here knows an answer; the verdicts are whatever `tiepoint assess` finds.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use crate::shell::{self, root};

/// Where the demo leaves its lake, verdicts and reports.
pub(crate) const FOLDER: &str = "target/demo";

/// The program that the dev profile builds.
pub(crate) fn program() -> PathBuf {
    root().join("target/debug/tiepoint")
}

/// Builds everything once, with the packages and features that every other step uses.
pub(crate) fn build() -> Result<(), String> {
    println!("building tiepoint (the first build compiles Lance and DataFusion: 10 to 15 minutes)");
    shell::run(shell::cargo(&["build", "--workspace"])?)
}

pub(crate) fn run() -> Result<(), String> {
    build()?;
    main_job()
}

/// The main job after the build: init, ingest, twin, assess, verify.
pub(crate) fn main_job() -> Result<(), String> {
    let folder = root().join(FOLDER);
    if folder.exists() {
        std::fs::remove_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    }
    std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let started = Instant::now();
    let lake = format!("{FOLDER}/lake");
    let verdicts = format!("{FOLDER}/verdicts");
    let data = "testdata/quickstart";
    let claims = claim_files()?;

    step(&["init", &lake])?;
    let truth = format!("{data}/uwb.tum");
    step(&["ingest", &format!("{data}/uwb.mcap"), "--ground-truth", &truth, "--lake", &lake])?;
    step(&["ingest", &format!("{data}/sena.mcap"), "--lake", &lake])?;
    for name in ["simul", "range_030"] {
        let (log, truth) = (format!("{data}/{name}.mcap"), format!("{data}/{name}.tum"));
        let reason = "another team's simulator; its version and settings are not recorded";
        let origin = ["--origin", "synthetic", "--unknown-generator", reason];
        let files = ["ingest", log.as_str(), "--ground-truth", truth.as_str(), "--lake", &lake];
        step(&[files.as_slice(), &origin].concat())?;
    }
    step(&["twin", "uwb", "--lake", &lake])?;
    step(&["twin", "sena", "--lake", &lake])?;
    let mut assess = vec!["assess"];
    assess.extend(claims.iter().map(String::as_str));
    assess.extend(["--lake", lake.as_str(), "--out", verdicts.as_str()]);
    let verdicts_shown = judged(&assess)?;
    // Afterwards: a look at the data makes later claims exploratory.
    step(&["compare", "uwb", "uwb-twin-first-gaussian", "--lake", &lake])?;
    step(&["verify", "--deep", "--lake", &lake])?;
    println!("\nthe verdicts, {:.1} s after the build:\n", started.elapsed().as_secs_f64());
    println!("{verdicts_shown}");
    println!("Do the same with your own log:");
    println!("  tiepoint init my-lake && tiepoint ingest my-run.mcap --lake my-lake");
    println!("  tiepoint twin my-run --lake my-lake");
    println!("  tiepoint assess my-claim.toml --lake my-lake   # start from a file in quickstart/");
    println!("(the program is target/debug/tiepoint)");
    Ok(())
}

/// The claims of the quickstart, sorted by name.
pub(crate) fn claim_files() -> Result<Vec<String>, String> {
    let folder = root().join("quickstart");
    let listed = std::fs::read_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut names: Vec<String> = listed
        .filter_map(Result::ok)
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| Path::new(name).extension().is_some_and(|extension| extension == "toml"))
        .map(|name| format!("quickstart/{name}"))
        .collect();
    names.sort();
    Ok(names)
}

/// One command of the user's, shown before it runs.
fn step(arguments: &[&str]) -> Result<(), String> {
    println!("\n$ tiepoint {}", arguments.join(" "));
    shell::run(tiepoint(arguments))
}

/// `assess`: its table is shown at the end. An answer of no (1) or not yet (3) is an answer, not a failure.
fn judged(arguments: &[&str]) -> Result<String, String> {
    let rest = arguments.iter().skip(1).filter(|argument| !argument.ends_with(".toml"));
    let shown: Vec<&str> =
        ["assess", "quickstart/*.toml"].into_iter().chain(rest.copied()).collect();
    println!("\n$ tiepoint {}", shown.join(" "));
    let (table, code) = shell::output(tiepoint(arguments))?;
    match code {
        0 | 1 | 3 => Ok(table),
        _ => Err(format!("tiepoint {} ended with {code}", shown.join(" "))),
    }
}

/// The program, with the demo's own place for keys.
pub(crate) fn tiepoint(arguments: &[&str]) -> std::process::Command {
    let mut command = shell::command(program(), arguments);
    command.env("TIEPOINT_CONFIG", root().join(FOLDER).join("config"));
    command
}
