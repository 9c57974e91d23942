//! The list of metrics, and which verb gives each.
//!
//! Invariant: every metric of the registry is listed; one that no verb gives says so.

use serde::Serialize;
use tiepoint_measure::registry::{self, MetricEntry};

use super::statistic;

/// One metric of the list.
#[derive(Clone, Debug, Serialize)]
pub struct MetricLine {
    /// Its id.
    pub id: String,
    /// Its unit.
    pub unit: String,
    /// What it is.
    pub description: String,
    /// Where it is defined.
    pub source: String,
    /// The subcommand of `measure` that gives it; `None` if another verb does, or only the library.
    pub command: Option<&'static str>,
    /// Another verb that gives it, of recordings in a lake.
    pub elsewhere: Option<&'static str>,
    /// The names of the conventions that the subcommand may print with the id.
    pub conventions: Vec<&'static str>,
}

impl MetricLine {
    /// The cells of a table's row.
    #[must_use]
    pub fn row(&self) -> Vec<String> {
        let command = match (self.command, self.elsewhere) {
            (Some(command), _) => command.to_owned(),
            (None, Some(verb)) => format!("({verb})"),
            (None, None) => "-".to_owned(),
        };
        let conventions = self.conventions.join(" ");
        let Self { id, unit, description, source, .. } = self.clone();
        vec![id, unit, command, conventions, description, source]
    }
}

/// Every metric and statistic that exists, sorted by id.
#[must_use]
pub fn metrics() -> Vec<MetricLine> {
    let mut lines: Vec<MetricLine> =
        registry::all().iter().map(line_of).chain(statistic::lines()).collect();
    lines.sort_by(|a, b| a.id.cmp(&b.id));
    lines
}

fn line_of(entry: &MetricEntry) -> MetricLine {
    let id = entry.id.as_str();
    let (command, conventions) = command_of(id).unzip();
    MetricLine {
        id: id.to_owned(),
        unit: entry.unit.to_owned(),
        description: entry.description.to_owned(),
        source: entry.source.to_owned(),
        command,
        elsewhere: ELSEWHERE.iter().find(|(start, _)| id.starts_with(start)).map(|(_, verb)| *verb),
        conventions: conventions.unwrap_or_default(),
    }
}

/// The start of an id, or the whole of it, the subcommand that gives such metrics, and the names of
/// the conventions that it may print. The first that fits counts.
const COMMANDS: &[(&str, &str, &str)] = &[
    ("autocorrelation.", "autocorrelation.time", "window"),
    ("calibration.extrinsic.", "calibration.extrinsic", ""),
    ("calibration.reprojection_shift_px", "calibration.reprojection_shift", "grid"),
    ("dist.adwin_detections", "dist.adwin", "buckets clock delta grace mode side_min"),
    ("dist.alpha_precision", "dist.alpha_precision", "embedding levels mode"),
    ("dist.authenticity", "dist.alpha_precision", "embedding levels mode"),
    ("dist.beta_recall", "dist.alpha_precision", "embedding levels mode"),
    ("dist.c2st_", "dist.c2st", "c folds k learner p_value permutations seed"),
    ("dist.coverage", "dist.prdc", "ball k"),
    ("dist.cramer_von_mises", "dist.cramer_von_mises", "law ties"),
    ("dist.density", "dist.prdc", "ball k"),
    ("dist.dependence_difference", "dist.dependence_difference", "coefficient"),
    ("dist.energy_sqrt", "dist.energy_sqrt", "form"),
    ("dist.energy", "dist.energy", "form mode p_value permutations seed"),
    ("dist.frechet", "dist.frechet", "bias covariance seed subset_size_min subset_sizes"),
    ("dist.kid", "dist.kid", "estimator kernel subsets"),
    ("dist.ks", "dist.ks", "alternative law"),
    ("dist.mmd_squared", "dist.mmd_squared", "estimator gamma kernel p_value permutations seed"),
    ("dist.mmd_upper_bound", "dist.mmd_upper_bound", "error_rate gamma law"),
    ("dist.mutual_information", "dist.mutual_information", "estimator neighbours"),
    ("dist.precision", "dist.prdc", "ball k"),
    ("dist.psi", "dist.psi", "bins empty mode"),
    ("dist.recall", "dist.prdc", "ball k"),
    ("dist.total_variation", "dist.total_variation", ""),
    ("dist.wasserstein_1", "dist.wasserstein_1", ""),
    ("dist.wasserstein_exact", "dist.wasserstein_exact", "order"),
    ("dist.wasserstein_sliced", "dist.wasserstein_sliced", "directions order seed"),
    ("dist.wasserstein", "dist.wasserstein", "form order"),
    ("geom.chamfer.density_aware", "geom.chamfer.density_aware", "alpha mode"),
    ("geom.chamfer", "geom.chamfer", "combine directed"),
    ("geom.f_score", "geom.f_score", "near tau_m"),
    ("geom.hausdorff", "geom.hausdorff", "combine quantile"),
    (
        "geom.m3c2.",
        "geom.m3c2",
        "cylinder_radius_m distance_m_max mode normal_radii_m points_min registration_error_m towards",
    ),
    ("geom.precision", "geom.f_score", "near tau_m"),
    ("geom.recall", "geom.f_score", "near tau_m"),
    ("geom.residual.", "geom.residual", "against cell_m origin_m"),
    ("ranking.kendall_tau_b", "ranking.kendall_tau_b", ""),
    ("ranking.mmrv", "ranking.mmrv", ""),
    ("ranking.srcc", "ranking.srcc", "level"),
    ("residual.", "residual.mean", "block_length level resamples seed"),
    ("sensor.allan.", "sensor.allan", "compat taus"),
    ("sensor.camera.dsnu", "sensor.camera.non_uniformity", ""),
    ("sensor.camera.line_delay", "sensor.camera.line_delay", "level"),
    ("sensor.camera.prnu", "sensor.camera.non_uniformity", ""),
    ("sensor.camera.video_gain", "sensor.camera.video_gain", "black_dn white_dn"),
    ("sensor.camera.", "sensor.camera.photon_transfer", "mode"),
    ("sensor.imu.", "sensor.allan", "fit tau_s"),
    ("sensor.lidar.drop_out", "sensor.lidar.drop_out", "incidence_edges_deg level range_edges_m"),
    (
        "sensor.lidar.range_noise",
        "sensor.lidar.range_noise",
        "incidence_edges_deg level outlier_span_m quantisation_m range_edges_m",
    ),
    ("signal.dtw", "signal.dtw", "band cost"),
    (
        "signal.log_spectral_distance",
        "signal.log_spectral_distance",
        "average detrend overlap rate_hz segment window",
    ),
    ("traj.ape.", "traj.ape", "alignment association compat"),
    ("traj.kitti_drift.", "traj.kitti_drift", "association condition lengths_m mode start_step"),
    ("traj.loop_closure.", "traj.loop_closure", "end"),
    ("traj.reference_error", "traj.reference_error", "alignment association trajectories"),
    (
        "traj.rpe.",
        "traj.rpe",
        "alignment association compat delta delta_tolerance pairing pairs_from",
    ),
    ("traj.step_scale", "traj.step_scale", "alignment association mode"),
    (
        "traj.sub_trajectory.",
        "traj.sub_trajectory",
        "alignment association length_m mode tolerance",
    ),
    (
        "traj.time_offset",
        "traj.time_offset",
        "correlation_min guess_ns margin overlap_min_ns search_ns signal step_ns",
    ),
];

/// The start of an id, and the verb that gives such metrics of recordings.
const ELSEWHERE: &[(&str, &str)] = &[
    ("channel.", "check"),
    ("map.", "compare"),
    ("scan.beam_agreement", "compare"),
    ("scan.grid_share", "assess"),
    ("scan.range_residual", "compare"),
    ("scan.reprojected_agreement", "assess"),
    ("scan.roughness", "compare"),
    ("scan.valid_share", "compare"),
];

/// True for the id itself, one below it, and one that goes on where the start ends with `.` or `_`.
fn is_of(id: &str, start: &str) -> bool {
    let rest = id.strip_prefix(start);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.') || start.ends_with(['.', '_']))
}

fn command_of(id: &str) -> Option<(&'static str, Vec<&'static str>)> {
    let (_, command, conventions) = COMMANDS.iter().find(|(start, ..)| is_of(id, start))?;
    Some((command, conventions.split_whitespace().collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_other_verb_of_the_table_gives_a_metric_that_no_subcommand_gives() {
        for (start, verb) in ELSEWHERE {
            let gives = |line: &MetricLine| {
                line.id.starts_with(start)
                    && line.command.is_none()
                    && line.elsewhere.is_some_and(|found| found == *verb)
            };
            assert!(metrics().iter().any(gives), "{start} {verb}");
        }
    }

    #[test]
    fn every_metric_of_the_registry_has_a_verb() {
        for line in metrics() {
            assert!(line.command.is_some() || line.elsewhere.is_some(), "{}", line.id);
        }
    }

    #[test]
    fn every_line_of_the_table_gives_a_metric() {
        for (start, command, _) in COMMANDS {
            let gives = |line: &MetricLine| {
                line.id.starts_with(start) && line.command.is_some_and(|found| found == *command)
            };
            assert!(metrics().iter().any(gives), "{start} {command}");
        }
    }
}
