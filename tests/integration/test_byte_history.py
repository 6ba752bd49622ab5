"""How many bytes lay where: day by day, whatever was folded when."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.rows import DictRow

from shared.database.migrate import MIGRATIONS
from shared.database.pool import Database
from shared.errors import InvalidInput
from shared.models.axes import Status
from shared.models.byte_history import ByteDay
from shared.repositories.statistics import StatisticsRepository
from shared.services.artifact_service import ArtifactService
from shared.services.byte_history import ByteHistoryService
from tests.integration.clock import TickingClock
from tests.integration.registering import create

DAY = timedelta(days=1)
FIRST = date(2026, 1, 1)
NOW_COUNTED = """
SELECT coalesce(registry.tier_counted(storage_tier, disposition), '') AS storage_tier, status,
    count(*) AS artifacts, coalesce(sum(size_bytes), 0)::bigint AS bytes
FROM registry.artifacts WHERE disposition <> 'purged' GROUP BY 1, 2
"""
Told = dict[tuple[str | None, Status], tuple[int, int]]


@pytest.fixture
def history(database: Database, clock: TickingClock) -> ByteHistoryService:
    return ByteHistoryService(database, clock)


def on(days: list[ByteDay], day: date) -> Told:
    return {
        (each.storage_tier, each.status): (each.artifacts, each.bytes)
        for each in days
        if each.day == day
    }


def counted(sql: psycopg.Connection[DictRow]) -> Told:
    return {
        (row["storage_tier"] or None, Status(row["status"])): (row["artifacts"], row["bytes"])
        for row in sql.execute(NOW_COUNTED)
    }


def purge(sql: psycopg.Connection[DictRow], artifact_id: UUID, at: datetime) -> None:
    sql.execute(
        "UPDATE registry.artifacts SET disposition = 'purged', purged_at = %s, updated_at = %s "
        "WHERE artifact_id = %s AND disposition = 'deleted'",
        [at, at, artifact_id],
    )


def cool(sql: psycopg.Connection[DictRow], artifact_id: UUID, tier: str, at: datetime) -> None:
    sql.execute(
        "UPDATE registry.artifacts SET storage_tier = %s, updated_at = %s WHERE artifact_id = %s",
        [tier, at, artifact_id],
    )


def test_each_day_tells_what_lay_where_when_it_ended(
    history: ByteHistoryService,
    artifacts: ArtifactService,
    clock: TickingClock,
    sql: psycopg.Connection[DictRow],
) -> None:
    first = create(artifacts, "1", size_bytes=10, storage_tier="Hot")
    clock.now += DAY
    create(artifacts, "2", size_bytes=5)
    clock.now += DAY
    cool(sql, first.artifact_id, "Cool", clock.now)
    clock.now += DAY
    artifacts.mark_deleted(first.artifact_id)
    clock.now += 2 * DAY
    purge(sql, first.artifact_id, clock.now)
    artifacts.fold_changes()
    days = history.read(30).days
    active = {(None, Status.ACTIVE): (1, 5)}
    assert [on(days, FIRST + n * DAY) for n in range(6)] == [
        {("Hot", Status.ACTIVE): (1, 10)},
        {("Hot", Status.SUPERSEDED): (1, 10)} | active,
        {("Cool", Status.SUPERSEDED): (1, 10)} | active,
        {("Cool", Status.DELETED): (1, 10)} | active,
        {("Cool", Status.DELETED): (1, 10)} | active,
        active,
    ]
    assert {each.day for each in days} == {FIRST + n * DAY for n in range(6)}
    assert history.read(2).days == [each for each in days if each.day >= FIRST + 4 * DAY]


def test_tiers_of_other_names_are_one(
    history: ByteHistoryService, artifacts: ArtifactService
) -> None:
    for tier in ("P4", "hot", "x"):
        create(artifacts, client_refs={"n": tier}, storage_tier=tier)
    artifacts.fold_changes()
    (told,) = history.read(1).days
    assert (told.storage_tier, told.artifacts) == ("other", 3)


def test_a_change_of_before_the_first_day_counts_on_the_first(
    history: ByteHistoryService, artifacts: ArtifactService, clock: TickingClock
) -> None:
    create(artifacts, client_refs={"n": 1})
    artifacts.fold_changes()
    clock.now -= 3 * DAY  # of a machine whose clock is behind
    create(artifacts, client_refs={"n": 2})
    artifacts.fold_changes()
    clock.now += 3 * DAY
    (told,) = history.read(30).days
    assert (told.day, told.artifacts) == (FIRST, 2)


def test_history_begins_with_what_was_there_and_what_was_noted_then_counts_once(
    history: ByteHistoryService,
    artifacts: ArtifactService,
    clock: TickingClock,
    sql: psycopg.Connection[DictRow],
) -> None:
    create(artifacts, size_bytes=3, client_refs={"n": 1})
    # As the code of before noted it; then the migration counts what is there.
    sql.execute("UPDATE registry.artifact_changes SET changed_at = NULL, new_tier = NULL")
    text = (MIGRATIONS / "0021-byte-history.sql").read_text()
    base = text[text.index("INSERT INTO registry.byte_days\nSELECT coalesce(counted.day") :]
    sql.execute(base[: base.index(";")].encode())
    begun = sql.execute("SELECT min(day) AS day FROM registry.byte_days").fetchone()
    assert begun
    clock.now = datetime.combine(begun["day"], time(12), UTC)
    create(artifacts, size_bytes=4, client_refs={"n": 2})
    artifacts.fold_changes()
    assert on(history.read(1).days, begun["day"]) == {(None, Status.ACTIVE): (2, 7)}
    assert {each.day for each in history.read(366).days} == {begun["day"]}


def test_so_many_days_and_no_more(history: ByteHistoryService) -> None:
    assert history.read(366).days == []
    for days in (0, 367, -1):
        with pytest.raises(InvalidInput) as refused:
            history.read(days)
        assert refused.value.pointer == "/days"


Step = tuple[str, int, int]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["register", "archive", "delete", "purge", "tier", "fold", "day"]),
        st.integers(0, 3),
        st.integers(0, 3),
    ),
    max_size=25,
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_whatever_happens_each_day_is_what_counting_gave_when_it_ended(
    history: ByteHistoryService,
    artifacts: ArtifactService,
    database: Database,
    clock: TickingClock,
    sql: psycopg.Connection[DictRow],
    steps: list[Step],
) -> None:
    expected: dict[date, Told] = {}
    made: list[Any] = []
    clock.now += DAY
    for action, which, what in steps:
        one = made[which % len(made)].artifact_id if made else None
        if action == "register":
            tier = [None, "Hot", "Cool", "odd"][what]
            refs = {"client_refs": {"n": which}, "storage_tier": tier, "size_bytes": what + 1}
            made.append(create(artifacts, f"{len(made)}", register_unchanged=True, **refs))
        elif action == "fold":
            with database.connection() as connection:
                StatisticsRepository(connection).fold_changes(most=what + 1, at_least=1)
        elif action == "day":
            expected[clock.now.date()] = counted(sql)
            clock.now += (what + 1) * DAY
        elif one:
            _change(artifacts, sql, clock, action, one)
    expected[clock.now.date()] = counted(sql)
    artifacts.fold_changes()
    days = history.read(366).days
    for day, told in expected.items():
        assert on(days, day) == told


def _change(
    artifacts: ArtifactService,
    sql: psycopg.Connection[DictRow],
    clock: TickingClock,
    action: str,
    artifact_id: UUID,
) -> None:
    status = artifacts.get_by_id(artifact_id).status
    if action == "delete":
        artifacts.mark_deleted(artifact_id)
    elif action == "archive" and status is not Status.DELETED:
        artifacts.mark_archived(artifact_id)
    elif action == "purge":
        purge(sql, artifact_id, clock())
    elif action == "tier" and status is not Status.DELETED:
        cool(sql, artifact_id, "Archive", clock())
