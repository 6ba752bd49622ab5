"""Events repeated and out of order, while blobs are written, overwritten and deleted."""

import random
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Semaphore

import pytest

from shared.errors import BlobChanged
from shared.services.ingestion import IngestionService
from tests.faults.conftest import Tally
from tests.faults.places import Place
from tests.faults.registered import Rows, assert_holds, reasons
from tests.faults.sizes import sized
from tests.integration.messages import ORIGIN, QUEUE, event
from tests.integration.uploads import Uploads

MOST_DELIVERIES = 5
WORKERS = 8
SEEDS = 20
CASES = [
    case
    for seed in range(SEEDS)
    for case in sized((60, seed), (1000, seed))[0 if seed < 3 else 1 :]
]
"""All seeds with all blobs, and a few of both in every run."""
_DELETED = "Microsoft.Storage.BlobDeleted"


@dataclass(frozen=True)
class Step:
    """Something done to a blob, or the event of it delivered."""

    path: str
    content: bytes | None
    """None where the blob is deleted."""
    is_delivery: bool


def story(number: int) -> Sequence[bytes | None]:
    """What one blob holds, one after the other: the same whatever the order of its events."""
    first, second = b"first of %d" % number, b"second of %d" % number
    stories: list[Sequence[bytes | None]] = [
        *[[first]] * 4,
        *[[first, second]] * 2,
        [first, second, first],
        [first, None],
        [first, None, second],
        [first, second, None],
    ]
    return stories[number % len(stories)]


def steps(blobs: int, seed: int) -> list[Step]:
    """All stories mixed; each event from one to five times, at any time after what it tells of."""
    dice = random.Random(seed)  # noqa: S311 - test data, no secret
    placed: list[tuple[float, Step]] = []
    for number in range(blobs):
        contents = story(number)
        moments = sorted(dice.random() for _ in contents)
        for moment, content in zip(moments, contents, strict=True):
            placed.append((moment, Step(f"dir/{number}", content, is_delivery=False)))
            for _ in range(dice.randint(1, MOST_DELIVERIES)):
                delivery = Step(f"dir/{number}", content, is_delivery=True)
                placed.append((dice.uniform(moment, 1), delivery))
    return [step for _, step in sorted(placed, key=lambda one: one[0])]


class Deliveries:
    """Handed to several workers in the order given; how they then overtake each other is theirs."""

    def __init__(self, service: IngestionService, uploads: Uploads) -> None:
        self._service = service
        self._uploads = uploads
        self._room = Semaphore(4 * WORKERS)
        self._threads = ThreadPoolExecutor(WORKERS)
        self._all: list[Future[None]] = []

    def hand_over(self, step: Step) -> None:
        """Returns at once, unless the workers are too far behind."""
        self._room.acquire()
        self._all.append(self._threads.submit(self._deliver, step))

    def finish(self) -> int:
        """How many there were; raises what no worker expected."""
        for delivery in self._all:
            delivery.result()
        self._threads.shutdown()
        return len(self._all)

    def _deliver(self, step: Step) -> None:
        blob = self._uploads.reference(step.path)
        body = event(blob) if step.content is not None else event(blob, eventType=_DELETED)
        try:
            while self._is_left_for_later(body):
                pass
        finally:
            self._room.release()

    def _is_left_for_later(self, body: bytes) -> bool:
        try:
            self._service.take_blob_events(QUEUE, body, ORIGIN)
        except BlobChanged:
            return True
        return False


def live_through(service: IngestionService, uploads: Uploads, todo: list[Step]) -> int:
    """Do what the steps say, in their order, and return how many events were delivered."""
    deliveries = Deliveries(service, uploads)
    for step in todo:
        if step.is_delivery:
            deliveries.hand_over(step)
        elif step.content is None:
            uploads.container.delete_blob(step.path)
        else:
            uploads.put(step.path, step.content)
    return deliveries.finish()


def last_contents(blobs: int) -> dict[str, bytes]:
    ends = {f"dir/{number}": story(number)[-1] for number in range(blobs)}
    return {path: content for path, content in ends.items() if content is not None}


@pytest.mark.parametrize(("blobs", "seed"), CASES)
def test_the_state_in_the_end_is_the_stores_whatever_the_order_of_events(
    place: Place, uploads: Uploads, sql: Rows, tally: Tally, blobs: int, seed: int
) -> None:
    """What every blob holds in the end depends on its number alone: the same for all seeds."""
    with place.ingestion() as service:
        delivered = live_through(service, uploads, steps(blobs, seed))
    assert_holds(sql, uploads.container, last_contents(blobs))
    # A blob that is gone when its event comes is nothing to register; nothing else is set aside.
    assert set(reasons(sql)) <= {"blob_not_found"}
    registered = sql.execute("SELECT FROM registry.artifacts").rowcount
    tally(blobs=blobs, seed=seed, deliveries=delivered, states=registered)
