"""The last release goes on while today's migrations are applied, and beside today's code."""

import json
import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import DictRow

from devhost.stack.azurite import Azurite
from shared.database.migrate import migrate
from shared.database.pool import Database
from shared.services.artifact_service import ArtifactService
from shared.services.figures import FiguresService
from shared.services.trail_relay import TrailRelay
from tests.databases import own_database
from tests.integration.auditing import assert_whole, own_trail
from tests.integration.figuring import counted_figures, told_figures
from tests.integration.sealed import closed, opened
from tests.upgrade.releases import HERE, MIGRATIONS, released_files
from tests.upgrade.working import CONTESTED

Sql = psycopg.Connection[DictRow]
MOST_GIVEN_UP = 5
"""Statements of one process, which makes one after the other, while five migrations are applied."""
_BRINGS_IT_UP = "import sys; from shared.database.migrate import migrate; migrate(sys.argv[1])"


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return released_files(tmp_path_factory.mktemp("release"), "shared")


def test_todays_migrations_go_on_from_those_of_the_release(release: Path) -> None:
    """Else the other tests here prove nothing: see `RELEASE`."""
    then, now = (_migrations(tree) for tree in (release, HERE))
    assert len(then) < len(now)
    assert {name: now[name] for name in then} == then
    assert sorted(now)[: len(then)] == sorted(then)


def _migrations(tree: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (tree / MIGRATIONS).glob("*.sql")}


def test_the_release_works_on_while_migrations_are_applied_and_beside_todays_code(
    release: Path, postgres: str, azurite: Azurite, unique_name: str
) -> None:
    with own_database(postgres) as url:
        subprocess.run(_python("-c", _BRINGS_IT_UP, url), env=_on(release), check=True)
        with working(release, url, "before") as before:
            pending = {Path(name).stem for name in _migrations(HERE)} - {
                Path(name).stem for name in _migrations(release)
            }
            assert set(migrate(url)) == pending
            with working(HERE, url, "after") as after:
                told_after = ended(after)
            told_before = ended(before)
        assert told_before.pop("code").startswith(str(release))
        assert told_after.pop("code").startswith(str(HERE / "shared"))
        # PostgreSQL gives up what is under way while a table gets columns. Since then, code takes
        # that for a fault that passes; nothing of such a statement stays.
        assert told_before.pop("given up", 0) <= MOST_GIVEN_UP
        for told in (told_before, told_after):
            assert told.pop("to be repeated", 0) <= MOST_GIVEN_UP
            assert set(told) == {"contested", "own", "deleted"}
        database, sql = opened(url)
        assert_consistent(sql, told_before["contested"] + told_after["contested"])
        assert_counted(database, sql)
        assert_told(database, sql, azurite, unique_name)
        closed(database, sql)


def assert_consistent(sql: Sql, registered: int) -> None:
    """One chain of what both registered, with one current end."""
    rows = sql.execute(
        "SELECT * FROM registry.artifact_records WHERE client_refs = %s ORDER BY revision",
        [json.dumps(CONTESTED)],
    ).fetchall()
    assert [row["revision"] for row in rows] == list(range(1, registered + 1))
    for earlier, later in pairwise(rows):
        assert earlier["superseded_by"] == later["artifact_id"]
        assert later["supersedes"] == earlier["artifact_id"]
    assert [row["status"] for row in rows[:-1]] == ["superseded"] * (registered - 1)
    assert rows[-1]["status"] == "active"


def assert_counted(database: Database, sql: Sql) -> None:
    """Whoever folded changes, figures are what there is."""
    ArtifactService(database, _now).fold_changes()
    told = told_figures(FiguresService(database, _now).get_statistics())
    assert told == counted_figures(sql)


def assert_told(database: Database, sql: Sql, azurite: Azurite, unique_name: str) -> None:
    """The trail has every change of both, also those from before it was there."""
    [waiting] = sql.execute("SELECT count(*) AS events FROM registry.outbox").fetchall()
    with own_trail(azurite.connection_string, unique_name) as trail:
        assert TrailRelay(database, trail.table, _now).relay(60) == waiting["events"]
        assert_whole(trail, sql, waiting["events"])


@contextmanager
def working(tree: Path, url: str, name: str) -> Generator["subprocess.Popen[str]"]:
    """A process that works by the code of a tree, once it does."""
    script = str(HERE / "tests/upgrade/working.py")
    process = subprocess.Popen(
        _python(script, url, name),
        env=_on(tree),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr
    try:
        first = process.stderr.readline()
        assert first == "working\n", first + process.stderr.read()
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        process.communicate()


def ended(process: "subprocess.Popen[str]") -> dict[str, Any]:
    """What it did, once it was told to end."""
    told, trouble = process.communicate()
    assert process.returncode == 0, trouble
    return json.loads(told)


def _on(tree: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}


def _python(*arguments: str) -> list[str]:
    return [sys.executable, "-P", *arguments]


def _now() -> datetime:
    return datetime.now(UTC)
