"""Inertial noise, LiDAR readings, video, shutters, channels, clocks, references and margins, and what the field's packages
say of them. Writes expected.json."""

import json
import pathlib
from importlib import metadata

import allantools
import numpy
import pandas
import scipy.integrate
import scipy.optimize
import scipy.signal
import scipy.stats
from allantools import ci
from scipy.spatial.transform import Rotation

versions = {"numpy": numpy.__version__, "scipy": scipy.__version__, "pandas": pandas.__version__,
            "AllanTools": metadata.version("AllanTools")}
assert versions == {"numpy": "2.4.6", "scipy": "1.17.1", "pandas": "3.1.1", "AllanTools": "2024.6"}, versions
draws = numpy.random.RandomState(33)


def rounded(*shape, digits=6):
    return numpy.round(draws.normal(size=shape), digits)


def uniform(seed, count):
    """The generator of the NIST SP 1065 test suite."""
    values, state = [], seed
    for _ in range(count):
        values.append(state / 2147483647)
        state = 16807 * state % 2147483647
    return numpy.array(values)


def inertial_noise():
    """A joint fit of three noises to a total deviation: the curve and its degrees of freedom are allantools', the
    squares without negative ones are SciPy's."""
    count, rate_hz, seeds = 16384, 100.0, (1234567890, 987654321, 192837465, 564738291, 1029384756, 657483920, 111222333)
    white, step, *parts = (uniform(seed, count) - 0.5 for seed in seeds)
    # Flicker as a sum of first-order processes whose memories are powers of four.
    keep = [1 - 0.25 ** (1 + part) for part in range(len(parts))]
    flicker = sum(scipy.signal.lfilter([numpy.sqrt(1 - a * a)], [1, -a], part) for a, part in zip(keep, parts))
    rates = white + 0.15 * flicker + 0.012 * numpy.cumsum(step)
    factors = 2 ** numpy.arange(14)
    tau_s, deviation, _, _ = allantools.totdev(rates, rate=rate_hz, data_type="freq", taus=factors / rate_hz)
    freedom = []
    for one in tau_s:
        near = (tau_s / one > 0.49) & (tau_s / one < 2.05)
        slope = scipy.stats.linregress(numpy.log(tau_s[near]), numpy.log(deviation[near])).slope
        alpha = 0 if slope < -0.25 else -1 if slope < 0.25 else -2
        freedom.append(max(1.0, ci.edf_totdev(count + 1, factors[len(freedom)], alpha)))
    flat = numpy.sqrt(2 * numpy.log(2) / numpy.pi)
    basis = numpy.stack([1 / tau_s, numpy.full_like(tau_s, flat**2), tau_s / 3], axis=1)
    measured = deviation**2
    expected = measured
    for _ in range(200):
        weight = numpy.sqrt(freedom) / expected
        size = numpy.linalg.norm(basis * weight[:, None], axis=0)
        found = scipy.optimize.nnls(basis * weight[:, None] / size, measured * weight)[0] / size
        expected = basis @ found
    density, instability, walk = numpy.sqrt(found)
    shares = basis * found / expected[:, None]
    return {"count": count, "rate_hz": rate_hz, "rates_sum": float(rates.sum()), "share_max": shares.max(axis=0).tolist(),
            "factors": factors.tolist(), "noise_density": density, "bias_instability": instability, "random_walk": walk,
            "bias_instability_at_most": float(deviation.min() / flat)}


EDGES = {"range_edges_m": [0.0, 8.0, 20.0], "incidence_edges_rad": [0.0, 0.6, 1.5]}
SPAN_M, LEVEL = 0.3, 0.95


def cell_of(table):
    """Which cell of range and incidence, half open; -1 outside."""
    cut = lambda name: pandas.cut(table[name[: name.index("_edges")] + name[name.index("_edges") + 6 :]], EDGES[name],
                                  right=False, labels=False)
    cell = cut("range_edges_m") * 2 + cut("incidence_edges_rad")
    return cell.fillna(-1).astype(int)


def range_noise():
    """Each cell's likelihood of rounded differences: a box's autocorrelation under a normal density, integrated by SciPy,
    mixed with strays, and maximised by SciPy."""
    step_m, count = 0.01, 1200
    place_m = numpy.round(draws.uniform(1, 22, count), 4)
    incidence = numpy.round(draws.uniform(0, 1.6, count), 4)
    noise = 0.004 + 0.004 * (place_m > 8) + 0.006 * (incidence > 0.6)
    readings = [numpy.round((place_m + noise * draws.normal(size=count)) / step_m) for _ in range(2)]
    steps = (readings[1] - readings[0]).astype(int)
    stray = draws.uniform(size=count) < 0.03
    steps[stray] = draws.randint(-40, 41, stray.sum())
    table = pandas.DataFrame({"range_m": place_m, "incidence_rad": incidence, "steps": steps})
    table["cell"] = cell_of(table)
    cells, span = [], SPAN_M / step_m
    for cell in range(4):
        inside = table[table.cell == cell].steps
        used = inside[inside.abs() * step_m <= SPAN_M + 1e-12]
        sizes = used.abs().value_counts().sort_index()

        def chance(size, sigma):
            spread = sigma * numpy.sqrt(2)
            of = lambda u: (1 - abs(u - size)) * scipy.stats.norm.pdf(u / spread) / spread
            ends = dict(epsabs=1e-15, epsrel=1e-13, limit=200)
            return sum(scipy.integrate.quad(of, low, low + 1, **ends)[0] for low in (size - 1, size))

        def unlikely(at):
            sigma, share = numpy.exp(at[0]), 1 / (1 + numpy.exp(-at[1]))
            mixed = [share * 0.5 / span + (1 - share) * chance(size, sigma) for size in sizes.index]
            return -(sizes.to_numpy() * numpy.log(mixed)).sum()

        best = scipy.optimize.minimize(unlikely, [numpy.log(0.7), -3.0], method="Nelder-Mead",
                                       options={"xatol": 1e-9, "fatol": 1e-12, "maxiter": 4000})
        cells.append({"sigma_m": float(numpy.exp(best.x[0]) * step_m), "outlier_share": float(1 / (1 + numpy.exp(-best.x[1]))),
                      "pair_count": len(used), "excluded_count": len(inside) - len(used)})
    return {"step_m": step_m, "span_m": SPAN_M, "level": LEVEL, "range_m": place_m.tolist(),
            "incidence_rad": incidence.tolist(), "steps": steps.tolist(), "cells": cells,
            "outside_count": int((table.cell < 0).sum())}


def drop_out():
    count = 400
    table = pandas.DataFrame({"range_m": numpy.round(draws.uniform(0, 22, count), 2),
                              "incidence_rad": numpy.round(draws.uniform(0, 1.6, count), 2)})
    table["missing"] = (draws.uniform(size=count) < 0.02 * table.range_m).astype(int)
    table["cell"] = cell_of(table)
    cells = []
    for _, group in table[table.cell >= 0].groupby("cell"):
        hits, beams = int(group.missing.sum()), len(group)
        ends = scipy.stats.binomtest(hits, beams).proportion_ci(LEVEL, method="exact")
        cells.append({"share": float(group.missing.mean()), "interval": [float(ends.low), float(ends.high)]})
    return {"level": LEVEL, "range_m": table.range_m.tolist(), "incidence_rad": table.incidence_rad.tolist(),
            "missing": table.missing.tolist(), "cells": cells, "outside_count": int((table.cell < 0).sum())}


def video():
    """Four frames of 192 by 128 pixels: blocks of 8 by 8 in 16 greys, noise of a known gain."""
    width, height, frames = 192, 128, 4
    down, across = numpy.divmod(numpy.arange(width * height), width)
    signal = 20.0 + 12.0 * ((down // 8 * (width // 8) + across // 8) % 16)
    noise = (uniform(1234567890, 4 * frames * width * height).reshape(frames, -1, 4).sum(axis=2) - 2) * numpy.sqrt(3)
    images = numpy.floor(10.0 + signal + numpy.sqrt(4.0 + 0.5 * signal) * noise + 0.5)
    black, white = 10.0, 240.0
    blocks = images.reshape(frames // 2, 2, height // 8, 8, width // 8, 8).transpose(0, 2, 4, 1, 3, 5).reshape(-1, 2, 64)
    blocks = blocks[(blocks.min(axis=(1, 2)) > black) & (blocks.max(axis=(1, 2)) < white)]
    table = pandas.DataFrame({"mean": blocks.mean(axis=(1, 2)),
                              "variance": (blocks[:, 0] - blocks[:, 1]).var(axis=1, ddof=1) / 2})
    table["level"] = numpy.minimum(((table["mean"] - black) / (white - black) * 16).astype(int), 15)
    rows = []
    for _, level in table.groupby("level"):
        if len(level) < 20:
            continue
        limit = numpy.inf
        for _ in range(5):
            level = level[level.variance <= limit]
            limit = 1.71 * level.variance.sort_values().iloc[len(level) // 2]
        rows.append((level["mean"].mean() - black, level.variance.mean(), len(level)))
    x, y, weight = numpy.array(rows).T
    expected = y
    for _ in range(20):
        sigma = expected * numpy.sqrt(2 / 63 / weight)
        (gain, read), covariance = numpy.polyfit(x, y, 1, w=1 / sigma, cov="unscaled")
        chi_square = (((y - read - gain * x) / sigma) ** 2).sum() / (len(x) - 2)
        expected = numpy.maximum(read + gain * x, 0.1 * y)
    return {"width": width, "height": height, "frames": frames, "black_dn": black, "white_dn": white,
            "sum_dn": float(images.sum()), "gain_dn": gain, "read_variance_dn2": read, "level_count": len(rows),
            "gain_standard_error_dn": float(numpy.sqrt(covariance[0, 0])), "reduced_chi_square": chi_square,
            "block_count": int(weight.sum())}


def line_delay():
    rows, velocity = numpy.round(draws.uniform(0, 480, 40), 2), numpy.round(300 * draws.normal(size=(40, 2)), 3)
    shift = velocity * (0.002 + 3e-5 * rows)[:, None] + 0.2 * draws.normal(size=(40, 2))
    shift = numpy.round(shift, 4)
    matrix = numpy.stack([velocity.ravel(), (velocity * rows[:, None]).ravel()], axis=1)
    found, left, _, _ = numpy.linalg.lstsq(matrix, shift.ravel())
    error = numpy.sqrt(left[0] / (2 * 40 - 2) * numpy.linalg.inv(matrix.T @ matrix)[1, 1])
    half = scipy.stats.norm.ppf(0.5 + LEVEL / 2) * error
    return {"rows": rows.tolist(), "velocity_px_per_s": velocity.tolist(), "shift_px": shift.tolist(), "level": LEVEL,
            "delay_s": found[1], "offset_s": found[0], "interval": [found[1] - half, found[1] + half],
            "residual_px": float(numpy.sqrt(left[0] / 40))}


def channel():
    steps = draws.normal(100e6, 3e6, 300).astype(numpy.int64)
    steps[[20, 150]] = [320_000_000, 260_000_000]
    steps[[60, 61, 200]] = [0, -40_000_000, 0]
    stamps = 1_700_000_000_000_000_000 + numpy.concatenate([[0], numpy.cumsum(steps)])
    interval = pandas.Series(stamps).diff().dropna()
    interval = interval[interval > 0]
    gap = interval / interval.median() > 1.5
    missing = ((interval[gap] / interval.median()).round() - 1).sum()
    return {"log_times_ns": [str(stamp) for stamp in stamps], "rate_hz": 1e9 / interval.median(),
            "jitter_share": interval[~gap].std(ddof=0) / interval.median(),
            "gap_share": missing / (len(stamps) + missing), "gap_count": int(gap.sum())}


def references():
    """Least squares over all pairs by NumPy, for three and for five paths, errors of unlike size."""
    cases = []
    for count in (3, 5):
        truth = numpy.cumsum(draws.normal(size=(60, 3)), axis=0)
        paths = [numpy.round(truth + 0.05 * (1 + i) * draws.normal(size=(60, 3)), 6) for i in range(count)]
        pairs = [(i, j) for i in range(count) for j in range(i)]
        matrix = [[float(k in pair) for k in range(count)] for pair in pairs]
        variances = [numpy.trace(numpy.cov((paths[i] - paths[j]).T)) for i, j in pairs]
        own = numpy.linalg.lstsq(numpy.array(matrix), numpy.array(variances))[0]
        steps = [numpy.linalg.norm(numpy.diff(path, axis=0), axis=1) for path in paths]
        scale = numpy.abs(steps[-1] / steps[0] - 1) * 100
        cases.append({"paths": [path.tolist() for path in paths], "variance_m2": own.tolist(),
                      "step_scale_percent": {"mean": scale.mean(), "max": scale.max(), "each": scale.tolist()}})
    return cases


def clocks():
    """Speeds over cells by NumPy, the correlation at each lag over the cells in common by pandas, a parabola by NumPy."""
    step_ns, offset_ns, search_ns, guess_ns = 50_000_000, 317_000_000, 1_000_000_000, 200_000_000
    time_s = numpy.linspace(0, 25, 5001)
    turn = numpy.stack([0.4 * numpy.sin(0.9 * time_s + i) + 0.3 * numpy.sin((1.7 + i) * time_s) for i in range(3)], axis=1)
    place = numpy.stack([2 * numpy.sin((0.31 + 0.23 * i) * time_s) + numpy.sin(1.9 * time_s + i) for i in range(3)], axis=1)
    paths = []
    for late_ns, noise in ((0, 1e-3), (-offset_ns, 2e-3)):
        stamps = (numpy.arange(220) * 90_000_000 + draws.randint(-20_000_000, 20_000_000, 220)).astype(numpy.int64) + 2 * 10**9
        at = lambda values: numpy.stack([numpy.interp(stamps / 1e9, time_s, v) for v in values.T], axis=1)
        turned = Rotation.from_rotvec(at(turn) + noise * draws.normal(size=(220, 3)))
        placed = numpy.round(at(place) + noise * draws.normal(size=(220, 3)), 6)
        quaternions = numpy.round(turned.as_quat(), 9)
        paths.append((stamps + late_ns + 1_700_000_000 * 10**9, placed, quaternions))
    origin = paths[1][0][0]
    result = {"paths": [{"stamps_ns": [str(s) for s in stamps], "xyz": placed.tolist(), "xyzw": turned.tolist()}
                        for stamps, placed, turned in paths],
              "step_ns": step_ns, "guess_ns": guess_ns, "search_ns": search_ns, "overlap_min_ns": 5_000_000_000}
    for signal in ("angular_speed", "speed"):
        speeds = []
        for (stamps, placed, turned), shift in zip(paths, (-origin - guess_ns, -origin)):
            if signal == "speed":
                parts = numpy.linalg.norm(numpy.diff(placed, axis=0), axis=1)
            else:
                turns = Rotation.from_quat(turned)
                parts = (turns[:-1].inv() * turns[1:]).magnitude()
            travelled = numpy.concatenate([[0], numpy.cumsum(parts)])
            at_ns = (stamps + shift).astype(float)
            edges = numpy.arange(numpy.ceil(at_ns[0] / step_ns), numpy.floor(at_ns[-1] / step_ns) + 1)
            cells = numpy.diff(numpy.interp(edges * step_ns, at_ns, travelled)) / (step_ns / 1e9)
            speeds.append(pandas.Series(cells, index=edges[:-1].astype(int)))
        reference, estimate = speeds
        lags = numpy.arange(-search_ns // step_ns, search_ns // step_ns + 1)

        def correlation(lag):
            shifted = estimate.copy()
            shifted.index = estimate.index + lag
            return reference.corr(shifted)

        values = numpy.array([correlation(lag) for lag in lags])
        best = int(values.argmax())
        bend, tilt, _ = numpy.polyfit([-1, 0, 1], values[best - 1 : best + 2], 2)
        share = -tilt / (2 * bend)
        result[signal] = {"offset_ns": guess_ns + (lags[best] + share) * step_ns,
                          "correlation": values[best] - tilt**2 / (4 * bend),
                          "curvature_per_s2": 2 * bend / (step_ns / 1e9) ** 2}
    return result


def upper_bounds():
    gamma, margin, error_rate = 0.4, 0.6, 0.05
    left, right = rounded(24, 2, digits=4), numpy.round(rounded(30, 2, digits=4) + 0.3, 4)
    n, m = len(left), len(right)
    kernel = lambda a, b: numpy.exp(-gamma * ((a[:, None] - b[None]) ** 2).sum(axis=2))
    xx, yy, xy = kernel(left, left), kernel(right, right), kernel(left, right)
    off = lambda k: k - numpy.eye(len(k))
    unbiased = off(xx).sum() / (n * (n - 1)) + off(yy).sum() / (m * (m - 1)) - 2 * xy.mean()
    of_left = off(xx).sum(axis=1) / (n - 1) - xy.mean(axis=1)
    of_right = xy.mean(axis=0) - off(yy).sum(axis=1) / (m - 1)
    error = numpy.sqrt(4 * (of_left.var(ddof=1) / n + of_right.var(ddof=1) / m))
    biased = numpy.sqrt(xx.mean() + yy.mean() - 2 * xy.mean())
    far, spread = 1 / numpy.sqrt(n) + 1 / numpy.sqrt(m), 2 * (n + m) / (n * m)
    slack = margin - biased - far
    return {"left": left.tolist(), "right": right.tolist(), "gamma": gamma, "margin": margin, "error_rate": error_rate,
            "normal": {"squared": unbiased, "p_value": scipy.stats.norm.sf((margin**2 - unbiased) / error),
                       "upper_bound": numpy.sqrt(max(0.0, unbiased + scipy.stats.norm.isf(error_rate) * error))},
            "concentration": {"squared": biased**2, "p_value": float(numpy.exp(-max(0.0, slack) ** 2 / spread)),
                              "upper_bound": biased + far + numpy.sqrt(-spread * numpy.log(error_rate))}}


result = {"versions": versions, "inertial_noise": inertial_noise(), "cells": EDGES, "range_noise": range_noise(),
          "drop_out": drop_out(), "video": video(), "line_delay": line_delay(), "channel": channel(),
          "references": references(), "clocks": clocks(), "upper_bounds": upper_bounds()}
path = pathlib.Path(__file__).parent / "expected.json"
path.write_text(json.dumps(result) + "\n")
