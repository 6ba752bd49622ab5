"""A trail to read in tests: events of several days and months, and what each of them is."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql as composed
from psycopg.rows import DictRow

from shared.models.audit import AuditEvent, KeptEvent
from shared.models.audit_entities import canonical_in
from shared.models.audit_queries import AuditFilter
from shared.services.audit_trail import AuditTrailService
from shared.services.trail_relay import TrailRelay
from tests.integration.auditing import Trail
from tests.integration.clock import TickingClock

Sql = psycopg.Connection[DictRow]

ARTIFACTS = [UUID(int=number) for number in (1, 2, 3)]
RUN = UUID(int=7)
DAYS = [
    datetime(2026, 1, 30, 12, tzinfo=UTC),
    datetime(2026, 1, 31, 23, 59, tzinfo=UTC),
    datetime(2026, 2, 1, tzinfo=UTC),
    datetime(2026, 4, 5, 6, tzinfo=UTC),
]
"""When what `keep_history` keeps was recorded; its events happened then, too."""


def keep(sql: Sql, operation: str, at: datetime = DAYS[0], **facts: Any) -> None:
    """An event as a change leaves it, or an attempt that failed, where it has an error."""
    columns = {"occurred_at": at, "operation": operation, "actor": "key:test", **facts}
    if "details" in columns:
        columns["details"] = json.dumps(columns["details"])
    if "error" in columns:
        columns["success"] = False
    statement = composed.SQL("INSERT INTO registry.outbox ({}) VALUES ({})").format(
        composed.SQL(", ").join(map(composed.Identifier, columns)),
        composed.SQL(", ").join([composed.Placeholder()] * len(columns)),
    )
    sql.execute(statement, list(columns.values()))


def keep_history(sql: Sql, relay: TrailRelay, clock: TickingClock) -> None:
    """Twelve events on each of four days, three of which are in months of their own."""
    for day in DAYS:
        for number in range(12):
            facts: dict[str, Any] = {"artifact_id": ARTIFACTS[number % 3]} if number % 4 else {}
            if number % 5 == 0:
                facts |= {"run_id": RUN, "actor": "function:policies"}
            if number % 6 == 5:
                facts["error"] = "artifact-held: The artifact is held."
            operation = ("artifact_creation", "status_update")[number % 2]
            keep(sql, operation, day + timedelta(seconds=number), **facts)
        clock.now = day + timedelta(seconds=20)
        relay.relay(60)


def everything(trail: Trail) -> list[AuditEvent]:
    """All that is written, newest first."""
    kept = [KeptEvent.read(canonical_in(each)).event for each in trail.entities_of("day")]
    return sorted(kept, key=lambda event: -event.number)


def pages(
    reader: AuditTrailService, wanted: AuditFilter, limit: int = 1000
) -> Iterator[list[AuditEvent]]:
    """All pages of a query."""
    cursor = None
    while True:
        page = reader.query_audit_trail(wanted, limit=limit, cursor=cursor)
        yield page.events
        assert page.next != cursor or cursor is None
        cursor = page.next
        if cursor is None:
            return


def found(reader: AuditTrailService, wanted: AuditFilter, limit: int = 1000) -> list[AuditEvent]:
    """What all pages of a query hold."""
    return [event for page in pages(reader, wanted, limit) for event in page]
