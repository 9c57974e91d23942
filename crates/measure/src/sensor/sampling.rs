//! Whether stamps are regular enough for measures that count samples instead of time.
//!
//! Invariant: nothing is resampled; a record with gaps is refused, or cut to a stretch without one,
//! and the cut is in the answer.
//! Nanoseconds in, seconds and hertz out.
//! Cost: `O(n log n)` for the median interval, memory `O(n)`.
//!
//! Not here: filling gaps.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use tiepoint_model::Timestamp;

use crate::{MeasureError, statistics::require_positive};

const NANOSECONDS: f64 = 1e9;

/// The timing of a record without gaps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sampling {
    /// Samples per second: intervals over the time that they take together.
    pub rate_hz: f64,
    /// Largest distance of an interval from the mean interval, as a share of it.
    pub jitter_share: f64,
    /// The samples that this holds for.
    pub range: Range<usize>,
    /// Gaps in the whole record, also those outside of `range`.
    pub gap_count: usize,
    /// Samples outside of `range`.
    pub dropped_count: usize,
}

/// The timing of a whole record, which must not have gaps.
///
/// # Inputs
/// - `stamps`: strictly ascending, of the sensor's own clock if there is one.
/// - `tolerance_share`: an interval may differ from the median interval by this share of it;
///   0.5 tells a missing sample from jitter.
///
/// # Errors
/// [`MeasureError::TooFew`] (three stamps are needed), [`MeasureError::IrregularSampling`] (a gap, or
/// time that stands still or runs back), [`MeasureError::InvalidOption`].
///
/// # Source
/// This project.
pub fn regular_sampling(
    stamps: &[Timestamp],
    tolerance_share: f64,
) -> Result<Sampling, MeasureError> {
    let (intervals_ns, expected_ns) = intervals(stamps, tolerance_share)?;
    let gap = intervals_ns.iter().position(|ns| is_gap(*ns, expected_ns, tolerance_share));
    if let Some(index) = gap {
        let interval_ns = intervals_ns[index];
        return Err(MeasureError::IrregularSampling { index, interval_ns, expected_ns });
    }
    Ok(sampling_of(&intervals_ns, 0..stamps.len(), 0))
}

/// The timing of the longest stretch without a gap; the first of those equally long.
///
/// # Errors
/// As [`regular_sampling`], but gaps are counted instead of refused.
pub fn longest_regular_stretch(
    stamps: &[Timestamp],
    tolerance_share: f64,
) -> Result<Sampling, MeasureError> {
    let (intervals_ns, expected_ns) = intervals(stamps, tolerance_share)?;
    let (mut best, mut begin, mut gap_count) = (0..0, 0, 0);
    for (index, ns) in intervals_ns.iter().chain([&i64::MAX]).enumerate() {
        let is_end = index == intervals_ns.len();
        if is_end || is_gap(*ns, expected_ns, tolerance_share) {
            gap_count += usize::from(!is_end);
            if index + 1 - begin > best.len() {
                best = begin..index + 1;
            }
            begin = index + 1;
        }
    }
    if best.len() < STAMPS_MIN {
        let what = "stamps between two gaps";
        return Err(MeasureError::TooFew { what, count: best.len(), min: STAMPS_MIN });
    }
    Ok(sampling_of(&intervals_ns, best, gap_count))
}

/// Two intervals, so that there is something to compare.
const STAMPS_MIN: usize = 3;

/// All intervals, and the middle one.
fn intervals(stamps: &[Timestamp], tolerance_share: f64) -> Result<(Vec<i64>, i64), MeasureError> {
    require_positive(tolerance_share, "tolerance_share")?;
    if stamps.len() < STAMPS_MIN {
        let (count, min) = (stamps.len(), STAMPS_MIN);
        return Err(MeasureError::TooFew { what: "stamps", count, min });
    }
    let intervals_ns: Vec<i64> =
        stamps.windows(2).map(|pair| pair[1].0.saturating_sub(pair[0].0)).collect();
    let mut sorted = intervals_ns.clone();
    sorted.sort_unstable();
    let expected_ns = sorted[sorted.len() / 2];
    if expected_ns <= 0 {
        let index = intervals_ns.iter().position(|ns| *ns <= 0).unwrap_or(0);
        let interval_ns = intervals_ns[index];
        return Err(MeasureError::IrregularSampling { index, interval_ns, expected_ns });
    }
    Ok((intervals_ns, expected_ns))
}

fn is_gap(interval_ns: i64, expected_ns: i64, tolerance_share: f64) -> bool {
    let expected = expected_ns as f64;
    interval_ns <= 0 || (interval_ns as f64 - expected).abs() > tolerance_share * expected
}

fn sampling_of(intervals_ns: &[i64], range: Range<usize>, gap_count: usize) -> Sampling {
    let inside = &intervals_ns[range.start..range.end - 1];
    let total_ns: f64 = inside.iter().map(|ns| *ns as f64).sum();
    let mean_ns = total_ns / inside.len() as f64;
    let farthest = inside.iter().map(|ns| (*ns as f64 - mean_ns).abs()).fold(0.0, f64::max);
    Sampling {
        rate_hz: NANOSECONDS / mean_ns,
        jitter_share: farthest / mean_ns,
        gap_count,
        dropped_count: intervals_ns.len() + 1 - range.len(),
        range,
    }
}
