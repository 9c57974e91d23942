//! `prove`: a proof from the ledger, for people without the lake.

use std::path::PathBuf;

use tiepoint_operations::{Error, Platform, ProveRequest};

use crate::{exit::Exit, output::Output, source};

/// Prove that an entry is in the ledger, or that the ledger only grew since a size.
///
/// The entry is named by its index, or by the id or name of the recording, claim or verdict that it made.
/// The proof is a C2SP tlog-proof; with `--from`, the body of a C2SP witness request. `verify` checks both offline.
///
/// Example: tiepoint prove rec-0123456789abcdef --out entry.tlog-proof
#[derive(clap::Args)]
pub(crate) struct ProveArgs {
    /// Which entry.
    #[arg(value_name = "ENTRY|ID", required_unless_present = "from")]
    thing: Option<String>,
    /// Prove growth from a ledger of this many entries instead.
    #[arg(long, value_name = "SIZE", conflicts_with = "thing")]
    from: Option<u64>,
    /// Write the proof to this file.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(crate) async fn run(
    platform: &Platform,
    args: ProveArgs,
    output: &mut Output,
) -> Result<Exit, Error> {
    let request = match (args.thing, args.from) {
        (Some(thing), _) => ProveRequest::Entry(thing),
        (None, from_size) => ProveRequest::Growth { from_size: from_size.unwrap_or_default() },
    };
    let proof = tiepoint_operations::prove(platform, &request).await?;
    if let Some(path) = &args.out {
        source::write(path, proof.text.as_bytes())?;
        output.say(&format!("proof written to {}", path.display()));
    }
    if output.is_json() {
        output.json(&proof.json);
    } else if args.out.is_none() {
        output.line(proof.text.trim_end());
    }
    Ok(Exit::Yes)
}
