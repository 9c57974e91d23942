//! Relative pose error (RPE): how the estimate's motion over a fixed frame count, distance or turn
//! differs from the reference's.
//!
//! Invariant: one error per pair of poses, in the order of the pairs; moving either path as a whole
//! changes nothing.
//! Not here: drift that divides by a nominal length (see [`super::drift`] and
//! [`super::sub_trajectory`]).

use std::fmt;

use tiepoint_model::Pose3;

use super::{
    Alignment, COMPATIBLE_WITH, DEG_PER_RAD, ErrorSeries, Relation, pairs, require_paired,
};
use crate::{
    MeasureError, Metric, MetricId, Statistics, registry,
    statistics::{require_not_below_zero, require_positive},
};

/// How far apart the two poses of a pair are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Delta {
    /// So many poses.
    Frames(usize),
    /// So many metres along the path.
    Metres(f64),
    /// So many radians of turning.
    Radians(f64),
    /// So many degrees of turning.
    Degrees(f64),
}

impl fmt::Display for Delta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Frames(count) => write!(f, "{count} frames"),
            Self::Metres(length) => write!(f, "{length} m"),
            Self::Radians(angle) => write!(f, "{angle} rad"),
            Self::Degrees(angle) => write!(f, "{angle} deg"),
        }
    }
}

/// Which pairs of poses that far apart are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pairing {
    /// Pairs that do not overlap: each starts where the one before ends. Lengths and turns are
    /// accumulated until they reach delta.
    Consecutive,
    /// Overlapping pairs. Frames: one per start. Metres: per start the one end nearest to delta
    /// along the path, within the tolerance.
    /// Angles: per start every end whose direct turn lies within the tolerance.
    All,
}

/// On which of the two paths delta is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PairsFrom {
    /// On the aligned estimate, which is evo's default: the estimate's scale then decides which
    /// pairs are compared.
    Estimate,
    /// On the reference.
    Reference,
}

/// What to compare, over which pairs, after which alignment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RelativeOptions {
    /// Which number is made of each error pose.
    pub relation: Relation,
    /// How the estimate is carried onto the reference first. Only its scale can change a relative
    /// error, or the pairs.
    pub alignment: Alignment,
    /// How far apart the two poses of a pair are.
    pub delta: Delta,
    /// Which pairs that far apart.
    pub pairing: Pairing,
    /// On which path delta is measured.
    pub pairs_from: PairsFrom,
    /// With [`Pairing::All`], how far a distance or turn may lie from delta, as a share of delta;
    /// evo's value is [`DELTA_TOLERANCE_SHARE`].
    pub delta_tolerance_share: f64,
}

/// The default relative tolerance of delta in evo 1.38.1.
pub const DELTA_TOLERANCE_SHARE: f64 = 0.1;

impl RelativeOptions {
    /// The metric that these options measure. Add the convention `association` where stamps were
    /// paired.
    #[must_use]
    pub fn metric(&self) -> Metric {
        let pairing = match self.pairing {
            Pairing::Consecutive => "consecutive",
            Pairing::All => "all",
        };
        let pairs_from = match self.pairs_from {
            PairsFrom::Estimate => "estimate",
            PairsFrom::Reference => "reference",
        };
        Metric::new(self.metric_id())
            .with("alignment", self.alignment)
            .with("compat", COMPATIBLE_WITH)
            .with("delta", self.delta)
            .with("delta_tolerance", self.delta_tolerance_share)
            .with("pairing", pairing)
            .with("pairs_from", pairs_from)
    }

    fn metric_id(&self) -> MetricId {
        match self.relation {
            Relation::Translation => registry::TRAJ_RPE_TRANSLATION,
            Relation::RotationAngleRad => registry::TRAJ_RPE_ROTATION_RAD,
            Relation::RotationAngleDeg => registry::TRAJ_RPE_ROTATION_DEG,
            Relation::RotationFrobenius => registry::TRAJ_RPE_ROTATION_FROBENIUS,
            Relation::FullTransformation => registry::TRAJ_RPE_FULL,
            Relation::PointDistance => registry::TRAJ_RPE_POINT_DISTANCE,
            Relation::DistanceRatioPercent => registry::TRAJ_RPE_DISTANCE_RATIO,
        }
    }

    fn check(&self) -> Result<(), MeasureError> {
        require_not_below_zero(self.delta_tolerance_share, "delta_tolerance_share")?;
        match self.delta {
            Delta::Frames(count) => require_positive(count as f64, "delta frames"),
            Delta::Metres(length) => require_positive(length, "delta metres"),
            Delta::Radians(angle) => require_positive(angle, "delta radians"),
            Delta::Degrees(angle) => require_positive(angle, "delta degrees"),
        }
    }
}

/// The errors of a path's motions, and which poses each belongs to.
#[derive(Clone, Debug, PartialEq)]
pub struct RelativeErrors {
    /// The errors, their summary and the alignment.
    pub series: ErrorSeries,
    /// Start and end of each pair, indices into the paired poses; as long as the errors.
    pub pairs: Vec<(usize, usize)>,
    /// Pairs left out because the reference did not move between them, which leaves a ratio of
    /// distances without a value.
    pub undefined_count: usize,
}

/// The error of the estimate's motion between two poses, for pairs of poses a fixed delta apart.
///
/// `E_ij = (P_i⁻¹ P_j)⁻¹ · (Q_i⁻¹ Q_j)` with `P` the reference and `Q` the aligned estimate; the
/// error is the relation's number of `E_ij`.
///
/// # Inputs
/// - `reference`: N poses of a body in a fixed frame, metres.
/// - `estimate`: N poses of the same body in the estimator's own fixed frame, metres; row `i` is
///   the same instant as `reference[i]`.
///
/// # Output
/// One value per pair in the unit of the relation, `>= 0`; 0 if the two motions agree. The number
/// of pairs depends on every option: report it.
///
/// # Errors
/// [`MeasureError::LengthMismatch`], [`MeasureError::Empty`], [`MeasureError::NotFinite`],
/// [`MeasureError::InvalidOption`],
/// [`MeasureError::DegenerateAlignment`], [`MeasureError::NotARotation`],
/// [`MeasureError::NoPairs`].
///
/// # Invariants
/// `rpe_of_a_path_with_itself_is_zero`, `rpe_is_unchanged_by_moving_either_path`,
/// `rpe_over_frames_is_symmetric`.
///
/// # Source
/// Sturm et al., IROS 2012, equation 2; pair selection and numbers as evo 1.38.1, to 1e-9 relative.
///
/// # Example
/// ```
/// use tiepoint_measure::trajectory::relative::DELTA_TOLERANCE_SHARE;
/// use tiepoint_measure::trajectory::{
///     Alignment, Delta, Pairing, PairsFrom, Relation, RelativeOptions, relative_pose_error,
/// };
/// use tiepoint_model::Pose2;
///
/// let straight = |step_m: f64| {
///     (0..11).map(|i| Pose2::new(step_m * f64::from(i), 0.0, 0.0).in_space()).collect::<Vec<_>>()
/// };
/// let options = RelativeOptions {
///     relation: Relation::Translation,
///     alignment: Alignment::None,
///     delta: Delta::Frames(5),
///     pairing: Pairing::Consecutive,
///     pairs_from: PairsFrom::Estimate,
///     delta_tolerance_share: DELTA_TOLERANCE_SHARE,
/// };
/// let errors = relative_pose_error(&straight(1.0), &straight(1.1), &options)?;
/// assert_eq!(errors.pairs, [(0, 5), (5, 10)]);
/// assert!((errors.series.statistics.mean - 0.5).abs() < 1e-12);
/// # Ok::<(), tiepoint_measure::MeasureError>(())
/// ```
pub fn relative_pose_error(
    reference: &[Pose3],
    estimate: &[Pose3],
    options: &RelativeOptions,
) -> Result<RelativeErrors, MeasureError> {
    options.check()?;
    require_paired(reference, estimate)?;
    let reference_from_estimate = options.alignment.find_checked(reference, estimate)?;
    let aligned: Vec<Pose3> =
        estimate.iter().map(|pose| reference_from_estimate.apply(pose)).collect();

    let paced = match options.pairs_from {
        PairsFrom::Estimate => &aligned,
        PairsFrom::Reference => reference,
    };
    let mut pairs = select_pairs(paced, options)?;
    let found_count = pairs.len();
    if options.relation == Relation::DistanceRatioPercent {
        pairs.retain(|&(i, j)| moved_m(reference, i, j) > 0.0);
    }
    if pairs.is_empty() {
        let delta = options.delta.to_string();
        return Err(MeasureError::NoPairs { delta, pose_count: reference.len() });
    }
    let undefined_count = found_count - pairs.len();

    let error_of = |(index, &(i, j)): (usize, &(usize, usize))| {
        let moved_both_m = || (moved_m(reference, i, j), moved_m(&aligned, i, j));
        match options.relation {
            Relation::PointDistance => {
                let (expected_m, got_m) = moved_both_m();
                return Ok((got_m - expected_m).abs());
            }
            Relation::DistanceRatioPercent => {
                let (expected_m, got_m) = moved_both_m();
                return Ok((got_m - expected_m).abs() / expected_m * 100.0);
            }
            _ => (),
        }
        let expected = reference[i].inverse() * reference[j];
        let got = aligned[i].inverse() * aligned[j];
        options.relation.value(&(expected.inverse() * got), index)
    };
    let errors: Vec<f64> = pairs.iter().enumerate().map(error_of).collect::<Result<_, _>>()?;
    let statistics = Statistics::of(&errors, "errors")?;
    let series = ErrorSeries { errors, statistics, reference_from_estimate };
    Ok(RelativeErrors { series, pairs, undefined_count })
}

/// The straight distance between two poses, metres.
fn moved_m(poses: &[Pose3], i: usize, j: usize) -> f64 {
    (poses[j].translation_m - poses[i].translation_m).norm()
}

fn select_pairs(
    paced: &[Pose3],
    options: &RelativeOptions,
) -> Result<Vec<(usize, usize)>, MeasureError> {
    let share = options.delta_tolerance_share;
    let by_angle = |delta_rad: f64| match options.pairing {
        Pairing::Consecutive => pairs::consecutive_by_turn(paced, delta_rad),
        Pairing::All => pairs::all_by_turn(paced, delta_rad, share * delta_rad),
    };
    match (options.delta, options.pairing) {
        (Delta::Frames(count), Pairing::Consecutive) => {
            Ok(pairs::by_frames(paced.len(), count, count))
        }
        (Delta::Frames(count), Pairing::All) => Ok(pairs::by_frames(paced.len(), count, 1)),
        (Delta::Metres(length), Pairing::Consecutive) => {
            Ok(pairs::consecutive_by_length(paced, length))
        }
        (Delta::Metres(length), Pairing::All) => {
            Ok(pairs::all_by_length(paced, length, share * length))
        }
        (Delta::Radians(angle), _) => by_angle(angle),
        (Delta::Degrees(angle), _) => by_angle(angle / DEG_PER_RAD),
    }
}
