//! ADWIN: where in a stream does its mean change?
//!
//! Invariant: the window's width and sum are those of the values it still holds; the same stream
//! gives the same detections.
//! Units: those of the values. Places are indices from 0.
//! Cost: `O(log n)` memory; `O(log n)` time for each value looked at, and one value in `clock` is.
//!
//! Not here: changes of anything but the mean, and values that remember: frames of one run change
//! their mean all the time.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use tiepoint_model::math;

use crate::{MeasureError, Metric, registry};

/// How a stream is watched. river's defaults are 0.002, 32, 5, 5 and 10.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdwinOptions {
    /// Error rate of a single look, in `(0, 1)`.
    pub delta: f64,
    /// Values between two looks: detections fall on its multiples.
    pub clock: usize,
    /// Buckets of each size before two are joined.
    pub bucket_count_max: usize,
    /// Least length of each side of a cut.
    pub side_length_min: usize,
    /// No look before this many values.
    pub grace_count: usize,
}

impl AdwinOptions {
    /// The defaults of river 0.26.1.
    pub const RIVER: Self =
        Self { delta: 0.002, clock: 32, bucket_count_max: 5, side_length_min: 5, grace_count: 10 };

    /// The metric under these options.
    #[must_use]
    pub fn metric(&self) -> Metric {
        Metric::new(registry::DIST_ADWIN_DETECTIONS)
            .with("delta", self.delta)
            .with("clock", self.clock)
            .with("buckets", self.bucket_count_max)
            .with("side_min", self.side_length_min)
            .with("grace", self.grace_count)
            .with("mode", "compat:river==0.26.1")
    }

    fn check(&self) -> Result<(), MeasureError> {
        let refuse = |name, value, requirement| {
            Err(MeasureError::InvalidOption { name, value, requirement })
        };
        if !(self.delta > 0.0 && self.delta < 1.0) {
            return refuse("delta", self.delta, "between 0 and 1");
        }
        for (name, value) in [
            ("clock", self.clock),
            ("bucket_count_max", self.bucket_count_max),
            ("side_length_min", self.side_length_min),
        ] {
            if value == 0 {
                return refuse(name, 0.0, "at least 1");
            }
        }
        Ok(())
    }
}

/// Where a stream's mean changed, and the window after its last value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdwinReport {
    /// Indices at which a change was seen; each lies at or after the change.
    pub detections: Vec<usize>,
    /// Values in the last window.
    pub width: usize,
    /// Their mean.
    pub mean: f64,
    /// Their population variance, as far as buckets tell.
    pub variance: f64,
}

/// Watches a stream; after a detection it starts anew.
///
/// # Errors
/// [`MeasureError::Empty`], [`MeasureError::NotFinite`] (also where squares overflow),
/// [`MeasureError::InvalidOption`].
///
/// # Invariants
/// `adwin_sees_a_step_and_is_unchanged_by_shift`, `adwin_is_quiet_on_a_constant`.
///
/// # Source
/// Bifet and Gavalda, *Learning from time-changing data with adaptive windowing*, 2007; river
/// 0.26.1, whose clock and variance bookkeeping decide where a detection falls.
pub fn adwin(stream: &[f64], options: &AdwinOptions) -> Result<AdwinReport, MeasureError> {
    crate::statistics::require_finite(stream, "stream")?;
    options.check()?;
    let mut window = Window::new(*options);
    let mut detections = Vec::new();
    for (index, &value) in stream.iter().enumerate() {
        if detections.last().is_some_and(|last| last + 1 == index) {
            window = Window::new(*options);
        }
        if window.add(value) {
            detections.push(index);
        }
        if !(window.sum.is_finite() && window.deviation.is_finite()) {
            return Err(MeasureError::NotFinite { what: "variance of the window", index });
        }
    }
    Ok(AdwinReport {
        detections,
        width: window.width,
        mean: window.sum / window.width as f64,
        variance: (window.deviation / window.width as f64).max(0.0),
    })
}

/// The sum and squared deviation of values that stand together.
#[derive(Clone, Copy)]
struct Bucket {
    sum: f64,
    deviation: f64,
}

/// What joining two lists with these counts and means adds to their squared deviation.
fn joint_deviation([n, m]: [f64; 2], [a, b]: [f64; 2]) -> f64 {
    n * m * (a - b) * (a - b) / (n + m)
}

/// Rows of buckets: those of row r hold `2^r` values; within a row the oldest come first.
struct Window {
    options: AdwinOptions,
    rows: Vec<VecDeque<Bucket>>,
    width: usize,
    sum: f64,
    deviation: f64,
    ticks: usize,
}

impl Window {
    fn new(options: AdwinOptions) -> Self {
        let rows = vec![VecDeque::new()];
        Self { options, rows, width: 0, sum: 0.0, deviation: 0.0, ticks: 0 }
    }

    /// Takes a value; true if the window was cut.
    fn add(&mut self, value: f64) -> bool {
        if self.width > 0 {
            let before = self.width as f64;
            self.deviation += joint_deviation([before, 1.0], [self.sum / before, value]);
        }
        self.width += 1;
        self.sum += value;
        self.rows[0].push_back(Bucket { sum: value, deviation: 0.0 });
        self.join_buckets();
        self.ticks += 1;
        let mut is_cut = false;
        if self.ticks.is_multiple_of(self.options.clock) && self.width > self.options.grace_count {
            while self.has_cut() {
                is_cut = true;
                self.drop_oldest();
            }
        }
        is_cut
    }

    /// Two buckets of a row that is too long become one of the next.
    fn join_buckets(&mut self) {
        let mut row = 0;
        while row < self.rows.len() && self.rows[row].len() > self.options.bucket_count_max {
            if row + 1 == self.rows.len() {
                self.rows.push(VecDeque::new());
            }
            let size = size_of_row(row);
            let (Some(a), Some(b)) = (self.rows[row].pop_front(), self.rows[row].pop_front())
            else {
                return;
            };
            let between = joint_deviation([size, size], [a.sum / size, b.sum / size]);
            let deviation = a.deviation + b.deviation + between;
            self.rows[row + 1].push_back(Bucket { sum: a.sum + b.sum, deviation });
            row += 1;
        }
    }

    /// Is there a cut, from the oldest buckets on, whose sides differ in their means?
    fn has_cut(&self) -> bool {
        let least = self.options.side_length_min as f64;
        let width = self.width as f64;
        let (mut old_count, mut old_sum) = (0.0, 0.0);
        for (row, buckets) in self.rows.iter().enumerate().rev() {
            let size = size_of_row(row);
            for bucket in buckets {
                old_count += size;
                old_sum += bucket.sum;
                let new_count = width - old_count;
                if new_count < least || old_count < least {
                    continue;
                }
                let difference = old_sum / old_count - (self.sum - old_sum) / new_count;
                if difference.abs() > self.limit(old_count, new_count) {
                    return true;
                }
            }
        }
        false
    }

    fn limit(&self, old_count: f64, new_count: f64) -> f64 {
        let least = self.options.side_length_min as f64;
        let width = self.width as f64;
        let confidence = math::ln(2.0 * math::ln(width) / self.options.delta);
        let reciprocal = 1.0 / (old_count - least + 1.0) + 1.0 / (new_count - least + 1.0);
        let variance = (self.deviation / width).max(0.0);
        (2.0 * reciprocal * variance * confidence).sqrt() + 2.0 / 3.0 * confidence * reciprocal
    }

    fn drop_oldest(&mut self) {
        let row = self.rows.len() - 1;
        let size = size_of_row(row);
        let Some(oldest) = self.rows[row].pop_front() else { return };
        self.width -= 1 << row;
        self.sum -= oldest.sum;
        let rest = self.width as f64;
        let means = [oldest.sum / size, self.sum / rest];
        self.deviation -= oldest.deviation + joint_deviation([size, rest], means);
        while self.rows.len() > 1 && self.rows.last().is_some_and(VecDeque::is_empty) {
            self.rows.pop();
        }
    }
}

fn size_of_row(row: usize) -> f64 {
    (1_u64 << row.min(62)) as f64
}
