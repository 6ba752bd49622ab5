"""The requests that the other tests here change are good, and reach what they speak of."""

from dataclasses import replace
from uuid import UUID

import pytest

from tests.safety.operations import Operation, operations
from tests.safety.sender import Answer, Sender

READING = [each for each in operations() if each.method == "GET"]
CHANGING = [each for each in operations() if each.method != "GET"]


def assert_succeeds(operation: Operation, answer: Answer) -> None:
    assert 200 <= answer.status < 300, (operation, answer.body)
    assert answer.status in operation.answers_to, operation


def test_an_operation_that_changes_nothing_has_a_request_that_succeeds(
    sender: Sender, key_id: UUID
) -> None:
    for operation in READING:
        assert_succeeds(operation, operation.draft().about(key_id).send(sender))


@pytest.mark.parametrize("operation", CHANGING, ids=str)
def test_an_operation_has_a_request_that_succeeds(
    sender: Sender, key_id: UUID, operation: Operation
) -> None:
    if operation.path.endswith(("/rehydrate", "/verify")):
        pytest.skip("needs bytes, and the fixtures have no store: see the tests of both routes")
    if operation.path.endswith("/purge"):
        sender.send("DELETE", f"{operation.draft().target.replace('/purge', '')}")
    assert_succeeds(operation, operation.draft().about(key_id).send(sender))


def test_a_parameter_that_an_operation_does_not_have_is_refused(
    sender: Sender, key_id: UUID
) -> None:
    """`dryrun=true` in place of `dry_run=true` would do it all, `projct=x` would find it all."""
    of_builds = [each for each in READING if each.path.startswith("/api/builds")]
    assert CHANGING
    assert of_builds
    for operation in (*CHANGING, *of_builds):
        draft = operation.draft().about(key_id)
        answer = replace(draft, query={**draft.query, "dryrun": "true"}).send(sender)
        assert answer.status == 422, (operation, answer.body)
        assert b"/dryrun" in answer.body, operation
    for operation in of_builds:  # what the host reads itself is no such parameter
        answer = replace(operation.draft(), query={"code": "secret", "clientId": "x"}).send(sender)
        assert answer.status == 200, (operation, answer.body)
