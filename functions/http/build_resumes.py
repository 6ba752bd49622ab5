"""Resuming builds: from where, with what, and how far it is."""

from typing import Annotated

from fastapi import APIRouter, Body, Response

from functions.http.answers import json_answer
from functions.http.build_examples import (
    RESUME,
    RESUME_CHANGE,
    RESUME_CONTEXT,
    RUNNING_RESUME,
    WANTED_RESUME,
)
from functions.http.builds import BUILDS, PREFIX
from functions.http.documented import answer, problems
from functions.http.entry import Entrance
from functions.http.guarded_route import StrictPipelineRoute
from functions.http.idempotency_keys import ONCE, IdempotencyHeader, read_idempotency_key
from functions.http.parameters import DEFAULT_PAGE, Cursor, Limit
from shared import errors
from shared.models.build_resumes import (
    Resume,
    ResumeChange,
    ResumeContext,
    ResumePage,
    ResumeRequest,
)
from shared.models.ids import IdInput

router = APIRouter(prefix=f"{PREFIX}/{{build_id}}", tags=[*BUILDS], route_class=StrictPipelineRoute)


@router.get(
    "/resume-context",
    responses=problems(errors.BuildNotFound)
    | answer(ResumeContext, "What it takes to go on.", RESUME_CONTEXT),
)
def get_resume_context(entry: Entrance, build_id: IdInput) -> Response:
    """Where a build may go on and with what, or what is missing for that."""
    return json_answer(entry.registry.builds.resumes.context(build_id))


@router.post(
    "/resume",
    responses=problems(
        errors.BuildNotFound,
        errors.BuildStateRefused,
        errors.ResumeUnderWay,
        errors.ResumeNotPossible,
        *ONCE,
        takes_body=True,
    )
    | answer(Resume, "The resume.", RESUME, status=201, headers=["Location"]),
)
def resume_build(
    entry: Entrance,
    build_id: IdInput,
    wanted: Annotated[ResumeRequest | None, Body(examples=[WANTED_RESUME])] = None,
    idempotency_key: IdempotencyHeader = None,
) -> Response:
    """Reopen a build that failed or stands still, from a state that it completed.

    Without `from_state`, from where its resume context says. One resume at a time is under way.
    """
    key = read_idempotency_key(entry, idempotency_key)
    resume = entry.registry.builds.resumes.resume(
        build_id, wanted or ResumeRequest(), entry.origin, idempotency=key
    )
    location = f"{PREFIX}/{resume.build_id}/resumes/{resume.id}"
    return json_answer(resume, 201, {"Location": location})


@router.get(
    "/resumes",
    responses=problems(errors.BuildNotFound)
    | answer(ResumePage, "A page of resumes.", {"resumes": [RESUME], "next": None}),
)
def list_resumes(
    entry: Entrance, build_id: IdInput, limit: Limit = DEFAULT_PAGE, cursor: Cursor = None
) -> Response:
    """A build's resumes, newest first."""
    return json_answer(
        entry.registry.builds.resumes.list_resumes(build_id, limit=limit, cursor=cursor)
    )


@router.get(
    "/resumes/{resume_id}",
    responses=problems(errors.ResumeNotFound) | answer(Resume, "The resume.", RESUME),
)
def get_resume(entry: Entrance, build_id: IdInput, resume_id: IdInput) -> Response:
    """One resume."""
    return json_answer(entry.registry.builds.resumes.get(build_id, resume_id))


@router.patch(
    "/resumes/{resume_id}",
    responses=problems(errors.ResumeNotFound, errors.BuildStateRefused, takes_body=True)
    | answer(Resume, "The resume.", RUNNING_RESUME),
)
def change_resume(
    entry: Entrance,
    build_id: IdInput,
    resume_id: IdInput,
    wanted: Annotated[ResumeChange, Body(examples=[RESUME_CHANGE])],
) -> Response:
    """Move a resume on: pending, triggered, running, then completed or failed; never back.

    One that fails fails its build.
    """
    resumes = entry.registry.builds.resumes
    return json_answer(resumes.change(build_id, resume_id, wanted, entry.origin))
