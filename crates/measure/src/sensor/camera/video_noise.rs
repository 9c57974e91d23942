//! Noise of a camera from ordinary video: pairs of frames instead of a laboratory.
//!
//! Invariant: the noise model `variance = read + gain (mean - black)` is given only where the frames
//! show it; too little contrast, a denoiser, a codec, a gamma curve, motion or repeated frames are
//! reasons, not numbers.
//! Grey values in DN.
//!
//! Cost: `O(pixels)` for each pair.
//!
//! Not here: electrons (a video cannot tell them from a digital gain) and fixed pattern, which the
//! difference of two frames does not hold.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::require_images;
use crate::{MeasureError, sensor::NotIdentifiable, statistics::require_positive};

/// How to look at video.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct VideoNoiseOptions {
    /// Pixels of a row.
    pub width: usize,
    /// Values at or below are clipped, DN.
    pub black_dn: f64,
    /// Values at or above are clipped, DN.
    pub white_dn: f64,
}

/// The affine noise of a camera: `variance = read_variance + gain (mean - black)`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct VideoNoise {
    /// Variance at the black level, DN squared, rounding included.
    pub read_variance_dn2: f64,
    /// Variance per DN of signal, DN: the gain in DN per electron if values are raw and linear.
    pub gain_dn: f64,
    /// Standard error of the gain, DN.
    pub gain_standard_error_dn: f64,
    /// Blocks of pixels that were used.
    pub block_count: usize,
    /// Correlation of the noise of horizontal neighbours.
    pub neighbour_correlation: f64,
    /// Weighted mean squared deviation of the levels from the line; 1 where only chance is in it.
    pub reduced_chi_square: f64,
}

/// Edge of a block, pixels.
const BLOCK: usize = 8;

/// Levels of grey that blocks are sorted into.
const LEVELS: usize = 16;

/// Blocks in a level that counts.
const BLOCKS_MIN: usize = 20;

/// A block whose variance is above this many medians moves: four standard deviations.
const MOVING: f64 = 1.71;

/// A correlation of neighbours above is the work of a filter, a codec or demosaicing.
const CORRELATION_MAX: f64 = 0.1;

/// A mean squared deviation from the line above is no affine noise: gamma, tone curve, motion.
const CHI_SQUARE_MAX: f64 = 4.0;

/// The brightest level must lie this far above the darkest, as a ratio of signals.
const CONTRAST_MIN: f64 = 2.0;

/// Noise of pairs of frames of a scene that mostly stands still.
///
/// Frames 0 and 1, 2 and 3, ... are compared in blocks of 8 x 8 pixels. In each of 16 levels of grey the
/// blocks whose variance is far above the median are left out as moving; the mean of the others stands
/// for the level.
///
/// # Inputs
/// - `frames`: row-major, in pairs of equal exposure; one colour plane.
///
/// # Errors
/// [`MeasureError::TooFew`] below two frames, [`MeasureError::LengthMismatch`],
/// [`MeasureError::NotFinite`], [`MeasureError::InvalidOption`].
///
/// # Invariants
/// `noise_of_simulated_video_is_recovered`, `processed_video_is_not_identifiable`.
///
/// # Source
/// Foi et al., *Practical Poissonian-Gaussian noise modeling*, IEEE TIP 17(10), 2008 (the model);
/// pairs of frames as in EMVA 1288.
pub fn video_noise<T: Copy + Into<f64>>(
    frames: &[&[T]],
    options: &VideoNoiseOptions,
) -> Result<Result<VideoNoise, NotIdentifiable>, MeasureError> {
    let size = require_images(frames, "frames")?;
    check(frames.len(), size, options)?;
    let mut blocks = Vec::new();
    for pair in frames.chunks_exact(2) {
        collect_blocks([pair[0], pair[1]], options, &mut blocks)?;
    }
    if !blocks.is_empty() && blocks.iter().all(|block| block.variance_dn2 == 0.0) {
        return Ok(Err(no_variation(
            "change from one frame of a pair to the other: frames repeat",
        )));
    }
    // A block without change is clipped inside a codec or a repeated part; noise makes none.
    let still = blocks.iter().filter(|block| block.variance_dn2 == 0.0).count();
    if 4 * still > blocks.len() {
        let value = still as f64 / blocks.len() as f64;
        let what = "share of blocks without any change".to_owned();
        return Ok(Err(NotIdentifiable::Misfit { what, value, limit: 0.25 }));
    }
    let correlation = neighbour_correlation(&blocks);
    if correlation.abs() > CORRELATION_MAX {
        let what = "correlation of neighbouring pixels' noise".to_owned();
        let limit = CORRELATION_MAX;
        return Ok(Err(NotIdentifiable::Misfit { what, value: correlation, limit }));
    }
    let levels = levels(&blocks, options);
    Ok(line(&levels, correlation))
}

fn no_variation(what: &str) -> NotIdentifiable {
    NotIdentifiable::NoVariation { what: what.to_owned() }
}

fn check(count: usize, size: usize, options: &VideoNoiseOptions) -> Result<(), MeasureError> {
    if count < 2 {
        return Err(MeasureError::TooFew { what: "frames", count, min: 2 });
    }
    let width = options.width;
    if width < BLOCK || !size.is_multiple_of(width) || size / width < BLOCK {
        let requirement = "a divisor of the frame's size, and frames at least 8 by 8";
        let value = width as f64;
        return Err(MeasureError::InvalidOption { name: "width", value, requirement });
    }
    crate::statistics::require_finite(&[options.black_dn, options.white_dn], "grey limits")?;
    require_positive(options.white_dn - options.black_dn, "white_dn above black_dn")
}

struct Block {
    mean_dn: f64,
    /// Of one frame: half the variance of the difference.
    variance_dn2: f64,
    /// Mean product of horizontal neighbours' differences, halved as the variance.
    neighbours_dn2: f64,
}

fn collect_blocks<T: Copy + Into<f64>>(
    pair: [&[T]; 2],
    options: &VideoNoiseOptions,
    blocks: &mut Vec<Block>,
) -> Result<(), MeasureError> {
    let width = options.width;
    let height = pair[0].len() / width;
    let mut differences = [[0.0_f64; BLOCK]; BLOCK];
    for top in (0..=height - BLOCK).step_by(BLOCK) {
        'block: for left in (0..=width - BLOCK).step_by(BLOCK) {
            let mut sum = 0.0;
            for (row, line) in differences.iter_mut().enumerate() {
                for (column, difference) in line.iter_mut().enumerate() {
                    let index = (top + row) * width + left + column;
                    let [a, b]: [f64; 2] = pair.map(|frame| frame[index].into());
                    if !(a.is_finite() && b.is_finite()) {
                        return Err(MeasureError::NotFinite { what: "frames", index });
                    }
                    if a.min(b) <= options.black_dn || a.max(b) >= options.white_dn {
                        continue 'block;
                    }
                    *difference = a - b;
                    sum += a + b;
                }
            }
            blocks.push(summarise(&differences, sum));
        }
    }
    Ok(())
}

fn summarise(differences: &[[f64; BLOCK]; BLOCK], sum: f64) -> Block {
    let count = (BLOCK * BLOCK) as f64;
    let mean = differences.as_flattened().iter().sum::<f64>() / count;
    let (mut squares, mut products) = (0.0, 0.0);
    for line in differences {
        squares += line.iter().map(|d| (d - mean) * (d - mean)).sum::<f64>();
        products += line.windows(2).map(|d| (d[0] - mean) * (d[1] - mean)).sum::<f64>();
    }
    let pairs = (BLOCK * (BLOCK - 1)) as f64;
    Block {
        mean_dn: sum / (2.0 * count),
        variance_dn2: squares / (2.0 * (count - 1.0)),
        // Taking the mean off makes neighbours seem opposed by one in `count`.
        neighbours_dn2: products / (2.0 * pairs) + squares / (2.0 * (count - 1.0)) / count,
    }
}

/// Over the quieter half of the blocks by variance: moving edges correlate too.
fn neighbour_correlation(blocks: &[Block]) -> f64 {
    let mut shares: Vec<f64> = blocks
        .iter()
        .filter(|block| block.variance_dn2 > 0.0)
        .map(|block| block.neighbours_dn2 / block.variance_dn2)
        .collect();
    if shares.is_empty() {
        return 0.0;
    }
    shares.sort_unstable_by(f64::total_cmp);
    shares[shares.len() / 2]
}

struct Level {
    signal_dn: f64,
    variance_dn2: f64,
    count: usize,
}

fn levels(blocks: &[Block], options: &VideoNoiseOptions) -> Vec<Level> {
    let span = options.white_dn - options.black_dn;
    let mut sorted: BTreeMap<usize, Vec<&Block>> = BTreeMap::new();
    for block in blocks {
        let place = (block.mean_dn - options.black_dn) / span * LEVELS as f64;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "blocks lie between black and white"
        )]
        sorted.entry((place as usize).min(LEVELS - 1)).or_default().push(block);
    }
    let mut found = Vec::new();
    for level in sorted.values().filter(|level| level.len() >= BLOCKS_MIN) {
        let mut limit = f64::INFINITY;
        let mut still: Vec<&Block> = level.clone();
        for _ in 0..5 {
            still.retain(|block| block.variance_dn2 <= limit);
            let mut variances: Vec<f64> = still.iter().map(|block| block.variance_dn2).collect();
            let middle = variances.len() / 2;
            let (_, median, _) = variances.select_nth_unstable_by(middle, f64::total_cmp);
            limit = MOVING * *median;
        }
        let variance: f64 = still.iter().map(|block| block.variance_dn2).sum();
        let sum: f64 = still.iter().map(|block| block.mean_dn).sum();
        found.push(Level {
            signal_dn: sum / still.len() as f64 - options.black_dn,
            variance_dn2: variance / still.len() as f64,
            count: still.len(),
        });
    }
    found
}

/// The weighted line through the levels.
fn line(levels: &[Level], correlation: f64) -> Result<VideoNoise, NotIdentifiable> {
    const LEVELS_MIN: usize = 4;
    let block_count = levels.iter().map(|level| level.count).sum();
    let (Some(dark), Some(bright)) = (levels.first(), levels.last()) else {
        return Err(no_variation("unclipped blocks"));
    };
    if levels.len() < LEVELS_MIN || bright.signal_dn < CONTRAST_MIN * dark.signal_dn {
        return Err(no_variation("range of brightness within the unclipped values"));
    }
    // Relative variance of one chi-square variable with 63 degrees of freedom.
    let relative = 2.0 / 63.0;
    let mut expected: Vec<f64> = levels.iter().map(|level| level.variance_dn2).collect();
    let (mut gain, mut read, mut gain_variance, mut chi_square) = (0.0, 0.0, 0.0, 0.0);
    for _ in 0..20 {
        let (mut w, mut wx, mut wxx, mut wy, mut wxy) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for (level, expected) in levels.iter().zip(&expected) {
            let weight = level.count as f64 / (relative * expected * expected);
            let (x, y) = (level.signal_dn, level.variance_dn2);
            w += weight;
            wx += weight * x;
            wxx += weight * x * x;
            wy += weight * y;
            wxy += weight * x * y;
        }
        let determinant = w * wxx - wx * wx;
        gain = (w * wxy - wx * wy) / determinant;
        read = (wxx * wy - wx * wxy) / determinant;
        gain_variance = w / determinant;
        chi_square = 0.0;
        for (level, expected) in levels.iter().zip(&mut expected) {
            let modelled = read + gain * level.signal_dn;
            let off = (level.variance_dn2 - modelled) / *expected;
            chi_square += off * off * level.count as f64 / relative;
            *expected = modelled.max(0.1 * level.variance_dn2);
        }
    }
    let reduced_chi_square = chi_square / (levels.len() - 2) as f64;
    let not_affine = |what: &str, value: f64, limit: f64| NotIdentifiable::Misfit {
        what: what.to_owned(),
        value,
        limit,
    };
    if reduced_chi_square.is_nan() || reduced_chi_square > CHI_SQUARE_MAX {
        let what = "deviation of the levels from a line: gamma, tone curve or motion";
        return Err(not_affine(what, reduced_chi_square, CHI_SQUARE_MAX));
    }
    let gain_standard_error_dn = gain_variance.sqrt();
    if gain <= 3.0 * gain_standard_error_dn {
        let what = "gain over its standard error: noise does not grow with brightness";
        return Err(not_affine(what, gain / gain_standard_error_dn, 3.0));
    }
    if read < 0.0 && -read > 3.0 * gain_standard_error_dn * dark.signal_dn {
        return Err(not_affine("read variance below zero: black lies higher", read, 0.0));
    }
    Ok(VideoNoise {
        read_variance_dn2: read.max(0.0),
        gain_dn: gain,
        gain_standard_error_dn,
        block_count,
        neighbour_correlation: correlation,
        reduced_chi_square,
    })
}
