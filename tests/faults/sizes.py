"""How often a fault is injected: a few times in every run, as often as was asked for in `long`."""

from typing import Any

import pytest

LONGEST_SECONDS = 3600


def sized(few: tuple[Any, ...], full: tuple[Any, ...]) -> list[Any]:
    """Values of a test's parameters: the second ones in `make test-long` only."""
    is_long = [pytest.mark.long, pytest.mark.timeout(LONGEST_SECONDS)]
    return [pytest.param(*few, id="few"), pytest.param(*full, id="full", marks=is_long)]
