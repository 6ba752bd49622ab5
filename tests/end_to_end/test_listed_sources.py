"""Tables and further storage accounts that the settings list, as the running app reads them."""

import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from devhost.stack.azurite import ACCOUNT, ACCOUNT_KEY, Azurite
from tests.databases import own_database
from tests.end_to_end.conftest import RunApp, Running
from tests.end_to_end.notices import plain
from tests.end_to_end.test_registrations import of_job, registration
from tests.integration.uploads import uploading_to

OTHER = "otheraccount"


@pytest.fixture
def two_accounts(session_directory: Path, unique_name: str) -> Iterator[Azurite]:
    emulator = Azurite(session_directory / unique_name)
    emulator.start({"AZURITE_ACCOUNTS": f"{ACCOUNT}:{ACCOUNT_KEY};{OTHER}:{ACCOUNT_KEY}"})
    yield emulator
    emulator.stop()


@pytest.fixture
def running_with_sources(
    run_app: RunApp, postgres: str, two_accounts: Azurite
) -> Iterator[tuple[Running, str]]:
    """An app, and the URL of the database whose tables it may hash."""
    other = two_accounts.connection_string.replace(ACCOUNT, OTHER)
    with own_database(postgres) as registry, own_database(postgres) as gis:
        settings = {
            "REGISTRY_TABLE_SOURCES": json.dumps({"postgis": {"url": gis, "tables": ["app.*"]}}),
            "REGISTRY_MORE_STORAGE": json.dumps([other]),
        }
        with run_app(registry, two_accounts, settings) as running:
            yield running, gis


def test_what_is_listed_is_hashed_and_what_is_not_is_set_aside(
    running_with_sources: tuple[Running, str], two_accounts: Azurite
) -> None:
    (app, ground), gis = running_with_sources
    with psycopg.connect(gis) as owner:
        owner.execute("CREATE SCHEMA app")
        owner.execute("CREATE TABLE app.parcels AS SELECT generate_series(1, 7) AS id")
        owner.execute("ALTER TABLE app.parcels ADD PRIMARY KEY (id)")
    other = two_accounts.connection_string.replace(ACCOUNT, OTHER)
    with uploading_to(other, "silver") as uploads:
        blob = uploads.put("a.tif", b"pixels")

    unhashed = {"content_hash": None, "size_bytes": None}
    table = {"storage_account": "postgis", "container": "app", "blob_path": "parcels"}
    place = {"storage_account": OTHER, "container": "silver", "blob_path": blob.path}
    of_table, of_blob, of_none = (
        registration(**unhashed, **where)
        for where in (table, place, table | {"container": "pg_catalog"})
    )
    for message in (of_table, of_blob, of_none):
        ground.messages.send_message(plain(message))
    ground.wait_until_drained()

    (found,) = of_job(app, of_table)
    assert (found["row_count"], found["storage_backend"]) == (7, "postgresql")
    assert len(found["content_hash"]) == 68
    (found,) = of_job(app, of_blob)
    assert (found["size_bytes"], found["storage_account"]) == (6, OTHER)
    (kept,) = ground.set_aside(of_none["source_job_id"])
    assert kept["reason"] == "table_not_allowed"
    assert gis not in app.log
