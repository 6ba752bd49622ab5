"""Compares what the audit trail's table holds with what the database has digests of."""

from bisect import bisect
from collections.abc import Iterator
from heapq import merge
from itertools import groupby

from shared.models.audit import AuditEvent, KeptEvent, event_hash
from shared.models.audit_entities import Entity, canonical_in, entities_of, key_of, keys_of
from shared.models.audit_proof import Digest, Findings, Reason
from shared.models.audit_seals import NO_END, ShardEnd

_TOLD = {
    Reason.EDITED: "the table does not hold what the database has the hash of",
    Reason.SWAPPED: "the table holds another event in its place",
    Reason.INSERTED: "the database knows of no event there",
    Reason.DIGEST: "the database has other facts of it than the event itself",
}
_MOST_BREAKS = 10_000


def side_by_side(
    digests: Iterator[Digest], entities: Iterator[Entity]
) -> Iterator[tuple[Digest | None, Entity | None]]:
    """What is at one row key of a partition, newest first, on either side."""
    left = ((keys_of(digest)[0].row, 0, digest, None) for digest in digests)
    right = ((key_of(entity).row, 1, None, entity) for entity in entities)
    merged = merge(left, right, key=lambda each: each[:2])
    for _, at_one_key in groupby(merged, key=lambda each: each[0]):
        digest: Digest | None = None
        entity: Entity | None = None
        for _, _, own, other in at_one_key:
            digest, entity = own or digest, other or entity
        yield digest, entity


def examined(entity: Entity, digest: Digest | None) -> AuditEvent | Reason:
    """The event that an entity holds, or what is wrong with it."""
    if digest is None or key_of(entity) not in keys_of(digest):
        return Reason.INSERTED
    try:
        kept = KeptEvent.read(canonical_in(entity))
        hashed = event_hash(kept.canonical.encode())
        is_own = kept.event.number == digest.number
        as_written = entities_of(kept)
    except (ValueError, OverflowError):
        return Reason.EDITED
    if not is_own:
        return Reason.SWAPPED
    if hashed != digest.hash or not any(_is_same(entity, own) for own in as_written):
        return Reason.EDITED
    return kept.event if _facts(kept.event) == digest[:5] else Reason.DIGEST


def _is_same(entity: Entity, own: Entity) -> bool:
    """Also of the same types: to Python, 1 is true; who asks the table for what is, misses it."""
    return entity == own and all(type(entity[name]) is type(own[name]) for name in own)


def tell_of(findings: Findings, number: int | None, reason: Reason, entity: Entity) -> None:
    """Say what is wrong with an entity, and where it is."""
    partition, row = key_of(entity)
    findings.add(number, reason, f"{_TOLD[reason]}: partition {partition}, row {row}"[:500])


class Chain:
    """Links that do not hold, and which of their two events is to blame.

    An event that is not the one that the next names was changed itself, unless it is named wrongly:
    then the one that names it is not what its own successor names either.
    """

    def __init__(self) -> None:
        self._broken: dict[int, int] = {}
        self._gaps: list[int] = []
        self._more = 0

    def gap(self, number: int) -> None:
        """Say that the database lacks an event, or has it elsewhere: no link goes across it."""
        if len(self._gaps) < _MOST_BREAKS:
            self._gaps.append(number)

    def link(self, upper: int, named: str, lower: ShardEnd | None) -> None:
        """An event, the hash that it names, and what is before it; None for what nobody knows."""
        if lower is None or named == lower.hash.hex():
            return
        if len(self._broken) < _MOST_BREAKS:
            self._broken[upper] = lower.number
        else:
            self._more += 1

    def tell(self, findings: Findings) -> None:
        """Say which events are not those that others name."""
        self._gaps.sort()
        broken = {
            upper: lower for upper, lower in self._broken.items() if not self._gap(lower, upper)
        }
        lowers = set(broken.values())
        for upper, lower in broken.items():
            if lower == NO_END.number:
                findings.add(upper, Reason.CHAIN, "the first event of a shard names another one")
            elif lower in broken or upper not in lowers:
                findings.add(lower, Reason.CHAIN, "the next event of its shard names another one")
        if self._more:
            told = f"{self._more} more links do not hold"
            findings.add(max(self._broken), Reason.CHAIN, told, self._more)

    def _gap(self, lower: int, upper: int) -> bool:
        return bisect(self._gaps, lower) != bisect(self._gaps, upper)


def _facts(event: AuditEvent) -> tuple[object, ...]:
    return event.number, event.event_id, event.recorded_at, event.shard, event.artifact_id
