//! Claims on a table of outcomes, from the user's files to a signed verdict that is checked again.

use std::fmt::Write;

use tiepoint_model::Seed;

use super::{Desk, Outcome};

const CLAIM: &str = r#"
format_version = 1
name = "NAME"
statement = "The simulated yard may stand in for the real yard."
kind = "measurement"
task = "Measuring the docking error of release 7"
real = "yard runs of spring"
alpha = 0.05
bound = 1.0
independence = "across_runs"
expires_days = 90
unit = { kind = "run" }
metric = { id = "docking_error" }
margin = { value = 0.1, unit = "m", justification = "Half of the clearance of the dock." }
synthetic.outcomes = { file = "NAME.csv", generator = "yard simulator 2.4, seed 11" }

[controls]
positive = { column = "again" }
negative = { id = "wheel_slip", size = 0.1, unit = "share", column = "slipping" }
"#;

const BINARY: [(&str, &str); 3] = [
    ("bound = 1.0", "outcome.kind = \"binary\""),
    ("unit = { kind = \"run\" }", "unit = { kind = \"scene\", count = 300 }"),
    ("value = 0.1, unit = \"m\"", "value = 0.06, unit = \"share\""),
];

const SAFETY: (&str, &str) = ("kind = \"measurement\"", "kind = \"safety\"\nworse = \"larger\"");

/// Docking errors, metres, the synthetic ones off by this on average.
fn errors(count: usize, off_m: f64, scatter_m: f64) -> String {
    let mut draws = Seed(count as u64).draws(0, 0);
    let mut table = "unit,real,synthetic,again,slipping\n".to_owned();
    for unit in 0..count {
        let real = (0.3 + 0.05 * draws.normal()).clamp(0.0, 0.5);
        let again = (real + 0.03 * draws.normal()).clamp(0.0, 1.0);
        let synthetic = (real + off_m + scatter_m * draws.normal()).clamp(0.0, 1.0);
        writeln!(table, "run {unit},{real},{synthetic},{again},{}", real + 0.5).unwrap();
    }
    table
}

/// Failures, 1 or 0; every `alone`-th unit fails in the twin only, every `missed`-th really only.
fn failures(count: usize, alone: usize, missed: usize) -> String {
    let mut table = "unit,real,synthetic,again,slipping\n".to_owned();
    for unit in 0..count {
        let often = |every: usize| every > 0 && unit % every == every / 2;
        let real = unit % 5 == 0 || often(missed);
        let synthetic = (real || often(alone)) && !often(missed);
        let [real, synthetic] = [real, synthetic].map(u8::from);
        writeln!(table, "scene {unit},{real},{synthetic},{real},0").unwrap();
    }
    table
}

fn assess(desk: &Desk, name: &str, changes: &[(&str, &str)], table: &str) -> Outcome {
    let mut claim = CLAIM.replace("NAME", name);
    for (from, to) in changes {
        assert!(claim.contains(from), "{from}");
        claim = claim.replace(from, to);
    }
    desk.write(&format!("claims/{name}.toml"), claim.as_bytes());
    desk.write(&format!("claims/{name}.csv"), table.as_bytes());
    desk.run(&["assess", &format!("claims/{name}.toml"), "--lake", "lake", "--json"])
}

/// The answer, and that the signed file and its report can be checked.
#[track_caller]
fn answer_of(desk: &Desk, name: &str, outcome: &Outcome) -> String {
    let verdict = outcome.json()["verdicts"][0].clone();
    let file = format!("verdicts/{name}.json");
    let checked = desk.run(&["verify", &file, "--key", "lake/key.pub"]).expect_code(0);
    assert!(checked.stdout.contains("derived again from"), "{}", checked.stdout);
    let page = std::fs::read_to_string(desk.path(&format!("verdicts/{name}.html"))).unwrap();
    assert!(page.contains("What the test promises"), "{name}");
    verdict["answer"].as_str().unwrap().to_owned()
}

/// Name, changes of the claim, table of outcomes, exit status, answer.
type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], String, i32, &'a str);

/// Every kind of claim with every answer, on outcomes whose truth is known.
#[test]
fn each_kind_of_claim_gives_each_answer() {
    let desk = Desk::with_lake();
    let binary = &BINARY[..];
    let safe = &[SAFETY][..];
    let safe_binary = [binary, safe].concat();
    let cases: [Case<'_>; 11] = [
        ("runs-yes", &[], errors(120, 0.01, 0.08), 0, "supported"),
        ("runs-no", &[], errors(121, 0.3, 0.08), 1, "refuted"),
        ("runs-open", &[], errors(30, 0.01, 0.08), 3, "insufficient_evidence"),
        ("share-yes", binary, failures(300, 100, 100), 0, "supported"),
        ("share-no", binary, failures(300, 0, 6), 1, "refuted"),
        ("share-open", binary, failures(300, 14, 30), 3, "insufficient_evidence"),
        ("safe-no", safe, errors(123, -0.25, 0.05), 1, "refuted"),
        ("safe-open", safe, errors(20, 0.2, 0.05), 3, "insufficient_evidence"),
        ("safe-share-yes", &safe_binary, failures(300, 6, 150), 0, "supported"),
        ("safe-share-no", &safe_binary, failures(300, 0, 6), 1, "refuted"),
        ("safe-share-early", &safe_binary, failures(299, 0, 0), 3, "insufficient_evidence"),
    ];
    for (name, changes, table, code, expected) in cases {
        let outcome = assess(&desk, name, changes, &table).expect_code(code);
        assert_eq!(answer_of(&desk, name, &outcome), expected, "{name}");
    }
    // A twin that looks worse than the robot is safe; its own control must look better.
    let table = errors(122, 0.3, 0.08);
    let rows = table.lines().skip(1).map(|row| {
        let (rest, _) = row.rsplit_once(',').unwrap();
        format!("{rest},0\n")
    });
    let table = format!("unit,real,synthetic,again,slipping\n{}", rows.collect::<String>());
    let outcome = assess(&desk, "safe-runs", safe, &table).expect_code(0);
    assert_eq!(answer_of(&desk, "safe-runs", &outcome), "supported");
    desk.run(&["verify", "--lake", "lake"]).expect_code(0);
}

/// A verdict whose outcomes were changed is caught by its signature.
#[test]
fn a_changed_outcome_is_caught() {
    let desk = Desk::with_lake();
    assess(&desk, "yard", &[], &errors(120, 0.01, 0.08)).expect_code(0);
    let signed = std::fs::read_to_string(desk.path("verdicts/yard.json")).unwrap();
    let mut envelope: serde_json::Value = serde_json::from_str(&signed).unwrap();
    let payload = envelope["payload"].as_str().unwrap().to_owned();
    let at = payload.len() / 2;
    let other = if payload.as_bytes()[at] == b'A' { "B" } else { "A" };
    envelope["payload"] = format!("{}{other}{}", &payload[..at], &payload[at + 1..]).into();
    desk.write("forged.json", envelope.to_string().as_bytes());
    let checked = desk.run(&["verify", "forged.json", "--key", "lake/key.pub"]);
    assert_ne!(checked.code, 0, "{}", checked.stdout);
}

/// Betting may be read as the table grows; a row that changes, or another claim on rows that were
/// seen, makes the verdict exploratory.
#[test]
fn a_table_may_grow_and_not_change() {
    let desk = Desk::with_lake();
    let table = errors(150, 0.01, 0.08);
    let rows = |count: usize| -> String {
        table.lines().take(count + 1).map(|row| format!("{row}\n")).collect()
    };
    let exploratory = |outcome: &Outcome| outcome.json()["verdicts"][0]["exploratory"].clone();
    let few = assess(&desk, "yard", &[], &rows(40)).expect_code(3);
    assert!(exploratory(&few).is_null());
    let more = assess(&desk, "yard", &[], &rows(150)).expect_code(0);
    assert!(exploratory(&more).is_null(), "{}", exploratory(&more));
    let changed = rows(150).replace("run 7,", "run 7b,");
    let outcome = assess(&desk, "yard", &[], &changed).expect_code(0);
    assert!(exploratory(&outcome).as_str().unwrap().contains("no longer the first"));
    let wider = [("value = 0.1", "value = 0.2")];
    let outcome = assess(&desk, "yard-again", &wider, &rows(150)).expect_code(0);
    assert!(exploratory(&outcome).as_str().unwrap().contains("before this claim was committed"));
}

/// Every question of a reserve is charged once, before the data is opened; a spent reserve answers no
/// more, and its terms stand as they were opened.
#[test]
fn a_reserve_is_charged_for_every_question() {
    let desk = Desk::with_lake();
    let with = |wealth: &str| {
        format!("alpha = 0.02\nreserve = {{ name = \"yard-2026\", wealth = {wealth} }}")
    };
    let terms = with("0.05");
    let changes = [("alpha = 0.05", terms.as_str())];
    let table = errors(200, 0.01, 0.08);
    for (name, left) in [("first", 0.03), ("second", 0.01), ("second", 0.01)] {
        let outcome = assess(&desk, name, &changes, &table).expect_code(0);
        let verdict = &outcome.json()["verdicts"][0];
        assert!(verdict["exploratory"].is_null(), "{}", verdict["exploratory"]);
        let found = verdict["charge"]["wealth_left"].as_f64().unwrap();
        assert!((found - left).abs() < 1e-12, "{name} {found}");
    }
    let before = desk.run(&["log", "--lake", "lake", "--json"]).stdout;
    let refused = assess(&desk, "third", &changes, &table).expect_code(2);
    assert!(refused.stderr.contains("yard-2026") && refused.stderr.contains("fresh reserve"));
    assert_eq!(desk.run(&["log", "--lake", "lake", "--json"]).stdout, before);
    let other = with("0.5");
    let refused = assess(&desk, "third", &[("alpha = 0.05", &other)], &table).expect_code(2);
    assert!(refused.stderr.contains("opened with wealth 0.05"), "{}", refused.stderr);
}

/// Cells are named by the table, systems are told apart by it, and what is wrong is named.
#[test]
fn cells_systems_and_faults_of_a_table() {
    let desk = Desk::with_lake();
    let mut table = "unit,robot,surface,real,synthetic,again,slipping\n".to_owned();
    for (index, row) in errors(240, 0.0, 0.06).lines().skip(1).enumerate() {
        let (unit, rest) = row.split_once(',').unwrap();
        let surface = if index % 2 == 0 { "wet" } else { "dry" };
        writeln!(table, "{unit},r7,{surface},{rest}").unwrap();
        writeln!(table, "{unit},r8,{surface},0.1,0.9,0.1,0.1").unwrap();
    }
    let columns = "synthetic.outcomes = { columns = { cell = \"surface\", system = \"robot\" },";
    let changes = [
        ("synthetic.outcomes = {", columns),
        (
            "metric = { id = \"docking_error\" }",
            "metric = { id = \"docking_error\", parameters = { system = \"r7\" } }\ncells = [{ name = \"wet\" }, { name = \"dry\" }]",
        ),
    ];
    let outcome = assess(&desk, "surfaces", &changes, &table).expect_code(0);
    let cells = outcome.json()["verdicts"][0]["cells"].clone();
    assert_eq!(cells.as_array().unwrap().len(), 2);
    assert_eq!(cells[1]["directions"][0]["unit_count"], 120);
    let table = errors(120, 0.0, 0.08);
    let faults = [
        ("unit,real", "unit,reel", "`real`"),
        ("run 7,", "run 8,", "`run 8` stands in two rows"),
        ("run 7,", ",", "row 8 has no name"),
    ];
    for (index, (from, to, message)) in faults.into_iter().enumerate() {
        let broken = table.replace(from, to);
        let outcome = assess(&desk, &format!("fault-{index}"), &[], &broken).expect_code(2);
        assert!(outcome.stderr.contains(message), "{message}: {}", outcome.stderr);
    }
}
