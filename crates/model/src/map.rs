//! A planar map of surfaces: a grid whose occupied cells hold a fitted piece of wall.
//!
//! Made by `reconstruct`, looked at by `simulate`. A cell that no beam crossed is unknown: a beam that enters one has left the map.
//! Frame: `map`; metres. Cell `(column, row)` covers `[origin + column * cell_m, origin + (column + 1) * cell_m)` in x, likewise in y.

use serde::{Deserialize, Serialize};

/// What one cell of a [`WallMap`] holds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cell {
    /// No beam crossed or ended here.
    Unknown,
    /// Beams crossed and none, or too few, ended.
    Free,
    /// A piece of wall: the line through `(x_m, y_m)` across the unit normal, within the cell.
    Wall {
        /// A point of the line, metres in `map`.
        x_m: f64,
        /// A point of the line, metres in `map`.
        y_m: f64,
        /// Unit normal, towards the side it was seen from.
        normal_x: f64,
        /// Unit normal, towards the side it was seen from.
        normal_y: f64,
        /// Spread of the returns across the line, one standard deviation, metres: scatter of map and poses, not of the sensor alone.
        thickness_m: f64,
        /// Returns the piece was fitted to.
        return_count: u32,
    },
}

/// A grid of cells, row by row from the lowest y.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WallMap {
    /// Lower corner, metres in `map`.
    pub origin_x_m: f64,
    /// Lower corner, metres in `map`.
    pub origin_y_m: f64,
    /// Edge of a cell, metres.
    pub cell_m: f64,
    /// Cells along x.
    pub column_count: usize,
    /// Cells along y.
    pub row_count: usize,
    /// `row_count * column_count` cells, row-major.
    pub cells: Vec<Cell>,
}

impl WallMap {
    /// The cell at a place, `Unknown` outside the grid.
    #[must_use]
    pub fn cell_at(&self, x_m: f64, y_m: f64) -> Cell {
        let column = ((x_m - self.origin_x_m) / self.cell_m).floor();
        let row = ((y_m - self.origin_y_m) / self.cell_m).floor();
        if !(column >= 0.0 && row >= 0.0) {
            return Cell::Unknown;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "both are non-negative here, and a saturated index is outside the grid"
        )]
        let (column, row) = (column as usize, row as usize);
        if column >= self.column_count || row >= self.row_count {
            return Cell::Unknown;
        }
        self.cells[row * self.column_count + column]
    }
}
