"""What the audit trail's table holds beyond the end that a database knows: of a restored one."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from heapq import merge
from itertools import chain, pairwise

from shared.database.pool import Database
from shared.errors import SealConflict
from shared.models.audit import SHARDS, KeptEvent, event_hash
from shared.models.audit_entities import (
    Entity,
    canonical_in,
    day_partition,
    key_of,
    month_of,
    row_key,
)
from shared.models.audit_proof import Digest, Reason
from shared.repositories.trail import TrailEnd, TrailRepository
from shared.services.audit_comparison import examined
from shared.storage.audit_table import AuditTable

_KEYS = ["PartitionKey", "RowKey"]
_AT_ONCE = 250
"""Events, of 256 KiB at most, of each shard."""
_A_DAY = timedelta(days=1)


def ends_as_known(database: Database, table: AuditTable) -> bool:
    """Whether the table ends where the database says; False where somebody writes just now.

    That may be a relay, which looks until nothing waits, or who takes up the trail after a restore:
    then the table is ahead of every end until he is done, and nothing may be added to the trail.
    Raises SealConflict where it is ahead and nobody writes.
    """
    end = _end(database)
    if not holds_more(table, end.number, end.recorded_at):
        return True
    if _end(database).number != end.number:
        return False
    raise SealConflict(
        "The audit trail's table holds events that the database does not know, as after it was "
        "restored: run 'registry audit reconcile'."
    )


def _end(database: Database) -> TrailEnd:
    with database.connection() as connection:
        return TrailRepository(connection).end()


def holds_more(table: AuditTable, number: int, recorded_at: datetime | None) -> bool:
    """Whether there is anything after this event, which was recorded then."""
    if recorded_at is None:
        return any(_has_any(table, month, *_from_day("day-")) for month in table.months())
    last, day = month_of(recorded_at), _day_of(recorded_at)
    following = _from_day(f"day-{day + _A_DAY}")
    if any(_has_any(table, month, *following) for month in table.months() if month >= last):
        return True
    before = row_key(recorded_at, number)
    return any(_has_any(table, last, *_newer(day, shard, before)) for shard in range(SHARDS))


def events_beyond(
    table: AuditTable, number: int, recorded_at: datetime | None
) -> Iterator[KeptEvent]:
    """The events after this one, in the order of their numbers; memory is bounded.

    Raises SealConflict where something is there that the registry did not write: of all that
    `holds_more` takes for more, nothing is passed over.
    """
    last = None if recorded_at is None else _day_of(recorded_at)
    for month in reversed(table.months()):
        if last is not None and month < last.replace(day=1):
            continue
        for day in _days(table, month, "day-" if last is None else f"day-{last}"):
            is_own = day == last and recorded_at is not None
            before = row_key(recorded_at, number) if is_own and recorded_at else None
            if before is None:
                _require_shards_alone(table, month, day)
            shards = [_of_shard(table, month, day, shard, before) for shard in range(SHARDS)]
            yield from merge(*shards, key=lambda kept: kept.event.number)


def _day_of(recorded_at: datetime) -> date:
    return recorded_at.astimezone(UTC).date()


def _days(table: AuditTable, month: date, first: str) -> Iterator[date]:
    """The days of a month that have partitions, from one on."""
    while entity := _first(table, month, *_from_day(first)):
        day = _day_in(entity, month)
        yield day
        first = f"day-{day + _A_DAY}"


def _day_in(entity: Entity, month: date) -> date:
    partition, row = key_of(entity)
    try:
        day = date.fromisoformat(partition.removeprefix("day-")[:10])
    except ValueError:
        raise _foreign(partition, row) from None
    is_own = partition in {day_partition(day, shard) for shard in range(SHARDS)}
    # Behind the last day that there is, there is no further one to go on with.
    if not is_own or day.replace(day=1) != month or day == date.max:
        raise _foreign(partition, row)
    return day


def _require_shards_alone(table: AuditTable, month: date, day: date) -> None:
    """Nothing is before, between and behind the partitions of a day."""
    own = [day_partition(day, shard) for shard in range(SHARDS)]
    for after, before in pairwise([f"day-{day}", *own, f"day-{day + _A_DAY}"]):
        values = {"after": after, "before": before}
        conditions = "PartitionKey gt @after and PartitionKey lt @before"
        if entity := _first(table, month, conditions, values):
            raise _foreign(*key_of(entity))


def _of_shard(
    table: AuditTable, month: date, day: date, shard: int, before: str | None
) -> Iterator[KeptEvent]:
    """Oldest first: the table is read newest first, so its pages are found before they are read."""
    conditions, values = _newer(day, shard, before)
    ends = [
        key_of(page[-1]).row
        for page in table.pages(month, conditions, values, most=_AT_ONCE, only=_KEYS)
        if page
    ]
    for after, end in reversed(list(zip([None, *ends], ends, strict=False))):
        # A row may have an empty key, which nothing is before.
        bounds = "RowKey le @end" if after is None else "RowKey gt @after and RowKey le @end"
        bounded = {**values, "after": after or "", "end": end}
        page = table.pages(month, f"{conditions} and {bounds}", bounded)
        for entity in reversed(list(chain.from_iterable(page))):
            yield _event_in(entity)


def _from_day(first: str) -> tuple[str, dict[str, str]]:
    return "PartitionKey ge @first and PartitionKey lt 'day.'", {"first": first}


def _newer(day: date, shard: int, before: str | None) -> tuple[str, dict[str, str]]:
    """What is newer than a row of a day's shard, or all of it."""
    values = {"partition": day_partition(day, shard)}
    if before is None:
        return "PartitionKey eq @partition", values
    return "PartitionKey eq @partition and RowKey lt @before", {**values, "before": before}


def _has_any(table: AuditTable, month: date, conditions: str, values: dict[str, str]) -> bool:
    return _first(table, month, conditions, values) is not None


def _first(
    table: AuditTable, month: date, conditions: str, values: dict[str, str]
) -> Entity | None:
    pages = table.pages(month, conditions, values, most=1, only=_KEYS)
    return next(chain.from_iterable(pages), None)


def _event_in(entity: Entity) -> KeptEvent:
    partition, row = key_of(entity)
    try:
        kept = KeptEvent.read(canonical_in(entity))
        event = kept.event
        hashed = event_hash(kept.canonical.encode())
        facts = (event.number, event.event_id, event.recorded_at, event.shard, event.artifact_id)
        if not isinstance(examined(entity, Digest(*facts, hashed)), Reason):
            return kept
    except (ValueError, OverflowError):
        pass
    raise _foreign(partition, row)


def _foreign(partition: str, row: str) -> SealConflict:
    return SealConflict(
        "The table holds what the registry did not write: "
        f"partition {partition[:100]}, row {row[:100]}."
    )
