//! Sums of a symmetric function over all pairs of a pooled sample, within and between two groups,
//! for the observed grouping and for any number of other ones at once.
//!
//! Invariant: the pooled points are cut into chunks of a fixed number of rows, each chunk is summed
//! by one thread in one order, and chunks are added in order: any number of threads gives the same
//! bits. No matrix of pairs is ever held.
//! Cost: `O(N² d)` for the function's values and `O(N² B / 8)` additions for B groupings; memory
//! `O(N d + N B / 8 + B)` and a row per thread.
//!
//! All groupings are one product of the matrix of pairs with a matrix of zeros and ones. Eight
//! columns of it are taken at a time: their 256 possible sums are tabulated once, and a grouping
//! then costs one look-up in place of eight additions (Arlazarov, Dinic, Kronrod, Faradzhev 1970).
//!
//! Not here: which function, and what the sums mean.

use rayon::prelude::*;
use tiepoint_model::Seed;

use super::rows::Rows;

/// Rows of a chunk: small enough to balance the load, since later rows have more pairs.
const CHUNK_ROWS: usize = 32;

/// Groupings that are drawn before their points are marked.
const DRAWN_TOGETHER: usize = 256;

/// Columns whose distances are summed together: their running sums stay in the nearest cache.
const TILE: usize = 512;

/// Sums over unordered pairs: both in the first group, both in the second, one in each.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct GroupSums {
    pub(super) first: f64,
    pub(super) second: f64,
    pub(super) between: f64,
}

impl GroupSums {
    fn and(self, other: Self) -> Self {
        Self {
            first: self.first + other.first,
            second: self.second + other.second,
            between: self.between + other.between,
        }
    }
}

/// Pooled points, column by column, so that one point is compared with many at a time.
pub(super) struct Pool {
    columns: Vec<f64>,
    count: usize,
    /// Points of the first group, which come first.
    first_count: usize,
}

impl Pool {
    /// The points of two samples with one number of columns.
    pub(super) fn of(left: Rows, right: Rows) -> Self {
        let count = left.count() + right.count();
        let mut columns = Vec::with_capacity(count * left.column_count());
        for column in 0..left.column_count() {
            columns.extend(left.iter().chain(right.iter()).map(|row| row[column]));
        }
        Self { columns, count, first_count: left.count() }
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Squared distances from point `i` to the points before it; each summed in the order of the
    /// columns.
    pub(super) fn square_distances_before(&self, i: usize, row: &mut Vec<f64>) {
        self.square_distances(i, i, row);
    }

    /// Squared distances from point `i` to every point, itself included.
    pub(super) fn square_distances_from(&self, i: usize, row: &mut Vec<f64>) {
        self.square_distances(i, self.count, row);
    }

    fn square_distances(&self, i: usize, end: usize, row: &mut Vec<f64>) {
        row.clear();
        row.resize(end, 0.0);
        for (tile_index, tile) in row.chunks_mut(TILE).enumerate() {
            let start = tile_index * TILE;
            for column in self.columns.chunks_exact(self.count) {
                let own = column[i];
                for (sum, other) in tile.iter_mut().zip(&column[start..]) {
                    let difference = own - other;
                    *sum += difference * difference;
                }
            }
        }
    }

    /// Sums for the observed grouping. `function` turns squared distances into its values, in
    /// place.
    pub(super) fn sums(&self, function: &(impl Fn(&mut [f64]) + Sync)) -> GroupSums {
        self.chunks(|rows| {
            let mut row = Vec::new();
            let mut sums = GroupSums::default();
            for i in rows {
                self.square_distances_before(i, &mut row);
                function(&mut row);
                let (first, second) = row.split_at(i.min(self.first_count));
                if i < self.first_count {
                    sums.first += first.iter().sum::<f64>();
                } else {
                    sums.between += first.iter().sum::<f64>();
                    sums.second += second.iter().sum::<f64>();
                }
            }
            sums
        })
        .into_iter()
        .fold(GroupSums::default(), GroupSums::and)
    }

    /// Sums for every grouping: the observed one first, then those of `groupings`.
    pub(super) fn sums_of_groupings(
        &self,
        groupings: &Groupings,
        function: &(impl Fn(&mut [f64]) + Sync),
    ) -> Vec<GroupSums> {
        let partial = self.chunks(|rows| {
            let mut scratch = Scratch::new(groupings.count);
            for i in rows {
                self.square_distances_before(i, &mut scratch.row);
                function(&mut scratch.row);
                scratch.add_row(i, groupings);
            }
            scratch.sums
        });
        let mut total = vec![GroupSums::default(); groupings.count];
        for sums in partial {
            for (total, sums) in total.iter_mut().zip(sums) {
                *total = total.and(sums);
            }
        }
        total
    }

    /// One result for each chunk of rows, in order.
    pub(super) fn chunks<T: Send>(
        &self,
        of: impl Fn(std::ops::Range<usize>) -> T + Sync,
    ) -> Vec<T> {
        (0..self.count.div_ceil(CHUNK_ROWS))
            .into_par_iter()
            .map(|chunk| {
                let start = chunk * CHUNK_ROWS;
                of(start..(start + CHUNK_ROWS).min(self.count))
            })
            .collect()
    }
}

/// What one thread needs to add a row to every grouping.
struct Scratch {
    row: Vec<f64>,
    /// Sum of the row over the first group, for each grouping.
    of_first: Vec<f64>,
    sums: Vec<GroupSums>,
}

impl Scratch {
    fn new(grouping_count: usize) -> Self {
        Self {
            row: Vec::new(),
            of_first: vec![0.0; grouping_count],
            sums: vec![GroupSums::default(); grouping_count],
        }
    }

    fn add_row(&mut self, i: usize, groupings: &Groupings) {
        let total: f64 = self.row.iter().sum();
        self.of_first.fill(0.0);
        let mut pairs = self.row.chunks(16).zip(groupings.masks.chunks(2 * groupings.count));
        pairs.by_ref().for_each(|(values, masks)| {
            let (low, high) = values.split_at(values.len().min(8));
            let (low, high) = (table(low), table(high));
            let (low_masks, high_masks) = masks.split_at(groupings.count);
            if high_masks.is_empty() {
                for (sum, &mask) in self.of_first.iter_mut().zip(low_masks) {
                    *sum += low[usize::from(mask)];
                }
            } else {
                let masks = low_masks.iter().zip(high_masks);
                for (sum, (&low_mask, &high_mask)) in self.of_first.iter_mut().zip(masks) {
                    *sum += low[usize::from(low_mask)] + high[usize::from(high_mask)];
                }
            }
        });
        let own = &groupings.masks[i / 8 * groupings.count..][..groupings.count];
        for ((sums, &of_first), mask) in self.sums.iter_mut().zip(&self.of_first).zip(own) {
            if mask >> (i % 8) & 1 == 1 {
                sums.first += of_first;
                sums.between += total - of_first;
            } else {
                sums.between += of_first;
                sums.second += total - of_first;
            }
        }
    }
}

/// The sums of all subsets of at most eight values: bit k of the index takes value k.
fn table(values: &[f64]) -> [f64; 256] {
    let mut table = [0.0; 256];
    let mut filled = 1;
    for &value in values {
        let (done, rest) = table.split_at_mut(filled);
        for (sum, &without) in rest.iter_mut().zip(&*done) {
            *sum = without + value;
        }
        filled *= 2;
    }
    // Masks may hold later points of this group of eight, which are not in this row.
    let size = filled;
    while filled < 256 {
        table.copy_within(..size, filled);
        filled += size;
    }
    table
}

/// Which points are in the first group, for many groupings, eight points to a byte.
pub(super) struct Groupings {
    /// `masks[b * count + p]`: points `8 b .. 8 b + 8` in grouping p.
    masks: Vec<u8>,
    count: usize,
}

impl Groupings {
    /// The observed grouping and `permutation_count` random ones with groups of the same sizes.
    pub(super) fn random(pool: &Pool, seed: Seed, permutation_count: usize) -> Self {
        let (n, total) = (pool.first_count, pool.count);
        let seed = seed.for_purpose("permutation");
        let mut groupings = Self::observed(pool, permutation_count);
        // A few at a time: indices take 32 times the room of their marks.
        for start in (0..permutation_count).step_by(DRAWN_TOGETHER) {
            let end = (start + DRAWN_TOGETHER).min(permutation_count);
            let drawn: Vec<Vec<u32>> = (start..end)
                .into_par_iter()
                .map(|permutation| draw(seed, permutation as u64, n, total))
                .collect();
            groupings.mark(start + 1, &drawn);
        }
        groupings
    }

    /// The observed grouping and those whose first groups are listed.
    pub(super) fn from_members(pool: &Pool, first_groups: &[Vec<u32>]) -> Self {
        let mut groupings = Self::observed(pool, first_groups.len());
        groupings.mark(1, first_groups);
        groupings
    }

    /// The observed grouping, and room for others.
    fn observed(pool: &Pool, other_count: usize) -> Self {
        let count = other_count + 1;
        let mut masks = vec![0_u8; pool.count.div_ceil(8) * count];
        for point in 0..pool.first_count {
            masks[point / 8 * count] |= 1 << (point % 8);
        }
        Self { masks, count }
    }

    fn mark(&mut self, first_grouping: usize, first_groups: &[Vec<u32>]) {
        for (grouping, members) in (first_grouping..).zip(first_groups) {
            for &point in members {
                self.masks[point as usize / 8 * self.count + grouping] |= 1 << (point % 8);
            }
        }
    }
}

/// n of `total` points, each set equally likely (Fisher and Yates, stopped after n).
pub(super) fn draw(seed: Seed, permutation: u64, n: usize, total: usize) -> Vec<u32> {
    let mut draws = seed.draws(permutation, 0);
    #[expect(clippy::cast_possible_truncation, reason = "samples have fewer than 2^32 points")]
    let mut order: Vec<u32> = (0..total as u32).collect();
    for place in 0..n {
        let other = place + draws.below(total - place);
        order.swap(place, other);
    }
    order.truncate(n);
    order
}
