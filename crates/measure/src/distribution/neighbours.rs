//! Precision, recall, density and coverage of generated points by balls round nearest neighbours.
//!
//! Invariant: every distance that decides is exact in double precision, compared strictly; counts
//! are whole numbers, so that any number of threads gives the same bits.
//! No units: shares, except density, which may exceed 1.
//! Cost: `O((n + m)² d)` time, `O((n + m) d)` memory: no matrix of distances is held.
//!
//! Not here: copies. All four are blind to them: see [`super::support_fidelity`].

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{
    rows::Rows,
    screen::{Cloud, clouds, exact_square, nearest_others, visit},
};
use crate::{MeasureError, Metric, MetricId, registry};

/// Fidelity of generated points by k-nearest-neighbour balls.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prdc {
    /// Share of synthetic points inside some real point's ball.
    pub precision: f64,
    /// Share of real points inside some synthetic point's ball.
    pub recall: f64,
    /// Real balls that hold a synthetic point, on average, over k; may exceed 1.
    pub density: f64,
    /// Share of real points whose ball holds a synthetic point.
    pub coverage: f64,
}

impl Prdc {
    /// One of the four with its conventions: [`registry::DIST_PRECISION`] and its neighbours.
    #[must_use]
    pub fn metric(id: MetricId, k: usize) -> Metric {
        Metric::new(id).with("k", k).with("ball", "open")
    }

    /// The ids of the four, in the order of the fields.
    pub const METRICS: [MetricId; 4] = [
        registry::DIST_PRECISION,
        registry::DIST_RECALL,
        registry::DIST_DENSITY,
        registry::DIST_COVERAGE,
    ];
}

/// Precision, recall, density and coverage.
///
/// A point's ball has the distance to its k-th nearest neighbour in its own sample (itself left
/// out) as radius, and is open: a point on its edge is outside. Where k or more other points
/// coincide with a point, its ball is empty.
///
/// # Inputs
/// - `real`, `synthetic`: points with the same columns, more than k rows each.
/// - `k`: at least 1; 5 is usual.
///
/// # Errors
/// [`MeasureError::LengthMismatch`], [`MeasureError::TooFew`], [`MeasureError::InvalidOption`].
///
/// # Invariants
/// `prdc_of_a_sample_with_itself_is_full`, `prdc_is_unchanged_by_shift_scale_and_order`,
/// `prdc_agrees_with_all_pairs`, `results_do_not_depend_on_the_number_of_threads`.
///
/// # Source
/// Naeem et al., *Reliable fidelity and diversity metrics for generative models*, 2020;
/// Kynkaanniemi et al. 2019; package `prdc` 0.2, whose distances are rounded differently: it may
/// differ where a point lies within rounding of an edge.
///
/// # Example
/// ```
/// use tiepoint_measure::distribution::{Rows, prdc};
///
/// let real = [0.0, 1.0, 2.0, 3.0];
/// let got = prdc(Rows::new(&real, 1)?, Rows::new(&[0.5, 9.0], 1)?, 1)?;
/// assert_eq!((got.precision, got.coverage), (0.5, 0.5));
/// # Ok::<(), tiepoint_measure::MeasureError>(())
/// ```
pub fn prdc(real: Rows, synthetic: Rows, k: usize) -> Result<Prdc, MeasureError> {
    real.same_columns(&synthetic)?;
    if k == 0 {
        let requirement = "at least 1";
        return Err(MeasureError::InvalidOption { name: "k", value: 0.0, requirement });
    }
    real.at_least(k.saturating_add(1), "real sample")?;
    synthetic.at_least(k.saturating_add(1), "synthetic sample")?;
    let [real, synthetic] = clouds(real, synthetic);
    let real_squares = radii(&real, k);
    let synthetic_squares = radii(&synthetic, k);
    let counts = Counts::of(&real, &synthetic, &real_squares, &synthetic_squares);
    let (n, m) = (real.count() as f64, synthetic.count() as f64);
    let inside = counts.synthetic_inside.iter().filter(|inside| **inside).count();
    Ok(Prdc {
        precision: inside as f64 / m,
        recall: counts.recalled as f64 / n,
        density: counts.pairs as f64 / (k as f64 * m),
        coverage: counts.covered as f64 / n,
    })
}

/// Squared radius of each point's ball.
fn radii(cloud: &Cloud, k: usize) -> Vec<f64> {
    nearest_others(cloud, k).iter().skip(k - 1).step_by(k).map(|n| n.square).collect()
}

/// What the balls hold.
struct Counts {
    /// Pairs of a real ball and a synthetic point inside it.
    pairs: u64,
    /// Real points whose ball holds a synthetic point.
    covered: u64,
    /// Real points inside some synthetic ball.
    recalled: u64,
    /// Which synthetic points are inside some real ball.
    synthetic_inside: Vec<bool>,
}

impl Counts {
    fn none(synthetic_count: usize) -> Self {
        let synthetic_inside = vec![false; synthetic_count];
        Self { pairs: 0, covered: 0, recalled: 0, synthetic_inside }
    }

    fn of(real: &Cloud, synthetic: &Cloud, real_squares: &[f64], squares: &[f64]) -> Self {
        let widened: Vec<f32> = squares.iter().map(|square| synthetic.scaled_up(*square)).collect();
        let add_tile = |mut counts: Self, range: std::ops::Range<usize>| {
            let first = range.start;
            let mut is_covered = vec![false; range.len()];
            let mut is_recalled = vec![false; range.len()];
            let limits: Vec<[f32; 2]> = range
                .clone()
                .map(|i| [real.limit(i, real_squares[i]), real.limit(i, 0.0)])
                .collect();
            visit(real, range, synthetic, 0, |i, start, lower| {
                let [own, zero] = limits[i - first];
                let widened = &widened[start..start + lower.len()];
                let is_near = lower.iter().zip(widened).fold(false, |found, (value, square)| {
                    found | (*value < own) | (value - square < zero)
                });
                if !is_near {
                    return;
                }
                for (j, (value, square)) in (start..).zip(lower.iter().zip(widened)) {
                    if *value >= own && value - square >= zero {
                        continue;
                    }
                    let square = exact_square(real.rows.row(i), synthetic.rows.row(j));
                    if square < real_squares[i] {
                        counts.pairs += 1;
                        counts.synthetic_inside[j] = true;
                        is_covered[i - first] = true;
                    }
                    is_recalled[i - first] |= square < squares[j];
                }
            });
            counts.covered += is_covered.iter().filter(|is| **is).count() as u64;
            counts.recalled += is_recalled.iter().filter(|is| **is).count() as u64;
            counts
        };
        // Whole numbers and marks: the order in which threads join does not matter.
        let none = || Self::none(synthetic.count());
        real.tiles().fold(none, add_tile).reduce(none, Self::and)
    }

    fn and(mut self, other: Self) -> Self {
        for (mark, other) in self.synthetic_inside.iter_mut().zip(other.synthetic_inside) {
            *mark |= other;
        }
        self.pairs += other.pairs;
        self.covered += other.covered;
        self.recalled += other.recalled;
        self
    }
}
