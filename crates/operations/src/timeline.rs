//! How a run is divided: calibration and validation halves, a guard between them, blocks as units.
//!
//! Invariant: a block lies wholly in the validation half and at least the guard away from the calibration half.
//! Pure; times are the channel's measured times.

use serde::{Deserialize, Serialize};
use tiepoint_model::{Span, Timestamp};

/// Which half of the run the twin is fitted on. The other half is the one it is judged on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Half {
    /// From the start to the middle.
    First,
    /// From the middle to the end.
    Second,
}

impl Half {
    /// Both directions of the split.
    pub const BOTH: [Self; 2] = [Self::First, Self::Second];

    /// The word used in names and tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Second => "second",
        }
    }

    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }
}

/// The span of a run, first and last instant included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunSpan {
    /// First instant.
    pub start: Timestamp,
    /// Last instant.
    pub end: Timestamp,
}

impl RunSpan {
    /// The instant that divides the halves; it belongs to the second.
    #[must_use]
    pub fn middle(self) -> Timestamp {
        self.start.plus(Span(self.end.since(self.start).0 / 2))
    }

    /// True if `instant` lies in that half.
    #[must_use]
    pub fn is_in(self, half: Half, instant: Timestamp) -> bool {
        let in_run = instant >= self.start && instant <= self.end;
        in_run && (half == Half::First) == (instant < self.middle())
    }

    /// The units of the validation half: whole blocks of `length`, the guard next to the calibration half left out.
    ///
    /// They are laid from the far end of the validation half towards the calibration half, so that what is left over lies with the guard.
    /// In order of time.
    #[must_use]
    pub fn validation_blocks(self, calibration: Half, guard: Span, length: Span) -> Vec<Block> {
        let middle = self.middle();
        let (start, end) = match calibration {
            Half::First => (middle.plus(guard), self.end.plus(Span(1))),
            Half::Second => (self.start, middle.plus(Span(-guard.0))),
        };
        if length.0 <= 0 || end <= start {
            return Vec::new();
        }
        let count = end.since(start).0 / length.0;
        let first = match calibration {
            Half::First => end.plus(Span(-count * length.0)),
            Half::Second => start,
        };
        (0..count)
            .map(|index| Block {
                start: first.plus(Span(index * length.0)),
                end: first.plus(Span((index + 1) * length.0)),
            })
            .collect()
    }
}

/// One unit of a within-run claim: a span of time, its end excluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// First instant.
    pub start: Timestamp,
    /// One past the last instant.
    pub end: Timestamp,
}

impl Block {
    /// True if the instant lies in the block.
    #[must_use]
    pub fn holds(self, instant: Timestamp) -> bool {
        instant >= self.start && instant < self.end
    }
}

/// Date and time of day in UTC, to the second, for people: `2026-11-21 10:57:03`.
#[must_use]
pub fn utc_text(instant: Timestamp) -> String {
    let seconds = instant.0.div_euclid(tiepoint_model::time::NS_PER_S);
    let (days, second_of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil_date(days);
    let (hour, minute, second) =
        (second_of_day / 3600, second_of_day / 60 % 60, second_of_day % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

/// Year, month, day of a day counted from 1970-01-01. Hinnant, *chrono-compatible low-level date algorithms*, `civil_from_days`.
fn civil_date(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: RunSpan = RunSpan { start: Timestamp(1_000), end: Timestamp(2_000) };

    #[test]
    fn every_instant_lies_in_exactly_one_half() {
        for instant in 1_000..=2_000 {
            let inside = Half::BOTH.map(|half| RUN.is_in(half, Timestamp(instant)));
            assert_eq!(inside.iter().filter(|&&is| is).count(), 1, "{instant}");
        }
        assert!(!RUN.is_in(Half::First, Timestamp(999)));
        assert!(!RUN.is_in(Half::Second, Timestamp(2_001)));
    }

    #[test]
    fn blocks_keep_their_distance_from_the_calibration_half() {
        let (guard, length) = (Span(50), Span(100));
        for calibration in Half::BOTH {
            let blocks = RUN.validation_blocks(calibration, guard, length);
            assert_eq!(blocks.len(), 4);
            for pair in blocks.windows(2) {
                assert_eq!(pair[0].end, pair[1].start);
            }
            for block in &blocks {
                assert!(RUN.is_in(calibration.other(), block.start));
                let distance = match calibration {
                    Half::First => block.start.since(RUN.middle()),
                    Half::Second => RUN.middle().since(block.end),
                };
                assert!(distance >= guard);
            }
        }
        assert!(RUN.validation_blocks(Half::First, Span(600), length).is_empty());
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(utc_text(Timestamp(0)), "1970-01-01 00:00:00");
        assert_eq!(utc_text(Timestamp(951_782_400_000_000_000)), "2000-02-29 00:00:00");
        assert_eq!(utc_text(Timestamp(1_178_275_990_919_836_000)), "2007-05-04 10:53:10");
        assert_eq!(utc_text(Timestamp(-1)), "1969-12-31 23:59:59");
    }
}
