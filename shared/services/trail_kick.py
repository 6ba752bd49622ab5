"""Says that there is something to be moved into the audit trail; nobody waits for it."""

import logging
import time
from collections.abc import Callable
from threading import Lock, Thread

from shared.errors import StorageUnavailable
from shared.storage.queues import StorageQueue

EVERY_SECONDS = 5
"""A message that is seen so long after it was sent tells of all that changed in the meantime."""
KEPT_SECONDS = 60
"""By then the timer has moved what the message tells of."""

_LOGGER = logging.getLogger(__name__)


def _in_background(work: Callable[[], None]) -> None:
    Thread(target=work, name="trail-kick", daemon=True).start()


class TrailKick:
    """Wakes the relay within seconds of a change: a message every few seconds, however many change.

    Where there is no queue, or it cannot be reached, the timer finds what changed.
    """

    def __init__(
        self,
        queue: StorageQueue | None,
        *,
        seconds: Callable[[], float] = time.monotonic,
        run: Callable[[Callable[[], None]], None] = _in_background,
    ) -> None:
        self._queue = queue
        self._seconds = seconds
        self._run = run
        self._sending = Lock()
        self._covered_until = 0.0

    def changed(self) -> None:
        """To be called once something is committed: returns at once, and raises nothing."""
        # Without the lock first: nearly every call is over here.
        if self._queue is None or self._seconds() < self._covered_until:
            return
        with self._sending:
            now = self._seconds()
            if now < self._covered_until:
                return
            self._covered_until = now + EVERY_SECONDS
        self._run(self._send)

    def _send(self) -> None:
        assert self._queue is not None  # noqa: S101 - `changed` asked
        try:
            self._queue.send_for_a_while(
                "changed", hidden_seconds=EVERY_SECONDS, kept_seconds=KEPT_SECONDS
            )
        except StorageUnavailable:
            _LOGGER.warning("audit trail not kicked", exc_info=True)
