"""Moves the outbox into the audit trail: events are numbered, chained, and written."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from time import monotonic
from typing import Any

from shared.database.pool import Database
from shared.errors import StorageUnavailable
from shared.models.audit import (
    NO_HASH,
    AuditEvent,
    KeptEvent,
    TrailBacklog,
    WrittenEvent,
    event_hash,
    shard_of,
)
from shared.models.audit_entities import entities_of, month_of
from shared.repositories.trail import TrailRepository, numbered_event
from shared.services.audit_beyond import ends_as_known
from shared.storage.audit_table import AuditTable

MOST_WRITTEN_AT_ONCE = 500
_AT_ONCE = MOST_WRITTEN_AT_ONCE
_BYTES_AT_ONCE = 16 * 1024**2
"""Of details, or of events: what a function's memory holds several times over."""
_COUNTED = 10_000
_BUSY = timedelta(seconds=60)
"""How long others wait for whoever writes, in case that he was killed."""


class TrailRelay:
    """Two steps, each of which may be killed anywhere and repeated by anybody.

    An event gets its number, its place in the chain and its very bytes in one transaction of the
    database, in the order of commits; nothing of that changes any more. It is then inserted into
    the table under keys that follow from it, where it stays as it is if it is there already.
    """

    def __init__(
        self, database: Database, table: AuditTable, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._table = table
        self._clock = clock
        self._is_known = False
        """Whether the table was ever found to end where the database says."""

    def relay(self, seconds: float) -> int:
        """Number and write what waits, for about so long; answers with how many were written.

        Raises StorageUnavailable where the table cannot be written, once all are numbered, if it
        was ever asked where it ends; and SealConflict where it holds events that the database does
        not know, which was restored: their numbers would be handed out again.
        """
        end = monotonic() + seconds
        try:
            if not ends_as_known(self._database, self._table):
                return 0
            self._is_known = True
        except StorageUnavailable:
            if self._is_known:
                self._number_all(end)
            raise
        total, is_more = 0, True
        while is_more:
            numbered = self.number_some()
            try:
                written = self.write_some()
            except StorageUnavailable:
                self._number_all(end)
                raise
            total += written
            is_more = numbered + written > 0 and monotonic() < end
        return total

    def _number_all(self, end: float) -> None:
        while monotonic() < end and self.number_some():
            pass

    def number_some(self) -> int:
        """Give the next events their place in the trail; answers with how many there were.

        0 where somebody else does so: nobody waits for that with a connection in his hand.
        """
        with self._database.connection() as connection, connection.transaction():
            trail = TrailRepository(connection)
            end = trail.take_end()
            if end is None:
                return 0
            # In a database that was restored, a transaction may have the id of an earlier one.
            next_events = trail.next_events(_AT_ONCE, _BYTES_AT_ONCE)
            written = list({event.position: event for event in next_events}.values())
            if written:
                # A clock that was set back must not make the order of keys another one.
                recorded_at = max(self._clock(), end.recorded_at or written[0].occurred_at)
                numbered = _number(written, end.number + 1, recorded_at, trail.shard_ends())
                trail.number_events(numbered)
        return len(written)

    def write_some(self) -> int:
        """Write the next events into the table; 0 where none wait, or somebody else writes."""
        now = self._clock()
        with self._database.connection() as connection:
            trail = TrailRepository(connection)
            if not trail.begin_writing(now, now + _BUSY):
                return 0
            waiting = trail.waiting(_AT_ONCE, _BYTES_AT_ONCE)
        try:
            for month, of_month in groupby(waiting, _month):
                both = [entities_of(kept) for kept in of_month]
                self._table.insert(month, [day for day, *_ in both])
                # A copy is there only if its event is, and all before it in its shard.
                self._table.insert(month, [copy for _, *copies in both for copy in copies])
            self._forget([kept.event.number for kept in waiting])
        finally:
            self._end_writing()
        return len(waiting)

    def backlog(self, timeout_seconds: float | None = None) -> TrailBacklog:
        """How much waits, and for how long; raises DatabaseUnavailable."""
        with self._database.connection(timeout_seconds) as connection:
            waiting, since = TrailRepository(connection).behind(_COUNTED)
        behind = (self._clock() - since).total_seconds() if since else 0.0
        return TrailBacklog(waiting_events=min(waiting, _COUNTED), behind_seconds=max(behind, 0.0))

    def _forget(self, numbers: Sequence[int]) -> None:
        with self._database.connection() as connection:
            TrailRepository(connection).forget_waiting(numbers)

    def _end_writing(self) -> None:
        with self._database.connection() as connection:
            TrailRepository(connection).end_writing()


def _month(kept: KeptEvent) -> date:
    return month_of(kept.event.recorded_at)


def _number(
    written: Sequence[WrittenEvent], first: int, recorded_at: datetime, ends: dict[int, bytes]
) -> list[dict[str, Any]]:
    """Events as registry.number_events takes them, each chained to the one before it."""
    latest = dict(ends)
    numbered: list[dict[str, Any]] = []
    for number, each in enumerate(written, first):
        previous = latest.get(shard_of(each), NO_HASH)
        event = AuditEvent.of(each, number=number, recorded_at=recorded_at, previous=previous)
        canonical = event.canonical
        latest[event.shard] = event_hash(canonical)
        kept = KeptEvent(canonical.decode(), event)
        numbered.append(numbered_event(kept, each))
    return numbered
