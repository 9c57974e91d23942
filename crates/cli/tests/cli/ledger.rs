//! The ledger as outsiders and attackers meet it: proofs, witnesses, and one flipped byte in each kind of file.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{Desk, quickstart};

fn lake_with_two_recordings() -> Desk {
    let desk = Desk::with_lake();
    for name in ["uwb.mcap", "range_030.mcap"] {
        desk.run(&["ingest", quickstart(name).to_str().unwrap()]).expect_code(0);
    }
    desk
}

/// The files of the lake below a folder or of a name, sorted.
fn files(desk: &Desk, part: &str) -> Vec<PathBuf> {
    let all = desk.lake_files().into_iter().map(|(path, _)| path);
    all.filter(|path| path.to_string_lossy().contains(part)).collect()
}

fn failed(report: &serde_json::Value) -> String {
    let checks = report["checks"].as_array().unwrap();
    let failed: Vec<_> = checks.iter().filter(|check| check["passed"] == false).collect();
    serde_json::to_string(&failed).unwrap()
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn an_ingest_returns_a_proof_that_checks_without_the_lake() {
    let desk = Desk::with_lake();
    let log = quickstart("range_030.mcap");
    let ingested = desk.run(&["ingest", log.to_str().unwrap(), "--json"]).expect_code(0).json();
    let recording = &ingested["recordings"][0];
    let proof = recording["proof"]["tlog_proof"].as_str().unwrap();
    fs::copy(desk.path("lake/key.pub"), desk.path("key.pub")).unwrap();
    desk.write("entry.tlog-proof", proof.as_bytes());
    desk.write("entry.json", recording["proof"].to_string().as_bytes());
    let id = recording["recording_id"].as_str().unwrap();
    let again = desk.run(&["prove", id]).expect_code(0);
    assert_eq!(again.stdout.trim(), proof.trim(), "the same head gives the same proof");
    fs::rename(desk.path("lake"), desk.path("elsewhere")).unwrap();
    for file in ["entry.tlog-proof", "entry.json"] {
        let found = desk.run(&["verify", file, "--key", "key.pub"]).expect_code(0);
        assert!(found.stdout.contains(id), "{}", found.stdout);
    }
    let changed = proof.replace("index 1", "index 0");
    desk.write("entry.tlog-proof", changed.as_bytes());
    desk.run(&["verify", "entry.tlog-proof", "--key", "key.pub"]).expect_code(1);
    desk.write("no.proof", b"something else");
    desk.run(&["verify", "no.proof", "--key", "key.pub"]).expect_code(2);
}

#[test]
fn growth_is_proved_from_every_earlier_head() {
    let desk = Desk::with_lake();
    fs::copy(desk.path("lake/checkpoint"), desk.path("old")).unwrap();
    desk.run(&["ingest", quickstart("range_030.mcap").to_str().unwrap()]).expect_code(0);
    desk.run(&["prove", "--from", "1", "--out", "growth"]).expect_code(0);
    let verify = ["verify", "growth", "--key", "lake/key.pub", "--old", "old"];
    let found = desk.run(&verify).expect_code(0);
    assert!(found.stdout.contains("from 1 entries to 2"), "{}", found.stdout);
    // Without the earlier head nobody can say what it grew from.
    desk.run(&verify[..4]).expect_code(1);
    desk.run(&["prove", "--from", "7"]).expect_code(2);
}

#[test]
fn a_witness_refuses_a_truncated_an_edited_and_a_forked_ledger() {
    let desk = Desk::with_lake();
    copy_folder(&desk.path("lake"), &desk.path("short"));
    desk.run(&["ingest", quickstart("uwb.mcap").to_str().unwrap()]).expect_code(0);
    let witness = ["witness", "--name", "witness.example/w1"];
    let line = desk.run(&witness).expect_code(0).stdout;
    assert!(line.starts_with("\u{2014} witness.example/w1 "), "{line}");
    desk.write(
        "witness.pub",
        &fs::read(desk.path("config/witness/witness.example#w1/key.pub")).unwrap(),
    );
    let asked = ["verify", "--witness-key", "witness.pub"];
    desk.run(&asked).expect_code(0);
    // A proof made now carries the witness's line.
    desk.run(&["prove", "1", "--out", "p.tlog-proof"]).expect_code(0);
    let proof = ["verify", "p.tlog-proof", "--key", "lake/key.pub", "--witness-key", "witness.pub"];
    let found = desk.run(&proof).expect_code(0);
    assert!(found.stdout.contains("cosigned at"), "{}", found.stdout);

    // Two histories with the same first entry, both signed by the log's own key.
    let fork = ["--lake", "short"];
    let log = quickstart("range_030.mcap");
    desk.run(&[&["ingest", log.to_str().unwrap()], &fork[..]].concat()).expect_code(0);
    let refused = desk.run(&[&witness[..], &fork[..]].concat()).expect_code(5);
    assert!(refused.stderr.contains("not a continuation"), "{}", refused.stderr);
    desk.run(&[&asked[..], &fork[..]].concat()).expect_code(1);
    // The forked lake with the honest one's cosigned head beside it.
    copy_folder(&desk.path("lake/cosigned"), &desk.path("short/cosigned"));
    let found = desk.run(&[&["verify"], &fork[..]].concat()).expect_code(1);
    assert!(found.stdout.contains("edited or forked"), "{}", found.stdout);

    // An older copy of the lake: shorter than what was seen.
    let old = Desk { folder: tempfile::tempdir().unwrap() };
    copy_folder(&desk.path("lake"), &old.path("lake"));
    copy_folder(&desk.path("config"), &old.path("config"));
    desk.run(&["ingest", log.to_str().unwrap()]).expect_code(0);
    desk.run(&witness).expect_code(0);
    copy_folder(&desk.path("config/witness"), &old.path("config/witness"));
    let refused = old.run(&witness).expect_code(5);
    assert!(refused.stderr.contains("had 3 entries when it was last seen"), "{}", refused.stderr);
}

/// Two histories shown to one witness at the same moment: at most one of them is ever cosigned.
#[test]
fn a_witness_asked_twice_at_once_cosigns_one_history() {
    let desk = Desk::with_lake();
    copy_folder(&desk.path("lake"), &desk.path("fork"));
    desk.run(&["ingest", quickstart("uwb.mcap").to_str().unwrap()]).expect_code(0);
    let log = quickstart("range_030.mcap");
    desk.run(&["ingest", log.to_str().unwrap(), "--lake", "fork"]).expect_code(0);
    // The key first, so that the two race for what was seen and nothing else.
    desk.run(&["init", "other"]).expect_code(0);
    desk.run(&["witness", "--name", "w", "--lake", "other"]).expect_code(0);
    let ask = |lake| desk.run(&["witness", "--name", "w", "--lake", lake]).code;
    let codes = std::thread::scope(|scope| {
        let asked = ["lake", "fork"].map(|lake| scope.spawn(move || ask(lake)));
        asked.map(|asked| asked.join().unwrap())
    });
    assert_eq!(codes.iter().filter(|code| **code == 0).count(), 1, "{codes:?}");
    assert!(codes.iter().all(|code| [0, 4, 5].contains(code)), "{codes:?}");
    // Asked again, the one that lost is a fork.
    let lost = if codes[0] == 0 { "fork" } else { "lake" };
    assert_eq!(ask(lost), 5);
}

#[test]
fn a_line_from_elsewhere_is_stored_only_beside_its_own_head() {
    let desk = lake_with_two_recordings();
    desk.run(&["prove", "--from", "0", "--out", "request"]).expect_code(0);
    let arguments = ["witness", "request", "--name", "w", "--log-key", "lake/key.pub"];
    let line = desk.run(&arguments).expect_code(0).stdout;
    desk.write("line", line.as_bytes());
    desk.write("w.pub", &fs::read(desk.path("config/witness/w/key.pub")).unwrap());
    desk.run(&["cosign", "line", "--witness-key", "w.pub"]).expect_code(0);
    desk.run(&["verify", "--witness-key", "w.pub"]).expect_code(0);
    desk.write("line", line.replace(' ', "  ").as_bytes());
    desk.run(&["cosign", "line", "--witness-key", "w.pub"]).expect_code(5);
    // The same request again proves growth from 0, and the witness has seen more by now.
    desk.run(&arguments).expect_code(2);
}

#[test]
fn a_log_shorter_than_its_signed_head_is_read_and_never_extended() {
    let desk = lake_with_two_recordings();
    let last = files(&desk, "lake/log/").pop().unwrap();
    fs::remove_file(&last).unwrap();
    let found = desk.run(&["verify"]).expect_code(1);
    assert!(found.stdout.contains("truncated"), "{}", found.stdout);
    let log = quickstart("sena.mcap");
    let refused = desk.run(&["ingest", log.to_str().unwrap()]).expect_code(5);
    assert!(refused.stderr.contains("had 3 entries when it was last seen"), "{}", refused.stderr);
    assert!(!last.exists());
}

#[test]
fn an_entry_replaced_with_good_checksums_is_found() {
    let (desk, other) = (Desk::with_lake(), Desk::with_lake());
    desk.run(&["ingest", quickstart("uwb.mcap").to_str().unwrap()]).expect_code(0);
    other.run(&["ingest", quickstart("range_030.mcap").to_str().unwrap()]).expect_code(0);
    let (target, source) = (files(&desk, "lake/log/"), files(&other, "lake/log/"));
    fs::copy(&source[1], &target[1]).unwrap();
    let found = desk.run(&["verify"]).expect_code(1);
    assert!(found.stdout.contains("edited or forked"), "{}", found.stdout);
}

#[test]
fn an_erased_body_leaves_the_lake_verifiable_and_is_named() {
    let desk = lake_with_two_recordings();
    // The body of the last entry, found by the log's own words.
    let commit = fs::read_to_string(files(&desk, "lake/log/").pop().unwrap()).unwrap();
    let entry: serde_json::Value = serde_json::from_str(commit.lines().nth(1).unwrap()).unwrap();
    let body = format!("lake/bodies/{}", entry["body_commitment"].as_str().unwrap());
    fs::remove_file(desk.path(&body)).unwrap();
    let found = desk.run(&["verify", "--deep"]).expect_code(0);
    assert!(found.stdout.contains("1 erased: entries 2"), "{}", found.stdout);
    let log = desk.run(&["log"]).expect_code(0);
    assert!(log.stdout.contains("(erased)"), "{}", log.stdout);
    desk.run(&["prove", "2", "--out", "p"]).expect_code(0);
    desk.run(&["verify", "p", "--key", "lake/key.pub"]).expect_code(0);
}

#[test]
fn lost_and_stale_tiles_are_named_and_written_again() {
    let desk = lake_with_two_recordings();
    let tiles = files(&desk, "lake/tile/");
    assert_eq!(tiles.len(), 2, "older partial tiles are replaced: {tiles:?}");
    let good: Vec<Vec<u8>> = tiles.iter().map(|path| fs::read(path).unwrap()).collect();
    fs::remove_file(&tiles[0]).unwrap();
    fs::write(&tiles[1], b"stale").unwrap();
    let found = failed(&desk.run(&["verify", "--json"]).expect_code(1).json());
    assert!(found.contains("tile/0/000.p/3"), "{found}");
    assert!(found.contains("tile/entries/000.p/3"), "{found}");
    // Proofs do not depend on them.
    desk.run(&["prove", "1", "--out", "p"]).expect_code(0);
    desk.run(&["verify", "p", "--key", "lake/key.pub"]).expect_code(0);
    desk.run(&["verify", "--repair"]).expect_code(0);
    let again: Vec<Vec<u8>> = tiles.iter().map(|path| fs::read(path).unwrap()).collect();
    assert_eq!(again, good);
}

/// Kinds of files, what the report calls the damaged one, and whether it must say which recording is affected.
const KINDS: &[(&str, bool)] = &[
    ("lake/lake.json", false),
    ("lake/key.pub", false),
    ("lake/log/", true),
    ("lake/bodies/", true),
    ("lake/checkpoint", true),
    ("lake/tile/0/", false),
    ("lake/tile/entries/", true),
    ("lake/cosigned/", true),
    ("lake/blobs/", true),
    ("lake/files/", true),
    ("/data/", true),
    ("/_versions/d", true),
    ("/_transactions/1-", true),
];

/// First, middle and last byte of the last file of each kind: each flip is found, and the file is named.
/// Lance's `latest_version_hint.json` is no such kind: no reader of a lake looks at it.
#[test]
fn one_flipped_byte_in_any_kind_of_file_is_found_and_named() {
    let desk = lake_with_two_recordings();
    desk.run(&["witness", "--name", "w"]).expect_code(0);
    desk.run(&["verify", "--deep"]).expect_code(0);
    for (kind, says_what) in KINDS {
        let mut found = files(&desk, kind);
        if *kind == "lake/log/" {
            // The first commits make tables; the last two make recordings.
            found = found.split_off(1);
        }
        let path = found.first().unwrap_or_else(|| panic!("no file of kind {kind}")).clone();
        let good = fs::read(&path).unwrap();
        for at in [0, good.len() / 2, good.len() - 1] {
            let mut changed = good.clone();
            changed[at] ^= 1;
            fs::write(&path, changed).unwrap();
            let report = desk.run(&["verify", "--json"]).expect_code(1).json();
            let failed = failed(&report);
            let name = path.strip_prefix(desk.path("lake")).unwrap().to_str().unwrap();
            assert!(failed.contains(name), "byte {at} of {name} is not named: {failed}");
            if *says_what {
                assert!(failed.contains("rec-") || failed.contains("entry 0"), "{name}: {failed}");
            }
        }
        fs::write(&path, good).unwrap();
    }
    desk.run(&["verify", "--deep"]).expect_code(0);
}
