"""One storage queue, as the registry itself uses it; what triggers a function the host receives."""

from dataclasses import dataclass, field
from datetime import datetime

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from shared.storage.account import Account, queue_client
from shared.storage.faults import account_faults
from shared.storage.patience import CHECK_OPTIONS
from shared.telemetry.traces import traced

MAXIMUM_BATCH = 32
"""Messages that the service hands out at once, at most."""

_FOR_EVER = -1
_ELSEWHERE = {"MessageNotFound", "PopReceiptMismatch", "QueueNotFound"}
"""Somebody else deleted the message, or received it once it was visible again."""


@dataclass(frozen=True)
class Depth:
    """About how many messages there are, and since when the first waits that anybody may take."""

    messages: int
    waiting_since: datetime | None = None


@dataclass(frozen=True)
class ReceivedMessage:
    """A message in our hands until it is visible to others again."""

    message_id: str
    receipt: str
    inserted_at: datetime | None
    body: bytes = field(repr=False)


class StorageQueue:
    """A queue of one account. Any number of threads may ask.

    Whatever is called raises StorageUnavailable where the service, or a queue that has to be
    there, is not.
    """

    def __init__(self, account: Account, name: str) -> None:
        self._client = queue_client(account, name)

    def check(self) -> None:
        """Return within seconds when the queue is there; raises StorageUnavailable."""
        with account_faults():
            self._client.get_queue_properties(**CHECK_OPTIONS)

    def length(self) -> int:
        """About how many messages there are, those in somebody's hands among them."""
        with account_faults():
            return self._client.get_queue_properties().approximate_message_count or 0

    def depth(self) -> Depth:
        """How much waits; nothing where there is no queue: one of poisoned messages comes with the
        first. Answers within seconds, like `check`."""
        with account_faults():
            try:
                found = self._client.get_queue_properties(**CHECK_OPTIONS)
                front = self._client.peek_messages(max_messages=1, **CHECK_OPTIONS)
            except ResourceNotFoundError:
                return Depth(0)
        inserted = front[0].inserted_on if front else None
        return Depth(found.approximate_message_count or 0, inserted)

    def send(self, text: str) -> None:
        """Add a message that stays until somebody takes it, with the trace that it is sent in."""
        with account_faults():
            self._client.send_message(traced(text), time_to_live=_FOR_EVER)

    def send_for_a_while(self, text: str, *, hidden_seconds: int, kept_seconds: int) -> None:
        """Add a message that nobody sees yet, and that is gone if nobody takes it in time."""
        with account_faults():
            self._client.send_message(
                text, visibility_timeout=hidden_seconds, time_to_live=kept_seconds
            )

    def receive(self, most: int, hidden_seconds: int) -> list[ReceivedMessage]:
        """Up to `most` messages, which nobody else sees for a while; none of a queue that is not.

        A queue of poisoned messages is made when there is a first one.
        """
        with account_faults():
            try:
                found = list(
                    self._client.receive_messages(
                        max_messages=most, visibility_timeout=hidden_seconds
                    )
                )
            except ResourceNotFoundError:
                return []
        return [
            ReceivedMessage(
                message_id=message.id,
                receipt=message.pop_receipt or "",
                inserted_at=message.inserted_on,
                body=str(message.content or "").encode(),
            )
            for message in found
        ]

    def delete(self, message: ReceivedMessage) -> None:
        """Remove a message that was received, unless somebody else has it by now."""
        with account_faults():
            try:
                self._client.delete_message(message.message_id, message.receipt)
            except HttpResponseError as fault:
                if getattr(fault, "error_code", None) not in _ELSEWHERE:
                    raise
