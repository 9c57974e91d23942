//! `compare`: how a synthetic recording differs from a real one, measured, with intervals; no verdict.
//!
//! Invariant: looking is recorded. The ledger remembers the comparison, and a claim that is committed after it is exploratory.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::json;
use tiepoint_measure::{
    Bootstrap, Interval, Metric, MetricId,
    autocorrelation::{Window, integrated_time},
    distribution::{DistributionDistance, distribution_distance, distribution_distance_interval},
    map::{MapOptions, map_agreement},
    registry,
    residual::residual_summary,
    scan::{beam_agreement, range_residuals_m, roughness_m, valid_share},
};
use tiepoint_model::{Derivation, EdgeKind, Excerpt, LineageEdge, Scan, Seed, Timestamp};

use crate::{
    Error, Platform, derivations,
    platform::Commit,
    recording,
    run::{Run, pose_at},
    twin::stored,
    verify::sha256_of,
};

/// The second difference along a scan is cut here: larger ones are edges, not noise.
const ROUGHNESS_CLIP_M: f64 = 0.1;
/// A beam agrees if it reads within this.
const AGREEMENT_M: f64 = 0.1;
/// Walls farther than this from a return are not looked for.
const WALL_REACH_M: f64 = 1.0;
const RESAMPLES: usize = 1000;
const LEVEL: f64 = 0.95;

/// One measured number.
#[derive(Clone, Debug, Serialize)]
pub struct ComparedMetric {
    /// Id and conventions.
    pub metric: String,
    /// On the real side, for metrics of one side.
    pub real: Option<f64>,
    /// On the synthetic side, for metrics of one side.
    pub synthetic: Option<f64>,
    /// Between both, for distances and differences.
    pub difference: Option<f64>,
    /// 95 % interval of the difference, by a block bootstrap over scans.
    pub interval: Option<[f64; 2]>,
    /// Unit of all of them.
    pub unit: String,
}

/// Everything that was compared.
#[derive(Clone, Debug, Serialize)]
pub struct CompareReport {
    /// The real recording.
    pub real: String,
    /// The synthetic recording.
    pub synthetic: String,
    /// Scans with a partner of the same stamp.
    pub paired_scan_count: usize,
    /// In the order of measuring.
    pub metrics: Vec<ComparedMetric>,
}

impl CompareReport {
    /// Cells of a table: metric, real, synthetic, difference, interval.
    #[must_use]
    pub fn rows(&self) -> Vec<Vec<String>> {
        let number = |value: Option<f64>, unit: &str| {
            value.map_or_else(String::new, |v| format!("{v:.4} {unit}").trim_end().to_owned())
        };
        let rows = self.metrics.iter().map(|row| {
            let interval = row
                .interval
                .map_or_else(String::new, |[low, high]| format!("[{low:.4}, {high:.4}]"));
            vec![
                row.metric.clone(),
                number(row.real, &row.unit),
                number(row.synthetic, &row.unit),
                number(row.difference, &row.unit),
                interval,
            ]
        });
        rows.collect()
    }
}

/// Compares two recordings and remembers that they were looked at.
///
/// # Errors
/// [`Error::NotFound`], [`Error::CannotTwin`] without planar scans; those of measures and store.
pub async fn compare(
    platform: &mut Platform,
    real: &str,
    synthetic: &str,
) -> Result<CompareReport, Error> {
    let found =
        [recording::find(platform, real).await?, recording::find(platform, synthetic).await?];
    let ids = found.each_ref().map(|recording| recording.recording_id.to_string());
    let [real, synthetic] = found;
    let inputs_digest = match &synthetic.derivation {
        Some(Derivation::Generated { inputs_digest, .. }) => Some(*inputs_digest),
        _ => None,
    };
    let real = Run::load(platform, real).await?;
    let synthetic = Run::load(platform, synthetic).await?;
    let mut metrics = one_sided(&real.scans, &synthetic.scans);
    let pairs = paired(&real.scans, &synthetic.scans);
    metrics.extend(between(&real.scans, &synthetic.scans)?);
    metrics.extend(of_pairs(&pairs)?);
    if let Some(digest) = inputs_digest {
        let twin = stored::load(platform, &digest).await?;
        metrics.extend(against_map(&real, &twin)?);
    }
    let id = comparison_id(&ids, platform.config.now);
    let edges = edges(&id, [&real, &synthetic]);
    let pending = derivations::write(platform, &id, &edges).await?;
    let (append, root) = pending.map(|pending| (pending.append, pending.root)).unzip();
    let commit = Commit {
        appends: append.into_iter().collect(),
        roots: root.into_iter().collect(),
        inputs: ids.to_vec(),
        outputs: vec![id],
        parameters: json!({ "real": ids[0], "synthetic": ids[1] }),
        ..Commit::empty("compare")
    };
    platform.commit(commit, |_| false).await?;
    Ok(CompareReport {
        real: real.recording.name,
        synthetic: synthetic.recording.name,
        paired_scan_count: pairs.0.len(),
        metrics,
    })
}

/// Names one look at two recordings.
fn comparison_id(recordings: &[String; 2], now: Timestamp) -> String {
    let [real, synthetic] = recordings;
    let digest = sha256_of(format!("{real} {synthetic} {}", now.0).as_bytes());
    format!("comparison-{}", &digest.to_string()[..16])
}

/// The scans of both are looked at, the real ones where the robot was in the twin.
fn edges(comparison_id: &str, runs: [&Run; 2]) -> Vec<LineageEdge> {
    let edge = |run: &Run| LineageEdge {
        child: Excerpt::whole(comparison_id),
        kind: EdgeKind::Comparison,
        parent: Excerpt::whole(run.recording.recording_id.to_string()).of_part(&run.scan_topic),
    };
    runs.map(edge).into()
}

/// Roughness, what it remembers, and the share of measured beams, on each side.
fn one_sided(real: &[Scan], synthetic: &[Scan]) -> Vec<ComparedMetric> {
    let time_of = |scans: &[Scan]| {
        integrated_time(&roughness_series(scans), Window::GeyerInitialPositive).ok().map(|t| t.time)
    };
    let roughness = |scans: &[Scan]| roughness_m(scans, ROUGHNESS_CLIP_M).ok();
    let row = |id: MetricId, real: Option<f64>, synthetic: Option<f64>| ComparedMetric {
        metric: id.as_str().to_owned(),
        real,
        synthetic,
        difference: None,
        interval: None,
        unit: unit_of(id),
    };
    vec![
        ComparedMetric {
            metric: roughness_metric().to_string(),
            ..row(
                registry::SCAN_ROUGHNESS,
                roughness(real).map(|r| r.roughness_m),
                roughness(synthetic).map(|r| r.roughness_m),
            )
        },
        row(registry::AUTOCORRELATION_TIME, time_of(real), time_of(synthetic)),
        row(registry::SCAN_VALID_SHARE, valid_share(real).value(), valid_share(synthetic).value()),
    ]
}

fn roughness_metric() -> Metric {
    Metric::new(registry::SCAN_ROUGHNESS).with("clip_m", ROUGHNESS_CLIP_M)
}

/// Roughness scan by scan, where it is defined.
fn roughness_series(scans: &[Scan]) -> Vec<f64> {
    let of_one = |scan| roughness_m(std::slice::from_ref(scan), ROUGHNESS_CLIP_M);
    scans.iter().filter_map(|scan| of_one(scan).ok()).map(|r| r.roughness_m).collect()
}

/// Distances of the two distributions of roughness, with intervals.
fn between(real: &[Scan], synthetic: &[Scan]) -> Result<Vec<ComparedMetric>, Error> {
    let (left, right) = (roughness_series(real), roughness_series(synthetic));
    if left.is_empty() || right.is_empty() {
        return Ok(Vec::new());
    }
    let bootstrap = bootstrap(&left);
    let mut rows = Vec::new();
    for which in [
        DistributionDistance::KolmogorovSmirnov,
        DistributionDistance::Wasserstein1,
        DistributionDistance::EnergySqrt,
    ] {
        let interval = distribution_distance_interval(which, &left, &right, &bootstrap)?;
        let unit = unit_of(which.metric_id());
        rows.push(ComparedMetric {
            metric: format!("{} of {}", which.metric(), registry::SCAN_ROUGHNESS.as_str()),
            real: None,
            synthetic: None,
            difference: Some(distribution_distance(which, &left, &right)?),
            interval: Some(ends(interval)),
            unit: if unit == "value" { "m".to_owned() } else { unit },
        });
    }
    Ok(rows)
}

/// Range residuals and beam agreement of scans at the same instants.
fn of_pairs(pairs: &(Vec<Scan>, Vec<Scan>)) -> Result<Vec<ComparedMetric>, Error> {
    let (real, synthetic) = pairs;
    let mut means = Vec::new();
    for (real, synthetic) in real.iter().zip(synthetic) {
        let one = [std::slice::from_ref(real), std::slice::from_ref(synthetic)];
        let residuals = range_residuals_m(one[0], one[1])?.residuals_m;
        if !residuals.is_empty() {
            means.push(residuals.iter().sum::<f64>() / residuals.len() as f64);
        }
    }
    if means.is_empty() {
        return Ok(Vec::new());
    }
    let summary = residual_summary(&means, &bootstrap(&means))?;
    let agreement = beam_agreement(real, synthetic, AGREEMENT_M)?;
    let row = |metric: String, difference, interval, unit: &str| ComparedMetric {
        metric,
        real: None,
        synthetic: None,
        difference,
        interval,
        unit: unit.to_owned(),
    };
    let per_scan = Metric::new(registry::SCAN_RANGE_RESIDUAL).with("mean_over", "scan");
    let agrees = Metric::new(registry::SCAN_BEAM_AGREEMENT).with("tolerance_m", AGREEMENT_M);
    Ok(vec![
        row(
            format!("{} of {per_scan}", registry::RESIDUAL_MEAN.as_str()),
            Some(summary.statistics.mean),
            Some(ends(summary.mean_interval)),
            "m",
        ),
        row(
            format!("{} of {per_scan}", registry::RESIDUAL_RMSE.as_str()),
            Some(summary.statistics.rmse),
            Some(ends(summary.rmse_interval)),
            "m",
        ),
        row(agrees.to_string(), agreement.value(), None, ""),
    ])
}

/// How well the real returns lie on the walls of the twin's map.
fn against_map(real: &Run, twin: &stored::TwinInputs) -> Result<Vec<ComparedMetric>, Error> {
    let trajectory = twin.trajectory();
    let laser = real.base_from_laser;
    let posed: Vec<_> = real
        .scans
        .iter()
        .filter_map(|scan| {
            let map_from_base = pose_at(&trajectory, scan.stamps.measured())?;
            Some((map_from_base * laser, scan))
        })
        .collect();
    let options = MapOptions { tolerance_m: AGREEMENT_M, reach_m: WALL_REACH_M };
    let agreement = map_agreement(&twin.map, &posed, &options)?;
    let row = |id: MetricId, real: Option<f64>| ComparedMetric {
        metric: Metric::new(id).with("tolerance_m", AGREEMENT_M).to_string(),
        real,
        synthetic: None,
        difference: None,
        interval: None,
        unit: unit_of(id),
    };
    Ok(vec![
        row(registry::MAP_WITHIN_SHARE, agreement.within.value()),
        row(registry::MAP_UNKNOWN_SHARE, agreement.unknown.value()),
        ComparedMetric {
            metric: Metric::new(registry::MAP_WALL_RESIDUAL)
                .with("reach_m", WALL_REACH_M)
                .with("statistic", "median")
                .to_string(),
            ..row(registry::MAP_WALL_RESIDUAL, agreement.median_m)
        },
    ])
}

/// Scans of both sides with the same stamp, in order.
fn paired(real: &[Scan], synthetic: &[Scan]) -> (Vec<Scan>, Vec<Scan>) {
    let by_time: BTreeMap<Timestamp, &Scan> =
        synthetic.iter().map(|scan| (scan.stamps.measured(), scan)).collect();
    let pairs = real.iter().filter_map(|scan| {
        let partner = by_time.get(&scan.stamps.measured())?;
        (partner.ranges_m.len() == scan.ranges_m.len()).then(|| (scan.clone(), (*partner).clone()))
    });
    pairs.unzip()
}

/// Resamples blocks as long as the series remembers.
fn bootstrap(series: &[f64]) -> Bootstrap {
    let time = integrated_time(series, Window::GeyerInitialPositive).map_or(1.0, |t| t.time);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an autocorrelation time lies between 1 and the length of its series"
    )]
    let block_length = (time.ceil() as usize).clamp(1, series.len());
    Bootstrap { seed: Seed(1), resample_count: RESAMPLES, block_length, level: LEVEL }
}

fn ends(interval: Interval) -> [f64; 2] {
    [interval.low, interval.high]
}

/// The unit in the registry; nothing for pure numbers.
fn unit_of(id: MetricId) -> String {
    match registry::entry(id).map_or("", |entry| entry.unit) {
        "1" => String::new(),
        unit => unit.to_owned(),
    }
}
