"""Runs blob-triggered functions."""

import asyncio
import json
import logging
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from azure.core.exceptions import ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueMessage

from devhost.host.blob_inputs import blob_input
from devhost.host.blob_paths import BlobPathPattern
from devhost.host.blob_receipts import BlobReceipts
from devhost.host.blob_sweep import BlobSweep
from devhost.host.errors import ConfigurationError
from devhost.host.host_config import QueuesConfig
from devhost.host.host_state import HostState
from devhost.host.model import FunctionSpec, Invoker, TriggerInput
from devhost.host.pauses import DRAIN, pause
from devhost.host.queue_pump import VISIBILITY, QueuePump, UnreadableMessage
from devhost.host.storage import StorageConnections

logger = logging.getLogger(__name__)

POLL_SECONDS = 10.0
POLL_SETTING = "DEVHOST_BLOB_POLL_SECONDS"
POISON_QUEUE = "webjobs-blobtrigger-poison"


@dataclass(frozen=True)
class BlobTarget:
    """One function and the blobs that it wants."""

    function: FunctionSpec
    pattern: BlobPathPattern
    blobs: BlobServiceClient
    is_swept: bool
    """False for the source `EventGrid`."""

    @classmethod
    def of(cls, function: FunctionSpec, connections: StorageConnections) -> "BlobTarget":
        """Raises `FunctionLoadError`, for a connection or a path that cannot be used."""
        trigger = function.trigger.properties
        return cls(
            function,
            BlobPathPattern.parse(str(trigger["path"])),
            connections.blobs(str(trigger.get("connection", ""))),
            is_swept=trigger.get("source") != "EventGrid",
        )

    def read(self, notice: dict[str, Any]) -> TriggerInput | None:
        """The input for that version; None when it is gone: a newer one has its own notice."""
        name = str(notice["BlobName"])
        blob = self.blobs.get_blob_client(str(notice["ContainerName"]), name)
        try:
            properties = blob.get_blob_properties()
            if properties.etag.strip('"') != notice["ETag"]:
                return None
            return blob_input(self.function, blob, properties, self.pattern.match(name) or {})
        except (ResourceNotFoundError, ResourceModifiedError):
            return None


class BlobListener:
    """Listens for blobs on behalf of all functions with a `blobTrigger`.

    One listener serves them all because they share one queue of notices, as in the real host: a
    sweep puts a notice of every new version on it, and the notices are run like any message, with
    retries and a poison queue.
    """

    def __init__(
        self,
        targets: Sequence[BlobTarget],
        connections: StorageConnections,
        invoker: Invoker,
        options: QueuesConfig,
        host_id: str,
        *,
        poll_seconds: float | None = None,
        visibility: timedelta = VISIBILITY,
        drain: timedelta = DRAIN,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Sweeps every `poll_seconds`, when not given as the environment says, else every 10.

        Raises `ConnectionNotUsable`, for the host's own storage, and `ConfigurationError`.
        """
        self._invoker = invoker
        self._poll_seconds = poll_seconds or poll_seconds_set(os.environ)
        self._host_id = host_id
        self._connections = connections
        self._now = now
        queues = connections.queues()
        self._notices = queues.get_queue_client(f"azure-webjobs-blobtrigger-{host_id}")
        self._pump = QueuePump(
            self._notices,
            queues.get_queue_client(POISON_QUEUE),
            options,
            self._run_notice,
            visibility=visibility,
            drain=drain,
        )
        self._targets = {target.function.name: target for target in targets}
        self._sweeps = [self._sweep(target) for target in self._targets.values() if target.is_swept]

    async def run(self, stopping: asyncio.Event) -> None:
        """Sweep and run until `stopping` is set."""
        for target in self._targets.values():
            if not target.is_swept:
                logger.info(
                    "%s waits for Event Grid, which nothing delivers locally: it will not run.",
                    target.function.name,
                )
        sweeping = (self._keep_sweeping(sweep, stopping) for sweep in self._sweeps)
        await asyncio.gather(self._pump.run(stopping), *sweeping)

    async def _keep_sweeping(self, sweep: BlobSweep, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            if await sweep.sweep(stopping):
                self._pump.wake()
            await pause(self._poll_seconds, stopping)

    def _sweep(self, target: BlobTarget) -> BlobSweep:
        name = target.function.name
        return BlobSweep(
            name,
            target.pattern,
            target.blobs.get_container_client(target.pattern.container),
            BlobReceipts(HostState(self._connections), self._host_id, name),
            self._notices,
            self._now,
        )

    async def _run_notice(self, message: QueueMessage) -> bool:
        notice = _read_notice(str(message.content))
        target = self._targets.get(str(notice.get("FunctionId")))
        if target is None:  # a function that is no longer there, as the real host does
            return True
        trigger = await asyncio.to_thread(target.read, notice)
        if trigger is None:
            return True
        result = await self._invoker.invoke(target.function, trigger)
        return result.succeeded


def poll_seconds_set(environment: Mapping[str, str]) -> float:
    """`DEVHOST_BLOB_POLL_SECONDS`, else 10. Raises `ConfigurationError`."""
    text = environment.get(POLL_SETTING, str(POLL_SECONDS))
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise ConfigurationError(f"{POLL_SETTING} is {text!r}, not a positive number of seconds")
    return seconds


def _read_notice(body: str) -> dict[str, Any]:
    try:
        return dict(json.loads(body))
    except (ValueError, TypeError) as fault:
        raise UnreadableMessage("This is no notice of a blob.") from fault
