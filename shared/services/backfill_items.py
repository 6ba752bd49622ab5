"""What the blobs of a list are registered as, by the rules."""

from collections.abc import Iterable
from typing import Any

from shared.errors import InvalidInput
from shared.models.artifacts import ArtifactRegistration
from shared.models.backfills import RefusedBlob
from shared.models.blobs import BlobReference
from shared.models.ids import new_id
from shared.models.listed_blobs import BlobScope, ListedBlob
from shared.models.rules import RuleSet
from shared.models.uploads import content_type_of, registration_of
from shared.storage.addresses import blob_uri

Item = dict[str, Any]
"""A member of what `registry.register_listed` takes."""

_TOLD_BY_RULES = (
    *("client_type", "client_refs", "overwrite", "register_unchanged"),
    *("artifact_type", "metadata", "stac_collection_id", "stac_item_id"),
    *("source_job_id", "source_task_id", "producer", "producer_version"),
    *("stage", "is_resumable", "is_final", "expires_at"),
)


class BlobReader:
    """Reads each blob of a list as a registration."""

    def __init__(self, scope: BlobScope, rules: RuleSet, account_uri: str) -> None:
        self._scope = scope
        self._rules = rules
        self._account_uri = account_uri

    def registration(self, blob: ListedBlob) -> tuple[str | None, ArtifactRegistration]:
        """The rule's name, if one knows the blob, and what it makes of it. Raises InvalidInput."""
        reference = BlobReference(self._scope.account, self._scope.container, blob.path)
        match = self._rules.match(reference)
        registration = registration_of(reference, match, blob.metadata, blob.tags)
        return match.rule.name if match else None, registration

    def items(self, blobs: Iterable[ListedBlob]) -> tuple[list[Item], list[RefusedBlob]]:
        """What can be registered, and what cannot."""
        items: list[Item] = []
        refused: list[RefusedBlob] = []
        for place, blob in enumerate(blobs):
            try:
                _, registration = self.registration(blob)
            except InvalidInput as fault:
                refused.append(RefusedBlob(blob.path, fault.summary))
            else:
                items.append(self._item(place, blob, registration))
        return items, refused

    def _item(self, place: int, blob: ListedBlob, registration: ArtifactRegistration) -> Item:
        item: Item = {name: getattr(registration, name) for name in _TOLD_BY_RULES}
        item.update(
            place=place,
            asset_id=new_id(),
            artifact_id=new_id(),
            blob_path=blob.path,
            blob_version_id=blob.version_id,
            blob_etag=blob.etag,
            uri=blob_uri(self._account_uri, self._scope.container, blob.path),
            storage_tier=blob.tier,
            size_bytes=blob.size_bytes,
            content_type=content_type_of(registration, blob.content_type),
        )
        return item
