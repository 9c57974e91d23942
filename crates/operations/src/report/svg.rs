//! Charts as inline SVG: shapes, axes and round steps.
//!
//! Invariant: a coordinate that is not finite is never written; colours come from the classes.
//! Pixels, y downwards; values are mapped by an [`Axis`].
//!
//! Not here: what a chart shows.

use tiepoint_model::math;

use super::{
    html::{Html, classed, element, plain},
    text::{Scale, fixed},
};

/// Width of every chart, pixels of its own grid.
pub(super) const WIDTH: f64 = 900.0;

/// A picture with its caption; `title` and `description` are for those who do not see it.
pub(super) struct Figure<'a> {
    /// Unique on the page; names the title's element.
    pub(super) id: &'static str,
    pub(super) title: &'a str,
    pub(super) description: &'a str,
    pub(super) height: f64,
    pub(super) caption: Html,
}

impl Figure<'_> {
    pub(super) fn draw(self, shapes: Html) -> Html {
        let (title_id, text_id) = (format!("{}-title", self.id), format!("{}-text", self.id));
        let head = element("title", &[("id", &title_id)], Html::text(self.title)).with(element(
            "desc",
            &[("id", &text_id)],
            Html::text(self.description),
        ));
        let labels = format!("{title_id} {text_id}");
        let view = format!("0 0 {} {}", px(WIDTH), px(self.height));
        let attributes =
            [("role", "img"), ("aria-labelledby", labels.as_str()), ("viewBox", &view)];
        let picture = element("svg", &attributes, head.with(shapes));
        let caption = plain("figcaption", self.caption);
        plain("figure", classed("div", "scroll", picture).with(caption))
    }
}

/// A straight map from values to pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) low_px: f64,
    pub(super) high_px: f64,
}

impl Axis {
    pub(super) fn at(&self, value: f64) -> f64 {
        let share = (value - self.low) / (self.high - self.low);
        self.low_px + share * (self.high_px - self.low_px)
    }

    /// The nearest pixel within the axis.
    pub(super) fn clamped(&self, value: f64) -> f64 {
        self.at(value.clamp(self.low, self.high))
    }

    pub(super) fn holds(&self, value: f64) -> bool {
        value >= self.low && value <= self.high
    }

    /// Round values on the axis, about `count` of them.
    pub(super) fn ticks(&self, count: f64) -> Vec<f64> {
        let step = round_step((self.high - self.low) / count);
        let first = (self.low / step).ceil();
        (0..40)
            .map(|index| (first + f64::from(index)) * step)
            .take_while(|value| *value <= self.high + 1e-9 * step)
            // Never "minus zero".
            .map(|value| if value.abs() < 1e-9 * step { 0.0 } else { value })
            .collect()
    }
}

/// Round values of the shown unit on an axis of the verdict's unit, with labels.
pub(super) fn scaled_ticks(axis: &Axis, scale: &Scale, count: f64) -> Vec<(f64, String)> {
    let shown = Axis { low: axis.low * scale.factor, high: axis.high * scale.factor, ..*axis };
    let decimals = decimals_of(round_step((shown.high - shown.low) / count));
    let named = |value: f64| (value / scale.factor, fixed(value, decimals));
    shown.ticks(count).into_iter().map(named).collect()
}

/// The smallest of 1, 2, 5 times a power of ten that is at least `size`; 1 for what has no size.
pub(super) fn round_step(size: f64) -> f64 {
    if !(size.is_finite() && size > 0.0) {
        return 1.0;
    }
    let power = power_of_ten((math::ln(size) / std::f64::consts::LN_10).floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|digit| digit * power)
        .find(|step| *step >= size * (1.0 - 1e-9))
        .unwrap_or(10.0 * power)
}

/// `10^exponent`.
pub(super) fn power_of_ten(exponent: f64) -> f64 {
    math::pow(10.0, exponent)
}

/// Decimals that a round step needs.
fn decimals_of(step: f64) -> usize {
    (0..=9_u32)
        .find(|&decimals| {
            let scaled = step * power_of_ten(f64::from(decimals));
            (scaled - scaled.round()).abs() < 1e-6 && scaled >= 0.5
        })
        .map_or(9, |decimals| decimals as usize)
}

/// A coordinate: a tenth of a pixel is fine enough.
pub(super) fn px(value: f64) -> String {
    let value = if value.is_finite() { value.clamp(-1e5, 1e5) } else { 0.0 };
    let text = format!("{value:.1}");
    let text = text.strip_suffix(".0").map_or(text.clone(), str::to_owned);
    if text == "-0" { "0".to_owned() } else { text }
}

pub(super) fn line(class: &str, from: [f64; 2], to: [f64; 2]) -> Html {
    let [x1, y1, x2, y2] = [from[0], from[1], to[0], to[1]].map(px);
    let attributes = [("class", class), ("x1", &*x1), ("y1", &*y1), ("x2", &*x2), ("y2", &*y2)];
    element("line", &attributes, Html::new())
}

/// `corner` is the upper left one.
pub(super) fn rectangle(class: &str, corner: [f64; 2], size: [f64; 2]) -> Html {
    let [x, y] = corner.map(px);
    let [width, height] = size.map(|length| px(length.max(0.0)));
    let attributes =
        [("class", class), ("x", &*x), ("y", &*y), ("width", &*width), ("height", &*height)];
    element("rect", &attributes, Html::new())
}

pub(super) fn circle(class: &str, centre: [f64; 2], radius: f64) -> Html {
    let [cx, cy] = centre.map(px);
    let attributes = [("class", class), ("cx", &*cx), ("cy", &*cy), ("r", &*px(radius))];
    element("circle", &attributes, Html::new())
}

/// Pieces of a line through points.
pub(super) fn polyline(class: &str, pieces: &[Vec<[f64; 2]>]) -> Html {
    let mut data = String::new();
    for piece in pieces {
        for (index, [x, y]) in piece.iter().enumerate() {
            data.push(if index == 0 { 'M' } else { 'L' });
            data.push_str(&px(*x));
            data.push(' ');
            data.push_str(&px(*y));
        }
    }
    if data.is_empty() { Html::new() } else { path(class, &data) }
}

pub(super) fn path(class: &str, data: &str) -> Html {
    element("path", &[("class", class), ("d", data)], Html::new())
}

/// Where a label's point lies in it.
#[derive(Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A label, its baseline at the point.
pub(super) fn label(class: &str, anchor: Anchor, at: [f64; 2], text: &str) -> Html {
    let anchor = match anchor {
        Anchor::Start => "start",
        Anchor::Middle => "middle",
        Anchor::End => "end",
    };
    let [x, y] = at.map(px);
    let attributes = [("class", class), ("x", &*x), ("y", &*y), ("text-anchor", anchor)];
    element("text", &attributes, Html::text(text))
}

/// A legend: a small line of each class beside its meaning.
pub(super) fn legend(entries: &[(&str, String)]) -> Html {
    let items = entries.iter().map(|(class, meaning)| {
        let stroke = line(class, [1.0, 5.0], [27.0, 5.0]);
        let attributes = [("aria-hidden", "true"), ("class", "swatch"), ("viewBox", "0 0 28 10")];
        plain("li", element("svg", &attributes, stroke).with(Html::text(meaning)))
    });
    classed("ul", "legend", items.collect())
}
