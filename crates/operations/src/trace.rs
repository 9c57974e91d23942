//! `trace`: where a thing, or single rows of it, come from, and what was made of them.
//!
//! Invariant: an edge between rows counts where there is one; else the ledger's entry, from whole thing to whole thing.
//! So the answer is never finer than what was written down, and never silent about what was not: an entry whose body was
//! erased is named, and what the table `derivations` says of its thing is still told.
//! Times are measured times (`sensor_time_ns`, or `log_time_ns` where that is null), nanoseconds, ends excluded.

use std::collections::{BTreeMap, BTreeSet};

use arrow::{array::AsArray as _, datatypes::Int64Type};
use serde::Serialize;
use tiepoint_ledger::{
    ExcerptEdges, ExcerptGraph,
    excerpts::{Place, Reach},
};
use tiepoint_model::{EdgeKind, Excerpt, Recording, Span, Timestamp};

use crate::{Error, Platform, derivations, ingest::GROUND_TRUTH_TOPIC, recording};

/// Some rows in a lineage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TraceExcerpt {
    /// Channel, or unit of a verdict; none for all of the thing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
    /// First instant; none for everything from the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_time_ns: Option<Timestamp>,
    /// One past the last instant; none for everything to the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_time_ns: Option<Timestamp>,
    /// By which edges they were come to.
    pub kinds: Vec<EdgeKind>,
}

/// One thing in the lineage, and the entry that made it.
#[derive(Clone, Debug, Serialize)]
pub struct TraceNode {
    /// Its id, with its name if it has one.
    pub id: String,
    /// The first entry that made it; none for what was read and never made here.
    pub entry_index: Option<u64>,
    /// What was done there.
    pub verb: String,
    /// Which rows of it. Spans of one part that overlap or touch and came by the same edges are one.
    pub excerpts: Vec<TraceExcerpt>,
}

/// The lineage of one thing, or of rows of it, both ways.
#[derive(Clone, Debug, Serialize)]
pub struct TraceReport {
    /// Of what, with its name if it has one.
    pub id: String,
    /// Of which rows.
    #[serde(flatten)]
    pub rows: TraceRows,
    /// Everything it comes from.
    pub ancestors: Vec<TraceNode>,
    /// Everything that was made from it.
    pub descendants: Vec<TraceNode>,
    /// Entries whose bodies were erased: what they read is told only where `derivations` has it.
    pub erased_entries: Vec<u64>,
}

/// Which rows are traced.
#[derive(Clone, Debug, Serialize)]
pub struct TraceRows {
    /// Channel, or unit of a verdict.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
    /// The instant, if one was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_ns: Option<Timestamp>,
}

/// Where a thing comes from and what was made of it.
///
/// The subject is an id or a name; or `RECORDING/TOPIC`, `RECORDING/TOPIC@TIME` in nanoseconds of measured time, or
/// `RECORDING/TOPIC#ROW` by the row's `sequence`; or `VERDICT/DIRECTION/UNIT`. The slash that a topic begins with is the
/// one behind the recording.
///
/// # Errors
/// [`Error::NotFound`] if neither the ledger nor the lake names it, [`Error::AmbiguousName`], [`Error::BadPlace`].
pub async fn trace(platform: &Platform, subject: &str) -> Result<TraceReport, Error> {
    let recordings = recording::all(platform).await?;
    // The name of a registered file may have slashes of its own.
    let found = recording::id_in_ledger(platform, subject);
    let is_whole = !matches!(found, Err(Error::NotFound { .. }));
    let (name, rest) = match subject.split_once('/') {
        Some((name, rest)) if !is_whole => (name, Some(rest)),
        _ => (subject, None),
    };
    let graph = graph(platform, &recordings, rest.is_none()).await?;
    let id = resolve(platform, &recordings, &graph, name)?;
    let mut excerpt = Excerpt::whole(&id);
    let mut time_ns = None;
    if let Some(rest) = rest {
        let found = recordings.iter().find(|recording| recording.recording_id.0 == id);
        let (part, at) = match found {
            Some(recording) => channel_and_place(recording, rest, subject)?,
            None => (known_part(&graph, &id, rest)?, None),
        };
        time_ns = match (at, found) {
            (Some((b'#', row)), Some(recording)) => {
                Some(measured_time(platform, recording, &part, row, subject).await?)
            }
            (at, _) => at.map(|(_, time)| Timestamp(time)),
        };
        excerpt = excerpt.of_part(part);
        if let Some(time) = time_ns {
            excerpt = excerpt.between(time, time.plus(Span(1)));
        }
    }
    let titles = titles(&recordings);
    Ok(TraceReport {
        ancestors: nodes(platform, &titles, &graph.ancestors((&excerpt).into())),
        descendants: nodes(platform, &titles, &graph.descendants((&excerpt).into())),
        id: titled(platform, &titles, &id),
        rows: TraceRows { part: excerpt.part, time_ns },
        erased_entries: platform.log.state.entries_without_body().to_vec(),
    })
}

/// Every edge: between rows, from originals to channels, and between whole things where there is nothing finer.
///
/// A claim names recordings and is made from no row of them, so it is a step only between whole things.
async fn graph(
    platform: &Platform,
    recordings: &[Recording],
    with_claims: bool,
) -> Result<ExcerptGraph, Error> {
    let mut edges = ExcerptEdges::default();
    let mut known: BTreeSet<(String, String)> = BTreeSet::new();
    for edge in derivations::all(platform).await? {
        edges.add((&edge.child).into(), edge.kind, (&edge.parent).into())?;
        known.insert((edge.child.id, edge.parent.id));
    }
    for recording in recordings {
        for (topic, original) in decoded_from(recording) {
            let child = Place { part: Some(topic), ..whole(&recording.recording_id.0) };
            edges.add(child, EdgeKind::Decoding, whole(&original))?;
        }
    }
    for (entry, inputs, outputs) in platform.log.state.steps() {
        if !with_claims && verb_of(platform, entry) == "claim" {
            continue;
        }
        for output in &outputs {
            for input in &inputs {
                if !known.contains(&((*output).to_owned(), (*input).to_owned())) {
                    edges.add(whole(output), EdgeKind::Entry, whole(input))?;
                }
            }
        }
    }
    Ok(edges.build())
}

/// What the entry did.
fn verb_of(platform: &Platform, entry: u64) -> &str {
    platform.log.state.verb(entry).unwrap_or_default()
}

/// A part of something that is no recording: edges name it, or it is none.
fn known_part(graph: &ExcerptGraph, id: &str, part: &str) -> Result<String, Error> {
    let parts = graph.parts(id);
    if parts.contains(&part) {
        return Ok(part.to_owned());
    }
    let known = parts.iter().map(|part| format!("{id}/{part}")).collect();
    Err(Error::NotFound { name: format!("{id}/{part}"), known })
}

fn whole(id: &str) -> Place<'_> {
    Place { id, part: None, start_ns: None, end_ns: None }
}

/// Each channel with the originals it was read from: an attached ground truth is the last, the log is the others.
fn decoded_from(recording: &Recording) -> impl Iterator<Item = (&str, String)> {
    let is_attached = |channel: &tiepoint_model::Channel| {
        channel.topic == GROUND_TRUTH_TOPIC && channel.encoding == "text"
    };
    let count = recording.originals.len();
    let has_attached = count > 1 && recording.channels.iter().any(is_attached);
    recording.channels.iter().flat_map(move |channel| {
        let range = match (has_attached, is_attached(channel)) {
            (false, _) => 0..count,
            (true, false) => 0..count - 1,
            (true, true) => count - 1..count,
        };
        let originals = recording.originals[range].iter();
        originals.map(|digest| (channel.topic.as_str(), digest.to_string()))
    })
}

/// The id of a thing from its id or name; things that only erased bodies named are found by their traces.
fn resolve(
    platform: &Platform,
    recordings: &[Recording],
    graph: &ExcerptGraph,
    name: &str,
) -> Result<String, Error> {
    if graph.knows(name) || platform.log.state.root(name).is_some() {
        return Ok(name.to_owned());
    }
    match recording::id_in_ledger(platform, name) {
        Err(Error::NotFound { name, known }) => {
            let named = recordings.iter().filter(|recording| recording.name == name);
            let mut ids: Vec<String> = named.map(|r| r.recording_id.to_string()).collect();
            match (ids.pop(), ids.is_empty()) {
                (Some(id), true) => Ok(id),
                (Some(id), false) => {
                    ids.push(id);
                    Err(Error::AmbiguousName { name, ids })
                }
                (None, _) => Err(Error::NotFound { name, known }),
            }
        }
        found => found,
    }
}

/// The channel that is meant, and what stands behind `@` or `#`.
fn channel_and_place(
    recording: &Recording,
    rest: &str,
    subject: &str,
) -> Result<(String, Option<(u8, i64)>), Error> {
    let topic = |name: &str| {
        let has = |topic: &str| recording.channels.iter().any(|channel| channel.topic == topic);
        let rooted = format!("/{name}");
        if has(name) { Some(name.to_owned()) } else { has(&rooted).then_some(rooted) }
    };
    if let Some(topic) = topic(rest) {
        return Ok((topic, None));
    }
    let refuse = |problem| Error::BadPlace { subject: subject.to_owned(), problem };
    if let Some(at) = rest.rfind(['@', '#'])
        && let Some(topic) = topic(&rest[..at])
    {
        let number = rest[at + 1..].parse();
        let number = number.map_err(|_| refuse("no whole number stands behind `@` or `#`"))?;
        return Ok((topic, Some((rest.as_bytes()[at], number))));
    }
    let known = recording.channels.iter();
    let known = known.map(|channel| format!("{}{}", recording.name, slashed(&channel.topic)));
    Err(Error::NotFound { name: subject.to_owned(), known: known.collect() })
}

/// A topic as it stands behind a recording's name.
fn slashed(topic: &str) -> String {
    if topic.starts_with('/') { topic.to_owned() } else { format!("/{topic}") }
}

/// When the row of that `sequence` was measured.
async fn measured_time(
    platform: &Platform,
    recording: &Recording,
    topic: &str,
    row: i64,
    subject: &str,
) -> Result<Timestamp, Error> {
    let channel = recording.channels.iter().find(|channel| channel.topic == topic);
    let table = channel.map_or("", |channel| channel.table.as_str());
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let sql = format!(
        "SELECT coalesce(sensor_time_ns, log_time_ns) AS time_ns FROM {table} \
         WHERE recording_id = {} AND topic = {} AND sequence = {row}",
        quoted(&recording.recording_id.0),
        quoted(topic),
    );
    let refuse = || Error::BadPlace {
        subject: subject.to_owned(),
        problem: "the channel has no row of that `sequence`",
    };
    if row < 0 {
        return Err(refuse());
    }
    let (_, batches) = platform.store.query(&platform.head(), &sql).await?;
    let times = batches.iter().filter_map(|batch| batch.column(0).as_primitive_opt::<Int64Type>());
    let first = times.flat_map(|times| times.values().iter()).next();
    first.map(|time| Timestamp(*time)).ok_or_else(refuse)
}

/// What was reached, thing by thing, in the order of their ids; spans that touch are joined.
fn nodes(
    platform: &Platform,
    titles: &BTreeMap<String, String>,
    reached: &Reach<'_>,
) -> Vec<TraceNode> {
    let mut by_id: BTreeMap<&str, Vec<TraceExcerpt>> = BTreeMap::new();
    for one in reached.iter() {
        by_id.entry(one.place.id).or_default().push(TraceExcerpt {
            part: one.place.part.map(ToOwned::to_owned),
            start_time_ns: one.place.start_ns.map(Timestamp),
            end_time_ns: one.place.end_ns.map(Timestamp),
            kinds: one.kinds().collect(),
        });
    }
    let state = &platform.log.state;
    let node = |(id, excerpts): (&str, Vec<TraceExcerpt>)| {
        let made = state.entries_of_output(id).unwrap_or_default().first().copied();
        let made = made.or_else(|| state.entry_of_root(id));
        let made = made.or_else(|| state.entry_of_root(&derivations::root_name(id)));
        let entry_index = made.or_else(|| state.entry_of_blob(&id.parse().ok()?));
        TraceNode {
            id: titled(platform, titles, id),
            entry_index,
            verb: entry_index.map_or("", |entry| verb_of(platform, entry)).to_owned(),
            excerpts: joined(excerpts),
        }
    };
    by_id.into_iter().map(node).collect()
}

/// Spans of one part that came by the same edges and overlap or touch become one.
fn joined(mut excerpts: Vec<TraceExcerpt>) -> Vec<TraceExcerpt> {
    excerpts.sort_by(|a, b| {
        (&a.part, &a.kinds, a.start_time_ns).cmp(&(&b.part, &b.kinds, b.start_time_ns))
    });
    let mut joined: Vec<TraceExcerpt> = Vec::new();
    for next in excerpts {
        match joined.last_mut() {
            Some(last)
                if (&last.part, &last.kinds) == (&next.part, &next.kinds)
                    && last.end_time_ns.is_none_or(|end| next.start_time_ns <= Some(end)) =>
            {
                last.end_time_ns = match (last.end_time_ns, next.end_time_ns) {
                    (Some(one), Some(other)) => Some(one.max(other)),
                    _ => None,
                };
            }
            _ => joined.push(next),
        }
    }
    joined
}

/// Names by id that the catalogue knows: of recordings, and of originals as they were called.
fn titles(recordings: &[Recording]) -> BTreeMap<String, String> {
    let mut titles = BTreeMap::new();
    for recording in recordings {
        titles.insert(recording.recording_id.to_string(), recording.name.clone());
        for (digest, name) in recording.originals.iter().zip(&recording.original_names) {
            titles.insert(digest.to_string(), name.clone());
        }
    }
    titles
}

/// `id (name)` where the catalogue or a body that is left gives it a name.
fn titled(platform: &Platform, titles: &BTreeMap<String, String>, id: &str) -> String {
    let name = titles.get(id).map(String::as_str).or_else(|| platform.log.state.name_of(id));
    name.map_or_else(|| id.to_owned(), |name| format!("{id} ({name})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn excerpt(part: &str, start: Option<i64>, end: Option<i64>, kind: EdgeKind) -> TraceExcerpt {
        TraceExcerpt {
            part: Some(part.to_owned()),
            start_time_ns: start.map(Timestamp),
            end_time_ns: end.map(Timestamp),
            kinds: vec![kind],
        }
    }

    /// Joining shows every instant that was reached, by the same edges, and no other.
    #[test]
    fn spans_that_touch_are_one_and_others_stay_apart() {
        use EdgeKind::{Anchor, Context};
        let given = vec![
            excerpt("/a", Some(5), Some(9), Anchor),
            excerpt("/a", Some(0), Some(5), Anchor),
            excerpt("/a", Some(10), None, Anchor),
            excerpt("/a", Some(20), Some(30), Anchor),
            excerpt("/a", Some(0), Some(3), Context),
            excerpt("/b", None, Some(3), Anchor),
            excerpt("/b", Some(2), Some(4), Anchor),
        ];
        let expected = vec![
            excerpt("/a", Some(0), Some(9), Anchor),
            excerpt("/a", Some(10), None, Anchor),
            excerpt("/a", Some(0), Some(3), Context),
            excerpt("/b", None, Some(4), Anchor),
        ];
        assert_eq!(joined(given), expected);
    }
}
