"""Timing of things that are to be compared, on a machine whose speed drifts."""

import statistics
import time
from collections.abc import Callable, Mapping


def median_seconds(
    variants: Mapping[str, Callable[[], object]],
    rounds: int,
    prepare: Callable[[], object] = lambda: None,
) -> dict[str, float]:
    """Seconds that each variant takes: the median over rounds, each of which runs every variant.

    What prepares each of them is not counted.
    """
    taken: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(rounds):
        for name, run in variants.items():
            prepare()
            began = time.perf_counter()
            run()
            taken[name].append(time.perf_counter() - began)
    return {name: statistics.median(seconds) for name, seconds in taken.items()}
