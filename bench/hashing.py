"""How fast content is hashed, against the limits of the machine and of the Azure SDK."""

import hashlib
import http.client
import tempfile
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from azure.storage.blob import BlobClient, BlobSasPermissions, BlobServiceClient, generate_blob_sas

from bench.ratio import Ratio
from bench.rounds import median_seconds
from devhost.stack.azurite import Azurite
from shared.models.blobs import BlobReference
from shared.models.content_hash import content_hash_of
from shared.services.hashing import hash_blob, hash_chunks
from shared.storage.blobs import CHUNK_BYTES, CHUNKS_AHEAD, BlobStore
from shared.storage.read_ahead import read_ahead

SIZE_BYTES = 1024**3
STAGED_BYTES = 64 * 1024**2
CONTAINER, NAME = "bench", "content"
ROUNDS = 5


def run() -> list[Ratio]:
    """Measure on 1 GiB: from Azurite, on disk, and from a local file in the page cache."""
    # Not all zeros, and nothing that would make a wrong order of chunks look right.
    content = b"".join(hashlib.shake_256(bytes([n])).digest(STAGED_BYTES) for n in range(16))
    with tempfile.TemporaryDirectory(prefix="registry-bench-") as directory:
        return [*_from_azurite(Path(directory), content), _from_file(Path(directory), content)]


def _from_azurite(directory: Path, content: bytes) -> list[Ratio]:
    azurite = Azurite(directory / "azurite")
    azurite.start()
    try:
        client = _upload(azurite, content)
        return _blob_ratios(azurite, client, hashlib.sha256(content).digest())
    finally:
        azurite.stop()


def _upload(azurite: Azurite, content: bytes) -> BlobClient:
    service = BlobServiceClient.from_connection_string(
        azurite.connection_string, max_block_size=STAGED_BYTES
    )
    service.get_container_client(CONTAINER).create_container()
    client = service.get_blob_client(CONTAINER, NAME)
    client.upload_blob(content)
    return client


def _blob_ratios(azurite: Azurite, client: BlobClient, digest: bytes) -> list[Ratio]:
    store = BlobStore(azurite.connection_string)
    reference = BlobReference(store.account, CONTAINER, NAME)
    address = _signed_address(azurite)

    def ours() -> None:
        hashed = hash_blob(store, store.properties(reference))
        assert hashed.content_hash == content_hash_of(digest)

    def sdk() -> None:
        assert hash_chunks(client.download_blob().chunks()).size_bytes == SIZE_BYTES

    seconds = median_seconds({"ours": ours, "raw": lambda: _raw_get(address), "sdk": sdk}, ROUNDS)
    speeds = ", ".join(f"{name} {_speed(taken)}" for name, taken in seconds.items())
    return [
        Ratio("hash a blob / raw GET of it", seconds["raw"] / seconds["ours"], 0.9, speeds),
        Ratio("hash a blob / SDK's chunks", seconds["sdk"] / seconds["ours"], 4.0, speeds),
    ]


def _signed_address(azurite: Azurite) -> str:
    signature = generate_blob_sas(
        azurite.account,
        CONTAINER,
        NAME,
        account_key=azurite.account_key,
        permission=BlobSasPermissions(read=True),
        expiry=datetime.now(UTC) + timedelta(hours=1),
    )
    return f"http://127.0.0.1:{azurite.ports[0]}/{azurite.account}/{CONTAINER}/{NAME}?{signature}"


def _raw_get(address: str) -> None:
    """One ranged GET to nowhere: the least work with which the bytes can be had in Python."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.netloc)
    whole = {"Range": f"bytes=0-{SIZE_BYTES - 1}"}
    connection.request("GET", f"{parts.path}?{parts.query}", headers=whole)
    response = connection.getresponse()
    buffer = bytearray(CHUNK_BYTES)
    received = 0
    while count := response.readinto(buffer):
        received += count
    connection.close()
    assert received == SIZE_BYTES


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
    speeds = ", ".join(f"{name} {_speed(taken)}" for name, taken in seconds.items())
    ratio = seconds["hashlib"] / seconds["ours"]
    return Ratio("hash a local stream / hashlib on memory", ratio, 0.95, speeds)


def _chunks(path: Path) -> Generator[bytes]:
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def _speed(seconds: float) -> str:
    return f"{SIZE_BYTES / seconds / 1e9:.2f} GB/s"
