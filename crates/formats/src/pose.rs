//! Poses from the position and quaternion that messages and tables hold.
//!
//! Invariant: a quaternion of length zero or not finite is never turned into a rotation that
//! means something: its rotation is NaN in all nine places.

use tiepoint_model::Pose3;

/// The pose; its rotation is NaN if the quaternion `[x, y, z, w]` is none.
pub(crate) fn pose_or_nan(position_m: [f64; 3], quaternion_xyzw: [f64; 4]) -> Pose3 {
    Pose3::from_quaternion_xyzw(position_m, quaternion_xyzw).unwrap_or_else(|| {
        let mut pose = Pose3::identity();
        pose.rotation.fill(f64::NAN);
        pose.translation_m = position_m.into();
        pose
    })
}

/// True if the rotation is NaN for want of a quaternion.
pub(crate) fn has_no_rotation(pose: &Pose3) -> bool {
    pose.rotation[(0, 0)].is_nan()
}
