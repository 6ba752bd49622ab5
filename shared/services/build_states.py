"""Moving builds through their states."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, NoReturn
from uuid import UUID

from pydantic import TypeAdapter

from shared.database.constraints import constraint_errors
from shared.database.pool import Database
from shared.errors import BuildNotFound, BuildStateRefused, InvalidInput
from shared.models.build_artifacts import BuildArtifactRequest
from shared.models.build_states import (
    FailureReport,
    StateAttempt,
    StatePage,
    StateReport,
)
from shared.models.builds import Build
from shared.models.cursors import BEYOND, read_number, write_cursor
from shared.models.ids import new_id
from shared.models.registrations import IdempotencyKey, Origin, Outcome
from shared.repositories.builds import BuildRepository, Told
from shared.services.asked import cut_page, require_page
from shared.services.build_artifact_requests import artifact_request
from shared.services.builds import required_build
from shared.services.idempotency import do_in_transaction
from shared.telemetry.metrics import REGISTRATIONS

ARTIFACT_TYPE = "build_state"
"""The type of artifacts that are told with a state."""


class BuildStateService:
    """What is told of one build is taken one at a time, whoever tells it: its row is locked."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def report(
        self,
        build_id: UUID,
        told: StateReport,
        origin: Origin,
        *,
        idempotency: IdempotencyKey | None = None,
    ) -> StateAttempt:
        """Begin or end an attempt at a state, registering what is told of an artifact.

        Raises BuildNotFound, BuildStateRefused where the build's state does not allow it, and
        InvalidInput for a state that the project's catalogue does not have.
        """
        now = self._clock()
        request = _request(build_id, told, origin, now) | {
            "status": told.status,
            "artifact": _artifact(build_id, told, origin, now),
        }
        with self._database.connection() as connection, constraint_errors():
            attempt = do_in_transaction(
                connection,
                idempotency,
                now,
                TypeAdapter(StateAttempt),
                lambda: _attempt(BuildRepository(connection).report_state(request), told),
            )
        if request["artifact"] is not None:
            REGISTRATIONS.add(1, {"outcome": Outcome.CREATED})
        return attempt

    def fail(
        self,
        build_id: UUID,
        told: FailureReport,
        origin: Origin,
        *,
        idempotency: IdempotencyKey | None = None,
    ) -> Build:
        """End a build as failed; one that had failed stays as it is. Raises as `report` does."""
        now = self._clock()
        request = _request(build_id, told, origin, now)
        with self._database.connection() as connection, constraint_errors():
            return do_in_transaction(
                connection,
                idempotency,
                now,
                TypeAdapter(Build),
                lambda: _failed(BuildRepository(connection).fail(request), told),
            )

    def list_states(
        self, build_id: UUID, *, limit: int = 1000, cursor: str | None = None
    ) -> StatePage:
        """A page of a build's attempts, newest first.

        Raises BuildNotFound, and InvalidInput for a limit outside 1 to MAXIMUM_PAGE and for a
        cursor of another list.
        """
        require_page(limit)
        name = f"states-{build_id}"
        before = BEYOND if cursor is None else read_number(name, cursor)
        with self._database.connection() as connection:
            found = BuildRepository(connection).states(build_id, before, limit + 1)
            if not found:
                required_build(BuildRepository(connection).get(build_id))
        states, place = cut_page(found, limit)
        return StatePage(states=states, next=None if place is None else write_cursor(name, place))


def _request(
    build_id: UUID, told: StateReport | FailureReport, origin: Origin, now: datetime
) -> dict[str, Any]:
    return {
        "build_id": str(build_id),
        "state_code": told.state_code,
        "state_name": told.state_name,
        "message": told.message,
        "step_id": str(new_id()),
        "origin": origin.as_json(),
        "at": now.isoformat(),
    }


def _artifact(
    build_id: UUID, told: StateReport, origin: Origin, now: datetime
) -> dict[str, Any] | None:
    """What is registered with the state; the database gives it code, name and `is_resumable`."""
    if told.artifact_storage_path is None or told.artifact_storage_type is None:
        return None
    wanted = BuildArtifactRequest(
        state_code=0,
        artifact_name=ARTIFACT_TYPE,
        artifact_type=ARTIFACT_TYPE,
        artifact_path=told.artifact_storage_path,
        storage_backend=told.artifact_storage_type,
        size_bytes=told.artifact_size_bytes,
        checksum=told.artifact_checksum,
        metadata=told.artifact_metadata or {},
        overwrite=True,
    )
    return artifact_request(build_id, wanted, origin=origin, at=now)


def _attempt(came: Told, told: StateReport) -> StateAttempt:
    if came.attempt is None:
        _refuse(came, told)
    return came.attempt


def _failed(came: Told, told: FailureReport) -> Build:
    if came.build is None or came.outcome != "failed":
        _refuse(came, told)
    return came.build


def _refuse(came: Told, told: StateReport | FailureReport) -> NoReturn:
    match came.outcome:
        case "unknown build":
            raise BuildNotFound
        case "no catalogue":
            raise InvalidInput(
                "The build's project has no catalogue of states: give state_code.", "/state_name"
            )
        case "unknown state":
            place = "/state_name" if told.state_code is None else "/state_code"
            raise InvalidInput("The catalogue of the build's project has no such state.", place)
        case "other name":
            raise InvalidInput("In the catalogue, the state has another name.", "/state_name")
        case outcome:
            raise BuildStateRefused(_sentence(outcome, came.about))


def _sentence(outcome: str, about: int | None) -> str:
    match outcome:
        case "open":
            return f"State {about} is in progress: say how it ended first."
        case "not forward":
            return f"State {about} is completed: only later ones may follow, unless it is resumed."
        case "not initial":
            return f"The build begins with state {about}."
        case _:
            return f"The build is {outcome}: nothing more is told of it, unless it is resumed."
