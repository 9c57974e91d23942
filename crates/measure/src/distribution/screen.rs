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

use std::ops::Range;

use nalgebra::DMatrix;
use rayon::prelude::*;

use super::rows::Rows;

/// Queries taken together.
const QUERY_TILE: usize = 128;
/// Targets taken together: a tile of inner products stays in the second cache.
const TARGET_TILE: usize = 512;
/// Targets that are tested together before any is looked at.
const LANES: usize = 16;
/// Below the smallest scaled square that single precision can tell from zero.
const FLOOR: f64 = 1e-30;
/// About 2^-500.
const SCALE_MIN: f64 = 3e-151;

/// Points with their single-precision copy.
pub(super) struct Cloud<'a> {
    pub(super) rows: Rows<'a>,
    /// Coordinates of one point after the other: a column each.
    by_point: DMatrix<f32>,
    /// The same, a row for each point.
    by_coordinate: DMatrix<f32>,
    /// Scaled squared norms, less what single precision may be wrong by.
    lower_norms: Vec<f32>,
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
        let mut scaled = Vec::with_capacity(rows.values().len());
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
                scaled.push(value as f32);
            }
            lower_norms.push(-rounded_up(-norm * (1.0 - slack)));
        }
        let by_point = DMatrix::from_vec(d, rows.count(), scaled);
        let by_coordinate = by_point.transpose();
        let inverse_square = 1.0 / scale / scale;
        Self { rows, by_point, by_coordinate, lower_norms, inverse_square }
    }

    pub(super) fn count(&self) -> usize {
        self.rows.count()
    }

    /// What [`visit`] must find below for a pair of this query within `square`.
    pub(super) fn limit(&self, query: usize, square: f64) -> f32 {
        let limit = square * self.inverse_square - f64::from(self.lower_norms[query]) + FLOOR;
        rounded_up(limit)
    }

    /// A square of this cloud's points, scaled, and enlarged so that it may be subtracted in single
    /// precision.
    pub(super) fn scaled_up(&self, square: f64) -> f32 {
        rounded_up(square * self.inverse_square * (1.0 + 1e-6))
    }

    /// Ranges of queries, each for one thread.
    pub(super) fn tiles(&self) -> impl IndexedParallelIterator<Item = Range<usize>> + use<> {
        let count = self.count();
        (0..count.div_ceil(QUERY_TILE)).into_par_iter().map(move |tile| {
            let start = tile * QUERY_TILE;
            start..(start + QUERY_TILE).min(count)
        })
    }
}

/// The least single-precision number that is not below `value`.
fn rounded_up(value: f64) -> f32 {
    #[expect(clippy::cast_possible_truncation, reason = "rounded up next")]
    let nearest = value as f32;
    if f64::from(nearest) < value { nearest.next_up() } else { nearest }
}

/// Hands over, for each query in `range` and each run of at most 16 targets from `first_target` on,
/// the query, the first target of the run, and a number for each of its targets.
///
/// The number is below [`Cloud::limit`] of a square wherever the pair's squared distance is at most
/// that square.
pub(super) fn visit(
    queries: &Cloud,
    range: Range<usize>,
    targets: &Cloud,
    first_target: usize,
    mut run: impl FnMut(usize, usize, &[f32]),
) {
    let query_points = queries.by_point.columns(range.start, range.len());
    let mut tile = DMatrix::<f32>::zeros(0, 0);
    for start in (first_target..targets.count()).step_by(TARGET_TILE) {
        let length = TARGET_TILE.min(targets.count() - start);
        if tile.nrows() != length {
            tile = DMatrix::zeros(length, range.len());
        }
        tile.gemm(-2.0, &targets.by_coordinate.rows(start, length), &query_points, 0.0);
        let norms = &targets.lower_norms[start..start + length];
        for (query, products) in range.clone().zip(tile.as_mut_slice().chunks_exact_mut(length)) {
            for (value, norm) in products.iter_mut().zip(norms) {
                *value += norm;
            }
            for (index, lower) in products.chunks(LANES).enumerate() {
                run(query, start + index * LANES, lower);
            }
        }
    }
}

/// True if any number is below the limit; all are looked at, so that many go at a time.
pub(super) fn any_below(lower: &[f32], limit: f32) -> bool {
    lower.iter().fold(false, |found, value| found | (*value < limit))
}

/// A neighbour: its index and squared distance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Neighbour {
    pub(super) index: usize,
    pub(super) square: f64,
}

/// The k nearest targets of each query, nearest first; of equally near ones the first. The caller
/// keeps k at or below the number of targets.
pub(super) fn nearest(queries: &Cloud, targets: &Cloud, k: usize) -> Vec<Neighbour> {
    let tiles = queries.tiles().map(|range| {
        let first = range.start;
        let mut best = Nearest::none(range.len(), k);
        visit(queries, range, targets, 0, |query, start, lower| {
            let place = query - first;
            if !any_below(lower, best.limits[place]) {
                return;
            }
            for (target, &value) in (start..).zip(lower) {
                if value < best.limits[place] {
                    let square = exact_square(queries.rows.row(query), targets.rows.row(target));
                    best.offer(place, Neighbour { index: target, square });
                    best.limits[place] = queries.limit(query, best.farthest(place));
                }
            }
        });
        best.kept
    });
    tiles.collect::<Vec<_>>().concat()
}

/// The k nearest other points of each point, nearest first; of equally near ones the first. The
/// caller keeps k below the number of points.
///
/// Each pair is looked at once, for both of its points.
pub(super) fn nearest_others(cloud: &Cloud, k: usize) -> Vec<Neighbour> {
    let none = || Nearest::none(cloud.count(), k);
    let add_tile = |mut best: Nearest, range: Range<usize>| {
        let (first, end) = (range.start, range.end);
        visit(cloud, range, cloud, first, |i, start, lower| {
            let (own, zero) = (best.limits[i], cloud.limit(i, 0.0));
            let of_others = &best.widened[start..start + lower.len()];
            let is_near = lower.iter().zip(of_others).fold(false, |found, (value, square)| {
                found | (*value < own) | (value - square < zero)
            });
            if !is_near {
                return;
            }
            for (j, &value) in (start..).zip(lower) {
                let is_near = value < best.limits[i] || value - best.widened[j] < zero;
                if j == i || !is_near {
                    continue;
                }
                let square = exact_square(cloud.rows.row(i), cloud.rows.row(j));
                best.offer(i, Neighbour { index: j, square });
                best.limits[i] = cloud.limit(i, best.farthest(i));
                best.widened[i] = cloud.scaled_up(best.farthest(i));
                // Pairs inside the tile of queries come up from both sides.
                if j >= end {
                    best.offer(j, Neighbour { index: i, square });
                    best.limits[j] = cloud.limit(j, best.farthest(j));
                    best.widened[j] = cloud.scaled_up(best.farthest(j));
                }
            }
        });
        best
    };
    // The k least of (square, index) are the same in whatever order threads join.
    cloud.tiles().fold(none, add_tile).reduce(none, Nearest::and).kept
}

/// The nearest points so far: k for each point, ascending by square and index.
struct Nearest {
    kept: Vec<Neighbour>,
    k: usize,
    /// For each point: what [`visit`]'s numbers must be below.
    limits: Vec<f32>,
    /// For each point: the farthest kept square, scaled and enlarged.
    widened: Vec<f32>,
}

impl Nearest {
    fn none(count: usize, k: usize) -> Self {
        let nothing = Neighbour { index: usize::MAX, square: f64::INFINITY };
        Self {
            kept: vec![nothing; count * k],
            k,
            limits: vec![f32::INFINITY; count],
            widened: vec![f32::INFINITY; count],
        }
    }

    fn farthest(&self, place: usize) -> f64 {
        self.kept[(place + 1) * self.k - 1].square
    }

    fn offer(&mut self, place: usize, new: Neighbour) {
        let kept = &mut self.kept[place * self.k..(place + 1) * self.k];
        let is_nearer = |a: &Neighbour| {
            a.square < new.square || (a.square == new.square && a.index < new.index)
        };
        let at = kept.partition_point(is_nearer);
        if at < kept.len() {
            kept[at..].rotate_right(1);
            kept[at] = new;
        }
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
