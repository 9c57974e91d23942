//! A sensor's clock against the recorder's: offset, drift and delay.
//!
//! Every message is late by some delay that is never negative, so the fastest messages say how the
//! clocks stand: the line under all points (stamp, log time minus stamp), their lower convex hull.
//! Invariant: the answer does not depend on the order or the chunks of the messages.
//! Times are nanoseconds; offsets and delays come out in seconds.
//!
//! Not here: which clock is right. A constant delay and an offset cannot be told apart.

use tiepoint_model::{
    Stamps,
    quality::{CLOCK_DRIFT_PPM_MAX, CLOCK_OFFSET_S_MAX, ClockQuality, Finding, FindingKind},
    time::NS_PER_S,
};

use super::channel::MESSAGE_COUNT_MIN;

/// Below this time between first and last stamp no drift is stated, seconds.
pub const DRIFT_SPAN_S_MIN: f64 = 10.0;

/// Collects the stamps of one channel, 16 bytes a message.
#[derive(Clone, Debug, Default)]
pub struct ClockAccumulator {
    /// Sensor stamp, and log time minus sensor stamp.
    points_ns: Vec<(i64, i64)>,
    latest_ns: Option<i64>,
    runs_back_count: u64,
}

/// What the stamps of a channel say.
#[derive(Clone, Debug, Default)]
pub struct ClockReport {
    /// `None` without a message that has both stamps.
    pub quality: Option<ClockQuality>,
    /// The failed checks.
    pub findings: Vec<Finding>,
}

impl ClockAccumulator {
    /// The stamps of the next message; without a sensor stamp it is passed over.
    pub fn add(&mut self, stamps: &Stamps) {
        let Some(sensor) = stamps.sensor else { return };
        self.points_ns.push((sensor.0, stamps.log.since(sensor).0));
        self.runs_back_count += u64::from(self.latest_ns.is_some_and(|latest| sensor.0 < latest));
        self.latest_ns = Some(sensor.0);
    }

    /// Offset, drift and delay of what was seen.
    ///
    /// Drift is the slope of the hull's edge over the mean stamp: of all lines under the points
    /// the one with the least sum of distances.
    /// It is a finding only where it moved the clocks, over the whole time, by more than the 99th
    /// percentile of the delays; below that it cannot be told from them.
    ///
    /// # Cost
    /// `n log n` time.
    ///
    /// # Source
    /// Zhang, Liu and Xia, Clock synchronization algorithms for network measurements, 2002.
    #[must_use]
    pub fn finish(mut self) -> ClockReport {
        let mut findings = Vec::new();
        if self.runs_back_count > 0 {
            findings.push(Finding {
                kind: FindingKind::SensorTimeRunsBack,
                value: self.runs_back_count as f64,
                limit: 0.0,
                count: self.runs_back_count,
            });
        }
        self.points_ns.sort_unstable();
        let (Some(first), Some(last)) = (self.points_ns.first(), self.points_ns.last()) else {
            return ClockReport { quality: None, findings };
        };
        let span_s = (i128::from(last.0) - i128::from(first.0)) as f64 / NS_PER_S as f64;
        let count = self.points_ns.len() as u64;
        let line = Line::under(&self.points_ns);
        let is_long = count >= MESSAGE_COUNT_MIN && span_s >= DRIFT_SPAN_S_MIN;
        let slope = if is_long { line.slope } else { 0.0 };
        let line = Line { slope, ..line };
        let mut delays_s: Vec<f64> =
            self.points_ns.iter().map(|point| line.above_s(*point)).collect();
        // Without a slope the line may cut the points: the fastest message has no delay.
        let fastest_s = delays_s.iter().copied().fold(f64::INFINITY, f64::min);
        delays_s.iter_mut().for_each(|delay_s| *delay_s -= fastest_s);
        delays_s.sort_unstable_by(f64::total_cmp);
        let mut offsets_ns: Vec<i64> = self.points_ns.iter().map(|point| point.1).collect();
        let (_, offset_ns, _) = offsets_ns.select_nth_unstable(self.points_ns.len() / 2);
        let quality = ClockQuality {
            count,
            offset_s: *offset_ns as f64 / NS_PER_S as f64,
            drift_ppm: is_long.then_some(slope * 1e6),
            delay_s: quantile(&delays_s, 0.5),
            delay_s_p99: quantile(&delays_s, 0.99),
        };
        let drift_ppm = (slope * 1e6).abs();
        let is_resolved = slope.abs() * span_s > quality.delay_s_p99;
        for (kind, value, limit, is_said) in [
            (FindingKind::ClockOffset, quality.offset_s.abs(), CLOCK_OFFSET_S_MAX, true),
            (FindingKind::ClockDrift, drift_ppm, CLOCK_DRIFT_PPM_MAX, is_resolved),
        ] {
            if is_said && value > limit {
                findings.push(Finding { kind, value, limit, count });
            }
        }
        ClockReport { quality: Some(quality), findings }
    }
}

/// A straight line through a point of the hull.
#[derive(Clone, Copy)]
struct Line {
    through_ns: (i64, i64),
    slope: f64,
}

impl Line {
    /// Of the lines under all points, sorted by stamp, the one nearest to them.
    fn under(points_ns: &[(i64, i64)]) -> Self {
        let mut hull: Vec<(i64, i64)> = Vec::new();
        for &point in points_ns {
            if hull.last().is_some_and(|last| last.0 == point.0) {
                // Sorted, so the one that stands there is the lower.
                continue;
            }
            while hull.len() >= 2 && !turns_up(hull[hull.len() - 2], hull[hull.len() - 1], point) {
                hull.pop();
            }
            hull.push(point);
        }
        let origin_ns = points_ns.first().map_or(0, |first| first.0);
        let sum_ns: i128 =
            points_ns.iter().map(|point| i128::from(point.0) - i128::from(origin_ns)).sum();
        let mean_ns = sum_ns / points_ns.len().max(1) as i128 + i128::from(origin_ns);
        let edge = hull.windows(2).find(|edge| i128::from(edge[1].0) >= mean_ns);
        let slope = edge.map_or(0.0, |edge| {
            let step = |a: i64, b: i64| (i128::from(b) - i128::from(a)) as f64;
            step(edge[0].1, edge[1].1) / step(edge[0].0, edge[1].0)
        });
        let through_ns = edge.map_or_else(|| hull.first().copied().unwrap_or_default(), |e| e[0]);
        Self { through_ns, slope }
    }

    /// How far above the line a point lies, seconds.
    fn above_s(&self, point_ns: (i64, i64)) -> f64 {
        let along_ns = (i128::from(point_ns.0) - i128::from(self.through_ns.0)) as f64;
        let up_ns = (i128::from(point_ns.1) - i128::from(self.through_ns.1)) as f64;
        (up_ns - self.slope * along_ns) / NS_PER_S as f64
    }
}

/// True if the path from `a` over `b` to `c` turns to larger values at `b`.
///
/// In `f64` where the products leave `i128`, which takes stamps more than 292 years apart.
fn turns_up(a: (i64, i64), b: (i64, i64), c: (i64, i64)) -> bool {
    let step = |from: i64, to: i64| i128::from(to) - i128::from(from);
    let (run, rise) = (step(a.0, b.0), step(a.1, b.1));
    let (next_run, next_rise) = (step(b.0, c.0), step(b.1, c.1));
    match (run.checked_mul(next_rise), rise.checked_mul(next_run)) {
        (Some(left), Some(right)) => left > right,
        _ => run as f64 * next_rise as f64 > rise as f64 * next_run as f64,
    }
}

/// The value at a share of a sorted list, the lower of two neighbours.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a length is a length"
    )]
    let index = (share * (sorted.len().saturating_sub(1)) as f64) as usize;
    sorted.get(index).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use tiepoint_model::Timestamp;

    use super::*;

    /// Messages every 0.1 s with a delay pattern, a clock that is off and one that runs away.
    fn report(
        count: i64,
        offset_ns: i64,
        drift_ppm: f64,
        delay_ns: impl Fn(i64) -> i64,
    ) -> ClockReport {
        let mut clock = ClockAccumulator::default();
        for index in 0..count {
            let sensor = 1_700_000_000_000_000_000 + index * 100_000_000;
            #[expect(clippy::cast_possible_truncation, reason = "a small number")]
            let drift_ns = (index as f64 * 1e8 * drift_ppm * 1e-6) as i64;
            let log = sensor + offset_ns + drift_ns + delay_ns(index);
            clock.add(&Stamps {
                log: Timestamp(log),
                publish: None,
                sensor: Some(Timestamp(sensor)),
            });
        }
        clock.finish()
    }

    fn kinds(report: &ClockReport) -> Vec<FindingKind> {
        report.findings.iter().map(|finding| finding.kind).collect()
    }

    #[test]
    fn drift_is_recovered_under_one_sided_delays() {
        let late = |index: i64| 2_000_000 + (index * 7919 % 13) * 1_000_000;
        for drift_ppm in [-400.0, -20.0, 0.0, 35.0, 1000.0] {
            let found = report(1000, 0, drift_ppm, late);
            let quality = found.quality.unwrap();
            assert!((quality.drift_ppm.unwrap() - drift_ppm).abs() < 1.0, "{drift_ppm}");
            assert!((quality.delay_s - 0.006).abs() < 1e-4);
            let is_found = kinds(&found).contains(&FindingKind::ClockDrift);
            assert_eq!(is_found, drift_ppm.abs() > CLOCK_DRIFT_PPM_MAX);
        }
    }

    #[test]
    fn a_drift_that_hides_in_the_delays_is_no_finding() {
        // 150 ppm over 20 s move the clocks by 3 ms; the messages are late by up to 40 ms.
        let found = report(200, 0, 150.0, |index| (index * 31 % 40) * 1_000_000);
        assert!(kinds(&found).is_empty(), "{found:?}");
    }

    #[test]
    fn another_clock_is_found_and_a_short_log_states_no_drift() {
        let found = report(20, 3_600_000_000_000, 0.0, |_| 0);
        assert_eq!(kinds(&found), [FindingKind::ClockOffset]);
        let quality = found.quality.unwrap();
        assert_eq!((quality.drift_ppm, quality.offset_s), (None, 3600.0));
    }

    #[test]
    fn no_stamps_no_clock_and_no_extreme_overflows() {
        assert!(ClockAccumulator::default().finish().quality.is_none());
        let mut clock = ClockAccumulator::default();
        for (log, sensor) in [(i64::MIN, i64::MAX), (i64::MAX, i64::MIN), (0, 0), (5, i64::MIN)] {
            let sensor = Some(Timestamp(sensor));
            clock.add(&Stamps { log: Timestamp(log), publish: None, sensor });
        }
        let found = clock.finish();
        assert!(kinds(&found).contains(&FindingKind::SensorTimeRunsBack));
        assert!(found.quality.is_some_and(|quality| quality.offset_s.is_finite()));
    }
}
