"""The benches run on a real database; how fast is not a test's business."""

import math
import os
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import DictRow
from psycopg.sql import SQL, Identifier

from bench import batch, chain, http_api, peers, registration
from bench.http_data import fill
from bench.http_load import Load, UnexpectedAnswer, host_header, request_bytes
from bench.http_requests import registration_body
from bench.http_servers import ServerFailed, running_server, running_worker
from bench.http_worker import WorkerApp
from bench.peer import Peer, PeerMissing
from bench.peer_environment import peer_python
from bench.ratio import Ratio
from bench.registration import Effort
from bench.report import keep, ratio_figures
from bench.services import another_database
from shared.database.pool import Database
from shared.models.artifacts import ArtifactRegistration
from shared.services.artifact_service import ArtifactService

EFFORT = Effort(rounds=1, per_round=3, rows_before=50)


@pytest.fixture
def ratios(database_url: str) -> list[Ratio]:
    return registration.measure(database_url, EFFORT)


def test_every_registration_ratio_is_a_finite_positive_number(ratios: list[Ratio]) -> None:
    assert len(ratios) == 2 * len(registration.THREADS)
    assert all(math.isfinite(ratio.ratio) and ratio.ratio > 0 for ratio in ratios)


def test_registered_and_plain_rows_fill_the_same_columns(
    ratios: list[Ratio], sql: psycopg.Connection[DictRow]
) -> None:
    rows = sql.execute("SELECT * FROM registry.artifact_records").fetchall()
    of_kind = {kind: [r for r in rows if r["client_type"] == kind] for kind in ("bench", "plain")}
    assert all(of_kind.values())
    filled = [{frozenset(_filled(row)) for row in of_one_kind} for of_one_kind in of_kind.values()]
    assert filled[0] == filled[1]
    assert len(filled[0]) == 1


def _filled(row: DictRow) -> set[str]:
    links = {"supersedes", "superseded_by", "superseded_at"}  # filled where registering supersedes
    return {column for column, value in row.items() if value is not None} - links


@pytest.mark.long
def test_every_route_is_measured_on_both_sizes(postgres: str, tmp_path: Path) -> None:
    canned, empty, *others = http_api.measure(postgres, http_api.QUICK, tmp_path)
    assert canned.artifacts is None
    assert empty.artifacts is None
    routes = ["register", "get by id", "history of 10", "list page of 100"]
    sizes = (http_api.QUICK.few, http_api.QUICK.many)
    measured = [(each.route.name, each.artifacts) for each in others]
    assert measured == [(route, size) for size in sizes for route in routes]
    assert all(math.isfinite(each.rate) and each.rate > 0 for each in others)


def test_filling_makes_what_registering_makes(
    postgres: str,
    database: Database,
    artifacts: ArtifactService,
    sql: psycopg.Connection[DictRow],
) -> None:
    artifacts.register(ArtifactRegistration.model_validate_json(registration_body()))
    with another_database(postgres) as url, _connected(url) as filled:
        fill(filled, 40)
        with filled.connection() as connection:
            passing = {"artifact_changes", "commits", "outbox"}  # relayed and folded
            assert _tables_with_rows(sql) - _tables_with_rows(connection) == passing
            assert _columns_filled(sql) == _columns_filled(connection)


@contextmanager
def _connected(url: str) -> Generator[Database]:
    database = Database(url, size=1, timeout_seconds=10)
    yield database
    database.close()


def _tables_with_rows(connection: psycopg.Connection[DictRow]) -> set[str]:
    tables = connection.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'registry'"
    ).fetchall()
    names = {row["tablename"] for row in tables}
    return {name for name in names if _has_rows(connection, name)}


def _has_rows(connection: psycopg.Connection[DictRow], table: str) -> bool:
    query = SQL("SELECT FROM {} LIMIT 1").format(Identifier("registry", table))
    return connection.execute(query).fetchone() is not None


def _columns_filled(connection: psycopg.Connection[DictRow]) -> set[str]:
    rows = connection.execute("SELECT * FROM registry.artifact_records").fetchall()
    return set[str]().union(*(_filled(row) for row in rows))


def test_a_chain_is_measured_against_queries_that_find_the_same(database_url: str) -> None:
    ratios = chain.measure(database_url, chain.QUICK)  # itself compares what is found
    assert len(ratios) == 2
    assert all(math.isfinite(ratio.ratio) and ratio.ratio > 0 for ratio in ratios)


def test_batches_registered_and_inserted_plainly_fill_the_same_columns(
    database_url: str, sql: psycopg.Connection[DictRow], tmp_path: Path
) -> None:
    ratios = batch.measure(database_url, batch.QUICK, tmp_path)
    assert all(math.isfinite(ratio.ratio) and ratio.ratio > 0 for ratio in ratios)
    rows = sql.execute("SELECT * FROM registry.artifact_records WHERE revision = 1").fetchall()
    plain = [_filled(row) for row in rows if row["client_type"] == "plain"]
    ours = [_filled(row) for row in rows if row["client_type"] == "bench"]
    batches = batch.QUICK.rounds + 1
    assert len(plain) == batch.QUICK.artifacts * batches
    assert {frozenset(columns) for columns in plain} == {frozenset(columns) for columns in ours}


@pytest.mark.long
def test_a_peer_that_is_missing_is_told_of_and_the_others_are_measured(
    postgres: str, tmp_path: Path
) -> None:
    """Here the other one is our own registry once more."""

    def absent(running: ExitStack) -> Peer:
        raise PeerMissing("needs what is not here")

    def twin(running: ExitStack) -> Peer:
        return replace(peers.start_ours(postgres, 40, tmp_path, running), name="twin")

    starts = {"absent": absent, "twin": twin}
    ratios, ways = peers.measure(postgres, peers.QUICK, tmp_path, starts)
    assert [row[0] for row in ratios.rows] == [
        "register, 8 clients / twin",
        "find by content hash, 1 client / twin",
        "find by content hash, 8 clients / twin",
    ]
    assert [row[1] for row in ways.rows if row[0] == "absent"] == [
        "not measured: needs what is not here"
    ]


def test_a_peer_whose_python_is_not_here_is_missing_and_no_path_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    requirements = tmp_path / "peers-none.txt"
    requirements.touch()
    with pytest.raises(PeerMissing) as raised:
        peer_python(requirements, "3.99")
    assert str(raised.value) == "needs Python 3.99, which is not on this machine"


def test_an_answer_that_was_not_asked_for_ends_a_measurement(tmp_path: Path) -> None:
    with running_worker(WorkerApp.EMPTY, os.environ, tmp_path) as server:
        missing = request_bytes("GET", "/missing", host_header(server.url))
        with Load(server.url, connections=2) as load, pytest.raises(UnexpectedAnswer, match="404"):
            load.send([missing] * 4)


def test_a_server_that_ends_by_itself_is_told_with_its_last_words(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "print('no more'); raise SystemExit(3)"]
    server = running_server(command, "http://127.0.0.1:9", os.environ, tmp_path / "log")
    with pytest.raises(ServerFailed, match="exit code 3") as raised, server:
        pass
    assert "no more" in raised.value.__notes__[0]


def test_a_kept_run_says_what_missed_its_target(tmp_path: Path) -> None:
    ratios = [Ratio("fast", 1.0, 0.5, "1/s"), Ratio("slow", 0.4, 0.5, "2/s")]
    path = tmp_path / "RESULTS.md"
    keep([ratio_figures("Speed", ratios)], 0.5, datetime(2026, 1, 2, 3, 4, tzinfo=UTC), path)
    text = path.read_text()
    assert "2026-01-02 03:04 UTC" in text
    assert "| fast | 1.00 | ≥ 0.50 | met | 1/s |" in text
    assert "| slow | 0.40 | ≥ 0.50 | missed | 2/s |" in text
