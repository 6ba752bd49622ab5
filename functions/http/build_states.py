"""States of builds: what was reached, and each attempt at it."""

from typing import Annotated

from fastapi import APIRouter, Body, Request, Response

from functions.http.answers import json_answer
from functions.http.build_answers import LINK, array_answer
from functions.http.build_examples import ATTEMPT, REPORT
from functions.http.build_queries import WholeLimit
from functions.http.builds import BUILD_ID, BUILDS, PREFIX
from functions.http.documented import answer, problems
from functions.http.entry import Entrance
from functions.http.guarded_route import StrictPipelineRoute
from functions.http.idempotency_keys import (
    ONCE,
    IdempotencyHeader,
    read_idempotency_header,
    read_idempotency_key,
)
from functions.http.parameters import Cursor
from functions.http.reading import read_body, read_by, read_value
from shared import errors
from shared.models.build_states import StateAttempt, StateReport
from shared.models.ids import IdInput
from shared.services.artifact_reads import MAXIMUM_PAGE

router = APIRouter(prefix=f"{PREFIX}/{{build_id}}", tags=[*BUILDS], route_class=StrictPipelineRoute)


def _read_report(request: Request) -> dict[str, object]:
    return {
        "build_id": read_value(BUILD_ID, request.path_params["build_id"], "path", "build_id"),
        "told": read_body(StateReport, request),
        "idempotency_key": read_idempotency_header(request),
    }


@router.post(
    "/state",
    responses=problems(errors.BuildNotFound, errors.BuildStateRefused, *ONCE, takes_body=True)
    | answer(StateAttempt, "The attempt.", ATTEMPT, status=201),
)
@read_by(_read_report)
def report_state(
    entry: Entrance,
    build_id: IdInput,
    told: Annotated[StateReport, Body(examples=[REPORT])],
    idempotency_key: IdempotencyHeader = None,
) -> Response:
    """Tell that a state was begun, completed, or failed; a failed attempt leaves the build there.

    By default it is completed. What is told of an artifact is registered as one, or nothing of this
    is kept.
    """
    key = read_idempotency_key(entry, idempotency_key)
    attempt = entry.registry.builds.states.report(build_id, told, entry.origin, idempotency=key)
    return json_answer(attempt, 201)


@router.get(
    "/states",
    responses=problems(errors.BuildNotFound)
    | answer(list[StateAttempt], "Attempts at states.", [ATTEMPT], headers=LINK),
)
def list_states(
    entry: Entrance, build_id: IdInput, limit: WholeLimit = MAXIMUM_PAGE, cursor: Cursor = None
) -> Response:
    """A build's attempts at states, newest first."""
    page = entry.registry.builds.states.list_states(build_id, limit=limit, cursor=cursor)
    return array_answer(entry.request, page.states, page.next)
