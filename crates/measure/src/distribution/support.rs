//! Alpha-precision, beta-recall and authenticity of generated points.
//!
//! Invariant: authenticity falls when synthetic points are copies of real ones, which precision and
//! recall cannot see.
//! No units: all three are in `[0, 1]` or, for curves far from the diagonal, below.
//! Cost: `O(n (n + m) d)` time, `O((n + m) d)` memory.
//!
//! Not here: the embedding. The paper trains one; here points are taken as they are, so that the
//! same points give the same value.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{
    rows::{Rows, square_distance},
    screen::{Cloud, LANES, NOTHING, Screen, clouds, exact_square, nearest, nearest_others, visit},
};
use crate::{MeasureError, Metric, MetricId, registry, statistics::quantile_of_sorted};

/// Levels of alpha and beta, from 0 to 1 in even steps, that the curves are summed over.
pub const SUPPORT_LEVELS: usize = 30;

/// Whose definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SupportMode {
    /// The paper's: a real point is recalled at beta if a synthetic point of the inner share beta is
    /// no farther from it than its nearest real neighbour; a synthetic point is authentic if its
    /// nearest real point has a nearer real neighbour.
    Corrected,
    /// synthcity 0.2.12: the inner share is taken of those synthetic points only that are nearest to
    /// a real one, and authenticity looks up real neighbours by the indices of synthetic points.
    /// Both samples must have one length.
    Synthcity,
}

impl SupportMode {
    fn name(self) -> &'static str {
        match self {
            Self::Corrected => "corrected",
            Self::Synthcity => "compat:synthcity==0.2.12",
        }
    }
}

/// How well synthetic points lie inside, fill, and do not copy the real ones.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SupportFidelity {
    /// One minus twice the mean distance of the alpha-precision curve from the diagonal.
    pub alpha_precision: f64,
    /// One minus twice the mean distance of the beta-recall curve from the diagonal.
    pub beta_recall: f64,
    /// Share of points that are not near copies of a real one.
    pub authenticity: f64,
}

impl SupportFidelity {
    /// The ids of the three, in the order of the fields.
    pub const METRICS: [MetricId; 3] =
        [registry::DIST_ALPHA_PRECISION, registry::DIST_BETA_RECALL, registry::DIST_AUTHENTICITY];

    /// One of the three with its conventions.
    #[must_use]
    pub fn metric(id: MetricId, mode: SupportMode) -> Metric {
        Metric::new(id)
            .with("embedding", "none")
            .with("levels", SUPPORT_LEVELS)
            .with("mode", mode.name())
    }
}

/// Alpha-precision, beta-recall and authenticity.
///
/// Alpha-precision at alpha is the share of synthetic points inside the ball round the real mean
/// that holds the share alpha of real points.
///
/// # Inputs
/// - `real`: at least 2 points. `synthetic`: at least 1, with the same columns.
///
/// # Errors
/// [`MeasureError::LengthMismatch`] (columns; rows in synthcity's mode), [`MeasureError::TooFew`].
///
/// # Invariants
/// `copies_lower_authenticity`, `support_fidelity_is_unchanged_by_shift_and_scale`.
///
/// # Source
/// Alaa et al., *How faithful is your synthetic data?*, 2022; synthcity 0.2.12.
pub fn support_fidelity(
    real: Rows,
    synthetic: Rows,
    mode: SupportMode,
) -> Result<SupportFidelity, MeasureError> {
    real.same_columns(&synthetic)?;
    real.at_least(2, "real sample")?;
    if mode == SupportMode::Synthcity && real.count() != synthetic.count() {
        return Err(MeasureError::LengthMismatch {
            left: "real sample",
            left_count: real.count(),
            right: "synthetic sample",
            right_count: synthetic.count(),
        });
    }
    let centre = mean(real);
    let inner = quantiles(&radii(real, &centre));
    let to_centre = radii(synthetic, &centre);
    let precision = inner.map(|radius| share(&to_centre, |distance| distance <= radius));
    let synthetic_radii = radii(synthetic, &mean(synthetic));
    let [real, synthetic] = clouds(real, synthetic);
    let own: Vec<f64> = nearest_others(&real, 1).iter().map(|n| n.square).collect();
    let (recall, authenticity) = match mode {
        SupportMode::Corrected => {
            let reached = least_radius_within(&real, &own, &synthetic, &synthetic_radii);
            let inner = quantiles(&synthetic_radii);
            let to_real = nearest(&synthetic, &real, 1);
            let authentic = to_real.iter().filter(|n| own[n.index] < n.square).count();
            let recall = inner.map(|radius| share(&reached, |least| least <= radius));
            (recall, authentic as f64 / synthetic.count() as f64)
        }
        SupportMode::Synthcity => {
            let to_synthetic = nearest(&real, &synthetic, 1);
            let radii: Vec<f64> = to_synthetic.iter().map(|n| synthetic_radii[n.index]).collect();
            let inner = quantiles(&radii);
            let reached: Vec<f64> = to_synthetic
                .iter()
                .zip(own.iter().zip(&radii))
                .map(|(n, (own, radius))| if n.square <= *own { *radius } else { f64::INFINITY })
                .collect();
            // As coded: indices into the synthetic sample look up the real one.
            let authentic = to_synthetic.iter().filter(|n| own[n.index] < n.square).count();
            let recall = inner.map(|radius| share(&reached, |least| least <= radius));
            (recall, authentic as f64 / real.count() as f64)
        }
    };
    Ok(SupportFidelity {
        alpha_precision: nearness_to_diagonal(&precision),
        beta_recall: nearness_to_diagonal(&recall),
        authenticity,
    })
}

/// For each real point, the least radius of the synthetic points that are no farther than its
/// nearest real neighbour; infinity if there are none.
fn least_radius_within(
    real: &Cloud,
    squares: &[f64],
    synthetic: &Cloud,
    synthetic_radii: &[f64],
) -> Vec<f64> {
    let tiles = real.tiles().map(|range| {
        let (first, least) = (range.start, vec![f64::INFINITY; range.len()]);
        let limits = range.clone().map(|i| real.limit(i, squares[i])).collect();
        let clouds = [real, synthetic];
        let mut screen = LeastWithin { clouds, squares, synthetic_radii, first, limits, least };
        visit(clouds, range, synthetic.all(), &mut screen);
        screen.least
    });
    tiles.collect::<Vec<_>>().concat()
}

/// Finds the least radius of the synthetic points that are near a real one.
struct LeastWithin<'a> {
    clouds: [&'a Cloud<'a>; 2],
    squares: &'a [f64],
    synthetic_radii: &'a [f64],
    /// The first real point; the next two lists begin with it.
    first: usize,
    limits: Vec<f32>,
    least: Vec<f64>,
}

impl Screen for LeastWithin<'_> {
    #[inline(always)]
    fn limits(&self, query: usize) -> [f32; 2] {
        [self.limits[query - self.first], f32::NEG_INFINITY]
    }

    #[inline(always)]
    fn widened(&self, _start: usize) -> &[f32; LANES] {
        &NOTHING
    }

    fn look(&mut self, i: usize, j: usize, _lower: f32) {
        let (place, [real, synthetic]) = (i - self.first, self.clouds);
        if exact_square(real.rows.row(i), synthetic.rows.row(j)) <= self.squares[i] {
            self.least[place] = self.least[place].min(self.synthetic_radii[j]);
        }
    }
}

fn mean(rows: Rows) -> Vec<f64> {
    let mut sums = vec![0.0; rows.column_count()];
    for row in rows.iter() {
        sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
    }
    sums.iter().map(|sum| sum / rows.count() as f64).collect()
}

fn radii(rows: Rows, centre: &[f64]) -> Vec<f64> {
    rows.iter().map(|row| square_distance(row, centre).sqrt()).collect()
}

fn level(index: usize) -> f64 {
    index as f64 / (SUPPORT_LEVELS - 1) as f64
}

/// The quantiles of a non-empty list at every level.
fn quantiles(values: &[f64]) -> [f64; SUPPORT_LEVELS] {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    std::array::from_fn(|index| quantile_of_sorted(&sorted, level(index)).unwrap_or(sorted[0]))
}

fn share(values: &[f64], is_hit: impl Fn(f64) -> bool) -> f64 {
    values.iter().filter(|value| is_hit(**value)).count() as f64 / values.len() as f64
}

/// `1 − Σ |curve − level| / Σ level`.
fn nearness_to_diagonal(curve: &[f64; SUPPORT_LEVELS]) -> f64 {
    let distance: f64 = (0..).zip(curve).map(|(index, value)| (level(index) - value).abs()).sum();
    1.0 - distance / (0..SUPPORT_LEVELS).map(level).sum::<f64>()
}
