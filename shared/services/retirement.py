"""Archiving and purging: what happens to an artifact's bytes, and then to its record."""

from collections.abc import Callable, Collection, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from psycopg import Connection
from psycopg.rows import DictRow

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

Retired = Literal[Disposition.ARCHIVED, Disposition.PURGED]
_REMOVED = "removed"
Why = Mapping[str, Any]
"""What the audit trail says of a decision beside what changed."""


@dataclass(frozen=True)
class HeldArtifact:
    """An artifact whose record and bytes are nobody else's until the transaction ends."""

    connection: Connection[DictRow]
    artifact: Artifact
    is_shared: bool = False
    """Whether another artifact that is not deleted, or is held, points at the same bytes."""
    is_awaited: bool = False
    """Whether others that are deleted do, with the last of which the bytes are to be removed."""

    @property
    def transitions(self) -> TransitionRepository:
        return TransitionRepository(self.connection)


@dataclass(frozen=True)
class Purge:
    """What came of a purge."""

    move: Move
    bytes_freed: int
    """0 where nothing was removed."""


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
        with self.held(artifact_id, Disposition.ARCHIVED) as held:
            require_state(held.artifact, if_match)
            return self.archive_held(held, target_tier, origin)

    def purge(
        self, artifact_id: UUID, origin: Origin, *, if_match: Collection[str] | None = None
    ) -> Move:
        """Remove the bytes of a deleted artifact; the tombstone stays. Idempotent.

        Bytes that were overwritten or removed by others are gone already. Those of several deleted
        artifacts are removed with the last of them. Raises InvalidTransition for an artifact that
        is not deleted, and ArtifactRetained.
        """
        with self.held(artifact_id, Disposition.PURGED) as held:
            require_state(held.artifact, if_match)
            return self.purge_held(held, origin).move

    @contextmanager
    def held(self, artifact_id: UUID, target: Retired) -> Generator[HeldArtifact]:
        """An artifact that is neither held nor, on its way to be purged, retained."""
        with (
            self._database.connection() as connection,
            constraint_errors(),
            connection.transaction(),
        ):
            found = TransitionRepository(connection).hold_bytes(artifact_id, target, self._clock())
            if found is None:
                raise ArtifactNotFound
            yield HeldArtifact(connection, *found)

    def archive_held(
        self, held: HeldArtifact, target_tier: ColderTier, origin: Origin, why: Why | None = None
    ) -> Move:
        """As `archive`, in the transaction of who holds the artifact.

        Who says why does so for a policy, which takes bytes that lie colder already as they lie.
        """
        _require_archivable(held.artifact)
        blob = self._blob_of(held)
        tier = target_tier if blob is None else self._cool(held, blob, target_tier, why)
        return self._record(held, Disposition.ARCHIVED, origin, why, tier)

    def purge_held(self, held: HeldArtifact, origin: Origin, why: Why | None = None) -> Purge:
        """As `purge`, in the transaction of who holds the artifact."""
        if held.artifact.disposition is Disposition.PURGED:
            return Purge(Move(held.artifact.status, held.artifact), 0)
        if held.artifact.disposition is not Disposition.DELETED:
            raise InvalidTransition("Only a deleted artifact can be purged.")
        told = self._remove(held)
        move = self._record(held, Disposition.PURGED, origin, {**(why or {}), "bytes": told})
        return Purge(move, (held.artifact.size_bytes or 0) if told == _REMOVED else 0)

    def delete_held(self, held: HeldArtifact, origin: Origin, why: Why) -> Move:
        """Set the tombstone, in the transaction of who holds the artifact; its bytes stay."""
        return self._record(held, Disposition.DELETED, origin, why)

    def _cool(
        self, held: HeldArtifact, blob: BlobReference, target_tier: ColderTier, why: Why | None
    ) -> str:
        """Answers with the tier in which the bytes lie then."""
        found = self._stored_bytes(held, blob)
        if found is None:
            raise BlobNotFound("The bytes of this artifact were overwritten or removed.")
        if found.tier and target_tier.is_warmer_than(found.tier):
            if why is not None:
                return found.tier
            raise InvalidTransition(f"The bytes are in the tier '{found.tier}' already.")
        self._store.set_tier(found, target_tier)
        return target_tier

    def _remove(self, held: HeldArtifact) -> str:
        """Answers with what became of the bytes, as the audit trail tells it."""
        blob = self._blob_of(held)
        if blob is None:
            return "none"
        if held.is_awaited:
            return "kept for another"
        found = self._stored_bytes(held, blob)
        if found is None:
            return "gone already"
        self._store.remove(found)
        return _REMOVED

    def _blob_of(self, held: HeldArtifact) -> BlobReference | None:
        """The blob that holds the artifact's bytes, for this artifact alone; None without bytes."""
        artifact = held.artifact
        account, container, path = artifact.storage_account, artifact.container, artifact.blob_path
        if account is None or container is None or path is None:
            if artifact.uri is not None:
                raise BytesNotServed
            return None
        if not self._store.serves(account):
            raise BytesNotServed
        if held.is_shared:
            raise LocationShared
        return BlobReference(account, container, path)

    def _stored_bytes(self, held: HeldArtifact, blob: BlobReference) -> BlobProperties | None:
        """The blob in the state that was registered; None where the store holds that no more.

        An artifact whose etag was never told counts as stored as long as the blob was not written
        after it was registered. Raises BytesUncertain where the blob was written since, and neither
        its size nor another artifact tells that these are other bytes: a change of a blob's
        metadata gives it a new etag as well.
        """
        artifact = held.artifact
        try:
            found = self._store.properties(blob, version_id=artifact.blob_version_id)
        except BlobNotFound:
            return None
        if artifact.blob_version_id is not None or _is_as_registered(artifact, found):
            return found
        is_other = artifact.size_bytes not in {None, found.size_bytes}
        if is_other or held.transitions.is_state_of_another(artifact.artifact_id, found.etag):
            return None
        raise BytesUncertain

    def _record(
        self,
        held: HeldArtifact,
        target: Disposition,
        origin: Origin,
        why: Why | None,
        tier: str | None = None,
    ) -> Move:
        request = {
            "artifact_id": str(held.artifact.artifact_id),
            "disposition": target,
            "storage_tier": tier,
            "origin": origin.as_json(),
            "at": self._clock().isoformat(),
            "why": why,
        }
        moved = held.transitions.move_disposition(request)
        if moved is None:
            raise ArtifactNotFound
        return Move(Status(moved[0]), moved[1])


def _require_archivable(artifact: Artifact) -> None:
    if artifact.status is Status.DELETED:
        raise InvalidTransition("A deleted artifact stays as it is.")
    if artifact.processing is not Processing.COMPLETED:
        raise InvalidTransition("Only what is complete can be archived.")
    if artifact.rehydrating_to is not None:
        raise InvalidTransition("Its bytes are being brought back.")


def _is_as_registered(artifact: Artifact, found: BlobProperties) -> bool:
    if artifact.blob_etag is None:
        return found.last_modified <= artifact.created_at
    return artifact.blob_etag == found.etag
