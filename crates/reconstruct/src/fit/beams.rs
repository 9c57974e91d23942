//! What a scanner's beams do apart from measuring: fail, see no wall, stop short of it.
//!
//! Invariant: every beam is counted once; the shares of a census sum to one.
//! Metres. Predicted ranges are an argument, so that no map is needed here.
//!
//! Not here: the noise of a reading. The spread around predicted ranges holds the errors of map
//! and pose as well; it is reported and must not be used as the sensor's noise.

use nalgebra::Matrix2;
use serde::{Deserialize, Serialize};
use tiepoint_model::math;

use super::Estimate;
use super::error::{FitError, at_least, finite, range_limits};
use super::numeric::{LN_SQRT_TWO_PI, median_and_mad_sigma};

/// Fewer measured beams on predicted walls give no shares.
const HITS_MIN: usize = 50;

/// Least spread of readings around predicted ranges, metres.
const SPREAD_FLOOR_M: f64 = 1e-3;

/// Steps of the expectation-maximisation at most.
const ITERATIONS_MAX: usize = 500;

/// What counts as a measurement.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BeamLimits {
    /// Readings below are not measurements, metres.
    pub range_min_m: f64,
    /// Readings at or above are not measurements, metres.
    pub range_max_m: f64,
}

/// What the readings are, as shares of all beams; they sum to one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BeamCensus {
    /// All beams.
    pub count: usize,
    /// Measurements: within the limits.
    pub measured_share: f64,
    /// Exactly zero.
    pub zero_share: f64,
    /// NaN.
    pub nan_share: f64,
    /// Infinite.
    pub infinite_share: f64,
    /// Above zero but below the least range, or negative.
    pub below_min_share: f64,
    /// At or above the greatest range, finite.
    pub at_max_share: f64,
    /// The commonest reading that is no measurement: what the sensor writes when nothing returns.
    /// Infinite becomes the greatest range; absent if every reading is a measurement or if it is
    /// NaN.
    pub no_return_reading_m: Option<f64>,
}

/// Counts what the readings are.
///
/// # Errors
/// [`FitError::TooFew`] for no readings, [`FitError::Parameter`] for limits that make no sense.
pub fn beam_census(readings_m: &[f32], limits: &BeamLimits) -> Result<BeamCensus, FitError> {
    range_limits(limits.range_min_m, limits.range_max_m)?;
    at_least("readings", readings_m.len(), 1)?;
    let mut counts = [0_usize; 6];
    let mut at_max_m: Vec<f32> = Vec::new();
    for reading_m in readings_m {
        let kind = reading_kind(*reading_m, limits);
        counts[kind as usize] += 1;
        if kind == ReadingKind::AtMax {
            at_max_m.push(*reading_m);
        }
    }
    let count = readings_m.len();
    let share = |kind: ReadingKind| counts[kind as usize] as f64 / count as f64;
    let silent = [ReadingKind::Zero, ReadingKind::AtMax, ReadingKind::Infinite, ReadingKind::Nan];
    let commonest = silent
        .into_iter()
        .rev()
        .max_by_key(|kind| counts[*kind as usize])
        .filter(|kind| counts[*kind as usize] > 0);
    let no_return_reading_m = commonest.and_then(|kind| match kind {
        ReadingKind::Zero => Some(0.0),
        ReadingKind::Infinite => Some(limits.range_max_m),
        ReadingKind::AtMax => modal(&mut at_max_m),
        _ => None,
    });
    Ok(BeamCensus {
        count,
        measured_share: share(ReadingKind::Measured),
        zero_share: share(ReadingKind::Zero),
        nan_share: share(ReadingKind::Nan),
        infinite_share: share(ReadingKind::Infinite),
        below_min_share: share(ReadingKind::BelowMin),
        at_max_share: share(ReadingKind::AtMax),
        no_return_reading_m,
    })
}

#[derive(Clone, Copy, PartialEq)]
enum ReadingKind {
    Measured,
    Zero,
    Nan,
    Infinite,
    BelowMin,
    AtMax,
}

fn reading_kind(reading_m: f32, limits: &BeamLimits) -> ReadingKind {
    let reading_m = f64::from(reading_m);
    if reading_m.is_nan() {
        ReadingKind::Nan
    } else if reading_m.is_infinite() {
        ReadingKind::Infinite
    } else if reading_m == 0.0 {
        ReadingKind::Zero
    } else if reading_m < limits.range_min_m || reading_m < 0.0 {
        ReadingKind::BelowMin
    } else if reading_m >= limits.range_max_m {
        ReadingKind::AtMax
    } else {
        ReadingKind::Measured
    }
}

/// The commonest value, the least of several equally common ones; sorts the list.
fn modal(values: &mut [f32]) -> Option<f64> {
    values.sort_by(f32::total_cmp);
    let runs = values.chunk_by(|a, b| a == b);
    let best = runs.fold(None::<&[f32]>, |best, run| match best {
        Some(kept) if kept.len() >= run.len() => Some(kept),
        _ => Some(run),
    });
    best.and_then(|run| run.first()).map(|value| f64::from(*value))
}

/// How beams behave that should see a wall.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BeamMixtureReport {
    /// Share of the beams with a wall ahead that give no measurement; binomial standard error, too
    /// small where failures come in groups.
    pub failed_share: Estimate,
    /// Share of the measurements that stop short of the wall, beyond those that stray both ways.
    pub short_share: Estimate,
    /// Share of the measurements that lie elsewhere, as often behind the wall as before it:
    /// errors of the map and the pose at edges.
    pub stray_share: Estimate,
    /// Mean of measurement minus predicted range among those that hit, metres.
    pub bias_m: Estimate,
    /// Spread of the same, metres: sensor, map and pose together.
    pub spread_m: f64,
    /// Beams without a wall ahead.
    pub open_count: usize,
    /// Share of those that read a wall nevertheless: holes of the map.
    pub open_measured_share: Option<f64>,
    /// Commonest silent reading among beams without a wall, else among all, metres.
    pub no_return_reading_m: Option<f64>,
    /// Log-likelihood of the mixture after each step; never falls.
    pub log_likelihoods: Vec<f64>,
}

/// One measurement on a predicted wall.
struct Hit {
    residual_m: f64,
    /// Density of a stop before the wall, 1/m; 0 behind it.
    short: f64,
    /// Density of a reading elsewhere, 1/m.
    stray: f64,
}

/// Shares of failed, short and stray beams by expectation-maximisation.
///
/// Hit: normal around the wall plus a bias. Short: uniform from the least range to the wall.
/// Stray:
/// half uniform before the wall, half uniform from it to the greatest range.
///
/// # Inputs
/// Per beam the predicted range in metres (`None`: no wall within reach) and the reading.
///
/// # Errors
/// [`FitError::TooFew`] with fewer than 50 measurements on predicted walls;
/// [`FitError::NotFinite`] for a predicted range; [`FitError::Parameter`] for the limits.
pub fn fit_beam_mixture(
    beams: &[(Option<f64>, f32)],
    limits: &BeamLimits,
) -> Result<BeamMixtureReport, FitError> {
    range_limits(limits.range_min_m, limits.range_max_m)?;
    let mut hits = Vec::new();
    let mut open_m = Vec::new();
    let mut wall_count = 0;
    for (index, (predicted_m, reading_m)) in beams.iter().enumerate() {
        if let Some(wall_m) = predicted_m {
            finite("predicted range", index, *wall_m)?;
        }
        let seen_m = predicted_m
            .filter(|wall_m| *wall_m > limits.range_min_m && *wall_m < limits.range_max_m);
        let Some(wall_m) = seen_m else {
            open_m.push(*reading_m);
            continue;
        };
        wall_count += 1;
        if reading_kind(*reading_m, limits) == ReadingKind::Measured {
            hits.push(hit(wall_m, f64::from(*reading_m), limits));
        }
    }
    at_least("measurements on predicted walls", hits.len(), HITS_MIN)?;
    let all_m: Vec<f32> = beams.iter().map(|(_, reading_m)| *reading_m).collect();
    let open = if open_m.is_empty() { None } else { Some(beam_census(&open_m, limits)?) };
    let everywhere = beam_census(&all_m, limits)?;
    let mixture = mix(&hits);
    let failed = 1.0 - hits.len() as f64 / wall_count as f64;
    let failed_error = (failed * (1.0 - failed) / wall_count as f64).sqrt();
    let errors = share_errors(&hits, &mixture);
    let estimate = |value: f64, standard_error: Option<f64>| Estimate {
        value,
        standard_error,
        count: hits.len(),
    };
    let hit_count = mixture.shares[0] * hits.len() as f64;
    Ok(BeamMixtureReport {
        failed_share: Estimate {
            value: failed,
            standard_error: Some(failed_error),
            count: wall_count,
        },
        short_share: estimate(mixture.shares[1], errors.map(|errors| errors[0])),
        stray_share: estimate(mixture.shares[2], errors.map(|errors| errors[1])),
        bias_m: estimate(mixture.bias_m, Some(mixture.spread_m / hit_count.max(1.0).sqrt())),
        spread_m: mixture.spread_m,
        open_count: open_m.len(),
        open_measured_share: open.as_ref().map(|census| census.measured_share),
        no_return_reading_m: open
            .and_then(|census| census.no_return_reading_m)
            .or(everywhere.no_return_reading_m),
        log_likelihoods: mixture.log_likelihoods,
    })
}

fn hit(wall_m: f64, reading_m: f64, limits: &BeamLimits) -> Hit {
    let before = 1.0 / (wall_m - limits.range_min_m);
    let behind = 1.0 / (limits.range_max_m - wall_m);
    let (short, stray) =
        if reading_m <= wall_m { (before, 0.5 * before) } else { (0.0, 0.5 * behind) };
    Hit { residual_m: reading_m - wall_m, short, stray }
}

struct Mixture {
    /// Hit, short, stray.
    shares: [f64; 3],
    bias_m: f64,
    spread_m: f64,
    log_likelihoods: Vec<f64>,
}

impl Mixture {
    /// Parts of the density of one measurement, 1/m.
    fn parts(&self, hit: &Hit) -> [f64; 3] {
        let z = (hit.residual_m - self.bias_m) / self.spread_m;
        let density = math::exp(-0.5 * z * z - LN_SQRT_TWO_PI) / self.spread_m;
        [self.shares[0] * density, self.shares[1] * hit.short, self.shares[2] * hit.stray]
    }
}

fn mix(hits: &[Hit]) -> Mixture {
    let residuals_m: Vec<f64> = hits.iter().map(|hit| hit.residual_m).collect();
    let (bias_m, spread_m) = median_and_mad_sigma(&residuals_m);
    let mut mixture = Mixture {
        shares: [0.9, 0.05, 0.05],
        bias_m,
        spread_m: spread_m.max(SPREAD_FLOOR_M),
        log_likelihoods: Vec::new(),
    };
    for _ in 0..ITERATIONS_MAX {
        let mut log_likelihood = 0.0;
        let mut weights = [0.0; 3];
        let (mut first, mut second) = (0.0, 0.0);
        for hit in hits {
            let parts = mixture.parts(hit);
            let total = parts.iter().sum::<f64>().max(f64::MIN_POSITIVE);
            log_likelihood += math::ln(total);
            for (weight, part) in weights.iter_mut().zip(parts) {
                *weight += part / total;
            }
            first += parts[0] / total * hit.residual_m;
            second += parts[0] / total * hit.residual_m * hit.residual_m;
        }
        let gain = mixture.log_likelihoods.last().map(|last| log_likelihood - last);
        mixture.log_likelihoods.push(log_likelihood);
        if gain.is_some_and(|gain| gain < 1e-9 * log_likelihood.abs().max(1.0)) {
            break;
        }
        let sum: f64 = weights.iter().sum();
        mixture.shares = weights.map(|weight| weight / sum);
        if weights[0] > 1.0 {
            mixture.bias_m = first / weights[0];
            let variance = second / weights[0] - mixture.bias_m * mixture.bias_m;
            mixture.spread_m = variance.max(0.0).sqrt().max(SPREAD_FLOOR_M);
        }
    }
    mixture
}

/// Standard errors of the short and the stray share from the outer product of their scores.
fn share_errors(hits: &[Hit], mixture: &Mixture) -> Option<[f64; 2]> {
    let mut information = Matrix2::zeros();
    for hit in hits {
        let parts = mixture.parts(hit);
        let total = parts.iter().sum::<f64>().max(f64::MIN_POSITIVE);
        let by_hit = parts[0] / mixture.shares[0].max(f64::MIN_POSITIVE);
        let score = nalgebra::Vector2::new(hit.short - by_hit, hit.stray - by_hit) / total;
        information += score * score.transpose();
    }
    let covariance = information.try_inverse()?;
    let [short, stray] = [covariance[(0, 0)], covariance[(1, 1)]];
    (short > 0.0 && stray > 0.0 && short.is_finite() && stray.is_finite())
        .then(|| [short.sqrt(), stray.sqrt()])
}
