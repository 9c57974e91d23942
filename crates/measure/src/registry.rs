//! The metrics that this crate measures: id, unit, one sentence, source.
//!
//! Invariant: sorted by id, no id twice. The unit `value` stands for the unit of the numbers that
//! were given.
//!
//! Not here: conventions, which belong to each use of a metric (see [`crate::Metric`]).

use crate::metric::MetricId;

/// One line of the list of metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct MetricEntry {
    /// Names it in tables, files and options.
    pub id: MetricId,
    /// Unit of its value: SI, `1` for a pure number, `value` for the unit of the input.
    pub unit: &'static str,
    /// What it says, in one sentence.
    pub description: &'static str,
    /// Where the definition comes from.
    pub source: &'static str,
}

/// The entry of a metric.
#[must_use]
pub fn entry(id: MetricId) -> Option<&'static MetricEntry> {
    METRICS.iter().find(|entry| entry.id == id)
}

/// How many independent values a series that remembers is worth.
pub const AUTOCORRELATION_EFFECTIVE_COUNT: MetricId = MetricId("autocorrelation.effective_count");
/// The number of steps after which a series counts as new.
pub const AUTOCORRELATION_TIME: MetricId = MetricId("autocorrelation.time");
/// Messages missing in gaps as a share of the messages expected.
pub const CHANNEL_GAP_SHARE: MetricId = MetricId("channel.gap_share");
/// Spread of the intervals that are not gaps as a share of the median interval.
pub const CHANNEL_JITTER_SHARE: MetricId = MetricId("channel.jitter_share");
/// One over the median positive interval of the log times.
pub const CHANNEL_RATE: MetricId = MetricId("channel.rate");
/// Root of twice the integrated squared difference of two distributions.
pub const DISTRIBUTION_ENERGY_SQRT: MetricId = MetricId("distribution.energy_sqrt");
/// Largest vertical distance of two empirical distribution functions.
pub const DISTRIBUTION_KS: MetricId = MetricId("distribution.ks");
/// Area between two empirical distribution functions.
pub const DISTRIBUTION_WASSERSTEIN_1: MetricId = MetricId("distribution.wasserstein_1");
/// Share of a scan's end points that lie in unknown cells of the map.
pub const MAP_UNKNOWN_SHARE: MetricId = MetricId("map.unknown_share");
/// Distance from a scan's end point to the nearest piece of wall of the map.
pub const MAP_WALL_RESIDUAL: MetricId = MetricId("map.wall_residual");
/// Share of a scan's end points near a wall of the map, within a tolerance.
pub const MAP_WITHIN_SHARE: MetricId = MetricId("map.within_share");
/// Mean of the paired differences, synthetic minus real.
pub const RESIDUAL_MEAN: MetricId = MetricId("residual.mean");
/// Root mean square of the paired differences, synthetic minus real.
pub const RESIDUAL_RMSE: MetricId = MetricId("residual.rmse");
/// Share of beams that read the same in two scans from the same place, within a tolerance.
pub const SCAN_BEAM_AGREEMENT: MetricId = MetricId("scan.beam_agreement");
/// Share of valid readings that are whole multiples of a step.
pub const SCAN_GRID_SHARE: MetricId = MetricId("scan.grid_share");
/// Synthetic minus real range of the beams that are valid in both.
pub const SCAN_RANGE_RESIDUAL: MetricId = MetricId("scan.range_residual");
/// Share of the beams of one scan that another scan from elsewhere confirms, within a tolerance.
pub const SCAN_REPROJECTED_AGREEMENT: MetricId = MetricId("scan.reprojected_agreement");
/// Clipped root mean square of the second difference along a scan, scaled to the sigma of white
/// noise.
pub const SCAN_ROUGHNESS: MetricId = MetricId("scan.roughness");
/// Share of beams whose reading is a measurement.
pub const SCAN_VALID_SHARE: MetricId = MetricId("scan.valid_share");
/// Absolute pose error, Frobenius norm of the error pose minus the identity; metres and rotation
/// mixed.
pub const TRAJ_APE_FULL: MetricId = MetricId("traj.ape.full");
/// Absolute pose error, angle of the error rotation in degrees.
pub const TRAJ_APE_ROTATION_DEG: MetricId = MetricId("traj.ape.rotation_deg");
/// Absolute pose error, Frobenius norm of error rotation minus identity.
pub const TRAJ_APE_ROTATION_FROBENIUS: MetricId = MetricId("traj.ape.rotation_frobenius");
/// Absolute pose error, angle of the error rotation in radians.
pub const TRAJ_APE_ROTATION_RAD: MetricId = MetricId("traj.ape.rotation_rad");
/// Absolute pose error, distance between estimated and reference position.
pub const TRAJ_APE_TRANSLATION: MetricId = MetricId("traj.ape.translation");
/// Relative pose error, difference of the distances moved over the reference's.
pub const TRAJ_RPE_DISTANCE_RATIO: MetricId = MetricId("traj.rpe.distance_ratio");
/// Relative pose error, Frobenius norm of the error motion minus the identity; metres and rotation
/// mixed.
pub const TRAJ_RPE_FULL: MetricId = MetricId("traj.rpe.full");
/// Relative pose error, angle of the error rotation in degrees.
pub const TRAJ_RPE_ROTATION_DEG: MetricId = MetricId("traj.rpe.rotation_deg");
/// Relative pose error, Frobenius norm of error rotation minus identity.
pub const TRAJ_RPE_ROTATION_FROBENIUS: MetricId = MetricId("traj.rpe.rotation_frobenius");
/// Relative pose error, angle of the error rotation in radians.
pub const TRAJ_RPE_ROTATION_RAD: MetricId = MetricId("traj.rpe.rotation_rad");
/// Relative pose error, length of the difference of two motions.
pub const TRAJ_RPE_TRANSLATION: MetricId = MetricId("traj.rpe.translation");

/// Every metric, sorted by id.
pub const METRICS: &[MetricEntry] = &[
    MetricEntry {
        id: AUTOCORRELATION_EFFECTIVE_COUNT,
        unit: "1",
        description: "How many independent values a series that remembers is worth.",
        source: "Geyer, Practical Markov chain Monte Carlo, 1992",
    },
    MetricEntry {
        id: AUTOCORRELATION_TIME,
        unit: "1",
        description: "The number of steps after which a series counts as new.",
        source: "Geyer, Practical Markov chain Monte Carlo, 1992; Sokal, 1996",
    },
    MetricEntry {
        id: CHANNEL_GAP_SHARE,
        unit: "1",
        description: "Messages missing in gaps as a share of the messages expected.",
        source: "GrandTour dataset checker; thresholds in the model",
    },
    MetricEntry {
        id: CHANNEL_JITTER_SHARE,
        unit: "1",
        description: "Spread of the intervals that are not gaps as a share of the median interval.",
        source: "this project",
    },
    MetricEntry {
        id: CHANNEL_RATE,
        unit: "Hz",
        description: "One over the median positive interval of the log times.",
        source: "GrandTour dataset checker",
    },
    MetricEntry {
        id: DISTRIBUTION_ENERGY_SQRT,
        unit: "sqrt(value)",
        description: "Root of twice the integrated squared difference of two distributions.",
        source: "Szekely and Rizzo, 2013; form of scipy.stats.energy_distance",
    },
    MetricEntry {
        id: DISTRIBUTION_KS,
        unit: "1",
        description: "Largest vertical distance of two empirical distribution functions.",
        source: "Kolmogorov 1933; Smirnov 1939",
    },
    MetricEntry {
        id: DISTRIBUTION_WASSERSTEIN_1,
        unit: "value",
        description: "Area between two empirical distribution functions.",
        source: "Villani, Optimal Transport, 2009; scipy.stats.wasserstein_distance",
    },
    MetricEntry {
        id: MAP_UNKNOWN_SHARE,
        unit: "1",
        description: "Share of a scan's end points that lie in unknown cells of the map.",
        source: "this project",
    },
    MetricEntry {
        id: MAP_WALL_RESIDUAL,
        unit: "m",
        description: "Distance from a scan's end point to the nearest piece of wall of the map.",
        source: "this project",
    },
    MetricEntry {
        id: MAP_WITHIN_SHARE,
        unit: "1",
        description: "Share of a scan's end points near a wall of the map, within a tolerance.",
        source: "this project",
    },
    MetricEntry {
        id: RESIDUAL_MEAN,
        unit: "value",
        description: "Mean of the paired differences, synthetic minus real.",
        source: "this project",
    },
    MetricEntry {
        id: RESIDUAL_RMSE,
        unit: "value",
        description: "Root mean square of the paired differences, synthetic minus real.",
        source: "this project",
    },
    MetricEntry {
        id: SCAN_BEAM_AGREEMENT,
        unit: "1",
        description: "Share of beams that read the same in two scans from the same place, within \
                      a tolerance.",
        source: "this project",
    },
    MetricEntry {
        id: SCAN_GRID_SHARE,
        unit: "1",
        description: "Share of valid readings that are whole multiples of a step.",
        source: "this project",
    },
    MetricEntry {
        id: SCAN_RANGE_RESIDUAL,
        unit: "m",
        description: "Synthetic minus real range of the beams that are valid in both.",
        source: "this project",
    },
    MetricEntry {
        id: SCAN_REPROJECTED_AGREEMENT,
        unit: "1",
        description: "Share of the beams of one scan that another scan from elsewhere confirms, \
                      within a tolerance.",
        source: "this project",
    },
    MetricEntry {
        id: SCAN_ROUGHNESS,
        unit: "m",
        description: "Clipped root mean square of the second difference along a scan, scaled to \
                      the sigma of white noise.",
        source: "this project; second-difference noise estimate as Immerkaer 1996 for images",
    },
    MetricEntry {
        id: SCAN_VALID_SHARE,
        unit: "1",
        description: "Share of beams whose reading is a measurement.",
        source: "this project",
    },
    MetricEntry {
        id: TRAJ_APE_FULL,
        unit: "1",
        description: "Absolute pose error, Frobenius norm of the error pose minus the identity; \
                      metres and rotation mixed.",
        source: "Sturm et al. 2012; evo 1.38.1",
    },
    MetricEntry {
        id: TRAJ_APE_ROTATION_DEG,
        unit: "deg",
        description: "Absolute pose error, angle of the error rotation in degrees.",
        source: "Sturm et al. 2012; evo 1.38.1",
    },
    MetricEntry {
        id: TRAJ_APE_ROTATION_FROBENIUS,
        unit: "1",
        description: "Absolute pose error, Frobenius norm of error rotation minus identity.",
        source: "Sturm et al. 2012; evo 1.38.1",
    },
    MetricEntry {
        id: TRAJ_APE_ROTATION_RAD,
        unit: "rad",
        description: "Absolute pose error, angle of the error rotation in radians.",
        source: "Sturm et al. 2012; evo 1.38.1",
    },
    MetricEntry {
        id: TRAJ_APE_TRANSLATION,
        unit: "m",
        description: "Absolute pose error, distance between estimated and reference position.",
        source: "Sturm et al. 2012; evo 1.38.1",
    },
    MetricEntry {
        id: TRAJ_RPE_DISTANCE_RATIO,
        unit: "%",
        description: "Relative pose error, difference of the distances moved over the reference's.",
        source: "evo 1.38.1",
    },
    MetricEntry {
        id: TRAJ_RPE_FULL,
        unit: "1",
        description: "Relative pose error, Frobenius norm of the error motion minus the identity; \
                      metres and rotation mixed.",
        source: "Sturm et al. 2012; evo 1.38.1",
    },
    MetricEntry {
        id: TRAJ_RPE_ROTATION_DEG,
        unit: "deg",
        description: "Relative pose error, angle of the error rotation in degrees.",
        source: "Sturm et al. 2012; evo 1.38.1",
    },
    MetricEntry {
        id: TRAJ_RPE_ROTATION_FROBENIUS,
        unit: "1",
        description: "Relative pose error, Frobenius norm of error rotation minus identity.",
        source: "Sturm et al. 2012; evo 1.38.1",
    },
    MetricEntry {
        id: TRAJ_RPE_ROTATION_RAD,
        unit: "rad",
        description: "Relative pose error, angle of the error rotation in radians.",
        source: "Sturm et al. 2012; evo 1.38.1",
    },
    MetricEntry {
        id: TRAJ_RPE_TRANSLATION,
        unit: "m",
        description: "Relative pose error, length of the difference of two motions.",
        source: "Sturm et al. 2012; evo 1.38.1",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_sorted_and_each_entry_is_one_sentence() {
        assert!(METRICS.is_sorted_by(|a, b| a.id < b.id));
        for metric in METRICS {
            assert_eq!(entry(metric.id), Some(metric));
            assert!(metric.description.ends_with('.') && !metric.unit.is_empty());
        }
    }
}
