//! The median distance of all pairs of a pooled sample, without holding all pairs.
//!
//! Invariant: exactly the median that sorting all pairs would give, whatever the size.
//! Unit: that of the coordinates.
//! Cost: `O(N² d)` time, once for each 16 bits that must be looked at: one pass up to 2896 points,
//! two or three above; memory `O(N d)` and at most 4 million distances.
//!
//! Not here: other quantiles.

use super::pairs::Pool;
use crate::MeasureError;

/// Pairs that are held at a time, 32 MiB.
const HELD_MAX: u64 = 1 << 22;

/// The median of the `N (N − 1) / 2` distances; for an even number, the mean of the two middle
/// ones (NumPy's).
pub(super) fn median_distance(pool: &Pool) -> Result<f64, MeasureError> {
    let count = pool.count() as u64;
    if count < 2 {
        return Err(MeasureError::TooFew { what: "pooled sample", count: pool.count(), min: 2 });
    }
    let pair_count = count * (count - 1) / 2;
    let [lower, upper] = middle(pool, pair_count);
    if pair_count % 2 == 1 {
        return Ok(upper.sqrt());
    }
    Ok(0.5 * (lower.sqrt() + upper.sqrt()))
}

/// The values with `pair_count / 2 - 1` and `pair_count / 2` smaller ones; for an odd
/// count the second one twice.
///
/// Bits of non-negative numbers order as the numbers do, so that they are found from the highest
/// on.
fn middle(pool: &Pool, pair_count: u64) -> [f64; 2] {
    let upper_rank = pair_count / 2;
    let (upper, held) = order_statistic(pool, upper_rank, pair_count);
    if pair_count % 2 == 1 {
        return [upper, upper];
    }
    let below = held.into_iter().reduce(f64::max);
    let lower = below.unwrap_or_else(|| order_statistic(pool, upper_rank - 1, pair_count).0);
    [lower, upper]
}

/// The squared distance with `rank` smaller ones, and the smaller ones of its bucket.
fn order_statistic(pool: &Pool, mut rank: u64, pair_count: u64) -> (f64, Vec<f64>) {
    let (mut prefix, mut bit_count, mut inside) = (0_u64, 0_u32, pair_count);
    while inside > HELD_MAX && bit_count < 64 {
        let histogram = bucket_counts(pool, prefix, bit_count);
        for (bucket, &count) in histogram.iter().enumerate() {
            if rank < count {
                prefix = prefix << 16 | bucket as u64;
                inside = count;
                break;
            }
            rank -= count;
        }
        bit_count += 16;
    }
    if bit_count == 64 {
        let value = f64::from_bits(prefix);
        return (value, if rank > 0 { vec![value] } else { Vec::new() });
    }
    let mut held: Vec<f64> = pool
        .chunks(|rows| {
            let (mut row, mut held) = (Vec::new(), Vec::new());
            for i in rows {
                pool.square_distances_before(i, &mut row);
                held.extend(row.iter().filter(|value| has_prefix(**value, prefix, bit_count)));
            }
            held
        })
        .concat();
    #[expect(clippy::cast_possible_truncation, reason = "at most HELD_MAX values are held")]
    let index = rank as usize;
    let (_, &mut value, _) = held.select_nth_unstable_by(index, f64::total_cmp);
    held.truncate(index);
    (value, held)
}

fn has_prefix(value: f64, prefix: u64, bit_count: u32) -> bool {
    bit_count == 0 || value.to_bits() >> (64 - bit_count) == prefix
}

/// How many values with this prefix have each value of the next 16 bits.
fn bucket_counts(pool: &Pool, prefix: u64, bit_count: u32) -> Vec<u64> {
    use rayon::prelude::*;
    const GROUPS: usize = 16; // a table of counts for each, not for each chunk
    (0..GROUPS)
        .into_par_iter()
        .map(|group| {
            let (mut row, mut counts) = (Vec::new(), vec![0_u64; 1 << 16]);
            for i in (group..pool.count()).step_by(GROUPS) {
                pool.square_distances_before(i, &mut row);
                for value in row.iter().filter(|value| has_prefix(**value, prefix, bit_count)) {
                    counts[(value.to_bits() >> (48 - bit_count) & 0xffff) as usize] += 1;
                }
            }
            counts
        })
        .reduce(
            || vec![0_u64; 1 << 16],
            |mut total, counts| {
                total.iter_mut().zip(counts).for_each(|(total, count)| *total += count);
                total
            },
        )
}

#[cfg(test)]
mod tests {
    use tiepoint_model::Seed;

    use super::*;
    use crate::distribution::Rows;

    fn by_sorting(pool: &Pool) -> f64 {
        let (mut row, mut all) = (Vec::new(), Vec::new());
        for i in 0..pool.count() {
            pool.square_distances_before(i, &mut row);
            all.extend_from_slice(&row);
        }
        all.sort_unstable_by(f64::total_cmp);
        let middle = all.len() / 2;
        if all.len() % 2 == 1 {
            return all[middle].sqrt();
        }
        0.5 * (all[middle - 1].sqrt() + all[middle].sqrt())
    }

    /// Even and odd numbers of pairs, few enough to be held and too many; with ties in the middle.
    #[test]
    fn the_median_is_that_of_all_pairs_sorted() {
        for (count, step) in [(2, 0.0), (5, 0.0), (9, 0.0), (40, 0.0), (2900, 0.0), (2899, 0.25)] {
            let values: Vec<f64> = (0..count)
                .map(|index| {
                    let value = Seed(1).draws(0, index).normal();
                    if step > 0.0 { (value / step).round() * step } else { value }
                })
                .collect();
            let (left, right) = values.split_at(values.len() / 2);
            let pool = Pool::of(Rows::new(left, 1).unwrap(), Rows::new(right, 1).unwrap());
            assert_eq!(median_distance(&pool), Ok(by_sorting(&pool)), "{count}");
        }
    }
}
