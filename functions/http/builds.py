"""Builds: made, found, looked at together, and failed."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Query, Response
from pydantic import TypeAdapter

from functions.http.answers import json_answer
from functions.http.build_examples import (
    BUILD,
    DASHBOARD,
    FAILED_BUILD,
    FAILURE,
    NEW_BUILD,
    WANTED_BUILD,
)
from functions.http.build_queries import BuildsQuery
from functions.http.documented import answer, problems
from functions.http.entry import Entrance
from functions.http.guarded_route import StrictPipelineRoute
from functions.http.idempotency_keys import ONCE, IdempotencyHeader, read_idempotency_key
from shared import errors
from shared.models.build_dashboard import BuildDashboard
from shared.models.build_states import FailureReport
from shared.models.builds import Build, BuildPage, BuildRequest, PrintableName
from shared.models.ids import IdInput

PREFIX = "/api/builds"
BUILDS = ["builds"]
BUILD_ID = TypeAdapter[UUID](IdInput)

OfProject = Annotated[PrintableName | None, Query(description="Only builds of this project.")]

router = APIRouter(prefix=PREFIX, tags=[*BUILDS], route_class=StrictPipelineRoute)


@router.post(
    "",
    responses=problems(errors.BuildExists, *ONCE, takes_body=True)
    | answer(Build, "The build.", NEW_BUILD, status=201, headers=["Location"]),
)
def create_build(
    entry: Entrance,
    wanted: Annotated[BuildRequest, Body(examples=[WANTED_BUILD])],
    idempotency_key: IdempotencyHeader = None,
) -> Response:
    """Make a build, of a number that no other build has."""
    key = read_idempotency_key(entry, idempotency_key)
    build = entry.registry.builds.records.create(wanted, entry.origin, idempotency=key)
    return json_answer(build, 201, {"Location": f"{PREFIX}/{build.id}"})


@router.get(
    "",
    responses=problems()
    | answer(BuildPage, "A page of builds.", {"builds": [BUILD], "next": None}),
)
def list_builds(entry: Entrance, query: Annotated[BuildsQuery, Query()]) -> Response:
    """The builds that satisfy every condition given, newest first.

    A page may hold fewer than `limit` builds, even none, before the end: `next` tells.
    """
    page = entry.registry.builds.records.list_builds(
        query.filter(), limit=query.limit, cursor=query.cursor
    )
    return json_answer(page)


@router.get(
    "/dashboard",
    responses=problems() | answer(BuildDashboard, "How builds are doing.", DASHBOARD),
)
def read_dashboard(entry: Entrance, project: OfProject = None) -> Response:
    """Totals, the latest builds, how long states take, and what resuming is worth."""
    return json_answer(entry.registry.builds.dashboard.read(project))


@router.get(
    "/{build_id}",
    responses=problems(errors.BuildNotFound) | answer(Build, "The build.", BUILD),
)
def get_build(entry: Entrance, build_id: IdInput) -> Response:
    """One build."""
    return json_answer(entry.registry.builds.records.get(build_id))


@router.post(
    "/{build_id}/failure",
    responses=problems(errors.BuildNotFound, errors.BuildStateRefused, *ONCE, takes_body=True)
    | answer(Build, "The build, which has failed.", FAILED_BUILD),
)
def fail_build(
    entry: Entrance,
    build_id: IdInput,
    told: Annotated[FailureReport | None, Body(examples=[FAILURE])] = None,
    idempotency_key: IdempotencyHeader = None,
) -> Response:
    """End a build, and the attempt that is in progress, as failed. A resume reopens it."""
    key = read_idempotency_key(entry, idempotency_key)
    build = entry.registry.builds.states.fail(
        build_id, told or FailureReport(), entry.origin, idempotency=key
    )
    return json_answer(build)
