"""Reads what the database keeps of the audit trail for good, in bounded memory."""

from calendar import monthrange
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, timedelta

from shared.database.pool import Database
from shared.models.audit_proof import Digest, Reason, TrailDay, TrailState
from shared.models.audit_seals import DayClaims, ShardEnd, ShardEnds
from shared.models.merkle import MerkleTree
from shared.repositories.trail_proof import TrailProofRepository

_AT_ONCE = 1000
_DAYS_AT_ONCE = 10_000
COPIES_TOGETHER = 1000
"""Numbers whose copies are counted together: so many are looked at where some lack."""

Tell = Callable[[int, Reason, str], None]
"""Takes what is wrong with an event."""


@dataclass(frozen=True)
class DayDigest:
    """A day as the database's digests have it."""

    claims: DayClaims
    before: ShardEnds | None
    """The shards' ends when the day begins; None where nobody can tell."""
    copies: Counter[int]
    """Events of an artifact, which the table holds twice, by their numbers' thousands."""


class AuditDigests:
    """Every call takes its own connections, each for one page."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def state(self) -> TrailState:
        """Where the trail is now."""
        with self._database.connection() as connection:
            return TrailProofRepository(connection).state()

    def beyond(self) -> int | None:
        """The first event that has a digest and cannot have its number yet."""
        with self._database.connection() as connection:
            return TrailProofRepository(connection).beyond()

    def dropped_months(self) -> set[date]:
        """Months whose events are exported and gone."""
        with self._database.connection() as connection:
            return TrailProofRepository(connection).dropped_months()

    def days(self, first: date, last: date) -> Iterator[TrailDay]:
        """Days with events, in order."""
        while first <= last:
            with self._database.connection() as connection:
                page = TrailProofRepository(connection).days(first, last, _DAYS_AT_ONCE)
            yield from page
            if len(page) < _DAYS_AT_ONCE or page[-1].day == date.max:
                return
            first = page[-1].day + timedelta(days=1)

    def start(self, first: date) -> tuple[date, TrailDay | None]:
        """The day to begin with, and the one before it, which has a seal if there is one.

        What is not sealed yet hangs on the days before it, so these are taken along.
        """
        with self._database.connection() as connection:
            trail = TrailProofRepository(connection)
            before = trail.day_before(first)
            if before is None or before.seal is not None:
                return first, before
            unsealed = trail.first_unsealed() or before
            return unsealed.day, trail.day_before(unsealed.day)

    def digests(self, first: int, last: int) -> Iterator[Digest]:
        """Of the events from one to another, in order."""
        after = first - 1
        while after < last:
            with self._database.connection() as connection:
                page = TrailProofRepository(connection).digests(after, last, _AT_ONCE)
            yield from page
            if len(page) < _AT_ONCE:
                return
            after = page[-1].number

    def of_shard(self, shard: int, first: int, last: int) -> Iterator[Digest]:
        """Of one shard's events from one to another, newest first."""
        below = last + 1
        while below > first:
            with self._database.connection() as connection:
                trail = TrailProofRepository(connection)
                page = trail.digests_of_shard(shard, first, below, _AT_ONCE)
            yield from page
            if len(page) < _AT_ONCE:
                return
            below = page[-1].number

    def of(self, numbers: Iterable[int]) -> dict[int, Digest]:
        """By number; those alone that there are. A page of the table has not more."""
        with self._database.connection() as connection:
            return TrailProofRepository(connection).digests_of(list(numbers))

    def read_day(self, day: TrailDay, before: ShardEnds | None, tell: Tell) -> DayDigest:
        """All of a day; tells what is wrong with its numbers and times."""
        tree, ends, copies = MerkleTree(), dict(before or {}), Counter[int]()
        awaited = day.first_number
        for digest in self.digests(day.first_number, day.last_number):
            if digest.number != awaited:
                tell(awaited, Reason.GAP, "the database lacks its digest")
            if digest.recorded_at.astimezone(UTC).date() != day.day:
                tell(digest.number, Reason.DIGEST, f"the database has it on {day.day} by mistake")
            tree.add(digest.hash)
            ends[digest.shard] = ShardEnd(digest.number, digest.hash)
            copies[digest.number // COPIES_TOGETHER] += digest.artifact_id is not None
            awaited = digest.number + 1
        if awaited <= day.last_number:
            tell(awaited, Reason.GAP, "the database lacks its digest")
        claims = DayClaims(day.day, day.first_number, day.last_number, tree.root, ends)
        return DayDigest(claims, before, copies)


def by_month(days: Iterable[TrailDay]) -> dict[date, list[TrailDay]]:
    """Days by the first day of their month, in order."""
    months = defaultdict[date, list[TrailDay]](list)
    for day in days:
        months[day.day.replace(day=1)].append(day)
    return months


def last_day_of(month: date) -> date:
    """The last day of a month, of which the first is given."""
    return month.replace(day=monthrange(month.year, month.month)[1])
