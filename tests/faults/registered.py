"""What must hold of all that is registered, whatever happened on the way."""

import hashlib

import psycopg
from azure.storage.blob import ContainerClient
from psycopg.rows import DictRow

_DOUBLED = """
SELECT asset_id, storage_account, container, blob_path, blob_etag FROM registry.artifacts
WHERE blob_etag IS NOT NULL
GROUP BY asset_id, storage_account, container, blob_path, blob_etag HAVING count(*) > 1
"""
_BROKEN = """
SELECT asset_id FROM registry.artifact_records GROUP BY asset_id
HAVING max(revision) <> count(*) OR count(DISTINCT revision) <> count(*) OR min(revision) <> 1
    OR count(*) FILTER (WHERE status = 'active') > 1
    OR count(*) FILTER (WHERE supersedes IS NULL) <> 1
    OR count(*) FILTER (WHERE superseded_by IS NULL) <> 1
"""
_CURRENT = (
    "SELECT * FROM registry.artifact_records WHERE container = %s"
    " AND status = 'active' AND missing_since IS NULL"
)
_SET_ASIDE = "SELECT * FROM registry.set_aside_messages"

Rows = psycopg.Connection[DictRow]


def hash_of(content: bytes) -> str:
    """As the registry writes it."""
    return "1220" + hashlib.sha256(content).hexdigest()


def assert_whole(sql: Rows) -> None:
    """One artifact of an asset for a state of a blob; consecutive revisions; one chain an asset."""
    assert sql.execute(_DOUBLED).fetchall() == []
    assert sql.execute(_BROKEN).fetchall() == []


def assert_holds(sql: Rows, container: ContainerClient, contents: dict[str, bytes]) -> None:
    """What is registered as there is what the store holds, to the byte and to the etag."""
    assert_whole(sql)
    rows = current(sql, container)
    assert {path: row["content_hash"] for path, row in rows.items()} == {
        path: hash_of(content) for path, content in contents.items()
    }
    held = {blob.name: (blob.etag or "").strip('"') for blob in container.list_blobs()}
    assert {path: row["blob_etag"] for path, row in rows.items()} == held


def current(sql: Rows, container: ContainerClient) -> dict[str, DictRow]:
    """The active artifacts of a container whose bytes are not known to be gone, by path."""
    rows = sql.execute(_CURRENT, [container.container_name]).fetchall()
    by_path = {row["blob_path"]: row for row in rows}
    assert len(by_path) == len(rows), "a blob became two assets"
    return by_path


def set_aside(sql: Rows) -> list[DictRow]:
    return sql.execute(_SET_ASIDE).fetchall()


def reasons(sql: Rows) -> list[str]:
    """Why messages were set aside, one each."""
    return sorted(row["reason"] for row in set_aside(sql))
