//! `cargo xtask conformance [--check]`: the page that says how far each measure is from its reference.
//!
//! Invariant: nothing on the page is typed by hand; each row comes from golden tests that passed in this run.
//! The tests print one line for each case (`crates/measure/tests/conformance/mod.rs`); here they are grouped and sorted.
//! Rows on public recordings need the variable `TIEPOINT_PUBLIC_DATA`: without it the page is not written, and its other
//! rows are checked.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use serde_json::Value;

use crate::shell::{self, root};

const PAGE: &str = "docs/conformance.md";
const PUBLIC_DATA: &str = "TIEPOINT_PUBLIC_DATA";

/// The tests that hold golden cases, and no others.
const TESTS: &[&str] = &[
    "test",
    "-p",
    "tiepoint-measure",
    "-p",
    "tiepoint-assure",
    "--test",
    "golden",
    "--test",
    "distribution",
    "--test",
    "sensor_geometry",
    "--",
    "--show-output",
];

const ABOUT: &str = include_str!("conformance/about.md");

/// What makes a row one row: metric, mode, reference, version, inputs.
type Key = [String; 5];

#[derive(Clone, Copy, Default)]
struct Figures {
    cases: u64,
    numbers: u64,
    largest: f64,
}

/// What the tests said.
struct Findings {
    rows: BTreeMap<Key, Figures>,
    /// Every metric that the library knows.
    metrics: BTreeSet<String>,
}

/// Writes the page.
pub(crate) fn write() -> Result<(), String> {
    if std::env::var_os(PUBLIC_DATA).is_none() {
        let hint =
            "name the folder with the recordings of testdata/trajectory_public/PROVENANCE.md";
        return Err(format!("{PUBLIC_DATA} is not set\n\nhint: {hint}"));
    }
    let findings = run_tests()?;
    let path = root().join(PAGE);
    std::fs::create_dir_all(root().join("docs")).map_err(|e| format!("docs: {e}"))?;
    std::fs::write(&path, page(&findings)).map_err(|e| format!("{PAGE}: {e}"))?;
    println!("{PAGE}: {} rows", findings.rows.len());
    Ok(())
}

/// Fails where the page has other rows than the tests give. Differences may vary in their last digits and do not count.
pub(crate) fn check() -> Result<(), String> {
    let page = std::fs::read_to_string(root().join(PAGE)).map_err(|e| format!("{PAGE}: {e}"))?;
    let findings = run_tests()?;
    let has_public = std::env::var_os(PUBLIC_DATA).is_some();
    let compared = |row: &String| has_public || !row.contains("| public |");
    let given: BTreeSet<String> =
        page.lines().filter_map(without_difference).filter(compared).collect();
    let made: BTreeSet<String> =
        table(&findings.rows).lines().filter_map(without_difference).filter(compared).collect();
    let mut changes: Vec<String> = given.difference(&made).map(|row| format!("- {row}")).collect();
    changes.extend(made.difference(&given).map(|row| format!("+ {row}")));
    let mut named: BTreeSet<&str> =
        findings.rows.keys().map(|[metric, ..]| metric.as_str()).collect();
    if !has_public {
        named.extend(page.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next()));
    }
    let end = without_rows(&findings.metrics, &named);
    if !page.starts_with(ABOUT) || !page.ends_with(&end) {
        changes.push("the text, or the list of metrics without a row, differs".to_owned());
    }
    if !changes.is_empty() {
        let changes = changes.join("\n");
        return Err(format!(
            "{PAGE} is out of date:\n{changes}\n\nhint: `cargo xtask conformance`"
        ));
    }
    let skipped = if has_public { "" } else { "; those on public recordings were not checked" };
    println!("{PAGE}: {} rows are up to date{skipped}", made.len() - 1);
    Ok(())
}

fn run_tests() -> Result<Findings, String> {
    let (text, code) = shell::output(shell::cargo(TESTS)?)?;
    if code != 0 {
        return Err(format!("a golden test fails:\n{text}"));
    }
    let findings = read(&text)?;
    if findings.rows.is_empty() || findings.metrics.is_empty() {
        return Err("the golden tests printed no line for the page".to_owned());
    }
    Ok(findings)
}

/// Groups the lines of the tests.
fn read(text: &str) -> Result<Findings, String> {
    let mut findings = Findings { rows: BTreeMap::new(), metrics: BTreeSet::new() };
    for line in text.lines() {
        if let Some(metric) = line.strip_prefix("conformance metric: ") {
            findings.metrics.insert(metric.to_owned());
        }
        let Some(case) = line.strip_prefix("conformance: ") else { continue };
        let (key, figures) = parse(case).ok_or_else(|| format!("no case: {line}"))?;
        let row = findings.rows.entry(key).or_default();
        row.cases += 1;
        row.numbers += figures.numbers;
        row.largest = row.largest.max(figures.largest);
    }
    Ok(findings)
}

fn parse(case: &str) -> Option<(Key, Figures)> {
    let case: Value = serde_json::from_str(case).ok()?;
    let mut key = Key::default();
    for (place, name) in key.iter_mut().zip(["metric", "mode", "reference", "version", "inputs"]) {
        *place = case[name].as_str()?.to_owned();
    }
    let largest = case["largest"].as_f64()?;
    Some((key, Figures { cases: 1, numbers: case["numbers"].as_u64()?, largest }))
}

fn page(findings: &Findings) -> String {
    let named = findings.rows.keys().map(|[metric, ..]| metric.as_str()).collect();
    format!("{ABOUT}{}{}", table(&findings.rows), without_rows(&findings.metrics, &named))
}

fn table(rows: &BTreeMap<Key, Figures>) -> String {
    let mut text = String::from(
        "| metric | mode | reference | version | inputs | cases | numbers | largest difference |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for (key, figures) in rows {
        let Figures { cases, numbers, largest } = figures;
        let _ = writeln!(text, "| {} | {cases} | {numbers} | {largest:.1e} |", key.join(" | "));
    }
    text
}

/// The end of the page: what no golden test compares.
fn without_rows(metrics: &BTreeSet<String>, named: &BTreeSet<&str>) -> String {
    let has_row = |metric: &&String| {
        named.iter().any(|row| {
            let rest = metric.strip_prefix(row);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    };
    let missing: Vec<&String> = metrics.iter().filter(|metric| !has_row(metric)).collect();
    if missing.is_empty() {
        return "\nEvery metric of the library is compared with a reference.\n".to_owned();
    }
    let mut text = String::from(
        "\n## Metrics without a reference\n\n\
         No golden test compares these with a reference; \
         laws, and inputs whose answer is known, prove them.\n\n",
    );
    for metric in missing {
        let _ = writeln!(text, "- `{metric}`: no reference compared; laws");
    }
    text
}

/// A row of the table without its last column.
fn without_difference(line: &str) -> Option<String> {
    let (row, _) = line.strip_prefix("| ")?.strip_suffix(" |")?.rsplit_once(" | ")?;
    Some(format!("| {row} |"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(metric: &str, numbers: u64, largest: f64) -> String {
        format!(
            "conformance: {{\"metric\":\"{metric}\",\"mode\":\"one\",\"reference\":\"tool\",\
             \"version\":\"1.0\",\"inputs\":\"shipped\",\"numbers\":{numbers},\"largest\":{largest}}}"
        )
    }

    #[test]
    fn cases_of_one_row_are_added_and_the_largest_difference_kept() {
        let text = [line("b.c", 2, 1e-12), line("a", 1, 0.0), line("b.c", 3, 1e-13)].join("\n");
        let text = format!("running\n{text}\nconformance metric: b.c.d\nconformance metric: e\n");
        let findings = read(&text).unwrap();
        let page = page(&findings);
        let rows: Vec<&str> = page.lines().filter(|line| line.contains("| tool |")).collect();
        assert_eq!(
            rows,
            [
                "| a | one | tool | 1.0 | shipped | 1 | 1 | 0.0e0 |",
                "| b.c | one | tool | 1.0 | shipped | 2 | 5 | 1.0e-12 |",
            ]
        );
        assert!(page.ends_with("- `e`: no reference compared; laws\n") && !page.contains("b.c.d"));
        let row = without_difference(rows[1]).unwrap();
        assert_eq!(row, "| b.c | one | tool | 1.0 | shipped | 2 | 5 |");
    }

    #[test]
    fn a_page_without_a_gap_says_so() {
        let text = format!("{}\nconformance metric: a.b\n", line("a", 1, 0.0));
        let page = page(&read(&text).unwrap());
        assert!(page.ends_with("\nEvery metric of the library is compared with a reference.\n"));
    }

    #[test]
    fn a_line_that_is_no_case_is_an_error() {
        assert!(read("conformance: {\"metric\":\"a\"}").is_err());
    }
}
