"""The peers of `benches/sensor.rs` on inputs of the same size: allantools and SciPy, best of some passes."""

import time
from importlib import metadata

import allantools
import numpy as np
from scipy.spatial import cKDTree

PASSES = 15


def best_of(once):
    best = float("inf")
    for _ in range(PASSES):
        began = time.perf_counter()
        once()
        best = min(best, time.perf_counter() - began)
    return 1e3 * best


generator = np.random.default_rng(1)
rates = generator.standard_normal(360_000)
taus = np.logspace(-2, 3, 100)
peer = f"allantools {metadata.version('AllanTools')}"
for name, function, times in (
    ("oadev 1 h at 100 Hz, 100 times", allantools.oadev, taus),
    ("oadev 1 h at 100 Hz, octaves", allantools.oadev, "octave"),
    ("mdev 1 h at 100 Hz, octaves", allantools.mdev, "octave"),
    ("totdev 1 h at 100 Hz, octaves", allantools.totdev, "octave"),
):
    once = lambda: function(rates, rate=100.0, data_type="freq", taus=times)
    print(f"{name}, {peer}: {best_of(once):.2f} ms")
first, second = generator.random((2, 100_000, 3))


def chamfer(workers):
    trees = [cKDTree(first), cKDTree(second)]
    return trees[1].query(first, workers=workers)[0].mean() + trees[0].query(second, workers=workers)[0].mean()


for workers in (1, 2):
    name = "chamfer 100k and 100k points, trees and both ways"
    print(f"{name}, scipy {metadata.version('scipy')} {workers} threads: {best_of(lambda: chamfer(workers)):.2f} ms")
