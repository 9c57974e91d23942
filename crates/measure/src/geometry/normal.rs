//! Normals of a cloud at a scale, by the directions of least scatter.
//!
//! Invariant: a normal is of unit length, on the side of the vector that orients it; where the
//! neighbourhood fixes no plane there is none.
//! Metres.
//!
//! Not here: consistent orientation over a closed surface.

use nalgebra::{Matrix3, SymmetricEigen};

use super::{dot, nearest::KdTree};
use crate::{MeasureError, statistics::require_positive};

/// A plane needs three points.
const POINTS_MIN: usize = 3;

/// Second eigenvalue below this share of the first: the points lie on a line.
const LINE_SHARE: f64 = 1e-12;

/// A direction and the scale at which it was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Normal {
    pub(crate) direction: [f64; 3],
    pub(crate) radius_m: f64,
}

/// Where and how a normal is looked for.
pub(crate) struct NormalScales<'a> {
    pub(crate) radii_m: &'a [f64],
    /// The side that normals look to.
    pub(crate) towards: &'a [f64; 3],
    /// True: the points of earlier radii stay, and count again.
    pub(crate) is_accumulated: bool,
}

/// The normal at `centre_m`: of those at each radius, the one of the most planar neighbourhood.
///
/// Planarity is `(l2 - l3) / l1` of the descending eigenvalues of the scatter.
/// `None` if no radius holds three points that fix a plane.
pub(crate) fn normal_at(
    cloud: (&KdTree, &[[f64; 3]]),
    centre_m: &[f64; 3],
    scales: &NormalScales,
) -> Result<Option<Normal>, MeasureError> {
    let (tree, points_m) = cloud;
    let mut best: Option<(f64, Normal)> = None;
    let mut near: Vec<[f64; 3]> = Vec::new();
    for &radius_m in scales.radii_m {
        require_positive(radius_m, "normal radius")?;
        if !scales.is_accumulated {
            near.clear();
        }
        near.extend(tree.within(centre_m, radius_m)?.into_iter().map(|index| points_m[index]));
        let Some((planarity, direction)) = plane_of(&near, scales.towards) else { continue };
        if best.is_none_or(|(best, _)| planarity > best) {
            best = Some((planarity, Normal { direction, radius_m }));
        }
    }
    Ok(best.map(|(_, normal)| normal))
}

/// Planarity and oriented normal of some points.
fn plane_of(points_m: &[[f64; 3]], towards: &[f64; 3]) -> Option<(f64, [f64; 3])> {
    if points_m.len() < POINTS_MIN {
        return None;
    }
    let count = points_m.len() as f64;
    let mean: [f64; 3] =
        std::array::from_fn(|axis| points_m.iter().map(|p| p[axis]).sum::<f64>() / count);
    let mut scatter = Matrix3::<f64>::zeros();
    for point in points_m {
        let d: [f64; 3] = std::array::from_fn(|axis| point[axis] - mean[axis]);
        for row in 0..3 {
            for column in 0..3 {
                scatter[(row, column)] += d[row] * d[column];
            }
        }
    }
    let largest = scatter.amax();
    if !largest.is_finite() || largest <= 0.0 {
        return None;
    }
    let eigen = SymmetricEigen::try_new(scatter / largest, f64::EPSILON, 100)?;
    let mut order = [0, 1, 2];
    order.sort_by(|a, b| eigen.eigenvalues[*b].total_cmp(&eigen.eigenvalues[*a]));
    let [first, second, third] = order.map(|at| eigen.eigenvalues[at].max(0.0));
    if second <= LINE_SHARE * first {
        return None;
    }
    let column = eigen.eigenvectors.column(order[2]);
    let mut direction = [column[0], column[1], column[2]];
    let length = dot(&direction, &direction).sqrt();
    let sign = if dot(&direction, towards) < 0.0 { -1.0 } else { 1.0 };
    for value in &mut direction {
        *value *= sign / length;
    }
    Some(((second - third) / first, direction))
}
