//! `log`: what the ledger says was done.

use serde::Serialize;
use tiepoint_model::Timestamp;

use crate::{
    Error, Platform,
    platform::log::{Line, Wanted},
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
