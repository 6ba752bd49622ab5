"""A trail of several days, sealed, and what proves it."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import chain, count
from typing import Any
from uuid import UUID

import psycopg
from azure.data.tables import UpdateMode
from azure.storage.blob import BlobServiceClient, ContainerClient
from psycopg.rows import DictRow

from shared.database.pool import Database
from shared.models.audit import KeptEvent, event_hash
from shared.models.audit_entities import (
    Entity,
    canonical_in,
    entities_of,
    key_of,
    month_of,
    number_in,
)
from shared.models.audit_proof import AuditProof
from shared.models.audit_seals import SealKeys
from shared.services.audit_seals import TrailSeals
from shared.services.audit_verification import AuditVerifier
from shared.services.trail_relay import TrailRelay
from shared.storage.kept_blobs import KeptBlobs
from tests.integration.auditing import Trail, own_trail, write_event
from tests.integration.clock import TickingClock

FIRST_DAY = date(2030, 1, 30)
"""Two days before a month ends, so that tables are two; later than the database's own clock."""
PEPPER = "pepper of the tests, long enough to be one"
KEYS = SealKeys.of("", PEPPER)


@dataclass
class Proving:
    """A trail of the test's own, and hands that may change it behind the registry's back."""

    trail: Trail
    database: Database
    sql: psycopg.Connection[DictRow]
    clock: TickingClock
    container: ContainerClient
    kept: KeptBlobs
    keys: SealKeys = KEYS

    @property
    def relay(self) -> TrailRelay:
        return TrailRelay(self.database, self.trail.table, self.clock)

    @property
    def seals(self) -> TrailSeals:
        return TrailSeals(self.database, self.trail.table, self.kept, self.keys, self.clock)

    def verify(self, start: date | None = None, end: date | None = None) -> AuditProof:
        verifier = AuditVerifier(self.database, self.trail.table, self.kept, self.keys)
        return verifier.verify(start, end)

    def live(self, days: int, events: int) -> None:
        """Let days pass, with so many events each, of which two of three are of an artifact."""
        numbers = count(1)
        for place in range(days):
            day = FIRST_DAY + timedelta(days=place)
            self.clock.now = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
            for _ in range(events):
                number = next(numbers)
                artifact = UUID(int=number % 7) if number % 3 else None
                write_event(self.sql, f"event_{number}", artifact, json.dumps({"number": number}))
            self.relay.relay(60)

    def entity(self, number: int, layout: str = "day") -> Entity:
        """What the table holds of an event."""
        rows = self.sql.execute(
            "SELECT recorded_at FROM registry.trail WHERE number = %s", [number]
        ).fetchall()
        found = self.trail.table.pages(
            month_of(rows[0]["recorded_at"]),
            "PartitionKey ge @low and PartitionKey lt @high",
            {"low": f"{layout}-", "high": f"{layout}."},
        )
        entities = chain.from_iterable(found)
        return next(each for each in entities if number_in(key_of(each).row) == number)

    def put(self, entity: Entity) -> None:
        """Write an entity, whether it was there or not."""
        client = self.trail.client(self._month(entity))
        client.upsert_entity(entity, UpdateMode.REPLACE)  # pyright: ignore[reportUnknownMemberType]

    def remove(self, entity: Entity) -> None:
        self.trail.client(self._month(entity)).delete_entity(*key_of(entity))

    def _month(self, entity: Entity) -> date:
        """As the row key has it, whatever the partition says."""
        counted = 253_402_300_799_999 - int(entity["RowKey"].partition("-")[0])
        return month_of(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=counted))


@contextmanager
def proving(
    connection_string: str,
    unique_name: str,
    database: Database,
    sql: psycopg.Connection[DictRow],
    clock: TickingClock,
) -> Generator[Proving]:
    """Without any event yet."""
    name = f"seals-{unique_name}"[:60]
    with (
        own_trail(connection_string, unique_name) as trail,
        BlobServiceClient.from_connection_string(connection_string) as service,
    ):
        container = service.get_container_client(name)
        container.create_container()
        yield Proving(trail, database, sql, clock, container, KeptBlobs(connection_string, name))
        container.delete_container()


def forged(entity: Entity, **changes: Any) -> Entity:
    """The entity as it would be of a changed event, right in itself."""
    told = KeptEvent.read(canonical_in(entity)).event.model_copy(update=changes)
    kept = KeptEvent(told.canonical.decode(), told)
    return next(own for own in entities_of(kept) if key_of(own)[0][:4] == key_of(entity)[0][:4])


def hash_in(entity: Entity) -> bytes:
    return event_hash(canonical_in(entity).encode())
