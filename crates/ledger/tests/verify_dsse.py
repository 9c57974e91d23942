"""Verifies a DSSE envelope with securesystemslib alone, and checks that a tampered twin is refused.

usage: verify_dsse.py ENVELOPE PUBLIC_KEY

PUBLIC_KEY is 64 hexadecimal digits, or the text `<name>+<id>+<base64>` of a public key file.
Exit 0: the envelope verifies, its payload is a valid in-toto statement, every tampered twin fails.
Exit 1: anything else. Needs: securesystemslib[crypto] 1.6.0; in-toto-attestation 0.9.3 if present.
"""

import base64
import copy
import json
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey


def public_key(text):
    """The key as securesystemslib knows it; its key id is the library's default."""
    text = text.strip()
    if "+" in text:
        raw = base64.b64decode(text.split("+", 2)[2], validate=True)
        if raw[:1] != b"\x01":
            raise ValueError("the key is not for Ed25519")
        raw = raw[1:]
    else:
        raw = bytes.fromhex(text)
    return SSlibKey.from_crypto(Ed25519PublicKey.from_public_bytes(raw))


def verifies(envelope, key):
    """Whether the library accepts the envelope (its reader changes what it is given)."""
    try:
        Envelope.from_dict(copy.deepcopy(envelope)).verify([key], 1)
    except (VerificationError, ValueError):
        return False
    return True


def flipped(text, at):
    """The base64 text of the same bytes with one bit flipped."""
    raw = bytearray(base64.b64decode(text))
    raw[at % len(raw)] ^= 1
    return base64.b64encode(bytes(raw)).decode()


def tampered_twins(envelope):
    """What each twin is, and the twin."""
    for at in (0, len(envelope["payload"]) // 2, -1):
        yield f"payload byte {at}", {**envelope, "payload": flipped(envelope["payload"], at)}
    yield "payload type", {**envelope, "payloadType": envelope["payloadType"] + "x"}
    for at in (0, 31, 32, 63):
        twin = copy.deepcopy(envelope)
        for signature in twin["signatures"]:
            signature["sig"] = flipped(signature["sig"], at)
        yield f"signature byte {at}", twin


def statement_is_valid(envelope):
    """in-toto's own check of the payload, where its package is installed."""
    if envelope["payloadType"] != "application/vnd.in-toto+json":
        return False
    try:
        from google.protobuf import json_format
        from in_toto_attestation.v1.statement import Statement
        from in_toto_attestation.v1.statement_pb2 import Statement as StatementPb
    except ImportError:
        return True
    payload = base64.b64decode(envelope["payload"])
    try:
        Statement.copy_from_pb(json_format.Parse(payload, StatementPb())).validate()
    except (ValueError, json_format.ParseError) as error:
        print(f"statement refused: {error}")
        return False
    return True


def main(arguments):
    if len(arguments) != 2:
        print(__doc__)
        return 1
    with open(arguments[0], encoding="utf-8") as file:
        envelope = json.load(file)
    key = public_key(arguments[1])
    if not verifies(envelope, key):
        print("refused: no valid signature of this key")
        return 1
    if not statement_is_valid(envelope):
        print("refused: the payload is not a valid in-toto statement")
        return 1
    for name, twin in tampered_twins(envelope):
        if verifies(twin, key):
            print(f"a tampered twin was accepted: {name}")
            return 1
    print(f"verified by securesystemslib, key id {key.keyid}; tampered twins refused")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"refused: {error!r}")
        sys.exit(1)
