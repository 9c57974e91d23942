//! The inner loop of the screen: single-precision inner products of a few queries with a run of
//! targets, tested while they are still in registers.
//!
//! Invariant: whatever the processor, each number is `norm + Σ query target` with fewer than
//! `d + 2` roundings; the order of the sum and whether products are rounded may differ.
//! Units: those of the packed coordinates.
//! Cost: `O(Q M d)` for Q queries and M targets; nothing is written but what passes.
//!
//! Not here: what is done with a run that holds a near target.

use std::ops::Range;

use fearless_simd::{Level, Simd, dispatch, f32x16, prelude::*};

/// Targets that are tested together.
pub(in super::super) const LANES: usize = 16;
/// Queries that are taken together: their sums stay in registers.
pub(super) const GROUP: usize = 6;

/// What is looked for, and what is done with it.
pub(in super::super) trait Screen {
    /// For a query: below which number a target is near, and below which it is near once its own
    /// [`Self::widened`] square is taken off.
    fn limits(&self, query: usize) -> [f32; 2];

    /// A square for each target of the run that begins at `start`.
    fn widened(&self, start: usize) -> &[f32; LANES];

    /// Is given a query, a target that is near, and its number.
    fn look(&mut self, query: usize, target: usize, lower: f32);
}

/// Runs of targets: for each, its norms, then for each coordinate its values.
pub(super) struct Targets {
    packed: Vec<[f32; LANES]>,
    column_count: usize,
}

impl Targets {
    /// Packs `count` targets; those that fill the last run are infinitely far.
    pub(super) fn new(norms: &[f32], coordinates: &[f32], column_count: usize) -> Self {
        let mut packed = Vec::with_capacity(norms.len().div_ceil(LANES) * (column_count + 1));
        let points = coordinates.chunks(LANES * column_count);
        for (norms, points) in norms.chunks(LANES).zip(points) {
            packed.push(std::array::from_fn(|lane| *norms.get(lane).unwrap_or(&f32::INFINITY)));
            packed.extend((0..column_count).map(|column| -> [f32; LANES] {
                std::array::from_fn(|lane| {
                    *points.get(lane * column_count + column).unwrap_or(&0.0)
                })
            }));
        }
        Self { packed, column_count }
    }

    /// Targets, with those that fill the last run.
    pub(super) fn count(&self) -> usize {
        self.packed.len() / (self.column_count + 1) * LANES
    }

    fn run(&self, start: usize) -> &[[f32; LANES]] {
        let length = self.column_count + 1;
        &self.packed[start / LANES * length..][..length]
    }
}

/// Groups of queries: for each coordinate, minus twice its values.
pub(super) struct Queries {
    packed: Vec<[f32; GROUP]>,
    range: Range<usize>,
}

impl Queries {
    /// Packs the queries of `range` out of the coordinates of all.
    pub(super) fn new(coordinates: &[f32], column_count: usize, range: Range<usize>) -> Self {
        let of_range = &coordinates[range.start * column_count..range.end * column_count];
        let mut packed = Vec::with_capacity(range.len().div_ceil(GROUP) * column_count);
        for points in of_range.chunks(GROUP * column_count) {
            packed.extend((0..column_count).map(|column| -> [f32; GROUP] {
                std::array::from_fn(|place| {
                    -2.0 * points.get(place * column_count + column).unwrap_or(&0.0)
                })
            }));
        }
        Self { packed, range }
    }
}

/// Holds every query against every target of a range, which begins with a run.
pub(super) fn hold(
    queries: &Queries,
    targets: &Targets,
    target_range: Range<usize>,
    screen: &mut impl Screen,
) {
    dispatch!(Level::new(), simd => hold_with(simd, queries, targets, target_range, screen));
}

#[inline(always)]
fn hold_with<S: Simd>(
    simd: S,
    queries: &Queries,
    targets: &Targets,
    target_range: Range<usize>,
    screen: &mut impl Screen,
) {
    for start in target_range.step_by(LANES) {
        let run = targets.run(start);
        let groups = queries.packed.chunks_exact(targets.column_count);
        for (first, group) in queries.range.clone().step_by(GROUP).zip(groups) {
            let sums = products(simd, group, run);
            for (query, lower) in (first..queries.range.end).zip(sums) {
                let [own, zero] = screen.limits(query);
                let widened = f32x16::from_slice(simd, screen.widened(start));
                let is_near = lower.simd_lt(f32x16::splat(simd, own))
                    | (lower - widened).simd_lt(f32x16::splat(simd, zero));
                let mut marks = is_near.to_bitmask();
                if marks != 0 {
                    let mut values = [0.0; LANES];
                    lower.store_slice(&mut values);
                    while marks != 0 {
                        let lane = marks.trailing_zeros() as usize;
                        screen.look(query, start + lane, values[lane]);
                        marks &= marks - 1;
                    }
                }
            }
        }
    }
}

/// `norm − 2 Σ query target` for each query of a group and each target of a run.
#[inline(always)]
fn products<S: Simd>(simd: S, group: &[[f32; GROUP]], run: &[[f32; LANES]]) -> [f32x16<S>; GROUP] {
    let mut sums = [f32x16::from_slice(simd, &run[0]); GROUP];
    for (queries, targets) in group.iter().zip(&run[1..]) {
        let targets = f32x16::from_slice(simd, targets);
        for (sum, query) in sums.iter_mut().zip(queries) {
            *sum = f32x16::splat(simd, *query).mul_add(targets, *sum);
        }
    }
    sums
}
