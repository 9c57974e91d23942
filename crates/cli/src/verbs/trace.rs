//! `trace`: where a thing comes from and what was made of it.

use tiepoint_operations::{Error, Platform, TraceReport};

use crate::{exit::Exit, output::Output};

/// Trace a recording, twin, claim or verdict through the lineage, up and down.
///
/// Example: tiepoint trace rec-0123456789abcdef --lake my-lake
#[derive(clap::Args)]
pub(crate) struct TraceArgs {
    /// An id as `log` and `query` show it, or the name of a recording.
    #[arg(value_name = "ID")]
    id: String,
}

pub(crate) fn run(
    platform: &Platform,
    args: TraceArgs,
    output: &mut Output,
) -> Result<Exit, Error> {
    let report = tiepoint_operations::trace(platform, &args.id)?;
    if output.is_json() {
        output.json(&serde_json::json!(report));
    } else {
        show(&report, output);
    }
    Ok(Exit::Yes)
}

fn show(report: &TraceReport, output: &mut Output) {
    output.line(&report.id);
    for (title, nodes) in [("comes from", &report.ancestors), ("led to", &report.descendants)] {
        output.line(&format!("{title}:"));
        if nodes.is_empty() {
            output.line("  nothing");
        }
        for node in nodes {
            output.line(&format!("  {}  (entry {}, {})", node.id, node.entry_index, node.verb));
        }
    }
}
