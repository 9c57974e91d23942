"""Reads every message of a ULog with pyulog; prints the median seconds of a pass and the messages in it."""

import statistics
import sys
import time

from pyulog import ULog

seconds = []
for _ in range(5):
    began = time.perf_counter()
    log = ULog(sys.argv[1])
    count = sum(len(data.data["timestamp"]) for data in log.data_list)
    seconds.append(time.perf_counter() - began)
print(f"{statistics.median(seconds):.6f} {count}")
