//! Relative errors over sub-trajectories of given lengths, with the figures of a box plot.
//!
//! Invariant: lengths are measured along the reference; one start gives at most one
//! sub-trajectory of each length.
//! Metres and radians; heading and tilt are about the vertical of the estimate's fixed frame.
//!
//! Not here: KITTI's drift, which takes the first pose beyond the length and averages over lengths
//! (see [`super::drift`]).

use nalgebra::Matrix3;
use tiepoint_model::{Pose3, math};

use super::{Alignment, Similarity, require_paired, rotation, travelled_m};
use crate::{
    MeasureError, Metric, MetricId, Statistics, registry,
    statistics::{quantile_of_sorted, require_positive},
};

/// The shares of the reference's length at which the tool looks by default.
pub const LENGTH_SHARES: [f64; 5] = [0.1, 0.2, 0.3, 0.4, 0.5]; // rpg_trajectory_evaluation

/// The tool's tolerance of a length, as a share of it.
pub const LENGTH_TOLERANCE_SHARE: f64 = 0.2; // rpg_trajectory_evaluation

/// Whether the tool's faults are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SubTrajectoryMode {
    /// As the tool: the list of ends leaves out the starts without an end, so that after such a
    /// start every end belongs to an earlier start than it was found for; and "steps" are the
    /// positions themselves.
    Compatible,
    /// Every end belongs to the start that it was found for; steps are differences of positions.
    Corrected,
}

impl SubTrajectoryMode {
    /// The metric of [`step_scale_errors`] in this mode, after an alignment.
    #[must_use]
    pub fn step_scale_metric(self, alignment: Alignment) -> Metric {
        Metric::new(registry::TRAJ_STEP_SCALE)
            .with("alignment", alignment)
            .with("mode", self.name())
    }

    fn name(self) -> &'static str {
        match self {
            Self::Compatible => "compat:rpg_trajectory_evaluation",
            Self::Corrected => "corrected",
        }
    }
}

/// Which sub-trajectories.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SubTrajectoryOptions {
    /// Length along the reference, metres.
    pub length_m: f64,
    /// How far the length of a sub-trajectory may lie from it, as a share of it; below that
    /// strictly. The tool's value is [`LENGTH_TOLERANCE_SHARE`].
    pub tolerance_share: f64,
    /// What the estimate's motions are multiplied by: the scale of a similarity alignment, or 1.
    pub scale: f64,
    /// Faults kept or not.
    pub mode: SubTrajectoryMode,
}

impl SubTrajectoryOptions {
    /// A metric of this module with these options.
    #[must_use]
    pub fn metric(&self, id: MetricId) -> Metric {
        Metric::new(id)
            .with("length_m", self.length_m)
            .with("tolerance", self.tolerance_share)
            .with("mode", self.mode.name())
    }

    fn check(&self) -> Result<(), MeasureError> {
        require_positive(self.length_m, "length_m")?;
        require_positive(self.tolerance_share, "tolerance_share")?;
        require_positive(self.scale, "scale")
    }
}

/// Errors with their summary and box.
#[derive(Clone, Debug, PartialEq)]
pub struct ErrorBox {
    /// What is measured; the unit is the registry's.
    pub id: MetricId,
    /// One per sub-trajectory, in the order of the pairs.
    pub errors: Vec<f64>,
    /// Summary.
    pub statistics: Statistics,
    /// First quartile, by linear interpolation.
    pub quartile_first: f64,
    /// Third quartile, by linear interpolation.
    pub quartile_third: f64,
    /// Least and largest error within 1.5 interquartile ranges of the box.
    pub whiskers: [f64; 2],
}

impl ErrorBox {
    fn of(id: MetricId, errors: Vec<f64>) -> Result<Self, MeasureError> {
        let statistics = Statistics::of(&errors, "errors")?;
        let mut sorted = errors.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        let quartile = |probability| {
            quantile_of_sorted(&sorted, probability).ok_or(MeasureError::Empty { what: "errors" })
        };
        let (quartile_first, quartile_third) = (quartile(0.25)?, quartile(0.75)?);
        let reach = 1.5 * (quartile_third - quartile_first);
        let is_within =
            |error: &&f64| **error >= quartile_first - reach && **error <= quartile_third + reach;
        // The box itself is always within, so that there is an error on each side.
        let low = sorted.iter().find(is_within).copied().unwrap_or(quartile_first);
        let high = sorted.iter().rev().find(is_within).copied().unwrap_or(quartile_third);
        let whiskers = [low.min(quartile_first), high.max(quartile_third)];
        Ok(Self { id, errors, statistics, quartile_first, quartile_third, whiskers })
    }
}

/// Relative errors over sub-trajectories of one length.
#[derive(Clone, Debug, PartialEq)]
pub struct SubTrajectoryErrors {
    /// Start and end of each, indices into the paired poses.
    pub pairs: Vec<(usize, usize)>,
    /// Length of the translation error, metres.
    pub translation: ErrorBox,
    /// The same per nominal length, per cent.
    pub translation_percent: ErrorBox,
    /// Angle of the rotation error, radians.
    pub rotation: ErrorBox,
    /// Size of its heading, radians.
    pub yaw: ErrorBox,
    /// Root of the sum of squares of its pitch and roll, radians.
    pub gravity: ErrorBox,
}

/// The lengths at which to look by default: shares of the reference's length, in whole metres.
///
/// # Errors
/// [`MeasureError::Empty`], [`MeasureError::NotFinite`], [`MeasureError::NoPairs`] (the path is
/// shorter than 2 m, so that no share of it is a whole metre).
pub fn default_lengths_m(reference: &[Pose3]) -> Result<Vec<f64>, MeasureError> {
    require_paired(reference, reference)?;
    let total_m = travelled_m(reference).last().copied().unwrap_or(0.0);
    let lengths: Vec<f64> = LENGTH_SHARES
        .iter()
        .map(|share| (share * total_m).floor())
        .filter(|length_m| *length_m > 0.0 && length_m.is_finite())
        .collect();
    if lengths.is_empty() {
        let delta = "a whole number of metres".to_owned();
        return Err(MeasureError::NoPairs { delta, pose_count: reference.len() });
    }
    Ok(lengths)
}

/// The errors of the estimate's motion over every sub-trajectory of a length.
///
/// For each start i the end j whose distance along the reference is nearest to the length, if
/// within the tolerance; `E = (P_i⁻¹ P_j)⁻¹ (Q_i⁻¹ Q_j)` with `P` the reference and `Q` the
/// estimate, its translation multiplied by the scale; turned into the estimate's fixed frame,
/// `R_j E R_j⁻¹`, and read as translation, angle, heading, and tilt.
///
/// # Inputs
/// - `reference`, `estimate`: N poses of the same body, metres, row `i` the same instant. The
///   estimate is not aligned; heading and tilt mean what they say if its z axis is vertical.
///
/// # Output
/// Five lists of errors, one per sub-trajectory, with the figures of their box plots.
///
/// # Errors
/// [`MeasureError::LengthMismatch`], [`MeasureError::Empty`], [`MeasureError::NotFinite`],
/// [`MeasureError::InvalidOption`], [`MeasureError::NotARotation`], [`MeasureError::NoPairs`].
///
/// # Invariants
/// `sub_trajectory_errors_of_a_path_with_itself_are_zero`,
/// `sub_trajectory_lengths_and_angles_are_unchanged_by_moving_either_path`,
/// `modes_agree_where_every_start_has_an_end`, `boxes_are_ordered`.
///
/// # Source
/// Zhang and Scaramuzza, *A tutorial on quantitative trajectory evaluation for visual(-inertial)
/// odometry*, IROS 2018; the tool `rpg_trajectory_evaluation`, equal to 1e-9 relative in
/// [`SubTrajectoryMode::Compatible`]. The angle is exact near zero, where the tool's arc cosine of
/// the trace is not.
///
/// Cost: O(N log N).
///
/// # Example
/// ```
/// use tiepoint_measure::trajectory::sub_trajectory::{
///     LENGTH_TOLERANCE_SHARE, SubTrajectoryMode, SubTrajectoryOptions, sub_trajectory_errors,
/// };
/// use tiepoint_model::Pose2;
///
/// let straight = |step_m: f64| {
///     (0..11).map(|i| Pose2::new(step_m * f64::from(i), 0.0, 0.0).in_space()).collect::<Vec<_>>()
/// };
/// let options = SubTrajectoryOptions {
///     length_m: 4.0,
///     tolerance_share: LENGTH_TOLERANCE_SHARE,
///     scale: 1.0,
///     mode: SubTrajectoryMode::Corrected,
/// };
/// let errors = sub_trajectory_errors(&straight(1.0), &straight(1.1), &options)?;
/// assert_eq!(errors.pairs.len(), 7);
/// assert!((errors.translation_percent.statistics.mean - 10.0).abs() < 1e-12);
/// # Ok::<(), tiepoint_measure::MeasureError>(())
/// ```
pub fn sub_trajectory_errors(
    reference: &[Pose3],
    estimate: &[Pose3],
    options: &SubTrajectoryOptions,
) -> Result<SubTrajectoryErrors, MeasureError> {
    options.check()?;
    require_paired(reference, estimate)?;
    let pairs = pairs_of(&travelled_m(reference), options);
    if pairs.is_empty() {
        let delta = format!("{} m", options.length_m);
        return Err(MeasureError::NoPairs { delta, pose_count: reference.len() });
    }
    let mut errors: [Vec<f64>; 5] = std::array::from_fn(|_| Vec::with_capacity(pairs.len()));
    for (index, &(i, j)) in pairs.iter().enumerate() {
        let expected = reference[i].inverse() * reference[j];
        let mut got = estimate[i].inverse() * estimate[j];
        got.translation_m *= options.scale;
        let error = expected.inverse() * got;
        let fixed_from_body = &estimate[j].rotation;
        let turned = fixed_from_body * error.rotation * fixed_from_body.transpose();
        let translation_m = error.translation_m.norm();
        let (yaw_rad, tilt_rad) = heading_and_tilt_rad(&turned);
        let values = [
            translation_m,
            translation_m / options.length_m * 100.0,
            rotation::angle_rad(&turned, index)?,
            yaw_rad,
            tilt_rad,
        ];
        for (list, value) in errors.iter_mut().zip(values) {
            list.push(value);
        }
    }
    let [translation, translation_percent, rotation, yaw, gravity] = errors;
    Ok(SubTrajectoryErrors {
        pairs,
        translation: ErrorBox::of(registry::TRAJ_SUB_TRANSLATION, translation)?,
        translation_percent: ErrorBox::of(
            registry::TRAJ_SUB_TRANSLATION_PERCENT,
            translation_percent,
        )?,
        rotation: ErrorBox::of(registry::TRAJ_SUB_ROTATION, rotation)?,
        yaw: ErrorBox::of(registry::TRAJ_SUB_YAW, yaw)?,
        gravity: ErrorBox::of(registry::TRAJ_SUB_GRAVITY, gravity)?,
    })
}

/// Start and end of each sub-trajectory.
fn pairs_of(travelled_m: &[f64], options: &SubTrajectoryOptions) -> Vec<(usize, usize)> {
    let tolerance_m = options.tolerance_share * options.length_m;
    let found = (0..travelled_m.len()).filter_map(|start| {
        let wanted_m = travelled_m[start] + options.length_m;
        let off_m = |end: usize| (travelled_m[end] - wanted_m).abs();
        let after = start + travelled_m[start..].partition_point(|&m| m < wanted_m);
        let mut best = after.min(travelled_m.len() - 1);
        if after > start && off_m(after - 1) <= off_m(best) {
            // Of equally near ends the first.
            let nearest_m = travelled_m[after - 1];
            best = start + travelled_m[start..].partition_point(|&m| m < nearest_m);
        }
        (off_m(best) < tolerance_m).then_some((start, best))
    });
    match options.mode {
        SubTrajectoryMode::Corrected => found.filter(|(start, end)| start < end).collect(),
        SubTrajectoryMode::Compatible => {
            found.enumerate().map(|(index, (_, end))| (index, end)).collect()
        }
    }
}

/// The size of the heading, and the root of the sum of squares of pitch and roll, of
/// `Rz(yaw) Ry(pitch) Rx(roll)`.
fn heading_and_tilt_rad(m: &Matrix3<f64>) -> (f64, f64) {
    const GIMBAL_LOCK: f64 = 4.0 * f64::EPSILON;
    let level = (m[(0, 0)] * m[(0, 0)] + m[(1, 0)] * m[(1, 0)]).sqrt();
    let pitch_rad = math::atan2(-m[(2, 0)], level);
    let (yaw_rad, roll_rad) = if level > GIMBAL_LOCK {
        (math::atan2(m[(1, 0)], m[(0, 0)]), math::atan2(m[(2, 1)], m[(2, 2)]))
    } else {
        (0.0, math::atan2(-m[(1, 2)], m[(1, 1)]))
    };
    (yaw_rad.abs(), (pitch_rad * pitch_rad + roll_rad * roll_rad).sqrt())
}

/// How far the lengths of two paths' steps differ.
#[derive(Clone, Debug, PartialEq)]
pub struct StepScale {
    /// `100 · |‖d_estimate‖ / ‖d_reference‖ − 1|` per step, per cent.
    pub errors: Vec<f64>,
    /// Their summary.
    pub statistics: Statistics,
    /// Steps in which the reference did not move, which have no ratio. The tool's own mean is
    /// infinite as soon as there is one.
    pub undefined_count: usize,
}

/// How far the lengths of an aligned estimate's steps differ from the reference's, step by step.
///
/// In [`SubTrajectoryMode::Compatible`] a "step" is a position itself, as the tool has it by a
/// difference of order zero: the number then depends on where the origin lies.
///
/// # Inputs
/// - `reference`, `estimate`: N poses, metres, row `i` the same instant.
/// - `reference_from_estimate`: the alignment.
///
/// # Output
/// Per cent, `>= 0`.
///
/// # Errors
/// [`MeasureError::LengthMismatch`], [`MeasureError::Empty`], [`MeasureError::NotFinite`],
/// [`MeasureError::Constant`] (the reference never moved).
///
/// # Invariants
/// `step_scale_of_a_stretched_path_is_the_stretch`.
///
/// # Source
/// `rpg_trajectory_evaluation`, absolute scale error; corrected here.
///
/// # Example
/// ```
/// use tiepoint_measure::trajectory::{
///     Similarity,
///     sub_trajectory::{SubTrajectoryMode, step_scale_errors},
/// };
/// use tiepoint_model::Pose2;
///
/// let path = [0.0, 1.0, 1.0, 3.0].map(|x_m| Pose2::new(x_m, 0.0, 0.0).in_space());
/// let long = [0.0, 1.5, 1.5, 4.5].map(|x_m| Pose2::new(x_m, 0.0, 0.0).in_space());
/// let mode = SubTrajectoryMode::Corrected;
/// let scale = step_scale_errors(&path, &long, &Similarity::identity(), mode)?;
/// assert_eq!((scale.errors, scale.undefined_count), (vec![50.0, 50.0], 1));
/// # Ok::<(), tiepoint_measure::MeasureError>(())
/// ```
pub fn step_scale_errors(
    reference: &[Pose3],
    estimate: &[Pose3],
    reference_from_estimate: &Similarity,
    mode: SubTrajectoryMode,
) -> Result<StepScale, MeasureError> {
    require_paired(reference, estimate)?;
    let positions = |index: usize| {
        let aligned = reference_from_estimate.apply_to_position(&estimate[index].translation_m);
        (reference[index].translation_m, aligned)
    };
    let steps: Vec<(f64, f64)> = match mode {
        SubTrajectoryMode::Compatible => (0..reference.len())
            .map(|index| {
                let (p, q) = positions(index);
                (p.norm(), q.norm())
            })
            .collect(),
        SubTrajectoryMode::Corrected => (1..reference.len())
            .map(|index| {
                let ((p0, q0), (p1, q1)) = (positions(index - 1), positions(index));
                ((p1 - p0).norm(), (q1 - q0).norm())
            })
            .collect(),
    };
    let errors: Vec<f64> = steps
        .iter()
        .filter(|(expected_m, _)| *expected_m > 0.0)
        .map(|(expected_m, got_m)| ((got_m / expected_m - 1.0) * 100.0).abs())
        .collect();
    if errors.is_empty() {
        return Err(MeasureError::Constant { what: "reference" });
    }
    let statistics = Statistics::of(&errors, "errors")?;
    Ok(StepScale { undefined_count: steps.len() - errors.len(), errors, statistics })
}
