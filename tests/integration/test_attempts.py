"""What came to nothing is told on a connection of its own, and never at anybody's cost."""

import json
import logging
from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
from psycopg.rows import DictRow

from devhost.stack.azurite import Azurite
from shared.database.pool import Database
from shared.errors import ArtifactNotFound, BlobChanged, DatabaseUnavailable
from shared.models.attempts import Attempt, Doing
from shared.models.registrations import Origin
from shared.services.attempts import Attempts
from shared.services.trail_relay import TrailRelay
from tests.integration.auditing import Trail, assert_whole, own_trail
from tests.integration.clock import TickingClock

Sql = psycopg.Connection[DictRow]
DELETING = Doing("status_update", "delete")
ORIGIN = Origin("key:test", "request")
SECRET = "https://a.blob.core.windows.net/c/b?sv=2024&sig=abcdefghijklmnop"


@pytest.fixture
def attempts(database: Database, clock: TickingClock) -> Attempts:
    return Attempts(database, clock)


@pytest.fixture
def trail(azurite: Azurite, unique_name: str) -> Iterator[Trail]:
    with own_trail(azurite.connection_string, unique_name) as trail:
        yield trail


def told(sql: Sql) -> list[DictRow]:
    return sql.execute("SELECT * FROM registry.outbox ORDER BY position").fetchall()


def test_attempts_and_reads_come_into_the_trail(
    attempts: Attempts, trail: Trail, database: Database, clock: TickingClock, sql: Sql
) -> None:
    artifact_id, run_id = uuid4(), uuid4()
    attempts.record(
        Attempt(DELETING, ORIGIN, "artifact-held: No.", artifact_id, run_id, {"hold_id": "7"})
    )
    attempts.record(Attempt(Doing("artifact_read", "read"), ORIGIN, artifact_id=artifact_id))
    assert TrailRelay(database, trail.table, clock).relay(60) == 2
    assert_whole(trail, sql, 2)
    refused, read = trail.events("artifact")
    assert (refused["operation"], refused["action"]) == DELETING
    assert (refused["actor"], refused["request_id"]) == (ORIGIN.actor, ORIGIN.request_id)
    assert (refused["success"], refused["error"]) == (False, "artifact-held: No.")
    assert (refused["artifact_id"], refused["run_id"]) == (artifact_id, run_id)
    assert refused["details"] == {"hold_id": "7"}
    assert (read["success"], read["error"], read["run_id"]) == (True, None, None)


def test_no_secret_and_nothing_that_cannot_be_stored_gets_in(attempts: Attempts, sql: Sql) -> None:
    hostile = f"\0\ud800{SECRET} /postgresql:~1~1user:abcdefghijklmnop@host"
    attempts.record(
        Attempt(
            DELETING,
            Origin("key:" + "x" * 300),
            hostile + " x" * 3000,
            details={"path": hostile, hostile: ["y" * 3000, 7, None, {"a": hostile}]},
        )
    )
    (event,) = told(sql)
    assert "abcdefghijklmnop" not in json.dumps(event, default=str)
    assert event["error"].startswith("\\0\\ud800https://a.blob.core.windows.net/c/b")
    assert (len(event["error"]), len(event["actor"])) == (2000, 255)
    assert event["details"]["path"].startswith("\\0\\ud800")


def test_where_the_database_is_down_nobody_hears_of_it_but_the_log(
    clock: TickingClock, caplog: pytest.LogCaptureFixture
) -> None:
    down = Database("postgresql://nobody@127.0.0.1:1/none", size=1, timeout_seconds=0.2)
    with caplog.at_level(logging.WARNING):
        Attempts(down, clock).record(Attempt(DELETING, ORIGIN, f"no: {SECRET}"))
    down.close()
    assert "attempt not recorded: operation=status_update actor=key:test" in caplog.text
    assert "abcdefghijklmnop" not in caplog.text


def test_who_tells_does_not_wait_for_who_holds_the_outbox(
    attempts: Attempts, database_url: str, sql: Sql
) -> None:
    with psycopg.connect(database_url) as other:
        other.execute("LOCK TABLE registry.outbox IN ACCESS EXCLUSIVE MODE")
        attempts.record(Attempt(DELETING, ORIGIN, "no: No."))
        other.rollback()
    assert told(sql) == []
    attempts.record(Attempt(DELETING, ORIGIN, "no: No."))
    assert len(told(sql)) == 1


def test_a_fault_is_told_unless_it_is_the_databases(attempts: Attempts, sql: Sql) -> None:
    attempts.record_fault(DELETING, ORIGIN, ArtifactNotFound())
    attempts.record_fault(DELETING, ORIGIN, DatabaseUnavailable())
    attempts.record_fault(DELETING, ORIGIN, BlobChanged(), {"queue": "q"})
    assert [(event["error"], event["details"]) for event in told(sql)] == [
        ("artifact-not-found: There is no such artifact.", {}),
        ("blob-changed: The blob changed while it was being read.", {"queue": "q"}),
    ]
