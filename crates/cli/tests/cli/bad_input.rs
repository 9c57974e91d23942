//! Bad input gets one clear error that names the place and the next step, and nothing is half written.

use super::{Desk, quickstart};

/// Runs a command that must fail, and shows what a user reads; nothing may change in the lake.
#[track_caller]
fn refused(desk: &Desk, arguments: &[&str], code: i32, words: &[&str]) {
    let before = desk.lake_files();
    let outcome = desk.run(arguments).expect_code(code);
    for word in words {
        assert!(outcome.stderr.contains(word), "`{word}` is not in:\n{}", outcome.stderr);
    }
    assert!(outcome.stderr.lines().any(|line| line.starts_with("error: ")), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("hint: "), "no hint in:\n{}", outcome.stderr);
    assert_eq!(outcome.stderr.matches("error: ").count(), 1, "{}", outcome.stderr);
    assert_eq!(desk.lake_files(), before, "something was written");
}

#[test]
fn a_file_that_is_no_log() {
    let desk = Desk::with_lake();
    desk.write("notes.txt", b"buy milk\ncall the lab\n");
    refused(&desk, &["ingest", "notes.txt"], 2, &["notes.txt", "MCAP"]);
}

#[test]
fn an_empty_file() {
    let desk = Desk::with_lake();
    desk.write("empty.mcap", b"");
    refused(&desk, &["ingest", "empty.mcap"], 2, &["empty.mcap"]);
}

#[test]
fn a_truncated_mcap() {
    let desk = Desk::with_lake();
    let whole = std::fs::read(quickstart("sena.mcap")).unwrap();
    desk.write("cut.mcap", &whole[..whole.len() / 2]);
    refused(&desk, &["ingest", "cut.mcap"], 5, &["cut.mcap"]);
}

#[test]
fn a_folder_in_place_of_a_log() {
    let desk = Desk::with_lake();
    desk.write("run/keep", b"");
    refused(&desk, &["ingest", "run"], 2, &["run", "folder"]);
}

#[test]
fn a_file_that_is_not_there() {
    let desk = Desk::with_lake();
    refused(&desk, &["ingest", "gone.mcap"], 2, &["gone.mcap"]);
}

#[test]
fn a_folder_that_is_no_lake() {
    let desk = Desk::with_lake();
    refused(&desk, &["query", "SELECT 1", "--lake", "elsewhere"], 2, &["elsewhere", "init"]);
    assert!(!desk.path("elsewhere").exists());
}

#[test]
fn synthetic_data_without_a_word_on_its_generator() {
    let desk = Desk::with_lake();
    let log = quickstart("sena.mcap").to_string_lossy().into_owned();
    let words = ["synthetic", "--unknown-generator"];
    refused(&desk, &["ingest", &log, "--origin", "synthetic"], 2, &words);
}

#[test]
fn the_same_bytes_under_another_origin() {
    let desk = Desk::with_lake();
    let log = quickstart("sena.mcap").to_string_lossy().into_owned();
    desk.run(&["ingest", &log]).expect_code(0);
    let other = ["ingest", &log, "--origin", "synthetic", "--unknown-generator", "a test"];
    refused(&desk, &other, 2, &["real", "synthetic"]);
}

#[test]
fn the_same_log_with_a_ground_truth_afterwards() {
    let desk = Desk::with_lake();
    let path = |name: &str| quickstart(name).to_string_lossy().into_owned();
    desk.run(&["ingest", &path("uwb.mcap")]).expect_code(0);
    let again = ["ingest", &path("uwb.mcap"), "--ground-truth", &path("uwb.tum")];
    refused(&desk, &again, 2, &["uwb.mcap", "already", "rec-"]);
}

#[test]
fn a_name_that_two_recordings_have() {
    let desk = Desk::with_lake();
    desk.write("a/run.txt", b"1.0 0 0 0 0 0 0 1\n2.0 1 0 0 0 0 0 1\n3.0 2 0 0 0 0 0 1\n");
    desk.write("b/run.txt", b"1.0 5 0 0 0 0 0 1\n2.0 6 0 0 0 0 0 1\n3.0 7 0 0 0 0 0 1\n");
    desk.run(&["ingest", "a/run.txt", "b/run.txt"]).expect_code(0);
    refused(&desk, &["twin", "run"], 2, &["2 recordings", "rec-"]);
}

#[test]
fn a_run_that_cannot_be_twinned() {
    let desk = Desk::with_lake();
    desk.write("run.txt", b"1.0 0 0 0 0 0 0 1\n2.0 1 0 0 0 0 0 1\n3.0 2 0 0 0 0 0 1\n");
    desk.run(&["ingest", "run.txt"]).expect_code(0);
    refused(&desk, &["twin", "run"], 2, &["run", "scans"]);
}

#[test]
fn time_that_runs_back_is_kept_and_found() {
    let desk = Desk::with_lake();
    let rows = b"1.0 0 0 0 0 0 0 1\n2.0 1 0 0 0 0 0 1\n1.5 2 0 0 0 0 0 1\n3.0 3 0 0 0 0 0 1\n";
    desk.write("back.txt", rows);
    let ingested = desk.run(&["ingest", "back.txt", "--json"]).expect_code(0).json();
    let channel = &ingested["recordings"][0]["channels"][0];
    assert_eq!(channel["message_count"], 4);
    assert_eq!(channel["quality"]["verdict"], "fail");
    let findings = channel["quality"]["findings"].as_array().unwrap();
    assert!(findings.iter().any(|finding| finding["kind"] == "time_runs_back"), "{findings:?}");
    desk.run(&["verify"]).expect_code(0);
}

#[test]
fn a_number_that_is_none_is_refused_with_its_line() {
    let desk = Desk::with_lake();
    desk.write("nan.txt", b"1.0 0 0 0 0 0 0 1\n2.0 x 0 0 0 0 0 1\n");
    refused(&desk, &["ingest", "nan.txt"], 2, &["nan.txt", "2"]);
}

#[test]
fn a_statement_that_would_change_something() {
    let desk = Desk::with_lake();
    refused(&desk, &["query", "DELETE FROM scans"], 2, &["DELETE"]);
    refused(&desk, &["query", "SELECT * FROM nothing"], 2, &["nothing", "scans"]);
}

#[test]
fn a_claim_that_is_none() {
    let desk = Desk::with_lake();
    let log = quickstart("sena.mcap").to_string_lossy().into_owned();
    desk.run(&["ingest", &log]).expect_code(0);
    desk.write("empty.toml", b"");
    refused(&desk, &["assess", "empty.toml"], 2, &["empty.toml"]);
    let shipped = quickstart("../../quickstart/14-short-run.toml");
    let claim = std::fs::read_to_string(shipped).unwrap();
    desk.write("metric.toml", claim.replace("scan.roughness", "scan.beauty").as_bytes());
    refused(&desk, &["assess", "metric.toml"], 2, &["scan.beauty", "scan.roughness"]);
    desk.write("margin.toml", claim.replace("value = 0.003", "value = -1.0").as_bytes());
    refused(&desk, &["assess", "margin.toml"], 2, &["margin"]);
    desk.write("word.toml", format!("colour = \"red\"\n{claim}").as_bytes());
    refused(&desk, &["assess", "word.toml"], 2, &["colour"]);
    desk.write("unit.toml", claim.replace("unit = \"m\"", "unit = \"mm\"").as_bytes());
    refused(&desk, &["assess", "unit.toml"], 2, &["`mm`", "`m`"]);
    desk.write("path.toml", claim.replace("name = \"short-run\"", "name = \"../up\"").as_bytes());
    refused(&desk, &["assess", "path.toml"], 2, &["../up", "file"]);
    desk.write("sound.toml", claim.as_bytes());
    refused(&desk, &["assess", "sound.toml"], 2, &["twin", "tiepoint twin sena"]);
}

#[test]
fn a_folder_with_other_things_is_no_place_for_a_lake() {
    let desk = Desk::with_lake();
    desk.write("home/letter.txt", b"dear");
    refused(&desk, &["init", "home"], 2, &["home", "empty"]);
    assert_eq!(std::fs::read_dir(desk.path("home")).unwrap().count(), 1);
}

#[test]
fn a_log_with_its_own_ground_truth_and_another_beside_it() {
    let desk = Desk::with_lake();
    let path = |name: &str| quickstart(name).to_string_lossy().into_owned();
    desk.run(&["ingest", &path("uwb.mcap"), "--ground-truth", &path("uwb.tum")]).expect_code(0);
    desk.run(&["twin", "uwb"]).expect_code(0);
    // A twin has `/ground_truth` in its file; taken out of the lake it is a log like any other.
    let blob = desk.lake_files().into_iter().find(|(path, size)| {
        *size > 100_000
            && path.components().any(|part| part.as_os_str() == "blobs")
            && std::fs::read(path).unwrap().windows(12).any(|w| w == b"ground_truth")
            && std::fs::read(path).unwrap().starts_with(b"\x89MCAP")
    });
    std::fs::copy(blob.unwrap().0, desk.path("twin.mcap")).unwrap();
    desk.run(&["init", "fresh"]).expect_code(0);
    let twice = ["ingest", "twin.mcap", "--ground-truth", &path("uwb.tum"), "--lake", "fresh"];
    refused(&desk, &twice, 2, &["/ground_truth", "two channels"]);
}

#[test]
fn a_verdict_that_is_none() {
    let desk = Desk::with_lake();
    desk.write("verdict.json", b"{}");
    refused(&desk, &["verify", "verdict.json", "--key", "lake/key.pub"], 5, &["envelope"]);
}

/// The user can cure it by another path or other rights, so it is bad input and not "try again".
#[test]
fn a_path_that_cannot_be_read() {
    let desk = Desk::with_lake();
    desk.write("run.mcap", b"x");
    refused(&desk, &["ingest", "run.mcap/below.mcap"], 2, &["run.mcap/below.mcap", "path"]);
    refused(&desk, &["check", "run.mcap/below.mcap"], 2, &["run.mcap/below.mcap", "path"]);
}

/// `--recover` is no cure for what is no database.
#[test]
fn a_db3_that_is_no_database() {
    let desk = Desk::with_lake();
    desk.write("run.db3", [b"SQLite format 3\0".as_slice(), &[0xff; 4096]].concat().as_slice());
    let outcome = desk.run(&["ingest", "run.db3"]);
    assert_eq!(outcome.code, 5, "{}", outcome.stderr);
    assert!(!outcome.stderr.contains("--recover"), "{}", outcome.stderr);
}

/// The help of a verb shows what the verb takes: the past can be read and not changed.
#[test]
fn help_offers_the_past_only_to_verbs_that_read() {
    let desk = Desk::new();
    for (verb, reads) in [("query", true), ("trace", true), ("ingest", false), ("measure", false)] {
        let help = desk.run(&[verb, "--help"]).expect_code(0);
        assert_eq!(help.stdout.contains("--at"), reads, "{verb}: {}", help.stdout);
    }
}
