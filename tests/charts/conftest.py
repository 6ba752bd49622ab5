"""The chart, rendered with each file of values."""

import os
from collections.abc import Callable
from functools import cache

import pytest

from tests.charts.helm import VALUES, Object, program, render

ALL_VALUES = sorted(path.stem for path in VALUES.glob("*.yaml"))

Rendered = Callable[[str], list[Object]]


@pytest.fixture(scope="session", autouse=True)
def helm() -> None:
    """Where there is none, the chart is not tested, and CI says so."""
    if program() is None:
        assert not os.environ.get("CI"), "no Helm: `make chart` installs one"
        pytest.skip("there is no Helm on this machine: `make chart` installs one on Linux x86-64")


@pytest.fixture(scope="session")
def rendered() -> Rendered:
    """The objects of a file of values; rendered once, so look and do not touch."""
    return cache(render)


@pytest.fixture(params=ALL_VALUES)
def values(request: pytest.FixtureRequest) -> str:
    """The name of each file of values in turn."""
    name: str = request.param
    return name


@pytest.fixture
def objects(values: str, rendered: Rendered) -> list[Object]:
    """What becomes of each file of values."""
    return rendered(values)
