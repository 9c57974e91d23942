//! Metrics of one series of numbers and of pairs of numbers.

use super::metrics;

metrics! {
    AUTOCORRELATION_EFFECTIVE_COUNT = "autocorrelation.effective_count", "1",
        "How many independent values a series that remembers is worth.",
        "Geyer, Practical Markov chain Monte Carlo, 1992";
    AUTOCORRELATION_TIME = "autocorrelation.time", "1",
        "The number of steps after which a series counts as new.",
        "Geyer, Practical Markov chain Monte Carlo, 1992; Sokal, 1996";
    RESIDUAL_MEAN = "residual.mean", "value",
        "Mean of the paired differences, synthetic minus real.",
        "this project";
    RESIDUAL_RMSE = "residual.rmse", "value",
        "Root mean square of the paired differences, synthetic minus real.",
        "this project";
    SIGNAL_DTW = "signal.dtw", "value",
        "Least cost of bending one signal in time to be another.",
        "Sakoe and Chiba 1978";
    SIGNAL_LOG_SPECTRAL_DISTANCE = "signal.log_spectral_distance", "dB",
        "Root mean square of the ratio of two power spectra in decibels.",
        "Gray and Markel 1976; spectra by Welch 1967, scipy.signal.welch 1.17.1";
}
