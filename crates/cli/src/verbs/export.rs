//! `export`: a recording out of the lake.

use std::path::{Path, PathBuf};

use serde_json::json;
use tiepoint_operations::{Error, Platform, Source, check, export_mcap, originals};

use crate::{exit::Exit, output::Output, source};

/// Write a recording as MCAP that any reader takes, or its originals or registered files byte for byte.
///
/// The MCAP names origin, derivation and digests in a Metadata record; it is read again before it gets its name.
/// Exit status 3: the file cannot hold a channel, which is named; the original has it.
///
/// Example: tiepoint export my-run --format mcap --out my-run.mcap --lake my-lake
#[derive(clap::Args)]
pub(crate) struct ExportArgs {
    /// Id or name of a recording; for `--format original` also of a registered file, or a folder of such files.
    #[arg(value_name = "RECORDING")]
    recording: String,
    /// mcap, or original: the files as they were ingested.
    #[arg(long, default_value = "mcap")]
    format: String,
    /// The file to write; for several originals a folder, in which they get the names that they had.
    #[arg(long, value_name = "PATH")]
    out: PathBuf,
}

pub(crate) async fn run(
    platform: &Platform,
    args: ExportArgs,
    output: &mut Output,
) -> Result<Exit, Error> {
    match args.format.as_str() {
        "mcap" => mcap(platform, &args, output).await,
        "original" => original(platform, &args, output).await,
        _ => Err(Error::UnknownWord {
            what: "--format",
            value: args.format,
            known: "mcap, original",
        }),
    }
}

async fn mcap(platform: &Platform, args: &ExportArgs, output: &mut Output) -> Result<Exit, Error> {
    let mut file = source::Unfinished::create(&args.out)?;
    let report = export_mcap(platform, &args.recording, file.writer()).await?;
    let mut message_count: u64 = 0;
    if report.row_count > 0 {
        file.sync()?;
        // What was written is read again, by the reader of any log.
        let checked = check(&Source::Path(file.part_path().to_owned()), false)?;
        file.finish()?;
        message_count = checked.channels.iter().map(|channel| channel.message_count).sum();
    }
    if output.is_json() {
        output.json(&json!({
            "recording_id": report.recording.recording_id,
            "path": args.out,
            "channel_count": report.channel_count,
            "message_count": message_count,
            "row_count": report.row_count,
            "left_out": report.left_out,
        }));
    } else {
        let (name, count) = (&report.recording.name, report.channel_count);
        let path = args.out.display();
        output.line(&match report.row_count {
            0 => format!("{name}: MCAP can hold none of its channels; {path} is not written"),
            _ => format!("{name}: {message_count} messages of {count} channels in {path}"),
        });
        for channel in &report.left_out {
            output.say(&format!("left out: {channel}"));
        }
    }
    Ok(if report.left_out.is_empty() { Exit::Yes } else { Exit::Incomplete })
}

async fn original(
    platform: &Platform,
    args: &ExportArgs,
    output: &mut Output,
) -> Result<Exit, Error> {
    let originals = originals(platform, &args.recording).await?;
    let is_one = originals.len() == 1;
    let mut written = Vec::new();
    for mut original in originals {
        let path = if is_one { args.out.clone() } else { args.out.join(&original.name) };
        let mut file = source::Unfinished::create(&path)?;
        original.copy_to(file.writer(), &path)?;
        file.sync()?;
        file.finish()?;
        written.push((path, original.digest));
    }
    if output.is_json() {
        let files: Vec<serde_json::Value> = written
            .iter()
            .map(|(path, digest)| json!({ "path": path, "blake3": digest }))
            .collect();
        output.json(&json!({ "files": files }));
    } else {
        for (path, digest) in &written {
            output.line(&format!("{}  {digest}", Path::new(path).display()));
        }
    }
    Ok(Exit::Yes)
}
