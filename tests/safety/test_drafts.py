"""The requests that the other tests here change are good, and reach what they speak of."""

from dataclasses import replace
from uuid import UUID

import pytest

from tests.safety.operations import Operation, operations
from tests.safety.sender import Sender


@pytest.mark.parametrize("operation", operations(), ids=str)
def test_an_operation_has_a_request_that_succeeds(
    sender: Sender, key_id: UUID, operation: Operation
) -> None:
    if operation.path.endswith(("/rehydrate", "/verify")):
        pytest.skip("needs bytes, and the fixtures have no store: see the tests of both routes")
    if operation.path.endswith("/purge"):
        sender.send("DELETE", f"{operation.draft().target.replace('/purge', '')}")
    answer = operation.draft().about(key_id).send(sender)
    assert 200 <= answer.status < 300, answer.body
    assert answer.status in operation.answers_to


REFUSING = [
    each
    for each in operations()
    if each.method not in {"GET", "HEAD"} or each.path.startswith("/api/builds")
]


@pytest.mark.parametrize("operation", REFUSING, ids=str)
def test_a_parameter_that_an_operation_does_not_have_is_refused(
    sender: Sender, key_id: UUID, operation: Operation
) -> None:
    """`dryrun=true` in place of `dry_run=true` would do it all, `projct=x` would find it all."""
    draft = operation.draft().about(key_id)
    answer = replace(draft, query={**draft.query, "dryrun": "true"}).send(sender)
    assert answer.status == 422, answer.body
    assert b"/dryrun" in answer.body


@pytest.mark.parametrize("operation", [each for each in REFUSING if each.method == "GET"], ids=str)
def test_what_the_host_reads_itself_is_no_such_parameter(
    sender: Sender, operation: Operation
) -> None:
    answer = replace(operation.draft(), query={"code": "secret", "clientId": "x"}).send(sender)
    assert answer.status == 200, answer.body
