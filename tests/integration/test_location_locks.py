"""Locks of locations, and of what is noted beside them: of the right place, and in one order."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from psycopg.errors import SerializationFailure
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from shared.models.backfills import Hashing
from shared.services.artifact_service import ArtifactService
from tests.end_to_end.waiting import wait_for
from tests.integration.backfilling import ORIGIN, Backfilling, backfilling
from tests.integration.locks import somebody_waits
from tests.integration.registering import create
from tests.integration.uploads import Uploads

__all__ = ["backfilling"]  # a fixture that is asked for by its name

Rows = psycopg.Connection[DictRow]

_HELD_BACK = """
CREATE FUNCTION registry.hold_back() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(42);
    RETURN NEW;
END $$;
CREATE TRIGGER held_back BEFORE INSERT ON registry.sightings FOR EACH ROW
    EXECUTE FUNCTION registry.hold_back();
"""
_HELD = """
SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 42 AND NOT granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def test_two_looks_that_forget_each_other_s_location_do_not_wait_for_each_other(
    database_url: str, sql: Rows
) -> None:
    """Both are held back where they keep their own; the old ones are there to be forgotten."""
    keys = [uuid.uuid4(), uuid.uuid4()]
    for key in keys:
        sql.execute("INSERT INTO registry.sightings VALUES (%s, 1, 'e', NULL, '2020-01-01')", [key])
    sql.execute(_HELD_BACK)

    def look(key: uuid.UUID) -> None:
        with psycopg.connect(database_url, autocommit=True) as connection:
            keep = "SELECT registry.keep_sighting(ROW(%s, 2, 'e', NULL, '2020-02-01'))"
            connection.execute(keep, [key])

    with ThreadPoolExecutor(2) as threads:
        with sql.transaction():
            sql.execute("SELECT pg_advisory_xact_lock(42)")
            looks = [threads.submit(look, key) for key in keys]
            wait_for("two looks that wait", lambda: _waiting(sql) == len(keys))
        for each in looks:
            each.result(timeout=30)
    kept = sql.execute("SELECT observation FROM registry.sightings").fetchall()
    assert kept == [{"observation": 2}] * 2


def test_hashes_are_asked_for_in_one_order_whatever_the_order_of_the_list(
    backfilling: Backfilling, uploads: Uploads, sql: Rows
) -> None:
    for name in ("c", "a", "b"):
        uploads.put(name, b"x")
        backfilling.run()
    sql.execute("UPDATE registry.artifacts SET is_final = true WHERE blob_path = 'c'")  # moves it
    backfilling.run(hashing=Hashing.LATER)
    noted = sql.execute("SELECT artifact_id FROM registry.unhashed ORDER BY ctid").fetchall()
    assert len(noted) == 3
    assert noted == sorted(noted, key=lambda row: row["artifact_id"])


def test_bytes_that_move_while_they_are_waited_for_are_not_held(
    artifacts: ArtifactService, database_url: str, sql: Rows
) -> None:
    """The lock that was waited for is of another location than theirs now."""
    left = {"storage_account": "a", "container": "c", "blob_path": "left"}
    made = create(artifacts, "x", **left)
    place = left | {"blob_path": "new", "blob_etag": "e", "observation": 1, "uri": "https://x/new"}
    request = {
        "artifact_id": str(made.artifact_id),
        "content_hash": made.content_hash,
        "left": left,
        "absence": 2,
        "artifact": place,
        "origin": ORIGIN.as_json(),
        "at": made.created_at.isoformat(),
    }

    def hold() -> None:
        with psycopg.connect(database_url) as connection:
            connection.execute("SELECT registry.hold_bytes(%s)", [made.artifact_id])

    with ThreadPoolExecutor(1) as thread:
        with sql.transaction():
            moved = sql.execute("SELECT registry.move_location(%s) AS is_moved", [Jsonb(request)])
            assert moved.fetchone() == {"is_moved": True}
            waiting = thread.submit(hold)
            wait_for("somebody who waits for the bytes", lambda: somebody_waits(sql))
        with pytest.raises(SerializationFailure):
            waiting.result(timeout=30)
    hold()


def _waiting(sql: Rows) -> int:
    return len(sql.execute(_HELD).fetchall())
