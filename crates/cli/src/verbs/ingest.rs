//! `ingest`: robot logs into the lake.

use std::path::PathBuf;

use serde_json::json;
use tiepoint_model::{Origin, quality::QualityVerdict};
use tiepoint_operations::{Error, IngestRequest, IngestedRecording, Platform};

use crate::{exit::Exit, output::Output, source};

/// Ingest robot logs: MCAP, MRPT rawlog, trajectories in TUM, KITTI or EuRoC form.
///
/// Each file becomes one recording. The original is kept byte for byte; the same file twice adds nothing.
/// Each channel gets a quality verdict at the door, stored with it.
///
/// Example: tiepoint ingest run.mcap --ground-truth run.tum --lake my-lake
#[derive(clap::Args)]
pub(crate) struct IngestArgs {
    /// Log files.
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
            log: source::open(path)?,
            ground_truth: args.ground_truth.as_deref().map(source::open).transpose()?,
            origin: args.origin,
            unknown_generator: args.unknown_generator.clone(),
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
    let rows: Vec<Vec<String>> = recording
        .channels
        .iter()
        .map(|channel| {
            let quality = &channel.quality;
            vec![
                format!("  {}", channel.topic),
                channel.message_type.clone(),
                channel.message_count.to_string(),
                quality.rate_hz.map_or_else(String::new, |rate| format!("{rate:.2} Hz")),
                match quality.verdict {
                    QualityVerdict::Pass => "pass".to_owned(),
                    QualityVerdict::Fail => "FAIL".to_owned(),
                    QualityVerdict::Unknown => "unknown".to_owned(),
                },
                findings_in_words(&quality.findings),
            ]
        })
        .collect();
    output.table(&["  channel", "type", "messages", "rate", "quality", "findings"], &rows);
    for warning in &ingested.warnings {
        output.say(&format!("warning: {warning}"));
    }
}

/// `gaps 12 % (limit 5 %)`, joined by semicolons.
fn findings_in_words(findings: &[tiepoint_model::quality::Finding]) -> String {
    use tiepoint_model::quality::FindingKind as Kind;
    let words = findings.iter().map(|finding| {
        let percent = |share: f64| format!("{:.3}", share * 100.0);
        let trim = |text: String| text.trim_end_matches('0').trim_end_matches('.').to_owned();
        let shares = format!(
            "{} % (limit {} %)",
            trim(percent(finding.value)),
            trim(percent(finding.limit))
        );
        match finding.kind {
            Kind::RateDeviation => format!("unsteady rate in {shares}"),
            Kind::Gaps => format!("gaps {shares}"),
            Kind::TimeRunsBack => format!("time runs back {} times", finding.count),
            Kind::DuplicateStamps => format!("{} duplicate stamps", finding.count),
            Kind::NotANumber => format!("NaN {shares}"),
            Kind::OutOfRange => format!("out of range {shares}"),
        }
    });
    words.collect::<Vec<_>>().join("; ")
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
        "warnings": ingested.warnings,
        "proof": ingested.proof.as_ref().map(|proof| &proof.json),
        "channels": channels,
    })
}
