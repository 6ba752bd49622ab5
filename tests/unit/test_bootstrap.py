"""Building the registry: once, also when the first requests come together."""

import threading
from concurrent.futures import ThreadPoolExecutor

from shared import bootstrap

THREADS = 8


def test_what_is_built_is_built_once_however_many_ask_first() -> None:
    together = threading.Barrier(THREADS)
    built: list[object] = []

    @bootstrap._once  # pyright: ignore[reportPrivateUsage] - what every part is built with
    def part() -> object:
        built.append(object())
        return built[-1]

    def ask(_: int) -> object:
        together.wait()
        return part()

    with ThreadPoolExecutor(THREADS) as threads:
        answers = list(threads.map(ask, range(THREADS)))
    assert len(built) == 1
    assert set(answers) == {built[0]}
