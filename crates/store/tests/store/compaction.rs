//! Laws of compaction: which fragments become one, and on which versions a rewrite may be committed.

use tiepoint_model::Seed;
use tiepoint_store::{
    PendingAppend, Store, Thoroughness,
    tables::compaction::{FRAGMENT_COUNT_MAX, crowded_class_bytes},
};

use crate::rows::{assert_same_rows, filled, head_of, joined, lake, rows, schema};

/// One version with so many more fragments of two rows each.
async fn crowd(store: &Store, at: u64, count: usize) -> u64 {
    let mut pending: Option<PendingAppend> = None;
    for _ in 0..count {
        let batch = rows("rec-c", "/scan", 0, 2);
        let more = store.tables.write_batches("scans", at, vec![batch]).await.unwrap();
        pending = Some(match pending {
            None => more,
            Some(pending) => pending.and(more).unwrap(),
        });
    }
    store.tables.commit(&pending.unwrap(), at).await.unwrap()
}

#[tokio::test]
async fn a_compacted_version_has_the_same_rows_in_one_fragment() {
    let lake = lake();
    let tables = &lake.store.tables;
    let batches = [0, 300, 500].map(|from| rows("rec-a", "/scan", from, from + 200));
    let version = filled(&lake.store, &batches).await;
    let pending = tables.rewrite("scans", version, Thoroughness::Full).await.unwrap().unwrap();
    assert_eq!((pending.replaced_count(), pending.made_count(), pending.row_count()), (3, 1, 600));
    let compacted = tables.commit_rewrite(&pending, version).await.unwrap().unwrap();
    assert_eq!(tables.fragment_count("scans", compacted).await.unwrap(), 1);
    assert_eq!(tables.fragment_count("scans", version).await.unwrap(), 3);
    for version in [version, compacted] {
        let head = head_of(1, "scans", version);
        let found = lake.store.read_table(&head, "scans", &[]).await.unwrap();
        assert_same_rows(&found, &joined(&batches));
    }
    assert!(tables.rewrite("scans", compacted, Thoroughness::Full).await.unwrap().is_none());
}

#[tokio::test]
async fn a_rewrite_holds_on_a_later_append_and_not_on_another_rewrite() {
    let lake = lake();
    let tables = &lake.store.tables;
    let batches = [rows("rec-a", "/scan", 0, 20), rows("rec-a", "/scan", 20, 40)];
    let version = filled(&lake.store, &batches).await;
    let first = tables.rewrite("scans", version, Thoroughness::Full).await.unwrap().unwrap();
    let second = tables.rewrite("scans", version, Thoroughness::Full).await.unwrap().unwrap();
    let more = rows("rec-b", "/scan", 0, 7);
    let pending = tables.write_batches("scans", version, vec![more]).await.unwrap();
    let appended = tables.commit(&pending, version).await.unwrap();
    let compacted = tables.commit_rewrite(&first, appended).await.unwrap().unwrap();
    assert_eq!(tables.row_count("scans", compacted).await.unwrap(), 47);
    assert_eq!(tables.fragment_count("scans", compacted).await.unwrap(), 2);
    assert!(tables.commit_rewrite(&second, compacted).await.unwrap().is_none());
}

#[tokio::test]
async fn a_crowd_of_small_fragments_becomes_one() {
    let lake = lake();
    let tables = &lake.store.tables;
    let empty = tables.ensure("scans", &schema()).await.unwrap();
    let version = crowd(&lake.store, empty, FRAGMENT_COUNT_MAX).await;
    assert!(!tables.is_crowded("scans", version).await.unwrap());
    assert!(tables.rewrite("scans", version, Thoroughness::Small).await.unwrap().is_none());
    let version = crowd(&lake.store, version, 1).await;
    assert!(tables.is_crowded("scans", version).await.unwrap());
    let pending = tables.rewrite("scans", version, Thoroughness::Small).await.unwrap().unwrap();
    assert_eq!((pending.replaced_count(), pending.made_count()), (FRAGMENT_COUNT_MAX + 1, 1));
    let version = tables.commit_rewrite(&pending, version).await.unwrap().unwrap();
    assert!(!tables.is_crowded("scans", version).await.unwrap());
    let row_count = tables.row_count("scans", version).await.unwrap();
    assert_eq!(row_count, 2 * (FRAGMENT_COUNT_MAX as u64 + 1));
}

/// A table grows by appends of drawn sizes, and is compacted as a writer would: it never has many fragments, and what is
/// written again stays below one full rewrite for each of the three classes.
#[test]
fn fragments_stay_few_and_a_byte_is_rewritten_once_a_class() {
    for sizes_bytes in
        [vec![20 << 10], vec![150 << 10], vec![5 << 10, 300 << 10, 9 << 20, 80 << 10]]
    {
        let mut draws = Seed(7).draws(0, 0);
        let (mut fragments, mut appended, mut rewritten) = (Vec::new(), 0, 0);
        for _ in 0..20_000 {
            let size: u64 = sizes_bytes[draws.below(sizes_bytes.len())];
            fragments.push(size);
            appended += size;
            while let Some(end) = crowded_class_bytes(&fragments) {
                let runs = fragments.chunk_by(|a, b| (*a < end) == (*b < end));
                let merged: Vec<u64> = runs
                    .flat_map(|run| match run[0] < end && run.len() > 1 {
                        true => {
                            rewritten += run.iter().sum::<u64>();
                            vec![run.iter().sum()]
                        }
                        false => run.to_vec(),
                    })
                    .collect();
                assert!(merged.len() + FRAGMENT_COUNT_MAX <= fragments.len());
                fragments = merged;
            }
            let full = fragments.iter().filter(|size| **size >= 256 << 20).count();
            assert!(fragments.len() - full <= 4 * FRAGMENT_COUNT_MAX, "{}", fragments.len());
        }
        assert!(rewritten <= 3 * appended, "{rewritten} of {appended} bytes");
    }
}
