//! `init`: an empty lake, and the key that signs its verdicts.

use std::path::PathBuf;

use tiepoint_operations::{Config, Error, Platform};

use crate::{exit::Exit, output::Output, source};

/// Make an empty lake and its signing key.
///
/// The key is kept in the user's configuration folder, outside the lake; its public half lies in the lake as `key.pub`.
///
/// Example: tiepoint init my-lake
#[derive(clap::Args)]
pub(crate) struct InitArgs {
    /// Folder to make; it must not exist or be empty.
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

pub(crate) async fn run(
    args: InitArgs,
    config: Config,
    output: &mut Output,
) -> Result<Exit, Error> {
    source::expect_free_for_lake(&args.folder)?;
    let report = Platform::create(&args.folder, config).await?;
    if output.is_json() {
        output.json(&serde_json::json!({
            "lake_id": report.lake_id,
            "lake": report.lake,
            "public_key": report.public_key,
            "key_file": report.key_file,
        }));
    } else {
        output.line(&format!("lake {} in {}", report.lake_id, report.lake.display()));
        output.line(&format!("signing key in {}", report.key_file.display()));
    }
    Ok(Exit::Yes)
}
