//! Ranges to beacons: residuals against known positions, and positions from the ranges themselves.
//!
//! Invariant: a missing range stays missing in the residuals, so that their order in time is kept.
//! Metres; `map_from_base` per reading; the antenna's place on the robot is part of the geometry.
//!
//! Not here: the law of the residuals (see [`super::range_error`]).

use nalgebra::{Matrix3, Vector3};
use serde::{Deserialize, Serialize};
use tiepoint_model::{Pose2, math};

use super::error::{FitError, at_least, finite};
use super::numeric::{median_and_mad_sigma, quantile, sorted};

/// Fewer ranges do not fix a place.
const RANGES_MIN: usize = 12;

/// Least scale of the residuals, metres: the weights divide by it.
const SCALE_FLOOR_M: f64 = 1e-3;

/// A residual this many scales off has no weight: Tukey's biweight, 95 % efficient for normal
/// errors.
const TUKEY: f64 = 4.685;

/// Greatest ratio of the standard errors of a well-determined place to the residuals' scale.
const ERROR_RATIO_MAX: f64 = 20.0;

/// One range to one beacon, or its absence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RangeObservation {
    /// Where the robot was.
    pub map_from_base: Pose2,
    /// Where the antenna sits on the robot, metres.
    pub antenna_in_base_m: [f64; 3],
    /// The reading, metres; `None` if it is missing.
    pub range_m: Option<f64>,
}

impl RangeObservation {
    /// The antenna in `map`, metres.
    #[must_use]
    pub fn antenna_in_map_m(&self) -> [f64; 3] {
        let [x_m, y_m, z_m] = self.antenna_in_base_m;
        let [map_x_m, map_y_m] = self.map_from_base.transform([x_m, y_m]);
        [map_x_m, map_y_m, z_m]
    }
}

/// Reading minus distance per observation, metres; `None` where the reading is missing.
///
/// # Errors
/// [`FitError::NotFinite`] for a pose, an antenna, a reading or the beacon's place.
pub fn range_residuals(
    observations: &[RangeObservation],
    beacon_in_map_m: [f64; 3],
) -> Result<Vec<Option<f64>>, FitError> {
    for (index, value) in beacon_in_map_m.into_iter().enumerate() {
        finite("coordinate of the beacon", index, value)?;
    }
    check(observations)?;
    let beacon = Vector3::from(beacon_in_map_m);
    Ok(observations
        .iter()
        .map(|seen| {
            let distance_m = distance(beacon, Vector3::from(seen.antenna_in_map_m()));
            seen.range_m.map(|range_m| range_m - distance_m)
        })
        .collect())
}

/// A beacon's place as its ranges tell it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BeaconPositionReport {
    /// In `map`, metres. Above the antenna, if ranges from one height cannot tell above from
    /// below.
    pub position_m: [f64; 3],
    /// Standard error per axis, metres, for independent residuals; slowly moving errors make it
    /// larger.
    /// Zero for a height that was given.
    pub standard_error_m: [f64; 3],
    /// Ranges used.
    pub count: usize,
    /// Share of the ranges without weight: more than 4.685 scales off.
    pub outlier_share: f64,
    /// Robust scale of the residuals (1.4826 MAD), metres.
    pub residual_scale_m: f64,
    /// True if the height was given, not fitted.
    pub is_height_given: bool,
    /// Least and greatest range used, metres.
    pub range_m: [f64; 2],
}

/// The place of a beacon by robust least squares (Tukey's biweight) from several starts.
///
/// # Inputs
/// Ranges from places that do not lie on one line; `height_m` fixes the height, if it is known.
///
/// # Errors
/// [`FitError::TooFew`] (12 ranges), [`FitError::NotFinite`], [`FitError::Undetermined`] if the
/// path does not fix the place.
pub fn fit_beacon_position(
    observations: &[RangeObservation],
    height_m: Option<f64>,
) -> Result<BeaconPositionReport, FitError> {
    check(observations)?;
    if let Some(height_m) = height_m {
        finite("height", 0, height_m)?;
    }
    let seen: Vec<(Vector3<f64>, f64)> = observations
        .iter()
        .filter_map(|seen| Some((Vector3::from(seen.antenna_in_map_m()), seen.range_m?)))
        .collect();
    at_least("ranges to the beacon", seen.len(), RANGES_MIN)?;
    let mut best: Option<(f64, Vector3<f64>)> = None;
    for start in starts(&seen, height_m) {
        let Some(place) = climb(&seen, start, height_m.is_some()) else { continue };
        // The median is the objective that both halves of the data must agree on.
        let off = sorted(residuals(&seen, place).into_iter().map(f64::abs));
        let objective = off.iter().take(off.len() * 3 / 4).sum::<f64>();
        if best.is_none_or(|(kept, _)| objective < kept - 1e-9) {
            best = Some((objective, place));
        }
    }
    let undetermined = FitError::Undetermined { what: "beacon position" };
    let (_, mut place) = best.ok_or(undetermined.clone())?;
    let antenna_z_m = seen.iter().map(|(antenna, _)| antenna.z).sum::<f64>() / seen.len() as f64;
    let is_level = seen.iter().all(|(antenna, _)| (antenna.z - antenna_z_m).abs() < 1e-3);
    if height_m.is_none() && is_level && place.z < antenna_z_m {
        place.z = 2.0 * antenna_z_m - place.z;
    }
    let values = residuals(&seen, place);
    let scale_m = median_and_mad_sigma(&values).1.max(SCALE_FLOOR_M);
    let (normal, _) = normal_equations(&seen, place, scale_m, height_m.is_some());
    let covariance = normal.try_inverse().ok_or(undetermined.clone())? * (scale_m * scale_m);
    let standard_error_m = [0, 1, 2].map(|axis| {
        if axis == 2 && height_m.is_some() { 0.0 } else { covariance[(axis, axis)].max(0.0).sqrt() }
    });
    let is_loose = |error_m: &f64| !error_m.is_finite() || *error_m > ERROR_RATIO_MAX * scale_m;
    if standard_error_m.iter().any(is_loose) {
        return Err(undetermined);
    }
    let outliers = values.iter().filter(|value| value.abs() > TUKEY * scale_m).count();
    let ranges_m = sorted(seen.iter().map(|(_, range_m)| *range_m));
    Ok(BeaconPositionReport {
        position_m: place.into(),
        standard_error_m,
        count: seen.len(),
        outlier_share: outliers as f64 / seen.len() as f64,
        residual_scale_m: scale_m,
        is_height_given: height_m.is_some(),
        range_m: [quantile(&ranges_m, 0.0), quantile(&ranges_m, 1.0)],
    })
}

fn check(observations: &[RangeObservation]) -> Result<(), FitError> {
    for (index, seen) in observations.iter().enumerate() {
        if !seen.map_from_base.is_finite() {
            return Err(FitError::NotFinite { what: "pose of a range", index });
        }
        finite("antenna of a range", index, seen.antenna_in_base_m.iter().sum())?;
        finite("range", index, seen.range_m.unwrap_or(0.0))?;
    }
    Ok(())
}

fn distance(a: Vector3<f64>, b: Vector3<f64>) -> f64 {
    let offset = a - b;
    math::hypot(math::hypot(offset.x, offset.y), offset.z)
}

fn residuals(seen: &[(Vector3<f64>, f64)], place: Vector3<f64>) -> Vec<f64> {
    seen.iter().map(|(antenna, range_m)| range_m - distance(place, *antenna)).collect()
}

/// A grid around the path, half a range wider on every side, at two heights.
fn starts(seen: &[(Vector3<f64>, f64)], height_m: Option<f64>) -> Vec<Vector3<f64>> {
    const PER_SIDE: usize = 7;
    let ranges_m = sorted(seen.iter().map(|(_, range_m)| *range_m));
    let margin_m = quantile(&ranges_m, 0.5);
    let axis = |index: usize| {
        let values = sorted(seen.iter().map(|(antenna, _)| antenna[index]));
        let (low, high) = (values[0] - margin_m, values[values.len() - 1] + margin_m);
        let place = move |step: usize| low + (high - low) * step as f64 / (PER_SIDE - 1) as f64;
        (0..PER_SIDE).map(place).collect::<Vec<f64>>()
    };
    let antenna_z_m = seen[0].0.z;
    let heights_m = match height_m {
        Some(height_m) => vec![height_m],
        None => vec![antenna_z_m + 0.3, antenna_z_m + 1.5],
    };
    let (xs, ys) = (axis(0), axis(1));
    let mut places = Vec::new();
    for x in &xs {
        for y in &ys {
            places.extend(heights_m.iter().map(|z| Vector3::new(*x, *y, *z)));
        }
    }
    places
}

/// Normal matrix and right side of one weighted Gauss-Newton step.
fn normal_equations(
    seen: &[(Vector3<f64>, f64)],
    place: Vector3<f64>,
    scale_m: f64,
    is_height_given: bool,
) -> (Matrix3<f64>, Vector3<f64>) {
    let mut normal = Matrix3::zeros();
    let mut right = Vector3::zeros();
    for (antenna, range_m) in seen {
        let distance_m = distance(place, *antenna).max(1e-9);
        let residual_m = range_m - distance_m;
        let u = residual_m / (TUKEY * scale_m);
        if u.abs() >= 1.0 {
            continue;
        }
        let weight = (1.0 - u * u) * (1.0 - u * u);
        let mut direction = (place - antenna) / distance_m;
        if is_height_given {
            direction.z = 0.0;
        }
        normal += direction * direction.transpose() * weight;
        right += direction * (residual_m * weight);
    }
    if is_height_given {
        normal[(2, 2)] = 1.0;
    }
    (normal, right)
}

/// Reweighted Gauss-Newton with a shrinking scale; `None` if the equations fall apart.
fn climb(
    seen: &[(Vector3<f64>, f64)],
    start: Vector3<f64>,
    is_height_given: bool,
) -> Option<Vector3<f64>> {
    let mut place = start;
    for round in 0..100 {
        let off = sorted(residuals(seen, place).into_iter().map(f64::abs));
        let scale_m = (1.4826 * quantile(&off, 0.5)).max(SCALE_FLOOR_M);
        let (mut normal, right) = normal_equations(seen, place, scale_m, is_height_given);
        let damping = if round < 30 { 1e-2 } else { 1e-6 } * normal.trace().max(1e-12);
        for axis in 0..3 {
            normal[(axis, axis)] += damping;
        }
        let step = normal.try_inverse()? * right;
        place += step;
        if !(place.x.is_finite() && place.y.is_finite() && place.z.is_finite()) {
            return None;
        }
        if round >= 30 && step.norm() < 1e-10 {
            break;
        }
    }
    Some(place)
}
