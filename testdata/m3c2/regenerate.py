"""Runs py4dgeo on the epochs of m3c2.json with odd slab counts; writes odd_slabs.json."""

import json
import pathlib

import numpy as np
import py4dgeo

assert py4dgeo.__version__ == "1.2.0"
here = pathlib.Path(__file__).parent
given = json.loads((here / "m3c2.json").read_text())
first, second, core = (np.array(given[name]) for name in ("epoch1", "epoch2", "corepoints"))
cases = []
for cylinder, reach, registration, radii in [
    (0.3, 0.85, 0.01, [0.4]),
    (0.5, 0.5, 0.0, [0.3, 0.6]),
    (0.2, 0.55, 0.002, [0.25, 0.5, 1.0]),
]:
    run = py4dgeo.M3C2(
        epochs=(py4dgeo.Epoch(first), py4dgeo.Epoch(second)),
        corepoints=core,
        normal_radii=radii,
        cyl_radius=cylinder,
        max_distance=reach,
        registration_error=registration,
    )
    distances, uncertainties = run.run()
    numbers = lambda values: [None if np.isnan(v) else float(v) for v in values]
    cases.append(
        {
            "normal_radii": radii,
            "cyl_radius": cylinder,
            "max_distance": reach,
            "registration_error": registration,
            "distances": numbers(distances),
            "normals": run.directions().tolist(),
            "radii": numbers(np.ravel(run.directions_radii())),
            **{
                name: numbers(uncertainties[name])
                for name in ("lodetection", "spread1", "num_samples1", "spread2", "num_samples2")
            },
        }
    )
text = json.dumps({"versions": {"py4dgeo": "1.2.0", "numpy": np.__version__}, "cases": cases})
(here / "odd_slabs.json").write_text(text + "\n")
