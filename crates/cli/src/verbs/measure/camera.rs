//! `measure sensor.camera.*`: noise and timing of cameras.

use std::path::PathBuf;

use tiepoint_operations::{
    Error, InputFile, LineDelayRequest, Measured, NonUniformityRequest, PhotonTransferRequest,
    VideoGainRequest, measure_line_delay, measure_non_uniformity, measure_photon_transfer,
    measure_video_gain,
};

use crate::source;

/// Metrics of cameras.
#[derive(clap::Subcommand)]
pub(crate) enum CameraCommand {
    /// Gain, dark noise, saturation and signal to noise of a camera by EMVA 1288.
    ///
    /// The file has a row for each exposure, ascending by photons, with the columns exposure_s, photons,
    /// mean_dn, variance_dn2, dark_mean_dn, dark_variance_dn2: means and temporal variances of two
    /// bright and two dark images, raw and linear.
    ///
    /// Example: tiepoint measure sensor.camera.photon_transfer --exposures emva.csv
    #[command(
        name = "sensor.camera.photon_transfer",
        aliases = ["sensor.camera.gain", "sensor.camera.dark_noise", "sensor.camera.saturation",
                   "sensor.camera.snr_max"]
    )]
    PhotonTransfer(PhotonTransferArgs),
    /// Spread of the pixels in the dark (DSNU) and in even light (PRNU), from raw images.
    ///
    /// Example: tiepoint measure sensor.camera.non_uniformity --bright b0.pgm b1.pgm --dark d0.pgm d1.pgm --gain 0.1
    #[command(
        name = "sensor.camera.non_uniformity",
        aliases = ["sensor.camera.dsnu", "sensor.camera.prnu"]
    )]
    NonUniformity(NonUniformityArgs),
    /// Rise of the noise with brightness, from pairs of frames of ordinary video.
    ///
    /// Example: tiepoint measure sensor.camera.video_gain --frames f0.pgm f1.pgm f2.pgm f3.pgm
    #[command(name = "sensor.camera.video_gain")]
    VideoGain(VideoGainArgs),
    /// Time from one row of a rolling shutter to the next, from features that lag behind.
    ///
    /// The file has a row for each feature with the columns row (0 is read first),
    /// velocity_x_px_per_s, velocity_y_px_per_s (of its image there), shift_x_px, shift_y_px (seen less
    /// predicted for the frame's stamp).
    ///
    /// Example: tiepoint measure sensor.camera.line_delay --shifts shifts.csv
    #[command(name = "sensor.camera.line_delay")]
    LineDelay(LineDelayArgs),
}

/// EMVA 1288.
#[derive(clap::Args)]
pub(crate) struct PhotonTransferArgs {
    /// CSV with a header, or Parquet.
    #[arg(long, value_name = "FILE")]
    exposures: PathBuf,
    /// corrected (saturation where the variance is largest) or compat (emva1288's first summit).
    #[arg(long, default_value = "corrected")]
    mode: String,
}

/// Stacks of images.
#[derive(clap::Args)]
pub(crate) struct NonUniformityArgs {
    /// Binary PGM, 8 or 16 bit: two or more images of even light at half saturation.
    #[arg(long, value_name = "FILES", num_args = 2.., required = true)]
    bright: Vec<PathBuf>,
    /// Binary PGM: two or more images in the dark.
    #[arg(long, value_name = "FILES", num_args = 2.., required = true)]
    dark: Vec<PathBuf>,
    /// DN per electron, of sensor.camera.photon_transfer.
    #[arg(long)]
    gain: f64,
}

/// Video.
#[derive(clap::Args)]
pub(crate) struct VideoGainArgs {
    /// Binary PGM, 8 or 16 bit, raw and linear: first and second are a pair, third and fourth, ...
    #[arg(long, value_name = "FILES", num_args = 2.., required = true)]
    frames: Vec<PathBuf>,
    /// Values at or below are clipped, DN.
    #[arg(long, default_value_t = 0.0)]
    black_dn: f64,
    /// Values at or above are clipped, DN; without it the largest that the files can hold.
    #[arg(long)]
    white_dn: Option<f64>,
}

/// Rolling shutter.
#[derive(clap::Args)]
pub(crate) struct LineDelayArgs {
    /// CSV with a header, or Parquet.
    #[arg(long, value_name = "FILE")]
    shifts: PathBuf,
    /// Level of the interval.
    #[arg(long, default_value_t = 0.95)]
    level: f64,
}

impl CameraCommand {
    pub(crate) fn measure(self) -> Result<Measured, Error> {
        match self {
            Self::PhotonTransfer(PhotonTransferArgs { exposures, mode }) => {
                let exposures = source::read_input(exposures)?;
                measure_photon_transfer(&PhotonTransferRequest { exposures, mode })
            }
            Self::NonUniformity(NonUniformityArgs { bright, dark, gain }) => {
                measure_non_uniformity(&NonUniformityRequest {
                    bright: read(bright)?,
                    dark: read(dark)?,
                    gain_dn_per_electron: gain,
                })
            }
            Self::VideoGain(VideoGainArgs { frames, black_dn, white_dn }) => {
                let frames = read(frames)?;
                measure_video_gain(&VideoGainRequest { frames, black_dn, white_dn })
            }
            Self::LineDelay(LineDelayArgs { shifts, level }) => {
                let shifts = source::read_input(shifts)?;
                measure_line_delay(&LineDelayRequest { shifts, level })
            }
        }
    }
}

fn read(paths: Vec<PathBuf>) -> Result<Vec<InputFile>, Error> {
    paths.into_iter().map(source::read_input).collect()
}
