"""Poison queues: what the host gave up joins what was set aside, before the queues forget it."""

import time
from collections.abc import Callable, Mapping

from shared.models.ids import repeatable_id
from shared.models.registrations import UNATTRIBUTED, Origin
from shared.models.set_aside import Message
from shared.services.set_aside import SetAsideService
from shared.storage.queues import MAXIMUM_BATCH, ReceivedMessage, StorageQueue
from shared.telemetry.traces import untraced

ATTEMPTS = 10
"""`maxDequeueCount` of host.json, which no message tells."""

REASON = "poisoned"
_EXPLANATION = f"It failed {ATTEMPTS} times; the log of the function that took it tells how."
_HIDDEN_SECONDS = 300
"""Enough for a batch; what a killed run had in hand is seen by the next but one."""


class PoisonQueues:
    """The poison queue of each queue that messages are taken from.

    The host keeps what is in them for seven days only, and nobody lists them.
    """

    def __init__(
        self,
        queues: Mapping[str, StorageQueue],
        set_aside: SetAsideService,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        """Poison queues by the name of the queue that they belong to."""
        self._queues = queues
        self._set_aside = set_aside
        self._seconds = seconds

    def drain(self, most_seconds: float, origin: Origin = UNATTRIBUTED) -> int:
        """Set aside what lies in the queues, and say how much; the rest is left to the next run.

        A message is deleted once it is kept. Where that fails it comes again, and is the same row.
        Raises StorageUnavailable or DatabaseUnavailable.
        """
        end = self._seconds() + most_seconds
        drained = 0
        left = dict(self._queues)
        while left and self._seconds() < end:
            for source, queue in list(left.items()):  # in turn: no flood holds up another queue
                batch = queue.receive(MAXIMUM_BATCH, _HIDDEN_SECONDS)
                for received in batch:
                    message = _message(source, received)
                    self._set_aside.give_up(message, REASON, _EXPLANATION, origin)
                    queue.delete(received)
                drained += len(batch)
                if not batch:
                    del left[source]
        return drained


def _message(source: str, received: ReceivedMessage) -> Message:
    """The message as its queue delivered it, known again however often this copy is seen."""
    copy = repeatable_id(f"{source}-poison/{received.message_id}", received.inserted_at)
    body, _ = untraced(received.body)
    return Message(source, body, copy)
