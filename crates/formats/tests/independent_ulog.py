#!/usr/bin/env python3
"""Compares what this crate reads from ULogs with what `pyulog` (PyPI, BSD-3) reads.

Usage: independent_ulog.py DUMP_NUMBERS FILE.ulg...

DUMP_NUMBERS is the built example `dump_numbers`. Every field of every message is compared as the
bits of an f64, every raw payload by its bytes, and so are stamps, information, parameters,
defaults, changes, dropouts and logged strings. Prints how many values were compared and how many
differ; exits 1 if one does.
"""

import json
import struct
import subprocess
import sys

import numpy as np
from pyulog import ULog


def read_dump(program, path):
    data = subprocess.run([program, path], check=True, capture_output=True).stdout
    at = data.index(b"\n")
    head, at = json.loads(data[:at]), at + 1
    channels = {}
    while at < len(data):
        end = data.index(b"\n", at)
        line, at = json.loads(data[at:end]), end + 1
        rows = len(line["log_time_ns"])
        if "fields" in line:
            fields = line["fields"] * rows if len(line["fields"]) == 1 else line["fields"]
            count = sum(len(names) for names in fields)
            line["values"] = np.frombuffer(data, "<f8", count, at)
            line["fields"] = fields
            at += 8 * count
        if "payload_bytes" in line:
            line["payloads"] = []
            for size in line["payload_bytes"]:
                line["payloads"].append(data[at : at + size])
                at += size
        channels[(line["topic"], line["table"])] = line
    return head, channels


class Count:
    def __init__(self):
        self.compared = 0
        self.different = 0

    def check(self, what, ours, theirs):
        self.compared += 1
        if ours != theirs:
            self.different += 1
            print(f"  {what}: ours {ours!r}, theirs {theirs!r}"[:200])


def compare_topic(count, data, channels):
    topic = data.name if data.multi_id == 0 else f"{data.name}/{data.multi_id}"
    names = [field.field_name for field in data.field_data]
    rows = len(data.data["timestamp"])
    if rows == 0:
        return
    is_raw = any(field.type_str == "char" for field in data.field_data)
    line = channels.get((topic, "raw" if is_raw else "signals"))
    if line is None:
        count.check(f"{topic} exists", False, True)
        return
    times_ns = np.asarray(line["log_time_ns"], dtype=np.int64)
    stamps = data.data["timestamp"].astype(np.int64) * 1000
    count.compared += rows
    count.different += int(np.count_nonzero(times_ns != stamps))
    if is_raw:
        packed = np.zeros(rows, dtype=[(n, data.data[n].dtype.newbyteorder("<")) for n in names])
        for name in names:
            packed[name] = data.data[name]
        for index in range(rows):
            theirs = packed[index].tobytes()
            count.check(f"{topic}[{index}]", line["payloads"][index][: len(theirs)], theirs)
        return
    count.check(f"{topic} fields", line["fields"][0], names)
    ours = line["values"].reshape(rows, len(names)).view(np.uint64)
    for column, name in enumerate(names):
        # A field declared int8_t and bool alike is read as int8 by pyulog; bool is 0 or 1.
        theirs = np.ascontiguousarray(data.data[name].astype(np.float64)).view(np.uint64)
        wrong = int(np.count_nonzero(ours[:, column] != theirs))
        count.compared += rows
        count.different += wrong
        if wrong:
            print(f"  {topic}.{name}: {wrong} of {rows} differ")


def number(text):
    return float(text)


def compare_rest(count, log, head, channels):
    metadata = head["metadata"]
    info = metadata.get("ulog.info", {})
    for key, value in log.msg_info_dict.items():
        theirs = value.hex() if isinstance(value, (bytes, bytearray)) else str(value)
        count.check(f"info {key}", info.get(key), theirs)
    for key, lists in log.msg_info_multiple_dict.items():
        for index, parts in enumerate(lists):
            hexed = [p.hex() if isinstance(p, (bytes, bytearray)) else str(p) for p in parts]
            count.check(f"info {key}[{index}]", info.get(f"{key}[{index:04}]"), "".join(hexed))
    for key, value in log.initial_parameters.items():
        ours = metadata["ulog.parameters"].get(key, "nan")
        count.check(f"parameter {key}", np.float32(number(ours)), np.float32(value))
    for bit, name in ((0, "system"), (1, "setup")):
        for key, value in log.get_default_parameters(bit).items():
            ours = metadata.get(f"ulog.parameter_defaults.{name}", {}).get(key, "nan")
            count.check(f"default {key}", np.float32(number(ours)), np.float32(value))
    changes = channels.get(("parameter_changes", "signals"))
    ours = []
    if changes:
        rows = zip(changes["log_time_ns"], changes["fields"], changes["values"])
        ours = [(time // 1000, names[0], float(value)) for time, names, value in rows]
    theirs = [(int(time), name, float(value)) for time, name, value in log.changed_parameters]
    count.check("changed parameters", ours, theirs)
    dropouts = channels.get(("dropouts", "signals"))
    ours = []
    if dropouts:
        ours = [(t // 1000, int(v)) for t, v in zip(dropouts["log_time_ns"], dropouts["values"])]
    theirs = [(int(dropout.timestamp), dropout.duration) for dropout in log.dropouts]
    count.check("dropouts", ours, theirs)
    texts = channels.get(("logged_string", "raw"), {"payloads": []})["payloads"]
    ours = [(p[0], struct.unpack("<Q", p[1:9])[0], p[9:].decode(errors="ignore")) for p in texts]
    theirs = [(m.log_level, m.timestamp, m.message) for m in log.logged_messages]
    count.check("logged strings", ours, theirs)
    count.compared += len(ours) + len(log.changed_parameters) + len(log.dropouts)
    tagged = channels.get(("logged_string_tagged", "raw"), {"payloads": []})["payloads"]
    theirs = sum(len(messages) for messages in log.logged_messages_tagged.values())
    count.check("tagged strings", len(tagged), theirs)


def main(program, paths):
    total = Count()
    for path in paths:
        head, channels = read_dump(program, path)
        log = ULog(path)
        count = Count()
        for data in log.data_list:
            compare_topic(count, data, channels)
        compare_rest(count, log, head, channels)
        topics = len(log.data_list)
        print(f"{path}: {topics} topics, {count.compared} values, {count.different} differ")
        for warning in head["warnings"]:
            print(f"  warning: {warning}")
        total.compared += count.compared
        total.different += count.different
    print(f"all: {total.compared} values compared, {total.different} differ")
    return 1 if total.different else 0


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2:]))
