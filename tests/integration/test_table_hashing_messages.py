"""Registration messages about tables: hashed and counted where the sender left that to us."""

import json
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from psycopg.abc import Buffer
from psycopg.rows import DictRow

from devhost.stack.azurite import Azurite
from shared.database.pool import Database
from shared.errors import TableSourceUnavailable
from shared.models.ids import repeatable_id
from shared.models.tables import TableReference, TableSource
from shared.services.artifact_service import ArtifactService
from shared.services.ingestion import IngestionService
from shared.services.table_hashing import hash_table
from shared.storage.blobs import BlobStore
from shared.storage.table_sources import TableSources
from tests.integration.clock import TickingClock
from tests.integration.messages import ORIGIN, over, set_aside, stored
from tests.integration.source_tables import SourceDatabase, table

Rows = psycopg.Connection[DictRow]
Build = Callable[[TableSources], IngestionService]

TABLE = {
    "client_type": "ddh",
    "client_refs": {"dataset_id": "d"},
    "storage_account": "postgis",
    "container": "app",
    "blob_path": "parcels",
    "overwrite": True,
}
NOWHERE = TableSources(
    {
        "postgis": TableSource.model_validate(
            {"url": "postgresql://127.0.0.1:1", "tables": ["app.*"]}
        )
    }
)


@pytest.fixture
def build(
    azurite: Azurite, database: Database, artifacts: ArtifactService, clock: TickingClock
) -> Build:
    store = BlobStore(azurite.connection_string)
    return lambda sources: over(store, database, artifacts, clock, sources)


@pytest.fixture
def parcels(source: SourceDatabase) -> SourceDatabase:
    source.run(
        "CREATE TABLE app.parcels (id integer PRIMARY KEY)",
        "INSERT INTO app.parcels SELECT generate_series(1, 7)",
    )
    return source


def take(service: IngestionService, number: int = 1, **fields: Any) -> None:
    body = json.dumps(TABLE | fields).encode()
    service.take_registration("q", body, ORIGIN, repeatable_id(f"message {number}", None))


def test_a_table_is_registered_with_the_hash_and_the_rows_that_it_has(
    build: Build, parcels: SourceDatabase, sql: Rows
) -> None:
    service = build(parcels.sources())
    for _ in range(2):
        take(service, storage_backend="postgis", size_bytes=8192)
    (row,) = stored(sql)
    hashed = hash_table(parcels.sources(), table("parcels"))
    assert (row["content_hash"], row["row_count"]) == (hashed.content_hash, 7)
    assert (row["size_bytes"], row["content_type"]) == (8192, "application/x-postgis-table")
    place = (row["storage_account"], row["container"], row["blob_path"])
    assert place == ("postgis", "app", "parcels")


def test_what_the_sender_says_beside_the_hash_stays(
    build: Build, parcels: SourceDatabase, sql: Rows
) -> None:
    take(build(parcels.sources()), content_type="text/csv", row_count=7)
    (row,) = stored(sql)
    assert (row["storage_backend"], row["content_type"]) == ("postgresql", "text/csv")
    assert (row["row_count"], row["size_bytes"]) == (7, None)


def test_each_change_is_a_revision_and_no_change_is_none(
    build: Build, parcels: SourceDatabase, sql: Rows
) -> None:
    service = build(parcels.sources())
    take(service, 1)
    take(service, 2)
    parcels.run("DELETE FROM app.parcels WHERE id = 3")
    take(service, 3)
    assert [(row["revision"], row["row_count"]) for row in stored(sql)] == [(1, 7), (2, 6)]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"row_count": 8}, "invalid_input"),
        ({"blob_path": "other"}, "table_not_found"),
        ({"container": "geo"}, "table_not_allowed"),
        ({"container": "pg_catalog", "blob_path": "pg_authid"}, "table_not_allowed"),
        ({"blob_path": 'parcels"; DROP TABLE app.parcels; --'}, "table_not_found"),
        ({"blob_path": "unkeyed"}, "table_unreadable"),
    ],
    ids=str,
)
def test_a_table_that_can_never_be_hashed_is_set_aside_with_the_reason(
    build: Build, parcels: SourceDatabase, sql: Rows, fields: dict[str, Any], reason: str
) -> None:
    parcels.run("CREATE TABLE app.unkeyed (id integer)")
    take(build(parcels.sources()), **fields)
    assert [kept["reason"] for kept in set_aside(sql)] == [reason]
    assert stored(sql) == []
    assert hash_table(parcels.sources(), table("parcels")).row_count == 7


def test_a_database_that_is_down_leaves_the_message_to_a_later_delivery(
    build: Build, parcels: SourceDatabase, sql: Rows
) -> None:
    with pytest.raises(TableSourceUnavailable):
        take(build(NOWHERE))
    assert (stored(sql), set_aside(sql)) == ([], [])
    take(build(parcels.sources()))
    assert [row["row_count"] for row in stored(sql)] == [7]


@pytest.mark.parametrize(
    "fields",
    [
        {"content_hash": "ab" * 32},
        {"processing": "pending"},
        {"storage_account": "elsewhere"},
        {"storage_backend": "s3"},
        {"storage_account": None, "container": None, "blob_path": None},
    ],
    ids=str,
)
def test_nothing_is_asked_where_nothing_is_left_to_us(
    build: Build, sql: Rows, fields: dict[str, Any]
) -> None:
    take(build(NOWHERE), **fields)
    (row,) = stored(sql)
    assert row["content_hash"] == ("1220" + "ab" * 32 if "content_hash" in fields else None)
    assert set_aside(sql) == []


class Overtaken(TableSources):
    """A source whose reader is overtaken: after its last row, a newer state is registered."""

    def __init__(self, url: str, overtake: Callable[[], None]) -> None:
        listed = TableSource.model_validate({"url": url, "tables": ["app.*"]})
        super().__init__({"postgis": listed})
        self._overtake = overtake

    def read(self, table: TableReference, take: Callable[[Buffer], object]) -> int:
        count = super().read(table, take)
        self._overtake()
        return count


def test_a_reader_that_was_overtaken_does_not_win(
    build: Build, parcels: SourceDatabase, sql: Rows
) -> None:
    def overtake() -> None:
        parcels.run("INSERT INTO app.parcels VALUES (8)")
        take(build(parcels.sources()), 2)

    take(build(Overtaken(parcels.url, overtake)), 1)
    assert [row["row_count"] for row in stored(sql)] == [8]
    assert set_aside(sql) == []
