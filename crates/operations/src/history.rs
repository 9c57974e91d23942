//! `log`: what the ledger says was done.

use serde::Serialize;
use tiepoint_model::Timestamp;

use crate::{Error, Platform};

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
