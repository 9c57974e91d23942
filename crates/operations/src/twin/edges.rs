//! Which rows of the real run a twin's rows come from.
//!
//! Invariant: an edge stands for what the code reads, never for less; where a fit took more than one channel, each is
//! named. Spans are in measured time. The child's id is not known before its bytes are, and is filled in at the door.

use tiepoint_model::{EdgeKind, Excerpt, LineageEdge};

use crate::{Half, ingest::GROUND_TRUTH_TOPIC, run::Run};

/// The twin's topics beside the scanner's, which is called as in the real run.
pub(crate) const ODOMETRY_TOPIC: &str = "/odom";
pub(crate) const BEACONS_TOPIC: &str = "/beacons";
pub(super) const STATIC_TRANSFORMS_TOPIC: &str = "/tf_static";

/// The edges of a twin that was fitted on one half.
pub(super) fn of_twin(run: &Run, calibration: Half) -> Vec<LineageEdge> {
    let mut edges = placed(run);
    edges.extend(fitted(run, calibration));
    for topic in &run.range_topics {
        // The instants of the readings and the place of the antenna.
        edges.push(edge(BEACONS_TOPIC, EdgeKind::Anchor, &whole(run, topic), |child| child));
    }
    for topic in &run.transform_topics {
        let parent = whole(run, topic);
        for child in [STATIC_TRANSFORMS_TOPIC, BEACONS_TOPIC, run.scan_topic.as_str()] {
            edges.push(edge(child, EdgeKind::Anchor, &parent, |child| child));
        }
    }
    edges.sort();
    edges.dedup();
    edges
}

/// Where the robot was: from the scans, the odometry and the ground truth of the same half, if there are both;
/// else from the whole run.
fn placed(run: &Run) -> Vec<LineageEdge> {
    let by_half = !run.truth.is_empty() && !run.odometry.is_empty();
    let middle = run.span().map(|span| span.middle()).filter(|_| by_half);
    let spans: Vec<fn(Excerpt, _) -> Excerpt> = match middle {
        None => vec![|excerpt, _| excerpt],
        Some(_) => {
            vec![|excerpt, middle| Excerpt { end_time_ns: middle, ..excerpt }, |excerpt, middle| {
                Excerpt { start_time_ns: middle, ..excerpt }
            }]
        }
    };
    let mut edges = Vec::new();
    for span in spans {
        for parent in poses_from(run) {
            let parent = span(whole(run, parent), middle);
            for child in sensors(run) {
                edges.push(edge(child, EdgeKind::Anchor, &parent, |child| span(child, middle)));
            }
        }
    }
    edges
}

/// Map and sensor models: from the calibration half. Beacons also from the ranges.
fn fitted(run: &Run, calibration: Half) -> Vec<LineageEdge> {
    let Some(span) = run.span() else { return Vec::new() };
    let of_half = |topic: &str| match calibration {
        Half::First => whole(run, topic).between(span.start, span.middle()),
        Half::Second => whole(run, topic).through(span.middle(), span.end),
    };
    let mut edges = Vec::new();
    for child in [run.scan_topic.as_str(), ODOMETRY_TOPIC, BEACONS_TOPIC] {
        let ranges = run.range_topics.iter().map(String::as_str).filter(|_| child == BEACONS_TOPIC);
        for parent in poses_from(run).chain(ranges) {
            edges.push(edge(child, EdgeKind::Calibration, &of_half(parent), |child| child));
        }
    }
    edges
}

/// The channels of the real run that say where the robot was.
fn poses_from(run: &Run) -> impl Iterator<Item = &str> {
    let truth = (!run.truth.is_empty()).then_some(GROUND_TRUTH_TOPIC);
    std::iter::once(run.scan_topic.as_str()).chain(run.odometry_topic.as_deref()).chain(truth)
}

/// The channels of the twin that depend on where the robot was.
fn sensors(run: &Run) -> [&str; 4] {
    [run.scan_topic.as_str(), ODOMETRY_TOPIC, GROUND_TRUTH_TOPIC, BEACONS_TOPIC]
}

fn whole(run: &Run, topic: &str) -> Excerpt {
    Excerpt::whole(run.recording.recording_id.to_string()).of_part(topic)
}

fn edge(
    child: &str,
    kind: EdgeKind,
    parent: &Excerpt,
    span: impl Fn(Excerpt) -> Excerpt,
) -> LineageEdge {
    let child = span(Excerpt::whole(String::new()).of_part(child));
    LineageEdge { child, kind, parent: parent.clone() }
}
