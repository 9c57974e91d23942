//! `regenerate`: a twin made again from its stored inputs, compared bit for bit.

use tiepoint_operations::{Error, Platform};

use crate::{exit::Exit, output::Output};

/// Make a twin again from its stored map, trajectory, parameters and seed, and compare content digests.
///
/// Example: tiepoint regenerate rec-0123456789abcdef --lake my-lake
#[derive(clap::Args)]
pub(crate) struct RegenerateArgs {
    /// Id or name of a twin.
    #[arg(value_name = "RECORDING")]
    recording: String,
}

pub(crate) async fn run(
    platform: &Platform,
    args: RegenerateArgs,
    output: &mut Output,
) -> Result<Exit, Error> {
    let report = tiepoint_operations::regenerate(platform, &args.recording).await?;
    if output.is_json() {
        output.json(&serde_json::json!(report));
    } else {
        let word = if report.is_identical { "identical" } else { "DIFFERENT" };
        output.line(&format!(
            "{}  {}  stored {}  made again {}",
            report.recording_id, word, report.stored_digest, report.regenerated_digest
        ));
    }
    Ok(if report.is_identical { Exit::Yes } else { Exit::No })
}
