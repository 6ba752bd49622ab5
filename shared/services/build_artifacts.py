"""Artifacts of builds: registered, found, changed and deleted as the document has it."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from pydantic import TypeAdapter

from shared.database.constraints import constraint_errors
from shared.database.pool import Database
from shared.errors import ArtifactConflict, BuildNotFound
from shared.models.build_artifacts import (
    BuildArtifact,
    BuildArtifactFilter,
    BuildArtifactPage,
    BuildArtifactRequest,
)
from shared.models.cursors import name_list, read_id, write_cursor
from shared.models.registrations import IdempotencyKey, Origin, Outcome
from shared.repositories.build_artifacts import Added, BuildArtifactRepository
from shared.services.asked import require_page
from shared.services.build_artifact_requests import artifact_request
from shared.services.build_artifact_transitions import (
    BuildArtifactTransitions,
    require_future,
    required_artifact,
)
from shared.services.idempotency import do_in_transaction
from shared.services.verification import Verifications
from shared.telemetry.metrics import REGISTRATIONS


class BuildArtifactService(BuildArtifactTransitions):
    """Every change is one transaction, and in the audit trail."""

    def __init__(
        self, database: Database, verifications: Verifications, clock: Callable[[], datetime]
    ) -> None:
        super().__init__(database, clock)
        self._verifications = verifications

    def register(
        self,
        build_id: UUID,
        wanted: BuildArtifactRequest,
        origin: Origin,
        *,
        idempotency: IdempotencyKey | None = None,
    ) -> BuildArtifact:
        """Register an artifact of a build, which may have ended.

        Raises BuildNotFound, ArtifactConflict where the name is in use and `overwrite` is not set,
        and InvalidInput for an expiry that has passed.
        """
        now = self._clock()
        require_future(wanted.expires_at, now)
        request = artifact_request(build_id, wanted, origin=origin, at=now)
        with self._database.connection() as connection, constraint_errors():
            registered = do_in_transaction(
                connection,
                idempotency,
                now,
                TypeAdapter(BuildArtifact),
                lambda: _added(BuildArtifactRepository(connection).add(request)),
            )
        REGISTRATIONS.add(1, {"outcome": Outcome.CREATED})
        return registered

    def get(self, build_id: UUID, artifact_id: UUID) -> BuildArtifact:
        """One artifact, also a tombstone. Raises ArtifactNotFound, also for another build's."""
        with self._database.connection() as connection:
            return required_artifact(BuildArtifactRepository(connection).get(build_id, artifact_id))

    def list_artifacts(
        self,
        build_id: UUID,
        wanted: BuildArtifactFilter,
        *,
        limit: int = 100,
        cursor: str | None = None,
    ) -> BuildArtifactPage:
        """A page of those that satisfy every condition, by state and time.

        Of each name the newest revision that is not deleted, unless a deleted one had superseded
        it; fewer than `limit` where they are large. Raises BuildNotFound, and InvalidInput for a
        limit outside 1 to MAXIMUM_PAGE or a cursor of another list.
        """
        require_page(limit)
        name = name_list("build-artifacts", build_id, wanted.model_dump(mode="json"))
        after = read_id(name, cursor) if cursor else None
        with self._database.connection() as connection:
            found = BuildArtifactRepository(connection).page(build_id, wanted, after, limit)
        if found is None:
            raise BuildNotFound
        following = write_cursor(name, found.artifacts[-1].id) if found.leads_on else None
        return BuildArtifactPage(artifacts=found.artifacts, next=following)

    def verify(self, build_id: UUID, artifact_id: UUID, origin: Origin) -> BuildArtifact:
        """Compare the bytes with what was said of them: `verified_at` or `found_corrupt_at` tells.

        Where they are too many to wait for, the answer tells neither, and the artifact does later.
        Raises what `Verifications.verify_now` raises.
        """
        seen = self.get(build_id, artifact_id)
        if self._verifications.verify_now(artifact_id, origin):
            return self.get(build_id, artifact_id)
        return seen.model_copy(update={"verified_at": None, "found_corrupt_at": None})


def _added(came: Added) -> BuildArtifact:
    if came.artifact is not None:
        return came.artifact
    if came.in_the_way is None:
        raise BuildNotFound
    raise ArtifactConflict(came.in_the_way)
