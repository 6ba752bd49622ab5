"""The storage account that the environment names; imported when bytes are moved.

Nothing that the SDK says is shown as it is: it may repeat a shared access signature.
"""

import math
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from typing import IO, NoReturn
from urllib.parse import unquote, urlsplit

from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
)
from azure.storage.blob import BlobClient, BlobServiceClient

from cli.connection import is_loopback
from cli.faults import CONFLICT, NOT_ALLOWED, fail
from cli.misuse import refuse
from shared.errors import InvalidInput, StorageUnavailable
from shared.identity import Identity, NoToken
from shared.models.blobs import BlobReference, check_account
from shared.models.service_uris import read_service_uri
from shared.storage.account import Account, IdentityAccount, blob_service
from shared.storage.addresses import account_address, blob_uri
from shared.storage.blobs import CHUNK_BYTES, BlobStore
from shared.storage.faults import blob_faults

CONNECTION = "AZURE_STORAGE_CONNECTION_STRING"
UPLOAD_URL = "BLDST_UPLOAD_URL"
_MOST_BLOCKS = 50_000
"""What a blob may have."""
_BLOCK_BYTES = 8 * 1024 * 1024
_BLOCKS_AT_ONCE = 4


class Storage:
    """One account, or one container of it."""

    def __init__(self, account: Account, container: str | None, variable: str) -> None:
        """Raises ValueError, and InvalidInput, for what leads to no account.

        `variable` is where all this was said.
        """
        self._account = account
        self._variable = variable
        self._store = BlobStore(account)
        check_account(self._store.account)
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

    @contextmanager
    def opened(self, blob: BlobReference) -> Generator[tuple[int, Iterator[bytes]]]:
        """Size and bytes of the blob as it is now.

        Raises BlobNotFound, BlobUnreadable, StorageUnavailable; BlobChanged while it is read.
        """
        with self._refusals():
            properties = self._store.properties(blob)
            yield properties.size_bytes, self._store.read(properties)

    def upload(self, blob: BlobReference, source: IO[bytes], size: int, *, overwrite: bool) -> None:
        """Write a blob; ends the command where there is one that may not be overwritten.

        `source` can neither seek nor tell: the SDK reads it in order then, and once.
        """
        with self._uploading(size) as service, self._refusals(), blob_faults(blob):
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

    @contextmanager
    def _refusals(self) -> Generator[None]:
        """End the command where the credential is at fault, not the store. Raises Misuse."""
        try:
            yield
        except StorageUnavailable as error:
            cause = error.__cause__
            if isinstance(cause, NoToken):
                fail(NOT_ALLOWED, f"{self._variable} has no signature, and nobody is signed in")
            status = cause.status_code if isinstance(cause, HttpResponseError) else None
            if isinstance(cause, ClientAuthenticationError) and status is None:
                refuse(f"the key in {self._variable} cannot be read")  # nothing could be signed
            if status in {401, 403}:
                fail(NOT_ALLOWED, f"{error.summary} They are those of {self._variable}.")
            raise

    def _uploading(self, size: int) -> BlobServiceClient:
        return blob_service(
            self._account,
            chunk_bytes=CHUNK_BYTES,
            max_single_put_size=_BLOCK_BYTES,
            max_block_size=max(_BLOCK_BYTES, math.ceil(size / _MOST_BLOCKS)),
        )

    def _refuse_to_overwrite(self, blob: BlobReference) -> NoReturn:
        fail(CONFLICT, f"there is a blob already, {self.url_of(blob)}: --overwrite replaces it")


def storage_at_hand() -> Storage | None:
    """What the environment's credential leads to; None where it has none. Raises Misuse."""
    connection, url = os.environ.get(CONNECTION), os.environ.get(UPLOAD_URL)
    if connection and url:
        refuse(f"{CONNECTION} and {UPLOAD_URL} are both set: only one can be used")
    try:
        if url:
            return _at(url)
        return Storage(connection, None, CONNECTION) if connection else None
    except (ValueError, InvalidInput):
        refuse(f"{UPLOAD_URL if url else CONNECTION} cannot be read")


def _at(url: str) -> Storage:
    """Of a container's address, for its shared access signature, or else for who is signed in."""
    address, signature = account_address(url)
    parts = urlsplit(address)
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        refuse(f"over http:// the signature of {UPLOAD_URL} could be read on its way")
    account, _, container = address.rpartition("/")
    if parts.scheme not in {"http", "https"} or not container:
        refuse(f"{UPLOAD_URL} is a container's URL: https://..., with its signature or without")
    if not signature:
        by_identity = IdentityAccount(Identity(), read_service_uri(account, "blob"))
        return Storage(by_identity, container, UPLOAD_URL)
    connection = f"BlobEndpoint={account};SharedAccessSignature={signature[1:]}"
    return Storage(connection, container, UPLOAD_URL)


def _is_there(client: BlobClient) -> bool:
    """As far as the credential may look."""
    with suppress(HttpResponseError):
        return client.exists()
    return False
