//! Two noise terms of odometry behind the known variance of a reference, by maximum likelihood.
//!
//! Invariant: a step of the search never loses likelihood, and no variance is negative.
//! Unit of a term: that of the residual over the square root of that of its gain.
//!
//! Not here: scale and bias (see [`super::odometry`]).

use nalgebra::{Matrix2, Vector2};
use tiepoint_model::math;

use super::numeric::LN_SQRT_TWO_PI;
use super::odometry::Identification;

/// A one-sided 5 % likelihood-ratio test of a variance at its border: half of 1.6449 squared.
const LOG_RATIO_MIN: f64 = 1.352_77;

/// Least variance of a step, m^2 or rad^2: a perfect reference and perfect wheels divide by it.
pub(crate) const VARIANCE_FLOOR: f64 = 1e-14;

/// One residual with the part of its variance that is known.
pub(crate) struct Residual {
    pub(crate) value: f64,
    pub(crate) known_variance: f64,
    /// What multiplies the two unknown variances.
    pub(crate) gains: [f64; 2],
}

/// Two noise terms and whether the data tell them.
pub(crate) struct Noise {
    pub(crate) first: (f64, Identification),
    pub(crate) second: (f64, Identification),
}

impl Noise {
    pub(crate) fn none() -> Self {
        Self { first: (0.0, Identification::NoMotion), second: (0.0, Identification::NoMotion) }
    }
}

/// Maximum likelihood of two noise terms, and whether the data tell each from zero.
pub(crate) fn fit_noise(residuals: &[Residual]) -> Noise {
    let (best, best_score) = climb(residuals, [true, true]);
    let term = |index: usize| {
        if gain_of(residuals, index) <= 0.0 {
            return (0.0, Identification::NoMotion);
        }
        let mut free = [true, true];
        free[index] = false;
        let advantage = best_score - climb(residuals, free).1;
        if advantage > LOG_RATIO_MIN {
            return (best[index], Identification::Identified);
        }
        let upper_bound = upper_bound(residuals, best, index);
        (best[index], Identification::BelowReferenceError { upper_bound })
    };
    Noise { first: term(0), second: term(1) }
}

/// The values alone, for the rounds before the last.
pub(crate) fn fit_noise_values(residuals: &[Residual]) -> Noise {
    let ([first, second], _) = climb(residuals, [true, true]);
    let told = Identification::Identified;
    Noise { first: (first, told), second: (second, told) }
}

fn gain_of(residuals: &[Residual], term: usize) -> f64 {
    residuals.iter().map(|residual| residual.gains[term]).sum()
}

fn variance_of(residual: &Residual, terms: [f64; 2]) -> f64 {
    let unknown = terms[0] * residual.gains[0] + terms[1] * residual.gains[1];
    (unknown + residual.known_variance).max(VARIANCE_FLOOR)
}

/// Log-likelihood of the two variances.
fn noise_score(residuals: &[Residual], terms: [f64; 2]) -> f64 {
    let one = |residual: &Residual| {
        let variance = variance_of(residual, terms);
        -0.5 * (residual.value * residual.value / variance + math::ln(variance)) - LN_SQRT_TWO_PI
    };
    residuals.iter().map(one).sum()
}

/// The best pair of terms (as standard deviations) and its log-likelihood.
///
/// Fisher's scoring: squared residuals regressed on the gains with weights of the inverse squared
/// variance, variances not negative; a step that loses is halved. A term that is not free stays
/// zero.
fn climb(residuals: &[Residual], is_free: [bool; 2]) -> ([f64; 2], f64) {
    let square: f64 = residuals.iter().map(|residual| residual.value * residual.value).sum();
    let mut best = [0, 1].map(|term| {
        let gain = gain_of(residuals, term);
        if is_free[term] && gain > 0.0 { 0.5 * square / gain } else { 0.0 }
    });
    let mut score = noise_score(residuals, best);
    for _ in 0..200 {
        let aim = scoring_step(residuals, best, is_free);
        let mut share = 1.0;
        let mut next = (best, score);
        while share > 1e-9 {
            let tried = [0, 1].map(|term| best[term] + share * (aim[term] - best[term]));
            let tried_score = noise_score(residuals, tried);
            if tried_score > score {
                next = (tried, tried_score);
                break;
            }
            share *= 0.5;
        }
        let gained = next.1 - score;
        (best, score) = next;
        if gained <= 1e-10 * score.abs().max(1.0) {
            break;
        }
    }
    (best.map(f64::sqrt), score)
}

fn scoring_step(residuals: &[Residual], terms: [f64; 2], is_free: [bool; 2]) -> [f64; 2] {
    let mut normal = Matrix2::zeros();
    let mut right = Vector2::zeros();
    for residual in residuals {
        let variance = variance_of(residual, terms);
        let row = Vector2::from(residual.gains) / variance;
        normal += row * row.transpose();
        right += row * ((residual.value * residual.value - residual.known_variance) / variance);
    }
    let alone = |term: usize| {
        let has_gain = is_free[term] && normal[(term, term)] > 0.0;
        if has_gain { (right[term] / normal[(term, term)]).max(0.0) } else { 0.0 }
    };
    if is_free == [true, true]
        && let Some(both) = normal.try_inverse().map(|inverse| inverse * right)
        && both[0] >= 0.0
        && both[1] >= 0.0
    {
        return [both[0], both[1]];
    }
    // On the border one term explains everything: the one that explains more.
    let explained = |term: usize| alone(term) * right[term];
    if explained(0) >= explained(1) { [alone(0), 0.0] } else { [0.0, alone(1)] }
}

/// Where the likelihood of one term, the other at its best, has fallen by the test's threshold.
fn upper_bound(residuals: &[Residual], best: [f64; 2], term: usize) -> f64 {
    let at = |sigma: f64| {
        let mut terms = best.map(|sigma| sigma * sigma);
        terms[term] = sigma * sigma;
        noise_score(residuals, terms)
    };
    let wanted = at(best[term]) - LOG_RATIO_MIN;
    let square: f64 = residuals.iter().map(|residual| residual.value * residual.value).sum();
    let far = 10.0 * (square / gain_of(residuals, term)).sqrt();
    let (mut inside, mut outside) = (best[term], best[term] + far);
    for _ in 0..60 {
        let middle = 0.5 * (inside + outside);
        if at(middle) > wanted { inside = middle } else { outside = middle }
    }
    outside
}
