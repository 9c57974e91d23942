//! Mutual information of two columns, by nearest neighbours.
//!
//! Invariant: never negative, symmetric in the columns, and unchanged by a shift or a power of two
//! of either: each is scaled by its own spread first.
//! Unit: nats.
//! Cost: `O(n log n)` for the counts; for the neighbours `O(n w)`, where w is how many points lie
//! within a neighbour's distance in the first column, about `sqrt(n k)` of spread-out ones and n of
//! equal ones; memory `O(n)`.
//!
//! Not here: categories, and dependence given a third column.

use rayon::prelude::*;

use crate::{MeasureError, Metric, registry, statistics::require_finite};

/// How many neighbours are usual, and scikit-learn's default.
pub const INFORMATION_NEIGHBOURS: usize = 3;

/// The metric with its number of neighbours.
#[must_use]
pub fn information_metric(neighbours: usize) -> Metric {
    Metric::new(registry::DIST_MUTUAL_INFORMATION)
        .with("estimator", "kraskov 1")
        .with("neighbours", neighbours)
}

/// Mutual information of two continuous columns: what one says about the other, whatever the form.
///
/// `ψ(n) + ψ(k) − mean ψ(a + 1) − mean ψ(b + 1)`, where a and b count the other points that are
/// nearer in one column alone than the k-th neighbour is in both (largest of the two differences).
/// An estimate below zero is zero. Both columns are divided by their standard deviations.
/// Equal values are taken as they are: scikit-learn adds noise of 1e-10 to break ties, which
/// matters only where more than k points coincide.
///
/// # Inputs
/// - `x`, `y`: row i belongs together; more than `neighbours` rows.
///
/// # Errors
/// [`MeasureError::LengthMismatch`], [`MeasureError::TooFew`], [`MeasureError::NotFinite`],
/// [`MeasureError::Constant`], [`MeasureError::InvalidOption`] (no neighbours).
///
/// # Invariants
/// `information_is_symmetric_and_grows_with_dependence`,
/// `information_of_normal_columns_is_known`.
///
/// # Source
/// Kraskov, Stogbauer and Grassberger, *Estimating mutual information*, 2004, first estimator;
/// `sklearn.feature_selection.mutual_info_regression` 1.9.1.
pub fn mutual_information(x: &[f64], y: &[f64], neighbours: usize) -> Result<f64, MeasureError> {
    require_finite(x, "x")?;
    require_finite(y, "y")?;
    if x.len() != y.len() {
        let (left_count, right_count) = (x.len(), y.len());
        let (left, right) = ("x", "y");
        return Err(MeasureError::LengthMismatch { left, left_count, right, right_count });
    }
    if neighbours == 0 {
        let (name, requirement) = ("neighbours", "at least 1");
        return Err(MeasureError::InvalidOption { name, value: 0.0, requirement });
    }
    let n = x.len();
    if n <= neighbours {
        let min = neighbours.saturating_add(1);
        return Err(MeasureError::TooFew { what: "x", count: n, min });
    }
    let (x, y) = (scaled(x, "x")?, scaled(y, "y")?);
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_unstable_by(|&a, &b| x[a].total_cmp(&x[b]).then(a.cmp(&b)));
    let by_x: Vec<[f64; 2]> = order.iter().map(|&index| [x[index], y[index]]).collect();
    let sorted_x: Vec<f64> = by_x.iter().map(|point| point[0]).collect();
    let mut sorted_y = y;
    sorted_y.sort_unstable_by(f64::total_cmp);
    let harmonic = harmonic_numbers(n);
    // ψ(j) = H(j − 1) − γ, and γ cancels.
    let terms: Vec<f64> = (0..n)
        .into_par_iter()
        .map(|place| {
            let [own_x, own_y] = by_x[place];
            let radius = neighbour_distance(&by_x, place, neighbours);
            let of_x = harmonic[count_nearer(&sorted_x, own_x, radius)];
            of_x + harmonic[count_nearer(&sorted_y, own_y, radius)]
        })
        .collect();
    let mean = terms.iter().sum::<f64>() / n as f64;
    Ok((harmonic[n - 1] + harmonic[neighbours - 1] - mean).max(0.0))
}

/// Divided by the standard deviation, after a power of two that keeps squares in range.
fn scaled(values: &[f64], what: &'static str) -> Result<Vec<f64>, MeasureError> {
    let largest = values.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
    let mut factor = 1.0_f64;
    while largest * factor > 1e100 {
        factor *= 0.5;
    }
    while largest > 0.0 && largest * factor < 1e-100 {
        factor *= 2.0;
    }
    let n = values.len() as f64;
    let mean = values.iter().map(|value| value * factor).sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v * factor - mean) * (v * factor - mean)).sum();
    let deviation = (squares / n).sqrt();
    if values.iter().all(|value| *value == values[0]) || deviation <= 0.0 {
        return Err(MeasureError::Constant { what });
    }
    Ok(values.iter().map(|value| value * factor / deviation).collect())
}

/// `H(0) ..= H(n)`.
fn harmonic_numbers(n: usize) -> Vec<f64> {
    let mut sum = 0.0;
    let rest = (1..=n).map(|index| {
        sum += 1.0 / index as f64;
        sum
    });
    std::iter::once(0.0).chain(rest).collect()
}

/// Distance to the k-th nearest other point, the larger of both differences; points by x.
fn neighbour_distance(by_x: &[[f64; 2]], place: usize, k: usize) -> f64 {
    let [own_x, own_y] = by_x[place];
    let mut nearest = vec![f64::INFINITY; k];
    let (mut before, mut after) = (place, place + 1);
    loop {
        let gap_before = if before > 0 { own_x - by_x[before - 1][0] } else { f64::INFINITY };
        let gap_after = if after < by_x.len() { by_x[after][0] - own_x } else { f64::INFINITY };
        let gap = gap_before.min(gap_after);
        if gap >= nearest[k - 1] {
            return nearest[k - 1];
        }
        let other = if gap_before <= gap_after {
            before -= 1;
            before
        } else {
            after += 1;
            after - 1
        };
        let distance = gap.max((own_y - by_x[other][1]).abs());
        if distance < nearest[k - 1] {
            let at = nearest.partition_point(|kept| *kept <= distance);
            nearest[at..].rotate_right(1);
            nearest[at] = distance;
        }
    }
}

/// How many other values are nearer than `radius`; those that are equal where the radius is 0.
fn count_nearer(sorted: &[f64], own: f64, radius: f64) -> usize {
    let largest = if radius > 0.0 { radius.next_down() } else { 0.0 };
    let first = sorted.partition_point(|value| own - value > largest);
    let end = sorted.partition_point(|value| value - own <= largest);
    end - first - 1
}
