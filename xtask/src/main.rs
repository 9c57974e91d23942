//! The build tool: `cargo demo`, `cargo ci`, `cargo xtask {quickstart-data, bench, conformance}`.
//!
//! Invariant: every step builds the same packages with the same features, so the heavy stack compiles once.
//! Room: process, environment, disk, stdout. Nothing else in the project starts a process.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "room: process, environment, disk, clock, stdout"
)]

mod bench;
mod ci;
mod conformance;
mod demo;
mod quickstart;
mod shell;
#[cfg(test)]
mod tidy;
mod validators;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo demo               build, then the main job on real data
       cargo ci                 everything that proves the project
       cargo xtask quickstart-data   redo the conversion of the shipped recordings and check digests
       cargo xtask bench [--release] [FOLDER]   measure against the named peers, ratios in one run
       cargo xtask bench measure [--only FAMILY] [FOLDER]   each measure against its Python package
       cargo xtask bench ledger FOLDER   a lake of a million entries: appended, opened, verified
       cargo xtask bench ingest [--release] [--bytes N] [FOLDER]   logs: decoders, `check`, `ingest`
       cargo xtask conformance [--check]   the page of golden comparisons: write it, or compare its rows";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["demo"] => demo::run(),
        ["ci"] => ci::run(),
        ["quickstart-data"] => quickstart::run(),
        ["conformance"] => conformance::write(),
        ["conformance", "--check"] => conformance::check(),
        ["bench", "measure", rest @ ..] => bench::measures::run(rest),
        ["bench", "ledger", folder] => bench::ledger::run(folder),
        ["bench", "ingest", rest @ ..] => bench::ingest::run(rest),
        ["bench"] => bench::run(false, None),
        ["bench", "--release"] => bench::run(true, None),
        ["bench", "--release", folder] => bench::run(true, Some(folder)),
        ["bench", folder] => bench::run(false, Some(folder)),
        _ => Err(USAGE.to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}
