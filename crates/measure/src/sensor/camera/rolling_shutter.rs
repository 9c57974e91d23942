//! Line delay of a rolling shutter, from how far rows lag behind the motion of the image.
//!
//! Invariant: motion that is the same in every row does not count; without rows apart or without
//! motion there is no delay, and the answer says so.
//! Pixels, seconds; row 0 is read first.
//!
//! Cost: `O(n)`.
//!
//! Not here: finding features, and predicting where they would be (poses and gyroscope do).

use serde::{Deserialize, Serialize};

use crate::{
    Interval, MeasureError,
    sensor::{
        NotIdentifiable,
        chance::{normal_quantile, require_level},
    },
};

/// A feature seen in a row, and where it would be if all rows were exposed when the frame is stamped.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RowShift {
    /// Row of the feature, from 0.
    pub row: f64,
    /// Velocity of its image there, pixels per second, along x and y.
    pub velocity_px_per_s: [f64; 2],
    /// Seen less predicted, pixels, along x and y.
    pub shift_px: [f64; 2],
}

/// The line delay.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LineDelay {
    /// Time from one row to the next, seconds; negative if the last row is read first.
    pub delay_s: f64,
    /// Of the delay, by the scatter of the shifts.
    pub interval: Interval,
    /// Exposure of row 0 after the frame's stamp, seconds.
    pub offset_s: f64,
    /// Root mean square of what is left, pixels.
    pub residual_px: f64,
}

/// Line delay and stamp offset that explain shifts: `shift = velocity (offset + row delay)`.
///
/// # Inputs
/// - `shifts`: of one or many frames; rows as far apart as there are.
/// - `level`: of the interval, in `(0, 1)`.
///
/// # Output
/// Least squares; the interval assumes independent shifts of equal scatter.
///
/// # Errors
/// [`MeasureError::NotFinite`], [`MeasureError::InvalidOption`].
///
/// # Invariants
/// `a_simulated_line_delay_is_recovered`, `a_line_delay_needs_motion_and_rows`.
///
/// # Source
/// The model of Oth et al., *Rolling shutter camera calibration*, CVPR 2013, for given motion.
pub fn line_delay(
    shifts: &[RowShift],
    level: f64,
) -> Result<Result<LineDelay, NotIdentifiable>, MeasureError> {
    const SHIFTS_MIN: usize = 3;
    require_level(level)?;
    let (mut vv, mut vr, mut rr, mut vs, mut rs, mut ss) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
    for (index, shift) in shifts.iter().enumerate() {
        for axis in 0..2 {
            let (v, s) = (shift.velocity_px_per_s[axis], shift.shift_px[axis]);
            let r = v * shift.row;
            if !(v * v + r * r + s * s).is_finite() {
                return Err(MeasureError::NotFinite { what: "row shifts", index });
            }
            vv += v * v;
            vr += v * r;
            rr += r * r;
            vs += v * s;
            rs += r * s;
            ss += s * s;
        }
    }
    let too_few = |count: f64| {
        let what = "row shifts".to_owned();
        NotIdentifiable::TooFew { what, count, min: SHIFTS_MIN as f64 }
    };
    if shifts.len() < SHIFTS_MIN {
        return Ok(Err(too_few(shifts.len() as f64)));
    }
    let determinant = vv * rr - vr * vr;
    // The share of the rows' leverage that the common offset leaves.
    if vv <= 0.0 || rr <= 0.0 || determinant <= 1e-9 * vv * rr {
        let what =
            if vv > 0.0 { "spread of the features over rows" } else { "motion of the image" };
        return Ok(Err(NotIdentifiable::NoVariation { what: what.to_owned() }));
    }
    let delay_s = (vv * rs - vr * vs) / determinant;
    let offset_s = (rr * vs - vr * rs) / determinant;
    let left = (ss - delay_s * rs - offset_s * vs).max(0.0);
    // Only axes that move say anything, but each shift has two.
    let variance = left / (2.0 * shifts.len() as f64 - 2.0);
    let half = normal_quantile(0.5 + 0.5 * level) * (variance * vv / determinant).sqrt();
    let interval = Interval { low: delay_s - half, high: delay_s + half, level };
    let residual_px = (left / shifts.len() as f64).sqrt();
    Ok(Ok(LineDelay { delay_s, interval, offset_s, residual_px }))
}
