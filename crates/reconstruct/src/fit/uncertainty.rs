//! Standard errors of a fitted range error model, right also where its errors are not independent.
//!
//! Invariant: the order of the parameters is fixed by the model; a parameter on its border, or
//! without information, is held and has no standard error.
//! Units as the name of each parameter says.
//!
//! Sandwich: the inverse of the numerical information around the long-run covariance of the scores
//! (White, Econometrica 50(1), 1982; Newey and West 1987).

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};
use tiepoint_model::sensor::RangeErrorModel;

use super::Estimate;
use super::numeric::{long_run_covariance, long_run_lags};
use super::range_error_model::log_densities;

/// One parameter of a fitted model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParameterEstimate {
    /// Its place in the model, with its unit: `regimes[0].sigma_m`.
    pub name: String,
    /// Its value and standard error.
    pub estimate: Estimate,
}

/// A parameter that may vary: where it is, and how to set it.
struct Slot {
    name: String,
    value: f64,
    /// Size of a small change.
    step: f64,
}

/// The free parameters of a model with their standard errors on the series that it was fitted to.
pub(crate) fn parameter_estimates(
    model: &RangeErrorModel,
    series_m: &[Option<f64>],
) -> Vec<ParameterEstimate> {
    let slots = slots(model);
    let errors = sandwich(model, &slots, series_m);
    let count = series_m.iter().flatten().count();
    slots
        .into_iter()
        .enumerate()
        .map(|(index, slot)| ParameterEstimate {
            name: slot.name,
            estimate: Estimate { value: slot.value, standard_error: errors[index], count },
        })
        .collect()
}

/// How many free parameters a model has.
pub(crate) fn parameter_count(model: &RangeErrorModel) -> usize {
    slots(model).len()
}

fn slots(model: &RangeErrorModel) -> Vec<Slot> {
    let slot = |name: String, value: f64, step: f64| Slot { name, value, step };
    match model {
        RangeErrorModel::Gaussian { mean_m, sigma_m } => vec![
            slot("mean_m".to_owned(), *mean_m, 1e-3 * sigma_m),
            slot("sigma_m".to_owned(), *sigma_m, 1e-3 * sigma_m),
        ],
        RangeErrorModel::HeavyTailed { location_m, scale_m, degrees_of_freedom } => vec![
            slot("location_m".to_owned(), *location_m, 1e-3 * scale_m),
            slot("scale_m".to_owned(), *scale_m, 1e-3 * scale_m),
            slot("degrees_of_freedom".to_owned(), *degrees_of_freedom, 1e-2 * degrees_of_freedom),
        ],
        RangeErrorModel::Mixture { components } => {
            let mut all = Vec::new();
            for (index, part) in components.iter().enumerate() {
                let name = |field: &str| format!("components[{index}].{field}");
                if index > 0 {
                    all.push(slot(name("weight"), part.weight, share_step(part.weight)));
                }
                all.push(slot(name("mean_m"), part.mean_m, 1e-3 * part.sigma_m));
                all.push(slot(name("sigma_m"), part.sigma_m, 1e-3 * part.sigma_m));
            }
            all
        }
        RangeErrorModel::RegimeSwitching { regimes, transition } => {
            let mut all = Vec::new();
            for (index, regime) in regimes.iter().enumerate() {
                let name = |field: &str| format!("regimes[{index}].{field}");
                let rest = 1.0 - regime.autocorrelation.abs();
                all.push(slot(name("mean_m"), regime.mean_m, 1e-3 * regime.sigma_m));
                all.push(slot(name("sigma_m"), regime.sigma_m, 1e-3 * regime.sigma_m));
                all.push(slot(name("autocorrelation"), regime.autocorrelation, 1e-2 * rest));
            }
            for (i, row) in transition.iter().enumerate() {
                for (j, share) in row.iter().enumerate().filter(|(j, _)| *j != i) {
                    all.push(slot(format!("transition[{i}][{j}]"), *share, share_step(*share)));
                }
            }
            all
        }
    }
}

fn share_step(share: f64) -> f64 {
    1e-2 * share.min(1.0 - share)
}

/// The model with its free parameters replaced, in the order of [`slots`].
fn with_values(model: &RangeErrorModel, values: &[f64]) -> RangeErrorModel {
    let mut next = values.iter().copied();
    let mut take = || next.next().unwrap_or(0.0);
    let mut changed = model.clone();
    match &mut changed {
        RangeErrorModel::Gaussian { mean_m, sigma_m } => {
            *mean_m = take();
            *sigma_m = take();
        }
        RangeErrorModel::HeavyTailed { location_m, scale_m, degrees_of_freedom } => {
            *location_m = take();
            *scale_m = take();
            *degrees_of_freedom = take();
        }
        RangeErrorModel::Mixture { components } => {
            let mut others = 0.0;
            for (index, part) in components.iter_mut().enumerate() {
                if index > 0 {
                    part.weight = take();
                    others += part.weight;
                }
                part.mean_m = take();
                part.sigma_m = take();
            }
            if let Some(first) = components.first_mut() {
                first.weight = 1.0 - others;
            }
        }
        RangeErrorModel::RegimeSwitching { regimes, transition } => {
            for regime in regimes {
                regime.mean_m = take();
                regime.sigma_m = take();
                regime.autocorrelation = take();
            }
            for (i, row) in transition.iter_mut().enumerate() {
                let mut others = 0.0;
                for (j, share) in row.iter_mut().enumerate() {
                    if i != j {
                        *share = take();
                        others += *share;
                    }
                }
                row[i] = 1.0 - others;
            }
        }
    }
    changed
}

fn sandwich(model: &RangeErrorModel, slots: &[Slot], series_m: &[Option<f64>]) -> Vec<Option<f64>> {
    let size = slots.len();
    let densities = |moves: &[(usize, f64)]| {
        let mut values: Vec<f64> = slots.iter().map(|slot| slot.value).collect();
        for (index, sign) in moves {
            values[*index] += sign * slots[*index].step;
        }
        log_densities(&with_values(model, &values), series_m)
    };
    let base = densities(&[]);
    let count = base.len();
    let mut scores: Vec<Vec<f64>> = Vec::with_capacity(size);
    let mut information = DMatrix::<f64>::zeros(size, size);
    for (i, slot) in slots.iter().enumerate() {
        let (up, down) = (densities(&[(i, 1.0)]), densities(&[(i, -1.0)]));
        let bend = up.iter().zip(&down).zip(&base).map(|((up, down), base)| up + down - 2.0 * base);
        information[(i, i)] = -bend.sum::<f64>() / (slot.step * slot.step);
        scores
            .push(up.iter().zip(&down).map(|(up, down)| (up - down) / (2.0 * slot.step)).collect());
    }
    for i in 0..size {
        for j in 0..i {
            let total = |a: f64, b: f64| densities(&[(i, a), (j, b)]).iter().sum::<f64>();
            let bend = total(1.0, 1.0) - total(1.0, -1.0) - total(-1.0, 1.0) + total(-1.0, -1.0);
            let entry = -bend / (4.0 * slots[i].step * slots[j].step);
            information[(i, j)] = entry;
            information[(j, i)] = entry;
        }
    }
    if !information.iter().all(|entry| entry.is_finite()) {
        return vec![None; size];
    }
    let slopes: Vec<f64> = scores.iter().map(|score| score.iter().sum()).collect();
    let (inner, inverse) = invert_inner(&information, &slopes);
    let lags = long_run_lags(count);
    let scatter = DMatrix::from_fn(inner.len(), inner.len(), |i, j| {
        long_run_covariance(&scores[inner[i]], &scores[inner[j]], lags) * count as f64
    });
    let covariance = &inverse * scatter * &inverse;
    let mut errors = vec![None; size];
    for (place, index) in inner.into_iter().enumerate() {
        let variance = covariance[(place, place)];
        errors[index] = (variance.is_finite() && variance > 0.0).then(|| variance.sqrt());
    }
    errors
}

/// The parameters inside their range, and the inverse of their information.
///
/// A parameter on its border has a slope that is steep for its information, or no information; it
/// is held, and so is the steepest of the rest until the information is positive definite.
fn invert_inner(information: &DMatrix<f64>, slopes: &[f64]) -> (Vec<usize>, DMatrix<f64>) {
    let steepness = |index: usize| {
        let own = information[(index, index)];
        if own > 0.0 { slopes[index] * slopes[index] / own } else { f64::INFINITY }
    };
    let mut inner: Vec<usize> = (0..slopes.len()).filter(|index| steepness(*index) < 1.0).collect();
    inner.sort_by(|a, b| steepness(*a).total_cmp(&steepness(*b)).then(a.cmp(b)));
    loop {
        let part =
            DMatrix::from_fn(inner.len(), inner.len(), |i, j| information[(inner[i], inner[j])]);
        if let Some(factor) = part.cholesky() {
            return (inner, factor.inverse());
        }
        if inner.pop().is_none() {
            return (inner, DMatrix::zeros(0, 0));
        }
    }
}
