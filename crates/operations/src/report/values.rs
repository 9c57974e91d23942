//! The metric per sample: how real and synthetic values are distributed.
//!
//! Invariant: both sides share their bins; values beyond the axis are counted, and said.
//! Values are in the picture's own unit, shown in one that fits their size.
//!
//! Not here: the values of units, on which the answer rests.

use tiepoint_model::{Timestamp, math, verdict::Verdict};

use super::{
    Pictures, ValuePicture,
    html::{Html, absent, plain},
    over_time::over_time,
    svg::{self, Anchor, Axis, Figure, label, line, polyline, scaled_ticks},
    text::{Scale, shortened, significant},
};

/// Where the plots begin and end, pixels.
pub(super) const LEFT: f64 = 64.0;
pub(super) const RIGHT: f64 = svg::WIDTH - 24.0;

/// The middle share of the values that the axes reach over; the rest is at their ends.
const SHOWN_QUANTILES: [f64; 2] = [0.005, 0.995];

/// Positive values whose quantiles lie further apart than this are binned by their logarithm.
const LOGARITHMIC_FROM: f64 = 50.0;

/// Histogram and time plot, or a sentence.
pub(super) fn pictures(pictures: &Pictures, verdict: &Verdict) -> Html {
    let Some(values) = &pictures.values else {
        return absent("No values per sample were given for this claim.");
    };
    let of = |series: &[(Timestamp, f64)]| -> Vec<f64> {
        series.iter().map(|(_, value)| *value).filter(|value| value.is_finite()).collect()
    };
    let (real, synthetic) = (of(&values.real), of(&values.synthetic));
    let Some(range) = Range::of(&real, &synthetic) else {
        return absent("No value per sample could be drawn for this claim.");
    };
    let scale = Scale::of(range.low.abs().max(range.high.abs()), &values.unit);
    let chart = Chart { values, range, scale };
    chart.histogram(&real, &synthetic).with(over_time(&chart, verdict))
}

/// From where to where values are shown.
#[derive(Clone, Copy)]
pub(super) struct Range {
    pub(super) low: f64,
    pub(super) high: f64,
    is_logarithmic: bool,
    beyond_count: usize,
}

impl Range {
    fn of(real: &[f64], synthetic: &[f64]) -> Option<Self> {
        let mut sorted = [real, synthetic].concat();
        sorted.sort_by(f64::total_cmp);
        let at = |share: f64| sorted.get((share * (sorted.len() - 1) as f64).round() as usize);
        let least = *sorted.first()?;
        let [low, high] = SHOWN_QUANTILES.map(at);
        let (low, high) = (*low?, *high?);
        let is_logarithmic = least > 0.0 && high / low > LOGARITHMIC_FROM;
        let beyond_count = sorted.iter().filter(|value| **value < low || **value > high).count();
        let (low, high) = match high - low {
            spread if spread > 0.0 && spread.is_finite() => (low, high),
            // One value only, or a spread that no axis can hold.
            _ if low.abs() < 1e300 => {
                (low - 0.5 * low.abs().max(1e-9), low + 0.5 * low.abs().max(1e-9))
            }
            _ => return None,
        };
        Some(Self { low, high, is_logarithmic, beyond_count })
    }

    /// The value as the axis counts it.
    fn place(&self, value: f64) -> f64 {
        if self.is_logarithmic { math::ln(value.max(self.low)) } else { value }
    }
}

/// What is drawn, and in which unit.
pub(super) struct Chart<'a> {
    pub(super) values: &'a ValuePicture,
    pub(super) range: Range,
    pub(super) scale: Scale,
}

impl Chart<'_> {
    /// What the values are, with their unit.
    pub(super) fn name(&self) -> String {
        let unit = match self.scale.unit.as_str() {
            "" => String::new(),
            unit => format!(", {unit}"),
        };
        format!("{}{unit}", shortened(&self.values.what, 90))
    }

    fn histogram(&self, real: &[f64], synthetic: &[f64]) -> Html {
        let (top, bottom) = (14.0, 230.0);
        let range = &self.range;
        let axis = Axis {
            low: range.place(range.low),
            high: range.place(range.high),
            low_px: LEFT,
            high_px: RIGHT,
        };
        let bin_count = bin_count(real.len().min(synthetic.len()).max(1));
        let shares = [real, synthetic].map(|side| shares(side, range, &axis, bin_count));
        let most = shares.iter().flatten().copied().fold(0.0, f64::max);
        let upright = Axis { low: 0.0, high: 1.08 * most, low_px: bottom, high_px: top };
        let mut shapes = percent_axis(&upright);
        for (side, shares) in ["real", "synthetic"].into_iter().zip(&shares) {
            shapes.push(steps(side, shares, &axis, &upright));
        }
        shapes.push(self.value_axis(&axis, bottom));
        let name =
            label("note", Anchor::Middle, [(LEFT + RIGHT) / 2.0, bottom + 42.0], &self.name());
        let kind = if range.is_logarithmic { " The axis is logarithmic." } else { "" };
        let beyond = match range.beyond_count {
            0 => String::new(),
            count => {
                format!(" {count} values lie further out and are counted in the outermost bins.")
            }
        };
        let said = format!(
            "Share of the samples per bin; the same {bin_count} bins for both.{kind}{beyond} \
             Samples are not independent: the answer rests on units."
        );
        Figure {
            id: "histogram",
            title: "Distribution of the metric per sample, real and synthetic",
            description: "Two histograms over the same bins, one drawn over the other.",
            height: bottom + 52.0,
            caption: sides("area", real.len(), synthetic.len()).with(plain("p", Html::text(&said))),
        }
        .draw(shapes.with(name))
    }

    /// The axis of values, horizontal.
    fn value_axis(&self, axis: &Axis, y: f64) -> Html {
        let mut shapes = line("axis", [axis.low_px, y], [axis.high_px, y]);
        let ticks = match self.range.is_logarithmic {
            true => self.logarithmic_ticks(),
            false => scaled_ticks(axis, &self.scale, 8.0),
        };
        for (value, text) in ticks {
            let x = axis.at(self.range.place(value));
            shapes.push(line("axis", [x, y], [x, y + 5.0]));
            shapes.push(label("tick", Anchor::Middle, [x, y + 19.0], &text));
        }
        shapes
    }

    /// 1, 2 and 5 times powers of ten; powers alone where that is too many.
    fn logarithmic_ticks(&self) -> Vec<(f64, String)> {
        let (low, high) = (self.range.low * self.scale.factor, self.range.high * self.scale.factor);
        let power = |value: f64| (math::ln(value) / std::f64::consts::LN_10).floor();
        let (first, last) = (power(low), power(high));
        let digits: &[f64] = if last - first > 3.0 { &[1.0] } else { &[1.0, 2.0, 5.0] };
        let stride = ((last - first) / 10.0).ceil().max(1.0);
        let decades = (0..=10).map(|index| first + f64::from(index) * stride);
        decades
            .take_while(|exponent| *exponent <= last)
            .flat_map(|exponent| {
                digits.iter().map(move |digit| digit * svg::power_of_ten(exponent))
            })
            .filter(|value| (low..=high).contains(value))
            .map(|value| (value / self.scale.factor, significant(value)))
            .collect()
    }
}

/// More bins for more samples, by the cube root.
fn bin_count(sample_count: usize) -> usize {
    let rule = 3.0 * math::pow(sample_count as f64, 1.0 / 3.0);
    (12..=40).find(|&count| count as f64 >= rule).unwrap_or(40)
}

/// Share of the samples in each bin; what lies beyond is counted in the outermost.
fn shares(side: &[f64], range: &Range, axis: &Axis, bin_count: usize) -> Vec<f64> {
    let mut counts = vec![0.0; bin_count];
    for value in side {
        let place = (range.place(*value) - axis.low) / (axis.high - axis.low);
        let bin = (place.clamp(0.0, 1.0) * bin_count as f64) as usize;
        counts[bin.min(bin_count - 1)] += 1.0;
    }
    let total = side.len().max(1) as f64;
    counts.iter().map(|count| count / total).collect()
}

/// The outline of a histogram, its area tinted.
fn steps(side: &str, shares: &[f64], axis: &Axis, upright: &Axis) -> Html {
    let width = (axis.high_px - axis.low_px) / shares.len() as f64;
    let mut points = vec![[axis.low_px, upright.low_px]];
    for (index, share) in shares.iter().enumerate() {
        let (left, y) = (axis.low_px + index as f64 * width, upright.at(*share));
        points.extend([[left, y], [left + width, y]]);
    }
    points.push([axis.high_px, upright.low_px]);
    polyline(&format!("area {side}"), &[points])
}

fn percent_axis(upright: &Axis) -> Html {
    let mut shapes = Html::new();
    for share in upright.ticks(4.0) {
        let y = upright.at(share);
        let text = format!("{}\u{a0}%", significant(100.0 * share));
        shapes.push(line("grid", [LEFT, y], [RIGHT, y]));
        shapes.push(label("tick", Anchor::End, [LEFT - 8.0, y + 4.0], &text));
    }
    shapes
}

/// A legend for both sides, with the number of samples.
pub(super) fn sides(class: &str, real_count: usize, synthetic_count: usize) -> Html {
    let entry = |name: &str, count: usize| format!("{name} ({count} samples)");
    svg::legend(&[
        (&*format!("{class} real"), entry("real", real_count)),
        (&*format!("{class} synthetic"), entry("synthetic", synthetic_count)),
    ])
}
