//! The metric over time, real and synthetic, over the units that each direction tests.
//!
//! Invariant: where several samples fall on one column, least, mean and most are all drawn.
//! Times on the axis are seconds since the first instant shown.
//!
//! Not here: the distribution of the values.

use tiepoint_model::{Timestamp, verdict::Verdict};

use super::{
    claim::sentence_of,
    html::{Html, absent, plain},
    svg::{Anchor, Axis, Figure, label, line, polyline, rectangle, scaled_ticks},
    text::{direction_name, shortened, significant},
    values::{Chart, LEFT, RIGHT, sides},
};
use crate::timeline::utc_text;

/// Columns that the time axis is cut into.
const COLUMN_COUNT: usize = 420;

/// The time plot; a sentence where the two sides have no time in common.
pub(super) fn over_time(chart: &Chart<'_>, verdict: &Verdict) -> Html {
    let units = verdict.evidence.units.iter();
    let stretches: Vec<Stretch<'_>> = units
        .filter_map(|unit| {
            let (start, end) = (unit.values.start_ns?, unit.values.end_ns?);
            Some(Stretch { direction: &unit.direction, start, end })
        })
        .collect();
    let samples = [&chart.values.real, &chart.values.synthetic];
    if are_apart(samples[0], samples[1]) {
        return absent("The two were recorded at different times: there is no common time axis.");
    }
    let sampled = samples.into_iter().flatten().map(|(time, _)| *time);
    let ends = stretches.iter().flat_map(|stretch| [stretch.start, stretch.end]);
    let times: Vec<Timestamp> = sampled.chain(ends).collect();
    let (Some(&first), Some(&last)) = (times.iter().min(), times.iter().max()) else {
        return Html::new();
    };
    let (top, bottom) = (34.0, 250.0);
    let length_s = last.since(first).as_seconds().max(1e-9);
    let time = Axis { low: 0.0, high: length_s, low_px: LEFT, high_px: RIGHT };
    let room = 0.06 * (chart.range.high - chart.range.low);
    let (low, high) = (chart.range.low - room, chart.range.high + room);
    let value = Axis { low, high, low_px: bottom, high_px: top };
    let plot = Plot { time, value, first, top, bottom };
    let mut shapes = plot.shade(&stretches);
    for (y_value, text) in scaled_ticks(&plot.value, &chart.scale, 5.0) {
        let y = plot.value.at(y_value);
        shapes.push(line("grid", [LEFT, y], [RIGHT, y]));
        shapes.push(label("tick", Anchor::End, [LEFT - 8.0, y + 4.0], &text));
    }
    for (side, series) in ["real", "synthetic"].into_iter().zip(samples) {
        shapes.push(plot.series(side, series));
    }
    shapes.push(plot.time_axis());
    let said = format!(
        "{} Line: mean; haze: from least to most, where several samples fall on one column. \
         Tinted: the part that each direction tests, cut into its units; untinted: left out or \
         not tested. Values beyond the axis are drawn at its edge. Time 0 is {}\u{a0}UTC. \
         Synthetic: one draw.",
        sentence_of(&chart.name()),
        utc_text(first)
    );
    Figure {
        id: "over-time",
        title: "The metric over time, real and synthetic",
        description: "Both series over the run, with the units of each direction tinted.",
        height: bottom + 50.0,
        caption: sides("series", chart.values.real.len(), chart.values.synthetic.len())
            .with(plain("p", Html::text(&said))),
    }
    .draw(shapes)
}

/// True if one side ends before the other begins.
fn are_apart(real: &[(Timestamp, f64)], synthetic: &[(Timestamp, f64)]) -> bool {
    let ends = |side: &[(Timestamp, f64)]| {
        let times = || side.iter().map(|(time, _)| *time);
        times().min().zip(times().max())
    };
    let (Some(real), Some(synthetic)) = (ends(real), ends(synthetic)) else { return false };
    real.1 < synthetic.0 || synthetic.1 < real.0
}

/// A unit's stretch of time.
struct Stretch<'a> {
    direction: &'a str,
    start: Timestamp,
    end: Timestamp,
}

struct Plot {
    time: Axis,
    value: Axis,
    first: Timestamp,
    top: f64,
    bottom: f64,
}

impl Plot {
    fn x(&self, time: Timestamp) -> f64 {
        self.time.clamped(time.since(self.first).as_seconds())
    }

    /// The units of each direction, tinted by turns, under the direction's name.
    fn shade(&self, stretches: &[Stretch<'_>]) -> Html {
        let mut names: Vec<&str> = Vec::new();
        for stretch in stretches {
            if !names.contains(&stretch.direction) {
                names.push(stretch.direction);
            }
        }
        let mut shapes = Html::new();
        for name in names {
            let own: Vec<_> =
                stretches.iter().filter(|stretch| stretch.direction == name).collect();
            for (index, stretch) in own.iter().enumerate() {
                let class = if index % 2 == 0 { "block even" } else { "block odd" };
                let (left, right) = (self.x(stretch.start), self.x(stretch.end));
                shapes.push(rectangle(
                    class,
                    [left, self.top],
                    [right - left, self.bottom - self.top],
                ));
            }
            let left = own.iter().map(|stretch| self.x(stretch.start)).fold(RIGHT, f64::min);
            let right = own.iter().map(|stretch| self.x(stretch.end)).fold(LEFT, f64::max);
            let said = format!("tested: {}", shortened(&direction_name(name), 36));
            let at = [(left + right) / 2.0, self.top - 12.0];
            shapes.push(line("half", [left, self.top - 4.0], [right, self.top - 4.0]));
            shapes.push(label("tick", Anchor::Middle, at, &said));
        }
        shapes
    }

    /// Mean per column as a line, least to most as haze; a gap breaks both.
    fn series(&self, side: &str, samples: &[(Timestamp, f64)]) -> Html {
        let columns = self.columns(samples);
        let filled = columns.iter().flatten().count().max(1);
        let gap_max = (6 * COLUMN_COUNT / filled).max(4);
        let mut pieces: Vec<Vec<([f64; 2], f64, f64)>> = vec![Vec::new()];
        let mut last_index = 0;
        for (index, column) in columns.iter().enumerate() {
            let Some(column) = column else { continue };
            if index - last_index > gap_max {
                pieces.push(Vec::new());
            }
            last_index = index;
            let width = (self.time.high_px - self.time.low_px) / COLUMN_COUNT as f64;
            let x = self.time.low_px + (index as f64 + 0.5) * width;
            let y = |value: f64| self.value.clamped(value);
            let mean = column.sum / column.count;
            if let Some(piece) = pieces.last_mut() {
                piece.push(([x, y(mean)], y(column.least), y(column.most)));
            }
        }
        let means = |piece: &Vec<([f64; 2], f64, f64)>| -> Vec<[f64; 2]> {
            match piece.as_slice() {
                // A sample by itself would be a line of no length.
                [([x, y], ..)] => vec![[x - 1.0, *y], [x + 1.0, *y]],
                several => several.iter().map(|(mean, ..)| *mean).collect(),
            }
        };
        let lines: Vec<Vec<[f64; 2]>> = pieces.iter().map(means).collect();
        let hazes: Vec<Vec<[f64; 2]>> = pieces
            .iter()
            .map(|piece| {
                let upper = piece.iter().map(|([x, _], _, most)| [*x, *most]);
                let lower = piece.iter().rev().map(|([x, _], least, _)| [*x, *least]);
                upper.chain(lower).collect()
            })
            .collect();
        let haze = polyline(&format!("haze {side}"), &hazes);
        haze.with(polyline(&format!("series {side}"), &lines))
    }

    fn columns(&self, samples: &[(Timestamp, f64)]) -> Vec<Option<Column>> {
        let mut columns: Vec<Option<Column>> = vec![None; COLUMN_COUNT];
        for (time, value) in samples.iter().filter(|(_, value)| value.is_finite()) {
            let share = time.since(self.first).as_seconds() / self.time.high;
            let index =
                ((share.clamp(0.0, 1.0) * COLUMN_COUNT as f64) as usize).min(COLUMN_COUNT - 1);
            let column = columns[index].get_or_insert(Column {
                sum: 0.0,
                count: 0.0,
                least: *value,
                most: *value,
            });
            column.sum += value;
            column.count += 1.0;
            column.least = column.least.min(*value);
            column.most = column.most.max(*value);
        }
        columns
    }

    fn time_axis(&self) -> Html {
        let mut shapes = line("axis", [LEFT, self.bottom], [RIGHT, self.bottom]);
        for value in self.time.ticks(9.0) {
            let x = self.time.at(value);
            shapes.push(line("axis", [x, self.bottom], [x, self.bottom + 5.0]));
            let text = significant(value);
            shapes.push(label("tick", Anchor::Middle, [x, self.bottom + 19.0], &text));
        }
        let at = [(LEFT + RIGHT) / 2.0, self.bottom + 42.0];
        shapes.with(label("note", Anchor::Middle, at, "time since the start, s"))
    }
}

/// The samples that fall on one column.
#[derive(Clone, Copy)]
struct Column {
    sum: f64,
    count: f64,
    least: f64,
    most: f64,
}
