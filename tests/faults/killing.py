"""Points of a message's way at which a worker can kill itself.

Nothing in the registry knows of them: in the worker's own process, and there alone, the functions
on the way are wrapped.
"""

import os
import signal
from collections.abc import Callable, Generator
from functools import wraps
from typing import Any

from devhost.host import queue_pump
from shared.models import blob_events
from shared.repositories.artifacts import ArtifactRepository
from shared.storage import blobs
from shared.storage.blobs import BlobStore
from tests.faults.places import Place
from tests.faults.processes import work_on
from tests.faults.worker import SOON

CHUNK_BYTES = 4096
CHUNKS = 8
BLOB_BYTES = CHUNK_BYTES * CHUNKS
"""A blob of several chunks, small as it is."""


def die() -> None:
    """As in a crash or a scale-in: nothing is finished, nothing is closed."""
    os.kill(os.getpid(), signal.SIGKILL)


def die_before(owner: Any, name: str) -> None:
    def dying(*_: Any, **__: Any) -> None:
        die()

    setattr(owner, name, dying)


def die_after(owner: Any, name: str) -> None:
    """After a call that had something to return."""
    real = getattr(owner, name)

    @wraps(real)
    def dying(*arguments: Any, **named: Any) -> Any:
        answer = real(*arguments, **named)
        if answer is None or answer:
            die()
        return answer

    setattr(owner, name, dying)


def die_after_chunk(number: int) -> None:
    store: Any = BlobStore
    real = store.read

    def dying(*arguments: Any) -> Generator[bytes]:
        for count, chunk in enumerate(real(*arguments), start=1):
            if count == number:
                die()
            yield chunk

    store.read = dying


def die_while(repository: Any, name: str) -> None:
    """When the statement has been sent and the server works on it: whether it commits is open."""
    real = getattr(repository, name)

    def dying(asked: Any, *arguments: Any, **named: Any) -> Any:
        asked._connection.wait = _send_only
        return real(asked, *arguments, **named)

    setattr(repository, name, dying)


def die_while_committing(repository: Any, name: str) -> None:
    """Likewise, of the transaction in which a call had something to return."""
    real = getattr(repository, name)

    def dying(asked: Any, *arguments: Any, **named: Any) -> Any:
        answer = real(asked, *arguments, **named)
        if answer is None or answer:
            asked._connection.wait = _send_only
        return answer

    setattr(repository, name, dying)


def _send_only(waiting: Generator[Any, Any, Any], *_: Any, **__: Any) -> None:
    next(waiting)  # it waits for the answer, hence has sent everything
    die()


DELIVERY: Any = getattr(queue_pump, "_Delivery")  # noqa: B009 - private to the host
POINTS: dict[str, Callable[[], None]] = {
    "after receiving": lambda: die_after(queue_pump.QueuePump, "_receive"),
    "after decoding": lambda: die_after(blob_events, "message_text"),
    "after reading": lambda: die_after(blob_events, "from_json"),
    "before looking": lambda: die_before(BlobStore, "properties"),
    "after looking": lambda: die_after(BlobStore, "properties"),
    "before observing": lambda: die_before(ArtifactRepository, "observe"),
    "after observing": lambda: die_after(ArtifactRepository, "observe"),
    "at the first chunk": lambda: die_after_chunk(1),
    "in mid hashing": lambda: die_after_chunk(CHUNKS // 2),
    "at the last chunk": lambda: die_after_chunk(CHUNKS),
    "before registering": lambda: die_before(ArtifactRepository, "register"),
    "while registering": lambda: die_while(ArtifactRepository, "register"),
    "after registering": lambda: die_after(ArtifactRepository, "register"),
    "before deleting": lambda: die_before(DELIVERY, "delete"),
    "after deleting": lambda: die_after(DELIVERY, "delete"),
}


def work_until(place: Place, point: str) -> None:
    """Take messages, one at a time, and die at a point of the way."""
    blobs.CHUNK_BYTES = CHUNK_BYTES
    POINTS[point]()
    work_on(place, batch_size=1, visibility=SOON)
