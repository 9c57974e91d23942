//! `cargo ci`: everything that proves the project, in one run, from a clean clone.
//!
//! Each step is one function; the first failure stops the run and is named.

use std::{path::PathBuf, time::Instant};

use crate::{
    conformance,
    demo::{self, tiepoint},
    shell::{self, root},
    validators,
};

type Step = (&'static str, fn() -> Result<(), String>);

const STEPS: &[Step] = &[
    ("format", format),
    ("build", demo::build),
    ("tests: unit, golden, laws, tidy, command line", tests),
    ("lints", lints),
    ("documentation", documentation),
    ("debug and release give the same bits", parity),
    ("the demo", demo::main_job),
    ("the demo's verdicts, recomputed from their units", recompute),
    ("the demo's twins, made again", regenerate),
    ("the page of conformance is as the golden tests say", conformance::check),
    ("independent validators", validators::run),
    ("pages in a browser", browser),
];

pub(crate) fn run() -> Result<(), String> {
    let started = Instant::now();
    let mut summary = Vec::new();
    for (name, step) in STEPS {
        println!("\n== {name}");
        let began = Instant::now();
        step().map_err(|error| format!("cargo ci: {name}: {error}"))?;
        summary.push(format!("{:>7.1} s  {name}", began.elapsed().as_secs_f64()));
    }
    println!("\n{}", summary.join("\n"));
    println!("{:>7.1} s  in all", started.elapsed().as_secs_f64());
    println!("\nsteps: {} passed, 0 failed", STEPS.len());
    Ok(())
}

fn format() -> Result<(), String> {
    shell::run(shell::cargo(&["fmt", "--all", "--check"])?)
}

fn lints() -> Result<(), String> {
    let arguments = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
    shell::run(shell::cargo(&arguments)?)
}

fn tests() -> Result<(), String> {
    shell::run(shell::cargo(&["test", "--workspace"])?)
}

fn documentation() -> Result<(), String> {
    let mut command = shell::cargo(&["doc", "--workspace", "--no-deps", "--quiet"])?;
    command.env("RUSTDOCFLAGS", "-D warnings");
    shell::run(command)
}

/// The pure crates again, in release: the golden hash of `simulate` is one constant for both profiles.
fn parity() -> Result<(), String> {
    let packages = ["-p", "tiepoint-model", "-p", "tiepoint-simulate"];
    let release = ["test", "--release", packages[0], packages[1], packages[2], packages[3]];
    shell::run(shell::cargo(&release)?)?;
    let mut unoptimised = shell::cargo(&["test", "-p", "tiepoint-simulate", "--test", "laws"])?;
    unoptimised.args(["--target-dir", "target/unoptimised"]);
    for package in ["tiepoint-simulate", "tiepoint-model", "nalgebra", "simba", "libm"] {
        unoptimised.args(["--config", &format!("profile.dev.package.{package}.opt-level=0")]);
    }
    unoptimised.args(["--", "parity"]);
    shell::run(unoptimised)
}

/// Every verdict of the demo, checked offline: signature, and the answer derived again from the published units.
fn recompute() -> Result<(), String> {
    for verdict in files_of("verdicts", ".json")? {
        shell::run(tiepoint(&["verify", &verdict]))?;
    }
    Ok(())
}

/// Every twin of the demo is made again from its stored inputs; with one thread and with two.
fn regenerate() -> Result<(), String> {
    let lake = format!("{}/lake", demo::FOLDER);
    let sql = "SELECT recording_id FROM recordings WHERE generator IS NOT NULL ORDER BY name";
    let (text, code) = shell::output(tiepoint(&["query", sql, "--json", "--lake", &lake]))?;
    let rows: serde_json::Value =
        serde_json::from_str(&text).map_err(|e| format!("query gave no JSON ({code}): {e}"))?;
    let rows = rows["rows"].as_array().ok_or("query gave no rows")?;
    if rows.is_empty() {
        return Err("the demo's lake holds no twin".to_owned());
    }
    for row in rows {
        let id = row["recording_id"].as_str().ok_or("a row without a recording id")?;
        for threads in ["1", "2"] {
            let mut command = tiepoint(&["regenerate", id, "--lake", &lake]);
            command.env("RAYON_NUM_THREADS", threads);
            shell::run(command)?;
        }
    }
    Ok(())
}

/// Chromium renders every report without an error and without asking the network for anything.
fn browser() -> Result<(), String> {
    let chromium = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
        .into_iter()
        .map(PathBuf::from)
        .find(|path| path.exists());
    let chromium = match chromium {
        Some(path) => path,
        None => {
            shell::run(shell::command("apt-get", &["update", "-qq"]))?;
            shell::run(shell::command("apt-get", &["install", "-y", "-qq", "chromium"]))?;
            PathBuf::from("/usr/bin/chromium")
        }
    };
    for report in files_of("verdicts", ".html")? {
        let url = format!("file://{}", root().join(&report).display());
        let flags = ["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", url.as_str()];
        let mut command = shell::command(&chromium, &flags);
        command.stderr(std::process::Stdio::null());
        let output = command.output().map_err(|e| format!("chromium: {e}"))?;
        let page = String::from_utf8_lossy(&output.stdout).into_owned();
        for (needed, what) in [("<svg", "a chart"), ("</table>", "a table"), ("</html>", "an end")]
        {
            if !page.contains(needed) {
                return Err(format!("{report}: the rendered page has not {what}"));
            }
        }
        for foreign in ["src=\"http", "<script", "@import", "url(http"] {
            if page.contains(foreign) {
                return Err(format!("{report}: the page holds `{foreign}`"));
            }
        }
        println!("{report}: {} bytes rendered", page.len());
    }
    Ok(())
}

/// The demo's files with an ending, below one of its folders, relative to the root, sorted.
pub(crate) fn files_of(folder: &str, ending: &str) -> Result<Vec<String>, String> {
    let relative = format!("{}/{folder}", demo::FOLDER);
    let listed =
        std::fs::read_dir(root().join(&relative)).map_err(|e| format!("{relative}: {e}"))?;
    let mut names: Vec<String> = listed
        .filter_map(Result::ok)
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(ending))
        .map(|name| format!("{relative}/{name}"))
        .collect();
    names.sort();
    if names.is_empty() {
        return Err(format!("{relative} holds no `*{ending}`"));
    }
    Ok(names)
}
