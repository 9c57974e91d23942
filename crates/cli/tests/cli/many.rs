//! Many processes on one lake at once, and processes that are killed.

use std::{
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};

use super::{Desk, Outcome};

/// A trajectory of its own for each serial number.
fn trajectory(serial: usize) -> String {
    let line = |index: usize| {
        let seconds = 1_700_000_000 + serial * 100 + index;
        format!("{seconds}.0 {index}.0 {serial}.5 0 0 0 0 1\n")
    };
    (0..3 + serial % 4).map(line).collect()
}

fn file_of(serial: usize) -> String {
    format!("run-{serial}.tum")
}

fn count(outcome: &Outcome) -> u64 {
    outcome.json()["rows"][0]["n"].as_u64().unwrap()
}

const COUNT_POSES: [&str; 3] = ["query", "SELECT count(*) AS n FROM poses", "--json"];

/// Five processes ingest different and equal files one after the other, one asks, one compacts, one sweeps.
///
/// Each call must succeed. What the asking one saw must be what the ledger says of some position, and never less than
/// before: readers see snapshots, and what was acknowledged stays.
#[test]
fn eight_processes_at_once_lose_nothing_and_see_snapshots() {
    const WRITERS: usize = 5;
    const FILES: usize = 9;
    let desk = Desk::with_lake();
    for serial in 0..FILES {
        desk.write(&file_of(serial), trajectory(serial).as_bytes());
    }
    let is_done = AtomicBool::new(false);
    let writers_left = AtomicUsize::new(WRITERS);
    let until_done = |work: &dyn Fn()| {
        while !is_done.load(Ordering::SeqCst) {
            work();
        }
    };
    let mut seen = Vec::new();
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (desk, is_done, writers_left) = (&desk, &is_done, &writers_left);
            scope.spawn(move || {
                // Each file is ingested by two writers or three, who begin at different ends.
                for turn in 0..FILES {
                    let serial = if writer % 2 == 0 { turn } else { FILES - 1 - turn };
                    if (serial + writer) % 2 == 0 {
                        desk.run(&["ingest", &file_of(serial)]).expect_code(0);
                    }
                }
                if writers_left.fetch_sub(1, Ordering::SeqCst) == 1 {
                    is_done.store(true, Ordering::SeqCst);
                }
            });
        }
        let counting = scope.spawn(|| {
            let mut seen = Vec::new();
            while !is_done.load(Ordering::SeqCst) {
                seen.push(count(&desk.run(&COUNT_POSES).expect_code(0)));
            }
            seen
        });
        scope.spawn(|| until_done(&|| drop(desk.run(&["compact"]).expect_code(0))));
        scope.spawn(|| until_done(&|| drop(desk.run(&["sweep"]).expect_code(0))));
        seen = counting.join().unwrap();
    });
    let expected: u64 = (0..FILES).map(|serial| 3 + serial as u64 % 4).sum();
    assert_eq!(count(&desk.run(&COUNT_POSES).expect_code(0)), expected);
    let names = "SELECT count(*) AS n, count(DISTINCT name) AS names FROM recordings";
    let recordings = desk.run(&["query", names, "--json"]).expect_code(0).json();
    assert_eq!(recordings["rows"][0], serde_json::json!({ "n": FILES, "names": FILES }));
    desk.run(&["verify"]).expect_code(0);

    assert!(seen.len() > 2, "{seen:?}");
    assert!(seen.is_sorted(), "a reader saw less than before: {seen:?}");
    let log = desk.run(&["log", "--limit", "1000", "--json"]).expect_code(0).json();
    let entry_count = log["entries"].as_array().unwrap().len();
    let at_each: Vec<u64> = (1..=entry_count)
        .map(|position| {
            let at = ["--at".to_owned(), position.to_string()];
            let arguments = [&COUNT_POSES[..], &[at[0].as_str(), at[1].as_str()]].concat();
            count(&desk.run(&arguments).expect_code(0))
        })
        .collect();
    assert!(at_each.is_sorted(), "{at_each:?}");
    for found in &seen {
        assert!(at_each.contains(found), "{found} rows were at no position: {at_each:?}");
    }
}

fn start_ingest(desk: &Desk, file: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_tiepoint"))
        .args(["ingest", file])
        .current_dir(desk.folder.path())
        .env("TIEPOINT_CONFIG", desk.path("config"))
        .env("USER", "tester")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// `kill -9` when the process has written so many files, for several numbers of files.
#[test]
fn a_killed_ingest_leaves_all_or_nothing_and_can_be_run_again() {
    let desk = Desk::with_lake();
    desk.write("first.tum", trajectory(1).as_bytes());
    desk.run(&["ingest", "first.tum"]).expect_code(0);
    let mut held = 4;
    for more_files in [1, 2, 4, 6, 8, 10, 12, 14] {
        let file = file_of(10 + 4 * more_files);
        desk.write(&file, trajectory(10 + 4 * more_files).as_bytes());
        let target = desk.lake_files().len() + more_files;
        let mut child = start_ingest(&desk, &file);
        while child.try_wait().unwrap().is_none() && desk.lake_file_count() < target {}
        // The child may have come to its end by then.
        let _ = child.kill();
        child.wait().unwrap();
        let after = count(&desk.run(&COUNT_POSES).expect_code(0));
        assert!([held, held + 5].contains(&after), "{after} rows after {held}");
        desk.run(&["ingest", &file]).expect_code(0);
        held += 5;
        assert_eq!(count(&desk.run(&COUNT_POSES).expect_code(0)), held);
    }
    desk.run(&["verify"]).expect_code(0);
}

#[test]
fn the_past_can_be_read_and_not_changed() {
    let desk = Desk::with_lake();
    for serial in 0..3 {
        desk.write(&file_of(serial), trajectory(serial).as_bytes());
        desk.run(&["ingest", &file_of(serial)]).expect_code(0);
    }
    let at = |position: &str| {
        count(&desk.run(&[&COUNT_POSES[..], &["--at", position]].concat()).expect_code(0))
    };
    let before: Vec<u64> = ["1", "2", "3", "4"].map(at).to_vec();
    assert_eq!(before, [0, 3, 7, 12]);
    let compacted = desk.run(&["compact", "--json"]).expect_code(0).json();
    assert_eq!(compacted["entry_index"], 4);
    let swept = desk.run(&["sweep", "--dry-run", "--json"]).expect_code(0).json();
    assert_eq!((&swept["swept_bytes"], &swept["dry_run"]), (&0.into(), &true.into()));
    assert_eq!(["1", "2", "3", "4"].map(at).to_vec(), before);
    let log = desk.run(&["log", "--at", "2", "--json"]).expect_code(0).json();
    assert_eq!(log["entries"].as_array().unwrap().len(), 2);
    desk.run(&["trace", "run-0", "--at", "2"]).expect_code(0);
    desk.run(&["trace", "run-1", "--at", "2"]).expect_code(2);

    for verb in [&["ingest", "run-0.tum"][..], &["compact"], &["sweep"], &["verify"]] {
        let refused = desk.run(&[verb, &["--at", "2"]].concat()).expect_code(2);
        assert!(refused.stderr.contains("can only be read"), "{}", refused.stderr);
        assert!(refused.stderr.contains("leave out `--at`"), "{}", refused.stderr);
    }
    let refused = desk.run(&["log", "--at", "9"]).expect_code(2);
    assert!(
        refused.stderr.contains("has 5 entries, so it has no position 9"),
        "{}",
        refused.stderr
    );
}
