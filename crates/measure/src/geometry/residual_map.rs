//! Residual maps: where, on a grid, one cloud lies off another.
//!
//! Invariant: a cell without points is absent, never zero; cells come sorted, and every point is
//! counted once.
//! Metres.
//!
//! Cost: `O(n log c)` for `c` cells with points.
//!
//! Not here: which residual; the caller gives one for each point.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::require_cloud;
use crate::{
    MeasureError,
    statistics::{require_finite, require_positive},
};

/// A grid of upright boxes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MapGrid {
    /// A corner of cell (0, 0, 0), metres.
    pub origin_m: [f64; 3],
    /// Edges of a cell, metres; infinity for an axis that is not divided.
    pub cell_m: [f64; 3],
}

/// The residuals of one cell.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CellResidual {
    /// Position in the grid; cell `i` spans `[origin + i edge, origin + (i + 1) edge)`.
    pub cell: [i64; 3],
    /// How many points.
    pub count: usize,
    /// Mean residual, metres.
    pub mean_m: f64,
    /// Root of the mean square, metres.
    pub rms_m: f64,
}

/// Cells with points, ascending by x, y, z.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResidualMap {
    /// The grid.
    pub grid: MapGrid,
    /// Its cells.
    pub cells: Vec<CellResidual>,
}

/// Largest cell number: beyond it neighbouring cells are not told apart.
const CELL_MAX: f64 = 9.0e15;

/// Mean and root mean square of a residual in each cell of a grid.
///
/// # Inputs
/// - `points_m`: where, metres.
/// - `residuals_m`: the residual at each point, metres; a distance to a nearest neighbour, or a
///   signed one.
///
/// # Output
/// Cells with at least one point; the mean over all cells weighted by count is the mean of all.
///
/// # Errors
/// [`MeasureError::Empty`], [`MeasureError::NotFinite`], [`MeasureError::TooLarge`] (a point more
/// than 9e15 cells from the origin), [`MeasureError::LengthMismatch`],
/// [`MeasureError::InvalidOption`].
///
/// # Invariants
/// `a_residual_map_counts_every_point_once`.
///
/// # Source
/// This project.
pub fn residual_map(
    points_m: &[[f64; 3]],
    residuals_m: &[f64],
    grid: MapGrid,
) -> Result<ResidualMap, MeasureError> {
    require_cloud(points_m, "points")?;
    require_finite(residuals_m, "residuals")?;
    if points_m.len() != residuals_m.len() {
        return Err(MeasureError::LengthMismatch {
            left: "points",
            left_count: points_m.len(),
            right: "residuals",
            right_count: residuals_m.len(),
        });
    }
    for (origin, edge) in grid.origin_m.into_iter().zip(grid.cell_m) {
        require_finite(&[origin], "grid origin")?;
        if edge != f64::INFINITY {
            require_positive(edge, "cell_m")?;
        }
    }
    let mut sums: BTreeMap<[i64; 3], (usize, f64, f64)> = BTreeMap::new();
    for (index, (point_m, residual_m)) in points_m.iter().zip(residuals_m).enumerate() {
        let mut cell = [0; 3];
        for axis in 0..3 {
            cell[axis] = place_in_grid(grid, axis, point_m[axis], index)?;
        }
        let sum = sums.entry(cell).or_default();
        *sum = (sum.0 + 1, sum.1 + residual_m, sum.2 + residual_m * residual_m);
    }
    let cells = sums.into_iter().map(|(cell, (count, sum, squares))| CellResidual {
        cell,
        count,
        mean_m: sum / count as f64,
        rms_m: (squares / count as f64).sqrt(),
    });
    Ok(ResidualMap { grid, cells: cells.collect() })
}

fn place_in_grid(
    grid: MapGrid,
    axis: usize,
    value: f64,
    index: usize,
) -> Result<i64, MeasureError> {
    if grid.cell_m[axis] == f64::INFINITY {
        return Ok(0);
    }
    let place = ((value - grid.origin_m[axis]) / grid.cell_m[axis]).floor();
    if place.abs() > CELL_MAX {
        return Err(MeasureError::TooLarge { what: "points", index, value, limit: CELL_MAX });
    }
    #[expect(clippy::cast_possible_truncation, reason = "bounded by CELL_MAX")]
    Ok(place as i64)
}
