//! How far two point clouds lie from each other.
//!
//! Invariant: nearest neighbours are exact, ties go to the lower index, and sums run in the order
//! of the points, so the same input gives the same bits on any number of threads.
//! Points are `[x, y, z]` in metres, both clouds in the same frame; coordinates above
//! [`COORDINATE_M_MAX`] are refused, since their squares overflow.
//!
//! Not here: registration of one cloud to the other, and reading files.

pub mod detection;
pub mod nearest;
pub mod normal;
pub mod residual_map;
pub mod set_distance;
pub mod surface_change;

use crate::MeasureError;

pub use detection::{SurfaceScore, surface_score};
pub use nearest::{KdTree, Neighbour};
pub use residual_map::{MapGrid, ResidualMap, residual_map};
pub use set_distance::{
    ChamferForm, CloudPair, Combine, DensityAwareForm, Directed, HausdorffForm, chamfer,
    density_aware_chamfer, hausdorff,
};
pub use surface_change::{M3c2Mode, M3c2Options, SurfaceChange, m3c2};

/// Largest absolute coordinate, metres: the square of a distance below it is finite.
pub const COORDINATE_M_MAX: f64 = 1e150;

/// Refuses an empty cloud, NaN, infinity and coordinates beyond [`COORDINATE_M_MAX`].
pub(crate) fn require_cloud(points_m: &[[f64; 3]], what: &'static str) -> Result<(), MeasureError> {
    if points_m.is_empty() {
        return Err(MeasureError::Empty { what });
    }
    for (index, point_m) in points_m.iter().enumerate() {
        require_point(point_m, what, index)?;
    }
    Ok(())
}

/// Refuses a point with NaN, infinity or a coordinate beyond [`COORDINATE_M_MAX`].
pub(crate) fn require_point(
    point_m: &[f64; 3],
    what: &'static str,
    index: usize,
) -> Result<(), MeasureError> {
    for &value in point_m {
        if !value.is_finite() {
            return Err(MeasureError::NotFinite { what, index });
        }
        if value.abs() > COORDINATE_M_MAX {
            return Err(MeasureError::TooLarge { what, index, value, limit: COORDINATE_M_MAX });
        }
    }
    Ok(())
}

/// Squared distance of two points, always summed x, y, z, so that bounds and distances round alike.
pub(crate) fn square_distance(a: &[f64; 3], b: &[f64; 3]) -> f64 {
    let (x, y, z) = (a[0] - b[0], a[1] - b[1], a[2] - b[2]);
    x * x + y * y + z * z
}

/// Scalar product, summed x, y, z.
pub(crate) fn dot(a: &[f64; 3], b: &[f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}
