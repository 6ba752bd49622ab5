"""Reading the audit trail: by what events are, newest first, page by page."""

# The SDK's tables carry few types.
# pyright: reportUnknownMemberType=false

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from devhost.stack.azurite import Azurite
from shared.database.pool import Database
from shared.errors import InvalidInput
from shared.models.audit import AuditEvent
from shared.models.audit_queries import AuditFilter
from shared.services.audit_trail import AuditTrailService
from shared.services.audit_walk import TrailWalk
from shared.services.trail_relay import TrailRelay
from tests.integration.audit_reading import (
    ARTIFACTS,
    DAYS,
    RUN,
    Sql,
    everything,
    found,
    keep,
    keep_history,
    pages,
)
from tests.integration.auditing import Trail, own_trail
from tests.integration.clock import TickingClock
from tests.integration.kept_history import Kept, kept

__all__ = ["kept"]  # a fixture that is asked for by its name


@pytest.fixture
def trail(azurite: Azurite, unique_name: str) -> Iterator[Trail]:
    with own_trail(azurite.connection_string, unique_name) as trail:
        yield trail


@pytest.fixture
def relay(database: Database, trail: Trail, clock: TickingClock) -> TrailRelay:
    return TrailRelay(database, trail.table, clock)


@pytest.fixture
def reader(database: Database, trail: Trail) -> AuditTrailService:
    return AuditTrailService(database, trail.table)


@pytest.fixture
def history(sql: Sql, relay: TrailRelay, clock: TickingClock, trail: Trail) -> list[AuditEvent]:
    """All events of several months, newest first."""
    keep_history(sql, relay, clock)
    return everything(trail)


ALL = AuditFilter()
QUERIES: dict[str, tuple[dict[str, Any], Callable[[AuditEvent], bool]]] = {
    "operation": (
        {"operation": "status_update"},
        lambda event: event.operation == "status_update",
    ),
    "action": ({"action": "create"}, lambda event: event.action == "create"),
    "actor": (
        {"actor": "function:policies"},
        lambda event: event.actor == "function:policies",
    ),
    "run": ({"run_id": RUN}, lambda event: event.run_id == RUN),
    "success": ({"success": True}, lambda event: event.success),
    "failed": ({"success": False}, lambda event: not event.success),
    "artifact": ({"artifact_id": ARTIFACTS[1]}, lambda event: event.artifact_id == ARTIFACTS[1]),
    "start": ({"start": DAYS[2]}, lambda event: event.time >= DAYS[2]),
    "end": ({"end": DAYS[2]}, lambda event: event.time < DAYS[2]),
    "range": (
        {"start": DAYS[1] + timedelta(seconds=3), "end": DAYS[3] + timedelta(seconds=5)},
        lambda event: DAYS[1] + timedelta(seconds=3) <= event.time < DAYS[3] + timedelta(seconds=5),
    ),
    "several": (
        {"operation": "status_update", "success": False, "start": DAYS[1]},
        lambda event: (
            event.operation == "status_update" and not event.success and event.time >= DAYS[1]
        ),
    ),
    "of an artifact": (
        {"artifact_id": ARTIFACTS[2], "success": False, "end": DAYS[3]},
        lambda event: (
            event.artifact_id == ARTIFACTS[2] and not event.success and event.time < DAYS[3]
        ),
    ),
}
PAGED = {"success", "end", "range", "of an artifact"}
"""Read page by page as well: of many and of few events, of days and of an artifact."""


def test_all_events_come_newest_first_whichever_shard_day_or_month_they_are_of(
    kept: Kept,
) -> None:
    reader, history = kept.reader, kept.events
    assert [event.number for event in history] == list(range(48, 0, -1))
    assert found(reader, ALL) == history


def test_pages_go_on_where_the_one_before_ended(kept: Kept) -> None:
    reader, history = kept.reader, kept.events
    for limit in (5, 12, 48):
        read = list(pages(reader, ALL, limit))
        assert [len(page) for page in read[:-1]] == [limit] * (len(read) - 1)
        assert [event for page in read for event in page] == history
        assert read[-1]


@pytest.mark.parametrize("paged", [PAGED, pytest.param(set(QUERIES), marks=pytest.mark.long)])
def test_a_query_finds_what_it_means_and_nothing_else(kept: Kept, paged: set[str]) -> None:
    reader, history = kept.reader, kept.events
    for name, (asked, is_meant) in QUERIES.items():
        expected = [event for event in history if is_meant(event)]
        assert 0 < len(expected) < len(history)
        for limit in (7, 1000) if name in paged else (1000,):
            assert found(reader, AuditFilter(**asked), limit) == expected, name


def test_the_history_of_an_artifact_is_all_that_was_done_to_it(kept: Kept) -> None:
    reader, history = kept.reader, kept.events
    page = reader.get_artifact_history(ARTIFACTS[0])
    assert page.events == [event for event in history if event.artifact_id == ARTIFACTS[0]]
    assert page.next is None
    assert reader.get_artifact_history(RUN).events == []


def test_what_happened_long_before_it_was_recorded_is_found_by_when_it_happened(
    reader: AuditTrailService, history: list[AuditEvent], sql: Sql, relay: TrailRelay
) -> None:
    keep(sql, "late", DAYS[0], artifact_id=ARTIFACTS[0])
    relay.relay(60)
    end = DAYS[0] + timedelta(seconds=1)
    for asked in ({}, {"artifact_id": ARTIFACTS[0]}):
        wanted = AuditFilter.model_validate({"start": DAYS[0], "end": end, **asked})
        assert [event.operation for event in found(reader, wanted)][:1] == ["late"]


def test_an_empty_trail_has_no_events(reader: AuditTrailService) -> None:
    assert list(pages(reader, ALL)) == [[]]
    assert list(pages(reader, AuditFilter(artifact_id=ARTIFACTS[0]))) == [[]]


def test_an_answer_has_the_events_as_they_are_kept(kept: Kept) -> None:
    page = kept.reader.query_audit_trail(ALL, limit=2)
    first, second = (each.event.canonical.decode() for each in page.kept)
    assert page.text == f'{{"events":[{first},{second}],"next":"{page.next}"}}'


def test_what_is_asked_for_is_never_read_as_a_condition(
    reader: AuditTrailService, sql: Sql, relay: TrailRelay
) -> None:
    texts = [
        "' or Operation ne '",
        "x' and '1' eq '1",
        "@end",
        "a b",
        "%27",
        "&#;?=",
        "ün\U0001f600",
    ]
    for text in texts:
        keep(sql, text, actor=text)
    relay.relay(60)
    for number, text in enumerate(texts, 1):
        for name in ("operation", "actor"):
            assert [
                each.number for each in found(reader, AuditFilter.model_validate({name: text}))
            ] == [number]


def test_an_event_is_in_no_answer_before_all_earlier_ones_are_written(
    reader: AuditTrailService, sql: Sql, relay: TrailRelay, trail: Trail
) -> None:
    for number in range(6):
        keep(sql, f"event_{number}", artifact_id=ARTIFACTS[0])
    relay.number_some()
    waiting = sql.execute("SELECT * FROM registry.trail_waiting ORDER BY number").fetchall()
    relay.write_some()
    # As a relay leaves it that was killed while it wrote.
    sql.execute("INSERT INTO registry.trail_waiting VALUES (4, %s)", [waiting[3]["event"]])
    for asked in (ALL, AuditFilter(artifact_id=ARTIFACTS[0])):
        assert [event.number for event in found(reader, asked)] == [3, 2, 1]
    relay.write_some()
    for asked in (ALL, AuditFilter(artifact_id=ARTIFACTS[0])):
        assert [event.number for event in found(reader, asked)] == [6, 5, 4, 3, 2, 1]


def test_whoever_looks_at_a_little_at_a_time_finds_the_same(kept: Kept) -> None:
    little = AuditTrailService(kept.database, kept.trail.table, effort=1)
    for wanted in (
        AuditFilter(operation="none"),
        AuditFilter(success=False),
        AuditFilter(success=False, artifact_id=ARTIFACTS[2]),
    ):
        expected = found(kept.reader, wanted)
        read = list(pages(little, wanted))
        assert [event for page in read for event in page] == expected
        assert min(map(len, read)) == 0
        walk = TrailWalk(kept.database, kept.trail.table, wanted, stretch_events=5)
        seen = [look.kept.event for look in walk.looks(None) if look.kept]
        assert seen == expected


def test_no_answer_is_larger_than_those_of_ordinary_events(
    database: Database, trail: Trail, sql: Sql, relay: TrailRelay
) -> None:
    for number in range(3):
        keep(sql, f"event_{number}", artifact_id=ARTIFACTS[0], details={"text": "x" * 100 * 1024})
    relay.relay(60)
    reader = AuditTrailService(database, trail.table, effort=150)
    for wanted in (ALL, AuditFilter(artifact_id=ARTIFACTS[0])):
        assert [len(page) for page in pages(reader, wanted)][:2] == [2, 1]


def test_a_month_that_was_dropped_is_passed_over(
    reader: AuditTrailService, history: list[AuditEvent], trail: Trail, sql: Sql
) -> None:
    month = DAYS[0].date().replace(day=1)
    cursor = reader.query_audit_trail(ALL, limit=24).next
    trail.table.drop(month)
    assert reader.query_audit_trail(ALL, cursor=cursor).events == []
    sql.execute(
        "INSERT INTO registry.trail_months VALUES (%s, 'x', now(), 24, 'x', now())", [month]
    )
    sql.execute("DELETE FROM registry.trail WHERE number <= 24")
    assert found(reader, ALL) == history[:24]
    assert found(reader, AuditFilter(artifact_id=ARTIFACTS[0], end=DAYS[3])) == [
        event for event in history[12:24] if event.artifact_id == ARTIFACTS[0]
    ]


def test_what_is_no_event_or_another_one_is_not_shown_as_one(
    reader: AuditTrailService,
    history: list[AuditEvent],
    trail: Trail,
    caplog: pytest.LogCaptureFixture,
) -> None:
    entities = sorted(trail.entities_of("day"), key=lambda entity: entity["RowKey"])
    broken, lying, moved, source = entities[:4]
    client = trail.client(DAYS[3].date())
    client.update_entity({**broken, "Event": "{"})
    client.update_entity({**lying, "Operation": "none"})
    client.update_entity({**moved, "Event": source["Event"]})
    numbers = [event.number for event in found(reader, ALL)]
    assert numbers == [number for number in range(48, 0, -1) if number not in {48, 46}]
    assert found(reader, AuditFilter(operation="none")) == []
    assert caplog.text.count("no event of the trail") == 2


def test_a_cursor_belongs_to_its_query(kept: Kept) -> None:
    reader = kept.reader
    cursor = reader.query_audit_trail(ALL, limit=1).next
    with pytest.raises(InvalidInput):
        reader.query_audit_trail(AuditFilter(success=True), cursor=cursor)
    with pytest.raises(InvalidInput):
        reader.get_error_summary(cursor=cursor)
    for foreign in ("", "x", "\u0661", cursor[:-4] if cursor else ""):
        with pytest.raises(InvalidInput):
            reader.query_audit_trail(ALL, cursor=foreign)
    for limit in (0, 1001):
        with pytest.raises(InvalidInput):
            reader.query_audit_trail(ALL, limit=limit)
