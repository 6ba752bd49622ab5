"""Every form that a message may have is registered; no address in one is ever called."""

import base64
import codecs
import hashlib
import json
from collections.abc import Callable
from itertools import product
from typing import Any

import psycopg
import pytest
from psycopg.rows import DictRow

from shared.models.blob_events import forwarded_event
from shared.models.blobs import BlobReference
from shared.services.ingestion import IngestionService
from tests.integration.messages import ORIGIN, QUEUE, event, set_aside, stored
from tests.integration.unvisited import unvisited_host
from tests.integration.uploads import Uploads

Rows = psycopg.Connection[DictRow]

ENCODINGS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "plain with a byte order mark": lambda text: codecs.BOM_UTF8 + text,
    "plain between line breaks": lambda text: b"\r\n\t " + text + b"\r\n",
    "base64": base64.b64encode,
    "base64 in lines": base64.encodebytes,
    "base64 in lines of Windows": lambda text: base64.encodebytes(text).replace(b"\n", b"\r\n"),
    "base64 with a byte order mark": lambda text: codecs.BOM_UTF8 + base64.b64encode(text),
    "base64 of a byte order mark": lambda text: base64.b64encode(codecs.BOM_UTF8 + text),
}
ETAGS: list[dict[str, Any]] = [{}, {"eTag": '"0x1"'}, {"eTag": "0x1"}, {"eTag": 'W/"0x1"'}]
LISTED: list[Callable[[Any], Any]] = [lambda one: one, lambda one: [one]]


def grid(blob: BlobReference, data: dict[str, Any]) -> dict[str, Any]:
    return json.loads(event(blob, data={"api": "PutBlob", "contentLength": 1} | data))


def cloud(blob: BlobReference, data: dict[str, Any]) -> dict[str, Any]:
    published = grid(blob, data)
    renamed = {"source": published.pop("topic"), "type": published.pop("eventType")}
    return published | renamed | {"specversion": "1.0", "id": "1", "time": "2026-01-01T00:00:00Z"}


def forwarded(blob: BlobReference, data: dict[str, Any]) -> dict[str, Any]:
    return json.loads(forwarded_event(blob))


@pytest.mark.parametrize("form", [grid, cloud, forwarded])
def test_a_blob_is_registered_whatever_form_its_event_has(
    ingestion: IngestionService,
    uploads: Uploads,
    sql: Rows,
    form: Callable[[BlobReference, dict[str, Any]], dict[str, Any]],
) -> None:
    hashes: list[str] = []
    for encoding, etag, listed in product(ENCODINGS, ETAGS, LISTED):
        content = f"{len(hashes)} grün".encode()
        blob = uploads.put(f"grün/{len(hashes)}.tif", content)
        text = json.dumps(listed(form(blob, etag)), ensure_ascii=False).encode()
        ingestion.take_blob_events(QUEUE, ENCODINGS[encoding](text), ORIGIN)
        hashes.append("1220" + hashlib.sha256(content).hexdigest())
    assert sorted(row["content_hash"] for row in stored(sql)) == sorted(hashes)
    assert set_aside(sql) == []


def test_a_list_may_mix_every_form_and_name_one_blob_often(
    ingestion: IngestionService, uploads: Uploads, sql: Rows
) -> None:
    names = [f"{number}.tif" for number in range(6)]
    blobs = [uploads.put(name, name.encode()) for name in names]
    forms = [grid, cloud, forwarded]
    events = [form(blob, {}) for blob in blobs for form in forms]
    ingestion.take_blob_events(QUEUE, json.dumps(events).encode(), ORIGIN)
    assert sorted(row["blob_path"] for row in stored(sql)) == names
    assert set_aside(sql) == []


def test_a_registration_is_taken_in_every_encoding(ingestion: IngestionService, sql: Rows) -> None:
    expected = [{"d": f"grün {encoding}"} for encoding in ENCODINGS]
    for refs, encode in zip(expected, ENCODINGS.values(), strict=True):
        body = {"client_type": "ddh", "client_refs": refs, "content_hash": "ab" * 32}
        text = json.dumps(body, ensure_ascii=False).encode()
        ingestion.take_registration("q", encode(text), ORIGIN)
    told = [row["client_refs"] for row in stored(sql)]
    assert sorted(told, key=str) == sorted(expected, key=str)
    assert set_aside(sql) == []


def test_a_registration_is_one_body_of_the_api_and_nothing_else(
    ingestion: IngestionService, sql: Rows
) -> None:
    bodies: list[object] = [
        [{"client_type": "ddh", "client_refs": {"d": "1"}}],
        {"artifacts": [{"client_type": "ddh", "client_refs": {"d": "1"}}]},
        {"client_type": "ddh", "client_refs": {"d": "1"}, "unknown": 1},
        {"client_type": "ddh", "client_refs": {"d": "1"}, "size_bytes": "1"},
        {"client_type": "ddh", "client_refs": {}},
        {"client_type": "ddh"},
    ]
    for body in bodies:
        ingestion.take_registration("q", json.dumps(body).encode(), ORIGIN)
    assert [kept["reason"] for kept in set_aside(sql)] == ["malformed_message"] * len(bodies)
    assert stored(sql) == []


def addresses(host: str) -> list[str]:
    """What hostile senders write where a name or a URL belongs."""
    return [
        host,
        f"http://{host}/devstoreaccount1/c/b",
        f"//{host}/c/b",
        f"https://devstoreaccount1.blob.core.windows.net@{host}/c/b",
        f"http://{host}#.blob.core.windows.net/c/b",
        f"http://[::ffff:127.0.0.1]:{host.partition(':')[2]}/c/b",
        f"devstoreaccount1.blob.core.windows.net@{host}",
        f"devstoreaccount1/../../{host}",
        f"devstoreaccount1?@{host}",
    ]


def test_an_address_is_no_name_of_an_account_or_a_container(
    ingestion: IngestionService, uploads: Uploads, sql: Rows
) -> None:
    blob = uploads.put("a", b"bytes")
    with unvisited_host() as host:
        for address in addresses(host):
            named = {"kind": "blob-reference", "account": blob.account, "path": blob.path}
            bodies = [
                event(blob, topic=f"/storageAccounts/{address}"),
                event(blob, subject=f"/blobServices/default/containers/{address}/blobs/a"),
                json.dumps(named | {"container": blob.container, "account": address}).encode(),
                json.dumps(named | {"container": address}).encode(),
            ]
            for body in bodies:
                ingestion.take_blob_events(QUEUE, body, ORIGIN)
    assert len(set_aside(sql)) == 4 * len(addresses(""))
    assert stored(sql) == []


def test_a_blob_is_read_where_its_account_is_whatever_url_its_event_has(
    ingestion: IngestionService, uploads: Uploads, sql: Rows
) -> None:
    blob = uploads.put("a", b"bytes")
    with unvisited_host() as host:
        for address in addresses(host):
            data = {"api": "PutBlob", "url": address, "blobUrl": address, "sourceUrl": address}
            ingestion.take_blob_events(QUEUE, event(blob, data=data, url=address), ORIGIN)
            ingestion.take_blob_events(QUEUE, event(blob, data=data, topic=""), ORIGIN)
    (row,) = stored(sql)
    assert row["content_hash"] == "1220" + hashlib.sha256(b"bytes").hexdigest()
    assert row["uri"] == uploads.container.get_blob_client("a").url


def test_an_address_in_a_registration_is_never_called(
    ingestion: IngestionService, uploads: Uploads, sql: Rows
) -> None:
    blob = uploads.put("a", b"bytes")
    with unvisited_host() as host:
        for number, address in enumerate(addresses(host)):
            at = {"storage_account": blob.account, "container": blob.container, "blob_path": "a"}
            places: list[dict[str, str]] = [
                at | {"storage_account": address[:64]},
                at | {"container": address[:64]},
                {"uri": address},
            ]
            for place, fields in enumerate(places):
                refs = {"client_type": "ddh", "client_refs": {"d": number, "place": place}}
                ingestion.take_registration("q", json.dumps(refs | fields).encode(), ORIGIN)
    assert {row["content_hash"] for row in stored(sql)} == {None}
    assert len(stored(sql)) + len(set_aside(sql)) == 3 * len(addresses(""))
