//! `ingest`: robot logs into the lake.

use std::path::PathBuf;

use serde_json::json;
use tiepoint_model::Origin;
use tiepoint_operations::{Error, IngestRequest, IngestedRecording, Platform, Source};

use crate::{exit::Exit, output::Output, quality};

/// Ingest robot logs: MCAP, ROS 1 bag, rosbag2, PX4 ULog, MRPT rawlog, trajectories in TUM, KITTI or EuRoC form.
///
/// Each file becomes one recording. The original is kept byte for byte; the same file twice adds nothing.
/// Each channel gets a quality verdict at the door, stored with it.
///
/// Example: tiepoint ingest run.mcap --ground-truth run.tum --lake my-lake
#[derive(clap::Args)]
pub(crate) struct IngestArgs {
    /// Log files, or folders of rosbag2.
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// Where the samples come from: real, semi_synthetic, synthetic or curated.
    #[arg(long, default_value = "real")]
    origin: Origin,
    /// Why the generator of data that is not real cannot be named; such data is worth nothing to a claim.
    #[arg(long, value_name = "REASON")]
    unknown_generator: Option<String>,
    /// A trajectory file (TUM) with the true poses of the one log given; becomes its channel `/ground_truth`.
    #[arg(long, value_name = "FILE")]
    ground_truth: Option<PathBuf>,
    /// The rig that made the logs: its mountings are compared with those of its last pass.
    #[arg(long, value_name = "NAME")]
    rig: Option<String>,
    /// Of a damaged log, keep what can be read, say exactly what was lost, mark the recording, and exit with 3.
    #[arg(long)]
    recover: bool,
    /// Show what would be ingested, and change nothing.
    #[arg(long)]
    dry_run: bool,
}

pub(crate) async fn run(
    platform: &mut Platform,
    args: IngestArgs,
    output: &mut Output,
) -> Result<Exit, Error> {
    if args.ground_truth.is_some() && args.paths.len() != 1 {
        return Err(Error::GroundTruthForMany { count: args.paths.len() });
    }
    let mut recordings = Vec::new();
    for path in &args.paths {
        output.progress(&format!("reading {}", path.display()));
        let request = IngestRequest {
            log: Source::Path(path.clone()),
            ground_truth: args.ground_truth.clone().map(Source::Path),
            origin: args.origin,
            unknown_generator: args.unknown_generator.clone(),
            rig: args.rig.clone(),
            recover: args.recover,
            dry_run: args.dry_run,
        };
        let ingested = tiepoint_operations::ingest(platform, request).await?;
        if !output.is_json() {
            // At once: a later file may fail, and what is in the lake by then is worth knowing.
            show(&ingested, output);
        }
        recordings.push(ingested);
    }
    if output.is_json() {
        output.json(&json!({ "recordings": recordings.iter().map(as_json).collect::<Vec<_>>() }));
    }
    let has_loss = recordings.iter().any(|ingested| ingested.has_loss);
    Ok(if has_loss { Exit::Incomplete } else { Exit::Yes })
}

fn show(ingested: &IngestedRecording, output: &mut Output) {
    let recording = &ingested.recording;
    let state = match (ingested.dry_run, ingested.was_present) {
        (true, _) => " (dry run: nothing written)",
        (false, true) => " (already in the lake: nothing added)",
        (false, false) => "",
    };
    output.line(&format!(
        "{}  {}  {}{state}",
        recording.recording_id, recording.name, recording.origin
    ));
    let channels = recording.channels.iter().map(|channel| {
        let what = (channel.topic.as_str(), channel.message_type.as_str());
        (what, channel.message_count, &channel.quality)
    });
    quality::show(channels, &recording.quality, &ingested.warnings, output);
}

fn as_json(ingested: &IngestedRecording) -> serde_json::Value {
    let recording = &ingested.recording;
    let channels: Vec<serde_json::Value> = recording
        .channels
        .iter()
        .map(|channel| {
            json!({
                "topic": channel.topic,
                "message_type": channel.message_type,
                "encoding": channel.encoding,
                "table": channel.table,
                "message_count": channel.message_count,
                "start_time_ns": channel.start_time_ns,
                "end_time_ns": channel.end_time_ns,
                "content_digest": channel.content_digest,
                "quality": channel.quality,
            })
        })
        .collect();
    json!({
        "recording_id": recording.recording_id,
        "name": recording.name,
        "origin": recording.origin,
        "start_time_ns": recording.start_time_ns,
        "end_time_ns": recording.end_time_ns,
        "content_digest": recording.content_digest,
        "already_present": ingested.was_present,
        "dry_run": ingested.dry_run,
        "rig": recording.rig,
        "warnings": ingested.warnings,
        "proof": ingested.proof.as_ref().map(|proof| &proof.json),
        "channels": channels,
        "quality": recording.quality,
    })
}
