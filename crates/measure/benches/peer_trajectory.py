"""Trajectory errors side by side with evo, library call against library call, in one run.

    python crates/measure/benches/peer_trajectory.py REFERENCE ESTIMATE

Both files hold 3x4 matrices (KITTI's format). Needs evo 1.38.1 (GPL-3.0, used as a program).
Reading the files and copying the estimate, which evo aligns in place, are not timed. Prints a row
of a table for each call: ours, the peer, and how many times faster ours is. Stops if the two
results differ.
"""

import copy
import json
import subprocess
import sys
import time

import evo
from evo.core import metrics
from evo.main_ape import ape
from evo.main_rpe import rpe
from evo.tools import file_interface

RUN_COUNT = 5
Relation = metrics.PoseRelation


def least_seconds(reference, estimate, call):
    best, value = float("inf"), None
    for _ in range(RUN_COUNT):
        one, other = copy.deepcopy(reference), copy.deepcopy(estimate)
        start = time.perf_counter()
        value = call(one, other).stats["rmse"]
        best = min(best, time.perf_counter() - start)
    return best, value


CALLS = {
    "ape_translation_se3": lambda p, q: ape(p, q, Relation.translation_part, align=True),
    "ape_translation_sim3": lambda p, q: ape(
        p, q, Relation.translation_part, align=True, correct_scale=True
    ),
    "ape_rotation_deg_se3": lambda p, q: ape(p, q, Relation.rotation_angle_deg, align=True),
    "rpe_translation_100m_all": lambda p, q: rpe(
        p, q, Relation.translation_part, delta=100.0, delta_unit=metrics.Unit.meters, all_pairs=True
    ),
}


def main():
    files = sys.argv[1:3]
    command = ["cargo", "bench", "-q", "-p", "tiepoint-measure", "--bench", "trajectory", "--"]
    run = subprocess.run(command + files, check=True, capture_output=True, text=True)
    ours = {row["name"]: row for row in map(json.loads, run.stdout.splitlines())}
    reference, estimate = map(file_interface.read_kitti_poses_file, files)
    poses = f"{reference.num_poses} poses"
    for name, call in CALLS.items():
        seconds, value = least_seconds(reference, estimate, call)
        one = ours[name]
        off = abs(one["value"] - value) / abs(value)
        if off > 1e-9:
            sys.exit(f"{name}: ours {one['value']}, evo {value}")
        ratio = seconds / one["seconds"]
        print(
            f"| {name}, {poses} | {one['seconds'] * 1e3:.3f} ms | evo {evo.__version__} "
            f"| {seconds * 1e3:.1f} ms | {ratio:.0f}x |"
        )


main()
