"""Blob triggers, on a real blob service."""

import asyncio
import json
import logging
from datetime import UTC, datetime
from typing import Any

import azurefunctions.extensions.bindings.blob as sdk_bindings
import pytest
from azure.storage.blob import BlobServiceClient, ContainerClient, StandardBlobTier

from devhost.host.blob_paths import BlobPathPattern
from devhost.host.blob_receipts import BlobReceipts
from devhost.host.blob_sweep import BlobSweep
from devhost.host.blobs import poll_seconds_set
from devhost.host.errors import ConfigurationError
from devhost.host.host_state import HostState
from devhost.host.model import ModelBindingData
from devhost.host.storage import HOST_CONTAINER, StorageConnections
from devhost.stack.azurite import Azurite
from tests.devhost.blob_listening import blob_function, listener, names
from tests.devhost.listening import CONNECTION, Recording, decoded, eventually, listening


def test_an_upload_runs_the_function_with_the_whole_content(
    connections: StorageConnections, container: ContainerClient, host_id: str
) -> None:
    recording = Recording()
    with listening(
        listener(connections, recording, host_id, blob_function(container, "{folder}/{name}.tif"))
    ):
        container.upload_blob("scenes/one.tif", b"\x00content", metadata={"crs": "4326"})
        eventually(lambda: recording.runs)
    (run,) = recording.runs
    assert (run.trigger.kind, run.trigger.value) == ("bytes", b"\x00content")
    assert run.trigger.metadata["folder"] == "scenes"
    assert run.trigger.metadata["name"] == "one"
    stream = decoded("blobTrigger", run.trigger)
    assert stream.read() == b"\x00content"
    assert stream.name == f"{container.container_name}/scenes/one.tif"
    assert stream.length == 8
    assert stream.uri == container.get_blob_client("scenes/one.tif").url
    assert stream.metadata == {"crs": "4326"}


def test_names_that_do_not_match_are_left_alone(
    connections: StorageConnections, container: ContainerClient, host_id: str
) -> None:
    container.upload_blob("a.txt", b"")
    container.upload_blob("a.tif", b"")
    recording = Recording()
    with listening(listener(connections, recording, host_id, blob_function(container, "{n}.tif"))):
        eventually(lambda: recording.runs)
        container.upload_blob("b.txt", b"")
        container.upload_blob("b.tif", b"")
        eventually(lambda: len(recording.runs) == 2)
    assert names(recording) == ["a.tif", "b.tif"]


def test_an_sdk_type_gets_a_reference_that_opens_the_blob(
    azurite: Azurite,
    connections: StorageConnections,
    container: ContainerClient,
    host_id: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recording = Recording()
    function = blob_function(container, annotation=sdk_bindings.BlobClient)
    container.upload_blob("big.tif", b"not in the message")
    with listening(listener(connections, recording, host_id, function)):
        eventually(lambda: recording.runs)
    trigger = recording.runs[0].trigger
    assert trigger.kind == "model_binding_data"
    assert isinstance(trigger.value, ModelBindingData)
    assert json.loads(trigger.value.content) == {
        "Connection": CONNECTION,
        "ContainerName": container.container_name,
        "BlobName": "big.tif",
    }
    monkeypatch.setenv(CONNECTION, azurite.connection_string)
    client: Any = sdk_bindings.BlobClient(data=trigger.value).get_sdk_type()  # pyright: ignore[reportArgumentType, reportUnknownMemberType, reportUnknownVariableType] - untyped library
    assert client.download_blob().readall() == b"not in the message"
    client.close()


def test_a_container_may_come_later(
    azurite: Azurite, connections: StorageConnections, host_id: str, unique_name: str
) -> None:
    with BlobServiceClient.from_connection_string(azurite.connection_string) as service:
        container = service.get_container_client(unique_name)
        recording = Recording()
        with listening(listener(connections, recording, host_id, blob_function(container))):
            container.create_container()
            container.upload_blob("first", b"1")
            eventually(lambda: names(recording) == ["first"])
        container.delete_container()


def test_a_container_that_does_not_exist_is_no_fault(
    connections: StorageConnections,
    host_id: str,
    unique_name: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    sweep = BlobSweep(
        "sample",
        BlobPathPattern.parse(f"{unique_name}/{{name}}"),
        connections.blobs().get_container_client(unique_name),
        BlobReceipts(HostState(connections), host_id, "sample"),
        connections.queues().get_queue_client(unique_name),
        lambda: datetime.now(UTC),
    )
    assert asyncio.run(sweep.sweep(asyncio.Event())) == 0
    assert caplog.text == ""


def test_new_content_and_new_metadata_fire_again_but_tags_and_tier_and_lease_do_not(
    connections: StorageConnections, container: ContainerClient, host_id: str
) -> None:
    recording = Recording()
    blob = container.upload_blob("a", b"1")
    with listening(listener(connections, recording, host_id, blob_function(container))):
        eventually(lambda: recording.ended == 1)
        blob.upload_blob(b"2", overwrite=True)
        eventually(lambda: recording.ended == 2)
        blob.set_blob_metadata({"key": "value"})
        eventually(lambda: recording.ended == 3)
        blob.set_blob_tags({"key": "value"})
        blob.set_standard_blob_tier(StandardBlobTier.COOL)
        blob.acquire_lease(15).release()
        container.upload_blob("b", b"3")
        eventually(lambda: recording.ended == 4)
        container.upload_blob("c", b"4")
        eventually(lambda: recording.ended == 5)
    assert names(recording) == ["a", "a", "a", "b", "c"]


def test_the_event_grid_source_is_not_swept_and_says_so(
    connections: StorageConnections,
    container: ContainerClient,
    host_id: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "devhost")
    pushed = blob_function(container, name="pushed", source="EventGrid")
    swept = blob_function(container, name="swept", source="LogsAndContainerScan")
    recording = Recording()
    with listening(listener(connections, recording, host_id, pushed, swept)):
        for name in ("a", "b"):
            container.upload_blob(name, b"1")
            eventually(lambda name=name: name in names(recording))
    assert {run.function for run in recording.runs} == {"swept"}
    assert "pushed waits for Event Grid" in caplog.text


@pytest.mark.parametrize(
    "name",
    [
        "with space.tif",
        "a#b?c&d.tif",
        "100%2F.tif",
        "a..b/...tif",
        "🛰/日本.tif",
        "n" * 1024,
        "ß" * 170,
    ],
    ids=["space", "reserved", "percent", "dots", "emoji", "longest", "two bytes a letter"],
)
def test_unusual_names_fire_once_and_leave_receipts_that_azure_accepts(
    connections: StorageConnections, container: ContainerClient, host_id: str, name: str
) -> None:
    recording = Recording()
    container.upload_blob(name, b"content")
    with listening(listener(connections, recording, host_id, blob_function(container))):
        eventually(lambda: recording.ended == 1)
        container.upload_blob("next", b"")
        eventually(lambda: recording.ended == 2)
    assert names(recording) == [name, "next"]
    assert recording.values[0] == b"content"
    hosts = connections.blobs().get_container_client(HOST_CONTAINER)
    receipts = list(hosts.list_blob_names(name_starts_with=f"blobreceipts/{host_id}/"))
    assert len(receipts) == 2
    assert max(map(len, receipts)) <= 1024  # Azurite does not mind longer names, Azure does


def test_the_poll_interval_is_ten_seconds_unless_set() -> None:
    assert poll_seconds_set({}) == 10
    assert poll_seconds_set({"DEVHOST_BLOB_POLL_SECONDS": "0.5"}) == 0.5


@pytest.mark.parametrize("text", ["", "often", "0", "-1", "inf", "nan"])
def test_a_poll_interval_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="DEVHOST_BLOB_POLL_SECONDS"):
        poll_seconds_set({"DEVHOST_BLOB_POLL_SECONDS": text})
