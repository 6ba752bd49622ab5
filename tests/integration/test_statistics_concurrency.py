"""Figures while everything else goes on, and after a folder was killed."""

import itertools
import random
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.rows import DictRow, dict_row

from shared.database.pool import Database
from shared.errors import InvalidTransition
from shared.repositories.statistics import StatisticsRepository
from shared.services.artifact_service import ArtifactService
from shared.services.transitions import ContentFacts
from tests.integration.clock import TickingClock
from tests.integration.counting import counted, duplicated
from tests.integration.registering import create, hash_of

THREADS, ROUNDS = 8, 40
_KNOWN = "SELECT content_hash FROM registry.duplicated_content"


def live(service: ArtifactService, seed: int) -> None:
    """Some registrations and what becomes of them, the same for a seed; clients share contents."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    for _ in range(ROUNDS):
        made = create(
            service,
            f"content {chance.randrange(12)}",
            client_type=chance.choice(["ddh", "other"]),
            client_refs={"n": chance.randrange(6)},
            size_bytes=chance.randrange(1000),
            row_count=chance.randrange(1000),
        )
        if chance.random() < 0.3:
            service.mark_deleted(made.artifact_id)


def test_figures_are_consistent_while_threads_register_delete_and_fold_and_exact_at_the_end(
    database_url: str, clock: TickingClock, sql: psycopg.Connection[DictRow]
) -> None:
    database = Database(database_url, size=THREADS + 4, timeout_seconds=60)
    service = ArtifactService(database, clock)
    writing = threading.Event()
    writing.set()

    def fold(most: int) -> int:
        folded = 0
        while writing.is_set():
            with database.connection() as connection:
                repository = StatisticsRepository(connection)
                folded += repository.fold_changes(most=most, at_least=1)
        return folded

    def read() -> int:
        seen = 0
        while writing.is_set():
            told = service.get_stats()
            # Nothing is ever taken back; a status that lost more than it had would be negative.
            assert told.artifact_count >= seen
            assert min(of.artifact_count for of in told.statuses.values()) >= 0
            assert sum(of.artifact_count for of in told.statuses.values()) == told.artifact_count
            active = [service.get_stats(client).asset_count for client in ("ddh", "other")]
            assert max(active) <= 6
            seen = told.artifact_count
        return seen

    with ThreadPoolExecutor(THREADS + 3) as threads:
        beside = [threads.submit(fold, 3), threads.submit(fold, 50), threads.submit(read)]
        try:
            list(threads.map(live, itertools.repeat(service), range(THREADS)))
        finally:
            writing.clear()
        assert sum(job.result() for job in beside[:2]) > 0
        assert beside[2].result() <= THREADS * ROUNDS
    for _ in ("with changes left", "all folded"):
        assert service.get_stats() == counted(sql)
        for client in ("ddh", "other"):
            assert service.get_stats(client) == counted(sql, client)
        service.fold_changes()
    database.close()
    assert {row["content_hash"] for row in sql.execute(_KNOWN)} == duplicated(sql)
    assert duplicated(sql)


def test_a_reader_sees_a_fold_as_a_whole_or_not_at_all(
    artifacts: ArtifactService, database_url: str, sql: psycopg.Connection[DictRow]
) -> None:
    create(artifacts, size_bytes=4)
    expected = counted(sql)
    with psycopg.Connection[DictRow].connect(database_url, row_factory=dict_row) as folding:
        assert StatisticsRepository(folding).fold_changes(most=10, at_least=1) == 1
        assert artifacts.get_stats() == expected
        folding.commit()
    assert artifacts.get_stats() == expected
    assert artifacts.fold_changes() == 0


def test_who_folds_is_alone_until_commit(
    artifacts: ArtifactService, database_url: str, sql: psycopg.Connection[DictRow]
) -> None:
    for n in range(2):
        create(artifacts, client_refs={"n": n})
    other = "SELECT pg_try_advisory_xact_lock(hashtext('registry.fold'), 0) AS is_free"
    with psycopg.Connection[DictRow].connect(database_url, row_factory=dict_row) as folding:
        assert StatisticsRepository(folding).fold_changes(most=1, at_least=1) == 1
        assert sql.execute(other).fetchone() == {"is_free": False}
    assert sql.execute(other).fetchone() == {"is_free": True}


def test_a_folder_that_was_killed_halfway_counts_nothing_twice_and_loses_nothing(
    artifacts: ArtifactService, database_url: str, sql: psycopg.Connection[DictRow]
) -> None:
    live(artifacts, 1)
    code = (
        "import sys, psycopg\n"
        "folding = psycopg.connect(sys.argv[1])\n"
        "folding.execute('SELECT registry.fold_changes(10, 1)')\n"
        "folding.commit()\n"
        "folding.execute('SELECT registry.fold_changes(10, 1)')\n"
        "print('folded', flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, database_url], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as folder:
        assert folder.stdout
        assert folder.stdout.readline() == b"folded\n"
        folder.kill()
    assert artifacts.get_stats() == counted(sql)
    artifacts.fold_changes()  # waits until the server noticed that the other is gone
    assert artifacts.get_stats() == counted(sql)
    assert sql.execute("SELECT FROM registry.artifact_changes").fetchone() is None


Step = tuple[str, int, int]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["register", "begin", "complete", "archive", "delete", "fold"]),
        st.integers(0, 3),
        st.integers(0, 2),
    ),
    max_size=25,
)


def _take(service: ArtifactService, made: list[Any], step: Step, fold: Any) -> None:
    action, which, content = step
    refs: dict[str, Any] = {"client_type": "ab"[which % 2], "client_refs": {"n": which // 2}}
    if action == "register":
        made.append(
            create(service, str(content), size_bytes=content + 1, register_unchanged=True, **refs)
        )
    elif action == "begin":
        made.append(create(service, processing="pending", **refs))
    elif action == "fold":
        fold(content + 1)
    elif made:
        artifact_id = made[(which * 7 + content) % len(made)].artifact_id
        try:
            if action == "complete":
                facts = ContentFacts(content_hash=hash_of(str(content)), row_count=content + 1)
                service.complete(artifact_id, facts)
            elif action == "archive":
                service.mark_archived(artifact_id)
            else:
                service.mark_deleted(artifact_id)
        except InvalidTransition:
            pass


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_whatever_happens_figures_and_groups_are_what_counting_gives(
    artifacts: ArtifactService,
    database: Database,
    sql: psycopg.Connection[DictRow],
    steps: list[Step],
) -> None:
    def fold(most: int) -> None:
        with database.connection() as connection:
            StatisticsRepository(connection).fold_changes(most=most, at_least=1)

    made: list[Any] = []
    for step in steps:
        _take(artifacts, made, step, fold)
        assert artifacts.get_stats() == counted(sql)
        assert artifacts.get_stats("a") == counted(sql, "a")
    groups = artifacts.list_duplicate_groups(limit=1000).groups
    assert {group.content_hash for group in groups} == duplicated(sql)
