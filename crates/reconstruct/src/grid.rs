//! A square grid over the plane: which cell holds a point, and which cells a beam crosses, in
//! order.
//!
//! Invariant: a beam visits each cell it crosses exactly once, near to far.
//! Metres, in the frame of the grid's origin.

/// Where a grid lies and how fine it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grid {
    /// Lower corner, metres.
    pub origin_m: [f64; 2],
    /// Edge of a cell, metres.
    pub cell_m: f64,
    /// Cells along x.
    pub column_count: usize,
    /// Cells along y.
    pub row_count: usize,
}

impl Grid {
    /// The grid of a map.
    #[must_use]
    pub fn of(map: &tiepoint_model::WallMap) -> Self {
        Self {
            origin_m: [map.origin_x_m, map.origin_y_m],
            cell_m: map.cell_m,
            column_count: map.column_count,
            row_count: map.row_count,
        }
    }

    /// Row-major index of the cell that holds a point; `None` outside the grid.
    #[must_use]
    pub fn index_at(&self, point_m: [f64; 2]) -> Option<usize> {
        let column = ((point_m[0] - self.origin_m[0]) / self.cell_m).floor();
        let row = ((point_m[1] - self.origin_m[1]) / self.cell_m).floor();
        let inside = column >= 0.0
            && row >= 0.0
            && column < self.column_count as f64
            && row < self.row_count as f64;
        inside.then(|| row as usize * self.column_count + column as usize)
    }

    /// Centre of a cell, metres.
    #[must_use]
    pub fn centre_m(&self, cell_index: usize) -> [f64; 2] {
        let (column, row) = (cell_index % self.column_count, cell_index / self.column_count);
        [
            self.origin_m[0] + (column as f64 + 0.5) * self.cell_m,
            self.origin_m[1] + (row as f64 + 0.5) * self.cell_m,
        ]
    }

    /// The cell `columns` to the right and `rows` up; `None` outside the grid.
    #[must_use]
    pub fn neighbour(&self, cell_index: usize, columns: i64, rows: i64) -> Option<usize> {
        let column = (cell_index % self.column_count) as i64 + columns;
        let row = (cell_index / self.column_count) as i64 + rows;
        let inside = column >= 0
            && row >= 0
            && column < self.column_count as i64
            && row < self.row_count as i64;
        inside.then(|| row as usize * self.column_count + column as usize)
    }

    /// Calls `visit` with each cell that a beam crosses up to `length_m`, near to far, until it
    /// answers `false`.
    ///
    /// `direction` has unit length. Cells outside the grid are skipped (Amanatides and Woo, 1987).
    pub fn walk(&self, beam: Beam, length_m: f64, mut visit: impl FnMut(usize) -> bool) {
        let Beam { origin_m, direction } = beam;
        if !length_m.is_finite() || !self.cell_m.is_finite() {
            return;
        }
        let mut cell = [0_i64; 2];
        let mut step = [0_i64; 2];
        let mut next_m = [f64::INFINITY; 2];
        let mut delta_m = [f64::INFINITY; 2];
        for axis in 0..2 {
            let place = (origin_m[axis] - self.origin_m[axis]) / self.cell_m;
            cell[axis] = place.floor() as i64;
            if direction[axis] != 0.0 {
                let forward = direction[axis] > 0.0;
                step[axis] = if forward { 1 } else { -1 };
                let edge = cell[axis] as f64 + if forward { 1.0 } else { 0.0 };
                next_m[axis] = (edge - place) * self.cell_m / direction[axis];
                delta_m[axis] = self.cell_m / direction[axis].abs();
            }
        }
        let size = [self.column_count as i64, self.row_count as i64];
        loop {
            let inside = (0..2).all(|axis| cell[axis] >= 0 && cell[axis] < size[axis]);
            if inside && !visit(cell[1] as usize * self.column_count + cell[0] as usize) {
                return;
            }
            let axis = usize::from(next_m[1] < next_m[0]);
            if next_m[axis] >= length_m {
                return;
            }
            cell[axis] += step[axis];
            next_m[axis] += delta_m[axis];
            let has_left = (0..2).any(|axis| {
                (step[axis] >= 0 && cell[axis] >= size[axis]) || (step[axis] <= 0 && cell[axis] < 0)
            });
            if has_left {
                return;
            }
        }
    }
}

/// Where a beam starts and where it points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Beam {
    /// The scanner, metres in the grid's frame.
    pub origin_m: [f64; 2],
    /// Unit vector.
    pub direction: [f64; 2],
}

impl Beam {
    /// The point at a range, metres.
    #[must_use]
    pub fn point_m(&self, range_m: f64) -> [f64; 2] {
        [
            self.origin_m[0] + range_m * self.direction[0],
            self.origin_m[1] + range_m * self.direction[1],
        ]
    }
}

#[cfg(test)]
mod tests {
    use tiepoint_model::math;

    use super::*;

    /// Every cell that holds a finely sampled point of the beam is visited, once, in order.
    #[test]
    fn a_beam_visits_exactly_the_cells_it_crosses() {
        let grid = Grid { origin_m: [-2.0, -1.0], cell_m: 0.25, column_count: 20, row_count: 14 };
        for step in 0..97 {
            let (sin, cos) = math::sin_cos(f64::from(step) * 0.0651);
            let beam = Beam { origin_m: [0.113, 0.271], direction: [cos, sin] };
            let mut visited = Vec::new();
            grid.walk(beam, 2.7, |cell| {
                visited.push(cell);
                true
            });
            let mut sampled: Vec<usize> = (0..27_000)
                .filter_map(|sample| grid.index_at(beam.point_m(f64::from(sample) * 1e-4)))
                .collect();
            sampled.dedup();
            // A corner cut by less than the sampling step may be visited and not sampled.
            let mut rest = visited.iter();
            for cell in &sampled {
                assert!(rest.any(|other| other == cell), "angle {step}: {visited:?} {sampled:?}");
            }
            assert!(visited.len() <= sampled.len() + 1);
        }
    }

    #[test]
    fn a_beam_from_outside_enters_the_grid_and_one_that_points_away_ends() {
        let grid = Grid { origin_m: [0.0, 0.0], cell_m: 1.0, column_count: 3, row_count: 3 };
        let mut visited = Vec::new();
        let inward = Beam { origin_m: [-2.5, 1.5], direction: [1.0, 0.0] };
        grid.walk(inward, 100.0, |cell| {
            visited.push(cell);
            true
        });
        assert_eq!(visited, [3, 4, 5]);
        let outward = Beam { origin_m: [-2.5, 1.5], direction: [-1.0, 0.0] };
        grid.walk(outward, 1e9, |_| panic!("no cell lies that way"));
    }
}
