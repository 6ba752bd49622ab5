"""Changing and deleting artifacts of builds."""

from collections.abc import Callable, Collection, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.rows import DictRow

from shared.database.constraints import constraint_errors
from shared.database.pool import Database
from shared.errors import ArtifactNameTaken, ArtifactNotFound, InvalidInput, InvalidTransition
from shared.models.axes import Disposition, Status
from shared.models.build_artifacts import BuildArtifact, BuildArtifactChanges
from shared.models.registrations import Origin
from shared.repositories.build_artifacts import BuildArtifactRepository
from shared.repositories.transitions import TransitionRepository
from shared.services.transitions import require_state


@dataclass(frozen=True)
class _Held:
    """An artifact that nobody else changes until the transaction ends."""

    connection: Connection[DictRow]
    artifact: BuildArtifact

    def rename(self, request: dict[str, Any]) -> None:
        taken_by = BuildArtifactRepository(self.connection).rename(request)
        if taken_by is not None:
            raise ArtifactNameTaken(taken_by)

    def take_up(self, request: dict[str, Any]) -> None:
        BuildArtifactRepository(self.connection).take_up(request)

    @property
    def again(self) -> BuildArtifact:
        """The artifact after its change."""
        artifact = self.artifact
        return required_artifact(
            BuildArtifactRepository(self.connection).get(artifact.build_id, artifact.id)
        )


class BuildArtifactTransitions:
    """Every call is one transaction, and in the audit trail."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def update(
        self,
        build_id: UUID,
        artifact_id: UUID,
        changes: BuildArtifactChanges,
        origin: Origin,
        *,
        if_match: Collection[str] | None = None,
    ) -> BuildArtifact:
        """Change what may change, all or nothing: the name of every revision, the rest of this one.

        One that was left behind, and is said to be resumable once more, is so again.

        Raises ArtifactNotFound, PreconditionFailed (see `ArtifactTransitions`), InvalidTransition
        for a deleted artifact, ArtifactNameTaken, InvalidInput for an expiry that has passed;
        ArtifactHeld and ArtifactRetained where a hold or a locked policy may depend on the name,
        and the latter for an expiry that would come sooner.
        """
        now = self._clock()
        require_future(changes.expires_at, now)
        told = changes.model_dump(mode="json", exclude_unset=True, exclude={"artifact_name"})
        request = told | _asked(artifact_id, origin, now)
        name = changes.artifact_name
        holding = self._held(build_id, artifact_id, if_match, name, shares_holds=name is not None)
        with holding as held:
            if held.artifact.status is Status.DELETED:
                raise InvalidTransition("A deleted artifact stays as it is.")
            if name is not None:
                held.rename(request | {"name": name})
            if changes.is_resumable:
                held.take_up(request)
            TransitionRepository(held.connection).update(request)
            return held.again

    def delete(
        self,
        build_id: UUID,
        artifact_id: UUID,
        origin: Origin,
        *,
        if_match: Collection[str] | None = None,
    ) -> BuildArtifact:
        """Soft-delete: the bytes stay, and the name is free. Idempotent.

        Raises ArtifactNotFound, PreconditionFailed, ArtifactHeld and ArtifactRetained.
        """
        request = _asked(artifact_id, origin, self._clock())
        with self._held(build_id, artifact_id, if_match, shares_holds=True) as held:
            move = request | {"disposition": Disposition.DELETED}
            TransitionRepository(held.connection).move_disposition(move)
            return held.again

    @contextmanager
    def _held(
        self,
        build_id: UUID,
        artifact_id: UUID,
        if_match: Collection[str] | None,
        new_name: str | None = None,
        *,
        shares_holds: bool,
    ) -> Generator[_Held]:
        with (
            self._database.connection() as connection,
            constraint_errors(),
            connection.transaction(),
        ):
            found = required_artifact(
                BuildArtifactRepository(connection).hold(
                    build_id, artifact_id, new_name, shares_holds=shares_holds
                )
            )
            require_state(found, if_match)
            yield _Held(connection, found)


def require_future(expires_at: datetime | None, now: datetime) -> None:
    """Raise InvalidInput for an expiry that has passed."""
    if expires_at is not None and expires_at <= now:
        raise InvalidInput("The artifact would have expired already.", "/expires_at")


def required_artifact(found: BuildArtifact | None) -> BuildArtifact:
    """The artifact. Raises ArtifactNotFound where there is none."""
    if found is None:
        raise ArtifactNotFound
    return found


def _asked(artifact_id: UUID, origin: Origin, now: datetime) -> dict[str, Any]:
    return {"artifact_id": str(artifact_id), "origin": origin.as_json(), "at": now.isoformat()}
