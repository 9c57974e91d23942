#!/usr/bin/env python3
"""Reads an MCAP with other people's libraries and prints what is in it, as JSON.

Usage: independent_reader.py FILE.mcap

Per topic: the message type, how many messages, first and last log time (ns, as text), and the
first and last message with every field. Only `mcap` and `mcap-ros2-support` are used, so this
proves that a file does not depend on the program that wrote it. JSON has no NaN: such values
are the texts "nan", "inf" and "-inf".
"""

import json
import math
import sys

from mcap.decoder import DecoderFactory as AnyDecoderFactory
from mcap.reader import make_reader
from mcap_ros2.decoder import DecoderFactory

ARRAY_HEAD = 8


class JsonDecoderFactory(AnyDecoderFactory):
    """Signals: JSON objects with a JSON Schema, of which every property must be known."""

    def decoder_for(self, message_encoding, schema):
        if message_encoding != "json":
            return None
        known = json.loads(schema.data)["properties"]

        def decode(data):
            message = json.loads(data)
            unknown = set(message) - set(known)
            assert not unknown, f"{schema.name}: the schema lacks {unknown}"
            return message

        return decode


def plain(value):
    """The value as JSON can hold it; a long array as its length, head and tail."""
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, (bytes, bytearray, memoryview)):
        value = list(bytes(value))
    if value is None:
        return None
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if hasattr(value, "__slots__"):
        return {name: plain(getattr(value, name)) for name in value.__slots__}
    if hasattr(value, "__dict__"):
        return {name: plain(item) for name, item in vars(value).items()}
    items = [plain(item) for item in value]
    if len(items) <= 2 * ARRAY_HEAD:
        return items
    return {"length": len(items), "head": items[:ARRAY_HEAD], "tail": items[-ARRAY_HEAD:]}


def main(path):
    topics = {}
    with open(path, "rb") as file:
        reader = make_reader(file, validate_crcs=True, decoder_factories=[DecoderFactory(), JsonDecoderFactory()])
        header = reader.get_header()
        metadata = {record.name: record.metadata for record in reader.iter_metadata()}
        for schema, channel, message, decoded in reader.iter_decoded_messages(
            log_time_order=False
        ):
            seen = topics.setdefault(
                channel.topic,
                {
                    "message_type": schema.name,
                    "message_count": 0,
                    "first_log_time_ns": str(message.log_time),
                    "first": plain(decoded),
                },
            )
            seen["message_count"] += 1
            seen["last_log_time_ns"] = str(message.log_time)
            seen["last"] = plain(decoded)
    answer = {
        "profile": header.profile,
        "library": header.library,
        "metadata": metadata,
        "topics": dict(sorted(topics.items())),
    }
    json.dump(answer, sys.stdout, indent=1, sort_keys=True)
    print()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
