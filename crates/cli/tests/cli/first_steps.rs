//! From an empty folder to a verified lake, as the README says it.

use super::{Desk, quickstart};

fn sena() -> String {
    quickstart("sena.mcap").to_string_lossy().into_owned()
}

#[test]
fn a_log_is_ingested_queried_traced_and_verified() {
    let desk = Desk::with_lake();
    let ingested = desk.run(&["ingest", &sena(), "--json"]).expect_code(0).json();
    let recording = &ingested["recordings"][0];
    assert_eq!(recording["name"], "sena");
    assert_eq!(recording["already_present"], false);
    let id = recording["recording_id"].as_str().unwrap();
    let scan = recording["channels"].as_array().unwrap().iter().find(|c| c["topic"] == "/scan");
    let scan = scan.unwrap();
    assert_eq!(scan["message_count"], 225);
    assert!(scan["start_time_ns"].is_string() && scan["end_time_ns"].is_string());
    assert!(scan["quality"]["rate_hz"].as_f64().unwrap() > 3.0);

    let sql = "SELECT count(*) AS scans FROM scans";
    let counted = desk.run(&["query", sql, "--json"]).expect_code(0).json();
    assert_eq!(counted["rows"][0]["scans"], 225);
    desk.run(&["query", sql, "--arrow", "out.arrow"]).expect_code(0);
    assert!(std::fs::read(desk.path("out.arrow")).unwrap().starts_with(b"ARROW1"));

    let traced = desk.run(&["trace", "sena", "--json"]).expect_code(0).json();
    assert!(traced["id"].as_str().unwrap().contains(id));
    let log = desk.run(&["log", "--json"]).expect_code(0).json();
    let verbs: Vec<&str> =
        log["entries"].as_array().unwrap().iter().map(|e| e["verb"].as_str().unwrap()).collect();
    assert_eq!(verbs, ["ingest", "init"]);
    desk.run(&["verify"]).expect_code(0);
}

#[test]
fn the_same_file_twice_adds_nothing() {
    let desk = Desk::with_lake();
    desk.run(&["ingest", &sena()]).expect_code(0);
    let before = desk.lake_files();
    let again = desk.run(&["ingest", &sena(), "--json"]).expect_code(0).json();
    assert_eq!(again["recordings"][0]["already_present"], true);
    assert_eq!(desk.lake_files(), before);
}

#[test]
fn a_dry_run_shows_everything_and_writes_nothing() {
    let desk = Desk::with_lake();
    let before = desk.lake_files();
    let shown = desk.run(&["ingest", &sena(), "--dry-run", "--json"]).expect_code(0).json();
    assert_eq!(shown["recordings"][0]["dry_run"], true);
    assert_eq!(desk.lake_files(), before);
}

#[test]
fn a_flipped_byte_in_an_original_is_found() {
    let desk = Desk::with_lake();
    desk.run(&["ingest", &sena()]).expect_code(0);
    let blob = desk.lake_files().into_iter().find(|(path, size)| {
        *size > 1000 && path.components().any(|part| part.as_os_str() == "blobs")
    });
    let path = blob.unwrap().0;
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[500] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let report = desk.run(&["verify", "--json"]).expect_code(1).json();
    let failed: Vec<&str> = report["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|check| check["passed"] == false)
        .map(|check| check["what"].as_str().unwrap())
        .collect();
    assert!(failed.contains(&"originals and other blobs"), "{failed:?}");
}

#[test]
fn two_writers_at_once_both_succeed() {
    let desk = Desk::with_lake();
    let files = [sena(), quickstart("uwb.mcap").to_string_lossy().into_owned()];
    std::thread::scope(|scope| {
        for file in &files {
            for _ in 0..2 {
                scope.spawn(|| desk.run(&["ingest", file]).expect_code(0));
            }
        }
    });
    let sql = "SELECT count(*) AS n FROM recordings";
    let counted = desk.run(&["query", sql, "--json"]).expect_code(0).json();
    assert_eq!(counted["rows"][0]["n"], 2);
    desk.run(&["verify"]).expect_code(0);
}

#[test]
fn an_init_that_was_cut_short_can_be_run_again() {
    let desk = Desk::with_lake();
    std::fs::remove_file(desk.path("lake/lake.json")).unwrap();
    desk.run(&["log"]).expect_code(2);
    desk.run(&["init", "lake"]).expect_code(0);
    desk.run(&["ingest", &sena()]).expect_code(0);
    desk.run(&["verify"]).expect_code(0);
    desk.run(&["init", "lake"]).expect_code(2);
}

#[test]
fn looking_first_makes_a_claim_exploratory() {
    let desk = Desk::with_lake();
    desk.run(&["ingest", &sena()]).expect_code(0);
    desk.run(&["twin", "sena"]).expect_code(0);
    desk.run(&["compare", "sena", "sena-twin-first"]).expect_code(0);
    let claim = quickstart("../../quickstart/14-short-run.toml").to_string_lossy().into_owned();
    let twice = desk.run(&["assess", &claim, &claim, "--out", "verdicts"]).expect_code(2);
    assert!(twice.stderr.contains("same name"), "{}", twice.stderr);
    desk.run(&["assess", &claim, "--out", "verdicts"]).expect_code(3);
    let report = std::fs::read_to_string(desk.path("verdicts/short-run.html")).unwrap();
    assert!(report.contains("xploratory"));
    let key = ["--key", "lake/key.pub"];
    desk.run(&[["verify", "verdicts/short-run.json"].as_slice(), &key].concat()).expect_code(0);
    // One changed character of the signed payload, and it is no verdict any more.
    let text = std::fs::read_to_string(desk.path("verdicts/short-run.json")).unwrap();
    let at = text.find("\"payload\":\"").unwrap() + 200;
    let other = if text.as_bytes()[at] == b'A' { "B" } else { "A" };
    desk.write("forged.json", format!("{}{other}{}", &text[..at], &text[at + 1..]).as_bytes());
    desk.run(&[["verify", "forged.json"].as_slice(), &key].concat()).expect_code(1);
    let twin = ["regenerate", "sena-twin-second", "--json"];
    assert_eq!(desk.run(&twin).expect_code(0).json()["is_identical"], true);
}

#[test]
fn the_help_lists_every_verb() {
    let help = Desk::new().run(&["--help"]).expect_code(0).stdout;
    let verbs = ["init", "ingest", "query", "log", "trace", "verify", "prove", "witness", "cosign"];
    for verb in verbs.into_iter().chain(["twin", "compare"]) {
        assert!(help.contains(&format!("  {verb} ")), "{verb} is missing:\n{help}");
    }
}
