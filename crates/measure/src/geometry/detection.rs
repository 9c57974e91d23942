//! Precision, recall and F-score of a reconstructed surface at a distance.
//!
//! Invariant: precision speaks of the estimate's points, recall of the reference's; neither hides
//! in the other.
//! Metres; shares, not percent.
//!
//! Cost: `O(n)` once the neighbours are found.
//!
//! Not here: the distances themselves (see [`super::set_distance`]).

use serde::{Deserialize, Serialize};

use super::{nearest::Neighbour, set_distance::CloudPair};
use crate::{MeasureError, Metric, MetricId, Share, statistics::require_positive};

/// How much of two surfaces lies within a distance of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SurfaceScore {
    /// Points of the estimate that lie near the reference.
    pub precision: Share,
    /// Points of the reference that lie near the estimate.
    pub recall: Share,
}

impl SurfaceScore {
    /// Harmonic mean of precision and recall, in `[0, 1]`; 0, its limit, where both are 0.
    #[must_use]
    pub fn f_score(self) -> f64 {
        let (precision, recall) = (share(self.precision), share(self.recall));
        let sum = precision + recall;
        if sum > 0.0 { 2.0 * precision * recall / sum } else { 0.0 }
    }
}

/// The metric of a share or score at a distance: `GEOM_F_SCORE`, `GEOM_PRECISION` or `GEOM_RECALL`.
#[must_use]
pub fn surface_metric(id: MetricId, tau_m: f64) -> Metric {
    Metric::new(id).with("tau_m", tau_m).with("near", "below_tau")
}

/// Neither cloud is empty, so neither share is undefined.
fn share(share: Share) -> f64 {
    share.value().unwrap_or(0.0)
}

/// Precision and recall of an estimated cloud (`pair`'s second) against a reference (its first).
///
/// # Inputs
/// - `tau_m`: a point is near if its distance is **below** `tau_m`, metres, above zero.
///
/// # Output
/// Shares, not percent (Open3D gives percent).
///
/// # Errors
/// [`MeasureError::InvalidOption`].
///
/// # Invariants
/// `surface_scores_grow_with_tau`, `surface_score_of_a_cloud_with_itself_is_one`.
///
/// # Source
/// Knapitsch et al., *Tanks and Temples*, SIGGRAPH 2017, section 5.
pub fn surface_score(pair: &CloudPair, tau_m: f64) -> Result<SurfaceScore, MeasureError> {
    require_positive(tau_m, "tau_m")?;
    let near = |neighbours: &[Neighbour]| {
        let mut share = Share::default();
        for neighbour in neighbours {
            share.count(neighbour.distance_m() < tau_m);
        }
        share
    };
    Ok(SurfaceScore {
        precision: near(pair.second_to_first()),
        recall: near(pair.first_to_second()),
    })
}
