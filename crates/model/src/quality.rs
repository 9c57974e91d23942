//! What is found at the door: per channel the rate, gaps, order and range of what came in, as data.
//!
//! Times are log times. The thresholds are constants here until contracts exist.

use serde::{Deserialize, Serialize};

/// An interval between messages may differ from the channel's median interval by this share before the rate counts as unsteady.
/// Source: the checker of the GrandTour dataset (frequency within 10 %).
pub const RATE_DEVIATION_MAX: f64 = 0.10;

/// At most this share of the expected messages may be missing in gaps. Source: as above (drops of at most 5 %).
pub const GAP_SHARE_MAX: f64 = 0.05;

/// An interval longer than this many median intervals is a gap: one message at least is missing.
pub const GAP_FACTOR: f64 = 1.5;

/// At most this share of values may be NaN. Infinite readings are "no return" by REP-117 and count as out of range.
pub const NAN_SHARE_MAX: f64 = 0.05;

/// At most this share of values may lie outside the sensor's own limits.
pub const OUT_OF_RANGE_SHARE_MAX: f64 = 0.20;

/// The door's verdict on a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QualityVerdict {
    /// Every check that applies passed.
    Pass,
    /// At least one check failed; the findings say which.
    Fail,
    /// Too few messages to say.
    Unknown,
}

/// A channel whose sensor stamps lie further from its log times than this belongs to another clock, or is late.
/// Source: this project; half a second is half a metre of a walking robot.
pub const CLOCK_OFFSET_S_MAX: f64 = 0.5;

/// A clock may run away from another by this share, parts per million.
/// Source: the tolerance of uncompensated quartz oscillators (20 to 100 ppm).
pub const CLOCK_DRIFT_PPM_MAX: f64 = 100.0;

/// Two channels that see the same motion may disagree on its time by this much, seconds.
/// Source: this project; at 1 rad/s it is 1 degree.
pub const CHANNEL_OFFSET_S_MAX: f64 = 0.020;

/// A sensor with noise may repeat itself to the bit for this long, seconds, and at least [`FROZEN_COUNT_MIN`] times.
/// Source: this project.
pub const FROZEN_S_MAX: f64 = 1.0;

/// Fewer repeats than this are not called frozen, however slow the channel.
pub const FROZEN_COUNT_MIN: u64 = 10;

/// At most this share of an axis' readings may pile up at its own largest or smallest value.
/// Source: this project; a full-scale reading that is a measurement is rare.
pub const SATURATED_SHARE_MAX: f64 = 0.01;

/// A transform may move by this much between two messages before it counts as a jump, metres, if it is also faster than [`JUMP_M_PER_S`].
/// Source: this project.
pub const JUMP_M: f64 = 0.5;

/// No robot of ours moves faster, metres per second.
pub const JUMP_M_PER_S: f64 = 50.0;

/// As [`JUMP_M`], radians.
pub const JUMP_RAD: f64 = 0.5;

/// As [`JUMP_M_PER_S`], radians per second.
pub const JUMP_RAD_PER_S: f64 = 20.0;

/// A fixed mounting may move by this much from one pass of a rig to the next, millimetres.
/// Source: this project; 5 mm is the error of a tape measure.
pub const EXTRINSICS_MM_MAX: f64 = 5.0;

/// As [`EXTRINSICS_MM_MAX`], milliradians: 5 mrad are 5 cm at 10 m.
pub const EXTRINSICS_MRAD_MAX: f64 = 5.0;

/// Between two passes the same ray may move in the image by this much, pixels.
/// Source: this project; good calibrations leave a third of it.
pub const INTRINSICS_PX_MAX: f64 = 1.0;

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// Share of intervals that leave the median interval by more than [`RATE_DEVIATION_MAX`] while not gaps.
    RateDeviation,
    /// Share of expected messages missing in gaps.
    Gaps,
    /// Messages whose log time lies before that of the message ahead of them.
    TimeRunsBack,
    /// Messages with the same log time as the message ahead of them.
    DuplicateStamps,
    /// Share of NaN values.
    NotANumber,
    /// Share of values outside the sensor's own limits.
    OutOfRange,
    /// Messages whose sensor stamp lies before that of the message ahead of them.
    SensorTimeRunsBack,
    /// Median of log time minus sensor stamp.
    ClockOffset,
    /// Slope of the smallest delays, log time minus sensor stamp, over time.
    ClockDrift,
    /// The longest time in which every message repeats the one ahead of it to the bit.
    Frozen,
    /// The largest share of an axis' readings that pile up at its largest or its smallest value.
    Saturated,
    /// Lag between two channels that measure the same turning, by cross-correlation.
    ChannelOffset,
    /// Frames with more than one parent.
    TransformTwoParents,
    /// Frames that are their own ancestor.
    TransformCycle,
    /// Frames of sensors that nothing joins to the others.
    TransformDisconnected,
    /// Steps of a transform that no robot makes.
    TransformJump,
    /// How far a fixed mounting moved.
    ExtrinsicsShift,
    /// How far a fixed mounting turned.
    ExtrinsicsTurn,
    /// How far the same ray moved in the image.
    IntrinsicsShift,
}

/// Kind, word, unit, definition, source.
type KindRow = (FindingKind, &'static str, &'static str, &'static str, &'static str);

const GRAND_TOUR: &str = "checker of the GrandTour dataset";
const OURS: &str = "this project";

/// In the order of the enum.
const KINDS: [KindRow; 19] = [
    (
        FindingKind::RateDeviation,
        "rate_deviation",
        "1",
        "Share of intervals, gaps apart, that leave the median by more than 10 %.",
        GRAND_TOUR,
    ),
    (
        FindingKind::Gaps,
        "gaps",
        "1",
        "Messages missing in intervals above 1.5 medians, over expected messages.",
        GRAND_TOUR,
    ),
    (
        FindingKind::TimeRunsBack,
        "time_runs_back",
        "count",
        "Log times before the one ahead.",
        GRAND_TOUR,
    ),
    (
        FindingKind::DuplicateStamps,
        "duplicate_stamps",
        "count",
        "Log times equal to the one ahead.",
        GRAND_TOUR,
    ),
    (FindingKind::NotANumber, "not_a_number", "1", "Share of values that are NaN.", OURS),
    (
        FindingKind::OutOfRange,
        "out_of_range",
        "1",
        "Share of values outside the sensor's own limits; zero and infinity are outside.",
        "REP-117 for what a reading without return is",
    ),
    (
        FindingKind::SensorTimeRunsBack,
        "sensor_time_runs_back",
        "count",
        "Sensor stamps before the one ahead.",
        OURS,
    ),
    (
        FindingKind::ClockOffset,
        "clock_offset",
        "s",
        "Median of log time minus sensor stamp, absolute.",
        OURS,
    ),
    (
        FindingKind::ClockDrift,
        "clock_drift",
        "ppm",
        "Slope of the lower hull of log time minus sensor stamp over time, absolute.",
        "hull: Zhang, Liu and Xia, 2002; limit: quartz oscillators",
    ),
    (FindingKind::Frozen, "frozen", "s", "Longest time in which messages repeat to the bit.", OURS),
    (
        FindingKind::Saturated,
        "saturated",
        "1",
        "Largest share of an axis' readings piled up at its own largest or smallest value.",
        OURS,
    ),
    (
        FindingKind::ChannelOffset,
        "channel_offset",
        "s",
        "Lag of the highest cross-correlation of two rates of turn, absolute.",
        OURS,
    ),
    (
        FindingKind::TransformTwoParents,
        "transform_two_parents",
        "count",
        "Frames with two parents.",
        "REP-105",
    ),
    (
        FindingKind::TransformCycle,
        "transform_cycle",
        "count",
        "Frames that are their own ancestor.",
        "REP-105",
    ),
    (
        FindingKind::TransformDisconnected,
        "transform_disconnected",
        "count",
        "Trees of frames beyond the first.",
        "REP-105",
    ),
    (
        FindingKind::TransformJump,
        "transform_jump",
        "count",
        "Steps over 0.5 m faster than 50 m/s, or over 0.5 rad faster than 20 rad/s.",
        OURS,
    ),
    (
        FindingKind::ExtrinsicsShift,
        "extrinsics_shift",
        "mm",
        "How far a fixed mounting moved.",
        OURS,
    ),
    (
        FindingKind::ExtrinsicsTurn,
        "extrinsics_turn",
        "mrad",
        "How far a fixed mounting turned.",
        OURS,
    ),
    (
        FindingKind::IntrinsicsShift,
        "intrinsics_shift",
        "px",
        "How far the same ray moved in the image.",
        OURS,
    ),
];

impl FindingKind {
    /// Every kind.
    pub fn all() -> impl Iterator<Item = Self> {
        KINDS.iter().map(|row| row.0)
    }

    /// The word used in tables and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        KINDS[self as usize].1
    }

    /// Unit of the value and of the limit; `1` for shares, `count` for counts.
    #[must_use]
    pub fn unit(self) -> &'static str {
        KINDS[self as usize].2
    }

    /// What is measured, in one sentence.
    #[must_use]
    pub fn definition(self) -> &'static str {
        KINDS[self as usize].3
    }

    /// Where definition and limit come from.
    #[must_use]
    pub fn source(self) -> &'static str {
        KINDS[self as usize].4
    }
}

/// One failed check: what, how much, the limit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// What it is about.
    pub kind: FindingKind,
    /// The measured value, in the kind's unit.
    pub value: f64,
    /// The limit it is over.
    pub limit: f64,
    /// How many messages, values or frames it concerns.
    pub count: u64,
}

/// A failed check of a recording as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordingFinding {
    /// The frames or channels it is about, such as `base_link to lidar`.
    pub subject: String,
    /// What was found.
    #[serde(flatten)]
    pub finding: Finding,
}

/// How a channel's sensor clock stands to the recorder's clock.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClockQuality {
    /// Messages with both stamps.
    pub count: u64,
    /// Median of log time minus sensor stamp, seconds: clock offset and delay together.
    pub offset_s: f64,
    /// How far the sensor's clock runs away, parts per million; positive if the recorder's is faster.
    /// `None` below ten seconds or three messages.
    pub drift_ppm: Option<f64>,
    /// Median delay above the fastest message, seconds.
    pub delay_s: f64,
    /// The 99th percentile of that delay, seconds.
    pub delay_s_p99: f64,
}

/// How late one channel's motion is against another's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChannelOffset {
    /// The channel that is taken for the reference.
    pub reference: String,
    /// The other channel.
    pub channel: String,
    /// By how much the other lags, seconds; `None` if the motion does not tell.
    pub lag_s: Option<f64>,
    /// The highest normalised correlation.
    pub correlation: f64,
    /// Why there is no lag, in words; empty if there is one.
    pub reason: String,
}

/// What holds for a recording as a whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RecordingQuality {
    /// Lags between channels that measure the same turning.
    pub offsets: Vec<ChannelOffset>,
    /// The failed checks.
    pub findings: Vec<RecordingFinding>,
    /// What of the original could not be read and was left out, in words with its place in the file.
    pub losses: Vec<String>,
}

/// The measured quality of one channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChannelQuality {
    /// The door's verdict.
    pub verdict: QualityVerdict,
    /// One over the median positive interval; `None` with fewer than two messages.
    pub rate_hz: Option<f64>,
    /// Standard deviation of the intervals that are not gaps, as a share of the median interval.
    pub jitter_share: Option<f64>,
    /// Share of intervals, gaps apart, that leave the median by more than [`RATE_DEVIATION_MAX`].
    pub rate_deviation_share: Option<f64>,
    /// Intervals longer than [`GAP_FACTOR`] medians.
    pub gap_count: u64,
    /// The longest interval, nanoseconds.
    pub gap_ns_max: i64,
    /// Missing messages in gaps over expected messages.
    pub gap_share: Option<f64>,
    /// Messages whose log time runs back.
    pub runs_back_count: u64,
    /// Messages with the log time of the one ahead.
    pub duplicate_count: u64,
    /// Values looked at for NaN and range.
    pub value_count: u64,
    /// NaN values.
    pub nan_count: u64,
    /// Values outside the sensor's own limits (zero and infinite ranges are outside).
    pub out_of_range_count: u64,
    /// The sensor's clock against the recorder's, if messages have both stamps.
    #[serde(default)]
    pub clock: Option<ClockQuality>,
    /// The longest time in which messages repeat to the bit, seconds; `None` if it is not looked at.
    #[serde(default)]
    pub frozen_s: Option<f64>,
    /// The largest share of an axis' readings piled up at its own end; `None` if it is not looked at.
    #[serde(default)]
    pub saturated_share: Option<f64>,
    /// The failed checks.
    pub findings: Vec<Finding>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_finds_its_own_row() {
        for (index, row) in KINDS.iter().enumerate() {
            assert_eq!(row.0 as usize, index);
            assert_eq!(serde_json::to_value(row.0).unwrap(), row.1);
            assert!(row.3.ends_with('.'));
        }
    }
}
