//! The metrics that a claim may name: one value per sample, on real and synthetic data by the same code.
//!
//! Invariant: a value belongs to an instant of the run; a block's value is the mean of its samples' values.
//! Metres or shares; times are the sensor's.

use std::collections::BTreeMap;

use tiepoint_measure::scan::{beam_agreement, reprojected_agreement, roughness_m};
use tiepoint_model::{
    BeaconRange, Pose2, PoseSample, Scan, Timestamp,
    claim::{Claim, ParameterValue},
};
use tiepoint_reconstruct::trajectory::StampedPose;
use tiepoint_simulate::{
    Corruption,
    systems::{RangeFilterInput, RangeFilterOptions, ScanToScanInput, range_filter, scan_to_scan},
};

use crate::{Error, run::pose_at, twin::stored::Channels};

/// The ids that a claim may name.
pub(super) const KNOWN: &[&str] = &[
    "scan.roughness",
    "scan.beam_agreement",
    "system.position_error",
    "system.relative_translation_error",
];

/// A metric with its parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Metric {
    /// Clipped RMS of the second difference along the scan, metres.
    Roughness { clip_m: f64 },
    /// Share of the real scan's beams that the twin reads alike.
    BeamAgreement { tolerance_m: f64 },
    /// Position error of the range filter, clipped, metres.
    PositionError { options: RangeFilterOptions, clip_m: f64 },
    /// Translation error of scan-to-scan matching, clipped, metres.
    RelativeTranslation { clip_m: f64 },
}

/// One side of a comparison: a real run or a twin, in the same types.
#[derive(Clone, Copy)]
pub(super) struct Side<'a> {
    pub(super) scans: &'a [Scan],
    pub(super) odometry: &'a [PoseSample],
    pub(super) ranges: &'a [BeaconRange],
    pub(super) truth: &'a [StampedPose],
    pub(super) beacons: &'a BTreeMap<u32, [f64; 3]>,
    pub(super) base_from_laser: Pose2,
}

/// Values by instant, in order of time; samples that could not be measured are absent.
pub(super) type Series = BTreeMap<Timestamp, f64>;

impl Metric {
    /// The metric that a claim names.
    pub(super) fn of(claim: &Claim) -> Result<Self, Error> {
        let number = |name: &str| match claim.metric.parameters.get(name) {
            Some(ParameterValue::Number(value)) if value.is_finite() && *value > 0.0 => Ok(*value),
            _ => Err(refuse(
                claim,
                &format!("metric `{}` needs the number `{name}`, above zero", claim.metric.id),
                format!("add `{name}` under [metric.parameters]"),
            )),
        };
        match (claim.metric.id.as_str(), claim.metric.system()) {
            ("scan.roughness", None) => Ok(Self::Roughness { clip_m: number("clip_m")? }),
            ("scan.beam_agreement", None) => {
                Ok(Self::BeamAgreement { tolerance_m: number("tolerance_m")? })
            }
            ("system.position_error", Some("range_filter.gated")) => Ok(Self::PositionError {
                options: RangeFilterOptions::GATED,
                clip_m: number("clip_m")?,
            }),
            ("system.position_error", Some("range_filter.ungated")) => Ok(Self::PositionError {
                options: RangeFilterOptions::UNGATED,
                clip_m: number("clip_m")?,
            }),
            ("system.relative_translation_error", Some("scan_to_scan")) => {
                Ok(Self::RelativeTranslation { clip_m: number("clip_m")? })
            }
            (id, system) => Err(refuse(
                claim,
                &format!("metric `{id}` does not go with system `{}`", system.unwrap_or("none")),
                "system.position_error goes with range_filter.gated and range_filter.ungated, \
                 system.relative_translation_error with scan_to_scan, scan metrics with none"
                    .to_owned(),
            )),
        }
    }

    /// Refuses a claim whose numbers are in other units than the metric and the corruption have, or whose name is no file name.
    ///
    /// Units are not converted: what is printed in the verdict is what was tested.
    pub(super) fn check_units(self, claim: &Claim) -> Result<(), Error> {
        let unit = match self {
            Self::BeamAgreement { .. } => "share",
            _ => "m",
        };
        if claim.margin.unit != unit {
            let reason =
                format!("the margin is in `{}`, the metric in `{unit}`", claim.margin.unit);
            return Err(refuse(claim, &reason, format!("give the margin in {unit}")));
        }
        let negative = &claim.controls.negative;
        let corruption = Corruption::parse(&negative.id, negative.size)?;
        let unit = match corruption {
            Corruption::DropBeams { .. } => "share",
            Corruption::RangeScale { .. } | Corruption::OdometryScale { .. } => "factor",
            _ => "m",
        };
        if negative.unit != unit {
            let reason =
                format!("the size of `{}` is in `{}`, not `{unit}`", negative.id, negative.unit);
            return Err(refuse(claim, &reason, format!("give the size in {unit}")));
        }
        check_name(claim)
    }

    /// The sensors that it looks at.
    pub(super) fn channels(self) -> Channels {
        let scans = !matches!(self, Self::PositionError { .. });
        Channels { scans, ranges: !scans }
    }

    /// True if the reference's poses enter the value.
    pub(super) fn uses_reference(self) -> bool {
        matches!(self, Self::PositionError { .. } | Self::RelativeTranslation { .. })
    }

    /// Values of one side. `real` is the real run's scans, which agreement is measured against.
    pub(super) fn series(self, side: &Side<'_>, real: &[Scan]) -> Result<Series, Error> {
        match self {
            Self::Roughness { clip_m } => {
                let value = |scan: &Scan| roughness_m(std::slice::from_ref(scan), clip_m).ok();
                let values = side
                    .scans
                    .iter()
                    .filter_map(|scan| Some((scan.stamps.measured(), value(scan)?.roughness_m)));
                Ok(values.collect())
            }
            Self::BeamAgreement { tolerance_m } => agreement(side, real, tolerance_m),
            Self::PositionError { options, clip_m } => position_error(side, &options, clip_m),
            Self::RelativeTranslation { clip_m } => relative_error(side, clip_m),
        }
    }

    /// Values of real data against other real data at the same instants, where the claim asks for it.
    pub(super) fn next_scan_series(self, side: &Side<'_>) -> Result<Option<Series>, Error> {
        let Self::BeamAgreement { tolerance_m } = self else { return Ok(None) };
        let mut series = Series::new();
        for pair in side.scans.windows(2) {
            let (now, next) = (pair[0].stamps.measured(), pair[1].stamps.measured());
            let (Some(at_now), Some(at_next)) =
                (pose_at(side.truth, now), pose_at(side.truth, next))
            else {
                continue;
            };
            let laser = side.base_from_laser;
            let next_from_now = (at_next * laser).inverse() * (at_now * laser);
            let share = reprojected_agreement(&pair[0], &pair[1], next_from_now, tolerance_m)?;
            if let Some(value) = share.value() {
                series.insert(now, value);
            }
        }
        Ok(Some(series))
    }
}

/// Refuses a claim whose name is no file name.
pub(super) fn check_name(claim: &Claim) -> Result<(), Error> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !claim.name.chars().all(is_plain) || claim.name.starts_with('.') {
        let hint = "letters, digits, `-`, `_` and `.` only: it names the verdict's files";
        return Err(refuse(claim, "its name cannot name a file", hint.to_owned()));
    }
    Ok(())
}

/// A claim that this data cannot answer.
pub(super) fn refuse(claim: &Claim, reason: &str, hint: String) -> Error {
    Error::CannotMeasure { claim: claim.name.clone(), reason: reason.to_owned(), hint }
}

/// Agreement with the real scan of the same instant; a real scan agrees with itself.
fn agreement(side: &Side<'_>, real: &[Scan], tolerance_m: f64) -> Result<Series, Error> {
    let by_time: BTreeMap<Timestamp, &Scan> =
        real.iter().map(|scan| (scan.stamps.measured(), scan)).collect();
    let mut series = Series::new();
    for scan in side.scans {
        let time = scan.stamps.measured();
        let Some(partner) = by_time.get(&time) else { continue };
        let pair = [std::slice::from_ref(*partner), std::slice::from_ref(scan)];
        if let Some(value) = beam_agreement(pair[0], pair[1], tolerance_m)?.value() {
            series.insert(time, value);
        }
    }
    Ok(series)
}

fn position_error(
    side: &Side<'_>,
    options: &RangeFilterOptions,
    clip_m: f64,
) -> Result<Series, Error> {
    let start = side.odometry.iter().map(|pose| pose.stamps.measured()).min();
    let at_start = start.and_then(|start| pose_at(side.truth, start));
    let start = at_start.or_else(|| side.truth.first().map(|pose| pose.fixed_from_base));
    let input = RangeFilterInput {
        odometry: side.odometry,
        ranges: side.ranges,
        beacons: side.beacons,
        map_from_base_start: start.unwrap_or(Pose2::IDENTITY),
    };
    let output = range_filter(&input, options)?;
    let errors = output.poses.iter().filter_map(|pose| {
        let time = pose.stamps.measured();
        let truth = pose_at(side.truth, time)?;
        Some((time, pose.map_from_base.distance_m(truth).min(clip_m)))
    });
    Ok(errors.collect())
}

fn relative_error(side: &Side<'_>, clip_m: f64) -> Result<Series, Error> {
    let input = ScanToScanInput {
        scans: side.scans,
        odometry: side.odometry,
        base_from_laser: side.base_from_laser,
    };
    let output = scan_to_scan(&input)?;
    let pairs = side.scans.windows(2).zip(&output.motions);
    let errors = pairs.filter_map(|(pair, motion)| {
        let (before, now) = (pair[0].stamps.measured(), motion.stamps.measured());
        let truth = pose_at(side.truth, before)?.inverse() * pose_at(side.truth, now)?;
        let error = truth.inverse() * motion.previous_from_current;
        let length_m = error.distance_m(Pose2::IDENTITY);
        Some((now, length_m.min(clip_m)))
    });
    Ok(errors.collect())
}
