"""Keeping others from writing a blob for as long as one request takes."""

from collections.abc import Generator
from contextlib import contextmanager, suppress
from uuid import UUID, uuid5

from azure.core import MatchConditions
from azure.storage.blob import BlobClient, BlobLeaseClient

from shared.errors import RegistryError
from shared.models.blobs import BlobProperties
from shared.storage.faults import blob_faults

_SHORTEST_SECONDS = 15
"""That a lease may be given: after a crash nobody is kept out for longer."""

_OURS = UUID("0198c2a4-7b1e-7d52-9f3a-2d1b7f6c8e94")


@contextmanager
def leased(client: BlobClient, properties: BlobProperties) -> Generator[BlobLeaseClient]:
    """The blob leased in the state that its etag names; a lease gives it no other.

    The lease is named after that state: whoever was killed holding it, or never heard the answer,
    is given it again. Raises BlobChanged when the blob has another state by now, or none,
    BlobUnreadable where others hold a lease, StorageUnavailable.
    """
    lease = BlobLeaseClient(client, lease_id=str(uuid5(_OURS, properties.etag)))
    with blob_faults(properties.reference):
        lease.acquire(
            _SHORTEST_SECONDS,
            etag=f'"{properties.etag}"',
            match_condition=MatchConditions.IfNotModified,
        )
    try:
        yield lease
    finally:
        # It ends by itself, and what was done under it stands. Archived blobs may not let go.
        with suppress(RegistryError), blob_faults(properties.reference):
            lease.release()
