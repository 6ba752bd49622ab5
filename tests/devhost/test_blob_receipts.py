"""That each version of a blob fires once, whatever fails, on a real blob service."""

import json
import threading
from datetime import UTC, datetime, timedelta

import pytest
from azure.storage.blob import ContainerClient

from devhost.host.blob_receipts import BlobReceipts, BlobVersion, Claim
from devhost.host.host_state import HostState
from devhost.host.storage import HOST_CONTAINER, StorageConnections, send_message
from devhost.stack.azurite import Azurite
from tests.devhost.blob_listening import blob_function, listener, names, poisoned, version_of
from tests.devhost.listening import (
    CONNECTION,
    Recording,
    connections_to,
    eventually,
    fail,
    listening,
)


def test_a_restarted_host_does_not_fire_again(
    connections: StorageConnections, container: ContainerClient, host_id: str
) -> None:
    function = blob_function(container)
    before, after = Recording(), Recording()
    container.upload_blob("old", b"1")
    with listening(listener(connections, before, host_id, function)):
        eventually(lambda: before.ended == 1)
    with listening(listener(connections, after, host_id, function)):
        container.upload_blob("new", b"2")
        eventually(lambda: after.runs)
        container.upload_blob("newer", b"3")
        eventually(lambda: len(after.runs) == 2)
    assert (names(before), names(after)) == (["old"], ["new", "newer"])


def test_a_receipt_lies_where_the_real_host_keeps_it_and_is_complete_before_the_run_ends(
    connections: StorageConnections, container: ContainerClient, host_id: str
) -> None:
    go_on = threading.Event()
    recording = Recording(lambda _: go_on.wait(60))
    blob = container.upload_blob("folder/a", b"1")
    version = version_of(blob)
    receipt = connections.blobs().get_blob_client(
        HOST_CONTAINER,
        f"blobreceipts/{host_id}/sample/{version.etag}/{container.container_name}/folder/a",
    )
    with listening(listener(connections, recording, host_id, blob_function(container))):
        eventually(lambda: recording.runs)
        eventually(lambda: receipt.get_blob_properties().metadata == {"Completed": "True"})
        assert recording.ended == 0
        go_on.set()


def test_a_failing_run_is_repeated_and_its_notice_ends_as_poison(
    connections: StorageConnections, container: ContainerClient, host_id: str
) -> None:
    recording = Recording(fail)
    container.upload_blob("bad", b"1")
    with listening(listener(connections, recording, host_id, blob_function(container))):
        eventually(lambda: poisoned(connections, container) == ["bad"])
    assert names(recording) == ["bad"] * 5


def test_two_functions_and_two_hosts_share_the_work_and_fire_once_each(
    connections: StorageConnections, container: ContainerClient, host_id: str
) -> None:
    functions = [blob_function(container, name=name) for name in ("one", "two")]
    recording = Recording()
    hosts = [listener(connections, recording, host_id, *functions) for _ in range(2)]
    with listening(*hosts):
        for number in range(5):
            container.upload_blob(f"blob-{number}", b"")
        eventually(lambda: recording.ended >= 10)
        container.upload_blob("last", b"")
        eventually(lambda: recording.ended >= 12)
    expected = [f"blob-{number}" for number in range(5)] + ["last"]
    for function in ("one", "two"):
        runs = [run.trigger.metadata["name"] for run in recording.runs if run.function == function]
        assert sorted(runs) == expected


def test_an_abandoned_receipt_is_taken_over_by_one_host_after_half_a_minute(
    connections: StorageConnections, host_id: str
) -> None:
    receipts = BlobReceipts(HostState(connections), host_id, "sample")
    version, now = BlobVersion("container", "a", "0x1"), datetime.now(UTC)
    assert receipts.claim(version, now) is Claim.OURS
    assert receipts.claim(version, now + timedelta(seconds=20)) is Claim.BUSY
    assert receipts.claim(version, now + timedelta(seconds=40)) is Claim.OURS
    receipts.complete(version)
    assert receipts.claim(version, now + timedelta(seconds=80)) is Claim.DONE


def test_only_one_host_takes_an_abandoned_receipt(
    connections: StorageConnections, host_id: str
) -> None:
    state = HostState(connections)
    path = f"blobreceipts/{host_id}/sample/raced"
    assert state.create(path)
    etag = state.blob(path).get_blob_properties().etag
    assert [state.take_over(path, etag), state.take_over(path, etag)] == [True, False]


def test_a_notice_of_a_version_that_is_gone_runs_nothing(
    connections: StorageConnections, container: ContainerClient, host_id: str
) -> None:
    recording = Recording()
    blob = container.upload_blob("a", b"1")
    stale = version_of(blob)
    blob.upload_blob(b"2", overwrite=True)
    notices = connections.queues().get_queue_client(f"azure-webjobs-blobtrigger-{host_id}")
    for name in ("a", "vanished"):
        notice = {
            "FunctionId": "sample",
            "ContainerName": stale.container,
            "BlobName": name,
            "ETag": stale.etag,
        }
        send_message(notices, json.dumps(notice))
    with listening(listener(connections, recording, host_id, blob_function(container))):
        eventually(lambda: recording.ended == 1)
        eventually(lambda: notices.get_queue_properties().approximate_message_count == 0)
    assert recording.values == [b"2"]


def test_a_stop_during_a_sweep_leaves_no_notice_half_given(
    connections: StorageConnections, container: ContainerClient, host_id: str
) -> None:
    for number in range(40):
        container.upload_blob(f"{number:02}", b"")
    before, after = Recording(), Recording()
    with listening(listener(connections, before, host_id, blob_function(container))) as first:
        eventually(lambda: before.runs)
        first.stop()
    with listening(listener(connections, after, host_id, blob_function(container))):
        eventually(lambda: before.ended + after.ended >= 40)
    assert sorted(names(before) + names(after)) == [f"{number:02}" for number in range(40)]


@pytest.mark.long
def test_a_storage_restart_is_survived(own_azurite: Azurite, host_id: str) -> None:
    connections = connections_to(own_azurite.connection_string)
    container = connections.blobs(CONNECTION).get_container_client("uploads")
    container.create_container()
    recording = Recording()
    with listening(listener(connections, recording, host_id, blob_function(container))):
        container.upload_blob("before", b"1")
        eventually(lambda: recording.ended == 1)
        own_azurite.stop()
        own_azurite.start()
        container.upload_blob("after", b"2")
        eventually(lambda: recording.ended == 2)
    connections.close()
    assert names(recording) == ["before", "after"]
