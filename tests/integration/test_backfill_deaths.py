"""Whoever is killed while he registers or hashes what was there before: all of it is done once."""

import hashlib
import signal
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import DictRow

from devhost.stack.azurite import Azurite
from shared.models.backfills import Hashing
from shared.models.content_hash import content_hash_of
from tests.integration.backfill_deaths import PAGE_ROWS, Death, Ground, hash_all, live, run_backfill
from tests.integration.backfilling import Backfilling, backfilling, row, write_csv
from tests.integration.uploads import Uploads

__all__ = ["backfilling"]  # a fixture that is asked for by its name

BLOBS = 60 * PAGE_ROWS
METHODS = ("begin", "register_listed", "advance")
DEATHS = [
    *(
        Death("repository", method, when, call)
        for method in METHODS
        for when in ("before", "while", "after")
        for call in ((1,) if method == "begin" else (1, 2, 3))
    ),
]
HASHING_DEATHS = [
    Death("queue", "send", "before", 1),
    Death("queue", "send", "after", 1),
    *(
        Death("repository", method, when, call)
        for method, calls in (("claim_unhashed", (1,)), ("record_hash", (1, 2)))
        for when in ("before", "while", "after")
        for call in calls
    ),
]


@pytest.fixture
def ground(azurite: Azurite, backfilling: Backfilling, database_url: str, tmp_path: Path) -> Ground:
    rows = [row(backfilling.scope.container, f"{number:05}") for number in range(BLOBS)]
    inventory = write_csv(tmp_path / "inventory.csv", rows)
    return Ground(database_url, azurite.connection_string, backfilling.scope.container, inventory)


def counted(sql: psycopg.Connection[DictRow]) -> dict[str, int]:
    row = sql.execute("""
        SELECT (SELECT count(*) FROM registry.assets) AS assets,
            (SELECT count(*) FROM registry.artifacts WHERE revision = 1) AS first_revisions,
            (SELECT count(*) FROM registry.artifacts) AS artifacts,
            (SELECT count(DISTINCT artifact_id) FROM registry.outbox
             WHERE operation = 'artifact_creation') AS told,
            (SELECT count(*) FROM registry.outbox) AS events,
            (SELECT count(*) FROM registry.artifact_changes) AS notes,
            (SELECT count(*) FROM registry.unhashed) AS unhashed""").fetchone()
    assert row
    return row


def test_a_backfill_that_is_killed_again_and_again_registers_everything_once(
    ground: Ground, sql: psycopg.Connection[DictRow]
) -> None:
    for death in DEATHS:
        assert live(run_backfill, ground, death) == -signal.SIGKILL, death
    assert live(run_backfill, ground, None) == 0
    assert set(counted(sql).values()) == {BLOBS}
    done = sql.execute("SELECT completed_at, counts FROM registry.backfills").fetchone()
    assert done
    assert done["completed_at"]
    assert sum(done["counts"].values()) == BLOBS


def test_late_hashes_come_once_whoever_is_killed_on_the_way(
    ground: Ground, backfilling: Backfilling, uploads: Uploads, sql: psycopg.Connection[DictRow]
) -> None:
    names = [str(number) for number in range(len(HASHING_DEATHS) + 3)]
    for name in names:
        uploads.put(name, name.encode())
    backfilling.run(hashing=Hashing.LATER)
    for death in HASHING_DEATHS:
        assert live(hash_all, ground, death) == -signal.SIGKILL, death
        make_due(sql)
    assert live(hash_all, ground, None) == 0
    hashed = sql.execute("SELECT blob_path, content_hash FROM registry.artifacts").fetchall()
    assert {each["blob_path"]: each["content_hash"] for each in hashed} == {
        name: content_hash_of(hashlib.sha256(name.encode()).digest()) for name in names
    }
    told = sql.execute(
        "SELECT count(*) AS events, count(DISTINCT artifact_id) AS artifacts"
        " FROM registry.outbox WHERE operation = 'content_hashed'"
    ).fetchone()
    assert told == {"events": len(names), "artifacts": len(names)}
    assert counted(sql)["unhashed"] == 0


def make_due(sql: psycopg.Connection[DictRow]) -> None:
    """As an hour makes it."""
    sql.execute("UPDATE registry.unhashed SET due_at = '2026-01-01Z'")
