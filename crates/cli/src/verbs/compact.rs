//! `compact`: many small fragments of tables become few.

use tiepoint_operations::{Error, Platform};

use crate::{exit::Exit, output::Output};

/// Merge the small fragments of every table; the rows and their digests stay the same.
///
/// Writers do it by themselves where a table has become crowded; this goes as far as it can.
/// What earlier positions of the ledger read is kept.
///
/// Example: tiepoint compact --lake my-lake
#[derive(clap::Args)]
pub(crate) struct CompactArgs {}

pub(crate) async fn run(
    platform: &mut Platform,
    _: CompactArgs,
    output: &mut Output,
) -> Result<Exit, Error> {
    let report = tiepoint_operations::compact(platform).await?;
    if output.is_json() {
        output.json(&serde_json::json!(report));
        return Ok(Exit::Yes);
    }
    let rows: Vec<Vec<String>> = report
        .tables
        .iter()
        .map(|table| {
            vec![
                table.table.clone(),
                table.replaced_fragments.to_string(),
                table.made_fragments.to_string(),
                table.rows.to_string(),
            ]
        })
        .collect();
    match report.entry_index {
        None => output.line("nothing to gain: every table has as few fragments as it can"),
        Some(_) => output.table(&["table", "fragments before", "after", "rows"], &rows),
    }
    Ok(Exit::Yes)
}
