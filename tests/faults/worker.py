"""A worker in a thread of the test: the dev host's own queue loop, and the real service behind it.

The loop is the one that runs the app in `make run`: it receives, renews, deletes, shows a failed
message again and gives it up in the end. Here only its waits are shorter.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from threading import Thread

from azure.storage.queue import QueueMessage

from devhost.host.host_config import QueuesConfig
from devhost.host.queue_pump import VISIBILITY, QueuePump
from shared.errors import Retryable
from shared.models.ids import repeatable_id
from shared.services.ingestion import IngestionService
from tests.faults.places import Place
from tests.integration.messages import ORIGIN

Take = Callable[[QueueMessage], None]

AT_ONCE = 32
"""What one receive brings at most: Azurite looks through the whole queue for each."""
SOON = timedelta(seconds=5)
"""So long a worker that is killed keeps its messages to itself; else ten minutes."""


class Worker:
    """Counts what it is given. What no Retryable explains is kept, and fails the test."""

    def __init__(self, place: Place, take: Take, batch_size: int, visibility: timedelta) -> None:
        self.deliveries: Counter[str] = Counter()
        """Of each message, by its id."""
        self.retried = 0
        self.surprises: list[Exception] = []
        self._take = take
        self._threads = ThreadPoolExecutor(batch_size)
        self._pump = QueuePump(
            place.queue(), place.poison(), options(batch_size), self._handle, visibility=visibility
        )

    async def run(self, stopping: asyncio.Event) -> None:
        """Take messages until `stopping` is set."""
        with self._threads:
            await self._pump.run(stopping)

    async def _handle(self, message: QueueMessage) -> bool:
        self.deliveries[message.id] += 1
        try:
            await asyncio.get_running_loop().run_in_executor(self._threads, self._take, message)
        except Retryable:
            self.retried += 1
            return False
        except Exception as surprise:
            self.surprises.append(surprise)
            raise
        return True


def options(batch_size: int) -> QueuesConfig:
    """As in host.json, but for the waits; a failed message comes again after a second."""
    return QueuesConfig(
        batch_size=batch_size,
        max_dequeue_count=60,
        max_polling_interval=timedelta(milliseconds=200),
        visibility_timeout=timedelta(seconds=1),
        message_encoding="none",
    )


def taking_events(service: IngestionService, place: Place) -> Take:
    """What the function `blob_events` does with a message."""
    queue = place.queue()

    def take(message: QueueMessage) -> None:
        for following in service.take_blob_events(place.name, body_of(message), ORIGIN):
            queue.send_message(following)

    return take


def taking_registrations(service: IngestionService, place: Place) -> Take:
    """What the function `register_artifact` does with a message."""

    def take(message: QueueMessage) -> None:
        assert message.inserted_on
        artifact_id = repeatable_id(f"{place.name}/{message.id}", message.inserted_on)
        service.take_registration(place.name, body_of(message), ORIGIN, artifact_id)

    return take


def body_of(message: QueueMessage) -> bytes:
    return str(message.content).encode()


@contextmanager
def working(
    place: Place, take: Take, batch_size: int = AT_ONCE, visibility: timedelta = VISIBILITY
) -> Generator[Worker]:
    """A worker that works while the block runs."""
    worker = Worker(place, take, batch_size, visibility)
    loop = asyncio.new_event_loop()
    stopping = asyncio.Event()
    thread = Thread(target=loop.run_until_complete, args=[worker.run(stopping)])
    thread.start()
    try:
        yield worker
    finally:
        loop.call_soon_threadsafe(stopping.set)
        thread.join()
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
    assert worker.surprises == []
