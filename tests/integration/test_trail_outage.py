"""The table of the audit trail is away: nothing stops, nothing is lost, and it is told."""

from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest
from psycopg.rows import DictRow

from devhost.stack.azurite import Azurite
from shared.database.pool import Database
from shared.errors import StorageUnavailable
from shared.models.audit import TrailBacklog
from shared.services.artifact_service import ArtifactService
from shared.services.trail_relay import TrailRelay
from shared.storage.audit_table import AuditTable
from tests.integration.auditing import Trail, assert_whole, own_trail
from tests.integration.clock import TickingClock
from tests.integration.registering import create

EVENTS = 30


@pytest.fixture
def trail(own_azurite: Azurite, unique_name: str) -> Iterator[Trail]:
    with own_trail(own_azurite.connection_string, unique_name) as trail:
        yield trail


def test_changes_wait_while_the_table_is_away_and_are_written_when_it_is_back(
    database: Database,
    trail: Trail,
    own_azurite: Azurite,
    artifacts: ArtifactService,
    clock: TickingClock,
    sql: psycopg.Connection[DictRow],
) -> None:
    relay = TrailRelay(database, trail.table, clock)
    create(artifacts, "before")
    assert relay.relay(60) == 1
    assert relay.backlog() == TrailBacklog(waiting_events=0, behind_seconds=0.0)

    own_azurite.stop()
    for number in range(EVENTS):
        create(artifacts, str(number))
        if number % 10 == 9:
            with pytest.raises(StorageUnavailable):
                relay.relay(60)
    clock.now += timedelta(hours=2)
    behind = relay.backlog()
    assert behind.waiting_events == EVENTS
    assert behind.behind_seconds > timedelta(hours=2).total_seconds()

    own_azurite.start()
    again = AuditTable(own_azurite.connection_string, trail.prefix)
    assert TrailRelay(database, again, clock).relay(60) == EVENTS
    assert_whole(Trail(again, trail.service, trail.prefix), sql, 1 + EVENTS)
    assert relay.backlog().waiting_events == 0
