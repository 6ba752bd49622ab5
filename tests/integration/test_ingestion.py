"""From a message to a registered artifact, on a real store and a real database."""

import base64
import hashlib
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from azure.storage.blob import BlobClient
from azure.storage.blob import BlobProperties as SdkProperties
from psycopg.rows import DictRow

from devhost.stack.azurite import Azurite
from shared.database.pool import Database
from shared.errors import BlobChanged, DatabaseUnavailable, StorageUnavailable
from shared.models.blob_events import forwarded_event
from shared.models.blobs import BlobProperties
from shared.models.registrations import Outcome
from shared.services.artifact_service import ArtifactService
from shared.services.ingestion import IngestionService
from shared.storage.blobs import BlobStore
from tests.integration.clock import TickingClock
from tests.integration.messages import ORIGIN, QUEUE, event, over, set_aside, stored
from tests.integration.uploads import Uploads, uploading_to


def test_an_uploaded_blob_is_registered_as_its_own_asset(
    ingestion: IngestionService, uploads: Uploads, sql: psycopg.Connection[DictRow]
) -> None:
    blob = uploads.put("flood/site-a.tif", b"pixels", content_type="image/tiff")
    ingestion.take_blob_events(QUEUE, event(blob), ORIGIN)
    (row,) = stored(sql)
    assert row["client_type"] == "blob"
    assert row["client_refs"] == {
        "account": blob.account,
        "container": blob.container,
        "path": "flood/site-a.tif",
    }
    assert row["content_hash"] == "1220" + hashlib.sha256(b"pixels").hexdigest()
    assert (row["size_bytes"], row["content_type"]) == (6, "image/tiff")
    assert (row["status"], row["revision"]) == ("active", 1)
    assert row["uri"].endswith(f"/{blob.container}/flood/site-a.tif")


def test_other_bytes_under_the_name_supersede_and_repeats_change_nothing(
    ingestion: IngestionService, uploads: Uploads, sql: psycopg.Connection[DictRow]
) -> None:
    blob = uploads.put("a", b"one")
    for _ in range(3):
        ingestion.take_blob_events(QUEUE, event(blob), ORIGIN)
    uploads.put("a", b"two")
    for _ in range(3):
        ingestion.take_blob_events(QUEUE, base64.b64encode(event(blob)), ORIGIN)
        ingestion.take_blob_events(QUEUE, forwarded_event(blob).encode(), ORIGIN)
    assert [(row["revision"], row["status"]) for row in stored(sql)] == [
        (1, "superseded"),
        (2, "active"),
    ]


def test_the_same_event_at_once_on_many_threads_registers_once(
    ingestion: IngestionService, uploads: Uploads, sql: psycopg.Connection[DictRow]
) -> None:
    blob = uploads.put("a", b"one")
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(ingestion.register_blob, [blob] * 32, [ORIGIN] * 32))
    assert len(stored(sql)) == 1


def test_an_empty_blob_is_registered(
    ingestion: IngestionService, uploads: Uploads, sql: psycopg.Connection[DictRow]
) -> None:
    ingestion.take_blob_events(QUEUE, event(uploads.put("empty", b"")), ORIGIN)
    (row,) = stored(sql)
    assert row["size_bytes"] == 0
    assert row["content_hash"] == "1220" + hashlib.sha256(b"").hexdigest()


@pytest.mark.parametrize(
    "name",
    [
        "with spaces and  two",
        "hash#mark?and=query&more",
        "literal%2Fslash",
        "per%cent",
        "dots..inside/..hidden/file...",
        "emoji-\N{ROCKET}-\N{CJK UNIFIED IDEOGRAPH-6F22}",
        "x" * 1024,
        "\N{ROCKET}" * 200,
        "quote'double\"back\\slash",
        "; DROP TABLE artifacts; --",
        "line\nbreak",
    ],
)
def test_any_blob_name_arrives_as_it_was_given(
    ingestion: IngestionService, uploads: Uploads, sql: psycopg.Connection[DictRow], name: str
) -> None:
    blob = uploads.put(name, b"x")
    ingestion.take_blob_events(QUEUE, event(blob), ORIGIN)
    assert [row["blob_path"] for row in stored(sql)] == [name]
    assert set_aside(sql) == []


def test_an_odd_content_type_keeps_no_blob_out(
    ingestion: IngestionService, uploads: Uploads, sql: psycopg.Connection[DictRow]
) -> None:
    blob = uploads.put("a", b"x", content_type="application/" + "x" * 500)
    ingestion.take_blob_events(QUEUE, event(blob), ORIGIN)
    assert len(stored(sql)[0]["content_type"]) == 255


class OverwrittenWhileRead(BlobStore):
    """A store whose blob somebody overwrites while it is being hashed, for the first reads."""

    def __init__(self, connection_string: str, uploads: Uploads, times: int) -> None:
        super().__init__(connection_string, block_bytes=1 << 20)
        self._uploads = uploads
        self.left = times

    def read(self, properties: BlobProperties) -> Generator[bytes]:
        for number, chunk in enumerate(super().read(properties)):
            if number == 0 and self.left:
                self.left -= 1
                self._uploads.put(properties.reference.path, bytes([self.left]) * (1 << 24))
            yield chunk


def test_bytes_that_change_while_they_are_read_are_read_again(
    azurite: Azurite,
    database: Database,
    artifacts: ArtifactService,
    clock: TickingClock,
    uploads: Uploads,
    sql: psycopg.Connection[DictRow],
) -> None:
    blob = uploads.put("a", b"\xff" * (1 << 24))
    store = OverwrittenWhileRead(azurite.connection_string, uploads, times=2)
    over(store, database, artifacts, clock).take_blob_events(QUEUE, event(blob), ORIGIN)
    (row,) = stored(sql)
    assert row["content_hash"] == "1220" + hashlib.sha256(b"\0" * (1 << 24)).hexdigest()


def test_bytes_that_never_rest_are_left_to_a_later_delivery(
    azurite: Azurite,
    database: Database,
    artifacts: ArtifactService,
    clock: TickingClock,
    uploads: Uploads,
    sql: psycopg.Connection[DictRow],
) -> None:
    blob = uploads.put("a", b"\xff" * (1 << 24))
    store = OverwrittenWhileRead(azurite.connection_string, uploads, times=99)
    with pytest.raises(BlobChanged):
        over(store, database, artifacts, clock).take_blob_events(QUEUE, event(blob), ORIGIN)
    assert stored(sql) == []
    assert set_aside(sql) == []


def test_a_blob_that_is_still_being_copied_is_left_to_a_later_delivery(
    ingestion: IngestionService,
    uploads: Uploads,
    sql: psycopg.Connection[DictRow],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Azurite copies at once, so the answer is changed on its way: unproven on Azure."""
    blob = uploads.put("a", b"half of it")
    ask = BlobClient.get_blob_properties
    with monkeypatch.context() as patched:

        def answer(client: BlobClient, **options: Any) -> SdkProperties:
            found = ask(client, **options)
            found.copy.status = "pending"
            return found

        patched.setattr(BlobClient, "get_blob_properties", answer)
        with pytest.raises(BlobChanged):
            ingestion.take_blob_events(QUEUE, event(blob), ORIGIN)
    assert (stored(sql), set_aside(sql)) == ([], [])
    ingestion.take_blob_events(QUEUE, event(blob), ORIGIN)
    assert len(stored(sql)) == 1


class OvertakenAfterHashing(BlobStore):
    """A store whose reader is overtaken: after its last byte, a newer state is registered."""

    def __init__(self, connection_string: str, overtake: Any) -> None:
        super().__init__(connection_string)
        self._overtake = overtake

    def read(self, properties: BlobProperties) -> Generator[bytes]:
        yield from super().read(properties)
        self._overtake()


def test_a_reader_overtaken_between_hashing_and_registering_does_not_win(
    azurite: Azurite,
    database: Database,
    artifacts: ArtifactService,
    clock: TickingClock,
    ingestion: IngestionService,
    uploads: Uploads,
    sql: psycopg.Connection[DictRow],
) -> None:
    blob = uploads.put("a", b"older")

    def overtake() -> None:
        uploads.put("a", b"newer")
        assert ingestion.register_blob(blob, ORIGIN).outcome is Outcome.CREATED

    slow = over(
        OvertakenAfterHashing(azurite.connection_string, overtake), database, artifacts, clock
    )
    assert slow.register_blob(blob, ORIGIN).outcome is Outcome.STALE
    (row,) = stored(sql)
    assert row["content_hash"] == "1220" + hashlib.sha256(b"newer").hexdigest()


def test_64_uploads_to_one_name_end_with_what_the_store_holds(
    ingestion: IngestionService, uploads: Uploads, sql: psycopg.Connection[DictRow]
) -> None:
    blob = uploads.reference("busy")

    def upload_and_notice(number: int) -> None:
        uploads.put("busy", f"content {number}".encode())
        for delivery in range(10):  # as often as the host would
            try:
                ingestion.take_blob_events(QUEUE, event(blob), ORIGIN)
            except BlobChanged:
                assert delivery < 9
            else:
                return

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(upload_and_notice, range(64)))
    rows = stored(sql)
    assert [row["revision"] for row in rows] == list(range(1, len(rows) + 1))
    assert [row["status"] for row in rows].count("active") == 1
    held = uploads.container.download_blob("busy").readall()
    assert rows[-1]["status"] == "active"
    assert rows[-1]["content_hash"] == "1220" + hashlib.sha256(held).hexdigest()
    assert len({row["blob_etag"] for row in rows}) == len(rows)


def test_without_a_database_the_message_is_left_to_a_later_delivery(
    azurite: Azurite, clock: TickingClock, uploads: Uploads
) -> None:
    nowhere = Database("postgresql://x@127.0.0.1:1/x", size=1, timeout_seconds=0.5)
    service = over(
        BlobStore(azurite.connection_string), nowhere, ArtifactService(nowhere, clock), clock
    )
    blob = uploads.put("a", b"x")
    for body in (event(blob), b"malformed"):
        with pytest.raises(DatabaseUnavailable):
            service.take_blob_events(QUEUE, body, ORIGIN)
    nowhere.close()


def test_without_a_store_the_message_is_left_and_after_its_return_registered(
    own_azurite: Azurite,
    database: Database,
    artifacts: ArtifactService,
    clock: TickingClock,
    sql: psycopg.Connection[DictRow],
) -> None:
    service = over(BlobStore(own_azurite.connection_string), database, artifacts, clock)
    with uploading_to(own_azurite.connection_string, "uploads") as uploads:
        blob = uploads.put("a", b"x")
    own_azurite.stop()
    with pytest.raises(StorageUnavailable):
        service.take_blob_events(QUEUE, event(blob), ORIGIN)
    assert set_aside(sql) == []
    own_azurite.start()
    service.take_blob_events(QUEUE, event(blob), ORIGIN)
    assert len(stored(sql)) == 1
