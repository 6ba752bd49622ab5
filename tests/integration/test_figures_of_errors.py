"""Failed attempts, by operation: on their way into the trail, and once they are in it."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg.rows import DictRow

from shared.database.pool import Database
from shared.models.figures import OperationErrors
from shared.services import figures as service
from shared.services.figures import FiguresService
from shared.services.trail_relay import TrailRelay
from shared.storage.audit_table import AuditTable
from tests.integration.clock import TickingClock

FAILED = """
INSERT INTO registry.outbox (occurred_at, operation, actor, success, error)
SELECT %s, %s, 'key:test', false, 'why' FROM generate_series(1, %s)
"""
DONE = "INSERT INTO registry.outbox (occurred_at, operation, actor) VALUES (now(), %s, 'key:test')"
TODAY = datetime(2026, 1, 10, 12, tzinfo=UTC)


@pytest.fixture
def figures(database: Database, clock: TickingClock) -> FiguresService:
    clock.now = TODAY
    return FiguresService(database, clock)


def told(figures: FiguresService, days: int = 30) -> tuple[int, dict[str, int]]:
    found = figures.get_statistics(days=days)
    by_operation = {each.operation: each.errors for each in found.errors_by_operation}
    assert list(by_operation.values()) == sorted(by_operation.values(), reverse=True)
    return found.total_errors, by_operation


def relay(sql: psycopg.Connection[DictRow], most: int) -> None:
    """Events leave the outbox as they do when they are numbered."""
    sql.execute(
        "DELETE FROM registry.outbox WHERE position IN "
        "(SELECT position FROM registry.outbox ORDER BY position LIMIT %s)",
        [most],
    )


def test_errors_are_counted_once_wherever_they_are(
    figures: FiguresService, sql: psycopg.Connection[DictRow]
) -> None:
    sql.execute(FAILED, [TODAY, "register", 3])
    sql.execute(DONE, ["register"])
    sql.execute(FAILED, [TODAY - timedelta(days=1), "delete", 5])
    for _ in range(10):
        assert told(figures) == (8, {"delete": 5, "register": 3})
        relay(sql, 1)
    assert sql.execute("SELECT FROM registry.outbox").fetchone() is None
    assert told(figures) == (8, {"delete": 5, "register": 3})


def test_errors_of_before_the_days_that_are_asked_for_are_left_out(
    figures: FiguresService, sql: psycopg.Connection[DictRow]
) -> None:
    midnight = TODAY.replace(hour=0)
    for at in (midnight, midnight - timedelta(microseconds=1), TODAY - timedelta(days=366)):
        sql.execute(FAILED, [at, "register", 1])
    for _ in ("waiting", "moved"):
        assert told(figures, 1) == (1, {"register": 1})
        assert told(figures, 2) == (2, {"register": 2})
        assert told(figures, 366) == (2, {"register": 2})
        relay(sql, 3)


def test_of_many_operations_the_most_frequent_are_told_and_all_are_counted(
    figures: FiguresService, sql: psycopg.Connection[DictRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "LARGEST", 2)
    for n, operation in enumerate("abcd", 1):
        sql.execute(FAILED, [TODAY, operation, n])
    relay(sql, 4)
    assert told(figures) == (10, {"d": 4, "c": 3})


def test_where_nothing_failed_nothing_is_told(
    figures: FiguresService, sql: psycopg.Connection[DictRow]
) -> None:
    sql.execute(DONE, ["register"])
    assert told(figures) == (0, {})
    relay(sql, 1)
    assert told(figures) == (0, {})


def test_events_that_are_numbered_for_the_trail_are_counted_on(
    figures: FiguresService, database: Database, sql: psycopg.Connection[DictRow]
) -> None:
    sql.execute(FAILED, [TODAY, "register", 2])
    table = AuditTable("UseDevelopmentStorage=true", "unused")  # numbering reaches for none
    assert TrailRelay(database, table, lambda: TODAY).number_some()
    assert sql.execute("SELECT FROM registry.outbox").fetchone() is None
    assert figures.get_statistics().errors_by_operation == [
        OperationErrors(operation="register", errors=2)
    ]
