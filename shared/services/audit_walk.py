"""Goes through the audit trail, newest first, a stretch of bounded size at a time."""

import logging
from collections.abc import Iterator, Sequence
from datetime import date
from heapq import merge
from itertools import groupby
from typing import Any, NamedTuple

from shared.database.pool import Database
from shared.models.audit import SHARDS, KeptEvent
from shared.models.audit_entities import (
    Entity,
    artifact_partition,
    canonical_in,
    day_partition,
    key_of,
    number_in,
    row_key,
)
from shared.models.audit_queries import AuditFilter
from shared.repositories.trail_reads import TrailDay, TrailReadRepository
from shared.storage.audit_table import AuditTable

STRETCH_EVENTS = 2_500
"""Numbers that are looked at in the partitions of a day at once, whatever is found there."""
STRETCH_COST = 500
"""What a stretch costs in which nothing is found, in events that could be read instead."""
_EVENT_CHARACTERS = 1024
"""What an ordinary event has; a larger one costs as many as it could be."""

_DAYS_AT_ONCE = 100
_ENTITIES_AT_ONCE = 1000

_LOGGER = logging.getLogger(__name__)


class Place(NamedTuple):
    """Where a walk is: what is left was recorded on this day or before, and has a lower number."""

    day: date
    below: int


class Look(NamedTuple):
    """A step of a walk: where it led to, what it cost, and the event that it found, if any."""

    place: Place
    cost: int
    kept: KeptEvent | None = None


class _Stretch(NamedTuple):
    """Numbers that are looked for in partitions of one table; none was recorded after the day."""

    partitions: Sequence[str]
    day: date
    lowest: int
    highest: int


class TrailWalk:
    """Looks for the events that are meant: in an artifact's own partitions, or else day by day.

    The service of tables looks at every event of a partition that it is not told the row key of. A
    stretch is so many numbers, so that an answer comes soon and the walk can end behind any of
    them. In an artifact's own partition all events are read, and judged here.
    """

    def __init__(
        self,
        database: Database,
        table: AuditTable,
        wanted: AuditFilter,
        *,
        stretch_events: int = STRETCH_EVENTS,
    ) -> None:
        self._database = database
        self._table = table
        self._wanted = wanted
        self._stretch_events = stretch_events

    def looks(self, place: Place | None) -> Iterator[Look]:
        """Every step from a place on, or from the end of what is written.

        Raises StorageUnavailable and DatabaseUnavailable.
        """
        place = place or Place(date.max, self._written_end())
        stretches = self._by_day if self._wanted.artifact_id is None else self._by_artifact
        for stretch in stretches(place):
            yield from self._looks_at(stretch)
            yield Look(Place(stretch.day, stretch.lowest), STRETCH_COST)

    def _by_day(self, place: Place) -> Iterator[_Stretch]:
        for day in self._days(place.day):
            partitions = [day_partition(day.day, shard) for shard in range(SHARDS)]
            highest = min(place.below - 1, day.last_number)
            while highest >= day.first_number:
                lowest = max(highest - self._stretch_events + 1, day.first_number)
                yield _Stretch(partitions, day.day, lowest, highest)
                highest = lowest - 1

    def _by_artifact(self, place: Place) -> Iterator[_Stretch]:
        assert self._wanted.artifact_id is not None  # noqa: S101 - else it goes by day
        partitions = [artifact_partition(self._wanted.artifact_id)]
        for _, of_month in groupby(self._days(place.day), lambda day: day.day.replace(day=1)):
            days = list(of_month)
            lowest, highest = days[-1].first_number, min(place.below - 1, days[0].last_number)
            if highest >= lowest:
                yield _Stretch(partitions, days[0].day, lowest, highest)

    def _days(self, until: date) -> Iterator[TrailDay]:
        """Days on which something of what is meant may have been recorded, latest first."""
        start, end = self._wanted.start, self._wanted.end
        while days := self._some_days(until):
            for day in days:
                if (start is None or day.latest >= start) and (end is None or day.earliest < end):
                    yield day
            until = date.fromordinal(days[-1].day.toordinal() - 1)

    def _looks_at(self, stretch: _Stretch) -> Iterator[Look]:
        conditions, values = self._conditions(stretch)
        pages = [
            self._entities(stretch, conditions, {**values, "partition": partition})
            for partition in stretch.partitions
        ]
        for entity in merge(*pages, key=lambda entity: key_of(entity).row):
            kept = _event_in(entity)
            if kept is not None and stretch.lowest <= kept.event.number <= stretch.highest:
                cost = 1 + len(kept.canonical) // _EVENT_CHARACTERS
                is_meant = self._wanted.means(kept.event)
                yield Look(Place(stretch.day, kept.event.number), cost, kept if is_meant else None)

    def _conditions(self, stretch: _Stretch) -> tuple[str, dict[str, Any]]:
        """What the service is to look for in a partition, and with which values."""
        is_by_day = self._wanted.artifact_id is None
        conditions, values = self._wanted.conditions if is_by_day else ([], {})
        bounds = self._row_keys(stretch)
        own = ["PartitionKey eq @partition", *(f"RowKey {name} @{name}" for name in bounds)]
        return " and ".join([*own, *conditions]), {**values, **bounds}

    def _row_keys(self, stretch: _Stretch) -> dict[str, str]:
        """The row keys at both ends, as far as they are known: the later, the smaller."""
        with self._database.connection() as connection:
            ends = TrailReadRepository(connection).recorded_at({stretch.lowest, stretch.highest})
        named = {"ge": stretch.highest, "le": stretch.lowest}
        return {
            name: row_key(ends[number], number) for name, number in named.items() if number in ends
        }

    def _entities(
        self, stretch: _Stretch, conditions: str, values: dict[str, Any]
    ) -> Iterator[Entity]:
        month = stretch.day.replace(day=1)
        for page in self._table.pages(month, conditions, values, most=_ENTITIES_AT_ONCE):
            yield from page

    def _some_days(self, until: date) -> list[TrailDay]:
        with self._database.connection() as connection:
            return TrailReadRepository(connection).days(until, _DAYS_AT_ONCE)

    def _written_end(self) -> int:
        with self._database.connection() as connection:
            return TrailReadRepository(connection).written_end()


def _event_in(entity: Entity) -> KeptEvent | None:
    """The event of an entity; None where it holds none, which a verification tells of."""
    key = key_of(entity)
    try:
        kept = KeptEvent.read(canonical_in(entity))
    except ValueError:
        kept = None
    if kept is None or kept.event.number != number_in(key.row):
        _LOGGER.error("no event of the trail: partition=%s row=%s", key.partition, key.row)
        return None
    return kept
