"""A blob's bytes as ranged GETs, each pinned to one etag."""

from collections.abc import Generator
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import cast

from azure.core import MatchConditions
from azure.core.exceptions import AzureError, HttpResponseError
from azure.core.pipeline import Pipeline
from azure.core.rest import HttpRequest, HttpResponse
from azure.storage.blob import BlobServiceClient
from urllib3.exceptions import HTTPError

from shared.errors import BlobChanged, StorageUnavailable
from shared.models.blobs import BlobProperties, BlobReference
from shared.storage.addresses import account_address, blob_uri
from shared.storage.faults import blob_faults

BLOCK_BYTES = 256 * 1024 * 1024
"""What one GET asks for: its cost vanishes, and a change of the blob is still noticed soon."""

_ONE_PIECE_BYTES = 1024 * 1024
"""What a store sends at once; a request more for each such blob would not pay."""
_CUTS_PER_BLOCK = 3
_ANOTHER_SIZE = "The blob has another size than it was said to have."


@dataclass(frozen=True)
class RangeReader:
    """Reads blobs through a service client's own pipeline: its credentials, retries and logging.

    The SDK's `download_blob` holds and copies each range as a whole and waits while the caller
    works, which costs most of the speed. A block is one GET, streamed in chunks of the client's
    `connection_data_block_size`.
    """

    service: BlobServiceClient
    block_bytes: int

    def read(self, blob: BlobProperties) -> Generator[bytes]:
        """Exactly `blob.size_bytes` bytes of the state that `blob.etag` names, as stored.

        No `Content-Encoding` is undone. The store confirms the etag to each request, and once more
        after the last byte of a blob whose answer took a while; it is asked at least once.
        Raises BlobChanged, BlobNotFound, BlobUnreadable or StorageUnavailable.
        """
        for start in range(0, blob.size_bytes, self.block_bytes):
            end = min(start + self.block_bytes, blob.size_bytes)
            yield from self._read_block(blob, start, end)
        if blob.size_bytes == 0 or blob.size_bytes > _ONE_PIECE_BYTES:
            self._confirm(blob)

    def _read_block(self, blob: BlobProperties, start: int, end: int) -> Generator[bytes]:
        """One block; where its connection breaks, the rest is asked for anew."""
        received = start
        for _ in range(1 + _CUTS_PER_BLOCK):
            # azure-core lets some of urllib3's faults through: a TLS connection cut short is one.
            with (
                suppress(AzureError, HTTPError),
                closing(self._open(blob, received, end)) as response,
            ):
                for chunk in response.iter_raw():
                    received += len(chunk)
                    yield chunk
            if received == end:
                return
        raise StorageUnavailable("The connection to the storage account keeps breaking.")

    def _open(self, blob: BlobProperties, start: int, end: int) -> HttpResponse:
        request = HttpRequest(
            "GET",
            self._address(blob.reference),
            params={"versionid": blob.version_id} if blob.is_version else None,
            headers={
                "If-Match": f'"{blob.etag}"',
                "x-ms-range": f"bytes={start}-{end - 1}",
                "x-ms-version": self.service.api_version,
            },
        )
        with blob_faults(blob.reference):
            response = self._send(request)
        expected = f"bytes {start}-{end - 1}/{blob.size_bytes}"
        if response.headers.get("Content-Range") != expected:
            response.close()
            raise BlobChanged(_ANOTHER_SIZE)
        return response

    def _confirm(self, blob: BlobProperties) -> None:
        """Ask for the etag alone: an empty blob has no range, a large one may have changed since.

        Page and append blobs change in place, so even one answer could mix two of their states.
        """
        with blob_faults(blob.reference):
            client = self.service.get_blob_client(blob.reference.container, blob.reference.path)
            found = client.get_blob_properties(
                version_id=blob.version_id if blob.is_version else None,
                etag=f'"{blob.etag}"',
                match_condition=MatchConditions.IfNotModified,
            )
        if found.size != blob.size_bytes:
            raise BlobChanged(_ANOTHER_SIZE)

    def _address(self, blob: BlobReference) -> str:
        """With the shared access signature, where the account is reached by one.

        A client of the blob would tell it as well, and takes longer to make than a small request.
        """
        uri, signature = account_address(str(self.service.url))
        return blob_uri(uri, blob.container, blob.path) + signature

    def _send(self, request: HttpRequest) -> HttpResponse:
        # No public call of the SDK hands out a body before all of it is in memory.
        pipeline = cast(
            "Pipeline[HttpRequest, HttpResponse]",
            self.service._pipeline,  # noqa: SLF001  # pyright: ignore[reportPrivateUsage, reportUnknownMemberType]
        )
        response = pipeline.run(request, stream=True).http_response
        if response.status_code == 206:
            return response
        with closing(response):
            response.read()
            raise HttpResponseError(response=response)
