//! Population stability index (PSI) of a current sample against a reference, with its binning
//! named.
//!
//! Invariant: symmetric in the two shares of every bin; zero if and only if all shares agree.
//! No units (nats).
//! Cost: `O(n log n)` time, `O(n)` memory.
//!
//! Not here: a limit. The usual 0.1 means something else under each binning.

use serde::{Deserialize, Serialize};
use tiepoint_model::math;

use crate::{
    MeasureError, Metric, registry,
    statistics::{quantile_of_sorted, require_finite},
};

/// The share that stands for an empty bin.
pub const PSI_EMPTY_SHARE: f64 = 1e-4;

/// Where the edges of the bins lie. A bin holds its lower edge; the last one its upper edge too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PsiBins {
    /// evidently 0.7.23 as coded: Sturges' number of equal widths over both samples together. Its
    /// text says 30 quantiles.
    Evidently,
    /// Quantiles of the reference; the outer bins have no end.
    ReferenceQuantiles(usize),
    /// Equal widths over the reference's range; the outer bins have no end.
    ReferenceWidths(usize),
}

impl PsiBins {
    /// The metric with this binning.
    #[must_use]
    pub fn metric(self) -> Metric {
        let metric = Metric::new(registry::DIST_PSI).with("empty", PSI_EMPTY_SHARE);
        match self {
            Self::Evidently => metric
                .with("bins", "sturges equal width of both")
                .with("mode", "compat:evidently==0.7.23"),
            Self::ReferenceQuantiles(count) => {
                metric.with("bins", format_args!("{count} quantiles of reference"))
            }
            Self::ReferenceWidths(count) => {
                metric.with("bins", format_args!("{count} equal widths of reference"))
            }
        }
    }

    /// Ascending edges, one more than bins.
    fn edges(self, reference: &[f64], current: &[f64]) -> Result<Vec<f64>, MeasureError> {
        let (Self::ReferenceQuantiles(count) | Self::ReferenceWidths(count)) = self else {
            let both: Vec<f64> = reference.iter().chain(current).copied().collect();
            let (low, high) = range_of(&both);
            let width = (high - low) / (math::ln(both.len() as f64) / std::f64::consts::LN_2 + 1.0);
            if !(width.is_finite() && width > 0.0) {
                return Err(MeasureError::Constant { what: "both samples" });
            }
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "at most one more than the bits of a length"
            )]
            let count = ((high - low) / width).ceil() as usize;
            return Ok(even_edges(low, high, count));
        };
        if count < 2 {
            return Err(MeasureError::InvalidOption {
                name: "bin count",
                value: count as f64,
                requirement: "at least 2",
            });
        }
        let mut edges = if matches!(self, Self::ReferenceWidths(_)) {
            let (low, high) = range_of(reference);
            if !((high - low).is_finite() && high > low) {
                return Err(MeasureError::Constant { what: "reference" });
            }
            even_edges(low, high, count)
        } else {
            let mut sorted = reference.to_vec();
            sorted.sort_unstable_by(f64::total_cmp);
            let quantile = |k: usize| quantile_of_sorted(&sorted, k as f64 / count as f64);
            let mut edges: Vec<f64> = (0..=count).filter_map(quantile).collect();
            edges.dedup();
            if edges.len() < 3 {
                return Err(MeasureError::Constant { what: "reference" });
            }
            edges
        };
        let last = edges.len() - 1;
        (edges[0], edges[last]) = (f64::NEG_INFINITY, f64::INFINITY);
        Ok(edges)
    }
}

/// The population stability index `Σ (r − c) ln(r / c)` over the bins' shares.
///
/// An empty bin counts as [`PSI_EMPTY_SHARE`]; shares are not scaled to sum to one again. Edges that
/// coincide (many equal values) make one bin.
///
/// # Inputs
/// - `reference`, `current`: samples in one unit.
///
/// # Errors
/// [`MeasureError::Empty`], [`MeasureError::NotFinite`], [`MeasureError::Constant`] (no edges),
/// [`MeasureError::InvalidOption`].
///
/// # Invariants
/// `psi_is_zero_on_equal_samples_and_unchanged_by_shift_and_scale`.
///
/// # Source
/// evidently 0.7.23; Siddiqi, *Credit Risk Scorecards*, 2006 (deciles).
pub fn population_stability_index(
    reference: &[f64],
    current: &[f64],
    bins: PsiBins,
) -> Result<f64, MeasureError> {
    require_finite(reference, "reference")?;
    require_finite(current, "current")?;
    let edges = bins.edges(reference, current)?;
    let [expected, observed] = [reference, current].map(|sample| shares(sample, &edges));
    Ok(expected.iter().zip(&observed).map(|(r, c)| (r - c) * math::ln(r / c)).sum())
}

fn range_of(values: &[f64]) -> (f64, f64) {
    values
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(*v), high.max(*v)))
}

fn even_edges(low: f64, high: f64, count: usize) -> Vec<f64> {
    let step = (high - low) / count as f64;
    (0..=count).map(|k| if k == count { high } else { low + k as f64 * step }).collect()
}

/// Share of a sample in each bin; every value lies between the outer edges.
fn shares(sample: &[f64], edges: &[f64]) -> Vec<f64> {
    let mut counts = vec![0_u64; edges.len() - 1];
    for value in sample {
        let bin = edges.partition_point(|edge| edge <= value).saturating_sub(1);
        counts[bin.min(edges.len() - 2)] += 1;
    }
    let share = |&count: &u64| match count {
        0 => PSI_EMPTY_SHARE,
        count => count as f64 / sample.len() as f64,
    };
    counts.iter().map(share).collect()
}
