"""What waits, and what policies came to, as metrics tell it."""

import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from devhost.stack.azurite import Azurite
from shared.database.pool import Database
from shared.models.build_states import StateReport
from shared.models.set_aside import Message
from shared.services.artifact_service import ArtifactService
from shared.services.build_surface import Builds
from shared.services.depths import Depths
from shared.services.set_aside import SetAsideService
from shared.services.trail_relay import TrailRelay
from shared.storage.audit_table import AuditTable
from shared.storage.queues import StorageQueue
from tests.collecting import Collected, collecting
from tests.integration.clock import TickingClock
from tests.integration.failing import OwnQueue
from tests.integration.keeping import Keeping, kept
from tests.integration.messages import ORIGIN
from tests.integration.policing import COOL, DAY, Policing, policing
from tests.integration.registering import create

__all__ = ["kept", "policing"]  # fixtures that are asked for by their names

ONE = {(): 1}
STATE = {"state_code": 10, "status": "in_progress"}


@pytest.fixture
def collected(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collected]:
    with collecting(monkeypatch) as collected:
        yield collected


@pytest.fixture
def relay(database: Database, azurite: Azurite, clock: TickingClock) -> TrailRelay:
    return TrailRelay(database, AuditTable(azurite.connection_string, "unused"), clock)


def of(name: str) -> tuple[tuple[str, object], ...]:
    return (("queue", name),)


def test_what_waits_is_measured_in_queues_aside_and_for_the_trail(
    azurite: Azurite,
    own_queue: OwnQueue,
    database: Database,
    relay: TrailRelay,
    artifacts: ArtifactService,
    set_aside: SetAsideService,
    clock: TickingClock,
    collected: Collected,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "shared.services.depths")
    own_queue.send("{}")
    own_queue.send("{}")
    set_aside.keep(Message("events", b"?"), "malformed_message", "Not JSON.")
    create(artifacts)
    poisoned = StorageQueue(azurite.connection_string, "never-made-poison")
    clock.now = datetime.now(UTC) + timedelta(hours=1)
    Depths(database, {"work": own_queue, "work-poison": poisoned}, relay, clock).measure()
    measured = collected.metrics()
    assert measured["registry.queue.depth"] == {of("work"): 2, of("work-poison"): 0}
    assert measured["registry.queue.oldest"][of("work")] == pytest.approx(3600, abs=60)
    assert measured["registry.queue.oldest"][of("work-poison")] == 0
    assert measured["registry.set_aside.open"] == ONE
    assert measured["registry.audit.waiting"] == {(): 2}
    assert measured["registry.audit.lag"][()] > 0
    told = [line for line in caplog.messages if line.startswith("depth measured: ")]
    assert re.fullmatch(r"depth measured: of=audit-trail messages=2 oldest_seconds=\d+", told[1])
    assert re.fullmatch(r"depth measured: of=work messages=2 oldest_seconds=3[56]\d\d", told[2])
    assert [told[0], told[3]] == [
        "depth measured: of=set-aside messages=1",
        "depth measured: of=work-poison messages=0 oldest_seconds=0",
    ]


def test_where_nothing_waits_it_is_none(
    database: Database, relay: TrailRelay, clock: TickingClock, collected: Collected
) -> None:
    Depths(database, {}, relay, clock).measure()
    measured = collected.metrics()
    names = ("registry.set_aside.open", "registry.audit.waiting", "registry.audit.lag")
    assert [measured[name] for name in names] == [{(): 0}] * 3


def test_what_cannot_be_reached_is_left_out_and_said_so(
    own_azurite: Azurite,
    database: Database,
    relay: TrailRelay,
    clock: TickingClock,
    collected: Collected,
    caplog: pytest.LogCaptureFixture,
) -> None:
    down = StorageQueue(own_azurite.connection_string, "down")
    own_azurite.stop()
    Depths(database, {"down": down}, relay, clock).measure()
    measured = collected.metrics()
    assert of("down") not in measured.get("registry.queue.depth", {})
    assert measured["registry.set_aside.open"] == {(): 0}
    assert "depth not measured: of=down" in caplog.text


def test_what_policies_come_to_is_counted_once(policing: Policing, collected: Collected) -> None:
    held, due = (policing.upload(f"v{number}", b"%d" % number) for number in range(2))
    policing.upload("current", b"last")
    policing.enforce(COOL)
    policing.clock.now += 31 * DAY
    policing.runs.start_due()
    policing.runs.advance()
    policing.hold(held)
    for _ in range(2):
        policing.ask(held, due)
    assert collected.metrics()["registry.policy.actions"] == {
        (("kind", "archive"), ("outcome", "acted")): 1,
        (("kind", "archive"), ("outcome", "refused")): 1,
    }


def test_artifacts_of_builds_are_registrations_whoever_tells_of_them(
    kept: Keeping, builds: Builds, collected: Collected
) -> None:
    told = {"status": "completed", "artifact_storage_type": "s3", "artifact_storage_path": "s3://a"}
    for stored in ({}, told):
        builds.states.report(kept.build_id, StateReport.model_validate(STATE | stored), ORIGIN)
    kept.put()
    created = (("outcome", "created"),)
    assert collected.metrics()["registry.registrations"] == {created: 2}
