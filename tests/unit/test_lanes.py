"""Requests that come together are answered together, and each gets its own answer."""

import asyncio
from collections.abc import Sequence
from threading import Event

import pytest

from functions.http.lanes import Lane


class Doubling:
    """Doubles numbers, some at a time, once it is let go; remembers who travelled with whom."""

    def __init__(self) -> None:
        self.visits: list[list[int]] = []
        self.has_begun = Event()
        self.may_go = Event()

    async def __call__(self, numbers: Sequence[int]) -> list[int | Exception]:
        self.visits.append(list(numbers))
        self.has_begun.set()
        assert await asyncio.to_thread(self.may_go.wait, 30)
        if 666 in numbers:
            raise RuntimeError("everybody")
        return [ValueError(number) if number < 0 else 2 * number for number in numbers]


async def ask_all(lane: Lane[int, int], numbers: Sequence[int]) -> list[int | BaseException]:
    return await asyncio.gather(*map(lane.ask, numbers), return_exceptions=True)


def test_a_request_that_comes_alone_is_answered_at_once() -> None:
    doubling = Doubling()
    doubling.may_go.set()
    assert asyncio.run(Lane(doubling).ask(7)) == 14
    assert doubling.visits == [[7]]


def test_what_comes_in_one_turn_of_the_loop_travels_together() -> None:
    doubling = Doubling()
    doubling.may_go.set()
    assert asyncio.run(ask_all(Lane(doubling), [1, 2, 3])) == [2, 4, 6]
    assert doubling.visits == [[1, 2, 3]]


def test_what_comes_while_visits_are_under_way_travels_together() -> None:
    doubling = Doubling()
    lane = Lane(doubling, visits=1, most_together=3)

    async def come_while_one_is_away() -> list[int | BaseException]:
        first = asyncio.create_task(lane.ask(1))
        await asyncio.to_thread(doubling.has_begun.wait)
        others = asyncio.create_task(ask_all(lane, range(2, 7)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        doubling.may_go.set()
        return [await first, *await others]

    assert asyncio.run(come_while_one_is_away()) == [2, 4, 6, 8, 10, 12]
    assert doubling.visits == [[1], [2, 3, 4], [5, 6]]


def test_an_error_is_raised_for_whom_it_concerns() -> None:
    doubling = Doubling()
    doubling.may_go.set()
    told = asyncio.run(ask_all(Lane(doubling), [1, -2, 3]))
    assert (told[0], told[2]) == (2, 6)
    assert isinstance(told[1], ValueError)


def test_what_fails_as_a_whole_fails_for_all_and_the_next_are_answered() -> None:
    doubling = Doubling()
    doubling.may_go.set()
    lane = Lane(doubling, visits=1)

    async def fail_then_go_on() -> tuple[list[int | BaseException], int]:
        return await ask_all(lane, [666, 666]), await lane.ask(4)

    failed, answer = asyncio.run(fail_then_go_on())
    assert [str(error) for error in failed] == ["everybody", "everybody"]
    assert answer == 8


def test_who_hangs_up_takes_nobody_along() -> None:
    doubling = Doubling()
    lane = Lane(doubling, visits=1)

    async def hang_up() -> int:
        gone = asyncio.create_task(lane.ask(1))
        stays = asyncio.create_task(lane.ask(2))
        await asyncio.to_thread(doubling.has_begun.wait)
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        doubling.may_go.set()
        return await stays

    assert asyncio.run(hang_up()) == 4


def test_a_lane_outlives_an_event_loop() -> None:
    """The tests, and nothing else that we know of, run one loop after another."""
    doubling = Doubling()
    doubling.may_go.set()
    lane = Lane(doubling, visits=1)
    assert [asyncio.run(lane.ask(number)) for number in range(3)] == [0, 2, 4]
