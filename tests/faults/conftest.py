"""A queue of the test's own, and what was counted, told when all tests have run."""

from collections.abc import Callable, Iterator

import pytest
from azure.core.exceptions import ResourceNotFoundError

from devhost.stack.azurite import Azurite
from tests.faults.places import Place
from tests.integration.conftest import sql, uploads

__all__ = ["sql", "uploads"]

Tally = Callable[..., None]


@pytest.fixture
def tally(record_property: Callable[[str, object], None]) -> Tally:
    """Keeps counts by name: a fault table without them says little."""

    def count(**counts: object) -> None:
        for name, value in counts.items():
            record_property(name, value)

    return count


@pytest.fixture
def place(azurite: Azurite, database_url: str, unique_name: str) -> Iterator[Place]:
    """A database and a queue of the test's own, on the storage account that all share."""
    place = Place(database_url, azurite.connection_string, unique_name)
    with place.queue() as queue, place.poison() as poison:
        queue.create_queue()
        yield place
        queue.delete_queue()
        try:
            poison.delete_queue()
        except ResourceNotFoundError:
            return
        pytest.fail("The worker gave up messages.")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    told = [
        f"{report.nodeid}: {', '.join(f'{name}={value}' for name, value in report.user_properties)}"
        for report in terminalreporter.stats.get("passed", [])
        if report.user_properties and "tests/faults" in report.nodeid
    ]
    if told:
        terminalreporter.section("faults that were injected")
    for line in sorted(told):
        terminalreporter.write_line(line)
