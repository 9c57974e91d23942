//! `sweep`: what was written and never named goes, when it is old enough that nobody can be about to name it.
//!
//! Invariant: whatever any position of the ledger reaches stays: manifests, fragments, deletion files, indexes, blobs,
//! bodies, lists of digests. A version that cannot be read stops the sweep: what it needs is not known.
//! A sweep changes nothing that the ledger says, so it is no entry, and one cut short is simply run again.

use std::collections::BTreeSet;

use serde::Serialize;
use tiepoint_ledger::{Entry, bodies_path};
use tiepoint_model::{Span, Timestamp};
use tiepoint_store::{AgedFile, Sharing, blobs::blob_key};

use crate::{
    Error, Platform,
    files::{FILES_ROOT, list_key},
    platform::{
        log::{Line, Wanted},
        saved::SAVED_FOLDER,
    },
};

/// Younger files may belong to something that is still being written.
const KEPT_SPAN: Span = Span(24 * 3600 * 1_000_000_000);

/// Where things are written before they are named. Nothing else in a lake is ever swept.
const FOLDERS: [&str; 6] = ["blobs", "bodies", "files", SAVED_FOLDER, "tables", "tmp"];

/// Files removed while commits wait.
const FILES_AT_ONCE: usize = 256;

/// One file that nothing names.
#[derive(Clone, Debug, Serialize)]
pub struct SweptFile {
    /// Its path below the lake.
    pub key: String,
    /// Its length.
    pub size_bytes: u64,
}

/// What a sweep found.
#[derive(Clone, Debug, Serialize)]
pub struct SweepReport {
    /// True if nothing was to be removed.
    pub dry_run: bool,
    /// What was removed, or would be.
    pub swept: Vec<SweptFile>,
    /// Bytes in them.
    pub swept_bytes: u64,
    /// Files that nothing names and that are too young.
    pub young_count: usize,
    /// Bytes in them.
    pub young_bytes: u64,
}

/// Removes what no position of the ledger reaches and is older than a day.
///
/// # Errors
/// [`Error::ReadOnly`]; those of the store, a version that cannot be read among them: then nothing is removed.
pub async fn sweep(platform: &mut Platform, dry_run: bool) -> Result<SweepReport, Error> {
    platform.expect_writable()?;
    let mut named = Named::default();
    named.learn(platform).await?;
    let newest = Timestamp(platform.config.now.0.saturating_sub(KEPT_SPAN.0));
    let mut unnamed = Vec::new();
    for folder in FOLDERS {
        unnamed.extend(platform.store.objects.list_aged(folder).await?);
    }
    unnamed.retain(|file| !named.keys.contains(&file.key));
    let (old, young): (Vec<AgedFile>, Vec<AgedFile>) =
        unnamed.into_iter().partition(|file| file.modified < newest);
    let swept = match dry_run {
        true => old,
        false => remove(platform, &mut named, old).await?,
    };
    Ok(SweepReport {
        dry_run,
        swept_bytes: swept.iter().map(|file| file.size_bytes).sum(),
        swept: swept
            .into_iter()
            .map(|AgedFile { key, size_bytes, .. }| SweptFile { key, size_bytes })
            .collect(),
        young_count: young.len(),
        young_bytes: young.iter().map(|file| file.size_bytes).sum(),
    })
}

/// Removes files in batches; before each, what has been committed meanwhile is looked at again.
async fn remove(
    platform: &mut Platform,
    named: &mut Named,
    old: Vec<AgedFile>,
) -> Result<Vec<AgedFile>, Error> {
    let mut removed = Vec::new();
    for batch in old.chunks(FILES_AT_ONCE) {
        let lock = platform.store.objects.lock_commits(Sharing::Nobody).await?;
        platform.reload().await?;
        named.learn(platform).await?;
        let batch = batch.iter().filter(|file| !named.keys.contains(&file.key)).cloned().collect();
        removed.extend(platform.store.objects.remove_unnamed(&lock, batch).await?);
    }
    Ok(removed)
}

/// The keys that the commits read so far reach, and the projection that is known to be good.
#[derive(Default)]
struct Named {
    keys: BTreeSet<String>,
    commit_count: usize,
}

impl Named {
    /// Adds what commits that are new since the last time reach.
    async fn learn(&mut self, platform: &Platform) -> Result<(), Error> {
        self.keys.extend(platform.good_saved_key());
        for firsts in platform.commits_from(self.commit_count) {
            for lines in platform.read_commits(firsts, Wanted::Entries).await? {
                let first = lines.first().map(|line| line.entry.body_commitment);
                self.keys.extend(first.map(|first| bodies_path(&first, lines.len())));
                for Line { entry, .. } in &lines {
                    self.add(platform, entry).await?;
                }
            }
        }
        self.commit_count = platform.log.commits.len();
        Ok(())
    }

    async fn add(&mut self, platform: &Platform, entry: &Entry) -> Result<(), Error> {
        self.keys.extend(entry.blobs.iter().map(blob_key));
        self.keys.extend(entry.roots.get(FILES_ROOT).map(list_key));
        for (table, version) in &entry.tables {
            let files = platform.store.tables.files_of_version(table, *version).await?;
            self.keys.extend(files.into_iter().map(|file| file.key));
        }
        Ok(())
    }
}
