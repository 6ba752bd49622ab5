"""How fast a full queue of notices is emptied, each blob registered.

A worker is a process with the service in threads, as the host runs it. The limit is one that
receives the same number of messages, downloads what they name and deletes them, with the SDK and
as many threads.
"""

import random
import statistics
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from typing import IO

from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueClient

from bench.ingestion_worker import THREADS, Work
from bench.ratio import Ratio
from bench.upload_services import UploadServices, upload_services
from devhost.stack.app_process import PROJECT
from shared.models.blob_events import forwarded_event
from shared.models.blobs import BlobReference

TARGET = 0.6

_SMALLEST_BYTES, _LARGEST_BYTES = 1024, 100 * 1024
_SEED = 20_26
_WORKERS = (1, 2)

Variant = tuple[Work, int]
"""What workers do, and how many of them."""


@dataclass(frozen=True)
class Effort:
    """How long to measure."""

    rounds: int
    depth: int
    """Messages in the queue when a round begins: the emulator scans it at each request."""


FULL = Effort(rounds=7, depth=256)
QUICK = Effort(rounds=1, depth=20)


def run(effort: Effort) -> list[Ratio]:
    """Measure on Azurite and an embedded server with fsync on."""
    with upload_services() as services:
        seconds = _median_seconds(services, effort)
    rates = {variant: effort.depth / taken for variant, taken in seconds.items()}
    one, two = rates[Work.REGISTER, 1], rates[Work.REGISTER, 2]
    return [
        Ratio(
            f"registered / downloaded, {THREADS} threads",
            one / rates[Work.DOWNLOAD, 1],
            TARGET,
            _told(rates, 1),
        ),
        Ratio("registered by two workers / by one", two / one, None, f"{two:.0f}/s, {one:.0f}/s"),
        Ratio(
            "registered / downloaded by two", two / rates[Work.DOWNLOAD, 2], None, _told(rates, 2)
        ),
    ]


def _told(rates: Mapping[Variant, float], workers: int) -> str:
    return ", ".join(f"{work} {rates[work, workers]:.0f} blobs/s" for work in Work)


def _median_seconds(services: UploadServices, effort: Effort) -> dict[Variant, float]:
    """Each round runs every variant, each on blobs that nobody has registered."""
    variants = [(work, workers) for work in Work for workers in _WORKERS]
    taken: dict[Variant, list[float]] = {variant: [] for variant in variants}
    with ExitStack() as running:
        workers = {
            work: [running.enter_context(_worker(work, services)) for _ in range(max(_WORKERS))]
            for work in Work
        }
        filler = running.enter_context(_filler(services))
        for _ in range(effort.rounds):
            for work, number in variants:
                filler.fill(effort.depth)
                began = time.perf_counter()
                emptied = _empty(workers[work][:number])
                taken[work, number].append(time.perf_counter() - began)
                assert emptied == effort.depth, f"{emptied} of {effort.depth} messages were taken"
    return {variant: statistics.median(seconds) for variant, seconds in taken.items()}


def _empty(workers: Sequence["_Worker"]) -> int:
    for worker in workers:
        worker.begin()
    return sum(worker.end() for worker in workers)


class _Worker:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin
        assert process.stdout
        self._orders: IO[str] = process.stdin
        self._answers: IO[str] = process.stdout

    def begin(self) -> None:
        self._orders.write("\n")
        self._orders.flush()

    def end(self) -> int:
        """The number of messages that it took."""
        return int(self._answers.readline())

    def wait_until_ready(self) -> None:
        answer = self._answers.readline()
        assert answer == "ready\n", "the worker ended by itself"


@contextmanager
def _worker(work: Work, services: UploadServices) -> Generator[_Worker]:
    command = [sys.executable, "-m", "bench.ingestion_worker", work]
    with subprocess.Popen(
        command,
        cwd=PROJECT,
        env=services.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        worker = _Worker(process)
        worker.wait_until_ready()
        yield worker  # it ends with its input


class _Filler:
    """Uploads blobs, and puts a notice of each into the queue once all are there."""

    def __init__(self, blobs: BlobServiceClient, queue: QueueClient, container: str) -> None:
        self._container = blobs.get_container_client(container)
        self._queue = queue
        self._names = (f"{number:06}.bin" for number in count())
        self._random = random.Random(_SEED)  # noqa: S311 - the same bytes at each run, no secret

    def fill(self, depth: int) -> None:
        names = [next(self._names) for _ in range(depth)]
        for name in names:
            size = self._random.randint(_SMALLEST_BYTES, _LARGEST_BYTES)
            self._container.upload_blob(name, self._random.randbytes(size))
        for name in names:
            account = str(self._container.account_name)
            blob = BlobReference(account, self._container.container_name, name)
            self._queue.send_message(forwarded_event(blob))


@contextmanager
def _filler(services: UploadServices) -> Generator[_Filler]:
    storage = services.azurite.connection_string
    with (
        BlobServiceClient.from_connection_string(storage) as blobs,
        QueueClient.from_connection_string(storage, services.queue) as queue,
    ):
        yield _Filler(blobs, queue, services.container)
