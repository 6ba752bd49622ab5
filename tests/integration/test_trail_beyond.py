"""The audit trail's table holds more than the database knows, and the database was not restored."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import psycopg
import pytest
from psycopg.rows import DictRow

from devhost.stack.azurite import Azurite
from shared.database.pool import Database
from shared.errors import SealConflict
from shared.models.audit_entities import Entity
from shared.services import audit_beyond
from shared.services.audit_beyond import events_beyond, holds_more
from shared.storage.audit_table import AuditTable
from tests.integration.auditing import write_event
from tests.integration.clock import TickingClock
from tests.integration.proving import FIRST_DAY, Proving, forged, proving

EVENTS = 4
FOREIGN = [
    ("day-2030-01-31-00", "1"),
    ("day-2030-01-31-03", "z"),
    ("day-2030-01-31-02", ""),
    ("day-2030-01-31", "1"),
    ("day-2030-01-31-", "1"),
    ("day-2030-01-31-01x", "1"),
    ("day-2030-01-31-99", "1"),
    ("day-2030-01-31é", "1"),
    ("day-2030-02-01-00", "1"),
    ("day-9999-12-31-00", "1"),
    ("day-x", "1"),
]
"""What anybody who may add to the table may add to it."""


@pytest.fixture
def proof(
    azurite: Azurite,
    unique_name: str,
    database: Database,
    sql: psycopg.Connection[DictRow],
    clock: TickingClock,
) -> Iterator[Proving]:
    with proving(azurite.connection_string, unique_name, database, sql, clock) as proof:
        proof.live(days=1, events=EVENTS)
        yield proof


def foreign(partition: str, row: str) -> Entity:
    return {"PartitionKey": partition, "RowKey": row}


def beyond(proof: Proving) -> int:
    """How many events there are behind the end that the database knows."""
    [end] = proof.sql.execute("SELECT number, recorded_at FROM registry.trail_end").fetchall()
    return sum(1 for _ in events_beyond(proof.trail.table, end["number"], end["recorded_at"]))


def test_whatever_keeps_the_relay_from_going_on_is_named_and_can_be_removed(proof: Proving) -> None:
    client = proof.trail.client(FIRST_DAY.replace(day=1))
    for partition, row in FOREIGN:
        client.create_entity(foreign(partition, row))  # pyright: ignore[reportUnknownMemberType]
        with pytest.raises(SealConflict, match="audit reconcile"):
            proof.relay.relay(60)
        with pytest.raises(SealConflict, match=f"partition {partition}, row {row}[.]"):
            beyond(proof)
        client.delete_entity(partition, row)
    assert beyond(proof) == 0
    write_event(proof.sql, "afterwards")
    assert proof.relay.relay(60) == 1


def test_nothing_is_numbered_while_somebody_takes_up_what_is_beyond(
    proof: Proving, monkeypatch: pytest.MonkeyPatch
) -> None:
    def meanwhile(table: AuditTable, number: int, recorded_at: datetime | None) -> bool:
        found = holds_more(table, number, recorded_at)
        proof.sql.execute("UPDATE registry.trail_end SET number = number + 1")
        return found

    monkeypatch.setattr(audit_beyond, "holds_more", meanwhile)
    proof.trail.table.insert(date(2030, 1, 1), [foreign("day-2030-01-31-00", "1")])
    write_event(proof.sql, "waits")
    assert proof.relay.relay(60) == 0
    assert len(proof.sql.execute("SELECT FROM registry.outbox").fetchall()) == 1
    assert proof.seals.seal_days(60) == 0


def test_no_day_is_closed_over_what_a_restored_database_lacks_of_it(proof: Proving) -> None:
    """Whoever asked for more from the next day on would find that there is none."""
    last = proof.entity(EVENTS)
    lacking = forged(last, number=EVENTS + 1)
    proof.put(lacking)
    proof.clock.now += timedelta(days=1)
    for attempt in (lambda: proof.seals.seal_days(60), lambda: proof.relay.relay(60)):
        with pytest.raises(SealConflict, match="audit reconcile"):
            attempt()
    assert list(proof.container.list_blobs()) == []
    proof.remove(lacking)
    assert proof.seals.seal_days(60) == 1
