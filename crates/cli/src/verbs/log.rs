//! `log`: the ledger's entries, newest first.

use tiepoint_operations::{Error, Platform};

use crate::{exit::Exit, output::Output};

/// Show the ledger: what was done, when, by whom, and what came out.
///
/// Example: tiepoint log --lake my-lake
#[derive(clap::Args)]
pub(crate) struct LogArgs {
    /// Show at most this many entries.
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    limit: usize,
}

pub(crate) async fn run(
    platform: &Platform,
    args: LogArgs,
    output: &mut Output,
) -> Result<Exit, Error> {
    let entries = tiepoint_operations::log(platform, args.limit).await?;
    if output.is_json() {
        output.json(&serde_json::json!({ "entries": entries }));
        return Ok(Exit::Yes);
    }
    let rows: Vec<Vec<String>> = entries
        .iter()
        .map(|entry| {
            vec![
                entry.index.to_string(),
                tiepoint_operations::utc_text(entry.time_ns),
                entry.verb.clone(),
                entry.actor.clone(),
                entry.outputs.join(" "),
            ]
        })
        .collect();
    output.table(&["entry", "time (UTC)", "verb", "actor", "outputs"], &rows);
    Ok(Exit::Yes)
}
