//! `verify`: the lake, or one verdict or proof, checked from its bytes.

use std::path::{Path, PathBuf};

use tiepoint_operations::{Config, Error, FileTrust, LakeChecks, VerifyReport};

use crate::{exit::Exit, output::Output, source};

/// Check the whole lake, or with a file one verdict or proof, offline.
///
/// The lake: every entry, body, signature, tile, original and table version; with `--deep` every row.
/// A verdict: its signature, and its answer derived again from the outcomes published inside it.
/// A proof, as `prove` wrote it: its signature, and the path from the entry or the earlier head.
///
/// Example: tiepoint verify verdicts/scan-noise.json --key lake/key.pub
#[derive(clap::Args)]
pub(crate) struct VerifyArgs {
    /// A verdict as `assess` wrote it or a proof as `prove` did; without it the lake is checked.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// The public key file to trust for the file; without it the keys of this user's lakes are.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// The public key file of a witness that must have cosigned; may be given several times.
    #[arg(long, value_name = "FILE")]
    witness_key: Vec<PathBuf>,
    /// The earlier checkpoint that a proof of growth must continue.
    #[arg(long, value_name = "FILE", requires = "file")]
    old: Option<PathBuf>,
    /// Read every row of the lake and recompute every content digest.
    #[arg(long, conflicts_with = "file")]
    deep: bool,
    /// First write the lake's tiles and signed head again from its log.
    #[arg(long, conflicts_with = "file")]
    repair: bool,
}

pub(crate) async fn run(
    lake: &Path,
    config: Config,
    args: VerifyArgs,
    output: &mut Output,
) -> Result<Exit, Error> {
    let witness_keys = args.witness_key.iter().map(|path| source::read_text(path));
    let witness_keys = witness_keys.collect::<Result<Vec<_>, _>>()?;
    let report = match args.file {
        Some(path) => {
            let bytes = source::read_bytes(&path)?;
            let key = args.key.as_deref().map(source::read_text).transpose()?;
            let old_checkpoint = args.old.as_deref().map(source::read_bytes).transpose()?;
            let trust = FileTrust { key, witness_keys, old_checkpoint };
            tiepoint_operations::verify_file(&bytes, &trust, &config).await?
        }
        None => {
            let checks = LakeChecks { deep: args.deep, repair: args.repair, witness_keys };
            tiepoint_operations::verify_lake(lake, config, &checks).await?
        }
    };
    show(&report, output);
    Ok(if report.passed() { Exit::Yes } else { Exit::No })
}

fn show(report: &VerifyReport, output: &mut Output) {
    if output.is_json() {
        output.json(&serde_json::json!(report));
        return;
    }
    let mut rows = Vec::new();
    for check in &report.checks {
        let word = if check.passed { "ok" } else { "FAILED" };
        rows.push(vec![word.to_owned(), check.what.clone(), check.detail.clone()]);
        let affected = check
            .affects
            .iter()
            .map(|id| vec![String::new(), String::new(), format!("affects {id}")]);
        rows.extend(affected);
    }
    output.table(&["", "check", "found"], &rows);
}
