//! The cluster bootstrap: scenes are drawn, and every element of a scene comes with it.
//!
//! Invariant: an element never leaves its cluster, so that the interval knows how few clusters
//! there are.
//! Cost: `O(n)` and one call of the statistic for each resample, shared by threads.
//!
//! Not here: elements that are independent of each other (see [`Bootstrap::interval`]).

use std::collections::BTreeMap;

use super::{Bootstrap, Interval};
use crate::MeasureError;

impl Bootstrap {
    /// The percentile interval of a statistic over resamples of whole clusters.
    ///
    /// `clusters[i]` names the cluster of element `i`; clusters are drawn in the order of their
    /// names, `block_length` neighbours together. `statistic` gets the indices of the elements of
    /// one resample, whose number varies with the clusters' sizes.
    ///
    /// # Errors
    /// As [`Bootstrap::interval`]; [`MeasureError::TooFew`] with one cluster.
    ///
    /// # Source
    /// Davison and Hinkley, *Bootstrap Methods and their Application*, 1997, section 3.8, strategy
    /// 1.
    pub fn cluster_interval(
        &self,
        clusters: &[u32],
        statistic: impl Fn(&[u32]) -> f64 + Sync,
    ) -> Result<Interval, MeasureError> {
        self.check([clusters.len(), 0])?;
        let mut members: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for (index, cluster) in (0_u32..).zip(clusters) {
            members.entry(*cluster).or_default().push(index);
        }
        let members: Vec<Vec<u32>> = members.into_values().collect();
        if members.len() < 2 {
            let count = members.len();
            return Err(MeasureError::TooFew { what: "clusters", count, min: 2 });
        }
        self.interval(members.len(), |drawn| {
            let elements: Vec<u32> =
                drawn.iter().flat_map(|&cluster| &members[cluster as usize]).copied().collect();
            statistic(&elements)
        })
    }
}
