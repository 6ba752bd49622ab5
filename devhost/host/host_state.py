"""What the host remembers between its runs: small blobs in `azure-webjobs-hosts`."""

from collections.abc import Callable
from typing import TypeVar

from azure.core import MatchConditions
from azure.core.exceptions import (
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.storage.blob import BlobClient, ContainerClient

from devhost.host.storage import HOST_CONTAINER, StorageConnections

T = TypeVar("T")


class HostState:
    """Reads and writes state blobs; makes their container when it is missing."""

    def __init__(self, connections: StorageConnections) -> None:
        """Raises `ConnectionNotUsable`."""
        self._container: ContainerClient = connections.blobs().get_container_client(HOST_CONTAINER)

    def blob(self, path: str) -> BlobClient:
        return self._container.get_blob_client(path)

    def read(self, path: str) -> bytes | None:
        """None when it was never written."""
        try:
            return self.blob(path).download_blob().readall()
        except ResourceNotFoundError:
            return None

    def write(self, path: str, content: bytes) -> None:
        self._with_container(lambda: self.blob(path).upload_blob(content, overwrite=True))

    def create(self, path: str) -> bool:
        """Whether this call, of all calls by all hosts, is the one that created it (empty)."""
        try:
            self._with_container(lambda: self.blob(path).upload_blob(b"", overwrite=False))
        except ResourceExistsError:
            return False
        return True

    def take_over(self, path: str, etag: str) -> bool:
        """Whether this call, of all that saw the same etag, is the one that rewrote it (empty)."""
        try:
            self.blob(path).upload_blob(
                b"", overwrite=True, etag=etag, match_condition=MatchConditions.IfNotModified
            )
        except (ResourceModifiedError, ResourceNotFoundError):
            return False
        return True

    def _with_container(self, write: Callable[[], T]) -> T:
        try:
            return write()
        except ResourceNotFoundError:
            self._create_container()
            return write()

    def _create_container(self) -> None:
        try:
            self._container.create_container()
        except ResourceExistsError:  # another listener, or another host, was quicker
            return
