//! Precision, recall, density and coverage of generated points by balls round nearest neighbours.
//!
//! Invariant: every distance that decides is exact in double precision, compared strictly; counts
//! are whole numbers, so that any number of threads gives the same bits.
//! No units: shares, except density, which may exceed 1.
//! Cost: `O((n + m)² d)` time, `O((n + m) d)` memory: no matrix of distances is held.
//!
//! Not here: copies. All four are blind to them: see [`super::support_fidelity`].

use std::ops::Range;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{
    rows::Rows,
    screen::{Cloud, LANES, Screen, clouds, exact_square, nearest_others, visit},
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
    let counts = count(&real, &synthetic, &real_squares, &synthetic_squares);
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

fn count(real: &Cloud, synthetic: &Cloud, real_squares: &[f64], squares: &[f64]) -> Counts {
    let mut widened: Vec<f32> = squares.iter().map(|square| synthetic.scaled_up(*square)).collect();
    widened.resize(synthetic.all().end, 0.0);
    let clouds = [real, synthetic];
    let none = || Counts::none(synthetic.count());
    let add_tile = |counts: Counts, range: Range<usize>| {
        let (first, marks) = (range.start, vec![[false; 2]; range.len()]);
        let limits =
            range.clone().map(|i| [real.limit(i, real_squares[i]), real.zero_limit(i)]).collect();
        let (squares, widened) = ([real_squares, squares], &widened);
        let mut screen = Counting { clouds, squares, widened, first, limits, marks, counts };
        visit(clouds, range, synthetic.all(), &mut screen);
        screen.done()
    };
    // Whole numbers and marks: the order in which threads join does not matter.
    real.tiles().fold(none, add_tile).reduce(none, Counts::and)
}

/// Counts what the balls of the real points from `first` on hold, and which balls hold these.
struct Counting<'a> {
    clouds: [&'a Cloud<'a>; 2],
    /// Squared radii of the real and of the synthetic balls.
    squares: [&'a [f64]; 2],
    /// Those of the synthetic ones, scaled and enlarged, up to a whole number of runs.
    widened: &'a [f32],
    first: usize,
    limits: Vec<[f32; 2]>,
    /// For each real point: is it covered, is it recalled.
    marks: Vec<[bool; 2]>,
    counts: Counts,
}

impl Counting<'_> {
    fn done(mut self) -> Counts {
        for [is_covered, is_recalled] in self.marks {
            self.counts.covered += u64::from(is_covered);
            self.counts.recalled += u64::from(is_recalled);
        }
        self.counts
    }
}

impl Screen for Counting<'_> {
    #[inline(always)]
    fn limits(&self, query: usize) -> [f32; 2] {
        self.limits[query - self.first]
    }

    #[inline(always)]
    fn widened(&self, start: usize) -> &[f32; LANES] {
        &self.widened.as_chunks().0[start / LANES]
    }

    fn look(&mut self, i: usize, j: usize, _lower: f32) {
        let (place, [real, synthetic]) = (i - self.first, self.clouds);
        let square = exact_square(real.rows.row(i), synthetic.rows.row(j));
        if square < self.squares[0][i] {
            self.counts.pairs += 1;
            self.counts.synthetic_inside[j] = true;
            self.marks[place][0] = true;
        }
        self.marks[place][1] |= square < self.squares[1][j];
    }
}
