"""Spectra by SciPy and coefficients of dependence, on inputs made here. Writes expected.json."""

import json
import pathlib

import numpy
import scipy
import scipy.signal
import scipy.stats

assert scipy.__version__ == "1.17.1", scipy.__version__
assert numpy.__version__ == "2.4.6", numpy.__version__


def signal(count):
    draws = numpy.random.RandomState(3)
    t = numpy.arange(count) / 50.0
    values = numpy.sin(2 * numpy.pi * 7 * t) + 0.1 * t + draws.normal(0, 0.5, count) + 3.0
    return numpy.round(values, 4)


def columns():
    draws = numpy.random.RandomState(4)
    x = draws.normal(0, 1, 60)
    y = numpy.round(x * x + 0.3 * draws.normal(0, 1, 60) + 0.5 * x, 1)
    return numpy.round(x, 1), y


def distance_correlation(x, y):
    def centred(values):
        d = numpy.abs(values[:, None] - values[None, :])
        return d - d.mean(0) - d.mean(1)[:, None] + d.mean()

    a, b = centred(x), centred(y)
    return numpy.sqrt((a * b).mean() / numpy.sqrt((a * a).mean() * (b * b).mean()))


samples = signal(500)
cases = []
for window, detrend, scaling, average, length, overlap in [
    ("hann", "constant", "density", "mean", 64, 32),
    ("boxcar", False, "density", "mean", 64, 0),
    ("hamming", "linear", "spectrum", "mean", 63, 20),
    ("blackman", "constant", "density", "median", 50, 25),
    ("hann", "linear", "density", "median", 101, 60),
]:
    f, p = scipy.signal.welch(
        samples, fs=50.0, window=window, nperseg=length, noverlap=overlap,
        detrend=detrend, scaling=scaling, average=average,
    )
    cases.append({
        "window": window, "detrend": detrend or "none", "scaling": scaling, "average": average,
        "segment_length": length, "overlap": overlap,
        "frequencies_hz": f.tolist(), "values": p.tolist(),
    })
x, y = columns()
expected = {
    "versions": {"scipy": scipy.__version__, "numpy": numpy.__version__},
    "samples": samples.tolist(),
    "rate_hz": 50.0,
    "welch": cases,
    "x": x.tolist(),
    "y": y.tolist(),
    "pearson": scipy.stats.pearsonr(x, y).statistic,
    "spearman": scipy.stats.spearmanr(x, y).statistic,
    "kendall_tau_b": scipy.stats.kendalltau(x, y).statistic,
    "distance": distance_correlation(x, y),
}
path = pathlib.Path(__file__).with_name("expected.json")
path.write_text(json.dumps(expected, separators=(",", ":")) + "\n")
