"""A trail that is kept once, for all tests of a file that only read it."""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
import pytest
from psycopg.rows import DictRow, dict_row

from devhost.stack.azurite import Azurite
from shared.database.pool import Database
from shared.models.audit import AuditEvent
from shared.services.audit_trail import AuditTrailService
from shared.services.trail_relay import TrailRelay
from tests.databases import own_database
from tests.integration.audit_reading import Sql, everything, keep_history
from tests.integration.auditing import Trail, own_trail
from tests.integration.clock import TickingClock


@dataclass(frozen=True)
class Kept:
    database: Database
    trail: Trail
    events: list[AuditEvent]
    """Newest first."""

    @property
    def reader(self) -> AuditTrailService:
        return AuditTrailService(self.database, self.trail.table)


@contextmanager
def kept_once(
    server: str,
    template: str,
    azurite: Azurite,
    keep: Callable[[Sql, TrailRelay, TickingClock], None],
) -> Generator[Kept]:
    connect = psycopg.Connection[DictRow].connect
    with own_database(server, template) as url:
        name = url.rpartition("/")[2].replace("_", "-")
        database, clock = Database(url, size=2, timeout_seconds=10), TickingClock()
        with own_trail(azurite.connection_string, name) as trail:
            with connect(url, autocommit=True, row_factory=dict_row) as sql:
                keep(sql, TrailRelay(database, trail.table, clock), clock)
            yield Kept(database, trail, everything(trail))
        database.close()


@pytest.fixture(scope="module")
def kept(postgres: str, template_database: str, azurite: Azurite) -> Iterator[Kept]:
    """Events of several months."""
    with kept_once(postgres, template_database, azurite, keep_history) as kept:
        yield kept
