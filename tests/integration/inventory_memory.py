"""Reads an inventory; prints how many blobs it lists, and resident bytes soon and in the end."""

import sys
from pathlib import Path

from shared.models.listed_blobs import BlobScope
from shared.storage.inventory import InventoryFile
from tests.integration.hashing_memory import resident_bytes


def main() -> None:
    blobs, settled = 0, 0
    for page in InventoryFile(Path(sys.argv[1]), BlobScope("account", "container")).pages(None):
        blobs += len(page.blobs)
        settled = settled or (resident_bytes("VmHWM") if blobs >= 50_000 else 0)
    print(blobs, settled, resident_bytes("VmHWM"))  # noqa: T201 - its answer


if __name__ == "__main__":
    main()
