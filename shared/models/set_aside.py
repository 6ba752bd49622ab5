"""Messages that could not be used, kept until they are replayed or discarded."""

import json
from base64 import b64encode
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Literal, Self, cast
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.errors import MalformedMessage
from shared.models.api_keys import Instant
from shared.models.text import Text

_REPLAY = "replay"


@dataclass(frozen=True)
class Message:
    """What a queue delivered."""

    source: str
    """Name of the queue."""
    body: bytes = field(repr=False)
    delivery_id: UUID | None = None
    """The same at each delivery of one message, where that is known: an artifact may take it."""


@dataclass(frozen=True)
class Replay:
    """A message that is taken again, and which time it was set aside that is mended by this."""

    set_aside_id: UUID
    arrivals: int
    message: Message


class FailureState(StrEnum):
    """What became of a message that was set aside."""

    OPEN = "open"
    REPLAYING = "replaying"
    """It was asked to be taken again, or is being taken."""
    REPLAYED = "replayed"
    DISCARDED = "discarded"

    @property
    def is_end(self) -> bool:
        """Whether nothing more comes of it."""
        return self in {FailureState.REPLAYED, FailureState.DISCARDED}


class Failure(BaseModel):
    """A message that was set aside, without its body."""

    model_config = ConfigDict(frozen=True)

    set_aside_id: UUID
    source: str
    """Name of the queue that it came from."""
    reason: str
    explanation: str
    state: FailureState
    set_aside_at: Instant
    replays: int
    """How often it was taken again."""
    last_tried_at: Instant | None
    ended_at: Instant | None
    """When it was replayed or discarded."""
    ended_by: str | None


class FailureDetail(Failure):
    """The same with its body: as text where it is UTF-8, else in base64."""

    body: str = Field(repr=False)
    body_encoding: Literal["text", "base64"]

    @classmethod
    def of(cls, failure: Failure, body: bytes) -> Self:
        try:
            text, encoding = body.decode(), "text"
        except UnicodeDecodeError:
            text, encoding = b64encode(body).decode(), "base64"
        return cls(**dict(failure), body=text, body_encoding=encoding)

    @property
    def without_body(self) -> Failure:
        """For those who may not read what others wrote."""
        return Failure(**self.model_dump(exclude={"body", "body_encoding"}))


class FailurePage(BaseModel):
    """Part of a list, newest first; `next` is the cursor of another part."""

    failures: list[Failure]
    next: str | None


class ReplaysAsked(BaseModel):
    """What came of asking for many replays; `next` is the cursor of those not looked at yet."""

    count: int
    """How many will be taken again."""
    skipped: int
    """How many came from queues that this registry no longer takes messages from."""
    next: str | None


Named = Annotated[Text, Field(min_length=1, max_length=100)]
"""A source or a reason."""


@dataclass(frozen=True)
class FailureFilter:
    """Which failures are meant; None for any source, or any reason."""

    state: FailureState = FailureState.OPEN
    source: str | None = None
    reason: str | None = None


class _ReplayRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: Literal["replay"]
    set_aside_id: UUID


def replay_request(set_aside_id: UUID) -> str:
    """The message that asks for another one, which was set aside, to be taken once more."""
    return json.dumps({"kind": _REPLAY, "set_aside_id": str(set_aside_id)})


def replay_in(document: object) -> UUID | None:
    """Which message set aside is to be taken again; None where the document asks for no replay.

    Raises MalformedMessage for one that asks, but does not say which.
    """
    members = cast("dict[str, object]", document) if isinstance(document, dict) else {}
    if members.get("kind") != _REPLAY:
        return None
    try:
        return _ReplayRequest.model_validate(members).set_aside_id
    except ValidationError:
        raise MalformedMessage("A replay names the message that was set aside.") from None
