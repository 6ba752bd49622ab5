"""One trace and what is counted, of a blob that is uploaded, noticed, hashed and registered."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import azure.functions as func
import psycopg
import pytest
from azure.functions.queue import QueueMessage
from azure.storage.blob import BlobClient
from psycopg.rows import DictRow

from devhost.stack.azurite import Azurite
from functions import blobs, queues
from shared.database.pool import Database
from shared.services.audit_surface import Audit
from shared.services.ingestion import IngestionService
from shared.storage.audit_table import AuditTable
from shared.telemetry.traces import span
from tests.collecting import Collected, collecting, context_of
from tests.integration.clock import TickingClock
from tests.integration.failing import OwnQueue, Plant
from tests.integration.messages import event, stored
from tests.integration.messages import set_aside as rows
from tests.integration.uploads import Uploads

UPLOADED = "0af7651916cd43dd8448eb211c80319c"
NOTICED = "4bf92f3577b34da6a3ce929d0e0e4736"


@dataclass
class Run:
    """What the host tells a function of one run, and takes from it."""

    function_name: str
    trace: str = ""
    invocation_id: str = "run"
    put: object = None

    @property
    def trace_context(self) -> Any:
        parent = f"00-{self.trace}-b7ad6b7169203331-01" if self.trace else None
        return SimpleNamespace(trace_parent=parent, trace_state="")

    def set(self, value: object) -> None:
        self.put = value


@pytest.fixture
def collected(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collected]:
    with collecting(monkeypatch) as collected:
        yield collected


@pytest.fixture
def served(
    monkeypatch: pytest.MonkeyPatch,
    database: Database,
    ingestion: IngestionService,
    azurite: Azurite,
    clock: TickingClock,
) -> None:
    """The queue functions, on the registry of the test."""
    audit = Audit.of(database, AuditTable(azurite.connection_string, "unused"), clock)
    settings = SimpleNamespace(blob_events_queue="blob-events")
    registry = SimpleNamespace(ingestion=ingestion, settings=settings, audit=audit)
    monkeypatch.setattr(queues, "registry", lambda: registry)


def upload(uploads: Uploads, name: str, trace: str) -> str:
    """What the blob trigger makes of a new blob."""
    run = Run("blob_uploaded", trace)
    client: BlobClient = uploads.container.get_blob_client(name)
    blobs.blob_uploaded.build().get_user_function()(client, run, run)
    return cast("str", run.put)


def notice(body: bytes, trace: str = "", at: datetime | None = None) -> Run:
    """Have the queue trigger take a message."""
    run = Run("blob_events", trace)
    message = QueueMessage(id="1", body=body, insertion_time=at or datetime.now(UTC))
    queues.blob_events.build().get_user_function()(cast("func.QueueMessage", message), run, run)
    return run


@pytest.mark.usefixtures("served")
def test_an_upload_is_one_trace_through_the_queue_to_its_registration(
    uploads: Uploads, own_queue: OwnQueue, collected: Collected, sql: psycopg.Connection[DictRow]
) -> None:
    blob = uploads.put("a.tif", b"pixels")
    own_queue.client.send_message(upload(uploads, "a.tif", UPLOADED))
    (received,) = own_queue.receive(1, 30)
    notice(received.body, NOTICED, received.inserted_at)
    (artifact,) = stored(sql)
    assert artifact["blob_path"] == blob.path

    steps = collected.spans
    assert set(steps) == {"blob_uploaded", "blob_events", "hash blob", "register artifact"}
    assert {f"{context_of(step).trace_id:032x}" for step in steps.values()} == {UPLOADED}
    parents = {name: step.parent.span_id for name, step in steps.items() if step.parent}
    assert parents["blob_events"] == context_of(steps["blob_uploaded"]).span_id
    taken = context_of(steps["blob_events"]).span_id
    assert (parents["hash blob"], parents["register artifact"]) == (taken, taken)
    (link,) = steps["blob_events"].links
    assert f"{link.context.trace_id:032x}" == NOTICED
    assert dict(steps["hash blob"].attributes or {}) == {"registry.size_bytes": 6}
    assert dict(steps["register artifact"].attributes or {}) == {
        "registry.outcome": "created",
        "registry.artifact_id": str(artifact["artifact_id"]),
    }
    assert not [step for step in steps.values() if "a.tif" in step.to_json()]


@pytest.mark.usefixtures("served")
def test_what_is_done_is_counted(uploads: Uploads, collected: Collected) -> None:
    notice(event(uploads.put("a", b"pixels")))
    notice(event(uploads.put("b", b"of more")))
    notice(b"nonsense")
    notice(b"nonsense")
    counted = collected.metrics()
    assert counted["registry.registrations"] == {(("outcome", "created"),): 2}
    assert counted["registry.hash.size"] == {(): 13}
    assert counted["registry.hash.duration"] == {(): 2}
    assert counted["registry.queue.age"] == {(("faas.name", "blob_events"),): 4}
    refused = (("queue", "blob-events"), ("reason", "malformed_message"))
    assert counted["registry.set_aside.messages"] == {refused: 1}


@pytest.mark.usefixtures("served")
def test_what_is_left_to_do_goes_on_in_the_same_trace(
    uploads: Uploads, ingestion: IngestionService, collected: Collected
) -> None:
    notice(event(uploads.put("folder/a", b"pixels")))
    deleted = event(uploads.reference("folder"), eventType="Microsoft.Storage.DirectoryDeleted")
    run = notice(deleted, UPLOADED)
    (following,) = cast("list[str]", run.put)
    assert UPLOADED in following
    assert json.loads(following)["kind"] == "blob-deleted"


@pytest.mark.usefixtures("served")
def test_a_message_that_comes_in_two_traces_is_set_aside_once_and_without_either(
    uploads: Uploads, collected: Collected, sql: psycopg.Connection[DictRow]
) -> None:
    sent = {upload(uploads, "never-written", trace) for trace in (UPLOADED, NOTICED)}
    assert len(sent) == 2
    for text in sent:
        notice(text.encode())
    (row,) = rows(sql)
    assert row["reason"] == "blob_not_found"
    assert "traceparent" not in bytes(row["body"]).decode()


def test_poisoned_messages_are_known_again_in_whatever_trace_they_were_sent(
    plant: Plant, uploads: Uploads, collected: Collected, sql: psycopg.Connection[DictRow]
) -> None:
    message = event(uploads.put("a", b"pixels")).decode()
    for name in ("first", "second"):
        with span(name):
            plant.poison[plant.events].send(message)
    assert plant.drain() == 2
    (row,) = rows(sql)
    assert bytes(row["body"]) == message.encode()
