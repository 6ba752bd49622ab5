"""Queue triggers, on a real queue service."""

import base64
import json
import threading
from datetime import timedelta
from typing import Any

import pytest
from azure.storage.queue import QueueClient

from devhost.host.host_config import QueuesConfig
from devhost.host.queues import overlay
from devhost.host.storage import StorageConnections
from tests.devhost.listening import Recording, decoded, eventually, listening
from tests.devhost.queue_listening import PLAIN, depth, exists, listener

SHORT = timedelta(seconds=2)


def test_a_message_is_run_and_deleted(queue: QueueClient, connections: StorageConnections) -> None:
    recording = Recording()
    queue.send_message("hello")
    with listening(listener(queue, connections, recording)):
        eventually(lambda: depth(queue) == 0)
    assert recording.values == ["hello"]
    assert recording.runs[0].trigger.kind == "string"


def test_a_missing_queue_is_made(queue: QueueClient, connections: StorageConnections) -> None:
    queue.delete_queue()
    recording = Recording()
    with listening(listener(queue, connections, recording)):
        eventually(lambda: exists(queue, connections))
        queue.send_message("first")
        eventually(lambda: recording.values == ["first"])


def test_base64_is_decoded_when_that_is_the_encoding(
    queue: QueueClient, connections: StorageConnections
) -> None:
    recording = Recording()
    queue.send_message(base64.b64encode("héllo".encode()).decode())
    with listening(listener(queue, connections, recording, QueuesConfig())):
        eventually(lambda: recording.runs)
    assert recording.values == ["héllo"]


def test_data_type_binary_hands_over_bytes(
    queue: QueueClient, connections: StorageConnections
) -> None:
    recording = Recording()
    queue.send_message('{"id": "inner"}')
    with listening(listener(queue, connections, recording, properties={"dataType": "BINARY"})) as _:
        eventually(lambda: recording.runs)
    trigger = recording.runs[0].trigger
    assert (trigger.kind, trigger.value) == ("bytes", b'{"id": "inner"}')
    assert trigger.metadata["Id"] != "inner"  # binary content is not looked into


def test_metadata_makes_a_genuine_message(
    queue: QueueClient, connections: StorageConnections
) -> None:
    recording = Recording()
    sent = queue.send_message("plain text")
    with listening(listener(queue, connections, recording)):
        eventually(lambda: recording.runs)
    message = decoded("queueTrigger", recording.runs[0].trigger)
    assert message.id == sent.id
    assert message.dequeue_count == 1
    assert message.get_body() == b"plain text"
    assert message.pop_receipt
    assert message.insertion_time == sent.inserted_on
    assert message.expiration_time == sent.expires_on
    assert recording.runs[0].trigger.metadata["QueueTrigger"] == "plain text"


def test_members_of_a_json_body_replace_the_message_s_own_metadata(
    queue: QueueClient, connections: StorageConnections
) -> None:
    recording = Recording()
    queue.send_message(json.dumps({"id": "from the body", "subject": "a/b", "data": {"n": 1}}))
    with listening(listener(queue, connections, recording)):
        eventually(lambda: recording.runs)
    assert decoded("queueTrigger", recording.runs[0].trigger).id == "from the body"
    metadata = recording.runs[0].trigger.metadata
    assert (metadata["subject"], metadata["data"]) == ("a/b", {"n": 1})


def test_a_long_run_keeps_its_message_to_itself(
    queue: QueueClient, connections: StorageConnections
) -> None:
    go_on = threading.Event()
    recording = Recording(lambda _: go_on.wait(60))
    queue.send_message("long")
    at_work = listener(queue, connections, recording, visibility=SHORT)
    threading.Timer(2 * SHORT.total_seconds(), go_on.set).start()
    with listening(at_work):
        eventually(lambda: depth(queue) == 0)
    assert len(recording.runs) == 1


def test_batch_size_and_threshold_bound_parallel_runs(
    queue: QueueClient, connections: StorageConnections
) -> None:
    turns = threading.Semaphore(0)
    recording = Recording(lambda _: turns.acquire(timeout=60))
    for number in range(6):
        queue.send_message(str(number))
    options = PLAIN.model_copy(update={"batch_size": 2, "new_batch_threshold": 1})
    with listening(listener(queue, connections, recording, options)):
        eventually(lambda: len(recording.runs) == 2)
        turns.release()
        eventually(lambda: len(recording.runs) == 4)  # one still runs, a batch of two comes on top
        assert recording.ended == 1
        turns.release(6)
        eventually(lambda: recording.ended == 6)
    assert sorted(recording.values) == [str(number) for number in range(6)]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"id": 5}', {"Id": "5"}),
        ('{"ID": "a", "other": true}', {"Id": "a", "other": "True"}),
        ('{"id": null}', {"Id": "m"}),
        ('{"id": ["a"]}', {"Id": "m"}),
        ('["id"]', {"Id": "m"}),
        ("id", {"Id": "m"}),
    ],
)
def test_overlay_takes_scalars_and_objects_without_regard_to_case(
    body: str, expected: dict[str, Any]
) -> None:
    assert overlay({"Id": "m"}, body) == expected
