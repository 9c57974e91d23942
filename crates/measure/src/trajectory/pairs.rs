//! Which pairs of poses of one path are a given number of frames, metres or radians apart.
//!
//! Invariant: `start < end` in every pair; pairs are sorted.
//! Metres along the path, radians.
//! Cost: `O(n)` for consecutive pairs and frames, `O(n log n)` for all pairs by length and more where
//! the robot stands still, `O(n²)` for all pairs by turn.

use nalgebra::Matrix3;
use tiepoint_model::{Pose3, math};

use super::{rotation::angle_rad, travelled_m};
use crate::MeasureError;

type Pairs = Vec<(usize, usize)>;

/// Pairs `frame_count` apart, starting every `step` poses.
pub(super) fn by_frames(pose_count: usize, frame_count: usize, step: usize) -> Pairs {
    let start_count = pose_count.saturating_sub(frame_count);
    (0..start_count).step_by(step).map(|start| (start, start + frame_count)).collect()
}

/// Pairs that end at the first pose at which the length travelled since the last end reaches
/// `length_m`.
pub(super) fn consecutive_by_length(poses: &[Pose3], length_m: f64) -> Pairs {
    let steps = poses.windows(2).map(|two| (two[1].translation_m - two[0].translation_m).norm());
    consecutive(steps, length_m)
}

/// Pairs that end at the first pose at which the turn accumulated since the last end reaches
/// `turn_rad`.
pub(super) fn consecutive_by_turn(poses: &[Pose3], turn_rad: f64) -> Result<Pairs, MeasureError> {
    let steps: Vec<f64> = poses
        .windows(2)
        .enumerate()
        .map(|(index, two)| angle_rad(&(two[0].rotation.transpose() * two[1].rotation), index))
        .collect::<Result<_, _>>()?;
    Ok(consecutive(steps.into_iter(), turn_rad))
}

/// Cuts a path of steps wherever the sum since the last cut reaches `delta`.
fn consecutive(steps: impl Iterator<Item = f64>, delta: f64) -> Pairs {
    let mut pairs = Pairs::new();
    let (mut start, mut travelled) = (0, 0.0);
    for (index, step) in steps.enumerate() {
        travelled += step;
        if travelled >= delta {
            pairs.push((start, index + 1));
            (start, travelled) = (index + 1, 0.0);
        }
    }
    pairs
}

/// Per start the end whose distance along the path is nearest to `length_m`, if within
/// `tolerance_m`; of equally near ones the first.
pub(super) fn all_by_length(poses: &[Pose3], length_m: f64, tolerance_m: f64) -> Pairs {
    let travelled_m = travelled_m(poses);
    let mut pairs = Pairs::new();
    for start in 0..poses.len().saturating_sub(1) {
        let off_m = |end: usize| (travelled_m[end] - travelled_m[start] - length_m).abs();
        let reached = start
            + 1
            + travelled_m[start + 1..].partition_point(|&m| m - travelled_m[start] < length_m);
        let mut end = reached.min(poses.len() - 1);
        while end > start + 1 && off_m(end - 1) <= off_m(end) {
            end -= 1;
        }
        if off_m(end) <= tolerance_m {
            pairs.push((start, end));
        }
    }
    pairs
}

/// Every pair whose direct turn lies within `tolerance_rad` of `turn_rad`.
pub(super) fn all_by_turn(
    poses: &[Pose3],
    turn_rad: f64,
    tolerance_rad: f64,
) -> Result<Pairs, MeasureError> {
    // The trace falls as the angle grows: it decides all but those at the limits, where rounding of
    // the input matters.
    const TRACE_SLACK: f64 = 1e-4;
    let trace_at = |angle: f64| 1.0 + 2.0 * math::cos(angle.clamp(0.0, std::f64::consts::PI));
    let trace_max = trace_at(turn_rad - tolerance_rad) + TRACE_SLACK;
    let trace_min = trace_at(turn_rad + tolerance_rad) - TRACE_SLACK;
    let mut pairs = Pairs::new();
    for (start, from) in poses.iter().enumerate() {
        for (end, to) in poses.iter().enumerate().skip(start + 1) {
            let trace = trace_of_relative(&from.rotation, &to.rotation);
            if trace < trace_min || trace > trace_max {
                continue;
            }
            let turn = angle_rad(&(from.rotation.transpose() * to.rotation), start)?;
            if turn >= turn_rad - tolerance_rad && turn <= turn_rad + tolerance_rad {
                pairs.push((start, end));
            }
        }
    }
    Ok(pairs)
}

/// Trace of `aᵀ b`: the sum of products of entries.
fn trace_of_relative(a: &Matrix3<f64>, b: &Matrix3<f64>) -> f64 {
    a.iter().zip(b.iter()).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use tiepoint_model::Pose2;

    use super::*;

    fn along_x(positions_m: &[f64]) -> Vec<Pose3> {
        positions_m.iter().map(|&x_m| Pose2::new(x_m, 0.0, 0.0).in_space()).collect()
    }

    #[test]
    fn a_robot_that_stands_still_pairs_with_the_first_of_equal_ends() {
        let poses = along_x(&[0.0, 1.0, 2.0, 2.0, 2.0, 3.0]);
        assert_eq!(all_by_length(&poses, 2.0, 0.2), [(0, 2), (1, 5)]);
        assert_eq!(consecutive_by_length(&poses, 2.0), [(0, 2)]);
        assert_eq!(all_by_length(&along_x(&[0.0; 4]), 2.0, 0.2), []);
        assert_eq!(all_by_length(&along_x(&[0.0]), 2.0, 0.2), []);
        assert_eq!(all_by_length(&[], 2.0, 0.2), []);
    }

    #[test]
    fn frames_are_counted_from_the_first_pose() {
        assert_eq!(by_frames(6, 2, 2), [(0, 2), (2, 4)]);
        assert_eq!(by_frames(5, 2, 1), [(0, 2), (1, 3), (2, 4)]);
        assert_eq!(by_frames(2, 2, 1), []);
        assert_eq!(by_frames(0, 1, 1), []);
    }

    #[test]
    fn turns_add_up_when_consecutive_and_are_direct_when_all() {
        // Left and right again: 0.4 rad of turning, 0 rad of direct turn.
        let poses: Vec<Pose3> = [0.0, 0.2, 0.0, 0.2, 0.4]
            .iter()
            .map(|&yaw_rad| Pose2::new(0.0, 0.0, yaw_rad).in_space())
            .collect();
        assert_eq!(consecutive_by_turn(&poses, 0.39).unwrap(), [(0, 2), (2, 4)]);
        assert_eq!(all_by_turn(&poses, 0.4, 0.04).unwrap(), [(0, 4), (2, 4)]);
    }
}
