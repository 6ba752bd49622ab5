"""Looks at everything that one month's table of the audit trail holds."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain, groupby

from shared.models.audit import SHARDS, AuditEvent
from shared.models.audit_entities import (
    Entity,
    day_partition,
    key_of,
    keys_of,
    month_of,
    number_in,
    row_key,
)
from shared.models.audit_proof import Digest, Findings, Reason
from shared.models.audit_seals import NO_END, ShardEnd
from shared.services.audit_comparison import Chain, examined, side_by_side, tell_of
from shared.services.audit_digests import COPIES_TOGETHER, AuditDigests, DayDigest
from shared.storage.audit_table import AuditTable

_BY_ARTIFACT = "(PartitionKey ge 'artifact-' and PartitionKey lt 'artifact.')"
_OTHERS = "(PartitionKey lt 'artifact-' or PartitionKey ge 'artifact.')"
_OF_DAYS = " and RowKey gt @after and RowKey le @from"
_LARGEST = 10**15


@dataclass(frozen=True)
class Examination:
    """What a verification looks with, and where it writes down what it finds."""

    digests: AuditDigests
    table: AuditTable
    findings: Findings
    chain: Chain
    written: int
    """Up to this event, all must be there; of later ones, those that are there must be right."""
    advance: Callable[[date, int], None]
    """Told how many events were compared since, and of which day."""


class MonthComparison:
    """The table is read once, in the order of its keys: nothing that is in it is passed over."""

    def __init__(
        self,
        examination: Examination,
        month: date,
        days: Sequence[DayDigest],
        bounds: tuple[date, date] | None = None,
    ) -> None:
        """Of the days between the bounds alone, both included, where there are any."""
        self._with = examination
        self._month = month
        self._days = days
        self._bounds = bounds
        self.events = 0
        self.copies = 0

    def run(self) -> None:
        """Compare the copies by artifact, and then the days."""
        self._look_at_copies()
        self._look_at_days()

    def _look_at_copies(self) -> None:
        found = Counter[int]()
        for page in self._pages(_BY_ARTIFACT):
            known = self._known(page)
            for entity in page:
                number = _number(entity)
                digest = None if number is None else known.get(number)
                if self._examine(entity, digest) is not Reason.INSERTED and digest is not None:
                    found[digest.number // COPIES_TOGETHER] += digest.number <= self._with.written
            if self._days:  # none of it is compared yet, and it may take long
                self._with.advance(self._days[0].claims.day, 0)
        self.copies = found.total()
        expected = sum((day.copies for day in self._days), Counter[int]())
        self._look_for_lacking(expected - found)

    def _look_for_lacking(self, lacking: Counter[int]) -> None:
        """Name the first copy that is not there; the count tells that there is one."""
        if not lacking:
            return
        first, last = self._days[0].claims.first_number, self._days[-1].claims.last_number
        start = max(first, min(lacking) * COPIES_TOGETHER)
        for digest in self._with.digests.digests(start, last):
            if digest.artifact_id and not self._with.table.get(self._month, keys_of(digest)[1]):
                told = "the table lacks its copy by artifact"
                self._with.findings.add(digest.number, Reason.MISSING, told, lacking.total())
                return

    def _look_at_days(self) -> None:
        awaited = {
            day_partition(day.claims.day, shard): (day, shard)
            for day in self._days
            for shard in range(SHARDS)
        }
        entities = chain.from_iterable(self._pages(_OTHERS))
        for partition, of_partition in groupby(entities, lambda entity: key_of(entity).partition):
            place = awaited.pop(partition, None)
            if place is None:
                for entity in of_partition:
                    self._look_alone(entity)
            else:
                self._compare(*place, of_partition)
        for place in awaited.values():
            self._compare(*place, ())

    def _compare(self, day: DayDigest, shard: int, entities: Iterable[Entity]) -> None:
        """One shard of one day, newest first."""
        claims, compared = day.claims, 0
        digests = self._with.digests.of_shard(shard, claims.first_number, claims.last_number)
        upper: AuditEvent | None = None
        for digest, entity in side_by_side(digests, self._settled(entities)):
            if digest is not None:
                self._link(upper, ShardEnd(digest.number, digest.hash))
                upper = self._event(digest, entity)
                compared += 1
            elif entity is not None:
                self._look_at_unknown(entity)
        self._link(upper, None if day.before is None else day.before.get(shard, NO_END))
        self.events += compared
        if compared:
            self._with.advance(claims.day, compared)

    def _look_at_unknown(self, entity: Entity) -> None:
        number = _number(entity)
        if number is not None:
            self._with.chain.gap(number)
        tell_of(self._with.findings, number, Reason.INSERTED, entity)

    def _event(self, digest: Digest, entity: Entity | None) -> AuditEvent | None:
        if entity is None:
            told = f"the table lacks it: partition {keys_of(digest)[0].partition}"
            self._with.findings.add(digest.number, Reason.MISSING, told)
            return None
        found = self._examine(entity, digest)
        return found if isinstance(found, AuditEvent) else None

    def _link(self, upper: AuditEvent | None, lower: ShardEnd | None) -> None:
        if upper is not None:
            self._with.chain.link(upper.number, upper.previous, lower)

    def _settled(self, entities: Iterable[Entity]) -> Iterator[Entity]:
        """Those that were written before the verification began; looks at the others by itself."""
        for entity in entities:
            if (_number(entity) or _LARGEST) <= self._with.written:
                yield entity
            else:
                self._look_alone(entity)

    def _look_alone(self, entity: Entity) -> None:
        """The database knew of an event before the table did."""
        known = self._known([entity])
        self._examine(entity, known.get(_number(entity) or 0))

    def _examine(self, entity: Entity, digest: Digest | None) -> AuditEvent | Reason:
        is_elsewhere = digest is None or month_of(digest.recorded_at) != self._month
        found = examined(entity, None if is_elsewhere else digest)
        if isinstance(found, Reason):
            tell_of(self._with.findings, _number(entity), found, entity)
        return found

    def _known(self, entities: Iterable[Entity]) -> dict[int, Digest]:
        numbers = {number for entity in entities if (number := _number(entity)) is not None}
        return self._with.digests.of(numbers) if numbers else {}

    def _pages(self, condition: str) -> Iterator[list[Entity]]:
        if self._bounds is None:
            return self._with.table.pages(self._month, condition, {})
        first, last = (datetime.combine(day, time(), UTC) for day in self._bounds)
        # Later is smaller: keys count down.
        rows = {"after": row_key(last + timedelta(days=1), 0), "from": row_key(first, 0)}
        return self._with.table.pages(self._month, condition + _OF_DAYS, rows)


def _number(entity: Entity) -> int | None:
    """The number that an entity's key tells, if there can be such an event."""
    number = number_in(key_of(entity).row)
    return number if number is not None and 0 < number < _LARGEST else None
