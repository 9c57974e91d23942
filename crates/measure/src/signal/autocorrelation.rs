//! How long a series remembers: autocorrelation, integrated time, effective sample size.
//!
//! Invariant: unchanged by adding a constant or multiplying by one; a series never counts as more
//! than its length.
//! Time is in steps: the series is evenly indexed, and the caller multiplies by the step.
//!
//! Not here: gaps. A series with missing values must be cut or filled first.

use serde::{Deserialize, Serialize};

use crate::{
    MeasureError,
    statistics::{require_finite, require_positive},
};

/// A shorter series says nothing about how long it remembers.
pub const SERIES_LENGTH_MIN: usize = 8;

/// Sokal's window ends at the first lag that is this many times as long as the time found so far.
pub const SOKAL_FACTOR: f64 = 5.0;

/// Where the sum of autocorrelations is cut, since its tail is noise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Window {
    /// Before the first pair of neighbouring lags whose sum is not positive: Geyer's initial
    /// positive sequence.
    GeyerInitialPositive,
    /// At the first lag `M >= 5 τ(M)`: Sokal's self-consistent window.
    Sokal,
}

/// How long a series remembers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct IntegratedTime {
    /// `1 + 2 Σ ρ_k` over the window, steps; at least 1 (an anticorrelated series counts as
    /// independent).
    pub time: f64,
    /// `n / time`, at most n.
    pub effective_count: f64,
    /// Lags that were summed.
    pub window_lag: usize,
    /// Values in the series.
    pub count: usize,
    /// How it was cut.
    pub window: Window,
    /// True if the window reached the end of the series: the time is then a lower bound.
    pub is_truncated: bool,
}

/// The autocorrelation of a series at lags `0..=lag_max`.
///
/// `ρ_k = Σ_{i < n−k} (x_i − x̄)(x_{i+k} − x̄) / Σ_i (x_i − x̄)²` (the estimate that divides by n
/// at every lag, so that it stays in `[-1, 1]`).
///
/// # Inputs
/// - `series`: n values at even steps.
/// - `lag_max`: below n.
///
/// # Output
/// `lag_max + 1` values in `[-1, 1]`, the first of which is 1.
///
/// # Errors
/// [`MeasureError::TooFew`], [`MeasureError::NotFinite`], [`MeasureError::Constant`],
/// [`MeasureError::InvalidOption`].
///
/// # Invariants
/// `autocorrelation_is_unchanged_by_shift_scale_and_reversal`.
///
/// # Source
/// Box and Jenkins, *Time Series Analysis*, 1976, equation 2.1.11.
///
/// # Example
/// ```
/// use tiepoint_measure::autocorrelation::autocorrelation;
///
/// let rho = autocorrelation(&[1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0], 1)?;
/// assert_eq!(rho, [1.0, -0.875]);
/// # Ok::<(), tiepoint_measure::MeasureError>(())
/// ```
pub fn autocorrelation(series: &[f64], lag_max: usize) -> Result<Vec<f64>, MeasureError> {
    let centred = Centred::of(series)?;
    if lag_max >= series.len() {
        return Err(MeasureError::InvalidOption {
            name: "lag_max",
            value: lag_max as f64,
            requirement: "below the length of the series",
        });
    }
    Ok((0..=lag_max).map(|lag| centred.correlation(lag)).collect())
}

/// How many steps a series remembers, and how many independent values it is worth.
///
/// `τ = 1 + 2 Σ_{k=1}^{M} ρ_k`, with the window M of [`Window`]; effective count `n / τ`.
///
/// # Inputs
/// - `series`: at least 8 values at even steps. Trust the answer from about 50 τ values on.
///
/// # Output
/// Steps, in `[1, n]`; 1 for independent values.
///
/// # Errors
/// [`MeasureError::TooFew`], [`MeasureError::NotFinite`], [`MeasureError::Constant`].
///
/// # Invariants
/// `integrated_time_of_an_autoregressive_series_is_known`,
/// `integrated_time_is_unchanged_by_shift_and_scale`, `repeating_each_value_lengthens_the_memory`.
///
/// # Source
/// Geyer, *Practical Markov chain Monte Carlo*, Statistical Science 7(4), 1992, section 3.3;
/// Sokal, *Monte Carlo methods in statistical mechanics: foundations and new algorithms*, 1996,
/// section 3.
///
/// # Example
/// ```
/// use tiepoint_measure::autocorrelation::{Window, integrated_time};
///
/// let series: Vec<f64> = (0..100).map(|i| f64::from(i / 10 % 2)).collect();
/// let time = integrated_time(&series, Window::GeyerInitialPositive)?;
/// assert!(time.time > 3.0 && time.effective_count < 34.0);
/// # Ok::<(), tiepoint_measure::MeasureError>(())
/// ```
pub fn integrated_time(series: &[f64], window: Window) -> Result<IntegratedTime, MeasureError> {
    let centred = Centred::of(series)?;
    let (time, window_lag) = match window {
        Window::GeyerInitialPositive => geyer(&centred),
        Window::Sokal => sokal(&centred),
    };
    let count = series.len();
    let time = time.clamp(1.0, count as f64);
    Ok(IntegratedTime {
        time,
        effective_count: count as f64 / time,
        window_lag,
        count,
        window,
        is_truncated: window_lag + 2 >= count,
    })
}

/// `−1 + 2 Σ Γ_m` over the pairs `Γ_m = ρ_{2m} + ρ_{2m+1}` ahead of the first that is not positive.
fn geyer(centred: &Centred) -> (f64, usize) {
    let mut time = -1.0;
    let mut lag = 0;
    while lag + 1 < centred.values.len() {
        let pair = centred.correlation(lag) + centred.correlation(lag + 1);
        if pair <= 0.0 {
            break;
        }
        time += 2.0 * pair;
        lag += 2;
    }
    (time, lag.saturating_sub(1))
}

fn sokal(centred: &Centred) -> (f64, usize) {
    let mut time = 1.0;
    for lag in 1..centred.values.len() {
        time += 2.0 * centred.correlation(lag);
        if lag as f64 >= SOKAL_FACTOR * time {
            return (time, lag);
        }
    }
    (time, centred.values.len() - 1)
}

/// A series without its mean, and its sum of squares.
struct Centred {
    values: Vec<f64>,
    square_sum: f64,
}

impl Centred {
    fn of(series: &[f64]) -> Result<Self, MeasureError> {
        if series.len() < SERIES_LENGTH_MIN {
            return Err(MeasureError::TooFew {
                what: "series",
                count: series.len(),
                min: SERIES_LENGTH_MIN,
            });
        }
        require_finite(series, "series")?;
        if series.iter().all(|value| *value == series[0]) {
            return Err(MeasureError::Constant { what: "series" });
        }
        // From the first value on, so that a large offset costs no digits.
        let values: Vec<f64> = series.iter().map(|value| value - series[0]).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let values: Vec<f64> = values.iter().map(|value| value - mean).collect();
        let square_sum: f64 = values.iter().map(|value| value * value).sum();
        // Differences whose squares underflow or overflow leave no ratio.
        require_positive(square_sum, "sum of squares of the series")?;
        Ok(Self { values, square_sum })
    }

    fn correlation(&self, lag: usize) -> f64 {
        let products = self.values.iter().zip(&self.values[lag..]).map(|(a, b)| a * b);
        products.sum::<f64>() / self.square_sum
    }
}
