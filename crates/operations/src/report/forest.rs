//! The key chart: every interval against the margin, with both controls beside it.
//!
//! Invariant: all rows share one axis, symmetric about zero; what lies beyond it is an arrow at its
//! edge and stands in numbers beside it, so that nothing is lost by cutting.
//! The axis is in the verdict's unit, its labels in the shown one.
//!
//! Not here: the tables.

use tiepoint_model::verdict::{CellResult, ControlResult, EquivalenceTest, Verdict};

use super::{
    html::{Html, absent, element, plain},
    svg::{self, Anchor, Axis, Figure, circle, label, line, rectangle},
    text::{Scale, answer_class, answer_word, direction_name, direction_word, shortened},
};

const PLOT_LEFT: f64 = 224.0;
const PLOT_RIGHT: f64 = 628.0;
const NUMBERS_LEFT: f64 = 644.0;
const TOP: f64 = 52.0;

/// The axis reaches this far for the claim's own intervals, in margins, and this far for controls.
const REACH_MAX: f64 = 8.0;
const CONTROL_REACH_MAX: f64 = 5.0;

/// One line of the chart.
struct Row<'a> {
    name: String,
    class: &'static str,
    word: &'static str,
    test: Option<EquivalenceTest>,
    units: Vec<f64>,
    is_control: bool,
    cell: &'a str,
}

/// The chart, or a sentence where there is no interval to draw.
pub(super) fn chart(verdict: &Verdict, scale: &Scale) -> Html {
    let margin = verdict.claim.margin.value;
    let rows: Vec<Row<'_>> = verdict.cells.iter().flat_map(|cell| rows_of(verdict, cell)).collect();
    let has_test = rows.iter().any(|row| row.test.is_some_and(|test| is_drawable(&test)));
    if !(has_test && margin.is_finite() && margin > 0.0) {
        return absent("There is no interval to draw: no declared cell has units enough to test.");
    }
    let reach = reach(&rows, margin);
    let axis = Axis { low: -reach, high: reach, low_px: PLOT_LEFT, high_px: PLOT_RIGHT };
    let (mut lines, mut y) = (Html::new(), TOP);
    let mut beyond_count = 0;
    for cell in &verdict.cells {
        lines.push(group(verdict, cell, y + 21.0));
        y += 32.0;
        for row in rows.iter().filter(|row| row.cell == cell.cell) {
            let height = if row.is_control { 25.0 } else { 38.0 };
            lines.push(draw_row(row, &axis, scale, y + height / 2.0));
            beyond_count += row.units.iter().filter(|value| !axis.holds(**value)).count();
            y += height;
        }
        y += 8.0;
    }
    let frame = frame(&axis, scale, margin, y);
    let alpha = verdict.claim.alpha;
    let caption = caption(alpha, scale, beyond_count);
    let figure = Figure {
        id: "forest",
        title: "Synthetic minus real, against the margin",
        description: "One line per condition and direction: the estimated difference with its \
                      interval, over a band that marks the margin, and both controls. The same \
                      numbers are in the tables below.",
        height: y + 58.0,
        caption,
    };
    figure.draw(frame.with(lines))
}

fn is_drawable(test: &EquivalenceTest) -> bool {
    test.estimate.is_finite()
}

fn rows_of<'a>(verdict: &'a Verdict, cell: &'a CellResult) -> Vec<Row<'a>> {
    let mut rows: Vec<Row<'a>> = cell
        .directions
        .iter()
        .map(|direction| Row {
            name: direction_name(&direction.direction),
            class: answer_class(direction.answer),
            word: direction_word(direction.answer),
            test: direction.test,
            units: differences(verdict, &cell.cell, &direction.direction),
            is_control: false,
            cell: &cell.cell,
        })
        .collect();
    let (positive, negative) = (&verdict.controls.positive, &verdict.controls.negative);
    let of_cell = |control: &&'a ControlResult| control.cell == cell.cell;
    let positive =
        positive.iter().filter(of_cell).map(|control| control_row(control, "real vs real"));
    let negative =
        negative.iter().filter(of_cell).map(|control| control_row(control, "made worse"));
    rows.extend(positive.chain(negative));
    rows
}

fn control_row<'a>(control: &'a ControlResult, kind: &str) -> Row<'a> {
    let name = match &control.direction {
        Some(direction) => format!("{kind}, {}", direction_name(direction)),
        None => kind.to_owned(),
    };
    Row {
        name,
        class: if control.passed { "control" } else { "control failed" },
        word: if control.passed { "as it must" } else { "NOT as it must" },
        test: control.test,
        units: Vec::new(),
        is_control: true,
        cell: &control.cell,
    }
}

fn differences(verdict: &Verdict, cell: &str, direction: &str) -> Vec<f64> {
    let units = verdict.evidence.units.iter();
    units
        .filter(|unit| unit.direction == direction && unit.cells.iter().any(|name| name == cell))
        .filter_map(|unit| unit.difference.filter(|value| value.is_finite()))
        .collect()
}

/// Half the width of the axis: at least two margins, and every interval of the claim within reason.
fn reach(rows: &[Row<'_>], margin: f64) -> f64 {
    let mut reach = 2.0 * margin;
    for row in rows {
        let Some(test) = row.test else { continue };
        let most = if row.is_control { CONTROL_REACH_MAX } else { REACH_MAX } * margin;
        let ends = [test.estimate, test.interval[0], test.interval[1]];
        let furthest = ends.into_iter().map(f64::abs).filter(|end| end.is_finite());
        let furthest = furthest.fold(0.0, f64::max);
        if !row.is_control || furthest <= most {
            reach = reach.max(furthest.min(most));
        }
    }
    1.08 * reach
}

/// The band of the margin, zero, and the axis below.
fn frame(axis: &Axis, scale: &Scale, margin: f64, bottom: f64) -> Html {
    let (left, right) = (axis.at(-margin), axis.at(margin));
    let middle = axis.at(0.0);
    let top = TOP - 8.0;
    let mut frame = rectangle("band", [left, top], [right - left, bottom - top]);
    for x in [left, right] {
        frame.push(line("edge", [x, top], [x, bottom]));
    }
    frame.push(line("zero", [middle, top], [middle, bottom]));
    let allowed = format!("allowed: ±{}", scale.chosen(margin));
    frame.push(label("note strong", Anchor::Middle, [middle, top - 10.0], &allowed));
    frame.push(line("axis", [axis.low_px, bottom], [axis.high_px, bottom]));
    for (value, text) in svg::scaled_ticks(axis, scale, 6.0) {
        let x = axis.at(value);
        frame.push(line("axis", [x, bottom], [x, bottom + 5.0]));
        frame.push(label("tick", Anchor::Middle, [x, bottom + 19.0], &text));
    }
    let y = bottom + 42.0;
    let unit = format!("difference, {}", scale.unit);
    frame.push(label("note", Anchor::Middle, [middle, y], &unit));
    frame.push(label("note", Anchor::Start, [axis.low_px, y], "← synthetic less"));
    frame.push(label("note", Anchor::End, [axis.high_px, y], "synthetic more →"));
    frame
}

fn group(verdict: &Verdict, cell: &CellResult, y: f64) -> Html {
    let has_conditions = verdict.claim.cells.iter().any(|declared| !declared.when.is_empty());
    let name = match verdict.cells.len() {
        1 if !has_conditions => "All conditions".to_owned(),
        _ => format!("Cell {}", shortened(&cell.cell, 24)),
    };
    let rules = [[0.0, PLOT_LEFT - 12.0], [NUMBERS_LEFT, svg::WIDTH]];
    let rules = rules.map(|[left, right]| line("rule", [left, y + 7.0], [right, y + 7.0]));
    let title = label("group", Anchor::Start, [0.0, y], &name);
    let class = format!("group {}", answer_class(cell.answer));
    let word = label(&class, Anchor::End, [svg::WIDTH, y], answer_word(cell.answer));
    rules.into_iter().collect::<Html>().with(title).with(word)
}

fn draw_row(row: &Row<'_>, axis: &Axis, scale: &Scale, y: f64) -> Html {
    let class = if row.is_control { "row control" } else { "row" };
    let full = element("title", &[], Html::text(&row.name));
    let name = label(class, Anchor::Start, [12.0, y + 4.0], &shortened(&row.name, 32));
    let mut shapes = plain("g", full.with(name));
    let Some(test) = row.test.filter(is_drawable) else {
        shapes.push(label("row control", Anchor::Start, [NUMBERS_LEFT, y + 4.0], "not tested"));
        return shapes;
    };
    for value in row.units.iter().filter(|value| axis.holds(**value)) {
        shapes.push(circle("unit", [axis.at(*value), y - 9.0], 2.6));
    }
    let y_bar = if row.is_control { y } else { y + 3.0 };
    shapes.push(interval(row, &test, axis, y_bar));
    let [low, high] = test.interval.map(|end| scale.signed_bare(end));
    let numbers = format!("{}  [{low}, {high}]", scale.signed_bare(test.estimate));
    let numbers = shortened(&numbers, 34);
    let y_text = if row.is_control { y + 4.0 } else { y };
    let weight = if row.is_control { "row control" } else { "row strong" };
    shapes.push(label(weight, Anchor::Start, [NUMBERS_LEFT, y_text], &numbers));
    let word_class = format!("word {}", row.class);
    let (anchor, at) = match row.is_control {
        true => (Anchor::End, [svg::WIDTH, y_text]),
        false => (Anchor::Start, [NUMBERS_LEFT, y + 15.0]),
    };
    shapes.push(label(&word_class, anchor, at, row.word));
    shapes
}

/// Bar, ends and estimate; an arrow where one of them lies beyond the axis.
fn interval(row: &Row<'_>, test: &EquivalenceTest, axis: &Axis, y: f64) -> Html {
    let class = format!("interval {}", row.class);
    let [low, high] = test.interval;
    let mut shapes = Html::new();
    // A NaN end draws no bar; an infinite one reaches the edge.
    if low <= high && (axis.holds(low) || axis.holds(high) || (low < axis.low && high > axis.high))
    {
        let (left, right) = (axis.clamped(low), axis.clamped(high));
        shapes.push(line(&class, [left, y], [right, y]));
        let cap = if row.is_control { 3.5 } else { 6.0 };
        for (end, x) in [(low, left), (high, right)] {
            if axis.holds(end) {
                shapes.push(line(&class, [x, y - cap], [x, y + cap]));
            } else {
                shapes.push(arrow(&class, x, y, end > 0.0));
            }
        }
    }
    let dot = format!("estimate {}", row.class);
    let radius = if row.is_control { 3.5 } else { 5.5 };
    if axis.holds(test.estimate) {
        shapes.push(circle(&dot, [axis.at(test.estimate), y], radius));
    } else {
        shapes.push(arrow(&class, axis.clamped(test.estimate), y, test.estimate > 0.0));
    }
    shapes
}

fn arrow(class: &str, x: f64, y: f64, is_right: bool) -> Html {
    let back = if is_right { x - 8.0 } else { x + 8.0 };
    let head = vec![[back, y - 5.0], [x, y], [back, y + 5.0]];
    let shaft = vec![[if is_right { x - 26.0 } else { x + 26.0 }, y], [x, y]];
    svg::polyline(&format!("{class} open"), &[head, shaft])
}

fn caption(alpha: f64, scale: &Scale, beyond_count: usize) -> Html {
    let confidence = super::text::significant(100.0 * (1.0 - 2.0 * alpha));
    let mut said = format!(
        "Synthetic minus real, in {}. Large dot and bar: estimate and its {confidence}\u{a0}% \
         interval; small dots: single units. A bar wholly within the band supports, one wholly \
         outside refutes, each by itself, before the correction for several cells. Real against \
         real must lie within; data made worse on purpose must lie outside. An arrow: further out \
         than the axis.",
        scale.unit
    );
    if beyond_count > 0 {
        said.push_str(&format!(" {beyond_count} single units lie further out and are not drawn."));
    }
    Html::text(&said)
}
