//! Speeds of a path averaged over cells of equal duration, so that two paths can be laid side by
//! side.
//!
//! Invariant: the mean speed of a cell is the difference of what was travelled at its two edges,
//! so that nothing between two poses is lost.
//! Nanoseconds; radians or metres per second.
//!
//! Not here: any comparison.

use super::{MotionSignal, TimeOffsetOptions};
use crate::{
    MeasureError,
    trajectory::{TimedPoses, require_finite_poses, rotation, travelled_m},
};

/// More cells than this on one side mean a step far too short, or stamps of another unit.
pub(super) const CELL_COUNT_MAX: i128 = 10_000_000;

/// Mean speeds over cells whose edges are whole steps.
pub(super) struct Cells {
    /// Number of the first cell; cell `m` lies between `m` and `m + 1` steps.
    first: i128,
    pub(super) speeds: Vec<f64>,
}

impl Cells {
    pub(super) fn of(
        path: TimedPoses<'_>,
        what: &'static str,
        shift_ns: i128,
        options: &TimeOffsetOptions,
    ) -> Result<Self, MeasureError> {
        path.require_sorted(what)?;
        require_finite_poses(path.poses(), what)?;
        let travelled = match options.signal {
            MotionSignal::Speed => travelled_m(path.poses()),
            MotionSignal::AngularSpeed => turned_rad(path)?,
        };
        if let Some(index) = travelled.iter().position(|sum| !sum.is_finite()) {
            return Err(MeasureError::NotFinite { what: "length of a path", index });
        }
        let step_ns = i128::from(options.step.0);
        let at_ns = |index: usize| i128::from(path.stamps()[index].0) + shift_ns;
        let first = -(-at_ns(0)).div_euclid(step_ns);
        let end = at_ns(path.len() - 1).div_euclid(step_ns);
        if end - first > CELL_COUNT_MAX {
            return Err(MeasureError::InvalidOption {
                name: "step",
                value: options.step.as_seconds(),
                requirement: "so long that a trajectory has at most 10 million steps",
            });
        }
        let mut after = 0;
        let edges: Vec<f64> = (first..=end)
            .map(|edge| {
                let edge_ns = edge * step_ns;
                while after + 1 < path.len() && at_ns(after) < edge_ns {
                    after += 1;
                }
                let before = after.saturating_sub(1);
                let span_ns = at_ns(after) - at_ns(before);
                if span_ns == 0 {
                    return travelled[after];
                }
                let share = (edge_ns - at_ns(before)) as f64 / span_ns as f64;
                travelled[before] + share * (travelled[after] - travelled[before])
            })
            .collect();
        let step_s = options.step.as_seconds();
        let speeds = edges.windows(2).map(|two| (two[1] - two[0]) / step_s).collect();
        Ok(Self { first, speeds })
    }
}

/// Radians turned up to each pose.
fn turned_rad(path: TimedPoses<'_>) -> Result<Vec<f64>, MeasureError> {
    let mut sum_rad = 0.0;
    let mut turned = vec![0.0];
    for (index, two) in path.poses().windows(2).enumerate() {
        let turn = two[0].rotation.transpose() * two[1].rotation;
        sum_rad += rotation::angle_rad(&turn, index)?;
        turned.push(sum_rad);
    }
    Ok(turned)
}

/// The speeds of the cells that both have when the estimate is shifted by `lag` steps.
pub(super) fn in_common<'a>(
    reference: &'a Cells,
    estimate: &'a Cells,
    lag: i128,
) -> [&'a [f64]; 2] {
    let first = reference.first.max(estimate.first + lag);
    let end_of = |cells: &Cells| cells.first + cells.speeds.len() as i128;
    let end = end_of(reference).min(end_of(estimate) + lag).max(first);
    let part = |cells: &'a Cells, lag: i128| -> &'a [f64] {
        let index = |cell: i128| usize::try_from(cell - cells.first - lag).unwrap_or(0);
        cells.speeds.get(index(first)..index(end)).unwrap_or(&[])
    };
    [part(reference, 0), part(estimate, lag)]
}
