//! `check`: the door's checks on a log, without a lake.
//!
//! Invariant: the same checks by the same code as `ingest`; nothing is written anywhere.
//! One pass over the file; no row is kept.

use tiepoint_formats::{Damage, TopicBatch};
use tiepoint_model::{
    Timestamp,
    quality::{ChannelQuality, QualityVerdict, RecordingQuality},
};

use crate::{
    Error, Source,
    ingest::decode::{each_piece, kept_raw, loss_in_words, one_channel_per_topic},
    inspect::Inspector,
};

/// What the door says of a log.
#[derive(Clone, Debug, serde::Serialize)]
pub struct CheckReport {
    /// What the log is wrapped in.
    pub container: String,
    /// Its channels, sorted by topic, those without messages left out.
    pub channels: Vec<CheckedChannel>,
    /// What holds for the recording as a whole.
    pub quality: RecordingQuality,
    /// What was kept raw or left out, in words.
    pub warnings: Vec<String>,
}

/// One channel of a checked log.
#[derive(Clone, Debug, serde::Serialize)]
pub struct CheckedChannel {
    /// Its name in the recording.
    pub topic: String,
    /// The message type as the container names it.
    pub message_type: String,
    /// How many messages.
    pub message_count: u64,
    /// First log time.
    pub start_time_ns: Timestamp,
    /// Last log time.
    pub end_time_ns: Timestamp,
    /// What was found.
    pub quality: ChannelQuality,
}

impl CheckReport {
    /// True if no check failed. A channel with too few messages to say fails nothing.
    #[must_use]
    pub fn passes(&self) -> bool {
        let fails = |channel: &CheckedChannel| channel.quality.verdict == QualityVerdict::Fail;
        self.quality.findings.is_empty() && !self.channels.iter().any(fails)
    }
}

/// Checks one log; with `recover`, what a damaged one still holds.
///
/// # Errors
/// [`Error::Log`] with file and place for anything that is no log or is damaged;
/// [`Error::NoMessages`].
pub fn check(source: &Source, recover: bool) -> Result<CheckReport, Error> {
    let damage = if recover { Damage::Keep } else { Damage::Refuse };
    let container = source.open(damage)?.container();
    let mut inspector = Inspector::default();
    let mut take = |piece: TopicBatch| {
        inspector.add(&piece);
        Ok(())
    };
    let summary = each_piece(source, damage, &mut take)?;
    let mut warnings = kept_raw(&summary);
    warnings.extend(summary.notes.iter().chain(&summary.warnings).cloned());
    let inspection = inspector.finish(summary.losses.iter().map(loss_in_words).collect());
    one_channel_per_topic(&inspection.channels)?;
    let mut channels = Vec::new();
    for declared in summary.channels {
        let Some(report) = inspection.channels.get(&declared.channel) else { continue };
        let Some((start_time_ns, end_time_ns)) = report.span else { continue };
        channels.push(CheckedChannel {
            topic: declared.channel.topic,
            message_type: declared.channel.message_type,
            message_count: declared.message_count,
            start_time_ns,
            end_time_ns,
            quality: report.quality.clone(),
        });
    }
    if channels.is_empty() {
        return Err(Error::NoMessages { path: source.path() });
    }
    let container = container.as_str().to_owned();
    Ok(CheckReport { container, channels, quality: inspection.quality, warnings })
}
