#!/usr/bin/env python3
"""Compares the points that this crate reads with those of `plyfile` and `pypcd4` (PyPI).

Usage: independent_cloud.py DUMP_CLOUD FILE.ply|FILE.pcd ...

DUMP_CLOUD is the built example `dump_cloud`. Values are compared as the bits of an f64. A PCD is
also written again by `pypcd4` as text, binary and compressed, and read back. Exits 1 at a
difference.
"""

import subprocess
import sys
import tempfile

import numpy as np
from plyfile import PlyData
from pypcd4 import Encoding, PointCloud


def ours(program, path):
    data = subprocess.run([program, path], check=True, capture_output=True).stdout
    return np.frombuffer(data, "<f8")


def theirs(path):
    if path.endswith(".ply"):
        vertex = PlyData.read(path)["vertex"]
        columns = {name: vertex[name] for name in vertex.data.dtype.names}
    else:
        cloud = PointCloud.from_path(path)
        columns = dict(zip(cloud.fields, cloud.pc_data[list(cloud.fields)].dtype.names))
        columns = {name: cloud.pc_data[name] for name in cloud.fields}
    names = ["x", "y", "z"]
    names += [n for n in ("intensity", "scalar_intensity", "scalar_Intensity") if n in columns][:1]
    return np.stack([columns[name].astype(np.float64).ravel() for name in names], axis=1)


def main(program, paths):
    different = 0
    for path in paths:
        files = [path]
        folder = tempfile.TemporaryDirectory()
        if path.endswith(".pcd"):
            cloud = PointCloud.from_path(path)
            for encoding in (Encoding.ASCII, Encoding.BINARY, Encoding.BINARY_COMPRESSED):
                files.append(f"{folder.name}/{encoding.value}.pcd")
                cloud.save(files[-1], encoding=encoding)
        else:
            for text, order in ((True, "="), (False, ">"), (False, "<")):
                files.append(f"{folder.name}/{text}{'bl'[order == '<']}.ply")
                ply = PlyData.read(path)
                PlyData(ply.elements, text=text, byte_order=order).write(files[-1])
        for file in files:
            left, right = ours(program, file), theirs(file)
            count = right.size
            wrong = count
            if left.size == count:
                bits = left.reshape(right.shape).view(np.uint64)
                wrong = int(np.count_nonzero(bits != np.ascontiguousarray(right).view(np.uint64)))
            different += wrong
            print(f"{file}: {count} values, {wrong} differ")
    return 1 if different else 0


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2:]))
