"""Entities that the audit trail is kept as: one by day, one by artifact, both newest first.

Azure's tables order a partition by row key, ascending: keys count down from the end of time.
https://learn.microsoft.com/azure/storage/tables/table-storage-design-patterns#log-tail-pattern
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple, Protocol, cast
from uuid import UUID

from shared.models.audit import KeptEvent, event_hash, rfc3339

_LAST_MILLISECOND = 253_402_300_799_999
"""The end of the year 9999, in milliseconds since 1970."""
_LAST_NUMBER = 10**15 - 1

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PROPERTY_CHARACTERS = 32_000
"""Of 64 KiB in UTF-16, which a property of text holds at most."""
_SURROGATE = 0xFFFF
_BODY = "Event"

Entity = dict[str, Any]
"""An entity as the SDK takes it and gives it back."""


class Placed(Protocol):
    """What says where the entities of an event are."""

    @property
    def number(self) -> int: ...
    @property
    def recorded_at(self) -> datetime: ...
    @property
    def shard(self) -> int: ...
    @property
    def artifact_id(self) -> UUID | None: ...


class EntityKey(NamedTuple):
    """Where an entity is, within the table of its month."""

    partition: str
    row: str


def month_of(recorded_at: datetime) -> date:
    """The first day of the month whose table holds an event."""
    return recorded_at.astimezone(UTC).date().replace(day=1)


def day_partition(day: date, shard: int) -> str:
    """The partition of one shard's events of one day, in UTC."""
    return f"day-{day:%Y-%m-%d}-{shard:02d}"


def artifact_partition(artifact_id: UUID) -> str:
    """The partition of one artifact's events."""
    return f"artifact-{artifact_id}"


def row_key(recorded_at: datetime, number: int) -> str:
    """The key of an event: the later it was recorded, the smaller; digits and a dash only."""
    millisecond = (recorded_at - _EPOCH) // timedelta(milliseconds=1)
    return f"{_LAST_MILLISECOND - millisecond:015d}-{_LAST_NUMBER - number:015d}"


def number_in(row: str) -> int | None:
    """The number of the event that has this key; None where no event has such a one."""
    counted = row.rpartition("-")[2]
    return _LAST_NUMBER - int(counted) if counted.isascii() and counted.isdigit() else None


def keys_of(event: Placed) -> list[EntityKey]:
    """Where the entities of an event are: that of its day first."""
    row = row_key(event.recorded_at, event.number)
    day = event.recorded_at.astimezone(UTC).date()
    keys = [EntityKey(day_partition(day, event.shard), row)]
    if event.artifact_id is not None:
        keys.append(EntityKey(artifact_partition(event.artifact_id), row))
    return keys


def entities_of(kept: KeptEvent) -> list[Entity]:
    """The entities of an event, with what may be asked for beside its canonical form."""
    event = kept.event
    facts = {
        "Hash": event_hash(kept.canonical.encode()).hex(),
        "Time": rfc3339(event.time),
        "Operation": event.operation,
        "Action": event.action,
        "Actor": event.actor,
        "Success": event.success,
        "Run": "" if event.run_id is None else str(event.run_id),
        "Artifact": "" if event.artifact_id is None else str(event.artifact_id),
    }
    body = dict(_portions(kept.canonical))
    return [
        {"PartitionKey": key.partition, "RowKey": key.row, **facts, **body}
        for key in keys_of(event)
    ]


def canonical_in(entity: Entity) -> str:
    """The canonical form of the event that an entity holds; empty where it holds none."""
    portions: list[str] = []
    while isinstance(portion := entity.get(_portion_name(len(portions))), str):
        portions.append(portion)
    return "".join(portions)


def key_of(entity: Entity) -> EntityKey:
    """Where an entity that was read is."""
    return EntityKey(cast("str", entity["PartitionKey"]), cast("str", entity["RowKey"]))


def _portions(text: str) -> Iterator[tuple[str, str]]:
    """The text in parts that a property holds, each with the name of its property."""
    place, portion, size = 0, 0, 0
    for end, character in enumerate(text):
        width = 2 if ord(character) > _SURROGATE else 1
        if size + width > _PROPERTY_CHARACTERS:
            yield _portion_name(portion), text[place:end]
            place, portion, size = end, portion + 1, 0
        size += width
    yield _portion_name(portion), text[place:]


def _portion_name(place: int) -> str:
    return f"{_BODY}{place or ''}"
