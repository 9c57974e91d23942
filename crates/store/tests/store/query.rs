//! Laws of SQL and of programmatic reads.

use arrow::{
    array::{AsArray, RecordBatch, UInt32Array},
    compute::take_record_batch,
    datatypes::UInt32Type,
};
use tiepoint_store::{Head, ReadRequest, Store, StoreError};

use crate::{
    rows::{Lake, assert_same_rows, filled, head_of, joined, lake, rows},
    tables::arrow_i64,
};

async fn filled_lake() -> (Lake, Head) {
    let lake = lake();
    let batches = [
        rows("rec-a", "/scan", 0, 500),
        rows("rec-b", "/scan", 0, 300),
        rows("rec-a", "/back", 0, 200),
        rows("rec-a", "/scan", 500, 640),
    ];
    let version = filled(&lake.store, &batches).await;
    let head = head_of(3, "scans", version);
    (lake, head)
}

async fn number(store: &Store, head: &Head, sql: &str) -> i64 {
    arrow_i64(&store.query(head, sql).await.unwrap().1)
}

async fn refusal(store: &Store, head: &Head, sql: &str) -> StoreError {
    store.query(head, sql).await.map(|_| ()).unwrap_err()
}

#[tokio::test]
async fn counts_are_right_over_several_fragments_and_partitions() {
    let (lake, head) = filled_lake().await;
    let count = async |sql: &str| number(&lake.store, &head, sql).await;
    assert_eq!(count("SELECT count(*) FROM scans").await, 1140);
    assert_eq!(count("SELECT count(*) FROM scans WHERE recording_id = 'rec-a'").await, 840);
    assert_eq!(
        count("SELECT count(*) FROM scans WHERE 'rec-a' = recording_id AND topic = '/back'").await,
        200
    );
    assert_eq!(count("SELECT count(*) FROM scans WHERE sequence < 10").await, 30);
    assert_eq!(count("SELECT count(DISTINCT recording_id) FROM scans").await, 2);
    assert_eq!(
        count("SELECT sum(sequence)::bigint FROM scans WHERE topic = '/back'").await,
        19_900
    );
    assert_eq!(
        count(
            "SELECT count(*) FROM scans a JOIN scans b ON a.sequence = b.sequence
               WHERE a.topic = '/back' AND b.recording_id = 'rec-b'"
        )
        .await,
        200
    );
}

#[tokio::test]
async fn rows_with_labels_that_are_not_allowed_are_not_there() {
    let (lake, head) = filled_lake().await;
    let open = Some(vec!["open".to_owned()]);
    for (sql, expected) in [
        ("SELECT count(*) FROM scans", 380),
        ("SELECT count(*) FROM scans WHERE label IS NULL OR label = 'partner'", 0),
        ("SELECT count(DISTINCT label) FROM scans", 1),
    ] {
        let mut stream = lake.store.query_stream(&head, sql, open.clone()).await.unwrap();
        let batch = futures::StreamExt::next(&mut stream.batches).await.unwrap().unwrap();
        assert_eq!(arrow_i64(&[batch]), expected, "{sql}");
    }
}

#[tokio::test]
async fn statements_that_change_anything_are_refused_and_change_nothing() {
    let (lake, head) = filled_lake().await;
    let before = lake.store.objects.list("").await.unwrap();
    for sql in [
        "CREATE TABLE x AS SELECT 1",
        "CREATE VIEW x AS SELECT * FROM scans",
        "CREATE EXTERNAL TABLE x STORED AS CSV LOCATION '/etc/passwd'",
        "DROP TABLE scans",
        "INSERT INTO scans SELECT * FROM scans",
        "DELETE FROM scans",
        "UPDATE scans SET topic = 'x'",
        "TRUNCATE TABLE scans",
        "COPY scans TO '/tmp/out.csv'",
        "COPY (SELECT 1) TO 'out.json'",
        "SET datafusion.execution.batch_size = 1",
        "PREPARE p AS SELECT 1",
        "EXPLAIN INSERT INTO scans SELECT * FROM scans",
        "EXPLAIN COPY scans TO '/tmp/out.csv'",
        "CREATE FUNCTION f() RETURNS int RETURN 1",
        "BEGIN",
    ] {
        let error = refusal(&lake.store, &head, sql).await;
        assert!(matches!(error, StoreError::NotAQuery { .. }), "{sql}: {error}");
        assert!(error.hint().contains("SELECT"));
    }
    let error = refusal(&lake.store, &head, "SELECT 1; SELECT 2").await;
    assert!(matches!(error, StoreError::StatementCount { count: 2 }), "{error}");
    let error = refusal(&lake.store, &head, "").await;
    assert!(matches!(error, StoreError::StatementCount { count: 0 }), "{error}");
    for sql in ["SELECT * FROM '/etc/passwd'", "SELECT * FROM 'a.csv'"] {
        let error = refusal(&lake.store, &head, sql).await;
        assert!(matches!(error, StoreError::UnknownTable { .. }), "{sql}: {error}");
    }
    assert_eq!(lake.store.objects.list("").await.unwrap(), before);
}

#[tokio::test]
async fn errors_say_which_tables_and_columns_there_are() {
    let (lake, head) = filled_lake().await;
    let error = refusal(&lake.store, &head, "SELECT * FROM scan").await;
    assert_eq!(error.to_string(), "table `scan` does not exist");
    assert_eq!(error.hint(), "the tables are: scans");
    let error = refusal(&lake.store, &head, "SELECT tpic FROM scans").await;
    assert_eq!(error.to_string(), "column `tpic` does not exist");
    assert!(error.hint().contains("topic, log_time_ns"), "{}", error.hint());
    let error = refusal(&lake.store, &head, "SELEC 1").await;
    assert!(matches!(error, StoreError::BadQuery { .. }), "{error}");
    let error = refusal(&lake.store, &head, "SELECT 1 / (sequence - sequence) FROM scans").await;
    assert!(matches!(error, StoreError::QueryFailed(_)), "{error}");
    let error = refusal(&lake.store, &Head::default(), "SELECT * FROM scans").await;
    assert_eq!(error.hint(), "the tables are: none yet");
}

/// A plan names the node and nothing of the lake: no files, versions, fragments or row counts.
#[tokio::test]
async fn explain_is_bare() {
    let (lake, head) = filled_lake().await;
    let sql = "EXPLAIN SELECT topic FROM scans WHERE recording_id = 'rec-a' AND sequence > 5";
    let (_, batches) = lake.store.query(&head, sql).await.unwrap();
    let plans = batches[0].column(1).as_string::<i32>();
    let physical = plans.value(1);
    let scan: Vec<&str> =
        physical.lines().map(str::trim).filter(|line| line.contains("LakeScan")).collect();
    assert_eq!(scan, ["LakeScan"], "{physical}");
    for text in [plans.value(0), physical] {
        for secret in ["lance", "fragment", "rows=", "d92", "tables/", "version"] {
            assert!(!text.to_lowercase().contains(secret), "{secret} in {text}");
        }
    }
}

#[tokio::test]
async fn what_the_lake_has_can_be_asked_in_sql() {
    let (lake, head) = filled_lake().await;
    let tables = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'lake'";
    assert_eq!(number(&lake.store, &head, tables).await, 1);
    let (_, described) = lake.store.query(&head, "DESCRIBE scans").await.unwrap();
    assert_eq!(joined(&described).num_rows(), 10);
    let (schema, none) =
        lake.store.query(&head, "SELECT topic FROM scans WHERE sequence < 0").await.unwrap();
    assert_eq!(schema.field(0).name(), "topic");
    assert_eq!(none.iter().map(RecordBatch::num_rows).sum::<usize>(), 0);
    assert_eq!(number(&lake.store, &head, "WITH t AS (SELECT 7) SELECT * FROM t").await, 7);
}

/// Rows stored in any order and any fragments come back by log time and sequence.
#[tokio::test]
async fn rows_are_read_in_the_order_of_their_channel() {
    let whole = rows("rec-a", "/scan", 0, 400);
    let lake = lake();
    let shuffled: UInt32Array = (0..400_u32).map(|row| row * 37 % 400).collect();
    let shuffled = take_record_batch(&whole, &shuffled).unwrap();
    let version = filled(&lake.store, &[shuffled.slice(150, 250), shuffled.slice(0, 150)]).await;
    let head = head_of(1, "scans", version);
    let equals = [("recording_id", "rec-a"), ("topic", "/scan")];
    let found = lake.store.read_table(&head, "scans", &equals).await.unwrap();
    assert_same_rows(&found, &whole);

    let columns = ["angle_rad", "topic"];
    let request = ReadRequest { table: "scans", columns: Some(&columns), equals: &equals };
    let found = lake.store.read(&head, request).await.unwrap();
    assert_same_rows(&found, &whole.project(&[4, 1]).unwrap());
    let nobody = lake.store.read_table(&head, "scans", &[("topic", "/none' OR '1'='1")]).await;
    assert!(nobody.unwrap().is_empty());
    let error = lake.store.read_table(&head, "scans", &[("nothing", "x")]).await.unwrap_err();
    assert!(matches!(error, StoreError::UnknownColumn { .. }), "{error}");
    let error = lake.store.read_table(&head, "scans", &[("sequence", "1")]).await.unwrap_err();
    assert!(matches!(error, StoreError::NotText { .. }), "{error}");
}

#[tokio::test]
async fn a_table_without_rows_answers_queries() {
    let lake = lake();
    let version = filled(&lake.store, &[]).await;
    let head = head_of(0, "scans", version);
    assert_eq!(number(&lake.store, &head, "SELECT count(*) FROM scans").await, 0);
    assert!(lake.store.read_table(&head, "scans", &[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_query_at_an_old_head_sees_the_old_rows() {
    let lake = lake();
    let old = filled(&lake.store, &[rows("rec-a", "/scan", 0, 10)]).await;
    let pending =
        lake.store.tables.write_batches("scans", old, vec![rows("rec-b", "/scan", 0, 5)]).await;
    let new = lake.store.tables.commit(&pending.unwrap(), old).await.unwrap();
    let sql = "SELECT count(*) FROM scans";
    assert_eq!(number(&lake.store, &head_of(1, "scans", old), sql).await, 10);
    assert_eq!(number(&lake.store, &head_of(2, "scans", new), sql).await, 15);
    let (_, batches) = lake
        .store
        .query(&head_of(2, "scans", new), "SELECT sequence FROM scans WHERE recording_id = 'rec-b'")
        .await
        .unwrap();
    let found = joined(&batches);
    assert_eq!(found.column(0).as_primitive::<UInt32Type>().values(), &[0, 1, 2, 3, 4]);
}
