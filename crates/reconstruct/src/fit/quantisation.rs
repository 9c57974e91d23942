//! The step of the grid that a range sensor's readings lie on.
//!
//! Invariant: a step is reported only if at least 99 % of the readings lie on it within the
//! rounding of a 32-bit float and chance would put at most a quarter there; otherwise the step is
//! 0.
//! Metres. The grid goes through zero.
//!
//! Not here: noise (see [`crate::fit::range_noise`]).

use serde::{Deserialize, Serialize};

use super::error::{FitError, at_least};

/// Steps that sensors are known to use, metres: decimal, binary and inch fractions.
const KNOWN_STEPS_M: [f64; 23] = [
    0.1,
    0.05,
    0.0254,
    0.025,
    0.02,
    0.0127,
    0.01,
    0.00635,
    0.005,
    0.004,
    0.003_906_25,
    0.0025,
    0.00254,
    0.002,
    0.001_953_125,
    0.001,
    0.000_976_562_5,
    0.0005,
    0.000_488_281_25,
    0.000_25,
    0.000_244_140_625,
    0.0002,
    0.0001,
];

/// A reading made as `count * step` in 32 bits is off by up to 1.5 units in the last place: half
/// from the step, half from the product, half from a conversion of unit.
const ROUNDING: f64 = 2.0 * f32::EPSILON as f64;

/// Share of the readings that must lie on the grid.
const SHARE_MIN: f64 = 0.99;

/// Share that chance may put on a grid before it says nothing.
const CHANCE_MAX: f64 = 0.25;

/// Fewer different readings lie on too many grids.
const DISTINCT_MIN: usize = 8;

/// What grid the readings lie on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuantisationReport {
    /// Step of the grid, metres; 0 if the readings are continuous.
    pub step_m: f64,
    /// Share of the readings on that grid; for continuous readings the share on the best known
    /// one.
    pub on_grid_share: f64,
    /// Readings used: finite and above zero.
    pub count: usize,
    /// Different values among them.
    pub distinct_count: usize,
    /// Least and greatest reading used, metres: the range of validity.
    pub range_m: [f64; 2],
}

/// The largest step whose grid holds the readings.
///
/// Known steps are tried, then the smallest gap between different readings and its halves, thirds
/// and quarters, refined by least squares.
///
/// # Inputs
/// Readings in metres, any order; zero, negative, NaN and infinite ones are left out.
///
/// # Errors
/// [`FitError::TooFew`] with fewer than 8 different readings.
pub fn detect_quantisation(readings_m: &[f32]) -> Result<QuantisationReport, FitError> {
    let mut usable: Vec<f64> = readings_m
        .iter()
        .filter(|reading| reading.is_finite() && **reading > 0.0)
        .map(|reading| f64::from(*reading))
        .collect();
    usable.sort_by(f64::total_cmp);
    let count = usable.len();
    let mut distinct = usable.clone();
    distinct.dedup();
    at_least("different readings", distinct.len(), DISTINCT_MIN)?;

    let mut steps = KNOWN_STEPS_M.to_vec();
    steps.extend(steps_from_gaps(&distinct));
    steps.sort_by(|a, b| b.total_cmp(a));
    let chosen = steps.iter().copied().find(|step_m| {
        chance_on_grid(&usable, *step_m) <= CHANCE_MAX
            && share_on_grid(&usable, *step_m) >= SHARE_MIN
    });
    let share = |step_m: &f64| share_on_grid(&usable, *step_m);
    let on_grid_share = match chosen {
        Some(step_m) => share(&step_m),
        None => steps
            .iter()
            .filter(|step_m| chance_on_grid(&usable, **step_m) <= CHANCE_MAX)
            .map(share)
            .fold(0.0, f64::max),
    };
    let step_m = chosen.map_or(0.0, nearest_known);
    let range_m = [usable[0], usable[count - 1]];
    Ok(QuantisationReport { step_m, on_grid_share, count, distinct_count: distinct.len(), range_m })
}

fn share_on_grid(readings_m: &[f64], step_m: f64) -> f64 {
    let on_grid = readings_m.iter().filter(|reading_m| {
        let off_m = **reading_m - (**reading_m / step_m).round() * step_m;
        off_m.abs() <= ROUNDING * **reading_m
    });
    on_grid.count() as f64 / readings_m.len() as f64
}

/// Share of continuous readings that would lie on the grid by chance.
fn chance_on_grid(readings_m: &[f64], step_m: f64) -> f64 {
    let each = readings_m.iter().map(|reading_m| (2.0 * ROUNDING * reading_m / step_m).min(1.0));
    each.sum::<f64>() / readings_m.len() as f64
}

/// Steps suggested by the smallest gap between different readings; they need not be known ones.
fn steps_from_gaps(distinct_m: &[f64]) -> Vec<f64> {
    let gaps = distinct_m.windows(2).map(|pair| (pair[1] - pair[0], pair[1]));
    let gap_m = gaps
        .filter(|(gap_m, reading_m)| *gap_m > 8.0 * ROUNDING * reading_m)
        .map(|(gap_m, _)| gap_m)
        .fold(f64::INFINITY, f64::min);
    if !gap_m.is_finite() {
        return Vec::new();
    }
    [1.0, 2.0, 3.0, 4.0].iter().map(|part| refine_step(distinct_m, gap_m / part)).collect()
}

/// Least squares over more and more readings: the gap fixes the step to a few digits, the farthest
/// reading to all of them.
fn refine_step(distinct_m: &[f64], gap_m: f64) -> f64 {
    let mut step_m = gap_m;
    let mut reach_m = gap_m * 16.0;
    let farthest_m = distinct_m[distinct_m.len() - 1];
    let mut relative_error = 4.0 * ROUNDING * farthest_m / gap_m;
    for _ in 0..40 {
        reach_m = (0.2 * step_m / relative_error.max(1e-15)).max(reach_m);
        let (mut product, mut square) = (0.0, 0.0);
        for reading_m in distinct_m.iter().take_while(|reading_m| **reading_m <= reach_m) {
            let cells = (reading_m / step_m).round();
            product += cells * reading_m;
            square += cells * cells;
        }
        if square > 0.0 {
            step_m = product / square;
            relative_error = relative_error.min(ROUNDING + 0.1 * step_m / reach_m * 0.5);
        }
        if reach_m >= farthest_m {
            break;
        }
        reach_m *= 2.0;
    }
    step_m
}

/// The known step that a fitted one means, if it is within its rounding.
fn nearest_known(step_m: f64) -> f64 {
    let near = |known_m: &&f64| (step_m - **known_m).abs() <= 1e-6 * **known_m;
    KNOWN_STEPS_M.iter().find(near).copied().unwrap_or(step_m)
}
