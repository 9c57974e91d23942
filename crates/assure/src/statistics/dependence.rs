//! How strongly successive samples of one run depend on each other, and what that does to a test.
//!
//! Invariant: a dependence that cannot be measured is `None`, never "independent".
//! Autocorrelation times are integrated ones, `1 + 2 * sum of correlations`, in samples.
//!
//! Not here: the limits a verdict sets on them.

use tiepoint_model::{Seed, math::pow};

use super::distributions::student_t_quantile;

/// Fewer samples than this say nothing about their dependence.
pub const SAMPLES_MIN: usize = 16;

/// Replications of the simulated size; its standard error at .05 is then .0034.
pub const REPLICATIONS: u64 = 4000;

/// Integrated autocorrelation time in samples, at least 1, of pieces of one series.
///
/// Sum of correlations over lags by Geyer's initial positive sequence: pairs of neighbouring lags
/// are added while their sum is positive. A pair of samples counts if both are finite and lie in
/// the same piece. `None` with fewer than [`SAMPLES_MIN`] finite samples or no variation.
///
/// # Source
/// Geyer, Statistical Science 7(4), 1992, section 3.3.
#[must_use]
pub fn autocorrelation_time(pieces: &[Vec<f64>]) -> Option<f64> {
    let (count, sum) = pieces
        .iter()
        .flatten()
        .filter(|value| value.is_finite())
        .fold((0_usize, 0.0), |(count, sum), value| (count + 1, sum + value));
    if count < SAMPLES_MIN {
        return None;
    }
    let mean = sum / count as f64;
    // A missing sample is at the mean: it adds nothing to any lag.
    let centred: Vec<Vec<f64>> = pieces
        .iter()
        .map(|piece| piece.iter().map(|v| if v.is_finite() { v - mean } else { 0.0 }).collect())
        .collect();
    let covariance = |lag: usize| -> f64 {
        let products = centred.iter().flat_map(|piece| {
            piece.iter().zip(piece.iter().skip(lag)).map(|(early, late)| early * late)
        });
        products.sum()
    };
    let variance = covariance(0);
    let finite = pieces.iter().flatten().filter(|value| value.is_finite());
    // Variation below 1e-12 of the values is the rounding of their mean.
    let rounding = 1e-12 * finite.fold(0.0_f64, |largest, value| largest.max(value.abs()));
    if variance <= count as f64 * rounding * rounding {
        return None;
    }
    let longest = pieces.iter().map(Vec::len).max().unwrap_or(0);
    let mut pair_sum = 0.0;
    let mut lag = 0;
    while lag < longest {
        let pair = (covariance(lag) + covariance(lag + 1)) / variance;
        if pair <= 0.0 {
            break;
        }
        pair_sum += pair;
        lag += 2;
    }
    Some((2.0 * pair_sum - 1.0).max(1.0))
}

/// Independent values exceed so many over the root of their count one time in a thousand.
pub const ORDER_CORRELATION_SIGMAS: f64 = 3.09;

/// Correlation of each value with the one before it; `None` with fewer than [`SAMPLES_MIN`] values,
/// one that is not finite, or no variation.
///
/// Of independent values its mean is about `-1 / n` and its standard deviation about
/// `1 / sqrt(n)`, whatever their law with a variance.
///
/// # Source
/// Bartlett, JRSS Supplement 8, 1946.
#[must_use]
pub fn lag_one_correlation(values: &[f64]) -> Option<f64> {
    let count = values.len();
    if count < SAMPLES_MIN || values.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let mean = values.iter().sum::<f64>() / count as f64;
    let largest = values.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
    let square_sum: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    // Variation below 1e-12 of the values is the rounding of their mean.
    let rounding = 1e-12 * largest;
    if square_sum <= count as f64 * rounding * rounding || !square_sum.is_finite() {
        return None;
    }
    let products = values.windows(2).map(|pair| (pair[0] - mean) * (pair[1] - mean));
    Some(products.sum::<f64>() / square_sum)
}

/// What is simulated: blocks of a run whose true difference lies exactly at the margin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BlockedRun {
    /// Integrated autocorrelation time, samples.
    pub autocorrelation_time_samples: f64,
    /// Samples in a block.
    pub samples_per_block: f64,
    /// Blocks.
    pub block_count: usize,
    /// The margin over the standard deviation of the blocks.
    pub margin_over_sd: f64,
}

/// True chance that two one-sided t tests at `alpha` support a claim whose difference is exactly
/// the margin, when successive blocks come from one first-order autoregressive series.
///
/// The block sums are drawn from their exact joint normal distribution, so that a block may hold
/// any number of samples. Above a thousand blocks the same margin in standard errors is simulated
/// with a thousand. `None` with fewer than two blocks or values out of range.
#[must_use]
pub fn simulated_size(run: &BlockedRun, alpha: f64, seed: Seed, replications: u64) -> Option<f64> {
    const BLOCKS_MAX: usize = 1000;
    let in_range = run.autocorrelation_time_samples >= 1.0
        && run.autocorrelation_time_samples.is_finite()
        && run.samples_per_block.is_finite()
        && run.samples_per_block > 0.0
        && run.margin_over_sd > 0.0
        && run.block_count >= 2
        && alpha > 0.0
        && alpha < 0.5
        && replications > 0;
    if !in_range {
        return None;
    }
    let block_count = run.block_count.min(BLOCKS_MAX);
    let blocks = Blocks::of(run);
    let count = block_count as f64;
    let margin = run.margin_over_sd * (run.block_count as f64 / count).sqrt();
    let critical = student_t_quantile(1.0 - alpha, count - 1.0);
    let mut supports = 0_u64;
    for replication in 0..replications {
        let mut draws = seed.draws(replication, 0);
        let mut state = draws.normal();
        let (mut sum, mut square_sum) = (0.0, 0.0);
        for _ in 0..block_count {
            let value = blocks.next(&mut state, [draws.normal(), draws.normal()]);
            sum += value;
            square_sum += value * value;
        }
        let mean = sum / count;
        let variance = (square_sum - sum * mean).max(0.0) / (count - 1.0);
        let reach = critical * (variance / count).sqrt();
        // The estimate is `margin + mean`: its interval must end below the margin and begin above
        // its negative.
        supports += u64::from(mean + reach <= 0.0 && 2.0 * margin + mean - reach >= 0.0);
    }
    Some(supports as f64 / replications as f64)
}

/// The joint law of a block's mean and its last sample, given the sample before the block, for a
/// stationary series of unit variance; means are scaled to unit standard deviation.
struct Blocks {
    state_decay: f64,
    state_noise: f64,
    mean_of_state: f64,
    mean_of_noise: f64,
    mean_noise: f64,
}

impl Blocks {
    fn of(run: &BlockedRun) -> Self {
        let tau = run.autocorrelation_time_samples;
        let phi = (tau - 1.0) / (tau + 1.0); // tau = (1 + phi) / (1 - phi)
        let samples = run.samples_per_block.round().max(1.0);
        let (last, last_square) = (pow(phi, samples), pow(phi, 2.0 * samples));
        let gap = 1.0 - phi;
        let innovation = 1.0 - phi * phi; // variance
        let geometric = (1.0 - last) / gap;
        let geometric_square = (1.0 - last_square) / (1.0 - phi * phi);
        let state_variance = innovation * geometric_square;
        let covariance = innovation / gap * (geometric - phi * geometric_square);
        let sum_variance = innovation / (gap * gap)
            * (samples - 2.0 * phi * geometric + phi * phi * geometric_square);
        let sum_of_state = phi * geometric;
        let scale = 1.0 / (sum_of_state * sum_of_state + sum_variance).sqrt();
        let state_noise = state_variance.sqrt();
        let sum_of_noise = covariance / state_noise;
        let left = (sum_variance - sum_of_noise * sum_of_noise).max(0.0);
        Self {
            state_decay: last,
            state_noise,
            mean_of_state: scale * sum_of_state,
            mean_of_noise: scale * sum_of_noise,
            mean_noise: scale * left.sqrt(),
        }
    }

    fn next(&self, state: &mut f64, noise: [f64; 2]) -> f64 {
        let value = self.mean_of_state * *state
            + self.mean_of_noise * noise[0]
            + self.mean_noise * noise[1];
        *state = self.state_decay * *state + self.state_noise * noise[0];
        value
    }
}

#[cfg(test)]
mod tests;
