//! Rigid transforms of the plane and of space, destination first: `map_from_base * base_from_laser`.
//!
//! Invariant: a pose never says which frames it joins; the name of the variable that holds it does (`a_from_b`).
//! Right-handed axes (REP-103), metres, radians, yaw 0 along x and counter-clockwise positive.

use std::ops::Mul;

use nalgebra::{Matrix3, Matrix4, Quaternion, UnitQuaternion, Vector3};

use crate::math::{self, wrap_angle};

/// A rigid transform of the plane.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Pose2 {
    /// Metres.
    pub x_m: f64,
    /// Metres.
    pub y_m: f64,
    /// Radians, in `(-pi, pi]` after every operation here.
    pub yaw_rad: f64,
}

impl Pose2 {
    /// The transform that changes nothing.
    pub const IDENTITY: Self = Self { x_m: 0.0, y_m: 0.0, yaw_rad: 0.0 };

    /// From metres and radians.
    #[must_use]
    pub fn new(x_m: f64, y_m: f64, yaw_rad: f64) -> Self {
        Self { x_m, y_m, yaw_rad: wrap_angle(yaw_rad) }
    }

    /// `b_from_a` for `a_from_b`.
    #[must_use]
    pub fn inverse(self) -> Self {
        let (sin, cos) = math::sin_cos(self.yaw_rad);
        Self::new(
            -(cos * self.x_m + sin * self.y_m),
            -(-sin * self.x_m + cos * self.y_m),
            -self.yaw_rad,
        )
    }

    /// The point in the destination frame, metres.
    #[must_use]
    pub fn transform(self, point_m: [f64; 2]) -> [f64; 2] {
        let (sin, cos) = math::sin_cos(self.yaw_rad);
        [
            self.x_m + cos * point_m[0] - sin * point_m[1],
            self.y_m + sin * point_m[0] + cos * point_m[1],
        ]
    }

    /// Distance between the origins, metres.
    #[must_use]
    pub fn distance_m(self, other: Self) -> f64 {
        math::hypot(self.x_m - other.x_m, self.y_m - other.y_m)
    }

    /// True if no component is NaN or infinite.
    #[must_use]
    pub fn is_finite(self) -> bool {
        self.x_m.is_finite() && self.y_m.is_finite() && self.yaw_rad.is_finite()
    }

    /// The same motion in space, in the plane `z = 0`.
    #[must_use]
    pub fn in_space(self) -> Pose3 {
        let (sin, cos) = math::sin_cos(self.yaw_rad);
        Pose3 {
            rotation: Matrix3::new(cos, -sin, 0.0, sin, cos, 0.0, 0.0, 0.0, 1.0),
            translation_m: Vector3::new(self.x_m, self.y_m, 0.0),
        }
    }
}

impl Mul for Pose2 {
    type Output = Self;
    #[expect(clippy::suspicious_arithmetic_impl, reason = "composition in the plane adds headings")]
    fn mul(self, b_from_c: Self) -> Self {
        let [x_m, y_m] = self.transform([b_from_c.x_m, b_from_c.y_m]);
        Self::new(x_m, y_m, self.yaw_rad + b_from_c.yaw_rad)
    }
}

/// A rigid transform of space. The rotation is kept as the matrix that was read: KITTI's are orthonormal to about 1e-6 only.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pose3 {
    /// Rotation matrix.
    pub rotation: Matrix3<f64>,
    /// Metres.
    pub translation_m: Vector3<f64>,
}

impl Pose3 {
    /// The transform that changes nothing.
    #[must_use]
    pub fn identity() -> Self {
        Self { rotation: Matrix3::identity(), translation_m: Vector3::zeros() }
    }

    /// From a position in metres and a quaternion of any non-zero length; `None` if it is zero or not finite.
    #[must_use]
    pub fn from_quaternion_xyzw(position_m: [f64; 3], quaternion_xyzw: [f64; 4]) -> Option<Self> {
        let [x, y, z, w] = quaternion_xyzw;
        let norm_squared = x * x + y * y + z * z + w * w;
        if !norm_squared.is_finite() || norm_squared < 1e-24 {
            return None;
        }
        let unit = UnitQuaternion::from_quaternion(Quaternion::new(w, x, y, z));
        Some(Self {
            rotation: *unit.to_rotation_matrix().matrix(),
            translation_m: Vector3::from(position_m),
        })
    }

    /// Unit quaternion `[x, y, z, w]` with `w >= 0`.
    #[must_use]
    pub fn quaternion_xyzw(&self) -> [f64; 4] {
        let rotation = nalgebra::Rotation3::from_matrix_unchecked(self.rotation);
        let q = UnitQuaternion::from_rotation_matrix(&rotation);
        let sign = if q.w < 0.0 { -1.0 } else { 1.0 };
        [sign * q.i, sign * q.j, sign * q.k, sign * q.w]
    }

    /// `b_from_a` for `a_from_b`, by the transpose of the rotation.
    #[must_use]
    pub fn inverse(&self) -> Self {
        let rotation = self.rotation.transpose();
        Self { rotation, translation_m: -(rotation * self.translation_m) }
    }

    /// The 4x4 homogeneous matrix.
    #[must_use]
    pub fn matrix(&self) -> Matrix4<f64> {
        let mut m = self.rotation.to_homogeneous();
        m.fixed_view_mut::<3, 1>(0, 3).copy_from(&self.translation_m);
        m
    }

    /// The part of the motion that lies in the xy plane: x, y and the heading of the x axis.
    #[must_use]
    pub fn in_plane(&self) -> Pose2 {
        let yaw_rad = math::atan2(self.rotation[(1, 0)], self.rotation[(0, 0)]);
        Pose2::new(self.translation_m.x, self.translation_m.y, yaw_rad)
    }
}

impl Mul for Pose3 {
    type Output = Self;
    fn mul(self, b_from_c: Self) -> Self {
        Self {
            rotation: self.rotation * b_from_c.rotation,
            translation_m: self.rotation * b_from_c.translation_m + self.translation_m,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pose_times_its_inverse_is_the_identity() {
        let a_from_b = Pose2::new(1.5, -2.0, 2.9);
        let round = a_from_b * a_from_b.inverse();
        assert!(round.x_m.abs() < 1e-12 && round.y_m.abs() < 1e-12 && round.yaw_rad.abs() < 1e-12);
    }

    #[test]
    fn plane_and_space_agree() {
        let (a, b) = (Pose2::new(1.0, 2.0, 0.7), Pose2::new(-0.3, 0.4, -3.0));
        let direct = a * b;
        let by_space = (a.in_space() * b.in_space()).in_plane();
        assert!(direct.distance_m(by_space) < 1e-12);
        assert!(wrap_angle(direct.yaw_rad - by_space.yaw_rad).abs() < 1e-12);
    }

    #[test]
    fn a_quaternion_survives_the_matrix() {
        let half = 0.5_f64.sqrt();
        let pose = Pose3::from_quaternion_xyzw([1.0, 2.0, 3.0], [0.0, 0.0, half, half]).unwrap();
        for (got, expected) in pose.quaternion_xyzw().into_iter().zip([0.0, 0.0, half, half]) {
            assert!((got - expected).abs() < 1e-15);
        }
        assert!(Pose3::from_quaternion_xyzw([0.0; 3], [0.0; 4]).is_none());
        assert!(Pose3::from_quaternion_xyzw([0.0; 3], [f64::NAN, 0.0, 0.0, 1.0]).is_none());
    }
}
