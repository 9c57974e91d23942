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
//! Not here: file formats, and KITTI's drift in per cent, which is another quantity.

pub mod absolute;
pub mod alignment;
pub mod association;
mod pairs;
pub mod relative;
mod rotation;

use std::fmt;

use tiepoint_model::{Pose3, math};

use crate::{MeasureError, Statistics};

pub use absolute::{AbsoluteOptions, absolute_pose_error};
pub use alignment::{Alignment, Freedom, Similarity};
pub use association::{Association, AssociationOptions, StampArithmetic, associate};
pub use relative::{
    Delta, Pairing, PairsFrom, RelativeErrors, RelativeOptions, relative_pose_error,
};

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
            Self::DistanceRatioPercent => "distance_ratio_percent",
        }
    }

    /// The number, for an error pose; `index` is named if its rotation is none.
    fn value(self, error: &Pose3, index: usize) -> Result<f64, MeasureError> {
        match self {
            Self::Translation => Ok(error.translation_m.norm()),
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
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
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
        (pose.rotation.sum() + pose.translation_m.sum()).is_finite()
    };
    match poses.iter().position(|pose| !is_finite(pose)) {
        Some(index) => Err(MeasureError::NotFinite { what, index }),
        None => Ok(()),
    }
}
