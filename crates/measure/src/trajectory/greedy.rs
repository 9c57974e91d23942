//! Greedy one-to-one association: of all pairs of stamps within a limit, the nearest first.
//!
//! Invariant: every pose belongs to at most one pair, and the pairs are sorted by reference.
//! Nanoseconds; both trajectories must use the same clock.
//! Cost: `O(n log n + c log c)` for c pairs within the limit, memory `O(n + c)`.
//!
//! Not here: the nearest neighbour from the shorter trajectory, which may use a pose many times
//! (see [`super::association`]).

use std::cmp::Ordering;

use tiepoint_model::Timestamp;

use super::association::{AssociationOptions, StampArithmetic, check_stamps, float_seconds};
use crate::MeasureError;

/// More candidates than this mean that the limit is far above the distance of two stamps.
pub const CANDIDATE_COUNT_MAX: usize = 10_000_000;

/// One-to-one pairs of stamps, the nearest pair first.
///
/// All pairs with `|t_reference − t_estimate| < difference_max` (strictly) are taken in the order
/// of their difference, then of the reference's stamp, then of the estimate's; a pair is kept if
/// neither of its poses is in a pair already.
///
/// # Inputs
/// - `reference`, `estimate`: stamps of the same clock, nanoseconds; they need not be sorted.
/// - `options`: limit and arithmetic; the tool's default limit is 20 ms.
///   With [`StampArithmetic::FloatSeconds`] as the tool has it: differences of `f64` seconds
///   decide, and of equal stamps the last alone takes part, because the tool keys its table by
///   the stamp.
///   With [`StampArithmetic::Exact`] nanoseconds decide, and equal stamps all take part.
///
/// # Output
/// Index into the reference and index into the estimate, in the order of the reference.
/// Greedy is not optimal: another choice may pair more poses.
///
/// # Errors
/// [`MeasureError::Empty`], [`MeasureError::InvalidOption`] (a limit below zero, or
/// one that leaves more than 10 million candidates), [`MeasureError::NoAssociation`].
///
/// # Invariants
/// `greedy_association_equals_sorting_all_pairs`, `greedy_association_is_symmetric`.
///
/// # Source
/// `associate.py` of the TUM RGB-D benchmark; Sturm et al., IROS 2012. The nearest-neighbour rule
/// gives other pairs where stamps are dense.
///
/// # Example
/// ```
/// use tiepoint_measure::trajectory::{
///     AssociationOptions, StampArithmetic, greedy::associate_greedily,
/// };
/// use tiepoint_model::{Span, Timestamp};
///
/// let options =
///     AssociationOptions { difference_max: Span(10), arithmetic: StampArithmetic::Exact };
/// let reference = [0, 10, 20].map(Timestamp);
/// let estimate = [4, 5, 21].map(Timestamp);
/// let pairs = associate_greedily(&reference, &estimate, options)?;
/// assert_eq!(pairs, [(0, 0), (1, 1), (2, 2)]); // the nearest of 4 and of 5 is 0 for both
/// # Ok::<(), tiepoint_measure::MeasureError>(())
/// ```
pub fn associate_greedily(
    reference: &[Timestamp],
    estimate: &[Timestamp],
    options: AssociationOptions,
) -> Result<Vec<(usize, usize)>, MeasureError> {
    check_stamps(reference, estimate, options)?;
    let pairs = match options.arithmetic {
        StampArithmetic::Exact => {
            let limit = options.difference_max.0.unsigned_abs();
            let sides = [reference, estimate].map(|stamps| sorted(stamps.iter().map(|t| t.0)));
            let candidates = candidates(&sides, limit, i64::abs_diff)?;
            greedy(candidates, reference.len(), estimate.len())
        }
        StampArithmetic::FloatSeconds => {
            let limit = options.difference_max.as_seconds();
            let sides = [reference, estimate].map(|stamps| {
                last_of_equal(sorted(stamps.iter().map(|&stamp| float_seconds(stamp))))
            });
            let candidates = candidates(&sides, limit, |a, b| (a - b).abs())?;
            greedy(candidates, reference.len(), estimate.len())
        }
    };
    if pairs.is_empty() {
        return Err(MeasureError::NoAssociation {
            reference_count: reference.len(),
            estimate_count: estimate.len(),
            difference_ns_max: options.difference_max.0,
        });
    }
    Ok(pairs)
}

/// The convention's text in a metric's identity, for pairs that were found greedily.
#[must_use]
pub fn convention(options: AssociationOptions) -> String {
    let arithmetic = match options.arithmetic {
        StampArithmetic::Exact => "exact",
        StampArithmetic::FloatSeconds => "compat:tum_associate.py",
    };
    format!("greedy(below {} ns, {arithmetic})", options.difference_max.0)
}

/// Stamps with their index, by stamp and then by index.
fn sorted<T: PartialOrd>(stamps: impl Iterator<Item = T>) -> Vec<(T, usize)> {
    let mut stamps: Vec<(T, usize)> = stamps.enumerate().map(|(i, stamp)| (stamp, i)).collect();
    stamps.sort_by(compare);
    stamps
}

fn compare<T: PartialOrd, S: Ord>(a: &(T, S), b: &(T, S)) -> Ordering {
    a.0.partial_cmp(&b.0).unwrap_or(Ordering::Equal).then(a.1.cmp(&b.1))
}

fn last_of_equal<T: PartialEq>(stamps: Vec<(T, usize)>) -> Vec<(T, usize)> {
    let mut kept: Vec<(T, usize)> = Vec::with_capacity(stamps.len());
    for stamp in stamps {
        match kept.last_mut() {
            Some(last) if last.0 == stamp.0 => *last = stamp,
            _ => kept.push(stamp),
        }
    }
    kept
}

/// Difference, then rank in the sorted reference and in the sorted estimate.
type Candidate<D> = (D, (usize, usize));

/// The pairs below the limit, sorted, with the indices into the unsorted stamps.
fn candidates<T: Copy + PartialOrd, D: Copy + PartialOrd>(
    [reference, estimate]: &[Vec<(T, usize)>; 2],
    limit: D,
    difference: impl Fn(T, T) -> D,
) -> Result<Vec<(usize, usize)>, MeasureError> {
    let mut found: Vec<Candidate<D>> = vec![];
    let mut window_start = 0;
    for (rank, &(wanted, _)) in reference.iter().enumerate() {
        let is_too_early = |stamp: T| stamp < wanted && difference(stamp, wanted) >= limit;
        while window_start < estimate.len() && is_too_early(estimate[window_start].0) {
            window_start += 1;
        }
        for (other_rank, &(stamp, _)) in estimate.iter().enumerate().skip(window_start) {
            let off = difference(wanted, stamp);
            if off < limit {
                found.push((off, (rank, other_rank)));
            } else if stamp > wanted {
                break;
            }
        }
        if found.len() > CANDIDATE_COUNT_MAX {
            return Err(MeasureError::InvalidOption {
                name: "candidate pairs",
                value: found.len() as f64,
                requirement: "at most 10 million: choose a smaller `difference_max`",
            });
        }
    }
    found.sort_unstable_by(compare);
    Ok(found.into_iter().map(|(_, (a, b))| (reference[a].1, estimate[b].1)).collect())
}

/// Keeps a candidate if both its poses are free. Sorted by the reference's index at the end.
fn greedy(
    candidates: Vec<(usize, usize)>,
    reference_count: usize,
    estimate_count: usize,
) -> Vec<(usize, usize)> {
    let mut is_taken = [vec![false; reference_count], vec![false; estimate_count]];
    let mut pairs = vec![];
    for (reference, estimate) in candidates {
        if !is_taken[0][reference] && !is_taken[1][estimate] {
            is_taken[0][reference] = true;
            is_taken[1][estimate] = true;
            pairs.push((reference, estimate));
        }
    }
    pairs.sort_unstable();
    pairs
}

#[cfg(test)]
mod tests {
    use tiepoint_model::Span;

    use super::*;

    fn options(limit_ns: i64, arithmetic: StampArithmetic) -> AssociationOptions {
        AssociationOptions { difference_max: Span(limit_ns), arithmetic }
    }

    fn pairs(reference: &[i64], estimate: &[i64], limit_ns: i64) -> Vec<(usize, usize)> {
        let [reference, estimate] = [reference, estimate]
            .map(|stamps| stamps.iter().copied().map(Timestamp).collect::<Vec<_>>());
        associate_greedily(&reference, &estimate, options(limit_ns, StampArithmetic::Exact))
            .unwrap_or_default()
    }

    #[test]
    fn the_limit_is_strict_and_no_pose_is_used_twice() {
        assert_eq!(pairs(&[0, 10], &[5], 5), []);
        assert_eq!(pairs(&[0, 10], &[4, 6], 7), [(0, 0), (1, 1)]);
        assert_eq!(pairs(&[0], &[1, 2, 3], 7), [(0, 0)]);
        assert_eq!(pairs(&[i64::MIN], &[i64::MAX], i64::MAX), []);
    }

    /// Greedy takes 10 with 11 first and leaves 0 and 30 alone, where two pairs were possible.
    #[test]
    fn greedy_may_pair_fewer_poses_than_could_be_paired() {
        assert_eq!(pairs(&[0, 10], &[9, 19], 10), [(1, 0)]);
    }

    /// The tool's table is keyed by the stamp: of two poses at one instant the second stays.
    #[test]
    fn equal_stamps_collapse_only_as_the_tool_has_it() {
        let stamps = [0, 0, 10].map(Timestamp);
        let exact =
            associate_greedily(&stamps, &stamps, options(5, StampArithmetic::Exact)).unwrap();
        assert_eq!(exact, [(0, 0), (1, 1), (2, 2)]);
        let as_tool =
            associate_greedily(&stamps, &stamps, options(5, StampArithmetic::FloatSeconds));
        assert_eq!(as_tool.unwrap(), [(1, 1), (2, 2)]);
    }

    #[test]
    fn degenerate_stamps_are_refused() {
        let one = [Timestamp(0)];
        for (reference, estimate, limit) in
            [(&one[..], &[][..], 5), (&[], &one, 5), (&one, &one, 0), (&one, &one, -1)]
        {
            let options = options(limit, StampArithmetic::Exact);
            assert!(associate_greedily(reference, estimate, options).is_err());
        }
    }
}
