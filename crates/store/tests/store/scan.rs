//! Laws of the scan node and its description.

use std::sync::Arc;

use arrow::{array::RecordBatch, datatypes::Schema};
use datafusion::{
    execution::TaskContext,
    physical_plan::{ExecutionPlan, collect, displayable},
};
use futures::TryStreamExt;
use tiepoint_model::Seed;
use tiepoint_store::{LakeScan, LakeScanSpec, StoreError, WriteSeam, provider::LakeTable};

use crate::rows::{assert_same_rows, filled, head_of, joined, lake, rows, schema};

fn example() -> LakeScanSpec {
    LakeScanSpec {
        ledger_position: 17,
        table: "scans".into(),
        version: (1 << 63) | 12345,
        partitions: vec![vec![0, 1], vec![2], vec![]],
        schema: schema(),
        equals: vec![("topic".into(), "/scan \"ü\"".into())],
        allowed_labels: Some(vec!["open".into(), String::new()]),
    }
}

#[test]
fn a_description_survives_its_bytes() {
    let example = example();
    assert_eq!(LakeScanSpec::from_bytes(&example.to_bytes().unwrap()).unwrap(), example);
    let bare = LakeScanSpec {
        allowed_labels: None,
        equals: vec![],
        partitions: vec![vec![]],
        schema: Arc::new(Schema::empty()),
        ..example
    };
    assert_eq!(LakeScanSpec::from_bytes(&bare.to_bytes().unwrap()).unwrap(), bare);
}

#[test]
fn damaged_descriptions_are_refused_and_never_panic() {
    let bytes = example().to_bytes().unwrap();
    for length in 0..bytes.len() {
        let cut = LakeScanSpec::from_bytes(&bytes[..length]);
        assert!(matches!(cut, Err(StoreError::BadScanSpec { .. })), "{length}");
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(LakeScanSpec::from_bytes(&longer).is_err());
    // Everything before the Arrow part, each byte changed: refused, or another description.
    let head = bytes.windows(4).position(|window| window == [0xff; 4]).unwrap() - 4;
    for at in 0..head {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x40;
        assert_ne!(LakeScanSpec::from_bytes(&damaged).ok(), Some(example()), "byte {at}");
    }
}

/// Each fragment once, in order, for any number of partitions and any sizes.
#[test]
fn dealing_keeps_every_fragment_once_and_in_order() {
    for seed in 0..300 {
        let mut draws = Seed(seed).draws(0, 0);
        let fragments: Vec<(u64, u64)> =
            (0..draws.below(40) as u64).map(|id| (id, draws.below(1000) as u64)).collect();
        let partition_count = draws.below(12);
        let dealt = LakeScanSpec::deal(&fragments, partition_count);
        let ids: Vec<u64> = fragments.iter().map(|(id, _)| *id).collect();
        assert_eq!(dealt.concat(), ids, "seed {seed}");
        assert!(dealt.len() <= partition_count.max(1), "seed {seed}");
        assert!(dealt.len() == 1 || dealt.iter().all(|one| !one.is_empty()), "seed {seed}");
    }
    let even = LakeScanSpec::deal(&[(0, 10), (1, 10), (2, 10), (3, 10)], 2);
    assert_eq!(even, [vec![0, 1], vec![2, 3]]);
}

/// The description alone, sent to another process with the same lake, reads the same rows.
#[tokio::test]
async fn a_scan_made_from_bytes_reads_the_same_rows_in_order() {
    let lake = lake();
    let batches: Vec<RecordBatch> =
        (0..5).map(|part| rows("rec-a", "/scan", part * 100, part * 100 + 100)).collect();
    let version = filled(&lake.store, &batches).await;
    let head = head_of(9, "scans", version);
    let table = LakeTable::open(&lake.store.tables, &head, "scans", None).await.unwrap();
    let spec = table.spec(Arc::clone(table.columns()), vec![], 3);
    assert_eq!(spec.partitions.len(), 3);

    let sent = LakeScanSpec::from_bytes(&spec.to_bytes().unwrap()).unwrap();
    let elsewhere =
        tiepoint_store::Store::open(lake.store.objects.root(), WriteSeam::default()).unwrap();
    let scan = LakeScan::new(sent, elsewhere.tables);
    let mut found = Vec::new();
    for partition in 0..scan.properties().partitioning.partition_count() {
        let stream = scan.execute(partition, Arc::new(TaskContext::default())).unwrap();
        found.extend(stream.try_collect::<Vec<_>>().await.unwrap());
    }
    assert_same_rows(&found, &joined(&batches));
}

#[tokio::test]
async fn a_scan_keeps_only_allowed_labels_and_equal_texts_and_says_only_its_name() {
    let lake = lake();
    let batches = [rows("rec-a", "/scan", 0, 300), rows("rec-b", "/scan", 0, 60)];
    let version = filled(&lake.store, &batches).await;
    let head = head_of(1, "scans", version);
    let allowed = Some(vec!["open".to_owned()]);
    let table = LakeTable::open(&lake.store.tables, &head, "scans", allowed).await.unwrap();
    let equals = vec![("recording_id".to_owned(), "rec-a".to_owned())];
    for columns in [Arc::clone(table.columns()), Arc::new(Schema::empty())] {
        let scan = LakeScan::new(table.spec(columns, equals.clone(), 4), lake.store.tables.clone());
        let shown = displayable(&scan as &dyn ExecutionPlan).indent(true).to_string();
        assert_eq!(shown.trim(), "LakeScan");
        let statistics = scan.partition_statistics(None).unwrap();
        assert!(statistics.num_rows.get_value().is_none());
        let found = collect(Arc::new(scan), Arc::new(TaskContext::default())).await.unwrap();
        // Of rows 0..300 every third has the label `open`.
        assert_eq!(found.iter().map(RecordBatch::num_rows).sum::<usize>(), 100);
    }
}

#[tokio::test]
async fn a_scan_of_a_version_that_is_gone_is_an_error_and_not_an_empty_answer() {
    let lake = lake();
    filled(&lake.store, &[rows("rec-a", "/scan", 0, 5)]).await;
    let scan = LakeScan::new(example(), lake.store.tables.clone());
    let failed = collect(Arc::new(scan), Arc::new(TaskContext::default())).await;
    assert!(failed.unwrap_err().to_string().contains("is missing"));
}
