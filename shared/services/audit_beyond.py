"""What the audit trail's table holds beyond the end that a database knows: of a restored one."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from heapq import merge
from itertools import chain

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
from shared.services.audit_comparison import examined
from shared.services.audit_digests import last_day_of
from shared.storage.audit_table import AuditTable

_KEYS = ["PartitionKey", "RowKey"]
_AT_ONCE = 250
"""Events, of 256 KiB at most, of each shard."""
_ANY_ROW = ":"
"""Behind all row keys, which are digits and a dash."""


def holds_more(table: AuditTable, number: int, recorded_at: datetime | None) -> bool:
    """Whether there are events after this one, which was recorded then."""
    if recorded_at is None:
        return any(_has_any(table, month, *_from_day("day-")) for month in table.months())
    last, day = month_of(recorded_at), recorded_at.astimezone(UTC).date()
    following = _from_day(f"day-{day + timedelta(days=1)}")
    if any(_has_any(table, month, *following) for month in table.months() if month >= last):
        return True
    before = row_key(recorded_at, number)
    return any(_has_any(table, last, *_newer(day, shard, before)) for shard in range(SHARDS))


def events_beyond(
    table: AuditTable, number: int, recorded_at: datetime | None
) -> Iterator[KeptEvent]:
    """The events after this one, in the order of their numbers; memory is bounded.

    Raises SealConflict where something is there that the registry did not write.
    """
    last = date.min if recorded_at is None else recorded_at.astimezone(UTC).date()
    for month in reversed(table.months()):
        for day in _days(table, month, max(month, last)):
            is_own = day == last and recorded_at is not None
            before = row_key(recorded_at, number) if is_own and recorded_at else _ANY_ROW
            shards = [_of_shard(table, month, day, shard, before) for shard in range(SHARDS)]
            yield from merge(*shards, key=lambda kept: kept.event.number)


def _days(table: AuditTable, month: date, first: date) -> Iterator[date]:
    """The days of a month that have partitions, from one on."""
    while first <= last_day_of(month):
        pages = table.pages(month, *_from_day(f"day-{first}"), most=1, only=_KEYS)
        entity = next(chain.from_iterable(pages), None)
        if entity is None:
            return
        day = _day_in(entity)
        yield day
        first = day + timedelta(days=1)


def _day_in(entity: Entity) -> date:
    partition, row = key_of(entity)
    try:
        return date.fromisoformat(partition.removeprefix("day-")[:10])
    except ValueError:
        raise _foreign(partition, row) from None


def _of_shard(
    table: AuditTable, month: date, day: date, shard: int, before: str
) -> Iterator[KeptEvent]:
    """Oldest first: the table is read newest first, so its pages are found before they are read."""
    conditions, values = _newer(day, shard, before)
    ends = [
        key_of(page[-1]).row
        for page in table.pages(month, conditions, values, most=_AT_ONCE, only=_KEYS)
        if page
    ]
    for after, end in reversed(list(zip(["", *ends], ends, strict=False))):
        bounds = f"{conditions} and RowKey gt @after and RowKey le @end"
        page = table.pages(month, bounds, {**values, "after": after, "end": end})
        for entity in reversed(list(chain.from_iterable(page))):
            yield _event_in(entity)


def _from_day(first: str) -> tuple[str, dict[str, str]]:
    return "PartitionKey ge @first and PartitionKey lt 'day.'", {"first": first}


def _newer(day: date, shard: int, before: str) -> tuple[str, dict[str, str]]:
    values = {"partition": day_partition(day, shard), "before": before}
    return "PartitionKey eq @partition and RowKey lt @before", values


def _has_any(table: AuditTable, month: date, conditions: str, values: dict[str, str]) -> bool:
    return any(table.pages(month, conditions, values, most=1, only=_KEYS))


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
