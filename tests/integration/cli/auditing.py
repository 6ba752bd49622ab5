"""A registry whose trail holds events of several months, for commands that read it."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from devhost.stack.azurite import Azurite
from shared.bootstrap import Registry
from shared.database.pool import Database
from shared.models.audit import AuditEvent
from shared.services.artifact_service import ArtifactService
from shared.services.audit_surface import Audit
from tests.integration.audit_reading import Sql, everything, keep_history
from tests.integration.auditing import Trail, own_trail
from tests.integration.cli.conftest import Terminal
from tests.integration.clock import TickingClock
from tests.integration.http.conftest import build_registry


@pytest.fixture
def trail(azurite: Azurite, unique_name: str) -> Iterator[Trail]:
    with own_trail(azurite.connection_string, unique_name) as trail:
        yield trail


@pytest.fixture
def registry(
    database: Database, artifacts: ArtifactService, trail: Trail, clock: TickingClock
) -> Registry:
    registry = build_registry(database, artifacts)
    return replace(registry, audit=Audit.of(database, trail.table, clock))


@pytest.fixture
def history(
    terminal: Terminal, registry: Registry, sql: Sql, clock: TickingClock, trail: Trail
) -> list[AuditEvent]:
    """The events of several months, newest first."""
    registry.audit.relay.relay(60)  # whatever the fixtures did
    keep_history(sql, registry.audit.relay, clock)
    return everything(trail)


def numbers(events: list[AuditEvent]) -> list[int]:
    return [event.number for event in events]
