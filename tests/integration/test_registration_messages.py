"""Registration messages: what a pipeline says on its own behalf."""

import hashlib
import json
from typing import Any

import psycopg
import pytest
from psycopg.rows import DictRow

from shared.models.ids import repeatable_id
from shared.services.artifact_service import ArtifactService
from shared.services.ingestion import IngestionService
from tests.integration.messages import ORIGIN, set_aside, stored
from tests.integration.uploads import Uploads


@pytest.mark.parametrize(
    "pin", [{"blob_etag": "0xOTHER"}, {"size_bytes": 999}, {"blob_version_id": "v1"}]
)
def test_other_bytes_than_the_sender_spoke_of_are_not_registered(
    ingestion: IngestionService,
    uploads: Uploads,
    sql: psycopg.Connection[DictRow],
    pin: dict[str, Any],
) -> None:
    blob = uploads.put("a", b"bytes")
    body = {
        "client_type": "ddh",
        "client_refs": {"dataset_id": "d"},
        "storage_account": blob.account,
        "container": blob.container,
        "blob_path": blob.path,
    }
    ingestion.take_registration("q", json.dumps(body | pin).encode(), ORIGIN)
    assert [kept["reason"] for kept in set_aside(sql)] == ["invalid_input"]
    assert stored(sql) == []


@pytest.mark.parametrize("fields", [{"data": 1}, {"processing": "pending"}])
def test_one_registration_message_counts_once_however_late_it_comes_again(
    ingestion: IngestionService, sql: psycopg.Connection[DictRow], fields: dict[str, Any]
) -> None:
    body = {"client_type": "ddh", "client_refs": {"d": "1"}, "overwrite": True}
    first, second = (repeatable_id(f"message {n}", None) for n in (1, 2))
    for message in (first, first, second, first):
        ingestion.take_registration("q", json.dumps(body | fields).encode(), ORIGIN, message)
    assert [row["artifact_id"] for row in stored(sql)] == [first, second]
    assert set_aside(sql) == []


def test_a_registration_message_is_registered(
    ingestion: IngestionService, sql: psycopg.Connection[DictRow]
) -> None:
    body = {"client_type": "ddh", "client_refs": {"dataset_id": "d"}, "content_hash": "ab" * 32}
    for _ in range(3):
        ingestion.take_registration("artifact-registrations", json.dumps(body).encode(), ORIGIN)
    (row,) = stored(sql)
    assert (row["client_type"], row["content_hash"]) == ("ddh", "1220" + "ab" * 32)


def test_a_registration_without_a_hash_is_hashed_where_its_blob_can_be_read(
    ingestion: IngestionService, uploads: Uploads, sql: psycopg.Connection[DictRow]
) -> None:
    blob = uploads.put("a", b"bytes")
    body = {
        "client_type": "ddh",
        "client_refs": {"dataset_id": "d"},
        "storage_account": blob.account,
        "container": blob.container,
        "blob_path": blob.path,
        "content_type": "image/tiff",
    }
    for _ in range(3):
        ingestion.take_registration("artifact-registrations", json.dumps(body).encode(), ORIGIN)
    (row,) = stored(sql)
    assert row["content_hash"] == "1220" + hashlib.sha256(b"bytes").hexdigest()
    assert (row["client_type"], row["content_type"]) == ("ddh", "image/tiff")


def test_a_conflicting_registration_is_set_aside_and_says_with_which(
    ingestion: IngestionService,
    artifacts: ArtifactService,
    sql: psycopg.Connection[DictRow],
) -> None:
    made = artifacts.create_artifact(client_type="ddh", client_refs={"d": "1"})
    body = json.dumps({"client_type": "ddh", "client_refs": {"d": "1"}}).encode()
    ingestion.take_registration("artifact-registrations", body, ORIGIN)
    (kept,) = set_aside(sql)
    assert kept["reason"] == "artifact_conflict"
    assert str(made.artifact_id) in kept["explanation"]
