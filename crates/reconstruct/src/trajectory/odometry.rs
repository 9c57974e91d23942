//! Poses at the stamps of scans, interpolated between those that were recorded.
//!
//! Invariant: nothing is extrapolated in secret: a stamp outside the recording is held at its end
//! and marked.
//! Metres, radians, integer nanoseconds.

use tiepoint_model::{Pose2, Timestamp, math::wrap_angle};

use super::StampedPose;
use crate::ReconstructError;

/// Poses at given stamps.
#[derive(Clone, Debug, PartialEq)]
pub struct Interpolated {
    /// One per stamp.
    pub poses: Vec<Pose2>,
    /// True where the stamp lies outside the recorded poses and the nearest end is held.
    pub is_outside: Vec<bool>,
}

impl Interpolated {
    /// How many stamps lay outside.
    #[must_use]
    pub fn outside_count(&self) -> usize {
        self.is_outside.iter().filter(|outside| **outside).count()
    }

    /// Replaces poses outside by the motion that `other` recorded from the nearest pose inside.
    pub(super) fn bridge(&mut self, other: &Self) {
        let Some(first) = self.is_outside.iter().position(|outside| !outside) else { return };
        let last = self.is_outside.iter().rposition(|outside| !outside).unwrap_or(first);
        for index in 0..self.poses.len() {
            let anchor = if index < first { first } else { last };
            if index < first || index > last {
                let anchor_from_here = other.poses[anchor].inverse() * other.poses[index];
                self.poses[index] = self.poses[anchor] * anchor_from_here;
            }
        }
    }
}

/// Poses at `stamps`, linear in position and heading between neighbours; the heading turns the
/// short way.
///
/// # Errors
/// [`ReconstructError::Empty`], [`ReconstructError::Unsorted`] or [`ReconstructError::NotFinite`]
/// for `recorded`, called `what`.
pub fn interpolate(
    recorded: &[StampedPose],
    stamps: &[Timestamp],
    what: &'static str,
) -> Result<Interpolated, ReconstructError> {
    let (Some(first), Some(last)) = (recorded.first(), recorded.last()) else {
        return Err(ReconstructError::Empty { what });
    };
    if let Some(index) = recorded.windows(2).position(|pair| pair[1].stamp < pair[0].stamp) {
        return Err(ReconstructError::Unsorted { what, index: index + 1 });
    }
    if let Some(index) = recorded.iter().position(|pose| !pose.fixed_from_base.is_finite()) {
        return Err(ReconstructError::NotFinite { what, index });
    }
    let mut poses = Vec::with_capacity(stamps.len());
    let mut is_outside = Vec::with_capacity(stamps.len());
    for stamp in stamps {
        is_outside.push(*stamp < first.stamp || *stamp > last.stamp);
        let after = recorded.partition_point(|pose| pose.stamp <= *stamp);
        let pose = match (after.checked_sub(1), recorded.get(after)) {
            (None, _) => first.fixed_from_base,
            (Some(before), None) => recorded[before].fixed_from_base,
            (Some(before), Some(next)) => between(&recorded[before], next, *stamp),
        };
        poses.push(pose);
    }
    Ok(Interpolated { poses, is_outside })
}

fn between(before: &StampedPose, after: &StampedPose, stamp: Timestamp) -> Pose2 {
    let (a, b) = (before.fixed_from_base, after.fixed_from_base);
    let whole_s = after.stamp.since(before.stamp).as_seconds();
    let share = stamp.since(before.stamp).as_seconds() / whole_s;
    Pose2::new(
        a.x_m + share * (b.x_m - a.x_m),
        a.y_m + share * (b.y_m - a.y_m),
        a.yaw_rad + share * wrap_angle(b.yaw_rad - a.yaw_rad),
    )
}
