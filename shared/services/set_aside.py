"""Messages that can never succeed are set aside at once, with the reason; none is dropped."""

import hashlib
import logging
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import NamedTuple, TypeVar
from uuid import UUID

from shared.database.pool import Database
from shared.errors import MalformedMessage, RegistryError, Retryable
from shared.models.attempts import Doing
from shared.models.blob_events import message_document
from shared.models.registrations import UNATTRIBUTED, Origin
from shared.models.set_aside import Message, Replay, replay_in
from shared.repositories.set_aside import SetAsideRepository
from shared.services.redaction import redacted_body, storable_text
from shared.storage.queues import StorageQueue
from shared.telemetry.metrics import SET_ASIDE

Part = TypeVar("Part")

Use = Callable[[Message, object], list[str] | None]
"""What is done with a message and the JSON document in it: what is left goes into messages."""

_LOGGER = logging.getLogger(__name__)
_LONGEST_EXPLANATION = 4000
_SETTING_ASIDE = Doing("message_set_aside", "set_aside")
_REPLAYING = Doing("message_replayed", "replay")
_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")


class _Failed(NamedTuple):
    """A replay that came to nothing, and which time the message had been set aside, if known."""

    source: str
    set_aside_id: UUID
    arrivals: int | None


class SetAsideService:
    """Keeps what could not be used, so that it can be listed and, once mended, replayed.

    A message is told from others by its bytes and its source: however often it comes and fails, it
    is kept once.
    """

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        queues: Mapping[str, StorageQueue] | None = None,
    ) -> None:
        """`queues` by name: on these, replays leave what is left to do."""
        self._database = database
        self._clock = clock
        self._queues = queues or {}

    def take(self, message: Message, origin: Origin, use: Use) -> list[str]:
        """Use a message, or the one set aside from its queue that it asks to be taken once more.

        Answers with messages to be put on the queue before this one is taken off it. What can never
        succeed is set aside. Raises a Retryable where a later delivery may succeed, also where the
        database cannot be reached to keep the message.
        """
        try:
            document = message_document(message.body)
            asked_for = replay_in(document)
            if asked_for is None:
                return use(message, document) or []
            self._replay(message.source, asked_for, origin, use)
        except Retryable:
            raise
        except RegistryError as fault:
            self.set_aside(message, fault, origin)
        return []

    def use_each(
        self,
        source: str,
        parts: Iterable[Part],
        use: Callable[[Part], list[str]],
        alone: Callable[[Part], bytes],
        origin: Origin,
    ) -> list[str]:
        """Use each part of a message on its own; answers with all that is left to do.

        What can never succeed is set aside as the message that it would be `alone`. Raises the
        first Retryable at the end: delivering all again changes nothing that is done.
        """
        left: list[str] = []
        passing: list[Retryable] = []
        for part in parts:
            try:
                left += use(part)
            except Retryable as fault:
                passing.append(fault)
            except RegistryError as fault:
                self.set_aside(Message(source, alone(part)), fault, origin)
        if passing:
            raise passing[0]
        return left

    def set_aside(
        self, message: Message, fault: RegistryError, origin: Origin = UNATTRIBUTED
    ) -> None:
        """Keep a message with its fault; the audit trail tells of it once.

        Signatures (SAS), keys and passwords in it are struck out: no secret enters the database.
        """
        self.keep(message, reason_of(type(fault)), fault.summary, origin)

    def keep(
        self, message: Message, reason: str, explanation: str, origin: Origin = UNATTRIBUTED
    ) -> None:
        """The same, for a reason that is no fault of ours to name."""
        set_aside_id, now = _identity(message), self._clock()
        with self._database.connection() as connection, connection.transaction():
            messages = SetAsideRepository(connection)
            is_news = messages.add(
                set_aside_id,
                Message(message.source, redacted_body(message.body), message.delivery_id),
                reason=reason,
                explanation=storable_text(explanation, _LONGEST_EXPLANATION),
                at=now,
            )
            if is_news:
                messages.record_failure(_SETTING_ASIDE, set_aside_id, origin, now)
        if is_news:  # not each time that it comes again
            SET_ASIDE.add(1, {"queue": message.source, "reason": reason})
        _LOGGER.warning("message set aside: source=%s reason=%s", message.source, reason)

    def give_up(
        self, message: Message, reason: str, explanation: str, origin: Origin = UNATTRIBUTED
    ) -> None:
        """Keep a message that was tried too often; of a replay, open what it was to take again."""
        try:
            asked_for = replay_in(message_document(message.body))
            if asked_for is not None:
                failed = _Failed(message.source, asked_for, None)
                self._open_again(failed, reason, explanation, origin)
                return
        except MalformedMessage:
            pass  # kept like any other
        self.keep(message, reason, explanation, origin)

    def _replay(self, source: str, set_aside_id: UUID, origin: Origin, use: Use) -> None:
        replay = self._begin(source, set_aside_id)
        if replay is None:
            return
        try:
            left = use(replay.message, message_document(replay.message.body)) or []
            # Sent here: once the message has ended, another delivery of this replay does nothing.
            for text in left:
                self._queues[source].send(text)
        except Retryable:
            raise
        except RegistryError as fault:
            failed = _Failed(source, set_aside_id, replay.arrivals)
            self._open_again(failed, reason_of(type(fault)), fault.summary, origin)
        else:
            self._end(replay, origin)

    def _begin(self, source: str, set_aside_id: UUID) -> Replay | None:
        with self._database.connection() as connection:
            messages = SetAsideRepository(connection)
            _require_known(messages, source, set_aside_id)
            return messages.begin_replay(set_aside_id, source, self._clock())

    def _open_again(self, failed: _Failed, reason: str, explanation: str, origin: Origin) -> None:
        with self._database.connection() as connection, connection.transaction():
            messages = SetAsideRepository(connection)
            _require_known(messages, failed.source, failed.set_aside_id)
            is_open = messages.open_again(
                failed.set_aside_id,
                failed.source,
                failed.arrivals,
                reason=reason,
                explanation=storable_text(explanation, _LONGEST_EXPLANATION),
            )
            if is_open:
                messages.record_failure(_REPLAYING, failed.set_aside_id, origin, self._clock())
        _LOGGER.warning(
            "replay failed: set_aside_id=%s source=%s reason=%s",
            failed.set_aside_id,
            failed.source,
            reason,
        )

    def _end(self, replay: Replay, origin: Origin) -> None:
        now = self._clock()
        with self._database.connection() as connection, connection.transaction():
            messages = SetAsideRepository(connection)
            if messages.end_replay(replay, now, origin.actor):
                messages.record_events("message_replayed", [replay.set_aside_id], origin, now)


def _require_known(messages: SetAsideRepository, source: str, set_aside_id: UUID) -> None:
    if not messages.knows(set_aside_id, source):
        raise MalformedMessage("No message of this id was set aside from this queue.")


def reason_of(fault: type[RegistryError]) -> str:
    """The name of an error, as failures have it."""
    return _CAPITAL.sub("_", fault.__name__).lower()


def _identity(message: Message) -> UUID:
    """Of the message itself, so that a repeated delivery is the same row."""
    digest = hashlib.sha256(message.source.encode() + b"\n" + message.body).digest()
    return UUID(bytes=digest[:16])
