"""Registering artifacts and moving them through their life."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, JsonValue

from shared.database.constraints import constraint_errors
from shared.database.pool import Database
from shared.errors import ArtifactConflict, ArtifactNotFound, InvalidTransition
from shared.models.artifacts import (
    Artifact,
    ArtifactChanges,
    ArtifactContent,
    ArtifactRegistration,
    BigInteger,
    Name,
)
from shared.models.axes import Disposition, Processing, Status
from shared.models.content_hash import ContentHashField
from shared.models.ids import new_id
from shared.models.registrations import (
    BatchItem,
    IdempotencyKey,
    Move,
    Origin,
    Outcome,
    Registration,
)
from shared.repositories.artifacts import ArtifactRepository, Observation
from shared.services.artifact_lists import ArtifactLists
from shared.services.artifact_reads import ArtifactReads
from shared.services.duplicates import DuplicateReads
from shared.services.statistics import StatisticsReads

UNATTRIBUTED = Origin("unattributed")

_CONTENT = set(ArtifactContent.model_fields) | {"processing", "stage"}
_REQUEST = {"client_type", "client_refs", "overwrite", "register_unchanged"}


class ContentFacts(BaseModel):
    """What is known of the bytes once they are there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    content_hash: ContentHashField | None = None
    size_bytes: BigInteger | None = None
    row_count: BigInteger | None = None
    content_type: Name | None = None


class ArtifactService(ArtifactReads, ArtifactLists, DuplicateReads, StatisticsReads):
    """The registry's own service: every method is one call, one connection, one transaction."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        super().__init__(database)
        self._clock = clock

    def create_artifact(self, *, origin: Origin = UNATTRIBUTED, **fields: Any) -> Artifact:
        """Register an artifact from keywords: the fields of `ArtifactRegistration`.

        Answers with the new artifact, or with the current one where that holds the same bytes.

        Raises ArtifactConflict where a current artifact exists and `overwrite` is not set, and
        pydantic's ValidationError where a keyword is unknown or its value is not valid.
        """
        return self.register(ArtifactRegistration.model_validate(fields), origin).artifact

    def register(
        self,
        registration: ArtifactRegistration,
        origin: Origin = UNATTRIBUTED,
        observation: Observation | None = None,
        *,
        once_per_state: bool = True,
        artifact_id: UUID | None = None,
        idempotency: IdempotencyKey | None = None,
    ) -> Registration:
        """Register an artifact: one transaction, one round trip.

        `observation` orders registrations of one blob by what was in the store when; without one
        the caller's word stands. With `once_per_state`, an etag that was registered for the asset
        is settled for good, a deleted one included. A caller whose request may be repeated gives
        it the same `artifact_id` each time: the first one counts.

        Raises ArtifactConflict, naming the artifact in the way.
        """
        request = registration.model_dump(mode="json", include=_REQUEST) | {
            "asset_id": str(new_id()),
            "origin": _origin(origin),
            "once_per_state": once_per_state,
            "is_repeatable": artifact_id is not None,
            "artifact": registration.model_dump(mode="json", include=_CONTENT)
            | {
                "artifact_id": str(artifact_id or new_id()),
                "observation": observation.number if observation else None,
                "created_at": self._clock().isoformat(),
            },
        }
        with self._database.connection() as connection, constraint_errors():
            registered = ArtifactRepository(connection).register(request)
        if registered.outcome is Outcome.CONFLICT:
            raise ArtifactConflict(registered.artifact.artifact_id)
        return registered

    def register_batch(
        self,
        registrations: Sequence[ArtifactRegistration],
        origin: Origin = UNATTRIBUTED,
        *,
        atomic: bool,
        idempotency: IdempotencyKey | None = None,
    ) -> list[BatchItem]:
        """Register several artifacts in one transaction, or each for itself."""
        raise NotImplementedError

    def update(
        self,
        artifact_id: UUID,
        changes: ArtifactChanges,
        origin: Origin = UNATTRIBUTED,
        *,
        if_match: str | None = None,
    ) -> Artifact:
        """Merge metadata and set flags."""
        raise NotImplementedError

    def update_metadata(
        self,
        artifact_id: UUID,
        metadata: dict[str, JsonValue],
        origin: Origin = UNATTRIBUTED,
        *,
        if_match: str | None = None,
    ) -> Artifact:
        """Merge metadata: keys given replace those of the same name, null is stored."""
        return self.update(
            artifact_id, ArtifactChanges(metadata=metadata), origin, if_match=if_match
        )

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
        self, artifact_id: UUID, origin: Origin = UNATTRIBUTED, *, if_match: str | None = None
    ) -> Move:
        """Record that the bytes moved to a colder tier. The asset has no current artifact then."""
        return self._move_disposition(artifact_id, Disposition.ARCHIVED, origin)

    def mark_deleted(
        self, artifact_id: UUID, origin: Origin = UNATTRIBUTED, *, if_match: str | None = None
    ) -> Move:
        """Set the tombstone; nothing is reactivated. Idempotent."""
        return self._move_disposition(artifact_id, Disposition.DELETED, origin)

    def _move_processing(
        self, artifact_id: UUID, target: Processing, facts: ContentFacts, origin: Origin
    ) -> Artifact:
        request = {
            "artifact_id": str(artifact_id),
            "processing": target,
            "facts": facts.model_dump(mode="json"),
            "origin": _origin(origin),
            "at": self._clock().isoformat(),
        }
        with self._database.connection() as connection, constraint_errors():
            moved = ArtifactRepository(connection).move_processing(request)
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
    ) -> Move:
        request = {
            "artifact_id": str(artifact_id),
            "disposition": target,
            "origin": _origin(origin),
            "at": self._clock().isoformat(),
        }
        with self._database.connection() as connection, constraint_errors():
            moved = ArtifactRepository(connection).move_disposition(request)
        if moved is None:
            raise ArtifactNotFound
        return Move(Status(moved[0]), moved[1])


def _origin(origin: Origin) -> dict[str, str | None]:
    return {"actor": origin.actor, "request_id": origin.request_id}
