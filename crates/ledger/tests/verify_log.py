"""Verifies a lake's ledger with tlog-scales alone, and checks that tampered twins are refused.

usage: verify_log.py LAKE [WITNESS_KEY_FILE...]

LAKE holds `key.pub`, `checkpoint`, `tile/` and `cosigned/`. Every entry is hashed and compared with its
leaf, some are proved; the tree is proved to continue earlier sizes; each cosigned head must carry a
cosignature of every witness key given. Then one byte of each kind of file is flipped, in memory.
Exit 0: the log verifies and every tampered twin fails. Exit 1: anything else. Needs: tlog-scales 0.0.3.
"""

import sys
from pathlib import Path

from tlog_scales.backend import LocalBackend
from tlog_scales.reader import TilesReader
from tlog_scales.signing import Vkey
from tlog_scales.tiles import leaf_hash
from tlog_scales.tlog import Checkpoint


class Backend(LocalBackend):
    """Files of the lake, with one byte of one of them flipped if asked."""

    def __init__(self, folder, path=None, at=0):
        super().__init__(folder)
        self.path, self.at, self.seen = path, at, {}

    def get(self, *path):
        data = super().get(*path)
        name = "/".join(path)
        if data is not None:
            self.seen[name] = len(data)
            if name == self.path:
                changed = bytearray(data)
                changed[self.at] ^= 1
                data = bytes(changed)
        return data


def check(condition, problem):
    if not condition:
        raise ValueError(problem)


def verify(backend, witnesses, every):
    """The head, if all that the library can check holds; of the entries, all or those of the first and last bundle."""
    key = Vkey.from_string(backend.get("key.pub").decode().strip())
    reader = TilesReader(backend)
    head = reader.get_checkpoint()
    check(head.origin == key.name, "another log")
    head.verify(key)
    check(reader.calculate_root_hash() == head.root_hash, "the root is not the signed one")
    ends = {*range(0, min(256, head.size)), *range((head.size - 1) // 256 * 256, head.size)}
    for index in range(head.size) if every else sorted(ends):
        leaf = leaf_hash(reader.get_entry(index))
        check(reader.mth(index, index + 1) == leaf, f"entry {index} is not its leaf")
        if index % 97 == 0 or index == head.size - 1:
            reader.get_inclusion_proof(index, head.size).check(leaf, head.root_hash)
    size = head.size
    while size > 0:
        proof = reader.get_consistency_proof(size, head.size)
        proof.check(reader.mth(0, size), head.root_hash)
        size //= 2
    names = sorted(path.name for path in Path(backend.base, "cosigned").glob("*"))
    check(names or not witnesses, "no head was cosigned")
    for name in names:
        earlier = Checkpoint.from_text(backend.get("cosigned", name).decode())
        earlier.verify(key)
        for witness in witnesses:
            earlier.verify(witness)
        check(reader.mth(0, earlier.size) == earlier.root_hash, f"{name} is of another history")
    return head


def is_accepted(backend, witnesses):
    try:
        verify(backend, witnesses, False)
    except Exception:  # The library raises many kinds; any of them is a refusal.
        return False
    return True


def main(arguments):
    folder = Path(arguments[0])
    witnesses = [Vkey.from_string(Path(path).read_text().strip()) for path in arguments[1:]]
    whole = Backend(folder)
    head = verify(whole, witnesses, True)
    last, twins = f"{(head.size - 1) // 256 % 1000:03d}", 0
    for path, length in whole.seen.items():
        # Of a long log, the files at both ends stand for all.
        if path.startswith("tile/") and f"/{last}" not in path and not path.endswith("/000"):
            continue
        for at in (0, length // 2, length - 1):
            # The reader ignores the newlines that end these, and a line of no witness asked about.
            if not path.startswith("tile/") and at == length - 1:
                continue
            if path.startswith("cosigned/") and at != 0 and not witnesses:
                continue
            if is_accepted(Backend(folder, path, at), witnesses):
                print(f"a tampered twin was accepted: byte {at} of {path}")
                return 1
            twins += 1
    print(f"{folder}: {head.size} entries verified by tlog-scales; {twins} tampered twins refused")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
