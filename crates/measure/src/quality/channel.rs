//! The rhythm and the values of one channel: rate, gaps, order, NaN, range.
//!
//! Invariant: the answer does not depend on how the messages are cut into chunks. Memory is 8 bytes
//! a message: an exact median needs every interval.
//! Times are log times in the order of arrival, nanoseconds.
//!
//! Not here: what to do about a channel that fails, and the thresholds, which are the model's.

use tiepoint_model::{
    Scan, Timestamp,
    quality::{
        ChannelQuality, Finding, FindingKind, GAP_FACTOR, GAP_SHARE_MAX, NAN_SHARE_MAX,
        OUT_OF_RANGE_SHARE_MAX, QualityVerdict, RATE_DEVIATION_MAX,
    },
    time::NS_PER_S,
};

/// With fewer messages there is at most one interval, and nothing to compare it with.
pub const MESSAGE_COUNT_MIN: u64 = 3;

/// The rate counts as unsteady if more than this share of the intervals leave the median by more
/// than [`RATE_DEVIATION_MAX`]:
/// if a single interval is more likely than not to miss the rate that is printed for the channel.
pub const UNSTEADY_SHARE_MAX: f64 = 0.5;

/// How many values of a message, or of many, are bad.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ValueCounts {
    /// Values looked at.
    pub value_count: u64,
    /// NaN values.
    pub nan_count: u64,
    /// Values outside the sensor's own limits; NaN is not counted again.
    pub out_of_range_count: u64,
}

impl ValueCounts {
    /// The readings of a scan: NaN, or outside the scanner's limits (zero and infinite readings are
    /// outside).
    #[must_use]
    pub fn of_scan(scan: &Scan) -> Self {
        let mut counts = Self::default();
        for (index, range_m) in scan.ranges_m.iter().enumerate() {
            let is_nan = range_m.is_nan();
            counts.value_count += 1;
            counts.nan_count += u64::from(is_nan);
            counts.out_of_range_count += u64::from(!is_nan && scan.valid_range_m(index).is_none());
        }
        counts
    }

    /// Values without limits of their own: NaN counts as NaN, infinity as out of range.
    #[must_use]
    pub fn of_unlimited(values: &[f64]) -> Self {
        let count_of = |is_counted: fn(&f64) -> bool| {
            values.iter().filter(|value| is_counted(value)).count() as u64
        };
        Self {
            value_count: values.len() as u64,
            nan_count: count_of(|value| value.is_nan()),
            out_of_range_count: count_of(|value| value.is_infinite()),
        }
    }

    /// As [`Self::of_unlimited`], of single precision.
    #[must_use]
    pub fn of_unlimited_f32(values: &[f32]) -> Self {
        let count_of = |is_counted: fn(&f32) -> bool| {
            values.iter().filter(|value| is_counted(value)).count() as u64
        };
        Self {
            value_count: values.len() as u64,
            nan_count: count_of(|value| value.is_nan()),
            out_of_range_count: count_of(|value| value.is_infinite()),
        }
    }

    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            value_count: self.value_count + other.value_count,
            nan_count: self.nan_count + other.nan_count,
            out_of_range_count: self.out_of_range_count + other.out_of_range_count,
        }
    }
}

/// Collects one channel's log times and value counts, chunk by chunk.
///
/// # Example
/// ```
/// use tiepoint_measure::quality::QualityAccumulator;
/// use tiepoint_model::{Timestamp, quality::QualityVerdict};
///
/// let mut channel = QualityAccumulator::new();
/// for chunk in [[0, 100_000_000], [200_000_000, 300_000_000]] {
///     channel.add_log_times(&chunk.map(Timestamp));
/// }
/// let quality = channel.finish();
/// assert_eq!(quality.rate_hz, Some(10.0));
/// assert_eq!(quality.verdict, QualityVerdict::Pass);
/// ```
#[derive(Clone, Debug, Default)]
pub struct QualityAccumulator {
    latest: Option<Timestamp>,
    message_count: u64,
    /// Positive intervals, nanoseconds; one that overflows `i64` saturates.
    intervals_ns: Vec<i64>,
    runs_back_count: u64,
    duplicate_count: u64,
    values: ValueCounts,
}

impl QualityAccumulator {
    /// Nothing seen yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The next messages' log times, in the order of arrival.
    pub fn add_log_times(&mut self, log_times: &[Timestamp]) {
        self.intervals_ns.reserve(log_times.len());
        for &log_time in log_times {
            self.message_count += 1;
            if let Some(latest) = self.latest {
                let interval_ns = log_time.since(latest).0;
                self.runs_back_count += u64::from(interval_ns < 0);
                self.duplicate_count += u64::from(interval_ns == 0);
                if interval_ns > 0 {
                    self.intervals_ns.push(interval_ns);
                }
            }
            self.latest = Some(log_time);
        }
    }

    /// The next messages' values.
    pub fn add_values(&mut self, counts: ValueCounts) {
        self.values = self.values.and(counts);
    }

    /// How many messages were seen.
    #[must_use]
    pub fn message_count(&self) -> u64 {
        self.message_count
    }

    /// The quality of what was seen.
    ///
    /// An interval is the time from a message to the next one in the order of arrival, if positive.
    /// `rate = 1 / median`; a gap is an interval above 1.5 medians and misses `round(interval /
    /// median) − 1` messages;
    /// a gap share is missing over (arrived + missing) messages.
    ///
    /// # Output
    /// `Fail` if any finding is made, else `Unknown` with fewer than [`MESSAGE_COUNT_MIN`]
    /// messages, else `Pass`.
    /// One message that runs back or repeats a stamp is a finding.
    ///
    /// # Invariants
    /// `quality_does_not_depend_on_the_chunks`, `a_steady_channel_passes_at_any_rate`,
    /// `removing_messages_is_counted_exactly`,
    /// `a_shift_of_the_clock_changes_no_quality`.
    ///
    /// # Source
    /// Definitions and thresholds: [`tiepoint_model::quality`], after the checker of the GrandTour
    /// dataset.
    #[must_use]
    pub fn finish(mut self) -> ChannelQuality {
        let rhythm = Rhythm::of(&mut self.intervals_ns, self.message_count);
        let mut quality = ChannelQuality {
            verdict: QualityVerdict::Unknown,
            rate_hz: rhythm.map(|rhythm| NS_PER_S as f64 / rhythm.median_ns),
            jitter_share: rhythm.and_then(|rhythm| rhythm.jitter_share),
            rate_deviation_share: rhythm.and_then(|rhythm| rhythm.deviation_share()),
            gap_count: rhythm.map_or(0, |rhythm| rhythm.gap_count),
            gap_ns_max: rhythm.map_or(0, |rhythm| rhythm.longest_ns),
            gap_share: rhythm.map(|rhythm| rhythm.gap_share),
            runs_back_count: self.runs_back_count,
            duplicate_count: self.duplicate_count,
            value_count: self.values.value_count,
            nan_count: self.values.nan_count,
            out_of_range_count: self.values.out_of_range_count,
            clock: None,
            frozen_s: None,
            saturated_share: None,
            findings: Vec::new(),
        };
        quality.findings = findings(&quality, rhythm.as_ref());
        quality.verdict = verdict(&quality.findings, self.message_count);
        quality
    }
}

/// `Fail` with a finding, `Unknown` with fewer than [`MESSAGE_COUNT_MIN`] messages, else `Pass`.
pub(super) fn verdict(findings: &[Finding], message_count: u64) -> QualityVerdict {
    match (findings.is_empty(), message_count < MESSAGE_COUNT_MIN) {
        (false, _) => QualityVerdict::Fail,
        (true, true) => QualityVerdict::Unknown,
        (true, false) => QualityVerdict::Pass,
    }
}

/// The quality of a channel whose log times and value counts are at hand as a whole.
///
/// See [`QualityAccumulator::finish`].
#[must_use]
pub fn channel_quality(log_times: &[Timestamp], values: ValueCounts) -> ChannelQuality {
    let mut accumulator = QualityAccumulator::new();
    accumulator.add_log_times(log_times);
    accumulator.add_values(values);
    accumulator.finish()
}

/// What the positive intervals say.
#[derive(Clone, Copy)]
struct Rhythm {
    median_ns: f64,
    longest_ns: i64,
    gap_count: u64,
    missing_count: u64,
    gap_share: f64,
    /// Intervals that are not gaps, and how many of them leave the median.
    steady_count: u64,
    deviating_count: u64,
    jitter_share: Option<f64>,
}

impl Rhythm {
    /// `None` without a positive interval. Reorders the intervals.
    fn of(intervals_ns: &mut [i64], message_count: u64) -> Option<Self> {
        let longest_ns = intervals_ns.iter().copied().max()?;
        let median_ns = median_ns(intervals_ns);
        let (mut gap_count, mut missing_count) = (0_u64, 0_u64);
        let (mut steady_count, mut deviating_count) = (0_u64, 0_u64);
        // Deviations are summed as integers, so that the order of the intervals cannot matter.
        let (mut sum, mut square_sum) = (0_i128, 0_i128);
        #[expect(clippy::cast_possible_truncation, reason = "the median of i64 fits i64")]
        let origin_ns = median_ns as i64;
        for &interval_ns in intervals_ns.iter() {
            let ratio = interval_ns as f64 / median_ns;
            if ratio > GAP_FACTOR {
                gap_count += 1;
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a rounded ratio above 1.5 is at least 2, and saturates"
                )]
                let missed = (ratio.round() as u64).saturating_sub(1);
                missing_count = missing_count.saturating_add(missed);
                continue;
            }
            steady_count += 1;
            deviating_count += u64::from((ratio - 1.0).abs() > RATE_DEVIATION_MAX);
            let deviation_ns = i128::from(interval_ns) - i128::from(origin_ns);
            sum += deviation_ns;
            square_sum = square_sum.saturating_add(deviation_ns * deviation_ns);
        }
        let jitter_share = (steady_count > 0).then(|| {
            let count = steady_count as f64;
            let mean = sum as f64 / count;
            let variance = (square_sum as f64 / count - mean * mean).max(0.0);
            variance.sqrt() / median_ns
        });
        let gap_share = missing_count as f64 / (message_count as f64 + missing_count as f64);
        Some(Self {
            median_ns,
            longest_ns,
            gap_count,
            missing_count,
            gap_share,
            steady_count,
            deviating_count,
            jitter_share,
        })
    }

    fn deviation_share(&self) -> Option<f64> {
        (self.steady_count > 0).then(|| self.deviating_count as f64 / self.steady_count as f64)
    }
}

/// The middle interval, the mean of the two middle ones for an even count.
fn median_ns(intervals_ns: &mut [i64]) -> f64 {
    let count = intervals_ns.len();
    let (below, &mut upper, _) = intervals_ns.select_nth_unstable(count / 2);
    match below.iter().max() {
        Some(&lower) if count.is_multiple_of(2) => 0.5 * (lower as f64 + upper as f64),
        _ => upper as f64,
    }
}

fn findings(quality: &ChannelQuality, rhythm: Option<&Rhythm>) -> Vec<Finding> {
    let share_of_values =
        |count: u64| (quality.value_count > 0).then(|| count as f64 / quality.value_count as f64);
    let checks = [
        (
            FindingKind::RateDeviation,
            quality.rate_deviation_share,
            UNSTEADY_SHARE_MAX,
            rhythm.map_or(0, |rhythm| rhythm.deviating_count),
        ),
        (
            FindingKind::Gaps,
            quality.gap_share,
            GAP_SHARE_MAX,
            rhythm.map_or(0, |rhythm| rhythm.missing_count),
        ),
        (
            FindingKind::TimeRunsBack,
            Some(quality.runs_back_count as f64),
            0.0,
            quality.runs_back_count,
        ),
        (
            FindingKind::DuplicateStamps,
            Some(quality.duplicate_count as f64),
            0.0,
            quality.duplicate_count,
        ),
        (
            FindingKind::NotANumber,
            share_of_values(quality.nan_count),
            NAN_SHARE_MAX,
            quality.nan_count,
        ),
        (
            FindingKind::OutOfRange,
            share_of_values(quality.out_of_range_count),
            OUT_OF_RANGE_SHARE_MAX,
            quality.out_of_range_count,
        ),
    ];
    checks
        .into_iter()
        .filter_map(|(kind, value, limit, count)| {
            let value = value.filter(|&value| value > limit)?;
            Some(Finding { kind, value, limit, count })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(log_times_ns: &[i64]) -> ChannelQuality {
        let log_times: Vec<Timestamp> = log_times_ns.iter().copied().map(Timestamp).collect();
        channel_quality(&log_times, ValueCounts::default())
    }

    fn kinds(quality: &ChannelQuality) -> Vec<FindingKind> {
        quality.findings.iter().map(|finding| finding.kind).collect()
    }

    #[test]
    fn too_few_messages_are_unknown_not_a_pass() {
        for times in [&[][..], &[5], &[5, 105]] {
            assert_eq!(of(times).verdict, QualityVerdict::Unknown);
        }
        assert_eq!(of(&[]).rate_hz, None);
        assert_eq!(of(&[5]).gap_share, None);
        assert_eq!(of(&[5, 105]).rate_hz, Some(1e7));
        assert_eq!(of(&[0, 100, 200]).verdict, QualityVerdict::Pass);
    }

    #[test]
    fn a_gap_misses_as_many_messages_as_fit_into_it() {
        let quality = of(&[0, 100, 200, 500, 600, 700]);
        assert_eq!((quality.gap_count, quality.gap_ns_max), (1, 300));
        assert_eq!(quality.gap_share, Some(0.25)); // 2 of 8
        assert_eq!(kinds(&quality), [FindingKind::Gaps]);
        assert_eq!(quality.findings[0].count, 2);
        assert_eq!(quality.rate_deviation_share, Some(0.0));
        assert_eq!(quality.jitter_share, Some(0.0));
    }

    #[test]
    fn order_and_repeats_are_counted() {
        let quality = of(&[0, 100, 50, 150, 150, 250]);
        assert_eq!((quality.runs_back_count, quality.duplicate_count), (1, 1));
        assert_eq!(kinds(&quality), [FindingKind::TimeRunsBack, FindingKind::DuplicateStamps]);
        let still = of(&[7; 10]);
        assert_eq!((still.rate_hz, still.duplicate_count), (None, 9));
        assert_eq!(still.verdict, QualityVerdict::Fail);
    }

    #[test]
    fn an_unsteady_rate_is_found_and_jitter_is_a_share_of_the_median() {
        // Half of the intervals are 80, half 120: every one leaves the median of 100 by 20 %.
        let times: Vec<i64> = (0..40).map(|i| i / 2 * 200 + i % 2 * 80).collect();
        let quality = of(&times[..39]);
        assert_eq!(quality.rate_deviation_share, Some(1.0));
        assert!((quality.jitter_share.unwrap() - 0.2).abs() < 1e-12);
        assert_eq!(kinds(&quality), [FindingKind::RateDeviation]);
    }

    #[test]
    fn bad_values_are_found_over_their_limits_only() {
        let times: Vec<Timestamp> = (0..10).map(|i| Timestamp(i * 100)).collect();
        let check = |nan_count, out_of_range_count, expected: &[FindingKind]| {
            let counts = ValueCounts { value_count: 100, nan_count, out_of_range_count };
            assert_eq!(kinds(&channel_quality(&times, counts)), expected);
        };
        check(5, 20, &[]);
        check(6, 20, &[FindingKind::NotANumber]);
        check(5, 21, &[FindingKind::OutOfRange]);
        let unlimited = ValueCounts::of_unlimited(&[1.0, f64::NAN, f64::INFINITY]);
        assert_eq!(unlimited, ValueCounts { value_count: 3, nan_count: 1, out_of_range_count: 1 });
    }

    #[test]
    fn the_ends_of_the_clock_do_not_overflow() {
        let quality = of(&[i64::MIN, 0, i64::MAX, i64::MIN]);
        assert_eq!(quality.runs_back_count, 1);
        assert_eq!(quality.gap_ns_max, i64::MAX);
    }
}
