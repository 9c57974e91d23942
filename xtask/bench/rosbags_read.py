"""Reads and deserialises every message of an MCAP file with rosbags; prints how many. The peer of the decoding benchmark."""

import sys
from pathlib import Path

from rosbags.highlevel import AnyReader
from rosbags.typesys import Stores, get_typestore

typestore = get_typestore(Stores.ROS2_HUMBLE)
count = 0
with AnyReader([Path(sys.argv[1])], default_typestore=typestore) as reader:
    for connection, _, raw in reader.messages():
        reader.deserialize(raw, connection.msgtype)
        count += 1
print(count)
