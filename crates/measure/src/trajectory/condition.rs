//! Errors of motions grouped by the condition under which they were driven.
//!
//! Invariant: every error is counted once: in one group, or as crossing from one condition into
//! another.
//! Units are those of the errors.
//! Cost: `O(n log g)` for g conditions, memory `O(n)`.
//!
//! Not here: intervals and tests. Overlapping motions of one run are not independent, so that the
//! count of a group is not a sample size.

use std::collections::BTreeMap;

use crate::{MeasureError, Statistics, statistics::require_finite};

/// Errors by condition.
#[derive(Clone, Debug, PartialEq)]
pub struct ErrorsByCondition<L> {
    /// Summary of the errors of each condition that has any.
    pub groups: BTreeMap<L, Statistics>,
    /// Motions during which the condition changed; they are in no group.
    pub crossing_count: usize,
}

/// The errors of motions, grouped by the condition that held throughout each motion.
///
/// Works on any errors that belong to pairs of poses: [`super::relative_pose_error`],
/// [`super::sub_trajectory`], [`super::drift`] (its segments' first and last index).
///
/// # Inputs
/// - `errors`: one per motion.
/// - `pairs`: start and end of each motion, indices into `labels`, start not after end.
/// - `labels`: the condition at each pose.
///
/// # Output
/// One summary per condition with its n, sorted by condition, and how many motions belong to none.
/// A measurement of one group adds the convention `condition` to its metric.
///
/// # Errors
/// [`MeasureError::LengthMismatch`] (errors and pairs), [`MeasureError::Empty`],
/// [`MeasureError::NotFinite`], [`MeasureError::InvalidOption`] (a pair out of range),
/// [`MeasureError::NoPairs`] (every motion crosses).
///
/// # Invariants
/// `conditions_partition_the_errors`, `one_condition_gives_the_overall_statistics`.
///
/// # Source
/// This project.
///
/// # Example
/// ```
/// use tiepoint_measure::trajectory::condition::errors_by_condition;
///
/// let labels = ["rain", "rain", "rain", "dry", "dry"];
/// let pairs = [(0, 1), (1, 2), (2, 3), (3, 4)];
/// let grouped = errors_by_condition(&[0.3, 0.5, 9.0, 0.1], &pairs, &labels)?;
/// assert_eq!((grouped.groups["rain"].mean, grouped.groups["rain"].n), (0.4, 2));
/// assert_eq!((grouped.groups["dry"].n, grouped.crossing_count), (1, 1));
/// # Ok::<(), tiepoint_measure::MeasureError>(())
/// ```
pub fn errors_by_condition<L: Ord + Clone>(
    errors: &[f64],
    pairs: &[(usize, usize)],
    labels: &[L],
) -> Result<ErrorsByCondition<L>, MeasureError> {
    require_finite(errors, "errors")?;
    if errors.len() != pairs.len() {
        return Err(MeasureError::LengthMismatch {
            left: "errors",
            left_count: errors.len(),
            right: "pairs",
            right_count: pairs.len(),
        });
    }
    let last_of_run = last_of_run(labels);
    let mut lists: BTreeMap<&L, Vec<f64>> = BTreeMap::new();
    let mut crossing_count = 0;
    for (&error, &(start, end)) in errors.iter().zip(pairs) {
        if start > end || end >= labels.len() {
            return Err(MeasureError::InvalidOption {
                name: "pairs",
                value: end as f64,
                requirement: "indices of labels, the start not after the end",
            });
        }
        if end <= last_of_run[start] {
            lists.entry(&labels[start]).or_default().push(error);
        } else {
            crossing_count += 1;
        }
    }
    if lists.is_empty() {
        let delta = "within one condition and the wanted distance".to_owned();
        return Err(MeasureError::NoPairs { delta, pose_count: labels.len() });
    }
    let groups = lists
        .into_iter()
        .map(|(label, errors)| Ok((label.clone(), Statistics::of(&errors, "errors")?)))
        .collect::<Result<_, _>>()?;
    Ok(ErrorsByCondition { groups, crossing_count })
}

/// For each pose the last one up to which its label does not change.
fn last_of_run<L: Eq>(labels: &[L]) -> Vec<usize> {
    let mut last: Vec<usize> = (0..labels.len()).collect();
    for index in (1..labels.len()).rev() {
        if labels[index - 1] == labels[index] {
            last[index - 1] = last[index];
        }
    }
    last
}
