"""Hashes one blob and prints its content hash and the peak of resident bytes above idle.

A process of its own, so that nothing else a test run holds is counted.
Arguments: connection string, container, path.
"""

import sys
from pathlib import Path

from shared.models.blobs import BlobReference
from shared.services.hashing import hash_blob
from shared.storage.blobs import BlobStore


def resident_bytes(field: str) -> int:
    """`VmRSS`, now, or `VmHWM`, the peak; proc(5)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    raise LookupError(field)


def main() -> None:
    connection_string, container, path = sys.argv[1:]
    store = BlobStore(connection_string)
    properties = store.properties(BlobReference(store.account, container, path))
    idle = resident_bytes("VmRSS")
    hashed = hash_blob(store, properties)
    print(hashed.content_hash, resident_bytes("VmHWM") - idle)  # noqa: T201 - its answer


if __name__ == "__main__":
    main()
