//! The judge itself, from a claim and a table of outcomes to a verdict: what each kind of claim
//! answers on data whose truth is known, and how often it errs.
//!
//! Controls are made so that they come out as they must: an answer is then that of the test.

use std::collections::BTreeMap;

use tiepoint_assure::{
    DirectionEvidence, Evidence, SampleSeries, judge, parse_claim, recompute, sentence,
};
use tiepoint_model::{
    Digest, Seed, Timestamp,
    claim::Claim,
    seed::Draws,
    verdict::{Answer, Sides, TestKind, UnitValues, Verdict},
};

use crate::{assert_at_least, assert_at_most, share};

const CLAIM: &str = r#"
format_version = 1
name = "yard-runs"
statement = "The simulated yard may stand in for the real yard."
kind = "measurement"
task = "measuring the docking error of release 7"
real = "yard runs of spring"
alpha = 0.05
bound = 1.0
independence = "across_runs"
expires_days = 90
unit = { kind = "run" }
metric = { id = "docking_error", parameters = { system = "release-7" } }
margin = { value = 0.1, unit = "m", justification = "half of the clearance of the dock" }

[synthetic.outcomes]
file = "outcomes.csv"
generator = "yard simulator 2.4, seed 11"

[controls]
positive = { column = "real_again" }
negative = { id = "wheel slip", size = 0.1, unit = "share", column = "slipping" }
"#;

fn claim(changes: &[(&str, &str)]) -> Claim {
    let mut text = CLAIM.to_owned();
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    parse_claim(&text, &[]).unwrap()
}

/// One row of the table.
#[derive(Clone, Copy)]
struct Row {
    real: f64,
    synthetic: f64,
    again: f64,
    corrupted: f64,
    cell: Option<&'static str>,
}

fn evidence(rows: &[Row]) -> Evidence {
    let unit = |(unit_index, row): (usize, &Row)| UnitValues {
        unit_index,
        unit: Some(format!("run {unit_index}")),
        cell: row.cell.map(str::to_owned),
        start_ns: None,
        end_ns: None,
        sample_count: 1,
        descriptors: BTreeMap::new(),
        real: Some(row.real),
        synthetic_by_seed: vec![Some(row.synthetic)],
        negative_control_by_seed: vec![Some(row.corrupted)],
        positive_control: Some(row.again),
    };
    Evidence {
        claim_digest: Digest([7; 32]),
        judged_at_ns: Timestamp(1_000),
        directions: vec![DirectionEvidence {
            direction: "pairs".to_owned(),
            fitted_on: "elsewhere".to_owned(),
            tested_on: "yard runs of spring".to_owned(),
            guard_s: 0.0,
            units: rows.iter().enumerate().map(unit).collect(),
            differences: SampleSeries::default(),
        }],
        reference: None,
        inspected_before: None,
        vetoes: Vec::new(),
        fitted: Vec::new(),
        inputs: BTreeMap::new(),
        charge: None,
    }
}

/// Errors of a run in metres: real near .3, synthetic off by a mean and a scatter.
fn metres(draws: &mut Draws, mean: f64, sd: f64) -> Row {
    let real = (0.3 + 0.05 * draws.normal()).clamp(0.0, 0.5);
    let again = (real + 0.05 * draws.normal()).clamp(0.0, 1.0);
    let synthetic = (real + mean + sd * draws.normal()).clamp(0.0, 1.0);
    Row { real, synthetic, again, corrupted: (real + 0.5).min(1.0), cell: None }
}

/// Failures, 1 or 0: the real run fails one time in five; the twin fails alone, or not with it,
/// with the given chances.
fn failures(draws: &mut Draws, alone: f64, missed: f64) -> Row {
    let real = f64::from(u8::from(draws.uniform() < 0.2));
    let drawn = draws.uniform();
    // The chances are of all pairs, and each can happen in a part of them only.
    let flips = if real > 0.0 { drawn < missed / 0.2 } else { drawn < alone / 0.8 };
    let synthetic = if flips { 1.0 - real } else { real };
    let again = if draws.uniform() < 0.005 { 1.0 - real } else { real };
    Row { real, synthetic, again, corrupted: 0.0, cell: None }
}

fn rows(count: usize, seed: u64, mut row: impl FnMut(&mut Draws) -> Row) -> Vec<Row> {
    let mut draws = Seed(seed).draws(0, 0);
    (0..count).map(|_| row(&mut draws)).collect()
}

#[track_caller]
fn check(claim: &Claim, rows: &[Row], answer: Answer, reason: &str) -> Verdict {
    let verdict = judge(claim, &evidence(rows)).unwrap();
    assert_eq!(verdict.answer, answer, "{}", verdict.reason);
    assert!(verdict.reason.contains(reason), "{}", verdict.reason);
    assert_eq!(recompute(&verdict), Ok(()));
    verdict
}

use Answer::{InsufficientEvidence, Refuted, Supported};

#[test]
fn measurements_on_runs_are_bet_on() {
    let claim = claim(&[]);
    let good = rows(120, 1, |d| metres(d, 0.01, 0.08));
    let verdict = check(&claim, &good, Supported, "every declared cell");
    let direction = &verdict.cells[0].directions[0];
    let test = direction.test.unwrap();
    assert_eq!((test.kind, test.sides), (TestKind::Betting, Sides::Both));
    assert!(direction.guarantee.contains("however often one looks"), "{}", direction.guarantee);
    assert!(direction.e_equivalence.unwrap() > 1.0 && test.smallest_passing_margin < 0.1);
    let said = sentence(&verdict);
    assert!(said.starts_with("Across the runs measured, at their sites only: yes"), "{said}");
    let bad = rows(120, 2, |d| metres(d, 0.3, 0.08));
    check(&claim, &bad, Refuted, "outside the margin");
    let few = check(&claim, &good[..30], InsufficientEvidence, "30 runs cannot suffice");
    let needed = few.cells[0].directions[0].unit_count_needed.unwrap();
    assert!((32..120).contains(&needed), "{needed}");
    let wide = rows(60, 3, |d| metres(d, 0.03, 0.3));
    let verdict = check(&claim, &wide, InsufficientEvidence, "are needed");
    assert!(sentence(&verdict).contains("runs are needed, and 60 were measured"));
}

const BINARY: [(&str, &str); 3] = [
    (
        "unit = { kind = \"run\" }",
        "unit = { kind = \"scene\", count = 300 }\noutcome.kind = \"binary\"",
    ),
    ("bound = 1.0\n", ""),
    ("value = 0.1, unit = \"m\"", "value = 0.06, unit = \"share\""),
];

#[test]
fn measurements_of_outcomes_are_tested_exactly_at_the_declared_number() {
    let claim = claim(&BINARY);
    let good = rows(300, 4, |d| failures(d, 0.005, 0.005));
    let verdict = check(&claim, &good, Supported, "every declared cell");
    let direction = &verdict.cells[0].directions[0];
    assert_eq!(direction.test.unwrap().kind, TestKind::ExactPairs);
    assert!(direction.guarantee.contains("number was fixed before"), "{}", direction.guarantee);
    let bad = rows(300, 5, |d| failures(d, 0.0, 0.18));
    check(&claim, &bad, Refuted, "outside the margin");
    let near = rows(300, 6, |d| failures(d, 0.05, 0.03));
    let verdict = check(&claim, &near, InsufficientEvidence, "are needed");
    assert!(verdict.cells[0].directions[0].unit_count_needed.unwrap() > 300);
    // Before and after the declared number nothing is read, neither way.
    check(&claim, &good[..299], InsufficientEvidence, "299 scenes were measured and 300 declared");
    check(&claim, &bad[..299], InsufficientEvidence, "300 declared");
    let more = rows(301, 4, |d| failures(d, 0.005, 0.005));
    check(&claim, &more, InsufficientEvidence, "301 scenes were measured");
}

/// The twin may fail more often than the real robot, and never less often by the margin.
#[test]
fn safety_of_outcomes_is_one_sided() {
    let worse = ("kind = \"measurement\"", "kind = \"safety\"\nworse = \"larger\"");
    let claim = claim(&[&BINARY[..], &[worse]].concat());
    let pessimistic = rows(300, 7, |d| failures(d, 0.3, 0.002));
    let verdict = check(&claim, &pessimistic, Supported, "not optimistic");
    let test = verdict.cells[0].directions[0].test.unwrap();
    assert_eq!((test.sides, test.p_upper), (Sides::NotBelow, 0.0));
    assert!(sentence(&verdict).contains("looks better than real data by at most"));
    let optimistic = rows(300, 8, |d| failures(d, 0.0, 0.18));
    check(&claim, &optimistic, Refuted, "below minus the margin");
    let near = rows(300, 9, |d| failures(d, 0.02, 0.06));
    check(&claim, &near, InsufficientEvidence, "are needed");
}

#[test]
fn safety_of_errors_is_one_sided_and_may_be_read_at_any_time() {
    let claim = claim(&[("kind = \"measurement\"", "kind = \"safety\"\nworse = \"larger\"")]);
    let mirrored = |row: Row| Row { corrupted: (row.real - 0.3).max(0.0), ..row };
    let pessimistic = rows(150, 10, |d| mirrored(metres(d, 0.3, 0.1)));
    check(&claim, &pessimistic, Supported, "not optimistic");
    let optimistic = rows(150, 11, |d| mirrored(metres(d, -0.25, 0.05)));
    check(&claim, &optimistic, Refuted, "below minus the margin");
    check(&claim, &pessimistic[..20], InsufficientEvidence, "cannot suffice");
    // Where success is measured, less is worse: the same numbers, the other way round.
    let success = claim_of_success();
    let turned = |row: &Row| Row {
        real: 1.0 - row.real,
        synthetic: 1.0 - row.synthetic,
        again: 1.0 - row.again,
        corrupted: 1.0 - row.corrupted,
        cell: None,
    };
    let rows: Vec<Row> = optimistic.iter().map(turned).collect();
    check(&success, &rows, Refuted, "lies above the margin");
    let rows: Vec<Row> = pessimistic.iter().map(turned).collect();
    check(&success, &rows, Supported, "not optimistic");
}

fn claim_of_success() -> Claim {
    claim(&[("kind = \"measurement\"", "kind = \"safety\"\nworse = \"smaller\"")])
}

/// A threshold makes outcomes of a metric, and the published values stay those of the metric.
#[test]
fn a_threshold_makes_successes_and_failures() {
    let threshold =
        ("outcome.kind = \"binary\"", "outcome = { kind = \"binary\", threshold = 0.45 }");
    let binary: Vec<(&str, &str)> = BINARY.iter().map(|(from, to)| (*from, *to)).collect();
    let claim = claim(&[&binary[..], &[threshold]].concat());
    let good = rows(300, 12, |d| {
        let row = metres(d, 0.0, 0.0);
        let real = row.real + if d.uniform() < 0.2 { 0.3 } else { -0.1 };
        Row { real, synthetic: real + 0.01, again: real - 0.01, corrupted: 0.0, cell: None }
    });
    let verdict = check(&claim, &good, Supported, "");
    let unit = &verdict.evidence.units[0];
    assert!(unit.values.real.unwrap().fract() != 0.0 && unit.difference == Some(0.0));
}

/// Cells are named by the table, judged alone and never pooled.
#[test]
fn cells_of_a_table_are_judged_alone_by_holm_and_by_e_values() {
    let cells = (
        "[synthetic.outcomes]",
        "cells = [{ name = \"wet\" }, { name = \"dry\" }]\n[synthetic.outcomes]",
    );
    let column = ("generator =", "columns.cell = \"surface\"\ngenerator =");
    let by_e = ("alpha = 0.05", "alpha = 0.05\nfamily = \"e_bh\"");
    let mut wet = true;
    let both = rows(400, 13, |d| {
        wet = !wet;
        Row { cell: Some(if wet { "wet" } else { "dry" }), ..metres(d, 0.0, 0.08) }
    });
    let slippery = |row: &Row| match row.cell {
        Some("wet") => Row { synthetic: (row.synthetic + 0.3).min(1.0), ..*row },
        _ => *row,
    };
    let mixed: Vec<Row> = both.iter().map(slippery).collect();
    for family in [&[cells, column][..], &[cells, column, by_e]] {
        let claim = claim(family);
        let verdict = check(&claim, &both, Supported, "");
        assert_eq!(verdict.cells[0].directions[0].unit_count, 200);
        assert!(verdict.cells[1].p_equivalence_adjusted.unwrap() <= 0.05);
        let verdict = check(&claim, &mixed, Refuted, "cell `wet`");
        assert_eq!(verdict.cells[1].answer, Supported);
    }
    // e-BH turns e-values into p; the larger of two stays, the smaller is doubled.
    let verdict = judge(&claim(&[cells, column, by_e]), &evidence(&both)).unwrap();
    let p = |cell: usize| 1.0 / verdict.cells[cell].directions[0].e_equivalence.unwrap();
    let largest = verdict.cells.iter().filter_map(|cell| cell.p_equivalence_adjusted);
    assert_eq!(largest.fold(0.0, f64::max), p(0).max(p(1)));
}

/// Whatever outcome is changed after signing, the verdict no longer follows from its units.
#[test]
fn a_tampered_outcome_is_found() {
    let verdicts = [
        judge(&claim(&[]), &evidence(&rows(120, 1, |d| metres(d, 0.01, 0.08)))).unwrap(),
        judge(&claim(&BINARY), &evidence(&rows(300, 4, |d| failures(d, 0.005, 0.005)))).unwrap(),
    ];
    for verdict in verdicts {
        let found = |change: &dyn Fn(&mut Verdict)| {
            let mut forged = verdict.clone();
            change(&mut forged);
            recompute(&forged).unwrap_err().path
        };
        assert!(
            !found(&|v| v.evidence.units[3].values.synthetic_by_seed[0] = Some(0.9)).is_empty()
        );
        assert!(!found(&|v| v.evidence.units[3].values.real = None).is_empty());
        assert!(!found(&|v| v.evidence.units.truncate(50)).is_empty());
        assert!(!found(&|v| v.claim.margin.value = 0.5).is_empty());
        assert_eq!(
            found(&|v| v.cells[0].directions[0].guarantee.clear()),
            "cells[0].directions[0].guarantee"
        );
        assert_eq!(
            found(&|v| v.cells[0].directions[0].test.as_mut().unwrap().p_upper = 0.0),
            "cells[0].directions[0].test.p_upper"
        );
    }
}

#[test]
fn outcomes_must_be_zero_or_one_and_within_the_bound() {
    let mut given = rows(300, 4, |d| failures(d, 0.0, 0.0));
    given[7].again = 0.5;
    let error = judge(&claim(&BINARY), &evidence(&given)).unwrap_err();
    assert!(error.to_string().contains("unit 7") && error.hint().contains("threshold"), "{error}");
    let mut far = rows(120, 1, |d| metres(d, 0.01, 0.08));
    far[2].synthetic = 1.6;
    let error = judge(&claim(&[]), &evidence(&far)).unwrap_err();
    assert!(error.to_string().contains("beyond the bound 1"), "{error}");
}

/// False by just the margin, judged after every 20 of 400 runs and stopped at the first support:
/// 5 % is promised, however often one looks.
#[test]
fn the_judge_keeps_its_level_under_peeking() {
    let claim = claim(&[]);
    let supported = share(400, 41, |draws| {
        // A synthetic value in the middle of its range, so that clipping moves no mean.
        let all: Vec<Row> = (0..400).map(|_| metres(draws, 0.1, 0.1)).collect();
        (2..=20)
            .any(|look| judge(&claim, &evidence(&all[..20 * look])).unwrap().answer == Supported)
    });
    assert_at_most(supported, 0.05, 400);
}

/// At no difference and a scatter of .15, 200 runs support nine times in ten, and the number that
/// the judge asks for after 60 runs supports about four times in five.
#[test]
fn the_judge_finds_what_is_true() {
    let claim = claim(&[]);
    let supported = share(200, 42, |draws| {
        let all: Vec<Row> = (0..200).map(|_| metres(draws, 0.0, 0.1)).collect();
        judge(&claim, &evidence(&all)).unwrap().answer == Supported
    });
    assert_at_least(supported, 0.9, 200);
    let after_plan = share(200, 43, |draws| {
        let mut all: Vec<Row> = (0..40).map(|_| metres(draws, 0.0, 0.15)).collect();
        let verdict = judge(&claim, &evidence(&all)).unwrap();
        let Some(needed) = verdict.cells[0].directions[0].unit_count_needed else {
            return verdict.answer == Supported;
        };
        let needed = usize::try_from(needed).unwrap().clamp(40, 2000);
        all.extend((40..needed).map(|_| metres(draws, 0.0, 0.15)));
        judge(&claim, &evidence(&all)).unwrap().answer == Supported
    });
    assert_at_least(after_plan, 0.7, 200);
}

/// Shares that differ by just the margin, discordant pairs few and many: 5 % is promised.
#[test]
fn exact_verdicts_keep_their_level() {
    let safety = ("kind = \"measurement\"", "kind = \"safety\"\nworse = \"larger\"");
    for (seed, claim) in
        [claim(&BINARY), claim(&[&BINARY[..], &[safety]].concat())].iter().enumerate()
    {
        for (alone, missed) in [(0.0, 0.06), (0.1, 0.16)] {
            let supported = share(200, 44 + seed as u64, |draws| {
                let all: Vec<Row> = (0..300).map(|_| failures(draws, alone, missed)).collect();
                judge(claim, &evidence(&all)).unwrap().answer == Supported
            });
            assert_at_most(supported, 0.05, 200);
        }
    }
}

/// Without a difference in the shares and 1 % of pairs discordant, 300 scenes support a margin of
/// 6 % nine times in ten.
#[test]
fn exact_verdicts_find_what_is_true() {
    let claim = claim(&BINARY);
    let supported = share(200, 46, |draws| {
        let all: Vec<Row> = (0..300).map(|_| failures(draws, 0.005, 0.005)).collect();
        judge(&claim, &evidence(&all)).unwrap().answer == Supported
    });
    assert_at_least(supported, 0.9, 200);
}
