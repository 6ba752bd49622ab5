"""A blob of 1 GiB in the emulator, and the least work with which its bytes can be had."""

import hashlib
import http.client
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from azure.storage.blob import BlobClient, BlobSasPermissions, BlobServiceClient, generate_blob_sas

from devhost.stack.azurite import Azurite
from shared.models.blobs import BlobReference
from shared.storage.blobs import CHUNK_BYTES

SIZE_BYTES = 1024**3
CONTAINER, NAME = "bench", "content"

_STAGED_BYTES = 64 * 1024**2


@dataclass(frozen=True)
class LargeBlob:
    """Where it is, and what it holds."""

    azurite: Azurite
    client: BlobClient
    content: bytes

    @property
    def reference(self) -> BlobReference:
        return BlobReference(self.azurite.account, CONTAINER, NAME)

    def get_to_nowhere(self) -> None:
        """One ranged GET: the least work with which the bytes can be had in Python."""
        parts = urlsplit(self._signed_address())
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

    def _signed_address(self) -> str:
        account = self.azurite.account
        signature = generate_blob_sas(
            account,
            CONTAINER,
            NAME,
            account_key=self.azurite.account_key,
            permission=BlobSasPermissions(read=True),
            expiry=datetime.now(UTC) + timedelta(hours=1),
        )
        return f"http://127.0.0.1:{self.azurite.ports[0]}/{account}/{CONTAINER}/{NAME}?{signature}"


@contextmanager
def large_blob(directory: Path) -> Generator[LargeBlob]:
    """An emulator that holds it, on disk in a directory."""
    # Not all zeros, and nothing that would make a wrong order of chunks look right.
    content = b"".join(hashlib.shake_256(bytes([n])).digest(_STAGED_BYTES) for n in range(16))
    azurite = Azurite(directory / "azurite")
    azurite.start()
    try:
        with BlobServiceClient.from_connection_string(
            azurite.connection_string, max_block_size=_STAGED_BYTES
        ) as service:
            service.get_container_client(CONTAINER).create_container()
            client = service.get_blob_client(CONTAINER, NAME)
            client.upload_blob(content)
            yield LargeBlob(azurite, client, content)
    finally:
        azurite.stop()


def speed(seconds: float) -> str:
    """Of the whole blob."""
    return f"{SIZE_BYTES / seconds / 1e9:.2f} GB/s"
