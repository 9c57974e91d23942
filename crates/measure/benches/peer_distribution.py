"""The measures of samples side by side with the Python packages, on one machine in one run.

    python crates/measure/benches/peer_distribution.py

Needs numpy, scipy, scikit-learn and prdc in this Python, and cargo. Prints rows of a table: ours,
the peer, and how many times faster ours is. Both sides draw normal values of the same sizes and take
the best of three.
"""

import contextlib
import io
import subprocess
import time
from importlib import metadata

import numpy
import prdc
import scipy.signal
import scipy.spatial.distance
import scipy.stats
from sklearn.feature_selection import mutual_info_regression

draws = numpy.random.default_rng(1)


def timed(of):
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        with contextlib.redirect_stdout(io.StringIO()):
            of()
        best = min(best, time.perf_counter() - start)
    return best


def kernel_and_labels(a, b):
    pooled = numpy.vstack([a, b])
    distances = scipy.spatial.distance.pdist(pooled)
    gamma = 1 / (2 * numpy.median(distances) ** 2)
    return numpy.exp(-gamma * scipy.spatial.distance.squareform(distances) ** 2), len(a)


def unbiased(kernel, first, second):
    n, m = len(first), len(second)
    xx = kernel[numpy.ix_(first, first)]
    yy = kernel[numpy.ix_(second, second)]
    xy = kernel[numpy.ix_(first, second)]
    return (xx.sum() - n) / (n * (n - 1)) + (yy.sum() - m) / (m * (m - 1)) - 2 * xy.mean()


def mmd_by_indexing(a, b):
    """As it is usually written: each permutation takes three blocks of the kernel."""
    kernel, n = kernel_and_labels(a, b)
    generator = numpy.random.default_rng(0)
    order = numpy.arange(len(kernel))
    values = [unbiased(kernel, order[:n], order[n:])]
    for _ in range(200):
        order = generator.permutation(len(kernel))
        values.append(unbiased(kernel, order[:n], order[n:]))
    return sum(value >= values[0] for value in values[1:])


def mmd_by_product(a, b):
    """As it can be written: all permutations are one matrix product of BLAS."""
    kernel, n = kernel_and_labels(a, b)
    numpy.fill_diagonal(kernel, 0)
    generator = numpy.random.default_rng(0)
    labels = numpy.zeros((len(kernel), 201))
    labels[:n, 0] = 1
    for column in range(1, 201):
        labels[generator.permutation(len(kernel))[:n], column] = 1
    first = (labels * (kernel @ labels)).sum(0)
    between = labels.T @ kernel.sum(0) - first
    second = kernel.sum() - first - 2 * between
    m = len(kernel) - n
    values = first / (n * (n - 1)) + second / (m * (m - 1)) - 2 * between / (n * m)
    return (values[1:] >= values[0]).sum()


def energy(a, b):
    cdist = scipy.spatial.distance.cdist
    return 2 * cdist(a, b).mean() - cdist(a, a).mean() - cdist(b, b).mean()


def frechet(a, b):
    ca, cb = numpy.cov(a.T), numpy.cov(b.T)
    shift = a.mean(0) - b.mean(0)
    return shift @ shift + numpy.trace(ca + cb - 2 * scipy.linalg.sqrtm(ca @ cb).real)


def named(peer):
    """With the version of the package, which is the first word."""
    package = peer.split(" ")[0].strip(",")
    return peer.replace(package, f"{package} {metadata.version(package)}", 1)


def main():
    normal = draws.normal
    small = normal(size=(1000, 8)), normal(size=(1000, 8))
    middle = normal(size=(2000, 8)), normal(size=(2000, 8))
    wide = normal(size=(5000, 64)), normal(size=(5000, 64))
    line = normal(size=1_000_000), normal(size=1_000_000)
    peers = [
        ("mmd_1000x8_200_permutations", "numpy, blocks", lambda: mmd_by_indexing(*small)),
        ("mmd_1000x8_200_permutations", "numpy, one product", lambda: mmd_by_product(*small)),
        ("energy_2000x8", "scipy cdist", lambda: energy(*middle)),
        ("prdc_5000x64", "prdc", lambda: prdc.compute_prdc(*wide, nearest_k=5)),
        ("frechet_5000x64", "scipy sqrtm", lambda: frechet(*wide)),
        ("bootstrap_mean_1000_2000_resamples", "scipy", lambda: scipy.stats.bootstrap(
            (line[0][:1000],), numpy.mean, n_resamples=2000, method="percentile")),
        ("mutual_information_1e4", "scikit-learn", lambda: mutual_info_regression(
            line[0][:10_000, None], line[1][:10_000], random_state=0)),
        ("ks_asymptotic_1e6", "scipy", lambda: scipy.stats.ks_2samp(*line, method="asymp")),
        ("ks_exact_5000", "scipy",
         lambda: scipy.stats.ks_2samp(line[0][:5000], line[1][:4999], method="exact")),
        ("wasserstein_1e6", "scipy", lambda: scipy.stats.wasserstein_distance(*line)),
        ("energy_1e6", "scipy", lambda: scipy.stats.energy_distance(*line)),
        ("welch_1e6_256", "scipy", lambda: scipy.signal.welch(line[0], 100.0, nperseg=256)),
    ]
    command = ["cargo", "bench", "-q", "-p", "tiepoint-measure", "--bench", "distribution"]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\n")
    ours = {name: float(seconds) for name, seconds in (line.split() for line in lines if line)}
    for name, peer, of in peers:
        seconds = timed(of)
        for key in (name, f"{name}_1t", f"{name}_2t"):
            if key in ours:
                ratio = seconds / ours[key]
                print(
                    f"| {key} | {ours[key] * 1e3:.1f} ms | {named(peer)} "
                    f"| {seconds * 1e3:.1f} ms | {ratio:.1f}x |"
                )


if __name__ == "__main__":
    main()
