"""A container of blobs that are written once and never again."""

from collections.abc import Iterable, Iterator
from contextlib import suppress

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError

from shared.storage.account import Account, blob_service
from shared.storage.faults import account_faults

_SMALL = 2**20


class KeptBlobs:
    """Blobs of one container. Any number of threads may ask.

    An immutability policy on the container keeps others to the same. Whatever is called raises
    StorageUnavailable where the service is not there.
    """

    def __init__(self, account: Account, container: str) -> None:
        self._container = blob_service(account).get_container_client(container)

    def keep(self, path: str, content: bytes | Iterable[bytes]) -> bool:
        """Whether it was written: one that is there stays as it is. Makes the container."""
        with account_faults():
            # What comes bit by bit comes once: of a second try, nothing would be left.
            if not isinstance(content, bytes) and not self._container.exists():
                self._make_container()
            try:
                return self._insert(path, content)
            except ResourceNotFoundError:
                if not isinstance(content, bytes):
                    raise
                self._make_container()
                return self._insert(path, content)

    def read(self, path: str) -> bytes | None:
        """All of a small one, a mebibyte of a larger one; None where there is none."""
        with account_faults():
            try:
                return self._container.download_blob(path, offset=0, length=_SMALL).readall()
            except ResourceNotFoundError:
                return None

    def chunks(self, path: str) -> Iterator[bytes]:
        """A large one, bit by bit; none where there is none."""
        with account_faults():
            try:
                yield from self._container.download_blob(path).chunks()
            except ResourceNotFoundError:
                return

    def paths(self) -> Iterator[str]:
        """Their names, in order."""
        with account_faults():
            try:
                yield from self._container.list_blob_names()
            except ResourceNotFoundError:
                return

    def _make_container(self) -> None:
        with suppress(ResourceExistsError):
            self._container.create_container()

    def _insert(self, path: str, content: bytes | Iterable[bytes]) -> bool:
        try:
            self._container.upload_blob(path, content, overwrite=False)
        except ResourceExistsError:
            return False
        return True
