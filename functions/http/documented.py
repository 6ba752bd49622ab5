"""What an operation's documentation says of its answers: models, examples, and every problem."""

from collections.abc import Sequence
from itertools import groupby
from types import UnionType
from typing import Any

from pydantic import BaseModel

from functions.http.faults import FAULTS
from functions.http.problem_models import PROBLEM_SCHEMAS, Problem
from functions.http.problems import BODY_TOO_LARGE, INTERNAL_ERROR, ProblemType, http_problem
from shared import errors

Documentation = dict[int | str, dict[str, Any]]
Fault = type[errors.RegistryError]

ANYWHERE: tuple[Fault, ...] = (
    errors.KeyRejected,
    errors.ScopeMissing,
    errors.InvalidInput,
    errors.DatabaseUnavailable,
    errors.IssuerUnavailable,
)
"""What any guarded operation may meet."""

_ETAG = {
    "description": "The entity tag of the artifact's state.",
    "schema": {"type": "string"},
    "example": '"mT0yq2bq1GkzUwZ0C2k7bq9m"',
}
_LOCATION = {
    "description": "The path of what was created.",
    "schema": {"type": "string"},
    "example": "/api/v1/artifacts/0198c2a4-7b1e-7d52-9f3a-2d1b7f6c8e90",
}
_RETRY_AFTER = {"description": "Seconds to wait.", "schema": {"type": "integer"}}
_LINK = {
    "description": "Where more follows: where it is, relative to what was asked for (RFC 8288).",
    "schema": {"type": "string"},
    "example": '<?limit=1000&cursor=c3RhdGVzOjE3>; rel="next"',
}
_HEADERS = {"ETag": _ETAG, "Location": _LOCATION, "Link": _LINK}


def answer(
    model: type[BaseModel] | type[list[Any]] | UnionType,
    description: str,
    example: object,
    *,
    status: int = 200,
    headers: Sequence[str] = (),
) -> Documentation:
    """An answer that is no problem."""
    return {
        status: {
            "model": model,
            "description": description,
            "content": {"application/json": {"example": example}},
            "headers": {name: _HEADERS[name] for name in headers},
        }
    }


def not_modified() -> Documentation:
    """The answer to a caller who has the state at hand."""
    told = {"description": "The state is the caller's.", "headers": {"ETag": _ETAG}}
    return {304: told}


def problems(*faults: Fault, takes_body: bool = False) -> Documentation:
    """The problems of a guarded operation: those of any, and these."""
    kinds = [FAULTS[fault] for fault in (*ANYWHERE, *faults)]
    kinds += [BODY_TOO_LARGE, INTERNAL_ERROR]
    if takes_body:
        kinds.append(http_problem(415))
    ordered = sorted(kinds, key=_status)
    return {status: _problem_answer(list(same)) for status, same in groupby(ordered, _status)}


def _status(kind: ProblemType) -> int:
    return kind.status


def _problem_answer(kinds: Sequence[ProblemType]) -> dict[str, Any]:
    schemas = {PROBLEM_SCHEMAS.get(kind.name, Problem).__name__ for kind in kinds}
    references = [{"$ref": f"#/components/schemas/{name}"} for name in sorted(schemas)]
    told: dict[str, Any] = {
        "description": "; or: ".join(kind.title for kind in kinds) + ".",
        "content": {
            "application/problem+json": {
                "schema": references[0] if len(references) == 1 else {"anyOf": references},
                "examples": {
                    kind.name: {"$ref": f"#/components/examples/{kind.name}"} for kind in kinds
                },
            }
        },
    }
    if kinds[0].status == FAULTS[errors.Retryable].status:
        told["headers"] = {"Retry-After": _RETRY_AFTER}
    return told
