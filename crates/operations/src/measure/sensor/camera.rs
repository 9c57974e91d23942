//! Noise and timing of cameras, from tables of exposures and of shifts and from raw images.
//!
//! Invariant: what the input does not show is `null` beside its reason.
//! Grey values in DN, electrons and photons per pixel, seconds, pixels.

use tiepoint_formats::image::{GreyImage, read_pgm};
use tiepoint_measure::{
    MeasureError, Metric, registry,
    sensor::{
        NotIdentifiable,
        camera::{
            ExposurePoint, LineDelay, PhotonTransfer, PhotonTransferMode, RowShift, VideoNoise,
            VideoNoiseOptions, line_delay, non_uniformity, photon_transfer,
            photon_transfer::Saturation, video_noise,
        },
    },
};

use super::super::{InputFile, Measured, MeasuredValue, input::read_numbers, unknown};
use crate::Error;

/// Exposures of a camera.
#[derive(Clone, Debug)]
pub struct PhotonTransferRequest {
    /// CSV or Parquet with the columns `exposure_s`, `photons`, `mean_dn`, `variance_dn2`,
    /// `dark_mean_dn`, `dark_variance_dn2`, ascending by photons.
    pub exposures: InputFile,
    /// `corrected` or `compat`.
    pub mode: String,
}

/// Images of an even light and of the dark.
#[derive(Clone, Debug)]
pub struct NonUniformityRequest {
    /// PGM, at half saturation.
    pub bright: Vec<InputFile>,
    /// PGM, in the dark.
    pub dark: Vec<InputFile>,
    /// DN per electron, of photon transfer.
    pub gain_dn_per_electron: f64,
}

/// Frames of ordinary video.
#[derive(Clone, Debug)]
pub struct VideoGainRequest {
    /// PGM, in pairs of the same exposure.
    pub frames: Vec<InputFile>,
    /// At or below, values are clipped, DN.
    pub black_dn: f64,
    /// At or above, values are clipped, DN; `None` for the largest that the files can hold.
    pub white_dn: Option<f64>,
}

/// Features seen in the rows of a rolling shutter.
#[derive(Clone, Debug)]
pub struct LineDelayRequest {
    /// CSV or Parquet with the columns `row`, `velocity_x_px_per_s`, `velocity_y_px_per_s`,
    /// `shift_x_px`, `shift_y_px`.
    pub shifts: InputFile,
    /// Of the interval, in `(0, 1)`.
    pub level: f64,
}

fn columns(file: &InputFile, names: &[&str]) -> Result<Vec<Vec<f64>>, Error> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    Ok(read_numbers(file, &names, false)?.columns)
}

/// A value, or what the data do not show.
fn identified(
    metric: &Metric,
    found: Result<Result<Vec<MeasuredValue>, NotIdentifiable>, MeasureError>,
) -> Result<Measured, Error> {
    match found {
        Ok(Ok(values)) => Ok(Measured::new(metric, values)),
        Ok(Err(why)) => {
            let unit = registry::unit(metric.id());
            let values = vec![
                MeasuredValue::undefined("value", unit),
                MeasuredValue::word("reason", &why.to_string()),
            ];
            Ok(Measured { is_defined: false, ..Measured::new(metric, values) })
        }
        Err(error) => Measured::of(metric, Err(error)),
    }
}

/// Measures gain, noise and saturation as EMVA 1288 has them.
///
/// # Errors
/// [`Error::Log`] naming line and column, [`Error::BadNumber`], [`Error::UnknownWord`]; those of the
/// measure.
pub fn measure_photon_transfer(request: &PhotonTransferRequest) -> Result<Measured, Error> {
    let mode = match request.mode.as_str() {
        "corrected" => PhotonTransferMode::Corrected,
        "compat" => PhotonTransferMode::Emva1288,
        other => return Err(unknown("--mode", other, "corrected, compat")),
    };
    let names =
        ["exposure_s", "photons", "mean_dn", "variance_dn2", "dark_mean_dn", "dark_variance_dn2"];
    let columns = columns(&request.exposures, &names)?;
    let point = |row: usize| ExposurePoint {
        exposure_s: columns[0][row],
        photons: columns[1][row],
        mean_dn: columns[2][row],
        variance_dn2: columns[3][row],
        dark_mean_dn: columns[4][row],
        dark_variance_dn2: columns[5][row],
    };
    let points: Vec<ExposurePoint> = (0..columns[0].len()).map(point).collect();
    let found = photon_transfer(&points, mode)
        .map(|found| found.map(|found| photon_transfer_values(&found, mode)));
    let mut measured = identified(&mode.metric(registry::SENSOR_CAMERA_GAIN), found)?;
    measured.values.push(MeasuredValue::count("exposure_count", points.len()));
    Ok(measured)
}

fn photon_transfer_values(found: &PhotonTransfer, mode: PhotonTransferMode) -> Vec<MeasuredValue> {
    let real = MeasuredValue::real;
    let mut values = vec![
        real("value", found.gain_dn_per_electron, "DN/electron"),
        real("responsivity_dn_per_photon", found.responsivity_dn_per_photon, "DN/photon"),
        real("quantum_efficiency", found.quantum_efficiency, "electron/photon"),
        real("dark_noise_dn", found.dark_noise_dn, "DN"),
        real("dark_noise", found.dark_noise_electrons, "electron")
            .of(&mode.metric(registry::SENSOR_CAMERA_DARK_NOISE)),
        MeasuredValue::json("dark_noise_is_at_most", found.is_dark_noise_at_most.into(), ""),
        real("threshold_photons", found.threshold_photons, "photon"),
    ];
    match &found.saturation {
        Ok(saturation) => values.extend(saturation_values(saturation, mode)),
        Err(why) => {
            let undefined = MeasuredValue::undefined("saturation", "electron");
            values.push(undefined.of(&mode.metric(registry::SENSOR_CAMERA_SATURATION)));
            values.push(MeasuredValue::word("saturation_reason", &why.to_string()));
        }
    }
    values
}

fn saturation_values(found: &Saturation, mode: PhotonTransferMode) -> Vec<MeasuredValue> {
    let real = MeasuredValue::real;
    let mut values = vec![
        real("saturation", found.electrons, "electron")
            .of(&mode.metric(registry::SENSOR_CAMERA_SATURATION)),
        real("saturation_photons", found.photons, "photon"),
        MeasuredValue::count("saturation_row", found.index + 1),
        real("snr_max", found.snr_max, "1").of(&mode.metric(registry::SENSOR_CAMERA_SNR_MAX)),
        real("dynamic_range", found.dynamic_range, "1"),
    ];
    if let Some(linearity) = &found.linearity {
        values.push(real("linearity_error_percent_min", linearity.error_percent_min, "%"));
        values.push(real("linearity_error_percent_max", linearity.error_percent_max, "%"));
    }
    values
}

fn images(files: &[InputFile]) -> Result<Vec<GreyImage>, Error> {
    let read = |file: &InputFile| read_pgm(&file.bytes).map_err(|error| file.refuse(error));
    let images = files.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let other = images.iter().zip(files).find(|(image, _)| image.width != images[0].width);
    match other {
        Some((_, file)) => Err(Error::WrongFileKind {
            path: file.path.clone(),
            found: "an image of another width",
            wanted: "images of one size",
        }),
        None => Ok(images),
    }
}

fn slices(images: &[Vec<u16>]) -> Vec<&[u16]> {
    images.iter().map(Vec::as_slice).collect()
}

/// Measures how much the pixels of a camera differ, in the dark and in even light.
///
/// # Errors
/// [`Error::Log`] naming the file, [`Error::WrongFileKind`]; those of the measure.
pub fn measure_non_uniformity(request: &NonUniformityRequest) -> Result<Measured, Error> {
    let (bright, dark) = (images(&request.bright)?, images(&request.dark)?);
    let values = |images: &[GreyImage]| -> Vec<Vec<u16>> {
        images.iter().map(|image| image.values_dn.clone()).collect()
    };
    let (bright, dark) = (values(&bright), values(&dark));
    let found = non_uniformity(&slices(&bright), &slices(&dark), request.gain_dn_per_electron);
    let metric = Metric::new(registry::SENSOR_CAMERA_PRNU);
    let mut is_defined = true;
    let found = found.map(|found| {
        let mut values = Vec::new();
        let parts = [
            ("value", &found.response_percent, registry::SENSOR_CAMERA_PRNU),
            ("dark", &found.dark_electrons, registry::SENSOR_CAMERA_DSNU),
        ];
        for (name, part, id) in parts {
            let unit = registry::unit(id);
            match part {
                Ok(part) => {
                    values.push(MeasuredValue::real(name, *part, unit).of(&Metric::new(id)))
                }
                Err(why) => {
                    is_defined = false;
                    values.push(MeasuredValue::undefined(name, unit).of(&Metric::new(id)));
                    let reason = if name == "value" { "reason" } else { "dark_reason" };
                    values.push(MeasuredValue::word(reason, &why.to_string()));
                }
            }
        }
        values
    });
    let mut measured = Measured::of(&metric, found)?;
    measured.is_defined &= is_defined;
    measured.values.push(MeasuredValue::count("bright_count", bright.len()));
    measured.values.push(MeasuredValue::count("dark_count", dark.len()));
    Ok(measured)
}

/// Measures the noise of ordinary video.
///
/// # Errors
/// As [`measure_non_uniformity`].
pub fn measure_video_gain(request: &VideoGainRequest) -> Result<Measured, Error> {
    let images = images(&request.frames)?;
    let width = images.first().map_or(0, |image| image.width);
    let largest = images.iter().map(|image| image.value_max_dn).max().unwrap_or(0);
    let white_dn = request.white_dn.unwrap_or(f64::from(largest));
    let options = VideoNoiseOptions { width, black_dn: request.black_dn, white_dn };
    let frames: Vec<&[u16]> = images.iter().map(|image| image.values_dn.as_slice()).collect();
    let found = video_noise(&frames, &options).map(|found| found.map(|found| video_values(&found)));
    let metric = Metric::new(registry::SENSOR_CAMERA_VIDEO_GAIN)
        .with("black_dn", request.black_dn)
        .with("white_dn", white_dn);
    let mut measured = identified(&metric, found)?;
    measured.values.push(MeasuredValue::count("frame_count", frames.len()));
    Ok(measured)
}

fn video_values(found: &VideoNoise) -> Vec<MeasuredValue> {
    let real = MeasuredValue::real;
    vec![
        real("value", found.gain_dn, "DN"),
        real("standard_error", found.gain_standard_error_dn, "DN"),
        real("read_variance", found.read_variance_dn2, "DN^2"),
        MeasuredValue::count("block_count", found.block_count),
        real("neighbour_correlation", found.neighbour_correlation, "1"),
        real("reduced_chi_square", found.reduced_chi_square, "1"),
    ]
}

/// Measures the line delay of a rolling shutter.
///
/// # Errors
/// As [`measure_photon_transfer`].
pub fn measure_line_delay(request: &LineDelayRequest) -> Result<Measured, Error> {
    let names = ["row", "velocity_x_px_per_s", "velocity_y_px_per_s", "shift_x_px", "shift_y_px"];
    let columns = columns(&request.shifts, &names)?;
    let shift = |row: usize| RowShift {
        row: columns[0][row],
        velocity_px_per_s: [columns[1][row], columns[2][row]],
        shift_px: [columns[3][row], columns[4][row]],
    };
    let shifts: Vec<RowShift> = (0..columns[0].len()).map(shift).collect();
    let found = line_delay(&shifts, request.level)
        .map(|found| found.map(|found| line_delay_values(&found)));
    let metric = Metric::new(registry::SENSOR_CAMERA_LINE_DELAY).with("level", request.level);
    let mut measured = identified(&metric, found)?;
    measured.values.push(MeasuredValue::count("n", shifts.len()));
    Ok(measured)
}

fn line_delay_values(found: &LineDelay) -> Vec<MeasuredValue> {
    let real = MeasuredValue::real;
    vec![
        real("value", found.delay_s, "s"),
        real("low", found.interval.low, "s"),
        real("high", found.interval.high, "s"),
        real("offset_s", found.offset_s, "s"),
        real("residual_px", found.residual_px, "px"),
    ]
}
