"""Which listener serves which trigger."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from devhost.host.blobs import BlobListener, BlobTarget
from devhost.host.errors import FunctionLoadError
from devhost.host.host_config import HostConfig
from devhost.host.indexing import BLOB, QUEUE, TIMER
from devhost.host.model import FunctionSpec, Invoker
from devhost.host.queues import QueueListener
from devhost.host.storage import StorageConnections
from devhost.host.timers import TimerListener

T = TypeVar("T")


class Listener(Protocol):
    """Watches for what triggers functions, and runs them."""

    async def run(self, stopping: asyncio.Event) -> None: ...


@dataclass(frozen=True)
class Listeners:
    """Everything to run beside the HTTP server, and the functions that cannot be listened for."""

    listeners: tuple[Listener, ...]
    refused: Mapping[str, str]


def build_listeners(
    functions: Sequence[FunctionSpec],
    connections: StorageConnections,
    invoker: Invoker,
    config: HostConfig,
    host_id: str,
) -> Listeners:
    """One listener a function; blobs share one, because they share one queue of notices."""
    queues = config.extensions.queues
    refused: dict[str, str] = {}

    def of_each(trigger: str, make: Callable[[FunctionSpec], T]) -> list[T]:
        triggered = [function for function in functions if function.trigger.type == trigger]
        return [made for function in triggered for made in _attempt(function, make, refused)]

    def of_all_blobs(targets: list[BlobTarget]) -> list[Listener]:
        try:
            return [BlobListener(targets, connections, invoker, queues, host_id)] if targets else []
        except FunctionLoadError as fault:
            refused.update({target.function.name: str(fault) for target in targets})
            return []

    return Listeners(
        (
            *of_all_blobs(of_each(BLOB, lambda spec: BlobTarget.of(spec, connections))),
            *of_each(QUEUE, lambda spec: QueueListener(spec, connections, invoker, queues)),
            *of_each(TIMER, lambda spec: TimerListener(spec, connections, invoker, host_id)),
        ),
        refused,
    )


def _attempt(
    function: FunctionSpec, make: Callable[[FunctionSpec], T], refused: dict[str, str]
) -> list[T]:
    try:
        return [make(function)]
    except FunctionLoadError as fault:
        refused[function.name] = str(fault)
        return []
