"""Queue triggers when a run, the storage or the host fails, on a real queue service."""

import logging
import threading
from datetime import timedelta

import pytest
from azure.storage.queue import QueueClient, QueueMessage

from devhost.host.host_config import QueuesConfig
from devhost.host.queue_pump import QueuePump
from devhost.host.storage import StorageConnections
from devhost.stack.azurite import ACCOUNT_KEY, Azurite
from devhost.stack.ports import free_port
from tests.devhost.listening import Recording, connections_to, eventually, fail, listening
from tests.devhost.queue_listening import PLAIN, depth, exists, listener, poison_of


def test_a_failing_message_is_tried_five_times_then_moves_to_poison(
    queue: QueueClient, connections: StorageConnections
) -> None:
    recording = Recording(fail)
    queue.send_message("bad")
    poison = poison_of(queue, connections)
    with listening(listener(queue, connections, recording)):
        eventually(lambda: exists(poison, connections) and depth(poison) == 1)
        eventually(lambda: depth(queue) == 0)
    counts = [run.trigger.metadata["DequeueCount"] for run in recording.runs]
    assert counts == [1, 2, 3, 4, 5]
    moved = next(iter(poison.receive_messages()))
    assert moved.content == "bad"
    assert moved.expires_on is not None
    assert moved.inserted_on is not None
    assert moved.expires_on - moved.inserted_on == timedelta(days=7)


def test_a_failed_message_waits_for_the_visibility_timeout(
    queue: QueueClient, connections: StorageConnections
) -> None:
    recording = Recording(fail)
    options = PLAIN.model_copy(
        update={"visibility_timeout": timedelta(seconds=1), "max_dequeue_count": 2}
    )
    queue.send_message("bad")
    with listening(listener(queue, connections, recording, options)):
        eventually(lambda: len(recording.runs) == 2)
    first, second = recording.runs
    # The service keeps whole seconds, so the second may begin up to one early.
    assert second.started - first.started > 0.2


def test_the_last_failure_moves_the_message_whatever_the_visibility_timeout(
    queue: QueueClient, connections: StorageConnections
) -> None:
    options = PLAIN.model_copy(
        update={"visibility_timeout": timedelta(hours=1), "max_dequeue_count": 1}
    )
    queue.send_message("bad")
    poison = poison_of(queue, connections)
    with listening(listener(queue, connections, Recording(fail), options)):
        eventually(lambda: exists(poison, connections) and depth(poison) == 1)


def test_a_message_dequeued_too_often_is_set_aside_without_a_run(
    queue: QueueClient, connections: StorageConnections
) -> None:
    queue.send_message("killed the host five times")
    for _ in range(5):
        taken = queue.receive_message(visibility_timeout=60)
        assert taken is not None
        queue.update_message(taken, visibility_timeout=0)
    recording = Recording()
    poison = poison_of(queue, connections)
    with listening(listener(queue, connections, recording)):
        eventually(lambda: exists(poison, connections) and depth(poison) == 1)
    assert recording.runs == []


def test_a_poison_queue_has_no_poison_queue(
    queue: QueueClient, connections: StorageConnections
) -> None:
    poison = poison_of(queue, connections)
    poison.create_queue()
    poison.send_message("bad")
    options = PLAIN.model_copy(update={"max_dequeue_count": 1})
    recording = Recording(fail)
    with listening(listener(poison, connections, recording, options)):
        eventually(lambda: recording.ended == 1)
        poison.send_message("next")
        eventually(lambda: recording.ended == 2)
    assert recording.values == ["bad", "next"]
    assert depth(poison) == 2  # both are kept, out of sight for the rest of the ten minutes
    assert list(poison.peek_messages(max_messages=32)) == []
    assert not exists(poison_of(poison, connections), connections)


def test_a_body_that_is_not_base64_goes_to_poison_without_a_run(
    queue: QueueClient, connections: StorageConnections
) -> None:
    recording = Recording()
    queue.send_message("{not base64}")
    poison = poison_of(queue, connections)
    # With this timeout a retry would keep the message away from the poison queue.
    options = QueuesConfig(visibility_timeout=timedelta(hours=1))
    with listening(listener(queue, connections, recording, options)):
        eventually(lambda: exists(poison, connections) and depth(poison) == 1)
        eventually(lambda: depth(queue) == 0)
    assert recording.runs == []
    assert poison.receive_message()["content"] == "{not base64}"  # pyright: ignore[reportOptionalSubscript] - depth is 1


def test_an_outage_is_told_once_however_long(caplog: pytest.LogCaptureFixture) -> None:
    requests: list[object] = []
    account = f"http://127.0.0.1:{free_port()}/devstoreaccount1"  # nobody listens there
    unreachable = QueueClient(
        account, "any", credential=ACCOUNT_KEY, retry_total=0, raw_request_hook=requests.append
    )

    async def never_called(_: QueueMessage) -> bool:
        raise AssertionError

    pump = QueuePump(unreachable, None, PLAIN, never_called)
    with listening(pump):
        eventually(lambda: len(requests) >= 3)
    assert caplog.text.count("cannot be read") == 1


def test_a_storage_restart_is_survived(
    own_azurite: Azurite, unique_name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "devhost")
    connections = connections_to(own_azurite.connection_string)
    queue = connections.queues().create_queue(unique_name)
    recording = Recording()
    with listening(listener(queue, connections, recording)):
        queue.send_message("before")
        eventually(lambda: depth(queue) == 0)
        own_azurite.stop()
        eventually(lambda: "cannot be read" in caplog.text)
        own_azurite.start()
        queue.send_message("after")
        eventually(lambda: recording.values == ["before", "after"])
    connections.close()
    assert caplog.text.count("can be read again") == 1


def test_stopping_waits_for_the_run_and_takes_nothing_new(
    queue: QueueClient, connections: StorageConnections
) -> None:
    go_on = threading.Event()
    recording = Recording(lambda _: go_on.wait(60))
    queue.send_message("running")
    with listening(listener(queue, connections, recording)) as at_work:
        eventually(lambda: recording.runs)
        threading.Timer(0.3, go_on.set).start()
        at_work.stop()
    assert depth(queue) == 0  # it was settled, not left to come again
    queue.send_message("late")
    assert recording.values == ["running"]
    assert [message.content for message in queue.peek_messages(32)] == ["late"]


def test_stopping_does_not_wait_for_ever_and_loses_no_message(
    queue: QueueClient, connections: StorageConnections
) -> None:
    go_on = threading.Event()
    recording = Recording(lambda _: go_on.wait(60))
    queue.send_message("stuck")
    drain = timedelta(milliseconds=100)
    with listening(listener(queue, connections, recording, drain=drain)) as at_work:
        eventually(lambda: recording.runs)
        # The thread of a run cannot be stopped, so the loop's own end waits for it.
        threading.Timer(0.5, go_on.set).start()
        at_work.stop()
    assert depth(queue) == 1
