"""Blobs of one storage account."""

from collections.abc import Generator, Mapping
from contextlib import closing, nullcontext, suppress
from typing import Any, BinaryIO

from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceExistsError
from azure.storage.blob import BlobClient
from azure.storage.blob import RehydratePriority as SdkPriority

from shared.errors import BlobChanged, BlobNotFound, StorageAccountNotAllowed
from shared.models.blobs import BlobProperties, BlobReference
from shared.models.listed_blobs import BlobScope
from shared.models.tiers import ColderTier, RehydratePriority
from shared.storage.account import Account, blob_service
from shared.storage.addresses import account_address
from shared.storage.faults import account_faults, blob_faults
from shared.storage.leases import leased
from shared.storage.listing import PAGE_BLOBS, ContainerListing
from shared.storage.patience import CHECK_OPTIONS
from shared.storage.ranges import BLOCK_BYTES, RangeReader
from shared.storage.read_ahead import read_ahead

CHUNK_BYTES = 1024 * 1024
"""What the socket is read into at a time: more or less costs page faults or thread switches."""

CHUNKS_AHEAD = 4
_IS_CURRENT = "OperationNotAllowedOnRootBlob"
"""What the store answers to who deletes the current version by its id."""


class BlobStore:
    """Reads blobs of one account. Any number of threads may."""

    def __init__(self, account: Account, *, block_bytes: int = BLOCK_BYTES) -> None:
        self._service = blob_service(account, chunk_bytes=CHUNK_BYTES)
        self._has_identity = not isinstance(account, str)
        self._ranges = RangeReader(self._service, block_bytes)

    @property
    def account(self) -> str:
        """Name of the storage account."""
        return self._service.account_name or ""

    def serves(self, account: str) -> bool:
        """Whether blobs of that account are to be had here."""
        return account == self.account

    def properties(
        self, reference: BlobReference, *, version_id: str | None = None
    ) -> BlobProperties:
        """What the store says of a blob now, or of one of its versions.

        Raises StorageAccountNotAllowed for another account, BlobNotFound (it says whether the blob
        or its container is missing), BlobChanged while it is being copied, StorageUnavailable.
        """
        self._require_own(reference)
        # A view on the account's one client and its connections: cheap, so none is kept.
        client = self._service.get_blob_client(reference.container, reference.path)
        with blob_faults(reference):
            found = client.get_blob_properties(version_id=version_id)
        if found.copy.status == "pending":
            # A Data Lake tells of a copy when it begins, and not again when it ends.
            raise BlobChanged("The blob is still being copied.")
        return BlobProperties(
            reference=reference,
            uri=client.url.partition("?")[0],  # what follows is a shared access signature
            etag=found.etag,
            size_bytes=found.size,
            content_type=found.content_settings.content_type,
            version_id=found.version_id,
            tier=found.blob_tier,
            metadata=found.metadata,
            last_modified=found.last_modified,
            is_version=version_id is not None,
            archive_status=found.archive_status,
            tag_count=int(found.tag_count or 0),  # a header's text, whatever the SDK says
        )

    def tags(self, properties: BlobProperties) -> Mapping[str, str]:
        """The blob's index tags as they are now; they change without a new etag.

        Nothing is asked where the blob had none. Raises BlobNotFound, StorageAccountNotAllowed,
        StorageUnavailable.
        """
        self._require_own(properties.reference)
        if not properties.tag_count:
            return {}
        client = self._service.get_blob_client(
            properties.reference.container, properties.reference.path
        )
        with blob_faults(properties.reference):
            return client.get_blob_tags(version_id=properties.version_id)

    def read(self, properties: BlobProperties) -> Generator[bytes]:
        """The blob's bytes in the state that its etag names, read ahead in bounded memory.

        The store confirms the etag to a request sent after the first chunk was asked for, of an
        empty blob too. Raises BlobChanged when the blob has another state by now, BlobNotFound,
        BlobUnreadable (it is archived, say), StorageAccountNotAllowed, StorageUnavailable.
        """
        self._require_own(properties.reference)
        chunks = self._ranges.read(properties)
        if properties.size_bytes > CHUNK_BYTES:  # a thread for a single chunk would not pay
            chunks = read_ahead(chunks, CHUNKS_AHEAD)
        with closing(chunks):
            yield from chunks

    def create(self, reference: BlobReference, file: BinaryIO) -> bool:
        """Whether a blob was made of a file's bytes; one that is there stays as it is.

        Raises BlobNotFound where there is no such container, StorageAccountNotAllowed,
        StorageUnavailable.
        """
        self._require_own(reference)
        client = self._service.get_blob_client(reference.container, reference.path)
        with blob_faults(reference):
            try:
                client.upload_blob(file, overwrite=False)
            except ResourceExistsError:
                return False
        return True

    def remove(self, properties: BlobProperties) -> None:
        """Remove a blob in the state that its etag names; one that is gone already is no fault.

        Raises BlobChanged when it has another state by now, BlobUnreadable where the store
        refuses (a lease, a policy), StorageAccountNotAllowed, StorageUnavailable.
        """
        self._require_own(properties.reference)
        client = self._service.get_blob_client(
            properties.reference.container, properties.reference.path
        )
        with suppress(BlobNotFound), blob_faults(properties.reference):
            _delete(client, properties)

    def set_tier(
        self, properties: BlobProperties, tier: str, priority: RehydratePriority | None = None
    ) -> None:
        """Move a blob to another access tier, in the state that its etag names.

        The store takes no condition here. Nobody can write a version; other blobs are leased
        meanwhile, but for archived ones, which cannot be: bringing another state's bytes back
        harms nobody. That takes hours, by the priority: `archive_status` says so until then.
        Raises BlobChanged when the blob has another state by now, or none, BlobUnreadable where
        it has no tiers (a page blob, say), where others lease it, or for an archived version
        that is not the latest, BlobNotFound, StorageAccountNotAllowed, StorageUnavailable.
        """
        self._require_own(properties.reference)
        if properties.tier == tier:
            return
        client = self._service.get_blob_client(
            properties.reference.container, properties.reference.path
        )
        needs_lease = properties.version_id is None and properties.tier != ColderTier.ARCHIVE
        with (
            leased(client, properties) if needs_lease else nullcontext() as lease,
            blob_faults(properties.reference),
        ):
            client.set_standard_blob_tier(
                tier,
                version_id=properties.version_id,
                lease=lease,
                rehydrate_priority=SdkPriority(priority) if priority else None,
            )

    def listing(
        self, scope: BlobScope, *, with_tags: bool = True, page_blobs: int = PAGE_BLOBS
    ) -> ContainerListing:
        """What is there now, below a prefix. Raises StorageAccountNotAllowed."""
        if not self.serves(scope.account):
            raise not_served(scope.account)
        client = self._service.get_container_client(scope.container)
        return ContainerListing(client, scope.prefix, with_tags=with_tags, page_blobs=page_blobs)

    @property
    def uri(self) -> str:
        """Address of the account, without credentials."""
        uri, _ = account_address(str(self._service.url))
        return uri

    def check(self) -> None:
        """Return within seconds when the account answers; raises StorageUnavailable.

        None of Azure's roles for blobs lets an identity ask what the account is like, as a key may
        and any signature; nor need a signature be one that lists containers.
        """
        with account_faults():
            if self._has_identity:
                next(iter(self._service.list_containers(results_per_page=1, **CHECK_OPTIONS)), None)
            else:
                self._service.get_account_information(**CHECK_OPTIONS)

    def _require_own(self, reference: BlobReference) -> None:
        if not self.serves(reference.account):
            raise not_served(reference.account)


def not_served(account: str) -> StorageAccountNotAllowed:
    """The error for an account that nobody listed."""
    return StorageAccountNotAllowed(
        f"The storage account '{account}' is not one that this registry serves."
    )


def _delete(client: BlobClient, properties: BlobProperties) -> None:
    as_seen: dict[str, Any] = {
        "etag": properties.etag,
        "match_condition": MatchConditions.IfNotModified,
    }
    try:
        client.delete_blob(version_id=properties.version_id, **as_seen)
    except HttpResponseError as fault:
        if getattr(fault, "error_code", None) != _IS_CURRENT:
            raise
        # The current version goes by deleting the blob, which makes it an earlier version.
        client.delete_blob(**as_seen)
        client.delete_blob(version_id=properties.version_id)
