//! Laws of versions: what is committed, seen, lost and found again.

#![expect(clippy::disallowed_methods, reason = "room: disk, which these tests damage")]

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use arrow::array::RecordBatch;
use futures::TryStreamExt as _;
use tiepoint_store::{ReadRequest, StepKind, Store, StoreError, WriteSeam};

use crate::rows::{assert_same_rows, filled, head_of, joined, lake, lake_with, rows, schema};

#[tokio::test]
async fn appended_rows_come_back_exactly() {
    let lake = lake();
    let batches = [rows("rec-a", "/scan", 0, 700), rows("rec-a", "/scan", 700, 1000)];
    let version = filled(&lake.store, &batches).await;
    let head = head_of(1, "scans", version);
    let found = lake.store.read_table(&head, "scans", &[]).await.unwrap();
    assert_same_rows(&found, &joined(&batches));
    assert_eq!(lake.store.tables.row_count("scans", version).await.unwrap(), 1000);
    assert_eq!(*lake.store.tables.schema("scans", version).await.unwrap(), *schema());
}

#[tokio::test]
async fn a_lake_opened_again_has_the_same_rows() {
    let lake = lake();
    let batch = rows("rec-a", "/scan", 0, 300);
    let version = filled(&lake.store, std::slice::from_ref(&batch)).await;
    let again = Store::open(lake.store.objects.root(), WriteSeam::default()).unwrap();
    let head = head_of(1, "scans", version);
    assert_same_rows(&again.read_table(&head, "scans", &[]).await.unwrap(), &batch);
    assert!(lake.folder.path().exists());
}

/// A process that dies between its data and its ledger entry has changed nothing.
#[tokio::test]
async fn a_version_that_no_head_names_is_invisible() {
    let lake = lake();
    let tables = &lake.store.tables;
    let first = rows("rec-a", "/scan", 0, 40);
    let named = filled(&lake.store, std::slice::from_ref(&first)).await;
    let dropped =
        tables.write_batches("scans", named, vec![rows("rec-b", "/scan", 0, 9)]).await.unwrap();
    let unnamed = tables.commit(&dropped, named).await.unwrap();
    assert_ne!(unnamed, named);

    let again = Store::open(lake.store.objects.root(), WriteSeam::default()).unwrap();
    let head = head_of(1, "scans", named);
    assert_same_rows(&again.read_table(&head, "scans", &[]).await.unwrap(), &first);
    let counted = again.query(&head, "SELECT count(*) AS n FROM scans").await.unwrap().1;
    assert_eq!(arrow_i64(&counted), 40);
    // The next writer builds on what is named, not on what was last written.
    let next = tables.write_batches("scans", named, vec![rows("rec-c", "/scan", 0, 5)]);
    let version = tables.commit(&next.await.unwrap(), named).await.unwrap();
    assert_eq!(tables.row_count("scans", version).await.unwrap(), 45);
}

pub(crate) fn arrow_i64(batches: &[arrow::array::RecordBatch]) -> i64 {
    use arrow::{array::AsArray, datatypes::Int64Type};
    batches[0].column(0).as_primitive::<Int64Type>().value(0)
}

/// Two writers begin at the same head; the ledger lets one win; the other commits the same rows
/// again on the new head, and both are there.
#[tokio::test]
async fn the_loser_of_a_race_commits_again_and_both_are_there() {
    let lake = lake();
    let base = filled(&lake.store, &[rows("rec-a", "/scan", 0, 10)]).await;
    let (left_store, right_store) = (
        Store::open(lake.store.objects.root(), WriteSeam::default()).unwrap(),
        Store::open(lake.store.objects.root(), WriteSeam::default()).unwrap(),
    );
    let (left_rows, right_rows) = (rows("rec-l", "/scan", 0, 20), rows("rec-r", "/scan", 0, 30));
    let left = left_store.tables.write_batches("scans", base, vec![left_rows.clone()]);
    let right = right_store.tables.write_batches("scans", base, vec![right_rows.clone()]);
    let (left, right) = tokio::join!(left, right);
    let (left, right) = (left.unwrap(), right.unwrap());
    let winner = left_store.tables.commit(&left, base).await.unwrap();
    let lost = right_store.tables.commit(&right, base).await.unwrap();
    let files_before = lake.store.objects.list("tables/scans.lance/data/").await.unwrap();
    let both = right_store.tables.commit(&right, winner).await.unwrap();
    assert_eq!(lake.store.objects.list("tables/scans.lance/data/").await.unwrap(), files_before);

    let read = |version: u64, recording: &'static str| {
        let (head, store) = (head_of(2, "scans", version), lake.store.clone());
        async move {
            let equals = [("recording_id", recording)];
            store.read_table(&head, "scans", &equals).await.unwrap()
        }
    };
    assert_same_rows(&read(both, "rec-l").await, &left_rows);
    assert_same_rows(&read(both, "rec-r").await, &right_rows);
    assert_eq!(lake.store.tables.row_count("scans", both).await.unwrap(), 60);
    assert!(read(lost, "rec-l").await.is_empty());
}

#[tokio::test]
async fn appends_can_be_joined_into_one_version() {
    let lake = lake();
    let tables = &lake.store.tables;
    let base = tables.ensure("scans", &schema()).await.unwrap();
    let batches = [rows("rec-a", "/scan", 0, 50), rows("rec-a", "/scan", 50, 90)];
    let mut pending = Vec::new();
    for batch in &batches {
        pending.push(tables.write_batches("scans", base, vec![batch.clone()]).await.unwrap());
    }
    let pending = pending.into_iter().reduce(|one, next| one.and(next).unwrap()).unwrap();
    assert_eq!((pending.table(), pending.row_count()), ("scans", 90));
    let version = tables.commit(&pending, base).await.unwrap();
    assert_eq!(tables.fragment_count("scans", version).await.unwrap(), 2);
    let found = lake.store.read_table(&head_of(1, "scans", version), "scans", &[]).await.unwrap();
    assert_same_rows(&found, &joined(&batches));
}

/// A stream gives what a read gives, whether the rows lie in order or must be sorted, and no other channel's rows.
#[tokio::test]
async fn a_stream_gives_the_rows_of_a_read_in_the_same_order() {
    let lake = lake();
    let tables = &lake.store.tables;
    let base = tables.ensure("scans", &schema()).await.unwrap();
    let equals = [("recording_id", "rec-a"), ("topic", "/scan")];
    let request = ReadRequest { table: "scans", columns: Some(&["sequence"]), equals: &equals };
    for spans in [[(0, 50), (50, 90)], [(50, 90), (0, 50)]] {
        let mut pending = Vec::new();
        for (from, to) in spans {
            for batch in [rows("rec-b", "/scan", from, to), rows("rec-a", "/scan", from, to)] {
                pending.push(tables.write_batches("scans", base, vec![batch]).await.unwrap());
            }
        }
        let pending = pending.into_iter().reduce(|one, next| one.and(next).unwrap()).unwrap();
        let head = head_of(1, "scans", tables.commit(&pending, base).await.unwrap());
        let read = lake.store.read(&head, request).await.unwrap();
        let streamed = lake.store.stream(&head, request).await.unwrap();
        let streamed: Vec<RecordBatch> = streamed.try_collect().await.unwrap();
        assert_eq!(joined(&streamed), joined(&read));
        assert_eq!(joined(&streamed).num_rows(), 90);
    }
}

#[tokio::test]
async fn making_a_table_twice_is_making_it_once_and_other_columns_are_refused() {
    let lake = lake();
    let tables = &lake.store.tables;
    let again = Store::open(lake.store.objects.root(), WriteSeam::default()).unwrap();
    let made = schema();
    let (left, right) =
        tokio::join!(tables.ensure("scans", &made), again.tables.ensure("scans", &made));
    assert_eq!((left.unwrap(), right.unwrap()), (1, 1));
    assert_eq!(tables.row_count("scans", 1).await.unwrap(), 0);
    let mut fields: Vec<_> = made.fields().iter().map(|f| f.as_ref().clone()).collect();
    let feet = [("unit".to_owned(), "ft".to_owned())].into();
    fields[5] = fields[5].clone().with_metadata(feet);
    let other = Arc::new(arrow::datatypes::Schema::new(fields));
    let refused = tables.ensure("scans", &other).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "batch does not fit table `scans`: column `ranges_m` has unit `ft`, not `m`"
    );
    let narrow = rows("rec-a", "/scan", 0, 3).project(&[0, 1, 2]).unwrap();
    let refused = tables.write_batches("scans", 1, vec![narrow]).await.unwrap_err();
    assert!(matches!(refused, StoreError::SchemaMismatch { .. }), "{refused}");
    let empty = rows("rec-a", "/scan", 3, 3);
    let refused = tables.write_batches("scans", 1, vec![empty]).await.unwrap_err();
    assert!(matches!(refused, StoreError::NothingToAppend { .. }), "{refused}");
    let refused = tables.ensure("../scans", &made).await.unwrap_err();
    assert!(matches!(refused, StoreError::BadTableName { .. }), "{refused}");
    for version in [7, 1 << 63 | 5] {
        let missing = tables.row_count("scans", version).await.unwrap_err();
        assert!(matches!(missing, StoreError::VersionMissing { .. }), "{missing}");
    }
}

#[tokio::test]
async fn the_files_of_a_version_are_all_there_and_all_that_it_needs() {
    let lake = lake();
    let batches = [rows("rec-a", "/scan", 0, 50), rows("rec-b", "/scan", 0, 40)];
    let version = filled(&lake.store, &batches).await;
    let files = lake.store.tables.files_of_version("scans", version).await.unwrap();
    let data = files.iter().filter(|file| file.key.starts_with("tables/scans.lance/data/"));
    assert_eq!(data.count(), 2);
    assert_eq!(files.len(), 4, "two data files, a manifest and a transaction: {files:?}");
    for file in &files {
        let size = lake.store.objects.size_bytes(&file.key).await.unwrap();
        assert!(size.is_some(), "{}", file.key);
        assert!(file.size_bytes.is_none() || file.size_bytes == size, "{}", file.key);
    }
    // Everything else can go, and the version still reads.
    let kept: Vec<&str> = files.iter().map(|file| file.key.as_str()).collect();
    for key in lake.store.objects.list("tables/scans.lance/").await.unwrap() {
        if !kept.contains(&key.as_str()) {
            std::fs::remove_file(lake.store.objects.root().join(&key)).unwrap();
        }
    }
    let again = Store::open(lake.store.objects.root(), WriteSeam::default()).unwrap();
    let found = again.read_table(&head_of(1, "scans", version), "scans", &[]).await.unwrap();
    assert_eq!(found.iter().map(|batch| batch.num_rows()).sum::<usize>(), 90);
}

#[tokio::test]
async fn an_append_whose_data_was_swept_is_refused() {
    let lake = lake();
    let tables = &lake.store.tables;
    let base = tables.ensure("scans", &schema()).await.unwrap();
    let pending =
        tables.write_batches("scans", base, vec![rows("rec-a", "/scan", 0, 5)]).await.unwrap();
    for key in lake.store.objects.list("tables/scans.lance/data/").await.unwrap() {
        std::fs::remove_file(lake.store.objects.root().join(key)).unwrap();
    }
    let refused = tables.commit(&pending, base).await.unwrap_err();
    assert!(matches!(refused, StoreError::Swept { .. }), "{refused}");
}

/// Each file that a commit names is written through the seam, then synced, and its folder too.
#[tokio::test]
async fn every_file_a_commit_names_is_synced_before_the_commit_returns() {
    let log = Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = Arc::clone(&log);
    let seam = WriteSeam::with_hook(move |step| {
        seen.lock().unwrap().push((step.kind, step.path.to_path_buf()));
        Ok(())
    });
    let lake = lake_with(seam);
    let version = filled(&lake.store, &[rows("rec-a", "/scan", 0, 50)]).await;
    log.lock().unwrap().clear();
    let tables = &lake.store.tables;
    let pending =
        tables.write_batches("scans", version, vec![rows("rec-b", "/scan", 0, 50)]).await.unwrap();
    let version = tables.commit(&pending, version).await.unwrap();
    let log = log.lock().unwrap().clone();
    let at = |kind: StepKind, path: &std::path::Path| {
        log.iter().position(|(k, p)| *k == kind && p == path)
    };
    let written: Vec<_> =
        log.iter().filter(|(kind, _)| *kind == StepKind::WriteTableFile).collect();
    assert_eq!(written.len(), 3, "data, transaction and manifest: {log:?}");
    for (_, path) in written {
        let write = at(StepKind::WriteTableFile, path);
        let sync = at(StepKind::SyncFile, path);
        let folder = log
            .iter()
            .rposition(|(k, p)| *k == StepKind::SyncFolder && Some(p.as_path()) == path.parent());
        assert!(write < sync && sync < folder && write.is_some(), "{}", path.display());
    }
    for file in tables.files_of_version("scans", version).await.unwrap() {
        assert!(lake.store.objects.exists(&file.key).await.unwrap());
    }
}

/// Above 5 MiB Lance uploads a file in parts, by another way through the wrapper.
#[tokio::test]
async fn a_large_append_passes_the_seam_and_comes_back() {
    use arrow::{
        array::{LargeBinaryArray, RecordBatch},
        datatypes::{DataType, Field, Schema},
    };
    let lake = lake();
    let tables = &lake.store.tables;
    let field = Field::new("payload", DataType::LargeBinary, false);
    let schema = Arc::new(Schema::new(vec![field]));
    let payload = |row: u8| (0..1_000_003_u32).map(|at| (at * 31) as u8 ^ row).collect::<Vec<_>>();
    let column = LargeBinaryArray::from_iter_values((0..12).map(payload));
    let batch = RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(column)]).unwrap();
    let base = tables.ensure("images", &schema).await.unwrap();
    let pending = tables.write_batches("images", base, vec![batch.clone()]).await.unwrap();
    let version = tables.commit(&pending, base).await.unwrap();
    let head = head_of(1, "images", version);
    let found = lake.store.read_table(&head, "images", &[]).await.unwrap();
    assert_eq!(joined(&found), batch);
    assert!(found.len() > 1, "batches are limited in bytes");
}

/// Fails each durable step of an append in turn: what the head names stays as it was, and the
/// append works when tried again.
#[tokio::test]
async fn an_append_that_fails_at_any_step_changes_nothing_named() {
    let failing = Arc::new(AtomicU64::new(u64::MAX));
    let at = Arc::clone(&failing);
    let seam = WriteSeam::with_hook(move |step| {
        let fails = step.step_index == at.load(Ordering::SeqCst);
        if fails { Err(io::Error::other("injected")) } else { Ok(()) }
    });
    let lake = lake_with(seam);
    let first = rows("rec-a", "/scan", 0, 12);
    let named = filled(&lake.store, std::slice::from_ref(&first)).await;
    let tables = &lake.store.tables;
    let append = async || {
        let batch = rows("rec-b", "/scan", 0, 4);
        let pending = tables.write_batches("scans", named, vec![batch]).await?;
        tables.commit(&pending, named).await
    };
    let before = lake.store.objects.seam().step_count();
    append().await.unwrap();
    let step_count = lake.store.objects.seam().step_count() - before;
    assert!(step_count >= 9, "three files, each written and synced, in three folders");
    for step in 0..step_count {
        failing.store(lake.store.objects.seam().step_count() + step, Ordering::SeqCst);
        assert!(append().await.is_err(), "step {step} of {step_count}");
        failing.store(u64::MAX, Ordering::SeqCst);
        let head = head_of(1, "scans", named);
        assert_same_rows(&lake.store.read_table(&head, "scans", &[]).await.unwrap(), &first);
    }
    let version = append().await.unwrap();
    assert_eq!(tables.row_count("scans", version).await.unwrap(), 16);
}
