#!/usr/bin/env python3
"""Reads exported images with `rosbags` and `mcap`, and compares them with those of the log.

Usage: independent_images.py EXPORT_IMAGES

EXPORT_IMAGES is the built example `export_images`. Logs of every container and compression, with
raw and compressed images, are written by `rosbags` as `independent_decoder.py` does. Every field
of every image must be equal, to the byte. Exits 1 at the first difference.

Needs: rosbags 0.11, numpy, mcap, mcap-ros2-support.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from independent_decoder import MESSAGES_PER_TYPE, write_all
from mcap.reader import make_reader
from mcap_ros2.decoder import DecoderFactory
from rosbags.highlevel import AnyReader
from rosbags.typesys import Stores, get_typestore

IMAGE = ("height", "width", "encoding", "step")


def fields(message):
    """What an image says; a byte order is a truth here, since ROS writes any number for it."""
    header = message.header
    said = [header.stamp.sec, header.stamp.nanosec, header.frame_id, bytes(message.data)]
    if hasattr(message, "format"):
        return [*said, message.format]
    return [*said, *(getattr(message, name) for name in IMAGE), bool(message.is_bigendian)]


def by_rosbags(recording):
    images = {}
    with AnyReader([recording], default_typestore=get_typestore(Stores.ROS2_HUMBLE)) as reader:
        for connection, time_ns, raw in reader.messages():
            if connection.msgtype.split("/")[-1] in ("Image", "CompressedImage"):
                message = reader.deserialize(raw, connection.msgtype)
                images.setdefault(connection.topic, []).append((time_ns, fields(message)))
    return images


def by_mcap(file):
    images = {}
    with open(file, "rb") as stream:
        reader = make_reader(stream, validate_crcs=True, decoder_factories=[DecoderFactory()])
        for _, channel, message, decoded in reader.iter_decoded_messages():
            said = (message.log_time, fields(decoded))
            images.setdefault(channel.topic, []).append(said)
    return images


def main(export):
    with tempfile.TemporaryDirectory() as folder:
        for recording in write_all(Path(folder)):
            out = Path(folder) / "exported.mcap"
            subprocess.run([export, str(recording), str(out)], check=True)
            theirs = by_rosbags(recording)
            counts = {topic: len(images) for topic, images in theirs.items()}
            if sorted(counts.values()) != [MESSAGES_PER_TYPE] * 2:
                sys.exit(f"{recording.name}: rosbags counts {counts}")
            for name, ours in [("rosbags", by_rosbags(out)), ("mcap", by_mcap(out))]:
                if ours != theirs:
                    sys.exit(f"difference: {recording.name}: the images that `{name}` reads")
            print(f"{recording.name}: {sum(counts.values())} images equal")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
