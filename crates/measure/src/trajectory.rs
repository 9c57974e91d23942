//! Trajectory errors: how far an estimated path lies from a reference path.
//!
//! Reading order: pair the stamps ([`association`]), carry the estimate onto the reference
//! ([`alignment`]),
//! then compare poses one by one ([`absolute`]) or motion by motion ([`relative`]).
//!
//! Invariant: no function here changes its arguments or drops a pose; outliers are the caller's
//! decision.
//! Metres and radians; row `i` of reference and estimate is the same instant. Conventions are those
//! of evo 1.38.1 unless a doc says so.
//!
//! Beyond one number per pose: drift over fixed lengths as two benchmarks define it ([`drift`],
//! [`sub_trajectory`]), by condition ([`condition`]), at the end of a loop ([`loop_closure`]), the
//! reference's own error ([`reference_error`]), and the offset of two clocks ([`mod@time_offset`]).
//!
//! Not here: file formats.

pub mod absolute;
pub mod alignment;
pub mod association;
pub mod condition;
pub mod drift;
pub mod greedy;
pub mod interpolation;
pub mod loop_closure;
mod pairs;
pub mod reference_error;
pub mod relative;
mod rotation;
pub mod sub_trajectory;
pub mod time_offset;

use std::fmt;

use tiepoint_model::{Pose3, Timestamp, Trajectory, math};

use crate::{MeasureError, Statistics};

pub use absolute::{AbsoluteOptions, absolute_pose_error};
pub use alignment::{Alignment, Freedom, Similarity};
pub use association::{
    Association, AssociationOptions, StampArithmetic, associate, associate_stamps,
};
pub use relative::{
    Delta, Pairing, PairsFrom, RelativeErrors, RelativeOptions, relative_pose_error,
};
pub use time_offset::{MotionSignal, TimeOffset, TimeOffsetOptions, time_offset};

/// The tool whose conventions the measures here follow, printed in each metric's identity.
pub const COMPATIBLE_WITH: &str = "evo==1.38.1";

/// Degrees in a radian, for the relations whose unit is the degree.
const DEG_PER_RAD: f64 = 180.0 / std::f64::consts::PI;

/// Which number is made of the difference of two poses `E`, with rotation `R` and translation `t`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Relation {
    /// `‖t‖`, metres.
    Translation,
    /// The angle of `R`, radians, in `[0, pi]`.
    RotationAngleRad,
    /// The angle of `R`, degrees, in `[0, 180]`.
    RotationAngleDeg,
    /// `‖R − I‖` (Frobenius), no unit.
    RotationFrobenius,
    /// `‖E − I‖` (Frobenius) of the 4x4 matrix: metres and rotation mixed, so its value depends on
    /// the unit of length.
    FullTransformation,
    /// `|d_estimate − d_reference|` of the distances moved, metres; blind to their direction. For
    /// absolute errors the distance of the two positions, as [`Self::Translation`].
    PointDistance,
    /// `100 · |d_estimate − d_reference| / d_reference` of the distances moved, per cent. Relative
    /// errors only.
    DistanceRatioPercent,
}

impl Relation {
    /// The word used in tables, files and options.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Translation => "translation",
            Self::RotationAngleRad => "rotation_angle_rad",
            Self::RotationAngleDeg => "rotation_angle_deg",
            Self::RotationFrobenius => "rotation_frobenius",
            Self::FullTransformation => "full_transformation",
            Self::PointDistance => "point_distance",
            Self::DistanceRatioPercent => "distance_ratio_percent",
        }
    }

    /// The number, for an error pose; `index` is named if its rotation is none.
    fn value(self, error: &Pose3, index: usize) -> Result<f64, MeasureError> {
        match self {
            Self::Translation | Self::PointDistance => Ok(error.translation_m.norm()),
            Self::RotationAngleRad => rotation::angle_rad(&error.rotation, index),
            Self::RotationAngleDeg => {
                rotation::angle_rad(&error.rotation, index).map(|angle| angle * DEG_PER_RAD)
            }
            Self::RotationFrobenius => Ok(frobenius_from_identity(error).sqrt()),
            Self::FullTransformation => {
                Ok(math::hypot(frobenius_from_identity(error).sqrt(), error.translation_m.norm()))
            }
            Self::DistanceRatioPercent => {
                Err(MeasureError::RelationUndefined { relation: self.name() })
            }
        }
    }

    /// The number of each error pose.
    fn values(self, errors: impl Iterator<Item = Pose3>) -> Result<Vec<f64>, MeasureError> {
        errors.enumerate().map(|(index, error)| self.value(&error, index)).collect()
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A path with the instant of each pose, borrowed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimedPoses<'a> {
    stamps: &'a [Timestamp],
    poses: &'a [Pose3],
}

impl<'a> TimedPoses<'a> {
    /// Row `i` of `stamps` is the instant of row `i` of `poses` (`fixed_from_body`, metres).
    ///
    /// # Errors
    /// [`MeasureError::LengthMismatch`].
    pub fn new(stamps: &'a [Timestamp], poses: &'a [Pose3]) -> Result<Self, MeasureError> {
        if stamps.len() != poses.len() {
            return Err(MeasureError::LengthMismatch {
                left: "stamps",
                left_count: stamps.len(),
                right: "poses",
                right_count: poses.len(),
            });
        }
        Ok(Self { stamps, poses })
    }

    /// Nanoseconds.
    #[must_use]
    pub fn stamps(self) -> &'a [Timestamp] {
        self.stamps
    }

    /// `fixed_from_body`, metres.
    #[must_use]
    pub fn poses(self) -> &'a [Pose3] {
        self.poses
    }

    /// How many.
    #[must_use]
    pub fn len(self) -> usize {
        self.stamps.len()
    }

    /// True if there is none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.stamps.is_empty()
    }

    /// Stamps that never go back.
    fn require_sorted(self, name: &'static str) -> Result<(), MeasureError> {
        if self.stamps.is_sorted() {
            return Ok(());
        }
        let value = self.len() as f64;
        Err(MeasureError::InvalidOption { name, value, requirement: "sorted by time" })
    }
}

impl<'a> From<&'a Trajectory> for TimedPoses<'a> {
    fn from(trajectory: &'a Trajectory) -> Self {
        Self { stamps: trajectory.stamps(), poses: trajectory.poses() }
    }
}

/// The errors of one comparison, their summary, and the alignment that was applied first.
#[derive(Clone, Debug, PartialEq)]
pub struct ErrorSeries {
    /// One value per pose or per pair of poses, in their order; unit of the relation.
    pub errors: Vec<f64>,
    /// Summary of `errors`.
    pub statistics: Statistics,
    /// What carried the estimate onto the reference; the identity if nothing did.
    pub reference_from_estimate: Similarity,
}

/// Squared Frobenius norm of the rotation minus the identity.
fn frobenius_from_identity(error: &Pose3) -> f64 {
    let mut sum = 0.0;
    for row in 0..3 {
        for column in 0..3 {
            let expected = f64::from(u8::from(row == column));
            let difference = error.rotation[(row, column)] - expected;
            sum += difference * difference;
        }
    }
    sum
}

/// Metres along the path up to each pose; zero at the first.
fn travelled_m(poses: &[Pose3]) -> Vec<f64> {
    let mut sum_m = 0.0;
    let mut travelled_m = Vec::with_capacity(poses.len());
    for (index, pose) in poses.iter().enumerate() {
        if index > 0 {
            sum_m += (pose.translation_m - poses[index - 1].translation_m).norm();
        }
        travelled_m.push(sum_m);
    }
    travelled_m
}

/// The same number of finite poses on both sides, at least one.
fn require_paired(reference: &[Pose3], estimate: &[Pose3]) -> Result<(), MeasureError> {
    if reference.len() != estimate.len() {
        return Err(MeasureError::LengthMismatch {
            left: "reference",
            left_count: reference.len(),
            right: "estimate",
            right_count: estimate.len(),
        });
    }
    if reference.is_empty() {
        return Err(MeasureError::Empty { what: "reference" });
    }
    require_finite_poses(reference, "reference")?;
    require_finite_poses(estimate, "estimate")
}

fn require_finite_poses(poses: &[Pose3], what: &'static str) -> Result<(), MeasureError> {
    let is_finite = |pose: &Pose3| {
        // A sum is finite only if each term is; an overflow of finite terms is refused as well.
        let (r, t) = (pose.rotation.as_slice(), &pose.translation_m);
        let sums = [r[0] + r[1] + t.x, r[2] + r[3] + t.y, r[4] + r[5] + t.z, r[6] + r[7] + r[8]];
        ((sums[0] + sums[1]) + (sums[2] + sums[3])).is_finite()
    };
    match poses.iter().position(|pose| !is_finite(pose)) {
        Some(index) => Err(MeasureError::NotFinite { what, index }),
        None => Ok(()),
    }
}
