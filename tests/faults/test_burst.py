"""Very many small blobs at once: one worker drains them in memory and connections that stay."""

import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from azure.storage.queue import QueueClient

from tests.end_to_end.waiting import wait_for
from tests.faults.conftest import Tally
from tests.faults.places import DRAINED_SECONDS, POOL_SIZE, Place, waiting
from tests.faults.processes import workers
from tests.faults.registered import Rows, assert_holds, reasons
from tests.faults.sizes import sized
from tests.faults.watching import watching
from tests.integration.uploads import Uploads

SHALLOW = 200
"""Messages that wait at most: Azurite looks through all of them for each that it hands out."""
SENDERS = 8
MEBIBYTE = 1024 * 1024
GROWTH = 32 * MEBIBYTE
"""What a worker may take more for all the blobs than for the first tenth of them."""


def burst(
    place: Place, queue: QueueClient, uploads: Uploads, numbers: range
) -> tuple[dict[str, bytes], float]:
    """Put so many blobs, then announce them as fast as the worker takes them; and the seconds."""
    contents = {f"burst/{number}": b"small %d" % number for number in numbers}
    with ThreadPoolExecutor(SENDERS) as senders:
        blobs = list(senders.map(uploads.put, contents, contents.values()))
        begun = time.monotonic()
        for start in range(0, len(blobs), SHALLOW // 2):
            few = blobs[start : start + SHALLOW // 2]
            list(senders.map(partial(place.announce, queue), few))
            wait_for("room in the queue", lambda: waiting(queue) < SHALLOW // 2, DRAINED_SECONDS)
    place.wait_until_drained(queue)
    return contents, time.monotonic() - begun


@pytest.mark.parametrize("blobs", sized((300,), (10_000,)))
def test_a_burst_of_small_blobs_is_drained_in_bounded_memory_and_connections(
    place: Place, uploads: Uploads, sql: Rows, tally: Tally, blobs: int
) -> None:
    with workers(place, 1) as (worker,), place.queue() as queue:
        with watching(worker.pid, place.database_url) as first:
            contents, _ = burst(place, queue, uploads, range(blobs // 10))
        with watching(worker.pid, place.database_url) as rest:
            more, seconds = burst(place, queue, uploads, range(blobs // 10, blobs))
    assert_holds(sql, uploads.container, contents | more)
    assert reasons(sql) == []
    assert rest.resident_bytes - first.resident_bytes < GROWTH
    assert 0 < max(first.connections, rest.connections) <= POOL_SIZE
    tally(
        blobs=blobs,
        mib_after_a_tenth=first.resident_bytes // MEBIBYTE,
        mib_in_the_end=rest.resident_bytes // MEBIBYTE,
        most_connections=rest.connections,
        looks=first.looks + rest.looks,
        blobs_a_second=round(len(more) / seconds),
    )
