"""Hashes that are left for later come, once, and are those of the registered bytes."""

import hashlib
import json
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import DictRow

from shared.errors import StorageUnavailable
from shared.models.backfills import Hashing
from shared.models.content_hash import content_hash_of
from shared.services.artifact_service import ArtifactService
from shared.services.hash_later import MOST_IDS
from shared.storage.inventory import InventoryFile
from shared.storage.queues import StorageQueue
from tests.integration.backfilling import (
    HASHING_QUEUE,
    ORIGIN,
    Backfilling,
    backfilling,
    row,
    stored_by_path,
    write_csv,
)
from tests.integration.clock import TickingClock
from tests.integration.messages import set_aside, stored
from tests.integration.uploads import Uploads

__all__ = ["backfilling"]  # a fixture that is asked for by its name


def hash_of(content: bytes) -> str:
    return content_hash_of(hashlib.sha256(content).digest())


def waiting(sql: psycopg.Connection[DictRow]) -> int:
    return len(sql.execute("SELECT FROM registry.unhashed").fetchall())


def take(backfilling: Backfilling, *ids: object) -> None:
    body = json.dumps({"artifact_ids": [str(each) for each in ids]}).encode()
    backfilling.late.take(HASHING_QUEUE, body, ORIGIN)


def events(sql: psycopg.Connection[DictRow], operation: str) -> list[DictRow]:
    return sql.execute(
        "SELECT * FROM registry.outbox WHERE operation = %s ORDER BY position", [operation]
    ).fetchall()


def test_hashes_come_later_and_count_as_if_they_had_been_there(
    backfilling: Backfilling,
    uploads: Uploads,
    artifacts: ArtifactService,
    sql: psycopg.Connection[DictRow],
) -> None:
    for name in ("a", "b"):
        uploads.put(name, b"the same")
    uploads.put("empty", b"")
    backfilling.run(hashing=Hashing.LATER)
    assert waiting(sql) == 3
    backfilling.hash_all()
    found = stored_by_path(sql)
    assert {name: row["content_hash"] for name, row in found.items()} == {
        "a": hash_of(b"the same"),
        "b": hash_of(b"the same"),
        "empty": hash_of(b""),
    }
    assert waiting(sql) == 0
    told = events(sql, "content_hashed")
    assert {event["artifact_id"] for event in told} == {
        row["artifact_id"] for row in found.values()
    }
    assert [event["details"]["before"] for event in told] == [{"content_hash": None}] * 3
    artifacts.fold_changes()
    duplicated = sql.execute("SELECT * FROM registry.duplicated_content").fetchall()
    assert duplicated == [{"content_hash": hash_of(b"the same")}]
    totals = sql.execute(
        "SELECT artifact_count, size_bytes FROM registry.artifact_totals"
        " WHERE client_type = '' AND status = 'active'"
    ).fetchone()
    assert totals == {"artifact_count": 3, "size_bytes": 16}


def test_a_message_that_comes_twice_changes_nothing(
    backfilling: Backfilling, uploads: Uploads, sql: psycopg.Connection[DictRow]
) -> None:
    uploads.put("a", b"x")
    backfilling.run(hashing=Hashing.LATER)
    [artifact] = stored(sql)
    for _ in range(2):
        take(backfilling, artifact["artifact_id"])
    assert len(events(sql, "content_hashed")) == 1
    assert not set_aside(sql)


def test_bytes_of_another_state_are_registered_and_never_told_of_the_old_one(
    backfilling: Backfilling, uploads: Uploads, sql: psycopg.Connection[DictRow]
) -> None:
    uploads.put("a", b"old")
    backfilling.run(hashing=Hashing.LATER)
    uploads.put("a", b"new")
    backfilling.hash_all()
    assert [row["content_hash"] for row in stored(sql)] == [None, hash_of(b"new")]
    assert waiting(sql) == 0


def test_a_blob_that_is_gone_is_set_aside_alone_and_waited_for_no_longer(
    backfilling: Backfilling, uploads: Uploads, sql: psycopg.Connection[DictRow]
) -> None:
    for name in ("a", "b"):
        uploads.put(name, b"x")
    backfilling.run(hashing=Hashing.LATER)
    uploads.container.delete_blob("a")
    gone = stored_by_path(sql)["a"]["artifact_id"]
    backfilling.hash_all()
    [kept] = set_aside(sql)
    assert (kept["source"], kept["reason"]) == (HASHING_QUEUE, "blob_not_found")
    assert json.loads(kept["body"]) == {"artifact_ids": [str(gone)]}
    found = stored_by_path(sql)
    assert found["b"]["content_hash"] == hash_of(b"x")
    assert [found[name]["missing_since"] is None for name in ("a", "b")] == [False, True]
    assert waiting(sql) == 0


@pytest.mark.parametrize(
    "body", [b"no JSON", b"{}", b'{"artifact_ids": []}', b'{"artifact_ids": 7}']
)
def test_what_is_no_request_is_set_aside(
    backfilling: Backfilling, sql: psycopg.Connection[DictRow], body: bytes
) -> None:
    backfilling.late.take(HASHING_QUEUE, body, ORIGIN)
    assert [kept["reason"] for kept in set_aside(sql)] == ["malformed_message"]


def test_nobody_waits_for_what_is_deleted_or_unknown(
    backfilling: Backfilling,
    uploads: Uploads,
    artifacts: ArtifactService,
    sql: psycopg.Connection[DictRow],
) -> None:
    uploads.put("a", b"x")
    backfilling.run(hashing=Hashing.LATER)
    [artifact] = stored(sql)
    artifacts.mark_deleted(artifact["artifact_id"])
    take(backfilling, artifact["artifact_id"], "00000000-0000-7000-8000-000000000000")
    assert (waiting(sql), set_aside(sql)) == (0, [])
    assert stored(sql)[0]["content_hash"] is None


def test_messages_hold_a_hundred_artifacts_and_are_sent_again_after_an_hour_only(
    backfilling: Backfilling, uploads: Uploads, clock: TickingClock
) -> None:
    count = MOST_IDS + 1
    for number in range(count):
        uploads.put(f"{number:03}", b"x")
    backfilling.run(hashing=Hashing.LATER)
    assert backfilling.late.send_due() == 2
    sent = backfilling.sent()
    assert [len(ids) for ids in sent] == [MOST_IDS, 1]
    assert len({each for ids in sent for each in ids}) == count
    assert backfilling.late.send_due() == 0
    clock.now += timedelta(hours=1)
    assert backfilling.late.send_due() == 2


def test_what_could_not_be_sent_is_due_still(
    backfilling: Backfilling, uploads: Uploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploads.put("a", b"x")
    backfilling.run(hashing=Hashing.LATER)

    def fail(*_: object) -> None:
        raise StorageUnavailable

    with monkeypatch.context() as broken:
        broken.setattr(StorageQueue, "send", fail)
        with pytest.raises(StorageUnavailable):
            backfilling.late.send_due()
    assert backfilling.late.send_due() == 1


def test_asking_for_hashes_afterwards_asks_for_those_that_are_missing(
    backfilling: Backfilling, uploads: Uploads, sql: psycopg.Connection[DictRow]
) -> None:
    uploads.put("a", b"x")
    backfilling.ingestion.register_blob(uploads.put("hashed", b"y"), ORIGIN)
    backfilling.run(hashing=Hashing.NEVER)
    assert waiting(sql) == 0
    backfilling.run(hashing=Hashing.LATER)
    assert waiting(sql) == 1


def test_archived_blobs_are_not_asked_for(
    backfilling: Backfilling, tmp_path: Path, sql: psycopg.Connection[DictRow]
) -> None:
    tiers = {"a": "Archive", "b": "Cool"}
    rows = [row(backfilling.scope.container, name, AccessTier=tier) for name, tier in tiers.items()]
    listed = InventoryFile(write_csv(tmp_path / "i.csv", rows), backfilling.scope)
    backfilling.run(listed, Hashing.LATER)
    assert stored_by_path(sql).keys() == tiers.keys()
    assert waiting(sql) == 1


def test_hashing_now_hashes_what_an_earlier_run_left(
    backfilling: Backfilling, uploads: Uploads, sql: psycopg.Connection[DictRow]
) -> None:
    uploads.put("before", b"x")
    backfilling.run(hashing=Hashing.LATER)
    uploads.put("since", b"y")
    backfilling.run(hashing=Hashing.NOW)
    found = stored_by_path(sql)
    assert found["before"]["content_hash"] == hash_of(b"x")
    assert found["since"]["content_hash"] == hash_of(b"y")
    assert waiting(sql) == 0


def test_a_hash_is_filled_in_once_for_good(
    backfilling: Backfilling, uploads: Uploads, sql: psycopg.Connection[DictRow]
) -> None:
    uploads.put("a", b"x")
    backfilling.run(hashing=Hashing.NOW)
    for content_hash, size_bytes in ((hash_of(b"other"), 1), (None, 1), (hash_of(b"x"), 7)):
        with pytest.raises(psycopg.errors.IntegrityError, match="content facts never change"):
            sql.execute(
                "UPDATE registry.artifacts SET content_hash = %s, size_bytes = %s",
                [content_hash, size_bytes],
            )
