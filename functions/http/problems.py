"""Problem details (RFC 9457): the form of every answer that is an error."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, NamedTuple, NotRequired, TypedDict

from starlette.requests import Request
from starlette.responses import Response


@dataclass(frozen=True)
class ProblemType:
    """A kind of problem that a program may tell apart by its URI, which never changes."""

    status: int
    name: str
    title: str

    @property
    def uri(self) -> str:
        return f"urn:artifact-registry:problem:{self.name}"


class InvalidField(TypedDict):
    """One value that is at fault."""

    pointer: str
    """JSON pointer (RFC 6901) into the body, or `/` and the name of a parameter or header."""
    detail: str
    type: NotRequired[str]
    """What kind of problem an item of a batch met."""
    current_artifact_id: NotRequired[str]


class Refusal(NamedTuple):
    """Why a request did not do what it was to do; kept as `request.state.refusal`."""

    name: str
    """Of the problem's type."""
    detail: str
    members: Mapping[str, Any]
    """What the answer tells beside."""


INVALID_INPUT = ProblemType(422, "invalid-input", "A value is not valid")
INTERNAL_ERROR = ProblemType(500, "internal-error", "The registry failed")
BODY_TOO_LARGE = ProblemType(413, "body-too-large", "The body is too large")

_HTTP_NAMES = {
    400: "bad-request",
    404: "not-found",
    405: "method-not-allowed",
    415: "unsupported-media-type",
}


def http_problem(status: int) -> ProblemType:
    """The problem that says no more than an HTTP status does."""
    # A type is no phrase of the standard library, which rewords them from version to version.
    name = _HTTP_NAMES.get(status, f"status-{status}")
    return ProblemType(status, name, HTTPStatus(status).phrase)


def problem_members(
    kind: ProblemType, request_id: str, detail: str, extensions: Mapping[str, Any]
) -> dict[str, Any]:
    """What the JSON document holds."""
    members = {
        "type": kind.uri,
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
        "instance": f"urn:uuid:{request_id}",
    }
    return members | dict(extensions)


def problem_body(
    kind: ProblemType, request_id: str, detail: str, extensions: Mapping[str, Any]
) -> bytes:
    """The JSON document, in ASCII: what a hostile request put into it cannot fail to encode."""
    return json.dumps(problem_members(kind, request_id, detail, extensions)).encode()


def problem_response(
    request: Request,
    kind: ProblemType,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    extensions: Mapping[str, Any] | None = None,
) -> Response:
    """The answer to a request that met a problem; the audit trail may be told of it."""
    request.state.refusal = Refusal(kind.name, detail, extensions or {})
    return Response(
        problem_body(kind, request.state.request_id, detail, extensions or {}),
        status_code=kind.status,
        headers=headers,
        media_type="application/problem+json",
    )
