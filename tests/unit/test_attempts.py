"""What of attempts needs no database: quotas, kicks, and what is said of a fault."""

from collections.abc import Callable

import pytest

from shared.errors import ArtifactNotFound, InvalidInput, StorageUnavailable
from shared.services.attempts import error_of
from shared.services.pace import Quota
from shared.services.trail_kick import EVERY_SECONDS, KEPT_SECONDS, TrailKick
from shared.storage.queues import StorageQueue


class Seconds:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Sent(StorageQueue):
    """Notes when a message was sent, and fails when it is told to."""

    def __init__(self, seconds: Seconds) -> None:
        super().__init__("UseDevelopmentStorage=true", "unused")
        self._seconds = seconds
        self.at: list[float] = []
        self.is_down = False

    def send_for_a_while(self, text: str, *, hidden_seconds: int, kept_seconds: int) -> None:
        assert text
        assert (hidden_seconds, kept_seconds) == (EVERY_SECONDS, KEPT_SECONDS)
        self.at.append(self._seconds.now)
        if self.is_down:
            raise StorageUnavailable


def at_once(work: Callable[[], None]) -> None:
    work()


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def sent(seconds: Seconds) -> Sent:
    return Sent(seconds)


@pytest.fixture
def kick(sent: Sent, seconds: Seconds) -> TrailKick:
    return TrailKick(sent, seconds=seconds, run=at_once)


def test_every_change_is_followed_by_a_message_that_is_seen_after_it(
    kick: TrailKick, sent: Sent, seconds: Seconds
) -> None:
    changes = [100.0, 100.1, 104.9, 105.0, 105.1, 300.0]
    for seconds.now in changes:
        kick.changed()
    assert sent.at == [100.0, 105.0, 300.0]
    for change in changes:
        assert any(change < seen <= change + EVERY_SECONDS for seen in _seen(sent.at)), change


def _seen(sent: list[float]) -> list[float]:
    return [at + EVERY_SECONDS for at in sent]


def test_a_queue_that_is_down_is_left_alone_for_a_while_and_nobody_hears_of_it(
    kick: TrailKick, sent: Sent, seconds: Seconds
) -> None:
    sent.is_down = True
    kick.changed()
    kick.changed()
    seconds.now += EVERY_SECONDS
    kick.changed()
    assert sent.at == [100.0, 105.0]


def test_without_a_queue_nothing_is_sent() -> None:
    def never(_: Callable[[], None]) -> None:
        raise AssertionError("something was sent")

    TrailKick(None, run=never).changed()


def test_a_quota_lets_so_many_through_and_then_tells_how_many_it_did_not(
    seconds: Seconds,
) -> None:
    quota = Quota(2, 60, clock=seconds)
    assert [quota.admit() for _ in range(5)] == [0, 0, None, None, None]
    seconds.now += 59
    assert quota.admit() is None
    seconds.now += 1
    assert [quota.admit() for _ in range(3)] == [4, 0, None]
    seconds.now += 1000
    assert [quota.admit() for _ in range(3)] == [1, 0, None]


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (ArtifactNotFound(), "artifact-not-found: There is no such artifact."),
        (InvalidInput("No.", "/a"), "invalid-input: No."),
        (ValueError("password=hunter2"), "internal-error: ValueError"),
    ],
)
def test_a_fault_is_told_by_its_name_and_its_sentence_if_that_is_ours(
    fault: Exception, told: str
) -> None:
    assert error_of(fault) == told
