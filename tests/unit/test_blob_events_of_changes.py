"""Notices of blobs and folders that were deleted, tiered or renamed."""

import json
from typing import Any
from uuid import uuid4

import pytest

from shared.errors import MalformedMessage
from shared.models.blob_events import read_blob_event
from shared.models.blob_notices import (
    BlobCreated,
    BlobDeleted,
    BlobNotice,
    BlobRenamed,
    BlobTierChanged,
    FolderDeleted,
    FolderRenamed,
)
from shared.models.blobs import BlobReference

TOPIC = "/subscriptions/0/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/account1"
OLD = BlobReference("account1", "raw", "a folder/old#1%.tif")
NEW = BlobReference("account1", "lake", "b/new.tif")
OLD_URL = "https://account1.dfs.core.windows.net/raw/a%20folder/old%231%25.tif"


def published(kind: str, data: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    return {
        "topic": TOPIC,
        "subject": "/blobServices/default/containers/lake/blobs/b/new.tif",
        "eventType": f"Microsoft.Storage.{kind}",
        "data": data or {},
    } | changes


def as_cloud_event(event: dict[str, Any]) -> dict[str, Any]:
    names = {"topic": "source", "eventType": "type"}
    return {names.get(name, name): value for name, value in event.items()} | {"specversion": "1.0"}


@pytest.mark.parametrize(
    ("kind", "data", "told"),
    [
        ("BlobDeleted", {"api": "DeleteBlob"}, BlobDeleted.of(NEW)),
        ("BlobTierChanged", {"accessTier": "Cool"}, BlobTierChanged.of(NEW)),
        ("BlobRenamed", {"sourceUrl": OLD_URL}, BlobRenamed.from_to(OLD, NEW)),
        ("DirectoryDeleted", {"recursive": "true"}, FolderDeleted.of(NEW)),
        ("DirectoryRenamed", {"sourceUrl": OLD_URL}, FolderRenamed.from_to(OLD, NEW)),
    ],
)
def test_what_became_of_a_blob_is_read_in_both_schemas(
    kind: str, data: dict[str, Any], told: BlobNotice
) -> None:
    event = published(kind, data)
    assert read_blob_event(event) == told
    assert read_blob_event(as_cloud_event(event)) == told


def test_a_new_folder_is_nothing_to_register() -> None:
    assert read_blob_event(published("DirectoryCreated", {"api": "CreateDirectory"})) is None


@pytest.mark.parametrize(
    "notice",
    [
        BlobCreated.of(OLD),
        BlobDeleted.of(OLD),
        BlobTierChanged.of(OLD),
        BlobRenamed.from_to(OLD, NEW),
        FolderDeleted.of(OLD).model_copy(update={"after_path": "a/b", "after_id": uuid4()}),
        FolderRenamed.from_to(OLD, NEW).model_copy(update={"marker": "2!108!"}),
    ],
)
def test_what_is_forwarded_reads_back(notice: BlobNotice) -> None:
    assert notice.message().isascii()
    assert read_blob_event(json.loads(notice.message())) == notice


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("https://account1.blob.core.windows.net/raw/x%2Fy", ("raw", "x/y")),
        ("https://account1.privatelink.example/raw/x", ("raw", "x")),
        ("https://files.example/raw/x", ("raw", "x")),
        ("http://127.0.0.1:10000/account1/raw/x", ("raw", "x")),
        ("https://evil.example/raw/x?sv=1&sig=SECRET", ("raw", "x")),
    ],
)
def test_a_url_is_read_as_a_name_in_the_account_that_the_event_is_of(
    url: str, named: tuple[str, str]
) -> None:
    notice = read_blob_event(published("BlobRenamed", {"sourceUrl": url}))
    assert isinstance(notice, BlobRenamed)
    assert notice.source == BlobReference("account1", *named)


@pytest.mark.parametrize(
    "event",
    [
        published("BlobRenamed"),
        published("BlobRenamed", {"sourceUrl": "https://["}),
        published("BlobRenamed", {"sourceUrl": OLD_URL + "%FF"}),
        published("BlobRenamed", {"sourceUrl": "https://account1.dfs.core.windows.net/raw"}),
        published("DirectoryRenamed", {"sourceUrl": "https://h/raw/a/../b"}),
        published("BlobCreated", {"api": "CreateFile", "contentLength": []}),
        published("DirectoryDeleted", subject="/blobServices/default/containers/lake"),
        json.loads(BlobRenamed.from_to(OLD, NEW).message()) | {"source_path": ""},
        json.loads(FolderDeleted.of(OLD).message()) | {"after_id": "x"},
        json.loads(BlobDeleted.of(OLD).message()) | {"account": "No_Account"},
        {"kind": "blob-erased", "account": "account1", "container": "raw", "path": "x"},
        {"kind": ["blob-deleted"], "account": "account1", "container": "raw", "path": "x"},
    ],
)
def test_anything_else_is_malformed_and_never_another_error(event: dict[str, Any]) -> None:
    with pytest.raises(MalformedMessage):
        read_blob_event(event)
