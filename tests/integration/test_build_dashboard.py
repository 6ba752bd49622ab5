"""Figures of builds: exact at every instant, whatever was folded."""

import itertools
import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from statistics import quantiles
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import DictRow, dict_row

from shared.database.pool import Database
from shared.errors import InvalidInput, RegistryError, Retryable
from shared.models.build_dashboard import BuildCount, BuildDashboard
from shared.models.build_resumes import ResumeChange, ResumeRequest, ResumeStatus
from shared.models.build_states import FailureReport, StateReport
from shared.models.builds import BuildRequest
from shared.models.registrations import Origin
from shared.repositories.build_dashboard import BuildDashboardRepository
from shared.services import statistics
from shared.services.build_dashboard import LARGEST, BuildDashboardService
from shared.services.build_resumes import BuildResumeService
from shared.services.build_states import BuildStateService
from shared.services.builds import BuildService
from tests.integration.clock import TickingClock

ORIGIN = Origin("key:7", "request 7")
THREADS, ROUNDS = 4, 12
PROJECTS = [None, "images", "tools"]


@pytest.fixture
def dashboard(database: Database) -> BuildDashboardService:
    return BuildDashboardService(database)


def make(database: Database, number: str, **facets: Any) -> UUID:
    request = BuildRequest(build_number=number, **facets)
    return BuildService(database, TickingClock()).create(request, ORIGIN).id


def counted(sql: psycopg.Connection[DictRow], project: str | None = None) -> dict[str, Any]:
    """The figures, counted anew from the builds themselves."""
    rows = sql.execute(
        "SELECT status, project, platform, state_code AS state, resumes, saved_seconds"
        " FROM registry.runs WHERE project = %s OR %s",
        [project, project is None],
    ).fetchall()
    figures: dict[str, Any] = {
        f"by_{figure}": Counter(row[figure] for row in rows)
        for figure in ("status", "project", "platform", "state")
    }
    return figures | {
        "total": len(rows),
        "resumed_builds": sum(row["resumes"] > 0 for row in rows),
        "saved_seconds": pytest.approx(sum(row["saved_seconds"] for row in rows)),
    }


def told(seen: BuildDashboard) -> dict[str, Any]:
    """The same figures, as the dashboard tells them."""
    lists = {
        name: Counter({count.value: count.builds for count in getattr(seen, name)})
        for name in ("by_status", "by_project", "by_platform", "by_state")
    }
    amounts = ("total", "resumed_builds", "saved_seconds")
    return lists | {name: getattr(seen, name) for name in amounts}


def live(database: Database, seed: int) -> None:
    """A build and what becomes of it, the same for a seed."""
    chance, clock = random.Random(seed), TickingClock()  # noqa: S311 - no secret
    states, resumes = BuildStateService(database, clock), BuildResumeService(database, clock)
    facets = {"project": chance.choice(PROJECTS), "platform": chance.choice(["x86", "arm", None])}
    build = make(database, f"build {seed}", **facets)
    code = 0
    for code in sorted(chance.choices(range(0, 101, 20), k=ROUNDS)):
        stored = {"artifact_storage_type": "s3", "artifact_storage_path": f"s3://b/{code}"}
        report = StateReport.model_validate({"state_code": code, **stored})
        try:
            states.report(build, report, ORIGIN)
            if chance.random() < 0.3:
                states.fail(build, FailureReport(message="why"), ORIGIN)
                made = resumes.resume(build, ResumeRequest(), ORIGIN)
                if chance.random() < 0.7:
                    change = ResumeChange(status=ResumeStatus.COMPLETED)
                    resumes.change(build, made.id, change, ORIGIN)
        except RegistryError:
            continue


def test_every_figure_is_what_counting_gives_before_folding_and_after(
    dashboard: BuildDashboardService, database: Database, sql: psycopg.Connection[DictRow]
) -> None:
    for seed in range(20):
        live(database, seed)
    for _ in ("before folding", "after"):
        for project in PROJECTS:
            assert told(dashboard.read(project)) == counted(sql, project)
        dashboard.fold()
    seen = dashboard.read()
    assert 0 < seen.resumed_builds < seen.total == 20
    assert seen.resumed_share == seen.resumed_builds / 20
    assert seen.saved_seconds > 0
    assert len(seen.by_status) > 1
    assert {count.value for count in seen.by_project} == set(PROJECTS)
    assert sql.execute("SELECT FROM registry.run_changes").fetchone() is None


def test_folding_in_small_steps_keeps_every_figure_exact_between_them(
    dashboard: BuildDashboardService, database: Database, sql: psycopg.Connection[DictRow]
) -> None:
    for seed in range(4):
        live(database, seed)
    steps = 0
    with database.connection() as connection:
        repository = BuildDashboardRepository(connection)
        while repository.fold_changes(most=1, at_least=1):
            steps += 1
            assert told(dashboard.read()) == counted(sql)
            assert told(dashboard.read("images")) == counted(sql, "images")
    assert steps > 8


def test_figures_are_exact_after_threads_built_read_and_folded(
    database_url: str, sql: psycopg.Connection[DictRow]
) -> None:
    database = Database(database_url, size=THREADS + 4, timeout_seconds=60)
    dashboard = BuildDashboardService(database)
    writing = threading.Event()
    writing.set()

    def fold(most: int) -> int:
        folded = 0
        while writing.is_set():
            with database.connection() as connection:
                repository = BuildDashboardRepository(connection)
                folded += repository.fold_changes(most=most, at_least=1)
        return folded

    def read() -> int:
        seen = 0
        while writing.is_set():
            figures = dashboard.read()
            assert figures.total >= seen
            assert sum(count.builds for count in figures.by_state) == figures.total
            seen = figures.total
        return seen

    with ThreadPoolExecutor(THREADS + 3) as threads:
        beside = [threads.submit(fold, 3), threads.submit(fold, 50), threads.submit(read)]
        try:
            list(threads.map(live, itertools.repeat(database), range(40)))
        finally:
            writing.clear()
        assert sum(job.result() for job in beside[:2]) > 0
        assert beside[2].result() <= 40
    for _ in ("with changes left", "all folded"):
        for project in PROJECTS:
            assert told(dashboard.read(project)) == counted(sql, project)
        dashboard.fold()
    database.close()


def test_a_folder_that_was_killed_halfway_counts_nothing_twice_and_loses_nothing(
    dashboard: BuildDashboardService,
    database: Database,
    database_url: str,
    sql: psycopg.Connection[DictRow],
) -> None:
    live(database, 1)
    expected = counted(sql)
    folding = psycopg.Connection[DictRow].connect(database_url, row_factory=dict_row)
    assert BuildDashboardRepository(folding).fold_changes(most=3, at_least=1) == 3
    assert told(dashboard.read()) == expected
    assert folding.info.backend_pid
    sql.execute("SELECT pg_terminate_backend(%s)", [folding.info.backend_pid])
    folding.close()
    assert told(dashboard.read()) == expected
    dashboard.fold()
    assert told(dashboard.read()) == expected


@pytest.mark.parametrize("folded_before", [True, False])
def test_the_projects_with_the_most_builds_are_told_though_notes_change_their_order(
    dashboard: BuildDashboardService,
    sql: psycopg.Connection[DictRow],
    *,
    folded_before: bool,
) -> None:
    insert = (
        "INSERT INTO registry.runs (run_id, run_type, run_name, project, created_at, updated_at)"
        " SELECT gen_random_uuid(), 'build', name || ' ' || i, name, now(), now()"
        " FROM (SELECT format('project %%s', n) AS name, n FROM generate_series(1, 150) AS n"
        " WHERE n %% 2 = %s OR %s) AS projects, generate_series(1, %s) AS i"
    )
    sql.execute(insert, [0, True, 2])
    if folded_before:
        dashboard.fold()
    sql.execute(insert.replace("name || ' '", "name || ' again '"), [1, False, 3])
    seen = dashboard.read()
    assert len(seen.by_project) == LARGEST
    assert seen.total == 150 * 2 + 75 * 3
    odd = {f"project {n}" for n in range(1, 151, 2)}
    assert {count.value for count in seen.by_project[:75]} == odd
    assert {count.builds for count in seen.by_project[:75]} == {5}
    assert {count.builds for count in seen.by_project[75:]} == {2}


@pytest.mark.parametrize("project", ["nobody", "IMAGES", "'; --"])
def test_a_project_without_builds_has_zeros(
    dashboard: BuildDashboardService, database: Database, project: str
) -> None:
    make(database, "one", project="images")
    dashboard.fold()
    make(database, "other", project="images")
    seen = dashboard.read(project)
    assert (seen.total, seen.resumed_builds, seen.resumed_share, seen.saved_seconds) == (0, 0, 0, 0)
    assert [*seen.by_status, *seen.by_project, *seen.by_platform, *seen.by_state] == []
    assert seen.recent == []


@pytest.mark.parametrize("project", ["", "x" * 5000, "a\nb", "a\x00b", "\ud800"])
def test_a_project_that_cannot_be_is_refused(
    dashboard: BuildDashboardService, project: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        dashboard.read(project)
    assert refused.value.pointer == "/project"


def test_the_latest_builds_are_told_newest_first_of_all_or_of_one_project(
    dashboard: BuildDashboardService, database: Database
) -> None:
    made = [make(database, f"b {n}", project=PROJECTS[1 + n % 2]) for n in range(24)]
    assert [build.id for build in dashboard.read().recent] == made[:13:-1]
    assert [build.id for build in dashboard.read("tools").recent] == made[:3:-2]


def test_percentiles_are_those_of_the_latest_completed_attempts_at_each_state(
    dashboard: BuildDashboardService, database: Database, sql: psycopg.Connection[DictRow]
) -> None:
    build = make(database, "one")
    insert = (
        "INSERT INTO registry.steps (step_id, run_id, position, state_code, step_name, attempt,"
        " status, created_at, started_at, ended_at)"
        " SELECT gen_random_uuid(), %s, %s + i, %s, 'state', %s + i, %s, now(),"
        " at + i * interval '1 minute', at + i * interval '1 minute' + i * interval '1 second'"
        " FROM generate_series(1, %s) AS i, (SELECT %s::timestamptz AS at) AS of"
    )
    start = datetime(2026, 1, 1, tzinfo=UTC)
    sql.execute(insert, [build, 0, 7, 0, "completed", 1000, start])
    sql.execute(insert, [build, 2000, 7, 2000, "completed", 500, start - timedelta(days=9)])
    sql.execute(insert, [build, 4000, 7, 4000, "failed", 500, start])
    sql.execute(insert, [build, 6000, 100, 0, "completed", 1, start])
    first, last = dashboard.read().durations
    cuts = quantiles(range(1, 1001), n=100, method="inclusive")
    assert (first.state, first.attempts) == (7, 1000)
    assert [first.p50_seconds, first.p90_seconds, first.p95_seconds, first.p99_seconds] == (
        pytest.approx([cuts[49], cuts[89], cuts[94], cuts[98]])
    )
    assert (last.state, last.attempts, last.p50_seconds, last.p99_seconds) == (100, 1, 1, 1)


def test_what_no_project_and_no_platform_has_is_told_as_null(
    dashboard: BuildDashboardService, database: Database
) -> None:
    make(database, "one")
    seen = dashboard.read()
    for counts in (seen.by_project, seen.by_platform, seen.by_state):
        assert counts == [BuildCount(value=None, builds=1)]
    assert seen.by_status == [BuildCount(value="pending", builds=1)]


def test_who_reads_folds_many_changes_and_asks_to_come_back_where_there_are_more(
    dashboard: BuildDashboardService,
    database: Database,
    sql: psycopg.Connection[DictRow],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for n in range(9):
        make(database, f"b {n}")
    monkeypatch.setattr(statistics, "_MANY", 1)
    monkeypatch.setattr(statistics, "BATCH", 2)
    monkeypatch.setattr(statistics, "_BATCHES_PER_READ", 4)
    with pytest.raises(Retryable):
        dashboard.read()
    assert dashboard.read().total == 9
    assert sql.execute("SELECT FROM registry.run_changes").fetchone() is None
