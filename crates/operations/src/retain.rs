//! `retain`: the ledger says from which position on the lake stays readable, so that a sweep may take what only earlier
//! positions reach.
//!
//! Invariant: it is an entry like any other, it is never taken back, and it removes nothing itself. The newest position
//! is always kept, so every recording and every original stays whole. Where nobody has said so, nothing is let go.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::json;
use tiepoint_ledger::{Entry, entry::RETAIN_VERB};
use tiepoint_model::{Span, Timestamp};
use tiepoint_store::tables::EMPTY_VERSION;

use crate::{
    Error, Platform,
    platform::{Commit, Committed, log::Wanted},
};

/// From where on a lake is to stay readable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retention {
    /// From this position of the ledger.
    From(u64),
    /// From the position that the ledger had so long ago.
    For(Span),
}

/// From where on a lake stays readable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RetainReport {
    /// The entry that says so; none if it was so before.
    pub entry_index: Option<u64>,
    /// The first position that can be read; 0 if all can.
    pub retain_from: u64,
}

/// Lets positions of the ledger go. The next sweep may remove what only they reach.
///
/// # Errors
/// [`Error::ReadOnly`], [`Error::NoSuchPosition`] beyond the ledger's end, [`Error::LetGo`] for a position that was let
/// go before, and those of the store.
pub async fn retain(platform: &mut Platform, retention: Retention) -> Result<RetainReport, Error> {
    platform.expect_writable()?;
    let (known, entry_count) = (platform.retain_from(), platform.log.state.entry_count());
    let retain_from = match retention {
        Retention::From(position) if position > entry_count => {
            return Err(Error::NoSuchPosition { position, entry_count });
        }
        Retention::From(position) if position < known => {
            return Err(Error::LetGo { position, retain_from: known });
        }
        Retention::From(position) => position,
        Retention::For(span) => {
            let then = Timestamp(platform.config.now.0.saturating_sub(span.0));
            position_at(platform, then).await?.max(known)
        }
    };
    if retain_from == known {
        return Ok(RetainReport { entry_index: None, retain_from });
    }
    let parameters = json!({ "retain_from": retain_from.to_string() });
    let commit =
        Commit { retain_from: Some(retain_from), parameters, ..Commit::empty(RETAIN_VERB) };
    let entry_index = match platform.commit(commit, |_| false).await? {
        Committed::Entry(receipt) => Some(receipt.index),
        Committed::AlreadyThere => None,
    };
    Ok(RetainReport { entry_index, retain_from: platform.retain_from() })
}

/// The first position that somebody may have found as the newest after this time.
pub(crate) async fn position_at(platform: &Platform, time: Timestamp) -> Result<u64, Error> {
    for firsts in platform.commits_from(0) {
        let commits = platform.read_commits(firsts, Wanted::Entries).await?;
        let mut entries = commits.iter().flatten().map(|line| &line.entry);
        if let Some(later) = entries.find(|entry| entry.time_ns > time) {
            return Ok(later.index);
        }
    }
    Ok(platform.log.state.entry_count())
}

/// The versions of tables that positions from one on reach, and the empty ones on which rows are written.
pub(crate) struct Reached {
    retain_from: u64,
    later: BTreeSet<(String, u64)>,
    at_first: BTreeMap<String, u64>,
}

impl Reached {
    /// None yet.
    pub(crate) fn from(retain_from: u64) -> Self {
        Self { retain_from, later: BTreeSet::new(), at_first: BTreeMap::new() }
    }

    /// Entries come in the order of the log.
    pub(crate) fn add(&mut self, entry: &Entry) {
        for (table, version) in &entry.tables {
            if entry.index >= self.retain_from || *version == EMPTY_VERSION {
                self.later.insert((table.clone(), *version));
            }
            if entry.index < self.retain_from {
                self.at_first.insert(table.clone(), *version);
            }
        }
    }

    /// By table and version.
    pub(crate) fn versions(self) -> BTreeSet<(String, u64)> {
        self.later.into_iter().chain(self.at_first).collect()
    }
}
