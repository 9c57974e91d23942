//! How late one channel is against another, by the turning that both see.
//!
//! An inertial unit, odometry and ground truth all measure how fast the robot turns, whatever
//! their frames; the lag of the best correlation of those rates is the offset of their stamps.
//! Invariant: without motion, or with motion that repeats, there is no lag but a reason.
//! Stamps are the sensors' where they have them; seconds and radians.
//!
//! Not here: which channel is right. A filter's delay counts as a lag.

use tiepoint_model::{
    Pose3, Span, Timestamp,
    quality::{CHANNEL_OFFSET_S_MAX, ChannelOffset, Finding, FindingKind, RecordingFinding},
};

use super::transforms::angle_rad;
use crate::{
    MeasureError,
    trajectory::{
        MotionSignal, TimeOffset, TimeOffsetOptions, TimedPoses, time_offset, time_offset::Obstacle,
    },
};

/// Rates are kept this far apart, nanoseconds: 20 ms.
const RATE_SPACING_NS: i64 = 20_000_000;

/// Poses further apart, so that turning outweighs their noise, nanoseconds: 50 ms.
const POSE_SPACING_NS: i64 = 50_000_000;

/// The first ten minutes of a long log are enough.
const POINTS_MAX: usize = 30_000;

/// Lags beyond are those of another clock, which the clock's own check finds.
const SEARCH: Span = Span(1_000_000_000);

/// Turns longer than this between two messages are not known.
const BRIDGED_NS_MAX: i64 = 2_000_000_000;

/// How far a channel has turned, over time.
#[derive(Clone, Debug, Default)]
pub struct TurnAccumulator {
    stamps: Vec<Timestamp>,
    /// Radians turned up to each stamp, whatever the axis.
    turned_rad: Vec<f64>,
    sum_rad: f64,
    latest_rate: Option<(Timestamp, f64)>,
    latest_pose: Option<(Timestamp, Pose3)>,
}

impl TurnAccumulator {
    /// A rate of turn, radians per second about the three axes.
    pub fn add_rate(&mut self, time: Timestamp, rate_rad_per_s: [f64; 3]) {
        let [x, y, z] = rate_rad_per_s;
        let rate = (x * x + y * y + z * z).sqrt();
        if !rate.is_finite() {
            return;
        }
        if let Some((before, rate_before)) = self.latest_rate {
            let step = time.since(before);
            if step.0 <= 0 {
                return;
            }
            if step.0 <= BRIDGED_NS_MAX {
                self.sum_rad += 0.5 * (rate + rate_before) * step.as_seconds();
            }
        }
        self.latest_rate = Some((time, rate));
        self.keep(time, RATE_SPACING_NS);
    }

    /// A pose of the body in a fixed frame.
    pub fn add_pose(&mut self, time: Timestamp, pose: &Pose3) {
        if !pose.rotation.iter().all(|value| value.is_finite()) {
            return;
        }
        if let Some((before, pose_before)) = &self.latest_pose {
            let step_ns = time.since(*before).0;
            if step_ns < POSE_SPACING_NS {
                return;
            }
            if step_ns <= BRIDGED_NS_MAX {
                self.sum_rad += angle_rad(pose_before, pose);
            }
        }
        self.latest_pose = Some((time, *pose));
        self.keep(time, 1);
    }

    fn keep(&mut self, time: Timestamp, spacing_ns: i64) {
        let is_due = self.stamps.last().is_none_or(|last| time.since(*last).0 >= spacing_ns);
        if is_due && self.stamps.len() < POINTS_MAX {
            self.stamps.push(time);
            self.turned_rad.push(self.sum_rad);
        }
    }

    /// True if the channel saw too little to be compared.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.stamps.len() < 3
    }

    /// The same turning about one axis.
    fn poses(&self) -> Vec<Pose3> {
        let about_z = |angle_rad: &f64| {
            let mut pose = Pose3::identity();
            pose.rotation =
                *nalgebra::Rotation3::from_axis_angle(&nalgebra::Vector3::z_axis(), *angle_rad)
                    .matrix();
            pose
        };
        self.turned_rad.iter().map(about_z).collect()
    }

    /// The median time between two points kept.
    fn spacing(&self) -> Span {
        let mut steps: Vec<i64> =
            self.stamps.windows(2).map(|two| two[1].since(two[0]).0).collect();
        steps.sort_unstable();
        Span(steps.get(steps.len() / 2).copied().unwrap_or(POSE_SPACING_NS))
    }
}

/// By how much `other` lags behind `reference`, with the finding if it is too much.
///
/// A lag is a finding if it is over [`CHANNEL_OFFSET_S_MAX`] by more than half of its own 95 %
/// interval.
#[must_use]
pub fn lag_between(
    (reference_topic, reference): (&str, &TurnAccumulator),
    (topic, other): (&str, &TurnAccumulator),
) -> (ChannelOffset, Option<RecordingFinding>) {
    let step = Span(reference.spacing().0.max(other.spacing().0).max(POSE_SPACING_NS));
    let options = TimeOffsetOptions {
        signal: MotionSignal::AngularSpeed,
        step,
        guess: Span(0),
        search: Span(SEARCH.0.max(3 * step.0)),
        overlap_min: Span(100 * step.0),
        correlation_min: 0.7,
        margin: 0.05,
    };
    let (reference_poses, other_poses) = (reference.poses(), other.poses());
    let found = TimedPoses::new(&reference.stamps, &reference_poses).and_then(|reference| {
        let other = TimedPoses::new(&other.stamps, &other_poses)?;
        time_offset(reference, other, &options)
    });
    let (lag_s, half_width_s, correlation, reason) = in_words(found);
    let over = lag_s.filter(|lag_s| lag_s.abs() - half_width_s > CHANNEL_OFFSET_S_MAX);
    let finding = over.map(|lag_s| RecordingFinding {
        subject: format!("{topic} against {reference_topic}"),
        finding: Finding {
            kind: FindingKind::ChannelOffset,
            value: lag_s.abs(),
            limit: CHANNEL_OFFSET_S_MAX,
            count: other.stamps.len() as u64,
        },
    });
    let offset = ChannelOffset {
        reference: reference_topic.to_owned(),
        channel: topic.to_owned(),
        lag_s,
        correlation,
        reason,
    };
    (offset, finding)
}

/// Lag and half width in seconds, correlation, and the reason if there is no lag.
fn in_words(found: Result<TimeOffset, MeasureError>) -> (Option<f64>, f64, f64, String) {
    let without = |correlation: f64, reason: String| (None, 0.0, correlation, reason);
    match found {
        // What must be added to the other's stamps is minus its lag.
        Ok(TimeOffset::Found(found)) => {
            let lag_s = -found.offset.as_seconds();
            (Some(lag_s), found.half_width_95_s, found.correlation, String::new())
        }
        Ok(TimeOffset::NotIdentifiable(obstacle)) => match obstacle {
            Obstacle::ConstantSpeed => without(0.0, "the rate of turn does not change".to_owned()),
            Obstacle::WeakCorrelation { correlation } => {
                without(correlation, "the two do not see the same turning".to_owned())
            }
            Obstacle::PeakAtLimit { offset } => without(
                0.0,
                format!("the best lag, {:.2} s, is at the end of the search", -offset.as_seconds()),
            ),
            Obstacle::Ambiguous { best, other } => without(
                0.0,
                format!(
                    "lags of {:.2} s and {:.2} s fit alike",
                    -best.as_seconds(),
                    -other.as_seconds()
                ),
            ),
        },
        Err(error) => without(0.0, error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use tiepoint_model::math;

    use super::*;

    const STEP_NS: i64 = 10_000_000;

    /// A turn that never repeats, radians per second at a time in seconds.
    fn rate(time_s: f64) -> f64 {
        0.6 * math::sin(0.9 * time_s)
            + 0.4 * math::sin(2.3 * time_s + 1.0) * math::sin(0.31 * time_s)
    }

    fn gyroscope(count: i64, lag_ns: i64, rate: impl Fn(f64) -> f64) -> TurnAccumulator {
        let mut turning = TurnAccumulator::default();
        for index in 0..count {
            let time_s = (index * STEP_NS) as f64 * 1e-9;
            turning.add_rate(Timestamp(index * STEP_NS + lag_ns), [0.0, 0.0, rate(time_s)]);
        }
        turning
    }

    fn tracker(count: i64, lag_ns: i64) -> TurnAccumulator {
        let (mut turning, mut angle_rad) = (TurnAccumulator::default(), 0.0);
        for index in 0..count {
            let half_rad = 0.5 * angle_rad;
            let quaternion = [0.0, 0.0, math::sin(half_rad), math::cos(half_rad)];
            let pose = Pose3::from_quaternion_xyzw([0.0; 3], quaternion).unwrap();
            turning.add_pose(Timestamp(index * STEP_NS + lag_ns), &pose);
            angle_rad += rate((index * STEP_NS) as f64 * 1e-9) * 0.01;
        }
        turning
    }

    #[test]
    fn a_lag_between_a_gyroscope_and_a_tracker_is_found_to_milliseconds() {
        for lag_ms in [-180_i64, -4, 0, 12, 60, 333] {
            let lag_ns = lag_ms * 1_000_000;
            let reference = gyroscope(6000, 0, rate);
            let other = tracker(6000, lag_ns);
            let (offset, finding) = lag_between(("/imu", &reference), ("/pose", &other));
            let lag_s = offset.lag_s.unwrap_or_else(|| panic!("{}", offset.reason));
            assert!((lag_s - lag_ms as f64 * 1e-3).abs() < 0.006, "{lag_ms} ms: {lag_s} s");
            assert_eq!(finding.is_some(), lag_ms.abs() > 20, "{lag_ms} ms");
        }
    }

    #[test]
    fn motion_that_does_not_tell_gives_a_reason_and_no_lag() {
        let reference = gyroscope(6000, 0, rate);
        let others = [
            gyroscope(6000, 0, |_| 0.5),
            gyroscope(6000, 0, |time_s| rate(7.0 * time_s + 3.0)),
            gyroscope(100, 0, rate),
            TurnAccumulator::default(),
        ];
        for other in others {
            let (offset, finding) = lag_between(("/a", &reference), ("/b", &other));
            assert_eq!((offset.lag_s, finding), (None, None));
            assert!(!offset.reason.is_empty());
        }
        let swing = |time_s: f64| math::sin(12.0 * time_s);
        let (offset, _) = lag_between(
            ("/a", &gyroscope(6000, 0, swing)),
            ("/b", &gyroscope(6000, 40_000_000, swing)),
        );
        assert!(offset.reason.contains("fit alike"), "{offset:?}");
    }

    #[test]
    fn nonsense_stamps_and_values_are_passed_over() {
        let mut turning = TurnAccumulator::default();
        for time_ns in [i64::MAX, i64::MIN, 0, 0, 5] {
            turning.add_rate(Timestamp(time_ns), [f64::NAN, 1.0, f64::INFINITY]);
            turning.add_rate(Timestamp(time_ns), [1e300, 1.0, 1.0]);
        }
        assert!(turning.turned_rad.iter().all(|angle| angle.is_finite()));
    }
}
