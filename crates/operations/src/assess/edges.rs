//! Which rows each unit of a verdict was measured on.
//!
//! Invariant: an edge stands for what the metric reads, never for less. Rows inside a unit are `validation`; what a
//! system under test had seen before, or a comparison sees behind it, is `context`.
//! Synthetic values of a twin are simulated again, so they come from the twin's inputs and not from its rows.

use tiepoint_model::{EdgeKind, Excerpt, LineageEdge, Timestamp};

use super::{Case, Synthetic, metric::Metric};
use crate::{
    Half,
    ingest::GROUND_TRUTH_TOPIC,
    run::Run,
    twin::{BEACONS_TOPIC, ODOMETRY_TOPIC},
};

/// One direction of a split with the spans of its units.
pub(super) struct UnitSpans {
    pub(super) direction: String,
    pub(super) calibration: Half,
    /// Start, and end excluded.
    pub(super) units: Vec<[Timestamp; 2]>,
}

/// The part of a verdict that is about copies and the sensor's identity: it looks at whole runs.
const VETOES: &str = "vetoes";

/// The edges of a verdict.
pub(super) fn of_verdict(
    case: &Case,
    run: &Run,
    directions: &[UnitSpans],
    verdict_id: &str,
) -> Vec<LineageEdge> {
    let mut edges = match &case.synthetic {
        Synthetic::Twins(twins) => directions
            .iter()
            .zip(twins)
            .flat_map(|(direction, (_, twin, _))| {
                let twin_id = twin.recording_id.0.as_str();
                of_direction(case, run, direction, [verdict_id, twin_id])
            })
            .chain(twins.iter().flat_map(|(_, twin, _)| {
                let child = Excerpt::whole(verdict_id).of_part(VETOES);
                let scans = Excerpt::whole(&case.real.recording_id.0).of_part(&run.scan_topic);
                let simulated = Excerpt::whole(&twin.recording_id.0).of_part(&run.scan_topic);
                let real =
                    LineageEdge { child: child.clone(), kind: EdgeKind::Validation, parent: scans };
                [real, LineageEdge { child, kind: EdgeKind::Resimulation, parent: simulated }]
            }))
            .collect(),
        Synthetic::Other(other) => [&case.real, other]
            .into_iter()
            .map(|recording| LineageEdge {
                child: Excerpt::whole(verdict_id),
                kind: EdgeKind::Validation,
                parent: Excerpt::whole(&recording.recording_id.0),
            })
            .collect::<Vec<LineageEdge>>(),
    };
    edges.sort();
    edges.dedup();
    edges
}

fn of_direction(
    case: &Case,
    run: &Run,
    direction: &UnitSpans,
    [verdict_id, twin_id]: [&str; 2],
) -> Vec<LineageEdge> {
    let (verdict, real) = (Excerpt::whole(verdict_id), &case.real.recording_id.0);
    let mut edges = Vec::new();
    // Dependence and guard are measured on the whole validation half.
    if let Some(span) = run.span() {
        let child = verdict.clone().of_part(&direction.direction);
        for topic in looks_at(case.metric, run) {
            let parent = Excerpt::whole(real).of_part(topic);
            let parent = match direction.calibration.other() {
                Half::First => parent.between(span.start, span.middle()),
                Half::Second => parent.through(span.middle(), span.end),
            };
            edges.push(LineageEdge { child: child.clone(), kind: EdgeKind::Validation, parent });
        }
    }
    for (index, [start, end]) in direction.units.iter().enumerate() {
        let part = format!("{}/{index}", direction.direction);
        let child = verdict.clone().of_part(part).between(*start, *end);
        let mut add = |kind, parent| {
            edges.push(LineageEdge { child: child.clone(), kind, parent });
        };
        for topic in looks_at(case.metric, run) {
            add(EdgeKind::Validation, Excerpt::whole(real).of_part(topic).between(*start, *end));
            if let Some((from, to)) = context(case.metric, run, [*start, *end]) {
                let parent = Excerpt::whole(real).of_part(topic);
                let parent = Excerpt { start_time_ns: from, end_time_ns: Some(to), ..parent };
                add(EdgeKind::Context, parent);
            }
        }
        for topic in simulated(case.metric, run) {
            let parent = Excerpt::whole(twin_id).of_part(topic).between(*start, *end);
            add(EdgeKind::Resimulation, parent);
        }
    }
    edges
}

/// The channels of the real run that enter the metric or the conditions of a unit.
fn looks_at(metric: Metric, run: &Run) -> Vec<&str> {
    let mut topics = vec![run.scan_topic.as_str()];
    if !run.truth.is_empty() {
        topics.push(GROUND_TRUTH_TOPIC);
    }
    if metric.uses_reference() {
        topics.extend(run.odometry_topic.as_deref());
    }
    if metric.channels().ranges {
        topics.extend(run.range_topics.iter().map(String::as_str));
    }
    topics
}

/// The channels of the twin whose simulation enters the metric.
fn simulated(metric: Metric, run: &Run) -> Vec<&str> {
    let mut topics = Vec::new();
    if metric.channels().scans {
        topics.push(run.scan_topic.as_str());
    }
    if metric.channels().ranges {
        topics.push(BEACONS_TOPIC);
    }
    if metric.uses_reference() {
        topics.extend([ODOMETRY_TOPIC, GROUND_TRUTH_TOPIC]);
    }
    topics
}

/// The rows outside a unit that its values depend on: from, if not from the start, and to before.
fn context(
    metric: Metric,
    run: &Run,
    [start, end]: [Timestamp; 2],
) -> Option<(Option<Timestamp>, Timestamp)> {
    let scans = || run.scans.iter().map(|scan| scan.stamps.measured());
    match metric {
        Metric::Roughness { .. } => None,
        // The control lays each scan on the next.
        Metric::BeamAgreement { .. } => {
            let next = scans().filter(|time| *time >= end).min()?;
            Some((Some(end), next.plus(tiepoint_model::Span(1))))
        }
        // The filter runs from the start.
        Metric::PositionError { .. } => {
            let first = run.odometry.iter().map(|pose| pose.stamps.measured()).min()?;
            (first < start).then_some((None, start))
        }
        // A step begins at the scan before.
        Metric::RelativeTranslation { .. } => {
            let before = scans().filter(|time| *time < start).max()?;
            Some((Some(before), start))
        }
    }
}
