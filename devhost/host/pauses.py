"""Waiting that can be cut short."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta

DRAIN = timedelta(seconds=10)
"""How long a listener waits, once it stops, for the runs that it started."""


async def pause(seconds: float | None, *unless: asyncio.Event) -> None:
    """Wait `seconds` (None: without end), or until one of the events is set."""
    if any(event.is_set() for event in unless):
        return
    waits = [asyncio.ensure_future(event.wait()) for event in unless]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


async def finish(work: Awaitable[object], stopping: asyncio.Event, grace: timedelta) -> bool:
    """Wait for `work`, once `stopping` is set only for `grace`; then cancel it and answer false."""
    task = asyncio.ensure_future(work)
    stop = asyncio.ensure_future(stopping.wait())
    await asyncio.wait([task, stop], return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    await asyncio.wait([task], timeout=grace.total_seconds())
    if task.done():
        return True
    task.cancel()
    await asyncio.wait([task])
    return False
