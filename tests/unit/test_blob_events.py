"""Notices of blobs in every form that reaches the queue."""

import base64
import codecs
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import MalformedMessage
from shared.models.blob_events import (
    events_in,
    forwarded_event,
    message_document,
    read_blob_event,
)
from shared.models.blob_notices import BlobCreated
from shared.models.blobs import BlobReference


def read_blob_events(body: bytes) -> list[BlobReference]:
    read = [read_blob_event(event) for event in events_in(message_document(body))]
    return [notice.blob for notice in read if isinstance(notice, BlobCreated)]


BLOB = BlobReference("account1", "uploads", "a folder/b#c%2F.tif")
SUBJECT = "/blobServices/default/containers/uploads/blobs/a folder/b#c%2F.tif"
ACCOUNT = "/subscriptions/0/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/account1"
GRID: dict[str, Any] = {
    "topic": ACCOUNT,
    "subject": SUBJECT,
    "eventType": "Microsoft.Storage.BlobCreated",
    "eventTime": "2026-01-01T00:00:00Z",
    "id": "1",
    "data": {"api": "PutBlob", "eTag": '"0x1"', "url": "https://account1.blob.core.windows.net/x"},
    "dataVersion": "",
    "metadataVersion": "1",
}
CLOUD: dict[str, Any] = {
    "specversion": "1.0",
    "source": ACCOUNT,
    "subject": SUBJECT,
    "type": "Microsoft.Storage.BlobCreated",
    "time": "2026-01-01T00:00:00Z",
    "id": "1",
    "data": GRID["data"],
}


@pytest.mark.parametrize("event", [GRID, CLOUD])
@pytest.mark.parametrize("encode", [bytes, base64.b64encode])
@pytest.mark.parametrize("is_list", [True, False])
def test_both_schemas_are_read_as_text_or_base64_alone_or_in_a_list(
    event: dict[str, Any], encode: Any, is_list: bool
) -> None:
    assert read_blob_events(encode(json.dumps([event] if is_list else event).encode())) == [BLOB]


def test_wrapped_base64_and_a_byte_order_mark_are_read_as_well() -> None:
    text = json.dumps(GRID).encode()
    assert read_blob_events(codecs.BOM_UTF8 + text) == [BLOB]
    assert read_blob_events(base64.encodebytes(text)) == [BLOB]
    assert read_blob_events(base64.b64encode(codecs.BOM_UTF8 + text)) == [BLOB]


def test_what_the_blob_trigger_forwards_reads_back() -> None:
    assert read_blob_events(forwarded_event(BLOB).encode()) == [BLOB]


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1))
def test_any_blob_name_survives_the_subject_and_the_forwarded_form(name: str) -> None:
    try:
        blob = BlobReference("account1", "uploads", name)
    except Exception:  # noqa: BLE001 - names that no blob can have are another test's matter
        return
    subject = f"/blobServices/default/containers/uploads/blobs/{name}"
    assert read_blob_events(json.dumps(GRID | {"subject": subject}).encode()) == [blob]
    assert read_blob_events(forwarded_event(blob).encode()) == [blob]


@pytest.mark.parametrize(
    ("url", "account"),
    [
        ("https://account2.blob.core.windows.net/uploads/x", "account2"),
        ("https://account2.dfs.core.windows.net/uploads/x", "account2"),
        ("http://127.0.0.1:10000/devstoreaccount1/uploads/x", "devstoreaccount1"),
    ],
)
def test_without_a_topic_the_account_is_read_from_the_url(url: str, account: str) -> None:
    event = {k: v for k, v in GRID.items() if k != "topic"} | {"data": {"url": url}}
    assert read_blob_events(json.dumps(event).encode())[0].account == account


@pytest.mark.parametrize("api", ["CreateFile", "SftpCreate"])
def test_an_empty_data_lake_file_still_to_be_flushed_is_no_blob_yet(api: str) -> None:
    created = GRID | {"data": {"api": api, "contentLength": 0}}
    unsaid = GRID | {"data": {"api": api}}
    flushed = GRID | {"data": {"api": "FlushWithClose", "contentLength": 0}}
    assert read_blob_events(json.dumps([created, unsaid, flushed]).encode()) == [BLOB]


def test_a_data_lake_file_made_with_its_bytes_is_taken() -> None:
    created = GRID | {"data": {"api": "CreateFile", "contentLength": 7}}
    assert read_blob_events(json.dumps(created).encode()) == [BLOB]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"not json",
        b"{",
        b"null",
        b"[null]",
        b"{}",
        b'{"kind": "blob-reference"}',
        b"[" * 100_000,
        b'{"data": NaN}',
        base64.b64encode(b"not json"),
        json.dumps(GRID | {"eventType": "Microsoft.Storage.LifecyclePolicyCompleted"}).encode(),
        json.dumps(GRID | {"subject": "/blobServices/default/containers/uploads"}).encode(),
        json.dumps(GRID | {"subject": SUBJECT.replace("uploads", "No_Container")}).encode(),
        json.dumps(GRID | {"subject": SUBJECT + "\0"}).encode(),
        json.dumps(GRID | {"data": None}).encode(),
        forwarded_event(BlobReference("account1", "uploads", "x"))
        .replace("t1", "\\u0000")
        .encode(),
        forwarded_event(BlobReference("account1", "uploads", "x"))
        .replace("t1", "t" * 9000)
        .encode(),
        json.dumps(CLOUD | {"specversion": "0.3"}).encode(),
    ],
)
def test_anything_else_is_malformed_and_never_another_error(body: bytes) -> None:
    with pytest.raises(MalformedMessage):
        read_blob_events(body)
