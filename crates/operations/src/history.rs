//! `log` and `trace`: what the ledger says was done, and how things came from each other.

use serde::Serialize;
use tiepoint_model::Timestamp;

use crate::{
    Error, Platform,
    platform::log::{Line, Wanted},
    recording,
};

/// One entry as people read it.
#[derive(Clone, Debug, Serialize)]
pub struct LogEntry {
    /// Position in the log.
    pub index: u64,
    /// When it was committed.
    pub time_ns: Timestamp,
    /// What was done.
    pub verb: String,
    /// Who; `(erased)` if the body is gone.
    pub actor: String,
    /// Ids of what was read.
    pub inputs: Vec<String>,
    /// Ids of what was made.
    pub outputs: Vec<String>,
}

/// The newest entries first, at most `limit`.
///
/// # Errors
/// Those of the store and the ledger, where the log or a body is damaged.
pub async fn log(platform: &Platform, limit: usize) -> Result<Vec<LogEntry>, Error> {
    let mut newest = Vec::new();
    for firsts in platform.commits_from(0).into_iter().rev() {
        if newest.len() >= limit {
            break;
        }
        let mut wanted = firsts.len();
        // A piece of the log is large, and a few entries are asked for.
        while wanted > 0 && newest.len() < limit {
            let begin = wanted.saturating_sub(limit - newest.len());
            let commits = platform.read_commits(&firsts[begin..wanted], Wanted::Bodies).await?;
            newest.extend(commits.into_iter().flatten().rev().map(shown));
            wanted = begin;
        }
    }
    newest.truncate(limit);
    Ok(newest)
}

fn shown(Line { entry, body, .. }: Line) -> LogEntry {
    let (actor, inputs, outputs) = match body {
        Some(body) => (body.actor, body.inputs, body.outputs),
        None => ("(erased)".to_owned(), Vec::new(), Vec::new()),
    };
    LogEntry {
        index: entry.index,
        time_ns: entry.time_ns,
        verb: entry.verb,
        actor,
        inputs,
        outputs,
    }
}

/// One thing in the lineage, and the entry that made it.
#[derive(Clone, Debug, Serialize)]
pub struct TraceNode {
    /// Its id, with its name if it has one.
    pub id: String,
    /// The first entry that names it.
    pub entry_index: u64,
    /// What was done there.
    pub verb: String,
}

/// The lineage of one thing, both ways.
#[derive(Clone, Debug, Serialize)]
pub struct TraceReport {
    /// Of what.
    pub id: String,
    /// Everything it comes from.
    pub ancestors: Vec<TraceNode>,
    /// Everything that was made from it.
    pub descendants: Vec<TraceNode>,
}

/// Where a thing comes from and what was made of it.
///
/// # Errors
/// [`Error::NotFound`] if the ledger names no such thing, [`Error::AmbiguousName`].
pub fn trace(platform: &Platform, name: &str) -> Result<TraceReport, Error> {
    let id = recording::id_in_ledger(platform, name)?;
    let lineage = platform.log.state.lineage()?;
    let nodes = |ids: Vec<&str>| ids.into_iter().map(|id| node(platform, id)).collect();
    Ok(TraceReport {
        ancestors: nodes(lineage.ancestors(&id)?),
        descendants: nodes(lineage.descendants(&id)?),
        id: titled(platform, &id),
    })
}

fn node(platform: &Platform, id: &str) -> TraceNode {
    let made = platform.log.state.entries_of_output(id).unwrap_or_default();
    let entry_index = made.first().copied().unwrap_or_default();
    let verb = platform.log.state.verb(entry_index).unwrap_or_default().to_owned();
    TraceNode { id: titled(platform, id), entry_index, verb }
}

/// `id (name)` where a body gives it a name.
fn titled(platform: &Platform, id: &str) -> String {
    let name = platform.log.state.name_of(id);
    name.map_or_else(|| id.to_owned(), |name| format!("{id} ({name})"))
}
