"""Writes evo_relations.json: relations and units that evo_synthetic.json leaves out.

Run with evo 1.38.1 (GPL-3.0, used as a program): `python regenerate_relations.py`.
"""

import copy
import itertools
import json
import pathlib

import evo
import numpy as np
from evo.core import metrics, sync
from evo.core.trajectory import PoseTrajectory3D
from evo.main_ape import ape
from evo.main_rpe import rpe

HERE = pathlib.Path(__file__).parent
assert evo.__version__.lstrip("v") == "1.38.1"
inputs = json.loads((HERE / "evo_synthetic.json").read_text())["inputs"]


def path(side):
    one = inputs[side]
    return PoseTrajectory3D(
        positions_xyz=np.array(one["xyz"]),
        orientations_quat_wxyz=np.array(one["quat_wxyz"]),
        timestamps=np.array(one["t"]),
    )


reference, estimate = sync.associate_trajectories(path("ref"), path("est"), max_diff=0.01)
Relation = metrics.PoseRelation


def row(kind, relation, arguments, result):
    return {
        "kind": kind,
        "pose_relation": relation.name,
        "args": arguments,
        "stats": {name: float(value) for name, value in result.stats.items()},
        "n": len(result.np_arrays["error_array"]),
        "error_head": [float(value) for value in result.np_arrays["error_array"][:3]],
    }


cases = []
for relation, align in itertools.product(
    [Relation.rotation_angle_rad, Relation.rotation_part, Relation.point_distance], [False, True]
):
    result = ape(reference, copy.deepcopy(estimate), relation, align=align)
    cases.append(row("ape", relation, {"align": align}, result))
for relation, (delta, unit), all_pairs, scale in itertools.product(
    [
        Relation.point_distance,
        Relation.point_distance_error_ratio,
        Relation.rotation_angle_rad,
        Relation.rotation_part,
        Relation.full_transformation,
    ],
    [(3, "frames"), (2.0, "meters"), (0.3, "radians"), (20.0, "degrees")],
    [False, True],
    [False, True],
):
    arguments = {"delta": delta, "delta_unit": unit, "all_pairs": all_pairs}
    if scale:
        arguments |= {"align": True, "correct_scale": True}
    try:
        result = rpe(
            reference,
            copy.deepcopy(estimate),  # the call aligns its argument in place
            relation,
            delta=delta,
            delta_unit=getattr(metrics.Unit, unit),
            all_pairs=all_pairs,
            align=scale,
            correct_scale=scale,
            support_loop=True,
        )
    except metrics.filters.FilterException:
        continue  # No pair of poses is that far apart.
    cases.append(row("rpe", relation, arguments, result))

text = json.dumps({"versions": {"evo": "1.38.1", "numpy": np.__version__}, "cases": cases})
(HERE / "evo_relations.json").write_text(text + "\n")
