"""`python -m bench.ingestion_worker WORK`: a process that empties the queue at each line it reads.

Says "ready" once it can begin, and answers each line with the number of messages that it took.
"""

import sys
from collections.abc import Callable, Generator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from enum import StrEnum

import typer
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueClient, QueueMessage
from pydantic import BaseModel

from shared import bootstrap
from shared.models.registrations import Origin

THREADS = 8

_AT_A_TIME = 32
"""Messages taken with one request: as many as the store gives."""
_AHEAD = 16
"""Fewer messages than these left to do, and more are taken."""

Handler = Callable[[bytes], object]


class Work(StrEnum):
    """What is done about a message before it is deleted."""

    REGISTER = "register"
    DOWNLOAD = "download"
    """The blob is read by the SDK, and that is all: what cannot be done without."""


class _Notice(BaseModel):
    container: str
    path: str


def main(work: Work) -> None:
    """Serve."""
    settings = bootstrap.registry().settings
    storage = settings.storage.get_secret_value()
    with (
        QueueClient.from_connection_string(storage, settings.blob_events_queue) as queue,
        ThreadPoolExecutor(THREADS) as threads,
        _handler(work, storage) as handle,
    ):
        print("ready", flush=True)
        for _ in sys.stdin:
            print(_empty(queue, threads, handle), flush=True)


@contextmanager
def _handler(work: Work, storage: str) -> Generator[Handler]:
    if work is Work.REGISTER:
        registry = bootstrap.registry()
        queue, origin = registry.settings.blob_events_queue, Origin("bench")
        yield lambda body: registry.ingestion.take_blob_events(queue, body, origin)
        return
    with BlobServiceClient.from_connection_string(storage) as blobs:

        def download(body: bytes) -> None:
            blob = _Notice.model_validate_json(body)
            blobs.get_blob_client(blob.container, blob.path).download_blob().readall()

        yield download


def _empty(queue: QueueClient, threads: ThreadPoolExecutor, handle: Handler) -> int:
    """Take messages until none is left, here or on its way."""

    def take(message: QueueMessage) -> None:
        handle(str(message.content).encode())
        queue.delete_message(message)

    taken = 0
    under_way: set[Future[None]] = set()
    while True:
        batch = list(queue.receive_messages(messages_per_page=_AT_A_TIME, max_messages=_AT_A_TIME))
        taken += len(batch)
        under_way |= {threads.submit(take, message) for message in batch}
        if not under_way:
            return taken
        while len(under_way) > (_AHEAD if batch else 0):
            done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
            for each in done:
                each.result()


if __name__ == "__main__":
    typer.run(main)
