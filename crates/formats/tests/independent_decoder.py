#!/usr/bin/env python3
"""Compares every decoded field of a recording with `rosbags`, which shares no code with us.

Usage: independent_decoder.py DUMP_SAMPLES [FILE_OR_FOLDER ...]

DUMP_SAMPLES is the built example `dump_samples`. Without files, a ROS 1 bag (three compressions)
and a rosbag2 (SQLite, MCAP) with every message that is understood are written by `rosbags` from
a fixed seed into a temporary folder and compared. Numbers must be equal to the bit; quaternions,
which pass through a rotation matrix, to 1e-12 up to their sign and length. Prints how many
messages and fields were compared; exits 1 at the first difference.

Needs: rosbags 0.11, numpy.
"""

import json
import math
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from rosbags.highlevel import AnyReader
from rosbags.rosbag1 import Writer as Writer1
from rosbags.rosbag2 import StoragePlugin
from rosbags.rosbag2 import Writer as Writer2
from rosbags.typesys import Stores, get_typestore, get_types_from_msg

ROTATION_TOLERANCE = 1e-12  # A dozen roundings of numbers up to 1, with much room.
SEED = 20260117
MESSAGES_PER_TYPE = 40


class Difference(Exception):
    """Two decoders disagree."""


def number(value):
    """A number as the dump prints it, turned back."""
    return float(value) if isinstance(value, str) else value


def same(ours, theirs):
    """Equal to the bit: NaN equals NaN, -0.0 differs from 0.0."""
    if isinstance(theirs, (float, np.floating)):
        ours, theirs = number(ours), float(theirs)
        if math.isnan(theirs):
            return math.isnan(ours)
        return ours == theirs and math.copysign(1, ours) == math.copysign(1, theirs)
    if isinstance(theirs, (bool, np.bool_)):
        return ours is bool(theirs)
    if isinstance(theirs, np.integer):
        theirs = int(theirs)
    return ours == theirs


def stamp_ns(time):
    """A ROS time as integer nanoseconds; zero is none."""
    return time.sec * 10**9 + time.nanosec or None


class Comparison:
    """Counts what was compared; every difference ends it."""

    def __init__(self):
        self.fields = 0
        self.messages = 0
        self.tables = {}

    def equal(self, place, ours, theirs):
        if isinstance(theirs, (list, tuple, np.ndarray)):
            if ours is None or len(ours) != len(theirs):
                raise Difference(f"{place}: {ours} and {theirs}")
            for index, (one, other) in enumerate(zip(ours, theirs)):
                self.equal(f"{place}[{index}]", one, other)
            return
        self.fields += 1
        if not same(ours, theirs):
            raise Difference(f"{place}: we read {ours!r}, rosbags {theirs!r}")

    def pose(self, place, row, position, rotation, prefix="", index=None):
        take = (lambda name: row[prefix + name]) if index is None else (
            lambda name: row[prefix + name][index])
        for axis in "xyz":
            self.equal(f"{place}.{axis}", take(f"{axis}_m"), getattr(position, axis))
        theirs = np.array([rotation.x, rotation.y, rotation.z, rotation.w])
        ours = np.array([number(take(f"q{axis}")) for axis in "xyzw"])
        length = np.linalg.norm(theirs)
        self.fields += 4
        if not np.isfinite(length) or length == 0:
            if not np.isnan(ours).all():
                raise Difference(f"{place}: no rotation {theirs}, but we read {ours}")
            return
        theirs = theirs / length
        if min(np.abs(ours - theirs).max(), np.abs(ours + theirs).max()) > ROTATION_TOLERANCE:
            raise Difference(f"{place}: rotation {ours} and {theirs}")

    def header(self, place, row, header):
        self.equal(f"{place}.stamp", row["sensor_time_ns"], stamp_ns(header.stamp))
        self.equal(f"{place}.frame_id", row["frame_id"], header.frame_id)


def xyz(value):
    return [value.x, value.y, value.z]


def laser_scan(c, place, rows, m):
    row = rows[0]
    c.header(place, row, m.header)
    for ours, theirs in [("angle_min_rad", "angle_min"), ("angle_increment_rad", "angle_increment"),
                         ("range_min_m", "range_min"), ("range_max_m", "range_max"),
                         ("time_increment_s", "time_increment"), ("ranges_m", "ranges"),
                         ("intensities", "intensities")]:
        c.equal(f"{place}.{theirs}", row[ours], getattr(m, theirs))


def point_cloud(c, place, rows, m):
    row = rows[0]
    c.header(place, row, m.header)
    codes = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 8: "f8"}
    order = ">" if m.is_bigendian else "<"
    for ours, theirs in [("x_m", "x"), ("y_m", "y"), ("z_m", "z"), ("intensity", "intensity")]:
        found = [field for field in m.fields if field.name == theirs]
        if not found:
            c.equal(f"{place}.{theirs}", row[ours], [])
            continue
        dtype = np.dtype({"names": ["v"], "formats": [order + codes[found[0].datatype]],
                          "offsets": [found[0].offset], "itemsize": m.point_step})
        lines = [m.data[line * m.row_step:][:m.width * m.point_step] for line in range(m.height)]
        with np.errstate(over="ignore"):
            values = np.concatenate([line.view(dtype)["v"] for line in lines]).astype("f4")
        c.equal(f"{place}.{theirs}", row[ours], values)


def imu(c, place, rows, m):
    row = rows[0]
    c.header(place, row, m.header)
    orientation = m.orientation
    has_one = m.orientation_covariance[0] != -1.0
    for axis in "xyzw":
        c.equal(f"{place}.q{axis}", row[f"q{axis}"], getattr(orientation, axis) if has_one else None)
    for axis in "xyz":
        c.equal(f"{place}.rate", row[f"angular_rate_{axis}_rad_per_s"],
                getattr(m.angular_velocity, axis))
        c.equal(f"{place}.acceleration", row[f"acceleration_{axis}_m_per_s2"],
                getattr(m.linear_acceleration, axis))


def odometry(c, place, rows, m):
    c.header(place, rows[0], m.header)
    c.equal(f"{place}.child_frame_id", rows[0]["child_frame_id"], m.child_frame_id)
    c.pose(place, rows[0], m.pose.pose.position, m.pose.pose.orientation)


def pose_stamped(c, place, rows, m):
    pose = m.pose.pose if hasattr(m.pose, "pose") else m.pose
    c.header(place, rows[0], m.header)
    c.equal(f"{place}.child_frame_id", rows[0]["child_frame_id"], "")
    c.pose(place, rows[0], pose.position, pose.orientation)


def transforms(c, place, rows, m):
    for row, one in zip(rows, m.transforms, strict=True):
        c.header(place, row, one.header)
        c.equal(f"{place}.child_frame_id", row["child_frame_id"], one.child_frame_id)
        c.pose(place, row, one.transform.translation, one.transform.rotation)


def twist(c, place, rows, m):
    row = rows[0]
    if hasattr(m, "header"):
        c.header(place, row, m.header)
        m = m.twist
    else:
        c.equal(f"{place}.stamp", row["sensor_time_ns"], None)
    for axis in "xyz":
        c.equal(f"{place}.linear", row[f"linear_{axis}_m_per_s"], getattr(m.linear, axis))
        c.equal(f"{place}.angular", row[f"angular_{axis}_rad_per_s"], getattr(m.angular, axis))


def gnss(c, place, rows, m):
    row = rows[0]
    c.header(place, row, m.header)
    known = m.position_covariance_type != 0
    for ours, theirs in [("status", m.status.status), ("service", m.status.service),
                         ("latitude_deg", m.latitude), ("longitude_deg", m.longitude),
                         ("altitude_m", m.altitude),
                         ("position_covariance_type", m.position_covariance_type),
                         ("position_covariance_enu_m2", m.position_covariance if known else None)]:
        c.equal(f"{place}.{ours}", row[ours], theirs)


def magnetic(c, place, rows, m):
    c.header(place, rows[0], m.header)
    ours = [rows[0][f"field_{axis}_t"] for axis in "xyz"]
    c.equal(f"{place}.field", ours, xyz(m.magnetic_field))


def joints(c, place, rows, m):
    c.header(place, rows[0], m.header)
    for ours, theirs in [("joint_names", m.name), ("positions_rad_or_m", m.position),
                         ("velocities_rad_or_m_per_s", m.velocity),
                         ("efforts_nm_or_n", m.effort)]:
        c.equal(f"{place}.{ours}", rows[0][ours], theirs)


def camera(c, place, rows, m):
    row, roi = rows[0], m.roi
    c.header(place, row, m.header)
    matrix = (lambda name: getattr(m, name, None) if hasattr(m, name) else getattr(m, name.upper()))
    for ours, theirs in [("height_px", m.height), ("width_px", m.width),
                         ("distortion_model", m.distortion_model), ("distortion", matrix("d")),
                         ("camera_matrix_px", matrix("k")),
                         ("rectified_from_optical", matrix("r")), ("projection_px", matrix("p")),
                         ("binning_x", m.binning_x), ("binning_y", m.binning_y),
                         ("region_x_offset_px", roi.x_offset), ("region_y_offset_px", roi.y_offset),
                         ("region_height_px", roi.height), ("region_width_px", roi.width),
                         ("region_is_rectified", bool(roi.do_rectify))]:
        c.equal(f"{place}.{ours}", row[ours], theirs)


def image(c, place, rows, m):
    row = rows[0]
    c.header(place, row, m.header)
    raw = hasattr(m, "encoding")
    for ours, theirs in [("height_px", m.height if raw else None),
                         ("width_px", m.width if raw else None),
                         ("row_step_bytes", m.step if raw else None),
                         ("image_encoding", m.encoding if raw else m.format),
                         ("is_big_endian", bool(m.is_bigendian) if raw else False),
                         ("payload_length_bytes", len(m.data))]:
        c.equal(f"{place}.{ours}", row[ours], theirs)
    c.payload(place, row, bytes(m.data))


def range_reading(c, place, rows, m):
    c.header(place, rows[0], m.header)
    for ours, theirs in [("radiation", m.radiation_type), ("field_of_view_rad", m.field_of_view),
                         ("range_min_m", m.min_range), ("range_max_m", m.max_range),
                         ("range_m", m.range)]:
        c.equal(f"{place}.{ours}", rows[0][ours], theirs)


def path(c, place, rows, m):
    row = rows[0]
    c.header(place, row, m.header)
    c.equal(f"{place}.times", row["pose_times_ns"], [stamp_ns(p.header.stamp) for p in m.poses])
    c.equal(f"{place}.frames", row["pose_frame_ids"], [p.header.frame_id for p in m.poses])
    for index, pose in enumerate(m.poses):
        c.pose(f"{place}[{index}]", row, pose.pose.position, pose.pose.orientation, index=index)


def grid(c, place, rows, m):
    row, info = rows[0], m.info
    c.header(place, row, m.header)
    for ours, theirs in [("loaded_time_ns", stamp_ns(info.map_load_time)),
                         ("cell_size_m", info.resolution), ("width_cells", info.width),
                         ("height_cells", info.height), ("occupancy_percent", m.data)]:
        c.equal(f"{place}.{ours}", row[ours], theirs)
    c.pose(place, row, info.origin.position, info.origin.orientation, prefix="origin_")


TYPES = {
    "sensor_msgs/msg/LaserScan": laser_scan, "sensor_msgs/msg/PointCloud2": point_cloud,
    "sensor_msgs/msg/Imu": imu, "nav_msgs/msg/Odometry": odometry,
    "geometry_msgs/msg/PoseStamped": pose_stamped,
    "geometry_msgs/msg/PoseWithCovarianceStamped": pose_stamped,
    "tf2_msgs/msg/TFMessage": transforms, "geometry_msgs/msg/Twist": twist,
    "geometry_msgs/msg/TwistStamped": twist, "sensor_msgs/msg/NavSatFix": gnss,
    "sensor_msgs/msg/MagneticField": magnetic, "sensor_msgs/msg/JointState": joints,
    "sensor_msgs/msg/CameraInfo": camera, "sensor_msgs/msg/Image": image,
    "sensor_msgs/msg/CompressedImage": image, "sensor_msgs/msg/Range": range_reading,
    "nav_msgs/msg/Path": path, "nav_msgs/msg/OccupancyGrid": grid,
}


class Payloads:
    """Fetches what a row addresses, from the original alone."""

    def __init__(self, recording):
        self.files = [recording]
        if recording.is_dir():
            text = (recording / "metadata.yaml").read_text().split("relative_file_paths:")[1]
            lines = [line.strip() for line in text.splitlines()[1:]]
            names = []
            for line in lines:
                if not line.startswith("- "):
                    break
                names.append(line[2:])
            self.files = [recording / name for name in names]
        self.chunks = {}

    def read(self, row):
        file = self.files[row["payload_file_index"]]
        start, length = row["payload_offset_bytes"], row["payload_length_bytes"]
        base, base_id = row["payload_base"], row["payload_base_id"]
        if base == "row":
            import sqlite3
            found = sqlite3.connect(file).execute(
                "SELECT data FROM messages WHERE id = ?", (base_id,)).fetchone()
            return found[0][start:start + length]
        data = file.read_bytes()
        if base == "chunk":
            data = self.chunk(data, base_id)
        return data[start:start + length]

    def chunk(self, data, at):
        """Inflates the chunk whose record starts at a byte of a bag or an MCAP."""
        import bz2
        import struct
        import lz4.frame
        import zstandard
        if at in self.chunks:
            return self.chunks[at]
        if data.startswith(b"#ROSBAG"):
            header_bytes, = struct.unpack_from("<I", data, at)
            header = data[at + 4:at + 4 + header_bytes]
            size, = struct.unpack_from("<I", data, at + 4 + header_bytes)
            stored = data[at + 8 + header_bytes:][:size]
            inflate = bz2.decompress if b"=bz2" in header else lz4.frame.decompress
        else:
            name_bytes, = struct.unpack_from("<I", data, at + 9 + 28)
            name = data[at + 9 + 32:][:name_bytes]
            size, = struct.unpack_from("<Q", data, at + 9 + 32 + name_bytes)
            stored = data[at + 9 + 40 + name_bytes:][:size]
            zstd = zstandard.ZstdDecompressor().decompressobj().decompress
            inflate = zstd if name == b"zstd" else lz4.frame.decompress
        self.chunks = {at: inflate(stored)}
        return self.chunks[at]


def compare(dump, recording, into):
    """Compares one recording; adds to the counts of `into`."""
    said = subprocess.run([dump, str(recording)], check=True, capture_output=True, text=True)
    *lines, summary = [json.loads(line) for line in said.stdout.splitlines()]
    rows = {}
    for line in lines:
        rows.setdefault((line["topic"], line["log_time_ns"]), []).append(line)
    counts = {}
    payloads = Payloads(recording)

    def payload(place, row, theirs):
        into.fields += 1
        if payloads.read(row) != theirs:
            raise Difference(f"{place}: the payload is not where the row says")

    into.payload = payload
    store = get_typestore(Stores.ROS2_HUMBLE)
    with AnyReader([recording], default_typestore=store) as reader:
        for connection, time_ns, raw in reader.messages():
            counts[connection.topic] = counts.get(connection.topic, 0) + 1
            place = f"{recording.name} {connection.topic} at {time_ns}"
            found = rows.get((connection.topic, time_ns), [])
            compare_fields = TYPES.get(connection.msgtype)
            if compare_fields is None:
                mine = found.pop(0)
                into.equal(place, mine["payload"], bytes(raw).hex())
                into.messages += 1
                continue
            message = reader.deserialize(raw, connection.msgtype)
            count = len(message.transforms) if hasattr(message, "transforms") else 1
            if len(found) < count:
                raise Difference(f"{place}: we have no such message")
            mine, found[:count] = found[:count], []
            compare_fields(into, place, mine, message)
            into.messages += 1
            into.tables[connection.msgtype] = into.tables.get(connection.msgtype, 0) + 1
    left = sum(len(rest) for rest in rows.values())
    if left:
        raise Difference(f"{recording.name}: {left} rows of ours are in no message of rosbags")
    ours = {c["topic"]: c["message_count"] for c in summary["channels"] if c["message_count"]}
    if ours != counts:
        raise Difference(f"{recording.name}: we count {ours}, rosbags {counts}")


def random_value(rng, store, desc, depth=0):
    """A value of a field by its description."""
    from rosbags.interfaces import Nodetype
    kind, detail = desc
    if kind == Nodetype.BASE:
        name = detail[0]
        if name == "string":
            return "".join(rng.choice("abc_é/") for _ in range(rng.randrange(6)))
        if name == "bool":
            return rng.random() < 0.5
        if name.startswith("float"):
            value = rng.choice([0.0, -0.0, math.nan, math.inf, rng.uniform(-9, 9), rng.gauss(0, 1e9)])
            return float(np.float32(value)) if name == "float32" else value
        bits = int(name.removeprefix("u").removeprefix("int"))
        return rng.getrandbits(bits) if name[0] == "u" else rng.getrandbits(bits) - 2 ** (bits - 1)
    if kind == Nodetype.NAME:
        return random_message(rng, store, detail, depth + 1)
    inner, length = detail
    count = length if kind == Nodetype.ARRAY else rng.randrange(4)
    items = [random_value(rng, store, inner, depth) for _ in range(count)]
    numeric = inner[0] == Nodetype.BASE and inner[1][0] != "string"
    if not numeric:
        return items
    return np.array(items, dtype=inner[1][0].replace("octet", "uint8"))


def random_message(rng, store, name, depth=0):
    """A message with every field drawn; clouds and stamps as they can be."""
    if name == "builtin_interfaces/msg/Time":
        return store.types[name](sec=rng.choice([0, rng.randrange(2**31)]),
                                 nanosec=rng.randrange(10**9))
    if name == "sensor_msgs/msg/PointCloud2":
        return random_cloud(rng, store)
    _, fields = store.fielddefs[name]
    values = {field: random_value(rng, store, desc, depth) for field, desc in fields}
    if name.endswith("/Header") and "seq" in values:
        values["seq"] = rng.getrandbits(31)
    return store.types[name](**values)


def random_cloud(rng, store):
    names = [("x", rng.randrange(1, 9)), ("y", 7), ("z", 8), ("ring", 4), ("intensity", 7)]
    names = names[: rng.choice([3, 4, 5])]
    sizes = {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 4, 8: 8}
    fields, offset = [], 0
    for name, datatype in names:
        field = store.types["sensor_msgs/msg/PointField"]
        fields.append(field(name=name, offset=offset, datatype=datatype, count=1))
        offset += sizes[datatype]
    step, width, height = offset + 3, rng.randrange(1, 9), rng.randrange(1, 3)
    row_step = step * width + 5 * (height - 1)
    data = np.frombuffer(rng.randbytes(row_step * height), dtype=np.uint8)
    header = random_message(rng, store, "std_msgs/msg/Header")
    return store.types["sensor_msgs/msg/PointCloud2"](
        header=header, height=height, width=width, fields=fields, is_bigendian=rng.random() < 0.5,
        point_step=step, row_step=row_step, data=data, is_dense=True)


TF_DEFINITION = "geometry_msgs/TransformStamped[] transforms"


def write_all(folder):
    """A ROS 1 bag per compression and a rosbag2 per storage, with every type."""
    written = []
    for name, compression in [("none", None), ("bz2", Writer1.CompressionFormat.BZ2),
                              ("lz4", Writer1.CompressionFormat.LZ4)]:
        store = get_typestore(Stores.ROS1_NOETIC)
        store.register(get_types_from_msg(TF_DEFINITION, "tf2_msgs/msg/TFMessage"))
        file = folder / f"all_{name}.bag"
        writer = Writer1(file)
        if compression:
            writer.set_compression(compression)
        fill(writer, store, store.serialize_ros1)
        written.append(file)
    for name, plugin in [("sqlite", StoragePlugin.SQLITE3), ("mcap", StoragePlugin.MCAP)]:
        store = get_typestore(Stores.ROS2_HUMBLE)
        bag = folder / f"all_{name}"
        fill(Writer2(bag, version=9, storage_plugin=plugin), store, store.serialize_cdr)
        written.append(bag)
        written.extend(sorted(bag.glob("*.db3")) + sorted(bag.glob("*.mcap")))
    return written


def fill(writer, store, serialize):
    rng = random.Random(SEED)
    time_ns = 1_700_000_000_000_000_000
    with writer:
        for name in [*TYPES, "std_msgs/msg/String"]:
            topic = "/" + name.split("/")[-1].lower()
            connection = writer.add_connection(topic, name, typestore=store)
            for _ in range(MESSAGES_PER_TYPE):
                time_ns += rng.randrange(1, 10**7)
                message = random_message(rng, store, name)
                writer.write(connection, time_ns, serialize(message, name))


def main(dump, paths):
    into = Comparison()
    with tempfile.TemporaryDirectory() as folder:
        for recording in map(Path, paths) if paths else write_all(Path(folder)):
            before = (into.messages, into.fields)
            compare(dump, recording, into)
            print(f"{recording.name}: {into.messages - before[0]} messages, "
                  f"{into.fields - before[1]} fields equal")
    print(f"all: {into.messages} messages of {len(into.tables)} types, {into.fields} fields equal")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    try:
        main(sys.argv[1], sys.argv[2:])
    except Difference as difference:
        sys.exit(f"difference: {difference}")
