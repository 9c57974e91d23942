"""The Allan family and nearest neighbours side by side with allantools and SciPy, in one run.

    python crates/measure/benches/peer_sensor.py

Needs numpy, scipy and AllanTools in this Python, and cargo. Prints rows of a table: ours, the peer,
and how many times faster ours is. Both sides draw inputs of the same size and take the best of 15.
"""

import subprocess
import time
from importlib import metadata

import allantools
import numpy as np
from scipy.spatial import cKDTree

PASSES = 15


def best_ms(once):
    best = float("inf")
    for _ in range(PASSES):
        began = time.perf_counter()
        once()
        best = min(best, time.perf_counter() - began)
    return 1e3 * best


def chamfer(first, second, workers):
    trees = [cKDTree(first), cKDTree(second)]
    one = trees[1].query(first, workers=workers)[0].mean()
    return one + trees[0].query(second, workers=workers)[0].mean()


def row(name, ours_ms, peer, peer_ms):
    ratio = peer_ms / ours_ms
    print(f"| {name} | {ours_ms:.2f} ms | {peer} | {peer_ms:.2f} ms | {ratio:.1f}x |")


def main():
    command = ["cargo", "bench", "-q", "-p", "tiepoint-measure", "--bench", "sensor"]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    split = (line.rsplit(": ", 1) for line in lines if line.endswith(" ms"))
    ours = {name: float(time_ms.split()[0]) for name, time_ms in split}
    generator = np.random.default_rng(1)
    rates = generator.standard_normal(360_000)
    first, second = generator.random((2, 100_000, 3))
    peer = f"allantools {metadata.version('AllanTools')}"
    for name, function, times in (
        ("oadev 1 h at 100 Hz, 100 times", allantools.oadev, np.logspace(-2, 3, 100)),
        ("oadev 1 h at 100 Hz, octaves", allantools.oadev, "octave"),
        ("mdev 1 h at 100 Hz, octaves", allantools.mdev, "octave"),
        ("totdev 1 h at 100 Hz, octaves", allantools.totdev, "octave"),
    ):
        peer_ms = best_ms(lambda: function(rates, rate=100.0, data_type="freq", taus=times))
        for threads in (1, 2):
            key = f"{name}, {threads} threads"
            row(key, ours[key], peer, peer_ms)
    for threads in (1, 2):
        key = f"chamfer 100k and 100k points, trees and both ways, {threads} threads"
        peer = f"scipy {metadata.version('scipy')}, {threads} threads"
        row(key, ours[key], peer, best_ms(lambda: chamfer(first, second, threads)))


main()
