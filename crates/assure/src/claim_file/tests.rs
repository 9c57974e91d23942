//! What is read, what is refused, and in which words.

use tiepoint_model::claim::{PositiveControlKind, Split, UnitChoice};

use super::*;
use crate::canonical_json;

const EXAMPLE: &str = include_str!("../judge/tests/claim.toml");

const KNOWN: [&str; 1] = ["position_error_mean"];

#[test]
fn the_example_is_read_and_has_one_cell() {
    let claim = parse_claim(EXAMPLE, &KNOWN).unwrap();
    assert_eq!(claim.unit, UnitChoice::Block { length_s: 30.0 });
    assert_eq!(claim.controls.positive, PositiveControlKind::Halves);
    assert!(matches!(claim.split, Split::ContiguousHalves { both_directions: true, .. }));
    assert_eq!((claim.cells.len(), claim.cells[0].name.as_str()), (1, "all"));
    assert_eq!(claim.metric.system(), Some("filter.gated"));
}

/// A claim read back from its canonical JSON is the same claim, with the same canonical JSON.
#[test]
fn a_claim_survives_its_canonical_json() {
    let claim = parse_claim(EXAMPLE, &KNOWN).unwrap();
    let text = canonical_json(&claim).unwrap();
    let again: Claim = serde_json::from_str(&text).unwrap();
    assert_eq!(again, claim);
    assert_eq!(canonical_json(&again).unwrap(), text);
    assert!(text.starts_with(r#"{"alpha":0.05,"cells":[{"name":"all","when":[]}],"controls":"#));
}

#[test]
fn each_fault_names_field_value_and_fix() {
    #[track_caller]
    fn check(from: &str, to: &str, message: &str, hint: &str) {
        assert!(EXAMPLE.contains(from), "{from}");
        let error = parse_claim(&EXAMPLE.replace(from, to), &KNOWN).unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
        assert!(error.hint().contains(hint), "{}", error.hint());
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
    check("value = 0.05", "value = -1.0", "`margin.value` is -1", "does not matter");
    check("alpha = 0.05", "alpha = 0.5", "`alpha` is 0.5", "0.05");
    check("alpha = 0.05", "alpha = nan", "`alpha` is NaN", "0.05");
    check("count = 20", "count = 19", "`seeds.count` is 19", "seeds.count = 20");
    check("length_s = 30.0", "length_s = 0.0", "`unit.length_s` is 0", "seconds");
    check("position_error_mean", "goodness", "`goodness`", "position_error_mean");
    check("\"measurement\"", "\"ranking\"", "`ranking`", "measurement");
    check("\"measurement\"", "\"safety\"", "`safety`", "worse = \"larger\"");
    check("alpha = 0.05", "alpha = 0.05\nworse = \"larger\"", "`measurement`", "neither side");
    check("alpha = 0.05", "alpha = 0.05\noutcome.kind = \"binary\"", "`binary`", "scenes as units");
    check("alpha = 0.05", "alpha = 0.05\nfamily = \"e_bh\"", "`e_bh`", "holm");
    check("positive = \"halves\"", "positive = { column = \"again\" }", "column", "halves");
    check("unit = \"m\" }", "unit = \"m\", column = \"c\" }", "column", "made here");
    let reserve = "alpha = 0.05\nreserve = { name = \"yard\", wealth = 1.5 }";
    check("alpha = 0.05", reserve, "`reserve.wealth` is 1.5", "0.05");
    check("format_version = 1", "format_version = 2", "is 2", "format_version = 1");
    check("statement = \"The", "statement = \"\" # \"The", "`statement` is empty", "reader");
    check("both_directions = true", "both_directions = false", "both_directions", "both");
    check("_times = 2.0", "_times = 1.0", "is 1, which", "two autocorrelation");
    check("\"within_run\"", "\"across_runs\"", "`unit.kind` is `block`", "within_run");
    check("clip_m = 1.0", "clip_m = inf", "metric.parameters", "finite");
    check("size = 0.3", "size = 0.0", "controls.negative.size", "corruption");
    check("expires_days = 90", "expires_days = 0", "expires_days", "days");
    let unread = "documentation";
    check("expires_days = 90", "expires_day = 90", "expires_day", unread);
    check("kind = \"block\"", "kind = \"block\"\nlenght_s = 3.0", "lenght_s", unread);
    check("positive = \"halves\"", "positive = \"none\"", "none", unread);
    check("base = \"7\"", "base = \"7\"\nstep = 2", "step", unread);
}

#[test]
fn cells_have_names_of_their_own_and_finite_limits() {
    let with = |cells: &str| parse_claim(&format!("{EXAMPLE}\n{cells}"), &KNOWN);
    let cell = "[[cells]]\nname = \"slow\"\nwhen = [{ descriptor = \"mean_speed_m_per_s\", \
                operator = \"<\", value = 0.3 }]\n";
    assert_eq!(with(cell).unwrap().cells[0].when[0].to_string(), "mean_speed_m_per_s < 0.3");
    assert!(with(&format!("{cell}{cell}")).unwrap_err().to_string().contains("`slow` twice"));
    let not_finite = cell.replace("0.3", "nan");
    assert!(with(&not_finite).unwrap_err().to_string().contains("cells.when.value"));
    assert!(with(&cell.replace("\"<\"", "\"==\"")).is_err());
}

#[test]
fn runs_need_a_bound_and_more_than_one_run() {
    let runs = EXAMPLE
        .replace("kind = \"block\"\nlength_s = 30.0", "kind = \"run\"")
        .replace("within_run", "across_runs")
        .replace("kind = \"contiguous_halves\"\n", "kind = \"by_run\"\n")
        .replace("both_directions = true\nguard_autocorrelation_times = 2.0\n", "");
    let error = parse_claim(&runs, &KNOWN).unwrap_err();
    assert!(error.to_string().contains("no bound"), "{error}");
    let bounded = runs.replace("alpha = 0.05", "alpha = 0.05\nbound = 1.0");
    assert!(parse_claim(&bounded, &KNOWN).is_ok());
    assert!(parse_claim(&bounded.replace("across_runs", "within_run"), &KNOWN).is_err());
}

/// A table of outcomes names its units, its columns and its controls, and nothing twice.
#[test]
fn tables_of_outcomes_declare_what_their_test_needs() {
    const TABLE: &str = r#"
format_version = 1
name = "yard"
statement = "The simulated yard may stand in for the real yard."
kind = "measurement"
task = "measuring docking"
real = "yard runs"
alpha = 0.05
bound = 1.0
independence = "across_runs"
expires_days = 90
unit = { kind = "run" }
metric = { id = "docked" }
margin = { value = 0.1, unit = "share", justification = "one dock in ten may be repeated" }
synthetic.outcomes = { file = "outcomes.csv", generator = "yard simulator 2.4" }
[controls]
positive = { column = "again" }
negative = { id = "slip", size = 0.1, unit = "share", column = "slipping" }
"#;
    let claim = parse_claim(TABLE, &[]).unwrap();
    assert_eq!((claim.split, claim.seeds.count), (Split::ByRun {}, 1));
    let text = crate::canonical_json(&claim).unwrap();
    assert_eq!(serde_json::from_str::<Claim>(&text).unwrap(), claim);
    #[track_caller]
    fn check(from: &str, to: &str, message: &str) {
        assert!(TABLE.contains(from), "{from}");
        let error = parse_claim(&TABLE.replace(from, to), &[]).unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
    }
    check(", column = \"slipping\"", "", "`controls.negative.column` is empty");
    check("{ column = \"again\" }", "{ column = \"real\" }", "another field names too");
    check("{ column = \"again\" }", "\"next_scan\"", "next_scan");
    check("kind = \"run\"", "kind = \"block\", length_s = 3.0", "block");
    check("kind = \"run\"", "kind = \"run\", count = 30", "a continuous outcome");
    check("bound = 1.0", "bound = 0.1", "above the margin");
    check("bound = 1.0", "seeds = { count = 20, base = \"1\" }\nbound = 1.0", "`seeds.count`");
    check("bound = 1.0", "outcome.kind = \"binary\"", "missing or 0");
    check("bound = 1.0", "outcome = { kind = \"binary\", treshold = 1.0 }", "treshold");
    check("file = \"outcomes.csv\"", "file = \"\"", "file` is empty");
    check("file =", "columns.system = \"robot\", file =", "`metric.parameters.system` is empty");
}
