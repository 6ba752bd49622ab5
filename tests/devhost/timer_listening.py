"""What the tests of timer triggers share."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from azure.storage.blob import BlobClient

from devhost.host.storage import HOST_CONTAINER, StorageConnections
from devhost.host.timers import TimerListener
from tests.devhost.listening import Recording, decoded, function_with
from tests.devhost.manual_clock import ManualClock

START = datetime(2026, 11, 20, 10, 0, 30, tzinfo=UTC)
EVERY_FIVE_MINUTES = "0 */5 * * * *"
RETRY = timedelta(milliseconds=50)


def listener(
    connections: StorageConnections,
    recording: Recording,
    host_id: str,
    clock: ManualClock,
    schedule: str = EVERY_FIVE_MINUTES,
    **more: Any,
) -> TimerListener:
    function = function_with("timerTrigger", schedule=schedule, **more)
    return TimerListener(function, connections, recording, host_id, clock=clock, retry=RETRY)


def status_blob(connections: StorageConnections, host_id: str) -> BlobClient:
    path = f"timers/{host_id}/sample/status"
    return connections.blobs().get_blob_client(HOST_CONTAINER, path)


def status(connections: StorageConnections, host_id: str) -> dict[str, datetime]:
    """The three times; empty before the first is written."""
    blob = status_blob(connections, host_id)
    if not blob.exists():
        return {}
    times = json.loads(blob.download_blob().readall())
    return {key: datetime.fromisoformat(value) for key, value in times.items()}


def due(connections: StorageConnections, host_id: str) -> datetime | None:
    return status(connections, host_id).get("Next")


def at(hour: int, minute: int, second: int = 0) -> datetime:
    return datetime(2026, 11, 20, hour, minute, second, tzinfo=UTC)


def past_due(recording: Recording) -> list[bool]:
    return [decoded("timerTrigger", run.trigger).past_due for run in recording.runs]
