//! Pieces of wall and how they go together: where one carries on into the next, and where two meet
//! in a corner.
//!
//! Invariant: nothing here depends on which side a piece was seen from, so walls seen from both
//! sides need no care.
//! All in cells of the padded grid (see [`super::World`]).

/// One cell's line: `normal . p = offset`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub(super) normal: [f64; 2],
    pub(super) offset: f64,
    /// The cell.
    cell: [i32; 2],
    /// Whether the wall goes on past the cell, against and along the tangent `(-normal.y,
    /// normal.x)`.
    goes_on: [bool; 2],
    /// The lines of a corner's neighbours, in `World::guests`.
    pub(super) guest_first: u32,
    pub(super) guest_count: u32,
}

/// A neighbour's line that ends in a corner's cell, where the cell has a line of its own across it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Guest {
    pub(super) piece_index: u32,
    /// The side of the cell's own line on which the neighbour's wall lies: 1 or -1.
    pub(super) side: f64,
    /// The side of the neighbour's line on which the cell's own wall lies: 1 or -1; 0 if on both.
    pub(super) own_side: f64,
}

/// Two pieces are one surface if the cosine between their normals is above this (45 degrees); else
/// they meet in a corner.
pub(super) const SAME_SURFACE_COS: f64 = std::f64::consts::FRAC_1_SQRT_2;

/// A piece that goes on counts up to this far from the middle of its cell: the cell and half a
/// cell around it.
/// The ends overlap by a cell, so that a wall has no pin hole where a cell that it only clips has
/// no piece of its own.
const REACH_CELLS: f64 = 1.0;

/// A wall goes on if a piece of the same surface lies within this many cells, ahead and not
/// farther than this beside its line.
const GOES_ON_CELLS: i32 = 2;
const BESIDE_MAX_CELLS: f64 = 1.0;

impl Piece {
    pub(super) fn new(cell: [i32; 2], place: [f64; 2], normal: [f64; 2]) -> Self {
        let offset = dot(normal, place);
        Self { normal, offset, cell, goes_on: [false; 2], guest_first: 0, guest_count: 0 }
    }

    /// Signed distance from the line.
    pub(super) fn distance(&self, place: [f64; 2]) -> f64 {
        dot(self.normal, place) - self.offset
    }

    /// True if a place on the line counts as wall although it may lie outside the cell.
    pub(super) fn reaches(&self, place: [f64; 2]) -> bool {
        let middle = self.middle();
        let off = [place[0] - middle[0], place[1] - middle[1]];
        let is_near = off.iter().all(|part| part.abs() <= REACH_CELLS);
        is_near && self.goes_on[usize::from(dot(self.tangent(), off) > 0.0)]
    }

    fn is_same_surface(&self, other: &Self) -> bool {
        dot(self.normal, other.normal).abs() > SAME_SURFACE_COS
    }

    fn tangent(&self) -> [f64; 2] {
        [-self.normal[1], self.normal[0]]
    }

    fn middle(&self) -> [f64; 2] {
        self.cell.map(|index| f64::from(index) + 0.5)
    }

    /// The point of the line that is nearest to the cell's middle.
    fn foot(&self) -> [f64; 2] {
        let middle = self.middle();
        let distance = self.distance(middle);
        [middle[0] - distance * self.normal[0], middle[1] - distance * self.normal[1]]
    }
}

pub(super) fn dot(a: [f64; 2], b: [f64; 2]) -> f64 {
    a[0] * b[0] + a[1] * b[1]
}

/// Finds for each piece where it goes on and which corners it has; the corners' guests, grouped by
/// piece.
pub(super) fn join(
    pieces: &mut [Piece],
    index_at: impl Fn([i32; 2]) -> Option<usize>,
) -> Vec<Guest> {
    let mut guests = Vec::new();
    for index in 0..pieces.len() {
        let guest_first = guests.len() as u32;
        guests.extend(guests_of(pieces, index, &index_at));
        let guest_count = guests.len() as u32 - guest_first;
        pieces[index] = Piece { guest_first, guest_count, ..pieces[index] };
    }
    for index in 0..pieces.len() {
        let piece = pieces[index];
        let mut goes_on = [false; 2];
        for other in same_surface(pieces, index, &index_at) {
            let off = [0, 1].map(|axis| other.middle()[axis] - piece.middle()[axis]);
            let ahead = dot(piece.tangent(), off);
            // Where a wall ends in a corner's cell, that cell knows how far.
            if ahead.abs() > 0.5 && other.guest_count == 0 {
                goes_on[usize::from(ahead > 0.0)] = true;
            }
        }
        pieces[index].goes_on = goes_on;
    }
    guests
}

/// The lines that end in a piece's cell, from the cells around it.
fn guests_of(
    pieces: &[Piece],
    index: usize,
    index_at: impl Fn([i32; 2]) -> Option<usize>,
) -> Vec<Guest> {
    let piece = &pieces[index];
    let around = neighbours(piece.cell, 1, &index_at);
    let across = around.into_iter().filter(|other| !piece.is_same_surface(&pieces[*other]));
    let across: Vec<usize> = across.collect();
    if across.is_empty() {
        return Vec::new();
    }
    let same = same_surface(pieces, index, index_at);
    let guest = |other_index: usize| {
        let other = &pieces[other_index];
        let own_side = one_side(same.iter().map(|same| other.distance(same.foot()).signum()));
        let side = piece.distance(other.foot()).signum();
        Guest { piece_index: other_index as u32, side, own_side }
    };
    across.into_iter().map(guest).collect()
}

/// The pieces near a piece that carry its surface on.
fn same_surface(
    pieces: &[Piece],
    index: usize,
    index_at: impl Fn([i32; 2]) -> Option<usize>,
) -> Vec<Piece> {
    let piece = &pieces[index];
    let around = neighbours(piece.cell, GOES_ON_CELLS, index_at).into_iter();
    let near = around.map(|other| pieces[other]).filter(|other| {
        piece.is_same_surface(other) && piece.distance(other.foot()).abs() < BESIDE_MAX_CELLS
    });
    near.collect()
}

/// The pieces in the cells at most `reach` away, row by row.
fn neighbours(
    cell: [i32; 2],
    reach: i32,
    index_at: impl Fn([i32; 2]) -> Option<usize>,
) -> Vec<usize> {
    let offsets = (-reach..=reach).flat_map(|y| (-reach..=reach).map(move |x| [x, y]));
    let cells = offsets.map(|[x, y]| [cell[0] + x, cell[1] + y]);
    // Two cells off may be off the grid.
    let cells = cells.filter(|other| other[0] >= 0 && other[1] >= 0 && *other != cell);
    cells.filter_map(index_at).collect()
}

/// The side that all agree on; 0 if they do not, or there are none.
fn one_side(mut sides: impl Iterator<Item = f64>) -> f64 {
    let first = sides.next().unwrap_or(0.0);
    if sides.all(|side| side == first) { first } else { 0.0 }
}
