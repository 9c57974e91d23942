//! Loop-closure error: how far from its known end a path ends.
//!
//! Invariant: moving the path as a whole changes nothing.
//! Metres and radians.
//! Cost: `O(n)`.
//!
//! Not here: the error in between. A path may close well and be wrong everywhere else, and a path
//! that was optimised with the closure as a constraint closes by construction.

use tiepoint_model::Pose3;

use super::{require_paired, rotation, travelled_m};
use crate::MeasureError;

/// How far from its known end a path ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LoopClosure {
    /// Distance from the known end, metres.
    pub translation_m: f64,
    /// Angle from the known orientation, radians, in `[0, pi]`.
    pub rotation_rad: f64,
    /// Length of the path, metres.
    pub length_m: f64,
    /// `translation_m / length_m`.
    pub share: f64,
}

/// The distance and angle between where a path ends and where it is known to end.
///
/// `E = (S)⁻¹ · P_0⁻¹ P_n`, with `S` the known pose of the end in the frame of the start: the
/// identity for a robot that was put back where it stood.
///
/// # Inputs
/// - `path`: `fixed_from_body`, at least two poses, metres.
/// - `start_from_end`: the known motion from the first pose to the last.
///
/// # Output
/// Metres, radians, and metres per metre of the path; 0 if the path ends where it should.
/// The path's length includes its noise: thin out a noisy path first.
///
/// # Errors
/// [`MeasureError::Empty`], [`MeasureError::TooFew`], [`MeasureError::NotFinite`],
/// [`MeasureError::NotARotation`], [`MeasureError::Constant`] (a path without length).
///
/// # Invariants
/// `a_closed_loop_has_no_error`, `loop_closure_is_unchanged_by_moving_the_path`,
/// `loop_closure_scales_with_length`.
///
/// # Source
/// This project; the usual measure where no reference exists.
///
/// # Example
/// ```
/// use tiepoint_measure::trajectory::loop_closure::loop_closure_error;
/// use tiepoint_model::{Pose2, Pose3};
///
/// let corners = [(0.0, 0.0), (4.0, 0.0), (4.0, 3.0), (0.0, 3.0), (0.0, 0.7)];
/// let path = corners.map(|(x_m, y_m)| Pose2::new(x_m, y_m, 0.0).in_space());
/// let closure = loop_closure_error(&path, &Pose3::identity())?;
/// assert!((closure.translation_m - 0.7).abs() < 1e-15);
/// assert!((closure.share - 0.7 / 13.3).abs() < 1e-15);
/// # Ok::<(), tiepoint_measure::MeasureError>(())
/// ```
pub fn loop_closure_error(
    path: &[Pose3],
    start_from_end: &Pose3,
) -> Result<LoopClosure, MeasureError> {
    require_paired(path, path)?;
    let known = std::slice::from_ref(start_from_end);
    super::require_finite_poses(known, "start_from_end")?;
    if path.len() < 2 {
        return Err(MeasureError::TooFew { what: "path", count: path.len(), min: 2 });
    }
    let last = path.len() - 1;
    let length_m = travelled_m(path)[last];
    if length_m == 0.0 {
        return Err(MeasureError::Constant { what: "path" });
    }
    let error = start_from_end.inverse() * (path[0].inverse() * path[last]);
    let translation_m = error.translation_m.norm();
    // Finite coordinates may have a distance that is not.
    if !(length_m + translation_m + translation_m / length_m).is_finite() {
        return Err(MeasureError::NotFinite { what: "length of the path", index: last });
    }
    Ok(LoopClosure {
        translation_m,
        rotation_rad: rotation::angle_rad(&error.rotation, last)?,
        length_m,
        share: translation_m / length_m,
    })
}
