"""The time, as something that is passed in."""

import asyncio
from datetime import UTC, datetime
from typing import Protocol

from devhost.host.pauses import pause

LONGEST_SLEEP_SECONDS = 30.0
"""A machine that was suspended, or whose clock was set, is noticed within this time."""


class Clock(Protocol):
    """Tells the time and waits for it."""

    def now(self) -> datetime:
        """Now, in UTC."""
        ...

    async def wait_until(self, instant: datetime, unless: asyncio.Event) -> None:
        """Returns at `instant`, at once when that is past, or when the event is set."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def wait_until(self, instant: datetime, unless: asyncio.Event) -> None:
        while not unless.is_set() and (left := (instant - self.now()).total_seconds()) > 0:
            await pause(min(left, LONGEST_SLEEP_SECONDS), unless)
