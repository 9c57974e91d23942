//! Alignment: the similarity that carries the estimate's positions onto the reference's in the
//! least-squares sense.
//!
//! Invariant: the rotation is proper (no mirror), and the result depends on positions only, never
//! on orientations
//! (but [`Alignment::Origin`] takes the first pose whole).
//! `reference_from_estimate`: metres to metres.
//! Cost: `O(n)`, in two passes.

use std::fmt;

use nalgebra::{Matrix3, Vector3};
use tiepoint_model::{Pose3, math};

use crate::MeasureError;

/// What of a similarity is fitted and applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Freedom {
    /// Rotation and translation.
    Rigid,
    /// Rotation, translation and scale.
    Similarity,
    /// Rotation about the vertical (z of both frames, which must agree with gravity) and
    /// translation: what a visual-inertial or an inertially levelled estimate is free in.
    YawAndTranslation,
    /// Only the scale of the fitted similarity is applied; positions are multiplied about the
    /// origin of the estimate's frame.
    /// This is not a fit of its own: the error that remains is large unless the origins agree.
    ScaleOnly,
}

/// How the estimate is carried onto the reference before the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Alignment {
    /// Not at all: both share a frame already.
    None,
    /// The first pose of the estimate is laid on the first pose of the reference.
    Origin,
    /// The first position is laid on the first position, after the rotation about the vertical
    /// that brings the first orientations nearest.
    OriginYaw,
    /// Least squares over the positions (Umeyama).
    LeastSquares {
        /// What is fitted.
        freedom: Freedom,
        /// Fit to so many poses from the start, apply to all; `None` fits to all. More than there
        /// are means all.
        first_pose_count: Option<usize>,
    },
}

impl Alignment {
    /// Rotation and translation fitted to all poses.
    pub const SE3: Self = Self::LeastSquares { freedom: Freedom::Rigid, first_pose_count: None };
    /// Rotation, translation and scale fitted to all poses.
    pub const SIM3: Self =
        Self::LeastSquares { freedom: Freedom::Similarity, first_pose_count: None };
    /// Rotation about the vertical and translation fitted to all poses.
    pub const YAW_ONLY: Self =
        Self::LeastSquares { freedom: Freedom::YawAndTranslation, first_pose_count: None };
    /// The scale of the similarity fitted to all poses, alone.
    pub const SCALE_ONLY: Self =
        Self::LeastSquares { freedom: Freedom::ScaleOnly, first_pose_count: None };

    /// The similarity that this alignment finds for paired poses.
    ///
    /// # Errors
    /// [`MeasureError::Empty`], [`MeasureError::LengthMismatch`], [`MeasureError::NotFinite`],
    /// [`MeasureError::DegenerateAlignment`].
    pub fn find(self, reference: &[Pose3], estimate: &[Pose3]) -> Result<Similarity, MeasureError> {
        super::require_paired(reference, estimate)?;
        self.find_checked(reference, estimate)
    }

    /// As [`Self::find`], for inputs that were checked already.
    pub(super) fn find_checked(
        self,
        reference: &[Pose3],
        estimate: &[Pose3],
    ) -> Result<Similarity, MeasureError> {
        match self {
            Self::None => Ok(Similarity::identity()),
            Self::Origin => {
                let motion = reference[0] * estimate[0].inverse();
                Ok(Similarity {
                    scale: 1.0,
                    rotation: motion.rotation,
                    translation_m: motion.translation_m,
                })
            }
            Self::OriginYaw => {
                let motion = reference[0].rotation * estimate[0].rotation.transpose();
                Similarity::about_the_vertical(
                    &motion,
                    reference[0].translation_m,
                    estimate[0].translation_m,
                )
            }
            Self::LeastSquares { freedom, first_pose_count } => {
                let count = first_pose_count.unwrap_or(reference.len()).min(reference.len());
                if count == 0 {
                    return Err(MeasureError::TooFew { what: "first poses", count, min: 1 });
                }
                let (reference, estimate) = (&reference[..count], &estimate[..count]);
                let moments = Moments::of(reference, estimate);
                if freedom == Freedom::YawAndTranslation {
                    return Similarity::about_the_vertical(
                        &moments.covariance_m2,
                        moments.reference_centroid_m,
                        moments.estimate_centroid_m,
                    );
                }
                let fit = umeyama(moments)?;
                Ok(match freedom {
                    Freedom::Similarity => fit.with_scale(),
                    Freedom::Rigid | Freedom::YawAndTranslation => fit.without_scale(),
                    Freedom::ScaleOnly => Similarity { scale: fit.scale, ..Similarity::identity() },
                })
            }
        }
    }
}

impl fmt::Display for Alignment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Origin => f.write_str("origin"),
            Self::OriginYaw => f.write_str("origin_yaw"),
            Self::LeastSquares { freedom, first_pose_count } => {
                f.write_str(match freedom {
                    Freedom::Rigid => "se3",
                    Freedom::Similarity => "sim3",
                    Freedom::ScaleOnly => "scale_only",
                    Freedom::YawAndTranslation => "yaw_only",
                })?;
                match first_pose_count {
                    Some(count) => write!(f, "(first {count} poses)"),
                    None => Ok(()),
                }
            }
        }
    }
}

/// A rotation, a translation and a scale: `p_reference = scale · rotation · p_estimate +
/// translation`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Similarity {
    /// Metres of the reference per metre of the estimate.
    pub scale: f64,
    /// Proper rotation.
    pub rotation: Matrix3<f64>,
    /// Metres in the reference's frame.
    pub translation_m: Vector3<f64>,
}

impl Similarity {
    /// Changes nothing.
    #[must_use]
    pub fn identity() -> Self {
        Self { scale: 1.0, rotation: Matrix3::identity(), translation_m: Vector3::zeros() }
    }

    /// The yaw `θ` that maximises `trace(Rz(θ)ᵀ C)`, and the translation that follows.
    fn about_the_vertical(
        correlation: &Matrix3<f64>,
        reference_m: Vector3<f64>,
        estimate_m: Vector3<f64>,
    ) -> Result<Self, MeasureError> {
        let sine = correlation[(1, 0)] - correlation[(0, 1)];
        let cosine = correlation[(0, 0)] + correlation[(1, 1)];
        let size = math::hypot(sine, cosine);
        let horizontal = correlation.fixed_view::<2, 2>(0, 0).abs().sum();
        // The negation also catches NaN, which an overflow would give.
        if !(size > f64::EPSILON && size > RANK_TOLERANCE * horizontal) {
            return Err(MeasureError::DegenerateAlignment {
                first_m2: horizontal,
                second_m2: size,
            });
        }
        let (sin, cos) = (sine / size, cosine / size);
        let rotation = Matrix3::new(cos, -sin, 0.0, sin, cos, 0.0, 0.0, 0.0, 1.0);
        Ok(Self { scale: 1.0, rotation, translation_m: reference_m - rotation * estimate_m })
    }

    /// The pose in the reference's frame. Orientations turn; they have no scale.
    #[must_use]
    pub fn apply(&self, estimate_from_body: &Pose3) -> Pose3 {
        Pose3 {
            rotation: self.rotation * estimate_from_body.rotation,
            translation_m: self.apply_to_position(&estimate_from_body.translation_m),
        }
    }

    /// The position in the reference's frame, metres.
    #[must_use]
    pub fn apply_to_position(&self, position_m: &Vector3<f64>) -> Vector3<f64> {
        self.rotation * (position_m * self.scale) + self.translation_m
    }
}

/// Rotation and scale of the least-squares similarity, and the centroids that a translation follows
/// from.
struct Fit {
    scale: f64,
    rotation: Matrix3<f64>,
    reference_centroid_m: Vector3<f64>,
    estimate_centroid_m: Vector3<f64>,
}

impl Fit {
    fn with_scale(&self) -> Similarity {
        self.scaled_by(self.scale)
    }

    fn without_scale(&self) -> Similarity {
        self.scaled_by(1.0)
    }

    fn scaled_by(&self, scale: f64) -> Similarity {
        let translation_m =
            self.reference_centroid_m - self.rotation * self.estimate_centroid_m * scale;
        Similarity { scale, rotation: self.rotation, translation_m }
    }
}

/// Second singular values at or below this share of the first are rounding: the positions lie on a
/// line.
const RANK_TOLERANCE: f64 = 1e-14;

/// Centroids, cross covariance and variance of paired positions; all divide by n.
struct Moments {
    reference_centroid_m: Vector3<f64>,
    estimate_centroid_m: Vector3<f64>,
    covariance_m2: Matrix3<f64>,
    estimate_variance_m2: f64,
}

impl Moments {
    fn of(reference: &[Pose3], estimate: &[Pose3]) -> Self {
        let count = reference.len() as f64;
        let reference_centroid_m = centroid_m(reference);
        let estimate_centroid_m = centroid_m(estimate);
        let mut covariance = Matrix3::zeros();
        let mut estimate_variance_m2 = 0.0;
        for (p, q) in reference.iter().zip(estimate) {
            let p = p.translation_m - reference_centroid_m;
            let q = q.translation_m - estimate_centroid_m;
            covariance += p * q.transpose();
            estimate_variance_m2 += q.norm_squared();
        }
        Self {
            reference_centroid_m,
            estimate_centroid_m,
            covariance_m2: covariance / count,
            estimate_variance_m2: estimate_variance_m2 / count,
        }
    }
}

/// Umeyama, *Least-squares estimation of transformation parameters between two point patterns*,
/// PAMI 13(4), 1991, equations 34 to 43.
///
/// Variance and covariance both divide by n. Refuses positions whose cross covariance has rank
/// below two:
/// evo tests that against an absolute 2.2e-16, which lets a straight line of ordinary size pass
/// with an arbitrary roll; here the limit is relative as well.
fn umeyama(moments: Moments) -> Result<Fit, MeasureError> {
    let covariance = moments.covariance_m2;
    let [(first_m2, u0, v0), (second_m2, u1, v1)] = leading_singular_triplets(&covariance);
    // The negation also catches NaN, which an overflow would give.
    if !(second_m2 > f64::EPSILON && second_m2 > RANK_TOLERANCE * first_m2) {
        return Err(MeasureError::DegenerateAlignment { first_m2, second_m2 });
    }
    // The cross products make the third pair right-handed, which is the sign that Umeyama's S
    // carries.
    let (u2, v2) = (u0.cross(&u1), v0.cross(&v1));
    let rotation = u0 * v0.transpose() + u1 * v1.transpose() + u2 * v2.transpose();
    let signed_third_m2 = u2.dot(&(covariance * v2));
    let scale = (first_m2 + second_m2 + signed_third_m2) / moments.estimate_variance_m2;
    let Moments { reference_centroid_m, estimate_centroid_m, .. } = moments;
    Ok(Fit { scale, rotation, reference_centroid_m, estimate_centroid_m })
}

fn centroid_m(poses: &[Pose3]) -> Vector3<f64> {
    let sum = poses.iter().fold(Vector3::zeros(), |sum, pose| sum + pose.translation_m);
    sum / poses.len() as f64
}

/// The two largest singular values with their left and right unit vectors, by one-sided Jacobi
/// rotations.
///
/// Hestenes' method keeps the small singular values to full relative precision; methods that square
/// the matrix do not.
fn leading_singular_triplets(matrix: &Matrix3<f64>) -> [(f64, Vector3<f64>, Vector3<f64>); 2] {
    const SWEEPS_MAX: usize = 40;
    let mut images = [0, 1, 2].map(|column| matrix.column(column).into_owned());
    let mut axes = [Vector3::x(), Vector3::y(), Vector3::z()];
    for _ in 0..SWEEPS_MAX {
        let mut rotated = false;
        for (i, j) in [(0, 1), (0, 2), (1, 2)] {
            let (alpha, beta) = (images[i].norm_squared(), images[j].norm_squared());
            let gamma = images[i].dot(&images[j]);
            if gamma * gamma <= f64::EPSILON * f64::EPSILON * alpha * beta {
                continue;
            }
            rotated = true;
            let zeta = (beta - alpha) / (2.0 * gamma);
            let sign = if zeta < 0.0 { -1.0 } else { 1.0 };
            let tangent = sign / (zeta.abs() + (1.0 + zeta * zeta).sqrt());
            let cosine = 1.0 / (1.0 + tangent * tangent).sqrt();
            let sine = cosine * tangent;
            for pair in [&mut images, &mut axes] {
                let (a, b) = (pair[i], pair[j]);
                pair[i] = a * cosine - b * sine;
                pair[j] = a * sine + b * cosine;
            }
        }
        if !rotated {
            break;
        }
    }
    let mut order = [0, 1, 2];
    order.sort_by(|&i, &j| images[j].norm().total_cmp(&images[i].norm()));
    [order[0], order[1]].map(|index| {
        let value = images[index].norm();
        (value, images[index] / value.max(f64::MIN_POSITIVE), axes[index])
    })
}

#[cfg(test)]
mod tests {
    use nalgebra::Rotation3;

    use super::*;

    fn at(x: f64, y: f64, z: f64) -> Pose3 {
        Pose3 { translation_m: Vector3::new(x, y, z), ..Pose3::identity() }
    }

    #[test]
    fn singular_triplets_reproduce_a_badly_scaled_matrix() {
        let left = *Rotation3::from_euler_angles(0.3, 1.0, -2.0).matrix();
        let right = *Rotation3::from_euler_angles(-1.3, 0.2, 0.7).matrix();
        let matrix = left * Matrix3::from_diagonal(&Vector3::new(1e3, 1e-4, 1e-9)) * right;
        let [(first, u0, v0), (second, u1, v1)] = leading_singular_triplets(&matrix);
        assert!((first / 1e3 - 1.0).abs() < 1e-14);
        // The matrix itself is known to 1e-16 of its largest entry only.
        assert!((second / 1e-4 - 1.0).abs() < 1e-8);
        assert!(u0.dot(&u1).abs() < 1e-9 && v0.dot(&v1).abs() < 1e-15);
    }

    /// A line along the vertical fixes no yaw; a level one does, unlike a full rotation.
    #[test]
    fn yaw_is_fixed_by_a_level_line_but_not_by_a_plumb_line() {
        let plumb: Vec<Pose3> = (0..9).map(|i| at(1.0, 2.0, f64::from(i))).collect();
        let level: Vec<Pose3> = (0..9).map(|i| at(f64::from(i), 0.0, 0.0)).collect();
        let turned: Vec<Pose3> = (0..9).map(|i| at(5.0, f64::from(i), 1.0)).collect();
        assert!(Alignment::YAW_ONLY.find(&plumb, &plumb).is_err());
        let found = Alignment::YAW_ONLY.find(&turned, &level).unwrap();
        assert!((found.rotation[(1, 0)] - 1.0).abs() < 1e-15);
        assert!((found.translation_m - Vector3::new(5.0, 0.0, 1.0)).norm() < 1e-14);
    }

    #[test]
    fn a_line_and_a_point_do_not_fix_a_rotation() {
        let line: Vec<Pose3> = (0..50)
            .map(|i| at(0.3 * f64::from(i), 0.7 * f64::from(i), -1.1 * f64::from(i)))
            .collect();
        let point = vec![at(1.0, 2.0, 3.0); 50];
        for path in [&line, &point] {
            let error = Alignment::SE3.find(path, path).unwrap_err();
            assert!(matches!(error, MeasureError::DegenerateAlignment { .. }), "{error}");
        }
    }

    /// A planar path has a third singular value of zero: the mirror image would fit as well and
    /// must not be chosen.
    #[test]
    fn a_mirrored_path_is_still_answered_by_a_rotation() {
        let path = [at(0.0, 0.0, 0.1), at(1.0, 0.0, 0.0), at(1.0, 2.0, 0.3), at(-1.0, 2.0, 1.0)];
        let mirror = path.map(|p| at(p.translation_m.x, p.translation_m.y, -p.translation_m.z));
        let found = Alignment::SE3.find(&path, &mirror).unwrap();
        assert!((found.rotation.determinant() - 1.0).abs() < 1e-14);
    }
}
