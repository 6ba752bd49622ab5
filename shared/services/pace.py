"""Doing no more in a second than was agreed to."""

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
