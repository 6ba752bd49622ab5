"""Folders of a Data Lake that were deleted or renamed as a whole."""

import psycopg
import pytest
from psycopg.rows import DictRow

from shared.database.pool import Database
from shared.services import ingestion_folders
from shared.services.ingestion import IngestionService
from tests.integration.messages import (
    ORIGIN,
    QUEUE,
    apply_rules,
    deliver,
    event,
    renamed,
    set_aside,
    stored,
    told,
)
from tests.integration.uploads import Uploads

Rows = psycopg.Connection[DictRow]
LONG = "/".join(["x" * 100] * 5)
INSIDE = ["d/1", "d/2", "d/deeper/3", "d/4#%2F", "d/\N{ROCKET}", f"d/{LONG}/1", f"d/{LONG}/2"]
OUTSIDE = ["d", "d-1", "d0", "d.x", "c/d/1", "D/1", "e"]


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingestion_folders, "PAGE", 3)


def register(ingestion: IngestionService, uploads: Uploads, names: list[str]) -> None:
    deliver(ingestion, *(event(uploads.put(name, name.encode())) for name in names))


def missing(sql: Rows) -> list[str]:
    return sorted(row["blob_path"] for row in stored(sql) if row["missing_since"])


def test_everything_in_a_deleted_folder_is_missing(
    ingestion: IngestionService, uploads: Uploads, sql: Rows
) -> None:
    register(ingestion, uploads, INSIDE + OUTSIDE)
    register(ingestion, uploads, ["d/1"])  # several artifacts at one location
    for name in INSIDE:
        uploads.container.delete_blob(name)
    folder = told("DirectoryDeleted", uploads.reference("d"), recursive="true")
    # Three pages of artifacts, the last of them short, and each blob of them.
    assert deliver(ingestion, folder) == 1 + 2 + len(INSIDE)
    assert missing(sql) == sorted(INSIDE)
    assert set_aside(sql) == []


def test_of_a_folder_that_is_there_again_only_what_is_gone_is_missing(
    ingestion: IngestionService, uploads: Uploads, sql: Rows
) -> None:
    register(ingestion, uploads, ["d/1", "d/2"])
    uploads.container.delete_blob("d/1")
    deliver(ingestion, told("DirectoryDeleted", uploads.reference("d")))
    assert missing(sql) == ["d/1"]


def test_a_folder_of_a_long_name_is_looked_into(
    ingestion: IngestionService, uploads: Uploads, sql: Rows
) -> None:
    names = [f"{LONG}/a/{n}" for n in range(4)]
    others = [f"{LONG}/ab/1", f"{LONG}/b/1"]
    register(ingestion, uploads, names + others)
    for name in names + others:
        uploads.container.delete_blob(name)
    deliver(ingestion, told("DirectoryDeleted", uploads.reference(f"{LONG}/a")))
    assert missing(sql) == names


def rename_folder(uploads: Uploads, old: str, new: str) -> bytes:
    for name in list(uploads.container.list_blob_names(name_starts_with=f"{old}/")):
        content = uploads.container.download_blob(name).readall()
        uploads.put(new + name.removeprefix(old), content)
        uploads.container.delete_blob(name)
    return renamed(uploads.reference(old), uploads.reference(new), "DirectoryRenamed")


def test_what_is_in_a_renamed_folder_is_registered_by_its_new_names(
    ingestion: IngestionService, uploads: Uploads, sql: Rows
) -> None:
    register(ingestion, uploads, INSIDE + OUTSIDE)
    uploads.put("d/unseen", b"nobody told of it")
    notice = rename_folder(uploads, "d", "new/d")
    deliver(ingestion, notice, notice)
    assert missing(sql) == sorted(INSIDE)
    registered = {row["blob_path"] for row in stored(sql) if not row["missing_since"]}
    assert registered == {*OUTSIDE, "new/d/unseen", *(f"new/{name}" for name in INSIDE)}
    assert set_aside(sql) == []


def test_artifacts_follow_a_renamed_folder_where_it_is_no_part_of_what_they_are(
    ingestion: IngestionService, database: Database, uploads: Uploads, sql: Rows
) -> None:
    rule = {
        "name": "below-any-folder",
        "container": uploads.container.container_name,
        "path": "{folder}/{*rest}",
        "client_type": "file",
        "client_refs": {"rest": "{rest}"},
    }
    apply_rules(database, rule)
    register(ingestion, uploads, INSIDE)
    uploads.container.delete_blob("d/2")
    deliver(ingestion, rename_folder(uploads, "d", "new"))
    assert missing(sql) == ["d/2"]
    there = {row["blob_path"] for row in stored(sql) if not row["missing_since"]}
    assert there == {"new" + name.removeprefix("d") for name in INSIDE if name != "d/2"}
    assert {row["revision"] for row in stored(sql)} == {1}


def test_a_worker_that_is_killed_between_two_pages_loses_nothing(
    ingestion: IngestionService, uploads: Uploads, sql: Rows
) -> None:
    register(ingestion, uploads, INSIDE)
    for name in INSIDE:
        uploads.container.delete_blob(name)
    folder = told("DirectoryDeleted", uploads.reference("d"))
    # What it had to send was lost, or sent in part: its message comes again, whole.
    lost = ingestion.take_blob_events(QUEUE, folder, ORIGIN)
    deliver(ingestion, *(message.encode() for message in lost[1:]))
    assert missing(sql) != sorted(INSIDE)
    deliver(ingestion, folder)
    assert missing(sql) == sorted(INSIDE)
