//! `register`: files of any kind into the lake, byte for byte.

use std::path::PathBuf;

use serde_json::json;
use tiepoint_operations::{Error, Platform, Registered};

use crate::{exit::Exit, output::Output};

/// Keep files of any kind byte for byte, in the ledger and under its digests, without reading what is in them.
///
/// Of a folder every file below it is kept. The same bytes under the same name add nothing; equal bytes lie there once.
/// `query 'SELECT * FROM files'` lists them, `export NAME --format original` brings a file or a folder back.
/// To have the rows of a log too, `ingest` it, before or after.
///
/// Example: tiepoint register models/ maps/site-a.pgm --lake my-lake
#[derive(clap::Args)]
pub(crate) struct RegisterArgs {
    /// Files, or folders with files.
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
}

pub(crate) async fn run(
    platform: &mut Platform,
    args: RegisterArgs,
    output: &mut Output,
) -> Result<Exit, Error> {
    let mut progress = |text: &str| output.progress(text);
    let done = tiepoint_operations::register(platform, &args.paths, &mut progress).await?;
    let Registered { files, present, proof } = &done;
    if output.is_json() {
        let files: Vec<_> = files
            .iter()
            .map(|file| {
                let is_present = present.contains(&file.file_id);
                json!({
                    "file_id": file.file_id,
                    "name": file.name,
                    "size_bytes": file.size_bytes,
                    "blake3": file.blake3,
                    "sha256": file.sha256,
                    "already_present": is_present,
                })
            })
            .collect();
        let proof = proof.as_ref().map(|proof| &proof.json);
        output.json(&json!({ "files": files, "proof": proof }));
        return Ok(Exit::Yes);
    }
    for file in files {
        let state = match present.contains(&file.file_id) {
            true => " (already in the lake: nothing added)",
            false => "",
        };
        output.line(&format!("{}  {}{state}", file.file_id, file.name));
    }
    let (count, bytes) = (files.len(), done.size_bytes());
    output.say(&format!("{count} files of {bytes} bytes, {} of them there before", present.len()));
    Ok(Exit::Yes)
}
