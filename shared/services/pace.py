"""Doing no more in a while than was agreed to."""

import time
from collections.abc import Callable


class Pace:
    """Lets through so many things a second, some more at once, and never catches up on a pause."""

    def __init__(
        self,
        rate: float | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Without a rate nothing waits."""
        self._rate = rate
        self._clock = clock
        self._sleep = sleep
        self._next = clock()

    def wait(self, count: int) -> None:
        """Return when what was let through before is paid for, and let so many through."""
        if self._rate is None:
            return
        now = self._clock()
        if self._next > now:
            self._sleep(self._next - now)
        self._next = max(self._next, now) + count / self._rate


class Quota:
    """Lets through so many things in a while, and counts those that it turns away."""

    def __init__(
        self, most: int, seconds: float, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most = most
        self._seconds = seconds
        self._clock = clock
        self._left = most
        self._renewed_at = clock() + seconds
        self._turned_away = 0

    def admit(self) -> int | None:
        """How many were turned away since the last that was let through; None turns this away."""
        now = self._clock()
        if now >= self._renewed_at:
            self._left, self._renewed_at = self._most, now + self._seconds
        if self._left == 0:
            self._turned_away += 1
            return None
        self._left -= 1
        turned_away, self._turned_away = self._turned_away, 0
        return turned_away
