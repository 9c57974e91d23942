//! EMVA 1288 photon transfer: gain, noise, saturation, linearity and non-uniformity of a camera.
//!
//! Invariant: the gain comes from the rise of the temporal variance with the mean, so nothing here
//! needs a calibrated light but what is per photon.
//! Means and variances in DN and DN squared of raw, linear values; exposure in seconds; photons per
//! pixel.
//!
//! Cost: `O(pixels)` for a pair of images, `O(points)` for the rest.
//!
//! Not here: spectra and defect pixels; noise from ordinary video (see [`mod@super::video_noise`]).

use serde::{Deserialize, Serialize};

use super::require_images;
use crate::{
    MeasureError, Metric, MetricId,
    sensor::NotIdentifiable,
    statistics::{require_not_below_zero, require_positive},
};

/// Variance of rounding to whole DN.
const ROUNDING_DN2: f64 = 1.0 / 12.0;

/// Below this variance the dark noise hides in the rounding; EMVA 1288 takes this limit instead.
const DARK_VARIANCE_MIN_DN2: f64 = 0.24;

/// The share of saturation up to which gain and responsivity are fitted.
const SENSITIVITY_SHARE: f64 = 0.7;

/// The shares of saturation between which linearity is judged.
const LINEARITY_SHARES: [f64; 2] = [0.05, 0.95];

/// One exposure: two bright and two dark images, summed up.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExposurePoint {
    /// Exposure time, seconds.
    pub exposure_s: f64,
    /// Photons on a pixel in that time.
    pub photons: f64,
    /// Mean of the bright images, DN.
    pub mean_dn: f64,
    /// Temporal variance of the bright images, DN squared.
    pub variance_dn2: f64,
    /// Mean of the dark images, DN.
    pub dark_mean_dn: f64,
    /// Temporal variance of the dark images, DN squared.
    pub dark_variance_dn2: f64,
}

impl ExposurePoint {
    fn signal_dn(&self) -> f64 {
        self.mean_dn - self.dark_mean_dn
    }

    fn excess_dn2(&self) -> f64 {
        self.variance_dn2 - self.dark_variance_dn2
    }
}

/// Mean and temporal variance of two images of the same scene: half the mean squared difference, less
/// half the squared difference of the means.
///
/// The difference of two images is free of fixed pattern.
fn pair_statistics<T: Copy + Into<f64>>(
    images: [&[T]; 2],
    what: &'static str,
) -> Result<(f64, f64), MeasureError> {
    let count = require_images(&images, what)? as f64;
    let (mut sums, mut squares) = ([0.0_f64; 2], 0.0);
    for (index, (first, second)) in images[0].iter().zip(images[1]).enumerate() {
        let (first, second): (f64, f64) = ((*first).into(), (*second).into());
        if !(first.is_finite() && second.is_finite()) {
            return Err(MeasureError::NotFinite { what, index });
        }
        sums = [sums[0] + first, sums[1] + second];
        squares += (first - second) * (first - second);
    }
    let mean_difference = (sums[0] - sums[1]) / count;
    let variance = squares / (2.0 * count) - mean_difference * mean_difference / 2.0;
    Ok(((sums[0] + sums[1]) / (2.0 * count), variance))
}

/// Sums up two bright and two dark images of one exposure.
///
/// # Errors
/// [`MeasureError::Empty`], [`MeasureError::LengthMismatch`], [`MeasureError::NotFinite`],
/// [`MeasureError::InvalidOption`].
///
/// # Source
/// EMVA 1288 release 4.0 linear, 2021, equations 15 and 17.
pub fn exposure_point<T: Copy + Into<f64>>(
    bright: [&[T]; 2],
    dark: [&[T]; 2],
    exposure_s: f64,
    photons: f64,
) -> Result<ExposurePoint, MeasureError> {
    require_positive(exposure_s, "exposure_s")?;
    require_not_below_zero(photons, "photons")?;
    let (mean_dn, variance_dn2) = pair_statistics(bright, "bright images")?;
    let (dark_mean_dn, dark_variance_dn2) = pair_statistics(dark, "dark images")?;
    Ok(ExposurePoint {
        exposure_s,
        photons,
        mean_dn,
        variance_dn2,
        dark_mean_dn,
        dark_variance_dn2,
    })
}

/// Which text decides where the standard and its reference program differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PhotonTransferMode {
    /// Saturation is where the variance is largest, and is not reached if that is the last point.
    Corrected,
    /// As emva1288 1.0.2: saturation is the first summit met from the brightest point down, which is
    /// a bump of the clipped variance if there are several clipped points.
    Emva1288,
}

impl PhotonTransferMode {
    /// The word in conventions.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Corrected => "corrected",
            Self::Emva1288 => "compat:emva1288==1.0.2",
        }
    }

    /// A metric of photon transfer in this mode, such as `SENSOR_CAMERA_GAIN`.
    #[must_use]
    pub fn metric(self, id: MetricId) -> Metric {
        Metric::new(id).with("mode", self.name())
    }
}

/// How far the response lies from a straight line between 5 % and 95 % of saturation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Linearity {
    /// DN per photon.
    pub slope: f64,
    /// DN.
    pub offset_dn: f64,
    /// Least deviation, percent of the line.
    pub error_percent_min: f64,
    /// Largest deviation, percent of the line.
    pub error_percent_max: f64,
}

/// What depends on saturation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Saturation {
    /// Position of the exposure at which the camera saturates.
    pub index: usize,
    /// Photons.
    pub photons: f64,
    /// Electrons.
    pub electrons: f64,
    /// Largest signal over noise, as a ratio.
    pub snr_max: f64,
    /// Photons at saturation over photons that are just seen.
    pub dynamic_range: f64,
    /// `None` with fewer than three points between 5 % and 95 % of saturation.
    pub linearity: Option<Linearity>,
}

/// The characteristic numbers of a camera.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PhotonTransfer {
    /// `K`, DN per electron.
    pub gain_dn_per_electron: f64,
    /// `R`, DN per photon.
    pub responsivity_dn_per_photon: f64,
    /// Electrons per photon.
    pub quantum_efficiency: f64,
    /// Temporal dark noise, DN, rounding included.
    pub dark_noise_dn: f64,
    /// True if the dark noise hides in the rounding: both dark noises are upper limits.
    pub is_dark_noise_at_most: bool,
    /// Temporal dark noise without rounding, electrons.
    pub dark_noise_electrons: f64,
    /// Photons at which signal equals noise.
    pub threshold_photons: f64,
    /// Saturation and what follows from it.
    pub saturation: Result<Saturation, NotIdentifiable>,
}

/// Photon transfer of exposures.
///
/// Gain and responsivity are lines through the origin up to 70 % of saturation, of the variance
/// and of the photons; the dark noise is the variance at no exposure.
///
/// # Inputs
/// - `points`: ascending by photons, raw linear values.
///
/// # Output
/// The numbers, or why the gain is not identifiable: too few points below saturation, or a variance
/// that does not rise with the mean.
///
/// # Errors
/// [`MeasureError::TooFew`] below three points, [`MeasureError::NotFinite`],
/// [`MeasureError::InvalidOption`] unless photons ascend.
///
/// # Invariants
/// `photon_transfer_recovers_a_simulated_camera`, `gain_scales_with_the_digital_number`.
///
/// # Source
/// EMVA 1288 release 4.0 linear, 2021; numbers as emva1288 1.0.2, which fits by iteration: to 1e-9.
pub fn photon_transfer(
    points: &[ExposurePoint],
    mode: PhotonTransferMode,
) -> Result<Result<PhotonTransfer, NotIdentifiable>, MeasureError> {
    check(points)?;
    let top = match mode {
        PhotonTransferMode::Corrected => largest_variance(points),
        PhotonTransferMode::Emva1288 => first_summit_from_above(points),
    };
    let is_reached = mode == PhotonTransferMode::Emva1288 || top + 1 < points.len();
    let limit_dn = match is_reached {
        true => SENSITIVITY_SHARE * points[top].signal_dn(),
        false => f64::INFINITY,
    };
    let last = points.iter().rposition(|point| point.signal_dn() <= limit_dn);
    let used = &points[..last.map_or(0, |last| last + 1)];
    let gain = through_origin(used, ExposurePoint::signal_dn, ExposurePoint::excess_dn2);
    let responsivity = through_origin(used, |p| p.photons, ExposurePoint::signal_dn);
    let (Some(gain), Some(responsivity)) = (gain, responsivity) else {
        let what = "exposures below 70 % of saturation".to_owned();
        return Ok(Err(NotIdentifiable::TooFew { what, count: used.len() as f64, min: 2.0 }));
    };
    if gain <= 0.0 || responsivity <= 0.0 {
        let what = "rise of the temporal variance with the mean".to_owned();
        return Ok(Err(NotIdentifiable::NoVariation { what }));
    }
    let dark_variance_dn2 = dark_variance(points);
    let is_dark_noise_at_most = dark_variance_dn2 < DARK_VARIANCE_MIN_DN2;
    let dark_variance_dn2 = dark_variance_dn2.max(DARK_VARIANCE_MIN_DN2);
    let efficiency = responsivity / gain;
    let dark_noise_dn = dark_variance_dn2.sqrt();
    let threshold_photons = (dark_noise_dn / gain + 0.5) / efficiency;
    let saturation = || {
        let photons = points[top].photons;
        let electrons = efficiency * photons;
        Saturation {
            index: top,
            photons,
            electrons,
            snr_max: electrons.sqrt(),
            dynamic_range: photons / threshold_photons,
            linearity: linearity(points, points[top].signal_dn()),
        }
    };
    let not_reached = || {
        let what = "variance beyond its summit: saturation is not reached".to_owned();
        NotIdentifiable::NoVariation { what }
    };
    Ok(Ok(PhotonTransfer {
        gain_dn_per_electron: gain,
        responsivity_dn_per_photon: responsivity,
        quantum_efficiency: efficiency,
        dark_noise_dn,
        is_dark_noise_at_most,
        dark_noise_electrons: (dark_variance_dn2 - ROUNDING_DN2).sqrt() / gain,
        threshold_photons,
        saturation: if is_reached { Ok(saturation()) } else { Err(not_reached()) },
    }))
}

fn check(points: &[ExposurePoint]) -> Result<(), MeasureError> {
    const POINTS_MIN: usize = 3;
    const VALUE_MAX: f64 = 1e100;
    if points.len() < POINTS_MIN {
        let (count, min) = (points.len(), POINTS_MIN);
        return Err(MeasureError::TooFew { what: "exposures", count, min });
    }
    for (index, p) in points.iter().enumerate() {
        let values = [
            p.exposure_s,
            p.photons,
            p.mean_dn,
            p.variance_dn2,
            p.dark_mean_dn,
            p.dark_variance_dn2,
        ];
        if values.iter().any(|value| value.is_nan() || value.abs() > VALUE_MAX) {
            return Err(MeasureError::NotFinite { what: "exposures", index });
        }
        if index > 0 && p.photons <= points[index - 1].photons {
            let requirement = "ascending from exposure to exposure";
            return Err(MeasureError::InvalidOption {
                name: "photons",
                value: p.photons,
                requirement,
            });
        }
    }
    Ok(())
}

/// The last of the points with the largest variance.
fn largest_variance(points: &[ExposurePoint]) -> usize {
    let mut top = 0;
    for (index, point) in points.iter().enumerate() {
        if point.variance_dn2 >= points[top].variance_dn2 {
            top = index;
        }
    }
    top
}

/// Goes down from the brightest point until both the point and its darker neighbour lie lower than
/// the highest so far. Below the darkest point comes the second one, as in the program.
fn first_summit_from_above(points: &[ExposurePoint]) -> usize {
    let (mut top, mut highest) = (0, 0.0);
    for index in (0..points.len()).rev() {
        let here = points[index].variance_dn2;
        let darker = points[index.abs_diff(1)].variance_dn2;
        if here >= highest || darker >= highest {
            (top, highest) = (index, here);
        } else {
            break;
        }
    }
    top
}

/// Slope of the least-squares line through the origin; `None` for fewer than two points.
fn through_origin(
    points: &[ExposurePoint],
    x: impl Fn(&ExposurePoint) -> f64,
    y: impl Fn(&ExposurePoint) -> f64,
) -> Option<f64> {
    let xx: f64 = points.iter().map(|p| x(p) * x(p)).sum();
    let xy: f64 = points.iter().map(|p| x(p) * y(p)).sum();
    (points.len() > 1 && xx > 0.0).then(|| xy / xx)
}

/// Dark variance at no exposure: the intercept over exposure time, or the first value if there are
/// no three different times.
fn dark_variance(points: &[ExposurePoint]) -> f64 {
    let mut times: Vec<f64> = points.iter().map(|p| p.exposure_s).collect();
    times.sort_unstable_by(f64::total_cmp);
    times.dedup();
    if times.len() <= 2 {
        return points[0].dark_variance_dn2;
    }
    let count = points.len() as f64;
    let mean_x = points.iter().map(|p| p.exposure_s).sum::<f64>() / count;
    let mean_y = points.iter().map(|p| p.dark_variance_dn2).sum::<f64>() / count;
    let xx: f64 = points.iter().map(|p| (p.exposure_s - mean_x) * (p.exposure_s - mean_x)).sum();
    let xy: f64 =
        points.iter().map(|p| (p.exposure_s - mean_x) * (p.dark_variance_dn2 - mean_y)).sum();
    mean_y - xy / xx * mean_x
}

/// The line that is best in relative deviation, and how far the points lie from it.
fn linearity(points: &[ExposurePoint], top_dn: f64) -> Option<Linearity> {
    let [low_dn, high_dn] = LINEARITY_SHARES.map(|share| share * top_dn);
    let first = points.iter().position(|p| p.signal_dn() >= low_dn)?;
    let last = points.iter().rposition(|p| p.signal_dn() <= high_dn)?;
    let used = points.get(first..=last).filter(|used| used.len() > 2)?;
    let (mut a, mut ax, mut axx, mut ay, mut axy) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for point in used {
        let (x, y) = (point.photons, point.signal_dn());
        let weight = 1.0 / (y * y);
        a += weight;
        ax += weight * x;
        axx += weight * x * x;
        ay += weight * y;
        axy += weight * x * y;
    }
    let determinant = a * axx - ax * ax;
    let slope = (a * axy - ax * ay) / determinant;
    let offset_dn = (axx * ay - ax * axy) / determinant;
    let deviation = |p: &ExposurePoint| {
        let line = slope * p.photons + offset_dn;
        100.0 * (p.signal_dn() - line) / line
    };
    let error_percent_min = used.iter().map(deviation).fold(f64::INFINITY, f64::min);
    let error_percent_max = used.iter().map(deviation).fold(f64::NEG_INFINITY, f64::max);
    (slope.is_finite() && error_percent_max.is_finite()).then_some(Linearity {
        slope,
        offset_dn,
        error_percent_min,
        error_percent_max,
    })
}

/// How much the pixels differ from one another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NonUniformity {
    /// DSNU, electrons.
    pub dark_electrons: Result<f64, NotIdentifiable>,
    /// PRNU, percent of the signal.
    pub response_percent: Result<f64, NotIdentifiable>,
}

/// Non-uniformity of the dark signal (DSNU) and of the response (PRNU), from stacks of images.
///
/// # Inputs
/// - `bright`, `dark`: at least two images each, at half saturation and in the dark.
/// - `gain_dn_per_electron`: of [`photon_transfer`].
///
/// # Output
/// A spatial variance below what the temporal noise alone makes is not identifiable.
///
/// # Errors
/// [`MeasureError::TooFew`], [`MeasureError::LengthMismatch`], [`MeasureError::NotFinite`],
/// [`MeasureError::InvalidOption`].
///
/// # Source
/// EMVA 1288 release 4.0 linear, 2021, section 8.
pub fn non_uniformity<T: Copy + Into<f64>>(
    bright: &[&[T]],
    dark: &[&[T]],
    gain_dn_per_electron: f64,
) -> Result<NonUniformity, MeasureError> {
    require_positive(gain_dn_per_electron, "gain_dn_per_electron")?;
    let (bright_mean, bright_variance) = stack_statistics(bright, "bright images")?;
    let (dark_mean, dark_variance) = stack_statistics(dark, "dark images")?;
    let root = |variance: f64, what: &str| {
        let not = NotIdentifiable::NoVariation { what: what.to_owned() };
        if variance >= 0.0 { Ok(variance.sqrt()) } else { Err(not) }
    };
    let signal = bright_mean - dark_mean;
    let response = root(bright_variance - dark_variance, "response beyond temporal noise");
    let no_signal = NotIdentifiable::NoVariation { what: "signal above the dark".to_owned() };
    Ok(NonUniformity {
        dark_electrons: root(dark_variance, "dark signal beyond temporal noise")
            .map(|dn| dn / gain_dn_per_electron),
        response_percent: if signal > 0.0 {
            response.map(|dn| 100.0 * dn / signal)
        } else {
            Err(no_signal)
        },
    })
}

/// Mean, and spatial variance of the mean image less what temporal noise leaves in it.
fn stack_statistics<T: Copy + Into<f64>>(
    images: &[&[T]],
    what: &'static str,
) -> Result<(f64, f64), MeasureError> {
    let size = require_images(images, what)?;
    if images.len() < 2 || size < 2 {
        let count = images.len().min(size);
        return Err(MeasureError::TooFew { what, count, min: 2 });
    }
    let stack = images.len() as f64;
    let mut means = Vec::with_capacity(size);
    let mut temporal = 0.0;
    for pixel in 0..size {
        let value = |image: &&[T]| -> f64 { image[pixel].into() };
        let mean = images.iter().map(value).sum::<f64>() / stack;
        if !mean.is_finite() {
            return Err(MeasureError::NotFinite { what, index: pixel });
        }
        let squares: f64 =
            images.iter().map(|image| (value(image) - mean) * (value(image) - mean)).sum();
        temporal += squares / (stack - 1.0);
        means.push(mean);
    }
    let count = size as f64;
    let mean = means.iter().sum::<f64>() / count;
    let squares: f64 = means.iter().map(|value| (value - mean) * (value - mean)).sum();
    Ok((mean, squares / (count - 1.0) - temporal / count / stack))
}
