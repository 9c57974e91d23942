//! Dynamic time warping (DTW): how far one signal must be bent in time to be another.
//!
//! Invariant: symmetric, zero for equal signals, never above the distance without bending; a wider
//! band never makes it larger. It is not a metric: the triangle inequality fails.
//! Units: those of the samples.
//! Cost: `O(n m)` time without a band, `O(n (2 b + 1))` with a band of b samples; memory
//! `O(min(m, b))` in either case.
//!
//! Not here: lower bounds for searching many signals, and time stamps: samples are evenly spaced.

use serde::{Deserialize, Serialize};

use crate::{MeasureError, Metric, distribution::Rows, registry};

/// What a pair of samples costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WarpingCost {
    /// Euclidean distance; the result is the sum along the path.
    Euclidean,
    /// Squared Euclidean distance; the result is the root of the sum along the path.
    SquaredEuclidean,
}

/// How far bending may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WarpingOptions {
    /// What a pair of samples costs.
    pub cost: WarpingCost,
    /// Sakoe and Chiba's band: the largest difference of two indices that meet, at least the
    /// difference of the lengths; `None` for no band.
    pub band: Option<usize>,
}

impl WarpingOptions {
    /// The metric under these options.
    #[must_use]
    pub fn metric(&self) -> Metric {
        let metric = Metric::new(registry::SIGNAL_DTW).with(
            "cost",
            match self.cost {
                WarpingCost::Euclidean => "euclidean",
                WarpingCost::SquaredEuclidean => "root of squares",
            },
        );
        match self.band {
            Some(band) => metric.with("band", band),
            None => metric.with("band", "none"),
        }
    }
}

/// The dynamic time warping distance of two signals.
///
/// A path goes from both first samples to both last ones by steps of one sample of either or both;
/// the least cost of all paths.
///
/// # Inputs
/// - `left`, `right`: samples with the same columns, of any lengths.
///
/// # Errors
/// [`MeasureError::LengthMismatch`] (columns), [`MeasureError::InvalidOption`] (a band that no path
/// fits into), [`MeasureError::NotFinite`] (a sum that overflows).
///
/// # Invariants
/// `warping_is_symmetric_and_never_above_no_bending`, `warping_agrees_with_all_paths`,
/// `a_wider_band_never_costs_more`, `repeating_samples_costs_nothing`.
///
/// # Source
/// Sakoe and Chiba, *Dynamic programming algorithm optimization for spoken word recognition*, 1978,
/// with equal weights for all steps.
///
/// # Example
/// ```
/// use tiepoint_measure::{distribution::Rows, signal::warping::*};
///
/// let (slow, fast) = ([0.0, 0.0, 1.0, 1.0, 2.0], [0.0, 1.0, 2.0, 2.0]);
/// let options = WarpingOptions { cost: WarpingCost::Euclidean, band: None };
/// assert_eq!(time_warping(Rows::new(&slow, 1)?, Rows::new(&fast, 1)?, &options)?, 0.0);
/// # Ok::<(), tiepoint_measure::MeasureError>(())
/// ```
pub fn time_warping(
    left: Rows,
    right: Rows,
    options: &WarpingOptions,
) -> Result<f64, MeasureError> {
    if left.column_count() != right.column_count() {
        return Err(MeasureError::LengthMismatch {
            left: "columns of the left signal",
            left_count: left.column_count(),
            right: "columns of the right signal",
            right_count: right.column_count(),
        });
    }
    // The shorter one is held: memory is its length or the band's width.
    let [long, short] = if left.count() >= right.count() { [left, right] } else { [right, left] };
    let (n, m) = (long.count(), short.count());
    let band = options.band.unwrap_or(n);
    if band < n - m {
        return Err(MeasureError::InvalidOption {
            name: "band",
            value: band as f64,
            requirement: "at least the difference of the lengths",
        });
    }
    let cost = |i: usize, j: usize| {
        let pairs = long.row(i).iter().zip(short.row(j));
        let square: f64 = pairs.map(|(a, b)| (a - b) * (a - b)).sum();
        match options.cost {
            WarpingCost::Euclidean => square.sqrt(),
            WarpingCost::SquaredEuclidean => square,
        }
    };
    let total = least_cost([n, m], band, cost);
    let distance = match options.cost {
        WarpingCost::Euclidean => total,
        WarpingCost::SquaredEuclidean => total.sqrt(),
    };
    if distance.is_finite() {
        return Ok(distance);
    }
    Err(MeasureError::NotFinite { what: "warping distance", index: 0 })
}

/// Row i holds columns `i − band ..= i + band` that exist, the first of them in slot 0.
fn least_cost([n, m]: [usize; 2], band: usize, cost: impl Fn(usize, usize) -> f64) -> f64 {
    let first_of = |i: usize| i.saturating_sub(band);
    let last_of = |i: usize| i.saturating_add(band).min(m - 1);
    let width = m.min(band.saturating_mul(2).saturating_add(1));
    let mut above = vec![f64::INFINITY; width];
    let mut row = vec![f64::INFINITY; width];
    for i in 0..n {
        let (first, last) = (first_of(i), last_of(i));
        let shift = first - first_of(i.saturating_sub(1));
        let mut left = f64::INFINITY;
        for j in first..=last {
            let slot = j - first;
            let before = if i == 0 {
                if j == 0 { 0.0 } else { left }
            } else {
                // Slots of the row above are offset by how far its first column lies back.
                let up = above.get(slot + shift).copied().unwrap_or(f64::INFINITY);
                let is_first = slot + shift == 0;
                let diagonal = if is_first { f64::INFINITY } else { above[slot + shift - 1] };
                left.min(up).min(diagonal)
            };
            left = before + cost(i, j);
            row[slot] = left;
        }
        row[last - first + 1..].fill(f64::INFINITY);
        std::mem::swap(&mut above, &mut row);
    }
    above[m - 1 - first_of(n - 1)]
}
