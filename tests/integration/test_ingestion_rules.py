"""What uploads are registered as: by rules, and by what their uploaders say."""

from typing import Any

import psycopg
import pytest
from psycopg.rows import DictRow

from shared.database.pool import Database
from shared.services.ingestion import IngestionService
from tests.integration.messages import apply_rules, deliver, event, set_aside, stored
from tests.integration.uploads import Uploads

Rows = psycopg.Connection[DictRow]
RULE: dict[str, Any] = {
    "name": "sites",
    "path": "{dataset}/{site}/{version:int}.tif",
    "client_type": "ddh",
    "client_refs": {"dataset_id": "{dataset}", "resource_id": "{site}", "version": "{version}"},
    "artifact_type": "raster",
    "stac_collection_id": "{dataset}",
    "stac_item_id": "{dataset}-{site}",
    "metadata": {"file": "{filename}"},
}
REFS = {"dataset_id": "flood", "resource_id": "a", "version": 7}
NAME = "flood/a/7.tif"


def put_in_force(database: Database, uploads: Uploads, **changes: Any) -> None:
    apply_rules(database, RULE | {"container": uploads.container.container_name} | changes)


def test_an_upload_is_what_the_first_matching_rule_says(
    ingestion: IngestionService, database: Database, uploads: Uploads, sql: Rows
) -> None:
    put_in_force(database, uploads)
    deliver(ingestion, *[event(uploads.put(NAME, b"one"))] * 2)
    deliver(ingestion, event(uploads.put(NAME, b"two")), event(uploads.put("other", b"x")))
    by_rule = [row for row in stored(sql) if row["client_type"] == "ddh"]
    assert [(row["revision"], row["status"]) for row in by_rule] == [
        (1, "superseded"),
        (2, "active"),
    ]
    assert by_rule[0]["client_refs"] == REFS
    told = {name: by_rule[0][name] for name in ("artifact_type", "stac_item_id", "metadata")}
    assert told == {
        "artifact_type": "raster",
        "stac_item_id": "flood-a",
        "metadata": {"file": "7.tif"},
    }
    assert [row["client_type"] for row in stored(sql)].count("blob") == 1


def test_a_rule_counts_from_the_moment_at_which_it_is_in_force(
    ingestion: IngestionService, database: Database, uploads: Uploads, sql: Rows
) -> None:
    deliver(ingestion, event(uploads.put(NAME, b"one")))
    put_in_force(database, uploads)
    deliver(ingestion, event(uploads.put(NAME, b"two")))
    put_in_force(database, uploads, enabled=False)
    deliver(ingestion, event(uploads.put(NAME, b"three")))
    registered = sorted((row["client_type"], row["revision"]) for row in stored(sql))
    assert registered == [("blob", 1), ("blob", 2), ("ddh", 1)]


def test_tags_beat_metadata_and_metadata_beats_the_rule(
    ingestion: IngestionService, database: Database, uploads: Uploads, sql: Rows
) -> None:
    put_in_force(database, uploads)
    said = {"registry_artifact_type": "mask", "registry_producer": "uploader", "other": "x"}
    blob = uploads.put(NAME, b"one", metadata=said)
    uploads.container.get_blob_client(NAME).set_blob_tags({"registry_producer": "operator"})
    deliver(ingestion, event(blob))
    (row,) = stored(sql)
    assert (row["artifact_type"], row["producer"]) == ("mask", "operator")
    assert row["stac_item_id"] == "flood-a"


@pytest.mark.parametrize(
    "said",
    [
        {"registry_stage": "nonsense"},
        {"registry_unknown": "x"},
        {"registry_client_type": "mine"},
        {"registry_is_final": "maybe"},
    ],
)
def test_what_an_uploader_may_not_say_is_set_aside_and_registered_once_mended(
    ingestion: IngestionService,
    database: Database,
    uploads: Uploads,
    sql: Rows,
    said: dict[str, str],
) -> None:
    put_in_force(database, uploads)
    body = event(uploads.put(NAME, b"one", metadata=said))
    deliver(ingestion, body, body)
    (kept,) = set_aside(sql)
    assert (kept["reason"], stored(sql)) == ("invalid_input", [])
    assert next(iter(said)) in kept["explanation"]
    uploads.container.get_blob_client(NAME).set_blob_metadata({})
    replay = b'{"kind": "replay", "set_aside_id": "%s"}' % str(kept["set_aside_id"]).encode()
    deliver(ingestion, replay, replay)
    assert [row["client_refs"] for row in stored(sql)] == [REFS]


def test_a_rule_may_keep_its_assets_from_being_overwritten(
    ingestion: IngestionService, database: Database, uploads: Uploads, sql: Rows
) -> None:
    put_in_force(database, uploads, overwrite=False)
    deliver(ingestion, event(uploads.put(NAME, b"one")))
    deliver(ingestion, *[event(uploads.put(NAME, b"two"))] * 2)
    assert [row["revision"] for row in stored(sql)] == [1]
    assert [kept["reason"] for kept in set_aside(sql)] == ["artifact_conflict"]


@pytest.mark.parametrize(("same_bytes", "revisions"), [("keep", [1]), ("register", [1, 2])])
def test_a_rule_says_what_the_same_bytes_are(
    ingestion: IngestionService,
    database: Database,
    uploads: Uploads,
    sql: Rows,
    same_bytes: str,
    revisions: list[int],
) -> None:
    put_in_force(database, uploads, same_bytes=same_bytes)
    for _ in range(2):
        deliver(ingestion, *[event(uploads.put(NAME, b"one"))] * 2)
    assert [row["revision"] for row in stored(sql)] == revisions
