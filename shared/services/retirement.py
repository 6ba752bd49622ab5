"""Archiving and purging: what happens to an artifact's bytes, and then to its record."""

from collections.abc import Callable, Collection, Generator
from contextlib import contextmanager
from datetime import datetime
from typing import Literal
from uuid import UUID

from shared.database.constraints import constraint_errors
from shared.database.pool import Database
from shared.errors import (
    ArtifactNotFound,
    BlobNotFound,
    BytesNotServed,
    BytesUncertain,
    InvalidTransition,
    LocationShared,
)
from shared.models.artifacts import Artifact
from shared.models.axes import Disposition, Processing, Status
from shared.models.blobs import BlobProperties, BlobReference
from shared.models.registrations import Move, Origin
from shared.models.tiers import ColderTier
from shared.repositories.transitions import TransitionRepository
from shared.services.transitions import require_state
from shared.storage.accounts import Blobs


class RetirementService:
    """Moves bytes first and the record after, so that a crash between leaves work, not a lie.

    Meanwhile nobody can register anything at the location of the bytes. Every call raises
    ArtifactNotFound, PreconditionFailed (see `ArtifactTransitions`), ArtifactHeld, LocationShared
    where another artifact that is not deleted points at the same bytes, BytesNotServed where they
    are not in a storage account of the registry's, BytesUncertain, and StorageUnavailable.
    """

    def __init__(self, database: Database, store: Blobs, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._store = store
        self._clock = clock

    def archive(
        self,
        artifact_id: UUID,
        target_tier: ColderTier,
        origin: Origin,
        *,
        if_match: Collection[str] | None = None,
    ) -> Move:
        """Put the bytes into a colder tier and record that they are archived.

        Of an artifact that is archived already, only the tier changes. One without any bytes of its
        own is recorded as archived. Raises InvalidTransition unless the artifact is complete and
        not deleted, or where its bytes lie colder already: bringing them back takes hours and is
        nobody's archiving. Raises BlobNotFound where its bytes are there no more.
        """
        with self._held(artifact_id, if_match) as (transitions, artifact, is_shared):
            _require_archivable(artifact)
            blob = self._blob_of(artifact, is_shared)
            if blob is not None:
                found = self._stored_bytes(transitions, artifact, blob)
                if found is None:
                    raise BlobNotFound("The bytes of this artifact were overwritten or removed.")
                if target_tier.is_warmer_than(found.tier):
                    raise InvalidTransition(f"The bytes are in the tier '{found.tier}' already.")
                self._store.set_tier(found, target_tier)
            return self._record(transitions, artifact, Disposition.ARCHIVED, origin, target_tier)

    def purge(
        self, artifact_id: UUID, origin: Origin, *, if_match: Collection[str] | None = None
    ) -> Move:
        """Remove the bytes of a deleted artifact; the tombstone stays. Idempotent.

        Bytes that were overwritten or removed by others are gone already. Raises InvalidTransition
        for an artifact that is not deleted.
        """
        with self._held(artifact_id, if_match) as (transitions, artifact, is_shared):
            if artifact.disposition is Disposition.PURGED:
                return Move(artifact.status, artifact)
            if artifact.disposition is not Disposition.DELETED:
                raise InvalidTransition("Only a deleted artifact can be purged.")
            blob = self._blob_of(artifact, is_shared)
            found = self._stored_bytes(transitions, artifact, blob) if blob else None
            if found is not None:
                self._store.remove(found)
            return self._record(transitions, artifact, Disposition.PURGED, origin)

    @contextmanager
    def _held(
        self, artifact_id: UUID, if_match: Collection[str] | None
    ) -> Generator[tuple[TransitionRepository, Artifact, bool]]:
        with (
            self._database.connection() as connection,
            constraint_errors(),
            connection.transaction(),
        ):
            transitions = TransitionRepository(connection)
            held = transitions.hold_bytes(artifact_id, self._clock())
            if held is None:
                raise ArtifactNotFound
            require_state(held[0], if_match)
            yield transitions, *held

    def _blob_of(self, artifact: Artifact, is_shared: bool) -> BlobReference | None:
        """The blob that holds the artifact's bytes, for this artifact alone; None without bytes."""
        account, container, path = artifact.storage_account, artifact.container, artifact.blob_path
        if account is None or container is None or path is None:
            if artifact.uri is not None:
                raise BytesNotServed
            return None
        if not self._store.serves(account):
            raise BytesNotServed
        if is_shared:
            raise LocationShared
        return BlobReference(account, container, path)

    def _stored_bytes(
        self, transitions: TransitionRepository, artifact: Artifact, blob: BlobReference
    ) -> BlobProperties | None:
        """The blob in the state that was registered; None where the store holds that no more.

        An artifact whose etag was never told counts as stored as long as the blob was not written
        after it was registered. Raises BytesUncertain where the blob was written since, and neither
        its size nor another artifact tells that these are other bytes: a change of a blob's
        metadata gives it a new etag as well.
        """
        try:
            found = self._store.properties(blob, version_id=artifact.blob_version_id)
        except BlobNotFound:
            return None
        if artifact.blob_version_id is not None or _is_as_registered(artifact, found):
            return found
        is_other = artifact.size_bytes not in {None, found.size_bytes}
        if is_other or transitions.is_state_of_another(artifact.artifact_id, found.etag):
            return None
        raise BytesUncertain

    def _record(
        self,
        transitions: TransitionRepository,
        artifact: Artifact,
        target: Literal[Disposition.ARCHIVED, Disposition.PURGED],
        origin: Origin,
        tier: ColderTier | None = None,
    ) -> Move:
        request = {
            "artifact_id": str(artifact.artifact_id),
            "disposition": target,
            "storage_tier": tier,
            "origin": origin.as_json(),
            "at": self._clock().isoformat(),
        }
        moved = transitions.move_disposition(request)
        if moved is None:
            raise ArtifactNotFound
        return Move(Status(moved[0]), moved[1])


def _require_archivable(artifact: Artifact) -> None:
    if artifact.status is Status.DELETED:
        raise InvalidTransition("A deleted artifact stays as it is.")
    if artifact.processing is not Processing.COMPLETED:
        raise InvalidTransition("Only what is complete can be archived.")


def _is_as_registered(artifact: Artifact, found: BlobProperties) -> bool:
    if artifact.blob_etag is None:
        return found.last_modified <= artifact.created_at
    return artifact.blob_etag == found.etag
