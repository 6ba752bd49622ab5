"""Where whatever blocks runs: one event loop serves a worker, and nothing may hold it up."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

Result = TypeVar("Result")

_WORKERS = ThreadPoolExecutor(max_workers=32, thread_name_prefix="request")
"""A visit to one of these costs half of what it does with the framework's own threads."""


async def in_worker_thread(work: Callable[[], Result]) -> Result:
    """What the work gives, or raises; it belongs to the trace that it was asked for in."""
    context = copy_context()
    return await asyncio.get_running_loop().run_in_executor(_WORKERS, context.run, work)
