"""Runs emva1288 on two small stacks of made images; writes made_images.json."""

import json
import pathlib
from importlib import metadata

import numpy as np
from emva1288.process import data, results, routines

assert metadata.version("emva1288") == "1.0.2"
generator = np.random.default_rng(5)
height, width, stack = 12, 16, 8


def images(electrons, count, pattern):
    noise = generator.normal(size=(count, height, width)) * np.sqrt(electrons + 60.0)
    return np.round(20.0 + 0.25 * (electrons * pattern[0] + pattern[1] + noise)).astype(np.int64)


pattern = (1.0 + 0.05 * generator.normal(size=(height, width)), 20.0 * generator.normal(size=(height, width)))
exposures = [(float(t), 800.0 * t) for t in range(1, 13)]
temporal, pairs = {}, []
for time, electrons in exposures:
    bright, dark = images(min(electrons, 7000.0), 2, pattern), images(0.0, 2, pattern)
    if electrons > 7000.0:
        bright = np.minimum(bright, 1700)
    pairs.append({"exposure": time, "photons": 2.0 * electrons, "bright": bright.tolist(), "dark": dark.tolist()})
    temporal[time] = {}
    for photons, stackpair in ((0.0, dark), (2.0 * electrons, bright)):
        summed = routines.get_int_imgs(list(stackpair))
        temporal[time][photons] = {
            "sum": float(np.sum(summed["sum"])),
            "pvar": float(np.sum(summed["pvar"])),
            "dmean": summed["dmean"],
        }
bright, dark = images(3500.0, stack, pattern), images(0.0, stack, pattern)
spatial = {6.0: {0.0: routines.get_int_imgs(list(dark)), 7000.0: routines.get_int_imgs(list(bright))}}
given = data.Data1288({"width": width, "height": height, "temporal": temporal, "spatial": spatial}).data
got = results.Results1288(given)
names = ["K", "R", "sigma_d", "sigma_y_dark", "u_p_min", "u_p_sat", "SNR_max", "DR", "DSNU1288", "PRNU1288"]
out = {
    "versions": {"emva1288": "1.0.2", "numpy": np.__version__},
    "width": width,
    "pairs": pairs,
    "bright": bright.tolist(),
    "dark": dark.tolist(),
    "temporal": {name: np.asarray(values, float).tolist() for name, values in given["temporal"].items()},
    "results": {name: float(value() if callable(value := getattr(got, name)) else value) for name in names},
    "linearity": [float(got.LE_min), float(got.LE_max)],
}
path = pathlib.Path(__file__).parent / "made_images.json"
path.write_text(json.dumps(out, separators=(",", ":")) + "\n")
