"""The queue of policy actions: messages that name artifacts with a claim on them."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.database.pool import Database
from shared.errors import MalformedMessage
from shared.repositories.policy_actions import PolicyActionRepository
from shared.storage.queues import StorageQueue

MOST_IDS = 100
DEEPEST = 200
"""Messages that wait at most: the table of claims is the backlog, and a shallow queue is quick."""

_AGAIN_AFTER = timedelta(hours=1)
_TAKEN = 1000


class ActionRequest(BaseModel):
    """A message on the queue of policy actions."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    artifact_ids: list[UUID] = Field(min_length=1, max_length=1000)


class PolicyQueue:
    """Hands claims to whoever takes messages, and again what has no outcome an hour later."""

    def __init__(
        self, database: Database, queue: StorageQueue, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._queue = queue
        self._clock = clock

    def fill(self, claim_more: Callable[[], bool]) -> int:
        """Fill the queue up, claiming more as long as there is: the number of messages sent.

        Raises StorageUnavailable.
        """
        sent, room = 0, DEEPEST - self._queue.length()
        while sent < room:
            messages = self._send_some()
            if not messages and not claim_more():
                break
            sent += messages
        return sent

    def _send_some(self) -> int:
        """Sent before it is committed that they were: a kill in between sends them twice."""
        now = self._clock()
        with self._database.connection() as connection, connection.transaction():
            claims = PolicyActionRepository(connection)
            unsent = claims.take_unsent(now, now + _AGAIN_AFTER, _TAKEN)
            portions = range(0, len(unsent), MOST_IDS)
            for first in portions:
                message = ActionRequest(artifact_ids=unsent[first : first + MOST_IDS])
                self._queue.send(message.model_dump_json())
        return len(portions)


def read_request(document: object) -> list[UUID]:
    """The artifacts that a message names; raises MalformedMessage."""
    try:
        return ActionRequest.model_validate(document).artifact_ids
    except ValidationError:
        raise MalformedMessage('Not a request to act: {"artifact_ids": [...]}.') from None


def request_for(artifact_id: UUID) -> bytes:
    """The message that names one artifact alone."""
    return ActionRequest(artifact_ids=[artifact_id]).model_dump_json().encode()
