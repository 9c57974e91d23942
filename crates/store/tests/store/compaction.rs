//! Laws of compaction: which fragments become one, and on which versions a rewrite may be committed.

use tiepoint_store::{PendingAppend, Store, Thoroughness, tables::compaction::FRAGMENT_COUNT_MAX};

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

/// A table grows by a crowd of fragments at a time: what a crowd became is not written again with the next.
#[tokio::test]
async fn a_large_fragment_is_left_alone_until_there_are_many_of_its_size() {
    let lake = lake();
    let tables = &lake.store.tables;
    let empty = tables.ensure("scans", &schema()).await.unwrap();
    let mut version = crowd(&lake.store, empty, FRAGMENT_COUNT_MAX).await;
    assert!(!tables.is_crowded("scans", version).await.unwrap());
    for round in 1..=2 {
        version = crowd(&lake.store, version, FRAGMENT_COUNT_MAX - 20).await;
        assert!(tables.is_crowded("scans", version).await.unwrap() || round == 2);
        let pending = tables.rewrite("scans", version, Thoroughness::Small).await.unwrap().unwrap();
        // The second time the first one's result stays as it is.
        let replaced =
            if round == 1 { 2 * FRAGMENT_COUNT_MAX - 20 } else { FRAGMENT_COUNT_MAX - 20 };
        assert_eq!((pending.replaced_count(), pending.made_count()), (replaced, 1));
        version = tables.commit_rewrite(&pending, version).await.unwrap().unwrap();
        assert_eq!(tables.fragment_count("scans", version).await.unwrap(), round);
    }
    let row_count = 2 * (3 * FRAGMENT_COUNT_MAX as u64 - 40);
    assert_eq!(tables.row_count("scans", version).await.unwrap(), row_count);
    let pending = tables.rewrite("scans", version, Thoroughness::Full).await.unwrap().unwrap();
    assert_eq!((pending.replaced_count(), pending.made_count()), (2, 1));
}
