//! `compare`: how synthetic data differs from real data, without a verdict.

use tiepoint_operations::{Error, Platform};

use crate::{exit::Exit, output::Output};

/// Measure how a synthetic recording differs from a real one.
///
/// There is no verdict in it, and the ledger remembers that the data was looked at:
/// a claim on the same recording that is committed afterwards is exploratory.
///
/// Example: tiepoint compare run run-twin-first-gaussian --lake my-lake
#[derive(clap::Args)]
pub(crate) struct CompareArgs {
    /// Id or name of the real recording.
    #[arg(value_name = "REAL")]
    real: String,
    /// Id or name of the synthetic recording.
    #[arg(value_name = "SYNTHETIC")]
    synthetic: String,
}

pub(crate) async fn run(
    platform: &mut Platform,
    args: CompareArgs,
    output: &mut Output,
) -> Result<Exit, Error> {
    let report = tiepoint_operations::compare(platform, &args.real, &args.synthetic).await?;
    if output.is_json() {
        output.json(&serde_json::json!(report));
    } else {
        output.line(&format!(
            "{} against {}: {} scans at the same instants",
            report.synthetic, report.real, report.paired_scan_count
        ));
        let header = ["metric", "real", "synthetic", "between", "95 % interval"];
        output.table(&header, &report.rows());
    }
    Ok(Exit::Yes)
}
