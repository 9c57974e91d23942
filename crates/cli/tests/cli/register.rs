//! Files of any kind: kept as they are, listed, brought back, and never half there.

use serde_json::Value;

use super::{Desk, quickstart};

/// A folder with a file, an empty one, a file deeper down, and the first file's bytes once more.
fn dataset(desk: &Desk) {
    for (name, text) in
        [("a.bin", "weights"), ("empty", ""), ("sub/b.txt", "words"), ("sub/c", "weights")]
    {
        desk.write(&format!("data/{name}"), text.as_bytes());
    }
}

fn register(desk: &Desk, paths: &[&str]) -> Value {
    desk.run(&[&["register", "--json"], paths].concat()).expect_code(0).json()
}

fn of<'v>(report: &'v Value, field: &str) -> Vec<&'v Value> {
    report["files"].as_array().unwrap().iter().map(|file| &file[field]).collect()
}

fn blob_count(desk: &Desk) -> usize {
    let blobs = desk.path("lake").join("blobs");
    desk.lake_files().iter().filter(|(path, _)| path.starts_with(&blobs)).count()
}

#[test]
fn files_are_kept_once_listed_and_brought_back() {
    let desk = Desk::with_lake();
    dataset(&desk);
    let first = register(&desk, &["data"]);
    assert_eq!(of(&first, "name"), ["data/a.bin", "data/empty", "data/sub/b.txt", "data/sub/c"]);
    assert_eq!(of(&first, "already_present"), [false; 4]);
    // As `sha256sum` prints it.
    let sha256 = "9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c";
    assert_eq!(first["files"][0]["sha256"], sha256);
    assert!(first["proof"].is_object(), "{first}");
    assert_eq!(blob_count(&desk), 3, "equal bytes lie there once");

    let again = register(&desk, &["data/"]);
    assert_eq!(of(&again, "file_id"), of(&first, "file_id"));
    assert_eq!(of(&again, "already_present"), [true; 4]);
    let more = ["register", "data/sub/../a.bin", "data/a.bin"];
    let told = desk.run(&more).expect_code(0);
    assert_eq!(told.stdout.matches("  a.bin\n").count(), 1, "{}", told.stdout);
    assert!(told.stderr.contains("1 files of 7 bytes, 0 of them there before"), "{}", told.stderr);

    let query = "SELECT name, size_bytes FROM files WHERE name LIKE 'data/sub/%' ORDER BY name";
    let rows = desk.run(&["query", query, "--json"]).expect_code(0).json();
    assert_eq!(rows["rows"][1], serde_json::json!({ "name": "data/sub/c", "size_bytes": 7 }));
    desk.run(&["export", "data", "--format", "original", "--out", "back"]).expect_code(0);
    for name in ["data/a.bin", "data/empty", "data/sub/b.txt", "data/sub/c"] {
        let (was, is) = (desk.path(name), desk.path("back").join(name));
        assert_eq!(std::fs::read(was).unwrap(), std::fs::read(is).unwrap(), "{name}");
    }
    desk.run(&["verify", "--deep"]).expect_code(0);
    let id = first["files"][2]["file_id"].as_str().unwrap();
    let traced = desk.run(&["trace", "data/sub/b.txt"]).expect_code(0).stdout;
    assert!(traced.starts_with(id), "{traced}");
}

/// Both versions stay; which one is meant must be said.
#[test]
fn a_file_that_changed_is_another_file() {
    let desk = Desk::with_lake();
    desk.write("map.pgm", b"old");
    let old = register(&desk, &["map.pgm"]);
    desk.write("map.pgm", b"new");
    let new = register(&desk, &["map.pgm"]);
    let ids = [&old, &new].map(|report| report["files"][0]["file_id"].as_str().unwrap().to_owned());
    assert_ne!(ids[0], ids[1]);
    let export =
        |name: &str| desk.run(&["export", name, "--format", "original", "--out", "back.pgm"]);
    let asked = export("map.pgm").expect_code(2).stderr;
    assert!(ids.iter().all(|id| asked.contains(id)), "{asked}");
    for (id, bytes) in ids.iter().zip(["old", "new"]) {
        let _ = std::fs::remove_file(desk.path("back.pgm"));
        export(id).expect_code(0);
        assert_eq!(std::fs::read_to_string(desk.path("back.pgm")).unwrap(), bytes);
    }
}

/// A folder of files must not hide a recording of the same name.
#[test]
fn a_name_of_a_recording_and_of_files_is_asked_back() {
    let desk = Desk::with_lake();
    desk.write("run.txt", b"1.0 0 0 0 0 0 0 1\n2.0 1 0 0 0 0 0 1\n");
    desk.run(&["ingest", "run.txt"]).expect_code(0);
    desk.write("run/notes", b"windy");
    let file = register(&desk, &["run"]);
    let asked = desk.run(&["export", "run", "--format", "original", "--out", "back"]);
    let asked = asked.expect_code(2).stderr;
    let id = file["files"][0]["file_id"].as_str().unwrap();
    assert!(asked.contains("rec-") && asked.contains(id), "{asked}");
    assert!(!desk.path("back").exists());
}

/// More files than one entry names.
#[test]
fn many_files_are_some_commits_and_all_there() {
    let desk = Desk::with_lake();
    for index in 0..600 {
        desk.write(&format!("many/{index:03}"), format!("file {index}").as_bytes());
    }
    let done = register(&desk, &["many"]);
    assert_eq!(of(&done, "name").len(), 600);
    let log = desk.run(&["log", "--json"]).expect_code(0).json();
    let entries = log["entries"].as_array().unwrap();
    assert_eq!(entries.iter().filter(|entry| entry["verb"] == "register").count(), 3);
    let count = desk.run(&["query", "SELECT count(*) AS n FROM files", "--json"]).expect_code(0);
    assert_eq!(count.json()["rows"][0]["n"], 600);
    desk.run(&["verify", "--deep"]).expect_code(0);
}

#[test]
fn what_cannot_be_kept_is_named_and_nothing_is_written() {
    let desk = Desk::with_lake();
    dataset(&desk);
    let before = desk.lake_files();
    let missing = desk.run(&["register", "data", "none"]).expect_code(2).stderr;
    assert!(missing.contains("none") && missing.contains("hint: "), "{missing}");
    std::os::unix::fs::symlink(desk.path("data"), desk.path("data/sub/round")).unwrap();
    let round = desk.run(&["register", "data"]).expect_code(2).stderr;
    assert!(round.contains("round") && round.contains("a link to a folder"), "{round}");
    std::fs::remove_file(desk.path("data/sub/round")).unwrap();
    let made = std::process::Command::new("mkfifo").arg(desk.path("data/pipe")).status().unwrap();
    assert!(made.success());
    let pipe = desk.run(&["register", "data"]).expect_code(2).stderr;
    assert!(pipe.contains("pipe") && pipe.contains("neither a file nor a folder"), "{pipe}");
    std::fs::remove_file(desk.path("data/pipe")).unwrap();
    let itself = desk.run(&["register", "."]).expect_code(2).stderr;
    assert!(itself.contains("it is part of the lake"), "{itself}");
    let past = desk.run(&["register", "data/a.bin", "--at", "1"]).expect_code(2).stderr;
    assert!(past.contains("can only be read"), "{past}");
    assert_eq!(desk.lake_files(), before);
}

/// The bytes lie there once, whichever came first; a log that was only registered is not known as a log.
#[test]
fn a_registered_log_can_be_ingested() {
    let desk = Desk::with_lake();
    let log = quickstart("uwb.mcap");
    let log = log.to_str().unwrap();
    register(&desk, &[log]);
    assert_eq!(blob_count(&desk), 1);
    let ingested = desk.run(&["ingest", log, "--json"]).expect_code(0).json();
    assert_eq!(ingested["recordings"][0]["already_present"], false);
    assert_eq!(blob_count(&desk), 1);
    assert_eq!(of(&register(&desk, &[log]), "already_present"), [true]);
    desk.run(&["verify", "--deep"]).expect_code(0);
    desk.run(&["sweep"]).expect_code(0);
    desk.run(&["verify", "--deep"]).expect_code(0);
}

#[test]
fn a_flipped_byte_is_found_and_the_file_named() {
    let desk = Desk::with_lake();
    dataset(&desk);
    let done = register(&desk, &["data/a.bin"]);
    let id = done["files"][0]["file_id"].as_str().unwrap();
    let blobs = desk.path("lake").join("blobs");
    let files = desk.lake_files();
    let (blob, _) = files.iter().find(|(path, _)| path.starts_with(&blobs)).unwrap();
    std::fs::write(blob, b"weighty").unwrap();
    let found = desk.run(&["verify"]).expect_code(1).stdout;
    assert!(found.contains(id), "{found}");
    let out = ["export", id, "--format", "original", "--out", "back"];
    desk.run(&out).expect_code(5);
    assert!(!desk.path("back").exists());
}
