//! `compact`: tables of many small fragments become tables of few, with the same rows.
//!
//! Invariant: it is an entry like any other: whoever reads at an earlier position reads the old fragments.
//! A writer whose commit leaves a table crowded does the same to that table alone.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::json;
use tiepoint_store::{PendingRewrite, Thoroughness};

use crate::{
    Error, Platform,
    platform::{Commit, commit::Rewritten},
};

/// A compaction that others have made void this many times in a row gives up.
const PLANS_MAX: usize = 20;

/// One table, before and after.
#[derive(Clone, Debug, Serialize)]
pub struct CompactedTable {
    /// Its name.
    pub table: String,
    /// Fragments that were replaced.
    pub replaced_fragments: usize,
    /// Fragments that they became.
    pub made_fragments: usize,
    /// Rows in them.
    pub rows: u64,
}

/// What a compaction did.
#[derive(Clone, Debug, Serialize)]
pub struct CompactReport {
    /// The entry; none if there was nothing to gain.
    pub entry_index: Option<u64>,
    /// By name.
    pub tables: Vec<CompactedTable>,
}

/// Compacts every table as far as it goes.
///
/// # Errors
/// [`Error::ReadOnly`], [`Error::Contended`], and those of the store.
pub async fn compact(platform: &mut Platform) -> Result<CompactReport, Error> {
    platform.expect_writable()?;
    for _ in 0..PLANS_MAX {
        let versions = platform.head().versions;
        let rewrites = planned(platform, &versions, Thoroughness::Full).await?;
        if rewrites.is_empty() {
            return Ok(CompactReport { entry_index: None, tables: Vec::new() });
        }
        let tables: Vec<CompactedTable> = rewrites.iter().map(described).collect();
        if let Rewritten::Entry(index) = platform.commit_rewrites(&commit_of(rewrites)).await? {
            return Ok(CompactReport { entry_index: Some(index), tables });
        }
    }
    Err(Error::Contended { races: PLANS_MAX })
}

/// Compacts those of the given versions that are crowded. Others may be at it too: then the tables are left to them.
pub(crate) async fn crowded(
    platform: &mut Platform,
    versions: &BTreeMap<String, u64>,
) -> Result<(), Error> {
    let mut crowded = BTreeMap::new();
    for (table, version) in versions {
        if platform.store.tables.is_crowded(table, *version).await? {
            crowded.insert(table.clone(), *version);
        }
    }
    let rewrites = planned(platform, &crowded, Thoroughness::Small).await?;
    if !rewrites.is_empty() {
        platform.commit_rewrites(&commit_of(rewrites)).await?;
    }
    Ok(())
}

async fn planned(
    platform: &Platform,
    versions: &BTreeMap<String, u64>,
    thoroughness: Thoroughness,
) -> Result<Vec<PendingRewrite>, Error> {
    let mut rewrites = Vec::new();
    for (table, version) in versions {
        rewrites.extend(platform.store.tables.rewrite(table, *version, thoroughness).await?);
    }
    Ok(rewrites)
}

fn commit_of(rewrites: Vec<PendingRewrite>) -> Commit {
    let tables: Vec<CompactedTable> = rewrites.iter().map(described).collect();
    let parameters = json!({ "tables": tables });
    Commit { rewrites, parameters, ..Commit::empty("compact") }
}

fn described(rewrite: &PendingRewrite) -> CompactedTable {
    CompactedTable {
        table: rewrite.table().to_owned(),
        replaced_fragments: rewrite.replaced_count(),
        made_fragments: rewrite.made_count(),
        rows: rewrite.row_count(),
    }
}
