//! The error of each of three or more trajectories of one motion, when none of them is the truth:
//! the three-cornered hat.
//!
//! Invariant: the order of the trajectories changes nothing but the order of the answer.
//! Unit of the values, metres for positions.
//!
//! Not here: constant offsets, which differences of a mean cannot see, and errors that the
//! trajectories have in common, which no comparison can see.

use tiepoint_model::Pose3;

use super::require_finite_poses;
use crate::{MeasureError, statistics::require_finite};

/// What the comparison says about one series' own error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum OwnVariance {
    /// The variance of its error, in the square of the unit.
    Estimated {
        /// Not below zero.
        variance: f64,
    },
    /// The arithmetic answers a negative variance: the errors are not independent, or there is
    /// too little data to tell so small an error from none. The series has no value; that it is
    /// the best one may still be true.
    Negative {
        /// Below zero.
        variance: f64,
    },
}

impl OwnVariance {
    /// `scale` is the size of the sums that `variance` is the difference of.
    fn of(variance: f64, scale: f64) -> Self {
        // Some ten roundings of numbers of that size.
        if variance < -1e-14 * scale {
            return Self::Negative { variance };
        }
        Self::Estimated { variance: variance.max(0.0) }
    }

    /// The standard deviation in the unit of the values, if the variance is not negative.
    #[must_use]
    pub fn sigma(self) -> Option<f64> {
        match self {
            Self::Estimated { variance } => Some(variance.sqrt()),
            Self::Negative { .. } => None,
        }
    }
}

/// The variance of each series' own error.
///
/// With `v_ij` the variance of the difference of two series, independence gives
/// `v_ij = σ_i² + σ_j²`, and least squares over all pairs
/// `σ_i² = (Σ_j v_ij − Σ_{j<k} v_jk / (M − 1)) / (M − 2)`.
///
/// # Inputs
/// - `series`: M >= 3 series of n >= 2 values of the same quantity at the same instants.
///
/// # Output
/// One answer per series, in their order.
///
/// # Errors
/// [`MeasureError::TooFew`], [`MeasureError::LengthMismatch`], [`MeasureError::Empty`],
/// [`MeasureError::NotFinite`].
///
/// # Invariants
/// `three_cornered_hat_finds_the_noise_that_was_added`, `hat_scales_with_the_square`,
/// `hat_is_blind_to_the_motion_and_to_offsets`, `hat_follows_the_order_of_the_series`.
///
/// # Source
/// Gray and Allan, *A method for estimating the frequency stability of an individual oscillator*,
/// 1974; for more than three series Premoli and Tavella, 1993, without their constraint.
///
/// # Example
/// ```
/// use tiepoint_measure::trajectory::reference_error::three_cornered_hat;
///
/// // The third is off by ±1 in turn, the others agree: their own error is 0, its variance 4/3.
/// let truth = [0.0, 1.0, 2.0, 3.0];
/// let noisy = [1.0, 0.0, 3.0, 2.0];
/// let sigma: Vec<_> =
///     three_cornered_hat(&[&truth, &truth, &noisy])?.iter().map(|v| v.sigma()).collect();
/// assert_eq!(sigma[..2], [Some(0.0), Some(0.0)]);
/// assert!((sigma[2].unwrap() - (4.0_f64 / 3.0).sqrt()).abs() < 1e-15);
/// # Ok::<(), tiepoint_measure::MeasureError>(())
/// ```
pub fn three_cornered_hat(series: &[&[f64]]) -> Result<Vec<OwnVariance>, MeasureError> {
    check_lengths(&series.iter().map(|values| values.len()).collect::<Vec<_>>())?;
    for values in series {
        require_finite(values, "series")?;
    }
    let variance = |i: usize, j: usize| {
        variance_about_mean(series[0].len(), |row| [series[i][row] - series[j][row], 0.0, 0.0])
    };
    solve(series.len(), variance)
}

/// The variance of each trajectory's own position error, square metres: the sum over three axes.
///
/// # Inputs
/// - `paths`: M >= 3 paths of n >= 2 poses in one frame, metres; row `i` of each is the same
///   instant. Align them first: a rotation between frames counts as error.
///
/// # Output
/// One answer per path: square metres, its root the standard deviation of the distance.
///
/// # Errors
/// As [`three_cornered_hat`].
///
/// # Invariants
/// `position_hat_is_unchanged_by_moving_all_paths`.
///
/// # Source
/// As [`three_cornered_hat`].
///
/// # Example
/// ```
/// use tiepoint_measure::trajectory::reference_error::reference_error;
/// use tiepoint_model::Pose2;
///
/// let path = |y_m: [f64; 4]| {
///     std::array::from_fn::<_, 4, _>(|i| Pose2::new(i as f64, y_m[i], 0.0).in_space())
/// };
/// let (good, noisy) = (path([0.0; 4]), path([0.1, -0.1, 0.1, -0.1]));
/// let own = reference_error(&[&good, &good, &noisy])?;
/// assert!((own[2].sigma().unwrap() - 0.1 * (4.0_f64 / 3.0).sqrt()).abs() < 1e-12);
/// # Ok::<(), tiepoint_measure::MeasureError>(())
/// ```
pub fn reference_error(paths: &[&[Pose3]]) -> Result<Vec<OwnVariance>, MeasureError> {
    check_lengths(&paths.iter().map(|poses| poses.len()).collect::<Vec<_>>())?;
    for poses in paths {
        require_finite_poses(poses, "paths")?;
    }
    let variance = |i: usize, j: usize| {
        variance_about_mean(paths[0].len(), |row| {
            (paths[i][row].translation_m - paths[j][row].translation_m).into()
        })
    };
    solve(paths.len(), variance)
}

fn check_lengths(counts: &[usize]) -> Result<(), MeasureError> {
    if counts.len() < 3 {
        return Err(MeasureError::TooFew { what: "series", count: counts.len(), min: 3 });
    }
    if counts[0] < 2 {
        return Err(MeasureError::TooFew { what: "values of a series", count: counts[0], min: 2 });
    }
    match counts.iter().find(|count| **count != counts[0]) {
        Some(&right_count) => Err(MeasureError::LengthMismatch {
            left: "first series",
            left_count: counts[0],
            right: "another series",
            right_count,
        }),
        None => Ok(()),
    }
}

/// Sum over three axes of the sample variance (divides by n − 1).
fn variance_about_mean(count: usize, difference: impl Fn(usize) -> [f64; 3]) -> f64 {
    let mut mean = [0.0; 3];
    for row in 0..count {
        for (sum, value) in mean.iter_mut().zip(difference(row)) {
            *sum += value / count as f64;
        }
    }
    let square = |row: usize| -> f64 {
        difference(row).iter().zip(&mean).map(|(value, mean)| (value - mean) * (value - mean)).sum()
    };
    (0..count).map(square).sum::<f64>() / (count - 1) as f64
}

fn solve(
    count: usize,
    variance: impl Fn(usize, usize) -> f64,
) -> Result<Vec<OwnVariance>, MeasureError> {
    let mut sums = vec![0.0; count];
    let mut total = 0.0;
    for i in 0..count {
        for j in i + 1..count {
            let v = variance(i, j);
            if !v.is_finite() {
                return Err(MeasureError::NotFinite { what: "variance of a difference", index: i });
            }
            sums[i] += v;
            sums[j] += v;
            total += v;
        }
    }
    let shared = total / (count - 1) as f64;
    let own = |sum: f64| OwnVariance::of((sum - shared) / (count - 2) as f64, total);
    Ok(sums.into_iter().map(own).collect())
}
