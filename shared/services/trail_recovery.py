"""Lets a restored database know again what the audit trail's table holds, which is ahead of it."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import chain, islice

from shared.database.pool import Database
from shared.errors import SealConflict
from shared.models.audit import NO_HASH, SHARDS, AuditEvent, KeptEvent, event_hash
from shared.models.audit_recovery import EventsBeyond
from shared.models.audit_seals import SealKeys
from shared.models.ids import new_id
from shared.models.registrations import Origin
from shared.repositories.trail import TrailEnd, TrailRepository, numbered_event
from shared.services.audit_beyond import events_beyond
from shared.services.audit_digests import AuditDigests
from shared.services.recovered_days import RecoveredDays
from shared.services.trail_relay import MOST_WRITTEN_AT_ONCE, TrailRelay
from shared.storage.audit_table import AuditTable
from shared.storage.kept_blobs import KeptBlobs

_AT_ONCE = 100
"""Events, of 256 KiB at most."""
_OUTBOX_BYTES = 64 * 1024**2
"""More than a page's events: each of them that waits is to be found, or it would come twice."""

Tell = Callable[[datetime, int], None]
"""Takes when the last of so many events was recorded."""


class TrailRecovery:
    """The table is what happened, also after the moment to which a database is brought back.

    Its events take their places in the database again, each as it was: by the chains that go on
    from what the database knows, and by the seals of days that were sealed. Then the trail goes
    on behind them. Nobody else may write meanwhile; killed anywhere, it goes on where it was.
    """

    def __init__(
        self,
        database: Database,
        table: AuditTable,
        relay: TrailRelay,
        kept: KeptBlobs,
        keys: SealKeys,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._digests = AuditDigests(database)
        self._table = table
        self._relay = relay
        self._kept = kept
        self._keys = keys
        self._clock = clock

    def look(self, tell: Tell = lambda _, __: None) -> EventsBeyond:
        """What there is to be taken up, once it is proven that it can be.

        Raises SealConflict where it does not go on from what the database knows, or is not what
        was sealed; StorageUnavailable, DatabaseUnavailable.
        """
        line = self._line()
        days = RecoveredDays(self._digests, self._kept, self._keys)
        known, count = line.end, 0
        for count, kept in enumerate(line.follow(), 1):
            days.add(kept)
            tell(kept.event.recorded_at, count)
        days.end()
        return EventsBeyond(
            known_number=known.number,
            known_until=known.recorded_at,
            events=count - line.lost,
            last_number=line.end.number if count else None,
            last_recorded_at=line.end.recorded_at if count else None,
            lost=line.lost,
            sealed_days=days.sealed,
        )

    def take_up(self, origin: Origin, tell: Tell = lambda _, __: None) -> EventsBeyond:
        """The same, and let the database know all of it again.

        Raises SealConflict also where somebody else numbers events meanwhile.
        """
        found = self.look()
        if found.last_number is None:
            return found
        events = self._line().follow()
        count = 0
        while page := list(islice(events, _AT_ONCE)):
            self._keep(page, found, origin if count == 0 else None)
            count += len(page)
            tell(page[-1].event.recorded_at, count)
        while self._relay.write_some():
            pass
        return found

    def _keep(self, page: list[KeptEvent], found: EventsBeyond, origin: Origin | None) -> None:
        """A page, and what it is that is taken up, before the first one."""
        first, last = page[0].event.number, page[-1].event.number
        with self._database.connection() as connection, connection.transaction():
            trail = TrailRepository(connection)
            if trail.lock_end().number != first - 1:
                raise SealConflict("Somebody else numbers events meanwhile: stop the app first.")
            # What waited when the backup was made had its place in the trail soon after.
            waited = trail.next_events(2 * _AT_ONCE, _OUTBOX_BYTES)
            by_id = {event.event_id: event for event in waited}
            rows = [numbered_event(kept, by_id.get(kept.event.event_id)) for kept in page]
            trail.number_events(rows)
            # The last ones are written once more: some may lack their copies, or be new.
            behind = last - MOST_WRITTEN_AT_ONCE
            earlier = max(found.known_number, behind - _AT_ONCE)
            trail.forget_waiting(range(earlier + 1, behind + 1))
            if origin is not None:
                details = found.model_dump(mode="json", exclude_none=True)
                trail.record_recovery(self._clock(), origin, details)

    def _line(self) -> "_Line":
        with self._database.connection() as connection, connection.transaction():
            trail = TrailRepository(connection)
            end, hashes = trail.lock_end(), trail.shard_ends()
        return _Line(end, hashes, events_beyond(self._table, end.number, end.recorded_at))


class _Line:
    """Events one after the other, each of which must go on from those before it."""

    def __init__(
        self, end: TrailEnd, hashes: dict[int, bytes], events: Iterator[KeptEvent]
    ) -> None:
        self.end = end
        self.lost = 0
        self._hashes = hashes
        self._events = events

    def follow(self) -> Iterator[KeptEvent]:
        """All of them; numbers that were lost are filled in. Raises SealConflict."""
        for kept in self._events:
            if kept.event.number == self.end.number + 1:
                yield self._followed(kept)
            else:
                yield from self._mended(list(islice(self._of(kept), MOST_WRITTEN_AT_ONCE + 1)))

    def _of(self, kept: KeptEvent) -> Iterable[KeptEvent]:
        return chain([kept], self._events)

    def _mended(self, tail: list[KeptEvent]) -> Iterator[KeptEvent]:
        """The last that somebody wrote before he died: of each shard the oldest, if any."""
        numbers = [kept.event.number for kept in tail]
        following = self.end.number + 1
        if numbers[0] < following:
            raise SealConflict(f"The table holds two events of number {numbers[0]}.")
        if numbers[-1] >= following + MOST_WRITTEN_AT_ONCE:
            raise SealConflict(f"The table lacks event {following}, and has later ones.")
        last = dict.fromkeys(range(SHARDS), 0)
        last |= {kept.event.shard: kept.event.number for kept in tail}
        shard = min(last, key=lambda each: last[each])
        for kept in tail:
            while self.end.number + 1 < kept.event.number:
                yield self._followed(self._lost_one(shard, kept.event.recorded_at))
            yield self._followed(kept)

    def _followed(self, kept: KeptEvent) -> KeptEvent:
        event = kept.event
        goes_on = self._hashes.get(event.shard, NO_HASH).hex() == event.previous
        is_later = self.end.recorded_at is None or self.end.recorded_at <= event.recorded_at
        if event.number != self.end.number + 1 or not goes_on or not is_later:
            raise SealConflict(
                f"Event {event.number} in the table does not go on from what the database knows."
            )
        self._hashes[event.shard] = event_hash(kept.canonical.encode())
        self.end = TrailEnd(event.number, event.recorded_at)
        return kept

    def _lost_one(self, shard: int, recorded_at: datetime) -> KeptEvent:
        """What stands where an event was that nobody has any more."""
        self.lost += 1
        event = AuditEvent(
            number=self.end.number + 1,
            event_id=new_id(),
            time=recorded_at,
            recorded_at=recorded_at,
            operation="audit_event_lost",
            action="lose",
            artifact_id=None,
            asset_id=None,
            run_id=None,
            actor="cli:audit reconcile",
            request_id=None,
            success=True,
            error=None,
            details={},
            shard=shard,
            previous=self._hashes.get(shard, NO_HASH).hex(),
        )
        return KeptEvent(event.canonical.decode(), event)
