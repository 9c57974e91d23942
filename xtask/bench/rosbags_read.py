"""Reads and deserialises every message of a bag, a rosbag2 or an MCAP with rosbags.

Prints the least processor seconds of a pass and the messages in it.
"""

import sys
import time
from pathlib import Path

from rosbags.highlevel import AnyReader
from rosbags.typesys import Stores, get_typestore

typestore = get_typestore(Stores.ROS2_HUMBLE)
seconds = []
for _ in range(5):
    count = 0
    began = time.process_time()
    with AnyReader([Path(sys.argv[1])], default_typestore=typestore) as reader:
        for connection, _, raw in reader.messages():
            reader.deserialize(raw, connection.msgtype)
            count += 1
    seconds.append(time.process_time() - began)
    if sum(seconds) > 30:
        break
print(f"{min(seconds):.6f} {count}")
