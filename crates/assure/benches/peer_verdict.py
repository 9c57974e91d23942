"""The betting confidence sequence side by side with its published algorithm, on one machine in one run.

    python crates/assure/benches/peer_verdict.py

Needs numpy in this Python, and cargo. Prints rows of a table: ours, the peer, and how many times
faster ours is. The package `confseq` does not build here; the peer is its `hedged_cs` as published
(Waudby-Smith and Ramdas 2024): both capital processes for each mean of a grid, in NumPy. The grid has
20 means where the package takes 1000, so that the run ends; ours solves for the ends exactly.
"""

import subprocess
import time
from importlib import metadata

import numpy as np

MEANS = 20
ALPHA = 0.05


def bets(values, alpha):
    t = np.arange(1, len(values) + 1)
    mean = (0.5 + np.cumsum(values)) / (t + 1)
    variance = (0.25 + np.cumsum((values - mean) ** 2)) / (t + 1)
    before = np.concatenate([[0.25], variance[:-1]])
    return np.sqrt(2 * np.log(1 / alpha) / (t * np.log(t + 1) * before))


def hedged_interval(values):
    bet = bets(values, ALPHA / 2)
    limit = np.log(2 / ALPHA)
    kept = []
    for mean in np.linspace(0, 1, MEANS):
        above = np.cumsum(np.log1p(np.minimum(bet, 0.5 / max(mean, 1e-9)) * (values - mean)))
        below = np.cumsum(np.log1p(-np.minimum(bet, 0.5 / max(1 - mean, 1e-9)) * (values - mean)))
        if max(above.max(), below.max()) < limit:
            kept.append(mean)
    return kept


def main():
    command = ["cargo", "bench", "-q", "-p", "tiepoint-assure", "--bench", "verdict"]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    ours = {name: float(seconds) for name, seconds in (line.split() for line in lines if line)}
    values = np.random.default_rng(1).random(1_000_000)
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        hedged_interval(values)
        best = min(best, time.perf_counter() - start)
    peer = f"numpy {metadata.version('numpy')}, hedged_cs at {MEANS} of 1000 means"
    for name in ("betting_interval_1e6", "betting_sequence_1e6_grid_1000"):
        seconds = ours[name]
        print(
            f"| {name} | {seconds * 1e3:.1f} ms | {peer} | {best * 1e3:.1f} ms "
            f"| {best / seconds:.1f}x |"
        )
    print(f"| betting_equivalence_1e6 | {ours['betting_equivalence_1e6'] * 1e3:.1f} ms | target: 1 s | | |")


if __name__ == "__main__":
    main()
