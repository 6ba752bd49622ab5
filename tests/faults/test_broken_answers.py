"""Faults of the storage account, one request at a time: refused, silent, reset, cut."""

import gc
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import count

import pytest
from azure.storage.queue import QueueClient

from devhost.stack.azurite import Azurite
from shared.errors import StorageUnavailable
from shared.storage.blobs import BlobStore
from shared.storage.patience import CLIENT_OPTIONS
from tests.end_to_end.waiting import wait_for
from tests.faults.conftest import Tally
from tests.faults.places import DRAINED_SECONDS, Place, waiting
from tests.faults.proxy import KINDS, FaultyProxy, faulty_proxy
from tests.faults.registered import Rows, assert_holds, current, reasons
from tests.faults.sizes import sized
from tests.faults.worker import AT_ONCE, taking_events, working
from tests.integration.uploads import Uploads

MEBIBYTE = 1024 * 1024
HEAD_BYTES = 800
"""A little more than there are."""
IMPATIENT = {"read_timeout": 1, "increment_base": 0, "random_jitter_range": 0}
"""Seconds. In every run; the long one waits as long as the registry really does."""
CONTENT_TYPE = "application/x-whole"
BLOCK = 2 * MEBIBYTE


pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
"""Of hundreds of answers that break, the SDK leaves one or two sockets to the garbage collector."""


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """What is left of these answers is collected here, where it is no surprise."""
    yield
    gc.collect()


def content_of(number: int) -> bytes:
    """Every fifth blob takes several requests, and one more that confirms its etag."""
    return b"%08d" % number * (BLOCK // 3 if number % 5 == 0 else 100)


@contextmanager
def store_behind(
    azurite: Azurite, faults: Mapping[str, int]
) -> Generator[tuple[BlobStore, FaultyProxy]]:
    with faulty_proxy(azurite.ports[0], faults) as proxy:
        there = azurite.connection_string.replace(f":{azurite.ports[0]}/", f":{proxy.port}/")
        yield BlobStore(there, block_bytes=BLOCK), proxy


def feed_until_done(
    place: Place, queue: QueueClient, uploads: Uploads, proxy: FaultyProxy
) -> dict[str, bytes]:
    """Upload and announce blobs, a few ahead of the worker, until every fault was injected."""
    contents: dict[str, bytes] = {}
    for number in count():
        if proxy.is_done:
            break
        name = f"blob {number}"
        contents[name] = content_of(number)
        blob = uploads.put(name, contents[name], content_type=CONTENT_TYPE)
        place.announce(queue, blob)
        wait_for("room in the queue", lambda: waiting(queue) < 2 * AT_ONCE, DRAINED_SECONDS)
    return contents


@pytest.mark.parametrize(("times", "patience"), sized((10, IMPATIENT), (100, {})))
def test_answers_that_are_faults_lose_nothing_and_double_nothing(
    monkeypatch: pytest.MonkeyPatch,
    azurite: Azurite,
    place: Place,
    uploads: Uploads,
    sql: Rows,
    tally: Tally,
    times: int,
    patience: dict[str, float],
) -> None:
    for name, seconds in patience.items():
        monkeypatch.setitem(CLIENT_OPTIONS, name, seconds)
    with (
        store_behind(azurite, dict.fromkeys(KINDS, times)) as (store, proxy),
        place.ingestion(store) as service,
        working(place, taking_events(service, place)) as worker,
        place.queue() as queue,
    ):
        contents = feed_until_done(place, queue, uploads, proxy)
        place.wait_until_drained(queue)
        assert proxy.injected == dict.fromkeys(KINDS, times)
    assert_holds(sql, uploads.container, contents)
    told = {row["content_type"] for row in current(sql, uploads.container).values()}
    assert told == {CONTENT_TYPE}, "a head that was cut passed for a whole one"
    assert reasons(sql) == []
    faults = sum(proxy.injected.values())
    tally(kinds=len(KINDS), faults=faults, requests=proxy.requests, retried=worker.retried)


@pytest.mark.parametrize("step", sized((3,), (1,)))
def test_a_head_cut_anywhere_never_passes_for_a_whole_one(
    monkeypatch: pytest.MonkeyPatch, azurite: Azurite, uploads: Uploads, tally: Tally, step: int
) -> None:
    for name, seconds in IMPATIENT.items():
        monkeypatch.setitem(CLIENT_OPTIONS, name, seconds)
    blob = uploads.put("a", b"x", content_type=CONTENT_TYPE, metadata={"of": "value"})
    whole = BlobStore(azurite.connection_string).properties(blob)
    places = list(range(1, HEAD_BYTES, step))
    with store_behind(azurite, {"cut head": len(places)}) as (store, proxy):
        proxy.next_places = places
        while not proxy.is_done:
            with suppress(StorageUnavailable):
                assert replace(store.properties(blob), uri=whole.uri) == whole
    tally(cut_heads=proxy.injected["cut head"], requests=proxy.requests)
