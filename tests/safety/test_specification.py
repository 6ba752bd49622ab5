"""Whatever the specification allows or forbids: the answer is one that it speaks of, never a 5xx.

Planned requests go through all that it says of each parameter and member, one thing at a time.
Those by chance put odd things together, in `make test-long` only. All are the same in every run,
and each is one request in this process.
"""

from collections import defaultdict
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode, checks
from schemathesis.specs.openapi import checks as conformance

from tests.safety.adapter import session_of
from tests.safety.cases import aim, can_be_sent, drawn, planned
from tests.safety.operations import Operation, operations
from tests.safety.sender import Sender

NEGATIVE, POSITIVE = GenerationMode.NEGATIVE, GenerationMode.POSITIVE
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

every_operation = pytest.mark.parametrize("operation", operations(), ids=str)
EXAMPLES = 300
"""Of requests by chance that the specification allows, and as many of those that it forbids."""

_FAILING_ALONE = "POST /api/v1/artifacts/batch"
"""An item that is not valid fails, its batch succeeds: the library knows of no such answers."""
_NEVER_RIGHT = {
    "POST /api/admin/artifacts/{artifact_id}/purge",  # what it is about was not deleted
    "POST /api/admin/artifacts/{artifact_id}/rehydrate",  # likewise archived
    "POST /api/builds/{build_id}/artifacts/{artifact_id}/verify",  # its bytes are elsewhere
}


def bounded(examples: int) -> settings:
    """None is repeated or made smaller: the number of examples is what bounds the time."""
    return settings(
        max_examples=examples,
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


Ask = Callable[[Any, list[Any]], Any]


@pytest.fixture
def ask(stranger: Sender, all_scopes: str) -> Ask:
    """Sends a request and looks at its answer."""
    session = session_of(stranger)
    headers = {"X-API-Key": all_scopes}

    def send(case: Any, looked_at: list[Any]) -> Any:
        answer = case.call("http://registry", session, headers)
        case.validate_response(answer, checks=looked_at)
        return answer

    return send


@pytest.mark.parametrize("share", [9, pytest.param(1, marks=pytest.mark.long)])
@every_operation
def test_planned_requests_are_answered_as_the_specification_tells(
    ask: Ask, key_id: UUID, operation: Operation, share: int
) -> None:
    """What it forbids is refused whether or not there still is what it is about."""
    allowed, forbidden = planned(operation, key_id)
    assert taken_by(operation) - asked_about([*forbidden, *allowed]) == set()
    statuses = [ask(case, CHECKS).status_code for case in allowed]
    assert min(statuses) < 300 or str(operation) in _NEVER_RIGHT, statuses
    for case in dealt(forbidden, share):
        answer = ask(case, told_of(operation))
        if is_batch(operation) and asked_about([case]):  # else REJECTION tells; any header may be
            assert answer.status_code >= 400 or answer.json()["failed"], case
    assert forbidden or not is_refusable(operation)


@pytest.mark.long
@every_operation
def test_requests_by_chance_that_the_specification_allows(
    ask: Ask, key_id: UUID, operation: Operation
) -> None:
    known = operation.draft().about(key_id)
    asked: list[int] = []

    @bounded(EXAMPLES)
    @given(drawn(operation, POSITIVE), st.booleans())
    def ask_by_chance(case: Any, is_about_something: bool) -> None:
        if is_about_something:
            aim(case, known)
        assume(can_be_sent(case))
        asked.append(ask(case, CHECKS).status_code)

    ask_by_chance()
    assert len(asked) >= EXAMPLES or not operation.parameters


@pytest.mark.long
@every_operation
def test_requests_by_chance_that_the_specification_forbids(ask: Ask, operation: Operation) -> None:
    if not is_refusable(operation):
        pytest.skip("takes nothing that could be wrong")
    asked: list[int] = []

    @bounded(EXAMPLES)
    @given(drawn(operation, NEGATIVE))
    def ask_by_chance(case: Any) -> None:
        assume(can_be_sent(case))
        asked.append(ask(case, told_of(operation)).status_code)

    ask_by_chance()
    assert len(asked) >= EXAMPLES


def taken_by(operation: Operation) -> set[str]:
    """Parameters; a body goes by its media type. In a header, a sender may write any text."""
    taken = {each["name"].lower() for each in operation.parameters if each["in"] != "header"}
    return taken | ({"application/json"} if operation.body_schema is not None else set())


def asked_about(cases: list[Any]) -> set[str]:
    """What each planned request is about, if it is one thing."""
    about = [case.meta.phase.data.parameter for case in cases if case.meta is not None]
    return {parameter.lower() for parameter in about if parameter is not None}


def dealt(cases: list[Any], share: int) -> list[Any]:
    """Some of each kind of mistake at each place, one at least: wrong types are many of a kind."""
    kinds: defaultdict[tuple[object, ...], list[Any]] = defaultdict(list)
    for case in cases:
        told = case.meta.phase.data
        kinds[told.parameter_location, told.parameter, told.location, told.description].append(case)
    alike = enumerate(kinds.values())
    return [case for place, each in alike for case in each[place % min(share, len(each)) :: share]]


def is_refusable(operation: Operation) -> bool:
    return bool(operation.parameters) or operation.body_schema is not None


def told_of(operation: Operation) -> list[Any]:
    """What is looked at in the answer to a request that is forbidden."""
    return CHECKS if is_batch(operation) else [*CHECKS, REJECTION]


def is_batch(operation: Operation) -> bool:
    return str(operation) == _FAILING_ALONE
