"""The storage account whose credential the environment holds; imported when bytes are moved.

Nothing that the SDK says is shown as it is: it may repeat a shared access signature.
"""

import math
import os
from collections.abc import Iterator
from contextlib import suppress
from typing import IO, NoReturn
from urllib.parse import unquote, urlsplit

from azure.core.exceptions import HttpResponseError, ResourceExistsError
from azure.storage.blob import BlobClient, BlobServiceClient

from cli.connection import is_loopback
from cli.faults import CONFLICT, fail
from cli.misuse import refuse
from shared.models.blobs import BlobReference
from shared.storage.addresses import account_address, blob_uri
from shared.storage.blobs import CHUNK_BYTES, BlobStore
from shared.storage.faults import blob_faults
from shared.storage.patience import CLIENT_OPTIONS
from shared.storage.transport import BlobTransport

CONNECTION = "AZURE_STORAGE_CONNECTION_STRING"
SIGNED_URL = "BLDST_UPLOAD_URL"
_MOST_BLOCKS = 50_000
"""What a blob may have."""
_BLOCK_BYTES = 8 * 1024 * 1024
_BLOCKS_AT_ONCE = 4


class Storage:
    """One account, or one container of it."""

    def __init__(self, connection_string: str, container: str | None) -> None:
        """Raises ValueError for what leads to no account."""
        self._connection_string = connection_string
        self._store = BlobStore(connection_string)
        self.container = container
        """Where the credential is for that one only."""

    def reference(self, container: str, path: str) -> BlobReference:
        """Raises InvalidInput for names that no blob has."""
        return BlobReference(self._store.account, container, path)

    def named_by(self, url: str) -> BlobReference | None:
        """The blob of a URL; None where it is of another account, or of another container."""
        plain = url.partition("?")[0]
        below = plain.removeprefix(f"{self._store.uri}/")
        container, slash, path = below.partition("/")
        is_ours = below != plain and bool(slash) and self.container in {None, container}
        return self.reference(container, unquote(path)) if is_ours else None

    def url_of(self, blob: BlobReference) -> str:
        """Its address, without credentials."""
        return blob_uri(self._store.uri, blob.container, blob.path)

    def read(self, blob: BlobReference) -> tuple[int, Iterator[bytes]]:
        """Size and bytes of the blob as it is now.

        Raises BlobNotFound, BlobUnreadable, StorageUnavailable; BlobChanged while it is read.
        """
        properties = self._store.properties(blob)
        return properties.size_bytes, self._store.read(properties)

    def upload(self, blob: BlobReference, source: IO[bytes], size: int, *, overwrite: bool) -> None:
        """Write a blob; ends the command where there is one that may not be overwritten.

        `source` can neither seek nor tell: the SDK reads it in order then, and once.
        """
        with self._uploading(size) as service, blob_faults(blob):
            client = service.get_blob_client(blob.container, blob.path)
            # The condition comes with the last block: who asks before saves all the others.
            if not overwrite and _is_there(client):
                self._refuse_to_overwrite(blob)
            with suppress(ResourceExistsError):
                client.upload_blob(
                    source, length=size, overwrite=overwrite, max_concurrency=_BLOCKS_AT_ONCE
                )
                return
        self._refuse_to_overwrite(blob)

    def _uploading(self, size: int) -> BlobServiceClient:
        return BlobServiceClient.from_connection_string(
            self._connection_string,
            transport=BlobTransport(connection_data_block_size=CHUNK_BYTES, **CLIENT_OPTIONS),
            max_single_put_size=_BLOCK_BYTES,
            max_block_size=max(_BLOCK_BYTES, math.ceil(size / _MOST_BLOCKS)),
            **CLIENT_OPTIONS,
        )

    def _refuse_to_overwrite(self, blob: BlobReference) -> NoReturn:
        fail(CONFLICT, f"there is a blob already, {self.url_of(blob)}: --overwrite replaces it")


def storage_at_hand() -> Storage | None:
    """What the environment's credential leads to; None where it has none. Raises Misuse."""
    connection, signed = os.environ.get(CONNECTION), os.environ.get(SIGNED_URL)
    if connection and signed:
        refuse(f"{CONNECTION} and {SIGNED_URL} are both set: only one can be used")
    try:
        if signed:
            return _signed(signed)
        return Storage(connection, None) if connection else None
    except ValueError:
        refuse(f"{SIGNED_URL if signed else CONNECTION} cannot be read")


def _signed(url: str) -> Storage:
    """Of a container's address and its shared access signature."""
    address, signature = account_address(url)
    parts = urlsplit(address)
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        refuse(f"over http:// the signature of {SIGNED_URL} could be read on its way")
    account, _, container = address.rpartition("/")
    if parts.scheme not in {"http", "https"} or not container or not signature:
        refuse(f"{SIGNED_URL} is a container's URL with its signature: https://...?sv=...")
    return Storage(f"BlobEndpoint={account};SharedAccessSignature={signature[1:]}", container)


def _is_there(client: BlobClient) -> bool:
    """As far as the credential may look."""
    with suppress(HttpResponseError):
        return client.exists()
    return False
