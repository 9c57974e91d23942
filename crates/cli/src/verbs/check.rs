//! `check`: the door's checks on logs, without a lake.

use std::path::PathBuf;

use serde_json::json;
use tiepoint_model::quality::FindingKind;
use tiepoint_operations::{CheckReport, Error, Source, check};

use crate::{exit::Exit, output::Output, quality};

/// Check logs as `ingest` would, without a lake: rates, gaps, clocks, frames, frozen sensors.
///
/// Exit status 0: nothing was found; 1: at least one check failed; 3: none failed, but part of a log is missing.
///
/// Example: tiepoint check run.mcap
#[derive(clap::Args)]
pub(crate) struct CheckArgs {
    /// Log files, or folders of rosbag2.
    #[arg(value_name = "PATH", required_unless_present = "list")]
    paths: Vec<PathBuf>,
    /// Check what a damaged log still holds, and say what was lost.
    #[arg(long)]
    recover: bool,
    /// Show every check with its unit, definition and source instead.
    #[arg(long)]
    list: bool,
}

pub(crate) fn run(args: CheckArgs, output: &mut Output) -> Result<Exit, Error> {
    if args.list {
        return Ok(list(output));
    }
    let mut reports = Vec::new();
    for path in &args.paths {
        output.progress(&format!("reading {}", path.display()));
        let report = check(&Source::Path(path.clone()), args.recover)?;
        if !output.is_json() {
            show(path, &report, output);
        }
        reports.push((path, report));
    }
    if output.is_json() {
        let logs: Vec<serde_json::Value> = reports
            .iter()
            .map(|(path, report)| json!({ "path": path, "passes": report.passes(), "report": report }))
            .collect();
        output.json(&json!({ "logs": logs }));
    }
    let lost = reports.iter().any(|(_, report)| !report.quality.losses.is_empty());
    let fails = reports.iter().any(|(_, report)| !report.passes());
    Ok(match (fails, lost) {
        (true, _) => Exit::No,
        (false, true) => Exit::Incomplete,
        (false, false) => Exit::Yes,
    })
}

fn show(path: &std::path::Path, report: &CheckReport, output: &mut Output) {
    let answer = if report.passes() { "pass" } else { "FAIL" };
    output.line(&format!("{}  {}  {answer}", path.display(), report.container));
    let channels = report.channels.iter().map(|channel| {
        let what = (channel.topic.as_str(), channel.message_type.as_str());
        (what, channel.message_count, &channel.quality)
    });
    quality::show(channels, &report.quality, &report.warnings, output);
}

/// Every check there is.
fn list(output: &mut Output) -> Exit {
    if output.is_json() {
        let checks = FindingKind::all().map(|kind| {
            json!({
                "kind": kind, "unit": kind.unit(), "definition": kind.definition(),
                "source": kind.source(),
            })
        });
        output.json(&json!({ "checks": checks.collect::<Vec<_>>() }));
    } else {
        let row = |kind: FindingKind| {
            [kind.as_str(), kind.unit(), kind.definition(), kind.source()].map(str::to_owned)
        };
        let rows: Vec<Vec<String>> = FindingKind::all().map(|kind| row(kind).to_vec()).collect();
        output.table(&["check", "unit", "what is measured", "source"], &rows);
    }
    Exit::Yes
}
