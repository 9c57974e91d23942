//! `trace`: where a thing, or single rows of it, come from and what was made of them.

use tiepoint_operations::{Error, Platform, TraceExcerpt, TraceReport};

use crate::{exit::Exit, output::Output};

/// Trace a recording, a channel, a row, a twin, claim or verdict through the lineage, up and down.
///
/// A channel is named behind its recording, RECORDING/TOPIC; one instant of it by @ and nanoseconds of measured time,
/// one row by # and its sequence; a unit of a verdict as VERDICT/DIRECTION/NUMBER. An original is named by its BLAKE3.
///
/// Example: tiepoint trace my-run/scan#120 --lake my-lake
#[derive(clap::Args)]
pub(crate) struct TraceArgs {
    /// An id as `log` and `query` show it, or the name of a recording; with /TOPIC, @TIME or #ROW behind it.
    #[arg(value_name = "ID")]
    id: String,
}

pub(crate) async fn run(
    platform: &Platform,
    args: TraceArgs,
    output: &mut Output,
) -> Result<Exit, Error> {
    let report = tiepoint_operations::trace(platform, &args.id).await?;
    if output.is_json() {
        output.json(&serde_json::json!(report));
    } else {
        show(&report, output);
    }
    Ok(Exit::Yes)
}

fn show(report: &TraceReport, output: &mut Output) {
    let rows = &report.rows;
    let time = rows.time_ns.map_or(String::new(), |time| format!(" @{}", time.0));
    let part = rows.part.as_ref().map_or(String::new(), |part| format!(" {part}"));
    output.line(&format!("{}{part}{time}", report.id));
    for (title, nodes) in [("comes from", &report.ancestors), ("led to", &report.descendants)] {
        output.line(&format!("{title}:"));
        if nodes.is_empty() {
            output.line("  nothing");
        }
        for node in nodes {
            let made = node.entry_index.map_or_else(
                || "not made here".to_owned(),
                |index| format!("entry {index}, {}", node.verb),
            );
            output.line(&format!("  {}  ({made})", node.id));
            node.excerpts.iter().filter_map(words).for_each(|words| output.line(&words));
        }
    }
    if !report.erased_entries.is_empty() {
        let entries: Vec<String> = report.erased_entries.iter().map(u64::to_string).collect();
        output.say(&format!(
            "bodies erased: entries {}; what they read is told only where `derivations` has it",
            entries.join(", ")
        ));
    }
}

/// One line for some rows; none for the whole of a thing that the ledger alone speaks of.
fn words(excerpt: &TraceExcerpt) -> Option<String> {
    let kinds: Vec<&str> = excerpt.kinds.iter().map(|kind| kind.as_str()).collect();
    let kinds = kinds.join(", ");
    let span = match (excerpt.start_time_ns, excerpt.end_time_ns) {
        (None, None) => "all of it".to_owned(),
        (Some(start), None) => format!("from {}", start.0),
        (None, Some(end)) => format!("before {}", end.0),
        (Some(start), Some(end)) => format!("from {} to before {}", start.0, end.0),
    };
    match &excerpt.part {
        None if kinds == "entry" => None,
        None => Some(format!("    {span}  [{kinds}]")),
        Some(part) => Some(format!("    {part}  {span}  [{kinds}]")),
    }
}
