//! Votes of beams on the fitted pieces: a beam that meets a piece and ends there speaks for it,
//! one that goes on against it.
//!
//! Invariant: a beam votes on a piece by the same rule by which a cast ray is stopped by it (see
//! [`super::residual`]).
//! Metres, in `map`.

use tiepoint_model::Cell;

use super::residual::meets_piece_m;
use super::{MapBeam, MapOptions, Piece};
use crate::geometry::dot;
use crate::grid::Grid;

/// A return this far behind a piece's line, at least, has passed it, metres.
const BEHIND_M: f64 = 0.06;

/// Removes pieces that too many beams passed, and tells free cells from unknown ones.
pub(super) fn apply(grid: &Grid, beams: &[MapBeam], options: &MapOptions, cells: &mut [Cell]) {
    let mut is_crossed = vec![false; cells.len()];
    let mut stopped = vec![0_u32; cells.len()];
    let mut passed = vec![0_u32; cells.len()];
    for beam in beams {
        // Past the return, so that pieces at it get their vote too.
        grid.walk(beam.beam, beam.range_m + grid.cell_m, |index| {
            let Some(piece) = Piece::of(cells[index]) else {
                is_crossed[index] |= is_before_return(grid, beam, index);
                return true;
            };
            is_crossed[index] = true;
            if let Some(meets_m) = meets_piece_m(grid, index, piece.cell(), beam.beam) {
                let slope = dot(beam.beam.direction, piece.normal).abs();
                let behind_m = (beam.range_m - meets_m) * slope;
                let limit_m = BEHIND_M.max(3.0 * piece.thickness_m);
                if behind_m > limit_m {
                    passed[index] += 1;
                } else if behind_m > -limit_m {
                    stopped[index] += 1;
                }
            }
            true
        });
    }
    for (index, cell) in cells.iter_mut().enumerate() {
        if let Cell::Wall { .. } = cell {
            let total = f64::from(stopped[index]) + f64::from(passed[index]);
            if f64::from(passed[index]) > options.passed_share_max * total {
                *cell = Cell::Free;
            }
        } else if is_crossed[index] {
            *cell = Cell::Free;
        }
    }
}

/// True if the beam had not ended where it crosses the cell.
fn is_before_return(grid: &Grid, beam: &MapBeam, index: usize) -> bool {
    let centre = grid.centre_m(index);
    let to_centre = [centre[0] - beam.beam.origin_m[0], centre[1] - beam.beam.origin_m[1]];
    dot(to_centre, beam.beam.direction) < beam.range_m
}
