"""Reading on while the caller works on what was read before."""

from collections import deque
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Chunk = TypeVar("Chunk")


def read_ahead(chunks: Generator[Chunk], depth: int) -> Generator[Chunk]:
    """The same chunks, the next `depth` of them fetched by a thread in the meantime.

    What fetching raises is raised here, in its place. A caller that stops early waits for the
    one chunk on its way, and `chunks` is closed.
    """
    worker = ThreadPoolExecutor(1, thread_name_prefix="read-ahead")
    try:
        pending: deque[Future[Chunk | None]] = deque(
            worker.submit(next, chunks, None) for _ in range(depth)
        )
        while (chunk := pending.popleft().result()) is not None:
            pending.append(worker.submit(next, chunks, None))
            yield chunk
    finally:
        worker.shutdown(cancel_futures=True)
        chunks.close()
