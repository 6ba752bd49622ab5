"""A clock that stands still until a test moves it."""

import asyncio
from datetime import datetime, timedelta

from devhost.host.pauses import pause

LOOK_SECONDS = 0.005


class ManualClock:
    """Shared by a listener on its loop and a test in its thread."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self.awaited: datetime | None = None
        """What somebody waits for at the moment."""

    def now(self) -> datetime:
        return self._now

    def advance(self, **by: float) -> None:
        """By the arguments of `timedelta`."""
        self._now += timedelta(**by)

    async def wait_until(self, instant: datetime, unless: asyncio.Event) -> None:
        self.awaited = instant
        while self._now < instant and not unless.is_set():
            await pause(LOOK_SECONDS, unless)
        self.awaited = None
