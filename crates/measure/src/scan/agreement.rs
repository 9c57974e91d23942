//! Agreement of two scans: beam by beam from the same place, or after moving one into the other's
//! frame.
//!
//! Invariant: what is counted is said for each kind of beam, so that a scan that sees nothing does
//! not agree.
//! Metres, radians; the sign of a residual is synthetic minus real.

use std::f64::consts::TAU;

use serde::{Deserialize, Serialize};
use tiepoint_model::{Pose2, Scan, math};

use super::end_point_m;
use crate::{MeasureError, Share, statistics::require_not_below_zero};

/// How many beams are valid in which of two scans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BeamPairs {
    /// Valid in both.
    pub both_count: u64,
    /// Valid in the real scan only.
    pub real_only_count: u64,
    /// Valid in the synthetic scan only.
    pub synthetic_only_count: u64,
    /// Valid in neither.
    pub neither_count: u64,
}

/// The differences of ranges, and how many beams have none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RangeResiduals {
    /// Synthetic minus real range of each beam that is valid in both, metres, scan by scan and beam
    /// by beam.
    pub residuals_m: Vec<f64>,
    /// All beams by validity.
    pub beams: BeamPairs,
}

/// Synthetic minus real range of every beam that is valid in both scans.
///
/// # Inputs
/// - `real`, `synthetic`: as many scans on both sides; scan `i` is the same instant and place, with
///   the same beams.
///
/// # Output
/// Metres; 0 where the readings agree. Beams that are valid on one side only have no residual and
/// are counted.
///
/// # Errors
/// [`MeasureError::LengthMismatch`], [`MeasureError::GeometryMismatch`].
///
/// # Invariants
/// `range_residuals_change_sign_when_swapped`, `a_scan_agrees_with_itself`.
///
/// # Source
/// This project.
pub fn range_residuals_m(
    real: &[Scan],
    synthetic: &[Scan],
) -> Result<RangeResiduals, MeasureError> {
    let mut residuals = RangeResiduals::default();
    for_each_beam(real, synthetic, |real_m, synthetic_m| {
        let beams = &mut residuals.beams;
        match (real_m, synthetic_m) {
            (Some(real_m), Some(synthetic_m)) => {
                beams.both_count += 1;
                residuals.residuals_m.push(synthetic_m - real_m);
            }
            (Some(_), None) => beams.real_only_count += 1,
            (None, Some(_)) => beams.synthetic_only_count += 1,
            (None, None) => beams.neither_count += 1,
        }
    })?;
    Ok(residuals)
}

/// The share of beams that read the same in both scans, within a tolerance.
///
/// A beam that is invalid in both is not counted; one that is valid in one only is a miss; one that
/// is valid in both is a hit if
/// `|synthetic − real| <= tolerance_m`.
///
/// # Inputs
/// - `real`, `synthetic`: as many scans on both sides; scan `i` is the same instant and place, with
///   the same beams.
/// - `tolerance_m`: metres, at least zero.
///
/// # Output
/// [`Share::value`] is in `[0, 1]`; 1 if every beam that either sees agrees; `None` if neither sees
/// anything.
///
/// # Errors
/// [`MeasureError::LengthMismatch`], [`MeasureError::GeometryMismatch`],
/// [`MeasureError::InvalidOption`].
///
/// # Invariants
/// `a_scan_agrees_with_itself`, `beam_agreement_is_symmetric`,
/// `agreement_grows_with_the_tolerance`.
///
/// # Source
/// This project.
pub fn beam_agreement(
    real: &[Scan],
    synthetic: &[Scan],
    tolerance_m: f64,
) -> Result<Share, MeasureError> {
    require_not_below_zero(tolerance_m, "tolerance_m")?;
    let mut share = Share::default();
    for_each_beam(real, synthetic, |real_m, synthetic_m| match (real_m, synthetic_m) {
        (Some(real_m), Some(synthetic_m)) => {
            share.count((synthetic_m - real_m).abs() <= tolerance_m);
        }
        (None, None) => (),
        _ => share.count(false),
    })?;
    Ok(share)
}

/// Angles that differ by less than this are the same beam, radians: what 32-bit geometry fields
/// lose over a full turn.
const SAME_ANGLE_RAD: f64 = 1e-5;

/// Calls `visit` with the valid ranges of every beam of every pair of scans.
fn for_each_beam(
    real: &[Scan],
    synthetic: &[Scan],
    mut visit: impl FnMut(Option<f64>, Option<f64>),
) -> Result<(), MeasureError> {
    if real.len() != synthetic.len() {
        return Err(MeasureError::LengthMismatch {
            left: "real scans",
            left_count: real.len(),
            right: "synthetic scans",
            right_count: synthetic.len(),
        });
    }
    for (scan_index, (real, synthetic)) in real.iter().zip(synthetic).enumerate() {
        let refuse = |field| MeasureError::GeometryMismatch { scan_index, field };
        let beam_count = real.ranges_m.len();
        if beam_count != synthetic.ranges_m.len() {
            return Err(refuse("ranges_m"));
        }
        let same = |a: f64, b: f64| (a - b).abs() <= SAME_ANGLE_RAD;
        if !same(real.angle_min_rad, synthetic.angle_min_rad) {
            return Err(refuse("angle_min_rad"));
        }
        let last = beam_count.saturating_sub(1);
        if !same(real.angle_rad(last), synthetic.angle_rad(last)) {
            return Err(refuse("angle_increment_rad"));
        }
        for index in 0..beam_count {
            visit(real.valid_range_m(index), synthetic.valid_range_m(index));
        }
    }
    Ok(())
}

/// The share of the beams of scan A that scan B, taken elsewhere, confirms within a tolerance.
///
/// Each end point of A is moved into B's frame; B's beam nearest in angle should read its distance
/// there: a hit if
/// `|r_B − ‖b_from_a · p‖| <= tolerance_m`, a miss if it reads something else or nothing.
/// Not counted: beams of A without a measurement, and points that B cannot see by its own limits
/// (outside its field of view, nearer than its
/// least range, farther than its largest).
///
/// # Inputs
/// - `scan_a`, `scan_b`: two scans; their beams may differ.
/// - `b_from_a`: the pose of scanner A in the frame of scanner B.
/// - `tolerance_m`: metres, at least zero. It must cover what half a beam's width makes of a
///   slanted wall.
///
/// # Output
/// [`Share::value`] is in `[0, 1]`; `None` if no beam of A ends where B could look. Occlusion
/// counts as disagreement, so that a distant pair agrees less.
///
/// # Errors
/// [`MeasureError::InvalidOption`] (the tolerance, a pose that is not finite, or a B without angle
/// between beams).
///
/// # Invariants
/// `a_scan_agrees_with_itself`, `agreement_grows_with_the_tolerance`,
/// `reprojection_by_whole_beams_is_a_turn_of_the_readings`.
///
/// # Source
/// This project.
pub fn reprojected_agreement(
    scan_a: &Scan,
    scan_b: &Scan,
    b_from_a: Pose2,
    tolerance_m: f64,
) -> Result<Share, MeasureError> {
    require_not_below_zero(tolerance_m, "tolerance_m")?;
    if !b_from_a.is_finite() {
        return Err(MeasureError::NotFinite { what: "b_from_a", index: 0 });
    }
    let increment_rad = scan_b.angle_increment_rad;
    if !(increment_rad.is_finite() && increment_rad != 0.0) {
        return Err(MeasureError::InvalidOption {
            name: "angle_increment_rad",
            value: increment_rad,
            requirement: "a finite number other than zero",
        });
    }
    let mut share = Share::default();
    for index in 0..scan_a.ranges_m.len() {
        let Some(point_in_a_m) = end_point_m(scan_a, index) else { continue };
        let [x_m, y_m] = b_from_a.transform(point_in_a_m);
        let distance_m = math::hypot(x_m, y_m);
        let is_in_reach = distance_m > 0.0
            && distance_m >= scan_b.range_min_m
            && distance_m <= scan_b.range_max_m;
        let Some(beam_index) = beam_at(scan_b, math::atan2(y_m, x_m)) else { continue };
        if is_in_reach {
            let range_m = scan_b.valid_range_m(beam_index);
            share.count(range_m.is_some_and(|range| (range - distance_m).abs() <= tolerance_m));
        }
    }
    Ok(share)
}

/// The beam nearest to a direction, `None` if the direction is more than half an increment outside
/// the field of view.
fn beam_at(scan: &Scan, angle_rad: f64) -> Option<usize> {
    let beam_count = scan.ranges_m.len();
    let increment_rad = scan.angle_increment_rad;
    let offset_rad = (angle_rad - scan.angle_min_rad) * increment_rad.signum();
    // Half an increment before beam 0 belongs to it, so the turn is cut there.
    let half_rad = 0.5 * increment_rad.abs();
    let turned_rad = (offset_rad + half_rad).rem_euclid(TAU);
    let steps = (turned_rad / increment_rad.abs()).floor();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not negative, and a saturated index is outside the scan"
    )]
    let index = steps as usize;
    (index < beam_count).then_some(index)
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use tiepoint_model::{Stamps, Timestamp};

    use super::*;

    fn scan(angle_min_rad: f64, angle_increment_rad: f64, beam_count: usize) -> Scan {
        Scan {
            stamps: Stamps { log: Timestamp(0), publish: None, sensor: None },
            frame_id: "laser".into(),
            angle_min_rad,
            angle_increment_rad,
            range_min_m: 0.1,
            range_max_m: 10.0,
            time_increment_s: 0.0,
            ranges_m: vec![2.0; beam_count],
            intensities: vec![],
        }
    }

    #[test]
    fn every_beam_finds_itself_in_any_direction_of_turning() {
        for (angle_min, increment, count) in
            [(-PI, TAU / 360.0, 360), (PI, -TAU / 360.0, 360), (-2.0, 0.01, 401), (0.0, 0.5, 3)]
        {
            let scan = scan(angle_min, increment, count);
            for index in 0..count {
                for nudge in [-0.49, 0.0, 0.49] {
                    let angle = scan.angle_rad(index) + nudge * increment;
                    assert_eq!(beam_at(&scan, angle), Some(index));
                    assert_eq!(beam_at(&scan, math::wrap_angle(angle)), Some(index));
                }
            }
        }
        let narrow = scan(-1.0, 0.5, 5);
        assert_eq!(beam_at(&narrow, 1.26), None);
        assert_eq!(beam_at(&narrow, -1.26), None);
        assert_eq!(beam_at(&narrow, PI), None);
    }

    #[test]
    fn a_beam_that_one_scan_misses_is_a_miss_and_one_that_both_miss_is_none() {
        let (mut real, mut synthetic) = (scan(0.0, 0.1, 4), scan(0.0, 0.1, 4));
        real.ranges_m = vec![2.0, 2.0, 0.0, 0.0];
        synthetic.ranges_m = vec![2.05, 0.0, f32::INFINITY, 2.0];
        let share = beam_agreement(&[real.clone()], &[synthetic.clone()], 0.1).unwrap();
        assert_eq!(share, Share { hit_count: 1, count: 3 });
        let residuals = range_residuals_m(&[real], &[synthetic]).unwrap();
        assert_eq!(residuals.residuals_m.len(), 1);
        assert_eq!(
            residuals.beams,
            BeamPairs {
                both_count: 1,
                real_only_count: 1,
                synthetic_only_count: 1,
                neither_count: 1
            }
        );
    }

    #[test]
    fn different_beams_are_refused_with_the_field_that_differs() {
        let one = scan(0.0, 0.1, 4);
        for (other, field) in [
            (scan(0.0, 0.1, 5), "ranges_m"),
            (scan(0.1, 0.1, 4), "angle_min_rad"),
            (scan(0.0, 0.2, 4), "angle_increment_rad"),
        ] {
            assert_eq!(
                beam_agreement(std::slice::from_ref(&one), &[other], 0.1),
                Err(MeasureError::GeometryMismatch { scan_index: 0, field })
            );
        }
        assert!(beam_agreement(&[one], &[], 0.1).is_err());
    }

    /// B stands 1 m ahead of A in a round room of 2 m about A: B's own readings are known.
    #[test]
    fn a_point_is_looked_up_in_the_other_scans_own_direction() {
        let a = scan(-PI, TAU / 720.0, 720);
        let mut b = scan(-PI, TAU / 720.0, 720);
        for index in 0..720 {
            let (sin, cos) = math::sin_cos(b.angle_rad(index));
            b.ranges_m[index] = (-cos + (4.0 - sin * sin).sqrt()) as f32;
        }
        let b_from_a = Pose2::new(-1.0, 0.0, 0.0);
        let share = reprojected_agreement(&a, &b, b_from_a, 0.01).unwrap();
        assert_eq!(share, Share { hit_count: 720, count: 720 });
        let wrong = reprojected_agreement(&a, &b, Pose2::IDENTITY, 0.01).unwrap();
        assert!(wrong.value().unwrap() < 0.05);
        // Nearer than B's least range nothing is counted.
        b.range_min_m = 5.0;
        assert_eq!(reprojected_agreement(&a, &b, b_from_a, 0.01).unwrap().count, 0);
    }
}
