"""Threads of our own that take notices from the queue, as the host's would."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from azure.storage.queue import QueueClient, QueueMessage

from bench.upload_source import UploadSource
from shared.models.blob_events import message_document, read_blob_event

THREADS = 8

_BATCH = 16
"""Messages taken at a time: those of our host.json."""

_PAUSE_SECONDS = 0.01
"""Before an empty queue is asked again: asking on would slow the emulator for the uploader."""

Handler = Callable[[bytes], None]


@dataclass(frozen=True)
class Passage:
    """One blob's way, in seconds since the epoch."""

    uploaded: float
    noticed: float
    picked_up: float
    handled: float
    done: float


@dataclass(frozen=True)
class _Taken:
    path: str
    picked_up: float
    handled: float
    done: float


def take_uploads(
    source: UploadSource, queue: QueueClient, handle: Handler, count: int, folder: str
) -> list[Passage]:
    """Have blobs uploaded, handle the notice of each, delete it; raises what `handle` raises."""

    def take(message: QueueMessage) -> _Taken:
        picked_up = time.time()
        body = str(message.content).encode()
        handle(body)
        handled = time.time()
        queue.delete_message(message)
        source.done()
        blob = read_blob_event(message_document(body))
        assert blob
        return _Taken(blob.path, picked_up, handled, time.time())

    with ThreadPoolExecutor(THREADS) as threads, ThreadPoolExecutor(1) as uploader:
        uploading = uploader.submit(source.send, count, folder)
        taken: list[Future[_Taken]] = []
        while len(taken) < count and not (uploading.done() and uploading.exception()):
            batch = queue.receive_messages(messages_per_page=_BATCH, max_messages=_BATCH)
            before = len(taken)
            taken += [threads.submit(take, message) for message in batch]
            if len(taken) == before:
                time.sleep(_PAUSE_SECONDS)
        uploading.result()
        return [_passage(source, each.result()) for each in taken]


def _passage(source: UploadSource, taken: _Taken) -> Passage:
    sent = source.sent[taken.path]
    return Passage(sent.uploaded, sent.noticed, taken.picked_up, taken.handled, taken.done)
