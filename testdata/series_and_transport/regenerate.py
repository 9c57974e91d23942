"""Columns, signals, scores and points, and what the field's packages say of them. Writes expected.json."""

import json
import pathlib
from importlib import metadata

import allantools
import numpy
import ot
import scipy.stats
import sklearn
from dtaidistance import dtw, dtw_ndim
from sklearn.feature_selection import mutual_info_regression

versions = {name: metadata.version(name) for name in
            ("AllanTools", "numpy", "POT", "scipy", "scikit-learn", "dtaidistance")}
assert versions == {"AllanTools": "2024.6", "numpy": "2.4.6", "POT": "0.9.7.post1",
                    "scipy": "1.17.1", "scikit-learn": "1.9.1", "dtaidistance": versions["dtaidistance"]}
draws = numpy.random.RandomState(20)


def rounded(*shape):
    return numpy.round(draws.normal(size=shape), 6)


def information():
    """Continuous columns, so that the noise of 1e-10 that scikit-learn adds decides nothing."""
    cases = []
    for count, k, how in ((200, 3, "line"), (200, 5, "circle"), (300, 3, "none"), (120, 1, "square")):
        x, noise = rounded(count), rounded(count)
        y = {"line": 0.8 * x + 0.6 * noise, "circle": numpy.sin(3 * x) + 0.1 * noise,
             "none": noise, "square": x * x + 0.2 * noise}[how]
        y = numpy.round(y, 6)
        value = mutual_info_regression(x[:, None], y, n_neighbors=k, random_state=0)[0]
        cases.append({"x": x.tolist(), "y": y.tolist(), "neighbours": k, "value": float(value)})
    return cases


def transport():
    cases = []
    for n, m, d in ((40, 40, 3), (30, 45, 2), (60, 7, 5), (1, 9, 2), (50, 50, 1)):
        a, b = rounded(n, d), numpy.round(0.7 * draws.normal(size=(m, d)) + 0.5, 6)
        weights = numpy.full(n, 1 / n), numpy.full(m, 1 / m)
        cases.append({
            "a": a.ravel().tolist(), "b": b.ravel().tolist(), "columns": d,
            "emd2 euclidean": float(ot.emd2(*weights, ot.dist(a, b, "euclidean"))),
            "emd2 sqeuclidean": float(ot.emd2(*weights, ot.dist(a, b, "sqeuclidean"))),
        })
    # Points on a grid: many plans cost the same.
    grid = numpy.array([[i, j] for i in range(5) for j in range(5)], float)
    other = numpy.round(2 * draws.random_sample((25, 2)) * 2)
    weights = numpy.full(25, 1 / 25), numpy.full(25, 1 / 25)
    cases.append({
        "a": grid.ravel().tolist(), "b": other.ravel().tolist(), "columns": 2,
        "emd2 euclidean": float(ot.emd2(*weights, ot.dist(grid, other, "euclidean"))),
        "emd2 sqeuclidean": float(ot.emd2(*weights, ot.dist(grid, other, "sqeuclidean"))),
    })
    return cases


def warping():
    cases = []
    for n, m, d in ((60, 60, 1), (50, 70, 1), (40, 40, 3)):
        a, b = rounded(n, d), rounded(m, d)
        value = dtw.distance(a[:, 0], b[:, 0]) if d == 1 else dtw_ndim.distance(a, b)
        cases.append({"a": a.ravel().tolist(), "b": b.ravel().tolist(), "columns": d, "value": float(value)})
    return cases


def violation(real, synthetic):
    """MMRV by its formula in the SIMPLER paper."""
    n = len(real)
    worst = [max(abs(real[i] - real[j]) * ((synthetic[i] < synthetic[j]) != (real[i] < real[j]))
                 for j in range(n)) for i in range(n)]
    return float(numpy.mean(worst))


def ranking():
    cases = []
    for count, digits in ((12, 6), (9, 1), (30, 1)):
        real = numpy.round(draws.random_sample(count), digits)
        synthetic = numpy.round(0.6 * real + 0.4 * draws.random_sample(count), digits)
        pearson = scipy.stats.pearsonr(real, synthetic)
        interval = pearson.confidence_interval(0.9)
        cases.append({
            "real": real.tolist(), "synthetic": synthetic.tolist(),
            "kendall_tau_b": float(scipy.stats.kendalltau(real, synthetic).statistic),
            "srcc": [float(v) for v in (pearson.statistic, interval.low, interval.high)],
            "mmrv": violation(real, synthetic),
        })
    return cases


def dependence():
    """The largest, the mean and the root mean square difference of two correlation matrices."""
    a, b = rounded(80, 4), rounded(60, 4)
    a[:, 1] = numpy.round(a[:, 1] + a[:, 0], 6)
    b[:, 2] = numpy.round(b[:, 2] - 0.5 * b[:, 3], 6)
    values = {}
    for name, of in (
        ("pearson", lambda m: numpy.corrcoef(m.T)),
        ("spearman", lambda m: scipy.stats.spearmanr(m).statistic),
        ("mutual information", lambda m: numpy.array([[
            numpy.sqrt(1 - numpy.exp(-2 * mutual_info_regression(m[:, [i]], m[:, j], random_state=0)[0]))
            for i in range(4)] for j in range(4)])),
    ):
        difference = numpy.abs(of(a) - of(b))[numpy.triu_indices(4, 1)]
        values[name] = [float(difference.max()), float(difference.mean()),
                        float(numpy.sqrt((difference**2).mean()))]
    return {"a": a.ravel().tolist(), "b": b.ravel().tolist(), "values": values}


def totals():
    """The kin of the Allan family, of a made record."""
    count, rate = 240, 20.0
    rates = numpy.round(5 + draws.normal(size=count) + 0.05 * numpy.cumsum(draws.normal(size=count)), 6)
    phases = numpy.concatenate([[0.0], numpy.cumsum(rates)]) / rate
    taus = numpy.array([1, 2, 3, 4, 6, 7, 10, 16, 25, 40, 60, 77, 80, 100, 150]) / rate
    found = {"rates": rates.tolist(), "rate_hz": rate}
    for name in ("mtotdev", "ttotdev", "htotdev", "theo1", "tierms", "mtie"):
        for data, kind in ((rates, "freq"), (phases, "phase")):
            tau, dev, _, n = getattr(allantools, name)(data, rate=rate, data_type=kind, taus=taus)
            found[f"{name} {kind}"] = {"tau": tau.tolist(), "dev": dev.tolist(), "n": n.tolist()}
    return found


expected = {
    "versions": versions,
    "information": information(),
    "transport": transport(),
    "warping": warping(),
    "ranking": ranking(),
    "dependence": dependence(),
    "totals": totals(),
}
path = pathlib.Path(__file__).with_name("expected.json")
path.write_text(json.dumps(expected, separators=(",", ":")) + "\n")
