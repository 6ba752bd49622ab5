"""Many at once: one asset, consecutive revisions, one current, an unbroken chain."""

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import psycopg
import pytest
from psycopg.rows import DictRow

from shared.database.pool import Database
from shared.models.artifacts import Artifact, ArtifactRegistration
from shared.models.ids import new_id
from shared.models.registrations import Origin, Outcome, Registration
from shared.repositories.artifacts import Observation
from shared.services.artifact_service import ArtifactService
from tests.integration.clock import TickingClock

THREADS = 64
REFS = {"name": "contested"}


@pytest.mark.parametrize("rounds", [10, pytest.param(50, marks=pytest.mark.long)])
def test_64_threads_of_many_rounds_leave_one_unbroken_chain(
    database_url: str, clock: TickingClock, sql: psycopg.Connection[DictRow], rounds: int
) -> None:
    database = Database(database_url, size=24, timeout_seconds=60)
    service = ArtifactService(database, clock)
    start = threading.Barrier(THREADS)

    def register_in_rounds(_: int) -> list[Artifact]:
        start.wait()
        return [
            service.create_artifact(client_type="x", client_refs=REFS, overwrite=True)
            for _ in range(rounds)
        ]

    with ThreadPoolExecutor(THREADS) as threads:
        answers = [a for made in threads.map(register_in_rounds, range(THREADS)) for a in made]
    database.close()

    rows = sql.execute("SELECT * FROM registry.artifact_records ORDER BY revision").fetchall()
    assert [row["revision"] for row in rows] == list(range(1, THREADS * rounds + 1))
    assert sorted(answer.revision for answer in answers) == [row["revision"] for row in rows]
    for before, after in pairwise(rows):
        assert before["superseded_by"] == after["artifact_id"]
        assert after["supersedes"] == before["artifact_id"]
    assert [row["status"] for row in rows].count("active") == 1
    assets = sql.execute("SELECT * FROM registry.assets").fetchall()
    assert [a["current_artifact_id"] for a in assets] == [rows[-1]["artifact_id"]]
    assert rows[0]["supersedes"] is None
    assert rows[-1]["superseded_by"] is None


def test_first_registrations_at_once_make_one_asset_and_one_chain(
    database_url: str, clock: TickingClock, sql: psycopg.Connection[DictRow]
) -> None:
    database = Database(database_url, size=16, timeout_seconds=60)
    service = ArtifactService(database, clock)
    start = threading.Barrier(16)

    def register_the_first(number: int) -> None:
        for name in range(20):
            start.wait()
            service.create_artifact(
                client_type="x", client_refs={"name": name}, overwrite=True, size_bytes=number
            )

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(register_the_first, range(16)))
    database.close()
    rows = sql.execute(
        "SELECT asset_id, count(*) AS revisions, max(revision) AS last, "
        "count(*) FILTER (WHERE supersedes IS NULL) AS firsts "
        "FROM registry.artifacts GROUP BY asset_id"
    ).fetchall()
    assert [(r["revisions"], r["last"], r["firsts"]) for r in rows] == [(16, 16, 1)] * 20


def test_completing_deleting_and_registering_at_once_keep_the_chain_whole(
    database_url: str, clock: TickingClock, sql: psycopg.Connection[DictRow]
) -> None:
    database = Database(database_url, size=16, timeout_seconds=60)
    service = ArtifactService(database, clock)
    start = threading.Barrier(16)

    def live(number: int) -> None:
        start.wait()
        for _ in range(10):
            pending = service.create_artifact(
                client_type="x", client_refs=REFS, overwrite=True, processing="pending"
            )
            service.complete(pending.artifact_id)
            made = service.create_artifact(client_type="x", client_refs=REFS, overwrite=True)
            if number % 4 == 0:
                service.mark_deleted(made.artifact_id)

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(live, range(16)))
    database.close()
    rows = sql.execute("SELECT * FROM registry.artifacts ORDER BY revision").fetchall()
    assert [row["revision"] for row in rows] == list(range(1, 321))
    by_id = {row["artifact_id"]: row for row in rows}
    for row in rows:
        if row["superseded_by"]:
            assert by_id[row["superseded_by"]]["supersedes"] == row["artifact_id"]
            assert by_id[row["superseded_by"]]["revision"] > row["revision"]
    active = [row["artifact_id"] for row in rows if row["status"] == "active"]
    asset = sql.execute("SELECT current_artifact_id FROM registry.assets").fetchone()
    assert asset
    assert active == [current for current in asset.values() if current]


def test_the_same_event_many_times_at_once_registers_once(
    database_url: str, clock: TickingClock, sql: psycopg.Connection[DictRow]
) -> None:
    database = Database(database_url, size=16, timeout_seconds=60)
    service = ArtifactService(database, clock)
    start = threading.Barrier(16)
    registration = ArtifactRegistration.model_validate(
        {
            "client_type": "blob",
            "client_refs": REFS,
            "overwrite": True,
            "storage_account": "a",
            "container": "c",
            "blob_path": str(new_id()),
            "blob_etag": "e1",
            "content_hash": "ab" * 32,
        }
    )

    def register(number: int) -> Registration:
        start.wait()
        return service.register(registration, Origin("test"), Observation(number + 1, None))

    with ThreadPoolExecutor(16) as threads:
        registered = list(threads.map(register, range(16)))
    database.close()
    assert [r.outcome for r in registered].count(Outcome.CREATED) == 1
    assert {r.artifact.revision for r in registered} == {1}
    count = sql.execute("SELECT count(*) AS n FROM registry.artifacts").fetchone()
    assert count == {"n": 1}
