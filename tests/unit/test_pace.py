"""What is let through in a second."""

from shared.services.pace import Pace


class Time:
    """Passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


def test_no_more_than_the_rate_is_let_through() -> None:
    time = Time()
    pace = Pace(50, clock=time.clock, sleep=time.sleep)
    for _ in range(5):
        pace.wait(100)
    assert time.now == 100 + 4 * 100 / 50


def test_a_pause_is_not_caught_up_on() -> None:
    time = Time()
    pace = Pace(50, clock=time.clock, sleep=time.sleep)
    pace.wait(100)
    time.now += 1000
    pace.wait(100)
    assert time.now == 1100
    pace.wait(100)
    assert time.now == 1102


def test_without_a_rate_nothing_waits() -> None:
    time = Time()
    pace = Pace(None, clock=time.clock, sleep=time.sleep)
    pace.wait(10**9)
    pace.wait(10**9)
    assert time.now == 100
