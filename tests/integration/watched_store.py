"""A store that is watched: what is about to be removed or cooled is shown first, and who acts may
die right after.

`VersionedStore` keeps versions, which Azurite does not: how Azure itself behaves with them remains
unproven by it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from shared.errors import BlobChanged, BlobNotFound, StorageUnavailable
from shared.models.blobs import BlobProperties, BlobReference
from shared.storage.blobs import BlobStore

Watch = Callable[[str, BlobProperties], None]


@dataclass
class VersionedStore:
    """Blobs in memory, each with all its versions, the last being the blob itself."""

    account: str
    now: Callable[[], datetime]
    _blobs: dict[str, list[BlobProperties]] = field(default_factory=dict[str, list[BlobProperties]])
    _written: int = 0

    def serves(self, account: str) -> bool:
        return account == self.account

    def write(self, reference: BlobReference, content: bytes) -> BlobProperties:
        self._written += 1
        made = BlobProperties(
            reference=reference,
            uri=f"https://{self.account}.blob.example/{reference.container}/{reference.path}",
            etag=f"0x{self._written:X}",
            size_bytes=len(content),
            content_type=None,
            version_id=f"version {self._written}",
            tier="Hot",
            metadata={},
            last_modified=self.now(),
        )
        self._blobs.setdefault(reference.path, []).append(made)
        return made

    def properties(
        self, reference: BlobReference, *, version_id: str | None = None
    ) -> BlobProperties:
        versions = self._blobs.get(reference.path, [])
        found = [each for each in versions if version_id in {None, each.version_id}]
        if not found:
            raise BlobNotFound
        return found[-1]

    def remove(self, properties: BlobProperties) -> None:
        self._change(properties, None)

    def set_tier(self, properties: BlobProperties, tier: str, priority: object = None) -> None:
        del priority
        self._change(properties, replace(properties, tier=str(tier)))

    def _change(self, properties: BlobProperties, after: BlobProperties | None) -> None:
        versions = self._blobs.get(properties.reference.path, [])
        places = [i for i, each in enumerate(versions) if each.etag == properties.etag]
        if not places:
            raise BlobChanged
        versions[places[0] : places[0] + 1] = [after] if after else []


class WatchedStore:
    """Passes everything on to a store; `watch` sees what is about to be changed."""

    def __init__(self, store: BlobStore | VersionedStore, watch: Watch) -> None:
        self._store = store
        self._watch = watch
        self._dies = False

    def die_after_next(self, dies: bool) -> None:
        """Whether who changes something next is to die before it can say so."""
        self._dies = dies

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def remove(self, properties: BlobProperties) -> None:
        self._watch("removed", properties)
        self._store.remove(properties)
        self._die()

    def set_tier(self, properties: BlobProperties, tier: str, priority: Any = None) -> None:
        self._watch(str(tier), properties)
        self._store.set_tier(properties, tier, priority)
        self._die()

    def _die(self) -> None:
        if self._dies:
            self._dies = False
            raise StorageUnavailable("killed")
