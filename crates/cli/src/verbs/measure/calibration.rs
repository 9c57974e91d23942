//! `measure calibration.*`: two calibrations of one rig.

use std::path::PathBuf;

use tiepoint_operations::{
    CalibrationRequest, Error, Measured, measure_extrinsics, measure_reprojection,
};

/// Metrics of two calibrations.
#[derive(clap::Subcommand)]
pub(crate) enum CalibrationCommand {
    /// How far sensors moved in their mountings: millimetres and milliradians along their axes.
    ///
    /// Example: tiepoint measure calibration.extrinsic --earlier may.yaml --later june.yaml
    #[command(
        name = "calibration.extrinsic",
        aliases = ["calibration.extrinsic.rotation_mrad", "calibration.extrinsic.translation_mm"]
    )]
    Extrinsic(CalibrationArgs),
    /// How far the same rays moved in the images of cameras, pixels.
    ///
    /// Example: tiepoint measure calibration.reprojection_shift --earlier may.yaml --later june.yaml
    #[command(name = "calibration.reprojection_shift", alias = "calibration.reprojection_shift_px")]
    Reprojection(ReprojectionArgs),
}

/// Two calibrations.
#[derive(clap::Args)]
pub(crate) struct CalibrationArgs {
    /// The earlier one: Kalibr camera chain or ROS camera file (YAML), or a log with both topics.
    #[arg(long, value_name = "PATH")]
    earlier: PathBuf,
    /// The later one.
    #[arg(long, value_name = "PATH")]
    later: PathBuf,
    /// One sensor or camera; without it all that both have.
    #[arg(long, value_name = "NAME")]
    sensor: Option<String>,
}

/// Two calibrations of cameras.
#[derive(clap::Args)]
pub(crate) struct ReprojectionArgs {
    #[command(flatten)]
    files: CalibrationArgs,
    /// Places along each side of the image at which the shift is looked for.
    #[arg(long, default_value_t = 33, value_name = "COUNT")]
    grid: u32,
}

impl CalibrationCommand {
    pub(crate) fn measure(self) -> Result<Measured, Error> {
        match self {
            Self::Extrinsic(args) => measure_extrinsics(&request(args)),
            Self::Reprojection(ReprojectionArgs { files, grid }) => {
                measure_reprojection(&request(files), grid)
            }
        }
    }
}

fn request(args: CalibrationArgs) -> CalibrationRequest {
    let CalibrationArgs { earlier, later, sensor: name } = args;
    CalibrationRequest { earlier, later, name }
}
