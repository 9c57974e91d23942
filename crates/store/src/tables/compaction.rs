//! Compaction: many small fragments of a version become few, in another detached version with the same rows.
//!
//! Invariant: a rewrite is committed only on a version that has every fragment it replaces, unchanged; rows that others
//! appended meanwhile stay, and rows that others deleted do not come back. Elsewhere it must be planned again.
//! Fragments have classes of size, and one is merged only with those of its class and smaller, when that saves many of
//! them. What becomes of them is of the next class, so that a row is rewritten once for each class and not once for each
//! 64 commits.
//!
//! Not here: tables with an index (they are left as they are), and the old fragments, which earlier versions need.

use std::path::PathBuf;

use lance::{
    Dataset,
    dataset::{
        CommitBuilder,
        optimize::{CompactionOptions, plan_compaction},
        transaction::{Operation, RewriteGroup, Transaction},
    },
    index::DatasetIndexExt,
};
use lance_table::format::Fragment;

use super::{FRAGMENT_BYTES_MAX, Tables, key_of, named_files, table_error};
use crate::StoreError;

/// A version of which so many fragments can be saved is compacted by the writer that notices.
///
/// A manifest names every fragment, about 140 bytes each, and every commit writes one for each table; a merge writes
/// rows again. With `B` here, a row of `r` bytes in a commit and `N` commits, both cost about
/// `(70 B + r) ln N / ln B` a commit: for rows of 3 to 100 KB the best `B` lies between 16 and 256, and 64 is within a
/// fifth of it everywhere.
pub const FRAGMENT_COUNT_MAX: usize = 64;

/// Where classes of size end. Each holds about 64 of the class before it.
const CLASS_ENDS_BYTES: [u64; 3] = [64 << 10, 4 << 20, FRAGMENT_BYTES_MAX as u64 / 2];

/// Rows are read so many bytes at a time: rows of clouds and images are large.
const READ_BYTES: u64 = 8 << 20;
const READ_ROWS_MAX: u64 = 8192;

/// How far a compaction goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thoroughness {
    /// Only fragments of the smallest class of which many can be saved.
    Small,
    /// Every fragment that is not full.
    Full,
}

/// Fragments written anew, synced, and part of no version yet.
#[derive(Clone, Debug)]
pub struct PendingRewrite {
    table: String,
    transaction: Transaction,
    data_files: Vec<PathBuf>,
    /// What it does to the number of fragments: those it replaces, those it makes.
    fragment_counts: (usize, usize),
    row_count: u64,
}

impl PendingRewrite {
    /// The table it compacts.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.table
    }

    /// How many fragments it replaces.
    #[must_use]
    pub fn replaced_count(&self) -> usize {
        self.fragment_counts.0
    }

    /// How many fragments it makes of them.
    #[must_use]
    pub fn made_count(&self) -> usize {
        self.fragment_counts.1
    }

    /// How many rows are in them.
    #[must_use]
    pub fn row_count(&self) -> u64 {
        self.row_count
    }

    /// The files it made.
    pub(super) fn data_files(&self) -> &[PathBuf] {
        &self.data_files
    }
}

impl Tables {
    /// Whether a version has so many fragments that the next writer must compact it.
    ///
    /// # Errors
    /// [`StoreError::VersionMissing`], [`StoreError::Table`].
    pub async fn is_crowded(&self, table: &str, version: u64) -> Result<bool, StoreError> {
        let dataset = self.writer(table, version).await?;
        Ok(crowded_class_bytes(&sizes_of(&dataset)).is_some())
    }

    /// Writes fewer fragments with the rows of many, without making them part of any version; `None` if there is nothing
    /// to gain.
    ///
    /// # Errors
    /// [`StoreError::VersionMissing`], [`StoreError::RowsLost`], [`StoreError::Table`], [`StoreError::Io`],
    /// [`StoreError::DiskFull`].
    pub async fn rewrite(
        &self,
        table: &str,
        version: u64,
        thoroughness: Thoroughness,
    ) -> Result<Option<PendingRewrite>, StoreError> {
        let dataset = self.writer(table, version).await?;
        let failed = || table_error("compact", table);
        if !dataset.load_indices().await.map_err(failed())?.is_empty() {
            return Ok(None);
        }
        let end_bytes = match thoroughness {
            Thoroughness::Full => Some(CLASS_ENDS_BYTES[2]),
            Thoroughness::Small => crowded_class_bytes(&sizes_of(&dataset)),
        };
        let Some(end_bytes) = end_bytes else { return Ok(None) };
        let options = options_for(&dataset, end_bytes);
        let plan = plan_compaction(&dataset, &options).await.map_err(failed())?;
        let mut groups = Vec::new();
        for task in plan.compaction_tasks() {
            let done = task.execute(&dataset).await.map_err(failed())?;
            let (old_fragments, new_fragments) = (done.original_fragments, done.new_fragments);
            groups.push(RewriteGroup { old_fragments, new_fragments });
        }
        if groups.is_empty() {
            return Ok(None);
        }
        let old = || groups.iter().flat_map(|group| &group.old_fragments);
        let new = || groups.iter().flat_map(|group| &group.new_fragments);
        let (before, row_count) = (rows_of(old()), rows_of(new()));
        if before != row_count {
            return Err(StoreError::RowsLost { table: table.to_owned(), before, after: row_count });
        }
        let folder = self.folder_of(table)?.join("data");
        let data_files: Vec<PathBuf> =
            new().flat_map(|fragment| &fragment.files).map(|f| folder.join(&f.path)).collect();
        let fragment_counts = (old().count(), new().count());
        self.sync_written(&data_files).await?;
        let (rewritten_indices, frag_reuse_index) = (Vec::new(), None);
        let operation = Operation::Rewrite { groups, rewritten_indices, frag_reuse_index };
        let transaction = Transaction::new(version, operation, None);
        let table = table.to_owned();
        Ok(Some(PendingRewrite { table, transaction, data_files, fragment_counts, row_count }))
    }

    /// Makes a detached version: version `at` with its small fragments replaced; `None` if `at` has not all of them as
    /// they were, so that the rewrite must be planned again.
    ///
    /// # Errors
    /// [`StoreError::Swept`], [`StoreError::VersionMissing`], [`StoreError::Table`], [`StoreError::Io`].
    pub async fn commit_rewrite(
        &self,
        pending: &PendingRewrite,
        at: u64,
    ) -> Result<Option<u64>, StoreError> {
        let table = pending.table.as_str();
        self.expect_data_files(table, &pending.data_files).await?;
        let dataset = self.writer(table, at).await?;
        if !holds(&dataset, &pending.transaction) {
            return Ok(None);
        }
        let committed = CommitBuilder::new(dataset)
            .with_detached(true)
            .with_skip_auto_cleanup(true)
            .execute(pending.transaction.clone())
            .await
            .map_err(table_error("commit a compaction of", table))?;
        self.adopt(table, committed).await.map(Some)
    }

    /// Syncs the files of a version just committed, and keeps it for the next writer.
    pub(super) async fn adopt(&self, table: &str, made: Dataset) -> Result<u64, StoreError> {
        let folder = self.folder_of(table)?;
        let names: Vec<PathBuf> = named_files(&made).iter().map(|name| folder.join(name)).collect();
        self.sync_written(&names).await?;
        let version = made.version_id();
        self.writers().insert((table.to_owned(), false), std::sync::Arc::new(made));
        Ok(version)
    }

    /// The data files of something pending are still there.
    pub(super) async fn expect_data_files(
        &self,
        table: &str,
        data_files: &[PathBuf],
    ) -> Result<(), StoreError> {
        for path in data_files {
            let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
            if !self.inner.objects.exists(&format!("{}/data/{name}", key_of(table))).await? {
                return Err(StoreError::Swept { path: path.clone() });
            }
        }
        Ok(())
    }
}

/// Where the smallest class ends of which so many fragments can be saved that a writer must; `None` if of none.
///
/// `sizes_bytes` are the fragments of a version in their order: only neighbours become one.
#[must_use]
pub fn crowded_class_bytes(sizes_bytes: &[u64]) -> Option<u64> {
    let mut start = 0;
    CLASS_ENDS_BYTES.into_iter().find(|&end| {
        let is_of_class = |size: &&u64| **size >= start;
        let runs = sizes_bytes.chunk_by(|a, b| (*a < end) == (*b < end)).filter(|run| run[0] < end);
        let of_class = runs.map(|run| run.iter().filter(is_of_class).count());
        let saved: usize = of_class.map(|count| count.saturating_sub(1)).sum();
        start = end;
        saved >= FRAGMENT_COUNT_MAX
    })
}

fn sizes_of(dataset: &Dataset) -> Vec<u64> {
    dataset.iter_fragments().map(bytes_of).collect()
}

fn options_for(dataset: &Dataset, end_bytes: u64) -> CompactionOptions {
    let row_count = rows_of(dataset.iter_fragments());
    let settled = dataset.iter_fragments().filter(|fragment| bytes_of(fragment) >= end_bytes);
    let size_bytes: u64 = dataset.iter_fragments().map(bytes_of).sum();
    let row_bytes = (size_bytes / row_count.max(1)).max(1);
    let rows_at_once = (READ_BYTES / row_bytes).clamp(1, READ_ROWS_MAX);
    CompactionOptions {
        // One fragment of each run; it is split by its bytes alone.
        target_rows_per_fragment: usize::MAX >> 1,
        max_bytes_per_file: Some(FRAGMENT_BYTES_MAX),
        batch_size: usize::try_from(rows_at_once).ok(),
        excluded_fragment_ids: settled.filter_map(|f| u32::try_from(f.id).ok()).collect(),
        ..CompactionOptions::default()
    }
}

/// Whether a version has every fragment that a rewrite replaces, with the same files and the same deletions.
fn holds(dataset: &Dataset, rewrite: &Transaction) -> bool {
    let Operation::Rewrite { groups, .. } = &rewrite.operation else { return false };
    let mut replaced = groups.iter().flat_map(|group| &group.old_fragments);
    replaced.all(|old| dataset.iter_fragments().any(|fragment| fragment == old))
}

fn rows_of<'a>(fragments: impl Iterator<Item = &'a Fragment>) -> u64 {
    fragments.map(|fragment| fragment.num_rows().unwrap_or_default() as u64).sum()
}

fn bytes_of(fragment: &Fragment) -> u64 {
    let sizes = fragment.files.iter().filter_map(|file| file.file_size_bytes.get());
    sizes.map(std::num::NonZeroU64::get).sum()
}
