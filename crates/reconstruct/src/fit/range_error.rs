//! The law of a beacon's range errors: candidates fitted on one half, compared on the other.
//!
//! Invariant: every candidate is reported, none is preferred by hand; the flags follow from
//! numbers.
//! Metres, nats. The series keep their missing readings, so that lags mean the same everywhere.
//!
//! Not here: the residuals (see [`super::beacon`]) and the split into halves.

use serde::{Deserialize, Serialize};
use tiepoint_model::sensor::RangeErrorModel;
use tiepoint_model::{Seed, math};

pub use super::mixture::RANGE_SIGMA_FLOOR_M;
pub use super::uncertainty::ParameterEstimate;

use super::Estimate;
use super::error::{FitError, at_least};
use super::hidden_markov::fit_regime_switching;
use super::mixture::{Fitted, fit_gaussian, fit_heavy_tailed, fit_mixture};
use super::numeric::{
    autocorrelation, long_run_covariance, long_run_lags, mean, quantile, sorted, wasserstein,
};
use super::range_error_model::{check_series, draw_series, log_densities};
use super::uncertainty::{parameter_count, parameter_estimates};

/// Lags at which autocorrelations are compared: readings.
pub const LAG_COUNT: usize = 10;

/// Fewer readings in either half fit nothing.
const READINGS_MIN: usize = 30;

/// Series drawn per candidate, each as long as the held-out half.
const SIMULATED_SERIES: u64 = 100;

/// One candidate law and how it fares on readings that it has not seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CandidateReport {
    /// The fitted law.
    pub model: RangeErrorModel,
    /// Components or regimes; 1 for the others.
    pub part_count: usize,
    /// Its parameters with standard errors that allow for correlated errors.
    pub parameters: Vec<ParameterEstimate>,
    /// Readings that it was fitted to.
    pub calibration_count: usize,
    /// Log-likelihood of the calibration half, nats.
    pub calibration_log_likelihood: f64,
    /// Bayesian information criterion on the calibration half; lower is better.
    pub bic: f64,
    /// Mean one-step predictive log-likelihood of the held-out readings, nats; the standard error
    /// allows for correlated readings.
    pub held_out_log_likelihood: Estimate,
    /// The same minus the normal law's, reading by reading: the gain over independent normal
    /// errors.
    pub gain_over_gaussian: Estimate,
    /// Wasserstein-1 distance between held-out and simulated errors, metres.
    pub wasserstein_m: f64,
    /// Mean autocorrelation of simulated series at lags 1 to 10, same length and gaps as the
    /// held-out.
    pub autocorrelation: Vec<f64>,
    /// Root mean square of its difference from the held-out series' autocorrelation.
    pub autocorrelation_rms_difference: f64,
    /// True for the candidate with the greatest held-out likelihood of the beacon.
    pub is_best_held_out: bool,
    /// True for the candidate with the least BIC among those of its kind.
    pub is_best_of_kind_by_bic: bool,
    /// Steps of the fit.
    pub iteration_count: usize,
    /// True if the fit settled before the limit of steps.
    pub is_converged: bool,
}

/// All candidates for one beacon.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RangeErrorReport {
    /// Which.
    pub beacon_id: u32,
    /// Normal, heavy-tailed, mixtures of 2 and 3, regimes 1 to 3, in this order.
    pub candidates: Vec<CandidateReport>,
    /// Share of missing readings in the calibration half.
    pub missing_share: Estimate,
    /// Autocorrelation of the held-out series at lags 1 to 10.
    pub held_out_autocorrelation: Vec<f64>,
    /// Wasserstein-1 distance between the halves, metres: what a perfect copy of the calibration
    /// half would reach.
    pub halves_wasserstein_m: f64,
    /// Least and greatest error of the calibration half, metres.
    pub error_m: [f64; 2],
}

impl RangeErrorReport {
    /// The candidate that predicts the held-out half best.
    #[must_use]
    pub fn best(&self) -> Option<&CandidateReport> {
        self.candidates.iter().find(|candidate| candidate.is_best_held_out)
    }
}

/// Fits every candidate law to the calibration half and compares all on the held-out half.
///
/// # Inputs
/// Errors, reading minus distance, metres, in order of time; `None` where the reading is missing.
///
/// # Errors
/// [`FitError::TooFew`] (30 readings in each half), [`FitError::NotFinite`].
pub fn fit_range_error(
    beacon_id: u32,
    calibration_m: &[Option<f64>],
    held_out_m: &[Option<f64>],
    seed: Seed,
) -> Result<RangeErrorReport, FitError> {
    check_series(calibration_m)?;
    check_series(held_out_m)?;
    let values: Vec<f64> = calibration_m.iter().flatten().copied().collect();
    let held_out = sorted(held_out_m.iter().flatten().copied());
    at_least("calibration ranges", values.len(), READINGS_MIN)?;
    at_least("held-out ranges", held_out.len(), READINGS_MIN)?;
    let fits = [
        fit_gaussian(&values),
        fit_heavy_tailed(&values),
        fit_mixture(&values, 2),
        fit_mixture(&values, 3),
        fit_regime_switching(calibration_m, 1),
        fit_regime_switching(calibration_m, 2),
        fit_regime_switching(calibration_m, 3),
    ];
    let comparison = Comparison {
        calibration_m,
        held_out_m,
        held_out_sorted: &held_out,
        held_out_autocorrelation: autocorrelation(held_out_m, LAG_COUNT),
        gaussian_densities: log_densities(&fits[0].model, held_out_m),
        seed: seed.for_purpose("range_error"),
    };
    let mut candidates: Vec<CandidateReport> =
        fits.into_iter().map(|fit| comparison.report(fit)).collect();
    flag(&mut candidates);
    let calibration = sorted(values.iter().copied());
    let missing = 1.0 - values.len() as f64 / calibration_m.len() as f64;
    let missing_error = (missing * (1.0 - missing) / calibration_m.len() as f64).sqrt();
    Ok(RangeErrorReport {
        beacon_id,
        candidates,
        missing_share: Estimate {
            value: missing,
            standard_error: Some(missing_error),
            count: calibration_m.len(),
        },
        held_out_autocorrelation: comparison.held_out_autocorrelation,
        halves_wasserstein_m: wasserstein(&calibration, &held_out),
        error_m: [quantile(&calibration, 0.0), quantile(&calibration, 1.0)],
    })
}

/// What every candidate is compared with.
struct Comparison<'a> {
    calibration_m: &'a [Option<f64>],
    held_out_m: &'a [Option<f64>],
    held_out_sorted: &'a [f64],
    held_out_autocorrelation: Vec<f64>,
    gaussian_densities: Vec<f64>,
    seed: Seed,
}

impl Comparison<'_> {
    fn report(&self, fit: Fitted) -> CandidateReport {
        let calibration_count = self.calibration_m.iter().flatten().count();
        let calibration: f64 = log_densities(&fit.model, self.calibration_m).iter().sum();
        let free = parameter_count(&fit.model) as f64;
        let densities = log_densities(&fit.model, self.held_out_m);
        let gains: Vec<f64> = densities
            .iter()
            .zip(&self.gaussian_densities)
            .map(|(own, normal)| own - normal)
            .collect();
        let (wasserstein_m, autocorrelation) = self.simulate(&fit.model);
        let square: f64 = autocorrelation
            .iter()
            .zip(&self.held_out_autocorrelation)
            .map(|(own, real)| (own - real) * (own - real))
            .sum();
        CandidateReport {
            part_count: part_count(&fit.model),
            parameters: parameter_estimates(&fit.model, self.calibration_m),
            calibration_count,
            calibration_log_likelihood: calibration,
            bic: free * math::ln(calibration_count as f64) - 2.0 * calibration,
            held_out_log_likelihood: mean_estimate(&densities),
            gain_over_gaussian: mean_estimate(&gains),
            wasserstein_m,
            autocorrelation,
            autocorrelation_rms_difference: (square / LAG_COUNT as f64).sqrt(),
            is_best_held_out: false,
            is_best_of_kind_by_bic: false,
            iteration_count: fit.trace.len(),
            is_converged: fit.is_converged,
            model: fit.model,
        }
    }

    /// Distance of the simulated from the held-out errors, and the simulated autocorrelation.
    fn simulate(&self, model: &RangeErrorModel) -> (f64, Vec<f64>) {
        let mut pooled = Vec::new();
        let mut sums = vec![0.0; LAG_COUNT];
        for index in 0..SIMULATED_SERIES {
            let seed = Seed(self.seed.draws(index, 0).bits());
            let drawn = draw_series(model, self.held_out_m.len(), seed);
            let series: Vec<Option<f64>> =
                self.held_out_m.iter().zip(&drawn).map(|(real, own)| real.map(|_| *own)).collect();
            for (sum, value) in sums.iter_mut().zip(autocorrelation(&series, LAG_COUNT)) {
                *sum += value;
            }
            pooled.extend(series.into_iter().flatten());
        }
        let distance_m = wasserstein(&sorted(pooled), self.held_out_sorted);
        (distance_m, sums.into_iter().map(|sum| sum / SIMULATED_SERIES as f64).collect())
    }
}

fn part_count(model: &RangeErrorModel) -> usize {
    match model {
        RangeErrorModel::Gaussian { .. } | RangeErrorModel::HeavyTailed { .. } => 1,
        RangeErrorModel::Mixture { components } => components.len(),
        RangeErrorModel::RegimeSwitching { regimes, .. } => regimes.len(),
    }
}

/// Mean with a standard error for correlated values.
fn mean_estimate(values: &[f64]) -> Estimate {
    let count = values.len();
    let variance = long_run_covariance(values, values, long_run_lags(count)) / count as f64;
    Estimate { value: mean(values), standard_error: Some(variance.max(0.0).sqrt()), count }
}

fn flag(candidates: &mut [CandidateReport]) {
    let held_out = |candidate: &CandidateReport| candidate.held_out_log_likelihood.value;
    let top = candidates.iter().map(held_out).fold(f64::NEG_INFINITY, f64::max);
    if let Some(best) = candidates.iter_mut().find(|candidate| held_out(candidate) >= top) {
        best.is_best_held_out = true;
    }
    for index in 0..candidates.len() {
        let own = (candidates[index].model.name(), candidates[index].bic);
        let is_beaten = candidates.iter().enumerate().any(|(other, candidate)| {
            candidate.model.name() == own.0
                && (candidate.bic < own.1 || (candidate.bic == own.1 && other < index))
        });
        candidates[index].is_best_of_kind_by_bic = !is_beaten;
    }
}
