"""How often a fault is injected: a few times in every run, as often as was asked for in `long`."""

from typing import Any

import pytest

LONGEST_SECONDS = 3600


def sized(few: tuple[Any, ...], full: tuple[Any, ...], *, of: str = "") -> list[Any]:
    """Values of a test's parameters: the second ones in `make test-long` only.

    `of` tells them from those of the test's other cases.
    """
    is_long = [pytest.mark.long, pytest.mark.timeout(LONGEST_SECONDS)]
    ids = ["-".join(filter(None, (of, size))) for size in ("few", "full")]
    return [pytest.param(*few, id=ids[0]), pytest.param(*full, id=ids[1], marks=is_long)]
