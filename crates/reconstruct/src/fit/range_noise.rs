//! Noise of a planar scanner's ranges, from readings that must be equal, never from map residuals.
//!
//! Invariant: the noise of a reading is told from its rounding, so a sensor whose noise is below
//! its step is fitted too; edges and people are an outlier share beside the noise, not part of it.
//! Metres, radians; beam `i` of two scans looks at the same place if the robot stands still.
//!
//! Not here: which scans are static (see [`super::stationary`]) and the grid
//! (see [`super::quantisation`]).

use serde::{Deserialize, Serialize};
use tiepoint_model::math;

use super::Estimate;
use super::error::{FitError, at_least, not_negative, positive, range_limits};
use super::interval::{Deviation, IntervalProblem, Stencil, fit_interval};
use super::numeric::{median_and_mad_sigma, quantile, sorted};

/// Differences above are another object, not noise; within, those that are not noise are uniform.
pub const OUTLIER_SPAN_M: f64 = 0.5;

/// Fewer comparable readings say nothing.
const DEVIATIONS_MIN: usize = 100;

/// Least noise of readings on a grid, parts of the step: below, one in 900 differences is not
/// zero.
const FLOOR_OF_STEP: f64 = 1e-3;

/// Least noise of continuous readings, metres: the rounding of a 32-bit range of some metres.
const FLOOR_CONTINUOUS_M: f64 = 1e-6;

/// Beams on either side of a triple that must lie on one line with it.
const STRETCH: usize = 4;

/// Beams around a triple lie on a line if each is this close to it, metres.
const STRAIGHT_M: f64 = 0.05;

/// Tangent of the greatest angle between a beam and the wall's normal: 45 degrees.
const INCIDENCE_TAN_MAX: f64 = 1.0;

/// Beams that share a wall and so a cluster of the standard error.
const CLUSTER_BEAMS: usize = 16;

/// What a scanner's readings mean.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScannerReadings {
    /// Step of the readings, metres; 0 if continuous.
    pub quantisation_m: f64,
    /// Readings below are not measurements, metres.
    pub range_min_m: f64,
    /// Readings at or above are not measurements, metres.
    pub range_max_m: f64,
    /// Angle between neighbouring beams, radians; its sign does not matter.
    pub beam_step_rad: f64,
}

impl ScannerReadings {
    fn check(&self) -> Result<(), FitError> {
        not_negative("quantisation_m", self.quantisation_m)?;
        range_limits(self.range_min_m, self.range_max_m)
    }

    fn measured_m(&self, reading_m: f32) -> Option<f64> {
        let reading_m = f64::from(reading_m);
        let is_measured =
            reading_m > 0.0 && reading_m >= self.range_min_m && reading_m < self.range_max_m;
        is_measured.then_some(reading_m)
    }
}

/// Two scans between which the robot did not move, ranges per beam in metres.
#[derive(Clone, Copy, Debug)]
pub struct StaticPair<'a> {
    /// The earlier scan.
    pub first_m: &'a [f32],
    /// The later scan.
    pub second_m: &'a [f32],
}

/// Where the noise was read off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RangeNoiseMethod {
    /// Differences of the same beam between scans at rest.
    StaticPairs,
    /// Second differences of neighbouring beams on straight walls; roughness of the wall counts as
    /// noise, so the value is an upper bound.
    SecondDifferences,
}

/// The fitted noise of one reading.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RangeNoiseReport {
    /// How.
    pub method: RangeNoiseMethod,
    /// Standard deviation before quantisation, metres; the standard error is the sandwich over
    /// beams (pairs) or over stretches of 16 beams (second differences).
    pub sigma_m: Estimate,
    /// Step of the readings that the likelihood took, metres; 0 for continuous.
    pub quantisation_m: f64,
    /// Share of the differences that are not noise: edges, people.
    pub outlier_share: f64,
    /// Share of the differences that are exactly zero.
    pub zero_share: f64,
    /// Differences above [`OUTLIER_SPAN_M`], left out.
    pub excluded_count: usize,
    /// True if the data show no noise: the value is the least one that the method reports.
    pub is_at_floor: bool,
    /// 1 % and 99 % quantile of the ranges used, metres: where the value holds.
    pub range_m: [f64; 2],
}

/// Noise from static pairs if they hold enough readings, else from straight walls.
///
/// # Errors
/// [`FitError::TooFew`] if neither holds 100 comparable readings; [`FitError::Parameter`] for
/// limits or a step that make no sense; [`FitError::LengthMismatch`] for pairs of different
/// lengths.
pub fn fit_range_noise(
    pairs: &[StaticPair],
    scans_m: &[&[f32]],
    readings: &ScannerReadings,
) -> Result<RangeNoiseReport, FitError> {
    match fit_range_noise_from_pairs(pairs, readings) {
        Err(FitError::TooFew { .. }) => fit_range_noise_from_walls(scans_m, readings),
        other => other,
    }
}

/// Noise from differences of the same beam at rest, by interval likelihood.
///
/// # Inputs
/// Pairs of scans of equal length, metres; a beam counts where both readings are measurements.
///
/// # Errors
/// See [`fit_range_noise`].
pub fn fit_range_noise_from_pairs(
    pairs: &[StaticPair],
    readings: &ScannerReadings,
) -> Result<RangeNoiseReport, FitError> {
    readings.check()?;
    let mut found = Differences::default();
    for pair in pairs {
        if pair.first_m.len() != pair.second_m.len() {
            return Err(FitError::LengthMismatch {
                what: "second scan of a static pair",
                count: pair.second_m.len(),
                expected_count: pair.first_m.len(),
            });
        }
        for (beam_index, (first, second)) in pair.first_m.iter().zip(pair.second_m).enumerate() {
            let measured = (readings.measured_m(*first), readings.measured_m(*second));
            if let (Some(first_m), Some(second_m)) = measured {
                found.push(second_m - first_m, first_m, beam_index);
            }
        }
    }
    report(RangeNoiseMethod::StaticPairs, &found, readings)
}

/// Noise from second differences of neighbouring beams on straight walls, by interval likelihood.
///
/// A triple counts if the three beams on either side of it lie on one line (`1/r` is linear in
/// cosine and sine of the beam angle there); the line also gives the curvature that a straight
/// wall has in polar coordinates. The triple itself takes no part in the choice, so choosing does
/// not bias.
///
/// # Errors
/// See [`fit_range_noise`]; `beam_step_rad` must be finite and not zero.
pub fn fit_range_noise_from_walls(
    scans_m: &[&[f32]],
    readings: &ScannerReadings,
) -> Result<RangeNoiseReport, FitError> {
    readings.check()?;
    positive("beam_step_rad", readings.beam_step_rad.abs())?;
    let mut found = Differences::default();
    for (scan_index, scan_m) in scans_m.iter().enumerate() {
        let measured_m: Vec<Option<f64>> =
            scan_m.iter().map(|reading| readings.measured_m(*reading)).collect();
        let cluster_start = scan_index * (scan_m.len() / CLUSTER_BEAMS + 1);
        for (start, stretch) in measured_m.windows(2 * STRETCH + 1).enumerate() {
            let Some(stretch_m) = stretch.iter().copied().collect::<Option<Vec<f64>>>() else {
                continue;
            };
            if let Some(curvature_m) = wall_curvature(&stretch_m, readings.beam_step_rad) {
                let middle_m = stretch_m[STRETCH];
                let second_m = stretch_m[STRETCH - 1] - 2.0 * middle_m + stretch_m[STRETCH + 1];
                let cluster = cluster_start + (start + STRETCH) / CLUSTER_BEAMS;
                found.push(second_m - curvature_m, middle_m, cluster);
            }
        }
    }
    report(RangeNoiseMethod::SecondDifferences, &found, readings)
}

/// Differences that noise alone should explain, metres.
#[derive(Default)]
struct Differences {
    each: Vec<(f64, usize)>,
    ranges_m: Vec<f64>,
    excluded_count: usize,
}

impl Differences {
    fn push(&mut self, difference_m: f64, range_m: f64, cluster: usize) {
        if difference_m.abs() > OUTLIER_SPAN_M {
            self.excluded_count += 1;
            return;
        }
        self.each.push((difference_m, cluster));
        self.ranges_m.push(range_m);
    }
}

fn report(
    method: RangeNoiseMethod,
    found: &Differences,
    readings: &ScannerReadings,
) -> Result<RangeNoiseReport, FitError> {
    let (what, stencil) = match method {
        RangeNoiseMethod::StaticPairs => ("readings compared at rest", Stencil::Pair),
        RangeNoiseMethod::SecondDifferences => ("beams on straight walls", Stencil::Triple),
    };
    let count = found.each.len();
    at_least(what, count, DEVIATIONS_MIN)?;
    let is_quantised = readings.quantisation_m > 0.0;
    let values_m: Vec<f64> = found.each.iter().map(|(value_m, _)| *value_m).collect();
    let (cell_m, floor_m) = if is_quantised {
        (readings.quantisation_m, FLOOR_OF_STEP * readings.quantisation_m)
    } else {
        (median_and_mad_sigma(&values_m).1.max(FLOOR_CONTINUOUS_M), FLOOR_CONTINUOUS_M)
    };
    let deviations: Vec<Deviation> = found
        .each
        .iter()
        .map(|(value_m, cluster)| {
            let cells = value_m / cell_m;
            let is_whole = is_quantised && stencil == Stencil::Pair;
            Deviation { cells: if is_whole { cells.round() } else { cells }, cluster: *cluster }
        })
        .collect();
    let fit = fit_interval(&IntervalProblem {
        stencil,
        is_quantised,
        deviations: &deviations,
        outlier_span: OUTLIER_SPAN_M / cell_m,
        noise_floor: floor_m / cell_m,
    });
    let zero_count = deviations.iter().filter(|deviation| deviation.cells == 0.0).count();
    let ranges_m = sorted(found.ranges_m.iter().copied());
    Ok(RangeNoiseReport {
        method,
        sigma_m: Estimate {
            value: fit.noise * cell_m,
            standard_error: fit.standard_error.map(|cells| cells * cell_m),
            count,
        },
        quantisation_m: readings.quantisation_m,
        outlier_share: fit.outlier_share,
        zero_share: zero_count as f64 / count as f64,
        excluded_count: found.excluded_count,
        is_at_floor: fit.is_at_floor,
        range_m: [quantile(&ranges_m, 0.01), quantile(&ranges_m, 0.99)],
    })
}

/// Second difference that a straight wall has at the middle of a stretch, metres; `None` if the
/// outer beams do not lie on one line or the wall is too oblique.
fn wall_curvature(stretch_m: &[f64], beam_step_rad: f64) -> Option<f64> {
    let offset_rad = |place: usize| (place as f64 - STRETCH as f64) * beam_step_rad;
    let is_outer = |place: &usize| place.abs_diff(STRETCH) > 1;
    let (mut cc, mut cs, mut ss, mut cy, mut sy) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for place in (0..stretch_m.len()).filter(is_outer) {
        let (sin, cos) = math::sin_cos(offset_rad(place));
        let inverse = 1.0 / stretch_m[place];
        cc += cos * cos;
        cs += cos * sin;
        ss += sin * sin;
        cy += cos * inverse;
        sy += sin * inverse;
    }
    let determinant = cc * ss - cs * cs;
    if determinant <= 0.0 {
        return None;
    }
    let along_cos = (cy * ss - sy * cs) / determinant;
    let along_sin = (sy * cc - cy * cs) / determinant;
    let wall_m = |angle_rad: f64| {
        let (sin, cos) = math::sin_cos(angle_rad);
        1.0 / (along_cos * cos + along_sin * sin)
    };
    let is_straight = (0..stretch_m.len())
        .filter(is_outer)
        .all(|place| (wall_m(offset_rad(place)) - stretch_m[place]).abs() <= STRAIGHT_M);
    let is_facing = along_cos > 0.0 && along_sin.abs() <= INCIDENCE_TAN_MAX * along_cos;
    let curvature_m = wall_m(beam_step_rad) - 2.0 * wall_m(0.0) + wall_m(-beam_step_rad);
    (is_straight && is_facing).then_some(curvature_m)
}
