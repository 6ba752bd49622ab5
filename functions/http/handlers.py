"""Turns whatever a route raises into problem details."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic_core import to_jsonable_python
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route

from functions.http.faults import problem_of
from functions.http.problems import (
    INTERNAL_ERROR,
    INVALID_INPUT,
    InvalidField,
    ProblemType,
    http_problem,
    problem_members,
    problem_response,
)
from shared.errors import (
    ArtifactConflict,
    ArtifactHeld,
    ArtifactNameTaken,
    ArtifactRetained,
    BatchRefused,
    BuildExists,
    InvalidInput,
    KeyRejected,
    RegistryError,
    ResumeNotPossible,
    ResumeUnderWay,
    Retryable,
)
from shared.models.pointers import json_pointer

RETRY_AFTER_SECONDS = 5
_MOST_FIELDS = 100
"""An answer to a hostile body is not to be several times as long."""

_WRONG_METHOD = 405

_MEMBERS: Mapping[type[RegistryError], str] = {
    ArtifactConflict: "current_artifact_id",
    ArtifactHeld: "hold_id",
    ArtifactRetained: "policy",
    BuildExists: "build_id",
    ResumeUnderWay: "resume_id",
    ResumeNotPossible: "missing",
    ArtifactNameTaken: "artifact_id",
}
"""What some errors tell beside their sentence, under the name that they have it by."""

_LOGGER = logging.getLogger(__name__)
_DETAILS = {
    404: "There is nothing at this path.",
    405: "Nothing at this path answers to this method.",
    415: "A body is application/json.",
}


def add_handlers(app: FastAPI) -> None:
    """Make an app answer with problem details to everything but an unforeseen exception."""
    app.add_exception_handler(RegistryError, _registry_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_exception)


async def _registry_error(request: Request, fault: Exception) -> Response:
    assert isinstance(fault, RegistryError)  # noqa: S101 - registered for this class
    kind = problem_of(fault)
    if kind is INTERNAL_ERROR:
        raise fault
    if isinstance(fault, Retryable):
        _LOGGER.warning(
            "request unanswered: request_id=%s", request.state.request_id, exc_info=fault
        )
    return problem_response(
        request, kind, fault.summary, headers=_headers_of(fault), extensions=_extensions_of(fault)
    )


def problem_members_of(
    fault: RegistryError, request_id: str, *, within: Sequence[object] = ()
) -> dict[str, Any]:
    """The problem details of one item of a request; `within` leads to it."""
    kind = problem_of(fault)
    return problem_members(kind, request_id, fault.summary, _extensions_of(fault, within))


def invalid_fields(found: Sequence[Any]) -> tuple[str, list[InvalidField]]:
    """The sentence and the fields that tell of what pydantic found, of many the first ones."""
    many = "s are" if len(found) != 1 else " is"
    fields = [_invalid_field(error) for error in found[:_MOST_FIELDS]]
    return f"{len(found)} value{many} not valid; see errors.", fields


def _headers_of(fault: RegistryError) -> dict[str, str]:
    if isinstance(fault, KeyRejected):
        return {"WWW-Authenticate": "ApiKey, Bearer"}
    if isinstance(fault, Retryable):
        return {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return {}


def _extensions_of(fault: RegistryError, within: Sequence[object] = ()) -> dict[str, Any]:
    if isinstance(fault, InvalidInput) and (fault.pointer or within):
        pointer = json_pointer(*within) + fault.pointer
        return {"errors": [{"pointer": pointer, "detail": fault.summary}]}
    if isinstance(fault, BatchRefused):
        return {"errors": [_refused_item(*item) for item in sorted(fault.refused.items())]}
    if member := _MEMBERS.get(type(fault)):
        return {member: to_jsonable_python(getattr(fault, member))}
    return {}


def _refused_item(place: int, fault: RegistryError) -> InvalidField:
    pointer = json_pointer("artifacts", place) + getattr(fault, "pointer", "")
    told: InvalidField = {
        "pointer": pointer,
        "detail": fault.summary,
        "type": problem_of(fault).uri,
    }
    if isinstance(fault, ArtifactConflict):
        told["current_artifact_id"] = str(fault.current_artifact_id)
    return told


async def _validation_error(request: Request, fault: Exception) -> Response:
    assert isinstance(fault, RequestValidationError)  # noqa: S101 - registered for this class
    detail, fields = invalid_fields(fault.errors())
    return problem_response(request, INVALID_INPUT, detail, extensions={"errors": fields})


def _invalid_field(error: Mapping[str, Any]) -> InvalidField:
    message = str(error["msg"]).removeprefix("Value error, ")
    _place, *path = error["loc"]  # the first part says query, path, header or body
    return {"pointer": json_pointer(*path), "detail": message}


async def _http_exception(request: Request, fault: Exception) -> Response:
    assert isinstance(fault, HTTPException)  # noqa: S101 - registered for this class
    kind: ProblemType = http_problem(fault.status_code)
    detail = _DETAILS.get(fault.status_code, kind.title)
    headers = fault.headers if fault.status_code != _WRONG_METHOD else _allowed(request)
    return problem_response(request, kind, detail, headers=headers)


def _allowed(request: Request) -> dict[str, str]:
    """The methods of all routes at this path: the framework tells those of one."""
    routes = [route for route in request.app.routes if isinstance(route, Route)]
    at_path = [route for route in routes if route.matches(request.scope)[0] is not Match.NONE]
    methods = {method for route in at_path for method in route.methods or ()}
    return {"Allow": ", ".join(sorted(methods))}
