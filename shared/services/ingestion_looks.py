"""Looking at what the store holds where artifacts point, and following what is seen."""

from uuid import UUID

from shared.errors import BlobChanged, BlobNotFound, BlobUnreadable, InvalidInput
from shared.models.artifacts import Artifact, Location
from shared.models.blobs import BlobProperties, BlobReference
from shared.models.registrations import Origin
from shared.models.uploads import asset_of
from shared.services.artifact_service import ArtifactService
from shared.services.locations import FIRST, AssetIdentity, Look
from shared.services.rules import RuleService
from shared.storage.accounts import Blobs

BLOB_BACKEND = "azure_blob"
BLOB_BACKENDS = frozenset({BLOB_BACKEND, "azure-blob"})
"""As senders call it."""

_ATTEMPTS = 5


class LocationLooks:
    """Of several looks at a location the last one counts: see docs/decisions.md.

    Every call raises StorageAccountNotAllowed for an account that is not served, and Retryables.
    """

    def __init__(self, artifacts: ArtifactService, store: Blobs, rules: RuleService) -> None:
        self._artifacts = artifacts
        self._store = store
        self._rules = rules

    def look(self, blob: BlobReference, origin: Origin) -> BlobProperties | None:
        """See what the store holds under a name now; whatever points there is told of it.

        Where nothing is there, artifacts are missing from now on, and deleted where a rule says so.
        """
        for _ in range(_ATTEMPTS):
            look = self._look(blob)
            self._follow(look, origin)
            # Written again meanwhile, it may have been registered before it was taken for missing.
            if look.found is not None or self._found(blob) is None:
                return look.found
        raise BlobChanged

    def move_where_left(
        self, artifact: Artifact, found: BlobProperties, observation: int, origin: Origin
    ) -> bool:
        """Let an artifact point at a blob of the same bytes, where nothing is left of its own."""
        left = blob_of(artifact)
        if left is None or left == found.reference or not self._store.serves(left.account):
            return False
        absence = Look(left, self._artifacts.next_observation(), None)
        if not self._is_gone(left, artifact.blob_version_id):
            return False
        place = placed(found) | {"observation": observation}
        return self._artifacts.move(artifact, place, absence, origin)

    def _look(self, blob: BlobReference) -> Look:
        observation = self._artifacts.next_observation()
        return Look(blob, observation, self._found(blob))

    def _found(self, blob: BlobReference, version_id: str | None = None) -> BlobProperties | None:
        try:
            return self._store.properties(blob, version_id=version_id)
        except BlobNotFound:
            return None

    def _follow(self, look: Look, origin: Origin) -> None:
        deleted = None if look.found else self._deleted_with(look.blob)
        after: UUID | None = FIRST
        while after is not None:
            page = self._artifacts.follow_look(look, origin, after=after, deleted=deleted)
            gone = [version for version in page.unclear if self._is_gone(look.blob, version)]
            if gone:
                self._artifacts.follow_look(
                    look, origin, after=after, deleted=deleted, versions=gone
                )
            after = page.next_id

    def _is_gone(self, blob: BlobReference, version_id: str | None) -> bool:
        try:
            return self._found(blob, version_id) is None
        except BlobUnreadable:
            return False  # a sender's word that the store knows no version by

    def _deleted_with(self, blob: BlobReference) -> AssetIdentity | None:
        """The asset whose artifacts a rule wants deleted when this blob is."""
        match = self._rules.current().match(blob)
        if match is None or match.rule.when_deleted != "delete":
            return None
        try:
            asset = asset_of(blob, match)
        except InvalidInput:
            return None  # then nothing was registered by this rule either
        return AssetIdentity(asset.client_type, asset.client_refs)


def placed(found: BlobProperties) -> dict[str, object]:
    """Where bytes are, as a registration tells it."""
    return {
        "storage_backend": BLOB_BACKEND,
        "storage_account": found.reference.account,
        "container": found.reference.container,
        "blob_path": found.reference.path,
        "blob_version_id": found.version_id,
        "blob_etag": found.etag,
        "uri": found.uri,
        "storage_tier": found.tier,
    }


def blob_of(place: Location) -> BlobReference | None:
    """The blob where the bytes are, if they are in one."""
    account, container, path = place.storage_account, place.container, place.blob_path
    if place.storage_backend not in {None, *BLOB_BACKENDS}:
        return None
    if account is None or container is None or path is None:
        return None
    try:
        return BlobReference(account, container, path)
    except InvalidInput:
        return None
