//! What a range error model says: densities of a series of errors, and series drawn from it.
//!
//! Invariant: densities are one-step predictive, so that models with and without a memory compare
//! on the same readings; a draw depends on the seed and its place only.
//! Metres, nats.
//!
//! Not here: fitting (see [`super::range_error`]).

use std::f64::consts::PI;

use tiepoint_model::seed::Draws;
use tiepoint_model::sensor::{NormalComponent, RangeErrorModel, Regime};
use tiepoint_model::{Seed, math};

use super::error::{FitError, finite, positive};
use super::hidden_markov::{predictive, stationary_distribution};
use super::mixture::{component_logs, log_student_pdf};
use super::numeric::{log_normal_pdf, log_sum_exp};

/// Log-density of each present reading given those before it, in nats per metre, in order.
///
/// # Errors
/// [`FitError::NotFinite`] for a reading; [`FitError::Parameter`] or [`FitError::LengthMismatch`]
/// for a model whose numbers make no law (a standard deviation of zero, a share of zero or less).
pub fn predictive_log_densities(
    model: &RangeErrorModel,
    series_m: &[Option<f64>],
) -> Result<Vec<f64>, FitError> {
    check_model(model)?;
    check_series(series_m)?;
    Ok(log_densities(model, series_m))
}

/// A series of errors drawn from the model, one per place, metres.
///
/// # Errors
/// [`FitError::Parameter`], [`FitError::LengthMismatch`] for a model whose numbers make no law.
pub fn simulate_range_errors(
    model: &RangeErrorModel,
    count: usize,
    seed: Seed,
) -> Result<Vec<f64>, FitError> {
    check_model(model)?;
    Ok(draw_series(model, count, seed))
}

pub(crate) fn check_series(series_m: &[Option<f64>]) -> Result<(), FitError> {
    for (index, value) in series_m.iter().enumerate() {
        finite("range error", index, value.unwrap_or(0.0))?;
    }
    Ok(())
}

fn check_model(model: &RangeErrorModel) -> Result<(), FitError> {
    match model {
        RangeErrorModel::Gaussian { mean_m, sigma_m } => {
            finite("mean_m", 0, *mean_m)?;
            positive("sigma_m", *sigma_m)
        }
        RangeErrorModel::HeavyTailed { location_m, scale_m, degrees_of_freedom } => {
            finite("location_m", 0, *location_m)?;
            positive("scale_m", *scale_m)?;
            positive("degrees_of_freedom", *degrees_of_freedom)
        }
        RangeErrorModel::Mixture { components } => check_components(components),
        RangeErrorModel::RegimeSwitching { regimes, transition } => {
            check_regimes(regimes, transition)
        }
    }
}

fn check_components(components: &[NormalComponent]) -> Result<(), FitError> {
    for (index, component) in components.iter().enumerate() {
        finite("mean_m", index, component.mean_m)?;
        positive("sigma_m", component.sigma_m)?;
    }
    check_distribution(components.iter().map(|component| component.weight))
}

fn check_regimes(regimes: &[Regime], transition: &[Vec<f64>]) -> Result<(), FitError> {
    for (index, regime) in regimes.iter().enumerate() {
        finite("mean_m", index, regime.mean_m)?;
        positive("sigma_m", regime.sigma_m)?;
        positive("1 - |autocorrelation|", 1.0 - regime.autocorrelation.abs())?;
    }
    let count = regimes.len();
    if count == 0 {
        return Err(FitError::TooFew { what: "regimes", count, minimum: 1 });
    }
    let odd = transition.iter().map(Vec::len).find(|length| *length != count);
    let wrong = if transition.len() == count { odd } else { Some(transition.len()) };
    if let Some(found) = wrong {
        return Err(FitError::LengthMismatch {
            what: "transition",
            count: found,
            expected_count: count,
        });
    }
    transition.iter().try_for_each(|row| check_distribution(row.iter().copied()))
}

/// Shares above zero that sum to one within the rounding of a written number.
fn check_distribution(shares: impl Iterator<Item = f64>) -> Result<(), FitError> {
    let mut total = 0.0;
    for share in shares {
        positive("share", share)?;
        total += share;
    }
    if (total - 1.0).abs() > 1e-6 {
        return Err(FitError::Parameter { parameter: "shares", value: total, must: "1 in sum" });
    }
    Ok(())
}

/// The same as [`predictive_log_densities`] for a model that is known to be sound.
pub(crate) fn log_densities(model: &RangeErrorModel, series_m: &[Option<f64>]) -> Vec<f64> {
    let each = |density: &dyn Fn(f64) -> f64| {
        series_m.iter().flatten().map(|value| density(*value)).collect()
    };
    match model {
        RangeErrorModel::Gaussian { mean_m, sigma_m } => {
            each(&|value| log_normal_pdf(value, *mean_m, *sigma_m))
        }
        RangeErrorModel::HeavyTailed { location_m, scale_m, degrees_of_freedom } => {
            each(&|value| log_student_pdf(value, *location_m, *scale_m, *degrees_of_freedom))
        }
        RangeErrorModel::Mixture { components } => {
            each(&|value| log_sum_exp(&component_logs(value, components)))
        }
        RangeErrorModel::RegimeSwitching { regimes, transition } => {
            predictive(regimes, transition, series_m)
        }
    }
}

/// The same as [`simulate_range_errors`] for a model that is known to be sound.
pub(crate) fn draw_series(model: &RangeErrorModel, count: usize, seed: Seed) -> Vec<f64> {
    let each = |error_of: &dyn Fn(&mut Draws) -> f64| {
        (0..count).map(|index| error_of(&mut seed.draws(index as u64, 0))).collect()
    };
    match model {
        RangeErrorModel::Gaussian { mean_m, sigma_m } => {
            each(&|draws| mean_m + sigma_m * draws.normal())
        }
        RangeErrorModel::HeavyTailed { location_m, scale_m, degrees_of_freedom } => {
            each(&|draws| location_m + scale_m * student_draw(draws, *degrees_of_freedom))
        }
        RangeErrorModel::Mixture { components } => {
            let shares: Vec<f64> = components.iter().map(|component| component.weight).collect();
            each(&|draws| {
                let component = components[choose(&shares, draws.uniform())];
                component.mean_m + component.sigma_m * draws.normal()
            })
        }
        RangeErrorModel::RegimeSwitching { regimes, transition } => {
            draw_regimes(regimes, transition, count, seed)
        }
    }
}

fn draw_regimes(regimes: &[Regime], transition: &[Vec<f64>], count: usize, seed: Seed) -> Vec<f64> {
    let initial = stationary_distribution(transition);
    let mut state: Option<(usize, f64)> = None;
    let mut errors_m = Vec::with_capacity(count);
    for index in 0..count {
        let mut draws = seed.draws(index as u64, 0);
        let row = state.map_or(&initial, |(regime, _)| &transition[regime]);
        let here = choose(row, draws.uniform());
        let noise = draws.normal();
        let memory = regimes[here].autocorrelation;
        let standard = match state {
            Some((before, standard)) if before == here => {
                memory * standard + (1.0 - memory * memory).sqrt() * noise
            }
            _ => noise,
        };
        state = Some((here, standard));
        errors_m.push(regimes[here].mean_m + regimes[here].sigma_m * standard);
    }
    errors_m
}

/// Student's t without rejection: Bailey, Mathematics of Computation 62, 1994.
fn student_draw(draws: &mut Draws, degrees_of_freedom: f64) -> f64 {
    let power = math::pow(draws.uniform(), -2.0 / degrees_of_freedom);
    let radius = (degrees_of_freedom * (power - 1.0)).max(0.0).sqrt();
    (radius * math::cos(2.0 * PI * draws.uniform())).clamp(-f64::MAX, f64::MAX)
}

fn choose(shares: &[f64], place: f64) -> usize {
    let mut rest = place;
    for (index, share) in shares.iter().enumerate() {
        if rest < *share {
            return index;
        }
        rest -= share;
    }
    shares.len() - 1
}
