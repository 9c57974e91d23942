//! Lineage as a user asks for it: rows up and down, and what is left of it when bodies were erased.

use serde_json::Value;

use super::{Desk, quickstart};

fn things<'a>(report: &'a Value, way: &str) -> Vec<&'a Value> {
    report[way].as_array().unwrap().iter().collect()
}

/// Kinds of the edges by which a part of a thing was come to, with their spans.
fn excerpts<'a>(report: &'a Value, way: &str, name: &str, part: &str) -> Vec<&'a Value> {
    let of_thing = things(report, way)
        .into_iter()
        .filter(|node| node["id"].as_str().unwrap().ends_with(&format!("({name})")));
    let all = of_thing.flat_map(|node| node["excerpts"].as_array().unwrap());
    all.filter(|excerpt| excerpt["part"].as_str().unwrap_or_default() == part).collect()
}

fn has_kind(excerpts: &[&Value], kind: &str) -> bool {
    let kinds = excerpts.iter().flat_map(|excerpt| excerpt["kinds"].as_array().unwrap());
    kinds.into_iter().any(|one| one == kind)
}

fn ids_like(desk: &Desk, prefix: &str) -> Vec<String> {
    let sql = format!(
        "SELECT DISTINCT child_id AS id FROM derivations WHERE child_id LIKE '{prefix}%' ORDER BY 1"
    );
    let found = desk.run(&["query", &sql, "--json"]).expect_code(0).json();
    let rows = found["rows"].as_array().unwrap();
    rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

/// A lake with a run with ground truth, its twins, a look, and a verdict with units.
fn lake_with_a_verdict() -> Desk {
    let desk = Desk::with_lake();
    let file = |name: &str| quickstart(name).to_string_lossy().into_owned();
    let truth = ["--ground-truth", &file("uwb.tum")];
    desk.run(&[["ingest", &file("uwb.mcap")].as_slice(), &truth].concat()).expect_code(0);
    desk.run(&["twin", "uwb"]).expect_code(0);
    let claim = file("../../quickstart/01-scan-noise.toml");
    let judged = desk.run(&["assess", &claim, "--out", "verdicts"]);
    assert!([0, 1, 3].contains(&judged.code), "{}", judged.stderr);
    desk
}

/// One lake for all, since a twin takes some seconds.
#[test]
fn rows_and_units_are_traced_both_ways_and_after_erasure_too() {
    let desk = lake_with_a_verdict();
    a_row_is_traced_to_what_was_fitted_on_it_and_no_further(&desk);
    a_unit_is_traced_to_its_rows_and_they_are_not_those_of_the_fit(&desk);
    lineage_between_rows_survives_the_erasure_of_every_body(&desk);
}

/// A row in the first half of the run: twins of the first half were fitted on it, twins of the second half were not;
/// upwards it comes from the log and not from the ground truth's file.
fn a_row_is_traced_to_what_was_fitted_on_it_and_no_further(desk: &Desk) {
    let row = desk.run(&["trace", "uwb/scan#3", "--json"]).expect_code(0).json();
    let twins = ["first", "second"].map(|half| {
        let nodes = things(&row, "descendants");
        let name = |node: &&Value| node["id"].as_str().unwrap().to_owned();
        let wanted = format!("uwb-twin-{half}");
        nodes.into_iter().map(|n| name(&n)).find(|id| id.contains(&wanted)).unwrap()
    });
    let bare = |title: &str| title.split_once('(').unwrap().1.trim_end_matches(')').to_owned();
    let [first, second] = twins.each_ref().map(|title| bare(title));
    assert!(has_kind(&excerpts(&row, "descendants", &first, "/scan"), "calibration"));
    assert!(!has_kind(&excerpts(&row, "descendants", &second, "/scan"), "calibration"));
    assert!(has_kind(&excerpts(&row, "descendants", &second, "/scan"), "anchor"));
    let up: Vec<&str> =
        things(&row, "ancestors").iter().map(|node| node["id"].as_str().unwrap()).collect();
    assert!(up.len() == 1 && up[0].ends_with("(uwb.mcap)"), "{up:?}");
    // By time and by number it is the same row.
    let at = format!("uwb//scan@{}", row["time_ns"].as_str().unwrap());
    let by_time = desk.run(&["trace", &at, "--json"]).expect_code(0).json();
    assert_eq!(by_time, row);
    let truth = desk.run(&["trace", "uwb/ground_truth", "--json"]).expect_code(0).json();
    assert!(things(&truth, "ancestors")[0]["id"].as_str().unwrap().ends_with("(uwb.tum)"));
}

/// A unit of a verdict names the rows it was measured on; by those edges it never meets a row that its twin was fitted on.
fn a_unit_is_traced_to_its_rows_and_they_are_not_those_of_the_fit(desk: &Desk) {
    let verdict = ids_like(desk, "verdict").remove(0);
    let units = "SELECT child_part AS part, parent_part AS topic, parent_start_time_ns AS start, \
                 parent_end_time_ns AS stop FROM derivations \
                 WHERE kind = 'validation' AND child_part LIKE 'first_to_second/%'";
    let units = desk.run(&["query", units, "--json"]).expect_code(0).json();
    let fits = "SELECT max(parent_end_time_ns) AS stop FROM derivations d JOIN recordings r \
                ON r.recording_id = d.child_id WHERE d.kind = 'calibration' AND r.name LIKE '%first%'";
    let fits = desk.run(&["query", fits, "--json"]).expect_code(0).json();
    let number = |value: &Value| -> i64 {
        value.as_str().map_or_else(|| value.as_i64(), |text| text.parse().ok()).unwrap()
    };
    let units = units["rows"].as_array().unwrap();
    assert!(units.len() > 2, "{units:?}");
    let fitted_to = number(&fits["rows"][0]["stop"]);
    assert!(units.iter().all(|unit| number(&unit["start"]) >= fitted_to), "{units:?} {fitted_to}");

    let unit = format!("{verdict}/{}", units[0]["part"].as_str().unwrap());
    let traced = desk.run(&["trace", &unit, "--json"]).expect_code(0).json();
    assert!(has_kind(&excerpts(&traced, "ancestors", "uwb", "/scan"), "validation"));
    let missing = desk.run(&["trace", &format!("{verdict}/first_to_second/9999")]).expect_code(2);
    assert!(missing.stderr.contains(&unit), "{}", missing.stderr);
    let row = desk.run(&["trace", "uwb/scan@x"]).expect_code(2);
    assert!(row.stderr.contains("RECORDING/TOPIC#ROW"), "{}", row.stderr);
    desk.run(&["trace", "uwb/scan#999999999"]).expect_code(2);
}

/// Without a single body the lake verifies, and what the table says is still told, by id and by name.
fn lineage_between_rows_survives_the_erasure_of_every_body(desk: &Desk) {
    let verdict = ids_like(desk, "verdict").remove(0);
    let before = desk.run(&["trace", "uwb/scan#3", "--json"]).expect_code(0).json();
    for body in std::fs::read_dir(desk.path("lake/bodies")).unwrap() {
        std::fs::remove_file(body.unwrap().path()).unwrap();
    }
    desk.run(&["verify", "--deep"]).expect_code(0);
    let after = desk.run(&["trace", "uwb/scan#3", "--json"]).expect_code(0).json();
    let without_names = |report: &Value| -> Vec<(String, Value)> {
        let nodes = report["ancestors"].as_array().unwrap().iter();
        let nodes = nodes.chain(report["descendants"].as_array().unwrap());
        let id = |node: &Value| node["id"].as_str().unwrap().split(' ').next().unwrap().to_owned();
        nodes.map(|node| (id(node), node["excerpts"].clone())).collect()
    };
    assert_eq!(without_names(&after), without_names(&before));
    assert!(after["erased_entries"].as_array().unwrap().len() > 3);
    let whole = desk.run(&["trace", &verdict, "--json"]).expect_code(0).json();
    assert!(whole["ancestors"].to_string().contains("(uwb)"));
    assert!(things(&whole, "ancestors").iter().all(|node| node["entry_index"].is_u64()));
}
