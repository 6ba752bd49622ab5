"""The OpenAPI 3.1 document: what the framework knows of the routes, and what it does not."""

import json
import sys
from collections.abc import Sequence
from functools import cache
from typing import Any

from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic.json_schema import models_json_schema
from starlette.routing import BaseRoute

from functions.http.dependencies import KEY_HEADER
from functions.http.guarded_route import KEY_SCHEME, TOKEN_SCHEME
from functions.http.problem_models import PROBLEM_KINDS, PROBLEM_SCHEMAS, Problem
from functions.http.problems import ProblemType

_VERSION = "1"
_LARGEST = 2**63 - 1
_SUPPOSED = "Successful Response"
_DESCRIPTION = """\
Every answer is JSON; every error is `application/problem+json` (RFC 9457), and its `type` never
changes. An id is a UUID or the same as a ULID. A list ends where `next` is null, and otherwise goes
on with `next` as the `cursor`. Bodies hold at most 1 MiB; a member given twice, a parameter given
twice and NaN are refused. Times have a zone; answers tell them in UTC.
"""
_TAGS = [
    {"name": "artifacts", "description": "For pipelines: registering and finding artifacts."},
    {"name": "builds", "description": "For build servers: builds, their artifacts and resumes."},
    {"name": "admin", "description": "For operators: history, chains, duplicates, retirement."},
    {"name": "rules", "description": "For operators: what uploads are registered as."},
    {"name": "policies", "description": "For operators: what is archived, deleted or purged."},
    {"name": "failures", "description": "For operators: messages that could not be used."},
    {"name": "audit", "description": "For administrators: who did what, and what came of it."},
    {"name": "keys", "description": "For administrators: API keys."},
    {"name": "health", "description": "For probes."},
    {"name": "documentation", "description": "This document."},
]
_SECURITY_SCHEMES = {
    KEY_SCHEME: {
        "type": "apiKey",
        "in": "header",
        "name": KEY_HEADER,
        "description": "A key opens the scopes that it lists: `read`, `write`, `admin`.",
    },
    TOKEN_SCHEME: {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "An access token of Entra ID; its roles are the scopes.",
    },
}
_REFERENCES = "#/components/schemas/{model}"


def build_openapi(routes: Sequence[BaseRoute]) -> dict[str, Any]:
    """The document of these routes."""
    document = get_openapi(
        title="Artifact registry",
        version=_VERSION,
        openapi_version="3.1.0",
        description=_DESCRIPTION,
        tags=_TAGS,
        routes=routes,
    )
    components = document["components"]
    components["schemas"] = dict(sorted((components["schemas"] | _problem_schemas()).items()))
    _write_whole_bounds(components["schemas"])
    components["examples"] = {kind.name: {"value": _example(kind)} for kind in PROBLEM_KINDS}
    components["securitySchemes"] = _SECURITY_SCHEMES
    for route in routes:
        if isinstance(route, APIRoute) and route.include_in_schema:
            for method in route.methods or ():
                operation = document["paths"][route.path_format][method.lower()]
                _forget_default_answer(operation["responses"])
                _tell_examples(operation["responses"], route)
    return document


def write_openapi(routes: Sequence[BaseRoute]) -> str:
    """The document as it is committed."""
    return json.dumps(build_openapi(routes), indent=1, ensure_ascii=False) + "\n"


def _write_whole_bounds(part: Any) -> None:
    """Write bounds as whole numbers: the framework makes floats of them, which round 2**63 - 1."""
    match part:
        case {**members}:
            if members.get("maximum") == float(_LARGEST):
                part["maximum"] = _LARGEST
            for each in members.values():
                _write_whole_bounds(each)
        case [*items]:
            for each in items:
                _write_whole_bounds(each)
        case _:
            return


def _forget_default_answer(responses: dict[str, Any]) -> None:
    """Take away the 200 that the framework supposes where an operation tells of another answer."""
    others = responses.keys() & {"201", "202"}
    if others and responses.get("200", {}).get("description") == _SUPPOSED:
        del responses["200"]


def _tell_examples(responses: dict[str, Any], route: APIRoute) -> None:
    """Tell the examples as they were written: the framework leaves out whatever is null."""
    for status, written in route.responses.items():
        for media_type, content in written.get("content", {}).items():
            if "example" in content:
                responses[str(status)]["content"][media_type]["example"] = content["example"]


def _example(kind: ProblemType) -> dict[str, Any]:
    members: dict[str, Any] = {
        "type": kind.uri,
        "title": kind.title,
        "status": kind.status,
        "detail": f"{kind.title}.",
        "instance": "urn:uuid:5d0e6c2a-1c4b-4a55-9d53-6c1f0d1f2b3a",
    }
    return members | dict(PROBLEM_SCHEMAS.get(kind.name, Problem).example_members)


@cache
def _problem_schemas() -> dict[str, Any]:
    problems = [Problem, *PROBLEM_SCHEMAS.values()]
    _, schemas = models_json_schema(
        [(problem, "validation") for problem in problems], ref_template=_REFERENCES
    )
    return schemas["$defs"]


def main() -> None:
    """Write the document of the whole application to standard output."""
    from functions.http.app import build_app  # noqa: PLC0415 - it imports this module
    from shared.bootstrap import registry  # noqa: PLC0415 - likewise

    sys.stdout.write(write_openapi(build_app(registry).routes))


if __name__ == "__main__":
    main()
