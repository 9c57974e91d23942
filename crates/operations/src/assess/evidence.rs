//! From a claim to what its judge needs: blocks, seeds, controls, dependence, reference error.
//!
//! Invariant: validation samples are opened here and nowhere earlier, after the claim was committed.
//! Every synthetic value is simulated again from stored inputs; seeds follow from the claim's base seed by name.

use std::collections::BTreeMap;

use rayon::prelude::*;
use tiepoint_assure::{
    DirectionEvidence, SampleSeries, statistics::dependence::autocorrelation_time,
};
use tiepoint_model::{
    Scan, Seed, Span, Timestamp,
    claim::{Claim, Split, UnitChoice},
    verdict::{ReferenceError, UnitValues},
};
use tiepoint_reconstruct::trajectory::StampedPose;
use tiepoint_simulate::{Corruption, TwinOutput, corrupt};

use super::metric::{Metric, Series, Side, refuse};
use crate::{
    Block, Error, Half, RunSpan,
    run::{Run, in_plane},
    twin::stored::TwinInputs,
};

/// Everything measured on the twins of a run, for one claim.
pub(super) struct Measured {
    pub(super) directions: Vec<DirectionEvidence>,
    pub(super) reference: Option<ReferenceError>,
    /// Values of the real run by instant, for pictures.
    pub(super) real: Series,
    /// Values of the first seed's twins on their validation halves, for pictures.
    pub(super) synthetic: Series,
}

/// The claim's data and choices in one place.
pub(super) struct Question<'a> {
    pub(super) claim: &'a Claim,
    pub(super) metric: Metric,
    pub(super) run: &'a Run,
    pub(super) truth: &'a [StampedPose],
    pub(super) span: RunSpan,
}

/// Measures the claim's metric on the real run and on its twins, in both directions.
pub(super) fn measure(
    question: &Question<'_>,
    twins: &[(Half, TwinInputs)],
) -> Result<Measured, Error> {
    let Question { claim, metric, run, truth, span } = *question;
    let side = Side {
        scans: &run.scans,
        odometry: &run.odometry,
        ranges: &run.ranges,
        truth,
        beacons: &run.beacons,
        base_from_laser: run.base_from_laser,
    };
    let real = metric.series(&side, &run.scans)?;
    if real.is_empty() {
        let reason = format!("`{}` could not be measured on `{}`", claim.metric.id, claim.real);
        let hint = "check that the recording has the sensors that the metric looks at".to_owned();
        return Err(refuse(claim, &reason, hint));
    }
    // Two real scans are laid on each other by the same poses that the twin was simulated at.
    let placed = twins.first().map(|(_, twin)| twin.trajectory()).unwrap_or_default();
    let positive = metric.next_scan_series(&Side { truth: &placed, ..side })?;
    let corruption = Corruption::parse(&claim.controls.negative.id, claim.controls.negative.size)?;
    let mut directions = Vec::new();
    let mut synthetic_shown = Series::new();
    for (calibration, twin) in twins {
        let clean = by_seed(question, twin, Corruption::None)?;
        let corrupted = by_seed(question, twin, corruption)?;
        let validation = calibration.other();
        let differences = difference_series(&real, &clean, |t| span.is_in(validation, t));
        let guard = guard_of(claim, &real, &differences);
        let blocks = span.validation_blocks(*calibration, guard, block_length(claim));
        let units = blocks.iter().enumerate().map(|(index, block)| UnitValues {
            unit_index: index,
            unit: None,
            cell: None,
            start_ns: Some(block.start),
            end_ns: Some(block.end),
            sample_count: in_block(&real, *block).count(),
            descriptors: descriptors(run, truth, *block),
            real: mean_in(&real, *block),
            synthetic_by_seed: clean.iter().map(|series| mean_in(series, *block)).collect(),
            negative_control_by_seed: corrupted.iter().map(|s| mean_in(s, *block)).collect(),
            positive_control: positive.as_ref().and_then(|series| mean_in(series, *block)),
        });
        let units = units.collect();
        if let Some(first) = clean.first() {
            let shown = first.iter().filter(|(time, _)| span.is_in(validation, **time));
            synthetic_shown.extend(shown.map(|(time, value)| (*time, *value)));
        }
        directions.push(DirectionEvidence {
            direction: format!("{}_to_{}", calibration.as_str(), validation.as_str()),
            fitted_on: format!("{}, {} half", run.recording.name, calibration.as_str()),
            tested_on: format!("{}, {} half", run.recording.name, validation.as_str()),
            guard_s: guard.as_seconds(),
            units,
            differences,
        });
    }
    let reference = reference_error(question, twins, &real);
    Ok(Measured { directions, reference, real, synthetic: synthetic_shown })
}

/// The synthetic values of every seed, in the order of seeds.
fn by_seed(
    question: &Question<'_>,
    twin: &TwinInputs,
    corruption: Corruption,
) -> Result<Vec<Series>, Error> {
    let count = u64::from(question.claim.seeds.count);
    (0..count)
        .into_par_iter()
        .map(|index| {
            let seed = question.claim.seeds.base.for_purpose(&format!("seed {index}"));
            one_seed(question, twin, corruption, seed)
        })
        .collect()
}

fn one_seed(
    question: &Question<'_>,
    twin: &TwinInputs,
    corruption: Corruption,
    seed: Seed,
) -> Result<Series, Error> {
    let metric = question.metric;
    let mut output: TwinOutput = twin.simulate(seed, metric.channels())?;
    let lidar = &twin.manifest.parameters.lidar;
    corrupt(&mut output, corruption, lidar, seed.for_purpose("corruption"))?;
    let truth = in_plane(&output.truth);
    let side = Side {
        scans: &output.scans,
        odometry: &output.odometry,
        ranges: &output.ranges,
        truth: &truth,
        beacons: &question.run.beacons,
        base_from_laser: question.run.base_from_laser,
    };
    metric.series(&side, &question.run.scans)
}

/// At least the claimed number of autocorrelation times, of the real values and of the differences, and one sample.
fn guard_of(claim: &Claim, real: &Series, differences: &SampleSeries) -> Span {
    let factor = match claim.split {
        Split::ContiguousHalves { guard_autocorrelation_times, .. } => guard_autocorrelation_times,
        Split::ByRun {} => 0.0,
    };
    let interval_s = interval_s(real);
    let real = vec![real.values().copied().collect()];
    let times = [autocorrelation_time(&real), autocorrelation_time(&differences.pieces)];
    let longest = times.into_iter().flatten().fold(1.0, f64::max);
    // One nanosecond more, so that rounding to whole nanoseconds never falls short.
    Span(Span::from_seconds(factor.max(1.0) * longest * interval_s).0 + 1)
}

fn block_length(claim: &Claim) -> Span {
    match claim.unit {
        UnitChoice::Block { length_s } => Span::from_seconds(length_s),
        UnitChoice::Run { .. } | UnitChoice::Scene { .. } => Span(0),
    }
}

/// Mean time from one value to the next, seconds.
fn interval_s(series: &Series) -> f64 {
    match (series.keys().next(), series.keys().next_back()) {
        (Some(first), Some(last)) if series.len() > 1 => {
            last.since(*first).as_seconds() / (series.len() - 1) as f64
        }
        _ => 0.0,
    }
}

fn in_block(series: &Series, block: Block) -> impl Iterator<Item = f64> + '_ {
    series.range(block.start..block.end).map(|(_, value)| *value)
}

/// The mean over a block; `None` without a value in it.
fn mean_in(series: &Series, block: Block) -> Option<f64> {
    let (sum, count) =
        in_block(series, block).fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

/// Mean over seeds minus real, at the instants that all share.
fn difference_series(
    real: &Series,
    synthetic: &[Series],
    keep: impl Fn(Timestamp) -> bool,
) -> SampleSeries {
    let values: Vec<f64> = real
        .iter()
        .filter(|(time, _)| keep(**time))
        .map(|(time, real)| {
            let sum: Option<f64> = synthetic.iter().map(|series| series.get(time)).sum();
            sum.map_or(f64::NAN, |sum| sum / synthetic.len() as f64 - real)
        })
        .collect();
    SampleSeries { interval_s: interval_s(real), pieces: vec![values] }
}

/// Conditions of a block, each with its unit in its name; one that could not be measured is absent.
fn descriptors(run: &Run, truth: &[StampedPose], block: Block) -> BTreeMap<String, f64> {
    let inside: Vec<&StampedPose> = truth.iter().filter(|pose| block.holds(pose.stamp)).collect();
    let (mut length_m, mut turn_rad) = (0.0, 0.0);
    for pair in inside.windows(2) {
        let step = pair[0].fixed_from_base.inverse() * pair[1].fixed_from_base;
        length_m += step.distance_m(tiepoint_model::Pose2::IDENTITY);
        turn_rad += step.yaw_rad.abs();
    }
    let mut descriptors = BTreeMap::new();
    if let (Some(first), Some(last)) = (inside.first(), inside.last())
        && last.stamp > first.stamp
    {
        let duration_s = last.stamp.since(first.stamp).as_seconds();
        descriptors.insert("mean_speed_m_per_s".to_owned(), length_m / duration_s);
        descriptors.insert("mean_turn_rate_rad_per_s".to_owned(), turn_rad / duration_s);
    }
    let scans: Vec<Scan> =
        run.scans.iter().filter(|scan| block.holds(scan.stamps.measured())).cloned().collect();
    if let Some(valid) = tiepoint_measure::scan::valid_share(&scans).value() {
        descriptors.insert("valid_beam_share".to_owned(), valid);
    }
    descriptors
}

/// What of the metric is the reference's own error, where its poses enter.
fn reference_error(
    question: &Question<'_>,
    twins: &[(Half, TwinInputs)],
    real: &Series,
) -> Option<ReferenceError> {
    if !question.metric.uses_reference() {
        return None;
    }
    // Variance of one step's reference error in the plane, from the calibration halves.
    let steps: Vec<f64> = twins
        .iter()
        .filter_map(|(_, twin)| twin.manifest.report.reference_step_variance_m2)
        .collect();
    if steps.is_empty() {
        return None;
    }
    let step_variance_m2 = steps.iter().sum::<f64>() / steps.len() as f64;
    let (variance_m2, what) = match question.metric {
        // A step is the difference of two poses with errors of their own.
        Metric::PositionError { .. } => (step_variance_m2 / 2.0, "of a pose"),
        _ => (step_variance_m2, "of a step"),
    };
    let mean_square: f64 =
        real.values().map(|value| value * value).sum::<f64>() / real.len() as f64;
    Some(ReferenceError {
        value: variance_m2.sqrt(),
        unit: question.claim.margin.unit.clone(),
        method: format!(
            "three-cornered hat of ground truth, odometry and scan matching: error {what}"
        ),
        share_of_real_variance: (mean_square > 0.0).then(|| (variance_m2 / mean_square).min(1.0)),
    })
}
