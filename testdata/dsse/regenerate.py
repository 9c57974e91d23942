"""Makes `foreign.json`, `tampered.json` and `key.pub` anew; `envelope.json` is made by the test.

The seed is 0, 1, ... 31: a test key that signs nothing of worth.
"""

import base64
import hashlib
import importlib.metadata
import json
import pathlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.dsse import Envelope
from securesystemslib.signer import CryptoSigner

assert importlib.metadata.version("securesystemslib") == "1.6.0"

HERE = pathlib.Path(__file__).parent
NAME = "tiepoint.test/key"
private = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
raw = private.public_key().public_bytes_raw()

key_id = hashlib.sha256(NAME.encode() + b"\n\x01" + raw).digest()[:4].hex()
encoded = base64.b64encode(b"\x01" + raw).decode()
(HERE / "key.pub").write_text(f"{NAME}+{key_id}+{encoded}\n")

statement = {
    "_type": "https://in-toto.io/Statement/v1",
    "subject": [{"name": "rec-0123456789abcdef", "digest": {"sha256": "0f" * 32}}],
    "predicateType": "https://tiepoint.test/verdict/v1",
    "predicate": {"verdict": "refuted", "margin_m": 0.05, "units": [1, 2, 3]},
}
envelope = Envelope(json.dumps(statement, indent=1).encode(), "application/vnd.in-toto+json", {})
envelope.sign(CryptoSigner(private))
(HERE / "foreign.json").write_text(json.dumps(envelope.to_dict(), indent=2) + "\n")

twin = json.loads((HERE / "envelope.json").read_text())
payload = base64.b64decode(twin["payload"]).replace(b"refuted", b"support")
twin["payload"] = base64.b64encode(payload).decode()
(HERE / "tampered.json").write_text(json.dumps(twin) + "\n")
