"""Whoever ends months of the audit trail is killed anywhere: each is exported, gone, and proven."""

import gzip
import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest
from azure.storage.blob import ContainerClient
from psycopg.rows import DictRow

from devhost.stack.azurite import Azurite
from shared.database.pool import Database
from shared.storage.kept_blobs import KeptBlobs
from tests.faults.conftest import Tally
from tests.faults.places import Place
from tests.faults.processes import die_at
from tests.faults.retention_killing import DROPPING, EXPORTING, Months, retain_until
from tests.faults.sizes import LONGEST_SECONDS
from tests.integration.auditing import write_event
from tests.integration.clock import TickingClock
from tests.integration.conftest import database
from tests.integration.proving import Proving, proving
from tests.integration.retaining import KEEPING, Retaining

__all__ = ["database"]  # a fixture that is asked for by its name

TURNS = 5
EVENTS = 1_200
"""Of a month: more than are read at once."""


@pytest.mark.long
@pytest.mark.timeout(LONGEST_SECONDS)
def test_months_end_once_whoever_is_killed_at_every_point_of_the_way(
    place: Place,
    database: Database,
    azurite: Azurite,
    sql: psycopg.Connection[DictRow],
    tally: Tally,
) -> None:
    name, clock = f"exports-{place.name}"[:60], TickingClock()
    with proving(azurite.connection_string, place.name, database, sql, clock) as proof:
        container = ContainerClient.from_connection_string(azurite.connection_string, name)
        retained = Retaining(proof, container, KeptBlobs(azurite.connection_string, name))
        seals = proof.container.container_name
        months = Months(proof.trail.prefix, seals, name, KEEPING)
        for turn in range(TURNS):
            live(proof, date(2030 + turn // 4, turn % 4 * 3 + 1, 15))
            for points in (EXPORTING, DROPPING):
                for point in points:
                    die_at(point, retain_until, place, months, clock.now)
                    assert proof.verify().is_whole
                retained.retain()
                clock.now += timedelta(days=1)
        check(proof, retained)
        container.delete_container()
    tally(kills=TURNS * (len(EXPORTING) + len(DROPPING)), months=TURNS, doubled=0, lost=0)


def live(proof: Proving, day: date) -> None:
    """So many events on a day, and time until its month may go."""
    proof.clock.now = datetime(day.year, day.month, day.day, tzinfo=UTC)
    with proof.sql.transaction():
        for _ in range(EVENTS):
            write_event(proof.sql, "some", None)
    proof.relay.relay(60)
    proof.clock.now += timedelta(days=50)
    proof.seals.seal_days(60)


def check(proof: Proving, retained: Retaining) -> None:
    """Every event is in one file; each month went once; what is left follows on it."""
    events = [
        json.loads(line)
        for path in retained.names
        for line in gzip.decompress(b"".join(retained.exports.chunks(path))).splitlines()
    ]
    rows = retained.rows("month", "exported_to", "removed_at")
    assert [path for _, path, _ in rows] == retained.names
    assert (len(rows), all(removed for *_, removed in rows)) == (TURNS, True)
    assert [event["number"] for event in events] == list(range(1, len(events) + 1))
    operations = Counter(event["operation"] for event in events)
    told = {"audit_month_exported": TURNS - 1, "audit_month_dropped": TURNS - 1}
    assert operations == Counter(
        told | {"some": TURNS * EVENTS}
    )  # what became of the last one waits
    for path in retained.names:
        assert retained.months.prove(retained.exports.chunks(path)).is_recorded
    assert proof.trail.table.months() == []
