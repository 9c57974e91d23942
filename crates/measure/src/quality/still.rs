//! Sensors that say nothing new: messages that repeat to the bit, axes that stick to an end.
//!
//! Invariant: the answer does not depend on the chunks of the messages.
//! Times are log times, nanoseconds; the longest standstill comes out in seconds.
//!
//! Not here: channels that may rest, such as poses of a parked robot: the caller does not ask.

use tiepoint_model::{
    Timestamp,
    quality::{FROZEN_COUNT_MIN, FROZEN_S_MAX, Finding, FindingKind, SATURATED_SHARE_MAX},
};

/// Fewer readings say nothing of the ends of an axis.
pub const SATURATED_COUNT_MIN: u64 = 100;

/// The longest time in which messages repeat.
#[derive(Clone, Copy, Debug, Default)]
pub struct RepeatAccumulator {
    run_start: Option<Timestamp>,
    run_count: u64,
    longest_s: f64,
    longest_count: u64,
    message_count: u64,
}

impl RepeatAccumulator {
    /// The next message, and whether it repeats the one ahead of it to the bit.
    pub fn add(&mut self, log_time: Timestamp, is_repeat: bool) {
        self.message_count += 1;
        let start = match self.run_start {
            Some(start) if is_repeat => start,
            _ => {
                (self.run_start, self.run_count) = (Some(log_time), 0);
                return;
            }
        };
        self.run_count += 1;
        let lasts_s = log_time.since(start).as_seconds();
        if self.run_count >= FROZEN_COUNT_MIN && lasts_s > self.longest_s {
            (self.longest_s, self.longest_count) = (lasts_s, self.run_count);
        }
    }

    /// The longest standstill of at least [`FROZEN_COUNT_MIN`] repeats in seconds, and its finding.
    #[must_use]
    pub fn finish(self) -> (Option<f64>, Option<Finding>) {
        let finding = (self.longest_s > FROZEN_S_MAX).then_some(Finding {
            kind: FindingKind::Frozen,
            value: self.longest_s,
            limit: FROZEN_S_MAX,
            count: self.longest_count,
        });
        ((self.message_count > 0).then_some(self.longest_s), finding)
    }
}

/// How often each axis of a sensor reads its own largest or smallest value.
#[derive(Clone, Debug, Default)]
pub struct SaturationAccumulator {
    axes: Vec<Axis>,
}

/// A pile at the end of an axis is this many times the pile beside it; a sine wave's is 2.4 times.
pub const PILE_RATIO_MIN: u64 = 5;

#[derive(Clone, Copy, Debug, Default)]
struct Axis {
    count: u64,
    lowest: End,
    highest: End,
}

/// The two outermost different values of an axis and how often they were read.
#[derive(Clone, Copy, Debug, Default)]
struct End {
    outermost: Option<(f64, u64)>,
    next: Option<(f64, u64)>,
}

impl End {
    /// A value; the larger one is further out.
    fn add(&mut self, value: f64) {
        match self.outermost {
            Some((end, count)) if value == end => self.outermost = Some((end, count + 1)),
            Some((end, _)) if value < end => match self.next {
                Some((next, count)) if value == next => self.next = Some((next, count + 1)),
                Some((next, _)) if value < next => (),
                _ => self.next = Some((value, 1)),
            },
            outermost => (self.next, self.outermost) = (outermost, Some((value, 1))),
        }
    }

    /// The readings at the end if they pile up there.
    fn pile(&self) -> u64 {
        match (self.outermost, self.next) {
            (Some((_, end)), Some((_, beside))) if end >= PILE_RATIO_MIN * beside => end,
            _ => 0,
        }
    }
}

impl SaturationAccumulator {
    /// The next reading of every axis; NaN is passed over.
    pub fn add(&mut self, reading: &[f64]) {
        self.axes.resize(self.axes.len().max(reading.len()), Axis::default());
        for (axis, &value) in self.axes.iter_mut().zip(reading) {
            if !value.is_nan() {
                axis.count += 1;
                axis.highest.add(value);
                axis.lowest.add(-value);
            }
        }
    }

    /// The largest share of an axis' readings piled up at one of its ends, and its finding.
    ///
    /// Readings pile up where the outermost value was read [`PILE_RATIO_MIN`] times as often as
    /// the value beside it, so a coarse sensor at rest does not.
    /// `None` with fewer than [`SATURATED_COUNT_MIN`] readings on every axis.
    #[must_use]
    pub fn finish(self) -> (Option<f64>, Option<Finding>) {
        let long = self.axes.iter().filter(|axis| axis.count >= SATURATED_COUNT_MIN);
        let piles = long.map(|axis| {
            let pile = axis.lowest.pile().max(axis.highest.pile());
            (pile as f64 / axis.count as f64, pile)
        });
        let largest = piles.max_by(|a, b| a.0.total_cmp(&b.0));
        let finding =
            largest.filter(|largest| largest.0 > SATURATED_SHARE_MAX).map(|(value, count)| {
                let (kind, limit) = (FindingKind::Saturated, SATURATED_SHARE_MAX);
                Finding { kind, value, limit, count }
            });
        (largest.map(|largest| largest.0), finding)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standstill_is_timed_from_its_first_message() {
        let mut repeats = RepeatAccumulator::default();
        for index in 0..100 {
            repeats.add(Timestamp(index * 100_000_000), (21..=60).contains(&index));
        }
        let (longest_s, finding) = repeats.finish();
        assert_eq!(longest_s, Some(4.0)); // from message 20 to message 60
        assert_eq!(finding.map(|f| (f.value, f.count)), Some((4.0, 40)));
    }

    #[test]
    fn a_few_slow_repeats_are_not_frozen() {
        let mut repeats = RepeatAccumulator::default();
        for index in 0..9 {
            repeats.add(Timestamp(index * 1_000_000_000), true);
        }
        assert_eq!(repeats.finish(), (Some(0.0), None));
        assert_eq!(RepeatAccumulator::default().finish(), (None, None));
    }

    #[test]
    fn an_axis_that_sticks_to_its_end_is_found() {
        let mut axes = SaturationAccumulator::default();
        for index in 0..1000_i32 {
            let wave = f64::from(index % 100) - 50.0;
            axes.add(&[wave.min(45.0), 0.0, f64::NAN]);
        }
        let (share, finding) = axes.finish();
        assert_eq!(share, Some(0.05));
        assert_eq!(finding.map(|f| (f.kind, f.count)), Some((FindingKind::Saturated, 50)));
    }

    #[test]
    fn a_coarse_sensor_at_rest_a_sine_and_a_constant_are_not_saturated() {
        let of = |value: &dyn Fn(u32) -> f64| {
            let mut axis = SaturationAccumulator::default();
            (0..1000).for_each(|index| axis.add(&[value(index)]));
            axis.finish()
        };
        let coarse = of(&|index| f64::from([0, 0, 1, 0, -1, 0, 0, 1, 0, -1][index as usize % 10]));
        let sine = of(&|index| (tiepoint_model::math::sin(f64::from(index) * 0.1) * 50.0).round());
        let constant = of(&|_| 1.0);
        for (share, finding) in [coarse, sine, constant] {
            assert_eq!((share, finding), (Some(0.0), None));
        }
    }
}
