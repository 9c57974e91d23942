"""Pairs of scans and a map of walls, and what NumPy, SciPy and Shapely say of them. Writes expected.json."""

import json
import pathlib

import numpy
import scipy
import shapely
from scipy.spatial import cKDTree

versions = {"numpy": numpy.__version__, "scipy": scipy.__version__, "shapely": shapely.__version__}
assert versions == {"numpy": "2.4.6", "scipy": "1.17.1", "shapely": "2.2.0"}, versions
draws = numpy.random.RandomState(55)
MIN_M, MAX_M, STEP_M, CLIP_M, TOLERANCE_M = 0.1, 6.0, 0.01, 0.2, 0.05
BEAMS, SCANS = 72, 3
CELL_M, COLUMNS, ROWS, ORIGIN_M = 0.5, 14, 12, (-3.25, -2.75)


def readings():
    """Rounded to centimetres in part; some missing, too near or too far. 32 bits, as scanners write them."""
    angle = numpy.arange(BEAMS) * 2 * numpy.pi / BEAMS
    smooth = 2.5 + 0.8 * numpy.sin(3 * angle) + (numpy.arange(SCANS)[:, None] - 1) * 0.1
    ranges = smooth + 0.02 * draws.normal(size=(SCANS, BEAMS))
    rounded = draws.uniform(size=ranges.shape) < 0.6
    ranges = numpy.where(rounded, numpy.round(ranges / STEP_M) * STEP_M, ranges)
    for value in (0.0, 0.05, 9.0, -1.0):
        ranges[draws.uniform(size=ranges.shape) < 0.03] = value
    return ranges.astype(numpy.float32).astype(float)


def valid(ranges):
    return numpy.where((ranges >= MIN_M) & (ranges <= MAX_M), ranges, numpy.nan)


def scans(first, second):
    real, synthetic = valid(first), valid(second)
    seconds = numpy.diff(real, n=2, axis=1)
    seconds = numpy.abs(seconds[~numpy.isnan(seconds)])
    seen = real[~numpy.isnan(real)]
    off = numpy.abs(seen - numpy.round(seen / STEP_M) * STEP_M)
    residuals = (synthetic - real).ravel()
    either = ~(numpy.isnan(real) & numpy.isnan(synthetic))
    return {"valid_share": (~numpy.isnan(real)).mean(), "triple_count": len(seconds),
            "clipped_count": int((seconds > CLIP_M).sum()),
            "roughness_m": numpy.sqrt(numpy.mean(numpy.minimum(seconds, CLIP_M) ** 2) / 6),
            "grid_share": (off <= 1e-4 * STEP_M + seen * numpy.finfo(numpy.float32).eps).mean(),
            "residuals_m": residuals[~numpy.isnan(residuals)].tolist(),
            "beam_agreement": float((numpy.abs(synthetic - real) <= TOLERANCE_M)[either].mean())}


def wall_map(ranges):
    """A piece of wall is Shapely's intersection of its line with its cell; distances are Shapely's."""
    cells, pieces = [], []
    for index in range(ROWS * COLUMNS):
        row, column = divmod(index, COLUMNS)
        low = numpy.array([ORIGIN_M[0] + column * CELL_M, ORIGIN_M[1] + row * CELL_M])
        kind = draws.choice(["wall", "free", "unknown"], p=[0.3, 0.4, 0.3])
        if kind != "wall":
            cells.append(kind)
            continue
        point = numpy.round(low + CELL_M * draws.uniform(0.05, 0.95, 2), 6)
        turn = draws.uniform(0, 2 * numpy.pi)
        normal = numpy.array([numpy.cos(turn), numpy.sin(turn)])
        cells.append([*point.tolist(), *normal.tolist()])
        along = 3 * CELL_M * numpy.array([-normal[1], normal[0]])
        line = shapely.LineString([point - along, point + along])
        pieces.append(shapely.intersection(line, shapely.box(*low, *(low + CELL_M))))
    walls = shapely.MultiLineString(pieces)
    poses = numpy.round(draws.uniform(-0.5, 0.5, (SCANS, 3)), 6)
    reach_m, residuals, within, unknown = 0.3, [], [], []
    for (x, y, yaw), scan in zip(poses, ranges):
        for beam, reading in enumerate(valid(scan)):
            if numpy.isnan(reading):
                continue
            angle = yaw - numpy.pi + beam * 2 * numpy.pi / BEAMS
            end = numpy.array([x + reading * numpy.cos(angle), y + reading * numpy.sin(angle)])
            distance = shapely.distance(walls, shapely.Point(end))
            column, row = numpy.floor((end - ORIGIN_M) / CELL_M).astype(int)
            inside = 0 <= column < COLUMNS and 0 <= row < ROWS
            unknown.append(not inside or cells[row * COLUMNS + column] == "unknown")
            within.append(distance <= TOLERANCE_M)
            residuals.extend([distance] if distance <= reach_m else [])
    return {"origin_m": ORIGIN_M, "cell_m": CELL_M, "columns": COLUMNS, "rows": ROWS, "cells": cells, "reach_m": reach_m,
            "poses": poses.tolist(), "residuals_m": residuals, "within_share": float(numpy.mean(within)),
            "unknown_share": float(numpy.mean(unknown)), "median_m": numpy.quantile(residuals, 0.5),
            "p95_m": numpy.quantile(residuals, 0.95), "without_wall_count": len(within) - len(residuals)}


def reprojected(first, second):
    """The beam nearest in angle is SciPy's nearest neighbour among the directions of all beams."""
    x, y, yaw = pose = [0.15, -0.1, 0.4]
    angle = -numpy.pi + numpy.arange(BEAMS) * 2 * numpy.pi / BEAMS
    reading = valid(first)
    ends = numpy.stack([x + reading * numpy.cos(angle + yaw), y + reading * numpy.sin(angle + yaw)], axis=1)
    ends = ends[~numpy.isnan(reading)]
    distance = numpy.linalg.norm(ends, axis=1)
    tree = cKDTree(numpy.stack([numpy.cos(angle), numpy.sin(angle)], axis=1))
    seen = valid(second)[tree.query(ends / distance[:, None])[1]]
    counted = (distance >= MIN_M) & (distance <= MAX_M)
    hits = numpy.abs(seen - distance)[counted] <= 8 * TOLERANCE_M
    return {"pose": pose, "tolerance_m": 8 * TOLERANCE_M, "count": int(counted.sum()), "share": float(hits.mean())}


first, second = readings(), readings()
result = {"versions": versions, "range_min_m": MIN_M, "range_max_m": MAX_M, "step_m": STEP_M, "clip_m": CLIP_M,
          "tolerance_m": TOLERANCE_M, "beams": BEAMS, "real_m": first.tolist(), "synthetic_m": second.tolist(),
          "scans": scans(first, second), "map": wall_map(first),
          "reprojected": reprojected(first[0], second[1])}
path = pathlib.Path(__file__).parent / "expected.json"
path.write_text(json.dumps(result) + "\n")
