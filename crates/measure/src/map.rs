//! Agreement of scans with a map of walls: how far end points lie from the nearest piece of wall.
//!
//! Invariant: an end point counts once: near a wall, far from any, or in a cell that the map does
//! not know.
//! Frame `map`, metres.
//!
//! Not here: whether beams pass through walls on their way; only end points are looked at.

use serde::{Deserialize, Serialize};
use tiepoint_model::{Cell, Pose2, Scan, WallMap, math};

use crate::{
    MeasureError, Share,
    scan::end_point_m,
    statistics::{quantile_of_sorted, require_not_below_zero, require_positive},
};

/// How far an end point is looked up, and what counts as agreement.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MapOptions {
    /// An end point this near to a wall agrees with the map, metres; at most `reach_m`.
    pub tolerance_m: f64,
    /// Walls farther than this are not looked for, metres.
    pub reach_m: f64,
}

/// How scans agree with a map.
#[derive(Clone, Debug, PartialEq)]
pub struct MapAgreement {
    /// Distance to the nearest wall of each end point that has one within reach, metres, in the
    /// order of scans and beams.
    pub residuals_m: Vec<f64>,
    /// Median of the residuals, metres; `None` if no end point has a wall within reach.
    pub median_m: Option<f64>,
    /// 95 % quantile of the residuals, metres.
    pub p95_m: Option<f64>,
    /// End points within the tolerance of a wall, of all end points.
    pub within: Share,
    /// End points whose own cell is unknown, of all end points.
    pub unknown: Share,
    /// End points without a wall within reach, of all end points: they have no residual.
    pub without_wall: Share,
}

/// Residuals between the end points of scans and the pieces of wall of a map.
///
/// `d(p) = min over pieces of ‖p − piece‖`, a piece being the part of its line that lies in its
/// cell (or its point, should the line miss the cell).
///
/// # Inputs
/// - `map`: a wall map, metres.
/// - `scans`: each with `map_from_laser` at the instant of the scan.
/// - `options`: tolerance and reach.
///
/// # Output
/// Metres, `>= 0`, with shares; 0 if every end point lies on a wall. Residuals are cut off at the
/// reach: read the quantiles together with `without_wall`.
///
/// # Errors
/// [`MeasureError::InvalidOption`] (options, or a map whose cell size or cell count is wrong),
/// [`MeasureError::NotFinite`] (a pose), [`MeasureError::Empty`] (no valid beam).
///
/// # Invariants
/// `scans_made_from_a_map_agree_with_it`, `map_agreement_is_unchanged_by_whole_cells`,
/// `agreement_grows_with_the_tolerance`.
///
/// # Source
/// This project.
pub fn map_agreement(
    map: &WallMap,
    scans: &[(Pose2, &Scan)],
    options: &MapOptions,
) -> Result<MapAgreement, MeasureError> {
    check(map, options)?;
    let mut residuals_m = Vec::new();
    let (mut within, mut unknown, mut without_wall) =
        (Share::default(), Share::default(), Share::default());
    for (index, (map_from_laser, scan)) in scans.iter().enumerate() {
        if !map_from_laser.is_finite() {
            return Err(MeasureError::NotFinite { what: "map_from_laser", index });
        }
        for beam_index in 0..scan.ranges_m.len() {
            let Some(point_in_laser_m) = end_point_m(scan, beam_index) else { continue };
            let point_m = map_from_laser.transform(point_in_laser_m);
            let distance_m = distance_to_wall_m(map, point_m, options.reach_m);
            within.count(distance_m.is_some_and(|distance| distance <= options.tolerance_m));
            unknown.count(map.cell_at(point_m[0], point_m[1]) == Cell::Unknown);
            without_wall.count(distance_m.is_none());
            residuals_m.extend(distance_m);
        }
    }
    if within.count == 0 {
        return Err(MeasureError::Empty { what: "valid beams" });
    }
    let mut sorted = residuals_m.clone();
    sorted.sort_unstable_by(f64::total_cmp);
    Ok(MapAgreement {
        median_m: quantile_of_sorted(&sorted, 0.5),
        p95_m: quantile_of_sorted(&sorted, 0.95),
        residuals_m,
        within,
        unknown,
        without_wall,
    })
}

fn check(map: &WallMap, options: &MapOptions) -> Result<(), MeasureError> {
    require_positive(map.cell_m, "cell_m")?;
    require_not_below_zero(options.tolerance_m, "tolerance_m")?;
    require_positive(options.reach_m, "reach_m")?;
    if options.tolerance_m > options.reach_m {
        return Err(MeasureError::InvalidOption {
            name: "tolerance_m",
            value: options.tolerance_m,
            requirement: "at most `reach_m`",
        });
    }
    if Some(map.cells.len()) != map.row_count.checked_mul(map.column_count) {
        return Err(MeasureError::InvalidOption {
            name: "cells",
            value: map.cells.len() as f64,
            requirement: "as many as rows times columns",
        });
    }
    Ok(())
}

/// The distance from a point to the nearest piece of wall, `None` if none lies within reach.
#[must_use]
pub fn distance_to_wall_m(map: &WallMap, point_m: [f64; 2], reach_m: f64) -> Option<f64> {
    let columns = cells_within(point_m[0] - map.origin_x_m, reach_m, map.cell_m, map.column_count);
    let rows = cells_within(point_m[1] - map.origin_y_m, reach_m, map.cell_m, map.row_count);
    let mut nearest_m = f64::INFINITY;
    for row in rows {
        for column in columns.clone() {
            if let Cell::Wall { x_m, y_m, normal_x, normal_y, .. } =
                map.cells[row * map.column_count + column]
            {
                let low_m = [
                    map.origin_x_m + column as f64 * map.cell_m,
                    map.origin_y_m + row as f64 * map.cell_m,
                ];
                let [start, end] = piece([x_m, y_m], [-normal_y, normal_x], low_m, map.cell_m);
                nearest_m = nearest_m.min(distance_to_segment_m(point_m, start, end));
            }
        }
    }
    (nearest_m <= reach_m).then_some(nearest_m)
}

/// The cells of one axis that a reach around an offset from the origin touches.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0..=count before"
)]
fn cells_within(offset_m: f64, reach_m: f64, cell_m: f64, count: usize) -> std::ops::Range<usize> {
    let limit = count as f64;
    let first = ((offset_m - reach_m) / cell_m).floor().clamp(0.0, limit);
    let last = (((offset_m + reach_m) / cell_m).floor() + 1.0).clamp(0.0, limit);
    first as usize..last as usize
}

/// The part of a line within a square cell, by its two ends; the given point twice if the line
/// misses the cell.
fn piece(point_m: [f64; 2], direction: [f64; 2], low_m: [f64; 2], cell_m: f64) -> [[f64; 2]; 2] {
    let (mut start, mut end) = (f64::NEG_INFINITY, f64::INFINITY);
    for axis in 0..2 {
        let to_low = low_m[axis] - point_m[axis];
        let to_high = to_low + cell_m;
        if direction[axis] == 0.0 {
            if to_low > 0.0 || to_high < 0.0 {
                return [point_m, point_m];
            }
            continue;
        }
        let (a, b) = (to_low / direction[axis], to_high / direction[axis]);
        start = start.max(a.min(b));
        end = end.min(a.max(b));
    }
    if !(start <= end && start.is_finite() && end.is_finite()) {
        return [point_m, point_m];
    }
    [start, end].map(|t| [point_m[0] + t * direction[0], point_m[1] + t * direction[1]])
}

fn distance_to_segment_m(point: [f64; 2], start: [f64; 2], end: [f64; 2]) -> f64 {
    let along = [end[0] - start[0], end[1] - start[1]];
    let from_start = [point[0] - start[0], point[1] - start[1]];
    let length_squared = along[0] * along[0] + along[1] * along[1];
    let share = if length_squared > 0.0 {
        ((from_start[0] * along[0] + from_start[1] * along[1]) / length_squared).clamp(0.0, 1.0)
    } else {
        0.0
    };
    math::hypot(from_start[0] - share * along[0], from_start[1] - share * along[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_ends_at_the_edges_of_its_cell() {
        let half = 0.5_f64.sqrt();
        let [start, end] = piece([0.5, 0.5], [half, half], [0.0, 0.0], 1.0);
        for (got, expected) in start.into_iter().chain(end).zip([0.0, 0.0, 1.0, 1.0]) {
            assert!((got - expected).abs() < 1e-15);
        }
        assert_eq!(piece([0.2, 0.5], [0.0, 1.0], [0.0, 0.0], 1.0), [[0.2, 0.0], [0.2, 1.0]]);
        // A line that misses its cell leaves its point.
        assert_eq!(piece([2.0, 0.5], [0.0, 1.0], [0.0, 0.0], 1.0), [[2.0, 0.5]; 2]);
        assert_eq!(piece([0.0, 3.0], [half, half], [0.0, 0.0], 1.0), [[0.0, 3.0]; 2]);
    }

    #[test]
    fn distance_is_to_the_piece_and_not_to_its_endless_line() {
        let (start, end) = ([0.0, 0.0], [1.0, 0.0]);
        assert_eq!(distance_to_segment_m([0.5, 2.0], start, end), 2.0);
        assert_eq!(distance_to_segment_m([4.0, 4.0], start, end), 5.0);
        assert_eq!(distance_to_segment_m([4.0, 4.0], [1.0, 0.0], [1.0, 0.0]), 5.0);
    }
}
