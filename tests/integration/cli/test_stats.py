"""`registry stats`."""

import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from matplotlib.dates import num2date  # pyright: ignore[reportUnknownVariableType]
from psycopg.rows import DictRow

from cli.exchange import NoRegistry
from cli.stats_plots import draw, save_picture
from shared.models.figures import Breakdown, Counted, CountedDay, CountedValue, RegistryFigures
from shared.services.artifact_service import ArtifactService
from tests.integration.cli.conftest import Terminal, refused
from tests.integration.clock import TickingClock
from tests.integration.registering import create

TODAY = date(2026, 3, 1)
FAILED = """
INSERT INTO registry.outbox (occurred_at, operation, actor, success, error)
VALUES (now(), 'register', 'key:test', false, 'why')
"""
BY = ("status", "stage", "type", "client", "backend", "tier", "container")


@pytest.fixture
def made(artifacts: ArtifactService, clock: TickingClock, sql: psycopg.Connection[DictRow]) -> None:
    clock.now = datetime.now(UTC)
    create(artifacts, "a", size_bytes=5, artifact_type="$\\frac{", storage_tier="Hot")
    create(artifacts, "b", client_type="測試", size_bytes=7, artifact_type="raster")
    sql.execute(FAILED)


@pytest.mark.usefixtures("made")
def test_figures_are_tables_for_people_and_the_answer_for_programs(terminal: Terminal) -> None:
    printed = terminal.run("stats")
    assert printed.exit_code == 0, printed.stderr
    lines = [line.split() for line in printed.stdout.splitlines()]
    today = datetime.now(UTC).date().isoformat()
    numbers = ["artifact_count", "size_bytes", "deleted_count", "deleted_bytes"]
    assert lines[0] == ["by", "value", *numbers]
    assert ["client", "ddh", "1", "5", "0", "0"] in lines
    assert ["tier", "(none)", "1", "7", "0", "0"] in lines
    assert ["all", "2", "12", "0", "0"] in lines
    assert lines[-6:] == [
        [],
        ["day", *numbers],
        [today, "2", "12", "0", "0"],
        [],
        ["operation", "errors"],
        ["register", "1"],
    ]
    told = terminal.read("stats", "--client-type", "ddh", "--days", "7")
    assert (told["client_type"], told["size_bytes"], told["total_errors"]) == ("ddh", 5, 1)


def test_where_nothing_is_registered_there_is_nothing_but_zeros(terminal: Terminal) -> None:
    printed = terminal.run("stats").stdout.splitlines()
    assert [line.split() for line in printed[1:]] == [["all", "0", "0", "0", "0"]]


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize(
    ("suffix", "begins"),
    [("svg", b"<?xml"), pytest.param("png", b"\x89PNG", marks=pytest.mark.long)],
)
def test_a_picture_shows_what_is_registered_whatever_it_is_called(
    terminal: Terminal, tmp_path: Path, suffix: str, begins: bytes
) -> None:
    picture = tmp_path / f"picture.{suffix}"
    drawn = terminal.run("stats", "--plot", str(picture))
    assert (drawn.exit_code, drawn.stdout, drawn.stderr) == (0, "", "")
    content = picture.read_bytes()
    assert content.startswith(begins)
    if suffix == "svg":
        for text in ("測試", "$\\frac{", "Artifacts by container", "Errors by operation: 1"):
            assert text.encode() in content


def test_where_nothing_is_known_the_picture_says_so(terminal: Terminal, tmp_path: Path) -> None:
    picture = tmp_path / "picture.svg"
    assert terminal.run("stats", "--plot", str(picture), "--days", "7").exit_code == 0
    assert picture.read_text().count(">nothing<") == 10


def test_a_picture_that_cannot_be_is_refused(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused(terminal.run("stats", "--plot", "picture.gif"), 2, ".svg or .png")
    nowhere = str(tmp_path / "none" / "picture.svg")
    refused(terminal.run("stats", "--plot", nowhere), 2, "cannot be written")
    monkeypatch.delitem(sys.modules, "cli.stats_plots", raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    missing = terminal.run("stats", "--plot", str(tmp_path / "picture.svg"))
    refused(missing, 2, "the extra 'plots'")


def test_a_key_that_may_not_read_is_told_so(terminal: Terminal) -> None:
    refused(terminal.having(REGISTRY_API_KEY="wrong").run("stats"), 4)


def figures(values: int, days: int) -> RegistryFigures:
    """So many values of each figure, each with one artifact less than the one before."""
    listed = [
        CountedValue(value=f"value {n}", artifact_count=values - n, size_bytes=2048)
        for n in range(values)
    ]
    told: dict[str, Any] = {
        f"by_{name}": Breakdown(values=listed, others=Counted(artifact_count=5)) for name in BY
    }
    registered = [
        CountedDay(day=TODAY - timedelta(n), artifact_count=n + 1, size_bytes=1)
        for n in reversed(range(days))
    ]
    return RegistryFigures.model_validate(
        told
        | {"client_type": None, "today": TODAY, "days": registered}
        | {"total_errors": 0, "errors_by_operation": []}
    )


def test_the_picture_has_as_many_days_as_asked_for_and_ends_today() -> None:
    above = draw(figures(1, 90), 90).axes[0]
    first, last = (num2date(edge).replace(tzinfo=None) for edge in above.get_xlim())
    assert last - first == timedelta(90)
    assert last - timedelta(hours=12) == datetime(2026, 3, 1)  # noqa: DTZ001 - of a day
    assert len(above.patches) == 90


def test_of_many_values_the_picture_shows_ten_and_the_others_together() -> None:
    by_status = draw(figures(30, 1), 1).axes[2]
    names = [each.get_text() for each in by_status.get_yticklabels()]
    assert names == [*(f"value {n}" for n in range(10)), "(others)"]
    lengths = [patch.get_width() for patch in by_status.patches]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]
    assert lengths == [*range(30, 20, -1), sum(range(21)) + 5]


def test_what_is_no_answer_of_a_registry_is_not_drawn(tmp_path: Path) -> None:
    picture = tmp_path / "picture.svg"
    with pytest.raises(NoRegistry):
        save_picture({"artifact_count": 3}, picture, 30)
    assert not picture.exists()
