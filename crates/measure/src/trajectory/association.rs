//! Association: which pose of the estimate belongs to which pose of the reference.
//!
//! Invariant: every pair lies within the limit, and pairs are in the order of the shorter
//! trajectory.
//! Nanoseconds; both trajectories must use the same clock.
//! Cost: `O(m log n)` for m stamps in n sorted ones, `O(m n)` in unsorted ones.
//!
//! Not here: greedy one-to-one pairs (see [`super::greedy`]) and interpolation within a gap limit
//! (see [`super::interpolation`]).

use std::fmt;

use nalgebra::{Matrix3, Quaternion, UnitQuaternion};
use tiepoint_model::{Pose3, Span, Timestamp, Trajectory, math, time::NS_PER_S};

use crate::MeasureError;

/// In which numbers stamps are compared. It decides ties, and differences that are exactly the
/// limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StampArithmetic {
    /// Whole nanoseconds: exact. Of two equally near stamps the earlier wins.
    Exact,
    /// `f64` seconds, as evo and most scripts have them: today's stamps are rounded to 238 ns, so
    /// that of two equally near stamps either may win.
    /// For comparison with published numbers.
    FloatSeconds,
}

/// How stamps are paired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AssociationOptions {
    /// The largest difference of two stamps that belong together, at least zero; evo's default is
    /// 10 ms.
    pub difference_max: Span,
    /// In which numbers they are compared.
    pub arithmetic: StampArithmetic,
}

/// The convention's text in a metric's identity.
impl fmt::Display for AssociationOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arithmetic = match self.arithmetic {
            StampArithmetic::Exact => "exact",
            StampArithmetic::FloatSeconds => "float seconds",
        };
        write!(f, "nearest(max {} ns, {arithmetic})", self.difference_max.0)
    }
}

/// The pairs of one association.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Association {
    /// Index into the reference and index into the estimate, per pair.
    pub pairs: Vec<(usize, usize)>,
    /// How they were found.
    pub options: AssociationOptions,
}

/// For each pose of the shorter trajectory the pose of the longer one that is nearest in time.
///
/// `j(i) = argmin_j |t_long(j) − t_short(i)|`, kept if the difference is at most `difference_max`.
///
/// # Inputs
/// - `reference`, `estimate`: stamps of the same clock, nanoseconds; they need not be sorted.
/// - `options`: limit and arithmetic.
///
/// # Output
/// Pairs in the order of the shorter trajectory (the estimate if both are equally long). One pose
/// of the longer may be used many times.
/// Of two equally near stamps the earlier in the list wins, which in a sorted list is the earlier
/// in time.
///
/// # Errors
/// [`MeasureError::Empty`], [`MeasureError::InvalidOption`], [`MeasureError::NoAssociation`].
///
/// # Invariants
/// `association_equals_a_linear_scan`, `association_is_unchanged_by_a_shift_of_the_clock`.
///
/// # Source
/// The rule of evo 1.38.1; the same pairs with [`StampArithmetic::FloatSeconds`].
///
/// # Example
/// ```
/// use tiepoint_measure::trajectory::{AssociationOptions, StampArithmetic, associate};
/// use tiepoint_model::{Pose3, Span, Timestamp, Trajectory};
///
/// let at = |stamps: &[i64]| {
///     let poses = vec![Pose3::identity(); stamps.len()];
///     Trajectory::new(stamps.iter().copied().map(Timestamp).collect(), poses).unwrap()
/// };
/// let options =
///     AssociationOptions { difference_max: Span(5), arithmetic: StampArithmetic::Exact };
/// let association = associate(&at(&[0, 10, 20]), &at(&[1, 19]), options)?;
/// assert_eq!(association.pairs, [(0, 0), (2, 1)]);
/// # Ok::<(), tiepoint_measure::MeasureError>(())
/// ```
pub fn associate(
    reference: &Trajectory,
    estimate: &Trajectory,
    options: AssociationOptions,
) -> Result<Association, MeasureError> {
    let pairs = associate_stamps(reference.stamps(), estimate.stamps(), options)?;
    Ok(Association { pairs, options })
}

/// As [`associate`], for stamps alone: index into the reference and index into the estimate.
///
/// # Errors
/// As [`associate`].
pub fn associate_stamps(
    reference: &[Timestamp],
    estimate: &[Timestamp],
    options: AssociationOptions,
) -> Result<Vec<(usize, usize)>, MeasureError> {
    check_stamps(reference, estimate, options)?;
    let estimate_is_longer = estimate.len() > reference.len();
    let (long, short) =
        if estimate_is_longer { (estimate, reference) } else { (reference, estimate) };
    let limit = options.difference_max;
    let found = match options.arithmetic {
        StampArithmetic::Exact => {
            let [long, short] = [long, short].map(|t| t.iter().map(|stamp| stamp.0));
            nearest_within(&long.collect::<Vec<_>>(), short, limit.0.unsigned_abs(), i64::abs_diff)
        }
        StampArithmetic::FloatSeconds => {
            let [long, short] = [long, short].map(|t| t.iter().map(|&stamp| float_seconds(stamp)));
            let difference = |a: f64, b: f64| (a - b).abs();
            nearest_within(&long.collect::<Vec<_>>(), short, limit.as_seconds(), difference)
        }
    };
    if found.is_empty() {
        return Err(MeasureError::NoAssociation {
            reference_count: reference.len(),
            estimate_count: estimate.len(),
            difference_ns_max: options.difference_max.0,
        });
    }
    Ok(found
        .into_iter()
        .map(|(long, short)| if estimate_is_longer { (short, long) } else { (long, short) })
        .collect())
}

/// Stamps on both sides, and a limit that a difference can have.
pub(super) fn check_stamps(
    reference: &[Timestamp],
    estimate: &[Timestamp],
    options: AssociationOptions,
) -> Result<(), MeasureError> {
    if options.difference_max.0 < 0 {
        return Err(MeasureError::InvalidOption {
            name: "difference_max",
            value: options.difference_max.as_seconds(),
            requirement: "at least zero",
        });
    }
    for (stamps, what) in [(reference, "reference"), (estimate, "estimate")] {
        if stamps.is_empty() {
            return Err(MeasureError::Empty { what });
        }
    }
    Ok(())
}

/// Index of the nearest of `long` and index into `short`, for each of `short` that has one within
/// the limit.
fn nearest_within<T: Copy + PartialOrd, D: Copy + PartialOrd>(
    long: &[T],
    short: impl Iterator<Item = T>,
    limit: D,
    difference: impl Fn(T, T) -> D,
) -> Vec<(usize, usize)> {
    let is_sorted = long.is_sorted();
    short
        .enumerate()
        .filter_map(|(index, wanted)| {
            let nearest = if is_sorted {
                nearest_in_sorted(long, wanted, &difference)
            } else {
                nearest_in_unsorted(long, wanted, &difference)
            };
            (difference(long[nearest], wanted) <= limit).then_some((nearest, index))
        })
        .collect()
}

/// The first index of the least difference, by bisection.
fn nearest_in_sorted<T: Copy + PartialOrd, D: PartialOrd>(
    stamps: &[T],
    wanted: T,
    difference: impl Fn(T, T) -> D,
) -> usize {
    let not_before = stamps.partition_point(|&stamp| stamp < wanted);
    if not_before == 0 {
        return 0;
    }
    let before = stamps[not_before - 1];
    let is_before_nearer = not_before == stamps.len()
        || difference(wanted, before) <= difference(wanted, stamps[not_before]);
    if is_before_nearer { stamps.partition_point(|&stamp| stamp < before) } else { not_before }
}

/// The first index of the least difference, by looking at all.
fn nearest_in_unsorted<T: Copy, D: PartialOrd>(
    stamps: &[T],
    wanted: T,
    difference: impl Fn(T, T) -> D,
) -> usize {
    let mut best = 0;
    for (index, &stamp) in stamps.iter().enumerate() {
        if difference(stamp, wanted) < difference(stamps[best], wanted) {
            best = index;
        }
    }
    best
}

/// The `f64` nearest to the stamp in seconds, which is what reading its decimal text gives.
pub(super) fn float_seconds(stamp: Timestamp) -> f64 {
    let (whole, rest) = (stamp.0.div_euclid(NS_PER_S), stamp.0.rem_euclid(NS_PER_S));
    whole as f64 + rest as f64 / NS_PER_S as f64
}

impl Association {
    /// The paired poses, reference and estimate, row by row.
    #[must_use]
    pub fn select(&self, reference: &Trajectory, estimate: &Trajectory) -> [Vec<Pose3>; 2] {
        [
            self.pairs.iter().map(|&(index, _)| reference.poses()[index]).collect(),
            self.pairs.iter().map(|&(_, index)| estimate.poses()[index]).collect(),
        ]
    }

    /// The paired poses, the reference moved to the estimate's instant between its two neighbouring
    /// poses.
    ///
    /// Positions go along the straight line, orientations along the shortest turn at constant rate.
    /// Where the reference has no pose on both sides of the instant, the associated pose is taken
    /// as it is.
    ///
    /// # Errors
    /// [`MeasureError::InvalidOption`] if the reference is not sorted by time.
    ///
    /// # Source
    /// The `interpolation` synchronisation of evo 1.38.1, to 1e-9 relative with
    /// [`StampArithmetic::FloatSeconds`], which moves an instant by up to 119 ns.
    pub fn select_interpolated(
        &self,
        reference: &Trajectory,
        estimate: &Trajectory,
    ) -> Result<[Vec<Pose3>; 2], MeasureError> {
        if !reference.stamps().is_sorted() {
            return Err(MeasureError::InvalidOption {
                name: "reference",
                value: reference.len() as f64,
                requirement: "sorted by time",
            });
        }
        let moved = self
            .pairs
            .iter()
            .map(|&(index, estimate_index)| {
                let instant = estimate.stamps()[estimate_index];
                let path = (reference.stamps(), reference.poses());
                pose_at(path, instant, self.options.arithmetic).unwrap_or(reference.poses()[index])
            })
            .collect();
        Ok([moved, self.pairs.iter().map(|&(_, index)| estimate.poses()[index]).collect()])
    }
}

/// The pose at an instant between two poses of a sorted trajectory, given as stamps and poses.
pub(super) fn pose_at(
    (stamps, poses): (&[Timestamp], &[Pose3]),
    instant: Timestamp,
    arithmetic: StampArithmetic,
) -> Option<Pose3> {
    let after = stamps.partition_point(|&stamp| stamp < instant);
    if *stamps.get(after)? == instant {
        return Some(poses[after]);
    }
    let before = after.checked_sub(1)?;
    let elapsed_s = |until: Timestamp| match arithmetic {
        StampArithmetic::Exact => until.since(stamps[before]).as_seconds(),
        StampArithmetic::FloatSeconds => float_seconds(until) - float_seconds(stamps[before]),
    };
    let share = elapsed_s(instant) / elapsed_s(stamps[after]);
    if !share.is_finite() {
        return Some(poses[after]);
    }
    let (from, to) = (&poses[before], &poses[after]);
    Some(Pose3 {
        rotation: turned_by_share(&from.rotation, &to.rotation, share),
        translation_m: from.translation_m + (to.translation_m - from.translation_m) * share,
    })
}

/// The rotation on the shortest turn from one to another, at a share of the angle.
fn turned_by_share(from: &Matrix3<f64>, to: &Matrix3<f64>, share: f64) -> Matrix3<f64> {
    let turn = Pose3 { rotation: from.transpose() * to, ..Pose3::identity() };
    let [x, y, z, w] = turn.quaternion_xyzw();
    let sine = (x * x + y * y + z * z).sqrt();
    if sine == 0.0 {
        return *from;
    }
    // Not by the weights of the usual slerp: for small turns these lose the unit length.
    let half_rad = share * math::atan2(sine, w);
    let (sin, cos) = math::sin_cos(half_rad);
    let part = Quaternion::new(cos, x / sine * sin, y / sine * sin, z / sine * sin);
    from * UnitQuaternion::from_quaternion(part).to_rotation_matrix().matrix()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(stamps_ns: &[i64]) -> Trajectory {
        let stamps: Vec<Timestamp> = stamps_ns.iter().copied().map(Timestamp).collect();
        let poses = vec![Pose3::identity(); stamps.len()];
        Trajectory::new(stamps, poses).unwrap()
    }

    fn within(limit_ns: i64) -> AssociationOptions {
        AssociationOptions { difference_max: Span(limit_ns), arithmetic: StampArithmetic::Exact }
    }

    #[track_caller]
    fn check(reference: &[i64], estimate: &[i64], limit: i64, expected: &[(usize, usize)]) {
        let got = associate(&at(reference), &at(estimate), within(limit)).unwrap();
        assert_eq!(got.pairs, expected);
    }

    #[test]
    fn the_nearest_within_the_limit_is_taken_and_ties_go_to_the_earlier() {
        check(&[0, 10, 20, 30], &[1, 25], 5, &[(0, 0), (2, 1)]); // 25 lies between 20 and 30
        check(&[0, 10, 20, 30], &[15, 36], 5, &[(1, 0)]); // 36 is 6 from 30
        check(&[0, 10, 20, 30], &[9, 11, 12], 5, &[(1, 0), (1, 1), (1, 2)]); // many to one
        check(&[0, 10, 10, 10], &[10], 0, &[(1, 0)]); // duplicates: the first
        check(&[30, 0, 20, 10], &[15], 5, &[(2, 0)]); // unsorted: the first in the list
        check(&[5], &[4, 6, 100], 5, &[(0, 0)]); // the reference is the shorter
        check(&[4, 7], &[5, 6], 5, &[(0, 0), (1, 1)]); // equal lengths
    }

    #[test]
    fn nothing_near_is_an_error() {
        let error = associate(&at(&[0]), &at(&[100]), within(5)).unwrap_err();
        assert!(matches!(error, MeasureError::NoAssociation { difference_ns_max: 5, .. }));
        assert!(associate(&at(&[]), &at(&[100]), within(5)).is_err());
        assert!(associate(&at(&[0]), &at(&[0]), within(-1)).is_err());
        // The whole range of the clock does not overflow.
        assert!(associate(&at(&[i64::MIN]), &at(&[i64::MAX]), within(i64::MAX)).is_err());
    }

    /// 2 µs before and after: a tie in nanoseconds, but today's seconds are rounded to 238 ns and
    /// the later one is nearer.
    #[test]
    fn float_seconds_lose_ties_that_nanoseconds_keep() {
        let origin_ns = 1_311_868_164_000_000_000;
        let mut differing_count = 0;
        for step in 0..1000 {
            let middle_ns = origin_ns + step * 1_000_000;
            let reference = at(&[middle_ns - 2000, middle_ns + 2000]);
            let estimate = at(&[middle_ns]);
            let exact = associate(&reference, &estimate, within(5000)).unwrap();
            assert_eq!(exact.pairs, [(0, 0)]);
            let float =
                AssociationOptions { arithmetic: StampArithmetic::FloatSeconds, ..within(5000) };
            let float = associate(&reference, &estimate, float).unwrap();
            differing_count += usize::from(float.pairs != exact.pairs);
        }
        assert!(differing_count > 100, "{differing_count}");
    }

    #[test]
    fn interpolation_goes_along_the_line_and_the_shortest_turn() {
        let poses = [(0.0, 0.0), (2.0, 1.0)]
            .map(|(x_m, yaw_rad)| tiepoint_model::Pose2::new(x_m, 0.0, yaw_rad).in_space());
        let reference =
            Trajectory::new(vec![Timestamp(0), Timestamp(100)], poses.to_vec()).unwrap();
        let estimate = at(&[25]);
        let association = associate(&reference, &estimate, within(50)).unwrap();
        let [moved, _] = association.select_interpolated(&reference, &estimate).unwrap();
        let plane = moved[0].in_plane();
        assert!((plane.x_m - 0.5).abs() < 1e-15 && (plane.yaw_rad - 0.25).abs() < 1e-15);
    }
}
