"""Timer triggers when hosts are several, stop, or lose their storage."""

import logging
import threading
from datetime import timedelta

import pytest
from azure.storage.blob import BlobClient, BlobLeaseClient

from devhost.host.storage import HOST_CONTAINER, StorageConnections
from devhost.host.timers import TimerListener
from devhost.stack.azurite import Azurite
from tests.devhost.listening import (
    Recording,
    connections_to,
    eventually,
    function_with,
    listening,
)
from tests.devhost.manual_clock import ManualClock
from tests.devhost.timer_listening import (
    EVERY_FIVE_MINUTES,
    RETRY,
    at,
    due,
    listener,
    past_due,
    status,
)


def test_two_hosts_run_a_timer_once_and_the_second_takes_over(
    connections: StorageConnections,
    host_id: str,
    clock: ManualClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "devhost")
    first, second = Recording(), Recording()
    with listening(listener(connections, first, host_id, clock)) as holder:
        eventually(lambda: due(connections, host_id) == at(10, 5))
        with listening(listener(connections, second, host_id, clock)):
            eventually(lambda: "held by another host" in caplog.text)
            clock.advance(minutes=5)
            eventually(lambda: due(connections, host_id) == at(10, 10))
            assert (first.ended, second.ended) == (1, 0)
            holder.stop()
            clock.advance(minutes=5)
            # Sooner than the lock would run out by itself: a host that stops gives it back.
            eventually(lambda: due(connections, host_id) == at(10, 15), within=10)
    assert (first.ended, second.ended) == (1, 1)


def test_a_host_that_loses_its_lock_stops_and_tries_again(
    connections: StorageConnections,
    host_id: str,
    clock: ManualClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    recording = Recording()
    function = function_with("timerTrigger", schedule=EVERY_FIVE_MINUTES)
    quick = {"retry": RETRY, "renewal": RETRY}
    timer = TimerListener(function, connections, recording, host_id, clock=clock, **quick)
    with listening(timer):
        eventually(lambda: due(connections, host_id) == at(10, 5))
        lock = lock_blob(connections, host_id)
        BlobLeaseClient(lock).break_lease(0)
        taken = lock.acquire_lease()
        eventually(lambda: "was lost" in caplog.text)
        clock.advance(minutes=5)
        taken.release()
        eventually(lambda: due(connections, host_id) == at(10, 10))
    assert past_due(recording) == [True]  # it was due while another host held the lock


@pytest.mark.long
def test_a_storage_restart_is_survived(own_azurite: Azurite, clock: ManualClock) -> None:
    connections = connections_to(own_azurite.connection_string)
    recording = Recording()
    with listening(listener(connections, recording, "host", clock)):
        eventually(lambda: due(connections, "host") == at(10, 5))
        own_azurite.stop()
        clock.advance(minutes=5)
        eventually(lambda: recording.ended == 1)
        own_azurite.start()
        clock.advance(minutes=5)
        eventually(lambda: recording.ended == 2)
        eventually(lambda: due(connections, "host") == at(10, 15))
    connections.close()


def test_stopping_does_not_wait_for_ever(
    connections: StorageConnections, host_id: str, clock: ManualClock
) -> None:
    go_on = threading.Event()
    recording = Recording(lambda _: go_on.wait(60))
    function = function_with("timerTrigger", schedule=EVERY_FIVE_MINUTES, runOnStartup=True)
    drain = timedelta(milliseconds=100)
    timer = TimerListener(function, connections, recording, host_id, clock=clock, drain=drain)
    with listening(timer) as at_work:
        eventually(lambda: recording.runs)
        # The thread of a run cannot be stopped, so the loop's own end waits for it.
        threading.Timer(0.5, go_on.set).start()
        at_work.stop()
    assert status(connections, host_id)["Last"].year == 1  # it did not end, so it did not run


def lock_blob(connections: StorageConnections, host_id: str) -> BlobClient:
    path = f"locks/{host_id}/sample.Listener"
    return connections.blobs().get_blob_client(HOST_CONTAINER, path)
