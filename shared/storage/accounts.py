"""The storage accounts that the registry serves: an allow-list, for no other is ever asked."""

from collections.abc import Generator, Iterable, Mapping

from shared.models.blobs import BlobProperties, BlobReference
from shared.models.listed_blobs import BlobScope
from shared.models.tiers import RehydratePriority
from shared.storage.blobs import BlobStore, not_served
from shared.storage.listing import PAGE_BLOBS, ContainerListing


class BlobAccounts:
    """Reads blobs of several accounts as `BlobStore` does those of one, each from its own.

    Raises what `BlobStore` raises, and StorageAccountNotAllowed for an account that is not listed.
    """

    def __init__(self, stores: Iterable[BlobStore]) -> None:
        """Raises ValueError where two connections lead to one account, or to none by name."""
        listed = list(stores)
        self._stores = {store.account: store for store in listed if store.account}
        if len(self._stores) != len(listed):
            raise ValueError("each storage account is listed once, by a connection that names it")

    @property
    def accounts(self) -> tuple[str, ...]:
        """Their names, in the order in which they were listed."""
        return tuple(self._stores)

    def serves(self, account: str) -> bool:
        """Whether blobs of that account are to be had here."""
        return account in self._stores

    def of(self, account: str) -> BlobStore:
        """The one account of that name."""
        if not self.serves(account):
            raise not_served(account)
        return self._stores[account]

    def properties(
        self, reference: BlobReference, *, version_id: str | None = None
    ) -> BlobProperties:
        """What the store says of a blob now, or of one of its versions."""
        return self.of(reference.account).properties(reference, version_id=version_id)

    def tags(self, properties: BlobProperties) -> Mapping[str, str]:
        """The blob's index tags as they are now."""
        return self.of(properties.reference.account).tags(properties)

    def read(self, properties: BlobProperties) -> Generator[bytes]:
        """The blob's bytes in the state that its etag names."""
        return self.of(properties.reference.account).read(properties)

    def remove(self, properties: BlobProperties) -> None:
        """Remove a blob in the state that its etag names."""
        self.of(properties.reference.account).remove(properties)

    def set_tier(
        self, properties: BlobProperties, tier: str, priority: RehydratePriority | None = None
    ) -> None:
        """Move a blob to another access tier, in the state that its etag names."""
        self.of(properties.reference.account).set_tier(properties, tier, priority)

    def listing(
        self, scope: BlobScope, *, with_tags: bool = True, page_blobs: int = PAGE_BLOBS
    ) -> ContainerListing:
        """What is there now, below a prefix."""
        return self.of(scope.account).listing(scope, with_tags=with_tags, page_blobs=page_blobs)

    def check(self) -> None:
        """Return within seconds when the first account answers; raises StorageUnavailable.

        Uploads and queues are there. What comes of the others waits for them in its queue, and is
        no reason to be called unready.
        """
        self.of(self.accounts[0]).check()


Blobs = BlobStore | BlobAccounts
"""Blobs of one account, or of all that are listed."""
