//! `verify`: the lake, or one verdict, checked from its bytes.

use std::path::{Path, PathBuf};

use tiepoint_operations::{Config, Error, Platform};

use crate::{exit::Exit, output::Output, source};

/// Check the whole lake, or with a file one verdict, offline.
///
/// The lake: every entry, signature, original, table version and content digest.
/// A verdict: its signature, and its answer derived again from the outcomes published inside it.
///
/// Example: tiepoint verify verdicts/scan-noise.json --key lake/key.pub
#[derive(clap::Args)]
pub(crate) struct VerifyArgs {
    /// A verdict as `assess` wrote it; without it the lake is checked.
    #[arg(value_name = "VERDICT.json")]
    verdict: Option<PathBuf>,
    /// The public key file to trust for the verdict; without it the keys of this user's lakes are.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
}

pub(crate) async fn run(
    lake: &Path,
    config: Config,
    args: VerifyArgs,
    output: &mut Output,
) -> Result<Exit, Error> {
    let report = match args.verdict {
        Some(path) => {
            let envelope = source::read_bytes(&path)?;
            let key = args.key.as_deref().map(source::read_text).transpose()?;
            tiepoint_operations::verify_verdict(&envelope, key.as_deref(), &config).await?
        }
        None => tiepoint_operations::verify_lake(&Platform::open(lake, config).await?).await?,
    };
    if output.is_json() {
        output.json(&serde_json::json!(report));
    } else {
        let rows: Vec<Vec<String>> = report
            .checks
            .iter()
            .map(|check| {
                let word = if check.passed { "ok" } else { "FAILED" };
                vec![word.to_owned(), check.what.clone(), check.detail.clone()]
            })
            .collect();
        output.table(&["", "check", "found"], &rows);
    }
    Ok(if report.passed() { Exit::Yes } else { Exit::No })
}
