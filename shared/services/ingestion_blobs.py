"""Registering what the store holds under a name now, hashed in exactly that state."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from shared.database.pool import Database
from shared.errors import BlobChanged, InvalidInput
from shared.models.artifacts import ArtifactRegistration
from shared.models.blobs import BlobProperties, BlobReference
from shared.models.registrations import Origin, Outcome, Registration
from shared.models.uploads import content_type_of
from shared.repositories.artifacts import ArtifactRepository, Observation
from shared.services.artifact_service import ArtifactService
from shared.services.hashing import HashedContent, hash_blob
from shared.services.ingestion_looks import LocationLooks, blob_of, placed
from shared.storage.accounts import Blobs

_LOGGER = logging.getLogger(__name__)
_ATTEMPTS = 5
"""Tries within one delivery while a blob keeps changing; the host's redeliveries come on top."""


@dataclass(frozen=True)
class BlobToRegister:
    """A blob to hash, and what to register of it for whom."""

    blob: BlobReference
    describe: Callable[[BlobProperties], ArtifactRegistration]
    """What the blob is, once it is seen; hashing adds the rest."""
    origin: Origin
    once_per_state: bool = False
    """An event tells of a state of the blob, which counts once; a sender's own word always does."""
    artifact_id: UUID | None = None


class BlobRegistrations:
    """Late readers of a blob never win: see docs/decisions.md."""

    def __init__(
        self, database: Database, artifacts: ArtifactService, store: Blobs, looks: LocationLooks
    ) -> None:
        self._database = database
        self._artifacts = artifacts
        self._store = store
        self._looks = looks

    def register(self, request: BlobToRegister) -> Registration:
        """Hash and register the blob's present state; a state that changes meanwhile is left.

        Raises what `BlobStore` raises, BlobChanged where the blob never rests, and InvalidInput
        where the sender spoke of another state.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return self._register_present_state(request)
            except BlobChanged:
                if attempt == _ATTEMPTS:
                    raise
        raise AssertionError  # the last attempt returns or raises

    def _register_present_state(self, request: BlobToRegister) -> Registration:
        found = self._store.properties(request.blob)
        registration = request.describe(found)
        _require_said_state(registration, found)
        # Between reading the etag and hashing, which confirms it: this is what makes the
        # observation's number tell which of two states of the blob came first.
        observation = self._observe(registration, found)
        if request.once_per_state and observation.artifact_id:
            known = self._artifacts.get_by_id(observation.artifact_id)
            registered = Registration(Outcome.UNCHANGED, known)
        else:
            registered = self._register_hashed(request, registration, found, observation)
        return self._as_located(registered, found, observation, request.origin)

    def _register_hashed(
        self,
        request: BlobToRegister,
        registration: ArtifactRegistration,
        found: BlobProperties,
        observation: Observation,
    ) -> Registration:
        hashed = hash_blob(self._store, found)
        registered = self._artifacts.register(
            _as_found(registration, found, hashed),
            request.origin,
            observation,
            once_per_state=request.once_per_state,
            artifact_id=request.artifact_id,
        )
        _LOGGER.info(
            "blob registered: outcome=%s artifact_id=%s revision=%d size_bytes=%d",
            registered.outcome,
            registered.artifact.artifact_id,
            registered.artifact.revision,
            hashed.size_bytes,
        )
        return registered

    def _as_located(
        self,
        registered: Registration,
        found: BlobProperties,
        observation: Observation,
        origin: Origin,
    ) -> Registration:
        """What was registered, once it is settled whether the blob is where artifacts say."""
        artifact = registered.artifact
        is_elsewhere = (
            registered.outcome is Outcome.UNCHANGED and blob_of(artifact) != found.reference
        )
        has_moved = is_elsewhere and self._looks.move_where_left(
            artifact, found, observation.number, origin
        )
        is_told_missing = artifact.missing_since is not None and not is_elsewhere
        if observation.is_missing or is_told_missing:
            self._looks.look(found.reference, origin)
        elif not has_moved:
            return registered
        return Registration(registered.outcome, self._artifacts.get_by_id(artifact.artifact_id))

    def _observe(self, registration: ArtifactRegistration, blob: BlobProperties) -> Observation:
        with self._database.connection() as connection:
            repository = ArtifactRepository(connection)
            return repository.observe(registration.client_type, registration.client_refs, blob)


def _require_said_state(registration: ArtifactRegistration, blob: BlobProperties) -> None:
    """Refuse to register other bytes than the sender spoke of, where it said which."""
    said = (
        (registration.blob_etag, blob.etag),
        (registration.blob_version_id, blob.version_id),
        (registration.size_bytes, blob.size_bytes),
    )
    if any(value is not None and value != found for value, found in said):
        raise InvalidInput("The blob is not in the state that the registration speaks of.")


def _as_found(
    registration: ArtifactRegistration, blob: BlobProperties, hashed: HashedContent
) -> ArtifactRegistration:
    """The registration with what the store says of the bytes; the sender's other words stay."""
    return registration.model_copy(
        update=placed(blob)
        | {
            "content_hash": hashed.content_hash,
            "size_bytes": hashed.size_bytes,
            "content_type": content_type_of(registration, blob.content_type),
        }
    )
