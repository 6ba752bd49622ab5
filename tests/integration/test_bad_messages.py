"""Messages that can never succeed: set aside at once, whole, and without their secrets."""

import base64
import json
from typing import Any

import psycopg
import pytest
from psycopg.rows import DictRow

from shared.models.blobs import BlobReference
from shared.services.ingestion import IngestionService
from tests.integration.messages import ORIGIN, QUEUE, event, set_aside, stored
from tests.integration.uploads import Uploads


def missing_blob(uploads: Uploads) -> BlobReference:
    return uploads.reference("nothing-here")


def missing_container(uploads: Uploads) -> BlobReference:
    return BlobReference(uploads.reference("x").account, "no-such-container", "x")


def other_account(uploads: Uploads) -> BlobReference:
    return BlobReference("someoneelse", uploads.reference("x").container, "x")


@pytest.mark.parametrize(
    ("blob", "reason"),
    [
        (missing_blob, "blob_not_found"),
        (missing_container, "blob_not_found"),
        (other_account, "storage_account_not_allowed"),
    ],
)
def test_what_can_never_succeed_is_set_aside_with_its_reason(
    ingestion: IngestionService,
    uploads: Uploads,
    sql: psycopg.Connection[DictRow],
    blob: Any,
    reason: str,
) -> None:
    body = event(blob(uploads))
    ingestion.take_blob_events(QUEUE, body, ORIGIN)
    ingestion.take_blob_events(QUEUE, body, ORIGIN)
    (kept,) = set_aside(sql)
    assert (kept["source"], kept["reason"], kept["body"]) == (QUEUE, reason, body)
    assert kept["explanation"]
    assert stored(sql) == []


@pytest.mark.parametrize("body", [b"not json", b"\x00\xff", b"{}", b"[]", b"[" * 5000])
@pytest.mark.parametrize("take", ["take_blob_events", "take_registration"])
def test_malformed_messages_are_set_aside_whole(
    ingestion: IngestionService, sql: psycopg.Connection[DictRow], take: str, body: bytes
) -> None:
    getattr(ingestion, take)(QUEUE, body, ORIGIN)
    (kept,) = set_aside(sql)
    assert (kept["reason"], kept["body"]) == ("malformed_message", body)


@pytest.mark.parametrize(
    "body",
    [
        b'{"url": "https://h/c/b?sv=1&sig=SECRET%3D&se=2"}',
        b'{"url": "https://h/c/b?sv=1&s\\u0069g=SECRET%3D&se=2"}',
        b'{"kind": "AccountName=a;AccountKey=SECRET"}',
        b"not json: sig=SECRET",
        b'{"password=SECRET": 1}',
    ],
)
@pytest.mark.parametrize("encode", [bytes, base64.b64encode])
@pytest.mark.parametrize("take", ["take_blob_events", "take_registration"])
def test_a_secret_in_a_message_never_reaches_the_database(
    ingestion: IngestionService,
    sql: psycopg.Connection[DictRow],
    body: bytes,
    encode: Any,
    take: str,
) -> None:
    getattr(ingestion, take)(QUEUE, encode(body), ORIGIN)
    (kept,) = set_aside(sql)
    assert b"REDACTED" in kept["body"]
    assert b"SECRET" not in kept["body"]
    assert "SECRET" not in kept["explanation"]


def test_each_event_of_a_list_stands_alone(
    ingestion: IngestionService, uploads: Uploads, sql: psycopg.Connection[DictRow]
) -> None:
    good = [json.loads(event(uploads.put(name, name.encode()))) for name in ("a", "b")]
    gone = json.loads(event(uploads.reference("gone")))
    kind = "Microsoft.Storage.LifecyclePolicyCompleted"
    other = json.loads(event(uploads.reference("a"), eventType=kind))
    body = json.dumps([gone, good[0], other, good[1]]).encode()
    ingestion.take_blob_events(QUEUE, body, ORIGIN)
    assert sorted(row["blob_path"] for row in stored(sql)) == ["a", "b"]
    assert sorted(row["reason"] for row in set_aside(sql)) == [
        "blob_not_found",
        "malformed_message",
    ]
    assert sorted(json.loads(row["body"])["subject"] for row in set_aside(sql)) == sorted(
        [gone["subject"], other["subject"]]
    )


@pytest.mark.parametrize(
    "body",
    [
        b'{"kind": "blob-reference", "account": "a\\u0000b", "container": "ccc", "path": "x"}',
        b'{"client_type": "x", "client_refs": {"a": "1"}, "bad\\u0000key": 1}',
        b'{"client_type": "x", "client_refs": {"a": "1"}, "\\ud800": 1}',
        b'{"client_type": "x", "client_refs": {"a": "1"}, "uri": "' + b"u" * 20000 + b'"}',
    ],
)
@pytest.mark.parametrize("take", ["take_blob_events", "take_registration"])
def test_hostile_text_burns_no_retries(
    ingestion: IngestionService, sql: psycopg.Connection[DictRow], take: str, body: bytes
) -> None:
    getattr(ingestion, take)(QUEUE, body, ORIGIN)
    assert [kept["reason"] for kept in set_aside(sql)] == ["malformed_message"]
