"""A clock for tests."""

from datetime import UTC, datetime, timedelta


class TickingClock:
    """A second later at every look, so that times tell the order of events."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now
