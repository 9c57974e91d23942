//! Which of many points are near a point: a fast look in single precision that never misses, then
//! the exact distance.
//!
//! Invariant: whatever the processor and its order of summation, every pair that is near is visited;
//! what is counted is decided by exact distances only, so that results have the same bits
//! everywhere.
//! Units: squares of the coordinates' unit; inside, coordinates are centred and scaled by a power of
//! two.
//! Cost: `O(N M d)` single-precision multiplications, and `O(d)` for each pair that is visited;
//! memory `O((N + M) d)` and one tile per thread: no matrix of distances is held.
//!
//! Not here: trees, which are no faster in many dimensions.

mod kernel;

use std::{
    ops::Range,
    sync::atomic::{AtomicUsize, Ordering},
};

use rayon::prelude::*;

use self::kernel::{GROUP, Queries, Targets};
use super::rows::Rows;

pub(super) use self::kernel::{LANES, Screen};

/// Queries of one tile, a whole number of runs and of groups.
const QUERY_TILE: usize = LANES * GROUP;
/// Below the smallest scaled square that single precision can tell from zero.
const FLOOR: f64 = 1e-30;
/// About 2^-500.
const SCALE_MIN: f64 = 3e-151;

/// Points with their single-precision copy.
pub(super) struct Cloud<'a> {
    pub(super) rows: Rows<'a>,
    /// Scaled coordinates, point by point.
    coordinates: Vec<f32>,
    /// The same, run by run.
    targets: Targets,
    /// Scaled squared norms, less what single precision may be wrong by.
    lower_norms: Vec<f32>,
    /// What [`Self::limit`] says of a square of zero.
    zero_limits: Vec<f32>,
    /// One over the square of the scale.
    inverse_square: f64,
}

/// Two samples in one frame.
pub(super) fn clouds<'a>(left: Rows<'a>, right: Rows<'a>) -> [Cloud<'a>; 2] {
    let d = left.column_count();
    let count = (left.count() + right.count()) as f64;
    let centre: Vec<f64> = (0..d)
        .map(|column| {
            let values = left.iter().chain(right.iter()).map(|row| row[column] / count);
            values.sum()
        })
        .collect();
    let largest = left
        .iter()
        .chain(right.iter())
        .flat_map(|row| row.iter().zip(&centre).map(|(value, centre)| (value - centre).abs()))
        .fold(0.0, f64::max);
    let scale = power_of_two_above(largest);
    [left, right].map(|rows| Cloud::of(rows, &centre, scale))
}

/// The least power of two that is not below `value`, and not below 2^-500, so that its square has an
/// inverse.
fn power_of_two_above(value: f64) -> f64 {
    let value = value.max(SCALE_MIN);
    let mut scale = 1.0;
    while scale < value {
        scale *= 2.0;
    }
    while scale * 0.5 >= value {
        scale *= 0.5;
    }
    scale
}

impl<'a> Cloud<'a> {
    fn of(rows: Rows<'a>, centre: &[f64], scale: f64) -> Self {
        let d = rows.column_count();
        let mut coordinates = Vec::with_capacity(rows.values().len());
        let mut lower_norms = Vec::with_capacity(rows.count());
        // A bound for the relative error of a squared distance, with room: products, their sum in
        // any order, and the copy itself are each off by less than (d + 8) / 2^24.
        let slack = (4 * d + 64) as f64 / (1_u64 << 24) as f64;
        for row in rows.iter() {
            let mut norm = 0.0;
            for (value, centre) in row.iter().zip(centre) {
                let value = (value - centre) / scale;
                norm += value * value;
                #[expect(clippy::cast_possible_truncation, reason = "single precision is meant")]
                coordinates.push(value as f32);
            }
            lower_norms.push(-rounded_up(-norm * (1.0 - slack)));
        }
        let targets = Targets::new(&lower_norms, &coordinates, d);
        let inverse_square = 1.0 / scale / scale;
        let zero_limits = Vec::new();
        let mut cloud =
            Self { rows, coordinates, targets, lower_norms, zero_limits, inverse_square };
        cloud.zero_limits = (0..rows.count()).map(|query| cloud.limit(query, 0.0)).collect();
        cloud
    }

    pub(super) fn count(&self) -> usize {
        self.rows.count()
    }

    /// Every run, as targets.
    pub(super) fn all(&self) -> Range<usize> {
        0..self.targets.count()
    }

    /// Below which number a target is that lies within `square` of this query.
    pub(super) fn limit(&self, query: usize, square: f64) -> f32 {
        let limit = square * self.inverse_square - f64::from(self.lower_norms[query]) + FLOOR;
        rounded_up(limit)
    }

    /// [`Self::limit`] of a square of zero.
    pub(super) fn zero_limit(&self, query: usize) -> f32 {
        self.zero_limits[query]
    }

    /// A square of this cloud's points, scaled, and enlarged so that it may be subtracted in single
    /// precision.
    pub(super) fn scaled_up(&self, square: f64) -> f32 {
        rounded_up(square * self.inverse_square * (1.0 + 1e-6))
    }

    /// Ranges of queries, each for one thread.
    pub(super) fn tiles(&self) -> impl IndexedParallelIterator<Item = Range<usize>> + use<> {
        let count = self.count();
        (0..count.div_ceil(QUERY_TILE)).into_par_iter().map(move |index| tile(index, count))
    }
}

/// The queries of a tile; none beyond the last.
fn tile(index: usize, count: usize) -> Range<usize> {
    let start = (index * QUERY_TILE).min(count);
    start..(start + QUERY_TILE).min(count)
}

/// The least single-precision number that is not below `value`.
fn rounded_up(value: f64) -> f32 {
    #[expect(clippy::cast_possible_truncation, reason = "rounded up next")]
    let nearest = value as f32;
    if f64::from(nearest) < value { nearest.next_up() } else { nearest }
}

/// Looks, for each query of a range, at the runs of 16 among a range of targets that hold a near one.
///
/// The numbers looked at are below [`Cloud::limit`] of a square wherever the pair's squared distance
/// is at most that square. Those beyond the last target are infinite.
pub(super) fn visit(
    [queries, targets]: [&Cloud; 2],
    query_range: Range<usize>,
    target_range: Range<usize>,
    screen: &mut impl Screen,
) {
    let column_count = queries.rows.column_count();
    let queries = Queries::new(&queries.coordinates, column_count, query_range);
    kernel::hold(&queries, &targets.targets, target_range, screen);
}

/// A neighbour: its index and squared distance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Neighbour {
    pub(super) index: usize,
    pub(super) square: f64,
}

impl Neighbour {
    /// Nearer, or as near with a lower index.
    fn is_before(&self, other: &Self) -> bool {
        self.square < other.square || (self.square == other.square && self.index < other.index)
    }
}

/// The k nearest targets of each query, nearest first; of equally near ones the first. The caller
/// keeps k at or below the number of targets.
pub(super) fn nearest(queries: &Cloud, targets: &Cloud, k: usize) -> Vec<Neighbour> {
    let tiles = queries.tiles().map(|range| {
        let best = Nearest::none(range.len(), k);
        let (clouds, first) = ([queries, targets], range.start);
        let mut screen = OneSided { clouds, is_one_cloud: false, first, best };
        visit([queries, targets], range, targets.all(), &mut screen);
        screen.best.kept
    });
    tiles.collect::<Vec<_>>().concat()
}

/// The k nearest other points of each point, nearest first; of equally near ones the first. The
/// caller keeps k below the number of points.
///
/// Each pair is looked at once, for both of its points. Threads share what each tile of points found
/// among its own, so that none begins with limits that let everything through.
pub(super) fn nearest_others(cloud: &Cloud, k: usize) -> Vec<Neighbour> {
    let tiles: Vec<Nearest> = cloud.tiles().map(|range| nearest_in_tile(cloud, range, k)).collect();
    let shared = Nearest::one_after_the_other(tiles, k);
    let next = AtomicUsize::new(0);
    let of_thread = |_| {
        let mut screen = TwoSided { cloud, best: shared.clone() };
        loop {
            let range = tile(next.fetch_add(1, Ordering::Relaxed), cloud.count());
            if range.is_empty() {
                return screen.best;
            }
            let later = range.end.next_multiple_of(LANES)..cloud.all().end;
            visit([cloud, cloud], range, later, &mut screen);
        }
    };
    // Each thread narrows its own limits from one tile to the next. The k least of (square, index)
    // are the same whichever thread took a tile.
    let of_threads = (0..rayon::current_num_threads()).into_par_iter().with_max_len(1);
    let best = of_threads.map(of_thread).reduce_with(Nearest::and);
    best.unwrap_or(shared).kept
}

/// The nearest others of the points of a tile among the tile's own.
fn nearest_in_tile(cloud: &Cloud, range: Range<usize>, k: usize) -> Nearest {
    let own = range.start..range.end.next_multiple_of(LANES);
    let best = Nearest::none(range.len(), k);
    let (clouds, first) = ([cloud, cloud], range.start);
    let mut screen = OneSided { clouds, is_one_cloud: true, first, best };
    visit([cloud, cloud], range, own, &mut screen);
    screen.best
}

/// Finds the nearest targets of the queries from `first` on; within one cloud a pair comes up from both sides.
struct OneSided<'a> {
    clouds: [&'a Cloud<'a>; 2],
    /// A point is no neighbour of its own.
    is_one_cloud: bool,
    first: usize,
    best: Nearest,
}

impl Screen for OneSided<'_> {
    #[inline(always)]
    fn limits(&self, query: usize) -> [f32; 2] {
        [self.best.limits[query - self.first], f32::NEG_INFINITY]
    }

    #[inline(always)]
    fn widened(&self, _start: usize) -> &[f32; LANES] {
        &NOTHING
    }

    fn look(&mut self, query: usize, target: usize, lower: f32) {
        let (place, [queries, targets]) = (query - self.first, self.clouds);
        let is_other = !self.is_one_cloud || target != query;
        if is_other && lower < self.best.limits[place] {
            let square = exact_square(queries.rows.row(query), targets.rows.row(target));
            self.best.offer_and_narrow(queries, query, place, Neighbour { index: target, square });
        }
    }
}

/// Finds the nearest others of all points; a pair comes up once, for both.
struct TwoSided<'a> {
    cloud: &'a Cloud<'a>,
    best: Nearest,
}

impl Screen for TwoSided<'_> {
    #[inline(always)]
    fn limits(&self, query: usize) -> [f32; 2] {
        [self.best.limits[query], self.cloud.zero_limits[query]]
    }

    #[inline(always)]
    fn widened(&self, start: usize) -> &[f32; LANES] {
        &self.best.widened.as_chunks().0[start / LANES]
    }

    fn look(&mut self, i: usize, j: usize, lower: f32) {
        let (cloud, best) = (self.cloud, &mut self.best);
        let is_near_i = lower < best.limits[i];
        let is_near_j = lower - best.widened[j] < cloud.zero_limits[i];
        if is_near_i || is_near_j {
            let square = exact_square(cloud.rows.row(i), cloud.rows.row(j));
            if is_near_i {
                best.offer_and_narrow(cloud, i, i, Neighbour { index: j, square });
            }
            if is_near_j {
                best.offer_and_narrow(cloud, j, j, Neighbour { index: i, square });
            }
        }
    }
}

/// For screens that look from the side of the queries only.
pub(super) const NOTHING: [f32; LANES] = [0.0; LANES];

/// The nearest points so far: k for each point, ascending by square and index.
#[derive(Clone)]
struct Nearest {
    kept: Vec<Neighbour>,
    k: usize,
    /// For each point: what a number must be below.
    limits: Vec<f32>,
    /// For each point: the farthest kept square, scaled and enlarged; up to a whole number of runs.
    widened: Vec<f32>,
}

impl Nearest {
    fn none(count: usize, k: usize) -> Self {
        let nothing = Neighbour { index: usize::MAX, square: f64::INFINITY };
        Self {
            kept: vec![nothing; count * k],
            k,
            limits: vec![f32::INFINITY; count],
            widened: vec![f32::INFINITY; count.next_multiple_of(LANES)],
        }
    }

    /// All tiles but the last hold a whole number of runs.
    fn one_after_the_other(tiles: Vec<Self>, k: usize) -> Self {
        let mut all = Self::none(0, k);
        for tile in tiles {
            all.kept.extend(tile.kept);
            all.limits.extend(tile.limits);
            all.widened.extend(tile.widened);
        }
        all
    }

    fn farthest(&self, place: usize) -> f64 {
        self.kept[(place + 1) * self.k - 1].square
    }

    /// As [`Self::offer`], for the point `index` of the cloud.
    fn offer_and_narrow(&mut self, cloud: &Cloud, index: usize, place: usize, new: Neighbour) {
        if self.offer(place, new) {
            let farthest = self.farthest(place);
            self.limits[place] = cloud.limit(index, farthest);
            self.widened[place] = cloud.scaled_up(farthest);
        }
    }

    /// Keeps a point if it is among the nearest and not yet kept; true if it was.
    #[inline]
    fn offer(&mut self, place: usize, new: Neighbour) -> bool {
        let kept = &mut self.kept[place * self.k..(place + 1) * self.k];
        let mut at = kept.len();
        while at > 0 && new.is_before(&kept[at - 1]) {
            at -= 1;
        }
        if at == kept.len() || (at > 0 && kept[at - 1] == new) {
            return false;
        }
        kept.copy_within(at..kept.len() - 1, at + 1);
        kept[at] = new;
        true
    }

    fn and(mut self, other: Self) -> Self {
        for (index, neighbour) in other.kept.into_iter().enumerate() {
            if neighbour.square.is_finite() {
                self.offer(index / self.k, neighbour);
            }
        }
        self
    }
}

/// Squared distance in four running sums: fixed, and faster than one.
pub(super) fn exact_square(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 4];
    let (a, b) = (a.chunks_exact(4), b.chunks_exact(4));
    let rest: f64 = a.remainder().iter().zip(b.remainder()).map(|(a, b)| (a - b) * (a - b)).sum();
    for (a, b) in a.zip(b) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += (a - b) * (a - b);
        }
    }
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest
}
