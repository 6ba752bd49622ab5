"""The place where functions run: one event loop and one pool of threads, as in the worker."""

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

MOST_THREADS = 32


def thread_count(environment: Mapping[str, str]) -> int:
    """How many sync functions run at once: `PYTHON_THREADPOOL_THREAD_COUNT`, else by CPUs."""
    given = environment.get("PYTHON_THREADPOOL_THREAD_COUNT", "")
    return int(given) if given.isdigit() and int(given) else default_thread_count()


def default_thread_count() -> int:
    return min(MOST_THREADS, (os.cpu_count() or 1) + 4)


class Worker:
    """An event loop in a thread of its own, apart from the host's.

    Every run passes through this loop, so a function that blocks it holds up all the others, but
    never the host's listeners. Nothing that runs here is ever cancelled.
    """

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="function")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="worker", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stops the loop; runs in threads go on until they end or the process does."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=1)
        if not self._thread.is_alive():
            self._loop.close()

    def submit(self, work: Coroutine[Any, Any, Any]) -> asyncio.Future[Any]:
        """Starts work on the worker's loop; the result belongs to the caller's loop."""
        return asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    async def call(self, function: Callable[[], Any]) -> Any:
        """Runs a sync function in the pool. To be awaited on the worker's loop."""
        return await self._loop.run_in_executor(self._pool, function)
