"""How much waits, and where: measured now and then, for whoever collects metrics."""

import logging
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from datetime import datetime

from shared.database.pool import Database
from shared.errors import RegistryError
from shared.repositories.set_aside import SetAsideRepository
from shared.services.trail_relay import TrailRelay
from shared.storage.queues import StorageQueue
from shared.telemetry.metrics import (
    QUEUE_DEPTH,
    QUEUE_OLDEST,
    SET_ASIDE_DEPTH,
    TRAIL_LAG,
    TRAIL_WAITING,
)

_LOGGER = logging.getLogger(__name__)
_COUNTED = 10_000
"""Messages that are counted at most, so that no flood of them makes measuring slow."""


class Depths:
    """The queues, poisoned ones too, what was set aside, and what the audit trail has not got."""

    def __init__(
        self,
        database: Database,
        queues: Mapping[str, StorageQueue],
        relay: TrailRelay,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._queues = queues
        self._relay = relay
        self._clock = clock

    def measure(self) -> None:
        """Record them all, in the log too; what cannot be reached is left out this time.

        The database first: it is not to wait for each queue of an account that is away.
        """
        with _left_out("set-aside"):
            messages = self._open_messages()
            SET_ASIDE_DEPTH.set(messages)
            _LOGGER.info("depth measured: of=%s messages=%d", "set-aside", messages)
        with _left_out("audit-trail"):
            backlog = self._relay.backlog()
            TRAIL_WAITING.set(backlog.waiting_events)
            TRAIL_LAG.set(backlog.behind_seconds)
            _tell("audit-trail", backlog.waiting_events, backlog.behind_seconds)
        for name, queue in self._queues.items():
            with _left_out(name):
                self._measure_queue(name, queue)

    def _measure_queue(self, name: str, queue: StorageQueue) -> None:
        depth, now = queue.depth(), self._clock()
        waits = (now - (depth.waiting_since or now)).total_seconds()
        QUEUE_DEPTH.set(depth.messages, {"queue": name})
        QUEUE_OLDEST.set(max(waits, 0.0), {"queue": name})
        _tell(name, depth.messages, max(waits, 0.0))

    def _open_messages(self) -> int:
        with self._database.connection() as connection:
            return SetAsideRepository(connection).count_open(_COUNTED)


def _tell(what: str, messages: int, oldest_seconds: float) -> None:
    """Alerts read these lines: infra/modules/alerts.bicep."""
    _LOGGER.info(
        "depth measured: of=%s messages=%d oldest_seconds=%d", what, messages, oldest_seconds
    )


@contextmanager
def _left_out(what: str) -> Generator[None]:
    try:
        yield
    except RegistryError:
        _LOGGER.warning("depth not measured: of=%s", what, exc_info=True)
