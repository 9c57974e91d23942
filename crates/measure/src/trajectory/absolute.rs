//! Absolute pose error (APE, also ATE): how far each pose of an estimate lies from the reference's
//! pose at the same instant.
//!
//! Invariant: one error per pair of poses, in their order.
//! Cost: `O(n)`, with the alignment.
//! Not here: relative error over a distance (see [`super::relative`]).

use tiepoint_model::Pose3;

use super::{Alignment, COMPATIBLE_WITH, ErrorSeries, Relation, require_paired};
use crate::{MeasureError, Metric, MetricId, Statistics, registry};

/// What to compare, and after which alignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AbsoluteOptions {
    /// Which number is made of each error pose.
    pub relation: Relation,
    /// How the estimate is carried onto the reference first.
    pub alignment: Alignment,
}

impl AbsoluteOptions {
    /// The metric that these options measure. Add the convention `association` where stamps were
    /// paired.
    ///
    /// # Errors
    /// [`MeasureError::RelationUndefined`].
    pub fn metric(&self) -> Result<Metric, MeasureError> {
        Ok(Metric::new(self.metric_id()?)
            .with("alignment", self.alignment)
            .with("compat", COMPATIBLE_WITH))
    }

    fn metric_id(&self) -> Result<MetricId, MeasureError> {
        Ok(match self.relation {
            Relation::Translation | Relation::PointDistance => registry::TRAJ_APE_TRANSLATION,
            Relation::RotationAngleRad => registry::TRAJ_APE_ROTATION_RAD,
            Relation::RotationAngleDeg => registry::TRAJ_APE_ROTATION_DEG,
            Relation::RotationFrobenius => registry::TRAJ_APE_ROTATION_FROBENIUS,
            Relation::FullTransformation => registry::TRAJ_APE_FULL,
            Relation::DistanceRatioPercent => {
                return Err(MeasureError::RelationUndefined { relation: self.relation.name() });
            }
        })
    }
}

/// The error of each pose of an estimate against the reference's pose at the same instant.
///
/// `E_i = (A · Q_i)⁻¹ · P_i` with `P` the reference, `Q` the estimate and `A` the alignment; the
/// error is the relation's number of `E_i`
/// (for the translation simply `‖p_i − A q_i‖`).
///
/// # Inputs
/// - `reference`: N poses of a body in a fixed frame, metres.
/// - `estimate`: N poses of the same body in the estimator's own fixed frame, metres; row `i` is
///   the same instant as `reference[i]`.
///
/// # Output
/// N values in the unit of the relation, `>= 0`, and their statistics; 0 if and only if the aligned
/// poses agree in what the relation looks at.
///
/// # Errors
/// [`MeasureError::LengthMismatch`], [`MeasureError::Empty`], [`MeasureError::NotFinite`],
/// [`MeasureError::DegenerateAlignment`],
/// [`MeasureError::NotARotation`], [`MeasureError::RelationUndefined`].
///
/// # Invariants
/// `ape_of_a_path_with_itself_is_zero`, `aligned_ape_is_unchanged_by_moving_the_estimate`,
/// `ape_scales_with_length`,
/// `alignment_never_makes_the_rmse_worse`, `unaligned_ape_is_symmetric`.
///
/// # Source
/// Sturm et al., *A Benchmark for the Evaluation of RGB-D SLAM Systems*, IROS 2012; alignment:
/// Umeyama, PAMI 13(4), 1991.
/// Same numbers as evo 1.38.1 to 1e-9 relative. The angle is that of the nearest rotation; a matrix
/// farther than 1e-5 from a rotation is refused.
///
/// # Example
/// ```
/// use tiepoint_measure::trajectory::{AbsoluteOptions, Alignment, Relation, absolute_pose_error};
/// use tiepoint_model::Pose2;
///
/// let corner = [(0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (1.0, 1.0, 1.57)];
/// let path = corner.map(|(x_m, y_m, yaw_rad)| Pose2::new(x_m, y_m, yaw_rad).in_space());
/// let map_from_elsewhere = Pose2::new(5.0, -2.0, 0.3).in_space();
/// let moved = path.map(|pose| map_from_elsewhere * pose);
///
/// let options = AbsoluteOptions { relation: Relation::Translation, alignment: Alignment::SE3 };
/// let series = absolute_pose_error(&path, &moved, &options)?;
/// assert!(series.statistics.rmse < 1e-12);
/// assert_eq!(
///     options.metric()?.to_string(),
///     "traj.ape.translation[alignment=se3;compat=evo==1.38.1]",
/// );
/// # Ok::<(), tiepoint_measure::MeasureError>(())
/// ```
pub fn absolute_pose_error(
    reference: &[Pose3],
    estimate: &[Pose3],
    options: &AbsoluteOptions,
) -> Result<ErrorSeries, MeasureError> {
    require_paired(reference, estimate)?;
    let reference_from_estimate = options.alignment.find_checked(reference, estimate)?;
    let pairs = reference.iter().zip(estimate);
    let errors: Vec<f64> = match options.relation {
        Relation::Translation | Relation::PointDistance => pairs
            .map(|(p, q)| {
                let aligned = reference_from_estimate.apply_to_position(&q.translation_m);
                (p.translation_m - aligned).norm()
            })
            .collect(),
        Relation::RotationAngleRad | Relation::RotationAngleDeg | Relation::RotationFrobenius => {
            // The same bits as the whole error pose, without its translation.
            let error = |(p, q): (&Pose3, &Pose3)| {
                let aligned = reference_from_estimate.rotation * q.rotation;
                Pose3 { rotation: aligned.transpose() * p.rotation, ..*p }
            };
            options.relation.values(pairs.map(error))?
        }
        relation => {
            let error = |(p, q): (&Pose3, &Pose3)| reference_from_estimate.apply(q).inverse() * *p;
            relation.values(pairs.map(error))?
        }
    };
    let statistics = Statistics::of(&errors, "errors")?;
    Ok(ErrorSeries { errors, statistics, reference_from_estimate })
}
