//! Association by interpolation: one trajectory moved to the instants of the other.
//!
//! Invariant: no pose is extrapolated, and none is interpolated over a gap longer than the limit;
//! what was left out is counted by reason.
//! Nanoseconds and metres; both trajectories must use the same clock.
//! Cost: `O(m log n)` for m instants in a path of n poses.
//!
//! Not here: nearest-neighbour pairs (see [`super::association`]), and splines.

use tiepoint_model::{Pose3, Span, Timestamp};

use super::{StampArithmetic, TimedPoses, association::pose_at, require_finite_poses};
use crate::MeasureError;

/// Poses of one trajectory at given instants.
#[derive(Clone, Debug, PartialEq)]
pub struct Interpolated {
    /// One pose per instant that could be answered, in the order of the instants.
    pub poses: Vec<Pose3>,
    /// Index of each pose's instant; as long as `poses`, ascending.
    pub instant_indices: Vec<usize>,
    /// Instants before the first or after the last stamp.
    pub outside_count: usize,
    /// Instants between two stamps that are farther apart than the limit.
    pub gap_count: usize,
}

/// The poses of a trajectory at other instants.
///
/// Between two stamps the position goes along the straight line and the orientation along the
/// shortest turn at a constant rate (slerp). At a stamp the pose is the one that was given,
/// whatever the gap around it; of equal stamps the first.
///
/// # Inputs
/// - `path`: poses sorted by time.
/// - `instants`: nanoseconds of the same clock, in any order.
/// - `gap_max`: the longest gap between two stamps that is bridged, above zero.
///
/// # Output
/// Poses with the index of their instant, and how many instants have no pose. Measure with the
/// other trajectory's poses at `instant_indices`.
///
/// # Errors
/// [`MeasureError::Empty`], [`MeasureError::InvalidOption`] (a gap that is not above zero, stamps
/// out of order), [`MeasureError::NotFinite`], [`MeasureError::NoAssociation`] (no instant has a
/// pose).
///
/// # Invariants
/// `interpolation_at_the_stamps_answers_the_poses`, `interpolation_commutes_with_moving_the_path`,
/// `interpolated_positions_lie_between_their_neighbours`.
///
/// # Source
/// Shoemake, *Animating rotation with quaternion curves*, SIGGRAPH 1985.
///
/// # Example
/// ```
/// use tiepoint_measure::trajectory::{TimedPoses, interpolation::interpolate_at};
/// use tiepoint_model::{Pose2, Span, Timestamp};
///
/// let stamps = [0, 100, 900].map(Timestamp);
/// let poses = [0.0, 1.0, 9.0].map(|x_m| Pose2::new(x_m, 0.0, 0.0).in_space());
/// let path = TimedPoses::new(&stamps, &poses)?;
/// let got = interpolate_at(path, &[-1, 50, 500].map(Timestamp), Span(200))?;
/// assert_eq!(got.poses[0].translation_m.x, 0.5);
/// assert_eq!((got.instant_indices, got.outside_count, got.gap_count), (vec![1], 1, 1));
/// # Ok::<(), tiepoint_measure::MeasureError>(())
/// ```
pub fn interpolate_at(
    path: TimedPoses<'_>,
    instants: &[Timestamp],
    gap_max: Span,
) -> Result<Interpolated, MeasureError> {
    if gap_max.0 <= 0 {
        return Err(MeasureError::InvalidOption {
            name: "gap_max",
            value: gap_max.as_seconds(),
            requirement: "above zero",
        });
    }
    if path.is_empty() {
        return Err(MeasureError::Empty { what: "path" });
    }
    if instants.is_empty() {
        return Err(MeasureError::Empty { what: "instants" });
    }
    path.require_sorted("path")?;
    require_finite_poses(path.poses(), "path")?;

    let stamps = path.stamps();
    let mut got = Interpolated {
        poses: Vec::with_capacity(instants.len()),
        instant_indices: Vec::with_capacity(instants.len()),
        outside_count: 0,
        gap_count: 0,
    };
    for (index, &instant) in instants.iter().enumerate() {
        let after = stamps.partition_point(|&stamp| stamp < instant);
        let is_at_a_stamp = stamps.get(after) == Some(&instant);
        if !is_at_a_stamp && (after == 0 || after == stamps.len()) {
            got.outside_count += 1;
            continue;
        }
        if !is_at_a_stamp
            && stamps[after].0.abs_diff(stamps[after - 1].0) > gap_max.0.unsigned_abs()
        {
            got.gap_count += 1;
            continue;
        }
        if let Some(pose) = pose_at((stamps, path.poses()), instant, StampArithmetic::Exact) {
            got.poses.push(pose);
            got.instant_indices.push(index);
        }
    }
    if got.poses.is_empty() {
        return Err(MeasureError::NoAssociation {
            reference_count: path.len(),
            estimate_count: instants.len(),
            difference_ns_max: gap_max.0,
        });
    }
    Ok(got)
}

/// The convention's text in a metric's identity, for poses that were interpolated.
#[must_use]
pub fn convention(gap_max: Span) -> String {
    format!("interpolated(gap max {} ns)", gap_max.0)
}
