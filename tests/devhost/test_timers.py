"""Timer triggers, on a real blob service and a clock that the tests move."""

import threading
from typing import Any

import pytest

from devhost.host.storage import StorageConnections
from tests.devhost.listening import Recording, decoded, eventually, fail, listening
from tests.devhost.manual_clock import ManualClock
from tests.devhost.timer_listening import (
    EVERY_FIVE_MINUTES,
    START,
    at,
    due,
    listener,
    past_due,
    status,
    status_blob,
)


def test_a_timer_fires_when_due_and_not_before(
    connections: StorageConnections, host_id: str, clock: ManualClock
) -> None:
    recording = Recording()
    with listening(listener(connections, recording, host_id, clock)):
        eventually(lambda: clock.awaited == at(10, 5))
        clock.advance(minutes=4, seconds=29)
        assert recording.runs == []
        clock.advance(seconds=1)
        eventually(lambda: clock.awaited == at(10, 10))
        clock.advance(minutes=5)
        eventually(lambda: due(connections, host_id) == at(10, 15))
    assert past_due(recording) == [False, False]


def test_the_function_is_told_its_schedule_status(
    connections: StorageConnections, host_id: str, clock: ManualClock
) -> None:
    recording = Recording()
    with listening(listener(connections, recording, host_id, clock)):
        eventually(lambda: clock.awaited == at(10, 5))
        clock.advance(minutes=5)
        eventually(lambda: clock.awaited == at(10, 10))
        clock.advance(minutes=5)
        eventually(lambda: due(connections, host_id) == at(10, 15))
    first, second = (decoded("timerTrigger", run.trigger) for run in recording.runs)
    assert first.schedule_status == {
        "Last": "0001-01-01T00:00:00+00:00",
        "Next": "2026-11-20T10:05:00+00:00",
        "LastUpdated": "2026-11-20T10:00:30+00:00",
    }
    assert second.schedule_status["Last"] == "2026-11-20T10:05:30+00:00"
    assert second.schedule == {"AdjustForDST": True}


def test_after_downtime_one_run_is_past_due(
    connections: StorageConnections, host_id: str, clock: ManualClock
) -> None:
    before, after = Recording(), Recording()
    with listening(listener(connections, before, host_id, clock)):
        eventually(lambda: clock.awaited == at(10, 5))
    clock.advance(hours=3)
    with listening(listener(connections, after, host_id, clock)):
        eventually(lambda: clock.awaited == at(13, 5))
        clock.advance(minutes=5)
        eventually(lambda: due(connections, host_id) == at(13, 10))
    assert before.runs == []
    assert past_due(after) == [True, False]


def test_a_short_downtime_is_not_past_due(
    connections: StorageConnections, host_id: str, clock: ManualClock
) -> None:
    recording = Recording()
    for _ in range(2):
        with listening(listener(connections, recording, host_id, clock)):
            eventually(lambda: clock.awaited == at(10, 5))
        clock.advance(minutes=1)
    with listening(listener(connections, recording, host_id, clock)):
        eventually(lambda: clock.awaited == at(10, 5))
        clock.advance(minutes=3)
        eventually(lambda: due(connections, host_id) == at(10, 10))
    assert past_due(recording) == [False]


def test_a_changed_schedule_is_not_past_due(
    connections: StorageConnections, host_id: str, clock: ManualClock
) -> None:
    recording = Recording()
    with listening(listener(connections, recording, host_id, clock)):
        eventually(lambda: clock.awaited == at(10, 5))
    clock.advance(hours=3)
    with listening(listener(connections, recording, host_id, clock, "0 30 * * * *")):
        eventually(lambda: clock.awaited == at(13, 30))
        clock.advance(minutes=30)
        eventually(lambda: due(connections, host_id) == at(14, 30))
    assert past_due(recording) == [False]


def test_an_overrun_fires_once_and_runs_never_overlap(
    connections: StorageConnections, host_id: str, clock: ManualClock
) -> None:
    turns = threading.Semaphore(0)
    recording = Recording(lambda _: turns.acquire(timeout=60))
    with listening(listener(connections, recording, host_id, clock)):
        eventually(lambda: clock.awaited == at(10, 5))
        clock.advance(minutes=5)
        eventually(lambda: len(recording.runs) == 1)
        clock.advance(minutes=17)  # 10:10, 10:15 and 10:20 fall due meanwhile
        assert len(recording.runs) == 1
        turns.release()
        eventually(lambda: len(recording.runs) == 2)
        turns.release()
        eventually(lambda: due(connections, host_id) == at(10, 25))
        assert len(recording.runs) == 2
        turns.release()
        clock.advance(minutes=3)
        eventually(lambda: due(connections, host_id) == at(10, 30))
    assert past_due(recording) == [False, False, False]


def test_a_failure_still_advances_the_schedule(
    connections: StorageConnections, host_id: str, clock: ManualClock
) -> None:
    recording = Recording(fail)
    with listening(listener(connections, recording, host_id, clock)):
        eventually(lambda: due(connections, host_id) == at(10, 5))
        for minute in (10, 15):
            clock.advance(minutes=5)
            eventually(lambda minute=minute: due(connections, host_id) == at(10, minute))
    assert len(recording.runs) == 2


def test_run_on_startup_runs_at_once_and_then_on_schedule(
    connections: StorageConnections, host_id: str, clock: ManualClock
) -> None:
    recording = Recording()
    with listening(listener(connections, recording, host_id, clock, runOnStartup=True)):
        eventually(lambda: recording.ended == 1)
        eventually(lambda: status(connections, host_id).get("Last") == START)
        clock.advance(minutes=5)
        eventually(lambda: recording.ended == 2)
    assert past_due(recording) == [False, False]


@pytest.mark.parametrize(
    ("schedule", "properties"),
    [("*/10 * * * * *", {}), (EVERY_FIVE_MINUTES, {"useMonitor": False})],
    ids=["more than once a minute", "monitor switched off"],
)
def test_some_timers_keep_no_status_and_are_never_past_due(
    connections: StorageConnections,
    host_id: str,
    clock: ManualClock,
    schedule: str,
    properties: dict[str, Any],
) -> None:
    recording = Recording()
    for _ in range(2):
        with listening(listener(connections, recording, host_id, clock, schedule, **properties)):
            eventually(lambda: clock.awaited)
            ended = recording.ended
            clock.advance(minutes=5)
            eventually(lambda ended=ended: recording.ended == ended + 1 and clock.awaited)
        clock.advance(hours=3)
    assert past_due(recording) == [False, False]
    assert not status_blob(connections, host_id).exists()
    assert decoded("timerTrigger", recording.runs[0].trigger).schedule_status == {}
