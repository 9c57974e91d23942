//! Fitting a piece of wall to the returns of each cell and of its neighbourhood along the wall.
//!
//! Invariant: a piece is fitted only to returns that face its way, so the two sides of a corner or
//! of a thin wall stay apart.
//! Metres, in `map`.

use tiepoint_model::Cell;

use super::{MapBeam, MapOptions, Piece};
use crate::geometry::{Line, Moments, dot, length_squared, minus, unit};
use crate::grid::Grid;

/// Cosine of the largest angle between a return's normal and the piece it is fitted to.
const SAME_FACE: f64 = 0.85;

/// Least distance from the line at which a return counts half, metres: poses err by about as much.
const KERNEL_M: f64 = 0.03;

/// Range at which a return counts half, metres: heading errors move far returns more than near
/// ones.
const RANGE_SCALE_M: f64 = 6.0;

/// How far along the wall to look, and how far off the line a return counts half.
#[derive(Clone, Copy)]
struct Spread {
    radius_m: f64,
    kernel_m: f64,
}

/// Returns sorted by cell.
struct ByCell<'a> {
    grid: &'a Grid,
    starts: Vec<u32>,
    returns: Vec<Return>,
}

#[derive(Clone, Copy)]
struct Return {
    point_m: [f64; 2],
    normal: Option<[f64; 2]>,
    to_scanner: [f64; 2],
    weight: f64,
}

/// One cell per cell of the grid: a wall where enough returns lie, else unknown.
pub(super) fn fit(
    grid: &Grid,
    beams: &[MapBeam],
    options: &MapOptions,
    scatter_m: f64,
) -> Vec<Cell> {
    let by_cell = ByCell::sort(grid, beams);
    let spread = Spread { radius_m: options.fit_radius_m, kernel_m: KERNEL_M.max(scatter_m) };
    let cell_count = grid.column_count * grid.row_count;
    let mut cells = vec![Cell::Unknown; cell_count];
    for (index, cell) in cells.iter_mut().enumerate() {
        let returns = by_cell.at(index);
        if returns.len() >= options.return_count_min.max(1) as usize {
            *cell = piece_of(index, returns, &by_cell, spread).cell();
        }
    }
    cells
}

fn piece_of(index: usize, returns: &[Return], by_cell: &ByCell<'_>, spread: Spread) -> Piece {
    let facing = main_normal(returns);
    let face: Vec<&Return> = returns.iter().filter(|r| is_on_face(r, facing)).collect();
    let weight: f64 = face.iter().map(|r| r.weight).sum();
    let mean = |axis: usize| face.iter().map(|r| r.weight * r.point_m[axis]).sum::<f64>() / weight;
    let centre = [mean(0), mean(1)];
    let around = by_cell.face_around(index, centre, facing, spread.radius_m);
    let return_count = u32::try_from(face.len()).unwrap_or(u32::MAX);
    let loose = Piece { point_m: centre, normal: facing, thickness_m: 0.0, return_count };
    let Some(line) = robust_line(&around, loose, spread) else { return loose };
    let sign = if dot(line.normal, facing) < 0.0 { -1.0 } else { 1.0 };
    let normal = [sign * line.normal[0], sign * line.normal[1]];
    let offset = dot(minus(line.mean, centre), normal);
    let point_m = [centre[0] + offset * normal[0], centre[1] + offset * normal[1]];
    Piece { point_m, normal, thickness_m: line.across_m, return_count }
}

/// The normal that most of the returns share; the mean direction to the scanner if none has one.
fn main_normal(returns: &[Return]) -> [f64; 2] {
    const SEEDS: usize = 16;
    let stride = returns.len().div_ceil(SEEDS);
    let mut best: Option<(f64, [f64; 2])> = None;
    for seed in returns.iter().step_by(stride).filter_map(|r| r.normal) {
        let mut sum = [0.0; 2];
        let mut weight = 0.0;
        for other in returns {
            let Some(normal) = other.normal.filter(|normal| dot(*normal, seed) > SAME_FACE) else {
                continue;
            };
            weight += other.weight;
            sum[0] += other.weight * normal[0];
            sum[1] += other.weight * normal[1];
        }
        if best.is_none_or(|(most, _)| weight > most) {
            best = Some((weight, unit(sum)));
        }
    }
    best.map_or_else(
        || {
            let sum = |axis: usize| returns.iter().map(|r| r.to_scanner[axis]).sum::<f64>();
            unit([sum(0), sum(1)])
        },
        |(_, normal)| normal,
    )
}

/// A return without a normal of its own counts with the face that its beam could have seen.
fn is_on_face(candidate: &Return, facing: [f64; 2]) -> bool {
    match candidate.normal {
        Some(normal) => dot(normal, facing) > SAME_FACE,
        None => dot(candidate.to_scanner, facing) > 0.0,
    }
}

/// Least squares with Cauchy weights across the line and a smooth end along it; `None` if the
/// returns form no line.
fn robust_line(around: &[Return], start: Piece, spread: Spread) -> Option<Line> {
    let radius_m = spread.radius_m;
    let (mut centre, mut normal) = (start.point_m, start.normal);
    let mut kernel_m = 2.0 * spread.kernel_m;
    let mut found = None;
    for _ in 0..4 {
        let mut moments = Moments::about(start.point_m);
        for r in around {
            let across = dot(minus(r.point_m, centre), normal) / kernel_m;
            let along = length_squared(minus(r.point_m, start.point_m)) / (radius_m * radius_m);
            let taper = (1.0 - along).max(0.0);
            moments.add(r.point_m, r.weight * taper / (1.0 + across * across));
        }
        let line = moments.line()?;
        let is_line = line.across_m < 0.6 * line.along_m && dot(line.normal, normal).abs() > 0.7;
        if !is_line {
            return found;
        }
        (centre, normal) = (line.mean, line.normal);
        kernel_m = spread.kernel_m;
        found = Some(line);
    }
    found
}

impl<'a> ByCell<'a> {
    fn sort(grid: &'a Grid, beams: &[MapBeam]) -> Self {
        let cell_count = grid.column_count * grid.row_count;
        let mut starts = vec![0_u32; cell_count + 1];
        let cells: Vec<Option<usize>> =
            beams.iter().map(|beam| grid.index_at(beam.end_m)).collect();
        for cell in cells.iter().flatten() {
            starts[cell + 1] += 1;
        }
        for index in 1..starts.len() {
            starts[index] += starts[index - 1];
        }
        let blank = Return { point_m: [0.0; 2], normal: None, to_scanner: [0.0; 2], weight: 0.0 };
        let mut returns = vec![blank; starts[cell_count] as usize];
        let mut next = starts.clone();
        for (beam, cell) in beams.iter().zip(cells) {
            let Some(cell) = cell else { continue };
            let scaled = beam.range_m / RANGE_SCALE_M;
            returns[next[cell] as usize] = Return {
                point_m: beam.end_m,
                normal: beam.normal,
                to_scanner: beam.beam.direction.map(|c| -c),
                weight: 1.0 / (1.0 + scaled * scaled),
            };
            next[cell] += 1;
        }
        Self { grid, starts, returns }
    }

    fn at(&self, cell: usize) -> &[Return] {
        &self.returns[self.starts[cell] as usize..self.starts[cell + 1] as usize]
    }

    /// Returns of one face within `radius_m` of a place.
    fn face_around(
        &self,
        cell: usize,
        place_m: [f64; 2],
        facing: [f64; 2],
        radius_m: f64,
    ) -> Vec<Return> {
        let reach = (radius_m / self.grid.cell_m).ceil() as i64;
        let mut found = Vec::new();
        for rows in -reach..=reach {
            for columns in -reach..=reach {
                let Some(neighbour) = self.grid.neighbour(cell, columns, rows) else { continue };
                found.extend(self.at(neighbour).iter().filter(|r| {
                    let squared = length_squared(minus(r.point_m, place_m));
                    squared <= radius_m * radius_m && is_on_face(r, facing)
                }));
            }
        }
        found
    }
}

/// Continues each wall into empty cells that lie between two of its pieces.
pub(super) fn close_gaps(grid: &Grid, cells: &mut [Cell], options: &MapOptions) {
    let reach = (options.gap_m_max / grid.cell_m).floor() as i64;
    if reach < 1 {
        return;
    }
    let mut filled = Vec::new();
    for index in 0..cells.len() {
        if cells[index] != Cell::Unknown {
            continue;
        }
        if let Some(piece) = bridge(grid, cells, index, reach) {
            filled.push((index, piece.cell()));
        }
    }
    for (index, cell) in filled {
        cells[index] = cell;
    }
}

/// The piece that joins two nearby pieces of one line on either side of an empty cell.
fn bridge(grid: &Grid, cells: &[Cell], index: usize, reach: i64) -> Option<Piece> {
    let centre = grid.centre_m(index);
    let mut pieces: Vec<Piece> = Vec::new();
    for rows in -reach..=reach {
        for columns in -reach..=reach {
            let Some(neighbour) = grid.neighbour(index, columns, rows) else { continue };
            let Some(piece) = Piece::of(cells[neighbour]) else { continue };
            let passes = dot(minus(centre, piece.point_m), piece.normal).abs() <= 0.6 * grid.cell_m;
            if passes {
                pieces.push(piece);
            }
        }
    }
    let along = |piece: &Piece| {
        let tangent = [-piece.normal[1], piece.normal[0]];
        dot(minus(centre, piece.point_m), tangent)
    };
    let mut best: Option<(f64, Piece)> = None;
    for (first, a) in pieces.iter().enumerate() {
        for b in &pieces[first + 1..] {
            let same_face = dot(a.normal, b.normal) > 0.95;
            let either_side = along(a) * along(b) < 0.0;
            let collinear = dot(minus(a.point_m, b.point_m), a.normal).abs() < 0.05;
            let length = length_squared(minus(a.point_m, b.point_m));
            if !(same_face && either_side && collinear)
                || best.is_some_and(|(least, _)| length >= least)
            {
                continue;
            }
            let normal = unit([a.normal[0] + b.normal[0], a.normal[1] + b.normal[1]]);
            let middle = [0.5 * (a.point_m[0] + b.point_m[0]), 0.5 * (a.point_m[1] + b.point_m[1])];
            let offset = dot(minus(middle, centre), normal);
            let joined = Piece {
                point_m: [centre[0] + offset * normal[0], centre[1] + offset * normal[1]],
                normal,
                thickness_m: a.thickness_m.max(b.thickness_m),
                return_count: 0,
            };
            best = Some((length, joined));
        }
    }
    best.map(|(_, piece)| piece)
}
