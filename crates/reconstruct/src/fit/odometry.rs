//! Noise and scale of wheel odometry against a reference that has errors of its own.
//!
//! Invariant: the reference's error variance is subtracted, never taken for the wheels'; a noise
//! term that the reference hides is reported as hidden with an upper bound, and no variance is
//! negative.
//! Metres, radians; increments are `before_from_after` in the frame of `base_link` before the
//! step.
//!
//! Measured translation is `scale * d`, measured rotation `yaw_scale * w + yaw_bias * d`; the
//! noise has variance `sigma^2 * d` along the motion and `yaw_sigma_m^2 * d + yaw_sigma_rad^2 *
//! |w|` in yaw.
//!
//! Not here: the reference's error (see [`super::corners`]) and sideways slip.

use nalgebra::{Matrix2, Vector2};
use serde::{Deserialize, Serialize};
use tiepoint_model::sensor::OdometryModel;
use tiepoint_model::{Pose2, math};

use super::Estimate;
use super::error::{FitError, at_least, finite, not_negative};
use super::wheel_noise::{Noise, Residual, VARIANCE_FLOOR, fit_noise, fit_noise_values};

/// Fewer steps give no noise.
const STEPS_MIN: usize = 10;

/// Steps shorter than this have no direction, metres.
const DRIVEN_MIN_M: f64 = 1e-6;

/// Rounds of weights and noise.
const ROUNDS: usize = 4;

/// Blocks of the jackknife at most.
const BLOCKS_MAX: usize = 20;

/// One step (or several joined) as the wheels and the reference saw it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct OdometryStep {
    /// Translation by the wheels, metres, in the frame before the step.
    pub measured_m: [f64; 2],
    /// Rotation by the wheels, radians, not wrapped.
    pub measured_rad: f64,
    /// Translation by the reference, metres, in the frame before the step.
    pub reference_m: [f64; 2],
    /// Rotation by the reference, radians, not wrapped.
    pub reference_rad: f64,
    /// Variance of the reference's translation per axis, m^2.
    pub reference_variance_m2: f64,
    /// Variance of the reference's rotation, rad^2.
    pub reference_variance_rad2: f64,
    /// Way driven, metres.
    pub driven_m: f64,
    /// Angle turned, left and right added, radians.
    pub turned_rad: f64,
}

impl OdometryStep {
    /// One step from two increments and the variance of the reference's.
    #[must_use]
    pub fn new(
        measured: Pose2,
        reference: Pose2,
        reference_variance_m2: f64,
        reference_variance_rad2: f64,
    ) -> Self {
        Self {
            measured_m: [measured.x_m, measured.y_m],
            measured_rad: measured.yaw_rad,
            reference_m: [reference.x_m, reference.y_m],
            reference_rad: reference.yaw_rad,
            reference_variance_m2,
            reference_variance_rad2,
            driven_m: math::hypot(measured.x_m, measured.y_m),
            turned_rad: measured.yaw_rad.abs(),
        }
    }

    /// Way by the wheels, and the reference's way in the same direction, metres.
    fn along_m(&self) -> Option<(f64, f64)> {
        let measured_m = math::hypot(self.measured_m[0], self.measured_m[1]);
        let dot =
            self.measured_m[0] * self.reference_m[0] + self.measured_m[1] * self.reference_m[1];
        (measured_m > DRIVEN_MIN_M).then(|| (measured_m, dot / measured_m))
    }
}

/// How the reference's error grows over several steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReferenceErrorGrowth {
    /// Each pose has an error of its own: the error of a joined step is that of one step.
    PerPose,
    /// Each increment has an error of its own: variances add.
    PerStep,
}

/// Joins `step_count` consecutive steps to one; a rest at the end that is too short is left out.
///
/// Wheel noise grows with the way, the error of a reference of poses does not: joined steps tell
/// the two apart where single ones do not.
///
/// # Errors
/// [`FitError::Parameter`] for a count of 0.
pub fn join_steps(
    steps: &[OdometryStep],
    step_count: usize,
    growth: ReferenceErrorGrowth,
) -> Result<Vec<OdometryStep>, FitError> {
    if step_count == 0 {
        return Err(FitError::Parameter {
            parameter: "step_count",
            value: 0.0,
            must: "at least 1",
        });
    }
    Ok(steps.chunks_exact(step_count).map(|chunk| join(chunk, growth)).collect())
}

fn join(chunk: &[OdometryStep], growth: ReferenceErrorGrowth) -> OdometryStep {
    let (mut measured, mut reference) = (Pose2::IDENTITY, Pose2::IDENTITY);
    let mut sum = OdometryStep::new(measured, reference, 0.0, 0.0);
    for step in chunk {
        measured = measured * Pose2::new(step.measured_m[0], step.measured_m[1], step.measured_rad);
        reference =
            reference * Pose2::new(step.reference_m[0], step.reference_m[1], step.reference_rad);
        sum.measured_rad += step.measured_rad;
        sum.reference_rad += step.reference_rad;
        sum.reference_variance_m2 += step.reference_variance_m2;
        sum.reference_variance_rad2 += step.reference_variance_rad2;
        sum.driven_m += step.driven_m;
        sum.turned_rad += step.turned_rad;
    }
    if growth == ReferenceErrorGrowth::PerPose {
        sum.reference_variance_m2 /= chunk.len() as f64;
        sum.reference_variance_rad2 /= chunk.len() as f64;
    }
    sum.measured_m = [measured.x_m, measured.y_m];
    sum.reference_m = [reference.x_m, reference.y_m];
    sum
}

/// Whether the data tell a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "status")]
pub enum Identification {
    /// They do.
    Identified,
    /// The value cannot be told from zero beside the reference's error.
    BelowReferenceError {
        /// One-sided 95 % bound by profile likelihood, unit of the parameter.
        upper_bound: f64,
    },
    /// The robot hardly moved in the way that the parameter is about: a neutral value stands in.
    NoMotion,
}

/// One fitted parameter.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct OdometryParameter {
    /// The value; its standard error is the jackknife over blocks of consecutive steps.
    pub estimate: Estimate,
    /// Whether it means anything.
    pub identification: Identification,
}

/// The fitted odometry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OdometryReport {
    /// The model that `simulate` takes.
    pub model: OdometryModel,
    /// Measured over true translation.
    pub scale: OdometryParameter,
    /// rad/m.
    pub yaw_bias_rad_per_m: OdometryParameter,
    /// Measured over true rotation.
    pub yaw_scale: OdometryParameter,
    /// Metres per square root of a metre.
    pub sigma_m_per_sqrt_m: OdometryParameter,
    /// Radians per square root of a metre.
    pub yaw_sigma_rad_per_sqrt_m: OdometryParameter,
    /// Radians per square root of a radian.
    pub yaw_sigma_rad_per_sqrt_rad: OdometryParameter,
    /// Steps used.
    pub count: usize,
    /// Way in all, metres.
    pub driven_m: f64,
    /// Turning in all, radians.
    pub turned_rad: f64,
    /// Greatest way and turn of one step: where the model was seen to hold.
    pub step_max: [f64; 2],
}

/// Fits the odometry model by moments corrected for the reference's error (scale, bias) and by
/// maximum likelihood with the reference's variance held fixed (noise).
///
/// # Inputs
/// Steps in order of time; join them first ([`join_steps`]) if the reference is coarse.
///
/// # Errors
/// [`FitError::TooFew`] (10 steps), [`FitError::NotFinite`], [`FitError::Parameter`] for a
/// negative variance.
pub fn fit_odometry(steps: &[OdometryStep]) -> Result<OdometryReport, FitError> {
    at_least("odometry steps", steps.len(), STEPS_MIN)?;
    for (index, step) in steps.iter().enumerate() {
        let translations = step.measured_m[0] + step.measured_m[1] + step.driven_m;
        finite("measured translation", index, translations)?;
        finite("reference translation", index, step.reference_m[0] + step.reference_m[1])?;
        let rotations = step.measured_rad + step.reference_rad + step.turned_rad;
        finite("rotation", index, rotations)?;
        not_negative("reference_variance_m2", step.reference_variance_m2)?;
        not_negative("reference_variance_rad2", step.reference_variance_rad2)?;
    }
    let all: Vec<&OdometryStep> = steps.iter().collect();
    let core = solve(&all, fit_noise);
    let errors = jackknife(&all);
    let parameter = |index: usize| OdometryParameter {
        estimate: Estimate {
            value: core.values[index],
            standard_error: errors
                .map(|errors| errors[index])
                .filter(|_| core.identified[index] != Identification::NoMotion),
            count: steps.len(),
        },
        identification: core.identified[index],
    };
    let [scale, yaw_bias, yaw_scale, sigma, yaw_sigma_m, yaw_sigma_rad] = core.values;
    let greatest = |value: fn(&OdometryStep) -> f64| steps.iter().map(value).fold(0.0, f64::max);
    Ok(OdometryReport {
        model: OdometryModel {
            scale,
            yaw_bias_rad_per_m: yaw_bias,
            yaw_scale,
            sigma_m_per_sqrt_m: sigma,
            yaw_sigma_rad_per_sqrt_m: yaw_sigma_m,
            yaw_sigma_rad_per_sqrt_rad: yaw_sigma_rad,
        },
        scale: parameter(0),
        yaw_bias_rad_per_m: parameter(1),
        yaw_scale: parameter(2),
        sigma_m_per_sqrt_m: parameter(3),
        yaw_sigma_rad_per_sqrt_m: parameter(4),
        yaw_sigma_rad_per_sqrt_rad: parameter(5),
        count: steps.len(),
        driven_m: steps.iter().map(|step| step.driven_m).sum(),
        turned_rad: steps.iter().map(|step| step.turned_rad).sum(),
        step_max: [greatest(|step| step.driven_m), greatest(|step| step.turned_rad)],
    })
}

/// Values in the order of the model's fields.
struct Core {
    values: [f64; 6],
    identified: [Identification; 6],
}

fn solve(steps: &[&OdometryStep], fit_noise: fn(&[Residual]) -> Noise) -> Core {
    let along = fit_along(steps, fit_noise);
    let yaw = fit_yaw(steps, fit_noise);
    Core {
        values: [
            along.scale,
            yaw.bias,
            yaw.scale,
            along.noise.first.0,
            yaw.noise.first.0,
            yaw.noise.second.0,
        ],
        identified: [
            along.identified,
            yaw.bias_identified,
            yaw.scale_identified,
            along.noise.first.1,
            yaw.noise.first.1,
            yaw.noise.second.1,
        ],
    }
}

struct Along {
    scale: f64,
    identified: Identification,
    noise: Noise,
}

fn fit_along(steps: &[&OdometryStep], fit_noise: fn(&[Residual]) -> Noise) -> Along {
    let moved: Vec<(f64, f64, f64, f64)> = steps
        .iter()
        .filter_map(|step| {
            let (measured_m, reference_m) = step.along_m()?;
            Some((measured_m, reference_m, step.reference_variance_m2, step.driven_m))
        })
        .collect();
    let mut along =
        Along { scale: 1.0, identified: Identification::NoMotion, noise: Noise::none() };
    for round in 0..ROUNDS {
        let (mut product, mut square, mut blur) = (0.0, 0.0, 0.0);
        for (measured_m, reference_m, variance, driven_m) in &moved {
            let sigma = along.noise.first.0;
            let spread = sigma * sigma * driven_m + along.scale * along.scale * variance;
            let weight = 1.0 / spread.max(VARIANCE_FLOOR);
            product += weight * measured_m * reference_m;
            square += weight * reference_m * reference_m;
            blur += weight * variance;
        }
        // The way must stand out of the reference's error, or the quotient means nothing.
        if square <= 2.0 * blur || square <= 0.0 {
            return along;
        }
        along.scale = product / (square - blur);
        along.identified = Identification::Identified;
        let residuals: Vec<Residual> = moved
            .iter()
            .map(|(measured_m, reference_m, variance, driven_m)| Residual {
                value: measured_m - along.scale * reference_m,
                known_variance: along.scale * along.scale * variance,
                gains: [*driven_m, 0.0],
            })
            .collect();
        along.noise =
            if round + 1 == ROUNDS { fit_noise(&residuals) } else { fit_noise_values(&residuals) };
    }
    along
}

struct Yaw {
    bias: f64,
    bias_identified: Identification,
    scale: f64,
    scale_identified: Identification,
    noise: Noise,
}

fn fit_yaw(steps: &[&OdometryStep], fit_noise: fn(&[Residual]) -> Noise) -> Yaw {
    let mut yaw = Yaw {
        bias: 0.0,
        bias_identified: Identification::NoMotion,
        scale: 1.0,
        scale_identified: Identification::NoMotion,
        noise: Noise::none(),
    };
    for round in 0..ROUNDS {
        let mut normal = Matrix2::zeros();
        let mut right = Vector2::zeros();
        let mut blur = 0.0;
        for step in steps {
            let [first, second] = [yaw.noise.first.0, yaw.noise.second.0];
            let spread = first * first * step.driven_m
                + second * second * step.turned_rad
                + yaw.scale * yaw.scale * step.reference_variance_rad2;
            let weight = 1.0 / spread.max(VARIANCE_FLOOR);
            let row = Vector2::new(step.reference_rad, step.driven_m);
            normal += row * row.transpose() * weight;
            right += row * (step.measured_rad * weight);
            blur += weight * step.reference_variance_rad2;
        }
        let has_turned = normal[(0, 0)] > 2.0 * blur && normal[(0, 0)] > 0.0;
        let has_driven = normal[(1, 1)] > 0.0;
        normal[(0, 0)] -= blur;
        let seen = |is_seen: bool| {
            if is_seen { Identification::Identified } else { Identification::NoMotion }
        };
        let solved = normal.try_inverse().map(|inverse| inverse * right);
        (yaw.scale, yaw.bias) = match (has_turned, has_driven, solved) {
            (true, true, Some(both)) => (both[0], both[1]),
            (true, _, _) => (right[0] / normal[(0, 0)], 0.0),
            (false, true, _) => (1.0, (right[1] - normal[(0, 1)]) / normal[(1, 1)]),
            (false, false, _) => (1.0, 0.0),
        };
        let both_told = !(has_turned && has_driven) || solved.is_some();
        yaw.scale_identified = seen(has_turned);
        yaw.bias_identified = seen(has_driven && both_told);
        let residuals: Vec<Residual> = steps
            .iter()
            .map(|step| Residual {
                value: step.measured_rad
                    - yaw.scale * step.reference_rad
                    - yaw.bias * step.driven_m,
                known_variance: yaw.scale * yaw.scale * step.reference_variance_rad2,
                gains: [step.driven_m, step.turned_rad],
            })
            .collect();
        yaw.noise =
            if round + 1 == ROUNDS { fit_noise(&residuals) } else { fit_noise_values(&residuals) };
    }
    yaw
}

/// Standard errors by leaving out one block of consecutive steps after another.
fn jackknife(steps: &[&OdometryStep]) -> Option<[f64; 6]> {
    let block_count = BLOCKS_MAX.min(steps.len() / 5);
    if block_count < 2 {
        return None;
    }
    let values: Vec<[f64; 6]> = (0..block_count)
        .map(|block| {
            let start = block * steps.len() / block_count;
            let end = (block + 1) * steps.len() / block_count;
            let kept: Vec<&OdometryStep> =
                steps[..start].iter().chain(&steps[end..]).copied().collect();
            solve(&kept, fit_noise_values).values
        })
        .collect();
    let count = block_count as f64;
    let mut errors = [0.0; 6];
    for (index, error) in errors.iter_mut().enumerate() {
        let mean = values.iter().map(|value| value[index]).sum::<f64>() / count;
        let square: f64 =
            values.iter().map(|value| (value[index] - mean) * (value[index] - mean)).sum();
        *error = (square * (count - 1.0) / count).sqrt();
    }
    Some(errors)
}
