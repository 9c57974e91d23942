//! The parameters of an inertial sensor's noise, from its Allan deviation.
//!
//! Invariant: a parameter is read where its own noise makes up at least half of the variance, or it
//! is [`NotIdentifiable`]; reading the curve at 3 s gives the white noise of a good sensor, not its
//! random walk.
//! For a rate in `u`: noise density in `u/sqrt(Hz)`, bias instability in `u`, random walk in
//! `u sqrt(Hz)`.
//! Cost: `O(p)` for a curve of p points; the curve costs more.
//!
//! Not here: temperature, and rate ramps (the Hadamard deviations are blind to them).

use nalgebra::{DMatrix, DVector, Matrix3, Vector3};
use serde::{Deserialize, Serialize};
use tiepoint_model::math::{exp, ln};

use super::{
    CurveNoise, DeviationCurve, NoiseKind, deviation_intervals,
    freedom::{degrees_of_freedom, local_slope, slope_of},
};
use crate::{
    Interval, MeasureError, Metric, MetricId,
    sensor::{NotIdentifiable, chance::deviation_interval},
};

/// `sqrt(2 ln 2 / pi)`: a flat Allan deviation over the bias instability that makes it.
pub const FLAT_FACTOR: f64 = 0.664_282_470_267_960_1;

/// Averaging time at which the random walk's line is read, seconds.
pub const RANDOM_WALK_TAU_S: f64 = 3.0;

/// Share of the variance that a noise must make up at some averaging time.
const SHARE_MIN: f64 = 0.5;

/// The model may lie this far from the curve, as a logarithm: a third.
const MISFIT_MAX: f64 = 0.3;

/// Where the misfit is looked at: chance alone makes it 0.07 there.
const MISFIT_FREEDOM_MIN: f64 = 100.0;

/// Fewer degrees of freedom give an interval wider than a factor of six.
const FREEDOM_MIN: f64 = 3.0;

/// A straight line of a given slope through part of a curve, both axes logarithmic.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct NoiseLine {
    /// Given: -1/2 for white noise, 1/2 for random walk, 0 for flicker.
    pub slope: f64,
    /// Slope of a free line through the same points.
    pub slope_found: f64,
    /// Deviation of the line at 1 s.
    pub at_one_second: f64,
    /// Points it was fitted to.
    pub point_count: usize,
}

impl NoiseLine {
    /// The line at an averaging time: at 1 s with slope -1/2 the noise density, at 3 s with slope 1/2
    /// the random walk, over [`FLAT_FACTOR`] with slope 0 the bias instability.
    #[must_use]
    pub fn at(&self, tau_s: f64) -> f64 {
        self.at_one_second * exp(self.slope * ln(tau_s))
    }
}

/// A line of a given slope through the points of a curve within a range of averaging times.
///
/// # Inputs
/// - `tau_s`: from and to, seconds, both included.
/// - `slope_tolerance`: how far the slope of a free line may lie from the given one; 0.1 is usual.
///
/// # Output
/// The least-squares line of the logarithms, or why there is none.
///
/// # Errors
/// [`MeasureError::InvalidOption`] for a range or tolerance that makes no sense.
///
/// # Source
/// Kalibr wiki, *IMU noise model*: the density is read off the fitted -1/2 line at 1 s, the random
/// walk off the fitted 1/2 line at 3 s, not off the curve.
pub fn noise_line(
    curve: &DeviationCurve,
    slope: f64,
    tau_s: [f64; 2],
    slope_tolerance: f64,
) -> Result<Result<NoiseLine, NotIdentifiable>, MeasureError> {
    crate::statistics::require_positive(tau_s[0], "tau_s from")?;
    crate::statistics::require_positive(tau_s[1] - tau_s[0], "tau_s range")?;
    crate::statistics::require_positive(slope_tolerance, "slope_tolerance")?;
    crate::statistics::require_finite(&[slope], "slope")?;
    let logs: Vec<(f64, f64)> = curve
        .points
        .iter()
        .filter(|p| p.tau_s >= tau_s[0] && p.tau_s <= tau_s[1] && p.deviation > 0.0)
        .map(|p| (ln(p.tau_s), ln(p.deviation)))
        .collect();
    let Some(found) = slope_of(&logs) else {
        let what = "averaging times in the range".to_owned();
        let count = logs.len() as f64;
        return Ok(Err(NotIdentifiable::TooFew { what, count, min: 2.0 }));
    };
    if (found - slope).abs() > slope_tolerance {
        return Ok(Err(NotIdentifiable::NoSlope { wanted: slope, found }));
    }
    let level = logs.iter().map(|(x, y)| y - slope * x).sum::<f64>() / logs.len() as f64;
    Ok(Ok(NoiseLine {
        slope,
        slope_found: found,
        at_one_second: exp(level),
        point_count: logs.len(),
    }))
}

/// One parameter of a noise.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct NoiseParameter {
    /// See [`NoiseFit`] for its unit.
    pub value: f64,
    /// Chi-square interval with these degrees of freedom.
    pub interval: Interval,
    /// The lesser of two: those of the one averaging time that says most, less what the other noises
    /// take there; and those of the joint fit with all three unknown.
    pub degrees_of_freedom: f64,
    /// Averaging times at which this noise makes up at least half of the variance, seconds.
    pub tau_s: [f64; 2],
}

/// The noise of a rate, as `sigma^2(tau) = N^2 / tau + (0.664 B)^2 + K^2 tau / 3`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NoiseFit {
    /// `N`, white noise: the -1/2 line at 1 s. Unit of the rate per root hertz.
    pub noise_density: Result<NoiseParameter, NotIdentifiable>,
    /// `B`, flicker: the flat line over 0.664. Unit of the rate.
    pub bias_instability: Result<NoiseParameter, NotIdentifiable>,
    /// `K`, random walk: the 1/2 line at 3 s. Unit of the rate times root hertz.
    pub random_walk: Result<NoiseParameter, NotIdentifiable>,
    /// The lowest point of the curve over 0.664: flicker is at most this (many tools report it as
    /// the bias instability). Unit of the rate.
    pub bias_instability_at_most: f64,
    /// Largest `|ln(curve / model)|` where the curve has at least 100 degrees of freedom; `None` if
    /// it has nowhere. Above 0.3 no parameter is identifiable: the sensor moves, or filters its
    /// readings (see [`TauRange::BeyondFilter`]).
    pub misfit: Option<f64>,
}

/// Which averaging times a fit looks at.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TauRange {
    /// All.
    All,
    /// From and to, seconds, both included.
    Between([f64; 2]),
    /// From the first time at which the slope, over the times within a factor of two, is below -0.4:
    /// a sensor that filters its readings has too little noise at shorter ones. All times if there is
    /// no such slope.
    BeyondFilter,
}

impl TauRange {
    /// A parameter of the noise read over this range, such as `SENSOR_IMU_NOISE_DENSITY`.
    #[must_use]
    pub fn metric(self, id: MetricId) -> Metric {
        let metric = Metric::new(id).with("fit", "joint_asymptotes");
        match self {
            Self::All => metric.with("tau_s", "all"),
            Self::BeyondFilter => metric.with("tau_s", "beyond_filter"),
            Self::Between([from_s, to_s]) => metric.with("tau_s", format!("{from_s},{to_s}")),
        }
    }

    fn of(self, curve: &DeviationCurve) -> Result<DeviationCurve, MeasureError> {
        let [from_s, to_s] = match self {
            Self::All => [0.0, f64::INFINITY],
            Self::Between(range_s) => {
                crate::statistics::require_finite(&range_s, "tau_s")?;
                range_s
            }
            Self::BeyondFilter => {
                let is_white = |index: &usize| local_slope(curve, *index) < -0.4;
                let first = (0..curve.points.len()).find(is_white).unwrap_or(0);
                [curve.points.get(first).map_or(0.0, |point| point.tau_s), f64::INFINITY]
            }
        };
        let mut curve = curve.clone();
        curve.points.retain(|point| point.tau_s >= from_s && point.tau_s <= to_s);
        Ok(curve)
    }
}

/// Fits noise density, bias instability and random walk jointly to an Allan deviation.
///
/// The three lines are asymptotes of one model, fitted together by weighted least squares of the
/// variances (weights: degrees of freedom over the model's square, iterated; no variance below
/// zero), so that each is free of what the others add to the curve.
///
/// # Inputs
/// - `curve`: Allan deviation, overlapping or not, of a rate; some points in each octave.
/// - `range`: the averaging times that count.
/// - `level`: of the intervals, in `(0, 1)`.
///
/// # Errors
/// [`MeasureError::TooFew`] below four averaging times, [`MeasureError::InvalidOption`] for another
/// deviation's curve, [`MeasureError::Constant`] if the curve is zero somewhere.
///
/// # Invariants
/// `noise_parameters_scale_with_the_rate`, `known_noise_is_recovered_within_its_interval`,
/// `noise_that_is_not_there_is_not_identifiable`.
///
/// # Source
/// IEEE Std 952-2020, annex C (the model); Kalibr wiki, *IMU noise model* (where the lines are read).
pub fn fit_noise(
    curve: &DeviationCurve,
    range: TauRange,
    level: f64,
) -> Result<NoiseFit, MeasureError> {
    use super::Deviation::{Adev, Oadev, Totdev};
    const POINTS_MIN: usize = 4;
    if !matches!(curve.deviation, Adev | Oadev | Totdev) {
        let requirement = "that of an Allan deviation (adev, oadev, totdev)";
        return Err(MeasureError::InvalidOption { name: "curve", value: f64::NAN, requirement });
    }
    let curve = &range.of(curve)?;
    if curve.points.len() < POINTS_MIN {
        let (count, min) = (curve.points.len(), POINTS_MIN);
        return Err(MeasureError::TooFew { what: "averaging times", count, min });
    }
    if curve.points.iter().any(|point| point.deviation <= 0.0) {
        return Err(MeasureError::Constant { what: "averaged record" });
    }
    let freedom: Vec<f64> = deviation_intervals(curve, CurveNoise::BySlope, level)?
        .iter()
        .map(|interval| interval.degrees_of_freedom)
        .collect();
    let model = VarianceModel::fit(curve, &freedom);
    let joint = model.joint_freedom(curve, &freedom);
    let lowest = curve.points.iter().map(|p| p.deviation).fold(f64::INFINITY, f64::min);
    let certain =
        curve.points.iter().zip(&freedom).filter(|(_, freedom)| **freedom >= MISFIT_FREEDOM_MIN);
    let misfit = certain.map(|(p, _)| {
        let variance = model.shares(p.tau_s).1;
        (ln(p.deviation) - 0.5 * ln(variance)).abs()
    });
    let misfit = misfit.max_by(f64::total_cmp);
    let parameter = |kind: NoiseKind, joint_freedom: f64| match misfit {
        Some(value) if value > MISFIT_MAX => {
            let what = "distance of the curve from any sum of the three noises".to_owned();
            Ok(Err(NotIdentifiable::Misfit { what, value, limit: MISFIT_MAX }))
        }
        _ => model.parameter(curve, (kind, joint_freedom), level),
    };
    Ok(NoiseFit {
        noise_density: parameter(NoiseKind::White, joint[0])?,
        bias_instability: parameter(NoiseKind::Flicker, joint[1])?,
        random_walk: parameter(NoiseKind::RandomWalk, joint[2])?,
        bias_instability_at_most: lowest / FLAT_FACTOR,
        misfit,
    })
}

const KINDS: [NoiseKind; 3] = [NoiseKind::White, NoiseKind::Flicker, NoiseKind::RandomWalk];

/// What each unit variance adds at an averaging time.
fn basis(tau_s: f64) -> [f64; 3] {
    [1.0 / tau_s, FLAT_FACTOR * FLAT_FACTOR, tau_s / RANDOM_WALK_TAU_S]
}

/// `N^2`, `B^2` and `K^2`.
struct VarianceModel {
    squares: [f64; 3],
}

impl VarianceModel {
    fn fit(curve: &DeviationCurve, freedom: &[f64]) -> Self {
        const STEPS: usize = 60;
        let measured: Vec<f64> = curve.points.iter().map(|p| p.deviation * p.deviation).collect();
        let mut expected = measured.clone();
        let mut model = Self { squares: [0.0; 3] };
        for _ in 0..STEPS {
            model = Self::fit_once(curve, &measured, &expected, freedom);
            let next: Vec<f64> = curve.points.iter().map(|p| model.shares(p.tau_s).1).collect();
            let change = next.iter().zip(&expected).map(|(a, b)| (a / b - 1.0).abs());
            let change = change.fold(0.0, f64::max);
            expected = next;
            if change < 1e-13 {
                break;
            }
        }
        model
    }

    /// Weighted least squares without negative variances: the best of all subsets.
    fn fit_once(
        curve: &DeviationCurve,
        measured: &[f64],
        expected: &[f64],
        freedom: &[f64],
    ) -> Self {
        let weight = |i: usize| freedom[i].sqrt() / expected[i];
        let rows: Vec<[f64; 3]> = (0..measured.len())
            .map(|i| basis(curve.points[i].tau_s).map(|b| b * weight(i)))
            .collect();
        let right = DVector::from_fn(measured.len(), |i, _| measured[i] * weight(i));
        // Columns of like size, or the solution loses digits.
        let scale: [f64; 3] = std::array::from_fn(|c| {
            rows.iter().map(|row| row[c] * row[c]).sum::<f64>().sqrt().max(f64::MIN_POSITIVE)
        });
        let mut best: Option<(f64, [f64; 3])> = None;
        for subset in 1..8_usize {
            let columns: Vec<usize> = (0..3).filter(|c| subset >> c & 1 == 1).collect();
            let matrix = DMatrix::from_fn(measured.len(), columns.len(), |row, column| {
                rows[row][columns[column]] / scale[columns[column]]
            });
            let decomposed = matrix.clone().qr();
            let projected = decomposed.q().transpose() * &right;
            let Some(found) = decomposed.r().solve_upper_triangular(&projected) else { continue };
            if found.iter().any(|value| value.is_nan() || *value < 0.0) {
                continue;
            }
            let residual = (&matrix * &found - &right).norm_squared();
            if best.is_none_or(|(least, _)| residual < least) {
                let mut squares = [0.0; 3];
                for (value, column) in found.iter().zip(&columns) {
                    squares[*column] = value / scale[*column];
                }
                best = Some((residual, squares));
            }
        }
        Self { squares: best.map_or([0.0; 3], |(_, squares)| squares) }
    }

    /// The share of each noise at an averaging time, and the variance of all.
    fn shares(&self, tau_s: f64) -> ([f64; 3], f64) {
        let basis = basis(tau_s);
        let parts: [f64; 3] = std::array::from_fn(|i| self.squares[i] * basis[i]);
        let variance = parts.iter().sum::<f64>().max(f64::MIN_POSITIVE);
        (parts.map(|part| part / variance), variance)
    }

    /// Degrees of freedom that each noise's variance has when all three are unknown.
    ///
    /// Averaging times an octave apart are taken as independent; denser ones share an octave's worth.
    fn joint_freedom(&self, curve: &DeviationCurve, freedom: &[f64]) -> [f64; 3] {
        let (first, last) = (&curve.points[0], &curve.points[curve.points.len() - 1]);
        let octaves = ln(last.tau_s / first.tau_s) / std::f64::consts::LN_2;
        let density = ((curve.points.len() - 1) as f64 / octaves).max(1.0);
        let mut information = Matrix3::<f64>::zeros();
        for (point, freedom) in curve.points.iter().zip(freedom) {
            // In shares of each noise's own variance, so that the matrix has no unit.
            let row = Vector3::from(self.shares(point.tau_s).0);
            information += row * row.transpose() * (freedom / (2.0 * density));
        }
        for which in 0..3 {
            // A noise that the fit leaves out takes nothing from the others.
            if self.squares[which] <= 0.0 {
                information[(which, which)] = 1.0;
            }
        }
        let covariance = information.try_inverse();
        std::array::from_fn(|i| {
            covariance.map_or(0.0, |c| if c[(i, i)] > 0.0 { 2.0 / c[(i, i)] } else { 0.0 })
        })
    }

    fn parameter(
        &self,
        curve: &DeviationCurve,
        (kind, joint_freedom): (NoiseKind, f64),
        level: f64,
    ) -> Result<Result<NoiseParameter, NotIdentifiable>, MeasureError> {
        let which = KINDS.iter().position(|k| *k == kind).unwrap_or(0);
        let (mut share_max, mut freedom) = (0.0_f64, 0.0_f64);
        let mut tau_s = [f64::INFINITY, 0.0_f64];
        for point in &curve.points {
            let share = self.shares(point.tau_s).0[which];
            share_max = share_max.max(share);
            if share < SHARE_MIN {
                continue;
            }
            tau_s = [tau_s[0].min(point.tau_s), tau_s[1].max(point.tau_s)];
            let (deviation, phases) = (curve.deviation, curve.phase_count);
            let here = degrees_of_freedom(deviation, kind, point.factor, phases) * share * share;
            freedom = freedom.max(here);
        }
        if share_max < SHARE_MIN {
            return Ok(Err(NotIdentifiable::Hidden { share_max, share_min: SHARE_MIN }));
        }
        let freedom = freedom.min(joint_freedom);
        if freedom < FREEDOM_MIN {
            let what = "degrees of freedom".to_owned();
            return Ok(Err(NotIdentifiable::TooFew { what, count: freedom, min: FREEDOM_MIN }));
        }
        let value = self.squares[which].sqrt();
        let interval = deviation_interval(value, freedom, level)?;
        Ok(Ok(NoiseParameter { value, interval, degrees_of_freedom: freedom, tau_s }))
    }
}
