"""The audit trail in tests: its table in the emulator, and what is in it."""

import hashlib
import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import psycopg
import rfc8785
from azure.data.tables import TableClient, TableServiceClient
from psycopg.rows import DictRow

from shared.models.audit import NO_HASH, AuditEvent, KeptEvent
from shared.models.audit_entities import Entity, canonical_in, key_of
from shared.storage.audit_table import AuditTable


@dataclass(frozen=True)
class Trail:
    """A table of the test's own, and a view of it behind the registry's back."""

    table: AuditTable
    service: TableServiceClient
    prefix: str

    def client(self, month: date) -> TableClient:
        """What may change a month's table behind the registry's back."""
        return self.service.get_table_client(f"{self.prefix}{month:%Y%m}")

    @property
    def entities(self) -> list[Entity]:
        """All that was written, by partition and row key."""
        return [
            dict(entity)
            for month in reversed(self.table.months())
            for entity in self.client(month).list_entities()  # pyright: ignore[reportUnknownMemberType]
        ]

    def events(self, layout: str) -> list[dict[str, Any]]:
        """The events of one layout, `day` or `artifact`, in the order of their numbers."""
        kept = [event_in(entity) for entity in self.entities_of(layout)]
        return [event.model_dump() for event in sorted(kept, key=lambda event: event.number)]

    def entities_of(self, layout: str) -> list[Entity]:
        """The entities of one layout, `day` or `artifact`."""
        return [one for one in self.entities if key_of(one).partition.startswith(f"{layout}-")]


WRITE_EVENT = """
    INSERT INTO registry.outbox (occurred_at, operation, actor, artifact_id, details)
    VALUES (now(), %s, 'key:test', %s, %s)
"""


def write_event(
    sql: psycopg.Connection[Any],
    operation: str,
    artifact_id: UUID | None = None,
    details: str = "{}",
) -> None:
    """An event as a change leaves it."""
    sql.execute(WRITE_EVENT, [operation, artifact_id, details])


def assert_whole(trail: Trail, sql: psycopg.Connection[DictRow], count: int) -> None:
    """So many events, in both layouts, chained, as the database's digests have them."""
    rows = sql.execute("SELECT * FROM registry.trail ORDER BY number").fetchall()
    assert [row["number"] for row in rows] == list(range(1, count + 1))
    by_number = {
        layout: {event_in(entity).number: entity for entity in trail.entities_of(layout)}
        for layout in ("day", "artifact")
    }
    latest: dict[int, str] = {}
    for row in rows:
        entity = by_number["day"].pop(row["number"])
        event = event_in(entity)
        assert rfc8785.dumps(json.loads(entity["Event"])).decode() == entity["Event"]
        assert hashlib.sha256(entity["Event"].encode()).digest() == row["hash"]
        assert (entity["Hash"], event.event_id) == (row["hash"].hex(), row["event_id"])
        assert event.previous == latest.get(event.shard, NO_HASH.hex())
        latest[event.shard] = row["hash"].hex()
        if row["artifact_id"] is not None:
            copy = by_number["artifact"].pop(row["number"])
            assert key_of(copy).partition == f"artifact-{row['artifact_id']}"
            assert facts_of(copy) == facts_of(entity)
    assert by_number == {"day": {}, "artifact": {}}


def event_in(entity: Entity) -> AuditEvent:
    return KeptEvent.read(canonical_in(entity)).event


def facts_of(entity: Entity) -> Entity:
    """All but where it is."""
    return {name: value for name, value in entity.items() if name != "PartitionKey"}


@contextmanager
def own_trail(connection_string: str, unique_name: str) -> Generator[Trail]:
    """Tables that no other test uses, dropped in the end."""
    prefix = "t" + unique_name.replace("-", "")
    with TableServiceClient.from_connection_string(connection_string) as service:
        trail = Trail(AuditTable(connection_string, prefix), service, prefix)
        yield trail
        for month in trail.table.months():
            trail.table.drop(month)
