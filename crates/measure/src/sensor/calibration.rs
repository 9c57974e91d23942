//! How far a calibration moved between two passes.
//!
//! Invariant: a drift is said along the sensor's own axes, and in pixels for intrinsics, so that it
//! does not depend on where the vehicle's origin lies or on which parameters trade with each other.
//! Millimetres, milliradians and pixels, as names say; inputs in metres and radians.
//!
//! Cost: constant for extrinsics, `O(grid^2)` for intrinsics.
//!
//! Not here: calibrating.

use nalgebra::{Matrix6, Vector3, Vector6};
use serde::{Deserialize, Serialize};
use tiepoint_model::{Pose3, math};

use super::chance::{chi_square_quantile, require_level};
use crate::{
    MeasureError, Share,
    statistics::{require_finite, require_positive},
};

/// Largest entry of `R^T R - I` of a rotation.
const ROTATION_TOLERANCE: f64 = 1e-6;

/// How far a sensor moved in its mounting.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExtrinsicDrift {
    /// Along the earlier sensor frame's x, y, z, millimetres.
    pub translation_mm: [f64; 3],
    /// Length of that, millimetres.
    pub distance_mm: f64,
    /// Rotation vector along the same axes, milliradians.
    pub rotation_mrad: [f64; 3],
    /// Angle of the rotation, milliradians.
    pub angle_mrad: f64,
    /// With uncertainties: squared drift in units of its covariance, chi-square with six degrees
    /// of freedom if nothing moved.
    pub chi_square: Option<f64>,
    /// True if `chi_square` exceeds its quantile at the level that was asked for.
    pub is_significant: Option<bool>,
}

/// What is known of two calibrations.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExtrinsicUncertainty<'a> {
    /// Covariances of earlier and later, `(x, y, z, rx, ry, rz)` in the earlier sensor frame, metres and
    /// radians, row-major; independent of each other.
    pub covariances: [&'a Matrix6<f64>; 2],
    /// Of the test, in `(0, 1)`.
    pub level: f64,
}

/// Drift of a sensor's place between two calibrations: `earlier^-1 later`.
///
/// # Inputs
/// - `base_from_sensor`: earlier and later, metres.
/// - `uncertainty`: of both, if known; without, a drift has no significance.
///
/// # Output
/// 0 if and only if both are the same.
///
/// # Errors
/// [`MeasureError::NotARotation`], [`MeasureError::NotFinite`], [`MeasureError::InvalidOption`] for a
/// covariance that is not positive definite.
///
/// # Invariants
/// `extrinsic_drift_ignores_the_base_frame`, `extrinsic_drift_changes_sign_when_swapped`.
///
/// # Source
/// This project; rotation vector of the relative pose.
pub fn extrinsic_drift(
    base_from_sensor: [&Pose3; 2],
    uncertainty: Option<ExtrinsicUncertainty>,
) -> Result<ExtrinsicDrift, MeasureError> {
    for (index, pose) in base_from_sensor.iter().enumerate() {
        let what = "base_from_sensor";
        if pose.translation_m.iter().chain(pose.rotation.iter()).any(|v| !v.is_finite()) {
            return Err(MeasureError::NotFinite { what, index });
        }
        let off = pose.rotation.transpose() * pose.rotation - nalgebra::Matrix3::identity();
        let is_reflection = pose.rotation.determinant() < 0.0;
        let deviation = if is_reflection { 2.0 } else { off.amax() };
        if deviation > ROTATION_TOLERANCE {
            let tolerance = ROTATION_TOLERANCE;
            return Err(MeasureError::NotARotation { what, index, deviation, tolerance });
        }
    }
    let earlier_from_later = base_from_sensor[0].inverse() * *base_from_sensor[1];
    let translation_m = earlier_from_later.translation_m;
    let rotation_rad = rotation_vector(&earlier_from_later);
    let tested =
        uncertainty.map(|known| significance(&translation_m, &rotation_rad, &known)).transpose()?;
    Ok(ExtrinsicDrift {
        translation_mm: (translation_m * 1e3).into(),
        distance_mm: translation_m.norm() * 1e3,
        rotation_mrad: (rotation_rad * 1e3).into(),
        angle_mrad: rotation_rad.norm() * 1e3,
        chi_square: tested.map(|(chi_square, _)| chi_square),
        is_significant: tested.map(|(_, is_significant)| is_significant),
    })
}

fn significance(
    translation_m: &Vector3<f64>,
    rotation_rad: &Vector3<f64>,
    known: &ExtrinsicUncertainty,
) -> Result<(f64, bool), MeasureError> {
    require_level(known.level)?;
    let [earlier, later] = known.covariances;
    let requirement = "a positive definite covariance";
    let refuse =
        || MeasureError::InvalidOption { name: "covariances", value: f64::NAN, requirement };
    let cholesky = (earlier + later).cholesky().ok_or_else(refuse)?;
    let mut drift = Vector6::zeros();
    drift.fixed_rows_mut::<3>(0).copy_from(translation_m);
    drift.fixed_rows_mut::<3>(3).copy_from(rotation_rad);
    let chi_square = drift.dot(&cholesky.solve(&drift));
    if !chi_square.is_finite() {
        return Err(refuse());
    }
    Ok((chi_square, chi_square > chi_square_quantile(known.level, 6.0)))
}

/// Axis times angle, radians; by the quaternion, which is exact near no and near half a turn.
fn rotation_vector(pose: &Pose3) -> Vector3<f64> {
    let [x, y, z, w] = pose.quaternion_xyzw();
    let axis = Vector3::new(x, y, z) * if w < 0.0 { -1.0 } else { 1.0 };
    let sine = axis.norm();
    if sine < 1e-150 {
        return 2.0 * axis;
    }
    axis * (2.0 * math::atan2(sine, w.abs()) / sine)
}

/// Lens distortion.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Distortion {
    /// Brown and Conrady, OpenCV's order of parameters.
    BrownConrady {
        /// `k1, k2, k3`.
        radial: [f64; 3],
        /// `p1, p2`.
        tangential: [f64; 2],
    },
    /// Kannala and Brandt's fisheye, `k1 .. k4`.
    KannalaBrandt([f64; 4]),
}

/// A camera's intrinsics. Optical frame: z forward, x right, y down.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CameraModel {
    /// `fx, fy`, pixels.
    pub focal_px: [f64; 2],
    /// `cx, cy`, pixels; the centre of the first pixel is (0, 0).
    pub centre_px: [f64; 2],
    /// Lens.
    pub distortion: Distortion,
}

impl CameraModel {
    /// Pixel of a direction in the optical frame; `None` behind the camera, for one that is not
    /// Kannala and Brandt's.
    #[must_use]
    pub fn project(&self, direction: [f64; 3]) -> Option<[f64; 2]> {
        let [x, y, z] = direction;
        let [u, v] = match self.distortion {
            Distortion::BrownConrady { radial, tangential } => {
                if z <= 0.0 {
                    return None;
                }
                brown_conrady([x / z, y / z], radial, tangential)
            }
            Distortion::KannalaBrandt(k) => {
                let across = math::hypot(x, y);
                let theta = math::atan2(across, z);
                let scale = if across > 0.0 { fisheye(theta, k) / across } else { 0.0 };
                [x * scale, y * scale]
            }
        };
        let pixel =
            [self.focal_px[0] * u + self.centre_px[0], self.focal_px[1] * v + self.centre_px[1]];
        pixel.iter().all(|value| value.is_finite()).then_some(pixel)
    }

    /// Direction of a pixel, of unit depth or unit length; `None` where the lens model cannot be
    /// inverted (it folds over, or no direction meets the pixel).
    #[must_use]
    pub fn unproject(&self, pixel: [f64; 2]) -> Option<[f64; 3]> {
        let wanted: [f64; 2] =
            std::array::from_fn(|i| (pixel[i] - self.centre_px[i]) / self.focal_px[i]);
        match self.distortion {
            Distortion::BrownConrady { radial, tangential } => {
                let [x, y] = invert_brown_conrady(wanted, radial, tangential)?;
                Some([x, y, 1.0])
            }
            Distortion::KannalaBrandt(k) => {
                let across = math::hypot(wanted[0], wanted[1]);
                if across == 0.0 {
                    return Some([0.0, 0.0, 1.0]);
                }
                let theta = invert_fisheye(across, k)?;
                let (sin, cos) = math::sin_cos(theta);
                Some([wanted[0] / across * sin, wanted[1] / across * sin, cos])
            }
        }
    }

    fn check(&self, what: &'static str) -> Result<(), MeasureError> {
        for focal in self.focal_px {
            require_positive(focal, "focal_px")?;
        }
        require_finite(&self.centre_px, what)?;
        match self.distortion {
            Distortion::BrownConrady { radial, tangential } => {
                require_finite(&radial, what)?;
                require_finite(&tangential, what)
            }
            Distortion::KannalaBrandt(k) => require_finite(&k, what),
        }
    }
}

fn brown_conrady(at: [f64; 2], [k1, k2, k3]: [f64; 3], [p1, p2]: [f64; 2]) -> [f64; 2] {
    let [x, y] = at;
    let r2 = x * x + y * y;
    let radial = 1.0 + r2 * (k1 + r2 * (k2 + r2 * k3));
    [
        x * radial + 2.0 * p1 * x * y + p2 * (r2 + 2.0 * x * x),
        y * radial + p1 * (r2 + 2.0 * y * y) + 2.0 * p2 * x * y,
    ]
}

/// Newton's method from the distorted place; refused where the derivative turns over.
fn invert_brown_conrady(
    wanted: [f64; 2],
    radial: [f64; 3],
    tangential: [f64; 2],
) -> Option<[f64; 2]> {
    let [k1, k2, k3] = radial;
    let [p1, p2] = tangential;
    let mut at = wanted;
    for _ in 0..50 {
        let [x, y] = at;
        let r2 = x * x + y * y;
        let scale = 1.0 + r2 * (k1 + r2 * (k2 + r2 * k3));
        let slope = 2.0 * (k1 + r2 * (2.0 * k2 + r2 * 3.0 * k3));
        let xx = scale + slope * x * x + 2.0 * p1 * y + 6.0 * p2 * x;
        let xy = slope * x * y + 2.0 * p1 * x + 2.0 * p2 * y;
        let yy = scale + slope * y * y + 6.0 * p1 * y + 2.0 * p2 * x;
        let determinant = xx * yy - xy * xy;
        if determinant.is_nan() || determinant <= 1e-6 || scale <= 0.0 {
            return None;
        }
        let got = brown_conrady(at, radial, tangential);
        let off = [got[0] - wanted[0], got[1] - wanted[1]];
        let step =
            [(yy * off[0] - xy * off[1]) / determinant, (xx * off[1] - xy * off[0]) / determinant];
        at = [x - step[0], y - step[1]];
        if step[0].abs() + step[1].abs() <= 1e-14 * (1.0 + at[0].abs() + at[1].abs()) {
            return Some(at);
        }
    }
    None
}

fn fisheye(theta: f64, [k1, k2, k3, k4]: [f64; 4]) -> f64 {
    let t2 = theta * theta;
    theta * (1.0 + t2 * (k1 + t2 * (k2 + t2 * (k3 + t2 * k4))))
}

fn invert_fisheye(across: f64, k: [f64; 4]) -> Option<f64> {
    let [k1, k2, k3, k4] = k;
    let mut theta = across.min(std::f64::consts::FRAC_PI_2);
    for _ in 0..50 {
        let t2 = theta * theta;
        let slope = 1.0 + t2 * (3.0 * k1 + t2 * (5.0 * k2 + t2 * (7.0 * k3 + t2 * 9.0 * k4)));
        if slope.is_nan() || slope <= 1e-6 {
            return None;
        }
        let step = (fisheye(theta, k) - across) / slope;
        theta -= step;
        if step.abs() <= 1e-14 * (1.0 + theta.abs()) {
            return (0.0..=std::f64::consts::PI).contains(&theta).then_some(theta);
        }
    }
    None
}

/// How far the pixels of an image move between two camera models.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReprojectionDrift {
    /// Largest shift over the image, pixels.
    pub shift_px_max: f64,
    /// Pixel of the earlier image where it is.
    pub at_px: [f64; 2],
    /// Root mean square over the image, pixels.
    pub shift_px_rms: f64,
    /// Grid points of the image that both models see, of all.
    pub seen: Share,
}

/// Shift of the image of the same directions from one camera model to another.
///
/// Every pixel of a grid over the earlier image, its edges included, is taken to a direction and
/// through the later model back to a pixel.
///
/// # Inputs
/// - `size_px`: width and height.
/// - `grid`: points along each side, at least 2; the largest shift lies on the edge for all but odd
///   lenses, so 33 finds it to a percent.
///
/// # Output
/// Pixels; 0 if both models are the same. Places that either model cannot see are counted, not
/// guessed.
///
/// # Errors
/// [`MeasureError::InvalidOption`], [`MeasureError::NotFinite`], [`MeasureError::Empty`] if no place of
/// the grid is seen by both.
///
/// # Invariants
/// `reprojection_drift_of_a_shifted_centre_is_the_shift`, `unprojection_undoes_projection`.
///
/// # Source
/// This project; lens models as OpenCV 4 defines them.
pub fn reprojection_drift(
    earlier: &CameraModel,
    later: &CameraModel,
    size_px: [u32; 2],
    grid: u32,
) -> Result<ReprojectionDrift, MeasureError> {
    earlier.check("earlier camera model")?;
    later.check("later camera model")?;
    for (value, name) in [(size_px[0], "width"), (size_px[1], "height"), (grid, "grid")] {
        if value < 2 {
            let requirement = "at least 2";
            return Err(MeasureError::InvalidOption { name, value: f64::from(value), requirement });
        }
    }
    let place =
        |index: u32, size: u32| f64::from(index) * f64::from(size - 1) / f64::from(grid - 1);
    let mut seen = Share::default();
    let (mut largest, mut at_px, mut squares) = (-1.0_f64, [0.0; 2], 0.0);
    for row in 0..grid {
        for column in 0..grid {
            let pixel = [place(column, size_px[0]), place(row, size_px[1])];
            let moved = earlier.unproject(pixel).and_then(|direction| later.project(direction));
            seen.count(moved.is_some());
            let Some(moved) = moved else { continue };
            let shift = math::hypot(moved[0] - pixel[0], moved[1] - pixel[1]);
            squares += shift * shift;
            if shift > largest {
                (largest, at_px) = (shift, pixel);
            }
        }
    }
    if seen.hit_count == 0 {
        return Err(MeasureError::Empty { what: "image that both camera models see" });
    }
    let shift_px_rms = (squares / seen.hit_count as f64).sqrt();
    Ok(ReprojectionDrift { shift_px_max: largest, at_px, shift_px_rms, seen })
}
