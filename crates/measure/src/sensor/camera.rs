//! Noise and timing of cameras.
//!
//! Invariant: photon transfer needs raw linear values; what a gamma curve, a denoiser or a codec has
//! changed is not identifiable, and the answer says by which sign.
//! Grey values in digital numbers (DN), electrons and photons per pixel, seconds.
//!
//! Not here: geometry (see [`super::calibration`]).

pub mod photon_transfer;
pub mod rolling_shutter;
pub mod video_noise;

pub use photon_transfer::{
    ExposurePoint, NonUniformity, PhotonTransfer, PhotonTransferMode, exposure_point,
    non_uniformity, photon_transfer,
};
pub use rolling_shutter::{LineDelay, RowShift, line_delay};
pub use video_noise::{VideoNoise, VideoNoiseOptions, video_noise};

use crate::MeasureError;

/// Refuses images of other sizes than the first, and empty ones.
fn require_images<T>(images: &[&[T]], what: &'static str) -> Result<usize, MeasureError> {
    let size = images.first().map_or(0, |image| image.len());
    if size == 0 {
        return Err(MeasureError::Empty { what });
    }
    match images.iter().find(|image| image.len() != size) {
        Some(other) => Err(MeasureError::LengthMismatch {
            left: what,
            left_count: size,
            right: what,
            right_count: other.len(),
        }),
        None => Ok(size),
    }
}
