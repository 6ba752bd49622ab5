"""Moving artifacts through their life, and changing what may change of them."""

from collections.abc import Callable, Collection, Generator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from psycopg import Connection
from psycopg.rows import DictRow
from pydantic import BaseModel, ConfigDict, JsonValue

from shared.database.constraints import constraint_errors
from shared.database.pool import Database
from shared.errors import ArtifactNotFound, InvalidTransition, PreconditionFailed
from shared.models.artifacts import Artifact, ArtifactChanges, BigInteger, Name
from shared.models.axes import Disposition, Processing, Status
from shared.models.content_hash import ContentHashField
from shared.models.entity_tags import entity_tag
from shared.models.registrations import UNATTRIBUTED, Move, Origin
from shared.repositories.transitions import TransitionRepository

ANY_STATE = "*"
"""Stands for every entity tag."""


class ContentFacts(BaseModel):
    """What is known of the bytes once they are there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    content_hash: ContentHashField | None = None
    size_bytes: BigInteger | None = None
    row_count: BigInteger | None = None
    content_type: Name | None = None


class ArtifactTransitions:
    """Every call is one transaction.

    `if_match` holds entity tags (`shared.models.entity_tags`): unless the artifact is in one of
    these states, PreconditionFailed is raised and nothing changes. Every call raises
    ArtifactNotFound for an id that is not known.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def begin(self, artifact_id: UUID, origin: Origin = UNATTRIBUTED) -> Artifact:
        """Say that a pending artifact is being made."""
        return self._move_processing(artifact_id, Processing.IN_PROGRESS, ContentFacts(), origin)

    def complete(
        self,
        artifact_id: UUID,
        facts: ContentFacts | None = None,
        origin: Origin = UNATTRIBUTED,
    ) -> Artifact:
        """Say that a pending artifact's bytes are there.

        It becomes current, superseding; or, where a later revision is complete already, it joins
        the chain in revision order as superseded. Idempotent; raises InvalidTransition where it
        was completed with another hash.
        """
        facts = facts or ContentFacts()
        completed = self._move_processing(artifact_id, Processing.COMPLETED, facts, origin)
        if facts.content_hash not in {None, completed.content_hash}:
            raise InvalidTransition("The artifact was completed with another content hash.")
        return completed

    def fail(self, artifact_id: UUID, origin: Origin = UNATTRIBUTED) -> Artifact:
        """Say that a pending artifact will never be there; it keeps its revision. Idempotent."""
        return self._move_processing(artifact_id, Processing.FAILED, ContentFacts(), origin)

    def mark_archived(
        self,
        artifact_id: UUID,
        origin: Origin = UNATTRIBUTED,
        *,
        if_match: Collection[str] | None = None,
    ) -> Move:
        """Record that the bytes moved to a colder tier. The asset has no current artifact then.

        Raises InvalidTransition unless the artifact is complete and not deleted, and ArtifactHeld.
        """
        return self._move_disposition(artifact_id, Disposition.ARCHIVED, origin, if_match)

    def mark_deleted(
        self,
        artifact_id: UUID,
        origin: Origin = UNATTRIBUTED,
        *,
        if_match: Collection[str] | None = None,
    ) -> Move:
        """Set the tombstone; nothing is reactivated. Idempotent. Raises ArtifactHeld."""
        return self._move_disposition(artifact_id, Disposition.DELETED, origin, if_match)

    def update_metadata(
        self,
        artifact_id: UUID,
        metadata: dict[str, JsonValue],
        origin: Origin = UNATTRIBUTED,
        *,
        if_match: Collection[str] | None = None,
    ) -> Artifact:
        """Merge metadata, as `update` does."""
        changes = ArtifactChanges(metadata=metadata)
        return self.update(artifact_id, changes, origin, if_match=if_match)

    def update(
        self,
        artifact_id: UUID,
        changes: ArtifactChanges,
        origin: Origin = UNATTRIBUTED,
        *,
        if_match: Collection[str] | None = None,
    ) -> Artifact:
        """Merge metadata key by key (null is stored like any value), set flags and the expiry.

        Changing nothing leaves no trace. Raises InvalidTransition for a deleted artifact,
        InvalidInput where the metadata would grow beyond 1 MiB, and ArtifactRetained where what a
        locked policy retains would expire sooner.
        """
        told = changes.model_dump(mode="json", exclude_unset=True)
        request = told | self._transition_request(artifact_id, origin)
        with self._held(artifact_id, if_match) as transitions:
            updated = transitions.update(request)
        if updated is None:
            raise ArtifactNotFound
        if updated.status is Status.DELETED:
            raise InvalidTransition("A deleted artifact stays as it is.")
        return updated

    def _move_processing(
        self, artifact_id: UUID, target: Processing, facts: ContentFacts, origin: Origin
    ) -> Artifact:
        request = self._transition_request(artifact_id, origin) | {
            "processing": target,
            "facts": facts.model_dump(mode="json"),
        }
        with self._held(artifact_id, None) as transitions:
            moved = transitions.move_processing(request)
        if moved is None:
            raise ArtifactNotFound
        if moved[1].processing is not target:
            raise InvalidTransition
        return moved[1]

    def _move_disposition(
        self,
        artifact_id: UUID,
        target: Literal[Disposition.ARCHIVED, Disposition.DELETED],
        origin: Origin,
        if_match: Collection[str] | None,
    ) -> Move:
        request = self._transition_request(artifact_id, origin) | {"disposition": target}
        with self._held(artifact_id, if_match) as transitions:
            moved = transitions.move_disposition(request)
        if moved is None:
            raise ArtifactNotFound
        if target is Disposition.ARCHIVED and moved[1].disposition is not target:
            raise InvalidTransition("Only what is complete can be archived.")
        return Move(Status(moved[0]), moved[1])

    @contextmanager
    def _held(
        self, artifact_id: UUID, if_match: Collection[str] | None
    ) -> Generator[TransitionRepository]:
        """Where to change the artifact; under its lock, and in the state asked for, if one is."""
        if if_match is None:  # the statement itself takes the lock: one round trip
            with self._database.connection() as connection, constraint_errors():
                yield TransitionRepository(connection)
            return
        with held_artifact(self._database, artifact_id) as (connection, artifact):
            require_state(artifact, if_match)
            yield TransitionRepository(connection)

    def _transition_request(self, artifact_id: UUID, origin: Origin) -> dict[str, Any]:
        return {
            "artifact_id": str(artifact_id),
            "origin": origin.as_json(),
            "at": self._clock().isoformat(),
        }


@contextmanager
def held_artifact(
    database: Database, artifact_id: UUID
) -> Generator[tuple[Connection[DictRow], Artifact]]:
    """One transaction, in which nobody else changes the artifact. Raises ArtifactNotFound."""
    with database.connection() as connection, constraint_errors(), connection.transaction():
        artifact = TransitionRepository(connection).hold(artifact_id)
        if artifact is None:
            raise ArtifactNotFound
        yield connection, artifact


def require_state(seen: BaseModel, if_match: Collection[str] | None) -> None:
    """Raise PreconditionFailed unless the state is one of those that the caller named."""
    if if_match is not None and ANY_STATE not in if_match and entity_tag(seen) not in if_match:
        raise PreconditionFailed
