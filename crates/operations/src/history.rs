//! `log` and `trace`: what the ledger says was done, and how things came from each other.

use serde::Serialize;
use tiepoint_model::Timestamp;

use crate::{Error, Platform, recording};

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
/// None yet; the log was read when the lake was opened.
pub fn log(platform: &Platform, limit: usize) -> Result<Vec<LogEntry>, Error> {
    let log = &platform.log;
    let newest = log.entries.iter().zip(&log.bodies).rev().take(limit);
    Ok(newest
        .map(|(entry, body)| {
            let of_body = |read: fn(&tiepoint_ledger::Body) -> &Vec<String>| {
                body.as_ref().map(read).cloned().unwrap_or_default()
            };
            LogEntry {
                index: entry.index,
                time_ns: entry.time_ns,
                verb: entry.verb.clone(),
                actor: body.as_ref().map_or("(erased)", |body| &body.actor).to_owned(),
                inputs: of_body(|body| &body.inputs),
                outputs: of_body(|body| &body.outputs),
            }
        })
        .collect())
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
    let index = usize::try_from(entry_index).unwrap_or(usize::MAX);
    let verb = platform.log.entries.get(index).map(|entry| entry.verb.clone());
    TraceNode { id: titled(platform, id), entry_index, verb: verb.unwrap_or_default() }
}

/// `id (name)` where a body gives it a name.
fn titled(platform: &Platform, id: &str) -> String {
    let name = platform.log.bodies.iter().flatten().find_map(|body| body.names.get(id));
    name.map_or_else(|| id.to_owned(), |name| format!("{id} ({name})"))
}
