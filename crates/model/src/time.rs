//! Time as integers: instants and durations in nanoseconds.
//!
//! Invariant: no time is ever an `f64` inside; one unit in the last place of today's epoch in `f64` seconds is 238 ns.
//! Which clock a stamp belongs to is said by the field that holds it (see [`crate::samples::Stamps`]).

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Nanoseconds in a second.
pub const NS_PER_S: i64 = 1_000_000_000;

/// An instant: nanoseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

/// A signed duration in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(pub i64);

impl Timestamp {
    /// The duration from `earlier` to `self`; saturates at the ends of `i64`.
    #[must_use]
    pub fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }

    /// The instant `span` later; saturates at the ends of `i64`.
    #[must_use]
    pub fn plus(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }

    /// Parses decimal seconds exactly, without passing through `f64`. Digits past the ninth are rounded half up.
    ///
    /// Accepts `12`, `12.5`, `-0.25` and, as TUM files hold it, `1.305031102e+09`.
    #[must_use]
    pub fn from_decimal_seconds(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(at) => (&text[..at], text[at + 1..].parse::<i32>().ok()?),
            None => (text, 0),
        };
        if exponent.abs() > 40 {
            return None;
        }
        let (negative, digits) = match mantissa.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.len() + fraction.len() == 0 || !all_digits(whole) || !all_digits(fraction) {
            return None;
        }
        // The value is `digits * 10^shift` nanoseconds.
        let mut shift = exponent + 9 - i32::try_from(fraction.len()).ok()?;
        let mut total: i128 = 0;
        let significant = whole.bytes().chain(fraction.bytes()).map(|byte| i128::from(byte - b'0'));
        for digit in significant {
            if total > i128::from(i64::MAX) * 10_000_000_000 {
                // Further digits are below a nanosecond or the value overflows; both end here.
                shift += 1;
                continue;
            }
            total = total * 10 + digit;
        }
        while shift > 0 && total != 0 {
            total = total.checked_mul(10)?;
            shift -= 1;
        }
        while shift < 0 {
            let round_up = shift == -1 && total % 10 >= 5;
            total = total / 10 + i128::from(round_up);
            shift += 1;
        }
        i64::try_from(if negative { -total } else { total }).ok().map(Self)
    }
}

impl Span {
    /// The nearest whole number of nanoseconds; not finite becomes zero, too large saturates.
    #[must_use]
    pub fn from_seconds(seconds: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "a saturating cast is what is meant")]
        Self((seconds * NS_PER_S as f64).round() as i64)
    }

    /// In seconds, for arithmetic on differences, where `f64` is exact enough.
    #[must_use]
    pub fn as_seconds(self) -> f64 {
        self.0 as f64 / NS_PER_S as f64
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// In JSON a time is a decimal string: JavaScript's numbers lose nanoseconds after 104 days.
impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

/// In JSON a duration is a decimal string of nanoseconds.
impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_seconds_are_read_to_the_nanosecond() {
        let check = |text: &str, expected: Option<i64>| {
            assert_eq!(Timestamp::from_decimal_seconds(text).map(|t| t.0), expected, "{text}");
        };
        check("1305031102.175304123", Some(1_305_031_102_175_304_123));
        check("1.305031102175304123e+09", Some(1_305_031_102_175_304_123));
        check("-0.25", Some(-250_000_000));
        check("12", Some(12_000_000_000));
        check("0.0000000005", Some(1));
        check("5e-10", Some(1));
        check("1403636579.76355552673339843750", Some(1_403_636_579_763_555_527));
        check("nan", None);
        check("", None);
        check("1e300", None);
        check("99999999999999999999", None);
    }
}
