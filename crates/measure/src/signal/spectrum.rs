//! Power spectral density by Welch's method, and the distance of two spectra.
//!
//! Invariant: never negative; with a window of ones, no overlap and no detrending the density
//! integrates to the mean square of the samples that were used.
//! Units: the samples' unit squared per hertz (density) or squared (spectrum); frequencies hertz.
//! Cost: `O(n log L)` time for segments of L samples, `O(L)` memory for each segment that is held
//! (the median holds all).
//!
//! Not here: gaps, and signals whose spectrum changes over time.

use rustfft::{FftPlanner, num_complex::Complex};
use serde::{Deserialize, Serialize};
use tiepoint_model::math;

use crate::{
    MeasureError, Metric, registry,
    statistics::{require_finite, require_positive},
};

/// What each segment is multiplied with. Periodic, as SciPy's `get_window` gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Taper {
    /// Ones.
    Boxcar,
    /// `0.5 − 0.5 cos`.
    Hann,
    /// `0.54 − 0.46 cos`.
    Hamming,
    /// `0.42 − 0.5 cos + 0.08 cos 2`.
    Blackman,
}

/// What is taken off each segment first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Detrend {
    /// Nothing.
    None,
    /// Its mean.
    Constant,
    /// Its least-squares line.
    Linear,
}

/// What a value of the spectrum is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PowerScaling {
    /// Power per hertz.
    Density,
    /// Power of a sine at that frequency.
    Spectrum,
}

/// How segments are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SegmentAverage {
    /// Arithmetic mean.
    Mean,
    /// Median over its bias for exponential values: one burst does not move it.
    Median,
}

/// Welch's method. SciPy's defaults: Hann, 256 samples, half overlap, constant, density, mean.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct WelchOptions {
    /// Samples per second.
    pub rate_hz: f64,
    /// Samples of a segment, at least 2.
    pub segment_length: usize,
    /// Samples that neighbours share, below `segment_length`.
    pub overlap: usize,
    /// What each segment is multiplied with.
    pub taper: Taper,
    /// What is taken off first.
    pub detrend: Detrend,
    /// What a value is.
    pub scaling: PowerScaling,
    /// How segments are put together.
    pub average: SegmentAverage,
}

impl WelchOptions {
    /// SciPy's defaults at this rate and segment length.
    #[must_use]
    pub fn scipy(rate_hz: f64, segment_length: usize) -> Self {
        Self {
            rate_hz,
            segment_length,
            overlap: segment_length / 2,
            taper: Taper::Hann,
            detrend: Detrend::Constant,
            scaling: PowerScaling::Density,
            average: SegmentAverage::Mean,
        }
    }

    /// The metric under these options.
    #[must_use]
    pub fn metric(&self) -> Metric {
        let taper = match self.taper {
            Taper::Boxcar => "boxcar",
            Taper::Hann => "hann",
            Taper::Hamming => "hamming",
            Taper::Blackman => "blackman",
        };
        let detrend = match self.detrend {
            Detrend::None => "none",
            Detrend::Constant => "constant",
            Detrend::Linear => "linear",
        };
        let average = match self.average {
            SegmentAverage::Mean => "mean",
            SegmentAverage::Median => "median",
        };
        Metric::new(registry::SIGNAL_LOG_SPECTRAL_DISTANCE)
            .with("segment", self.segment_length)
            .with("overlap", self.overlap)
            .with("window", taper)
            .with("detrend", detrend)
            .with("average", average)
    }
}

/// A one-sided power spectrum.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PowerSpectrum {
    /// From 0 to half the rate, hertz.
    pub frequencies_hz: Vec<f64>,
    /// Power per hertz or power, as the options say.
    pub values: Vec<f64>,
    /// Segments that were put together.
    pub segment_count: usize,
    /// Samples at the end that fill no segment.
    pub unused_count: usize,
}

/// The power spectrum of a signal by Welch's method.
///
/// # Inputs
/// - `samples`: evenly spaced, at least one segment long.
///
/// # Errors
/// [`MeasureError::Empty`], [`MeasureError::NotFinite`] (also where squares overflow),
/// [`MeasureError::TooFew`], [`MeasureError::InvalidOption`].
///
/// # Invariants
/// `power_density_integrates_to_the_mean_square`, `power_scales_with_the_square`,
/// `a_sine_has_its_power_at_its_frequency`.
///
/// # Source
/// Welch 1967; `scipy.signal.welch` 1.17.1 with `return_onesided=True`, to 1e-10 of the largest
/// value.
///
/// # Example
/// ```
/// use tiepoint_measure::signal::spectrum::{WelchOptions, welch};
///
/// let samples: Vec<f64> = (0..1000).map(|index| f64::from(index % 10)).collect();
/// let spectrum = welch(&samples, &WelchOptions::scipy(100.0, 200))?;
/// let peak = (0..101).max_by(|a, b| spectrum.values[*a].total_cmp(&spectrum.values[*b]));
/// assert_eq!(peak.map(|index| spectrum.frequencies_hz[index]), Some(10.0));
/// # Ok::<(), tiepoint_measure::MeasureError>(())
/// ```
pub fn welch(samples: &[f64], options: &WelchOptions) -> Result<PowerSpectrum, MeasureError> {
    require_finite(samples, "samples")?;
    check(samples, options)?;
    let length = options.segment_length;
    let taper = taper_values(options.taper, length);
    let scale = match options.scaling {
        PowerScaling::Density => {
            1.0 / (options.rate_hz * taper.iter().map(|value| value * value).sum::<f64>())
        }
        PowerScaling::Spectrum => {
            let sum: f64 = taper.iter().sum();
            1.0 / (sum * sum)
        }
    };
    let fft = FftPlanner::new().plan_fft_forward(length);
    let bin_count = length / 2 + 1;
    let step = length - options.overlap;
    let segment_count = (samples.len() - length) / step + 1;
    let mut held = vec![Vec::new(); bin_count];
    let mut sums = vec![0.0; bin_count];
    let mut buffer = vec![Complex::default(); length];
    for segment in samples.windows(length).step_by(step) {
        let line = trend(segment, options.detrend);
        for (index, (slot, (value, taper))) in
            buffer.iter_mut().zip(segment.iter().zip(&taper)).enumerate()
        {
            *slot = Complex::new((value - line[0] - line[1] * index as f64) * taper, 0.0);
        }
        fft.process(&mut buffer);
        for bin in 0..bin_count {
            let is_doubled = bin > 0 && 2 * bin != length;
            let power = buffer[bin].norm_sqr() * scale * if is_doubled { 2.0 } else { 1.0 };
            match options.average {
                SegmentAverage::Mean => sums[bin] += power,
                SegmentAverage::Median => held[bin].push(power),
            }
        }
    }
    let values: Vec<f64> = match options.average {
        SegmentAverage::Mean => sums.iter().map(|sum| sum / segment_count as f64).collect(),
        SegmentAverage::Median => {
            let bias = median_bias(segment_count);
            held.iter_mut().map(|values| median(values) / bias).collect()
        }
    };
    if let Some(index) = values.iter().position(|value| !value.is_finite()) {
        return Err(MeasureError::NotFinite { what: "power", index });
    }
    let bin_hz = options.rate_hz / length as f64;
    Ok(PowerSpectrum {
        frequencies_hz: (0..bin_count).map(|bin| bin as f64 * bin_hz).collect(),
        values,
        segment_count,
        unused_count: (samples.len() - length) % step,
    })
}

/// Root mean square of `10 log10` of the ratio of two spectra, decibels.
///
/// # Errors
/// [`MeasureError::Empty`], [`MeasureError::LengthMismatch`]; [`MeasureError::InvalidOption`] where
/// the frequencies differ or a power is zero.
///
/// # Invariants
/// `spectral_distance_is_a_metric_and_sees_gain_in_decibels`.
///
/// # Source
/// Gray and Markel, *Distance measures for speech processing*, 1976.
pub fn log_spectral_distance_db(
    left: &PowerSpectrum,
    right: &PowerSpectrum,
) -> Result<f64, MeasureError> {
    let (left_count, right_count) = (left.values.len(), right.values.len());
    if left_count != right_count {
        return Err(MeasureError::LengthMismatch {
            left: "left spectrum",
            left_count,
            right: "right spectrum",
            right_count,
        });
    }
    require_finite(&left.values, "left spectrum")?;
    require_finite(&right.values, "right spectrum")?;
    if left.frequencies_hz != right.frequencies_hz {
        return Err(MeasureError::InvalidOption {
            name: "rate_hz",
            value: right.frequencies_hz.last().copied().unwrap_or(0.0) * 2.0,
            requirement: "the same in both spectra",
        });
    }
    let mut sum = 0.0;
    for (a, b) in left.values.iter().zip(&right.values) {
        require_positive(*a, "power of the left spectrum")?;
        require_positive(*b, "power of the right spectrum")?;
        let ratio_db = 10.0 / std::f64::consts::LN_10 * (math::ln(*a) - math::ln(*b));
        sum += ratio_db * ratio_db;
    }
    Ok((sum / left_count as f64).sqrt())
}

fn check(samples: &[f64], options: &WelchOptions) -> Result<(), MeasureError> {
    require_positive(options.rate_hz, "rate_hz")?;
    let (length, overlap) = (options.segment_length, options.overlap);
    for (name, value, is_good, requirement) in [
        ("segment_length", length, length >= 2, "at least 2"),
        ("overlap", overlap, overlap < length, "below the segment length"),
    ] {
        if !is_good {
            let value = value as f64;
            return Err(MeasureError::InvalidOption { name, value, requirement });
        }
    }
    if samples.len() < length {
        return Err(MeasureError::TooFew { what: "samples", count: samples.len(), min: length });
    }
    Ok(())
}

fn taper_values(taper: Taper, length: usize) -> Vec<f64> {
    let cosine = |index: usize, times: f64| {
        math::cos(times * 2.0 * std::f64::consts::PI * index as f64 / length as f64)
    };
    (0..length)
        .map(|index| match taper {
            Taper::Boxcar => 1.0,
            Taper::Hann => 0.5 - 0.5 * cosine(index, 1.0),
            Taper::Hamming => 0.54 - 0.46 * cosine(index, 1.0),
            Taper::Blackman => 0.42 - 0.5 * cosine(index, 1.0) + 0.08 * cosine(index, 2.0),
        })
        .collect()
}

/// Height at the first sample and slope per sample of what is taken off.
fn trend(segment: &[f64], detrend: Detrend) -> [f64; 2] {
    let count = segment.len() as f64;
    let mean = segment.iter().sum::<f64>() / count;
    match detrend {
        Detrend::None => [0.0, 0.0],
        Detrend::Constant => [mean, 0.0],
        Detrend::Linear => {
            let middle = (count - 1.0) / 2.0;
            let (mut cross, mut square) = (0.0, 0.0);
            for (index, value) in segment.iter().enumerate() {
                let place = index as f64 - middle;
                cross += place * (value - mean);
                square += place * place;
            }
            let slope = cross / square;
            [mean - slope * middle, slope]
        }
    }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 {
        return values[middle];
    }
    0.5 * (values[middle - 1] + values[middle])
}

/// Mean of the median of `count` exponential values, over their mean.
fn median_bias(count: usize) -> f64 {
    let terms = (1..=(count.saturating_sub(1)) / 2).map(|k| {
        let even = 2.0 * k as f64;
        1.0 / (even + 1.0) - 1.0 / even
    });
    1.0 + terms.sum::<f64>()
}
