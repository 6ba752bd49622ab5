"""Blobs that were there before anybody listened are registered from a list, once each."""

from pathlib import Path

import psycopg
import pytest
from psycopg.rows import DictRow

from shared.models.backfills import Hashing, Tally
from shared.models.listed_blobs import BlobScope
from shared.services.artifact_service import ArtifactService
from shared.storage.inventory import InventoryFile
from tests.integration.backfilling import (
    ETAG,
    ORIGIN,
    Backfilling,
    backfilling,
    row,
    stored_by_path,
    write_csv,
)
from tests.integration.messages import stored
from tests.integration.uploads import Uploads

__all__ = ["backfilling"]  # a fixture that is asked for by its name


def test_what_the_store_holds_is_registered_as_its_events_would_have_it_but_unhashed(
    backfilling: Backfilling, uploads: Uploads, sql: psycopg.Connection[DictRow]
) -> None:
    listed = uploads.put("a b/ü~%+?#[]'!.tif", b"abc", content_type="image/tiff")
    assert backfilling.run() == {Tally.CREATED: 1, Tally.REFUSED: 0}
    [by_list] = stored(sql)
    properties = backfilling.store.properties(listed)
    assert by_list["content_hash"] is None
    assert (by_list["blob_etag"], by_list["size_bytes"]) == (properties.etag, 3)
    assert by_list["uri"] == properties.uri
    uploads.put("a b/ü~%+?#[]'!.tif", b"abc", content_type="image/tiff")
    backfilling.ingestion.register_blob(listed, ORIGIN)
    _, by_event = stored(sql)
    same = {
        *("client_type", "client_refs", "storage_backend", "storage_account", "container"),
        *("blob_path", "uri", "storage_tier", "size_bytes", "content_type", "metadata"),
        *("processing", "stage", "data", "row_count", "disposition"),
    }
    assert {name: by_list[name] for name in same} == {name: by_event[name] for name in same}


def test_a_second_run_changes_nothing(
    backfilling: Backfilling, uploads: Uploads, sql: psycopg.Connection[DictRow]
) -> None:
    for number in range(3):
        uploads.put(f"{number}.tif", b"x")
    assert backfilling.run()[Tally.CREATED] == 3
    before = stored_by_path(sql)
    events = sql.execute("SELECT count(*) FROM registry.outbox").fetchone()
    assert backfilling.run() == {Tally.UNCHANGED: 3, Tally.REFUSED: 0}
    assert stored_by_path(sql) == before
    assert sql.execute("SELECT count(*) FROM registry.outbox").fetchone() == events


def test_rules_say_what_a_blob_is_and_what_they_refuse_is_told(
    backfilling: Backfilling, uploads: Uploads, sql: psycopg.Connection[DictRow]
) -> None:
    backfilling.rule(
        name="rasters",
        path="{dataset}/{resource:int}.tif",
        client_type="raster",
        client_refs={"dataset": "{dataset}", "resource": "{resource}"},
        metadata={"from": "{filename}"},
    )
    uploads.put("dem/7.tif", b"x", metadata={"registry_stage": "candidate"})
    uploads.put("dem/8.tif", b"x", metadata={"registry_stage": "nonsense"})
    uploads.put("other.txt", b"x")
    assert backfilling.run() == {Tally.CREATED: 2, Tally.REFUSED: 1}
    assert [refused.path for refused in backfilling.told.refusals] == ["dem/8.tif"]
    found = stored_by_path(sql)
    assert found["other.txt"]["client_type"] == "blob"
    raster = found["dem/7.tif"]
    assert (raster["client_type"], raster["stage"]) == ("raster", "candidate")
    assert raster["client_refs"] == {"dataset": "dem", "resource": 7}
    assert raster["metadata"] == {"from": "7.tif"}


def test_what_only_the_database_refuses_leaves_the_others_of_its_batch(
    backfilling: Backfilling, tmp_path: Path, sql: psycopg.Connection[DictRow]
) -> None:
    container = backfilling.scope.container
    rows = [row(container, f"{number}") for number in range(9)]
    rows[4]["Etag"] = 'a"b'
    inventory = InventoryFile(write_csv(tmp_path / "i.csv", rows), backfilling.scope)
    assert backfilling.run(inventory) == {Tally.CREATED: 8, Tally.REFUSED: 1}
    assert [refused.path for refused in backfilling.told.refusals] == ["4"]
    assert stored_by_path(sql).keys() == {"0", "1", "2", "3", "5", "6", "7", "8"}


def test_several_blobs_of_one_asset_are_its_revisions_in_the_order_of_the_list(
    backfilling: Backfilling, uploads: Uploads, sql: psycopg.Connection[DictRow]
) -> None:
    backfilling.rule(
        name="versions", path="v{version}.tif", client_type="x", client_refs={"one": "asset"}
    )
    for number in range(1, 5):
        uploads.put(f"v{number}.tif", b"x")
    for outcome in (Tally.CREATED, Tally.UNCHANGED):
        assert backfilling.run()[outcome] == 4
        chain = [(each["revision"], each["blob_path"], each["status"]) for each in stored(sql)]
        assert chain == [
            *((number, f"v{number}.tif", "superseded") for number in range(1, 4)),
            (4, "v4.tif", "active"),
        ]


@pytest.mark.parametrize("hashing", Hashing)
def test_a_rule_that_does_not_overwrite_leaves_the_current_artifact(
    backfilling: Backfilling,
    uploads: Uploads,
    sql: psycopg.Connection[DictRow],
    hashing: Hashing,
) -> None:
    backfilling.rule(
        name="x", path="{name}", client_type="x", client_refs={"one": "asset"}, overwrite=False
    )
    uploads.put("a", b"x")
    backfilling.run(hashing=hashing)
    uploads.put("b", b"y")
    counts = backfilling.run(hashing=hashing)
    assert (counts[Tally.CONFLICT], counts[Tally.REFUSED]) == (1, 0)
    assert [each["blob_path"] for each in stored(sql)] == ["a"]


def test_only_what_lies_below_a_prefix_is_listed(
    backfilling: Backfilling, uploads: Uploads, sql: psycopg.Connection[DictRow]
) -> None:
    for name in ("a/1", "a/2", "ab", "b/1"):
        uploads.put(name, b"x")
    below = BlobScope(backfilling.scope.account, backfilling.scope.container, "a/")
    backfilling.run(backfilling.store.listing(below))
    assert stored_by_path(sql).keys() == {"a/1", "a/2"}


def test_a_senders_own_word_about_the_same_bytes_is_left_to_stand(
    backfilling: Backfilling,
    artifacts: ArtifactService,
    sql: psycopg.Connection[DictRow],
    tmp_path: Path,
) -> None:
    scope = backfilling.scope
    refs = {"account": scope.account, "container": scope.container}
    for path, etag, size in (("known", ETAG, 3), ("silent", None, 3), ("other", "0x1", 3)):
        artifacts.create_artifact(
            client_type="blob",
            client_refs={**refs, "path": path},
            storage_account=scope.account,
            container=scope.container,
            blob_path=path,
            blob_etag=etag,
            size_bytes=size,
            content_hash="ab" * 32,
        )
    rows = [row(scope.container, path) for path in ("known", "silent", "other")]
    inventory = InventoryFile(write_csv(tmp_path / "i.csv", rows), scope)
    assert backfilling.run(inventory) == {Tally.UNCHANGED: 2, Tally.CREATED: 1, Tally.REFUSED: 0}
    assert [each["blob_path"] for each in stored(sql) if each["revision"] == 2] == ["other"]


def test_a_preview_says_what_rules_would_make_of_it_and_does_nothing(
    backfilling: Backfilling, uploads: Uploads, sql: psycopg.Connection[DictRow]
) -> None:
    backfilling.rule(name="all", path="d/{*rest}", client_type="x", client_refs={"r": "{rest}"})
    for number in range(5):
        uploads.put(f"d/{number}", b"x")
    uploads.put("other", b"x")
    uploads.put("bad", b"x", metadata={"registry_nonsense": "1"})
    seen = backfilling.preview()
    assert [(rule.rule, rule.count) for rule in seen.rules] == [("all", 5), (None, 1)]
    assert [dict(each.client_refs) for each in seen.rules[0].examples] == [
        {"r": "0"},
        {"r": "1"},
        {"r": "2"},
    ]
    assert seen.refused == len(backfilling.told.refusals) == 1
    assert not stored(sql)
    assert not sql.execute("SELECT FROM registry.backfills").fetchall()
