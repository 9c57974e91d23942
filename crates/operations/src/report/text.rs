//! Numbers, quantities and times as people read them.
//!
//! Invariant: a number that is shown rounded carries its exact value with it (`<data value>`);
//! no value, however large or broken, makes more than a short text.
//! Lengths are shown in mm or cm where the margin is small; one quantity in one unit.
//!
//! Not here: where they stand on the page.

use tiepoint_model::{Timestamp, math, verdict::Answer};

use super::html::{Html, element};
use crate::timeline::utc_text;

/// Between a number and its unit: never broken.
const NO_BREAK: char = '\u{a0}';

/// How the values of one quantity are shown: in which unit, with how many decimals.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scale {
    /// From the unit of the verdict to the shown one.
    pub(super) factor: f64,
    /// The shown unit.
    pub(super) unit: String,
    decimals: usize,
    given_unit: String,
}

impl Scale {
    /// For values of about `size`, in `unit`: a hundredth of it is still seen.
    pub(super) fn of(size: f64, unit: &str) -> Self {
        let size = size.abs();
        let sound = size.is_finite() && size > 0.0;
        let (factor, shown_unit) = match unit {
            "m" if sound && size < 0.1 => (1000.0, "mm"),
            "m" if sound && size < 1.0 => (100.0, "cm"),
            _ => (1.0, unit),
        };
        let decimals = if sound { decimals_for(size * factor / 100.0) } else { 3 };
        Self { factor, unit: shown_unit.to_owned(), decimals, given_unit: unit.to_owned() }
    }

    /// The number alone, without unit or sign of plus.
    pub(super) fn bare(&self, value: f64) -> String {
        fixed(value * self.factor, self.decimals)
    }

    /// The number alone, always with its sign.
    pub(super) fn signed_bare(&self, value: f64) -> String {
        let shown = self.bare(value);
        if value > 0.0 { format!("+{shown}") } else { shown }
    }

    /// Number and unit, as in `3.00 mm`.
    pub(super) fn plain(&self, value: f64) -> String {
        self.with_unit(&self.bare(value))
    }

    /// As in `3 mm`, without trailing zeros: for values that people chose.
    pub(super) fn chosen(&self, value: f64) -> String {
        self.with_unit(&significant(value * self.factor))
    }

    fn with_unit(&self, shown: &str) -> String {
        if self.unit.is_empty() {
            shown.to_owned()
        } else {
            format!("{shown}{NO_BREAK}{}", self.unit)
        }
    }

    /// The number with its exact value; the unit stands elsewhere.
    pub(super) fn number(&self, value: f64) -> Html {
        self.exact(value, &self.bare(value))
    }

    /// The signed number with its exact value.
    pub(super) fn signed(&self, value: f64) -> Html {
        self.exact(value, &self.signed_bare(value))
    }

    /// Both ends, each with its exact value.
    pub(super) fn interval(&self, [low, high]: [f64; 2]) -> Html {
        let inner = Html::text("[")
            .with(self.signed(low))
            .with(Html::text(",\u{a0}"))
            .with(self.signed(high))
            .with(Html::text("]"));
        element("span", &[("class", "whole")], inner)
    }

    fn exact(&self, value: f64, shown: &str) -> Html {
        let exact = format!("{value:?}");
        let title = format!("{exact} {}", self.given_unit);
        element("data", &[("value", &exact), ("title", &title)], Html::text(shown))
    }
}

/// A number with three significant digits and its exact value.
pub(super) fn number(value: f64) -> Html {
    element("data", &[("value", &format!("{value:?}"))], Html::text(&significant(value)))
}

/// A count, in groups of three digits.
pub(super) fn count(count: u64) -> Html {
    element("data", &[("value", &count.to_string())], Html::text(&grouped(&count.to_string())))
}

/// A probability and its exact value.
pub(super) fn probability(p: f64) -> Html {
    let shown = match p {
        p if p.is_nan() => significant(p),
        p if p < 0.0001 => "<\u{a0}0.0001".to_owned(),
        p if p < 0.1 => fixed(p, 4),
        p if p > 0.99 && p < 1.0 => ">\u{a0}0.99".to_owned(),
        p => fixed(p, 2),
    };
    element("data", &[("value", &format!("{p:?}"))], Html::text(&shown))
}

/// What stands for a number that does not exist.
pub(super) fn none() -> Html {
    Html::markup("<span class=\"none\" title=\"no value\">–</span>")
}

/// The value as `show` shows it, or the mark of a value that does not exist.
pub(super) fn optional<T>(value: Option<T>, show: impl Fn(T) -> Html) -> Html {
    value.map_or_else(none, show)
}

/// Three significant digits, with a proper minus; very large or small in powers of ten.
pub(super) fn significant(value: f64) -> String {
    if value.is_nan() {
        return "not a number".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "infinite" } else { "minus infinite" }.to_owned();
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    let exponent = exponent_of(value);
    if !(-4..7).contains(&exponent) {
        return in_powers_of_ten(value);
    }
    let rounded: f64 = format!("{value:.2e}").parse().unwrap_or(value);
    let decimals = usize::try_from(2 - exponent).unwrap_or(0);
    trimmed(&fixed(rounded, decimals))
}

/// A fixed number of decimals.
pub(super) fn fixed(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return significant(value);
    }
    if value.abs() >= 1e7 {
        return in_powers_of_ten(value);
    }
    let text = format!("{:.decimals$}", value.abs());
    let vanished = text.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let sign = if value < 0.0 && !vanished { "−" } else { "" };
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{}{point}{fraction}", grouped(whole))
}

/// Length of time, seconds; minutes and hours beside it where it is long.
pub(super) fn seconds(value: f64) -> Html {
    let shown = format!("{}{NO_BREAK}s", significant(value));
    element("data", &[("value", &format!("{value:?}"))], Html::text(&shown))
}

/// Date and time of day.
pub(super) fn time(instant: Timestamp) -> Html {
    time_alone(instant).with(Html::text("\u{a0}UTC"))
}

/// Date and time of day without the word UTC, which stands elsewhere.
pub(super) fn time_alone(instant: Timestamp) -> Html {
    let text = utc_text(instant);
    let machine = format!("{}Z", text.replace(' ', "T"));
    element("time", &[("datetime", &machine)], Html::text(&text))
}

/// The date alone.
pub(super) fn date(instant: Timestamp) -> String {
    let text = utc_text(instant);
    text.split_once(' ').map_or(text.clone(), |(date, _)| date.to_owned())
}

/// The answer as a word for people.
pub(super) fn answer_word(answer: Answer) -> &'static str {
    match answer {
        Answer::Supported => "supported",
        Answer::Refuted => "refuted",
        Answer::InsufficientEvidence => "insufficient evidence",
        Answer::NotAssessed => "not assessed",
    }
}

/// What one direction says by itself, before the correction for several cells.
pub(super) fn direction_word(answer: Answer) -> &'static str {
    match answer {
        Answer::Supported => "supports",
        Answer::Refuted => "refutes",
        Answer::InsufficientEvidence => "decides nothing",
        Answer::NotAssessed => "not assessed",
    }
}

/// The answer's class: what colours it.
pub(super) fn answer_class(answer: Answer) -> &'static str {
    match answer {
        Answer::Supported => "supported",
        Answer::Refuted => "refuted",
        Answer::InsufficientEvidence => "insufficient",
        Answer::NotAssessed => "unassessed",
    }
}

/// A direction's name with an arrow: `first_to_second` as `first → second`.
pub(super) fn direction_name(direction: &str) -> String {
    direction.replacen("_to_", " → ", 1)
}

/// A condition's name in words, and the unit at its end: `mean_speed_m_per_s`.
pub(super) fn condition_name(name: &str) -> (String, &'static str) {
    const UNITS: [(&str, &str); 7] = [
        ("_rad_per_s", "rad/s"),
        ("_m_per_s", "m/s"),
        ("_rad", "rad"),
        ("_hz", "Hz"),
        ("_ns", "ns"),
        ("_m", "m"),
        ("_s", "s"),
    ];
    let found = UNITS.iter().find_map(|(end, unit)| Some((name.strip_suffix(end)?, *unit)));
    let (words, unit) = found.unwrap_or((name, ""));
    (words.replace('_', " "), unit)
}

/// The first letters of a text, where there is no room for more.
pub(super) fn shortened(text: &str, letters_max: usize) -> String {
    if text.chars().count() <= letters_max {
        return text.to_owned();
    }
    let kept: String = text.chars().take(letters_max.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

fn decimals_for(resolution: f64) -> usize {
    let digits = (-math::ln(resolution) / std::f64::consts::LN_10).ceil();
    (0..=6).find(|&decimals| decimals as f64 >= digits).unwrap_or(6)
}

fn exponent_of(value: f64) -> i32 {
    let written = format!("{value:.2e}");
    written.split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or(0)
}

fn in_powers_of_ten(value: f64) -> String {
    let written = format!("{value:.2e}").replace('-', "−");
    let Some((digits, exponent)) = written.split_once('e') else { return written };
    let raised: String = exponent
        .chars()
        .map(|letter| match letter {
            '−' => '⁻',
            '1' => '¹',
            '2' => '²',
            '3' => '³',
            digit => {
                let value = digit.to_digit(10).unwrap_or(0);
                char::from_u32(0x2070 + value).unwrap_or(digit)
            }
        })
        .collect();
    format!("{}\u{202f}×\u{202f}10{raised}", trimmed(digits))
}

/// Without zeros at the end of the fraction.
fn trimmed(text: &str) -> String {
    if !text.contains('.') {
        return text.to_owned();
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Groups of three digits from 10 000 on.
fn grouped(digits: &str) -> String {
    if digits.len() < 5 {
        return digits.to_owned();
    }
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}
