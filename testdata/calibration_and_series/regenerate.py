"""Calibrations, series, spectra, residuals and loops, and what the field's packages say of them. Writes expected.json."""

import json
import pathlib
from importlib import metadata

import cv2
import emcee
import numpy
import scipy.signal
import scipy.stats
from scipy.spatial.transform import Rotation

versions = {"numpy": numpy.__version__, "scipy": scipy.__version__, "emcee": emcee.__version__,
            "OpenCV": metadata.version("opencv-python-headless")}
assert versions == {"numpy": "2.4.6", "scipy": "1.17.1", "emcee": "3.1.6", "OpenCV": "5.0.0.93"}, versions
draws = numpy.random.RandomState(21)


def rounded(*shape):
    return numpy.round(draws.normal(size=shape), 6)


def transform(position, vector):
    found = numpy.eye(4)
    found[:3, :3], found[:3, 3] = Rotation.from_rotvec(vector).as_matrix(), position
    return found


def quaternion(vector):
    return Rotation.from_rotvec(vector).as_quat().tolist()


def extrinsics():
    cases = []
    for twist in (rounded(3), numpy.round(1e-3 * rounded(3), 9), numpy.array([0.0, 0.0, 3.1])):
        at, turn, by = rounded(3), rounded(3), numpy.round(1e-2 * rounded(3), 8)
        later = transform(at, turn) @ transform(by, twist)
        drift = numpy.linalg.inv(transform(at, turn)) @ later
        vector = Rotation.from_matrix(drift[:3, :3]).as_rotvec()
        cases.append({
            "earlier": {"at": at.tolist(), "xyzw": quaternion(turn)},
            "later": {"at": later[:3, 3].tolist(), "xyzw": Rotation.from_matrix(later[:3, :3]).as_quat().tolist()},
            "translation_mm": (1e3 * drift[:3, 3]).tolist(), "distance_mm": float(1e3 * numpy.linalg.norm(drift[:3, 3])),
            "rotation_mrad": (1e3 * vector).tolist(), "angle_mrad": float(1e3 * numpy.linalg.norm(vector)),
        })
    return cases


SIZE, GRID = (640, 480), 9
STOP = (cv2.TERM_CRITERIA_MAX_ITER + cv2.TERM_CRITERIA_EPS, 500, 1e-15)


def matrix(focal, centre):
    return numpy.array([[focal[0], 0, centre[0]], [0, focal[1], centre[1]], [0, 0, 1.0]])


def reprojection():
    across, down = (numpy.linspace(0, size - 1, GRID) for size in SIZE)
    pixels = numpy.array([[x, y] for y in down for x in across])[:, None, :]
    zero = numpy.zeros(3)
    cases = []
    for kind, first, second in (
        ("brown_conrady", [-0.28, 0.07, 2e-4, 1.8e-5, -0.01], [-0.27, 0.065, 1e-4, 3e-5, -0.009]),
        ("kannala_brandt", [0.0034, 7e-4, -0.002, 2e-4], [0.004, 5e-4, -0.0018, 3e-4]),
    ):
        one = matrix((458.654, 457.296), (320.2, 239.4)), numpy.array(first)
        two = matrix((459.1, 457.0), (320.9, 238.9)), numpy.array(second)
        if kind == "brown_conrady":
            rays = cv2.undistortPoints(pixels, *one, criteria=STOP)[:, 0]
            space = numpy.hstack([rays, numpy.ones((len(rays), 1))])
            moved = cv2.projectPoints(space[:, None], zero, zero, *two)[0][:, 0]
        else:
            rays = cv2.fisheye.undistortPoints(pixels, *one, criteria=STOP)
            space = numpy.concatenate([rays, numpy.ones((len(rays), 1, 1))], axis=2)
            moved = cv2.fisheye.projectPoints(space, zero, zero, *two)[0][:, 0]
        shift = numpy.linalg.norm(moved - pixels[:, 0], axis=1)
        cases.append({
            "kind": kind, "size": SIZE, "grid": GRID,
            "earlier": {"focal": [458.654, 457.296], "centre": [320.2, 239.4], "lens": first},
            "later": {"focal": [459.1, 457.0], "centre": [320.9, 238.9], "lens": second},
            "largest": float(shift.max()), "root_mean_square": float(numpy.sqrt((shift**2).mean())),
            "at": pixels[shift.argmax(), 0].tolist(),
        })
    return cases


def memory():
    cases = []
    for count, share in ((400, 0.8), (1000, 0.5), (300, 0.0)):
        noise, series = draws.normal(size=count), numpy.zeros(count)
        for index in range(1, count):
            series[index] = share * series[index - 1] + noise[index]
        series = numpy.round(series, 4)
        time = emcee.autocorr.integrated_time(series, c=5, quiet=True)[0]
        cases.append({"series": series.tolist(), "time": float(time)})
    return cases


def spectra():
    a, b = numpy.round(rounded(400), 4), numpy.round(numpy.cumsum(0.3 * rounded(400)), 4)
    (_, one), (_, two) = (scipy.signal.welch(v, fs=20.0, nperseg=64) for v in (a, b))
    keep = slice(None)
    ratio = 10 * numpy.log10(one[keep] / two[keep])
    return {"a": a.tolist(), "b": b.tolist(), "value": float(numpy.sqrt((ratio**2).mean()))}


def residuals():
    values = numpy.round(0.3 + 0.2 * draws.normal(size=150), 6)
    places = numpy.round(5 * draws.random_sample((150, 2)), 6)
    edges = numpy.arange(6.0)
    mean = scipy.stats.binned_statistic_2d(*places.T, values, "mean", [edges, edges]).statistic
    square = scipy.stats.binned_statistic_2d(*places.T, values**2, "mean", [edges, edges]).statistic
    return {
        "values": values.tolist(), "mean": float(values.mean()),
        "rmse": float(numpy.sqrt((values**2).mean())),
        "percentiles": numpy.percentile(values, [5, 95]).tolist(),
        "places": places.ravel().tolist(),
        "cells": [[i, j, mean[i, j], float(numpy.sqrt(square[i, j]))]
                  for i in range(5) for j in range(5) if numpy.isfinite(mean[i, j])],
    }


def loop():
    poses = [numpy.eye(4)]
    for _ in range(30):
        poses.append(poses[-1] @ transform(0.2 * rounded(3), 0.2 * rounded(3)))
    known = transform(rounded(3), rounded(3))
    error = numpy.linalg.inv(known) @ numpy.linalg.inv(poses[0]) @ poses[-1]
    length = sum(numpy.linalg.norm(b[:3, 3] - a[:3, 3]) for a, b in zip(poses, poses[1:]))
    row = lambda pose: pose[:3, 3].tolist() + Rotation.from_matrix(pose[:3, :3]).as_quat().tolist()
    translation = float(numpy.linalg.norm(error[:3, 3]))
    return {"poses": [row(pose) for pose in poses], "known": row(known), "translation": translation,
            "rotation": float(Rotation.from_matrix(error[:3, :3]).magnitude()), "share": translation / float(length)}


expected = {
    "versions": versions,
    "extrinsics": extrinsics(),
    "reprojection": reprojection(),
    "memory": memory(),
    "spectra": spectra(),
    "residuals": residuals(),
    "loop": loop(),
}
path = pathlib.Path(__file__).with_name("expected.json")
path.write_text(json.dumps(expected, separators=(",", ":")) + "\n")
