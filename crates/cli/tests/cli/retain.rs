//! Positions of the ledger that are let go, and what a sweep then removes.

use std::{
    fs::File,
    time::{Duration, SystemTime},
};

use serde_json::{Value, json};
use tiepoint_model::Timestamp;
use tiepoint_operations::{Config, IngestRequest, Platform, Source, compact, ingest};

use super::{Desk, Outcome};

const RECORDINGS: usize = 3;

/// Position 4 has every recording in small fragments, position 5 the same rows compacted.
const COMPACTED: u64 = 5;

fn days_ago(count: u64) -> SystemTime {
    SystemTime::now() - Duration::from_secs(count * 24 * 3600)
}

fn trajectory(serial: usize) -> String {
    let line = |index: usize| format!("{}.0 {index}.0 0 0 0 0 0 1\n", 1_700_000_000 + index);
    (0..3 + serial).map(line).collect()
}

/// A lake of three recordings, compacted; all of it was written two days ago.
fn old_lake() -> Desk {
    let desk = Desk::new();
    let written = days_ago(2);
    let now_ns = written.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos();
    let config = Config {
        config_folder: desk.path("config"),
        actor: "tester".to_owned(),
        now: Timestamp(i64::try_from(now_ns).unwrap()),
        code_version: "tiepoint".to_owned(),
        entropy: [7; 32],
    };
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let lake = desk.path("lake");
        Platform::create(&lake, config.clone()).await.unwrap();
        let mut platform = Platform::open(&lake, config).await.unwrap();
        for serial in 0..RECORDINGS {
            let name = format!("run-{serial}.tum");
            desk.write(&name, trajectory(serial).as_bytes());
            let request = IngestRequest::real(Source::Path(desk.path(&name)));
            ingest(&mut platform, request).await.unwrap();
        }
        let done = compact(&mut platform).await.unwrap();
        assert_eq!(done.entry_index, Some(COMPACTED - 1));
    });
    for (path, _) in desk.lake_files() {
        File::options().append(true).open(path).unwrap().set_modified(written).unwrap();
    }
    desk
}

fn retain(desk: &Desk, more: &[&str]) -> Outcome {
    desk.run(&[&["retain"], more].concat())
}

fn poses_at(desk: &Desk, position: &str) -> Outcome {
    let count = ["query", "SELECT count(*) AS n FROM poses", "--json", "--at", position];
    desk.run(&count)
}

fn report(entry_index: Option<u64>, retain_from: u64) -> Value {
    json!({ "entry_index": entry_index, "retain_from": retain_from })
}

/// By position, by days and not at all; each is recorded once, and none is taken back.
#[test]
fn positions_are_let_go_by_number_and_by_age() {
    let desk = old_lake();
    let json = |more: &[&str]| retain(&desk, &[more, &["--json"]].concat()).expect_code(0).json();
    assert_eq!(json(&[]), report(None, 0));
    assert!(retain(&desk, &[]).expect_code(0).stdout.contains("every position is kept"));
    // Thirty days ago there was no lake: nothing is that old.
    assert_eq!(json(&["--days", "30"]), report(None, 0));
    let beyond = retain(&desk, &["--from", "6"]).expect_code(2).stderr;
    assert!(beyond.contains("position 6") && beyond.contains("hint: "), "{beyond}");
    retain(&desk, &["--from", "3", "--days", "1"]).expect_code(2);

    assert_eq!(json(&["--from", "3"]), report(Some(5), 3));
    assert_eq!(json(&["--from", "3"]), report(None, 3));
    let shown = retain(&desk, &[]).expect_code(0).stdout;
    assert!(shown.contains("positions from 3 on are kept, as before"), "{shown}");
    let back = retain(&desk, &["--from", "2"]).expect_code(2).stderr;
    assert!(back.contains("position 2 was let go") && back.contains("choose 3"), "{back}");
    // A day ago the newest position was the compacted one.
    assert_eq!(json(&["--days", "1"]), report(Some(6), COMPACTED));
    assert_eq!(json(&["--days", "30"]), report(None, COMPACTED));
    let past = retain(&desk, &["--from", "6", "--at", "6"]).expect_code(2).stderr;
    assert!(past.contains("can only be read"), "{past}");
    desk.run(&["verify", "--deep"]).expect_code(0);
}

/// What only earlier positions reach goes; every later position, row and original stays.
#[test]
fn a_sweep_takes_what_was_let_go_and_the_rest_verifies() {
    let desk = old_lake();
    let sweep = |more: &[&str]| {
        let start = ["sweep", "--json"];
        desk.run(&[start.as_slice(), more].concat()).expect_code(0).json()
    };
    let keys = |report: &Value| -> Vec<String> {
        let files = report["swept"].as_array().unwrap().iter();
        files.map(|file| file["key"].as_str().unwrap().to_owned()).collect()
    };
    let is_data = |key: &String| key.starts_with("tables/poses.lance/data/");
    let idle = sweep(&[]);
    assert!(!keys(&idle).iter().any(is_data), "{idle}");
    let rows = (0..RECORDINGS).map(|serial| 3 + serial).sum::<usize>();
    assert_eq!(poses_at(&desk, "4").expect_code(0).json()["rows"][0]["n"], rows);

    let told = retain(&desk, &["--days", "1"]).expect_code(0).stdout;
    assert!(told.contains("positions before 5 are let go") && told.contains("sweep"), "{told}");
    let below = poses_at(&desk, "4").expect_code(2);
    assert!(below.stdout.is_empty(), "{}", below.stdout);
    assert!(below.stderr.contains("position 4 was let go"), "{}", below.stderr);
    assert!(below.stderr.contains("hint: choose 5 or a later one"), "{}", below.stderr);

    let shown = sweep(&["--dry-run"]);
    let swept = sweep(&[]);
    assert_eq!((&shown["kept_from"], &swept["kept_from"]), (&5.into(), &5.into()));
    assert_eq!(keys(&shown), keys(&swept));
    assert!(keys(&swept).iter().filter(|key| is_data(key)).count() >= RECORDINGS, "{swept}");
    assert!(keys(&swept).iter().all(|key| !desk.path("lake").join(key).exists()));
    assert!(keys(&sweep(&[])).is_empty());

    for position in ["5", "6"] {
        assert_eq!(poses_at(&desk, position).expect_code(0).json()["rows"][0]["n"], rows);
    }
    poses_at(&desk, "4").expect_code(2);
    desk.run(&["verify", "--deep"]).expect_code(0);
    desk.run(&["export", "run-1", "--format", "original", "--out", "back"]).expect_code(0);
    let back = desk.path("back");
    let back = if back.is_dir() { back.join("run-1.tum") } else { back };
    assert_eq!(std::fs::read_to_string(back).unwrap(), trajectory(1));
}
