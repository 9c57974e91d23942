"""Reads every message of a ULog with pyulog; prints the least processor seconds of a pass and the messages in it."""

import sys
import time

from pyulog import ULog

seconds = []
for _ in range(5):
    began = time.process_time()
    log = ULog(sys.argv[1])
    count = sum(len(data.data["timestamp"]) for data in log.data_list)
    seconds.append(time.process_time() - began)
print(f"{min(seconds):.6f} {count}")
