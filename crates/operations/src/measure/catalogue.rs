//! The list of metrics, and which verb gives each.
//!
//! Invariant: every metric of the registry is listed; one that no verb gives says so.

use serde::Serialize;
use tiepoint_measure::registry;

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
    /// The subcommand of `measure` that gives it; `None` if only the library does.
    pub command: Option<&'static str>,
}

impl MetricLine {
    /// The cells of a table's row.
    #[must_use]
    pub fn row(&self) -> Vec<String> {
        let command = self.command.unwrap_or("-").to_owned();
        let Self { id, unit, description, source, .. } = self.clone();
        vec![id, unit, command, description, source]
    }
}

/// Every metric that exists, sorted by id.
#[must_use]
pub fn metrics() -> Vec<MetricLine> {
    registry::all()
        .iter()
        .map(|entry| MetricLine {
            id: entry.id.as_str().to_owned(),
            unit: entry.unit.to_owned(),
            description: entry.description.to_owned(),
            source: entry.source.to_owned(),
            command: command_of(entry.id.as_str()),
        })
        .collect()
}

/// The start of an id, or the whole of it, and the subcommand that gives such metrics. The first
/// that fits counts.
const COMMANDS: &[(&str, &str)] = &[
    ("autocorrelation.", "autocorrelation.time"),
    ("dist.adwin_detections", "dist.adwin"),
    ("dist.alpha_precision", "dist.alpha_precision"),
    ("dist.authenticity", "dist.alpha_precision"),
    ("dist.beta_recall", "dist.alpha_precision"),
    ("dist.c2st_", "dist.c2st"),
    ("dist.coverage", "dist.prdc"),
    ("dist.cramer_von_mises", "dist.cramer_von_mises"),
    ("dist.density", "dist.prdc"),
    ("dist.dependence_difference", "dist.dependence_difference"),
    ("dist.energy_sqrt", "dist.energy_sqrt"),
    ("dist.energy", "dist.energy"),
    ("dist.frechet", "dist.frechet"),
    ("dist.kid", "dist.kid"),
    ("dist.ks", "dist.ks"),
    ("dist.mmd_squared", "dist.mmd_squared"),
    ("dist.mmd_upper_bound", "dist.mmd_upper_bound"),
    ("dist.precision", "dist.prdc"),
    ("dist.psi", "dist.psi"),
    ("dist.recall", "dist.prdc"),
    ("dist.wasserstein_1", "dist.wasserstein_1"),
    ("dist.wasserstein_sliced", "dist.wasserstein_sliced"),
    ("dist.wasserstein", "dist.wasserstein"),
    ("geom.chamfer.density_aware", "geom.chamfer.density_aware"),
    ("geom.chamfer", "geom.chamfer"),
    ("geom.f_score", "geom.f_score"),
    ("geom.hausdorff", "geom.hausdorff"),
    ("geom.m3c2.", "geom.m3c2"),
    ("geom.precision", "geom.f_score"),
    ("geom.recall", "geom.f_score"),
    ("ranking.kendall_tau_b", "ranking.kendall_tau_b"),
    ("ranking.mmrv", "ranking.mmrv"),
    ("ranking.srcc", "ranking.srcc"),
    ("sensor.allan.", "sensor.allan"),
    ("sensor.imu.", "sensor.allan"),
    ("signal.dtw", "signal.dtw"),
    ("signal.log_spectral_distance", "signal.log_spectral_distance"),
    ("traj.ape.", "traj.ape"),
    ("traj.kitti_drift.", "traj.kitti_drift"),
    ("traj.loop_closure.", "traj.loop_closure"),
    ("traj.rpe.", "traj.rpe"),
    ("traj.step_scale", "traj.step_scale"),
    ("traj.sub_trajectory.", "traj.sub_trajectory"),
    ("traj.time_offset", "traj.time_offset"),
];

fn command_of(id: &str) -> Option<&'static str> {
    COMMANDS.iter().find(|(start, _)| id.starts_with(start)).map(|(_, command)| *command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_gives_a_metric() {
        for (start, command) in COMMANDS {
            let gives = |line: &MetricLine| {
                line.id.starts_with(start) && line.command.is_some_and(|found| found == *command)
            };
            assert!(metrics().iter().any(gives), "{start} {command}");
        }
    }
}
