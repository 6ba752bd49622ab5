"""Uploads that go on whatever is down: what they were told that it had succeeded is remembered."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from itertools import count
from threading import Event, Thread
from typing import Any

from azure.core.exceptions import AzureError
from azure.storage.blob import ContainerClient
from azure.storage.queue import QueueClient

from shared.models.blobs import BlobReference
from tests.end_to_end.waiting import wait_for
from tests.integration.messages import event

AT_ONCE: dict[str, Any] = {"retry_total": 0, "connection_timeout": 2, "read_timeout": 2}
ENOUGH = 20
NAMES = 50
"""Every name is written again and again: what an outage interrupts is an overwriting, too."""


class Load:
    """Writes blobs and announces them, one after the other."""

    def __init__(self, container: ContainerClient, queue: QueueClient) -> None:
        self.contents: dict[str, bytes] = {}
        """What the store holds, by name: the last that it confirmed."""
        self.announced = 0
        self.failures = 0
        self._container = container
        self._queue = queue

    def wait_for_more(self) -> None:
        """Until as much again has succeeded as makes a load."""
        before = self.announced
        wait_for("uploads", lambda: self.announced >= before + ENOUGH)

    def wait_for_failures(self) -> None:
        before = self.failures
        wait_for("failures", lambda: self.failures >= before + 3)

    def run(self, stopping: Event) -> None:
        """Go on until `stopping` is set."""
        for number in count():
            if stopping.wait(0.01):
                return
            name, content = f"load/{number % NAMES}", b"%d" % number
            self._insist(lambda: self._put(name, content))  # noqa: B023 - called at once
            self._insist(lambda: self._announce(name))  # noqa: B023 - likewise
            self.announced += 1

    def _put(self, name: str, content: bytes) -> None:
        self._container.upload_blob(name, content, overwrite=True, **AT_ONCE)
        self.contents[name] = content

    def _announce(self, name: str) -> None:
        account = self._container.account_name or ""
        blob = BlobReference(account, self._container.container_name, name)
        self._queue.send_message(event(blob).decode(), **AT_ONCE)

    def _insist(self, deed: Callable[[], None]) -> None:
        """An attempt that failed may have been done all the same: what follows must bear that."""
        while True:
            try:
                return deed()
            except AzureError:
                self.failures += 1
                time.sleep(0.1)


@contextmanager
def load_on(container: ContainerClient, queue: QueueClient) -> Generator[Load]:
    """A load while the block runs; at its end the store must be there."""
    load = Load(container, queue)
    stopping = Event()
    thread = Thread(target=load.run, args=[stopping])
    thread.start()
    try:
        yield load
    finally:
        stopping.set()
        thread.join()
