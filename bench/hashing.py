"""How fast content is hashed, against the limits of the machine and of the Azure SDK."""

import hashlib
import tempfile
from collections.abc import Generator
from pathlib import Path

from bench.large_blob import SIZE_BYTES, LargeBlob, large_blob, speed
from bench.ratio import Ratio
from bench.rounds import median_seconds
from shared.models.content_hash import content_hash_of
from shared.services.hashing import hash_blob, hash_chunks
from shared.storage.blobs import CHUNK_BYTES, CHUNKS_AHEAD, BlobStore
from shared.storage.read_ahead import read_ahead

ROUNDS = 5


def run() -> list[Ratio]:
    """Measure on 1 GiB: from Azurite, on disk, and from a local file in the page cache."""
    with tempfile.TemporaryDirectory(prefix="registry-bench-") as name:
        directory = Path(name)
        with large_blob(directory) as blob:
            return [*_of_blob(blob), _from_file(directory, blob.content)]


def _of_blob(blob: LargeBlob) -> list[Ratio]:
    store = BlobStore(blob.azurite.connection_string)
    content_hash = content_hash_of(hashlib.sha256(blob.content).digest())

    def ours() -> None:
        assert hash_blob(store, store.properties(blob.reference)).content_hash == content_hash

    def sdk() -> None:
        assert hash_chunks(blob.client.download_blob().chunks()).size_bytes == SIZE_BYTES

    seconds = median_seconds({"ours": ours, "raw": blob.get_to_nowhere, "sdk": sdk}, ROUNDS)
    speeds = ", ".join(f"{name} {speed(taken)}" for name, taken in seconds.items())
    return [
        Ratio("hash a blob / raw GET of it", seconds["raw"] / seconds["ours"], 0.9, speeds),
        Ratio("hash a blob / SDK's chunks", seconds["sdk"] / seconds["ours"], 4.0, speeds),
    ]


def _from_file(directory: Path, content: bytes) -> Ratio:
    path = directory / "content"
    path.write_bytes(content)
    digest = hashlib.sha256(content).digest()

    def ours() -> None:
        hashed = hash_chunks(read_ahead(_chunks(path), CHUNKS_AHEAD))
        assert hashed.content_hash == content_hash_of(digest)

    def in_memory() -> None:
        assert hashlib.sha256(content).digest() == digest

    seconds = median_seconds({"ours": ours, "hashlib": in_memory}, ROUNDS)
    speeds = ", ".join(f"{name} {speed(taken)}" for name, taken in seconds.items())
    ratio = seconds["hashlib"] / seconds["ours"]
    return Ratio("hash a local stream / hashlib on memory", ratio, 0.95, speeds)


def _chunks(path: Path) -> Generator[bytes]:
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk
