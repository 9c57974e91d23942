//! Percentile intervals by the seeded circular block bootstrap.
//!
//! Invariant: replicate `r` draws from the seed and `r` alone, so that any number of threads gives
//! the same bits.
//! A block of length 1 is the ordinary bootstrap; a series that remembers needs blocks of several
//! autocorrelation times.
//!
//! Not here: tests and verdicts. A percentile interval is first-order only, and a distance between
//! samples is biased upwards in resamples.

mod accelerated;
mod clusters;

use fearless_simd::{Level, Simd, dispatch};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tiepoint_model::Seed;

use crate::{MeasureError, statistics::quantile_of_sorted};

/// An interval for a statistic.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower end, unit of the statistic.
    pub low: f64,
    /// Upper end, unit of the statistic.
    pub high: f64,
    /// Nominal two-sided coverage, such as 0.95.
    pub level: f64,
}

/// How to resample.
///
/// # Source
/// Efron, *Bootstrap methods: another look at the jackknife*, 1979 (percentile interval);
/// Politis and Romano, *A circular block-resampling procedure for stationary data*, 1992.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bootstrap {
    /// Where the draws come from.
    pub seed: Seed,
    /// How many resamples; the ends of a 95 % interval want 1000 or more.
    pub resample_count: usize,
    /// Consecutive elements drawn together; 1 for independent elements.
    pub block_length: usize,
    /// Two-sided coverage, in `(0, 1)`.
    pub level: f64,
}

impl Bootstrap {
    /// The percentile interval of a statistic over resamples of `count` elements.
    ///
    /// `statistic` gets the indices of one resample. Resamples for which it answers NaN are an
    /// error.
    ///
    /// # Errors
    /// [`MeasureError::Empty`], [`MeasureError::InvalidOption`], [`MeasureError::NotFinite`] (a
    /// resample without a value).
    pub fn interval(
        &self,
        count: usize,
        statistic: impl Fn(&[u32]) -> f64 + Sync,
    ) -> Result<Interval, MeasureError> {
        self.interval_of_two([count, 0], |indices, _| statistic(indices))
    }

    /// The percentile interval of a statistic of two samples, resampled independently of each
    /// other.
    ///
    /// `counts[1]` may be zero, `counts[0]` may not.
    pub(crate) fn interval_of_two(
        &self,
        counts: [usize; 2],
        statistic: impl Fn(&[u32], &[u32]) -> f64 + Sync,
    ) -> Result<Interval, MeasureError> {
        let values = self.sorted_values_of_two(counts, statistic)?;
        let tail = 0.5 * (1.0 - self.level);
        self.between(&values, [tail, 1.0 - tail])
    }

    /// The interval between two quantiles of resampled values.
    fn between(&self, sorted: &[f64], tails: [f64; 2]) -> Result<Interval, MeasureError> {
        let end = |probability| {
            quantile_of_sorted(sorted, probability)
                .ok_or(MeasureError::Empty { what: "resampled statistic" })
        };
        Ok(Interval { low: end(tails[0])?, high: end(tails[1])?, level: self.level })
    }

    /// The statistic of every resample, ascending.
    fn sorted_values_of_two(
        &self,
        counts: [usize; 2],
        statistic: impl Fn(&[u32], &[u32]) -> f64 + Sync,
    ) -> Result<Vec<f64>, MeasureError> {
        self.check(counts)?;
        let seeds = ["left", "right"].map(|side| self.seed.for_purpose(side));
        let mut values: Vec<f64> = (0..self.resample_count)
            .into_par_iter()
            .map_init(
                || (Vec::with_capacity(counts[0]), Vec::with_capacity(counts[1])),
                |(left, right), replicate| {
                    self.resample(seeds[0], replicate, counts[0], left);
                    self.resample(seeds[1], replicate, counts[1], right);
                    statistic(left, right)
                },
            )
            .collect();
        if let Some(index) = values.iter().position(|value| !value.is_finite()) {
            return Err(MeasureError::NotFinite { what: "resampled statistic", index });
        }
        values.sort_unstable_by(f64::total_cmp);
        Ok(values)
    }

    fn check(&self, counts: [usize; 2]) -> Result<(), MeasureError> {
        if counts[0] == 0 {
            return Err(MeasureError::Empty { what: "sample" });
        }
        let count_max = counts[0].max(counts[1]);
        if u32::try_from(count_max).is_err() {
            return Err(MeasureError::InvalidOption {
                name: "sample length",
                value: count_max as f64,
                requirement: "below 2^32",
            });
        }
        if self.resample_count == 0 {
            return Err(MeasureError::InvalidOption {
                name: "resample_count",
                value: 0.0,
                requirement: "at least 1",
            });
        }
        if self.block_length == 0 {
            return Err(MeasureError::InvalidOption {
                name: "block_length",
                value: 0.0,
                requirement: "at least 1",
            });
        }
        if !(self.level > 0.0 && self.level < 1.0) {
            return Err(MeasureError::InvalidOption {
                name: "level",
                value: self.level,
                requirement: "between 0 and 1",
            });
        }
        Ok(())
    }

    /// Blocks that start anywhere and run round the end, so that every element is drawn equally
    /// often.
    fn resample(&self, seed: Seed, replicate: usize, count: usize, indices: &mut Vec<u32>) {
        indices.resize(count, 0);
        let blocks = count.div_ceil(self.block_length);
        let starts = &mut indices[..blocks];
        dispatch!(Level::new(), simd => draw_below(simd, seed, replicate, count, starts));
        if self.block_length == 1 {
            return;
        }
        // From the last on, since a block lies where the starts of later ones were.
        for block in (0..blocks).rev() {
            let mut index = indices[block];
            for place in indices[block * self.block_length..].iter_mut().take(self.block_length) {
                *place = index;
                index = if index as usize + 1 == count { 0 } else { index + 1 };
            }
        }
    }
}

/// Indices below `count`, drawn with the vectors of the processor.
#[inline(always)]
fn draw_below<S: Simd>(_: S, seed: Seed, replicate: usize, count: usize, indices: &mut [u32]) {
    #[expect(clippy::cast_possible_truncation, reason = "checked to fit 32 bits")]
    seed.draws(replicate as u64, 0).fill_below(count as u32, indices);
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOOTSTRAP: Bootstrap =
        Bootstrap { seed: Seed(3), resample_count: 2000, block_length: 1, level: 0.9 };

    /// The bootstrap interval of a mean must agree with the normal one where both hold: n = 400,
    /// sigma = 1.
    /// Half width 1.645 / sqrt(400) = 0.0822; 2000 resamples leave about 3 % on each end, and the
    /// sample's own spread 4 %.
    #[test]
    fn interval_of_a_mean_agrees_with_the_normal_one() {
        let values: Vec<f64> = (0..400).map(|index| Seed(1).draws(0, index).normal()).collect();
        let mean = values.iter().sum::<f64>() / 400.0;
        let interval = BOOTSTRAP
            .interval(400, |indices| {
                indices.iter().map(|&index| values[index as usize]).sum::<f64>() / 400.0
            })
            .unwrap();
        let half_width = 0.5 * (interval.high - interval.low);
        assert!((half_width / 0.0822 - 1.0).abs() < 0.15, "{half_width}");
        assert!(interval.low < mean && mean < interval.high);
    }

    #[test]
    fn blocks_are_consecutive_and_run_round_the_end() {
        let mut indices = Vec::new();
        Bootstrap { block_length: 4, ..BOOTSTRAP }.resample(Seed(9), 5, 10, &mut indices);
        assert_eq!(indices.len(), 10);
        for block in indices.chunks(4) {
            assert!(block.windows(2).all(|pair| (pair[0] + 1) % 10 == pair[1]), "{indices:?}");
        }
    }

    #[test]
    fn bad_options_are_refused() {
        let sum = |indices: &[u32]| f64::from(indices.iter().sum::<u32>());
        assert!(Bootstrap { level: 1.0, ..BOOTSTRAP }.interval(3, sum).is_err());
        assert!(Bootstrap { block_length: 0, ..BOOTSTRAP }.interval(3, sum).is_err());
        assert!(Bootstrap { resample_count: 0, ..BOOTSTRAP }.interval(3, sum).is_err());
        assert!(BOOTSTRAP.interval(0, sum).is_err());
        assert!(BOOTSTRAP.interval(3, |_| f64::NAN).is_err());
    }
}
