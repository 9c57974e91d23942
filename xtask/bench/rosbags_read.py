"""Reads and deserialises every message of an MCAP file with rosbags; prints the median seconds of a pass and the messages in it."""

import statistics
import sys
import time
from pathlib import Path

from rosbags.highlevel import AnyReader
from rosbags.typesys import Stores, get_typestore

typestore = get_typestore(Stores.ROS2_HUMBLE)
seconds = []
for _ in range(5):
    count = 0
    began = time.perf_counter()
    with AnyReader([Path(sys.argv[1])], default_typestore=typestore) as reader:
        for connection, _, raw in reader.messages():
            reader.deserialize(raw, connection.msgtype)
            count += 1
    seconds.append(time.perf_counter() - began)
print(f"{statistics.median(seconds):.6f} {count}")
