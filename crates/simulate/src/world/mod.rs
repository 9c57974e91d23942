//! Rays in a planar map of surfaces: where a beam ends.
//!
//! Invariant: no `World` holds a number that makes no geometry; it is checked once, when it is
//! made.
//! Inside, a place is measured in cells from the lower corner of the grid with one ring of border
//! cells around it.
//! Frame: `map`; metres outside, cells inside.
//!
//! Not here: what a sensor makes of the range (see [`crate::sensors`]).

mod pieces;

use tiepoint_model::{Cell, WallMap};

use crate::SimulateError;
use pieces::{Guest, Piece, dot, join};

/// Where a ray ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Hit {
    /// At a wall.
    Wall {
        /// Distance from the origin, metres.
        range_m: f64,
        /// Cosine of the angle between the ray and the wall's normal, in `0..=1`.
        incidence_cos: f64,
    },
    /// In a place that the map does not know: outside the grid, or in cells that no beam crossed.
    LeftMap {
        /// Distance from the origin to the first such place, metres.
        range_m: f64,
    },
    /// Neither within the largest range.
    Nothing,
}

/// A map made ready for rays.
///
/// Beside the walls it holds, for each free cell, the Chebyshev distance to the nearest cell that
/// is not free:
/// a ray crosses the whole square of free cells around it in one step.
#[derive(Clone, Debug)]
pub struct World {
    origin_m: [f64; 2],
    cell_m: f64,
    cells_per_m: f64,
    side: [usize; 2],
    field: Vec<u8>,
    wall_index: Vec<u32>,
    pieces: Vec<Piece>,
    guests: Vec<Guest>,
}

// Codes of `World::field`; 1 to 253 is a free cell and its distance.
const BORDER: u8 = 0;
const FREE_MAX: u8 = 253;
const UNKNOWN: u8 = 254;
const WALL: u8 = 255;

/// A crossing in the extension of one piece gives way to a crossing inside another piece's own
/// cell this close behind it, in cells.
const OWN_CELL_PREFERENCE_CELLS: f64 = 1.0;

/// A ray may cross this much unknown space in one go before it has left the map, in cells: a speck
/// between two beams, or a wall's own shell.
const UNKNOWN_SHELL_CELLS: f64 = 1.5;

/// A place this little off a corner is on it, in cells: far above rounding, far below any sensor.
const SIDE_SLACK: f64 = 1e-9;

impl World {
    /// Checks a map and makes it ready.
    ///
    /// # Errors
    /// [`SimulateError::MapShape`] and [`SimulateError::MapValue`]; a normal must have length 1
    /// within 1e-6.
    pub fn new(map: &WallMap) -> Result<Self, SimulateError> {
        check_grid(map)?;
        let side = [map.column_count + 2, map.row_count + 2];
        let mut field = vec![BORDER; side[0] * side[1]];
        let mut wall_index = vec![0; field.len()];
        let mut pieces = Vec::new();
        // The padded grid's corner lies one cell below the map's.
        let origin_m = [map.origin_x_m - map.cell_m, map.origin_y_m - map.cell_m];
        for (cell_index, cell) in map.cells.iter().enumerate() {
            let (row, column) = (cell_index / map.column_count, cell_index % map.column_count);
            let at = (row + 1) * side[0] + column + 1;
            field[at] = match cell {
                Cell::Unknown => UNKNOWN,
                Cell::Free => FREE_MAX,
                Cell::Wall { x_m, y_m, normal_x, normal_y, .. } => {
                    let normal = [*normal_x, *normal_y];
                    check_piece(cell_index, [*x_m, *y_m], normal)?;
                    let x = (x_m - origin_m[0]) / map.cell_m;
                    let y = (y_m - origin_m[1]) / map.cell_m;
                    wall_index[at] = pieces.len() as u32;
                    pieces.push(Piece::new([column as i32 + 1, row as i32 + 1], [x, y], normal));
                    WALL
                }
            };
        }
        let guests = join(&mut pieces, |cell| {
            let at = cell[1] as usize * side[0] + cell[0] as usize;
            (field.get(at) == Some(&WALL)).then(|| wall_index[at] as usize)
        });
        fill_distances(&mut field, side);
        let (cell_m, cells_per_m) = (map.cell_m, 1.0 / map.cell_m);
        Ok(Self { origin_m, cell_m, cells_per_m, side, field, wall_index, pieces, guests })
    }

    /// The end of the ray from a place in `map` (metres) along a unit direction, looking as far as
    /// `range_max_m`.
    ///
    /// Within a wall's cell the end is the crossing with the cell's line, and at a corner with the
    /// neighbour's that meets it there.
    /// Where a wall goes on into the next cells, its line counts for half a cell around its own.
    /// A ray that slips from the front of one piece to behind the next ends between them.
    /// Walls stop rays from both sides. A place or direction that is not finite, or a zero
    /// direction, is outside the map.
    /// The range is in lengths of `direction`, so that it is metres only if that is a unit vector.
    #[must_use]
    pub fn cast(&self, origin_m: [f64; 2], direction: [f64; 2], range_max_m: f64) -> Hit {
        let outside = Hit::LeftMap { range_m: 0.0 };
        let Some((ray, mut cell)) = self.ray(origin_m, direction) else {
            return outside;
        };
        let mut walk = Walk::new(range_max_m * self.cells_per_m);
        let mut t = 0.0_f64;
        loop {
            if t > walk.stop_t {
                return self.end(walk.pending_or_nothing());
            }
            let at = cell[1] as usize * self.side[0] + cell[0] as usize;
            let code = self.field[at];
            let reach = if code <= FREE_MAX { i32::from(code) } else { 1 };
            let (t_exit, next) = ray.leave(cell, reach, t);
            match code {
                BORDER => return self.end(walk.left(t)),
                WALL => {
                    let piece = &self.pieces[self.wall_index[at] as usize];
                    if let Some(end) = self.meet(&mut walk, piece, &ray, [t, t_exit]) {
                        return self.end(end);
                    }
                }
                UNKNOWN => {
                    walk.unknown_t = walk.unknown_t.min(t);
                    if t_exit - walk.unknown_t > UNKNOWN_SHELL_CELLS {
                        return self.end(walk.left(t));
                    }
                }
                _ => {
                    walk.unknown_t = f64::INFINITY;
                    walk.front = None;
                }
            }
            (t, cell) = (t_exit, next);
        }
    }

    /// The ray in cells and its first cell; `None` outside the padded grid.
    fn ray(&self, origin_m: [f64; 2], direction: [f64; 2]) -> Option<(Ray, [i32; 2])> {
        let origin = [0, 1].map(|axis| (origin_m[axis] - self.origin_m[axis]) * self.cells_per_m);
        let is_inside =
            (0..2).all(|axis| origin[axis] >= 0.0 && origin[axis] < self.side[axis] as f64);
        let length_squared = direction[0] * direction[0] + direction[1] * direction[1];
        if !is_inside || !length_squared.is_finite() || length_squared == 0.0 {
            return None;
        }
        // A component this small moves a ray by less than 1e-20 cells over any map; as zero it
        // needs no care for 0 * infinity.
        let direction = direction.map(|part| if part.abs() < 1e-30 { 0.0 } else { part });
        let cell = origin.map(|place| place as i32);
        Some((Ray { origin, direction, inverse: direction.map(|part| 1.0 / part) }, cell))
    }

    /// Crosses a wall's cell during `[t_in, t_out]`; the end, if it is certain.
    #[inline]
    fn meet(&self, walk: &mut Walk, piece: &Piece, ray: &Ray, t: [f64; 2]) -> Option<End> {
        walk.unknown_t = f64::INFINITY;
        let normal = piece.normal;
        let approach = dot(normal, ray.direction);
        let start = dot(normal, ray.origin) - piece.offset;
        let is_front = t.map(|t| start + t * approach > 0.0);
        let incidence_cos = approach.abs().min(1.0);
        let is_crossed = is_front[0] != is_front[1];
        let crossing_t = -start / approach;
        let own_t = is_crossed.then(|| crossing_t.max(t[0]).min(t[1]));
        if piece.guest_count > 0 {
            if let Some((t, incidence_cos)) = self.meet_corner(piece, ray, t, own_t) {
                return Some(walk.settle(t, incidence_cos));
            }
            if is_crossed {
                walk.front = None; // Across the line where the wall has ended: past the corner.
                return None;
            }
        } else if let Some(own_t) = own_t {
            return Some(walk.settle(own_t, incidence_cos));
        }
        if let Some((normal_before, was_front)) = walk.front {
            let cos = dot(normal, normal_before);
            let has_slipped = (was_front == is_front[0]) != (cos > 0.0);
            if cos.abs() > pieces::SAME_SURFACE_COS
                && has_slipped
                && self.is_before_corner(piece, ray.at(t[0]))
            {
                return Some(walk.settle(t[0], incidence_cos));
            }
        }
        let is_beside_wall = self.is_before_corner(piece, ray.at(t[1]));
        walk.front = is_beside_wall.then_some((normal, is_front[1]));
        let is_earlier = walk.pending.is_none_or(|(pending_t, _)| crossing_t < pending_t);
        if crossing_t >= 0.0 && is_earlier && piece.reaches(ray.at(crossing_t)) {
            walk.pending = Some((crossing_t, incidence_cos));
            walk.stop_t = walk.range_max_t.min(crossing_t + OWN_CELL_PREFERENCE_CELLS);
        }
        None
    }

    /// The first crossing with any line that meets in a corner's cell: when, and the cosine of
    /// incidence.
    fn meet_corner(
        &self,
        piece: &Piece,
        ray: &Ray,
        t: [f64; 2],
        own_t: Option<f64>,
    ) -> Option<(f64, f64)> {
        let own_t = own_t.filter(|own_t| self.is_before_corner(piece, ray.at(*own_t)));
        let mut best = own_t.map(|own_t| (own_t, dot(piece.normal, ray.direction)));
        for guest in self.guests_of(piece) {
            let line = &self.pieces[guest.piece_index as usize];
            let approach = dot(line.normal, ray.direction);
            let crossing_t = -line.distance(ray.origin) / approach;
            // Also false for a parallel ray, whose crossing is not a number or infinite.
            if !(crossing_t >= t[0] - SIDE_SLACK && crossing_t <= t[1] + SIDE_SLACK) {
                continue;
            }
            let place = ray.at(crossing_t);
            let is_on_guest = guest.side * piece.distance(place) >= -SIDE_SLACK;
            if is_on_guest && best.is_none_or(|(best_t, _)| crossing_t < best_t) {
                best = Some((crossing_t.max(0.0), approach));
            }
        }
        best.map(|(t, approach)| (t, approach.abs().min(1.0)))
    }

    /// True on the side of every line across the piece's own on which the piece's wall lies.
    #[inline]
    fn is_before_corner(&self, piece: &Piece, place: [f64; 2]) -> bool {
        self.guests_of(piece).iter().all(|guest| {
            let line = &self.pieces[guest.piece_index as usize];
            guest.own_side * line.distance(place) >= -SIDE_SLACK
        })
    }

    fn guests_of(&self, piece: &Piece) -> &[Guest] {
        let first = piece.guest_first as usize;
        &self.guests[first..first + piece.guest_count as usize]
    }

    fn end(&self, end: End) -> Hit {
        match end {
            End::Wall { t, incidence_cos } => Hit::Wall { range_m: t * self.cell_m, incidence_cos },
            End::Left { t } => Hit::LeftMap { range_m: t * self.cell_m },
            End::Nothing => Hit::Nothing,
        }
    }
}

/// A ray in cells: `origin + t * direction`.
struct Ray {
    origin: [f64; 2],
    direction: [f64; 2],
    inverse: [f64; 2],
}

impl Ray {
    fn at(&self, t: f64) -> [f64; 2] {
        [self.origin[0] + t * self.direction[0], self.origin[1] + t * self.direction[1]]
    }

    /// Leaves the square of `reach - 1` cells around a cell: when, and into which cell.
    #[inline]
    fn leave(&self, cell: [i32; 2], reach: i32, t: f64) -> (f64, [i32; 2]) {
        let forward = [self.direction[0] >= 0.0, self.direction[1] >= 0.0];
        let beyond = |axis: usize| {
            if forward[axis] { cell[axis] + reach } else { cell[axis] - reach }
        };
        // The edge between the last cell inside and the first beyond.
        let edge = |axis: usize| f64::from(beyond(axis) + i32::from(!forward[axis]));
        let exit = |axis: usize| (edge(axis) - self.origin[axis]) * self.inverse[axis];
        let (exit_x, exit_y) = (exit(0), exit(1));
        let across = |axis: usize, t_exit: f64| {
            let place = (self.origin[axis] + t_exit * self.direction[axis]) as i32;
            place.max(cell[axis] - reach + 1).min(cell[axis] + reach - 1)
        };
        if exit_x < exit_y {
            (exit_x.max(t), [beyond(0), across(1, exit_x)])
        } else {
            (exit_y.max(t), [across(0, exit_y), beyond(1)])
        }
    }
}

/// The end of a ray, in cells.
#[derive(Clone, Copy)]
enum End {
    Wall { t: f64, incidence_cos: f64 },
    Left { t: f64 },
    Nothing,
}

/// What a ray has met so far.
struct Walk {
    range_max_t: f64,
    /// No cell entered later than this can change the answer.
    stop_t: f64,
    /// A crossing in the extension of a piece: taken unless a piece's own cell has one close by.
    pending: Option<(f64, f64)>,
    /// When the ray entered the unknown cells it is in; infinite if it is not in one.
    unknown_t: f64,
    /// The normal of the last piece in an unbroken row of them, and whether the ray left it in
    /// front.
    front: Option<([f64; 2], bool)>,
}

impl Walk {
    fn new(range_max_t: f64) -> Self {
        let unknown_t = f64::INFINITY;
        Self { range_max_t, stop_t: range_max_t, pending: None, unknown_t, front: None }
    }

    /// The end of a ray that crosses a piece inside its own cell.
    fn settle(&self, t: f64, incidence_cos: f64) -> End {
        match self.pending {
            Some((pending_t, _)) if pending_t + OWN_CELL_PREFERENCE_CELLS < t => {
                self.pending_or_nothing()
            }
            _ if t > self.range_max_t => End::Nothing,
            _ => End::Wall { t, incidence_cos },
        }
    }

    fn pending_or_nothing(&self) -> End {
        match self.pending {
            Some((t, incidence_cos)) if t <= self.range_max_t => End::Wall { t, incidence_cos },
            _ => End::Nothing,
        }
    }

    /// The end of a ray that is in unknown space to stay, unless a wall's extension reaches there.
    fn left(&self, t: f64) -> End {
        let left_t = self.unknown_t.min(t);
        match self.pending_or_nothing() {
            End::Nothing if left_t <= self.range_max_t => End::Left { t: left_t },
            end => end,
        }
    }
}

fn check_grid(map: &WallMap) -> Result<(), SimulateError> {
    let expected = map.column_count.checked_mul(map.row_count);
    let is_indexable =
        |count: usize| i32::try_from(count).is_ok_and(|count| count < i32::MAX - 300);
    let sides_fit = is_indexable(map.column_count) && is_indexable(map.row_count);
    let cells_fit = u32::try_from(map.cells.len()).is_ok();
    if expected != Some(map.cells.len()) || !sides_fit || !cells_fit || map.cells.is_empty() {
        let (column_count, row_count) = (map.column_count, map.row_count);
        return Err(SimulateError::MapShape {
            cell_count: map.cells.len(),
            column_count,
            row_count,
        });
    }
    let numbers = [
        ("origin_x_m", map.origin_x_m, map.origin_x_m.is_finite()),
        ("origin_y_m", map.origin_y_m, map.origin_y_m.is_finite()),
        ("cell_m", map.cell_m, map.cell_m.is_finite() && map.cell_m > 0.0),
    ];
    match numbers.into_iter().find(|(_, _, is_good)| !is_good) {
        None => Ok(()),
        Some((field, value, _)) => Err(SimulateError::MapValue { field, cell_index: None, value }),
    }
}

fn check_piece(
    cell_index: usize,
    place_m: [f64; 2],
    normal: [f64; 2],
) -> Result<(), SimulateError> {
    let length_squared = normal[0] * normal[0] + normal[1] * normal[1];
    let numbers = [
        ("x_m", place_m[0], place_m[0].is_finite()),
        ("y_m", place_m[1], place_m[1].is_finite()),
        ("normal squared", length_squared, (length_squared - 1.0).abs() < 2e-6),
    ];
    match numbers.into_iter().find(|(_, _, is_good)| !is_good) {
        None => Ok(()),
        Some((field, value, _)) => {
            Err(SimulateError::MapValue { field, cell_index: Some(cell_index), value })
        }
    }
}

/// Writes into each free cell its Chebyshev distance to the nearest cell that is not free, at most
/// [`FREE_MAX`].
///
/// Two passes over the eight neighbours are exact for this distance: Rosenfeld and Pfaltz,
/// *Distance functions on digital pictures*, 1968.
fn fill_distances(field: &mut [u8], side: [usize; 2]) {
    let [columns, rows] = side;
    let is_free = |code: u8| code != BORDER && code <= FREE_MAX;
    let distance = |code: u8| if is_free(code) { code } else { 0 };
    let mut relax = |at: usize, neighbours: [usize; 4]| {
        if is_free(field[at]) {
            let nearest = neighbours.into_iter().map(|n| distance(field[n])).min().unwrap_or(0);
            field[at] = field[at].min(nearest.saturating_add(1)).min(FREE_MAX);
        }
    };
    for row in 1..rows - 1 {
        for at in row * columns + 1..(row + 1) * columns - 1 {
            relax(at, [at - columns - 1, at - columns, at - columns + 1, at - 1]);
        }
    }
    for row in (1..rows - 1).rev() {
        for at in (row * columns + 1..(row + 1) * columns - 1).rev() {
            relax(at, [at + columns + 1, at + columns, at + columns - 1, at + 1]);
        }
    }
}
