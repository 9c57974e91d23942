//! The difference of two empirical distribution functions, step by step.
//!
//! Invariant: heights come from integer counts and are rounded once; `-0.0` and `0.0` are one value.
//! Cost: a sort, `O((n + m) log(n + m))`, then one pass.
//!
//! Not here: what is made of the steps (see [`super::distance`]).

use crate::{MeasureError, statistics::require_finite};

/// Refuses empty samples, NaN, infinity, and lengths whose product does not fit 62 bits.
pub(super) fn check(left: &[f64], right: &[f64]) -> Result<(), MeasureError> {
    require_finite(left, "left sample")?;
    require_finite(right, "right sample")?;
    let count = left.len().max(right.len());
    if count < 1 << 31 {
        return Ok(());
    }
    Err(MeasureError::InvalidOption {
        name: "sample length",
        value: count as f64,
        requirement: "below 2^31",
    })
}

/// Both samples, checked and ascending.
pub(super) fn sorted_samples(left: &[f64], right: &[f64]) -> Result<[Vec<f64>; 2], MeasureError> {
    check(left, right)?;
    Ok([left, right].map(|sample| {
        let mut sorted = sample.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        sorted
    }))
}

/// `F − G` from how many values of each sample lie at or below a place: exact integers, rounded
/// once.
fn difference(below: [usize; 2], counts: [usize; 2]) -> f64 {
    let [n, m] = counts.map(|count| count as i64);
    let [left, right] = below.map(|count| count as i64);
    (left * m - right * n) as f64 / (n * m) as f64
}

/// The distinct values of two ascending samples with `F − G` from each on.
pub(super) struct Steps<'a> {
    samples: &'a [Vec<f64>; 2],
    below: [usize; 2],
}

impl<'a> Steps<'a> {
    pub(super) fn of(samples: &'a [Vec<f64>; 2]) -> Self {
        Self { samples, below: [0, 0] }
    }

    /// How many values of each sample lie at or below the last value given.
    pub(super) fn below(&self) -> [usize; 2] {
        self.below
    }
}

impl Iterator for Steps<'_> {
    type Item = (f64, f64);

    fn next(&mut self) -> Option<(f64, f64)> {
        let [left, right] = [0, 1].map(|side| self.samples[side].get(self.below[side]));
        let value = match (left, right) {
            (Some(left), Some(right)) => left.min(*right),
            (left, right) => *left.or(right)?,
        };
        for side in 0..2 {
            let sample = &self.samples[side];
            // By <=, so that -0.0 and 0.0 are one value.
            while sample.get(self.below[side]).is_some_and(|&other| other <= value) {
                self.below[side] += 1;
            }
        }
        Some((value, difference(self.below, [0, 1].map(|side| self.samples[side].len()))))
    }
}

/// Both samples on their common support, so that a resample costs a count and one pass, not a sort.
pub(super) struct Pooled {
    /// Distinct values, ascending.
    values: Vec<f64>,
    /// Position of each element of each sample in `values`.
    positions: [Vec<u32>; 2],
}

impl Pooled {
    pub(super) fn of(left: &[f64], right: &[f64]) -> Result<Self, MeasureError> {
        check(left, right)?;
        let count = left.len() + right.len();
        let mut ranked: Vec<(f64, usize)> =
            left.iter().chain(right).copied().zip(0..count).collect();
        ranked.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let mut values: Vec<f64> = Vec::with_capacity(count);
        let mut positions = [vec![0; left.len()], vec![0; right.len()]];
        for (value, index) in ranked {
            if values.last().is_none_or(|&last| last < value) {
                values.push(value);
            }
            #[expect(clippy::cast_possible_truncation, reason = "two lengths below 2^31")]
            let position = (values.len() - 1) as u32;
            match index.checked_sub(left.len()) {
                None => positions[0][index] = position,
                Some(index) => positions[1][index] = position,
            }
        }
        Ok(Self { values, positions })
    }

    /// How often each value occurs in the resample of these indices into the left (0) or right (1)
    /// sample.
    pub(super) fn counts(&self, side: usize, indices: &[u32]) -> Vec<u32> {
        let mut counts = vec![0; self.values.len()];
        for &index in indices {
            counts[self.positions[side][index as usize] as usize] += 1;
        }
        counts
    }

    /// Each value with `F − G` from it on.
    pub(super) fn steps(&self, counts: &[Vec<u32>; 2]) -> impl Iterator<Item = (f64, f64)> {
        let totals = [0, 1].map(|side| self.positions[side].len());
        let mut below = [0, 0];
        self.values.iter().zip(counts[0].iter().zip(&counts[1])).map(
            move |(&value, (&left, &right))| {
                below[0] += left as usize;
                below[1] += right as usize;
                (value, difference(below, totals))
            },
        )
    }
}
