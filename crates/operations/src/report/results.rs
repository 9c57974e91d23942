//! The numbers behind the answer: cells, directions, controls and units.
//!
//! Invariant: every number of the verdict's cells and controls stands here with its exact value.
//! Values in the shown unit of the margin.
//!
//! Not here: the chart.

use std::collections::BTreeMap;

use tiepoint_model::{
    claim::UnitChoice,
    verdict::{
        Answer, CellResult, ControlResult, DirectionResult, EquivalenceTest, Sides, TestKind,
        UnitOutcome, Verdict,
    },
};

use super::{
    claim::sentence_of,
    forest,
    html::{Column, Html, absent, classed, code, element, plain, prose, sole_table, table},
    text::{
        self, Scale, answer_class, answer_word, condition_name, count, direction_name,
        direction_word, none, number, optional, probability, seconds, significant,
    },
};
use Column::{Numbers, Words};

/// More units than this are not listed: the page must open, and the signed file holds them.
const UNITS_SHOWN_MAX: usize = 2000;

/// The chart and the tables of cells and directions.
pub(super) fn results(verdict: &Verdict, scale: &Scale) -> Html {
    if verdict.cells.iter().all(|cell| cell.directions.is_empty()) {
        let cells = if verdict.cells.is_empty() { Html::new() } else { cells(verdict) };
        let none = absent("No unit has a real partner, so there is no difference to estimate.");
        return none.with(cells);
    }
    forest::chart(verdict, scale)
        .with(cells(verdict))
        .with(intervals(verdict, scale))
        .with(strength(verdict))
}

fn cells(verdict: &Verdict) -> Html {
    let rows = verdict.cells.iter().map(|cell| {
        vec![
            code(&cell.cell),
            answer(cell.answer),
            optional(cell.p_equivalence_adjusted, probability),
            optional(cell.p_refutation_adjusted, probability),
            prose(&sentence_of(&cell.reason)),
        ]
    });
    let columns = [
        Words("cell"),
        Words("answer"),
        Numbers("p for support"),
        Numbers("p for refutation"),
        Words("why"),
    ];
    let caption =
        "Each cell, judged alone; p-values corrected for the number of cells and directions";
    table(caption, &columns, rows.collect())
}

fn answer(answer: Answer) -> Html {
    let class = format!("pill {}", answer_class(answer));
    classed("span", &class, Html::text(answer_word(answer)))
}

fn direction_answer(answer: Answer) -> Html {
    let class = format!("pill {}", answer_class(answer));
    classed("span", &class, Html::text(direction_word(answer)))
}

fn directions(verdict: &Verdict) -> impl Iterator<Item = (&CellResult, &DirectionResult)> {
    let cells = verdict.cells.iter();
    cells.flat_map(|cell| cell.directions.iter().map(move |direction| (cell, direction)))
}

/// `cell, direction` heads a row.
fn place(cell: &str, direction: &str) -> Html {
    let direction = classed("span", "whole", Html::text(&direction_name(direction)));
    code(cell).with(Html::text(" ")).with(direction)
}

fn intervals(verdict: &Verdict, scale: &Scale) -> Html {
    let rows = directions(verdict).map(|(cell, direction)| {
        let test = direction.test;
        let lost = match direction.lost_count {
            0 => Html::new(),
            lost => Html::text(&format!(" (+{lost} lost)")),
        };
        vec![
            place(&cell.cell, &direction.direction),
            direction_answer(direction.answer),
            count(direction.unit_count as u64).with(lost),
            optional(test, |test| scale.signed(test.estimate)),
            optional(test, |test| scale.interval(test.interval)),
            optional(test, |test| scale.number(test.margin)),
            optional(test, |test| scale.number(test.smallest_passing_margin)),
            optional(test, |test| scale.number(test.sd)),
            optional(direction.unit_count_needed, count),
        ]
    });
    let columns = [
        Words("cell, direction"),
        Words("by itself"),
        Numbers("units"),
        Numbers("estimate"),
        Numbers("interval"),
        Numbers("margin"),
        Numbers("would pass from"),
        Numbers("SD of units"),
        Numbers("units needed"),
    ];
    let caption =
        format!("Intervals against the margin, per cell and direction, in {}", scale.unit);
    table(&caption, &columns, rows.collect()).with(reasons(verdict)).with(guarantees(verdict))
}

/// What the tests promise, each said once.
fn guarantees(verdict: &Verdict) -> Html {
    let mut said: Vec<&str> = directions(verdict).map(|(_, d)| d.guarantee.as_str()).collect();
    said.sort_unstable();
    said.dedup();
    let promise = |said: &str| {
        classed("p", "note", Html::text(&format!("What the test promises: {}", sentence_of(said))))
    };
    said.into_iter().map(promise).collect()
}

/// Why each direction says what it says.
fn reasons(verdict: &Verdict) -> Html {
    let items = directions(verdict).map(|(cell, direction)| {
        let said = prose(&format!(": {}", sentence_of(&direction.reason)));
        plain("li", place(&cell.cell, &direction.direction).with(said))
    });
    classed("ul", "reasons", items.collect())
}

fn strength(verdict: &Verdict) -> Html {
    let rows = directions(verdict).map(|(cell, direction)| {
        let test = direction.test;
        vec![
            place(&cell.cell, &direction.direction),
            optional(test, |test| classed("span", "whole", Html::text(&test_name(&test)))),
            optional(test.and_then(|test| test.degrees_of_freedom), number),
            optional(direction.e_equivalence, number),
            optional(test, |test| probability(test.p_lower)),
            optional(test, |test| probability(test.p_upper)),
            optional(test, |test| probability(test.p_outside)),
            optional(direction.autocorrelation_time_s, seconds),
            optional(direction.block_autocorrelation_times, number),
            optional(direction.simulated_size, probability),
        ]
    });
    let columns = [
        Words("cell, direction"),
        Words("test"),
        Numbers("degrees of freedom"),
        Numbers("e-value for support"),
        Numbers("p, at or below −margin"),
        Numbers("p, at or above +margin"),
        Numbers("p, within margin"),
        Numbers("autocorr. time"),
        Numbers("block, in autocorr. times"),
        Numbers("simulated size"),
    ];
    let nominal = significant(verdict.claim.alpha);
    let note = format!(
        "Simulated size: how often, with the dependence measured here, the test would support a \
         claim that lies at the margin; nominal is {nominal}. It is for blocks of one run only, \
         as are the two columns before it."
    );
    let note = classed("p", "note", Html::text(&note));
    table(
        "How strong the evidence is: two one-sided tests per cell and direction",
        &columns,
        rows.collect(),
    )
    .with(note)
}

fn test_name(test: &EquivalenceTest) -> String {
    let name = match test.kind {
        TestKind::PairedT => "paired t",
        TestKind::WelchT => "Welch t",
        TestKind::Betting => "betting",
        TestKind::ExactPairs => "exact, paired",
        TestKind::ExactGroups => "exact, two groups",
    };
    let side = match test.sides {
        Sides::Both => "",
        Sides::NotBelow => ", lower side only",
        Sides::NotAbove => ", upper side only",
    };
    format!("{name}{side}")
}

/// What shows that the test can pass and can fail.
pub(super) fn controls(verdict: &Verdict, scale: &Scale) -> Html {
    let intro = format!(
        "The same metric, margin, unit and level as the claim. The declared corruption is {}.",
        verdict.controls.corruption.replace('_', " ")
    );
    let positive = verdict.controls.positive.iter();
    let negative = verdict.controls.negative.iter();
    let rows = positive
        .map(|control| control_row(control, "real vs real", scale))
        .chain(negative.map(|control| control_row(control, "made worse", scale)));
    let columns = [
        Words("control"),
        Words("cell, direction"),
        Words("outcome"),
        Numbers("units"),
        Numbers("estimate"),
        Numbers("interval"),
        Numbers("p for support"),
        Numbers("p for refutation"),
        Words("why"),
    ];
    let rows: Vec<_> = rows.collect();
    if rows.is_empty() {
        return absent("No control could be run: there are no paired units.");
    }
    let caption = format!("Controls, estimates in {}", scale.unit);
    plain("p", Html::text(&intro)).with(table(&caption, &columns, rows))
}

fn control_row(control: &ControlResult, kind: &str, scale: &Scale) -> Vec<Html> {
    let (class, word) = match control.passed {
        true => ("pill passed", "as it must"),
        false => ("pill failed", "not as it must"),
    };
    let direction = control.direction.as_deref().unwrap_or("both halves");
    let floor = optional(control.floor, |floor| {
        Html::text(" Floor: ")
            .with(scale.number(floor))
            .with(Html::text(&format!(" {}.", scale.unit)))
    });
    let floor = if control.floor.is_some() { floor } else { Html::new() };
    vec![
        classed("span", "whole", Html::text(kind)),
        place(&control.cell, direction),
        classed("span", class, Html::text(word)),
        count(control.unit_count as u64),
        optional(control.test, |test| scale.signed(test.estimate)),
        optional(control.test, |test| scale.interval(test.interval)),
        optional(control.test, |test| probability(test.p_lower.max(test.p_upper))),
        optional(control.test, |test| probability(test.p_outside)),
        prose(&sentence_of(&control.reason)).with(floor),
    ]
}

/// Every unit, so that anyone derives the answer again.
pub(super) fn units(verdict: &Verdict, scale: &Scale) -> Html {
    let units = &verdict.evidence.units;
    if units.is_empty() {
        return absent("There are no units: the synthetic data has no real partner.");
    }
    let what = match verdict.claim.unit {
        UnitChoice::Block { .. } => "stretches of the run",
        unit => unit.words()[1],
    };
    let seeds =
        if verdict.claim.seeds.count > 1 { ", synthetic as mean ± SD over seeds" } else { "" };
    let some = match units.len() > UNITS_SHOWN_MAX {
        true => format!("; the first {UNITS_SHOWN_MAX} are shown, the signed file holds all"),
        false => String::new(),
    };
    let summary = format!("{} units ({what}), values in {}{seeds}{some}", units.len(), scale.unit);
    // Columns that would say the same, or nothing, in every row are left out.
    let has_cells = verdict.claim.cells.len() > 1;
    let has_next = units.iter().any(|unit| unit.values.positive_control.is_some());
    let has_times = units.iter().any(|unit| unit.values.start_ns.is_some());
    let mut columns = vec![Words("unit")];
    if has_times {
        columns.extend([Words("from (UTC)"), Numbers("length"), Numbers("samples")]);
    }
    columns.extend(has_cells.then_some(Words("cells")));
    columns.extend([
        Numbers("real"),
        Numbers("synthetic"),
        Numbers("difference"),
        Numbers("made worse"),
    ]);
    columns.extend(has_next.then_some(Numbers("other real")));
    let has_conditions = units.iter().any(|unit| !unit.values.descriptors.is_empty());
    columns.extend(has_conditions.then_some(Words("conditions")));
    let rows = units.iter().take(UNITS_SHOWN_MAX).map(|unit| {
        let mut row = unit_place(unit, has_times);
        row.extend(has_cells.then(|| cells_of(unit)));
        row.extend(unit_values(unit, scale));
        let next = |value| scale.number(value);
        row.extend(has_next.then(|| optional(unit.values.positive_control, next)));
        row.extend(has_conditions.then(|| conditions(&unit.values.descriptors)));
        row
    });
    let table = sole_table("Outcome of every unit", &columns, rows.collect());
    let summary = plain("summary", Html::text(&summary));
    element("details", &[("open", "open"), ("class", "units")], summary.with(table))
}

fn unit_place(unit: &UnitOutcome, has_times: bool) -> Vec<Html> {
    let values = &unit.values;
    let name = match &values.unit {
        Some(name) => name.clone(),
        None => format!("{}\u{a0}{}", direction_name(&unit.direction), values.unit_index),
    };
    let mut row = vec![classed("span", "whole", Html::text(&name))];
    if has_times {
        let start = |time| classed("span", "whole", text::time_alone(time));
        let length = values.end_ns.zip(values.start_ns);
        row.extend([
            optional(values.start_ns, start),
            optional(length, |(end, start)| seconds(end.since(start).as_seconds())),
            count(values.sample_count as u64),
        ]);
    }
    row
}

fn cells_of(unit: &UnitOutcome) -> Html {
    if unit.cells.is_empty() { none() } else { Html::text(&unit.cells.join(", ")) }
}

/// Real, synthetic, difference, and synthetic made worse.
fn unit_values(unit: &UnitOutcome, scale: &Scale) -> [Html; 4] {
    let values = &unit.values;
    let seeds: Vec<f64> = values.synthetic_by_seed.iter().copied().flatten().collect();
    let spread = match sd(&seeds) {
        Some(sd) => Html::text("\u{a0}±\u{a0}").with(scale.number(sd)),
        None => Html::new(),
    };
    let corrupted: Vec<f64> = values.negative_control_by_seed.iter().copied().flatten().collect();
    [
        optional(values.real, |value| scale.number(value)),
        optional(unit.synthetic_mean, |mean| scale.number(mean)).with(spread),
        optional(unit.difference, |value| scale.signed(value)),
        optional(mean(&corrupted), |value| scale.number(value)),
    ]
}

fn conditions(descriptors: &BTreeMap<String, f64>) -> Html {
    let each = descriptors.iter().map(|(name, value)| {
        let (words, unit) = condition_name(name);
        let pair = Html::text(&format!("{words}\u{a0}")).with(number(*value));
        let unit = if unit.is_empty() { String::new() } else { format!("\u{a0}{unit}") };
        classed("span", "condition", pair.with(Html::text(&unit)))
    });
    each.collect()
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Standard deviation (n - 1).
fn sd(values: &[f64]) -> Option<f64> {
    if values.len() < 2 {
        return None;
    }
    let mean = mean(values)?;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    Some((squares / (values.len() - 1) as f64).sqrt())
}
