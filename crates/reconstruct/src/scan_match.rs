//! Matching a planar scan against a reference: a search over a window, then point-to-line
//! refinement.
//!
//! Invariant: the answer depends on the reference, the scan, the guess and the options only, bit
//! for bit.
//! The reference is one scan or a local map of several; its frame is the frame of the answer.
//! Metres, radians.
//!
//! Not here: which scans to match (`trajectory`, `loop_closure`) and how matches are reconciled
//! (`pose_graph`).

mod field;
mod reference;
mod refine;

use nalgebra::Matrix3;
use tiepoint_model::Pose2;

use crate::ReconstructError;
use crate::error::{at_most, positive};
use crate::planar_scan::{MINIMUM_VALID_BEAMS, PlanarScan};

pub use reference::{Reference, Surfel};

/// Greatest window that is searched, metres: its cost grows with its area.
pub const WINDOW_M_MAX: f64 = 20.0;

/// How far from the guess to look.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MatchOptions {
    /// Half width of the square of positions that is searched, metres.
    pub window_m: f64,
    /// Half width of the range of headings that is searched, radians.
    pub window_rad: f64,
    /// Standard deviation of the guess in position, metres: breaks ties where the surroundings do
    /// not.
    pub guess_sigma_m: f64,
    /// Standard deviation of the guess in heading, radians.
    pub guess_sigma_rad: f64,
}

/// Where a scan lies in the frame of its reference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScanMatch {
    /// The robot at the scan, in the reference's frame.
    pub reference_from_base: Pose2,
    /// Inverse covariance of (x, y, yaw) in the robot's own axes, from the scan alone, without the
    /// guess.
    /// Nearly singular where the surroundings leave a direction open, as along a corridor.
    pub information: Matrix3<f64>,
    /// Covariance of (x, y, yaw) in the robot's own axes, the guess taken as a prior, so that it
    /// is always finite.
    pub covariance: Matrix3<f64>,
    /// Share of the scan's points that lie on the reference, 0 to 1: the quality of the match.
    pub inlier_share: f64,
    /// Root mean square distance of those points to the reference's lines, metres.
    pub residual_rms_m: f64,
    /// Refinement steps taken.
    pub iteration_count: usize,
}

/// Finds the pose of `scan` near `guess` that lays it best on `reference`.
///
/// The window is searched exhaustively on a lattice (two levels, exact for the lattice: Olson,
/// *Real-time correlative scan
/// matching*, ICRA 2009), then the best place is refined by point-to-line ICP (Censi, ICRA 2008)
/// with a Cauchy kernel.
///
/// # Errors
/// [`ReconstructError::UnusableScan`] with too few beams, [`ReconstructError::NoOverlap`] if the
/// scan does not meet the
/// reference, [`ReconstructError::NotFinite`] and [`ReconstructError::BadOption`] for numbers that
/// make no sense.
pub fn scan_match(
    reference: &Reference,
    scan: &PlanarScan,
    guess: Pose2,
    options: &MatchOptions,
) -> Result<ScanMatch, ReconstructError> {
    check(scan, guess, options)?;
    let start = reference.field().search(scan, guess, options);
    refine::refine(reference, scan, start, (guess, options))
}

/// Refines a guess that is already within a few decimetres, without a search.
///
/// # Errors
/// As [`scan_match`].
pub fn refine_match(
    reference: &Reference,
    scan: &PlanarScan,
    guess: Pose2,
    options: &MatchOptions,
) -> Result<ScanMatch, ReconstructError> {
    check(scan, guess, options)?;
    refine::refine(reference, scan, guess, (guess, options))
}

fn check(scan: &PlanarScan, guess: Pose2, options: &MatchOptions) -> Result<(), ReconstructError> {
    positive("window_m", options.window_m)?;
    positive("window_rad", options.window_rad)?;
    positive("guess_sigma_m", options.guess_sigma_m)?;
    positive("guess_sigma_rad", options.guess_sigma_rad)?;
    at_most("window_m", options.window_m, WINDOW_M_MAX)?;
    at_most("window_rad", options.window_rad, std::f64::consts::PI)?;
    if !guess.is_finite() {
        return Err(ReconstructError::NotFinite { what: "guess", index: 0 });
    }
    if !scan.is_usable() {
        return Err(ReconstructError::UnusableScan {
            valid_count: scan.points.len(),
            minimum: MINIMUM_VALID_BEAMS,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
