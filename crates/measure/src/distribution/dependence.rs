//! Dependence between columns, and how it differs between two samples.
//!
//! Invariant: a coefficient is symmetric in its two columns and never leaves its range; a constant
//! column has none, and says so.
//! No units.
//! Cost: `O(n)` (Pearson), `O(n log n)` (Spearman, Kendall), `O(n²)` time and `O(n)` memory
//! (distance correlation), for each pair of columns; mutual information: see
//! [`super::mutual_information`].
//!
//! Not here: cause, and dependence of more than two columns at once.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use tiepoint_model::math::exp;

use super::{
    information::{INFORMATION_NEIGHBOURS, mutual_information},
    ranks::mid_ranks,
    rows::Rows,
};
use crate::{MeasureError, Metric, registry, statistics::require_finite};

/// Which coefficient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Correlation {
    /// Linear dependence, in `[-1, 1]`.
    Pearson,
    /// Pearson's of ranks, ties sharing theirs: monotone dependence, in `[-1, 1]`.
    Spearman,
    /// Concordant less discordant pairs, corrected for ties (tau-b), in `[-1, 1]`.
    KendallTauB,
    /// Distance correlation, in `[0, 1]`; with endless samples 0 only for independent columns. The
    /// biased form, which is above 0 in small ones.
    Distance,
    /// Mutual information I of three neighbours, as Linfoot's `sqrt(1 - exp(-2 I))`, in `[0, 1)`:
    /// for normal columns the size of Pearson's.
    MutualInformation,
}

impl Correlation {
    fn name(self) -> &'static str {
        match self {
            Self::Pearson => "pearson",
            Self::Spearman => "spearman",
            Self::KendallTauB => "kendall tau-b",
            Self::Distance => "distance",
            Self::MutualInformation => "mutual information",
        }
    }

    /// The metric of the largest difference under this coefficient.
    #[must_use]
    pub fn metric(self) -> Metric {
        Metric::new(registry::DIST_DEPENDENCE_DIFFERENCE).with("coefficient", self.name())
    }

    /// The coefficient of two columns.
    ///
    /// # Inputs
    /// - `x`, `y`: row i belongs together; at least 2 rows.
    ///
    /// # Errors
    /// [`MeasureError::LengthMismatch`], [`MeasureError::TooFew`], [`MeasureError::NotFinite`],
    /// [`MeasureError::Constant`].
    ///
    /// # Invariants
    /// `correlations_are_symmetric_and_one_with_themselves`,
    /// `rank_correlations_ignore_monotone_maps`, `kendall_agrees_with_counting_pairs`.
    ///
    /// # Source
    /// `scipy.stats.{pearsonr, spearmanr, kendalltau}` 1.17.1; Knight 1966; Szekely, Rizzo and
    /// Bakirov, *Measuring and testing dependence by correlation of distances*, 2007; Linfoot, *An
    /// informational measure of correlation*, 1957.
    pub fn of(self, x: &[f64], y: &[f64]) -> Result<f64, MeasureError> {
        require_finite(x, "x")?;
        require_finite(y, "y")?;
        if x.len() != y.len() {
            return Err(MeasureError::LengthMismatch {
                left: "x",
                left_count: x.len(),
                right: "y",
                right_count: y.len(),
            });
        }
        if x.len() < 2 {
            return Err(MeasureError::TooFew { what: "x", count: x.len(), min: 2 });
        }
        for (what, values) in [("x", x), ("y", y)] {
            if values.iter().all(|value| *value == values[0]) {
                return Err(MeasureError::Constant { what });
            }
        }
        match self {
            Self::Pearson => pearson(&scaled(x), &scaled(y)),
            Self::Spearman => pearson(&mid_ranks(x), &mid_ranks(y)),
            Self::KendallTauB => Ok(kendall(x, y)),
            Self::Distance => distance_correlation(&scaled(x), &scaled(y)),
            Self::MutualInformation => {
                let information = mutual_information(x, y, INFORMATION_NEIGHBOURS)?;
                Ok((1.0 - exp(-2.0 * information)).max(0.0).sqrt())
            }
        }
    }

    /// The coefficients of all pairs of columns, row by row; ones on the diagonal.
    ///
    /// # Errors
    /// Those of [`Self::of`].
    pub fn matrix(self, rows: Rows) -> Result<Vec<f64>, MeasureError> {
        let d = rows.column_count();
        let columns: Vec<Vec<f64>> = (0..d).map(|index| rows.column(index)).collect();
        let pairs: Vec<(usize, usize)> = (0..d).flat_map(|i| (0..i).map(move |j| (i, j))).collect();
        let values: Vec<f64> = pairs
            .par_iter()
            .map(|&(i, j)| self.of(&columns[i], &columns[j]))
            .collect::<Result<_, _>>()?;
        let mut matrix = vec![0.0; d * d];
        for (&(i, j), value) in pairs.iter().zip(values) {
            matrix[i * d + j] = value;
            matrix[j * d + i] = value;
        }
        (0..d).for_each(|i| matrix[i * d + i] = 1.0);
        Ok(matrix)
    }
}

/// How dependence between columns differs between two samples.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DependenceDifference {
    /// Largest absolute difference of a coefficient.
    pub largest: f64,
    /// The columns where it is, counted from 0; the first such pair.
    pub columns: [usize; 2],
    /// Mean absolute difference over all pairs of columns.
    pub mean: f64,
    /// Root of the mean square difference over all pairs of columns.
    pub root_mean_square: f64,
}

/// The differences between the correlation matrices of two samples.
///
/// Every pair of columns counts, also where the real columns hardly depend on each other.
///
/// # Errors
/// Those of [`Correlation::of`]; [`MeasureError::TooFew`] for fewer than two columns.
///
/// # Invariants
/// `dependence_difference_sees_what_marginals_do_not`.
pub fn dependence_difference(
    left: Rows,
    right: Rows,
    which: Correlation,
) -> Result<DependenceDifference, MeasureError> {
    let d = left.same_columns(&right)?;
    if d < 2 {
        return Err(MeasureError::TooFew { what: "columns", count: d, min: 2 });
    }
    let [a, b] = [which.matrix(left)?, which.matrix(right)?];
    let mut result =
        DependenceDifference { largest: -1.0, columns: [0, 1], mean: 0.0, root_mean_square: 0.0 };
    for i in 0..d {
        for j in i + 1..d {
            let difference = (a[i * d + j] - b[i * d + j]).abs();
            result.mean += difference;
            result.root_mean_square += difference * difference;
            if difference > result.largest {
                (result.largest, result.columns) = (difference, [i, j]);
            }
        }
    }
    let pair_count = (d * (d - 1) / 2) as f64;
    result.mean /= pair_count;
    result.root_mean_square = (result.root_mean_square / pair_count).sqrt();
    Ok(result)
}

/// Half the sum of the absolute differences of category shares: total variation, in `[0, 1]`.
///
/// One minus it is SDMetrics 0.32.0's `TVComplement`; over pairs of categories coded as one number,
/// its `ContingencySimilarity`.
///
/// # Errors
/// [`MeasureError::Empty`].
pub fn category_distance(left: &[u64], right: &[u64]) -> Result<f64, MeasureError> {
    for (what, sample) in [("left sample", left), ("right sample", right)] {
        if sample.is_empty() {
            return Err(MeasureError::Empty { what });
        }
    }
    let mut counts = std::collections::BTreeMap::<u64, [u64; 2]>::new();
    for (side, sample) in [left, right].into_iter().enumerate() {
        for &category in sample {
            counts.entry(category).or_default()[side] += 1;
        }
    }
    let (n, m) = (left.len() as f64, right.len() as f64);
    let differences = counts.values().map(|[a, b]| (*a as f64 / n - *b as f64 / m).abs());
    Ok(0.5 * differences.sum::<f64>())
}

/// The metric of [`category_distance`].
#[must_use]
pub fn category_metric() -> Metric {
    Metric::new(registry::DIST_TOTAL_VARIATION)
}

/// Divided by a power of two near the largest value, so that squares neither overflow nor vanish.
fn scaled(values: &[f64]) -> Vec<f64> {
    let largest = values.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
    let mut factor = 1.0_f64;
    while largest * factor > 1e100 {
        factor *= 0.5;
    }
    while largest * factor < 1e-100 {
        factor *= 2.0;
    }
    values.iter().map(|value| value * factor).collect()
}

fn pearson(x: &[f64], y: &[f64]) -> Result<f64, MeasureError> {
    let n = x.len() as f64;
    let mean_x = x.iter().sum::<f64>() / n;
    let mean_y = y.iter().sum::<f64>() / n;
    let (mut cross, mut square_x, mut square_y) = (0.0, 0.0, 0.0);
    for (a, b) in x.iter().zip(y) {
        let (a, b) = (a - mean_x, b - mean_y);
        cross += a * b;
        square_x += a * a;
        square_y += b * b;
    }
    for (what, square) in [("x", square_x), ("y", square_y)] {
        if square <= 0.0 {
            return Err(MeasureError::Constant { what });
        }
    }
    Ok((cross / (square_x.sqrt() * square_y.sqrt())).clamp(-1.0, 1.0))
}

/// Knight's: sort by x, then count what a merge sort by y must swap.
fn kendall(x: &[f64], y: &[f64]) -> f64 {
    let (x, y) = (mid_ranks(x), mid_ranks(y));
    let mut order: Vec<usize> = (0..x.len()).collect();
    order.sort_unstable_by(|&a, &b| {
        x[a].total_cmp(&x[b]).then(y[a].total_cmp(&y[b])).then(a.cmp(&b))
    });
    let pairs_in_runs = |is_same: &dyn Fn(usize, usize) -> bool, order: &[usize]| -> u64 {
        order.chunk_by(|&a, &b| is_same(a, b)).map(|run| pair_count(run.len())).sum()
    };
    let tied_x = pairs_in_runs(&|a, b| x[a] == x[b], &order);
    let tied_both = pairs_in_runs(&|a, b| x[a] == x[b] && y[a] == y[b], &order);
    let mut by_y: Vec<f64> = order.iter().map(|&index| y[index]).collect();
    let swaps = merge_sort_swaps(&mut by_y);
    let tied_y: u64 = by_y.chunk_by(|a, b| a == b).map(|run| pair_count(run.len())).sum();
    let total = pair_count(x.len());
    let balance = (total + tied_both) as f64 - tied_x as f64 - tied_y as f64 - 2.0 * swaps as f64;
    let scale = ((total - tied_x) as f64).sqrt() * ((total - tied_y) as f64).sqrt();
    (balance / scale).clamp(-1.0, 1.0)
}

fn pair_count(count: usize) -> u64 {
    let count = count as u64;
    count * count.saturating_sub(1) / 2
}

/// Sorts, and counts the pairs that stood in falling order.
fn merge_sort_swaps(values: &mut [f64]) -> u64 {
    let mut swaps = 0;
    let mut width = 1;
    let mut merged = values.to_vec();
    while width < values.len() {
        for (source, target) in values.chunks(2 * width).zip(merged.chunks_mut(2 * width)) {
            let (left, right) = source.split_at(width.min(source.len()));
            let (mut i, mut j) = (0, 0);
            for place in target {
                if j == right.len() || (i < left.len() && left[i] <= right[j]) {
                    *place = left[i];
                    i += 1;
                } else {
                    *place = right[j];
                    swaps += (left.len() - i) as u64;
                    j += 1;
                }
            }
        }
        values.copy_from_slice(&merged);
        width *= 2;
    }
    swaps
}

/// Both matrices of distances are made row by row: `Σ a b`, and the sums of their rows.
fn distance_correlation(x: &[f64], y: &[f64]) -> Result<f64, MeasureError> {
    let n = x.len() as f64;
    let rows: Vec<[f64; 5]> = (0..x.len())
        .into_par_iter()
        .map(|i| {
            let mut sums = [0.0; 5];
            for (a, b) in x.iter().zip(y) {
                let (a, b) = ((a - x[i]).abs(), (b - y[i]).abs());
                let terms = [a * b, a * a, b * b, a, b];
                sums.iter_mut().zip(terms).for_each(|(sum, term)| *sum += term);
            }
            sums
        })
        .collect();
    let total = |of: &dyn Fn(&[f64; 5]) -> f64| rows.iter().map(of).sum::<f64>();
    let (grand_a, grand_b) = (total(&|r| r[3]), total(&|r| r[4]));
    // Sums of products of doubly centred distances.
    let centred =
        |products: f64, margins: f64, grands: f64| products - 2.0 / n * margins + grands / (n * n);
    let cross = centred(total(&|r| r[0]), total(&|r| r[3] * r[4]), grand_a * grand_b).max(0.0);
    let of_x = centred(total(&|r| r[1]), total(&|r| r[3] * r[3]), grand_a * grand_a);
    let of_y = centred(total(&|r| r[2]), total(&|r| r[4] * r[4]), grand_b * grand_b);
    for (what, square) in [("x", of_x), ("y", of_y)] {
        if square <= 0.0 {
            return Err(MeasureError::Constant { what });
        }
    }
    Ok((cross / (of_x.sqrt() * of_y.sqrt())).sqrt().min(1.0))
}
