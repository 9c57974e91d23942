//! Wasserstein distances: on a line, of any order and with weights, and sliced along directions.
//!
//! Invariant: a root, so that every value has the unit of the coordinates; zero for equal samples,
//! symmetric, and the sliced one never above the distance in space.
//! Unit: that of the coordinates. Some packages return the p-th power: see [`wasserstein`].
//! Cost: `O(N log N)` time and `O(N)` memory on a line; that for each direction when sliced.
//!
//! Not here: the exact distance in space, and entropic approximations of it.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tiepoint_model::{Seed, math};

use super::rows::{Rows, finite};
use crate::{
    MeasureError, Metric, registry,
    statistics::{require_finite, require_positive},
};

/// The Wasserstein distance of order p of two samples on a line.
///
/// `W_p = (∫₀¹ |F⁻¹(u) − G⁻¹(u)|^p du)^(1/p)`. For p = 1 this is the area between the distribution
/// functions. POT's `wasserstein_1d(p=2)` gives `W_2²`, the power and not the root.
///
/// # Inputs
/// - `left`, `right`: samples in one unit, in any order.
/// - `order`: at least 1.
///
/// # Errors
/// [`MeasureError::Empty`], [`MeasureError::NotFinite`] (also where a power overflows),
/// [`MeasureError::InvalidOption`].
///
/// # Invariants
/// `wasserstein_grows_with_its_order`, `wasserstein_scales_and_shifts`.
///
/// # Source
/// Peyre and Cuturi, *Computational Optimal Transport*, 2019, remark 2.30; POT 0.9.7.
pub fn wasserstein(left: &[f64], right: &[f64], order: f64) -> Result<f64, MeasureError> {
    require_finite(left, "left sample")?;
    require_finite(right, "right sample")?;
    check_order(order)?;
    root(power_sorted(&sorted(left), &sorted(right), order), order)
}

/// The metric of this order.
#[must_use]
pub fn wasserstein_metric(order: f64) -> Metric {
    Metric::new(registry::DIST_WASSERSTEIN).with("order", order).with("form", "root")
}

/// The Wasserstein distance of order 1 of two weighted samples on a line.
///
/// Weights are divided by their sum.
///
/// # Errors
/// [`MeasureError::Empty`], [`MeasureError::NotFinite`], [`MeasureError::LengthMismatch`],
/// [`MeasureError::InvalidOption`] (a weight below zero, or a sum that is not above zero).
///
/// # Source
/// `scipy.stats.wasserstein_distance` 1.17.1 with weights.
pub fn wasserstein_weighted(
    left: (&[f64], &[f64]),
    right: (&[f64], &[f64]),
) -> Result<f64, MeasureError> {
    let mut steps: Vec<(f64, f64)> = Vec::with_capacity(left.0.len() + right.0.len());
    for ((values, weights), sign) in [(left, 1.0), (right, -1.0)] {
        require_finite(values, "values")?;
        require_finite(weights, "weights")?;
        if values.len() != weights.len() {
            return Err(MeasureError::LengthMismatch {
                left: "values",
                left_count: values.len(),
                right: "weights",
                right_count: weights.len(),
            });
        }
        if let Some(&value) = weights.iter().find(|weight| **weight < 0.0) {
            let requirement = "zero or above";
            return Err(MeasureError::InvalidOption { name: "weight", value, requirement });
        }
        let total: f64 = weights.iter().sum();
        require_positive(total, "sum of weights")?;
        let scaled = weights.iter().map(|weight| sign * weight / total);
        steps.extend(values.iter().copied().zip(scaled));
    }
    steps.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let (mut height, mut area) = (0.0_f64, 0.0);
    for pair in steps.windows(2) {
        height += pair[0].1;
        area += height.abs() * (pair[1].0 - pair[0].0);
    }
    finite(area, "Wasserstein distance")
}

/// Directions of a sliced distance, drawn uniformly from the sphere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Directions {
    /// Where the draws come from; direction k draws from the seed and k alone.
    pub seed: Seed,
    /// How many. The error of the mean over directions falls as `1 / sqrt(count)`.
    pub count: usize,
}

impl Directions {
    /// The metric along these directions.
    #[must_use]
    pub fn metric(&self, order: f64) -> Metric {
        Metric::new(registry::DIST_WASSERSTEIN_SLICED)
            .with("order", order)
            .with("directions", self.count)
            .with("seed", self.seed.0)
    }

    /// Unit vectors, row by row.
    fn draw(&self, column_count: usize) -> Vec<f64> {
        let seed = self.seed.for_purpose("direction");
        let mut directions = Vec::with_capacity(self.count * column_count);
        for index in 0..self.count as u64 {
            let mut draws = seed.draws(index, 0);
            let vector: Vec<f64> = (0..column_count).map(|_| draws.normal()).collect();
            let length = vector.iter().map(|value| value * value).sum::<f64>().sqrt();
            directions.extend(vector.iter().map(|value| value / length));
        }
        directions
    }
}

/// The sliced Wasserstein distance: `(mean over directions of W_p^p of the projections)^(1/p)`.
///
/// # Inputs
/// - `left`, `right`: points with the same columns.
/// - `order`: at least 1.
///
/// # Errors
/// [`MeasureError::LengthMismatch`], [`MeasureError::InvalidOption`], [`MeasureError::NotFinite`].
///
/// # Invariants
/// `sliced_wasserstein_is_symmetric_and_zero_on_equal_samples`,
/// `sliced_wasserstein_of_a_shift_is_below_the_shift`,
/// `results_do_not_depend_on_the_number_of_threads`.
///
/// # Source
/// Bonneel et al., *Sliced and Radon Wasserstein barycenters of measures*, 2015;
/// `ot.sliced_wasserstein_distance` of POT 0.9.7.
pub fn sliced_wasserstein(
    left: Rows,
    right: Rows,
    directions: &Directions,
    order: f64,
) -> Result<f64, MeasureError> {
    let column_count = left.same_columns(&right)?;
    require_positive(directions.count as f64, "direction count")?;
    let drawn = directions.draw(column_count);
    sliced_wasserstein_along(left, right, Rows::new(&drawn, column_count)?, order)
}

/// The same along given unit directions: to repeat another tool's draws.
///
/// # Errors
/// Those of [`sliced_wasserstein`]; [`MeasureError::InvalidOption`] for a direction whose length is
/// not 1 within 1e-9.
pub fn sliced_wasserstein_along(
    left: Rows,
    right: Rows,
    directions: Rows,
    order: f64,
) -> Result<f64, MeasureError> {
    left.same_columns(&right)?;
    left.same_columns(&directions)?;
    check_order(order)?;
    for direction in directions.iter() {
        let length = direction.iter().map(|value| value * value).sum::<f64>().sqrt();
        if (length - 1.0).abs() > 1e-9 {
            return Err(MeasureError::InvalidOption {
                name: "length of a direction",
                value: length,
                requirement: "1",
            });
        }
    }
    let powers: Vec<f64> = (0..directions.count())
        .into_par_iter()
        .map(|index| {
            let [a, b] = [left, right].map(|rows| sorted(&project(rows, directions.row(index))));
            power_sorted(&a, &b, order)
        })
        .collect();
    root(powers.iter().sum::<f64>() / powers.len() as f64, order)
}

fn project(rows: Rows, direction: &[f64]) -> Vec<f64> {
    rows.iter().map(|row| row.iter().zip(direction).map(|(a, b)| a * b).sum()).collect()
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}

fn check_order(order: f64) -> Result<(), MeasureError> {
    if order.is_finite() && order >= 1.0 {
        return Ok(());
    }
    Err(MeasureError::InvalidOption { name: "order", value: order, requirement: "at least 1" })
}

fn root(power: f64, order: f64) -> Result<f64, MeasureError> {
    let value = if order == 1.0 {
        power
    } else if order == 2.0 {
        power.sqrt()
    } else {
        math::pow(power, 1.0 / order)
    };
    finite(value, "Wasserstein distance")
}

/// `W_p^p` of two ascending samples: masses are whole multiples of `1 / nm`, so that quantiles meet
/// exactly.
fn power_sorted(left: &[f64], right: &[f64], order: f64) -> f64 {
    let (n, m) = (left.len() as u64, right.len() as u64);
    let (mut i, mut j) = (0, 0);
    let (mut left_mass, mut right_mass) = (m, n);
    let mut sum = 0.0;
    while i < left.len() && j < right.len() {
        let mass = left_mass.min(right_mass);
        let distance = (left[i] - right[j]).abs();
        let power = if order == 1.0 {
            distance
        } else if order == 2.0 {
            distance * distance
        } else {
            math::pow(distance, order)
        };
        sum += mass as f64 * power;
        left_mass -= mass;
        right_mass -= mass;
        if left_mass == 0 {
            i += 1;
            left_mass = m;
        }
        if right_mass == 0 {
            j += 1;
            right_mass = n;
        }
    }
    sum / (n as f64 * m as f64)
}
