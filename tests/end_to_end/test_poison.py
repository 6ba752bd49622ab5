"""What the host gives up is drained by the timer, replayed over HTTP, and registered once."""

import uuid
from functools import partial
from typing import Any, LiteralString

import httpx
import psycopg
import pytest

from devhost.stack.azurite import Azurite
from tests.end_to_end.conftest import RunApp
from tests.end_to_end.ground import Ground
from tests.end_to_end.later import restart_later, start_late
from tests.end_to_end.notices import event_grid, plain
from tests.end_to_end.running_app import RETRY_AFTER, RunningApp
from tests.end_to_end.waiting import wait_for

FAILURES = "/api/admin/ingest/failures"
MOST_TRIES = "AzureFunctionsJobHost__extensions__queues__maxDequeueCount"
BREAK = "ALTER SEQUENCE registry.observations RENAME TO misplaced"
MEND = "ALTER SEQUENCE registry.misplaced RENAME TO observations"
POISONED = 200
KILLED_AT = 20


def test_a_poisoned_message_is_drained_and_replayed_and_registered_once(
    run_app: RunApp, database_url: str, azurite: Azurite
) -> None:
    settings = {MOST_TRIES: "2", RETRY_AFTER: "00:00:00"}
    with run_app(database_url, azurite, settings) as (app, ground):
        poison(ground, "a.tif")
        assert app.stop() == 0
        start_late(app, azurite, "drain_poison_queues")
        wait_for("the drained queues", lambda: len(failures(app, reason="poisoned")) == 2)
        assert ground.poisoned() == 0
        assert ground.revisions(ground.others) == {}
        for _ in range(2):
            assert replay_all(app)["skipped"] == 0
        wait_for("the replays", lambda: len(failures(app, state="replayed")) == 2)
        ground.wait_until_drained()
        registered = ground.rows(
            "SELECT client_type, blob_path FROM registry.artifact_records ORDER BY client_type"
        )
        assert [tuple(row.values()) for row in registered] == [("blob", "a.tif"), ("ddh", "a.tif")]
        assert failures(app, state="open") == []
        assert "a.tif" not in app.log


@pytest.mark.long
def test_a_run_that_is_killed_loses_no_poisoned_message_and_keeps_none_twice(
    run_app: RunApp, database_url: str, own_azurite: Azurite
) -> None:
    with run_app(database_url, own_azurite) as (app, ground):
        assert app.stop() == 0
        queue = ground.poison[0]
        queue.create_queue()
        bodies = {uuid.uuid4().hex.encode() for _ in range(POISONED)}
        for body in bodies:
            queue.send_message(body.decode())
        start_late(app, own_azurite, "drain_poison_queues")
        wait_for("some of them", lambda: len(kept(ground)) > KILLED_AT)
        app.kill()
        assert ground.poisoned() > 0, "the kill was meant to interrupt"
        restart_later(own_azurite)
        start_late(app, own_azurite, "drain_poison_queues")
        wait_for("all of them", partial(is_empty, queue))
        assert sorted(kept(ground)) == sorted((body, 1) for body in bodies)


def poison(ground: Ground, path: str) -> None:
    """Have the host give up an event and a registration that nothing is wrong with."""
    execute(ground, BREAK)
    ground.put(path, b"pixels")
    ground.events.send_message(
        plain(event_grid(ground.account, ground.others.container_name, path))
    )
    located = {"storage_account": ground.account, "container": ground.others.container_name}
    ground.messages.send_message(
        plain({"client_type": "ddh", "client_refs": {"n": 1}, "blob_path": path, **located})
    )
    # The timer may come at any moment, and drain the one before there is the other.
    wait_for("two poisoned messages", lambda: ground.poisoned() + len(kept(ground)) >= 2)
    execute(ground, MEND)


def execute(ground: Ground, statement: LiteralString) -> None:
    with psycopg.connect(ground.database_url, autocommit=True) as connection:
        connection.execute(statement)


def failures(app: RunningApp, **wanted: str) -> list[Any]:
    answer = app.get(FAILURES, **wanted)
    assert answer.status_code == 200, answer.text
    found: list[Any] = answer.json()["failures"]
    return found


def replay_all(app: RunningApp) -> dict[str, Any]:
    answer = httpx.post(
        f"{app.url}{FAILURES}/replay",
        json={"reason": "poisoned"},
        headers={"X-API-Key": app.key("admin")},
        timeout=30,
    )
    assert answer.status_code == 202, answer.text
    told: dict[str, Any] = answer.json()
    return told


def kept(ground: Ground) -> list[tuple[bytes, int]]:
    rows = ground.rows("SELECT body, arrivals FROM registry.set_aside_messages")
    return [(bytes(row["body"]), row["arrivals"]) for row in rows]


def is_empty(queue: Any) -> bool:
    return queue.get_queue_properties().approximate_message_count == 0
