"""Receipts: which version of which blob has been handed to which function."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from azure.core.exceptions import ResourceNotFoundError

from devhost.host.host_state import HostState

ABANDONED_AFTER = timedelta(seconds=30)
COMPLETED = "Completed"
LONGEST_BLOB_NAME = 1024


@dataclass(frozen=True)
class BlobVersion:
    """One blob as one write left it; `etag` stands without quotes."""

    container: str
    name: str
    etag: str


class Claim(Enum):
    """What a function may do about a version of a blob."""

    OURS = "hand it over now"
    DONE = "it was handed over before"
    BUSY = "another host is handing it over; look again later"


class BlobReceipts:
    """The receipts of one function, one blob each, shared by every host with the same id.

    A receipt is created before the version is handed over and completed after it. One that stays
    incomplete for `ABANDONED_AFTER` belonged to a host that died, and may be taken over.
    """

    def __init__(self, state: HostState, host_id: str, function_name: str) -> None:
        self._state = state
        self._folder = f"blobreceipts/{host_id}/{function_name}"

    def claim(self, version: BlobVersion, now: datetime) -> Claim:
        path = self._path(version)
        if self._state.create(path):
            return Claim.OURS
        try:
            receipt = self._state.blob(path).get_blob_properties()
        except ResourceNotFoundError:
            return Claim.BUSY
        if receipt.metadata.get(COMPLETED) == "True":
            return Claim.DONE
        if now - receipt.last_modified < ABANDONED_AFTER:
            return Claim.BUSY
        return Claim.OURS if self._state.take_over(path, receipt.etag) else Claim.BUSY

    def complete(self, version: BlobVersion) -> None:
        self._state.blob(self._path(version)).set_blob_metadata({COMPLETED: "True"})

    def _path(self, version: BlobVersion) -> str:
        path = f"{self._folder}/{version.etag}/{version.container}/{version.name}"
        if len(path) <= LONGEST_BLOB_NAME and not _has_dot_segment(version.name):
            return path
        digest = hashlib.sha256(version.name.encode()).hexdigest()
        return f"{self._folder}/{version.etag}/{version.container}/{digest}"


def _has_dot_segment(name: str) -> bool:
    """Whether an HTTP client would rewrite the path (RFC 3986, 5.2.4) and so change the name."""
    return not {".", ".."}.isdisjoint(name.split("/"))
