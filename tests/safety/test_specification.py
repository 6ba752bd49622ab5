"""Whatever the specification allows or forbids: the answer is one that it speaks of, never a 5xx.

The number of examples is what bounds the time: they are the same in every run, none is repeated or
made smaller, and each is one request in this process.
"""

from functools import cache
from typing import Any
from urllib.parse import unquote
from uuid import UUID

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode, checks
from schemathesis.specs.openapi import checks as conformance

from tests.safety.operations import Draft, Operation, operations, specification

EXAMPLES = 105
"""Of requests that the specification allows, and as many of those that it forbids."""
# By name, because the library's own types are not complete.
CHECKS: list[Any] = [
    getattr(checks, "not_a_server_error"),  # noqa: B009 - as below
    *(
        getattr(conformance, name)
        for name in (
            "status_code_conformance",
            "content_type_conformance",
            "response_headers_conformance",
            "response_schema_conformance",
        )
    ),
]
REJECTION: Any = getattr(conformance, "negative_data_rejection")  # noqa: B009 - likewise

bounded = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.filter_too_much,
        HealthCheck.data_too_large,
        HealthCheck.large_base_example,
    ],
)


_FAILING_ALONE = "POST /api/v1/artifacts/batch"
"""An item that is not valid fails, its batch succeeds: no check here knows of such answers."""


_NEVER_RIGHT_BY_CHANCE = {
    "POST /api/admin/artifacts/{artifact_id}/purge",  # what it is about was not deleted
    "POST /api/admin/artifacts/{artifact_id}/rehydrate",  # likewise archived
    "POST /api/admin/policies",  # its members fit together
    "PUT /api/admin/policies/{name}",  # likewise, and its body repeats the name
    "PUT /api/admin/rules/{name}",  # its body repeats the name, and its templates fit together
}
_CONDITIONS = {"if-match", "if-none-match"}


@cache
def loaded() -> Any:
    return schemathesis.openapi.from_dict(specification())


def cases(operation: Operation, mode: GenerationMode) -> st.SearchStrategy[Any]:
    return loaded()[operation.path][operation.method].as_strategy(generation_mode=mode)


@pytest.mark.parametrize("operation", operations(), ids=str)
def test_requests_that_the_specification_allows(
    app: FastAPI, all_scopes: str, key_id: UUID, operation: Operation
) -> None:
    known = operation.draft().about(key_id)
    statuses: list[int] = []

    @bounded
    @given(cases(operation, GenerationMode.POSITIVE), st.booleans())
    def ask(case: Any, is_about_something: bool) -> None:
        if is_about_something:
            aim(case, known)
        assume(can_be_sent(case))
        answer = case.call(app=app, headers={"X-API-Key": all_scopes})
        case.validate_response(answer, checks=CHECKS)
        statuses.append(answer.status_code)

    ask()
    assert len(statuses) >= EXAMPLES or not operation.parameters
    assert min(statuses) < 300 or str(operation) in _NEVER_RIGHT_BY_CHANCE, statuses


def can_be_sent(case: Any) -> bool:
    """Not `.` and `..`, which clients resolve; nor what no route's path matches, a line break."""
    values: dict[str, Any] = case.path_parameters or {}
    texts = [unquote(str(value)) for value in values.values()]
    return not any(text in {".", ".."} or "\n" in text for text in texts)


def aim(case: Any, known: Draft) -> None:
    """At what exists: made-up ids, references and entity tags find nothing and end there."""
    headers: dict[str, Any] = case.headers or {}
    case.path_parameters = dict(known.path_values)
    case.query = {**(case.query or {}), **known.query}
    case.headers = {name: headers[name] for name in headers if name.lower() not in _CONDITIONS}


@pytest.mark.parametrize("operation", operations(), ids=str)
def test_requests_that_the_specification_forbids(
    app: FastAPI, all_scopes: str, operation: Operation
) -> None:
    if not operation.parameters and operation.body_schema is None:
        pytest.skip("takes nothing that could be wrong")
    told = CHECKS if str(operation) == _FAILING_ALONE else [*CHECKS, REJECTION]
    statuses: list[int] = []

    @bounded
    @given(cases(operation, GenerationMode.NEGATIVE))
    def ask(case: Any) -> None:
        assume(can_be_sent(case))
        answer = case.call(app=app, headers={"X-API-Key": all_scopes})
        case.validate_response(answer, checks=told)
        statuses.append(answer.status_code)

    ask()
    assert len(statuses) >= EXAMPLES
