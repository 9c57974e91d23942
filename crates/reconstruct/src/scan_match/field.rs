//! The correlative search: a smooth field of how near each place is to the reference, and the best
//! pose on a lattice.
//!
//! Invariant: the search returns the best lattice pose of the whole window, ties to the first in
//! (yaw, y, x) order.
//! Metres, radians, in the reference's frame.

use std::cmp::Ordering;

use tiepoint_model::{Pose2, math};

use super::MatchOptions;
use crate::geometry::Motion;
use crate::planar_scan::PlanarScan;

/// Fine cells per coarse cell, along each axis.
const COARSE: i64 = 4;

/// Points of a scan that the search uses, at most.
const SEARCH_POINTS: usize = 120;

/// Fine cells that a field may have, at most: beyond, points far from the middle are left out.
const MAXIMUM_SIDE: i64 = 1600;

/// Nearness to the reference on a grid, with a coarse grid of upper bounds.
#[derive(Debug)]
pub(crate) struct Field {
    cell_m: f64,
    lower: [i64; 2],
    size: [i64; 2],
    fine: Vec<u8>,
    coarse_size: [i64; 2],
    /// Greatest fine value over two coarse cells in each axis from this one on.
    coarse: Vec<u8>,
}

/// A heading and the shift in cells from the guess.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    score: f64,
    turn: i64,
    shift: [i64; 2],
}

impl Field {
    pub(crate) fn new(points: &[[f64; 2]], scatter_m: f64) -> Self {
        let cell_m = 0.08_f64.max(0.7 * scatter_m);
        let cells: Vec<[i64; 2]> =
            points.iter().map(|point| point.map(|c| (c / cell_m).floor() as i64)).collect();
        let (lower, upper) = middle_bounds(&cells);
        let size = [upper[0] - lower[0] + 1, upper[1] - lower[1] + 1];
        let coarse_size = [size[0] / COARSE + 1, size[1] / COARSE + 1];
        let mut field = Self {
            cell_m,
            lower,
            size,
            fine: vec![0; (size[0] * size[1]) as usize],
            coarse_size,
            coarse: vec![0; (coarse_size[0] * coarse_size[1]) as usize],
        };
        let mut cells = cells;
        cells.sort_unstable();
        cells.dedup();
        for [x, y] in cells {
            field.stamp(x - lower[0], y - lower[1]);
        }
        field
    }

    /// The best pose of the window about `guess`.
    pub(crate) fn search(&self, scan: &PlanarScan, guess: Pose2, options: &MatchOptions) -> Pose2 {
        let points = thinned(scan);
        let reach_m =
            points.iter().map(|p| p[0] * p[0] + p[1] * p[1]).fold(1.0, f64::max).sqrt().min(15.0);
        let turn_rad = self.cell_m / reach_m;
        let turns = ((options.window_rad / turn_rad).ceil() as i64).max(1);
        let shifts = ((options.window_m / self.cell_m).ceil() as i64).max(1);
        let penalty = |turn: i64, shift: [i64; 2]| {
            let yaw = turn as f64 * turn_rad / options.guess_sigma_rad;
            let x = shift[0] as f64 * self.cell_m / options.guess_sigma_m;
            let y = shift[1] as f64 * self.cell_m / options.guess_sigma_m;
            0.01 * (x * x + y * y + yaw * yaw)
        };
        let turned: Vec<Vec<[i64; 2]>> = (-turns..=turns)
            .map(|turn| self.cells_of(&points, guess, turn as f64 * turn_rad))
            .collect();
        let mut bounds = Vec::new();
        for turn in -turns..=turns {
            let cells = &turned[(turn + turns) as usize];
            for y in (-shifts..=shifts).step_by(COARSE as usize) {
                for x in (-shifts..=shifts).step_by(COARSE as usize) {
                    let nearest = [x, y].map(|low| 0.clamp(low, low + COARSE - 1));
                    let score = self.coarse_score(cells, [x, y]) - penalty(turn, nearest);
                    bounds.push(Candidate { score, turn, shift: [x, y] });
                }
            }
        }
        bounds.sort_by(|a, b| b.score.total_cmp(&a.score).then(order(a, b)));
        let mut best = Candidate { score: f64::NEG_INFINITY, turn: 0, shift: [0, 0] };
        for bound in bounds {
            if bound.score < best.score {
                break;
            }
            let cells = &turned[(bound.turn + turns) as usize];
            for y in bound.shift[1]..(bound.shift[1] + COARSE).min(shifts + 1) {
                for x in bound.shift[0]..(bound.shift[0] + COARSE).min(shifts + 1) {
                    let score = self.fine_score(cells, [x, y]) - penalty(bound.turn, [x, y]);
                    let candidate = Candidate { score, turn: bound.turn, shift: [x, y] };
                    let is_better = score > best.score
                        || (score == best.score && order(&candidate, &best) == Ordering::Less);
                    if is_better {
                        best = candidate;
                    }
                }
            }
        }
        Pose2::new(
            guess.x_m + best.shift[0] as f64 * self.cell_m,
            guess.y_m + best.shift[1] as f64 * self.cell_m,
            guess.yaw_rad + best.turn as f64 * turn_rad,
        )
    }

    /// Raises the field about an occupied cell: 255 on it, falling to 20 two cells away.
    fn stamp(&mut self, x: i64, y: i64) {
        const VALUES: [u8; 9] = [255, 200, 150, 0, 90, 70, 0, 0, 40]; // by squared distance
        for dy in -2_i64..=2 {
            for dx in -2_i64..=2 {
                let (px, py) = (x + dx, y + dy);
                if px < 0 || py < 0 || px >= self.size[0] || py >= self.size[1] {
                    continue;
                }
                let value = VALUES[(dx * dx + dy * dy) as usize];
                let cell = &mut self.fine[(py * self.size[0] + px) as usize];
                if *cell >= value {
                    continue;
                }
                *cell = value;
                let (cx, cy) = (px / COARSE, py / COARSE);
                for by in (cy - 1).max(0)..=cy {
                    for bx in (cx - 1).max(0)..=cx {
                        let bound = &mut self.coarse[(by * self.coarse_size[0] + bx) as usize];
                        *bound = (*bound).max(value);
                    }
                }
            }
        }
    }

    fn cells_of(&self, points: &[[f64; 2]], guess: Pose2, turn_rad: f64) -> Vec<[i64; 2]> {
        let turned = Motion::of(Pose2::new(guess.x_m, guess.y_m, guess.yaw_rad + turn_rad));
        points
            .iter()
            .map(|point| {
                let [x, y] = turned.point(*point).map(|c| (c / self.cell_m).floor() as i64);
                [x - self.lower[0], y - self.lower[1]]
            })
            .collect()
    }

    fn fine_score(&self, cells: &[[i64; 2]], shift: [i64; 2]) -> f64 {
        let mut sum = 0_u32;
        for cell in cells {
            let (x, y) = (cell[0] + shift[0], cell[1] + shift[1]);
            if x >= 0 && y >= 0 && x < self.size[0] && y < self.size[1] {
                sum += u32::from(self.fine[(y * self.size[0] + x) as usize]);
            }
        }
        f64::from(sum) / (255.0 * cells.len() as f64)
    }

    fn coarse_score(&self, cells: &[[i64; 2]], shift: [i64; 2]) -> f64 {
        let mut sum = 0_u32;
        for cell in cells {
            let x = (cell[0] + shift[0]).div_euclid(COARSE);
            let y = (cell[1] + shift[1]).div_euclid(COARSE);
            // A block that starts just outside still reaches into the grid; its values are those
            // of the first cell.
            if x >= -1 && y >= -1 && x < self.coarse_size[0] && y < self.coarse_size[1] {
                let (x, y) = (x.max(0), y.max(0));
                sum += u32::from(self.coarse[(y * self.coarse_size[0] + x) as usize]);
            }
        }
        f64::from(sum) / (255.0 * cells.len() as f64)
    }
}

fn order(a: &Candidate, b: &Candidate) -> Ordering {
    (a.turn, a.shift[1], a.shift[0]).cmp(&(b.turn, b.shift[1], b.shift[0]))
}

/// The bounding box of the cells, cut to a square about their median if it is too large.
fn middle_bounds(cells: &[[i64; 2]]) -> ([i64; 2], [i64; 2]) {
    let mut lower = [0; 2];
    let mut upper = [0; 2];
    for axis in 0..2 {
        let mut values: Vec<i64> = cells.iter().map(|cell| cell[axis]).collect();
        values.sort_unstable();
        let (Some(&first), Some(&last)) = (values.first(), values.last()) else { continue };
        let median = values[values.len() / 2];
        lower[axis] = (first - 2).max(median - MAXIMUM_SIDE / 2);
        upper[axis] = (last + 2).min(median + MAXIMUM_SIDE / 2);
    }
    (lower, upper)
}

/// Points spread evenly along the surfaces, not along the beams: near walls would outvote far ones.
fn thinned(scan: &PlanarScan) -> Vec<[f64; 2]> {
    let mut kept: Vec<[f64; 2]> = Vec::new();
    for point in &scan.points {
        let [x, y] = point.in_base_m;
        let is_apart = kept.last().is_none_or(|last| math::hypot(x - last[0], y - last[1]) >= 0.08);
        if is_apart {
            kept.push([x, y]);
        }
    }
    let stride = kept.len().div_ceil(SEARCH_POINTS);
    kept.into_iter().step_by(stride).collect()
}
