//! Quality in words, the same for every verb that shows it.

use tiepoint_model::quality::{
    ChannelQuality, Finding, FindingKind, QualityVerdict, RecordingQuality,
};

use crate::output::Output;

/// A recording: its channels (topic and type, messages, quality), what was found beyond them, and warnings.
pub(crate) fn show<'a>(
    channels: impl Iterator<Item = ((&'a str, &'a str), u64, &'a ChannelQuality)>,
    quality: &RecordingQuality,
    warnings: &[String],
    output: &mut Output,
) {
    let rows: Vec<Vec<String>> =
        channels.map(|(what, message_count, quality)| row(what, message_count, quality)).collect();
    output.table(&["  channel", "type", "messages", "rate", "quality", "findings"], &rows);
    show_recording(quality, output);
    for warning in warnings {
        output.say(&format!("warning: {warning}"));
    }
}

fn row(
    (topic, message_type): (&str, &str),
    message_count: u64,
    quality: &ChannelQuality,
) -> Vec<String> {
    let findings: Vec<String> = quality.findings.iter().map(in_words).collect();
    vec![
        format!("  {topic}"),
        message_type.to_owned(),
        message_count.to_string(),
        quality.rate_hz.map_or_else(String::new, |rate| format!("{rate:.2} Hz")),
        match quality.verdict {
            QualityVerdict::Pass => "pass".to_owned(),
            QualityVerdict::Fail => "FAIL".to_owned(),
            QualityVerdict::Unknown => "unknown".to_owned(),
        },
        findings.join("; "),
    ]
}

/// What was found beyond single channels.
fn show_recording(quality: &RecordingQuality, output: &mut Output) {
    for found in &quality.findings {
        output.line(&format!("  FAIL {}: {}", found.subject, in_words(&found.finding)));
    }
    for offset in &quality.offsets {
        let lag = match offset.lag_s {
            Some(lag_s) => format!("lags by {:.1} ms", lag_s * 1e3),
            None => format!("lag unknown: {}", offset.reason),
        };
        output.line(&format!(
            "  {} against {}: {lag} (correlation {:.2})",
            offset.channel, offset.reference, offset.correlation
        ));
    }
    for loss in &quality.losses {
        output.line(&format!("  LOST {loss}"));
    }
}

/// `gaps 12 % (limit 5 %)`.
fn in_words(finding: &Finding) -> String {
    use FindingKind as Kind;
    let number = |value: f64| {
        let text = format!("{value:.3}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    let (value, limit) = (finding.value, finding.limit);
    let shares = format!("{} % (limit {} %)", number(value * 100.0), number(limit * 100.0));
    let unit = finding.kind.unit();
    let measured = format!("{} {unit} (limit {} {unit})", number(value), number(limit));
    match finding.kind {
        Kind::RateDeviation => format!("unsteady rate in {shares}"),
        Kind::Gaps => format!("gaps {shares}"),
        Kind::TimeRunsBack => format!("time runs back {} times", finding.count),
        Kind::DuplicateStamps => format!("{} duplicate stamps", finding.count),
        Kind::NotANumber => format!("NaN {shares}"),
        Kind::OutOfRange => format!("out of range {shares}"),
        Kind::SensorTimeRunsBack => format!("sensor time runs back {} times", finding.count),
        // A year: one clock counts from 1970, the other from the start of something.
        Kind::ClockOffset if value > 3e7 => "sensor clock is of another epoch".to_owned(),
        Kind::ClockOffset => format!("sensor clock off by {measured}"),
        Kind::ClockDrift => format!("sensor clock drifts by {measured}"),
        Kind::Frozen => format!("frozen for {measured}, {} messages", finding.count),
        Kind::Saturated => format!("saturated {shares}"),
        Kind::ChannelOffset => format!("lags by {measured}"),
        Kind::TransformTwoParents => "has more than one parent".to_owned(),
        Kind::TransformCycle => format!("{} frames go in circles", finding.count),
        Kind::TransformDisconnected => {
            format!("{} not joined to the tree of frames", finding.count)
        }
        Kind::TransformJump => format!("jumps {} times", finding.count),
        Kind::ExtrinsicsShift => format!("mounting moved by {measured}"),
        Kind::ExtrinsicsTurn => format!("mounting turned by {measured}"),
        Kind::IntrinsicsShift => format!("image moved by {measured}"),
    }
}
