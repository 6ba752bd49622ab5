"""What the outbox holds comes into the trail: once, whole, and in the order of commits."""

import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest
import rfc8785
from psycopg.rows import DictRow

from devhost.stack.azurite import Azurite
from shared.database.pool import Database
from shared.models.audit import SHARDS, KeptEvent
from shared.models.audit_entities import entities_of, key_of, month_of
from shared.repositories.trail import TrailRepository
from shared.services import trail_relay
from shared.services.artifact_service import ArtifactService
from shared.services.trail_relay import TrailRelay
from tests.integration.auditing import Trail, assert_whole, own_trail, write_event
from tests.integration.clock import TickingClock
from tests.integration.registering import create

Sql = psycopg.Connection[DictRow]


@pytest.fixture
def trail(azurite: Azurite, unique_name: str) -> Iterator[Trail]:
    with own_trail(azurite.connection_string, unique_name) as trail:
        yield trail


@pytest.fixture
def relay(database: Database, trail: Trail, clock: TickingClock) -> TrailRelay:
    return TrailRelay(database, trail.table, clock)


def operations(trail: Trail) -> list[str]:
    return [event["operation"] for event in trail.events("day")]


def test_changes_of_the_registry_come_into_the_trail_by_day_and_by_artifact(
    relay: TrailRelay, trail: Trail, artifacts: ArtifactService, sql: Sql
) -> None:
    registered = create(artifacts, "a")
    artifacts.mark_archived(registered.artifact_id)

    assert relay.relay(60) == 2

    by_artifact = trail.events("artifact")
    assert by_artifact == trail.events("day")
    assert [(event["operation"], event["action"]) for event in by_artifact] == [
        ("artifact_creation", "create"),
        ("status_update", "archive"),
    ]
    assert {event["artifact_id"] for event in by_artifact} == {registered.artifact_id}
    assert sql.execute("SELECT FROM registry.outbox").fetchall() == []
    assert sql.execute("SELECT FROM registry.commits").fetchall() == []
    assert sql.execute("SELECT FROM registry.trail_waiting").fetchall() == []


def test_events_are_in_the_order_of_commits_not_in_that_of_writing(
    relay: TrailRelay, trail: Trail, database_url: str, sql: Sql
) -> None:
    with psycopg.connect(database_url) as slow:
        write_event(slow, "slow_first")
        write_event(slow, "slow_second")
        write_event(sql, "quick")
        slow.commit()
    write_event(sql, "later")

    relay.relay(60)

    assert operations(trail) == ["quick", "slow_first", "slow_second", "later"]


def test_what_commits_while_others_are_relayed_is_not_passed_over(
    relay: TrailRelay, trail: Trail, database_url: str, sql: Sql
) -> None:
    with psycopg.connect(database_url) as slow:
        write_event(slow, "slow")
        write_event(sql, "quick")
        assert relay.relay(60) == 1
        slow.commit()
    assert relay.relay(60) == 1

    assert operations(trail) == ["quick", "slow"]


def test_what_is_rolled_back_leaves_no_gap(
    relay: TrailRelay, trail: Trail, database_url: str, sql: Sql
) -> None:
    write_event(sql, "first")
    with psycopg.connect(database_url) as regretted:
        write_event(regretted, "regretted")
        regretted.rollback()
        with regretted.transaction():
            write_event(regretted, "second")
            with regretted.transaction():
                write_event(regretted, "within")
                raise psycopg.Rollback

    relay.relay(60)

    assert [(event["number"], event["operation"]) for event in trail.events("day")] == [
        (1, "first"),
        (2, "second"),
    ]


def test_each_shard_is_a_chain_of_hashes_over_the_canonical_form(
    relay: TrailRelay, trail: Trail, sql: Sql
) -> None:
    for _ in range(40):
        write_event(sql, "some", uuid4())
    relay.relay(60)
    write_event(sql, "more", uuid4())
    relay.relay(60)

    assert_whole(trail, sql, 41)
    assert {event["shard"] for event in trail.events("day")} == set(range(SHARDS))


def test_a_clock_that_is_set_back_does_not_change_the_order(
    database: Database, trail: Trail, sql: Sql, clock: TickingClock
) -> None:
    write_event(sql, "before")
    TrailRelay(database, trail.table, clock).relay(60)
    write_event(sql, "after")
    TrailRelay(database, trail.table, lambda: clock() - timedelta(hours=1)).relay(60)

    recorded = [event["recorded_at"] for event in trail.events("day")]
    assert recorded == sorted(recorded)
    day = [entity for entity in trail.entities if entity["PartitionKey"].startswith("day-")]
    newest_first = sorted(day, key=lambda entity: entity["RowKey"])
    assert [entity["Operation"] for entity in newest_first] == ["after", "before"]


@pytest.mark.parametrize(
    "details",
    [
        {"text": "'; DROP TABLE \\ / # ? \u0001 \U0001f600 \u2028"},
        {"text": "\U0001f600" * 40_000},
        {"number": 2**63, "other": 0.1, "long": 10**30},
    ],
    ids=["odd", "long", "numbers"],
)
def test_whatever_the_details_are_they_are_kept(
    relay: TrailRelay, trail: Trail, sql: Sql, details: dict[str, object]
) -> None:
    write_event(sql, "odd", uuid4(), details=json.dumps(details))
    relay.relay(60)

    [event] = trail.events("artifact")
    numbers = {"number": str(2**63), "other": 0.1, "long": str(10**30)}
    assert event["details"] == (numbers if "number" in details else details)


def test_details_that_are_too_large_are_left_out_and_told_by_their_hash(
    relay: TrailRelay, trail: Trail, sql: Sql
) -> None:
    write_event(sql, "large", details=json.dumps({"text": "x" * 300_000}))
    write_event(sql, "next")
    relay.relay(60)

    large, following = trail.events("day")
    told = rfc8785.dumps({"text": "x" * 300_000})
    assert large["details"] == {
        "left_out_bytes": len(told),
        "left_out_sha256": hashlib.sha256(told).hexdigest(),
    }
    assert following["operation"] == "next"


@pytest.mark.parametrize(
    ("count", "at_once"), [(117, 25), pytest.param(2345, 500, marks=pytest.mark.long)]
)
def test_a_transaction_of_very_many_events_is_relayed_in_parts(
    relay: TrailRelay,
    trail: Trail,
    sql: Sql,
    monkeypatch: pytest.MonkeyPatch,
    count: int,
    at_once: int,
) -> None:
    monkeypatch.setattr(trail_relay, "_AT_ONCE", at_once)
    statement = """
        INSERT INTO registry.outbox (occurred_at, operation, actor)
        SELECT now(), 'event_' || place, 'key:test' FROM generate_series(1, %s) AS place
    """
    sql.execute(statement, [count])
    write_event(sql, "last")

    assert relay.relay(60) == count + 1

    assert operations(trail) == [*(f"event_{place}" for place in range(1, count + 1)), "last"]
    [day] = sql.execute("SELECT * FROM registry.trail_days").fetchall()
    assert (day["first_number"], day["last_number"]) == (1, count + 1)


def test_large_events_are_taken_fewer_at_once_and_nobody_waits_for_his_turn(
    database: Database, relay: TrailRelay, database_url: str, sql: Sql
) -> None:
    for _ in range(3):
        write_event(sql, "some")
    with database.connection() as connection:
        trail = TrailRepository(connection)
        assert [len(trail.next_events(9, most_bytes=each)) for each in (0, 2, 9)] == [1, 2, 3]
        with psycopg.connect(database_url) as other:
            other.execute("SELECT FROM registry.trail_end FOR UPDATE")
            assert relay.number_some() == 0
        assert relay.number_some() == 3
        assert [len(trail.waiting(9, most_bytes=each)) for each in (0, 10**6)] == [1, 3]


def test_after_a_restore_two_transactions_of_one_id_double_nothing(
    relay: TrailRelay, trail: Trail, sql: Sql
) -> None:
    write_event(sql, "restored")
    sql.execute("UPDATE registry.outbox SET transaction_id = '7'")
    write_event(sql, "since")
    sql.execute("UPDATE registry.outbox SET transaction_id = '7'")
    sql.execute("UPDATE registry.commits SET transaction_id = '7'")

    relay.relay(60)

    assert operations(trail) == ["restored", "since"]
    assert sql.execute("SELECT FROM registry.commits").fetchall() == []


def test_an_entity_that_is_there_already_is_looked_at(
    relay: TrailRelay, trail: Trail, sql: Sql, caplog: pytest.LogCaptureFixture
) -> None:
    write_event(sql, "forged", uuid4())
    relay.number_some()
    [row] = sql.execute("SELECT event FROM registry.trail_waiting").fetchall()
    kept = KeptEvent.read(row["event"])
    [by_day, by_artifact] = entities_of(kept)
    forged = by_artifact | {"Actor": "key:somebody"}
    trail.table.insert(month_of(kept.event.recorded_at), [by_day, forged])

    assert relay.write_some() == 1

    assert caplog.text.count("another entity is in its place") == 1
    assert key_of(by_artifact).partition in caplog.text
    assert trail.entities_of("artifact") == [forged]


@pytest.mark.parametrize("step", ["number", "write"])
def test_relays_at_the_same_time_double_nothing(
    relay: TrailRelay, trail: Trail, sql: Sql, step: str
) -> None:
    for _ in range(50):
        write_event(sql, "some", uuid4())
    if step == "write":
        relay.number_some()
        sql.execute("UPDATE registry.trail_end SET busy_until = '-infinity'")

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(relay.relay, [60.0] * 4))
    relay.relay(60)

    assert_whole(trail, sql, 50)
