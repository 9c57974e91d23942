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
}

/// One failed check: what, how much, the limit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// What it is about.
    pub kind: FindingKind,
    /// The measured share or count.
    pub value: f64,
    /// The limit it is over.
    pub limit: f64,
    /// How many messages or values it concerns.
    pub count: u64,
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
    /// The failed checks.
    pub findings: Vec<Finding>,
}
