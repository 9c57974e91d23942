//! Where a beam meets the walls of a map, and how far a return lies from the nearest of them along
//! its beam.
//!
//! Invariant: a beam is stopped by the first piece whose line it crosses within the piece's cell,
//! widened by half a cell.
//! Metres, in `map`.

use tiepoint_model::{Cell, WallMap};

use crate::geometry::{dot, minus};
use crate::grid::{Beam, Grid};

/// Share of a cell by which a piece of wall reaches beyond its cell.
const OVERHANG_CELLS: f64 = 0.5;

/// Cosine below which a beam runs along a piece and cannot be said to meet it.
const GRAZING: f64 = 0.02;

/// Distance along the beam at which it first meets a wall, metres; `None` if it meets none within
/// `length_m`.
#[must_use]
pub fn wall_crossing_m(map: &WallMap, beam: Beam, length_m: f64) -> Option<f64> {
    let grid = Grid::of(map);
    let mut found = None;
    grid.walk(beam, length_m, |index| {
        found = meets_piece_m(&grid, index, map.cells[index], beam);
        found.is_none()
    });
    found.filter(|meets_m| *meets_m <= length_m)
}

/// Range read minus range of the wall nearest to the return along the beam, metres.
///
/// Positive: the return lies behind the wall. `None` if no wall crosses the beam within `search_m`
/// before or behind the return.
#[must_use]
pub fn wall_residual_m(map: &WallMap, beam: Beam, range_m: f64, search_m: f64) -> Option<f64> {
    let grid = Grid::of(map);
    let start_m = (range_m - search_m).max(0.0);
    let start = Beam { origin_m: beam.point_m(start_m), direction: beam.direction };
    let mut nearest: Option<f64> = None;
    grid.walk(start, range_m - start_m + search_m, |index| {
        if let Some(meets_m) = meets_piece_m(&grid, index, map.cells[index], beam) {
            let residual_m = range_m - meets_m;
            let is_nearer = nearest.is_none_or(|best| residual_m.abs() < best.abs());
            if residual_m.abs() <= search_m && is_nearer {
                nearest = Some(residual_m);
            }
        }
        true
    });
    nearest
}

/// Distance along the beam at which it crosses the piece of a cell; `None` if it misses the piece
/// or there is none.
pub(super) fn meets_piece_m(grid: &Grid, index: usize, cell: Cell, beam: Beam) -> Option<f64> {
    let Cell::Wall { x_m, y_m, normal_x, normal_y, .. } = cell else { return None };
    let normal = [normal_x, normal_y];
    let slope = dot(beam.direction, normal);
    if slope.abs() < GRAZING {
        return None;
    }
    let meets_m = dot(minus([x_m, y_m], beam.origin_m), normal) / slope;
    if meets_m <= 0.0 {
        return None;
    }
    let from_centre = minus(beam.point_m(meets_m), grid.centre_m(index));
    let reach_m = (0.5 + OVERHANG_CELLS) * grid.cell_m;
    let is_within = from_centre[0].abs() <= reach_m && from_centre[1].abs() <= reach_m;
    is_within.then_some(meets_m)
}
