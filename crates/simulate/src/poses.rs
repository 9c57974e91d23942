//! Poses between stamps: straight in position, along the shorter arc in heading.
//!
//! Invariant: a [`Track`] has finite poses at strictly increasing times, and answers only inside
//! its own time span.
//! Frames are the caller's: `fixed_from_body`, metres, radians; times by `Stamps::measured`.

use tiepoint_model::{Pose2, PoseSample, Stamps, Timestamp, math::wrap_angle};

use crate::SimulateError;

/// A pose of `base_link` in `map` and the stamps of the message that carries it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimedPose {
    /// Stamps of the message.
    pub stamps: Stamps,
    /// The robot in `map`.
    pub map_from_base: Pose2,
}

/// Poses of a body in a fixed frame, in order of time.
#[derive(Clone, Debug, PartialEq)]
pub struct Track {
    times: Vec<Timestamp>,
    fixed_from_body: Vec<Pose2>,
}

impl Track {
    /// From poses that are in order.
    ///
    /// # Errors
    /// [`SimulateError::Empty`], [`SimulateError::NotFinite`], [`SimulateError::TimeRunsBack`]
    /// (equal times too).
    pub fn new(knots: impl IntoIterator<Item = (Timestamp, Pose2)>) -> Result<Self, SimulateError> {
        let mut track = Self { times: Vec::new(), fixed_from_body: Vec::new() };
        for (sample_index, (time, pose)) in knots.into_iter().enumerate() {
            if !pose.is_finite() {
                return Err(SimulateError::NotFinite { what: "trajectory", sample_index });
            }
            if let Some(before) = track.times.last().filter(|before| time <= **before) {
                let back_ns = before.since(time).0;
                return Err(SimulateError::TimeRunsBack {
                    channel: "trajectory",
                    sample_index,
                    back_ns,
                });
            }
            track.push(time, pose);
        }
        if track.times.is_empty() {
            return Err(SimulateError::Empty { what: "trajectory" });
        }
        Ok(track)
    }

    /// From recorded poses as they come: those that are not finite, or not later than the one
    /// ahead, are left out and counted.
    /// `None` if no pose is left.
    #[must_use]
    pub fn from_samples(samples: &[PoseSample]) -> (Option<Self>, usize) {
        let mut track = Self { times: Vec::new(), fixed_from_body: Vec::new() };
        for sample in samples {
            let (time, pose) = (sample.stamps.measured(), sample.frame_from_child.in_plane());
            if pose.is_finite() && track.times.last().is_none_or(|before| time > *before) {
                track.push(time, pose);
            }
        }
        let left_out_count = samples.len() - track.times.len();
        ((!track.times.is_empty()).then_some(track), left_out_count)
    }

    fn push(&mut self, time: Timestamp, pose: Pose2) {
        self.times.push(time);
        self.fixed_from_body.push(pose);
    }

    /// First and last time.
    #[must_use]
    pub fn time_span(&self) -> [Timestamp; 2] {
        [self.times[0], self.times[self.times.len() - 1]]
    }

    /// The pose at a time; `None` outside the time span.
    #[must_use]
    pub fn at(&self, time: Timestamp) -> Option<Pose2> {
        let [first, last] = self.time_span();
        (first <= time && time <= last).then(|| self.at_or_held(time))
    }

    /// The pose at a time; before the first and after the last the body stands still.
    #[must_use]
    pub fn at_or_held(&self, time: Timestamp) -> Pose2 {
        let after = self.times.partition_point(|knot| *knot <= time);
        if after == 0 {
            return self.fixed_from_body[0];
        }
        let (time_a, pose_a) = (self.times[after - 1], self.fixed_from_body[after - 1]);
        if after == self.times.len() || time_a == time {
            return pose_a;
        }
        let (time_b, pose_b) = (self.times[after], self.fixed_from_body[after]);
        let fraction = time.since(time_a).0 as f64 / time_b.since(time_a).0 as f64;
        interpolate(pose_a, pose_b, fraction)
    }
}

/// The pose at `fraction` of the way from one pose to another: straight in position, along the
/// shorter arc in heading.
#[must_use]
pub fn interpolate(from: Pose2, to: Pose2, fraction: f64) -> Pose2 {
    Pose2::new(
        from.x_m + fraction * (to.x_m - from.x_m),
        from.y_m + fraction * (to.y_m - from.y_m),
        from.yaw_rad + fraction * wrap_angle(to.yaw_rad - from.yaw_rad),
    )
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;

    #[test]
    fn heading_takes_the_shorter_arc_across_the_seam() {
        let middle =
            interpolate(Pose2::new(0.0, 0.0, PI - 0.1), Pose2::new(2.0, -4.0, -PI + 0.3), 0.5);
        assert!((middle.x_m - 1.0).abs() < 1e-15 && (middle.y_m + 2.0).abs() < 1e-15);
        assert!((middle.yaw_rad - (-PI + 0.1)).abs() < 1e-12, "{middle:?}");
    }

    #[test]
    fn a_track_answers_at_its_knots_exactly_and_not_outside() {
        let poses = [Pose2::new(0.1, 0.2, 0.3), Pose2::new(1.7, -0.3, 2.0), Pose2::IDENTITY];
        let times = [10, 25, 100].map(Timestamp);
        let track = Track::new(times.into_iter().zip(poses)).unwrap();
        for (time, pose) in times.into_iter().zip(poses) {
            assert_eq!(track.at(time), Some(pose));
        }
        assert_eq!((track.at(Timestamp(9)), track.at(Timestamp(101))), (None, None));
        assert_eq!(track.at_or_held(Timestamp(500)), poses[2]);
    }

    #[test]
    fn disorder_emptiness_and_nan_are_refused() {
        let pose = Pose2::IDENTITY;
        let nan = Pose2 { x_m: f64::NAN, ..pose };
        let knots = |list: &[(i64, Pose2)]| Track::new(list.iter().map(|k| (Timestamp(k.0), k.1)));
        assert_eq!(knots(&[]), Err(SimulateError::Empty { what: "trajectory" }));
        assert!(matches!(
            knots(&[(5, pose), (5, pose)]),
            Err(SimulateError::TimeRunsBack { sample_index: 1, back_ns: 0, .. })
        ));
        assert!(matches!(
            knots(&[(5, pose), (6, nan)]),
            Err(SimulateError::NotFinite { sample_index: 1, .. })
        ));
    }
}
