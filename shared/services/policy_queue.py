"""The messages of policy actions: each names artifacts with a claim on them."""

from datetime import datetime
from uuid import UUID

from psycopg import Connection
from psycopg.rows import DictRow
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.errors import MalformedMessage
from shared.repositories.policy_actions import PolicyActionRepository

MOST_IDS = 100


class ActionRequest(BaseModel):
    """A message on the queue of policy actions."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    artifact_ids: list[UUID] = Field(min_length=1, max_length=1000)


def take_unsent(
    connection: Connection[DictRow], at: datetime, again_at: datetime, most: int
) -> list[ActionRequest]:
    """Messages about claims that are to be sent before this is committed: see `Backlog`."""
    unsent = PolicyActionRepository(connection).take_unsent(at, again_at, most)
    return [
        ActionRequest(artifact_ids=unsent[first : first + MOST_IDS])
        for first in range(0, len(unsent), MOST_IDS)
    ]


def read_request(document: object) -> list[UUID]:
    """The artifacts that a message names; raises MalformedMessage."""
    try:
        return ActionRequest.model_validate(document).artifact_ids
    except ValidationError:
        raise MalformedMessage('Not a request to act: {"artifact_ids": [...]}.') from None


def request_for(artifact_id: UUID) -> bytes:
    """The message that names one artifact alone."""
    return ActionRequest(artifact_ids=[artifact_id]).model_dump_json().encode()
