"""Writes a month of the audit trail as a file: what is left of it when it is dropped.

A line for each event, in the order of numbers, in the form of RFC 8785: the SHA-256 of a line is
the event's hash.
"""

import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from shared.errors import SealConflict
from shared.models.audit import AuditEvent
from shared.models.audit_entities import (
    Entity,
    EntityKey,
    canonical_in,
    key_of,
    keys_of,
    month_of,
)
from shared.models.audit_proof import Digest, TrailDay
from shared.services.audit_comparison import examined
from shared.services.audit_digests import AuditDigests
from shared.storage.audit_table import AuditTable

_GZIP = 31
"""How zlib is told to write gzip, which then holds no time: equal months are equal files."""
_AT_ONCE = 500
_ROWS = "PartitionKey eq @partition and RowKey ge @first and RowKey le @last"


def exported(
    table: AuditTable, digests: AuditDigests, days: Sequence[TrailDay], tell: Callable[[], None]
) -> Iterator[bytes]:
    """One month, compressed, bit by bit; `tell` is called now and then.

    Raises SealConflict at an event that is not what the database has the digest of.
    """
    packer = zlib.compressobj(wbits=_GZIP)
    for line in _lines(table, digests, days, tell):
        if portion := packer.compress(line):
            yield portion
    yield packer.flush()


def _lines(
    table: AuditTable, digests: AuditDigests, days: Sequence[TrailDay], tell: Callable[[], None]
) -> Iterator[bytes]:
    left = digests.digests(days[0].first_number, days[-1].last_number)
    while some := list(islice(left, _AT_ONCE)):
        tell()
        entities = _entities(table, some)
        for digest in some:
            yield _line(digest, entities.get(keys_of(digest)[0]))


def _line(digest: Digest, entity: Entity | None) -> bytes:
    if entity is None or not isinstance(examined(entity, digest), AuditEvent):
        raise SealConflict(f"Event {digest.number} is not what the database has the digest of.")
    return canonical_in(entity).encode() + b"\n"


def _entities(table: AuditTable, digests: Sequence[Digest]) -> dict[EntityKey, Entity]:
    """What the table holds of events of one month, by day."""
    rows = defaultdict[str, set[str]](set)
    for partition, row in (keys_of(digest)[0] for digest in digests):
        rows[partition].add(row)
    month = month_of(digests[0].recorded_at)
    found: dict[EntityKey, Entity] = {}
    for partition, wanted in rows.items():
        bounds = {"partition": partition, "first": min(wanted), "last": max(wanted)}
        for page in table.pages(month, _ROWS, bounds):
            found.update((key_of(each), each) for each in page if key_of(each).row in wanted)
    return found
