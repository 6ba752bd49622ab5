"""The requests that the other tests here change are good, and reach what they speak of."""

from uuid import UUID

import pytest

from tests.safety.operations import Operation, operations
from tests.safety.sender import Sender


@pytest.mark.parametrize("operation", operations(), ids=str)
def test_an_operation_has_a_request_that_succeeds(
    sender: Sender, key_id: UUID, operation: Operation
) -> None:
    if operation.path.endswith("/purge"):
        sender.send("DELETE", f"{operation.draft().target.replace('/purge', '')}")
    answer = operation.draft().about(key_id).send(sender)
    assert 200 <= answer.status < 300, answer.body
    assert answer.status in operation.answers_to
