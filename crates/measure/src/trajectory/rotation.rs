//! The angle of a rotation matrix that may be off by the rounding of a text file.
//!
//! Invariant: the angle is that of the nearest rotation (the polar factor), so that it does not
//! depend on how the matrix was written down.
//! Radians, in `[0, pi]`.

use nalgebra::Matrix3;
use tiepoint_model::math;

use crate::MeasureError;

/// A matrix whose `RᵀR` is farther than this from the identity is no rotation. Seven printed digits
/// stay below it; evo's own check has an absolute tolerance of 1e-6 on the entries.
const ROTATION_TOLERANCE: f64 = 1e-5;

/// Below this deviation the nearest rotation is the matrix itself, to the last digits of the angle.
const ORTHONORMAL_TOLERANCE: f64 = 1e-12;

/// The angle of the rotation nearest to `matrix`, radians.
///
/// # Errors
/// [`MeasureError::NotARotation`] if the matrix is farther than 1e-5 from orthonormal, or a
/// reflection.
pub(crate) fn angle_rad(matrix: &Matrix3<f64>, index: usize) -> Result<f64, MeasureError> {
    let deviation = deviation_from_orthonormal(matrix);
    let refuse = |deviation| MeasureError::NotARotation {
        what: "error pose",
        index,
        deviation,
        tolerance: ROTATION_TOLERANCE,
    };
    if deviation.is_nan() || deviation > ROTATION_TOLERANCE {
        return Err(refuse(deviation));
    }
    if matrix.determinant() < 0.0 {
        return Err(refuse(2.0));
    }
    if deviation <= ORTHONORMAL_TOLERANCE {
        return Ok(angle_of_orthonormal(matrix));
    }
    let nearer = polar_step(matrix);
    if deviation * deviation <= ORTHONORMAL_TOLERANCE {
        return Ok(angle_of_orthonormal(&nearer));
    }
    Ok(angle_of_orthonormal(&polar_step(&nearer)))
}

/// The largest entry of `RᵀR − I` by size, or NaN if one is.
fn deviation_from_orthonormal(matrix: &Matrix3<f64>) -> f64 {
    let [x, y, z] = [0, 1, 2].map(|column| matrix.column(column));
    let entries = [
        x.norm_squared() - 1.0,
        y.norm_squared() - 1.0,
        z.norm_squared() - 1.0,
        x.dot(&y),
        x.dot(&z),
        y.dot(&z),
    ];
    // The largest of a list that holds NaN would leave it out; the sum does not.
    let sum: f64 = entries.iter().sum();
    if sum.is_nan() { sum } else { entries.iter().fold(0.0, |most, entry| entry.abs().max(most)) }
}

/// One Newton-Schulz step towards the polar factor: a deviation `d` becomes about `d²`.
fn polar_step(matrix: &Matrix3<f64>) -> Matrix3<f64> {
    matrix * (Matrix3::identity() * 3.0 - matrix.transpose() * matrix) * 0.5
}

/// `atan2(2 sin, 2 cos)`: exact near 0 and near pi, where the arc cosine of the trace loses half
/// the digits.
fn angle_of_orthonormal(m: &Matrix3<f64>) -> f64 {
    let axis_x = m[(2, 1)] - m[(1, 2)];
    let axis_y = m[(0, 2)] - m[(2, 0)];
    let axis_z = m[(1, 0)] - m[(0, 1)];
    let twice_sine = (axis_x * axis_x + axis_y * axis_y + axis_z * axis_z).sqrt();
    math::atan2(twice_sine, m.trace() - 1.0)
}

#[cfg(test)]
mod tests {
    use nalgebra::{Rotation3, Vector3};

    use super::*;

    #[test]
    fn angles_are_exact_from_nothing_to_a_half_turn() {
        let axis = nalgebra::Unit::new_normalize(Vector3::new(1.0, -2.0, 0.5));
        for angle in [0.0, 1e-9, 1e-6, 1e-3, 0.5, 1.5, 3.0, 3.1, std::f64::consts::PI] {
            let matrix = *Rotation3::from_axis_angle(&axis, angle).matrix();
            let got = angle_rad(&matrix, 0).unwrap();
            // Rounding of nine entries of size one.
            assert!((got - angle).abs() < 1e-15 * 8.0, "{angle} gave {got}");
        }
    }

    #[test]
    fn stretching_a_rotation_does_not_change_its_angle() {
        let matrix = *Rotation3::from_euler_angles(0.1, -0.2, 0.3).matrix();
        let expected = angle_rad(&matrix, 0).unwrap();
        for stretch in [-4e-6, -1e-7, 1e-9, 4e-6] {
            let got = angle_rad(&(matrix * (1.0 + stretch)), 0).unwrap();
            assert!((got - expected).abs() < 1e-14, "{stretch}: {got} {expected}");
        }
    }

    #[test]
    fn what_is_no_rotation_is_refused() {
        let mirror = Matrix3::from_diagonal(&Vector3::new(1.0, 1.0, -1.0));
        assert!(angle_rad(&mirror, 7).is_err());
        assert!(angle_rad(&(Matrix3::identity() * 1.1), 7).is_err());
        assert!(angle_rad(&Matrix3::repeat(f64::NAN), 7).is_err());
    }
}
