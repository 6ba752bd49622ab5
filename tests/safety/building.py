"""Builds that the fixtures keep, under ids that are known beforehand."""

from datetime import UTC, datetime
from typing import Any

from functions.http.build_examples import (
    PROJECT,
    VARIABLE,
    WANTED_ARTIFACT,
    WANTED_BUILD,
    WANTED_PROJECT,
    WANTED_VARIABLE,
)
from shared.database.pool import Database
from shared.models.build_artifacts import BuildArtifactRequest
from shared.models.build_catalogues import ProjectRequest
from shared.models.build_states import StateReport, StateStatus
from shared.models.build_variables import VariableRequest
from shared.models.ids import new_id
from shared.models.registrations import Origin
from shared.repositories.build_artifacts import BuildArtifactRepository
from shared.repositories.builds import BuildRepository
from shared.services.build_artifact_requests import artifact_request
from shared.services.build_surface import Builds
from tests.safety.operations import (
    BUILD_ARTIFACT_ID,
    BUILD_ID,
    RESUME_ID,
    RESUMED_BUILD_ID,
)

_ORIGIN = Origin("test")


def keep_builds(database: Database, builds: Builds) -> None:
    """One build that may be told of and resumed, and one that is being resumed."""
    builds.projects.put(PROJECT["name"], ProjectRequest.model_validate(WANTED_PROJECT), _ORIGIN)
    with database.connection() as connection:
        repository = BuildRepository(connection)
        for build_id in (BUILD_ID, RESUMED_BUILD_ID):
            run = WANTED_BUILD | {"run_id": str(build_id), "run_name": f"kept-{build_id}"}
            repository.create(_request(run=run))
        BuildArtifactRepository(connection).add(_artifact())
    for code in (10, 20):
        builds.states.report(BUILD_ID, StateReport(state_code=code), _ORIGIN)
    begun = StateReport(state_code=10, status=StateStatus.IN_PROGRESS)
    builds.states.report(RESUMED_BUILD_ID, begun, _ORIGIN)
    variable = VariableRequest.model_validate(WANTED_VARIABLE)
    builds.variables.put(BUILD_ID, VARIABLE["name"], variable, _ORIGIN)
    with database.connection() as connection:
        BuildRepository(connection).resume(_resume())


def _artifact() -> dict[str, Any]:
    wanted = BuildArtifactRequest.model_validate(WANTED_ARTIFACT)
    request = artifact_request(BUILD_ID, wanted, origin=_ORIGIN, at=datetime.now(UTC))
    request["registration"]["artifact"]["artifact_id"] = str(BUILD_ARTIFACT_ID)
    return request


def _resume() -> dict[str, Any]:
    """From the beginning: nothing was completed."""
    ids = {"build_id": RESUMED_BUILD_ID, "resume_id": RESUME_ID, "step_id": new_id()}
    told = {name: str(value) for name, value in ids.items()}
    return _request(**told, from_state=None, reason=None)


def _request(**members: Any) -> dict[str, Any]:
    return members | {"origin": _ORIGIN.as_json(), "at": datetime.now(UTC).isoformat()}
