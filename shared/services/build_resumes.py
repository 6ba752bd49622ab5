"""Resuming builds: from where, with what, and how far that is."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from pydantic import TypeAdapter

from shared.database.constraints import constraint_errors
from shared.database.pool import Database
from shared.errors import (
    BuildNotFound,
    BuildStateRefused,
    InvalidInput,
    ResumeNotFound,
    ResumeNotPossible,
    ResumeUnderWay,
)
from shared.models.build_resumes import (
    Resume,
    ResumeChange,
    ResumeContext,
    ResumePage,
    ResumeRequest,
)
from shared.models.cursors import read_id, write_cursor
from shared.models.ids import new_id
from shared.models.registrations import IdempotencyKey, Origin
from shared.repositories.builds import BuildRepository, Told
from shared.services.asked import require_page
from shared.services.builds import required_build
from shared.services.idempotency import do_in_transaction


class BuildResumeService:
    """One resume of a build at a time; every change is one transaction, under the build's lock."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def context(self, build_id: UUID) -> ResumeContext:
        """What whoever goes on with the build needs to know. Raises BuildNotFound."""
        with self._database.connection() as connection:
            context = BuildRepository(connection).resume_context(build_id, self._clock())
        if context is None:
            raise BuildNotFound
        return context

    def resume(
        self,
        build_id: UUID,
        wanted: ResumeRequest,
        origin: Origin,
        *,
        idempotency: IdempotencyKey | None = None,
    ) -> Resume:
        """Reopen a build, and open the next attempt where it is known which one that is.

        Raises BuildNotFound, BuildStateRefused where nothing is to be resumed, ResumeUnderWay,
        ResumeNotPossible, and InvalidInput for a state that it cannot go on from.
        """
        now = self._clock()
        request = wanted.model_dump(mode="json") | {
            "build_id": str(build_id),
            "resume_id": str(new_id()),
            "step_id": str(new_id()),
            "origin": origin.as_json(),
            "at": now.isoformat(),
        }
        with self._database.connection() as connection, constraint_errors():
            return do_in_transaction(
                connection,
                idempotency,
                now,
                TypeAdapter(Resume),
                lambda: _resumed(BuildRepository(connection).resume(request)),
            )

    def change(
        self, build_id: UUID, resume_id: UUID, wanted: ResumeChange, origin: Origin
    ) -> Resume:
        """Move a resume on; one that failed fails its build. Idempotent.

        Raises ResumeNotFound, and BuildStateRefused for a way back.
        """
        request = wanted.model_dump(mode="json") | {
            "build_id": str(build_id),
            "resume_id": str(resume_id),
            "origin": origin.as_json(),
            "at": self._clock().isoformat(),
        }
        with self._database.connection() as connection, constraint_errors():
            came = BuildRepository(connection).move_resume(request)
        if came.resume is None:
            raise ResumeNotFound
        if came.outcome == "backward":
            raise BuildStateRefused(f"The resume is {came.resume.status}: it moves forward only.")
        return came.resume

    def get(self, build_id: UUID, resume_id: UUID) -> Resume:
        """One resume. Raises ResumeNotFound."""
        with self._database.connection() as connection:
            found = BuildRepository(connection).get_resume(build_id, resume_id)
        if found is None:
            raise ResumeNotFound
        return found

    def list_resumes(
        self, build_id: UUID, *, limit: int = 100, cursor: str | None = None
    ) -> ResumePage:
        """A page of a build's resumes, newest first.

        Raises BuildNotFound, and InvalidInput for a limit outside 1 to MAXIMUM_PAGE and for a
        cursor of another list.
        """
        require_page(limit)
        name = f"resumes-{build_id}"
        before = read_id(name, cursor)
        with self._database.connection() as connection:
            found = BuildRepository(connection).resumes(build_id, before, limit + 1)
            if not found:
                required_build(BuildRepository(connection).get(build_id))
        shown = found[:limit]
        following = write_cursor(name, shown[-1].id) if len(found) > limit else None
        return ResumePage(resumes=shown, next=following)


def _resumed(came: Told) -> Resume:
    match came.outcome:
        case "unknown build":
            raise BuildNotFound
        case "no such state":
            raise InvalidInput(
                "The build did not complete that state, or is not resumed from there.",
                "/from_state",
            )
        case "missing":
            raise ResumeNotPossible(came.missing)
        case "under way" if came.resume is not None:
            raise ResumeUnderWay(came.resume.id)
        case "resumed" if came.resume is not None:
            return came.resume
        case outcome:
            raise BuildStateRefused(f"The build is {outcome}: there is nothing to resume.")
