//! Measures on planar laser scans: noise, validity and grid of one recording; agreement of two.
//!
//! Invariant: a beam counts as a measurement by [`Scan::valid_range_m`] alone, and every share
//! comes with its counts.
//! Metres, radians, in the scanner's frame.
//!
//! Not here: scans against a map (see [`crate::map`]).

mod agreement;

use serde::{Deserialize, Serialize};
use tiepoint_model::{Pose2, Scan};

use crate::{MeasureError, Share, statistics::require_positive};

pub use agreement::{
    BeamPairs, RangeResiduals, beam_agreement, range_residuals_m, reprojected_agreement,
};

/// The noise of readings along a scan.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Roughness {
    /// Metres.
    pub roughness_m: f64,
    /// Triples of neighbouring valid beams that were looked at.
    pub triple_count: u64,
    /// Triples whose second difference was cut at the limit: edges and corners.
    pub clipped_count: u64,
}

/// The clipped root mean square of the second difference along the scans, scaled to the sigma of
/// white noise.
///
/// `sqrt( (1/N) Σ min(|r_{i−1} − 2 r_i + r_{i+1}|, clip)² ) / sqrt(6)` over all triples of
/// neighbouring valid beams:
/// the second difference of independent noise has the variance `(1 + 4 + 1) σ²`.
///
/// # Inputs
/// - `scans`: at least one with three neighbouring valid beams.
/// - `clip_m`: where edges of objects are cut off, metres, above zero; several times the noise.
///
/// # Output
/// Metres, in `[0, clip_m / sqrt(6)]`; 0 if the ranges run straight. The curvature of walls adds to
/// it: it compares scans of the same places, and is no fit of the sensor's noise.
///
/// # Errors
/// [`MeasureError::InvalidOption`], [`MeasureError::Empty`] (no such triple).
///
/// # Invariants
/// `roughness_of_white_noise_is_its_sigma`, `roughness_scales_with_length`,
/// `roughness_grows_with_the_clip`.
///
/// # Source
/// This project. The idea is the second-difference noise estimate of Immerkaer, CVIU 64(2), 1996,
/// in one dimension.
///
/// # Example
/// ```
/// use tiepoint_measure::scan::roughness_m;
/// # use tiepoint_model::{Scan, Stamps, Timestamp};
/// # let stamps = Stamps { log: Timestamp(0), publish: None, sensor: None };
/// # let scan_of = |ranges_m: Vec<f32>| Scan {
/// #     stamps, frame_id: "laser".into(), angle_min_rad: 0.0, angle_increment_rad: 0.01,
/// #     range_min_m: 0.1, range_max_m: 30.0, time_increment_s: 0.0, ranges_m,
/// #     intensities: vec![],
/// # };
/// let straight = scan_of(vec![1.0, 1.25, 1.5, 1.75]);
/// assert_eq!(roughness_m(&[straight], 0.1)?.roughness_m, 0.0);
/// # Ok::<(), tiepoint_measure::MeasureError>(())
/// ```
pub fn roughness_m(scans: &[Scan], clip_m: f64) -> Result<Roughness, MeasureError> {
    require_positive(clip_m, "clip_m")?;
    let (mut square_sum_m2, mut triple_count, mut clipped_count) = (0.0, 0_u64, 0_u64);
    for scan in scans {
        let mut previous = [None; 2];
        for index in 0..scan.ranges_m.len() {
            let range_m = scan.valid_range_m(index);
            if let ([Some(first), Some(second)], Some(third)) = (previous, range_m) {
                let difference_m: f64 = first - 2.0 * second + third;
                let clipped_m = difference_m.abs().min(clip_m);
                clipped_count += u64::from(difference_m.abs() > clip_m);
                square_sum_m2 += clipped_m * clipped_m;
                triple_count += 1;
            }
            previous = [previous[1], range_m];
        }
    }
    if triple_count == 0 {
        return Err(MeasureError::Empty { what: "triples of neighbouring valid beams" });
    }
    let roughness_m = (square_sum_m2 / triple_count as f64 / 6.0).sqrt();
    Ok(Roughness { roughness_m, triple_count, clipped_count })
}

/// The share of beams whose reading is a measurement.
///
/// # Output
/// [`Share::value`] is in `[0, 1]`, `None` without a beam.
///
/// # Invariants
/// `shares_add_up_over_scans`.
///
/// # Source
/// This project; validity by [`Scan::valid_range_m`].
#[must_use]
pub fn valid_share(scans: &[Scan]) -> Share {
    let mut share = Share::default();
    for scan in scans {
        for index in 0..scan.ranges_m.len() {
            share.count(scan.valid_range_m(index).is_some());
        }
    }
    share
}

/// A reading lies on the grid if it is within this share of a step of a multiple; the rounding of
/// 32-bit readings is allowed besides.
pub const GRID_TOLERANCE_SHARE: f64 = 1e-4;

/// The share of valid readings that are whole multiples of a step: whether a sensor, or a
/// simulation of it, writes centimetres.
///
/// A reading `r` counts if `|r − k · step| <= 1e-4 · step + 2⁻²³ r` for a whole `k`.
///
/// # Inputs
/// - `scans`: any.
/// - `step_m`: metres, above zero.
///
/// # Output
/// [`Share::value`] is in `[0, 1]`, `None` without a valid reading. Continuous readings give 2e-4,
/// or more where `2⁻²³ r` nears the step.
///
/// # Errors
/// [`MeasureError::InvalidOption`].
///
/// # Invariants
/// `quantised_readings_are_on_their_grid_and_moved_ones_are_not`.
///
/// # Source
/// This project.
pub fn grid_share(scans: &[Scan], step_m: f64) -> Result<Share, MeasureError> {
    require_positive(step_m, "step_m")?;
    let mut share = Share::default();
    for scan in scans {
        for index in 0..scan.ranges_m.len() {
            if let Some(range_m) = scan.valid_range_m(index) {
                let off_m = (range_m - (range_m / step_m).round() * step_m).abs();
                let rounding_m = range_m * f64::from(f32::EPSILON);
                share.count(off_m <= GRID_TOLERANCE_SHARE * step_m + rounding_m);
            }
        }
    }
    Ok(share)
}

/// The end point of a beam in the scanner's frame, metres; `None` if its reading is no measurement.
#[must_use]
pub fn end_point_m(scan: &Scan, beam_index: usize) -> Option<[f64; 2]> {
    let range_m = scan.valid_range_m(beam_index)?;
    let along_beam = Pose2 { x_m: 0.0, y_m: 0.0, yaw_rad: scan.angle_rad(beam_index) };
    Some(along_beam.transform([range_m, 0.0]))
}
