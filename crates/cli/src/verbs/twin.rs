//! `twin`: a synthetic recording of the same run.

use tiepoint_operations::{Error, Platform, TwinRequest};

use crate::{exit::Exit, output::Output};

/// Build the twins of a real recording: reconstruct its world, fit its sensors on one half, simulate the same run.
///
/// One twin is stored for each half to calibrate on and, where the recording has ranges to beacons, each model of their errors.
///
/// Example: tiepoint twin run --lake my-lake
#[derive(clap::Args)]
pub(crate) struct TwinArgs {
    /// Id or name of a real recording.
    #[arg(value_name = "RECORDING")]
    recording: String,
    /// Seed of everything random in the twins.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub(crate) async fn run(
    platform: &mut Platform,
    args: TwinArgs,
    output: &mut Output,
) -> Result<Exit, Error> {
    let request = TwinRequest { recording: args.recording, seed: args.seed };
    let mut progress = |text: &str| output.progress(text);
    let report = tiepoint_operations::twin(platform, request, &mut progress).await?;
    if output.is_json() {
        output.json(&serde_json::json!(report));
        return Ok(Exit::Yes);
    }
    for line in report.in_words() {
        output.line(&line);
    }
    let (header, rows) = report.range_model_table();
    if !rows.is_empty() {
        output.table(&header, &rows);
    }
    Ok(Exit::Yes)
}
