"""Work that waits in a table, and the queue of messages about it."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from psycopg import Connection
from psycopg.rows import DictRow
from pydantic import BaseModel

from shared.database.pool import Database
from shared.storage.queues import StorageQueue

DEEPEST = 200
"""Messages that wait at most. The table is the backlog: a queue that holds little is quick, and
what fails is tried again while most of the work is still to be done."""

_AGAIN_AFTER = timedelta(hours=1)
_TAKEN = 1000

Take = Callable[[Connection[DictRow], datetime, datetime, int], Sequence[BaseModel]]
"""Messages about rows that are due at the first time, of as many rows at most; what has no answer
is due again at the second. Rolled back, nothing was taken."""


def _find_nothing() -> bool:
    return False


class Backlog:
    """Hands out what is to be done, and again what has no answer an hour later.

    A kill at any point loses nothing; it may hand out twice.
    """

    def __init__(
        self,
        database: Database,
        queue: StorageQueue,
        take: Take,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._queue = queue
        self._take = take
        self._clock = clock

    def fill(self, find_more: Callable[[], bool] = _find_nothing) -> int:
        """Fill the queue up; answers with the number of messages sent.

        Where nothing is due, `find_more` is asked whether it has put more into the table. Raises
        StorageUnavailable, and what that raises.
        """
        sent, room = 0, DEEPEST - self._queue.length()
        while sent < room:
            messages = self._send_some()
            if not messages and not find_more():
                break
            sent += messages
        return sent

    def _send_some(self) -> int:
        """Sent before it is committed that they were: a kill in between sends them twice."""
        now = self._clock()
        with self._database.connection() as connection, connection.transaction():
            messages = self._take(connection, now, now + _AGAIN_AFTER, _TAKEN)
            for message in messages:
                self._queue.send(message.model_dump_json())
        return len(messages)
