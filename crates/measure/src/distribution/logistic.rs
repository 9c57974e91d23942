//! Logistic regression with a quadratic penalty, solved to convergence.
//!
//! Invariant: the objective is strictly convex in the weights, so that there is one answer and no
//! seed.
//! Cost: `O(n d² + d³)` for each of about eight Newton steps.
//!
//! Not here: choice of the penalty.

use nalgebra::{DMatrix, DVector};
use tiepoint_model::math;

use super::rows::Rows;
use crate::MeasureError;

const STEPS_MAX: usize = 100;

/// Weights and intercept of `P(second | x) = 1 / (1 + exp(−(w·x + b)))`.
pub(super) struct Logistic {
    weights: Vec<f64>,
    intercept: f64,
}

impl Logistic {
    /// Minimises `½ |w|² + C Σ log loss`; the intercept is not penalised.
    pub(super) fn fit(
        rows: Rows,
        members: &[usize],
        is_second: &[bool],
        inverse_penalty: f64,
    ) -> Result<Self, MeasureError> {
        let d = rows.column_count();
        let problem = Problem { rows, members, is_second, inverse_penalty };
        let mut at = DVector::zeros(d + 1);
        let mut loss = problem.loss(&at);
        for _ in 0..STEPS_MAX {
            let (gradient, curvature) = problem.derivatives(&at);
            let Some(factor) = curvature.cholesky() else { break };
            let step = factor.solve(&gradient);
            let mut length = 1.0;
            let mut next = &at - &step;
            let mut next_loss = problem.loss(&next);
            while next_loss > loss && length > 1e-8 {
                length *= 0.5;
                next = &at - &step * length;
                next_loss = problem.loss(&next);
            }
            let is_done = step.amax() <= 1e-12 * (1.0 + at.amax()) || next_loss >= loss;
            if next_loss <= loss {
                at = next;
                loss = next_loss;
            }
            if is_done {
                let weights = at.rows(0, d).iter().copied().collect();
                return Ok(Self { weights, intercept: at[d] });
            }
        }
        Err(MeasureError::NotFinite { what: "logistic regression", index: 0 })
    }

    /// `w·x + b`: positive for the second sample.
    pub(super) fn score(&self, row: &[f64]) -> f64 {
        row.iter().zip(&self.weights).map(|(a, b)| a * b).sum::<f64>() + self.intercept
    }
}

struct Problem<'a> {
    rows: Rows<'a>,
    members: &'a [usize],
    is_second: &'a [bool],
    inverse_penalty: f64,
}

impl Problem<'_> {
    fn score(&self, at: &DVector<f64>, index: usize) -> f64 {
        let row = self.rows.row(index);
        row.iter().zip(at.iter()).map(|(a, b)| a * b).sum::<f64>() + at[row.len()]
    }

    fn loss(&self, at: &DVector<f64>) -> f64 {
        let mut loss = 0.0;
        for &index in self.members {
            let score = self.score(at, index);
            let margin = if self.is_second[index] { -score } else { score };
            // ln(1 + exp(margin)) without overflow.
            loss += margin.max(0.0) + math::ln_1p(math::exp(-margin.abs()));
        }
        let d = at.len() - 1;
        let penalty: f64 = at.rows(0, d).iter().map(|weight| weight * weight).sum();
        0.5 * penalty + self.inverse_penalty * loss
    }

    fn derivatives(&self, at: &DVector<f64>) -> (DVector<f64>, DMatrix<f64>) {
        let d = at.len() - 1;
        let mut gradient = DVector::zeros(d + 1);
        let mut curvature = DMatrix::zeros(d + 1, d + 1);
        for k in 0..d {
            gradient[k] = at[k];
            curvature[(k, k)] = 1.0;
        }
        for &index in self.members {
            let row = self.rows.row(index);
            let score = self.score(at, index);
            let small = math::exp(-score.abs());
            let chance = if score >= 0.0 { 1.0 / (1.0 + small) } else { small / (1.0 + small) };
            let error =
                self.inverse_penalty * (chance - f64::from(u8::from(self.is_second[index])));
            let weight = self.inverse_penalty * small / ((1.0 + small) * (1.0 + small));
            for (i, &a) in row.iter().chain(&[1.0]).enumerate() {
                gradient[i] += error * a;
                for (j, &b) in row.iter().chain(&[1.0]).enumerate().take(i + 1) {
                    curvature[(i, j)] += weight * a * b;
                }
            }
        }
        for i in 0..=d {
            for j in 0..i {
                curvature[(j, i)] = curvature[(i, j)];
            }
            // Keeps a flat intercept solvable; it moves no answer by more than rounding.
            curvature[(i, i)] += 1e-12;
        }
        (gradient, curvature)
    }
}
