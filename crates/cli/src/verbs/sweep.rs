//! `sweep`: files that nothing in the ledger names are removed.

use tiepoint_operations::{Error, Platform};

use crate::{exit::Exit, output::Output};

/// Remove what was written and never became part of the lake, if it is older than a day.
///
/// Everything that any entry of the ledger reaches is kept, so every position can still be read with `--at`, unless
/// `tiepoint retain` has let it go.
///
/// Example: tiepoint sweep --dry-run --lake my-lake
#[derive(clap::Args)]
pub(crate) struct SweepArgs {
    /// Show what would be removed, and remove nothing.
    #[arg(long)]
    dry_run: bool,
}

pub(crate) async fn run(
    platform: &mut Platform,
    args: SweepArgs,
    output: &mut Output,
) -> Result<Exit, Error> {
    let report = tiepoint_operations::sweep(platform, args.dry_run).await?;
    if output.is_json() {
        output.json(&serde_json::json!(report));
        return Ok(Exit::Yes);
    }
    let rows: Vec<Vec<String>> = report
        .swept
        .iter()
        .map(|file| vec![file.key.clone(), file.size_bytes.to_string()])
        .collect();
    if !rows.is_empty() {
        output.table(&["file", "bytes"], &rows);
    }
    let (done, count) = (if report.dry_run { "would go" } else { "removed" }, report.swept.len());
    output.line(&format!(
        "{count} files of {} bytes {done}; {} files of {} bytes are younger than a day and stay",
        report.swept_bytes, report.young_count, report.young_bytes
    ));
    Ok(Exit::Yes)
}
