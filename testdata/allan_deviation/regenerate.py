"""Runs allantools on a made record of white noise and random walk; writes made_record.json."""

import json
import pathlib
from importlib import metadata

import allantools
import numpy as np
from allantools import ci

assert metadata.version("AllanTools") == "2024.6"


def uniform(seed, count):
    """The generator of the NIST SP 1065 test suite."""
    values, state = [], seed
    for _ in range(count):
        values.append(state / 2147483647)
        state = 16807 * state % 2147483647
    return np.array(values)


count, rate = 3000, 20.0
rates = 5.0 + uniform(1234567890, count) + 0.05 * np.cumsum(uniform(987654321, count) - 0.5)
phases = np.concatenate([[0.0], np.cumsum(rates)]) / rate
result = {"versions": {"AllanTools": "2024.6", "numpy": np.__version__}}
result["count"], result["rate_hz"], result["rates_sum"] = count, rate, float(rates.sum())
for name in ("adev", "oadev", "mdev", "tdev", "hdev", "ohdev", "totdev"):
    function = getattr(allantools, name)
    for data, kind in ((rates, "freq"), (phases, "phase")):
        for taus in ("octave", "decade"):
            tau, dev, _, n = function(data, rate=rate, data_type=kind, taus=taus)
            key = f"{name} {kind} {taus}"
            result[key] = {"tau": tau.tolist(), "dev": dev.tolist(), "n": n.tolist()}
freedom = []
for alpha in (0, -1, -2):
    for m, phase_count in ((1, 1001), (4, 1001), (10, 1001), (30, 1001), (100, 1001), (1000, 100001), (20000, 100001)):
        one = {"alpha": alpha, "m": m, "phase_count": phase_count}
        one["totdev"] = ci.edf_totdev(phase_count, m, alpha)
        for name, d, overlapping, modified in (
            ("adev", 2, False, False),
            ("oadev", 2, True, False),
            ("mdev", 2, True, True),
            ("hdev", 3, False, False),
            ("ohdev", 3, True, False),
        ):
            edf = ci.edf_greenhall(alpha, d, m, phase_count, overlapping=overlapping, modified=modified)
            one[name] = float(edf)
        freedom.append(one)
result["freedom"] = freedom
low, high = ci.confidence_interval(1.0, 12.5, ci=0.95)
result["interval_12.5_95"] = [float(low), float(high)]
path = pathlib.Path(__file__).parent / "made_record.json"
path.write_text(json.dumps(result) + "\n")
